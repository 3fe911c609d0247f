//! Types and signatures, any.

use cbframe::abi::{Abi, Place, Placement, Pointer, Register, Signature, SignatureBuilder, SignatureError};
use cbframe::types::{Alignment, Type};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A signature without its convention, and how it is called.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) parameters: Vec<Type>,
    pub(crate) result: Type,
    /// How many of the parameters are before `...`, if there is one.
    pub(crate) before_dots: Option<usize>,
    pub(crate) unwind: bool,
    pub(crate) save: bool,
    /// What the values are made of, and the choices that shrinking has no use for.
    pub(crate) seed: u64,
}

const INTEGERS: [Type; 13] = [
    Type::BOOL,
    Type::I8,
    Type::I16,
    Type::I32,
    Type::I64,
    Type::U8,
    Type::U16,
    Type::U32,
    Type::U64,
    Type::POINTER,
    Type::I128,
    Type::U128,
    Type::I32,
];

fn floats() -> Vec<Type> {
    let mut floats = vec![Type::F32, Type::F64, Type::F32, Type::F64, Type::F16, Type::F128, Type::LONG_DOUBLE];
    floats.extend([Type::F32, Type::F64, Type::LONG_DOUBLE].map(|part| Type::complex(part).expect("there is one")));
    let sizes = [(16, true), (32, is_x86_feature_detected!("avx")), (64, is_x86_feature_detected!("avx512f"))];
    floats.extend(sizes.into_iter().filter(|(_, has)| *has).map(|(size, _)| Type::vector(size).expect("there is one")));
    floats
}

/// The largest struct; the largest array in one has more, so that arguments take more than a page now and then.
const LARGEST: usize = 5000;

/// Structs and unions of these fields.
fn aggregates(field: impl Strategy<Value = Type> + Clone + 'static) -> impl Strategy<Value = Type> {
    let length = prop_oneof![8 => Just(None), 2 => (0_usize..5).prop_map(Some), 1 => Just(Some(16))];
    let field = (field, length).prop_map(|(ty, length)| match length {
        Some(length) => Type::array(ty, length).expect("an array"),
        None => ty,
    });
    let packed = prop_oneof![8 => Just(None), 1 => select(vec![1, 2, 4]).prop_map(Some)];
    let at_least = prop_oneof![8 => Just(None), 1 => select(vec![2, 4, 8, 16, 32, 64]).prop_map(Some)];
    let fields = prop_oneof![3 => vec(field.clone(), 1..4), 1 => vec(field, 0..8)];
    (fields, prop::bool::weighted(0.2), packed, at_least).prop_map(|(fields, union, packed, at_least)| {
        const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let fields: Vec<_> = NAMES.into_iter().zip(fields).collect();
        let alignment = Alignment { packed, at_least };
        if union && !fields.is_empty() {
            Type::union_of("U", &fields, alignment).expect("a union")
        } else {
            Type::structure_with("S", &fields, alignment).expect("a struct")
        }
    })
}

fn types() -> impl Strategy<Value = Type> {
    let scalar = prop_oneof![1 => select(INTEGERS.to_vec()), 1 => select(floats())];
    let nested = scalar.clone().prop_recursive(3, 8, 3, aggregates);
    let small = aggregates(select(vec![Type::F32, Type::I8, Type::F64, Type::U16, Type::I64, Type::F16]));
    let large = (500_usize..600).prop_map(|length| {
        let words = Type::array(Type::U64, length).expect("an array");
        Type::structure("L", &[("a", words)]).expect("a struct")
    });
    prop_oneof![60 => scalar, 60 => nested, 60 => small, 1 => large]
        .prop_filter("small enough", |ty| ty.size <= LARGEST)
}

/// Any plan.
pub(crate) fn plans() -> impl Strategy<Value = Plan> {
    // Each signature has its own mixture, so that either kind of register runs out in some.
    let parameters = prop_oneof![
        4 => vec(types(), 0..=18),
        1 => vec(select(INTEGERS.to_vec()), 0..=18),
        1 => vec(select(floats()), 0..=18),
        1 => vec(prop_oneof![types(), select(vec![Type::F64, Type::F32])], 0..=40),
    ];
    let result = prop_oneof![1 => Just(Type::VOID), 9 => types()];
    let dots = prop_oneof![2 => Just(None), 1 => (0_usize..20).prop_map(Some)];
    let unwind = prop::bool::weighted(0.25);
    (parameters, result, dots, unwind, any::<bool>(), any::<u64>()).prop_map(
        |(parameters, result, dots, unwind, save, seed)| {
            let before_dots = dots.map(|before| before.min(parameters.len()));
            Plan { parameters, result, before_dots, unwind, save, seed }
        },
    )
}

/// The rules of signatures.
#[derive(Clone, Copy)]
pub(crate) enum Rules<'r> {
    Abi(Abi),
    Placement(&'r dyn Placement),
}

impl Plan {
    /// The signature by these rules. What they have no place for is left out.
    pub(crate) fn signature(&self, rules: Rules<'_>) -> Signature {
        let Self { mut parameters, mut result, mut before_dots, .. } = self.clone();
        let mut unwind = self.unwind;
        loop {
            let error = match self.build(rules, &parameters, result, before_dots, unwind) {
                // Where the unwinder needs rbp, nothing can be thrown through a call with an argument there.
                Ok(signature) if cfg!(windows) && unwind && has_argument_in_rbp(&signature) => {
                    unwind = false;
                    continue;
                }
                Ok(signature) => return signature,
                Err(error) => error,
            };
            match error.parameter() {
                Some(index) => {
                    parameters.remove(index);
                    before_dots = before_dots.map(|before| before - usize::from(index < before));
                }
                None if before_dots.is_some() => before_dots = None,
                None if result != Type::VOID => result = Type::VOID,
                None => panic!("{error}"),
            }
        }
    }

    fn build(
        &self,
        rules: Rules<'_>,
        parameters: &[Type],
        result: Type,
        before_dots: Option<usize>,
        unwind: bool,
    ) -> Result<Signature, SignatureError> {
        let mut builder = match rules {
            Rules::Abi(abi) => Signature::new(abi),
            Rules::Placement(_) => Signature::custom(),
        };
        builder = if unwind { builder.unwind() } else { builder };
        let dots = |builder: SignatureBuilder, at| if before_dots == Some(at) { builder.dots() } else { builder };
        for (index, ty) in parameters.iter().enumerate() {
            builder = dots(builder, index).param(*ty);
        }
        builder = dots(builder, parameters.len()).ret(result);
        match rules {
            Rules::Abi(_) => builder.build(),
            Rules::Placement(placement) => builder.build_by(placement),
        }
    }
}

fn has_argument_in_rbp(signature: &Signature) -> bool {
    const RBP: Register = Register::Integer(5);
    let result = signature.result();
    let hidden = matches!(result.place, Place::Hidden { .. }).then_some(result);
    signature.parameters().iter().chain(hidden).any(|parameter| match parameter.place {
        Place::Registers(parts) => parts.as_slice().iter().any(|part| part.register == RBP),
        Place::Reference(pointer) | Place::Hidden { arrives: pointer, .. } => pointer == Pointer::Register(RBP),
        _ => false,
    })
}
