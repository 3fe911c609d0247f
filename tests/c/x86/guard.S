// Stands between a C caller and a callback: the caller calls `cbt_guard_c` as if it were the callback, in any convention in which
// eax carries no argument. Arguments are left alone, on the stack too: the return address is replaced in place and the callback
// is entered by a jump.
//
//   before   every register is stored; `cbt_guard_enter` chooses what those hold that hold no argument; every register is
//            loaded, but eax
//   after    every register is stored; `cbt_guard_leave` checks what the callback has to preserve, and chooses what those hold
//            that the caller must not rely on; every register is loaded, but ecx
//
// No unwinding through the guard: the replaced return address has no frame description.

#include "guard.h"

    .intel_syntax noprefix
    .text

.macro begin name
    .globl \name
    .type \name, @function
    .p2align 4
\name:
    endbr32
.endm

.macro end name
    .size \name, . - \name
.endm

// The register = the guard of this thread.
.macro load_guard register
    mov \register, dword ptr gs:0
    lea \register, [\register + cbt_guard@ntpoff]
.endm

.macro store_others guard
    mov [\guard + 4 * 2], edx
    mov [\guard + 4 * 3], ebx
    mov [\guard + 4 * 4], esp
    mov [\guard + 4 * 5], ebp
    mov [\guard + 4 * 6], esi
    mov [\guard + 4 * 7], edi
    fxsave [\guard + CBT_SAVED]
.endm

.macro load_others guard
    fxrstor [\guard + CBT_SAVED]
    mov edx, [\guard + 4 * 2]
    mov ebx, [\guard + 4 * 3]
    mov esp, [\guard + 4 * 4]
    mov ebp, [\guard + 4 * 5]
    mov esi, [\guard + 4 * 6]
    mov edi, [\guard + 4 * 7]
.endm

// Calls a C function with an empty x87 stack and the modes that C expects.
.macro call_c guard, function
    pushfd
    pop dword ptr [\guard + CBT_EFLAGS]
    cld
    fninit
    push 0x1f80
    ldmxcsr [esp]
    and esp, -16
    call \function
.endm

begin cbt_guard_c
    load_guard eax
    mov [eax + 4 * 1], ecx
    store_others eax
    call_c eax, cbt_guard_enter
    load_guard eax
    load_others eax
    mov ecx, [eax + 4 * 1]
    jmp dword ptr [eax + CBT_NEXT]
end cbt_guard_c

// Where callbacks return to.
begin cbt_guard_return
    load_guard ecx
    mov [ecx + 4 * 0], eax
    store_others ecx
    mov esp, [ecx + CBT_STACK]              // whatever the callback made of it
    call_c ecx, cbt_guard_leave
    load_guard ecx
    load_others ecx
    mov eax, [ecx + 4 * 0]
    jmp dword ptr [ecx + CBT_NEXT]
end cbt_guard_return

// Called by callbacks: overwrites whatever a function may overwrite, and counts misaligned stacks.
begin cbt_trash
    load_guard ecx
    lea eax, [esp + 4]
    test al, 15
    jz 1f
    inc dword ptr [ecx + CBT_MISALIGNED]
1:  mov eax, 0x7a7a7a7a
    .irp n, 0,1,2,3,4,5,6,7
    movd xmm\n, eax
    pshufd xmm\n, xmm\n, 0
    .endr
    mov ecx, 64                             // memory below the stack pointer
1:  mov [esp + 4 * ecx - 260], eax
    dec ecx
    jnz 1b
    .rept 8
    fldz
    .endr
    .rept 8
    fstp st(0)
    .endr
    cmp ecx, 1                              // carry, sign, no zero
    mov ecx, eax
    mov edx, eax
    ret
end cbt_trash

    .section .note.GNU-stack, "", @progbits
