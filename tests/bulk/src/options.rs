//! The command line.

use cbframe_signatures::made;
use cbframe_signatures::signatures::{Family, Signature, Target};

const USAGE: &str = "\
Tests signatures that are known at run time only, and made up, against C.

  --seed S         which ones; 1 if not given
  --count N        how many; 1000 if not given
  --index I        only the signature with this number
  --abi ABI        only sysv64, or only win64
  --batch N        how many are compiled at a time";

/// What was asked for.
pub(crate) struct Options {
    pub(crate) seed: u64,
    count: usize,
    index: Option<u64>,
    abi: Option<Family>,
    pub(crate) batch: usize,
    /// Statements that make C functions wrong, for the test of this program.
    pub(crate) spoil: Option<fn(&Signature) -> String>,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { seed: 1, count: 1000, index: None, abi: None, batch: 200, spoil: None };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or(USAGE)?;
            let number = || value.parse::<u64>().map_err(|error| format!("{name} {value}: {error}\n{USAGE}"));
            match name.as_str() {
                "--seed" => options.seed = number()?,
                "--count" => options.count = number()? as usize,
                "--index" => options.index = Some(number()?),
                "--abi" if value == "sysv64" => options.abi = Some(Family::SysV64),
                "--abi" if value == "win64" => options.abi = Some(Family::Win64),
                "--batch" => options.batch = (number()? as usize).max(1),
                "--spoil" if value == "value" => options.spoil = Some(spoil_value),
                "--spoil" if value == "process" => options.spoil = Some(spoil_process),
                _ => return Err(format!("{name} {value}?\n{USAGE}")),
            }
        }
        Ok(options)
    }

    /// The numbers of the signatures.
    pub(crate) fn indices(&self) -> Vec<u64> {
        let takes = |index: &u64| self.abi.is_none_or(|family| made::family(Target::HOST, *index) == family);
        match self.index {
            Some(index) => vec![index],
            None => (0..).filter(takes).take(self.count).collect(),
        }
    }
}

/// Changes the fourth byte of a `double` that is the last parameter, behind at least one other.
fn spoil_value(signature: &Signature) -> String {
    spoilt(signature).map_or(String::new(), |i| format!("((unsigned char *)&p{i})[3] ^= 1; "))
}

/// Kills the process.
fn spoil_process(signature: &Signature) -> String {
    spoilt(signature).map_or(String::new(), |_| "__builtin_trap(); ".into())
}

fn spoilt(signature: &Signature) -> Option<usize> {
    let last = signature.parameters.len().checked_sub(1)?;
    (last > 0 && signature.parameters[last].c() == "double").then_some(last)
}
