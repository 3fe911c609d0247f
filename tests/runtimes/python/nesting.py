"""Python calls a frame, which calls Python, which calls a frame …"""

import ctypes
import random
from ctypes import CFUNCTYPE, POINTER, c_double, c_int, c_int64, c_size_t, c_void_p, cast

from bridge import bridge, end, equal

DEPTH = 60
SIGNATURE = "int64_t (*)(int64_t, double)"
prototype = CFUNCTYPE(c_int64, c_int64, c_double)

# n + (n - 1) + … + 1, each on the stack of the last.
depth = deepest = 0


def down(n, half):
    global depth, deepest
    depth += 1
    deepest = max(deepest, depth)
    equal(half, n / 2)
    below = frame.call(n - 1, half - 0.5) if n else 0
    depth -= 1
    equal(half, n / 2)
    return below + n


callback = prototype(down)
with bridge.forward(SIGNATURE, callback) as frame:
    equal(frame.call(DEPTH, DEPTH / 2), DEPTH * (DEPTH + 1) // 2)
    equal(deepest, DEPTH + 1)
    equal(frame.calls(), DEPTH + 1)

# Frames in a row: each is the target of the next.
callback = prototype(lambda n, half: n + int(half))
row = [bridge.forward(SIGNATURE, callback)]
for _ in range(99):
    row.append(bridge.forward(SIGNATURE, row[-1].call))
equal(row[-1].call(40, 2), 42)
for one in row:
    with one:
        equal(one.calls(), 1)

# libc's qsort with a comparator that asks Python.
compare = CFUNCTYPE(c_int, c_void_p, c_void_p)
asked = 0


def ask(a, b):
    global asked
    asked += 1
    a, b = (cast(pointer, POINTER(c_double))[0] for pointer in (a, b))
    return (a > b) - (a < b)


qsort = ctypes.CDLL(None).qsort
qsort.restype, qsort.argtypes = None, [c_void_p, c_size_t, c_size_t, compare]
draw = random.Random(1)
numbers = [draw.uniform(-1000, 1000) for _ in range(500)]
array = (c_double * len(numbers))(*numbers)
callback = compare(ask)
with bridge.forward("int (*)(const void *, const void *)", callback) as comparator:
    qsort(array, len(array), ctypes.sizeof(c_double), comparator.call)
    assert asked > len(numbers)
    equal(comparator.calls(), asked)
equal(list(array), sorted(numbers))
end()
