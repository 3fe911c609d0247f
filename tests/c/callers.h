// What the generated C callers are given. The same as `Wire` in src/call.rs.

#include <stdint.h>
#include <string.h>

// The conventions, and their lists of the arguments behind `...`.
#if defined(_WIN32)
#define CBT_SYSV64 __attribute__((sysv_abi))
#define CBT_WIN64
#define CBT_SYSV64_LIST __builtin_sysv_va_list
#define CBT_SYSV64_START __builtin_sysv_va_start
#define CBT_SYSV64_END __builtin_sysv_va_end
#define CBT_WIN64_LIST __builtin_va_list
#define CBT_WIN64_START __builtin_va_start
#define CBT_WIN64_END __builtin_va_end
#elif defined(__x86_64__)
#define CBT_SYSV64
#define CBT_WIN64 __attribute__((ms_abi))
#define CBT_SYSV64_LIST __builtin_va_list
#define CBT_SYSV64_START __builtin_va_start
#define CBT_SYSV64_END __builtin_va_end
#define CBT_WIN64_LIST __builtin_ms_va_list
#define CBT_WIN64_START __builtin_ms_va_start
#define CBT_WIN64_END __builtin_ms_va_end
#else // there is one convention for lists
#define CBT_SYSV64
#define CBT_WIN64
#define CBT_SYSV64_LIST __builtin_va_list
#define CBT_SYSV64_START __builtin_va_start
#define CBT_SYSV64_END __builtin_va_end
#define CBT_WIN64_LIST __builtin_va_list
#define CBT_WIN64_START __builtin_va_start
#define CBT_WIN64_END __builtin_va_end
#define CBT_AAPCS64
#define CBT_AAPCS64_LIST __builtin_va_list
#define CBT_AAPCS64_START __builtin_va_start
#define CBT_AAPCS64_END __builtin_va_end
#define CBT_LP64D
#define CBT_LP64D_LIST __builtin_va_list
#define CBT_LP64D_START __builtin_va_start
#define CBT_LP64D_END __builtin_va_end
#define CBT_CDECL __attribute__((cdecl))
#define CBT_STDCALL __attribute__((stdcall))
#define CBT_FASTCALL __attribute__((fastcall))
#define CBT_THISCALL __attribute__((thiscall))
#define CBT_CDECL_LIST __builtin_va_list
#define CBT_CDECL_START __builtin_va_start
#define CBT_CDECL_END __builtin_va_end
#endif

typedef void (*function)(void);

// `__m128` and so on, without the header that has them, and for every CPU.
#define VECTOR(name, element, size) typedef element name __attribute__((vector_size(size), may_alias))
#ifdef __aarch64__
VECTOR(m64f, float, 8);
VECTOR(m64i, int, 8);
#endif
VECTOR(m128, float, 16);
VECTOR(m128d, double, 16);
VECTOR(m128i, long long, 16);
#ifdef __x86_64__
VECTOR(m256, float, 32);
VECTOR(m256d, double, 32);
VECTOR(m256i, long long, 32);
VECTOR(m512, float, 64);
VECTOR(m512d, double, 64);
VECTOR(m512i, long long, 64);
#endif

struct cbt_wire {
    function callback;
    const void *arguments[16];
    void *result;
    uint32_t *wide; // where all 32 bits of a narrower result go; 0: the call is made with the proper result
};

typedef void (*cbt_caller)(const struct cbt_wire *);

// What C functions that are called ask of the test.
struct cbt_host {
    // Takes the arguments, and what is narrower than 32 bits as a C integer.
    void (*receive)(const void *const *arguments, const uint32_t *extended);
    // Gives the result.
    const void *(*reply)(void);
};
