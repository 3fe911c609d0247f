"""Threads that Python never saw: ctypes' callbacks make themselves at home on any thread."""

import threading
from ctypes import CFUNCTYPE, c_int64

from bridge import bridge, end, equal

SIGNATURE = "int64_t (*)(int64_t)"
prototype = CFUNCTYPE(c_int64, c_int64)
THREADS, CALLS = 4, 200
SUM = THREADS * sum(2 * n + 1 for n in range(CALLS))

lock, seen = threading.Lock(), {}


def answer(n):
    with lock:
        thread = threading.get_ident()
        seen[thread] = seen.get(thread, 0) + 1
    return 2 * n + 1


callback = prototype(answer)

# Rust threads call Python by `Signature::call`; and they call a frame, which does.
equal(bridge.on_threads(callback, THREADS, CALLS), SUM)
equal(sum(seen.values()), THREADS * CALLS)
assert threading.get_ident() not in seen
seen.clear()
with bridge.forward(SIGNATURE, callback) as frame:
    equal(bridge.on_threads(frame.call, THREADS, CALLS), SUM)
    equal(frame.calls(), THREADS * CALLS)
    equal(sum(seen.values()), THREADS * CALLS)
    assert threading.get_ident() not in seen

    # Python's threads call one frame.
    seen.clear()
    results = []

    def work():
        found = sum(frame.call(n) for n in range(CALLS))
        with lock:
            results.append(found)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(sum(results), SUM)
    equal(frame.calls(), 2 * THREADS * CALLS)
end()
