//! Calling conventions that rustc does not know, for `abi = …`.
//!
//! Each is what clang 19 makes of it, in whose code the tests call. A callback has the address `FN`, or that of its frame, of
//! the type `unsafe extern "C" fn()`: only code of the convention may call it.
//!
//! ```
//! use cbframe::{cbframe, conventions::Regcall};
//!
//! /// `int __attribute__((regcall)) weigh(void *item, int count, double price)`
//! #[cbframe(abi = Regcall)]
//! fn weigh(#[state] scale: &f64, item: *const u8, count: i32, price: f64) -> i32 {
//!     (scale * price) as i32 * count
//! }
//!
//! assert_eq!(
//!     weigh::LAYOUT.to_string(),
//!     "\
//! Regcall fn(item: pointer, count: i32, price: f64) -> i32
//!   return  i32      4 B  eax
//!   item    pointer  8 B  rax
//!   count   i32      4 B  ecx
//!   price   f64      8 B  xmm0"
//! );
//! ```

use crate::convention;

convention! {
    crate = crate;

    /// clang's `__attribute__((regcall))`, also `__regcall`, on System V x86-64 (version 3, not Windows' register order).
    ///
    /// Integers are in rax, rcx, rdx, rdi, rsi, r8, r9, r12, r13, r14 and r15, floats and 16-byte vectors in xmm0 to xmm15;
    /// xmm8 to xmm15 are preserved. Structs, `__int128`, `long double` and `_Float16` are refused.
    pub struct Regcall {
        ints: [rax, rcx, rdx, rdi, rsi, r8, r9, r12, r13, r14, r15],
        floats: [
            xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15,
        ],
        results: [rax, xmm0],
        preserves: [xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15],
    }

    /// clang's `__attribute__((preserve_most))` on x86-64 Linux: arguments and results as in C, and every general register
    /// but r11 and those of the result preserved. With a result in memory that is all of them, rax too: the address of the
    /// result is not in it.
    pub struct PreserveMost {
        ints: [rdi, rsi, rdx, rcx, r8, r9],
        floats: [xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7],
        results: [rax, rdx, xmm0, xmm1],
        hidden: rdi -> rdi,
        aggregates: Eightbytes,
        preserves: [rax, rcx, rdx, rsi, rdi, r8, r9, r10],
    }

    /// clang's `__attribute__((preserve_all))` on x86-64 Linux: like [`PreserveMost`], and all vector registers are
    /// preserved, whole: also for callers that are compiled for AVX or AVX-512.
    pub struct PreserveAll {
        ints: [rdi, rsi, rdx, rcx, r8, r9],
        floats: [xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7],
        results: [rax, rdx, xmm0, xmm1],
        hidden: rdi -> rdi,
        aggregates: Eightbytes,
        preserves: [
            rax, rcx, rdx, rsi, rdi, r8, r9, r10, xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7, xmm8, xmm9, xmm10, xmm11,
            xmm12, xmm13, xmm14, xmm15,
        ],
        preserves_whole_vectors: true,
    }

    /// `__attribute__((preserve_none))` as clang 19 has it on x86-64 Linux. **Its registers belong to a version of the
    /// compiler**: others have another order.
    ///
    /// Integers of 4 and 8 bytes are in r12, r13, r14, r15, rdi, rsi, rdx, rcx, r8, r9, r11 and rax; floats and results are
    /// where C has them. Integers of 1 and 2 bytes are refused (clang 19 puts them into C's registers, among those), and so
    /// are structs. Callers expect only rbp and rsp to be preserved; what System V preserves is.
    pub struct PreserveNoneClang19 {
        ints: [r12, r13, r14, r15, rdi, rsi, rdx, rcx, r8, r9, r11, rax],
        floats: [xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7],
        narrow_ints: false,
        results: [rax, xmm0],
        preserves: [],
    }

    /// Microsoft's `__vectorcall` on 64-bit Windows, homogeneous vector aggregates included, as clang 19 has it for that
    /// target.
    ///
    /// Not what clang makes of `__attribute__((vectorcall))` when it compiles for Linux, which is something else.
    ///
    /// Integers are in rcx, rdx, r8 and r9, floats and vectors in xmm0 to xmm5, both by position. A struct of up to four
    /// floats, doubles or 16-byte vectors of one type is in the vector registers that no other argument takes; a result of
    /// that kind in xmm0 to xmm3. Other structs are passed as Windows' C does.
    ///
    /// Refused: unions with floats or vectors, `__int128`, `_Complex`, floats that Windows has not, empty structs, and
    /// structs of wider vectors.
    pub struct Vectorcall {
        ints: [rcx, rdx, r8, r9],
        floats: [xmm0, xmm1, xmm2, xmm3, xmm4, xmm5],
        by_position: true,
        results: [rax, xmm0, xmm1, xmm2, xmm3],
        hidden: rcx -> rax,
        aggregates: Vectorcall,
        home: 32,
        preserves: [rsi, rdi, xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15],
    }

    /// Go's ABIInternal on amd64, by "Go internal ABI specification", as Go 1.19 has it. **It is Go's own and may change
    /// with any version.**
    ///
    /// Integers and pointers are in rax, rbx, rcx, rdi, rsi, r8, r9, r10 and r11, floats in xmm0 to xmm14, and so are results.
    /// A struct is taken apart: a `string` is a `#[repr(C)]` struct of a pointer and a length, a slice one of a pointer and two
    /// lengths, and several results are a struct of all of them. What does not fit into the registers that are left is on
    /// the stack. Refused are structs of more than four registers, results on the stack, unions and vectors.
    ///
    /// r14, the current goroutine, and xmm15, which is zero, are as they were on return. rdx, the closure's context, is
    /// not looked at. The stack pointer need not be aligned.
    ///
    /// # Only on a system stack
    ///
    /// A goroutine's stack has a few kilobytes, Go grows it only in code of its own, and it guarantees no more than some
    /// hundred bytes to a function that does not ask. Rust code needs far more than that: called on such a stack, it would
    /// overwrite other memory of the process without a sign. So the caller must have switched to the stack of the thread
    /// (`runtime.systemstack`, or code that runs on g0). On it a callback must not call back into Go, nor wait for a
    /// goroutine. Go's garbage collector does not know of pointers that Rust keeps.
    pub struct GoInternal {
        ints: [rax, rbx, rcx, rdi, rsi, r8, r9, r10, r11],
        floats: [
            xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14,
        ],
        results: [
            rax, rbx, rcx, rdi, rsi, r8, r9, r10, r11, xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7, xmm8, xmm9, xmm10,
            xmm11, xmm12, xmm13, xmm14,
        ],
        aggregates: Fields,
        slot: 1,
        stack_align: 8,
        preserves: [xmm15],
    }
}
