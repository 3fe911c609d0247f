"""`...`: ctypes calls variadic frames, and `Signature::call` calls a variadic function."""

import ctypes
from ctypes import CFUNCTYPE, Structure, c_char_p, c_double, c_float, c_int, c_int64, c_longlong, c_size_t, c_uint, c_void_p

from bridge import bridge, end, equal


class Pair(Structure):
    _fields_ = [("x", c_float), ("y", c_float)]


class Triple(Structure):
    _fields_ = [("x", c_double), ("y", c_double), ("z", c_double)]


libc = ctypes.CDLL(None)
libc.snprintf.argtypes = [c_void_p, c_size_t, c_char_p]

# ctypes passes what is behind the declared arguments as what it is.
with bridge.format(CFUNCTYPE(c_int, c_void_p, c_size_t, c_char_p)) as snprintf:

    def both(text, *arguments):
        ours, theirs = ctypes.create_string_buffer(256), ctypes.create_string_buffer(256)
        equal(snprintf.call(ours, 256, text, *arguments), libc.snprintf(theirs, 256, text, *arguments), text)
        equal(ours.value, theirs.value, text)
        return ours.value

    equal(both(b"nothing"), b"nothing")
    equal(both(b"%d|%s|%.2f", -5, b"text", c_double(1.5)), b"-5|text|1.50")
    equal(both(b"%lld %x", c_longlong(-7), c_uint(255)), b"-7 ff")
    numbers = [one for n in range(1, 10) for one in (c_double(n), c_int(n))]
    equal(both(b"%g %d " * 9 + b"%s", *numbers, b"end"), b"1 1 2 2 3 3 4 4 5 5 6 6 7 7 8 8 9 9 end")
    short = ctypes.create_string_buffer(b"????????")
    equal(snprintf.call(short, 4, b"%s", b"longer"), 6)
    equal(short.raw, b"lon\0????\0")

with bridge.sum(CFUNCTYPE(c_double, c_char_p)) as total:
    equal(total.call(b""), 0)
    equal(total.call(b"ilds", -1, c_longlong(2**32), c_double(0.5), b"four"), 2**32 + 3.5)
    equal(total.call(b"d" * 10, *map(c_double, range(1, 11))), 55)
    equal(total.call(b"i" * 10, *range(1, 11)), 55)
    # Structs by value, in registers and in memory, and behind the last register.
    equal(total.call(b"ptd", Pair(1, 2), Triple(3, 4, 5), c_double(6)), 21)
    equal(total.call(b"p" * 10 + b"ti", *[Pair(n, n / 2) for n in range(10)], Triple(1, 2, 3), 4), 77.5)

# A variadic function, called by values.
buffer = ctypes.create_string_buffer(64)
arguments = [c_void_p(ctypes.addressof(buffer)), c_size_t(64), c_char_p(b"%.3f %s %lld %d"), c_double(2.5), c_char_p(b"text"),
             c_int64(-9), c_int(-1)]
SNPRINTF = "int (*)(char *, size_t, const char *, ...)"
shown, _ = bridge.call(SNPRINTF, libc.snprintf, arguments, b"double, const char *, int64_t, int")
equal(shown, "16")
equal(buffer.value, b"2.500 text -9 -1")

# C passes no `float` there.
try:
    bridge.call(SNPRINTF, libc.snprintf, [*arguments[:3], c_float(1)], b"float")
    assert False, "a float was passed"
except ValueError as error:
    assert "f64" in str(error), error
end()
