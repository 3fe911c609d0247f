//! Conventions that rustc does not know: where arguments and the result lie, and what is refused when the types are
//! known.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{Argument, Expansion};
use crate::custom::{Custom, Spot};
use crate::validate::{Convention, Parameter};

impl Expansion<'_> {
    /// An expression for the convention, and whether calls may unwind.
    pub(super) fn abi(&self) -> TokenStream {
        let private = &self.private;
        match &self.callback.convention {
            None => {
                let abi = &self.callback.abi;
                quote!(#private::abi(#abi))
            }
            Some(Convention::Named(path)) => {
                let at = self.private_at(path.span());
                quote_spanned!(path.span()=> (#at::Abi::Named(<#path as #at::CallingConvention>::CONVENTION), false))
            }
            Some(Convention::Custom(_)) => quote!((#private::Abi::Custom, false)),
        }
    }

    /// An expression for the placed signature, with `names` for the parameters.
    pub(super) fn placed(&self) -> TokenStream {
        let private = &self.private;
        let names = self.arguments.iter().map(|argument| argument.name);
        let Some(Convention::Custom(Custom { spots, result, pops })) = &self.callback.convention else {
            let place = if self.callback.is_variadic { quote!(place_variadic) } else { quote!(place_known) };
            return quote! {
                #private::#place(__CBFRAME_ABI.0, [#(#names),*], __CBFRAME_KNOWN, __CBFRAME_RESULT)
            };
        };
        let spots = spots.iter().map(|spot| self.spot(spot));
        let result = match result {
            None => quote!(#private::Option::None),
            Some(spot) => {
                let spot = self.spot(spot);
                quote!(#private::Option::Some(#spot))
            }
        };
        quote! {
            #private::place_spots(
                [#(#names),*], [#(#spots),*], __CBFRAME_KNOWN, #result, __CBFRAME_RESULT, #pops
            )
        }
    }

    fn spot(&self, spot: &Spot) -> TokenStream {
        spot_tokens(spot, &self.private)
    }

    /// What can be refused only with types at hand, each on its own token.
    pub(super) fn convention_checks(&self) -> Option<TokenStream> {
        let (result, arguments) = (&self.result, self.arguments.iter().enumerate());
        let at = self.private_at(result.span());
        match self.callback.convention.as_ref()? {
            Convention::Named(_) => {
                let checks = arguments.map(|(i, Argument { name, ty, .. })| {
                    let at = self.private_at(ty.span());
                    quote_spanned!(ty.span()=>
                        const _: () = #at::check_passes(__CBFRAME_ABI.0, #name, #i, __CBFRAME_KNOWN[#i], __CBFRAME_RESULT);
                    )
                });
                let result = quote_spanned!(result.span()=>
                    const _: () = #at::check_returns(__CBFRAME_ABI.0, __CBFRAME_RESULT);
                );
                let cpu = self.callback.parameters.iter().find_map(|parameter| match parameter {
                    Parameter::Cpu { ty } => Some(ty.span()),
                    _ => None,
                });
                let cpu = cpu.map(|span| {
                    let at = self.private_at(span);
                    quote_spanned!(span=> const _: () = #at::check_cpu(__CBFRAME_ABI.0);)
                });
                Some(quote!(#(#checks)* #result #cpu))
            }
            Convention::Custom(custom) => {
                let checks = arguments.zip(&custom.spots).map(|((i, Argument { ty, .. }), spot)| {
                    let (at, value) = (self.private_at(ty.span()), self.spot(spot));
                    let overlaps = custom.spots[..i].iter().enumerate().filter_map(|(j, other)| {
                        let (Spot::Stack { offset, literal }, Spot::Stack { offset: before, .. }) = (spot, other)
                        else {
                            return None;
                        };
                        let at = self.private_at(literal.span());
                        Some(quote_spanned!(literal.span()=>
                            const _: () = #at::check_apart(
                                #offset, __CBFRAME_KNOWN[#i], #before, __CBFRAME_KNOWN[#j]
                            );
                        ))
                    });
                    let overlaps: Vec<_> = overlaps.collect();
                    quote_spanned!(ty.span()=>
                        const _: () = #at::check_spot(&#value, __CBFRAME_KNOWN[#i]);
                        #(#overlaps)*
                    )
                });
                let result = custom.result.as_ref().map(|spot| {
                    let spot = self.spot(spot);
                    quote_spanned!(result.span()=>
                        const _: () = #at::check_result_spot(&#spot, __CBFRAME_RESULT);
                    )
                });
                Some(quote!(#(#checks)* #result))
            }
        }
    }

    /// An expression for the captured entry, and before it what that needs: where the convention is data, only the compiler
    /// knows which entry its callers need.
    pub(super) fn captured_entry(&self) -> (Option<TokenStream>, TokenStream) {
        let (private, of_closure) = (&self.private, self.closure_argument());
        let entry = quote!(__cbframe_captured_entry #of_closure);
        let Some(Convention::Named(_)) = self.callback.convention else { return (None, entry) };
        let (generics, types) = (self.closure_generic(), self.closure.map(|_| quote!(__CbframeClosure,)));
        let choice = quote! {
            #private::convention_entry! { generics [#generics] types [#types] __CBFRAME_CAPTURE }
        };
        (Some(choice), quote!(__cbframe_convention_entry #of_closure ()))
    }

    /// A statement that puts the result into its place.
    pub(super) fn give(&self) -> TokenStream {
        let private = &self.private;
        match &self.callback.convention {
            Some(Convention::Custom(_)) => quote! {
                #private::give_exactly(__cbframe_cpu, const { __CBFRAME_PLACES.result() }, __cbframe_result);
            },
            _ => quote! {
                #private::give(
                    __cbframe_cpu,
                    const { __CBFRAME_PLACES.result() },
                    __cbframe_hidden,
                    __cbframe_result,
                );
            },
        }
    }
}

/// An expression for a place.
pub(crate) fn spot_tokens(spot: &Spot, private: &TokenStream) -> TokenStream {
    match spot {
        Spot::Register { text, register } => {
            let (size, architecture, register) =
                (register.size, register.architecture(private), register.tokens(private));
            quote!(#private::spot(#architecture, #text, #register, #size))
        }
        Spot::Stack { offset, .. } => quote!(#private::Spot::Stack(#offset)),
    }
}
