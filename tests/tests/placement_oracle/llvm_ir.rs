//! Where clang's callees find their parameters: the LLVM IR of a function says how clang classified each.
//!
//! A `define` has one IR parameter for each piece of a C parameter that is in a register, and `byval` for what is in
//! memory; how LLVM hands out registers to those is simple, and written down here again.

use cbframe::abi::{Abi, Layout, Parameter, Place, Pointer, Register};
use cbframe::types::{Kind, Type};

/// What a piece of a value is for LLVM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Integer(usize),
    Pointer,
    Vector(usize),
    X87,
}

impl Piece {
    fn size(self) -> usize {
        match self {
            Self::Integer(size) | Self::Vector(size) => size,
            Self::Pointer => 8,
            Self::X87 => 10,
        }
    }
}

/// A parameter or the result of a `define`.
#[derive(Debug)]
struct Value {
    /// The C parameter.
    name: String,
    pieces: Vec<Piece>,
    /// The alignment, if it is a copy on the stack.
    byval: Option<usize>,
    sret: bool,
}

/// Where a value is: like [`Place`], in as much detail as the IR has.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Registers(Vec<(Register, Piece)>),
    Stack(usize),
    Reference(Pointer),
    Hidden,
}

/// What in clang's function `callee_{index}` is not as in `layout`.
pub(crate) fn differences(ir: &str, index: usize, layout: &Layout<'_>) -> Vec<String> {
    let symbol = format!(" @callee_{index}(");
    let line = ir.lines().find(|line| line.starts_with("define") && line.contains(&symbol)).expect("the definition");
    let (before, rest) = line.split_once(&symbol).expect("it was found");
    let (parameters, _) = rest.split_at(closing(rest));
    let parameters: Vec<Value> = split(parameters).map(value).collect();

    let (found, result) = match layout.abi() {
        Abi::Win64 => windows(&parameters, result(before), layout),
        _ => system_v(&parameters, result(before), layout),
    };
    let mut wrong = Vec::new();
    for (i, (found, parameter)) in found.iter().zip(layout.parameters()).enumerate() {
        if !same(found, &parameter.place) {
            wrong.push(format!("#{i}: clang has {found:?}"));
        }
    }
    if !same(&result, &layout.result().place) {
        wrong.push(format!("the result: clang has {result:?}"));
    }
    if !wrong.is_empty() {
        wrong.push(line.into());
    }
    wrong
}

/// What System V's registers and stack hold.
fn system_v(parameters: &[Value], result: Vec<Piece>, layout: &Layout<'_>) -> (Vec<Found>, Found) {
    let [rdi, rsi, rdx, rcx, r8, r9] = [7, 6, 2, 1, 8, 9].map(Register::Integer);
    let mut integers = [rdi, rsi, rdx, rcx, r8, r9].into_iter();
    let mut vectors = (0..8).map(Register::Vector);
    let mut stack = 0;

    let hidden = parameters.first().is_some_and(|first| first.sret);
    let result = if hidden {
        assert_eq!(integers.next(), Some(rdi));
        Found::Hidden
    } else {
        let mut integers = [0, 2].map(Register::Integer).into_iter();
        let (mut vectors, mut x87) = ((0..2).map(Register::Vector), (0..2).map(Register::X87));
        registers(result.iter().map(|&piece| {
            let register = match piece {
                Piece::Integer(_) | Piece::Pointer => integers.next(),
                Piece::Vector(_) => vectors.next(),
                Piece::X87 => x87.next(),
            };
            (register.expect("no result has more pieces"), piece)
        }))
    };

    let mut place = |(i, parameter): (usize, &Parameter)| {
        let name = format!("p{i}v");
        let values = || parameters.iter().filter(|value| value.name == name);
        let mut in_memory = |align: usize, size: usize| {
            let offset = usize::next_multiple_of(stack, align.max(8));
            stack = offset + size.next_multiple_of(8);
            Found::Stack(offset)
        };
        if let Some(align) = values().find_map(|value| value.byval) {
            return in_memory(align, parameter.ty.size);
        }
        let mut taken = Vec::new();
        for &piece in values().flat_map(|value| &value.pieces) {
            let register = match piece {
                // Two registers are two pieces; this is what clang writes if there are no two.
                Piece::Integer(16) | Piece::X87 => None,
                Piece::Integer(_) | Piece::Pointer => integers.next(),
                Piece::Vector(_) => vectors.next(),
            };
            match register {
                Some(register) => taken.push((register, piece)),
                None => {
                    let size = piece.size().next_power_of_two();
                    return in_memory(size, size);
                }
            }
        }
        registers(taken.into_iter())
    };
    (layout.parameters().iter().enumerate().map(&mut place).collect(), result)
}

/// What the positions of Windows hold.
fn windows(parameters: &[Value], result: Vec<Piece>, layout: &Layout<'_>) -> (Vec<Found>, Found) {
    let hidden = parameters.first().is_some_and(|first| first.sret);
    let result = match result[..] {
        _ if hidden => Found::Hidden,
        [] => Found::Nothing,
        [piece @ Piece::Vector(_)] => Found::Registers(vec![(Register::Vector(0), piece)]),
        [piece @ (Piece::Integer(_) | Piece::Pointer)] => Found::Registers(vec![(Register::Integer(0), piece)]),
        _ => panic!("a result of {result:?}"),
    };
    let arguments = parameters.iter().enumerate().skip(usize::from(hidden)).zip(layout.parameters());
    let found = arguments.map(|((position, value), parameter)| {
        let register = match position {
            0..4 => Some([1, 2, 8, 9].map(Register::Integer)[position]),
            _ => None,
        };
        let stack = 32 + 8 * (position.max(4) - 4);
        match (&value.pieces[..], register) {
            ([Piece::Pointer], Some(register)) if !is_pointer(&parameter.ty) => {
                Found::Reference(Pointer::Register(register))
            }
            ([Piece::Pointer], None) if !is_pointer(&parameter.ty) => Found::Reference(Pointer::Stack(stack as u32)),
            // LLVM's rule, not clang's.
            ([Piece::Vector(16..)], Some(register)) => Found::Reference(Pointer::Register(register)),
            ([Piece::Vector(16..)], None) => Found::Reference(Pointer::Stack(stack as u32)),
            (&[piece @ Piece::Vector(_)], Some(_)) => Found::Registers(vec![(Register::Vector(position as u8), piece)]),
            (&[piece], Some(register)) => Found::Registers(vec![(register, piece)]),
            ([_], None) => Found::Stack(stack),
            (pieces, _) => panic!("an argument of {pieces:?}"),
        }
    });
    (found.collect(), result)
}

fn is_pointer(ty: &Type) -> bool {
    match ty.kind {
        Kind::MaybeUninit { of } => is_pointer(of),
        Kind::Pointer { .. } => true,
        _ => false,
    }
}

fn registers(taken: impl Iterator<Item = (Register, Piece)>) -> Found {
    let taken: Vec<_> = taken.collect();
    if taken.is_empty() { Found::Nothing } else { Found::Registers(taken) }
}

fn same(found: &Found, place: &Place) -> bool {
    match (found, place) {
        (Found::Nothing, Place::Nothing) | (Found::Hidden, Place::Hidden { .. }) => true,
        (Found::Stack(found), Place::Stack(offset)) => *found == *offset as usize,
        (Found::Reference(found), Place::Reference(pointer)) => found == pointer,
        (Found::Registers(found), Place::Registers(parts)) => {
            let mut offset = 0;
            found.len() == parts.as_slice().len()
                && found.iter().zip(parts.as_slice()).all(|(&(register, piece), part)| {
                    offset = usize::next_multiple_of(offset, piece.size().next_power_of_two().min(16));
                    let here = register == part.register && offset == usize::from(part.offset);
                    offset += piece.size();
                    // Of an eightbyte with padding clang takes more or less than there is.
                    here && (piece.size() <= 8 && part.size <= 8 || piece.size() == usize::from(part.size))
                })
        }
        _ => false,
    }
}

/// The result type at the end of what stands before the function's name.
fn result(before: &str) -> Vec<Piece> {
    let words: Vec<&str> = before.split(' ').collect();
    // The attributes of the result are no types.
    let types = (0..words.len()).map(|from| words[from..].join(" "));
    types.filter_map(|text| pieces(&text)).next().unwrap_or_else(|| panic!("no type in `{before}`"))
}

/// `double noundef %p0v.coerce0`, `ptr noundef byval(%struct.T3) align 8 %p1v`.
fn value(text: &str) -> Value {
    let (rest, name) = text.rsplit_once(" %").expect("values have names");
    // Of `p1v.coerce0` the name of the C parameter. clang appends digits to names that are not unique.
    let name = name.split('.').next().expect("the first of all").to_owned();
    let end = type_end(rest);
    let (ty, attributes) = rest.split_at(end);
    let byval = attributes.contains(" byval(").then(|| {
        let (_, align) = attributes.split_once(" align ").expect("`byval` has an alignment");
        align.split(' ').next().expect("a number").parse().expect("a number")
    });
    let pieces = pieces(ty).unwrap_or_else(|| panic!("no type: `{ty}`"));
    Value { name, pieces, byval, sret: attributes.contains(" sret(") }
}

/// Where the type at the start of `text` ends.
fn type_end(text: &str) -> usize {
    match text.as_bytes()[0] {
        b'{' | b'<' | b'[' => 1 + closing(&text[1..]) + 1,
        _ => text.find(' ').unwrap_or(text.len()),
    }
}

/// Where the bracket closes that was opened just before `text`.
fn closing(text: &str) -> usize {
    let mut depth = 0;
    text.find(|c| {
        depth += i32::from("({[<".contains(c)) - i32::from(")}]>".contains(c));
        depth < 0
    })
    .expect("brackets match")
}

/// Splits at the commas that are in no brackets.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    text.split(move |c| {
        depth += i32::from("({[<".contains(c)) - i32::from(")}]>".contains(c));
        depth == 0 && c == ','
    })
    .map(str::trim)
    .filter(|text| !text.is_empty())
}

/// The pieces of a value of an LLVM type, or `None` if `text` is no type.
fn pieces(text: &str) -> Option<Vec<Piece>> {
    let inner = || text.get(1..text.len() - 1).map(str::trim);
    Some(match text {
        "void" => Vec::new(),
        "ptr" => vec![Piece::Pointer],
        "half" => vec![Piece::Vector(2)],
        "float" => vec![Piece::Vector(4)],
        "double" => vec![Piece::Vector(8)],
        "fp128" => vec![Piece::Vector(16)],
        "x86_fp80" => vec![Piece::X87],
        _ if text.starts_with('{') && type_end(text) == text.len() => {
            split(inner()?).map(pieces).collect::<Option<Vec<_>>>()?.concat()
        }
        _ if text.starts_with('<') && type_end(text) == text.len() => {
            let (count, element) = inner()?.split_once(" x ")?;
            vec![Piece::Vector(count.parse::<usize>().ok()? * pieces(element)?.first()?.size())]
        }
        _ => vec![Piece::Integer(text.strip_prefix('i')?.parse::<usize>().ok()?.div_ceil(8))],
    })
}
