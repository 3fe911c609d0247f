// What the guard puts into registers before a callback and after it, and what it compares when the callback has returned. See
// guard.S.

#include "guard.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAME(field, offset) _Static_assert(offsetof(struct cbt_guard, field) == offset, #field)
SAME(eflags, CBT_EFLAGS);
SAME(stack, CBT_STACK);
SAME(next, CBT_NEXT);
SAME(misaligned, CBT_MISALIGNED);
SAME(saved, CBT_SAVED);

_Alignas(16) _Thread_local struct cbt_guard cbt_guard __attribute__((tls_model("local-exec")));

// In `cbt_guard.integers`.
enum { EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI };

// In `cbt_guard.saved`.
enum { CONTROL = 0, STATUS = 2, TAGS = 4, MXCSR = 24, ST = 32, XMM = 160 };

// What registers hold that hold nothing when a callback is called, and when it has returned.
#define BEFORE 0xa5
#define AFTER 0xa6

extern void cbt_guard_return(void);

// Where the next guarded call of this thread goes, and what it finds there. In the environment, 0 stands for what the caller
// had.
void cbt_guard_arm(void *target, const struct cbt_expected *expected, const struct cbt_environment *environment) {
    cbt_guard.target = target;
    cbt_guard.expected = *expected;
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

// Fills the vector registers from `first` on.
static void fill_vectors(int first, unsigned char byte) {
    memset(cbt_guard.saved + XMM + 16 * first, byte, 16 * (8 - first));
}

// Fills the x87 registers but for the `kept` on top of the stack, and makes all others empty.
static void fill_x87(unsigned kept, unsigned char byte) {
    uint16_t status;
    memset(cbt_guard.saved + ST + 16 * kept, byte, 16 * (8 - kept));
    memcpy(&status, cbt_guard.saved + STATUS, 2);
    unsigned top = status >> 11 & 7;
    // The condition codes belong to nobody.
    status = top << 11 | 0x4700;
    memcpy(cbt_guard.saved + STATUS, &status, 2);
    unsigned char tags = 0;
    for (unsigned i = 0; i < kept; i++)
        tags |= 1 << (top + i) % 8;
    cbt_guard.saved[TAGS] = tags;
}

static void set_environment(const struct cbt_environment *environment) {
    memcpy(cbt_guard.saved + CONTROL, &environment->x87, 2);
    memcpy(cbt_guard.saved + MXCSR, &environment->mxcsr, 4);
}

static struct cbt_environment environment(void) {
    struct cbt_environment found = {0, 0};
    memcpy(&found.x87, cbt_guard.saved + CONTROL, 2);
    memcpy(&found.mxcsr, cbt_guard.saved + MXCSR, 4);
    return found;
}

static const int preserved_registers[] = {EBX, EBP, ESI, EDI};

// Between the caller and the callback.
void cbt_guard_enter(void) {
    uint32_t *integers = cbt_guard.integers, *stack = (uint32_t *)integers[ESP];
    if (cbt_guard.depth == CBT_DEPTH) abort();
    struct cbt_record *call = &cbt_guard.records[cbt_guard.depth++];
    memcpy(call->integers, integers, sizeof call->integers);
    call->environment = call->given = environment();
    if (cbt_guard.environment.mxcsr) call->given.mxcsr = cbt_guard.environment.mxcsr;
    if (cbt_guard.environment.x87) call->given.x87 = cbt_guard.environment.x87;
    call->return_address = stack[0];
    call->expected = cbt_guard.expected;
    switch (call->expected.hidden) {
    case 0: break;
    case 1: call->result = stack[1]; break;
    default: call->result = integers[call->expected.hidden - 2];
    }
    stack[0] = (uint32_t)cbt_guard_return;
    cbt_guard.stack = integers[ESP];
    cbt_guard.next = (uint32_t)cbt_guard.target;

    for (int i = 0; i < 4; i++)
        integers[preserved_registers[i]] = CBT_PATTERN(preserved_registers[i]);
    // xmm0 to xmm2 may carry arguments.
    fill_vectors(3, BEFORE);
    fill_x87(0, BEFORE);
    set_environment(&call->given);
}

__attribute__((format(printf, 1, 2))) static void violation(const char *format, ...) {
    size_t used = strlen(cbt_guard.message);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(cbt_guard.message + used, sizeof cbt_guard.message - used, format, arguments);
    va_end(arguments);
}

static void preserved(const char *name, uint32_t found, uint32_t expected) {
    if (found != expected) violation("%s is %#x, not %#x; ", name, found, expected);
}

static void check(const struct cbt_record *call) {
    static const char *const names[] = {"ebx", "ebp", "esi", "edi"};
    const uint32_t *found = cbt_guard.integers;
    for (int i = 0; i < 4; i++)
        preserved(names[i], found[preserved_registers[i]], CBT_PATTERN(preserved_registers[i]));
    preserved("esp", found[ESP], call->integers[ESP] + 4 + call->expected.pops);
    preserved("the direction flag", cbt_guard.eflags >> 10 & 1, 0);
    struct cbt_environment now = environment();
    // Bits 6 to 15 of MXCSR are control bits, the lower ones status.
    preserved("the control part of MXCSR", now.mxcsr & 0xffc0, call->given.mxcsr & 0xffc0);
    preserved("the x87 control word", now.x87, call->given.x87 & 0xffff);
    if (call->expected.hidden) preserved("eax, the address of the result,", found[EAX], call->result);

    uint16_t status;
    memcpy(&status, cbt_guard.saved + STATUS, 2);
    unsigned top = status >> 11 & 7, full = cbt_guard.saved[TAGS];
    // Bit i for st(i).
    full = (full >> top | full << (8 - top)) & 0xff;
    if (full != (1u << call->expected.x87) - 1)
        violation("the x87 stack holds st(i) for the bits %#x, not %u values; ", full, call->expected.x87);
}

// Between the callback and the caller.
void cbt_guard_leave(void) {
    uint32_t *integers = cbt_guard.integers;
    struct cbt_record *call = &cbt_guard.records[--cbt_guard.depth];
    cbt_guard.calls++;
    check(call);

    for (int i = 0; i < 4; i++)
        integers[preserved_registers[i]] = call->integers[preserved_registers[i]];
    integers[ESP] = call->integers[ESP] + 4 + call->expected.pops;
    // xmm0 may carry a result.
    fill_vectors(1, AFTER);
    fill_x87(call->expected.x87, AFTER);
    set_environment(&call->environment);
    cbt_guard.next = call->return_address;
    cbt_guard.stack = cbt_guard.depth ? cbt_guard.records[cbt_guard.depth - 1].integers[ESP] : 0;
}
