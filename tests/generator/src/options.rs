//! The command line.

use cbframe_signatures::made;
use cbframe_signatures::signatures::{Family, Signature, Target};

const USAGE: &str = "\
Tests cbframe with signatures that are made up.

  --seed S         which ones; 1 if not given
  --count N        how many; 1000 if not given
  --index I        only the signature with this number
  --abi ABI        only sysv64, or only win64
  --target T       for this target; CARGO_TARGET_T_LINKER and CARGO_TARGET_T_RUNNER as for cargo
  --rustflags F    flags for rustc, such as -Ctarget-feature=+avx
  --batch N        how many are compiled at a time
  --jobs N         how many batches at a time";

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) seed: u64,
    pub(crate) count: usize,
    pub(crate) index: Option<u64>,
    pub(crate) abi: Option<Family>,
    pub(crate) rustflags: String,
    /// The target; the host's if not given.
    pub(crate) target: Option<String>,
    pub(crate) batch: usize,
    pub(crate) jobs: usize,
    /// Statements that make callbacks wrong, for the test of this program.
    pub(crate) spoil: Option<fn(&Signature) -> String>,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        let (abi, rustflags, target, spoil) = (None, String::new(), None, None);
        let mut options = Self { seed: 1, count: 1000, index: None, abi, rustflags, target, batch: 100, jobs, spoil };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or(USAGE)?;
            let number = || value.parse::<u64>().map_err(|error| format!("{name} {value}: {error}\n{USAGE}"));
            match name.as_str() {
                "--seed" => options.seed = number()?,
                "--count" => options.count = number()? as usize,
                "--index" => options.index = Some(number()?),
                "--abi" if value == "sysv64" => options.abi = Some(Family::SysV64),
                "--abi" if value == "win64" => options.abi = Some(Family::Win64),
                "--rustflags" => options.rustflags = value,
                "--target" => options.target = Some(value),
                "--batch" => options.batch = (number()? as usize).max(1),
                "--jobs" => options.jobs = (number()? as usize).max(1),
                "--spoil" if value == "value" => options.spoil = Some(spoil_value),
                "--spoil" if value == "process" => options.spoil = Some(spoil_process),
                _ => return Err(format!("{name} {value}?\n{USAGE}")),
            }
        }
        Ok(options)
    }

    /// What the programs are made for.
    pub(crate) fn made_for(&self) -> Target {
        self.target.as_deref().map_or(Target::Linux, Target::named)
    }

    /// Whether the signature at `index` is of a convention that was asked for.
    pub(crate) fn takes(&self, index: u64) -> bool {
        self.abi.is_none_or(|family| made::family(self.made_for(), index) == family)
    }
}

/// The parameter that `spoil_value` and `spoil_process` look for: a `double` behind a struct that has an `int16_t`.
fn spoilt(signature: &Signature) -> Option<usize> {
    let has_short = |index: usize| {
        let ty = &signature.parameters[index];
        ty.aggregate().is_some_and(|aggregate| !aggregate.union) && ty.has(|scalar| scalar.name == "i16")
    };
    (1..signature.parameters.len()).find(|i| signature.parameters[*i].rust() == "f64" && (0..*i).any(has_short))
}

/// Changes the fourth byte of that parameter.
fn spoil_value(signature: &Signature) -> String {
    spoilt(signature).map_or(String::new(), |i| format!("let p{i} = f64::from_bits(p{i}.to_bits() ^ 0x0100_0000); "))
}

/// Kills the process.
fn spoil_process(signature: &Signature) -> String {
    spoilt(signature).map_or(String::new(), |_| "std::process::abort(); ".into())
}
