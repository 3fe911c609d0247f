// Stands between a C caller and a callback: the caller calls `cbt_guard_sysv64` or `cbt_guard_win64` as if it were
// the callback. Arguments are left alone, on the stack too: the return address is replaced in place and the callback
// is entered by a jump.
//
//   before   every register is stored; `cbt_guard_enter` chooses what those hold that hold no argument; every
//            register is loaded
//   after    every register is stored; `cbt_guard_leave` checks what the callback has to preserve, and chooses what
//            those hold that the caller must not rely on; every register is loaded
//
// No unwinding through the guard: the replaced return address has no frame description.
//
// The C functions that it calls follow System V on every system.

#include "guard.h"

    .intel_syntax noprefix
    .text

#ifdef _WIN32

.macro begin name
    .p2align 4
\name:
.endm

.macro end name
.endm

// The register = where the address of the thread's guard is kept: in its own copy of a section, which is found through the
// block of the thread. Changes the arithmetic flags.
.macro load_place register, low
    mov \low, dword ptr [rip + _tls_index]
    shl \register, 3
    add \register, qword ptr gs:[0x58]
    mov \register, [\register]
    add \register, qword ptr [rip + place_offset]
.endm

// The register = the guard of this thread; 0 if it has none. Changes the arithmetic flags.
.macro load_guard register=r11, low=r11d
    load_place \register, \low
    mov \register, [\register]
.endm

    .section .tls$, "dw"
    .balign 8
place:
    .quad 0
    .section .rdata, "dr"
    .balign 8
place_offset:
    .secrel32 place
    .long 0
    .text

    .globl cbt_guard_place
begin cbt_guard_place
    load_place rax, eax
    ret
end cbt_guard_place

#else

.macro begin name
    .type \name, @function
    .p2align 4
\name:
.endm

.macro end name
    .size \name, . - \name
.endm

// The register = the guard of this thread. Changes the arithmetic flags.
.macro load_guard register=r11, low=r11d
    mov \register, qword ptr [rip + cbt_guard@gottpoff]
    add \register, qword ptr fs:0
.endm

#endif

// Stores each register but r10 and r11, which are no argument, no result, and preserved by no convention.
.macro store_integers
    mov [r11 + 8 * 0], rax
    mov [r11 + 8 * 1], rcx
    mov [r11 + 8 * 2], rdx
    mov [r11 + 8 * 3], rbx
    mov [r11 + 8 * 4], rsp
    mov [r11 + 8 * 5], rbp
    mov [r11 + 8 * 6], rsi
    mov [r11 + 8 * 7], rdi
    mov [r11 + 8 * 8], r8
    mov [r11 + 8 * 9], r9
    mov [r11 + 8 * 12], r12
    mov [r11 + 8 * 13], r13
    mov [r11 + 8 * 14], r14
    mov [r11 + 8 * 15], r15
.endm

.macro load_components
    mov eax, [r11 + CBT_COMPONENTS]
    mov edx, [r11 + CBT_COMPONENTS + 4]
.endm

// Stores the remaining registers, and calls the function in rbx with an empty x87 stack, as C wants it. Then loads every
// register and goes where the function said.
begin pass_through
    load_components
    xsave64 [r11 + CBT_SAVED]
    pushfq
    pop qword ptr [r11 + CBT_RFLAGS]
    cld
    fninit
    push 0x1f80
    ldmxcsr [rsp]
    and rsp, -16
    call rbx
    load_guard
    load_components
    xrstor64 [r11 + CBT_SAVED]
    mov rax, [r11 + 8 * 0]
    mov rcx, [r11 + 8 * 1]
    mov rdx, [r11 + 8 * 2]
    mov rbx, [r11 + 8 * 3]
    mov rsp, [r11 + 8 * 4]
    mov rbp, [r11 + 8 * 5]
    mov rsi, [r11 + 8 * 6]
    mov rdi, [r11 + 8 * 7]
    mov r8, [r11 + 8 * 8]
    mov r9, [r11 + 8 * 9]
    mov r12, [r11 + 8 * 12]
    mov r13, [r11 + 8 * 13]
    mov r14, [r11 + 8 * 14]
    mov r15, [r11 + 8 * 15]
    mov r11, [r11 + 8 * 11]
    load_guard r10, r10d
    jmp qword ptr [r10 + CBT_NEXT]
end pass_through

.macro guard name, windows
    .globl \name
begin \name
    endbr64
    load_guard
    store_integers
    mov edi, \windows
    lea rbx, [rip + cbt_guard_enter]
    jmp pass_through
end \name
.endm

guard cbt_guard_sysv64, 0
guard cbt_guard_win64, 1

// Where callbacks return to.
    .globl cbt_guard_return
begin cbt_guard_return
    load_guard
    store_integers
    mov rsp, [r11 + CBT_STACK]              // whatever the callback made of it
    lea rbx, [rip + cbt_guard_leave]
    jmp pass_through
end cbt_guard_return

// Called by callbacks: overwrites whatever a System V function may overwrite, and counts misaligned stacks.
    .globl cbt_trash
begin cbt_trash
    endbr64
    load_guard
    xor edx, edx
    test r11, r11
    jz 2f
    lea rax, [rsp + 8]
    test al, 15
    jz 1f
    inc dword ptr [r11 + CBT_MISALIGNED]
1:  mov edx, [r11 + CBT_VECTORS]
2:  movabs rax, 0x7a7a7a7a7a7a7a7a
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    movq xmm\n, rax
    punpcklqdq xmm\n, xmm\n
    .endr
    cmp edx, 32
    jb 1f
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    vinsertf128 ymm\n, ymm\n, xmm\n, 1
    .endr
    cmp edx, 64
    jb 1f
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    vpbroadcastq zmm\n, rax
    .endr
    .irp n, 0,1,2,3,4,5,6,7
    kmovw k\n, eax
    .endr
1:  .irp register, rcx, rdx, rsi, rdi, r8, r9, r10, r11
    mov \register, rax
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
end cbt_trash

#ifdef __ELF__
    .section .note.GNU-stack, "", @progbits
#endif
