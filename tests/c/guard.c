// What the guard puts into registers before a callback and after it, and what it compares when the callback has
// returned. See guard.S.

// C99's `printf`, which Windows' own library has not.
#define __USE_MINGW_ANSI_STDIO 1

#include "guard.h"

#include <cpuid.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAME(field, offset) _Static_assert(offsetof(struct cbt_guard, field) == offset, #field)
SAME(rflags, CBT_RFLAGS);
SAME(stack, CBT_STACK);
SAME(next, CBT_NEXT);
SAME(components, CBT_COMPONENTS);
SAME(vectors, CBT_VECTORS);
SAME(misaligned, CBT_MISALIGNED);
SAME(saved, CBT_SAVED);

#ifdef _WIN32
#include <malloc.h>

struct cbt_guard **cbt_guard_place(void);
#define GUARD (**cbt_guard_place())

// Gives the thread a guard if it has none.
static void look_for_guard(void) {
    struct cbt_guard **place = cbt_guard_place();
    if (*place) return;
    if (!(*place = _aligned_malloc(sizeof **place, 64))) abort();
    memset(*place, 0, sizeof **place);
}
#else
#define GUARD cbt_guard
_Alignas(64) _Thread_local struct cbt_guard cbt_guard __attribute__((tls_model("initial-exec")));

static void look_for_guard(void) {
}
#endif

// In `cbt_guard.integers`.
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

// Components of what XSAVE stores.
enum { X87, SSE, AVX, OPMASK = 5, ZMM_HIGH, ZMM_16_TO_31 };

// Where the first two are in `cbt_guard.saved`.
enum { CONTROL = 0, STATUS = 2, TAGS = 4, MXCSR = 24, ST = 32, XMM = 160, HEADER = 512 };

// What registers hold that hold nothing when a callback is called, and when it has returned.
#define BEFORE 0xa5a5a5a5a5a5a500
#define AFTER 0xa5a5a5a5a5a5a5ff

extern void cbt_guard_return(void);

// Where a component is in `cbt_guard.saved`, and how large; null if the CPU or the system has none.
static unsigned char *component(int number, size_t *size) {
    unsigned eax, ebx, ecx, edx;
    if (!(GUARD.components >> number & 1)) return 0;
    __cpuid_count(13, number, eax, ebx, ecx, edx);
    *size = eax;
    if (ebx + eax > CBT_SAVED_SIZE) abort();
    return GUARD.saved + ebx;
}

static void look_at_cpu(void) {
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE)) {
        fputs("the guard needs XSAVE\n", stderr);
        abort();
    }
    __asm__("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    // What belongs together is there together.
    const unsigned avx = 1 << AVX, avx512 = 1 << OPMASK | 1 << ZMM_HIGH | 1 << ZMM_16_TO_31;
    GUARD.components = 1 << X87 | 1 << SSE;
    GUARD.vectors = 16;
    if (eax & avx) {
        GUARD.components |= avx;
        GUARD.vectors = 32;
    }
    if ((eax & avx512) == avx512) {
        GUARD.components |= avx512;
        GUARD.vectors = 64;
    }
}

// Where the next guarded call of this thread goes, and what it finds there. In the environment, 0 stands for what the
// caller had.
void cbt_guard_arm(void *target, const struct cbt_expected *expected, const struct cbt_environment *environment) {
    look_for_guard();
    if (!GUARD.components) look_at_cpu();
    GUARD.target = target;
    GUARD.expected = *expected;
    GUARD.environment = *environment;
}

// What has been found since the last report: the number of calls, of misaligned stacks, and the violations.
uint64_t cbt_guard_report(uint32_t *misaligned, char *message, size_t size) {
    look_for_guard();
    uint64_t calls = GUARD.calls;
    *misaligned = GUARD.misaligned;
    snprintf(message, size, "%s", GUARD.message);
    GUARD.calls = 0;
    GUARD.misaligned = 0;
    GUARD.message[0] = 0;
    return calls;
}

// Fills the vector registers from `first` on, or what there is of them above the low 16 bytes, and the mask registers.
static void fill_vectors(int first, int from_high, uint64_t word) {
    size_t size;
    unsigned char *at, byte = word >> 8;
    if (!from_high) memset(GUARD.saved + XMM + 16 * first, byte, 16 * (16 - first));
    if ((at = component(AVX, &size))) memset(at + 16 * first, byte, size - 16 * first);
    if ((at = component(ZMM_HIGH, &size))) memset(at + 32 * first, byte, size - 32 * first);
    if ((at = component(ZMM_16_TO_31, &size))) memset(at, byte, size);
    if ((at = component(OPMASK, &size))) memset(at, byte, size);
}

// Fills the x87 registers but for the `kept` on top of the stack, and makes all others empty.
static void fill_x87(unsigned kept, uint64_t word) {
    uint16_t status;
    memset(GUARD.saved + ST + 16 * kept, (unsigned char)(word >> 8), 16 * (8 - kept));
    memcpy(&status, GUARD.saved + STATUS, 2);
    unsigned top = status >> 11 & 7;
    // The condition codes belong to nobody.
    status = top << 11 | 0x4700;
    memcpy(GUARD.saved + STATUS, &status, 2);
    unsigned char tags = 0;
    for (unsigned i = 0; i < kept; i++)
        tags |= 1 << (top + i) % 8;
    GUARD.saved[TAGS] = tags;
}

static void set_environment(const struct cbt_environment *environment) {
    memcpy(GUARD.saved + CONTROL, &environment->x87, 2);
    memcpy(GUARD.saved + MXCSR, &environment->mxcsr, 4);
    // Everything is loaded from `saved`, nothing is in its initial state.
    memcpy(GUARD.saved + HEADER, &GUARD.components, 8);
}

static struct cbt_environment environment(void) {
    struct cbt_environment found = {0, 0};
    memcpy(&found.x87, GUARD.saved + CONTROL, 2);
    memcpy(&found.mxcsr, GUARD.saved + MXCSR, 4);
    return found;
}

// What a callback has to preserve of xmm6 to xmm15 on Windows.
static uint64_t vector_pattern(int number, int half) {
    return CBT_PATTERN(16 + 32 * half + number);
}

// Between the caller and the callback.
CBT_SYSV64 void cbt_guard_enter(uint32_t windows) {
    uint64_t *integers = GUARD.integers, *stack = (uint64_t *)integers[RSP];
    if (GUARD.depth == CBT_DEPTH || integers[RSP] % 16 != 8) abort();
    struct cbt_record *call = &GUARD.records[GUARD.depth++];
    memcpy(call->integers, integers, sizeof call->integers);
    memcpy(call->xmm, GUARD.saved + XMM, sizeof call->xmm);
    call->environment = call->given = environment();
    if (GUARD.environment.mxcsr) call->given.mxcsr = GUARD.environment.mxcsr;
    if (GUARD.environment.x87) call->given.x87 = GUARD.environment.x87;
    call->return_address = *stack;
    call->expected = GUARD.expected;
    call->windows = windows;
    *stack = (uint64_t)cbt_guard_return;
    GUARD.stack = integers[RSP];
    GUARD.next = (uint64_t)GUARD.target;

    // al counts vector registers in a variadic call.
    integers[RAX] = (integers[RAX] & 0xff) | BEFORE;
    integers[R11] = BEFORE | 0x11;
    static const int preserved[] = {RBX, RBP, R12, R13, R14, R15, RSI, RDI};
    for (int i = 0; i < (windows ? 8 : 6); i++)
        integers[preserved[i]] = CBT_PATTERN(preserved[i]);
    fill_vectors(windows ? 6 : 8, 0, BEFORE);
    if (!call->expected.wide) fill_vectors(0, 1, BEFORE);
    fill_x87(0, BEFORE);
    if (windows) {
        for (int i = 6; i < 16; i++) {
            uint64_t xmm[2] = {vector_pattern(i, 0), vector_pattern(i, 1)};
            memcpy(GUARD.saved + XMM + 16 * i, xmm, sizeof xmm);
        }
        for (int i = 1; i <= 4; i++)
            stack[i] = 0x4f4d4520464f5254; // the home space
    }
    set_environment(&call->given);
}

__attribute__((format(gnu_printf, 1, 2))) static void violation(const char *format, ...) {
    size_t used = strlen(GUARD.message);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(GUARD.message + used, sizeof GUARD.message - used, format, arguments);
    va_end(arguments);
}

static void preserved(const char *name, uint64_t found, uint64_t expected) {
    if (found != expected)
        violation("%s is %#llx, not %#llx; ", name, (unsigned long long)found, (unsigned long long)expected);
}

static void check(const struct cbt_record *call) {
    const uint64_t *found = GUARD.integers;
    preserved("rbx", found[RBX], CBT_PATTERN(RBX));
    preserved("rbp", found[RBP], CBT_PATTERN(RBP));
    preserved("r12", found[R12], CBT_PATTERN(R12));
    preserved("r13", found[R13], CBT_PATTERN(R13));
    preserved("r14", found[R14], CBT_PATTERN(R14));
    preserved("r15", found[R15], CBT_PATTERN(R15));
    if (call->windows) {
        preserved("rsi", found[RSI], CBT_PATTERN(RSI));
        preserved("rdi", found[RDI], CBT_PATTERN(RDI));
        for (int i = 6; i < 16; i++) {
            uint64_t xmm[2];
            memcpy(xmm, GUARD.saved + XMM + 16 * i, sizeof xmm);
            for (int half = 0; half < 2; half++) {
                char name[16];
                snprintf(name, sizeof name, "xmm%d[%d]", i, half);
                preserved(name, xmm[half], vector_pattern(i, half));
            }
        }
    }
    preserved("rsp", found[RSP], call->integers[RSP] + 8);
    preserved("the direction flag", GUARD.rflags >> 10 & 1, 0);
    struct cbt_environment now = environment();
    // Bits 6 to 15 of MXCSR are control bits, the lower ones status.
    preserved("the control part of MXCSR", now.mxcsr & 0xffc0, call->given.mxcsr & 0xffc0);
    preserved("the x87 control word", now.x87, call->given.x87 & 0xffff);
    if (call->expected.hidden)
        preserved("rax, the address of the result,", found[RAX], call->integers[call->windows ? RCX : RDI]);

    uint16_t status;
    memcpy(&status, GUARD.saved + STATUS, 2);
    unsigned top = status >> 11 & 7, full = GUARD.saved[TAGS];
    // Bit i for st(i).
    full = (full >> top | full << (8 - top)) & 0xff;
    if (full != (1u << call->expected.x87) - 1)
        violation("the x87 stack holds st(i) for the bits %#x, not %u values; ", full, call->expected.x87);
}

// Between the callback and the caller.
CBT_SYSV64 void cbt_guard_leave(void) {
    struct cbt_record *call = &GUARD.records[--GUARD.depth];
    GUARD.calls++;
    check(call);

    uint64_t *integers = GUARD.integers, *stack = (uint64_t *)call->integers[RSP];
    static const int preserved[] = {RBX, RBP, R12, R13, R14, R15, RSI, RDI}, lost[] = {RCX, R8, R9, R11, RSI, RDI};
    for (int i = 0; i < (call->windows ? 4 : 6); i++)
        integers[lost[i]] = AFTER;
    for (int i = 0; i < (call->windows ? 8 : 6); i++)
        integers[preserved[i]] = call->integers[preserved[i]];
    integers[RSP] = (uint64_t)(stack + 1);
    fill_vectors(2, 0, AFTER);
    if (call->windows) {
        memcpy(GUARD.saved + XMM + 16 * 6, call->xmm[6], 16 * 10);
        for (int i = 1; i <= 4; i++)
            stack[i] = AFTER; // the home space
    }
    fill_x87(call->expected.x87, AFTER);
    set_environment(&call->environment);
    GUARD.next = call->return_address;
    GUARD.stack = GUARD.depth ? GUARD.records[GUARD.depth - 1].integers[RSP] : 0;
}
