//! Which signatures there are: a fixed list, and a fixed sequence of random ones.

use crate::generator::random::Random;
use crate::generator::types::{Shape, Type, Types};

/// The convention of a signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    SysV64,
    Win64,
}

impl Family {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SysV64 => "sysv64",
            Self::Win64 => "win64",
        }
    }

    /// The ABI strings for it, where `extern "C"` is that of Windows or is not.
    fn abis(self, windows: bool) -> &'static [&'static str] {
        match (self, windows) {
            (Self::SysV64, false) => &["sysv64", "C", "sysv64-unwind", "system", "C-unwind", "system-unwind"],
            (Self::SysV64, true) => &["sysv64", "sysv64-unwind"],
            (Self::Win64, false) => &["win64", "efiapi", "win64-unwind"],
            (Self::Win64, true) => &["win64", "C", "win64-unwind", "system", "efiapi", "C-unwind", "system-unwind"],
        }
    }
}

/// A callback's signature, and how it is tested.
pub(crate) struct Signature<'a> {
    /// The name of its module.
    pub(crate) name: String,
    /// Which file of tests it goes to.
    pub(crate) theme: &'static str,
    pub(crate) family: Family,
    pub(crate) abi: &'static str,
    pub(crate) parameters: Vec<&'a Type>,
    pub(crate) result: Option<&'a Type>,
    /// Also through `#[cpu]`, `bind_static!` and `&mut S`.
    pub(crate) forms: bool,
}

impl Signature<'_> {
    fn types(&self) -> impl Iterator<Item = &Type> {
        self.parameters.iter().copied().chain(self.result)
    }

    /// Whether cbframe can place it.
    pub(crate) fn is_known(&self) -> bool {
        self.types().all(|ty| ty.c_type)
    }

    /// Whether the result is in memory whose address the caller passes: psABI 3.2.3 "Returning of Values";
    /// Microsoft, "x64 calling convention", "Return values".
    pub(crate) fn is_hidden(&self) -> bool {
        self.result.is_some_and(|ty| match self.family {
            Family::SysV64 => ty.size > 16,
            Family::Win64 => !matches!(ty.size, 0 | 1 | 2 | 4 | 8),
        })
    }

    /// Whether an integer register is certainly left over for the direct entry.
    pub(crate) fn has_free_register(&self) -> bool {
        let words = |ty: &&Type| match ty.shape {
            Shape::Float => 0,
            _ if ty.size > 16 => 0,
            _ => ty.size.div_ceil(8),
        };
        let used = usize::from(self.is_hidden());
        match self.family {
            Family::SysV64 => used + self.parameters.iter().map(words).sum::<usize>() <= 5,
            Family::Win64 => used + self.parameters.len() <= 3,
        }
    }

    /// Whether clang is a caller too. Under `ms_abi` it returns an empty struct in memory, gcc and rustc do not.
    /// clang 19 loses a register after an `__int128` (LLVM issue 123935).
    pub(crate) fn with_clang(&self) -> bool {
        let empty = self.family == Family::Win64 && self.result.is_some_and(|ty| ty.size == 0);
        !empty && self.types().all(|ty| ty.shape != Shape::Wide)
    }
}

/// Every signature; `random` is how many are made up beside the fixed ones, from `seed`.
pub(crate) fn signatures<'a>(types: &'a Types, windows: bool, random: usize, seed: u64) -> Vec<Signature<'a>> {
    let mut all = Vec::new();
    for family in [Family::SysV64, Family::Win64] {
        let mut add = |name: String, theme, parameters: Vec<&'a Type>, result| {
            let name = format!("{}_{name}", family.name());
            let abis = family.abis(windows);
            let count = all.len();
            let (abi, forms) = (abis[count % abis.len()], theme == "mixed" && count % 3 == 0);
            all.push(Signature { name, theme, family, abi, parameters, result, forms });
        };
        alone(types, family, &mut add);
        late(types, family, &mut add);
        mixed(types, family, &mut add);
        let mut generator = Random::new(seed ^ family as u64);
        let palette: Vec<_> = types.iter().filter(|ty| ty.c_type && ty.size > 0).collect();
        for i in 0..random {
            let count = generator.below(15);
            let parameters = (0..count).map(|_| *generator.pick(&palette)).collect();
            let result = (generator.below(8) > 0).then(|| *generator.pick(&palette));
            add(format!("random_{i:04}"), "random", parameters, result);
        }
    }
    all
}

type Add<'f, 'a> = dyn FnMut(String, &'static str, Vec<&'a Type>, Option<&'a Type>) + 'f;

/// Whether Windows has a parameter like this at all, and rustc with certainty the same as gcc.
fn is_for(ty: &Type, family: Family) -> bool {
    family == Family::SysV64 || ty.align <= 8
}

/// Whether cbframe takes a result of this type: on Windows it refuses some that it knows nothing of.
fn is_result_for(ty: &Type, family: Family) -> bool {
    family == Family::SysV64 || ty.c_type || !matches!(ty.size, 16 | 32 | 64)
}

/// Each type as the only parameter and as the result.
fn alone<'a>(types: &'a Types, family: Family, add: &mut Add<'_, 'a>) {
    for ty in types.iter().filter(|ty| is_for(ty, family)) {
        let result = is_result_for(ty, family).then_some(ty);
        add(format!("alone_{}", ty.name), "types", vec![ty], result);
    }
}

/// Each aggregate where registers have nearly run out, with something behind it.
fn late<'a>(types: &'a Types, family: Family, add: &mut Add<'_, 'a>) {
    let (int, double) = (types.get("i64"), types.get("f64"));
    let aggregates = types.iter().filter(|ty| matches!(ty.shape, Shape::Aggregate | Shape::Wide));
    for (i, ty) in aggregates.filter(|ty| is_for(ty, family) && !ty.name.starts_with("Bytes")).enumerate() {
        // Which of one and two registers of either kind are left.
        let (ints, doubles) = match family {
            Family::SysV64 => (4 + i % 2, 6 + i / 2 % 2),
            Family::Win64 => (1 + i % 2, i / 2 % 2),
        };
        let mut parameters = vec![int; ints];
        parameters.extend(vec![double; doubles]);
        parameters.extend([ty, int, double, types.get("u8")]);
        add(format!("late_{}", ty.name), "types", parameters, None);
    }
}

/// 0 to 14 parameters of mixed types.
fn mixed<'a>(types: &'a Types, family: Family, add: &mut Add<'_, 'a>) {
    let mut random = Random::new(0x5eed ^ family as u64);
    let palette: Vec<_> = types.iter().filter(|ty| ty.c_type && ty.size > 0).collect();
    let scalars: Vec<_> = palette.iter().copied().filter(|ty| ty.shape != Shape::Aggregate).collect();
    for count in 0..=14 {
        for (kind, palette) in [("scalars", &scalars), ("all", &palette)] {
            let parameters = (0..count).map(|_| *random.pick(palette)).collect();
            let result = (count % 5 != 1).then(|| *random.pick(palette));
            add(format!("mixed_{count:02}_{kind}"), "mixed", parameters, result);
        }
    }
    // Runs of one kind: integer registers out before vector ones, and the other way round; all on the stack.
    let run = |of: &[(&str, usize)]| -> Vec<&'a Type> {
        of.iter().flat_map(|(name, count)| vec![types.get(name); *count]).collect()
    };
    add("run_ints".into(), "mixed", run(&[("i32", 14)]), Some(types.get("i64")));
    add("run_doubles".into(), "mixed", run(&[("f64", 14)]), Some(types.get("f64")));
    add("run_floats".into(), "mixed", run(&[("f32", 9), ("u8", 5)]), Some(types.get("i8")));
    add("run_bytes".into(), "mixed", run(&[("i8", 7), ("u16", 7)]), Some(types.get("i16")));
    add("run_hidden".into(), "mixed", run(&[("i32", 7), ("f64", 7)]), Some(types.get("M24")));
    add("run_structs".into(), "mixed", run(&[("IS", 3), ("SI", 3), ("Two64", 2), ("SS", 2)]), Some(types.get("IS")));
    add("run_memory".into(), "mixed", run(&[("M24", 2), ("i8", 3), ("M20", 2)]), Some(types.get("SI")));
    let known = |name: &str| is_for(types.get(name), family);
    let foreign =
        ["ForeignI", "f32", "ForeignIS", "i64", "ForeignM", "Aligned32", "u8", "Aligned64", "i128", "ForeignI"];
    let foreign = foreign.into_iter().filter(|name| known(name)).map(|name| types.get(name)).collect();
    add("run_foreign".into(), "mixed", foreign, Some(types.get("ForeignM")));
}
