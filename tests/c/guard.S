// Stands between a C caller and a callback: the caller calls `cbt_guard_sysv64` or `cbt_guard_win64` as if it were
// the callback. Arguments are left alone, on the stack too: the return address is replaced in place and the callback
// is entered by a jump.
//
//   before   every register that the callback has to preserve gets a pattern; so do rax (but for al, which counts
//            vector registers in a variadic call), r11, and the home space on Windows
//   after    every register is stored, `cbt_guard_check` compares; every register that the caller must not rely
//            on is overwritten, the home space as well
//
// No unwinding through the guard: the replaced return address has no frame description.

#include "guard.h"

    .intel_syntax noprefix
    .text

// r11 = the guard of this thread. Changes the arithmetic flags.
.macro load_guard
    mov r11, qword ptr [rip + cbt_guard@gottpoff]
    add r11, qword ptr fs:0
.endm

// Stores every register but r8 to r11 in the `cbt_registers` at r10 + \at.
.macro store_registers at
    mov [r10 + \at + CBT_RBX], rbx
    mov [r10 + \at + CBT_RBP], rbp
    mov [r10 + \at + CBT_RSI], rsi
    mov [r10 + \at + CBT_RDI], rdi
    mov [r10 + \at + CBT_R12], r12
    mov [r10 + \at + CBT_R13], r13
    mov [r10 + \at + CBT_R14], r14
    mov [r10 + \at + CBT_R15], r15
    mov [r10 + \at + CBT_RSP], rsp
    mov [r10 + \at + CBT_RAX], rax
    mov [r10 + \at + CBT_RDX], rdx
    mov [r10 + \at + CBT_RCX], rcx
    stmxcsr [r10 + \at + CBT_MXCSR]
    fnstcw [r10 + \at + CBT_X87]
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    movaps [r10 + \at + CBT_XMM + 16 * \n], xmm\n
    .endr
.endm

.macro guard name, windows
    .globl \name
    .type \name, @function
    .p2align 4
\name:
    endbr64
    load_guard
    mov r10, [r11 + CBT_G_DEPTH]
    cmp r10, CBT_DEPTH * CBT_RECORD
    jb 1f
    ud2                                     // too deep
1:  add qword ptr [r11 + CBT_G_DEPTH], CBT_RECORD
    lea r10, [r11 + r10 + CBT_G_RECORDS]    // r10 = the record of this call
    store_registers 0
    test spl, 7
    jz 1f
    ud2
1:  pushfq
    pop [r10 + CBT_RFLAGS]

    // rbx to r15 are free from here.
    mov rbx, [rsp]
    mov [r10 + CBT_RETURN], rbx
    lea rbx, [rip + 9f]
    mov [rsp], rbx
    mov rbx, [r11 + CBT_G_TARGET]
    mov [r10 + CBT_TARGET], rbx
    mov dword ptr [r10 + CBT_WINDOWS], \windows
    mov ebx, [r11 + CBT_G_HIDDEN]
    mov [r10 + CBT_HIDDEN], ebx
    cmp dword ptr [r11 + CBT_G_MXCSR], 0
    je 1f
    ldmxcsr [r11 + CBT_G_MXCSR]
1:  cmp dword ptr [r11 + CBT_G_CONTROL], 0
    je 1f
    fldcw [r11 + CBT_G_CONTROL]
1:  stmxcsr [r10 + CBT_CONTROL]
    fnstcw [r10 + CBT_CONTROL + 4]
    movabs rbx, 0xa5a5a5a5a5a5a500
    movzx eax, al
    or rax, rbx
    .if \windows
    .irp n, 6,7,8,9,10,11,12,13,14,15
    movaps xmm\n, [rip + cbt_guard_vectors + 16 * \n]
    .endr
    movabs rbx, 0x4f4d4520464f5254
    mov [rsp + 8], rbx
    mov [rsp + 16], rbx
    mov [rsp + 24], rbx
    mov [rsp + 32], rbx
    movabs rsi, CBT_PATTERN(6)
    movabs rdi, CBT_PATTERN(7)
    .endif
    movabs rbx, CBT_PATTERN(3)
    movabs rbp, CBT_PATTERN(5)
    movabs r12, CBT_PATTERN(12)
    movabs r13, CBT_PATTERN(13)
    movabs r14, CBT_PATTERN(14)
    movabs r15, CBT_PATTERN(15)
    movabs r11, 0xa5a5a5a5a5a5a511
    jmp [r10 + CBT_TARGET]

9:  // The callback has returned. Neither it nor the guard has a frame now: what lies below rsp is not kept.
    load_guard
    mov r10, [r11 + CBT_G_DEPTH]
    sub r10, CBT_RECORD
    mov [r11 + CBT_G_DEPTH], r10
    lea r10, [r11 + r10 + CBT_G_RECORDS]
    store_registers CBT_FOUND
    mov rsp, [r10 + CBT_RSP]                // as at the entry, whatever the callback made of it
    sub rsp, 8
    pushfq
    pop [r10 + CBT_FOUND + CBT_RFLAGS]
    cld
    ldmxcsr [r10 + CBT_MXCSR]
    fldcw [r10 + CBT_X87]
    mov rbx, [r10 + CBT_RETURN]
    mov [rsp + 8], rbx
    mov rbx, r10
    mov rdi, r10
    call cbt_guard_check
    mov r10, rbx
    add rsp, 8

    mov rax, [r10 + CBT_FOUND + CBT_RAX]
    mov rdx, [r10 + CBT_FOUND + CBT_RDX]
    movaps xmm0, [r10 + CBT_FOUND + CBT_XMM]
    movaps xmm1, [r10 + CBT_FOUND + CBT_XMM + 16]
    mov rbx, [r10 + CBT_RBX]
    mov rbp, [r10 + CBT_RBP]
    mov r12, [r10 + CBT_R12]
    mov r13, [r10 + CBT_R13]
    mov r14, [r10 + CBT_R14]
    mov r15, [r10 + CBT_R15]
    movabs r11, 0xa5a5a5a5a5a5a5ff
    .irp n, 2,3,4,5
    movq xmm\n, r11
    .endr
    mov rcx, r11
    mov r8, r11
    mov r9, r11
    .if \windows
    mov rsi, [r10 + CBT_RSI]
    mov rdi, [r10 + CBT_RDI]
    .irp n, 6,7,8,9,10,11,12,13,14,15
    movaps xmm\n, [r10 + CBT_XMM + 16 * \n]
    .endr
    mov [rsp + 8], r11
    mov [rsp + 16], r11
    mov [rsp + 24], r11
    mov [rsp + 32], r11
    .else
    mov rsi, r11
    mov rdi, r11
    .irp n, 6,7,8,9,10,11,12,13,14,15
    movq xmm\n, r11
    .endr
    .endif
    mov r10, r11
    ret
    .size \name, . - \name
.endm

guard cbt_guard_sysv64, 0
guard cbt_guard_win64, 1

// Called by callbacks: overwrites whatever a System V function may overwrite, and counts misaligned stacks.
    .globl cbt_trash
    .type cbt_trash, @function
    .p2align 4
cbt_trash:
    endbr64
    lea rax, [rsp + 8]
    test al, 15
    jz 1f
    load_guard
    inc dword ptr [r11 + CBT_G_MISALIGNED]
1:  movabs rax, 0x7a7a7a7a7a7a7a7a
    .irp register, rcx, rdx, rsi, rdi, r8, r9, r10, r11
    mov \register, rax
    .endr
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    movq xmm\n, rax
    punpcklqdq xmm\n, xmm\n
    .endr
    mov ecx, 64                             // memory below the stack pointer
1:  mov [rsp + 8 * rcx - 520], rax
    dec ecx
    jnz 1b
    .rept 8
    fldz
    .endr
    .rept 8
    fstp st(0)
    .endr
    cmp ecx, 1                              // carry, sign, no zero
    ret
    .size cbt_trash, . - cbt_trash

    .section .rodata
    .p2align 4
    .globl cbt_guard_vectors
cbt_guard_vectors:
    .set number, 0
    .rept 16
    .quad CBT_PATTERN(16 + number), CBT_PATTERN(48 + number)
    .set number, number + 1
    .endr

    .section .note.GNU-stack, "", @progbits
