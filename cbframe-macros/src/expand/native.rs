//! The native lanes: what the architecture writes shims in the callback's ABI from, whose arguments rustc passes, and the
//! entries before them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{Argument, Expansion};
use crate::args::EntryKind;

impl Expansion<'_> {
    pub(super) fn plain(&self) -> TokenStream {
        let (private, abi, parameters) = (&self.private, &self.callback.abi, &self.shim_parameters);
        let signature = &self.callback.function.signature;
        let (lifetimes, output) = (&signature.generics.params, &signature.output);
        let arguments = self.arguments.iter().map(|argument| &argument.ident);
        let shim = quote! {
            #private::extern_fn! { #abi __cbframe_plain<#lifetimes>(#(#parameters),*) #output {
                // SAFETY: the arguments are those of the C caller, and there is no state.
                unsafe { __cbframe_call(#private::core::ptr::null(), #(#arguments),*) }
            } }
        };
        if let Some(symbol) = &self.callback.args.export {
            let (at, export) = (self.private_at(symbol.span()), self.export());
            return quote! {
                #shim
                #private::plain_entry!(#export __cbframe_fn, __cbframe_plain);
                const _: () = #at::check_export(__CBFRAME_ABI.0, &__CBFRAME_KNOWN, __CBFRAME_RESULT);
            };
        }
        let stub = self.captured_stub(&Ident::new("__cbframe_stub", Span::call_site()), None);
        quote! {
            #shim
            #private::plain_entry!(__cbframe_plain_entry, __cbframe_plain);
            // SAFETY: the entry passes ctx on to the dispatcher, which expects nothing of it.
            const __CBFRAME_ENTRY: #private::Entry = unsafe { #private::Entry::new(__cbframe_captured_entry) };
            #stub
            #[allow(non_upper_case_globals)]
            const __cbframe_fn: unsafe extern "C" fn() =
                if #private::is_native(__CBFRAME_ABI.0, &__CBFRAME_KNOWN, __CBFRAME_RESULT) {
                    __cbframe_plain_entry
                } else {
                    __cbframe_stub
                };
        }
    }

    /// `__CBFRAME_LANE`, and what has to be known for it. An error is on the option `entry`, or on a type.
    fn lane(&self) -> TokenStream {
        let (span, forced) = match &self.callback.args.entry {
            Some((text, EntryKind::Direct)) => (text.span(), quote!(Direct)),
            Some((text, EntryKind::Stack)) => (text.span(), quote!(Stack)),
            _ => (Span::call_site(), quote!(No)),
        };
        let (private, at) = (&self.private, self.private_at(span));
        let parameters = self.arguments.iter().enumerate().map(|(i, Argument { ty, .. })| {
            let at = self.private_at(ty.span());
            quote_spanned!(ty.span()=>
                const _: () = #at::check_lane_parameter(__CBFRAME_ABI.0, __CBFRAME_KNOWN[#i]);
            )
        });
        let at_result = self.private_at(self.result.span());
        let result = quote_spanned!(self.result.span()=>
            const _: () = #at_result::check_lane_result(__CBFRAME_ABI.0, __CBFRAME_RESULT);
        );
        let lane = quote_spanned!(span=>
            #at::lane(__CBFRAME_ABI.0, __CBFRAME_PLACED, &__CBFRAME_KNOWN, __CBFRAME_RESULT, #at::Forced::#forced)
        );
        quote!(#(#parameters)* #result const __CBFRAME_LANE: #private::Lane = #lane;)
    }

    pub(super) fn native(&self) -> TokenStream {
        let (private, abi, lane, parameters) = (&self.private, &self.callback.abi, self.lane(), &self.shim_parameters);
        let signature = &self.callback.function.signature;
        let (lifetimes, output) = (signature.generics.params.iter(), &signature.output);
        let (closure, of_closure) = (self.closure_generic(), self.closure_argument());
        let types = self.closure.map(|_| quote!(__CbframeClosure,));
        let entry =
            self.entry_const(&quote!(#private::Entry::new(__cbframe_native_entry #of_closure (__CBFRAME_LANE))));
        quote! {
            #lane
            #private::native! {
                #abi,
                lifetimes [#(#lifetimes,)*] generics [#closure] types [#types]
                lane [__CBFRAME_LANE]
                parameters [#(#parameters,)*] output [#output]
                call [__cbframe_call #of_closure]
            }
            #entry
        }
    }
}
