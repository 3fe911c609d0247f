//! Signatures that are made up.

use std::rc::Rc;

use crate::random::Random;
use crate::signatures::{Family, Forms, Signature, Target};
use crate::table::Table;
use crate::types::{Aggregate, Cpu, Field, Kind, Type, Wrapper};

/// The most parameters of a signature.
const PARAMETERS: usize = 16;
/// How deep structs are nested.
const DEPTH: usize = 3;
/// The largest type, in bytes. `cbframe_tests::call` has room for as much.
pub const SIZE: usize = 256;
/// Sizes that rules turn on.
const SIZES: [usize; 12] = [0, 1, 2, 3, 5, 7, 9, 16, 17, 24, 32, 64];

/// The signature at `index` of those that `seed` stands for.
#[must_use]
pub fn signature(table: &Table, target: Target, seed: u64, index: u64) -> Signature {
    make(table, target, seed, index, true)
}

/// The same with structs that C has and Rust has not: packed ones that are aligned, or that have aligned fields.
#[must_use]
pub fn of_c(table: &Table, target: Target, seed: u64, index: u64) -> Signature {
    make(table, target, seed, index, false)
}

fn make(table: &Table, target: Target, seed: u64, index: u64, in_rust: bool) -> Signature {
    let mut random = Random::of_item(seed, index);
    // What needs the captured lane, or a certain CPU, is in some, so that the others get to everything else.
    let opaque = random.chance(30);
    let cpu = *random.pick(&[
        Cpu::Any,
        Cpu::Any,
        Cpu::Any,
        Cpu::Any,
        Cpu::Any,
        Cpu::Any,
        Cpu::Any,
        Cpu::Avx,
        Cpu::Avx,
        Cpu::Avx512,
    ]);
    let scalars = table.iter().filter(|ty| ty.scalar().is_some() && ty.cpu() <= cpu && (opaque || !ty.is_opaque()));
    let is_float = |ty: &&Type| ty.scalar().is_some_and(|scalar| scalar.kind == Kind::Float);
    let (floats, others) = scalars.partition(is_float);
    // Each signature has its own mixture, so that either kind of register runs out in some.
    let percent = *random.pick(&[5, 35, 60, 95]);
    let aggregates = *random.pick(&[0, 25, 50, 80, 100]);
    let mut maker = Maker { random, floats, others, percent, aggregates, in_rust };
    let family = family(target, index);
    let count = maker.random.below(PARAMETERS + 1);
    let parameters = (0..count).map(|_| maker.parameter()).collect();
    maker.aggregates = 60;
    let result = (!maker.random.chance(12)).then(|| maker.parameter());
    let abi = maker.random.pick(family.abis(target));
    let forms = if maker.random.chance(25) { Forms::Stateless } else { Forms::Entries };
    let mut signature =
        Signature { name: format!("s{index}"), family, abi, target, parameters, named: None, result, forms };
    variadic(&mut signature, &mut Random::of_item(!seed, index));
    rename(&mut signature);
    signature
}

/// Has some of the parameters that can be behind `...` passed there, now and then.
fn variadic(signature: &mut Signature, random: &mut Random) {
    if matches!(signature.family, Family::Stdcall | Family::Fastcall | Family::Thiscall) {
        return;
    }
    let last = signature.parameters.iter().rposition(|ty| !ty.is_variadic());
    let least = last.map_or(0, |index| index + 1).max(1);
    if least <= signature.parameters.len() && random.chance(35) {
        signature.named = Some(least + random.below(signature.parameters.len() - least + 1));
    }
}

/// The convention of the signature at `index`.
#[must_use]
pub const fn family(target: Target, index: u64) -> Family {
    let families = target.families();
    families[(index % families.len() as u64) as usize]
}

/// Gives the aggregates of a signature names: A, B, C, each behind those that it consists of, and the same to
/// equal ones.
pub fn rename(signature: &mut Signature) {
    fn visit(ty: &mut Type, known: &mut Vec<Rc<Aggregate>>) {
        match ty {
            Type::Scalar(_) => {}
            Type::Wrapped(_, inner) => visit(Rc::make_mut(inner), known),
            Type::Aggregate(shared) => {
                let aggregate = Rc::make_mut(shared);
                aggregate.fields.iter_mut().for_each(|field| visit(&mut field.ty, known));
                aggregate.name.clear();
                let equal =
                    |other: &&Rc<Aggregate>| Aggregate { name: String::new(), ..(***other).clone() } == *aggregate;
                if let Some(other) = known.iter().find(equal) {
                    *shared = Rc::clone(other);
                } else {
                    aggregate.name = Aggregate::field_name(known.len()).to_uppercase();
                    known.push(Rc::clone(shared));
                }
            }
        }
    }
    let mut known = Vec::new();
    signature.parameters.iter_mut().chain(&mut signature.result).for_each(|ty| visit(ty, &mut known));
}

struct Maker<'t> {
    random: Random,
    /// `float` and `double`.
    floats: Vec<&'t Type>,
    /// Every other scalar.
    others: Vec<&'t Type>,
    /// How many of a hundred scalars are floats.
    percent: usize,
    /// How many of a hundred parameters are structs or unions.
    aggregates: usize,
    /// Whether Rust has all types.
    in_rust: bool,
}

impl Maker<'_> {
    fn parameter(&mut self) -> Type {
        loop {
            let ty = if self.random.chance(self.aggregates) { self.aggregate(1) } else { self.scalar() };
            if ty.size() <= SIZE {
                return self.wrapped(ty);
            }
        }
    }

    /// Now and then inside a wrapper.
    fn wrapped(&mut self, ty: Type) -> Type {
        match self.random.below(40) {
            0 => Type::Wrapped(Wrapper::ManuallyDrop, Rc::new(ty)),
            1 => Type::Wrapped(Wrapper::MaybeUninit, Rc::new(ty)),
            _ => ty,
        }
    }

    fn scalar(&mut self) -> Type {
        let palette = if self.random.chance(self.percent) { &self.floats } else { &self.others };
        (*self.random.pick(palette)).clone()
    }

    /// A struct or a union at this depth, counted from 1.
    fn aggregate(&mut self, depth: usize) -> Type {
        if self.random.chance(15) {
            return self.sized();
        }
        let union = self.random.chance(18);
        let mut fields: Vec<_> = (0..self.count(union)).map(|_| self.field(depth)).collect();
        let attribute = self.random.below(100);
        let (mut packed, mut align) = (None, None);
        let can_be_packed = !self.in_rust || !fields.iter().any(|field: &Field| field.ty.has_alignment());
        let both = !self.in_rust && (7..10).contains(&attribute);
        if attribute < 10 && can_be_packed {
            packed = Some(*self.random.pick(&[1, 1, 2, 4]));
        }
        if both || (10..18).contains(&attribute) {
            align = Some(*self.random.pick(&[2, 4, 8, 16, 16, 32, 64]));
        }
        if union && fields.is_empty() {
            fields.push(Field::plain(self.scalar()));
        }
        let derived = true;
        Type::Aggregate(Rc::new(Aggregate { name: String::new(), union, packed, aligned: align, fields, derived }))
    }

    /// How many fields: few, so that registers do.
    fn count(&mut self, union: bool) -> usize {
        match self.random.below(100) {
            0..3 if !union => 0,
            0..25 => 1,
            25..60 => 2,
            60..80 => 3,
            80..95 => 4,
            _ => 5 + self.random.below(4),
        }
    }

    fn field(&mut self, depth: usize) -> Field {
        let ty = if depth < DEPTH && self.random.chance(25) { self.aggregate(depth + 1) } else { self.scalar() };
        let mut field = Field::plain(self.wrapped(ty));
        match self.random.below(20) {
            0..3 => field.lengths.push(1 + self.random.below(4)),
            3 => field.lengths.extend([1 + self.random.below(2), 1 + self.random.below(3)]),
            _ => {}
        }
        field
    }

    /// A struct of one of the sizes that rules turn on.
    fn sized(&mut self) -> Type {
        let size = *self.random.pick(&SIZES);
        let scalar = loop {
            let scalar = self.scalar();
            // Long arrays of small elements cost rustc more than they tell.
            if size.is_multiple_of(scalar.size()) && size / scalar.size() <= 17 {
                break scalar;
            }
        };
        let count = size / scalar.size();
        let fields = match count {
            0 => Vec::new(),
            1..5 if self.random.chance(50) => vec![Field::plain(scalar); count],
            _ => vec![Field { ty: scalar, lengths: vec![count] }],
        };
        let (packed, aligned) = (None, None);
        Type::Aggregate(Rc::new(Aggregate {
            name: String::new(),
            union: false,
            packed,
            aligned,
            fields,
            derived: true,
        }))
    }
}
