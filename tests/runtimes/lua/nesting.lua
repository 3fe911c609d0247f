-- Lua calls a frame, which calls Lua, which calls a frame …
local ffi = require "ffi"
local bridge = require "bridge"

ffi.cdef "void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));"

local DEPTH = 60

bridge.interpreted(function()
  -- n + (n - 1) + … + 1, each on the stack of the last; on the way back the arguments are still what they were.
  local signature = "int64_t (*)(int64_t, double)"
  local frame
  local deepest, depth = 0, 0
  local callback = ffi.cast(signature, function(n, half)
    depth = depth + 1
    deepest = math.max(deepest, depth)
    bridge.equal(tonumber(n) / 2, half)
    local below = n == 0 and 0 or frame.call(n - 1, half - 0.5)
    depth = depth - 1
    bridge.equal(tonumber(n) / 2, half)
    return below + n
  end)
  frame = bridge.forward(signature, callback)
  bridge.equal(frame.call(DEPTH, DEPTH / 2), DEPTH * (DEPTH + 1LL) / 2)
  bridge.equal(deepest, DEPTH + 1)
  bridge.equal(frame:calls(), DEPTH + 1)
  frame:free()
  callback:free()

  -- Frames in a row: each is the target of the next.
  callback = ffi.cast(signature, function(n, half) return n + half end)
  local row = { bridge.forward(signature, callback) }
  for n = 2, 100 do row[n] = bridge.forward(signature, row[n - 1].address) end
  bridge.equal(row[100].call(40, 2), 42LL)
  for n, one in ipairs(row) do
    bridge.equal(one:calls(), 1, n)
    one:free()
  end
  callback:free()

  -- libc's qsort with a comparator that asks Lua.
  local compare = "int (*)(const void *, const void *)"
  local asked = 0
  local ask = ffi.cast(compare, function(a, b)
    asked = asked + 1
    a, b = ffi.cast("const double *", a)[0], ffi.cast("const double *", b)[0]
    return a < b and -1 or a > b and 1 or 0
  end)
  local comparator = bridge.forward(compare, ask)
  local count = 500
  local numbers, sorted = ffi.new("double[?]", count), {}
  local random = 12345
  for n = 0, count - 1 do
    random = (random * 1103515245 + 12345) % 2147483648
    numbers[n] = random / 1000 - 1000
    sorted[n + 1] = numbers[n]
  end
  table.sort(sorted)
  ffi.C.qsort(numbers, count, ffi.sizeof "double", comparator.call)
  for n = 1, count do bridge.equal(numbers[n - 1], sorted[n], n) end
  assert(asked > count, asked)
  bridge.equal(comparator:calls(), asked)
  comparator:free()
  ask:free()
end)()
