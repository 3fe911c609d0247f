-- errno, which a frame sets and Lua reads, and the other way round.
local ffi = require "ffi"
local bridge = require "bridge"

local signature = "int (*)(int)"

-- A frame sets it.
local setter = bridge.record(signature, 1, 33)
ffi.errno(5)
bridge.equal(setter.call(0), 1)
bridge.equal(ffi.errno(), 33)
setter:free()

-- A frame leaves it alone.
local quiet = bridge.record(signature, 1)
ffi.errno(71)
bridge.equal(quiet.call(0), 1)
bridge.equal(ffi.errno(), 71)
-- A call that leaves it alone has none of its own, whatever was there before.
ffi.errno(71)
bridge.equal(select(2, bridge.call(signature, quiet.address, { 0 })), 0)
quiet:free()

bridge.interpreted(function()
  -- Lua sets it, and `call_with_errno` has it.
  local callback = ffi.cast(signature, function(n)
    ffi.errno(n)
    return -n
  end)
  local text, errno = bridge.call(signature, callback, { 34 })
  bridge.equal(text, "-34")
  bridge.equal(errno, 34)
  -- That of this call, not of the last.
  ffi.errno(99)
  text, errno = bridge.call(signature, callback, { 0 })
  bridge.equal(text, "0")
  bridge.equal(errno, 0)

  -- Through a frame and back.
  local forward = bridge.forward(signature, callback)
  ffi.errno(0)
  bridge.equal(forward.call(35), -35)
  bridge.equal(ffi.errno(), 35)
  forward:free()
  callback:free()
end)()
