// The guard between a C caller and a callback: what it stores, and where, for C and for the assembler.

#ifndef CBT_GUARD_H
#define CBT_GUARD_H

// Offsets in `struct cbt_guard`.
#define CBT_RFLAGS 128
#define CBT_STACK 136
#define CBT_NEXT 144
#define CBT_COMPONENTS 152
#define CBT_VECTORS 160
#define CBT_MISALIGNED 164
#define CBT_SAVED 192

// The most that XSAVE stores of the components that the guard knows.
#define CBT_SAVED_SIZE 2752

// How deep guarded calls nest.
#define CBT_DEPTH 64

// What the guard puts into a register that the callback has to preserve, by the number of the register; the
// callback can then lose neither a value nor mistake one register for another.
#define CBT_PATTERN(number) (0xbadc0de000000000 + 0x0101010100000000 * (number) + 0x5a0 + (number))

#ifndef __ASSEMBLER__

#include <stdint.h>

#ifdef _WIN32
#define CBT_SYSV64 __attribute__((sysv_abi))
#else
#define CBT_SYSV64
#endif

// What a callback does with registers besides preserving some.
struct cbt_expected {
    uint32_t hidden; // not 0: its result is in memory, so that rax has to be the address that the caller passed
    uint32_t x87;    // how many results it leaves on the x87 stack
    uint32_t wide;   // whether arguments may be in vector registers of more than 16 bytes
    uint32_t pops;   // how many bytes of arguments its return pops: none
};

struct cbt_environment {
    uint32_t mxcsr, x87;
};

// One call that the guard is in the middle of.
struct cbt_record {
    uint64_t integers[16]; // of the caller, when it called
    uint64_t xmm[16][2];
    struct cbt_environment environment, given; // of the caller, and what the callback found
    uint64_t return_address;
    struct cbt_expected expected;
    uint32_t windows;
};

// The guard of a thread.
struct cbt_guard {
    // The registers on their way through `cbt_guard_enter` and `cbt_guard_leave`: what guard.S stores before and loads
    // after.
    uint64_t integers[16]; // by number
    uint64_t rflags;
    uint64_t stack;      // what lies below this address is free
    uint64_t next;       // where guard.S goes then
    uint64_t components; // what XSAVE stores in `saved`
    uint32_t vectors;    // the size of the largest vector registers, in bytes
    uint32_t misaligned; // how often a callback had a misaligned stack
    _Alignas(64) unsigned char saved[CBT_SAVED_SIZE];
    // What `cbt_guard_arm` was given.
    void *target;
    struct cbt_expected expected;
    struct cbt_environment environment;
    uint64_t depth;
    struct cbt_record records[CBT_DEPTH];
    uint64_t calls;
    char message[512]; // the first violations
};

#endif
#endif
