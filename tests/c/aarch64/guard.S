// Stands between a C caller and a callback: the caller calls `cbt_guard_c` as if it were the callback. Arguments are left alone,
// on the stack too: the return address is replaced in its register, and the callback is entered by a jump.
//
//   before   every register is stored; `cbt_guard_enter` chooses what those hold that hold no argument; every register is loaded
//   after    every register is stored; `cbt_guard_leave` checks what the callback has to preserve, and chooses what those hold
//            that the caller must not rely on; every register is loaded
//
// But for x16 and x17, which hold nothing across a call. No unwinding through the guard: there are no frame descriptions.

#include "guard.h"

    .text

.macro begin name
    .globl \name
    .type \name, %function
    .p2align 4
\name:
    bti c
.endm

.macro end name
    .size \name, . - \name
.endm

// x16 = the guard of this thread; changes x17.
.macro load_guard
    adrp x16, :gottprel:cbt_guard
    ldr x16, [x16, :gottprel_lo12:cbt_guard]
    mrs x17, tpidr_el0
    add x16, x16, x17
.endm

.macro each_pair instruction
    .irp n, 0, 2, 4, 6, 8, 10, 12, 14, 18, 20, 22, 24, 26, 28
    pair \instruction, \n
    .endr
.endm

    .altmacro
.macro pair instruction, n
    pair_of \instruction, \n, %(\n + 1)
.endm
.macro pair_of instruction, a, b
    \instruction x\a, x\b, [x16, #8 * \a]
.endm
.macro vectors instruction
    .irp n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
    vector_pair \instruction, \n
    .endr
.endm
.macro vector_pair instruction, n
    vector_pair_of \instruction, \n, %(\n + 1)
.endm
.macro vector_pair_of instruction, a, b
    \instruction q\a, q\b, [x16, #CBT_V + 16 * \a]
.endm

.macro store_all
    load_guard
    each_pair stp
    str x30, [x16, #8 * 30]
    mov x17, sp
    str x17, [x16, #8 * 31]
    vectors stp
    mrs x17, nzcv
    str x17, [x16, #CBT_NZCV]
    mrs x17, fpcr
    str x17, [x16, #CBT_FPCR]
    mrs x17, fpsr
    str x17, [x16, #CBT_FPSR]
    msr fpcr, xzr
.endm

.macro load_all
    load_guard
    ldr x17, [x16, #8 * 31]
    mov sp, x17
    vectors ldp
    ldr x17, [x16, #CBT_FPCR]
    msr fpcr, x17
    ldr x17, [x16, #CBT_FPSR]
    msr fpsr, x17
    ldr x17, [x16, #CBT_NZCV]
    msr nzcv, x17
    each_pair ldp
    ldr x30, [x16, #8 * 30]
    ldr x17, [x16, #CBT_NEXT]
.endm

begin cbt_guard_c
    store_all
    bl cbt_guard_enter
    load_all
    br x17
end cbt_guard_c

// Where callbacks return to.
begin cbt_guard_return
    store_all
    ldr x17, [x16, #CBT_STACK]              // whatever the callback made of it
    mov sp, x17
    bl cbt_guard_leave
    load_all
    ret x17
end cbt_guard_return

// Called by callbacks: overwrites whatever a function may overwrite, and counts misaligned stacks.
begin cbt_trash
    load_guard
    mov x9, sp
    tst x9, #15
    b.eq 1f
    ldr w9, [x16, #CBT_MISALIGNED]
    add w9, w9, #1
    str w9, [x16, #CBT_MISALIGNED]
1:  mov x9, #0x7a7a
    movk x9, #0x7a7a, lsl #16
    movk x9, #0x7a7a, lsl #32
    movk x9, #0x7a7a, lsl #48
    .irp n, 0,1,2,3,4,5,6,7,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    dup v\n\().2d, x9
    .endr
    .irp n, 8,9,10,11,12,13,14,15           // the low halves are preserved
    mov v\n\().d[1], x9
    .endr
    mov x10, #512                           // memory below the stack pointer
1:  sub x11, sp, x10
    str x9, [x11]
    subs x10, x10, #8
    b.ne 1b
    .irp n, 0,1,2,3,4,5,6,7,8,10,11,12,13,14,15,16,17,18
    mov x\n, x9
    .endr
    cmp xzr, x9                             // carry clear, negative, not zero
    ret
end cbt_trash

    .section .note.GNU-stack, "", %progbits
