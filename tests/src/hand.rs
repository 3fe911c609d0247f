//! The callers of `c/hand.c`. Each calls its first argument as a function of the type that is said there.

/// A few values of each kind: `struct cbt_few`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[allow(missing_docs, reason = "placeholders")]
pub struct Few {
    pub a: i32,
    pub b: f64,
    pub c: u64,
    pub d: f32,
    pub e: u16,
    pub f: u16,
    pub g: u16,
}

/// Values that are all different.
pub const FEW: Few = Few { a: -7, b: 2.5, c: 0x0102_0304_0506_0708, d: -0.75, e: 0xfedc, f: 0x1234, g: 0x8001 };

/// 32 bytes: `struct cbt_large`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
#[allow(missing_docs, reason = "placeholders")]
pub struct Large {
    pub words: [u64; 4],
}

macro_rules! callers {
    ($($(#[$meta:meta])* $sysv64:ident, $win64:ident: $name:ident($($parameter:ident: $ty:ty),*) $(-> $result:ty)?;)*) => {
        $(
            unsafe extern "C" {
                fn $sysv64(callback: *const (), $($parameter: $ty),*) $(-> $result)?;
                fn $win64(callback: *const (), $($parameter: $ty),*) $(-> $result)?;
            }

            $(#[$meta])*
            ///
            /// # Safety
            ///
            /// The callback, or what the guard at its address is armed with, is a function of that type, and
            /// `windows` says whether it follows the Windows convention.
            pub unsafe fn $name(windows: bool, callback: *const (), $($parameter: $ty),*) $(-> $result)? {
                // SAFETY: the caller's promise; C reads and writes as many elements as the types say.
                unsafe {
                    if windows { $win64(callback, $($parameter),*) } else { $sysv64(callback, $($parameter),*) }
                }
            }
        )*
    };
}

callers! {
    /// `callback`: 12 words to a word.
    cbt_words_sysv64, cbt_words_win64: words(words: &[u64; 12]) -> u64;
    /// `callback`: `u32`, `f64`, 7 words to a word, which is mixed with the arguments.
    cbt_step_sysv64, cbt_step_win64: step(depth: u32, x: f64, words: &[u64; 7]) -> u64;
    /// `callback`: the fields of `Few` to `f64`.
    cbt_few_double_sysv64, cbt_few_double_win64: few_double(values: &Few) -> f64;
    /// `callback`: the fields of `Few` to a word.
    cbt_few_word_sysv64, cbt_few_word_win64: few_word(values: &Few) -> u64;
    /// `callback`: nothing to `Large`.
    cbt_large_sysv64, cbt_large_win64: large(to: &mut Large);
}
