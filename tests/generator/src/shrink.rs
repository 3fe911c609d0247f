//! Finds a small signature that fails, given one that does.

use std::rc::Rc;

use crate::made::{SIZE, rename};
use crate::signatures::{Forms, Signature};
use crate::table::Table;
use crate::types::{Aggregate, Field, Type};

/// The scalars that need no explanation, simplest first.
const SIMPLE: [&str; 5] = ["i32", "f64", "f32", "u8", "i64"];

/// How much there is to a signature. Every reduction has less.
#[must_use]
pub fn weight(signature: &Signature) -> usize {
    signature.types().map(|ty| 100 + weight_of(ty)).sum::<usize>() + usize::from(signature.named.is_some())
}

fn weight_of(ty: &Type) -> usize {
    match ty {
        Type::Scalar(scalar) => 20 + SIMPLE.iter().position(|name| *name == scalar.name).unwrap_or(SIMPLE.len()),
        Type::Wrapped(_, inner) => 5 + weight_of(inner),
        Type::Aggregate(aggregate) => {
            let attribute = |n: Option<usize>| n.map_or(0, |n| 5 + n.ilog2() as usize);
            let fields: usize = aggregate.fields.iter().map(weight_of_field).sum();
            30 + usize::from(aggregate.union) + attribute(aggregate.packed) + attribute(aggregate.aligned) + fields
        }
    }
}

fn weight_of_field(field: &Field) -> usize {
    // A length of 0 is odder than one of 1.
    let length = |length: &usize| 10 + if *length == 0 { 5 } else { (*length).min(100) };
    weight_of(&field.ty) + field.lengths.iter().map(length).sum::<usize>()
}

/// How many reductions are tried at a time.
const AT_A_TIME: usize = 150;

/// Reduces the signature step by step as long as `fail` finds one among the reductions, which it is given with the
/// smallest ones first.
pub fn shrink(first: Signature, table: &Table, fail: &mut dyn FnMut(&[Signature]) -> Option<usize>) -> Signature {
    let mut smallest = first;
    loop {
        let stages = stages(&smallest, table);
        let mut tried = stages.iter().flat_map(|stage| stage.chunks(AT_A_TIME));
        match tried.find_map(|reductions| fail(reductions).map(|index| reductions[index].clone())) {
            Some(reduced) => smallest = reduced,
            None => return smallest,
        }
    }
}

/// What is simpler than the signature by one step, in stages: coarse ones first, since trying one costs a compilation.
#[must_use]
pub fn stages(signature: &Signature, table: &Table) -> Vec<Vec<Signature>> {
    let (mut parameters, mut shapes, mut scalars) = (Vec::new(), Vec::new(), Vec::new());
    let count = signature.parameters.len();
    let mut part = count;
    while part > 0 {
        for start in (0..count).step_by(part) {
            let mut reduced = signature.clone();
            let end = (start + part).min(count);
            reduced.parameters.drain(start..end);
            reduced.named = reduced.named.map(|named| named - (named.min(end) - named.min(start)));
            parameters.push(reduced);
        }
        part /= 2;
    }
    if signature.named.is_some() {
        parameters.push(Signature { named: None, ..signature.clone() });
    }
    if signature.result.is_some() {
        parameters.push(Signature { result: None, ..signature.clone() });
    }
    let with = |into: &mut Vec<_>, index: usize, ty: Type| {
        let mut reduced = signature.clone();
        match reduced.parameters.get_mut(index) {
            Some(parameter) => *parameter = ty,
            None => reduced.result = Some(ty),
        }
        into.push(reduced);
    };
    for (index, ty) in signature.types().enumerate() {
        simpler_shapes(ty).into_iter().for_each(|ty| with(&mut shapes, index, ty));
        simpler_scalars(ty, table).into_iter().for_each(|ty| with(&mut scalars, index, ty));
    }
    let least = weight(signature);
    let mut stages = vec![parameters, shapes, scalars];
    for stage in &mut stages {
        stage.iter_mut().for_each(rename);
        // A struct that is packed no more can be too large, and what takes its place may be none for `...`.
        let is_sound = |reduced: &Signature| reduced.is_possible() && reduced.types().all(|ty| ty.size() <= SIZE);
        stage.retain(|reduced| weight(reduced) < least && is_sound(reduced));
        stage.sort_by_key(weight);
        stage.iter_mut().for_each(|reduced| reduced.forms = Forms::Stateless);
    }
    stages
}

/// Steps that take away structure.
fn simpler_shapes(ty: &Type) -> Vec<Type> {
    match ty {
        Type::Scalar(_) => Vec::new(),
        Type::Wrapped(wrapper, inner) => {
            let wrap = |ty| Type::Wrapped(*wrapper, Rc::new(ty));
            [(**inner).clone()].into_iter().chain(simpler_shapes(inner).into_iter().map(wrap)).collect()
        }
        Type::Aggregate(aggregate) => {
            // A field in place of the whole.
            let mut simpler: Vec<_> = aggregate.fields.iter().map(|field| field.ty.clone()).collect();
            let mut changed = |change: &dyn Fn(&mut Aggregate)| {
                let mut reduced = (**aggregate).clone();
                change(&mut reduced);
                simpler.push(Type::Aggregate(Rc::new(reduced)));
            };
            if aggregate.packed.is_some() {
                changed(&|reduced| reduced.packed = None);
            }
            if let Some(n) = aggregate.aligned {
                changed(&|reduced| reduced.aligned = None);
                changed(&|reduced| reduced.aligned = Some(n / 2).filter(|n| *n > 1));
            }
            if aggregate.union {
                changed(&|reduced| reduced.union = false);
            }
            for (i, field) in aggregate.fields.iter().enumerate() {
                if !aggregate.union || aggregate.fields.len() > 1 {
                    changed(&|reduced| drop(reduced.fields.remove(i)));
                }
                for (j, length) in field.lengths.iter().copied().enumerate() {
                    changed(&|reduced| {
                        reduced.fields[i].lengths.remove(j);
                    });
                    for shorter in [1, length / 2, length.saturating_sub(1)] {
                        if shorter != length {
                            changed(&|reduced| reduced.fields[i].lengths[j] = shorter);
                        }
                    }
                }
                for ty in simpler_shapes(&field.ty) {
                    changed(&|reduced| reduced.fields[i].ty = ty.clone());
                }
            }
            simpler
        }
    }
}

/// Steps that put a simpler scalar in the place of another.
fn simpler_scalars(ty: &Type, table: &Table) -> Vec<Type> {
    match ty {
        Type::Scalar(scalar) => {
            let simpler = SIMPLE.iter().take_while(|name| **name != scalar.name);
            simpler.map(|name| table.get(name).clone()).collect()
        }
        Type::Wrapped(wrapper, inner) => {
            simpler_scalars(inner, table).into_iter().map(|ty| Type::Wrapped(*wrapper, Rc::new(ty))).collect()
        }
        Type::Aggregate(aggregate) => {
            let mut simpler = Vec::new();
            for (i, field) in aggregate.fields.iter().enumerate() {
                for ty in simpler_scalars(&field.ty, table) {
                    let mut reduced = (**aggregate).clone();
                    reduced.fields[i].ty = ty;
                    simpler.push(Type::Aggregate(Rc::new(reduced)));
                }
            }
            simpler
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signatures::Target;
    use crate::{c, made};

    /// Shrinks what `fails` to what it has to be.
    fn smallest(fails: fn(&Signature) -> bool) -> String {
        let table = Table::new(Target::Linux);
        let mut signatures = (0..).map(|index| made::signature(&table, Target::Linux, 1, index));
        let first = signatures.find(fails).expect("there is no end");
        let smallest = shrink(first, &table, &mut |reductions| reductions.iter().position(fails));
        let types = smallest.definitions();
        let types: String = types.iter().map(|aggregate| c::definition(aggregate)).collect();
        format!("{types}{}", c::prototype(&smallest, "f"))
    }

    #[test]
    fn what_does_not_matter_goes() {
        assert_eq!(smallest(|_| true), "void f(void)");
        assert_eq!(smallest(|signature| signature.parameters.len() >= 3), "void f(int32_t, int32_t, int32_t)");
        assert_eq!(smallest(|signature| signature.result.is_some()), "int32_t f(void)");
        assert_eq!(smallest(|signature| signature.parameters.iter().any(|ty| ty.size() == 1)), "void f(uint8_t)");
    }

    #[test]
    fn what_matters_stays() {
        let packed = |signature: &Signature| {
            signature.result.iter().any(|ty| ty.any(&|ty| ty.aggregate().is_some_and(|found| found.packed == Some(4))))
        };
        assert_eq!(smallest(packed), "#pragma pack(push, 4)\ntypedef struct { } A;\n#pragma pack(pop)\nA f(void)");
        let deep = |signature: &Signature| {
            let is_double = |ty: &Type| ty.name() == "f64";
            let inner = |ty: &Type| ty.aggregate().is_some_and(|found| found.union && ty.any(&is_double));
            let outer = |ty: &Type| {
                ty.aggregate().is_some_and(|found| !found.union && found.fields.iter().any(|field| inner(&field.ty)))
            };
            signature.parameters.iter().any(outer)
        };
        assert_eq!(smallest(deep), "typedef union { double a; } A;\ntypedef struct { A a; } B;\nvoid f(B)");
    }

    #[test]
    fn every_step_is_one_down() {
        let table = Table::new(Target::Linux);
        for index in 0..40 {
            let signature = made::signature(&table, Target::Linux, 2, index);
            for reduced in stages(&signature, &table).concat() {
                assert!(weight(&reduced) < weight(&signature), "{reduced:?}");
            }
        }
    }
}
