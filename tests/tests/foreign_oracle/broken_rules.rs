//! Where compilers break the rules, or chose otherwise than `cbframe::abi` says.

use cbframe::abi::Signature;

use crate::targets::Compiler;

/// The reason why `compiler` is not asked about a signature: what it has there that is not ours.
pub(crate) fn broken_rule(_compiler: Compiler, _signature: &Signature) -> Option<&'static str> {
    None
}
