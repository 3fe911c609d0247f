-- Structs, unions and complex numbers by value. LuaJIT passes them to functions, and takes them from functions; its callbacks
-- have none.
local ffi = require "ffi"
local bridge = require "bridge"

bridge.declare [[
struct pair { float x; float y; };
struct point { double x; uint32_t id; };
struct triple { double x; double y; double z; };
struct small { uint8_t a; int16_t b; };
struct odd { uint8_t bytes[3]; };
struct nested { struct pair at; int32_t n; uint8_t last; };
struct mixed { int8_t a; float b; double c; };
struct large { int64_t words[9]; struct small tail; };
union either { double x; uint64_t bits; };
]]

local function new(ct, ...) return ffi.new(ct, ...) end

-- signature; arguments, and as Rust shows them; result, and what of it is compared.
local cases = {
  { "struct pair (*)(struct pair)", { new("struct pair", 1.5, -2) }, "pair { x: 1.5, y: -2.0 }", new("struct pair", 3, 0.25),
    function(it) return { it.x, it.y } end, { 3, 0.25 } },
  { "struct point (*)(struct point, int)", { new("struct point", -1.5, 4000000000), 7 },
    "point { x: -1.5, id: 4000000000 }, 7", new("struct point", 0.125, 9), function(it) return { it.x, it.id } end,
    { 0.125, 9 } },
  -- In memory; the address of the result takes the first register.
  { "struct triple (*)(int, struct triple, double)", { 1, new("struct triple", 2, 3, 4), 5 },
    "1, triple { x: 2.0, y: 3.0, z: 4.0 }, 5.0", new("struct triple", 6, 7, 8), function(it) return { it.x, it.y, it.z } end,
    { 6, 7, 8 } },
  { "struct small (*)(struct small)", { new("struct small", 200, -300) }, "small { a: 200, b: -300 }",
    new("struct small", 1, -1), function(it) return { it.a, it.b } end, { 1, -1 } },
  { "struct odd (*)(struct odd, struct odd)", { new("struct odd", { { 1, 2, 3 } }), new("struct odd", { { 4, 5, 6 } }) },
    "odd { bytes: [1, 2, 3] }, odd { bytes: [4, 5, 6] }", new("struct odd", { { 7, 8, 255 } }),
    function(it) return { it.bytes[0], it.bytes[1], it.bytes[2] } end, { 7, 8, 255 } },
  { "struct nested (*)(struct nested)", { new("struct nested", { { 1, 2 }, -3, 4 }) },
    "nested { at: pair { x: 1.0, y: 2.0 }, n: -3, last: 4 }", new("struct nested", { { 5, 6 }, 7, 8 }),
    function(it) return { it.at.x, it.at.y, it.n, it.last } end, { 5, 6, 7, 8 } },
  { "struct mixed (*)(struct mixed)", { new("struct mixed", -5, 0.5, 2) }, "mixed { a: -5, b: 0.5, c: 2.0 }",
    new("struct mixed", 1, 2, 3), function(it) return { it.a, it.b, it.c } end, { 1, 2, 3 } },
  { "struct large (*)(struct large)", { new("struct large", { { 1, 2, 3, 4, 5, 6, 7, 8, -9 }, { 10, 11 } }) },
    "large { words: [1, 2, 3, 4, 5, 6, 7, 8, -9], tail: small { a: 10, b: 11 } }",
    new("struct large", { { 0, 0, 0, 0, 0, 0, 0, 0, 12 }, { 13, -14 } }),
    function(it) return { tonumber(it.words[8]), it.tail.a, it.tail.b } end, { 12, 13, -14 } },
  { "union either (*)(union either)", { new("union either", 1) }, "either { .. }", new("union either", -2),
    function(it) return { it.x, bit.tohex(it.bits) } end, { -2, "c000000000000000" } },
  { "double _Complex (*)(double _Complex)", { new("complex", 1, -2) }, "[1.0, -2.0]", new("complex", 3, 4),
    function(it) return { it.re, it.im } end, { 3, 4 } },
  -- The registers run out in the middle: a struct that does not fit whole goes to the stack, what follows to registers.
  { "double (*)(int, int, int, int, int, struct point, struct nested, struct point, int, double)",
    { 1, 2, 3, 4, 5, new("struct point", 6, 7), new("struct nested", { { 8, 9 }, 10, 11 }), new("struct point", 12, 13), 14, 15 },
    "1, 2, 3, 4, 5, point { x: 6.0, id: 7 }, nested { at: pair { x: 8.0, y: 9.0 }, n: 10, last: 11 }, point { x: 12.0, id: 13 }, 14, 15.0",
    16, function(it) return { it } end, { 16 } },
}

for _, case in ipairs(cases) do
  local signature, arguments, shown, reply, fields, expected = unpack(case)
  local recorder = bridge.record(signature, reply)
  local found = fields(recorder.call(unpack(arguments)))
  bridge.equal(recorder:heard(), shown, signature)
  bridge.equal(#found, #expected, signature)
  for n in ipairs(expected) do bridge.equal(found[n], expected[n], signature) end
  recorder:free()

  -- The same through a second frame, which `Signature::call` calls.
  recorder = bridge.record(signature, reply)
  local forward = bridge.forward(signature, recorder.address)
  found = fields(forward.call(unpack(arguments)))
  bridge.equal(recorder:heard(), shown, signature)
  for n in ipairs(expected) do bridge.equal(found[n], expected[n], signature) end
  forward:free()
  recorder:free()
end

-- LuaJIT refuses callbacks with structs; if that changes, they are to be tested.
assert(not pcall(ffi.cast, "struct pair (*)(void)", function() end))
assert(not pcall(ffi.cast, "void (*)(struct pair)", function() end))
