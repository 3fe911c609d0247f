//! The ABIs, each on its target, and what text means there.

use cbframe::abi::{Abi, CallingConvention, Convention, Signature, Target};
use cbframe::conventions::{GoInternal, PreserveAll, PreserveMost, PreserveNoneClang19, Regcall, Vectorcall};
use cbframe::parse::{CDeclarations, ParseError, RustDeclarations};

/// A convention on a target, whose types C has.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    pub(crate) target: Target,
    pub(crate) abi: Abi,
}

/// Conventions that are data. One of your own is one more line.
const CONVENTIONS: [(Target, &Convention); 6] = [
    (Target::X86_64Unix, Regcall::CONVENTION),
    (Target::X86_64Unix, PreserveMost::CONVENTION),
    (Target::X86_64Unix, PreserveAll::CONVENTION),
    (Target::X86_64Unix, PreserveNoneClang19::CONVENTION),
    (Target::X86_64Unix, GoInternal::CONVENTION),
    (Target::X86_64Windows, Vectorcall::CONVENTION),
];

/// What the text is.
#[derive(Clone, Copy, Default)]
pub(crate) enum Language {
    #[default]
    C,
    Rust,
}

/// All of them, by target.
pub(crate) fn all() -> Vec<Known> {
    let of_target = |target: Target| {
        let data = CONVENTIONS.iter().filter(move |(of, _)| *of == target).map(|(_, data)| Abi::Named(data));
        target.abis().iter().copied().chain(data).map(move |abi| Known { target, abi })
    };
    Target::ALL.into_iter().flat_map(of_target).collect()
}

/// Those of these names, each on the target that it belongs to; all if there are no names.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<Known>, String> {
    let all = all();
    if names.is_empty() {
        return Ok(all);
    }
    let mut chosen = Vec::new();
    for name in names {
        let is_named = |known: &&Known| {
            let is_at_home = known.abi.target() == known.target || matches!(known.abi, Abi::Named(_));
            is_at_home && known.abi.name().eq_ignore_ascii_case(name)
        };
        let before = chosen.len();
        chosen.extend(all.iter().filter(is_named));
        if chosen.len() == before {
            let mut known: Vec<_> = all.iter().map(|known| known.abi.name()).collect();
            known.sort_unstable();
            known.dedup();
            return Err(format!("there is no ABI `{name}` here: there are {}", known.join(", ")));
        }
    }
    Ok(chosen)
}

impl Known {
    /// What the text means here; `None` where it names a convention itself, which is then shown once for each target.
    pub(crate) fn signature(
        self,
        language: Language,
        given: &[String],
        text: &str,
    ) -> Option<Result<Signature, ParseError>> {
        let Self { target, abi } = self;
        let signature = match language {
            Language::C => {
                let mut declarations = CDeclarations::with_target(abi, target);
                let added = given.iter().try_for_each(|text| declarations.add(text).map(drop));
                added.and_then(|()| declarations.signature(text))
            }
            Language::Rust if abi != target.c() => return None,
            Language::Rust => {
                let mut declarations = RustDeclarations::new(target);
                let added = given.iter().try_for_each(|text| declarations.add(text).map(drop));
                added.and_then(|()| declarations.signature(text))
            }
        };
        let is_other = signature.as_ref().is_ok_and(|signature| signature.layout().abi() != abi);
        (!is_other || abi == target.c()).then_some(signature)
    }
}
