-- A panic in a frame with `or` is a value for Lua.
local ffi = require "ffi"
local bridge = require "bridge"

bridge.declare "struct point { double x; uint32_t id; };"

local one = bridge.panic("int32_t (*)(int32_t, double)", -1)
for _ = 1, 3 do bridge.equal(one.call(1, 2), -1) end
bridge.equal(one:calls(), 3)
one:free()

local point = bridge.panic("struct point (*)(struct point)", ffi.new("struct point", -1.5, 7))
local found = point.call(ffi.new("struct point", 1, 2))
bridge.equal(found.x, -1.5)
bridge.equal(found.id, 7)
point:free()
