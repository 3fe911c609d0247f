"""A panic in a frame with `or` is a value for Python."""

from ctypes import CFUNCTYPE, Structure, c_double, c_int32, c_uint32

from bridge import bridge, end, equal, values


class Point(Structure):
    _fields_ = [("x", c_double), ("id", c_uint32)]


bridge.declare("struct point { double x; uint32_t id; };")

with bridge.panic("int32_t (*)(int32_t, double)", CFUNCTYPE(c_int32, c_int32, c_double), c_int32(-1)) as one:
    for _ in range(3):
        equal(one.call(1, 2), -1)
    equal(one.calls(), 3)

with bridge.panic("struct point (*)(struct point)", CFUNCTYPE(Point, Point), Point(-1.5, 7)) as point:
    equal(values(point.call(Point(1, 2))), [-1.5, 7])
end()
