-- An error that a Lua callback raises unwinds `Signature::call` and the frame, which say so, and is caught in Lua.
local ffi = require "ffi"
local bridge = require "bridge"

bridge.interpreted(function()
  local signature = "double (*)(int32_t, double)"
  local frame
  local callback = ffi.cast(signature, function(n, x)
    if n == 0 then error { found = x } end
    return frame.call(n - 1, x)
  end)
  frame = bridge.forward_unwinding(signature, callback)
  for depth = 0, 20 do
    local calls = frame:calls()
    local ok, raised = pcall(frame.call, depth, 0.5)
    assert(not ok)
    bridge.equal(type(raised) == "table" and raised.found, 0.5, tostring(raised))
    -- Each of the calls was cleaned up.
    bridge.equal(frame:calls() - calls, depth + 1)
  end
  frame:free()
  callback:free()
end)()
