//! Closures: the same shims and entries, generic over the closure's type.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprClosure, Type};

use super::{Argument, Expansion};
use crate::frame::Kind;
use crate::pointer;
use crate::validate::{Callback, Parameter};

/// The closure of a `frame!`.
pub(crate) struct Closure {
    pub(crate) kind: Kind,
    /// The pointer type that the frame is to have.
    pub(crate) pointer: Option<Type>,
    /// What C gets if the closure cannot be run.
    pub(crate) fallback: Option<Expr>,
    /// Without the attributes that only the macro understands.
    pub(crate) closure: ExprClosure,
}

/// Writes out a `frame!`: an expression.
pub(crate) fn expand_closure(callback: &Callback<'_>, closure: &Closure) -> TokenStream {
    Expansion::new(callback, Some(closure)).frame(closure)
}

impl Expansion<'_> {
    /// The parameter for the closure's type, with a comma behind it.
    pub(super) fn closure_generic(&self) -> Option<TokenStream> {
        let closure = self.closure?;
        let private = &self.private;
        let bound = match closure.kind {
            Kind::Shared => quote!(Fn),
            Kind::Local => quote!(FnMut),
            Kind::Once => quote!(FnOnce),
        };
        let cpu = match &self.callback.captured {
            Some(save) if save.is_subset() => quote!(&mut #private::CpuSubset),
            _ => quote!(&mut #private::CpuState),
        };
        let list = quote!(#private::VaList<'_>);
        let types = self.closure_parameters(&cpu, &list, |Argument { ty, .. }| quote!(#ty));
        let output = &self.callback.function.signature.output;
        Some(quote!(__CbframeClosure: #private::core::ops::#bound(#(#types),*) #output,))
    }

    /// Something for each of the closure's parameters: `cpu` for the state of the CPU, `list` for `...`, `of` for each
    /// other of the C signature.
    fn closure_parameters(
        &self,
        cpu: &TokenStream,
        list: &TokenStream,
        of: impl Fn(&Argument<'_>) -> TokenStream,
    ) -> Vec<TokenStream> {
        let mut arguments = self.arguments.iter();
        let parameters = self.callback.parameters.iter().filter_map(|parameter| match parameter {
            // Refused before.
            Parameter::State => None,
            Parameter::Cpu { .. } => Some(cpu.clone()),
            Parameter::List => Some(list.clone()),
            Parameter::C { .. } => arguments.next().map(&of),
        });
        parameters.collect()
    }

    /// The same in brackets, for an entry.
    pub(super) fn entry_generics(&self) -> Option<TokenStream> {
        let generic = self.closure_generic()?;
        Some(quote!([<#generic>]))
    }

    /// The type that a generic function is to be used for.
    pub(super) fn closure_argument(&self) -> Option<TokenStream> {
        self.closure.map(|_| quote!(::<__CbframeClosure>))
    }

    /// The type of what says what C gets if the closure cannot be run.
    fn fallback_type(&self, closure: &Closure) -> TokenStream {
        let (private, result) = (&self.private, &self.result);
        match &closure.fallback {
            None => quote!(#private::Abort),
            Some(value) => quote_spanned!(value.span()=> #private::FallbackValue<#result>),
        }
    }

    /// Statements that abort the process unless the arguments are values.
    pub(super) fn argument_checks(&self) -> Vec<TokenStream> {
        let private = &self.private;
        let arguments = self.arguments.iter().enumerate();
        arguments
            .map(|(i, Argument { ident, ty, .. })| match pointer::fn_pointer(ty) {
                Some(found) if found.optional => TokenStream::new(),
                Some(_) => quote!(#private::check_fn_pointer(&#ident, &__CBFRAME_META, #i);),
                None => quote!(#private::Probe::<#ty, _>::__cbframe_check(&#ident, &__CBFRAME_META, #i);),
            })
            .collect()
    }

    /// `__cbframe_call`, which every lane ends in.
    fn closure_call(&self, closure: &Closure) -> TokenStream {
        let Self { private, shim_parameters, .. } = self;
        let output = &self.callback.function.signature.output;
        let (generic, fallback) = (self.closure_generic(), self.fallback_type(closure));
        let (cpu, list) = (self.cpu_parameter(), self.list_parameter());
        let checks = self.argument_checks();
        let unwind = self.callback.abi.ends_with("-unwind");
        let call = match closure.kind {
            Kind::Shared => quote!(call_shared),
            Kind::Local => quote!(call_local),
            Kind::Once => quote!(call_once),
        };
        let (the_cpu, the_list) = (self.cpu(Span::call_site()), quote!(__cbframe_list));
        let values =
            self.closure_parameters(&the_cpu, &the_list, |Argument { ident, .. }| quote!(#ident.assume_init()));
        let body = self.kept(quote! {
            #(#checks)*
            #private::#call::<__CbframeClosure, #fallback, _>(
                __cbframe_ctx,
                &__CBFRAME_META,
                #unwind,
                |__cbframe_closure| __cbframe_closure(#(#values),*),
            )
        });
        quote! {
            #[inline(always)]
            unsafe fn __cbframe_call<#generic>(
                __cbframe_ctx: *const (), #cpu #list #(#shim_parameters),*
            ) #output {
                // SAFETY: the entry passes what the C caller passed, whose contract is the pointer's; the arguments
                // are checked before they become values. ctx is what was bound.
                unsafe { #body }
            }
        }
    }

    fn frame(&self, closure: &Closure) -> TokenStream {
        let private = &self.private;
        let (descriptions, checks) = (self.descriptions(), self.checks());
        let (call, entry) = (self.closure_call(closure), self.entry());
        let generic = self.closure_generic();
        let own = self.pointer(Some(quote!(unsafe)));
        let (pointer, fits) = match &closure.pointer {
            None => (own, TokenStream::new()),
            Some(ty) => {
                let at = self.private_at(ty.span());
                (
                    quote_spanned!(ty.span()=> <#ty as #at::FnPointer>::Unsafe),
                    quote_spanned! { ty.span()=>
                        const _: () = #at::description(&__CBFRAME_LAYOUT).assert_fits(<#ty as #at::FnPointer>::LAYOUT);
                    },
                )
            }
        };
        let (kind, bounds, bind) = match closure.kind {
            Kind::Shared => (quote!(Closure), quote!(Send + #private::core::marker::Sync), quote!(bind_shared)),
            Kind::Local => (quote!(Local), quote!(Sized), quote!(bind_local)),
            Kind::Once => (quote!(Once), quote!(Send), quote!(bind_once)),
        };
        // The shared one's kind is any.
        let bind = match closure.kind {
            Kind::Shared => quote!(#bind::<#pointer, #private::Closure, __CbframeClosure, _>),
            _ => quote!(#bind::<#pointer, __CbframeClosure, _>),
        };
        let pool = match &self.callback.args.pool {
            Some(path) => quote!(&#path),
            None => quote!(#private::Pool::shared()),
        };
        let fallback_type = self.fallback_type(closure);
        let fallback = match &closure.fallback {
            None => quote!(#private::Abort),
            Some(value) => {
                let at = self.private_at(value.span());
                quote_spanned!(value.span()=> #at::value(#value))
            }
        };
        let closure = &closure.closure;
        self.only(quote! {{
            #[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
            #[track_caller]
            #[inline]
            fn __cbframe_bind<'__cbframe, #generic>(
                __cbframe_closure: __CbframeClosure,
                __cbframe_fallback: #fallback_type,
            ) -> #private::Result<
                #private::Frame<'__cbframe, #pointer, #private::#kind>,
                #private::PoolFull<__CbframeClosure>,
            >
            where
                __CbframeClosure: #private::core::marker::#bounds + '__cbframe,
            {
                #[allow(unused_imports)]
                use #private::NotCType as _;
                #descriptions
                #checks
                #fits
                #call
                #entry
                let __cbframe_site = #private::Site {
                    pool: #pool,
                    entry: __CbframeEntry::<__CbframeClosure>::ENTRY,
                    meta: &__CBFRAME_META,
                    at: #private::Location::caller(),
                };
                // SAFETY: the entry is that of this signature and this closure's type.
                unsafe { #private::#bind(__cbframe_site, __cbframe_closure, __cbframe_fallback) }
            }
            __cbframe_bind(#closure, #fallback)
        }})
    }
}
