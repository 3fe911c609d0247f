// The guard between a C caller and a callback: what it stores, and where, for C and for the assembler.

#ifndef CBT_GUARD_H
#define CBT_GUARD_H

// Offsets in `struct cbt_registers`.
#define CBT_RBX 0
#define CBT_RBP 8
#define CBT_RSI 16
#define CBT_RDI 24
#define CBT_R12 32
#define CBT_R13 40
#define CBT_R14 48
#define CBT_R15 56
#define CBT_RSP 64
#define CBT_RAX 72
#define CBT_RDX 80
#define CBT_RCX 88
#define CBT_RFLAGS 96
#define CBT_MXCSR 104
#define CBT_X87 108
#define CBT_XMM 112
#define CBT_REGISTERS 368

// Offsets in `struct cbt_record`.
#define CBT_FOUND CBT_REGISTERS
#define CBT_RETURN (2 * CBT_REGISTERS)
#define CBT_TARGET (CBT_RETURN + 8)
#define CBT_WINDOWS (CBT_RETURN + 16)
#define CBT_HIDDEN (CBT_RETURN + 20)
#define CBT_CONTROL (CBT_RETURN + 24)
#define CBT_RECORD (CBT_RETURN + 32)

// Offsets in `struct cbt_guard`.
#define CBT_G_DEPTH 0
#define CBT_G_TARGET 8
#define CBT_G_HIDDEN 16
#define CBT_G_MXCSR 20
#define CBT_G_CONTROL 24
#define CBT_G_MISALIGNED 28
#define CBT_G_RECORDS 32

// How deep guarded calls nest.
#define CBT_DEPTH 64

// What the guard puts into a register that the callback has to preserve, by the number of the register; the
// callback can then lose neither a value nor mistake one register for another.
#define CBT_PATTERN(number) (0xbadc0de000000000 + 0x0101010100000000 * (number) + 0x5a0 + (number))

#ifndef __ASSEMBLER__

#include <stdint.h>

struct cbt_registers {
    uint64_t rbx, rbp, rsi, rdi, r12, r13, r14, r15, rsp, rax, rdx, rcx, rflags;
    uint32_t mxcsr, x87;
    uint64_t xmm[16][2];
};

// One call that the guard is in the middle of.
struct cbt_record {
    struct cbt_registers real;  // of the caller, when it called
    struct cbt_registers found; // when the callback returned
    uint64_t return_address;
    void *target;
    uint32_t windows, hidden;
    uint32_t control[2]; // the x87 control word that the callback found
};

// The guard of a thread.
struct cbt_guard {
    uint64_t depth; // bytes of `records` in use
    void *target;   // the callback that the next call goes to
    uint32_t hidden; // whether its result is in memory, so that rax has to be the address that the caller passed
    uint32_t mxcsr;  // what the callback finds in MXCSR; 0: what the caller had
    uint32_t x87;    // what the callback finds in the x87 control word; 0: what the caller had
    uint32_t misaligned; // how often a callback had a misaligned stack
    struct cbt_record records[CBT_DEPTH];
    uint64_t calls;
    char message[512]; // the first violations
};

#endif
#endif
