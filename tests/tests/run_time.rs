//! Types and signatures that are put together while the program runs. Where the fields of the fixed types lie, gcc, clang and
//! rustc have said when they compiled them; `call` compares every signature that it tests with one from here.
#![allow(missing_docs, reason = "tests")]

use cbframe::abi::CallingConvention;
use cbframe::abi::{
    Abi, Architecture, Layout, Parts, Place, Placement, Placing, Pointer, Refusal, Register, Signature, SignatureError,
    Target,
};
use cbframe::conventions::Regcall;
use cbframe::types::{Alignment, Field, Kind, Type};
use cbframe_tests::again;
use cbframe_tests::types::KNOWN;

/// Compares what counts, fields of fields included. Arrays have names of their own here.
fn assert_same(found: &Type, expected: &Type) {
    assert_eq!((found.size, found.align), (expected.size, expected.align), "{found:#?}\n{expected:#?}");
    match (found.kind, expected.kind) {
        (Kind::Struct { fields: a }, Kind::Struct { fields: b })
        | (Kind::Union { fields: a }, Kind::Union { fields: b }) => {
            assert_eq!(a.len(), b.len());
            for (a, b) in a.iter().zip(b) {
                assert_eq!((a.name, a.offset), (b.name, b.offset), "{found:#?}\n{expected:#?}");
                assert_same(&a.ty, &b.ty);
            }
        }
        (Kind::Array { element: a, len: m }, Kind::Array { element: b, len: n }) => {
            assert_eq!(m, n);
            assert_same(a, b);
        }
        (a, b) => assert_eq!(a, b),
    }
}

#[test]
fn types_are_laid_out_as_the_compilers_do() {
    let made = KNOWN.iter().filter(|ty| matches!(ty.kind, Kind::Struct { .. } | Kind::Union { .. })).count();
    assert!(made > 100, "{made}");
    for expected in &KNOWN {
        let found = again::ty(expected);
        found.check();
        assert_same(&found, expected);
    }
}

/// `sizeof`, `_Alignof` and `offsetof` are those of gcc and clang.
#[test]
fn packed_and_aligned() {
    let both = |packed, at_least| Alignment { packed: Some(packed), at_least: Some(at_least) };
    let offsets = |ty: Type| {
        ty.check();
        let (Kind::Struct { fields } | Kind::Union { fields }) = ty.kind else { unreachable!() };
        (ty.size, ty.align, fields.iter().map(|field| field.offset).collect::<Vec<_>>())
    };
    // `struct __attribute__((packed, aligned(2)))`
    let one = Type::structure_with("A", &[("a", Type::I8), ("b", Type::F32)], both(1, 2)).unwrap();
    assert_eq!(offsets(one), (6, 2, vec![0, 1]));
    // `#pragma pack(2)`, `struct __attribute__((aligned(8)))`
    let fields = [("a", Type::I8), ("b", Type::F64), ("c", Type::I8)];
    let two = Type::structure_with("B", &fields, both(2, 8)).unwrap();
    assert_eq!(offsets(two), (16, 8, vec![0, 2, 10]));
    // `union __attribute__((packed, aligned(4)))`
    let members = [("a", Type::array(Type::I8, 5).unwrap()), ("b", Type::F64)];
    assert_eq!(offsets(Type::union_of("U", &members, both(1, 4)).unwrap()), (8, 4, vec![0, 0]));
    // What C cannot make of these fields is refused as before.
    let Kind::Struct { fields } = two.kind else { unreachable!() };
    let odd = |offset: usize| if offset == 0 { 0 } else { offset + 3 };
    let moved = Box::leak(fields.iter().map(|field| Field { offset: odd(field.offset), ..*field }).collect());
    let odd = Type { kind: Kind::Struct { fields: moved }, ..two };
    std::panic::catch_unwind(|| odd.check()).unwrap_err();
}

#[test]
fn equal_types_are_kept_once() {
    let name = String::from("Once");
    let make = || Type::structure(&name, &[("a", Type::I32), ("b", Type::F64)]).unwrap();
    let (one, other) = (make(), make());
    let (Kind::Struct { fields: a }, Kind::Struct { fields: b }) = (one.kind, other.kind) else { unreachable!() };
    assert!(std::ptr::eq(a, b) && std::ptr::eq(one.name, other.name));
    let threads: Vec<_> = (0..8)
        .map(|i| {
            std::thread::spawn(move || {
                (0..200)
                    .map(|n| Type::structure(&format!("T{}", n % 50), &[("a", Type::I32)]).unwrap().size + i - i)
                    .sum::<usize>()
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 800);
    }
}

#[test]
fn what_is_no_type() {
    let error = |made: Result<Type, cbframe::types::TypeError>| made.unwrap_err().to_string();
    assert_eq!(
        error(Type::structure("S", &[("a", Type::VOID)])),
        "the field `a` has the type `()`, of which C has no objects"
    );
    assert_eq!(error(Type::array(Type::VOID, 3)), "an array's element has the type `()`, of which C has no objects");
    assert_eq!(error(Type::array(Type::I64, usize::MAX / 8)), "the type is larger than memory can be");
    let half = Type::array(Type::U8, usize::MAX / 5).unwrap();
    assert_eq!(error(Type::structure("S", &[("a", half), ("b", half)])), "the type is larger than memory can be");
    let packed = Alignment { packed: Some(3), at_least: None };
    assert_eq!(
        error(Type::structure_with("S", &[("a", Type::I32)], packed)),
        "an alignment of 3 bytes: it is a power of two up to 2^28"
    );
    assert_eq!(error(Type::vector(12)), "a vector of 12 bytes: there are those of 8, 16, 32 and 64");
    assert_eq!(
        error(Type::complex(Type::I32)),
        "a complex number of `i32`: there are those of float, double and long double"
    );
}

#[test]
fn what_is_no_signature() {
    let array = Type::array(Type::I32, 2).unwrap();
    let point = Type::structure("Point", &[("x", Type::F64)]).unwrap();
    let regcall = Abi::Named(Regcall::CONVENTION);
    for (signature, parameter, expected) in [
        (
            Signature::new(Abi::SysV64).named("a", Type::I32).named("b", Type::VOID),
            Some(1),
            "parameter #1, `b`, has the type `()`: C has no values of it",
        ),
        (
            Signature::new(Abi::Win64).param(array),
            Some(0),
            "parameter #0 has the type `[i32; 2]`: C passes a pointer to its first element: write that, or put the array in a struct",
        ),
        (
            Signature::new(Abi::SysV64).ret(array),
            None,
            "the result has the type `[i32; 2]`: C passes a pointer to its first element: write that, or put the array in a struct",
        ),
        (
            Signature::new(Abi::SysV64).param(Type::F32).dots().param(Type::F32),
            Some(1),
            "parameter #1 has the type `f32`: C passes `f64` in its stead behind `...`",
        ),
        (
            Signature::new(Abi::SysV64).dots().named("c", Type::BOOL),
            Some(0),
            "parameter #0, `c`, has the type `bool`: C passes `c_int` in its stead behind `...`",
        ),
        (Signature::new(regcall).param(Type::I32).dots(), None, "`Regcall` has no variadic functions"),
        (Signature::new(Abi::Custom).param(Type::I32), None, "`custom` has no rule for where arguments lie"),
        (
            Signature::new(regcall).named("at", point),
            Some(0),
            "parameter #0, `at`, has the type `Point`: `Regcall` has no place for what is no scalar of one register: pass its address on both sides",
        ),
    ] {
        let error: SignatureError = signature.build().unwrap_err();
        assert_eq!((error.to_string().as_str(), error.parameter()), (expected, parameter));
    }
}

/// gcc 12 and clang 19 call `f(1, 2.0)` of `int f(int, ...)` with ecx = 1 and the double in both xmm1 and rdx.
#[test]
fn behind_dots_a_float_is_in_an_integer_register_on_windows() {
    let signature = Signature::new(Abi::Win64).param(Type::I32).dots().param(Type::F64).ret(Type::I32).build().unwrap();
    assert_eq!(signature.before_dots(), Some(1));
    let layout: Layout<'_> = signature.layout();
    assert!(layout.is_variadic() && matches!(layout.parameters()[1].place, Place::Registers(_)));
    assert_eq!(layout.parameters()[1].place.on(Architecture::X86_64).to_string(), "rdx");
}

/// psABI 3.5.7.
#[test]
fn behind_dots_a_wide_vector_is_in_memory() {
    let vector = Type::vector(32).unwrap();
    let place = |named: bool| {
        let start = Signature::new(Abi::SysV64).param(Type::F64);
        let start = if named { start } else { start.dots() };
        start.param(vector).build().unwrap().layout().parameters()[1].place.on(Architecture::X86_64).to_string()
    };
    assert_eq!(place(true), "ymm1");
    assert_eq!(place(false), "stack, [rsp+8] at entry");
}

/// Signatures of other architectures can be looked at, but nothing can be called with them, nor be a callback.
#[test]
fn conventions_of_other_architectures() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use cbframe::{DynFrame, VaList};

    for target in Target::ALL.into_iter().filter(|target| target.architecture() != Architecture::X86_64) {
        for &abi in target.abis() {
            let signature = Signature::new(abi).param(Type::I32).build().unwrap();
            assert!(signature.to_string().starts_with(abi.name()), "{signature}");
            let refused = |what: &dyn Fn()| {
                let payload = catch_unwind(AssertUnwindSafe(what)).expect_err("foreign");
                let message = payload.downcast_ref::<String>().expect("a message");
                let expected =
                    format!("`{abi}` is a convention of {}, which no function has on this target", abi.architecture());
                assert!(message.contains(&expected), "{message}");
            };
            refused(&|| drop(DynFrame::new(&signature, |_| ())));
            // SAFETY: refused before anything is called or read.
            refused(&|| drop(unsafe { signature.call(std::ptr::dangling(), &[1.into()]) }));
            // SAFETY: as above.
            refused(&|| _ = unsafe { VaList::from_raw_of(abi, std::ptr::null_mut()) });
        }
    }
}

/// What an algorithm that places values may not do.
#[test]
fn what_is_no_placement() {
    /// Places for two parameters and the result.
    struct Fixed([Place; 3]);

    // SAFETY: nobody calls anything by these places.
    unsafe impl Placement for Fixed {
        fn place(&self, values: &mut Placing<'_>) -> Result<(), Refusal> {
            values.put(0, self.0[0]);
            values.put(1, self.0[1]);
            values.put_result(self.0[2]);
            Ok(())
        }
    }

    let build = |places| Signature::custom().param(Type::I64).param(Type::I64).ret(Type::I64).build_by(&Fixed(places));
    let integer = |number| Place::Registers(Parts::whole(Register::Integer(number), 8));
    let hidden = |offset| Place::Hidden { arrives: Pointer::Stack(offset), leaves: None };
    let by_stack = |offset| Place::Reference(Pointer::Stack(offset));
    let size = |places| build(places).unwrap().layout().stack_size();
    assert_eq!(size([integer(0), Place::Stack(12), hidden(0)]), 24);
    assert_eq!(size([integer(0), integer(1), hidden(16)]), 24);
    assert_eq!(size([by_stack(8), integer(1), hidden(0)]), 16);
    let overlaps = "it overlaps another one on the stack, or the address of the result";
    for (places, parameter, reason) in [
        ([integer(0), Place::Stack(4), hidden(0)], Some(1), overlaps),
        ([by_stack(9), integer(1), hidden(16)], Some(0), overlaps),
        ([Place::Stack(0), Place::Stack(7), integer(0)], Some(1), overlaps),
        ([integer(3), integer(3), integer(0)], Some(1), "a piece is in a register that carries something else"),
        ([integer(4), integer(3), integer(0)], Some(0), "a piece is in a register that carries something else"),
        ([integer(1), Place::Nothing, integer(0)], Some(1), "the value has no place"),
        (
            [integer(1), integer(2), Place::Stack(0)],
            None,
            "the result is neither in registers nor in memory whose address is passed",
        ),
    ] {
        let error = build(places).unwrap_err();
        assert_eq!(error.parameter(), parameter);
        assert!(error.to_string().ends_with(&format!("has the type `i64`: {reason}")), "{error}");
    }
}
