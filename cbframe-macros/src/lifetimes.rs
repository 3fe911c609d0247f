//! The same type with other lifetimes: expansions name types in places that have none of the function's.

use syn::visit_mut::{self, VisitMut};
use syn::{Lifetime, Type, TypeFnPtr, TypeReference};

/// `ty` with every lifetime that is not `'static`, written or elided in a reference, replaced by `lifetime`.
///
/// What is inside a function pointer is left alone: it has its own scope, and is a pointer whatever it says.
pub(crate) fn with(lifetime: &str, ty: &Type) -> Type {
    let mut ty = ty.clone();
    Replace(Lifetime::new(lifetime, proc_macro2::Span::call_site())).visit_type_mut(&mut ty);
    ty
}

/// The lifetimes that `ty` names, `'_` and `'static` excepted.
pub(crate) fn named(ty: &Type) -> Vec<Lifetime> {
    fn is_name(lifetime: &Lifetime) -> bool {
        lifetime.ident != "_" && lifetime.ident != "static"
    }
    struct Find(Vec<Lifetime>);
    impl VisitMut for Find {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if is_name(lifetime) {
                self.0.push(lifetime.clone());
            }
        }
        fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
    }
    let mut find = Find(Vec::new());
    find.visit_type_mut(&mut ty.clone());
    find.0
}

struct Replace(Lifetime);

impl VisitMut for Replace {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" {
            lifetime.ident.clone_from(&self.0.ident);
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if reference.lifetime.is_none() {
            reference.lifetime = Some(self.0.clone());
        }
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    #[test]
    fn replaced() {
        let ty: Type = syn::parse_str("&Foo<'_, 'a, &'static T, extern \"C\" fn(&'b U)>").unwrap();
        let expected: Type = syn::parse_str("&'x Foo<'x, 'x, &'static T, extern \"C\" fn(&'b U)>").unwrap();
        assert_eq!(with("'x", &ty).to_token_stream().to_string(), expected.to_token_stream().to_string());
        assert_eq!(named(&ty).len(), 1);
    }
}
