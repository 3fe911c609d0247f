// What the guard puts into registers before a callback and after it, and what it compares when the callback has returned. See
// guard.S.

#include "guard.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAME(field, offset) _Static_assert(offsetof(struct cbt_guard, field) == offset, #field)
SAME(registers.v, CBT_V);
SAME(registers.nzcv, CBT_NZCV);
SAME(registers.fpcr, CBT_FPCR);
SAME(registers.fpsr, CBT_FPSR);
SAME(stack, CBT_STACK);
SAME(next, CBT_NEXT);
SAME(misaligned, CBT_MISALIGNED);

_Alignas(64) _Thread_local struct cbt_guard cbt_guard __attribute__((tls_model("initial-exec")));

// What registers hold that hold nothing when a callback is called, and when it has returned.
#define BEFORE 0xa5a5a5a5a5a5a500
#define AFTER 0xa5a5a5a5a5a5a5ff

extern void cbt_guard_return(void);

// Where the next guarded call of this thread goes, and what it finds there. In the environment, 0 stands for what the caller
// had.
void cbt_guard_arm(void *target, const struct cbt_expected *expected, const struct cbt_environment *environment) {
    (void)expected;
    cbt_guard.target = target;
    cbt_guard.environment = *environment;
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

static void fill(uint64_t *x, int first, int last, uint64_t word) {
    for (int i = first; i <= last; i++)
        x[i] = word;
}

// Between the caller and the callback.
void cbt_guard_enter(void) {
    struct cbt_registers *now = &cbt_guard.registers;
    if (cbt_guard.depth == CBT_DEPTH || now->sp % 16) abort();
    struct cbt_record *call = &cbt_guard.records[cbt_guard.depth++];
    call->caller = *now;
    call->fpcr = cbt_guard.environment.fpcr ? cbt_guard.environment.fpcr : now->fpcr;
    cbt_guard.stack = now->sp;
    cbt_guard.next = (uint64_t)cbt_guard.target;

    // x0 to x7 and v0 to v7 may carry arguments, x8 the address of the result.
    fill(now->x, 9, 18, BEFORE);
    for (int i = 19; i <= 29; i++)
        now->x[i] = CBT_PATTERN(i);
    now->x[30] = (uint64_t)cbt_guard_return;
    for (int i = 8; i < 32; i++) {
        now->v[i][0] = i < 16 ? CBT_PATTERN(32 + i) : BEFORE;
        now->v[i][1] = BEFORE;
    }
    now->nzcv = 0x50000000; // Z and V
    now->fpcr = call->fpcr;
}

__attribute__((format(printf, 1, 2))) static void violation(const char *format, ...) {
    size_t used = strlen(cbt_guard.message);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(cbt_guard.message + used, sizeof cbt_guard.message - used, format, arguments);
    va_end(arguments);
}

static void preserved(const char *name, int number, uint64_t found, uint64_t expected) {
    if (found != expected)
        violation("%s%d is %#llx, not %#llx; ", name, number, (unsigned long long)found, (unsigned long long)expected);
}

// Between the callback and the caller.
void cbt_guard_leave(void) {
    struct cbt_registers *now = &cbt_guard.registers;
    struct cbt_record *call = &cbt_guard.records[--cbt_guard.depth];
    cbt_guard.calls++;
    for (int i = 19; i <= 29; i++)
        preserved("x", i, now->x[i], CBT_PATTERN(i));
    for (int i = 8; i < 16; i++)
        preserved("d", i, now->v[i][0], CBT_PATTERN(32 + i));
    if (now->sp != call->caller.sp)
        violation("sp is %#llx, not %#llx; ", (unsigned long long)now->sp, (unsigned long long)call->caller.sp);
    if (now->fpcr != call->fpcr)
        violation("fpcr is %#llx, not %#llx; ", (unsigned long long)now->fpcr, (unsigned long long)call->fpcr);

    // x0, x1 and v0 to v3 may carry a result.
    fill(now->x, 2, 18, AFTER);
    for (int i = 19; i <= 30; i++)
        now->x[i] = call->caller.x[i];
    now->sp = call->caller.sp;
    for (int i = 4; i < 32; i++) {
        now->v[i][0] = i >= 8 && i < 16 ? call->caller.v[i][0] : AFTER;
        now->v[i][1] = AFTER;
    }
    now->fpcr = call->caller.fpcr;
    now->fpsr = call->caller.fpsr;
    cbt_guard.next = call->caller.x[30];
    cbt_guard.stack = cbt_guard.depth ? cbt_guard.records[cbt_guard.depth - 1].caller.sp : 0;
}
