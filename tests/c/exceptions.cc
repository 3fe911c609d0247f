// Callers of callbacks, in C++: nothing arrives in their `catch` but from callbacks that may be unwound.

#include "callers.h"

#include <cstdio>
#include <stdexcept>

namespace {

void report(const char *what) {
    std::puts(what);
    std::fflush(stdout);
}

struct Local {
    ~Local() { report("destructed"); }
};

template <typename F> int call(F f, int n) {
    try {
        Local local;
        return f(n);
    } catch (...) {
        report("caught");
        return -1;
    }
}

} // namespace

extern "C" {

int cbt_thrower(int n) {
    if (n == 13) throw std::runtime_error("thirteen");
    return n;
}

int cbt_catcher(int (*f)(int), int n) { return call(f, n); }

int cbt_catcher_sysv64(int(CBT_SYSV64 * f)(int), int n) {
    return call([=](int n) { return f(n); }, n);
}

int cbt_catcher_win(int(CBT_WIN64 * f)(int), int n) {
    return call([=](int n) { return f(n); }, n);
}
}
