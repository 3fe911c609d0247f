// What the guard compares when a callback has returned. See guard.S.

#include "guard.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define SAME(type, field, offset) _Static_assert(offsetof(struct type, field) == offset, #field)
SAME(cbt_registers, rsp, CBT_RSP);
SAME(cbt_registers, rcx, CBT_RCX);
SAME(cbt_registers, x87, CBT_X87);
SAME(cbt_registers, xmm, CBT_XMM);
SAME(cbt_record, found, CBT_FOUND);
SAME(cbt_record, return_address, CBT_RETURN);
SAME(cbt_record, target, CBT_TARGET);
SAME(cbt_record, windows, CBT_WINDOWS);
SAME(cbt_record, hidden, CBT_HIDDEN);
SAME(cbt_record, control, CBT_CONTROL);
SAME(cbt_guard, target, CBT_G_TARGET);
SAME(cbt_guard, hidden, CBT_G_HIDDEN);
SAME(cbt_guard, mxcsr, CBT_G_MXCSR);
SAME(cbt_guard, x87, CBT_G_CONTROL);
SAME(cbt_guard, misaligned, CBT_G_MISALIGNED);
SAME(cbt_guard, records, CBT_G_RECORDS);
_Static_assert(sizeof(struct cbt_registers) == CBT_REGISTERS, "registers");
_Static_assert(sizeof(struct cbt_record) == CBT_RECORD && CBT_RECORD % 16 == 0, "record");

_Alignas(64) _Thread_local struct cbt_guard cbt_guard __attribute__((tls_model("initial-exec")));

extern const uint64_t cbt_guard_vectors[16][2];

// Where the next guarded call of this thread goes, and what it finds there.
void cbt_guard_arm(void *target, uint32_t hidden, uint32_t mxcsr, uint32_t x87) {
    cbt_guard.target = target;
    cbt_guard.hidden = hidden;
    cbt_guard.mxcsr = mxcsr;
    cbt_guard.x87 = x87;
}

// What has been found since the last report: the number of calls, of misaligned stacks, and the violations.
uint64_t cbt_guard_report(uint32_t *misaligned, char *message, size_t size) {
    uint64_t calls = cbt_guard.calls;
    *misaligned = cbt_guard.misaligned;
    snprintf(message, size, "%s", cbt_guard.message);
    cbt_guard.calls = 0;
    cbt_guard.misaligned = 0;
    cbt_guard.message[0] = 0;
    return calls;
}

__attribute__((format(printf, 1, 2))) static void violation(const char *format, ...) {
    size_t used = strlen(cbt_guard.message);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(cbt_guard.message + used, sizeof cbt_guard.message - used, format, arguments);
    va_end(arguments);
}

static void preserved(const char *name, uint64_t found, uint64_t expected) {
    if (found != expected)
        violation("%s is %#llx, not %#llx; ", name, (unsigned long long)found, (unsigned long long)expected);
}

void cbt_guard_check(struct cbt_record *call) {
    const struct cbt_registers *found = &call->found, *real = &call->real;
    cbt_guard.calls++;
    preserved("rbx", found->rbx, CBT_PATTERN(3));
    preserved("rbp", found->rbp, CBT_PATTERN(5));
    preserved("r12", found->r12, CBT_PATTERN(12));
    preserved("r13", found->r13, CBT_PATTERN(13));
    preserved("r14", found->r14, CBT_PATTERN(14));
    preserved("r15", found->r15, CBT_PATTERN(15));
    if (call->windows) {
        preserved("rsi", found->rsi, CBT_PATTERN(6));
        preserved("rdi", found->rdi, CBT_PATTERN(7));
        for (int i = 6; i < 16; i++) {
            char name[16];
            for (int half = 0; half < 2; half++) {
                snprintf(name, sizeof name, "xmm%d[%d]", i, half);
                preserved(name, found->xmm[i][half], cbt_guard_vectors[i][half]);
            }
        }
    }
    preserved("rsp", found->rsp, real->rsp + 8);
    preserved("the direction flag", found->rflags >> 10 & 1, 0);
    // Bits 6 to 15 of MXCSR are control bits, the lower ones status.
    preserved("the control part of MXCSR", found->mxcsr & 0xffc0, call->control[0] & 0xffc0);
    preserved("the x87 control word", found->x87 & 0xffff, call->control[1] & 0xffff);
    if (call->hidden) preserved("rax, the address of the result,", found->rax, call->windows ? real->rcx : real->rdi);
}
