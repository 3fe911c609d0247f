"""Scalars and structs by value, in every direction: Python calls frames, frames and `Signature::call` call Python."""

import ctypes
from ctypes import (
    CFUNCTYPE, Structure, addressof, c_bool, c_char_p, c_double, c_float, c_int, c_int8, c_int16, c_int32,
    c_int64, c_longdouble, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p,
)

from bridge import bridge, end, equal, values

bridge.declare("""
enum colour { RED = 1, GREEN = 2, FAR = 0x90000000 };
struct pair { float x; float y; };
struct point { double x; uint32_t id; };
struct triple { double x; double y; double z; };
struct small { uint8_t a; int16_t b; };
struct odd { uint8_t bytes[3]; };
struct nested { struct pair at; int32_t n; uint8_t last; };
struct mixed { int8_t a; float b; double c; };
struct large { int64_t words[9]; struct small tail; };
""")


def structure(name, **fields):
    return type(name, (Structure,), {"_fields_": list(fields.items())})


Pair = structure("Pair", x=c_float, y=c_float)
Point = structure("Point", x=c_double, id=c_uint32)
Triple = structure("Triple", x=c_double, y=c_double, z=c_double)
Small = structure("Small", a=c_uint8, b=c_int16)
Odd = structure("Odd", bytes=c_uint8 * 3)
Nested = structure("Nested", at=Pair, n=c_int32, last=c_uint8)
Mixed = structure("Mixed", a=c_int8, b=c_float, c=c_double)
Large = structure("Large", words=c_int64 * 9, tail=Small)

here = ctypes.create_string_buffer(b"text")
address = f"{addressof(here):#x}"
ints = [c_int8(-1), c_double(0.5), c_uint16(2), c_float(1.5), c_int32(-3), c_double(2.5), c_int64(-4), c_float(3.5), c_uint8(5),
        c_double(4.5), c_int16(-6), c_float(5.5), c_uint32(7), c_double(6.5), c_uint64(8), c_float(7.5), c_int8(-9), c_double(8.5),
        c_int16(-10), c_float(9.5)]

# signature; arguments, and as Rust shows them; result, and as Rust shows it.
CASES = [
    ("void (*)(void)", [], "", None, "()"),
    ("int8_t (*)(int8_t, uint8_t)", [c_int8(-128), c_uint8(255)], "-128, 255", c_int8(-1), "-1"),
    ("uint8_t (*)(uint8_t, int8_t)", [c_uint8(128), c_int8(127)], "128, 127", c_uint8(255), "255"),
    ("int16_t (*)(int16_t, uint16_t)", [c_int16(-32768), c_uint16(65535)], "-32768, 65535", c_int16(-2), "-2"),
    ("uint16_t (*)(uint16_t)", [c_uint16(32768)], "32768", c_uint16(65534), "65534"),
    ("int32_t (*)(int32_t, uint32_t)", [c_int32(-2**31), c_uint32(2**32 - 1)], "-2147483648, 4294967295", c_int32(-3), "-3"),
    ("uint32_t (*)(uint32_t)", [c_uint32(2**31)], "2147483648", c_uint32(4294967293), "4294967293"),
    ("int64_t (*)(int64_t, uint64_t)", [c_int64(-2**63), c_uint64(2**64 - 1)], "-9223372036854775808, 18446744073709551615",
     c_int64(-4), "-4"),
    ("uint64_t (*)(uint64_t)", [c_uint64(2**63 + 1)], "9223372036854775809", c_uint64(2**64 - 4), "18446744073709551612"),
    ("bool (*)(bool, bool)", [c_bool(True), c_bool(False)], "true, false", c_bool(True), "true"),
    ("bool (*)(int)", [c_int(0)], "0", c_bool(False), "false"),
    ("float (*)(float, double)", [c_float(-0.5), c_double(1e300)], "-0.5, 1e300", c_float(1.25), "1.25"),
    ("double (*)(double, float)", [c_double(0.1), c_float(16777216)], "0.1, 16777216.0", c_double(-2.5), "-2.5"),
    # On the x87 stack.
    ("long double (*)(long double, int)", [c_longdouble(-1.5), c_int(1)], "-1.5, 1", c_longdouble(0.25), "0.25"),
    ("void *(*)(void *, const char *)", [c_void_p(addressof(here)), c_char_p(addressof(here))], f"{address}, {address}",
     c_void_p(addressof(here)), address),
    ("void *(*)(void *)", [c_void_p(None)], "0x0", c_void_p(addressof(here)), address),
    # ctypes has no enums; C's are integers.
    ("enum colour (*)(enum colour, enum colour)", [c_uint32(2), c_uint32(0x90000000)], "2, 2415919104", c_uint32(1), "1"),
    # More arguments than registers: 10 integers and 10 floats, of all sizes.
    ("int64_t (*)(int8_t, double, uint16_t, float, int32_t, double, int64_t, float, uint8_t, double, int16_t, float, "
     "uint32_t, double, uint64_t, float, int8_t, double, int16_t, float)", ints,
     "-1, 0.5, 2, 1.5, -3, 2.5, -4, 3.5, 5, 4.5, -6, 5.5, 7, 6.5, 8, 7.5, -9, 8.5, -10, 9.5", c_int64(-0x123456789abcdef),
     "-81985529216486895"),
    # By value: in registers of one kind, of both, and in memory.
    ("struct pair (*)(struct pair)", [Pair(1.5, -2)], "pair { x: 1.5, y: -2.0 }", Pair(3, 0.25), "pair { x: 3.0, y: 0.25 }"),
    ("struct point (*)(struct point, int)", [Point(-1.5, 4000000000), c_int(7)], "point { x: -1.5, id: 4000000000 }, 7",
     Point(0.125, 9), "point { x: 0.125, id: 9 }"),
    ("struct triple (*)(int, struct triple, double)", [c_int(1), Triple(2, 3, 4), c_double(5)],
     "1, triple { x: 2.0, y: 3.0, z: 4.0 }, 5.0", Triple(6, 7, 8), "triple { x: 6.0, y: 7.0, z: 8.0 }"),
    ("struct small (*)(struct small)", [Small(200, -300)], "small { a: 200, b: -300 }", Small(1, -1), "small { a: 1, b: -1 }"),
    ("struct odd (*)(struct odd, struct odd)", [Odd((1, 2, 3)), Odd((4, 5, 6))],
     "odd { bytes: [1, 2, 3] }, odd { bytes: [4, 5, 6] }", Odd((7, 8, 255)), "odd { bytes: [7, 8, 255] }"),
    ("struct nested (*)(struct nested)", [Nested((1, 2), -3, 4)], "nested { at: pair { x: 1.0, y: 2.0 }, n: -3, last: 4 }",
     Nested((5, 6), 7, 8), "nested { at: pair { x: 5.0, y: 6.0 }, n: 7, last: 8 }"),
    ("struct mixed (*)(struct mixed)", [Mixed(-5, 0.5, 2)], "mixed { a: -5, b: 0.5, c: 2.0 }", Mixed(1, 2, 3),
     "mixed { a: 1, b: 2.0, c: 3.0 }"),
    ("struct large (*)(struct large)", [Large((1, 2, 3, 4, 5, 6, 7, 8, -9), (10, 11))],
     "large { words: [1, 2, 3, 4, 5, 6, 7, 8, -9], tail: small { a: 10, b: 11 } }", Large((12,) * 9, (13, -14)),
     "large { words: [12, 12, 12, 12, 12, 12, 12, 12, 12], tail: small { a: 13, b: -14 } }"),
    # The registers run out in the middle: a struct that does not fit whole goes to the stack, what follows to registers.
    ("double (*)(int, int, int, int, int, struct point, struct nested, struct point, int, double)",
     [*map(c_int, range(1, 6)), Point(6, 7), Nested((8, 9), 10, 11), Point(12, 13), c_int(14), c_double(15)],
     "1, 2, 3, 4, 5, point { x: 6.0, id: 7 }, nested { at: pair { x: 8.0, y: 9.0 }, n: 10, last: 11 }, "
     "point { x: 12.0, id: 13 }, 14, 15.0", c_double(16), "16.0"),
]


def plain(argument):
    """What a callback gets of a ctypes object, but for strings, which ctypes would read: their addresses."""
    return addressof(here) if isinstance(argument, c_char_p) else values(argument)


def test(text, arguments, shown, reply, reply_shown):
    types = [c_void_p if isinstance(argument, c_char_p) else type(argument) for argument in arguments]
    passed = [argument if isinstance(argument, Structure) else plain(argument) for argument in arguments]
    expected = [plain(argument) for argument in arguments]
    prototype = CFUNCTYPE(None if reply is None else type(reply), *types)

    with bridge.record(text, prototype, reply) as frame:
        equal(values(frame.call(*passed)), values(reply), text)
        equal(frame.heard(), shown, text)

    if isinstance(reply, Structure):
        # Returned by a callback of Rust, to `Signature::call` too.
        with bridge.record(text, prototype, reply) as frame:
            equal(bridge.call(text, frame.call, arguments)[0], reply_shown, text)
            with bridge.forward(text, frame.call) as forward:
                equal(values(forward.call(*passed)), values(reply), text)
            equal(frame.heard(), shown, text)
        # ctypes' callbacks return none.
        try:
            prototype(lambda *_: reply)
            assert False, "ctypes returns structs: let it"
        except TypeError:
            pass
        text, reply, reply_shown = "void" + text[text.index(" (*)"):], None, "()"
        prototype = CFUNCTYPE(None, *types)

    found = []

    def answer(*received):
        found.append([values(one) for one in received])
        return values(reply)

    callback = prototype(answer)
    equal(bridge.call(text, callback, arguments)[0], reply_shown, text)
    with bridge.forward(text, callback) as frame:
        equal(values(frame.call(*passed)), values(reply), text)
        equal(frame.calls(), 1, text)
    equal(found, [expected, expected], text)


for case in CASES:
    test(*case)
end()
