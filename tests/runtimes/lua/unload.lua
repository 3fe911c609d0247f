-- The library comes and goes: each time it is loaded anew, used, and unloaded when all frames are dropped.
local ffi = require "ffi"

local function mapped()
  local maps = assert(io.open "/proc/self/maps")
  local found = maps:read("*a"):find(arg[1]:match "[^/]+$", 1, true)
  maps:close()
  return found
end

local COUNT = 1000

local function use()
  local bridge = dofile "bridge.lua"
  assert(mapped(), "not loaded")
  local frames = {}
  for n = 1, COUNT do frames[n] = bridge.record("int (*)(int)", n) end
  bridge.equal(bridge.lib.bridge_live(), COUNT + 0LL)
  for n = 1, COUNT do assert(frames[n].call(-n) == n and frames[n]:heard() == tostring(-n)) end
  for n = 1, COUNT do frames[n]:free() end
  bridge.equal(bridge.lib.bridge_live(), 0LL)
end

for round = 1, 5 do
  use()
  -- Compiled code keeps what it calls.
  jit.flush()
  -- The second time frees what the first has finalized.
  collectgarbage()
  collectgarbage()
  assert(not mapped(), ("still loaded after round %d"):format(round))
end
