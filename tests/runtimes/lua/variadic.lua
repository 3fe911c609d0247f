-- `...`: LuaJIT calls variadic frames, and `Signature::call` calls a variadic function.
local ffi = require "ffi"
local bridge = require "bridge"

ffi.cdef "int snprintf(char *, size_t, const char *, ...);"

-- A frame that is `snprintf`, beside libc's.
local format = bridge.format()
local function both(text, ...)
  local ours, theirs = ffi.new "char[256]", ffi.new "char[256]"
  local written = format.call(ours, 256, text, ...)
  bridge.equal(written, ffi.C.snprintf(theirs, 256, text, ...), text)
  bridge.equal(ffi.string(ours), ffi.string(theirs), text)
  return ffi.string(ours)
end
local int = ffi.typeof "int"
bridge.equal(both "nothing", "nothing")
bridge.equal(both("%d|%s|%.2f", int(-5), "text", 1.5), "-5|text|1.50")
bridge.equal(both("%lld %llu %x", -7LL, 0xffffffffffffffffULL, int(255)), "-7 18446744073709551615 ff")
-- Past the registers of both kinds; LuaJIT makes its numbers `double`s.
bridge.equal(both("%g %d %g %d %g %d %g %d %g %d %g %d %g %d %g %d %g %g %s", 1, int(1), 2, int(2), 3, int(3), 4, int(4), 5, int(5),
  6, int(6), 7, int(7), 8, int(8), 9, 10, "end"), "1 1 2 2 3 3 4 4 5 5 6 6 7 7 8 8 9 10 end")
local short = ffi.new "char[4]"
bridge.equal(format.call(short, 4, "%s", "longer"), 6)
bridge.equal(ffi.string(short), "lon")
format:free()

-- One argument after the other.
local sum = bridge.sum()
bridge.equal(sum.call "", 0)
bridge.equal(sum.call("ilds", int(-1), 4294967296LL, 0.5, "four"), 4294967299.5)
bridge.equal(sum.call("dddddddddd", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 55)
bridge.equal(sum.call("iiiiiiiiii", int(1), int(2), int(3), int(4), int(5), int(6), int(7), int(8), int(9), int(10)), 55)
-- LuaJIT passes the addresses of structs there; Python passes structs.
sum:free()

-- A variadic function, called by values.
local buffer = ffi.new "char[64]"
local text = bridge.call("int (*)(char *, size_t, const char *, ...)", ffi.C.snprintf,
  { buffer, 64, "%.3f %s %lld %d", 2.5, "text", -9LL, int(-1) }, { "double", "const char *", "int64_t", "int" })
bridge.equal(text, "16")
bridge.equal(ffi.string(buffer), "2.500 text -9 -1")

-- C passes no `float` there.
local ok, why = pcall(bridge.call, "int (*)(char *, size_t, const char *, ...)", ffi.C.snprintf, { buffer, 64, "%f", 1 }, { "float" })
assert(not ok and why:find("f64", 1, true), why)
