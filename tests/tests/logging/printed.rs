//! A `printf` that takes each argument by its Rust type, and has C print it alone.

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_longlong, c_void};

use cbframe::{LongDouble, VaList};

/// Prints one value with one directive, which asks for values like it: in an `unsafe` block.
macro_rules! one {
    ($directive:expr, $($value:expr),+) => {{
        let mut text = vec![0_u8; 4096];
        let length = libc::snprintf(text.as_mut_ptr().cast(), text.len(), $directive.as_ptr(), $($value),+);
        text.truncate(length.try_into().unwrap());
        text
    }};
}

/// What C prints, argument by argument.
///
/// # Safety
///
/// The arguments are those that the format asks for.
pub(crate) unsafe fn print(format: *const c_char, mut args: VaList<'_>) -> String {
    // SAFETY: the caller's promise.
    let mut format = unsafe { CStr::from_ptr(format) }.to_bytes();
    let mut out = Vec::new();
    while let Some((&byte, rest)) = format.split_first() {
        format = rest;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut directive = String::from("%");
        let mut modifier = String::new();
        let conversion = loop {
            let byte = format[0];
            format = &format[1..];
            match byte {
                // SAFETY: the caller's promise, here and below.
                b'*' => match (directive.ends_with('.'), unsafe { args.arg::<c_int>() }) {
                    // C17, 7.21.6.1, 5: "A negative precision argument is taken as if the precision were omitted."
                    (true, precision) if precision < 0 => drop(directive.pop()),
                    (_, number) => directive.push_str(&number.to_string()),
                },
                b'h' | b'l' | b'j' | b'z' | b't' | b'L' => modifier.push(char::from(byte)),
                b'-' | b'+' | b' ' | b'#' | b'.' | b'0'..=b'9' => directive.push(char::from(byte)),
                conversion => break conversion,
            }
        };
        let directive = CString::new(format!("{directive}{modifier}{}", char::from(conversion))).unwrap();
        // SAFETY: the caller's promise; and each value is of the type that its directive asks for.
        let text = unsafe {
            match (conversion, modifier.as_str()) {
                (b'%', _) => b"%".to_vec(),
                (b'd' | b'i', "l") => one!(directive, args.arg::<c_long>()),
                (b'd' | b'i', "ll") => one!(directive, args.arg::<c_longlong>()),
                (b'd' | b'i', "j" | "t") => one!(directive, args.arg::<isize>()),
                (b'd' | b'i' | b'o' | b'u' | b'x' | b'X', "z") => one!(directive, args.arg::<usize>()),
                (b'd' | b'i', _) => one!(directive, args.arg::<c_int>()),
                (b'o' | b'u' | b'x' | b'X', "" | "h" | "hh") => one!(directive, args.arg::<u32>()),
                (b'o' | b'u' | b'x' | b'X', _) => one!(directive, args.arg::<u64>()),
                (b'a' | b'A' | b'e' | b'E' | b'f' | b'F' | b'g' | b'G', "L") => {
                    long_double(&directive, args.arg::<LongDouble>())
                }
                (b'a' | b'A' | b'e' | b'E' | b'f' | b'F' | b'g' | b'G', _) => one!(directive, args.arg::<f64>()),
                (b'c', _) => one!(directive, args.arg::<c_int>()),
                (b's', _) => one!(directive, args.arg::<&c_char>() as *const c_char),
                (b'p', _) => one!(directive, args.arg::<*mut c_void>()),
                (other, _) => panic!("no format has the conversion {:?}", char::from(other)),
            }
        };
        out.extend(text);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// rustc passes no `long double`: on the stack, as the last argument, it is what its two words are (psABI, 3.2.3).
fn long_double(directive: &CStr, value: LongDouble) -> Vec<u8> {
    // SAFETY: 16 bytes, of which C wrote the first 10.
    let bytes: [u8; 16] = unsafe { std::mem::transmute(value) };
    let [low, high] = [0, 8].map(|at| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()));
    // The integer registers hold the first six words, three of them those before `...`.
    // SAFETY: the directive asks for one, which is where it looks.
    unsafe { one!(directive, 0_u64, 0_u64, 0_u64, low, high & 0xffff) }
}
