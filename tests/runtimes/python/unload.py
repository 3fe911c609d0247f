"""The library comes and goes: each time it is loaded anew, used, and unloaded when all frames are dropped."""

import _ctypes
import os
import sys
from ctypes import CFUNCTYPE, c_int

path = sys.argv.pop()
from bridge import Bridge, equal

prototype = CFUNCTYPE(c_int, c_int)
COUNT = 1000


def mapped():
    with open("/proc/self/maps") as maps:
        return os.path.basename(path) in maps.read()


for _ in range(5):
    bridge = Bridge(path)
    assert mapped()
    frames = [bridge.record("int (*)(int)", prototype, c_int(n)) for n in range(COUNT)]
    equal(bridge.library.bridge_live(), COUNT)
    for n, frame in enumerate(frames):
        with frame:
            equal(frame.call(-n), n)
            equal(frame.heard(), str(-n))
    equal(bridge.library.bridge_live(), 0)
    _ctypes.dlclose(bridge.library._handle)
    assert not mapped()
