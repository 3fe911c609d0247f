//! The registers as text.

use core::fmt;

use super::state::{CpuState, CpuSubset};
use crate::abi::{Layout, Register};
use crate::arch::notes::Notes;

/// The dump: general registers as hexadecimal, `f64`, `i32` and `f32`; the stack from the arguments on; of what was saved, fcsr,
/// and floating-point registers. `{:#}` adds the floating-point registers that are zero.
impl fmt::Display for CpuSubset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, None)
    }
}

/// A [`CpuState`] or [`CpuSubset`] as text, with notes which argument each register and word of the stack holds: see
/// [`CpuSubset::display_with`].
#[derive(Clone, Copy)]
pub struct Annotated<'a> {
    cpu: &'a CpuSubset,
    layout: &'a Layout<'a>,
}

impl fmt::Display for Annotated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cpu.write(f, Some(&Notes { layout: self.layout }))
    }
}

impl fmt::Debug for Annotated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl CpuSubset {
    /// The dump, with notes which argument of a call with this layout each register and word of the stack holds. Nothing but the
    /// layout says that there was such a call.
    ///
    /// A general register or word of the stack that holds an argument is not shown as what else it could be:
    /// `x10 = 0x2a  #0 level: i32 = 42`. `{:#}` adds what it adds without a layout.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::{CpuState, cbframe};
    ///
    /// #[cbframe(abi = "C")]
    /// fn log(level: i64, weight: f64, #[cpu] cpu: &mut CpuState) {
    ///     let text = cpu.display_with(log::LAYOUT).to_string();
    ///     let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap();
    ///     assert_eq!(line("x10"), "x10 = 0x2a  #0 level: i64 = 42");
    ///     assert!(line("f10").ends_with("  #1 weight: f64 = 0.5"), "{text}");
    /// }
    ///
    /// // SAFETY: the handler changes nothing.
    /// unsafe { log::FN(42, 0.5) };
    /// ```
    #[must_use]
    pub const fn display_with<'a>(&'a self, layout: &'a Layout<'a>) -> Annotated<'a> {
        crate::arch::check_native(layout.abi());
        Annotated { cpu: self, layout }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, notes: Option<&Notes<'_>>) -> fmt::Result {
        self.write_integers(f, notes)?;
        self.write_floats(f, notes)?;
        for (i, word) in self.stack().iter().flatten().enumerate() {
            write!(f, "[sp+{:<#4x}]", 8 * i)?;
            let offset = 8 * i as u32;
            let mut notes = notes.into_iter().flat_map(|notes| notes.on_stack(offset)).peekable();
            match notes.peek() {
                Some(_) => write!(f, " = {word:#x}")?,
                None => write!(f, " {word:#018x}")?,
            }
            notes.try_for_each(|note| note.write(f, &word.to_le_bytes()))?;
            writeln!(f)?;
        }
        Ok(())
    }

    fn write_integers(&self, f: &mut fmt::Formatter<'_>, notes: Option<&Notes<'_>>) -> fmt::Result {
        writeln!(f, "{:<5} {:<18} {:>24} {:>12} {:>16}", "", "hex", "f64", "i32", "f32")?;
        let line = |f: &mut fmt::Formatter<'_>, name: fmt::Arguments<'_>, value: u64| {
            let (double, int) = (f64::from_bits(value), value as i32);
            let float = f32::from_bits(value as u32);
            write!(f, "{name} {value:#018x} {double:>24.6e} {int:>12} {float:>16.6e}")
        };
        for number in 1..32 {
            let Some(value) = self.x(number) else { continue };
            let place = Register::Integer(number as u8);
            let mut notes = notes.into_iter().flat_map(|notes| notes.on_register(place)).peekable();
            match notes.peek() {
                Some(_) => write!(f, "x{number} = {:#x}", value.0)?,
                None => line(f, format_args!("x{number:<4}"), value.0)?,
            }
            notes.try_for_each(|note| note.write(f, &value.0.to_le_bytes()))?;
            writeln!(f)?;
        }
        line(f, format_args!("pc   "), self.pc())?;
        writeln!(f)
    }

    fn write_floats(&self, f: &mut fmt::Formatter<'_>, notes: Option<&Notes<'_>>) -> fmt::Result {
        if let Some(fcsr) = self.fcsr() {
            writeln!(f, "fcsr  {fcsr:#010x}")?;
        }
        for number in 0..32 {
            let Some(float) = self.f(number) else { continue };
            if f.alternate() || float.bytes != [0; 8] {
                write!(f, "f{number:<4} {float:?}  f64 {:?}  f32 {:?}", float.f64(0), float.f32(0))?;
                let mut notes = notes.into_iter().flat_map(|notes| notes.on_register(Register::Vector(number as u8)));
                notes.try_for_each(|note| note.write(f, &float.bytes))?;
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for CpuSubset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// As for [`CpuSubset`].
impl fmt::Display for CpuState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl fmt::Debug for CpuState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
