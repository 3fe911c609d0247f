-- An error that leaves a Lua callback below a frame that does not unwind ends the process, also if the frame has a value for C:
-- nobody but Lua catches Lua's errors. `arg[2]` says which frame.
local ffi = require "ffi"
local bridge = require "bridge"

bridge.interpreted(function()
  local signature = "int (*)(int)"
  local callback = ffi.cast(signature, function() error "lost" end)
  local frame = bridge[arg[2]](signature, callback, -1)
  io.stdout:write "before\n"
  io.stdout:flush()
  pcall(frame.call, 1)
  print "after"
end)()
