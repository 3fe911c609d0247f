// Calls what the static library exports, and a pointer that it gives.
#include <stdint.h>

typedef int32_t callback(int32_t);

extern int32_t linkage_add(int32_t, int32_t);
extern uint64_t linkage_rdi(int64_t);
extern callback *linkage_bind(int32_t);
extern int32_t linkage_run(void);

int main(void) {
    if (linkage_add(2, 3) != 5)
        return 1;
    if (linkage_rdi(-7) != (uint64_t)-7)
        return 2;
    callback *first = linkage_bind(40), *second = linkage_bind(50);
    if (first(2) != 42 || second(2) != 52)
        return 3;
    return linkage_run() ? 4 : 0;
}
