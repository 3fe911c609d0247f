// The callers. Each loop is one call site through which every target of its signature is called.
//
// `_same` calls one target n times; the arguments do not depend on the results, so calls may overlap in the CPU.
// `_chain` passes each result on to the next call: what counts is how long one takes.
// `_turns` calls one target after the other, each once, in the order of a table.
// The forms with `data` pass user data, as C APIs do that have it; the others are the same but for that.

#include <stdint.h>

struct target {
    void (*function)(void);
    const void *data;
};

// The length of `order` in `_turns`: a power of two.
enum { ORDER = 4096 };

#define LOOPS(name, type, call)                                                                     \
    int64_t name##_same(const struct target *t, int64_t n) {                                        \
        type f = (type)t->function;                                                                 \
        const void *data = t->data;                                                                 \
        int64_t sum = 0;                                                                            \
        (void)data;                                                                                 \
        for (int64_t i = 0; i < n; i++) sum += call(i, n);                                          \
        return sum;                                                                                 \
    }                                                                                               \
    int64_t name##_chain(const struct target *t, int64_t n) {                                       \
        type f = (type)t->function;                                                                 \
        const void *data = t->data;                                                                 \
        int64_t last = 0;                                                                           \
        (void)data;                                                                                 \
        for (int64_t i = 0; i < n; i++) last = call(i, last);                                       \
        return last;                                                                                \
    }                                                                                               \
    int64_t name##_turns(const struct target *targets, const uint8_t *order, int64_t n) {           \
        int64_t sum = 0;                                                                            \
        for (int64_t i = 0; i < n; i++) {                                                           \
            const struct target *t = &targets[order[i % ORDER]];                                    \
            type f = (type)t->function;                                                             \
            const void *data = t->data;                                                             \
            (void)data;                                                                             \
            sum += call(i, n);                                                                      \
        }                                                                                           \
        return sum;                                                                                 \
    }

typedef int64_t (*two)(int64_t, int64_t);
typedef int64_t (*two_data)(int64_t, int64_t, const void *);
typedef int64_t (*eight)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t);
typedef int64_t (*eight_data)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, const void *);

typedef int64_t (*variadic)(int64_t, int64_t, ...);

#define TWO(a, b) f(a, b)
#define TWO_DATA(a, b) f(a, b, data)
#define EIGHT(a, b) f(a, 1, 2, 3, 4, 5, 6, b)
#define EIGHT_DATA(a, b) f(a, 1, 2, 3, 4, 5, 6, b, data)

LOOPS(two, two, TWO)
LOOPS(two_data, two_data, TWO_DATA)
LOOPS(eight, eight, EIGHT)
LOOPS(eight_data, eight_data, EIGHT_DATA)
#define VARIADIC(a, b) f(a, I(1), I(2), I(3), I(4), I(5), I(6), b)
#define I(n) (int64_t){n}
LOOPS(variadic, variadic, VARIADIC)
