//! Lua calls `lua_CFunction`s, which get the interpreter's state and nothing of ours, and a hook, which gets no more.
//!
//! Lua reports errors by `longjmp`, which may not pass over frames that have something to drop. So these functions return
//! `nil` and a message, as Lua's own library does, and call nothing that could raise one but for want of memory.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(missing_docs, reason = "tests")]

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_int};
use std::ptr::null_mut;
use std::slice;
use std::sync::Mutex;

use cbframe::cbframe;
use mlua_sys::lua54::*;

/// An interpreter.
struct Lua(*mut lua_State);

impl Lua {
    fn new() -> Self {
        // SAFETY: `luaL_newstate` has no conditions; it returns null if there is no memory.
        let lua = unsafe { luaL_newstate() };
        assert!(!lua.is_null());
        // SAFETY: the interpreter is live.
        unsafe { luaL_openlibs(lua) };
        Self(lua)
    }

    /// Makes a global table with these functions.
    ///
    /// # Safety
    ///
    /// Lua may call the functions as long as it lives.
    unsafe fn library(&self, name: &CStr, functions: &[(&CStr, lua_CFunction)]) {
        let table: Vec<luaL_Reg> =
            functions.iter().map(|&(name, func)| luaL_Reg { name: name.as_ptr(), func }).collect();
        // SAFETY: the interpreter is live and the names are C strings.
        unsafe {
            lua_newtable(self.0);
            for luaL_Reg { name, func } in table {
                lua_pushcfunction(self.0, func);
                lua_setfield(self.0, -2, name);
            }
            lua_setglobal(self.0, name.as_ptr());
        }
    }

    /// What a script returns, as text, or its error.
    fn run(&self, script: &str) -> Result<Vec<String>, String> {
        let script = CString::new(script).unwrap();
        // SAFETY: the interpreter is live; what is called raises errors inside of `lua_pcall` only.
        unsafe {
            let bottom = lua_gettop(self.0);
            let failed =
                luaL_loadstring(self.0, script.as_ptr()) != LUA_OK || lua_pcall(self.0, 0, LUA_MULTRET, 0) != LUA_OK;
            let text = |index| {
                let text = CStr::from_ptr(luaL_tolstring(self.0, index, null_mut()));
                let text = text.to_str().unwrap().to_owned();
                lua_pop(self.0, 1);
                text
            };
            let results: Vec<String> = (bottom + 1..=lua_gettop(self.0)).map(text).collect();
            lua_settop(self.0, bottom);
            if failed { Err(results.concat()) } else { Ok(results) }
        }
    }
}

impl Drop for Lua {
    fn drop(&mut self) {
        // SAFETY: not used again.
        unsafe { lua_close(self.0) };
    }
}

/// What a warehouse has, by name.
type Stock = Mutex<BTreeMap<String, i64>>;

/// The text that is the argument `index`.
///
/// # Safety
///
/// The interpreter is live. The text lives as long as the argument.
unsafe fn text_argument<'a>(lua: *mut lua_State, index: c_int) -> Option<&'a str> {
    // SAFETY: the caller's promise. A string is not converted, so nothing is allocated.
    unsafe {
        if lua_type(lua, index) != LUA_TSTRING {
            return None;
        }
        let mut len = 0;
        let start = lua_tolstring(lua, index, &raw mut len);
        str::from_utf8(slice::from_raw_parts(start.cast(), len)).ok()
    }
}

/// `nil` and a message.
///
/// # Safety
///
/// The interpreter is live.
unsafe fn failure(lua: *mut lua_State, message: &CStr) -> c_int {
    // SAFETY: the caller's promise; a C function may push 20 values.
    unsafe {
        lua_pushnil(lua);
        lua_pushstring(lua, message.as_ptr());
    }
    2
}

/// `amount(name)`: how many there are.
#[cbframe(abi = "C-unwind")]
fn amount(#[state] stock: &Stock, lua: *mut lua_State) -> c_int {
    // SAFETY: Lua passes its state.
    unsafe {
        let Some(name) = text_argument(lua, 1) else { return failure(lua, c"a name is needed") };
        let amount = stock.lock().unwrap().get(name).copied().unwrap_or(0);
        lua_pushinteger(lua, amount);
    }
    1
}

/// `change(name, by)`: how many there are then.
#[cbframe(abi = "C-unwind")]
fn change(#[state] stock: &Stock, lua: *mut lua_State) -> c_int {
    // SAFETY: as above.
    unsafe {
        let mut is_integer = 0;
        let by = lua_tointegerx(lua, 2, &raw mut is_integer);
        let (Some(name), 1) = (text_argument(lua, 1), is_integer) else {
            return failure(lua, c"a name and a whole number are needed");
        };
        let changed = {
            let mut stock = stock.lock().unwrap();
            let amount = stock.entry(name.to_owned()).or_default();
            let changed = amount.checked_add(by).filter(|amount| *amount >= 0);
            *amount = changed.unwrap_or(*amount);
            changed
        };
        match changed {
            Some(amount) => lua_pushinteger(lua, amount),
            None => return failure(lua, c"not so many there"),
        }
    }
    1
}

/// One pair of functions, two warehouses: a script moves things from one to the other.
#[test]
fn functions_with_state() {
    let stocks: [Stock; 2] = [[("apple", 7), ("pear", 2)].as_slice(), &[("apple", 1)]]
        .map(|list| Mutex::new(list.iter().map(|&(name, amount)| (name.to_owned(), amount)).collect()));
    let frames = stocks.each_ref().map(|stock| (amount::bind(stock).unwrap(), change::bind(stock).unwrap()));
    let lua = Lua::new();
    for (name, (amount, change)) in [c"north", c"south"].into_iter().zip(&frames) {
        // SAFETY: the frames live longer than the interpreter.
        unsafe { lua.library(name, &[(c"amount", amount.as_fn()), (c"change", change.as_fn())]) };
    }

    let results = lua.run(
        "local function move(name, count)
             assert(north.change(name, -count))
             assert(south.change(name, count))
         end
         move('apple', 3)
         move('pear', 2)
         local moved, why = pcall(move, 'pear', 1)
         local sum = 0
         for _, name in ipairs { 'apple', 'pear', 'plum' } do
             sum = sum * 100 + 10 * north.amount(name) + south.amount(name)
         end
         return sum, moved, why:match('.*: (.*)'), north.amount(nil), south.change('apple', 0.5)",
    );
    let expected = ["440200", "false", "not so many there", "nil", "nil", "a name and a whole number are needed"];
    assert_eq!(results.unwrap(), expected);

    drop((lua, frames));
    let [north, south] = stocks.map(|stock| Vec::from_iter(stock.into_inner().unwrap()));
    let of = |list: &[(&str, i64)]| list.iter().map(|&(name, amount)| (name.to_owned(), amount)).collect::<Vec<_>>();
    assert_eq!(north, of(&[("apple", 4), ("pear", 0)]));
    assert_eq!(south, of(&[("apple", 4), ("pear", 2)]));
}

/// Raises an error, which leaves the call by `longjmp`, unless it is given a number; counts in any case.
#[cbframe(abi = "C-unwind")]
fn strict(#[state] calls: &mut u32, lua: *mut lua_State) -> c_int {
    *calls += 1;
    // SAFETY: Lua passes its state, and nothing in this frame has a destructor that matters.
    unsafe {
        if lua_type(lua, 1) != LUA_TNUMBER {
            lua_pushstring(lua, c"no number".as_ptr());
            lua_error(lua);
        }
        lua_pushinteger(lua, i64::from(*calls));
    }
    1
}

/// A call that `lua_error` has left holds its `&mut` state no longer, however deep in the stack it was.
#[test]
fn errors_leave_calls() {
    let mut calls = 0;
    let frame = strict::bind(&mut calls).unwrap();
    let lua = Lua::new();
    // SAFETY: the frame lives longer than the interpreter.
    unsafe { lua.library(c"strict", &[(c"count", frame.as_fn())]) };
    let results = lua.run(
        "local function deep(n, x)
             if n == 0 then return strict.count(x) end
             local ok, result = pcall(deep, n - 1, x)
             if not ok then error(result, 0) end
             return result
         end
         local failed = 0
         for i = 1, 5 do
             local ok, why = pcall(strict.count, 'text')
             failed = failed + (ok and 0 or 1)
             ok, why = pcall(deep, 20, {})
             failed = failed + (ok and 0 or 1)
         end
         return failed, strict.count(1)",
    );
    assert_eq!(results.unwrap(), ["10", "11"]);
    drop((lua, frame));
    assert_eq!(calls, 11);
}

/// How often each line ran.
#[cbframe(abi = "C-unwind")]
fn on_line(#[state] lines: &mut BTreeMap<c_int, u32>, _lua: *mut lua_State, activity: &lua_Debug) {
    *lines.entry(activity.currentline).or_default() += 1;
}

/// A hook with a state: the coverage of a script.
#[test]
fn coverage_by_a_hook() {
    let lua = Lua::new();
    let mut lines = BTreeMap::new();
    let frame = on_line::bind(&mut lines).unwrap();
    let script = "local evens, odds = 0, 0
for i = 1, 7 do
    if i % 2 == 0 then
        evens = evens + 1
    else
        odds = odds + 1
    end
end
if odds < evens then
    error 'never'
end
return evens, odds";
    // SAFETY: the hook is removed before the frame is dropped.
    let results = unsafe {
        lua_sethook(lua.0, frame.as_fn_of(), LUA_MASKLINE, 0);
        let results = lua.run(script);
        lua_sethook(lua.0, None, 0, 0);
        results
    };
    drop(frame);
    assert_eq!(results.unwrap(), ["3", "4"]);
    assert_eq!(
        [3, 4, 6, 9, 10, 12].map(|line| lines.get(&line)),
        [Some(&7), Some(&3), Some(&4), Some(&1), None, Some(&1)]
    );
}
