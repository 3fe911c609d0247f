//! What stands beside the function in the expansion.
//!
//! Names that an expansion introduces begin with `__cbframe_` or stand behind the path of the private module, so
//! that nothing in scope can be mistaken for them and they hide nothing that the user's types name.

mod captured;
mod closure;
mod convention;
mod items;
mod native;
#[cfg(test)]
mod tests;

pub(crate) use convention::spot_tokens;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, GenericArgument, LitStr, PathArguments, ReturnType, Type};

use crate::args::Save;
use crate::ast::text;
use crate::derive::located;
use crate::lifetimes;
use crate::pointer::{self, peel};
use crate::validate::{Callback, Parameter, State};
pub(crate) use closure::{Closure, expand_closure};

/// The ABI strings that every target has.
const EVERYWHERE: [&str; 5] = ["C", "C-unwind", "system", "system-unwind", "raw"];

/// The expansion, or on targets without this ABI its refusal.
pub(crate) fn only(abi: &LitStr, private: &TokenStream, expansion: TokenStream) -> TokenStream {
    if EVERYWHERE.contains(&abi.value().as_str()) {
        return expansion;
    }
    quote_spanned!(abi.span()=> #private::only! { #abi { #expansion } })
}

/// A parameter of the C signature.
struct Argument<'a> {
    /// What it is called in the expansion.
    ident: Ident,
    name: &'a str,
    ty: &'a Type,
}

/// Pieces that many parts of an expansion need.
struct Expansion<'a> {
    callback: &'a Callback<'a>,
    /// `::cbframe::private`.
    private: TokenStream,
    /// The name of the type beside the function: a token of the expansion's, so that lints pass over it.
    item: Ident,
    arguments: Vec<Argument<'a>>,
    /// `a0: MaybeUninit<A>, …`
    shim_parameters: Vec<TokenStream>,
    result: Type,
    /// What stands for the function in `frame!`.
    closure: Option<&'a Closure>,
}

/// Writes out a callback.
pub(crate) fn expand(callback: &Callback<'_>) -> TokenStream {
    Expansion::new(callback, None).write()
}

impl<'a> Expansion<'a> {
    fn new(callback: &'a Callback<'a>, closure: Option<&'a Closure>) -> Self {
        let private = callback.args.private();
        let c = callback.parameters.iter().filter_map(|parameter| match parameter {
            Parameter::C { name, ty } => Some((name, *ty)),
            _ => None,
        });
        let arguments: Vec<_> =
            c.enumerate().map(|(i, (name, ty))| Argument { ident: format_ident!("__cbframe_{i}"), name, ty }).collect();
        let shim_parameters =
            arguments.iter().map(|Argument { ident, ty, .. }| quote!(#ident: #private::MaybeUninit<#ty>)).collect();
        let result = match &callback.function.signature.output {
            ReturnType::Default => syn::parse_quote!(()),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        let mut item = callback.item.clone();
        item.set_span(Span::call_site().located_at(item.span()));
        Self { callback, private, item, arguments, shim_parameters, result, closure }
    }
    fn write(&self) -> TokenStream {
        let function = self.callback.function.plain(&self.private);
        let item = &self.item;
        let visibility = &self.callback.function.visibility;
        let private = &self.private;
        let carried = |names: &[&str]| -> Vec<&Attribute> {
            let attributes = self.callback.function.attributes.iter();
            attributes.filter(|attribute| names.iter().any(|name| attribute.path().is_ident(name))).collect()
        };
        let (on_struct, on_code) = (carried(&["cfg", "allow", "deprecated"]), carried(&["cfg", "allow"]));
        // rustc's lints pass over what a macro of another crate wrote; but the function is named with the user's token.
        let deprecated = (!carried(&["deprecated"]).is_empty()).then(|| quote!(#[allow(deprecated)]));
        // Makes the struct `Send` if the state is, and `Frame` with it.
        let state = self.callback.state.as_ref().map(|State { ty, .. }| lifetimes::with("'static", ty));
        let state = state.map_or_else(|| quote!(()), ToTokens::into_token_stream);
        let code = [self.descriptions(), self.checks(), self.call(), self.entry(), self.items()];
        let beside = self.only(quote! {
            #(#on_struct)*
            #[doc(hidden)]
            #visibility struct #item {
                __cbframe_state: #private::core::marker::PhantomData<#state>,
            }

            #(#on_code)*
            #deprecated
            #[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
            const _: () = {
                #[allow(unused_imports)]
                use #private::NotCType as _;
                #(#code)*
            };
        });
        quote! {
            // These ask for what the attribute does not take.
            #[allow(clippy::missing_const_for_fn, clippy::ptr_arg, clippy::trivially_copy_pass_by_ref)]
            #function

            #beside
        }
    }

    /// What is the target's own: if that has no such convention, its refusal instead.
    fn only(&self, expansion: TokenStream) -> TokenStream {
        match &self.callback.args.abi {
            Some(abi) => only(abi, &self.private_at(abi.span()), expansion),
            None => expansion,
        }
    }

    /// The constants that say what is known of the signature.
    fn descriptions(&self) -> TokenStream {
        let Self { private, arguments, .. } = self;
        let (abi, placed) = (self.abi(), self.placed());
        let count = arguments.len();
        let known = arguments.iter().map(|argument| self.known(argument.ty));
        let result = self.known(&self.result);
        let texts = arguments.iter().map(|Argument { name, ty, .. }| format!("{name}: {}", text(ty)));
        let name = self.callback.function.signature.ident.unraw().to_string();
        // A raw callback is placed as `fn()`, but has no layout to show.
        let layout = if self.callback.raw {
            quote!(#private::Option::None)
        } else if self.callback.is_variadic {
            quote!(#private::variadic_layout(__CBFRAME_PLACED, __CBFRAME_ABI))
        } else {
            quote!(#private::layout(__CBFRAME_PLACED, __CBFRAME_ABI))
        };
        quote! {
            const __CBFRAME_ABI: (#private::Abi, #private::core::primitive::bool) = #abi;
            const __CBFRAME_KNOWN: [#private::Known; #count] = [#(#known),*];
            const __CBFRAME_RESULT: #private::Known = #result;
            const __CBFRAME_PLACED: &#private::Option<#private::Placed<#count>> =
                &#placed;
            const __CBFRAME_LAYOUT: #private::Option<#private::Layout<'static>> = #layout;
            static __CBFRAME_META: #private::Meta = #private::Meta {
                name: #private::Name::Path(#private::core::concat!(#private::core::module_path!(), "::", #name)),
                parameters: &[#(#texts),*],
                layout: __CBFRAME_LAYOUT,
            };
        }
    }

    /// An expression for the `Known` of a type; an error on the type where it has to be a `CType` and is none.
    ///
    /// The captured lane needs every type to be one. Elsewhere a type that is written as a pointer or a `bool` is
    /// not taken without a check of its value.
    fn known(&self, ty: &Type) -> TokenStream {
        let private = &self.private_at(ty.span());
        let ty = lifetimes::with("'static", ty);
        if pointer::fn_pointer(&ty).is_some() || self.callback.captured.is_some() || has_invalid_values(&ty) {
            let descriptor = pointer::descriptor(&ty, private);
            quote_spanned!(ty.span()=> #private::known(#descriptor))
        } else {
            quote_spanned!(ty.span()=> #private::Probe::<#ty, _>::__CBFRAME_KNOWN)
        }
    }

    /// The path of the private module, as if it were written at `span`: errors are shown there.
    fn private_at(&self, span: Span) -> TokenStream {
        located(&self.private, span)
    }

    /// What can be refused only with types at hand, each on its own token.
    fn checks(&self) -> TokenStream {
        // A frame's pointers are always unsafe, and those that Rust cannot call as what they are.
        let safe = !self.callback.is_unsafe && self.closure.is_none() && self.callback.convention.is_none();
        let mut checks = TokenStream::new();
        for (i, Argument { ty, .. }) in self.arguments.iter().enumerate() {
            let private = self.private_at(ty.span());
            let safe =
                safe.then(|| quote_spanned!(ty.span()=> #private::check_safe(__CBFRAME_ABI.0, &__CBFRAME_KNOWN, #i);));
            checks.extend(quote_spanned!(ty.span()=>
                const _: () = { #private::check_parameter(__CBFRAME_KNOWN[#i]); #safe };
            ));
        }
        let private = self.private_at(self.result.span());
        let safe = safe.then(
            || quote_spanned!(self.result.span()=> #private::check_safe_result(__CBFRAME_ABI.0, __CBFRAME_RESULT);),
        );
        checks.extend(quote_spanned!(self.result.span()=>
            const _: () = { #private::check_result(__CBFRAME_RESULT); #safe };
        ));
        checks.extend(self.convention_checks());
        if self.closure.is_none() {
            checks.extend(self.coercion());
        }
        checks
    }

    /// Proves that the function takes the state, and the state of the CPU, for one call only, and takes the state
    /// with any lifetimes inside.
    fn coercion(&self) -> Option<TokenStream> {
        if self.callback.state.is_none() && !self.callback.has_cpu {
            return None;
        }
        let function = &self.callback.function.signature.ident;
        let state = self.callback.state.as_ref().map(|State { exclusive, .. }| {
            let exclusive = exclusive.then(|| quote!(mut));
            quote!(&'__cbframe_state #exclusive __CbframeState<'__cbframe>)
        });
        let parameters = self.callback.parameters.iter().map(|parameter| match parameter {
            Parameter::State => state.clone(),
            Parameter::Cpu { .. } => Some(quote!(&'__cbframe_cpu mut _)),
            Parameter::List | Parameter::C { .. } => Some(quote!(_)),
        });
        let (alias, threads) = self
            .callback
            .state
            .as_ref()
            .map(|State { ty, exclusive }| {
                let private = self.private_at(ty.span());
                let require = if *exclusive { quote!(require_exclusive) } else { quote!(require_shared) };
                let bound = lifetimes::with("'__cbframe", ty);
                (
                    quote!(type __CbframeState<'__cbframe> = #bound;),
                    quote_spanned!(ty.span()=> #private::#require::<#bound>();),
                )
            })
            .unzip();
        Some(quote! {
            #alias
            fn __cbframe_coerce<'__cbframe>() {
                #threads
                let _: for<'__cbframe_state, '__cbframe_cpu> unsafe fn(#(#parameters),*) -> _ = #function;
            }
        })
    }

    /// The function that every lane ends in: it checks the arguments and calls the user's function.
    fn call(&self) -> TokenStream {
        let Self { private, shim_parameters, result, .. } = self;
        let signature = &self.callback.function.signature;
        let (function, generics, output) = (&signature.ident, &signature.generics, &signature.output);
        let checks = self.argument_checks();
        let exclusive = self.callback.state.as_ref().is_some_and(|state| state.exclusive);
        let enter = exclusive.then(|| quote!(let __cbframe_exclusive = #private::Exclusive::enter(__cbframe_ctx);));
        let mut arguments = self.arguments.iter();
        let values = self.callback.parameters.iter().map(|parameter| match parameter {
            Parameter::State if exclusive => quote!(&mut *__cbframe_exclusive.state().cast()),
            Parameter::State => quote!(&*__cbframe_ctx.cast()),
            // An error on the parameter's type if it is another.
            Parameter::Cpu { ty } => self.cpu(Span::call_site().located_at(ty.span())),
            Parameter::List => quote!(__cbframe_list),
            Parameter::C { .. } => {
                let ident = &arguments.next().expect("as many as were counted").ident;
                quote!(#ident.assume_init())
            }
        });
        let state = if exclusive { quote!(__cbframe_exclusive.state()) } else { quote!(__cbframe_ctx) };
        let running = self.callback.state.is_some();
        let running = running.then(|| quote!(let __cbframe_running = #private::Running::enter(#state);));
        let run = quote! {
            #(#checks)*
            #enter
            #running
            #function(#(#values),*)
        };
        let (fallback, body) = match &self.callback.args.on_panic {
            Some(expr) => (
                Some(quote!(let __cbframe_fallback = || -> #result { #expr };)),
                quote! {
                    match #private::catch(&__CBFRAME_META, || { #run }) {
                        #private::Option::Some(__cbframe_result) => __cbframe_result,
                        #private::Option::None => #private::fall_back(&__CBFRAME_META, __cbframe_fallback),
                    }
                },
            ),
            // Out of it a panic may go.
            None if self.callback.abi.ends_with("-unwind") => (None, run),
            None => (
                None,
                quote! {
                    let __cbframe_guard = #private::NoUnwind::callback(&__CBFRAME_META);
                    let __cbframe_result = { #run };
                    __cbframe_guard.disarm();
                    __cbframe_result
                },
            ),
        };
        let (cpu, list) = (self.cpu_parameter(), self.list_parameter());
        let body = self.kept(body);
        quote! {
            #[inline(always)]
            unsafe fn __cbframe_call #generics (
                __cbframe_ctx: *const (), #cpu #list #(#shim_parameters),*
            ) #output {
                #fallback
                // SAFETY: the entry passes what the C caller passed, whose contract is the pointer's; the arguments
                // are checked before they become values. ctx is what was bound: see `Frame`.
                unsafe { #body }
            }
        }
    }

    /// The statements of a call between those that keep what belongs to the caller, as far as that was asked for.
    fn kept(&self, body: TokenStream) -> TokenStream {
        let (private, args) = (&self.private, self.callback.args);
        let errno = args.errno.then(|| quote!(let __cbframe_errno = #private::SavedErrno::read();));
        let body = if args.fenv { quote!(#private::with_default_fenv(|| { #body })) } else { body };
        quote!(#errno #body)
    }

    /// What the callback sees of the CPU, as an expression at `span`.
    fn cpu(&self, span: Span) -> TokenStream {
        let private = &self.private;
        match &self.callback.captured {
            Some(save) if save.is_subset() => quote_spanned!(span=> &mut *__cbframe_cpu.cast::<#private::CpuSubset>()),
            _ => quote_spanned!(span=> &mut *__cbframe_cpu),
        }
    }

    fn cpu_parameter(&self) -> Option<TokenStream> {
        let private = &self.private;
        self.callback.has_cpu.then(|| quote!(__cbframe_cpu: *mut #private::CpuState,))
    }

    fn list_parameter(&self) -> Option<TokenStream> {
        let private = &self.private;
        self.callback.is_variadic.then(|| quote!(__cbframe_list: #private::VaList<'_>,))
    }

    /// The entry: `__CBFRAME_ENTRY` for a slot, or the naked function `__cbframe_fn` for a stateless callback.
    fn entry(&self) -> TokenStream {
        let stateless = self.callback.state.is_none() && self.closure.is_none();
        if let Some(save) = &self.callback.captured {
            let (private, captured) = (&self.private, self.captured(save));
            let (choice, entry) = self.captured_entry();
            let entry = self.entry_const(&quote!(#private::Entry::new(#entry)));
            let stub = stateless.then(|| self.captured_stub(&format_ident!("__cbframe_fn"), self.export().as_ref()));
            return quote!(#captured #choice #entry #stub);
        }
        // Only the compiler knows the types, and so whether rustc can pass them: what is not used is not compiled.
        let captured = self.captured(&Save::Nothing);
        let native = if stateless { self.plain() } else { self.native() };
        quote!(#captured #native)
    }

    /// The attribute that gives the stateless callback a symbol.
    fn export(&self) -> Option<TokenStream> {
        self.callback.args.export.as_ref().map(|symbol| quote!(#[unsafe(export_name = #symbol)]))
    }

    /// The naked function `name`, a stub without a state for the captured entry.
    fn captured_stub(&self, name: &Ident, export: Option<&TokenStream>) -> TokenStream {
        let private = &self.private;
        quote! {
            static __CBFRAME_SLOT: #private::Slot =
                #private::Slot::fixed(__CBFRAME_ENTRY, #private::core::ptr::null());
            #private::single_stub!(#export #name, __CBFRAME_SLOT);
        }
    }

    /// `__CBFRAME_ENTRY`, with the value `entry`, which is for an `unsafe` block.
    fn entry_const(&self, entry: &TokenStream) -> TokenStream {
        let private = &self.private;
        match self.closure_generic() {
            None => quote! {
                // SAFETY: each entry passes ctx on to its shim, or the dispatcher, as the state of the callback.
                const __CBFRAME_ENTRY: #private::Entry = unsafe { #entry };
            },
            Some(closure) => quote! {
                struct __CbframeEntry<__CbframeClosure>(#private::core::marker::PhantomData<__CbframeClosure>);

                impl<#closure> __CbframeEntry<__CbframeClosure> {
                    // SAFETY: each entry passes ctx on to its shim, or the dispatcher, as the state of the callback.
                    const ENTRY: #private::Entry = unsafe { #entry };
                }
            },
        }
    }
}

/// Whether a type, as it is written, may have bit patterns that are no value, or be a fat pointer: a reference, a
/// pointer, `bool`, or one of the first two in an `Option`, a `MaybeUninit` or a `ManuallyDrop`.
fn has_invalid_values(ty: &Type) -> bool {
    match peel(ty) {
        Type::Reference(_) | Type::Ptr(_) => true,
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else { return false };
            let wrapper = ["Option", "MaybeUninit", "ManuallyDrop"].iter().any(|name| last.ident == name);
            let wraps_one = match &last.arguments {
                PathArguments::AngleBracketed(arguments) if wrapper => arguments
                    .args
                    .iter()
                    .any(|argument| matches!(argument, GenericArgument::Type(ty) if has_invalid_values(ty))),
                _ => false,
            };
            path.path.is_ident("bool") || wraps_one
        }
        _ => false,
    }
}
