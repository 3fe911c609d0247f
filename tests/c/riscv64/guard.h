// The guard between a C caller and a callback on RISC-V: what it stores, and where, for C and for the assembler.

#ifndef CBT_GUARD_H
#define CBT_GUARD_H

// Offsets in `struct cbt_guard`.
#define CBT_F 256
#define CBT_FCSR 512
#define CBT_STACK 520
#define CBT_NEXT 528
#define CBT_MISALIGNED 536

// How deep guarded calls nest.
#define CBT_DEPTH 64

// What the guard puts into a register that the callback has to preserve, by the number of the register; the callback can then
// lose neither a value nor mistake one register for another. Floating-point registers are 32 and above.
#define CBT_PATTERN(number) (0xbadc0de000000000 + 0x0101010100000000 * (number) + 0x5a0 + (number))

#ifndef __ASSEMBLER__

#include <stdint.h>

struct cbt_expected {
    uint32_t hidden, x87, wide, pops; // those of other architectures
};

struct cbt_environment {
    uint32_t fcsr, unused;
};

// The registers.
struct cbt_registers {
    uint64_t x[32];
    uint64_t f[32];
    uint64_t fcsr;
};

// One call that the guard is in the middle of.
struct cbt_record {
    struct cbt_registers caller; // when it called
    uint64_t mode;               // what the callback found
};

// The guard of a thread.
struct cbt_guard {
    // The registers on their way through `cbt_guard_enter` and `cbt_guard_leave`: what guard.S stores before and loads after.
    struct cbt_registers registers;
    uint64_t stack;      // what lies below this address is free
    uint64_t next;       // where guard.S goes then
    uint32_t misaligned; // how often a callback had a misaligned stack
    // What `cbt_guard_arm` was given.
    void *target;
    struct cbt_environment environment;
    uint64_t depth;
    struct cbt_record records[CBT_DEPTH];
    uint64_t calls;
    char message[512]; // the first violations
};

#endif
#endif
