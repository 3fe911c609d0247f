//! The same type with other lifetimes: expansions name types in places that have none of the function's.

use proc_macro2::Span;
use syn::visit_mut::{self, VisitMut};
use syn::{GenericParam, Lifetime, ParenthesizedGenericArguments, TraitBound, Type, TypeFnPtr, TypeReference};

/// `ty` with every lifetime that is not `'static`, written or elided in a reference, replaced by `lifetime`.
///
/// What is inside a function pointer is left alone: it has its own scope, and is a pointer whatever it says.
/// So is what is inside `Fn(…)`, and what a `for<…>` binds.
pub(crate) fn with(lifetime: &str, ty: &Type) -> Type {
    let lifetime = Lifetime::new(lifetime, Span::call_site());
    let mut ty = ty.clone();
    each(&mut ty, |found| match found {
        Found::Written(written) if written.ident == "static" => {}
        Found::Written(written) => written.ident.clone_from(&lifetime.ident),
        Found::Reference(reference) => reference.lifetime = Some(lifetime.clone()),
    });
    ty
}

/// The lifetimes that `ty` names, `'_` and `'static` excepted.
pub(crate) fn named(ty: &Type) -> Vec<Lifetime> {
    let mut named = Vec::new();
    each(&mut ty.clone(), |found| match found {
        Found::Written(written) if written.ident != "_" && written.ident != "static" => named.push(written.clone()),
        _ => {}
    });
    named
}

/// Where `ty` elides a lifetime, with `'_` or a plain `&`.
pub(crate) fn elided(ty: &Type) -> Vec<Span> {
    let mut elided = Vec::new();
    each(&mut ty.clone(), |found| match found {
        Found::Written(written) if written.ident == "_" => elided.push(written.span()),
        Found::Written(_) => {}
        Found::Reference(reference) => elided.push(reference.and_token.span),
    });
    elided
}

/// A place where a type has a lifetime.
enum Found<'a> {
    Written(&'a mut Lifetime),
    /// A reference without one.
    Reference(&'a mut TypeReference),
}

/// Calls `f` for each lifetime in `ty` that means one outside of it.
fn each(ty: &mut Type, f: impl FnMut(Found<'_>)) {
    struct Each<F> {
        f: F,
        /// What the `for<…>`s around this place bind.
        bound: Vec<Lifetime>,
    }
    impl<F: FnMut(Found<'_>)> VisitMut for Each<F> {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if !self.bound.contains(lifetime) {
                (self.f)(Found::Written(lifetime));
            }
        }

        fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
            if reference.lifetime.is_none() {
                (self.f)(Found::Reference(reference));
                self.visit_type_mut(&mut reference.elem);
            } else {
                visit_mut::visit_type_reference_mut(self, reference);
            }
        }

        fn visit_trait_bound_mut(&mut self, bound: &mut TraitBound) {
            let outer = self.bound.len();
            for parameter in bound.lifetimes.iter().flat_map(|lifetimes| &lifetimes.lifetimes) {
                if let GenericParam::Lifetime(parameter) = parameter {
                    self.bound.push(parameter.lifetime.clone());
                }
            }
            visit_mut::visit_trait_bound_mut(self, bound);
            self.bound.truncate(outer);
        }

        fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}

        fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {}
    }
    Each { f, bound: Vec::new() }.visit_type_mut(ty);
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    fn replaced(ty: &str) -> String {
        with("'x", &syn::parse_str(ty).unwrap()).to_token_stream().to_string()
    }

    #[track_caller]
    fn assert_replaced(from: &str, to: &str) {
        let to: Type = syn::parse_str(to).unwrap();
        assert_eq!(replaced(from), to.to_token_stream().to_string());
    }

    #[test]
    fn other_lifetimes() {
        let ty = "&Foo<'_, 'a, &'static T, extern \"C\" fn(&'b U)>";
        assert_replaced(ty, "&'x Foo<'x, 'x, &'static T, extern \"C\" fn(&'b U)>");
        let ty = syn::parse_str(ty).unwrap();
        assert_eq!((named(&ty).len(), elided(&ty).len()), (1, 2));
    }

    /// A closure that takes any reference is not one that takes a certain one.
    #[test]
    fn scopes_of_their_own() {
        assert_replaced("Box<dyn Fn(&u8) -> &u8 + 'a>", "Box<dyn Fn(&u8) -> &u8 + 'x>");
        assert_replaced("dyn for<'a> Read<'a, 'b> + Write<'a>", "dyn for<'a> Read<'a, 'x> + Write<'x>");
    }
}
