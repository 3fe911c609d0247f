/* The spy that compiled callers call, with any arguments: hands all registers that may carry one to `observe`, and returns
   with those that `observe` leaves. The offsets are those of `struct cpu` in runtime.c. */

#define INTEGER 0
#define VECTOR 256
#define X87 768
#define X87_COUNT 784
#define POPS 792
#define STACK 800
#define SIZE 816

    .text
    .globl spy
    .balign 16

#if defined(__aarch64__)

    .type spy, %function
spy:
    sub sp, sp, #SIZE
    stp x0, x1, [sp, #INTEGER]
    stp x2, x3, [sp, #INTEGER + 16]
    stp x4, x5, [sp, #INTEGER + 32]
    stp x6, x7, [sp, #INTEGER + 48]
    str x8, [sp, #INTEGER + 64]
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    str q\n, [sp, #VECTOR + 16 * \n]
    .endr
    add x9, sp, #SIZE
    str x9, [sp, #STACK]
    str x30, [sp, #SIZE - 8]
    mov x0, sp
    bl observe
    ldp x0, x1, [sp, #INTEGER]
    .irp n, 0, 1, 2, 3
    ldr q\n, [sp, #VECTOR + 16 * \n]
    .endr
    ldr x30, [sp, #SIZE - 8]
    add sp, sp, #SIZE
    ret

#elif defined(__riscv)

    .type spy, @function
spy:
    addi sp, sp, -SIZE
    .irp n, 10, 11, 12, 13, 14, 15, 16, 17
    sd x\n, INTEGER + 8 * \n(sp)
    fsd f\n, VECTOR + 16 * \n(sp)
    .endr
    addi t0, sp, SIZE
    sd t0, STACK(sp)
    sd ra, SIZE - 8(sp)
    mv a0, sp
    call observe
    ld a0, INTEGER + 80(sp)
    ld a1, INTEGER + 88(sp)
    fld fa0, VECTOR + 160(sp)
    fld fa1, VECTOR + 176(sp)
    ld ra, SIZE - 8(sp)
    addi sp, sp, SIZE
    ret

#elif defined(__arm__)

    .syntax unified
    .arm
    .fpu neon
    .type spy, %function
spy:
    sub sp, sp, #SIZE
    .irp n, 0, 1, 2, 3
    str r\n, [sp, #INTEGER + 8 * \n]
    .endr
    mov r0, #0
    .irp n, 0, 1, 2, 3
    str r0, [sp, #INTEGER + 8 * \n + 4]
    .endr
    str r0, [sp, #STACK + 4]
    add r0, sp, #VECTOR
    vstmia r0, {d0-d7}
    add r0, sp, #SIZE
    str r0, [sp, #STACK]
    str lr, [sp, #SIZE - 8]
    mov r0, sp
    bl observe
    add r0, sp, #VECTOR
    vldmia r0, {d0-d7}
    .irp n, 0, 1, 2, 3
    ldr r\n, [sp, #INTEGER + 8 * \n]
    .endr
    ldr lr, [sp, #SIZE - 8]
    add sp, sp, #SIZE
    bx lr

#elif defined(__i386__)

    .type spy, @function
spy:
    push %ebp
    mov %esp, %ebp
    push %ebx
    sub $(SIZE + 16), %esp
    and $-16, %esp
    mov %eax, INTEGER(%esp)
    mov %ecx, INTEGER + 8(%esp)
    mov %edx, INTEGER + 16(%esp)
    xor %eax, %eax
    mov %eax, INTEGER + 4(%esp)
    mov %eax, INTEGER + 12(%esp)
    mov %eax, INTEGER + 20(%esp)
    mov %eax, STACK + 4(%esp)
    lea 8(%ebp), %eax /* behind the frame pointer and the return address */
    mov %eax, STACK(%esp)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    movups %xmm\n, VECTOR + 16 * \n(%esp)
    .endr
    mov %esp, %ebx
    sub $16, %esp
    mov %ebx, (%esp)
    call observe
    cmpl $0, X87_COUNT(%ebx)
    je 2f
    fldt X87(%ebx)
2:  movups VECTOR(%ebx), %xmm0
    mov INTEGER(%ebx), %eax
    mov INTEGER + 16(%ebx), %edx
    mov POPS(%ebx), %ecx
    mov -4(%ebp), %ebx
    mov %ebp, %esp
    pop %ebp
    /* As `ret` with that operand. */
    add %esp, %ecx
    push (%esp)
    pop (%ecx)
    mov %ecx, %esp
    ret

#endif

    .section .note.GNU-stack, "", %progbits
