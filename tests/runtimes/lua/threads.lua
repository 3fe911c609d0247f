-- Threads that Lua never saw. LuaJIT's callbacks must not be called there, for a Lua state has one thread at a time; so frames that
-- lead to Lua are `local`, and what other threads get is the fallback.
local ffi = require "ffi"
local bridge = require "bridge"

local signature = "int64_t (*)(int64_t)"

bridge.interpreted(function()
  local entered = 0
  local callback = ffi.cast(signature, function(n)
    entered = entered + 1
    return n + 1
  end)
  local here = bridge.forward_here(signature, callback, -7LL)
  bridge.equal(here.call(41), 42LL)
  bridge.equal(entered, 1)
  bridge.equal(bridge.lib.bridge_on_threads(here.address, 4, 2), 4 * 2 * -7LL)
  bridge.equal(entered, 1)
  bridge.equal(here.call(1), 2LL)
  bridge.equal(entered, 2)
  here:free()
  callback:free()
end)()

-- What does not enter Lua may be called from anywhere.
local recorder = bridge.record(signature, 3)
bridge.equal(bridge.lib.bridge_on_threads(recorder.address, 4, 500), 6000LL)
bridge.equal(recorder:calls(), 2000)
bridge.equal(recorder.call(0), 3LL)
recorder:free()
