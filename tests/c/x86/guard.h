// The guard between a C caller and a callback on 32-bit x86: what it stores, and where, for C and for the assembler.

#ifndef CBT_GUARD_H
#define CBT_GUARD_H

// Offsets in `struct cbt_guard`.
#define CBT_EFLAGS 32
#define CBT_STACK 36
#define CBT_NEXT 40
#define CBT_MISALIGNED 44
#define CBT_SAVED 48

// How deep guarded calls nest.
#define CBT_DEPTH 64

// What the guard puts into a register that the callback has to preserve, by the number of the register; the callback can then
// lose neither a value nor mistake one register for another.
#define CBT_PATTERN(number) (0xbadc0de0 + 0x01010101 * (number))

#ifndef __ASSEMBLER__

#include <stdint.h>

// What a callback does with registers besides preserving some.
struct cbt_expected {
    uint32_t hidden; // 0, or its result is in memory: 1, the address of that is on the stack; else 2 and the register's number
    uint32_t x87;    // how many results it leaves on the x87 stack
    uint32_t wide;   // of other architectures
    uint32_t pops;   // how many bytes of arguments its return pops
};

struct cbt_environment {
    uint32_t mxcsr, x87;
};

// One call that the guard is in the middle of.
struct cbt_record {
    uint32_t integers[8]; // of the caller, when it called
    struct cbt_environment environment, given; // of the caller, and what the callback found
    uint32_t return_address, result; // the latter where it is in memory
    struct cbt_expected expected;
};

// The guard of a thread.
struct cbt_guard {
    // The registers on their way through `cbt_guard_enter` and `cbt_guard_leave`: what guard.S stores before and loads after.
    uint32_t integers[8]; // by number
    uint32_t eflags;
    uint32_t stack;      // what lies below this address is free
    uint32_t next;       // where guard.S goes then
    uint32_t misaligned; // how often a callback had a misaligned stack
    _Alignas(16) unsigned char saved[512]; // by FXSAVE
    // What `cbt_guard_arm` was given.
    void *target;
    struct cbt_expected expected;
    struct cbt_environment environment;
    uint32_t depth;
    struct cbt_record records[CBT_DEPTH];
    uint64_t calls;
    char message[512]; // the first violations
};

#endif
#endif
