-- The bridge as LuaJIT sees it; `arg[1]` is the library.
local ffi = require "ffi"

ffi.cdef [[
typedef struct bridge bridge;
const char *bridge_error(void);
bool bridge_declare(const char *text);
bridge *bridge_record(const char *signature, const void *reply, int err);
bridge *bridge_forward(const char *signature, void (*target)(void));
bridge *bridge_forward_unwinding(const char *signature, void (*target)(void));
bridge *bridge_forward_here(const char *signature, void (*target)(void), const void *elsewhere);
bridge *bridge_panic(const char *signature, const void *instead);
bridge *bridge_format(void);
bridge *bridge_sum(void);
void (*bridge_address(bridge *))(void);
const char *bridge_heard(bridge *);
int64_t bridge_calls(bridge *);
int64_t bridge_live(void);
void bridge_free(bridge *);
const char *bridge_call(const char *signature, const char *behind, void (*function)(void), const void *const *arguments, int *err);
int64_t bridge_on_threads(void (*function)(void), int64_t threads, int64_t calls);
]]

local lib = ffi.load(arg[1])
local bridge = { lib = lib }

-- The result and the parameters of a signature's text.
local function parts(signature)
  local result, parameters = signature:match "^(.-)%s*%(%*%)%s*%((.*)%)$"
  local list = {}
  for parameter in parameters:gmatch "[^,]+" do
    parameter = parameter:match "^%s*(.-)%s*$"
    if parameter ~= "void" then list[#list + 1] = parameter end
  end
  return result, list
end

-- A place in memory for a value of type `ct`, with that value.
local function place(ct, value)
  if ct == "void" then return nil end
  local it = ffi.new(ct:sub(-1) == "*" and "const void *[1]" or ct .. "[1]")
  it[0] = value
  return it
end

-- Declares types on both sides.
function bridge.declare(text)
  ffi.cdef(text)
  assert(lib.bridge_declare(text), text)
end

local methods = {}
local class = { __index = methods }

local function wrap(handle, signature)
  if handle == nil then error(ffi.string(lib.bridge_error()), 3) end
  local address = lib.bridge_address(handle)
  return setmetatable({ handle = handle, address = address, call = ffi.cast(signature, address) }, class)
end

function methods:heard() return ffi.string(lib.bridge_heard(self.handle)) end
function methods:calls() return tonumber(lib.bridge_calls(self.handle)) end
function methods:free()
  lib.bridge_free(self.handle)
  self.handle, self.call = nil, nil
end

local function function_pointer(target) return ffi.cast("void (*)(void)", target) end

-- A frame that keeps its arguments as text, and answers.
function bridge.record(signature, reply, errno)
  return wrap(lib.bridge_record(signature, place(parts(signature), reply), errno or 0), signature)
end

-- A frame that calls `target`, a callback of this script, by `Signature::call`.
function bridge.forward(signature, target)
  return wrap(lib.bridge_forward(signature, function_pointer(target)), signature)
end

function bridge.forward_unwinding(signature, target)
  return wrap(lib.bridge_forward_unwinding(signature, function_pointer(target)), signature)
end

function bridge.forward_here(signature, target, elsewhere)
  local reply = place(parts(signature), elsewhere)
  return wrap(lib.bridge_forward_here(signature, function_pointer(target), reply), signature)
end

function bridge.panic(signature, instead)
  return wrap(lib.bridge_panic(signature, place(parts(signature), instead)), signature)
end

function bridge.format() return wrap(lib.bridge_format(), "int (*)(char *, size_t, const char *, ...)") end
function bridge.sum() return wrap(lib.bridge_sum(), "double (*)(const char *, ...)") end

-- `Signature::call` with these values: the result as Rust shows it, and the errno. `behind` lists the types of those behind `...`.
function bridge.call(signature, target, values, behind)
  local _, types = parts(signature)
  if behind then
    assert(table.remove(types) == "...", signature)
    for _, ct in ipairs(behind) do types[#types + 1] = ct end
    behind = table.concat(behind, ", ")
  end
  local places, pointers = {}, ffi.new("const void *[?]", #types + 1)
  for n, ct in ipairs(types) do
    places[n] = place(ct, values[n])
    pointers[n - 1] = places[n]
  end
  local errno = ffi.new("int[1]", -1)
  local text = lib.bridge_call(signature, behind, function_pointer(target), pointers, errno)
  if text == nil then error(ffi.string(lib.bridge_error()), 2) end
  return ffi.string(text), errno[0]
end

function bridge.equal(found, expected, what)
  if found ~= expected then
    error(("%s: found %s, expected %s"):format(what or "a value", tostring(found), tostring(expected)), 2)
  end
end

-- Calls of C functions that call back must not be compiled (LuaJIT's manual, "Callbacks"), so they are made by functions that
-- are not.
function bridge.interpreted(f)
  jit.off(f, true)
  return f
end

return bridge
