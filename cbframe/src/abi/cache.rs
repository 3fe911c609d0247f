//! Signatures that are parsed once, placed once, and shared.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::discriminant;
#[cfg(any(feature = "parse-c", feature = "parse-rust"))]
use std::string::String;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

use super::{Abi, Layout, Place, Signature, SignatureBuilder, SignatureError};
#[cfg(any(feature = "parse-c", feature = "parse-rust"))]
use crate::parse::ParseError;
use crate::types::Type;

/// Signatures by what they are made of: each is placed once, and whoever asks for it again, on any thread, gets the same.
///
/// A text is looked up by its bytes and its ABI, and parsed once. Signatures that are equal, whichever way they were asked
/// for, are one: the names of parameters and types count.
///
/// Only who asks a cache is served by it: [`SignatureBuilder::build`] and `Signature::parse_c` place anew each time.
///
/// # Examples
///
/// ```
/// use cbframe::abi::{Abi, Signature, SignatureCache};
/// use cbframe::types::Type;
///
/// let cache = SignatureCache::shared();
/// let start = || Signature::new(Abi::SysV64).param(Type::POINTER).ret(Type::I32);
/// let (one, other) = (cache.get(start())?, cache.get(start())?);
/// assert!(std::ptr::eq(one.layout().parameters(), other.layout().parameters()));
/// # #[cfg(feature = "parse-c")]
/// # {
/// let same = cache.parse_c("int (*)(void *)", Abi::SysV64)?;
/// assert!(std::ptr::eq(one.layout().parameters(), same.layout().parameters()));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct SignatureCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// By the hash of what they are made of.
    placed: HashMap<u64, Vec<Signature>>,
    #[cfg(feature = "parse-c")]
    c: HashMap<String, Vec<(Abi, Signature)>>,
    #[cfg(feature = "parse-rust")]
    rust: HashMap<String, Signature>,
}

impl SignatureCache {
    /// A cache of one's own, empty.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// That of the process.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<SignatureCache> = LazyLock::new(SignatureCache::new);
        &SHARED
    }

    /// The signature that `builder` describes, placed now if it is not here yet.
    ///
    /// # Errors
    ///
    /// As for [`SignatureBuilder::build`]: of signatures that are refused nothing is kept.
    pub fn get(&self, builder: SignatureBuilder) -> Result<Signature, SignatureError> {
        let hash = Made::of_builder(&builder).hash();
        if let Some(found) = self.lock().find(hash, &Made::of_builder(&builder)) {
            return Ok(found);
        }
        builder.build().map(|signature| self.lock().keep(signature))
    }

    /// [`Signature::parse_c`], once for each text and ABI.
    ///
    /// # Errors
    ///
    /// As there.
    #[cfg(feature = "parse-c")]
    pub fn parse_c(&self, text: &str, abi: Abi) -> Result<Signature, ParseError> {
        let of_abi = |all: &Vec<(Abi, Signature)>| all.iter().find(|(of, _)| *of == abi).map(|it| it.1.clone());
        if let Some(found) = self.lock().c.get(text).and_then(of_abi) {
            return Ok(found);
        }
        let parsed = Signature::parse_c(text, abi)?;
        let mut kept = self.lock();
        let signature = kept.keep(parsed);
        let all = kept.c.entry(text.into()).or_default();
        if all.iter().all(|(of, _)| *of != abi) {
            all.push((abi, signature.clone()));
        }
        Ok(signature)
    }

    /// `Signature::parse_rust`, once for each text.
    ///
    /// # Errors
    ///
    /// As there.
    #[cfg(feature = "parse-rust")]
    pub fn parse_rust(&self, text: &str) -> Result<Signature, ParseError> {
        if let Some(found) = self.lock().rust.get(text) {
            return Ok(found.clone());
        }
        let parsed = Signature::parse_rust(text)?;
        let mut kept = self.lock();
        let signature = kept.keep(parsed);
        kept.rust.insert(text.into(), signature.clone());
        Ok(signature)
    }

    /// The signature that is kept in place of this one: the first that was equal to it. Two that algorithms have placed
    /// ([`SignatureBuilder::build_by`]) are equal if their places are, too.
    #[must_use]
    pub fn keep(&self, signature: Signature) -> Signature {
        self.lock().keep(signature)
    }

    /// All that are kept, in no particular order.
    #[must_use]
    pub fn signatures(&self) -> Vec<Signature> {
        self.lock().placed.values().flatten().cloned().collect()
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().placed.values().map(Vec::len).sum()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().placed.is_empty()
    }

    /// Forgets all. Signatures that are in use stay as they are; the descriptions of their structs stay in memory
    /// ([`Type::structure`]).
    pub fn clear(&self) {
        *self.lock() = Kept::default();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing is half done where something could panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn find(&self, hash: u64, made: &Made<'_>) -> Option<Signature> {
        let of_hash = self.placed.get(&hash)?;
        of_hash.iter().find(|signature| Made::of(signature, &signature.layout()) == *made).cloned()
    }

    fn keep(&mut self, signature: Signature) -> Signature {
        let layout = signature.layout();
        let made = Made::of(&signature, &layout);
        let hash = made.hash();
        if let Some(found) = self.find(hash, &made) {
            return found;
        }
        self.placed.entry(hash).or_default().push(signature.clone());
        signature
    }
}

/// What a signature is made of: two that have the same are the same.
#[derive(PartialEq)]
struct Made<'a> {
    abi: Abi,
    unwinds: bool,
    before_dots: Option<usize>,
    result: Type,
    parameters: Vec<(&'a str, Type)>,
    /// Where an algorithm has put all that: nothing else says which one.
    places: Option<(Vec<Place>, u32, u32)>,
}

impl<'a> Made<'a> {
    fn of(signature: &Signature, layout: &Layout<'a>) -> Self {
        Self {
            abi: layout.abi,
            unwinds: layout.unwind,
            before_dots: signature.before_dots(),
            result: layout.result.ty,
            parameters: layout.parameters.iter().map(|it| (it.name, it.ty)).collect(),
            places: matches!(layout.abi, Abi::Custom).then(|| {
                let all = layout.parameters.iter().chain([&layout.result]);
                (all.map(|it| it.place).collect(), layout.stack, layout.pops)
            }),
        }
    }

    fn of_builder(builder: &'a SignatureBuilder) -> Self {
        Self {
            abi: builder.abi,
            unwinds: builder.unwind,
            before_dots: builder.before,
            result: builder.result,
            parameters: builder.parameters.iter().map(|it| (it.name, it.ty)).collect(),
            places: None,
        }
    }

    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let Self { abi, unwinds, before_dots, result, parameters, places: _ } = self;
        discriminant(abi).hash(&mut hasher);
        if let Abi::Named(convention) = abi {
            convention.name.hash(&mut hasher);
        }
        (unwinds, before_dots, parameters.len()).hash(&mut hasher);
        // What is in a type is left to the comparison.
        for (name, ty) in parameters.iter().chain([&("", *result)]) {
            (name, ty.name, ty.size, ty.align).hash(&mut hasher);
        }
        hasher.finish()
    }
}
