//! Function pointers, as far as tokens show them.
//!
//! A higher-ranked function pointer, `extern "C" fn(&T)`, matches no `impl` that could be written for all of
//! them, so `CType` cannot know it. But `fn` in a type is a keyword: what is written with it is a pointer,
//! whatever the rest of the type means.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{GenericArgument, PathArguments, Type, TypeFnPtr};

/// A type that is written as a function pointer, or as an `Option` of one.
pub(crate) struct FnPointer<'a> {
    /// The pointer, without the `Option`.
    pub(crate) pointer: &'a TypeFnPtr,
    /// Whether it is in something called `Option`; [`descriptor`] makes the compiler prove which `Option`.
    pub(crate) optional: bool,
}

/// `ty` as a function pointer, if it is written as one.
pub(crate) fn fn_pointer(ty: &Type) -> Option<FnPointer<'_>> {
    match peel(ty) {
        Type::FnPtr(pointer) => Some(FnPointer { pointer, optional: false }),
        Type::Path(path) if path.qself.is_none() => {
            let last = path.path.segments.last()?;
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
            let (1, Some(GenericArgument::Type(inner))) = (arguments.args.len(), arguments.args.first()) else {
                return None;
            };
            match peel(inner) {
                Type::FnPtr(pointer) if last.ident == "Option" => Some(FnPointer { pointer, optional: true }),
                _ => None,
            }
        }
        _ => None,
    }
}

/// `ty` without parentheses and without the invisible groups that `macro_rules!` leaves around a `$ty:ty`.
pub(crate) fn peel(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Paren(paren) => &paren.elem,
            Type::Group(group) => &group.elem,
            _ => return ty,
        };
    }
}

/// An expression for the description of `ty`, where `private` is the path of `cbframe::private`.
pub(crate) fn descriptor(ty: &Type, private: &TokenStream) -> TokenStream {
    match fn_pointer(ty) {
        None => quote!(<#ty as #private::CType<_>>::TYPE),
        Some(FnPointer { pointer, optional: false }) => quote!(#private::fn_pointer::<#pointer>()),
        // Compiles only if `ty` is the `Option` of the standard library.
        Some(FnPointer { pointer, optional: true }) => quote!(#private::optional_fn_pointer::<#pointer, #ty>()),
    }
}

/// An expression, to stand in an `unsafe` block, for whether the bytes at `bits` are a value of `ty`; `None`
/// if they always are.
pub(crate) fn validity(ty: &Type, private: &TokenStream, bits: impl ToTokens) -> Option<TokenStream> {
    match fn_pointer(ty) {
        None => Some(quote!(<#ty as #private::CType<_>>::is_valid(#bits))),
        Some(FnPointer { optional: false, .. }) => Some(quote!(#private::is_not_null(#bits))),
        Some(FnPointer { optional: true, .. }) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::fn_pointer;
    use quote::ToTokens;

    /// The pointer's tokens and whether it is optional.
    fn found(ty: &str) -> Option<(String, bool)> {
        let ty = syn::parse_str(ty).expect("a type");
        fn_pointer(&ty).map(|found| (found.pointer.to_token_stream().to_string(), found.optional))
    }

    #[test]
    fn written_with_fn() {
        for plain in
            ["fn()", "extern \"C\" fn(&u8) -> i32", "for<'a> unsafe extern \"sysv64\" fn(&'a u8, ...) -> &'a u8"]
        {
            let (pointer, optional) = found(plain).expect(plain);
            assert!(!optional, "{plain}");
            for path in ["Option", "core::option::Option", "::std::option::Option"] {
                assert_eq!(found(&format!("{path}<{plain}>")), Some((pointer.clone(), true)));
                assert_eq!(found(&format!("({path}<(({plain}))>)")), Some((pointer.clone(), true)));
            }
        }
    }

    #[test]
    fn not_written_with_fn() {
        for other in
            ["Callback", "Option<Callback>", "Option<Option<fn()>>", "Box<fn()>", "Option<fn(), u8>", "*const fn()"]
        {
            assert_eq!(found(other), None, "{other}");
        }
    }
}
