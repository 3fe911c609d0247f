// The same through `dlopen`.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>

typedef int32_t callback(int32_t);

int main(int argc, char **argv) {
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    int32_t (*add)(int32_t, int32_t) = dlsym(library, "linkage_add");
    uint64_t (*rdi)(int64_t) = dlsym(library, "linkage_rdi");
    callback *(*bind)(int32_t) = dlsym(library, "linkage_bind");
    int32_t (*run)(void) = dlsym(library, "linkage_run");
    if (!add || !rdi || !bind || !run)
        return 2;
    if (add(2, 3) != 5 || rdi(-7) != (uint64_t)-7 || bind(40)(2) != 42)
        return 3;
    return run() ? 4 : 0;
}
