-- Scalars of every kind, in every direction: Lua calls frames, frames and `Signature::call` call Lua.
local ffi = require "ffi"
local bridge = require "bridge"

bridge.declare "enum colour { RED = 1, GREEN = 2, FAR = 0x90000000 };"

local here = ffi.new "char[4]"
local address = ("0x%x"):format(tonumber(ffi.cast("uintptr_t", here)))
local text = ffi.cast("const char *", here)

-- signature; arguments, and as Rust shows them; result, and as Rust shows it.
local cases = {
  { "void (*)(void)", {}, "", nil, "()" },
  { "int8_t (*)(int8_t, uint8_t)", { -128, 255 }, "-128, 255", -1, "-1" },
  { "uint8_t (*)(uint8_t, int8_t)", { 128, 127 }, "128, 127", 255, "255" },
  { "int16_t (*)(int16_t, uint16_t)", { -32768, 65535 }, "-32768, 65535", -2, "-2" },
  { "uint16_t (*)(uint16_t)", { 32768 }, "32768", 65534, "65534" },
  { "int32_t (*)(int32_t, uint32_t)", { -2147483648, 4294967295 }, "-2147483648, 4294967295", -3, "-3" },
  { "uint32_t (*)(uint32_t)", { 2147483648 }, "2147483648", 4294967293, "4294967293" },
  { "int64_t (*)(int64_t, uint64_t)", { -0x7fffffffffffffffLL - 1, 0xffffffffffffffffULL },
    "-9223372036854775808, 18446744073709551615", -4LL, "-4" },
  { "uint64_t (*)(uint64_t)", { 0x8000000000000001ULL }, "9223372036854775809", 0xfffffffffffffffcULL,
    "18446744073709551612" },
  { "bool (*)(bool, bool)", { true, false }, "true, false", true, "true" },
  { "bool (*)(int)", { 0 }, "0", false, "false" },
  { "float (*)(float, double)", { -0.5, 1e300 }, "-0.5, 1e300", 1.25, "1.25" },
  { "double (*)(double, float)", { 0.1, 16777216 }, "0.1, 16777216.0", -2.5, "-2.5" },
  { "const char *(*)(void *, const char *)", { here, text }, address .. ", " .. address, text, address },
  { "void *(*)(void *)", { nil }, "0x0", here, address },
  { "enum colour (*)(enum colour, enum colour)", { ffi.new("enum colour", "GREEN"), ffi.new("enum colour", "FAR") },
    "2, 2415919104", ffi.new("enum colour", "RED"), "1" },
  -- More arguments than registers, of all sizes; LuaJIT's callbacks have up to 16.
  { "int64_t (*)(int8_t, double, uint16_t, int32_t, int64_t, uint8_t, int16_t, float, uint32_t, uint64_t, int8_t, int16_t)",
    { -1, 0.5, 2, -3, -4LL, 5, -6, 1.5, 7, 8ULL, -9, -10 }, "-1, 0.5, 2, -3, -4, 5, -6, 1.5, 7, 8, -9, -10",
    -0x123456789abcdefLL, "-81985529216486895" },
  { "double (*)(float, double, float, double, float, double, float, double, float, double, float, int8_t)",
    { 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, -11 },
    "0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, -11", 12, "12.0" },
  { "int (*)(int, double, int, double, int, double, int, double, int, double, int, double, int, double, int, double, int, " ..
    "double, int, double)", { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 },
    "1, 2.0, 3, 4.0, 5, 6.0, 7, 8.0, 9, 10.0, 11, 12.0, 13, 14.0, 15, 16.0, 17, 18.0, 19, 20.0", 21, "21" },
}

-- For LuaJIT a null pointer is not `nil`, though it is equal.
local function check(found, expected, what)
  if expected == nil then return assert(found == nil, what) end
  if ffi.istype("enum colour", expected) then found, expected = tonumber(found), tonumber(expected) end
  bridge.equal(found, expected, what)
end

bridge.interpreted(function()
  for _, case in ipairs(cases) do
    local signature, arguments, shown, reply, reply_shown = case[1], case[2], case[3], case[4], case[5]
    local count = select(2, signature:gsub(",", "")) + (shown == "" and 0 or 1)

    local recorder = bridge.record(signature, reply)
    check(recorder.call(unpack(arguments, 1, count)), reply, signature)
    bridge.equal(recorder:heard(), shown, signature)
    recorder:free()

    if count <= 16 then
      local found = {}
      local callback = ffi.cast(signature, function(...)
        found = { n = select("#", ...), ... }
        return reply
      end)
      local function check_arguments()
        bridge.equal(found.n, count, signature)
        for n = 1, count do check(found[n], arguments[n], ("%s, argument %d"):format(signature, n)) end
        found = {}
      end
      bridge.equal(bridge.call(signature, callback, arguments), reply_shown, signature)
      check_arguments()

      local forward = bridge.forward(signature, callback)
      check(forward.call(unpack(arguments, 1, count)), reply, signature)
      check_arguments()
      bridge.equal(forward:calls(), 1, signature)
      forward:free()
      callback:free()
    end
  end
end)()

-- A frame that compiled Lua code calls.
local recorder = bridge.record("int32_t (*)(int32_t, double)", 7)
local call, sum = recorder.call, 0
local function compiled()
  local count = 0
  while require("jit.util").traceinfo(count + 1) do count = count + 1 end
  return count
end
local before = compiled()
for n = 1, 2000 do sum = sum + call(n, n + 0.5) end
bridge.equal(sum, 14000)
bridge.equal(recorder:calls(), 2000)
bridge.equal(recorder:heard(), "2000, 2000.5")
if jit.status() then assert(compiled() > before, "the loop was not compiled") end
recorder:free()

-- What is no signature is an error, with its reason.
local ok, why = pcall(bridge.record, "int (*)(struct nowhere)", 0)
assert(not ok and why:find("nowhere", 1, true), why)
