// Callers written by hand. `callback` is called as the function type that the cast says.

#include "callers.h"

// Twelve words for twelve parameters that may be narrower: what lies above them is whatever the caller has there.
#define WORDS uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t
#define SIX(w) (w)[0], (w)[1], (w)[2], (w)[3], (w)[4], (w)[5]

uint64_t cbt_words_sysv64(function callback, const uint64_t *w) {
    return ((uint64_t(CBT_SYSV64 *)(WORDS, WORDS))callback)(SIX(w), SIX(w + 6));
}

uint64_t cbt_words_win64(function callback, const uint64_t *w) {
    return ((uint64_t(CBT_WIN64 *)(WORDS, WORDS))callback)(SIX(w), SIX(w + 6));
}

// More parameters than there are registers of either kind, so that each entry has arguments on the stack.
#define NINE uint32_t, double, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t

uint64_t cbt_step_sysv64(function callback, uint32_t depth, double x, const uint64_t *w) {
    // Kept in preserved registers and on the stack across the call.
    uint64_t before = w[0] ^ depth, sum = w[6] + 3 * (uint64_t)x;
    return (((uint64_t(CBT_SYSV64 *)(NINE))callback)(depth, x, SIX(w), w[6]) ^ before) + sum;
}

uint64_t cbt_step_win64(function callback, uint32_t depth, double x, const uint64_t *w) {
    uint64_t before = w[0] ^ depth, sum = w[6] + 3 * (uint64_t)x;
    return (((uint64_t(CBT_WIN64 *)(NINE))callback)(depth, x, SIX(w), w[6]) ^ before) + sum;
}

// A few of each kind, in registers and on the stack.
struct cbt_few {
    int32_t a;
    double b;
    uint64_t c;
    float d;
    uint16_t e, f, g;
};
#define FEW int32_t, double, uint64_t, float, uint16_t, uint16_t, uint16_t
#define FEW_OF(v) (v)->a, (v)->b, (v)->c, (v)->d, (v)->e, (v)->f, (v)->g

double cbt_few_double_sysv64(function callback, const struct cbt_few *v) {
    return ((double(CBT_SYSV64 *)(FEW))callback)(FEW_OF(v));
}

double cbt_few_double_win64(function callback, const struct cbt_few *v) {
    return ((double(CBT_WIN64 *)(FEW))callback)(FEW_OF(v));
}

uint64_t cbt_few_word_sysv64(function callback, const struct cbt_few *v) {
    return ((uint64_t(CBT_SYSV64 *)(FEW))callback)(FEW_OF(v));
}

uint64_t cbt_few_word_win64(function callback, const struct cbt_few *v) {
    return ((uint64_t(CBT_WIN64 *)(FEW))callback)(FEW_OF(v));
}

// 32 bytes, in memory in both conventions.
struct cbt_large {
    uint64_t words[4];
};

void cbt_large_sysv64(function callback, struct cbt_large *to) {
    *to = ((struct cbt_large(CBT_SYSV64 *)(void))callback)();
}

void cbt_large_win64(function callback, struct cbt_large *to) {
    *to = ((struct cbt_large(CBT_WIN64 *)(void))callback)();
}
