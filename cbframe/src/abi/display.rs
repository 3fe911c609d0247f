//! Layouts as text: the signature, then a table with one line for the result and for each parameter.
//!
//! Nothing here allocates: the columns' widths are found by printing to a counter first.

use core::fmt::{self, Display, Formatter, Write};
use core::ops::Range;

use super::{Abi, Architecture, Layout, Parameter, Parts, Place, Pointer, Register};
use crate::types::{Field, Kind, Type};

/// A name that is longer than this does not widen its column: it pushes its own line to the right instead.
const WIDEST: usize = 24;

impl Display for Abi {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Something that is called differently on each architecture, and where it is meant.
#[derive(Clone, Copy, Debug)]
struct On<T>(T, Architecture);

impl Register {
    /// The name of the whole register: `rdi`, `xmm0`, `x8`, `fa0`.
    #[must_use]
    pub fn on(self, architecture: Architecture) -> impl Display {
        Narrow { register: self, size: u16::MAX, architecture }
    }
}

impl Place {
    /// The place in the words of an architecture; the table of a [`Layout`] also says which fields a register holds.
    ///
    /// ```
    /// use cbframe::CType;
    /// use cbframe::abi::{Abi, Architecture, place};
    ///
    /// let placed = place(Abi::SysV64, [("n", i32::TYPE)], f64::TYPE);
    /// assert_eq!(placed.parameter(0).place.on(Architecture::X86_64).to_string(), "edi");
    /// ```
    #[must_use]
    pub fn on(&self, architecture: Architecture) -> impl Display {
        On(*self, architecture)
    }
}

impl Pointer {
    /// `in rcx`, `on the stack, [rsp+40] at entry`.
    #[must_use]
    pub fn on(self, architecture: Architecture) -> impl Display {
        On(self, architecture)
    }
}

impl Display for On<Place> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(place, architecture) = *self;
        match place {
            Place::Nothing => f.write_str("nothing (no bytes)"),
            Place::Registers(parts) => write_parts(f, &parts, architecture, None),
            Place::Stack(offset) => write!(f, "stack, {}", On(AtEntry(offset), architecture)),
            Place::Split(parts, offset) => {
                write_parts(f, &parts, architecture, None)?;
                write!(f, ", and the rest on the stack, {}", On(AtEntry(offset), architecture))
            }
            Place::Reference(pointer) => write!(f, "by reference; its address is {}", pointer.on(architecture)),
            Place::Hidden { arrives, leaves } => {
                f.write_str("in memory; its address arrives ")?;
                arrives.on(architecture).fmt(f)?;
                match leaves {
                    Some(register) => write!(f, " and leaves in {}", register.on(architecture)),
                    None => Ok(()),
                }
            }
        }
    }
}

impl Display for On<Pointer> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Pointer::Register(register) => write!(f, "in {}", register.on(self.1)),
            Pointer::Stack(offset) => write!(f, "on the stack, {}", On(AtEntry(offset), self.1)),
        }
    }
}

/// ```text
/// sysv64 fn(level: i32, at: Point, name: pointer) -> Vec3
///   return  Vec3     24 B  in memory; its address arrives in rdi and leaves in rax
///   level   i32       4 B  esi
///   at      Point    16 B  xmm0 (x), rdx (id)
///   name    pointer   8 B  rcx
/// ```
impl Display for Layout<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let unwind = if self.unwind { "-unwind" } else { "" };
        write!(f, "{}{unwind} fn(", self.abi)?;
        for (i, Parameter { name, ty, .. }) in self.parameters.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            let colon = if name.is_empty() { "" } else { ": " };
            write!(f, "{comma}{name}{colon}{}", ty.name)?;
        }
        f.write_str(match (self.variadic, self.parameters) {
            (false, _) => ")",
            (true, []) => "...)",
            (true, _) => ", ...)",
        })?;
        if !matches!(self.result.ty.kind, Kind::Void) {
            write!(f, " -> {}", self.result.ty.name)?;
        }

        let widths = self.rows().fold([0; 3], |[label, ty, size], (name, row)| {
            [label.max(capped(width(&name))), ty.max(capped(width(&row.ty.name))), size.max(width(&row.ty.size))]
        });
        for (label, Parameter { ty, place, .. }) in self.rows() {
            f.write_str("\n  ")?;
            write_padded(f, &label, widths[0])?;
            f.write_str("  ")?;
            write_padded(f, &ty.name, widths[1])?;
            write!(f, "  {:size$} B  ", ty.size, size = widths[2])?;
            let architecture = self.abi.architecture();
            match place {
                Place::Registers(parts) => write_parts(f, parts, architecture, Some(ty))?,
                Place::Split(parts, offset) => {
                    write_parts(f, parts, architecture, Some(ty))?;
                    write!(f, ", {}", On(AtEntry(*offset), architecture))?;
                    let in_registers = parts.as_slice().iter().map(|part| usize::from(part.size)).sum();
                    write_fields(f, ty, in_registers..ty.size)?;
                }
                place => place.on(architecture).fmt(f)?,
            }
        }
        match self.pops {
            0 => Ok(()),
            pops => write!(f, "\n  the return pops {pops} B of arguments"),
        }
    }
}

impl Layout<'_> {
    /// The lines of the table.
    fn rows(&self) -> impl Iterator<Item = (Label, &Parameter)> {
        let parameters = self.parameters.iter().enumerate().map(|(i, parameter)| match parameter.name {
            "" => (Label::Number(i), parameter),
            name => (Label::Name(name), parameter),
        });
        [(Label::Name("return"), &self.result)].into_iter().chain(parameters)
    }
}

/// What a line of the table begins with.
enum Label {
    Name(&'static str),
    /// A parameter without a name, by its index.
    Number(usize),
}

impl Display for Label {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Number(index) => write!(f, "#{index}"),
        }
    }
}

/// How many characters `text` prints.
fn width(text: &impl Display) -> usize {
    struct Counter(usize);

    impl Write for Counter {
        fn write_str(&mut self, s: &str) -> fmt::Result {
            self.0 += s.chars().count();
            Ok(())
        }
    }

    let mut counter = Counter(0);
    // A counter takes everything; an error of a `Display` would show again when the text is printed.
    let _ = write!(counter, "{text}");
    counter.0
}

/// The share that a text of `width` characters has in its column's width.
const fn capped(width: usize) -> usize {
    if width > WIDEST { 0 } else { width }
}

fn write_padded(f: &mut Formatter<'_>, text: &impl Display, column: usize) -> fmt::Result {
    write!(f, "{text}{:padding$}", "", padding = column.saturating_sub(width(text)))
}

/// Stack memory by the stack pointer at entry: on x86 the return address is below the arguments.
#[derive(Clone, Copy, Debug)]
struct AtEntry(u32);

impl Display for On<AtEntry> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (name, return_address) = match self.1 {
            Architecture::X86_64 => ("rsp", 8),
            Architecture::X86 => ("esp", 4),
            Architecture::Aarch64 | Architecture::Arm | Architecture::Riscv64 => ("sp", 0),
        };
        write!(f, "[{name}+{}] at entry", u64::from(self.0.0) + return_address)
    }
}

/// The registers of `parts`, each followed by the fields of the type that lie in it.
fn write_parts(f: &mut Formatter<'_>, parts: &Parts, architecture: Architecture, ty: Option<&Type>) -> fmt::Result {
    for (i, part) in parts.as_slice().iter().enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        write!(f, "{comma}{}", Narrow { register: part.register, size: part.size, architecture })?;
        if let Some(ty) = ty {
            let start = usize::from(part.offset);
            write_fields(f, ty, start..start + usize::from(part.size))?;
        }
    }
    Ok(())
}

/// A register by the name of its low bytes, as many as hold `size`: `edi` where a value of 4 bytes lies.
struct Narrow {
    register: Register,
    size: u16,
    architecture: Architecture,
}

impl Display for Narrow {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.architecture, self.register) {
            (_, Register::X87(n)) => write!(f, "st({n})"),
            (Architecture::X86_64 | Architecture::X86, Register::Vector(n)) => match self.size {
                64 => write!(f, "zmm{n}"),
                32 => write!(f, "ymm{n}"),
                _ => write!(f, "xmm{n}"),
            },
            (Architecture::X86_64, Register::Integer(n)) => write_x86(f, n, self.size.min(8)),
            (Architecture::X86, Register::Integer(n)) => write_x86(f, n, self.size.min(4)),
            (Architecture::Aarch64, Register::Integer(31)) => f.write_str("sp"),
            (Architecture::Aarch64, Register::Integer(n)) => write!(f, "{}{n}", if self.size <= 4 { "w" } else { "x" }),
            (Architecture::Aarch64, Register::Vector(n)) => match self.size {
                ..=2 => write!(f, "h{n}"),
                3..=4 => write!(f, "s{n}"),
                5..=8 => write!(f, "d{n}"),
                9..=16 => write!(f, "q{n}"),
                _ => write!(f, "v{n}"),
            },
            (Architecture::Arm, Register::Integer(n)) => match n {
                13 => f.write_str("sp"),
                14 => f.write_str("lr"),
                15 => f.write_str("pc"),
                _ => write!(f, "r{n}"),
            },
            (Architecture::Arm, Register::Vector(n)) => match self.size {
                ..=4 => write!(f, "s{n}"),
                5..=8 => write!(f, "d{}", n / 2),
                _ => write!(f, "q{}", n / 4),
            },
            // "RISC-V ABIs Specification", section 1.1.
            (Architecture::Riscv64, Register::Integer(n)) => match n {
                0..5 => f.write_str(["zero", "ra", "sp", "gp", "tp"][usize::from(n)]),
                5..8 => write!(f, "t{}", n - 5),
                8..10 => write!(f, "s{}", n - 8),
                10..18 => write!(f, "a{}", n - 10),
                18..28 => write!(f, "s{}", n - 16),
                _ => write!(f, "t{}", n - 25),
            },
            // Section 1.2.
            (Architecture::Riscv64, Register::Vector(n)) => match n {
                0..8 => write!(f, "ft{n}"),
                8..10 => write!(f, "fs{}", n - 8),
                10..18 => write!(f, "fa{}", n - 10),
                18..28 => write!(f, "fs{}", n - 16),
                _ => write!(f, "ft{}", n - 20),
            },
        }
    }
}

/// The name of the low `size` bytes of a general register of x86.
fn write_x86(f: &mut Formatter<'_>, number: u8, size: u16) -> fmt::Result {
    // In the order of their numbers; rax, rcx, rdx and rbx also have names for bytes of their own pattern.
    const NAMES: [&str; 8] = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
    let name = NAMES[usize::from(number % 8)];
    match (number, size) {
        (0..4, 1) => write!(f, "{}l", &name[..1]),
        (0..8, 1) => write!(f, "{name}l"),
        (0..8, 2) => f.write_str(name),
        (0..8, 3..=4) => write!(f, "e{name}"),
        (0..8, _) => write!(f, "r{name}"),
        (n, 1) => write!(f, "r{n}b"),
        (n, 2) => write!(f, "r{n}w"),
        (n, 3..=4) => write!(f, "r{n}d"),
        (n, _) => write!(f, "r{n}"),
    }
}

/// For a struct or a union, the fields that lie in these bytes, as ` (x, at.y, tags[0..4])`. What lies in it as a
/// whole is named as a whole.
fn write_fields(f: &mut Formatter<'_>, ty: &Type, bytes: Range<usize>) -> fmt::Result {
    let mut list = List { out: f, start: bytes.start, end: bytes.end, empty: true };
    match ty.passed_as().kind {
        Kind::Struct { fields } | Kind::Union { fields } => list.fields(fields, 0, None)?,
        Kind::Complex { element } => list.fields(&parts_of_complex(element), 0, None)?,
        _ => return Ok(()),
    }
    if list.empty { Ok(()) } else { f.write_char(')') }
}

/// What a complex number of `element`s consists of.
const fn parts_of_complex(element: &Type) -> [Field; 2] {
    [Field { name: "re", offset: 0, ty: *element }, Field { name: "im", offset: element.size, ty: *element }]
}

/// A list of fields in parentheses, as far as it is written.
struct List<'a, 'b> {
    out: &'a mut Formatter<'b>,
    /// The bytes whose fields are listed.
    start: usize,
    end: usize,
    empty: bool,
}

/// How a field is reached from the whole, innermost step first.
struct Path<'a> {
    outer: Option<&'a Self>,
    step: Step,
}

enum Step {
    Field(&'static str),
    Index(usize),
    /// Elements, the last one not included.
    Range(usize, usize),
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            outer.fmt(f)?;
        }
        match self.step {
            Step::Field(name) if self.outer.is_none() => f.write_str(name),
            Step::Field(name) => write!(f, ".{name}"),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Range(first, end) => write!(f, "[{first}..{end}]"),
        }
    }
}

impl List<'_, '_> {
    /// Lists what of `fields`, in a struct at `offset`, lies in the bytes.
    fn fields(&mut self, fields: &[Field], offset: usize, outer: Option<&Path<'_>>) -> fmt::Result {
        fields.iter().try_for_each(|field| {
            let path = Path { outer, step: Step::Field(field.name) };
            self.value(&field.ty, offset + field.offset, &path)
        })
    }

    /// Lists what of a value at `offset` lies in the bytes.
    fn value(&mut self, ty: &Type, offset: usize, path: &Path<'_>) -> fmt::Result {
        let (start, end) = (offset, offset + ty.size);
        if start == end || end <= self.start || start >= self.end {
            return Ok(());
        }
        if self.start <= start && end <= self.end {
            return self.name(path);
        }
        match ty.passed_as().kind {
            Kind::Struct { fields } | Kind::Union { fields } => self.fields(fields, offset, Some(path)),
            Kind::Complex { element } => self.fields(&parts_of_complex(element), offset, Some(path)),
            Kind::Array { element, len } => self.elements(element, len, offset, path),
            _ => self.name(path),
        }
    }

    /// Lists the elements of an array at `offset` that lie in the bytes, neighbours as a range.
    fn elements(&mut self, element: &Type, len: usize, offset: usize, path: &Path<'_>) -> fmt::Result {
        let (start, end) = (self.start, self.end);
        let at = |index: usize| offset + index * element.size;
        let mut index = start.saturating_sub(offset) / element.size;
        while index < len && at(index) < end {
            let whole = (index..len).take_while(|&i| start <= at(i) && at(i + 1) <= end).count();
            if whole > 1 {
                self.name(&Path { outer: Some(path), step: Step::Range(index, index + whole) })?;
                index += whole;
            } else {
                self.value(element, at(index), &Path { outer: Some(path), step: Step::Index(index) })?;
                index += 1;
            }
        }
        Ok(())
    }

    fn name(&mut self, path: &Path<'_>) -> fmt::Result {
        let before = if self.empty { " (" } else { ", " };
        self.empty = false;
        write!(self.out, "{before}{path}")
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;
    use std::string::ToString;

    use super::super::tests::{CHAR, DOUBLE, FLOAT, INT, POINTER, VOID, array, layout, record, union};
    use super::*;

    /// Compares whole tables; `expected` is indented for the eye.
    #[track_caller]
    fn check(found: &Layout<'_>, expected: &str) {
        let expected = expected.trim().replace("\n        ", "\n");
        assert_eq!(found.to_string(), expected, "{found}");
    }

    #[test]
    fn example() {
        let point = record("Point", &[("x", DOUBLE), ("id", INT)]);
        let vec3 = record("Vec3", &[("x", DOUBLE), ("y", DOUBLE), ("z", DOUBLE)]);
        let parameters = [("level", INT), ("at", point), ("name", POINTER)];
        check(
            &layout(Abi::SysV64, false, parameters, vec3),
            "
        sysv64 fn(level: i32, at: Point, name: pointer) -> Vec3
          return  Vec3     24 B  in memory; its address arrives in rdi and leaves in rax
          level   i32       4 B  esi
          at      Point    16 B  xmm0 (x), rdx (id)
          name    pointer   8 B  rcx",
        );
        check(
            &layout(Abi::Win64, true, parameters, INT),
            "
        win64-unwind fn(level: i32, at: Point, name: pointer) -> i32
          return  i32       4 B  eax
          level   i32       4 B  ecx
          at      Point    16 B  by reference; its address is in rdx
          name    pointer   8 B  r8",
        );
    }

    #[test]
    fn nothing_to_say() {
        check(&layout(Abi::SysV64, true, [], VOID), "sysv64-unwind fn()\n  return  ()  0 B  nothing (no bytes)");
    }

    #[test]
    fn nameless_and_on_the_stack() {
        let empty = record("Empty", &[]);
        let big = record("Big", &[("bytes", array(CHAR, 100))]);
        let parameters = [INT, FLOAT, big, empty, CHAR, big].map(|ty| ("", ty));
        check(
            &layout(Abi::SysV64, false, parameters, VOID),
            "
        sysv64 fn(i32, f32, Big, Empty, i8, Big)
          return  ()       0 B  nothing (no bytes)
          #0      i32      4 B  edi
          #1      f32      4 B  xmm0
          #2      Big    100 B  stack, [rsp+8] at entry
          #3      Empty    0 B  nothing (no bytes)
          #4      i8       1 B  sil
          #5      Big    100 B  stack, [rsp+112] at entry",
        );
        check(
            &layout(Abi::Win64, false, parameters, VOID),
            "
        win64 fn(i32, f32, Big, Empty, i8, Big)
          return  ()       0 B  nothing (no bytes)
          #0      i32      4 B  ecx
          #1      f32      4 B  xmm1
          #2      Big    100 B  by reference; its address is in r8
          #3      Empty    0 B  by reference; its address is in r9
          #4      i8       1 B  stack, [rsp+40] at entry
          #5      Big    100 B  by reference; its address is on the stack, [rsp+48] at entry",
        );
    }

    #[test]
    fn long_names_leave_the_columns_alone() {
        let long = record("A_name_that_bindgen_made_of_three_others", &[("first", INT)]);
        check(
            &layout(Abi::SysV64, false, [("a", INT), ("b", long), ("größe", INT)], VOID),
            "
        sysv64 fn(a: i32, b: A_name_that_bindgen_made_of_three_others, größe: i32)
          return  ()   0 B  nothing (no bytes)
          a       i32  4 B  edi
          b       A_name_that_bindgen_made_of_three_others  4 B  esi (first)
          größe   i32  4 B  edx",
        );
    }

    #[test]
    fn fields_of_a_part() {
        let point = record("Point", &[("x", DOUBLE), ("id", INT)]);
        let rgb = record("Rgb", &[("r", CHAR), ("g", CHAR), ("b", CHAR)]);
        let bits = union("Bits", &[("float", FLOAT), ("int", INT), ("bytes", array(CHAR, 12))]);
        let parameters = [
            ("nested", record("Nested", &[("at", point)])),
            ("tuple", record("Tuple", &[("0", INT), ("1", INT), ("2", CHAR)])),
            // The third element lies across the eightbytes.
            ("pixels", record("Pixels", &[("all", array(rgb, 5))])),
            ("bits", bits),
            ("words", record("Words", &[("a", array(array(FLOAT, 2), 2))])),
            ("empty", record("WithEmpty", &[("none", record("Empty", &[])), ("f", FLOAT)])),
        ];
        check(
            &layout(Abi::SysV64, false, parameters, record("Two", &[("a", DOUBLE), ("b", DOUBLE)])),
            "
        sysv64 fn(nested: Nested, tuple: Tuple, pixels: Pixels, bits: Bits, words: Words, empty: WithEmpty) -> Two
          return  Two        16 B  xmm0 (a), xmm1 (b)
          nested  Nested     16 B  xmm0 (at.x), rdi (at.id)
          tuple   Tuple      12 B  rsi (0, 1), edx (2)
          pixels  Pixels     15 B  rcx (all[0..2], all[2].r, all[2].g), r8 (all[2].b, all[3..5])
          bits    Bits       12 B  stack, [rsp+8] at entry
          words   Words      16 B  xmm1 (a[0]), xmm2 (a[1])
          empty   WithEmpty   4 B  xmm3 (f)",
        );
        check(
            &layout(Abi::SysV64, false, [("bits", bits)], VOID),
            "
        sysv64 fn(bits: Bits)
          return  ()     0 B  nothing (no bytes)
          bits    Bits  12 B  rdi (float, int, bytes[0..8]), esi (bytes[8..12])",
        );
    }

    #[test]
    fn register_names() {
        let names = |n: u8| {
            [1, 2, 3, 4, 5, 8].map(|size| {
                Narrow { register: Register::Integer(n), size, architecture: Architecture::X86_64 }.to_string()
            })
        };
        assert_eq!(names(0), ["al", "ax", "eax", "eax", "rax", "rax"]);
        assert_eq!(names(3), ["bl", "bx", "ebx", "ebx", "rbx", "rbx"]);
        assert_eq!(names(6), ["sil", "si", "esi", "esi", "rsi", "rsi"]);
        assert_eq!(names(9), ["r9b", "r9w", "r9d", "r9d", "r9", "r9"]);
        let on = |architecture| [0, 8, 14].map(|n| Register::Integer(n).on(architecture).to_string());
        assert_eq!(on(Architecture::X86_64), ["rax", "r8", "r14"]);
        assert_eq!(on(Architecture::Aarch64), ["x0", "x8", "x14"]);
        assert_eq!(on(Architecture::Arm), ["r0", "r8", "lr"]);
        assert_eq!(on(Architecture::Riscv64), ["zero", "s0", "a4"]);
        assert_eq!(Register::Integer(7).on(Architecture::X86).to_string(), "edi");
        let vector = |architecture, n| {
            [2, 4, 8, 16].map(|size| Narrow { register: Register::Vector(n), size, architecture }.to_string())
        };
        assert_eq!(vector(Architecture::X86_64, 12), ["xmm12"; 4]);
        assert_eq!(vector(Architecture::Aarch64, 5), ["h5", "s5", "d5", "q5"]);
        assert_eq!(vector(Architecture::Arm, 8), ["s8", "s8", "d4", "q2"]);
        assert_eq!(vector(Architecture::Riscv64, 17), ["fa7"; 4]);
        assert_eq!(format!("[{:>7}]", Abi::SysV64), "[ sysv64]");
    }
}
