//! Constant expressions: lengths of arrays, alignments, values of enums.
//!
//! They are calculated in the types that C gives them (C17, 6.3.1.8). What C leaves undefined is refused.

use alloc::format;

use super::Parser;
use super::tokens::Is;
use crate::parse::ParseError;

/// An integer with its type: at least `int`, since C promotes what is narrower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Constant {
    pub(super) value: i128,
    /// 32 or 64.
    bits: u32,
    unsigned: bool,
}

impl Constant {
    pub(super) const fn int(value: i128) -> Self {
        Self { value, bits: 32, unsigned: false }
    }

    /// The value in the first of these types that has it: `int`, `unsigned int` if `or_unsigned`, and so on.
    pub(super) fn smallest(value: i128, or_unsigned: bool) -> Option<Self> {
        [(32, false), (32, true), (64, false), (64, true)]
            .into_iter()
            .filter(|(_, unsigned)| !unsigned || or_unsigned)
            .map(|(bits, unsigned)| Self { value, bits, unsigned })
            .find(Self::fits)
    }

    fn fits(&self) -> bool {
        let (low, high) =
            if self.unsigned { (0, 1 << self.bits) } else { (-1 << (self.bits - 1), 1 << (self.bits - 1)) };
        (low..high).contains(&self.value)
    }

    /// The value in this type; wrapped around if it is unsigned, and `None` if it is signed and too small for it.
    fn wrapped(self) -> Option<Self> {
        let value = if self.unsigned { self.value & ((1 << self.bits) - 1) } else { self.value };
        Some(Self { value, ..self }).filter(Self::fits)
    }

    /// Both in the type that an operator has for them.
    fn common(self, other: Self) -> Option<(Self, Self)> {
        let bits = self.bits.max(other.bits);
        let unsigned = [self, other].iter().any(|it| it.unsigned && it.bits == bits);
        let convert = |it: Self| Self { bits, unsigned, ..it }.wrapped();
        Some((convert(self)?, convert(other)?))
    }
}

/// The binary operators that bind equally, those that bind least first.
const OPERATORS: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<", ">", "<=", ">="],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

/// `None` where C has no value.
fn apply(operator: &str, left: Constant, right: Constant) -> Option<Constant> {
    let truth = |is: bool| Some(Constant::int(is.into()));
    match operator {
        "||" => return truth(left.value != 0 || right.value != 0),
        "&&" => return truth(left.value != 0 && right.value != 0),
        "<<" | ">>" if !(0..i128::from(left.bits)).contains(&right.value) => return None,
        "<<" if left.value < 0 => return None,
        "<<" => return Constant { value: left.value << right.value, ..left }.wrapped(),
        ">>" => return Some(Constant { value: left.value >> right.value, ..left }),
        _ => {}
    }
    let (left, right) = left.common(right)?;
    let (a, b) = (left.value, right.value);
    let value = match operator {
        "==" => return truth(a == b),
        "!=" => return truth(a != b),
        "<" => return truth(a < b),
        ">" => return truth(a > b),
        "<=" => return truth(a <= b),
        ">=" => return truth(a >= b),
        "|" => a | b,
        "^" => a ^ b,
        "&" => a & b,
        "+" => a + b,
        "-" => a - b,
        // Both have at most 64 bits, so only the product of two `unsigned long`s could be too large for an `i128`.
        "*" => a.wrapping_mul(b),
        "/" => a.checked_div(b)?,
        _ => a.checked_rem(b)?,
    };
    Constant { value, ..left }.wrapped()
}

impl Parser<'_> {
    /// A constant expression.
    pub(super) fn constant(&mut self) -> Result<Constant, ParseError> {
        self.nested(|p| {
            let condition = p.binary(0)?;
            if !p.eat("?") {
                return Ok(condition);
            }
            let start = p.here();
            let yes = p.constant()?;
            p.expect(":")?;
            let no = p.constant()?;
            let (yes, no) = yes.common(no).ok_or_else(|| p.valueless(start))?;
            Ok(if condition.value != 0 { yes } else { no })
        })
    }

    fn binary(&mut self, level: usize) -> Result<Constant, ParseError> {
        let Some(operators) = OPERATORS.get(level) else { return self.unary() };
        let start = self.here();
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.is(operator)) {
            self.advance();
            let right = self.binary(level + 1)?;
            left = apply(operator, left, right).ok_or_else(|| self.valueless(start))?;
        }
        Ok(left)
    }

    /// An error: no value from the token at `start` to here.
    fn valueless(&self, start: usize) -> ParseError {
        self.error(self.since(start), "C gives this no value: it overflows, divides by zero, or shifts too far")
    }

    fn unary(&mut self) -> Result<Constant, ParseError> {
        let start = self.here();
        if let Some(operator) = ["+", "-", "~", "!"].into_iter().find(|operator| self.is(operator)) {
            self.advance();
            let operand = self.nested(Self::unary)?;
            let negated = match operator {
                "+" => Some(operand),
                "-" => Constant { value: -operand.value, ..operand }.wrapped(),
                "~" => Constant { value: !operand.value, ..operand }.wrapped(),
                _ => Some(Constant::int((operand.value == 0).into())),
            };
            return negated.ok_or_else(|| self.valueless(start));
        }
        let word = self.word().unwrap_or_default();
        match word {
            "sizeof" | "_Alignof" | "alignof" | "__alignof__" | "__alignof" => self.size_or_alignment(),
            _ => self.primary(),
        }
    }

    fn size_or_alignment(&mut self) -> Result<Constant, ParseError> {
        let start = self.here();
        let is_size = self.word() == Some("sizeof");
        self.advance();
        if !self.is("(") || !self.starts_type(self.here() + 1) {
            return Err(self.error(self.since(start), "only of types in parentheses is this calculated"));
        }
        self.advance();
        let (ty, range) = self.type_name()?;
        self.expect(")")?;
        let ty = self.complete(&ty, range.clone())?;
        if ty == crate::types::Type::VOID {
            return Err(self.error(range, "`void` has no size"));
        }
        let value = if is_size { ty.size } else { ty.align };
        Ok(Constant { value: value as i128, bits: 8 * self.platform.model.pointer.size as u32, unsigned: true })
    }

    fn primary(&mut self) -> Result<Constant, ParseError> {
        if self.is("(") {
            if self.starts_type(self.here() + 1) {
                return Err(self.error(self.range(), "casts are not calculated: write the value"));
            }
            self.advance();
            let value = self.constant()?;
            self.expect(")")?;
            return Ok(value);
        }
        let token = self.token();
        let value = match token.is {
            Is::Number => self.number()?,
            Is::Character => self.character()?,
            Is::Word => {
                let word = self.word().unwrap_or_default();
                match self.constant_named(word) {
                    Some(value) => value,
                    None => return Err(self.error(self.range(), format!("`{word}` is no constant that was declared"))),
                }
            }
            _ => return Err(self.unexpected("a constant")),
        };
        self.advance();
        Ok(value)
    }

    /// An integer constant (C17, 6.4.4.1).
    fn number(&self) -> Result<Constant, ParseError> {
        let text = self.spelling().to_ascii_lowercase();
        let refused = |what: &str| Err(self.error(self.range(), what));
        let (digits, radix) = match text.as_bytes() {
            [b'0', b'x', ..] => (&text[2..], 16),
            [b'0', b'b', ..] => (&text[2..], 2),
            [b'0', ..] => (&text[..], 8),
            _ => (&text[..], 10),
        };
        let (digits, suffix) =
            digits.split_at(digits.find(|c: char| !c.is_digit(radix.max(10))).unwrap_or(digits.len()));
        let Ok(value) = i128::from_str_radix(digits, radix) else { return refused("no integer that C has") };
        let (unsigned, size) = match suffix {
            "" => (false, 4),
            "u" => (true, 4),
            "l" => (false, self.platform.model.long.size),
            "ul" | "lu" => (true, self.platform.model.long.size),
            "ll" => (false, 8),
            "ull" | "llu" => (true, 8),
            _ => return refused("no integer that C has"),
        };
        let bits = 8 * size as u32;
        let typed = [32, 64]
            .into_iter()
            .filter(|it| *it >= bits)
            .flat_map(|bits| [(bits, false), (bits, true)])
            .filter(|(_, is_unsigned)| if unsigned { *is_unsigned } else { radix != 10 || !is_unsigned })
            .map(|(bits, unsigned)| Constant { value, bits, unsigned })
            .find(Constant::fits);
        typed.map_or_else(|| refused("this integer is too large for C"), Ok)
    }

    /// A character constant of one byte, which is an `int` with the value of a `char`.
    fn character(&self) -> Result<Constant, ParseError> {
        let inner = &self.spelling()[1..self.spelling().len() - 1];
        let value = match inner.as_bytes() {
            [byte] if byte.is_ascii() && *byte != b'\\' => i128::from(*byte),
            [b'\\', escape] => match escape {
                b'0' => 0,
                b'n' => 10,
                b't' => 9,
                b'r' => 13,
                b'\\' | b'\'' | b'"' => i128::from(*escape),
                _ => return Err(self.error(self.range(), "an escape that is not read here: write the number")),
            },
            _ => return Err(self.error(self.range(), "only characters of one byte are read: write the number")),
        };
        Ok(Constant::int(value))
    }
}
