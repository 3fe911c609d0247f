"""The bridge as ctypes sees it; `sys.argv[1]` is the library.

Signatures are C text for the bridge, and ctypes' types beside it for ctypes, which reads no C.
"""

import ctypes
import sys
from ctypes import POINTER, byref, c_bool, c_char_p, c_int, c_int64, c_void_p, cast


def declare(library, name, restype, *argtypes):
    function = getattr(library, name)
    function.restype, function.argtypes = restype, argtypes


def load(path):
    library = ctypes.CDLL(path)
    declare(library, "bridge_error", c_char_p)
    declare(library, "bridge_declare", c_bool, c_char_p)
    declare(library, "bridge_record", c_void_p, c_char_p, c_void_p, c_int)
    declare(library, "bridge_forward", c_void_p, c_char_p, c_void_p)
    declare(library, "bridge_panic", c_void_p, c_char_p, c_void_p)
    declare(library, "bridge_format", c_void_p)
    declare(library, "bridge_sum", c_void_p)
    declare(library, "bridge_address", c_void_p, c_void_p)
    declare(library, "bridge_heard", c_char_p, c_void_p)
    declare(library, "bridge_calls", c_int64, c_void_p)
    declare(library, "bridge_live", c_int64)
    declare(library, "bridge_free", None, c_void_p)
    declare(library, "bridge_call", c_char_p, c_char_p, c_char_p, c_void_p, POINTER(c_void_p), POINTER(c_int))
    declare(library, "bridge_on_threads", c_int64, c_void_p, c_int64, c_int64)
    return library


class Frame:
    """A frame of the bridge, with its address as a ctypes function."""

    def __init__(self, library, handle, prototype):
        if not handle:
            raise ValueError(library.bridge_error().decode())
        self.library, self.handle = library, handle
        self.address = library.bridge_address(handle)
        self.call = prototype(self.address)

    def heard(self):
        return self.library.bridge_heard(self.handle).decode()

    def calls(self):
        return self.library.bridge_calls(self.handle)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.library.bridge_free(self.handle)
        self.handle = self.call = None


class Bridge:
    def __init__(self, path):
        self.library = load(path)

    def declare(self, text):
        assert self.library.bridge_declare(text.encode()), self.library.bridge_error()

    def record(self, text, prototype, reply=None, errno=0):
        """A frame that keeps its arguments as text, and returns `reply`, a ctypes object."""
        place = None if reply is None else byref(reply)
        return Frame(self.library, self.library.bridge_record(text.encode(), place, errno), prototype)

    def forward(self, text, target, prototype=None):
        """A frame that calls `target`, a callback of this script, by `Signature::call`."""
        handle = self.library.bridge_forward(text.encode(), cast(target, c_void_p))
        return Frame(self.library, handle, prototype or type(target))

    def panic(self, text, prototype, instead):
        return Frame(self.library, self.library.bridge_panic(text.encode(), byref(instead)), prototype)

    def format(self, prototype):
        return Frame(self.library, self.library.bridge_format(), prototype)

    def sum(self, prototype):
        return Frame(self.library, self.library.bridge_sum(), prototype)

    def call(self, text, target, arguments, behind=None):
        """`Signature::call` with ctypes objects: the result as Rust shows it, and the errno.

        `behind` lists the types of those behind `...`.
        """
        places = (c_void_p * (len(arguments) + 1))(*(ctypes.addressof(argument) for argument in arguments))
        errno = c_int(-1)
        shown = self.library.bridge_call(text.encode(), behind, cast(target, c_void_p), places, byref(errno))
        if shown is None:
            raise ValueError(self.library.bridge_error().decode())
        return shown.decode(), errno.value

    def on_threads(self, function, threads, calls):
        return self.library.bridge_on_threads(cast(function, c_void_p), threads, calls)


def equal(found, expected, what="a value"):
    assert found == expected, f"{what}: found {found!r}, expected {expected!r}"


def values(it):
    """What a ctypes object holds, as numbers, strings and lists of them."""
    if isinstance(it, ctypes.Structure):
        return [values(getattr(it, name)) for name, _ in it._fields_]
    if isinstance(it, ctypes.Array):
        return [values(element) for element in it]
    return getattr(it, "value", it)


# ctypes reports an exception that leaves a callback and goes on; here it ends the script.
unraisable = []
sys.unraisablehook = unraisable.append


def end():
    """To be called last."""
    for found in unraisable:
        raise found.exc_value


if len(sys.argv) > 1:
    bridge = Bridge(sys.argv[1])
