// What the generated C callers are given. The same as `Wire` in src/call.rs.

#include <stdint.h>
#include <string.h>

#if defined(_WIN32)
#define SYSV64 __attribute__((sysv_abi))
#define WIN64
#else
#define SYSV64
#define WIN64 __attribute__((ms_abi))
#endif

typedef void (*function)(void);

struct cbt_wire {
    function callback;
    const void *arguments[16];
    void *result;
    uint32_t *wide; // where all 32 bits of a narrower result go; 0: the call is made with the proper result
};

typedef void (*cbt_caller)(const struct cbt_wire *);
