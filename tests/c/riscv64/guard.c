// What the guard puts into registers before a callback and after it, and what it compares when the callback has returned. See
// guard.S.

#include "guard.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAME(field, offset) _Static_assert(offsetof(struct cbt_guard, field) == offset, #field)
SAME(registers.f, CBT_F);
SAME(registers.fcsr, CBT_FCSR);
SAME(stack, CBT_STACK);
SAME(next, CBT_NEXT);
SAME(misaligned, CBT_MISALIGNED);

_Alignas(64) _Thread_local struct cbt_guard cbt_guard __attribute__((tls_model("initial-exec")));

// What registers hold that hold nothing when a callback is called, and when it has returned.
#define BEFORE 0xa5a5a5a5a5a5a500
#define AFTER 0xa5a5a5a5a5a5a5ff

#define MODE 0xe0 // the rounding mode in fcsr

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

// s0 to s11 and fs0 to fs11.
static int is_preserved(int i) { return i == 8 || i == 9 || (i >= 18 && i <= 27); }

// Between the caller and the callback.
void cbt_guard_enter(void) {
    struct cbt_registers *now = &cbt_guard.registers;
    if (cbt_guard.depth == CBT_DEPTH || now->x[2] % 16) abort();
    struct cbt_record *call = &cbt_guard.records[cbt_guard.depth++];
    call->caller = *now;
    call->mode = (cbt_guard.environment.fcsr ? cbt_guard.environment.fcsr : now->fcsr) & MODE;
    cbt_guard.stack = now->x[2];
    cbt_guard.next = (uint64_t)cbt_guard.target;

    // a0 to a7 and fa0 to fa7 may carry arguments.
    fill(now->x, 6, 6, BEFORE);
    fill(now->x, 28, 31, BEFORE);
    fill(now->f, 0, 7, BEFORE);
    fill(now->f, 28, 31, BEFORE);
    for (int i = 0; i < 32; i++)
        if (is_preserved(i)) {
            now->x[i] = CBT_PATTERN(i);
            now->f[i] = CBT_PATTERN(32 + i);
        }
    now->x[1] = (uint64_t)cbt_guard_return;
    now->fcsr = (now->fcsr & ~(uint64_t)MODE) | call->mode;
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
    for (int i = 0; i < 32; i++)
        if (is_preserved(i)) {
            preserved("x", i, now->x[i], CBT_PATTERN(i));
            preserved("f", i, now->f[i], CBT_PATTERN(32 + i));
        }
    for (int i = 2; i <= 4; i++)
        preserved("x", i, now->x[i], call->caller.x[i]);
    if ((now->fcsr & MODE) != call->mode)
        violation("mode is %#llx, not %#llx; ", (unsigned long long)(now->fcsr & MODE), (unsigned long long)call->mode);

    // a0, a1, fa0 and fa1 may carry a result.
    fill(now->x, 6, 6, AFTER);
    fill(now->x, 12, 17, AFTER);
    fill(now->x, 28, 31, AFTER);
    fill(now->f, 0, 7, AFTER);
    fill(now->f, 12, 17, AFTER);
    fill(now->f, 28, 31, AFTER);
    now->x[1] = call->caller.x[1];
    now->x[2] = call->caller.x[2];
    for (int i = 0; i < 32; i++)
        if (is_preserved(i)) {
            now->x[i] = call->caller.x[i];
            now->f[i] = call->caller.f[i];
        }
    now->fcsr = call->caller.fcsr;
    cbt_guard.next = call->caller.x[1];
    cbt_guard.stack = cbt_guard.depth ? cbt_guard.records[cbt_guard.depth - 1].caller.x[2] : 0;
}
