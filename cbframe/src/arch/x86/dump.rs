//! The registers as text.

use core::fmt;

use super::registers::Gpr;
use super::state::{CpuState, CpuSubset};
use crate::abi::{Layout, Register};
use crate::arch::intel::Fxsave;
use crate::arch::notes::Notes;

/// The order in which general registers are shown.
const ORDER: [Gpr; 8] = [Gpr::Eax, Gpr::Ebx, Gpr::Ecx, Gpr::Edx, Gpr::Esi, Gpr::Edi, Gpr::Ebp, Gpr::Esp];

/// The flags' positions and names (Intel SDM volume 1, section 3.4.3).
const FLAGS: [(u32, &str); 16] = [
    (0, "CF"),
    (2, "PF"),
    (4, "AF"),
    (6, "ZF"),
    (7, "SF"),
    (8, "TF"),
    (9, "IF"),
    (10, "DF"),
    (11, "OF"),
    (14, "NT"),
    (16, "RF"),
    (17, "VM"),
    (18, "AC"),
    (19, "VIF"),
    (20, "VIP"),
    (21, "ID"),
];

/// The dump: general registers as hexadecimal, `i32` and `f32`; the stack from the return address on; of what was
/// saved, mxcsr, vector registers by lane and the live x87 registers. `{:#}` adds eflags with the names of the set
/// flags, the vector registers that are zero, and the x87 unit's control words.
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
    /// The dump, with notes which argument of a call with this layout each register and word of the stack holds. Nothing but
    /// the layout says that there was such a call.
    ///
    /// A general register or word of the stack that holds an argument is not shown as what else it could be:
    /// `ecx = 0x2a  #0 level: i32 = 42`. `{:#}` adds what it adds without a layout.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::{CpuState, cbframe};
    ///
    /// #[cbframe(abi = "fastcall")]
    /// fn log(level: i32, weight: f32, #[cpu] cpu: &mut CpuState) {
    ///     let text = cpu.display_with(log::LAYOUT).to_string();
    ///     let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap();
    ///     assert_eq!(line("ecx"), "ecx = 0x2a  #0 level: i32 = 42");
    ///     assert!(line("[esp+0x4").ends_with("  #1 weight: f32 = 0.5"), "{text}");
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
        if f.alternate() {
            self.write_flags(f)?;
        }
        self.write_vectors(f, notes)?;
        self.write_x87(f)?;
        for (i, word) in self.stack().iter().flatten().enumerate() {
            write!(f, "[esp+{:<#4x}]", 4 * i)?;
            // The arguments lie above the return address.
            let offset = (i as u32).checked_sub(1).map(|above| 4 * above);
            let mut notes = notes.zip(offset).into_iter().flat_map(|(notes, offset)| notes.on_stack(offset)).peekable();
            match notes.peek() {
                Some(_) => write!(f, " = {word:#x}")?,
                None => write!(f, " {word:#010x}")?,
            }
            notes.try_for_each(|note| note.write(f, &word.to_le_bytes()))?;
            writeln!(f)?;
        }
        Ok(())
    }

    fn write_integers(&self, f: &mut fmt::Formatter<'_>, notes: Option<&Notes<'_>>) -> fmt::Result {
        writeln!(f, "{:<5} {:<10} {:>12} {:>16}", "", "hex", "i32", "f32")?;
        let line = |f: &mut fmt::Formatter<'_>, name: &str, value: u32| {
            let (int, float) = (value as i32, f32::from_bits(value));
            write!(f, "{name:<5} {value:#010x} {int:>12} {float:>16.6e}")
        };
        for register in ORDER {
            let Some(value) = self.gpr(register) else { continue };
            let place = Register::Integer(register as u8);
            let mut notes = notes.into_iter().flat_map(|notes| notes.on_register(place)).peekable();
            match notes.peek() {
                Some(_) => write!(f, "{register} = {:#x}", value.0)?,
                None => line(f, register.name(), value.0)?,
            }
            notes.try_for_each(|note| note.write(f, &value.0.to_le_bytes()))?;
            writeln!(f)?;
        }
        line(f, "eip", self.eip())?;
        writeln!(f)
    }

    fn write_flags(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(flags) = self.eflags() else { return Ok(()) };
        write!(f, "flags {flags:#010x}")?;
        for (bit, name) in FLAGS {
            if flags >> bit & 1 == 1 {
                write!(f, " {name}")?;
            }
        }
        writeln!(f)
    }

    fn write_vectors(&self, f: &mut fmt::Formatter<'_>, notes: Option<&Notes<'_>>) -> fmt::Result {
        let all = f.alternate();
        let note = |f: &mut fmt::Formatter<'_>, number: usize, bytes: &[u8]| {
            let mut notes = notes.into_iter().flat_map(|notes| notes.on_register(Register::Vector(number as u8)));
            notes.try_for_each(|note| note.write(f, bytes))?;
            writeln!(f)
        };
        if let Some(mxcsr) = self.mxcsr() {
            writeln!(f, "mxcsr {mxcsr:#010x}")?;
        }
        for number in 0..8 {
            let Some(xmm) = self.xmm(number) else { continue };
            if all || xmm.bytes != [0; 16] {
                let [a, b, c, d] = core::array::from_fn(|lane| xmm.f32(lane));
                let doubles = [xmm.f64(0), xmm.f64(1)];
                write!(
                    f,
                    "xmm{number:<2} {xmm:?}  f64 {:?} {:?}  f32 {a:?} {b:?} {c:?} {d:?}",
                    doubles[0], doubles[1]
                )?;
                note(f, number, &xmm.bytes)?;
            }
        }
        Ok(())
    }

    fn write_x87(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(x87) = self.x87() else { return Ok(()) };
        if f.alternate() {
            let Fxsave { control, status, tags, opcode, instruction, data, .. } = x87;
            writeln!(
                f,
                "x87   fcw {control:#06x} fsw {status:#06x} tags {tags:#04x} fop {opcode:#06x} \
                 fip {instruction:#x} fdp {data:#x} mxcsr mask {:#x}",
                x87.mxcsr_mask()
            )?;
        }
        for index in 0..8 {
            if let Some(value) = x87.st(index) {
                writeln!(f, "st({index}) {value:?}")?;
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
