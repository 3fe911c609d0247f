// Stands between a C caller and a callback: the caller calls `cbt_guard_c` as if it were the callback. Arguments are left alone,
// on the stack too: the return address is replaced in its register, and the callback is entered by a jump.
//
//   before   every register is stored; `cbt_guard_enter` chooses what those hold that hold no argument; every register is loaded
//   after    every register is stored; `cbt_guard_leave` checks what the callback has to preserve, and chooses what those hold
//            that the caller must not rely on; every register is loaded
//
// But for t0 and t2, which hold nothing across a call. No unwinding through the guard: there are no frame descriptions.

#include "guard.h"

    .text

.macro begin name
    .globl \name
    .type \name, %function
    .p2align 4
\name:
.endm

.macro end name
    .size \name, . - \name
.endm

// t0 = the guard of this thread.
.macro load_guard
    la.tls.ie t0, cbt_guard
    add t0, t0, tp
.endm

// But for ra, sp, gp, tp, t0 and t2.
.macro general instruction
    .irp n, 6,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    \instruction x\n, 8 * \n(t0)
    .endr
.endm
.macro floating instruction
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    \instruction f\n, CBT_F + 8 * \n(t0)
    .endr
.endm

.macro store_all
    load_guard
    general sd
    sd ra, 8(t0)
    sd sp, 16(t0)
    sd gp, 24(t0)
    sd tp, 32(t0)
    floating fsd
    frcsr t2
    sd t2, CBT_FCSR(t0)
    fscsr zero
.endm

.macro load_all
    load_guard
    floating fld
    ld t2, CBT_FCSR(t0)
    fscsr t2
    general ld
    ld ra, 8(t0)
    ld sp, 16(t0)
    ld t2, CBT_NEXT(t0)
.endm

begin cbt_guard_c
    store_all
    call cbt_guard_enter
    load_all
    jr t2
end cbt_guard_c

// Where callbacks return to.
begin cbt_guard_return
    store_all
    ld sp, CBT_STACK(t0)                    // whatever the callback made of it
    call cbt_guard_leave
    load_all
    jr t2
end cbt_guard_return

// Called by callbacks: overwrites whatever a function may overwrite, and counts misaligned stacks.
begin cbt_trash
    load_guard
    andi t1, sp, 15
    beqz t1, 1f
    lw t1, CBT_MISALIGNED(t0)
    addi t1, t1, 1
    sw t1, CBT_MISALIGNED(t0)
1:  li t0, 0x7a7a7a7a7a7a7a7a
    .irp n, 0,1,2,3,4,5,6,7,10,11,12,13,14,15,16,17,28,29,30,31
    fmv.d.x f\n, t0
    .endr
    addi t1, sp, -512                       // memory below the stack pointer
1:  sd t0, 0(t1)
    addi t1, t1, 8
    bne t1, sp, 1b
    .irp n, 6,7,10,11,12,13,14,15,16,17,28,29,30,31
    mv x\n, t0
    .endr
    fsflagsi 31
    ret
end cbt_trash

    .section .note.GNU-stack, "", %progbits
