//! Signatures, and a fixed list of them.

use std::rc::Rc;

use crate::random::Random;
use crate::table::Table;
use crate::types::{Aggregate, Cpu, Kind, Type, definitions};

/// What programs are made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// x86-64 Linux.
    Linux,
    /// x86-64 Windows.
    Windows,
    /// AArch64 Linux.
    Aarch64,
    /// 32-bit x86 Linux.
    I686,
    /// 64-bit RISC-V Linux.
    Riscv64,
}

impl Target {
    /// The one that this is compiled for.
    pub const HOST: Self = if cfg!(target_arch = "aarch64") {
        Self::Aarch64
    } else if cfg!(target_arch = "riscv64") {
        Self::Riscv64
    } else if cfg!(target_arch = "x86") {
        Self::I686
    } else if cfg!(windows) {
        Self::Windows
    } else {
        Self::Linux
    };

    /// The target of a Rust target's name, or its architecture and whether it is Windows.
    #[must_use]
    pub fn named(name: &str) -> Self {
        if name.starts_with("aarch64") {
            Self::Aarch64
        } else if name.starts_with("riscv64") {
            Self::Riscv64
        } else if name.starts_with("i686") {
            Self::I686
        } else if name.contains("-windows-") {
            Self::Windows
        } else {
            Self::Linux
        }
    }

    /// The conventions that are tested.
    #[must_use]
    pub const fn families(self) -> &'static [Family] {
        match self {
            Self::Linux | Self::Windows => &[Family::SysV64, Family::Win64],
            Self::Aarch64 => &[Family::Aapcs64],
            Self::Riscv64 => &[Family::Lp64d],
            Self::I686 => &[Family::Cdecl, Family::Stdcall, Family::Fastcall, Family::Thiscall],
        }
    }
}

/// The convention of a signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// System V.
    SysV64,
    /// Windows.
    Win64,
    /// That of AArch64.
    Aapcs64,
    /// That of 64-bit RISC-V.
    Lp64d,
    /// C's on 32-bit x86.
    Cdecl,
    /// The same where the return pops the arguments.
    Stdcall,
    /// The same with two words in registers.
    Fastcall,
    /// The same with one.
    Thiscall,
}

impl Family {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SysV64 => "sysv64",
            Self::Win64 => "win64",
            Self::Aapcs64 => "aapcs64",
            Self::Lp64d => "lp64d",
            Self::Cdecl => "cdecl",
            Self::Stdcall => "stdcall",
            Self::Fastcall => "fastcall",
            Self::Thiscall => "thiscall",
        }
    }

    /// The ABI strings for it, where `extern "C"` is that of Windows or is not.
    #[must_use]
    pub const fn abis(self, target: Target) -> &'static [&'static str] {
        match (self, matches!(target, Target::Windows)) {
            (Self::Cdecl, _) => &["C", "cdecl", "C-unwind", "system", "efiapi", "cdecl-unwind", "system-unwind"],
            (Self::Stdcall, _) => &["stdcall", "stdcall-unwind"],
            (Self::Fastcall, _) => &["fastcall", "fastcall-unwind"],
            (Self::Thiscall, _) => &["thiscall", "thiscall-unwind"],
            (Self::Aapcs64 | Self::Lp64d, _) => &["C", "system", "C-unwind", "efiapi", "system-unwind"],
            (Self::SysV64, false) => &["sysv64", "C", "sysv64-unwind", "system", "C-unwind", "system-unwind"],
            (Self::SysV64, true) => &["sysv64", "sysv64-unwind"],
            (Self::Win64, false) => &["win64", "efiapi", "win64-unwind"],
            (Self::Win64, true) => &["win64", "C", "win64-unwind", "system", "efiapi", "C-unwind", "system-unwind"],
        }
    }
}

/// A callback's signature, and how it is tested.
#[derive(Clone, Debug)]
pub struct Signature {
    /// The name of its module.
    pub name: String,
    /// Its convention.
    pub family: Family,
    /// The ABI string.
    pub abi: &'static str,
    /// What the program is made for.
    pub target: Target,
    /// The parameters, those behind `...` included.
    pub parameters: Vec<Type>,
    /// For a variadic one, how many of them are before `...`.
    pub named: Option<usize>,
    /// The result.
    pub result: Option<Type>,
    /// Which callbacks it gets.
    pub forms: Forms,
}

/// Which callbacks a signature gets; at least two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forms {
    /// One for each entry that accepts it.
    Entries,
    /// Also a stateless one.
    Stateless,
    /// Also through `#[cpu]`, `bind_static!` and `&mut S`.
    All,
}

impl Signature {
    /// The parameters and the result.
    pub fn types(&self) -> impl Iterator<Item = &Type> {
        self.parameters.iter().chain(&self.result)
    }

    /// The parameters before `...`, and those behind it.
    #[must_use]
    pub fn split(&self) -> (&[Type], &[Type]) {
        self.parameters.split_at(self.named.unwrap_or(self.parameters.len()))
    }

    /// Whether C has such a signature: `...` stands behind one parameter at least (before C23), and no argument behind it
    /// has a type that C promotes.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        self.named.is_none_or(|named| (1..=self.parameters.len()).contains(&named))
            && self.split().1.iter().all(Type::is_variadic)
    }

    /// The structs and unions in it, each behind those that it consists of.
    #[must_use]
    pub fn definitions(&self) -> Vec<Rc<Aggregate>> {
        definitions(self.types())
    }

    /// Whether cbframe can place it.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.types().all(Type::is_known)
    }

    /// What the CPU needs for a call.
    #[must_use]
    pub fn cpu(&self) -> Cpu {
        self.types().map(Type::cpu).max().unwrap_or(Cpu::Any)
    }

    /// At most how many integer registers a System V call takes for the parameters, and for the address of a result
    /// in memory.
    #[must_use]
    pub fn integer_registers(&self) -> usize {
        let words = |ty: &Type| match ty.scalar() {
            Some(scalar) if scalar.kind == Kind::Float => 0,
            _ if ty.size() > 16 => 0,
            _ => ty.size().div_ceil(8),
        };
        usize::from(self.may_be_hidden()) + self.parameters.iter().map(words).sum::<usize>()
    }

    /// Whether the result may be in memory.
    fn may_be_hidden(&self) -> bool {
        self.result.as_ref().is_some_and(|ty| ty.size() > 8)
    }

    /// Whether an integer register is certainly left over for the direct entry.
    #[must_use]
    pub fn has_free_register(&self) -> bool {
        match self.family {
            Family::SysV64 => self.integer_registers() <= 5,
            Family::Win64 => self.parameters.len() + usize::from(self.may_be_hidden()) <= 3,
            // There is no direct entry.
            Family::Cdecl | Family::Stdcall | Family::Fastcall | Family::Thiscall => false,
            // Each may be one in memory, whose address takes a register; alignment may leave one out.
            Family::Aapcs64 => {
                let registers =
                    |ty: &Type| if ty.size() > 16 { 1 } else { ty.size().div_ceil(8) + usize::from(ty.align() > 8) };
                self.parameters.iter().map(registers).sum::<usize>() <= 7
            }
            // The same, floats too: they take integer registers when they have no other.
            Family::Lp64d => {
                let registers = |ty: &Type| if ty.size() > 16 { 1 } else { ty.size().div_ceil(8) };
                usize::from(self.may_be_hidden()) + self.parameters.iter().map(registers).sum::<usize>() <= 7
            }
        }
    }
}

/// The fixed signatures, with the file of tests that each goes to.
#[must_use]
pub fn signatures(table: &Table, target: Target) -> Vec<(&'static str, Signature)> {
    let mut all = Vec::new();
    for &family in target.families() {
        let mut add = |name: String, theme, parameters: Vec<&Type>, named, result: Option<&Type>| {
            let name = format!("{}_{name}", family.name());
            let abis = family.abis(target);
            let count = all.len();
            let forms = match theme {
                "mixed" if count % 3 == 0 => Forms::All,
                "mixed" => Forms::Stateless,
                _ => Forms::Entries,
            };
            let (parameters, result) = (parameters.into_iter().cloned().collect(), result.cloned());
            let abi = abis[count % abis.len()];
            all.push((theme, Signature { name, family, abi, target, parameters, named, result, forms }));
        };
        alone(table, family, &mut add);
        late(table, family, &mut add);
        mixed(table, family, &mut add);
        variadic(table, family, &mut add);
    }
    all
}

type Add<'f> = dyn FnMut(String, &'static str, Vec<&Type>, Option<usize>, Option<&Type>) + 'f;

/// Whether cbframe takes a result of this type: on Windows it refuses some that it knows nothing of.
fn is_result_for(ty: &Type, family: Family) -> bool {
    family != Family::Win64 || ty.is_known() || !matches!(ty.size(), 16 | 32 | 64)
}

/// Each type as the only parameter and as the result.
fn alone(table: &Table, family: Family, add: &mut Add<'_>) {
    for ty in table.iter() {
        let result = is_result_for(ty, family).then_some(ty);
        add(format!("alone_{}", ty.name()), "types", vec![ty], None, result);
    }
}

/// Each aggregate where registers have nearly run out, with something behind it. For Windows some will do, since all
/// that counts there is the size.
fn late(table: &Table, family: Family, add: &mut Add<'_>) {
    let int = if table.has_narrow_words() { "i32" } else { "i64" };
    let (int, double) = (table.get(int), table.get("f64"));
    let is_large = |ty: &&Type| ty.aggregate().is_some() && !ty.name().starts_with("Bytes") || ty.size() > 8;
    for (i, ty) in table.iter().filter(is_large).enumerate() {
        // Which of one and two registers of either kind are left.
        let (ints, doubles) = match family {
            Family::SysV64 => (4 + i % 2, 6 + i / 2 % 2),
            // 16 parameters in all.
            Family::Aapcs64 | Family::Lp64d if i / 2 % 2 == 0 => (6 + i % 2, 5),
            Family::Aapcs64 | Family::Lp64d => (1, 6 + i % 2),
            Family::Win64 if i % 4 > 0 => continue,
            Family::Win64 => (1 + i / 4 % 2, i / 8 % 2),
            Family::Cdecl | Family::Stdcall if i % 4 > 0 => continue,
            Family::Cdecl | Family::Stdcall => (i / 4 % 2, 1),
            Family::Fastcall | Family::Thiscall => (i % 2, i / 2 % 2),
        };
        let mut parameters = vec![int; ints];
        parameters.extend(vec![double; doubles]);
        parameters.extend([ty, int, double, table.get("u8")]);
        add(format!("late_{}", ty.name()), "types", parameters, None, None);
    }
}

/// 0 to 14 parameters of mixed types.
fn mixed(table: &Table, family: Family, add: &mut Add<'_>) {
    let mut random = Random::new(0x5eed ^ family as u64);
    let palette: Vec<_> = table.iter().filter(|ty| ty.is_known() && ty.size() > 0).collect();
    let scalars: Vec<_> = palette.iter().copied().filter(|ty| ty.scalar().is_some()).collect();
    for count in 0..=14 {
        for (kind, palette) in [("scalars", &scalars), ("all", &palette)] {
            let parameters = (0..count).map(|_| *random.pick(palette)).collect();
            let result = (count % 5 != 1).then(|| *random.pick(palette));
            add(format!("mixed_{count:02}_{kind}"), "mixed", parameters, None, result);
        }
    }
    // Runs of one kind: integer registers out before vector ones, and the other way round; all on the stack.
    let mut run = |name: &str, of: &[(&str, usize)], result: &str| {
        let parameters = of.iter().flat_map(|(name, count)| vec![table.get(name); *count]);
        add(format!("run_{name}"), "mixed", parameters.collect(), None, Some(table.get(result)));
    };
    run("ints", &[("i32", 14)], "i64");
    run("doubles", &[("f64", 14)], "f64");
    run("floats", &[("f32", 9), ("u8", 5)], "i8");
    run("bytes", &[("i8", 7), ("u16", 7)], "i16");
    run("hidden", &[("i32", 7), ("f64", 7)], "M24");
    run("structs", &[("IS", 3), ("SI", 3), ("Two64", 2), ("SS", 2)], "IS");
    run("memory", &[("M24", 2), ("i8", 3), ("M20", 2)], "SI");
    if table.has_narrow_words() {
        return;
    }
    let foreign = ["ForeignI", "f32", "ForeignIS", "i64", "ForeignM", "Aligned32", "u8", "Aligned64", "ForeignI"];
    run("foreign", &foreign.map(|name| (name, 1)), "ForeignM");
}

/// Each type behind `...`: with all registers left, and where they have nearly run out. Then mixtures.
fn variadic(table: &Table, family: Family, add: &mut Add<'_>) {
    // Others are called as cdecl.
    if matches!(family, Family::Stdcall | Family::Fastcall | Family::Thiscall) {
        return;
    }
    let [int, long, double, byte] = ["i32", "i64", "f64", "u8"].map(|name| table.get(name));
    let palette: Vec<_> = table.iter().filter(|ty| ty.is_variadic() && ty.size() > 0).collect();
    for (i, ty) in palette.iter().enumerate() {
        add(format!("first_{}", ty.name()), "variadic", vec![byte, ty, int, double], Some(1), None);
        let (ints, doubles) = match family {
            Family::SysV64 => (4 + i % 2, 6 + i / 2 % 2),
            // 16 parameters in all.
            Family::Aapcs64 | Family::Lp64d if i / 2 % 2 == 0 => (6 + i % 2, 5),
            Family::Aapcs64 | Family::Lp64d => (1, 6 + i % 2),
            // None is in a register.
            _ => (1 + i % 2, i / 2 % 2),
        };
        // Either kind of register is taken by arguments behind `...`, or by others.
        let mut parameters = vec![long; ints];
        let named = if i % 3 == 0 { 1 } else { ints };
        parameters.extend(vec![double; doubles]);
        parameters.extend([*ty, ty, long, double]);
        add(format!("last_{}", ty.name()), "variadic", parameters, Some(named), Some(ty));
    }
    let mut random = Random::new(0xe11 ^ family as u64);
    let named: Vec<_> = table.iter().filter(|ty| ty.is_known()).collect();
    for count in 1..=14 {
        let before = 1 + random.below(count);
        let parameters = (0..count).map(|i| *random.pick(if i < before { &named } else { &palette })).collect();
        let result = (count % 4 != 1).then(|| *random.pick(&palette));
        add(format!("mixture_{count:02}"), "variadic", parameters, Some(before), result);
    }
}
