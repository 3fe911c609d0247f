"""errno, which a frame sets and Python reads, and the other way round.

ctypes keeps a copy of errno, which it exchanges with C's around calls and callbacks that say `use_errno`.
"""

from ctypes import CFUNCTYPE, c_int, get_errno, set_errno

from bridge import bridge, end, equal

SIGNATURE = "int (*)(int)"
prototype = CFUNCTYPE(c_int, c_int, use_errno=True)

# A frame sets it.
with bridge.record(SIGNATURE, prototype, c_int(1), errno=33) as setter:
    set_errno(5)
    equal(setter.call(0), 1)
    equal(get_errno(), 33)

# A frame leaves it alone.
with bridge.record(SIGNATURE, prototype, c_int(1)) as quiet:
    set_errno(71)
    equal(quiet.call(0), 1)
    equal(get_errno(), 71)

# Python sets it, and `call_with_errno` has it.
def answer(n):
    set_errno(n)
    return -n


callback = prototype(answer)
equal(bridge.call(SIGNATURE, callback, [c_int(34)]), ("-34", 34))
# That of this call, not of the last.
set_errno(99)
equal(bridge.call(SIGNATURE, callback, [c_int(0)]), ("0", 0))

# Through a frame and back.
with bridge.forward(SIGNATURE, callback) as forward:
    set_errno(0)
    equal(forward.call(35), -35)
    equal(get_errno(), 35)
end()
