//! The native lanes: shims in the callback's ABI, whose arguments rustc passes, and the entries before them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::Expansion;
use crate::args::EntryKind;

impl Expansion<'_> {
    /// A shim called `name`, generic over the type of the parameter `head` if there is one, with the parameters
    /// `extra` among those of the C signature, before the one at `at`. It finds ctx as the expression `ctx`.
    pub(super) fn shim(
        &self,
        name: &Ident,
        head: Option<&TokenStream>,
        extra: &[TokenStream],
        at: usize,
        ctx: &TokenStream,
    ) -> TokenStream {
        let private = &self.private;
        // rustc 1.95 follows System V for structs in `efiapi` functions that are compiled for Linux.
        let abi = match self.callback.abi.as_str() {
            "efiapi" => "win64",
            abi => abi,
        };
        let signature = &self.callback.function.signature;
        let (lifetimes, output) = (signature.generics.params.iter(), &signature.output);
        let bound = head.map(|_| quote!(__CbframeHead: #private::Head));
        let (closure, of_closure) = (self.closure_generic(), self.closure_argument());
        let head = head.map(|name| quote!(#name: __CbframeHead,));
        let (first, rest) = self.shim_parameters.split_at(at);
        let arguments = self.arguments.iter().map(|argument| &argument.ident);
        quote! {
            unsafe extern #abi fn #name<#(#lifetimes,)* #closure #bound>(#head #(#first,)* #(#extra,)* #(#rest),*) #output {
                // SAFETY: the arguments are those of the C caller, and ctx is that of the slot.
                unsafe { __cbframe_call #of_closure (#ctx, #(#arguments),*) }
            }
        }
    }

    pub(super) fn plain(&self) -> TokenStream {
        let private = &self.private;
        let null = quote!(#private::core::ptr::null());
        let shim = self.shim(&format_ident!("__cbframe_plain"), None, &[], 0, &null);
        if let Some(symbol) = &self.callback.args.export {
            let (at, export) = (self.private_at(symbol.span()), self.export());
            return quote! {
                #shim
                #private::plain_entry!(#export __cbframe_fn, __cbframe_plain);
                const _: () = #at::check_export(__CBFRAME_ABI.0, &__CBFRAME_KNOWN, __CBFRAME_RESULT);
            };
        }
        let stub = self.captured_stub(&format_ident!("__cbframe_stub"), None);
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

    /// `__CBFRAME_LANE`: what `function` makes of `arguments` and the option `entry`. An error is on the latter.
    pub(super) fn lane(&self, function: &str, arguments: TokenStream) -> TokenStream {
        let (span, forced) = match &self.callback.args.entry {
            Some((text, EntryKind::Direct)) => (text.span(), quote!(Direct)),
            Some((text, EntryKind::Stack)) => (text.span(), quote!(Stack)),
            _ => (Span::call_site(), quote!(No)),
        };
        let (private, at, function) = (&self.private, self.private_at(span), Ident::new(function, span));
        let lane = quote_spanned!(span=> #at::#function(#arguments, #private::Forced::#forced));
        quote!(const __CBFRAME_LANE: #private::Lane = #lane;)
    }

    pub(super) fn direct(&self) -> TokenStream {
        let (private, ctx) = (&self.private, quote!(__cbframe_ctx));
        let extra = [quote!(__cbframe_ctx: *const ())];
        let shim = self.shim(&format_ident!("__cbframe_direct"), None, &extra, self.arguments.len(), &ctx);
        let (generics, of_closure) = (self.entry_generics(), self.closure_argument());
        quote! {
            #shim
            #private::direct_entry!(
                __cbframe_direct_entry #generics, __CBFRAME_LANE.register(), __cbframe_direct #of_closure
            );
        }
    }

    pub(super) fn sysv64(&self) -> TokenStream {
        let (private, direct) = (&self.private, self.direct());
        let lane = self.lane("sysv64_lane", quote!(__CBFRAME_PLACED, &__CBFRAME_KNOWN, __CBFRAME_RESULT));
        let (head, ctx) = (quote!(__cbframe_head), quote!(__cbframe_head.ctx()));
        let stack = self.shim(&format_ident!("__cbframe_stack"), Some(&head), &[], 0, &ctx);
        let (closure, of_closure) = (self.closure_generic(), self.closure_argument());
        let argument = self.closure.map(|_| quote!(__CbframeClosure,));
        let entry = self.entry_const(&quote! {
            #private::Entry::new(match __CBFRAME_LANE {
                #private::Lane::Direct(_) => __cbframe_direct_entry #of_closure,
                #private::Lane::Stack(4) => __cbframe_stack_entry::<#argument #private::Head4>,
                #private::Lane::Stack(_) => __cbframe_stack_entry::<#argument #private::Head8>,
                #private::Lane::Captured => __cbframe_captured_entry #of_closure,
            })
        });
        quote! {
            #lane
            #direct
            #stack
            #private::stack_entry!(
                __cbframe_stack_entry [<#closure Head: #private::Head>], Head::PAD, __cbframe_stack::<#argument Head>
            );
            #entry
        }
    }

    pub(super) fn win64(&self) -> TokenStream {
        let (private, count) = (&self.private, self.arguments.len());
        let (generics, of_closure) = (self.entry_generics(), self.closure_argument());
        let mut entries = Vec::new();
        let mut arms = Vec::new();
        if count < 4 {
            entries.push(self.direct());
            arms.push(quote!(#private::Lane::Direct(_) => __cbframe_direct_entry #of_closure,));
        }
        // Six words behind the fourth position, of which a hidden result pointer may be the first.
        let ctx = quote!(__cbframe_ctx);
        let mut words = vec![quote!(__cbframe_ctx: *const ())];
        words.extend((1..6).map(|i| {
            let word = format_ident!("__cbframe_word_{i}");
            quote!(#word: #private::MaybeUninit<#private::core::primitive::usize>)
        }));
        for behind in [3_u8, 4] {
            let at = usize::from(behind);
            if count >= at {
                let (name, entry) =
                    (format_ident!("__cbframe_behind_{behind}"), format_ident!("__cbframe_behind_{behind}_entry"));
                let shim = self.shim(&name, None, &words, at, &ctx);
                entries.push(quote!(#shim #private::stack_entry!(#entry #generics, 32, #name #of_closure);));
                arms.push(quote!(#private::Lane::Stack(#behind) => #entry #of_closure,));
            }
        }
        let at = self.private_at(self.result.span());
        let hidden = quote_spanned!(self.result.span()=> #at::win64_hidden(__CBFRAME_RESULT));
        let lane = self.lane("win64_lane", quote!(&__CBFRAME_KNOWN, __CBFRAME_RESULT, __CBFRAME_HIDDEN));
        let entry = self.entry_const(&quote! {
            #private::Entry::new(match __CBFRAME_LANE {
                #(#arms)*
                #private::Lane::Captured => __cbframe_captured_entry #of_closure,
                _ => #private::core::panic!("cbframe: a lane that this signature cannot have"),
            })
        });
        quote! {
            const __CBFRAME_HIDDEN: #private::core::primitive::bool = #hidden;
            #lane
            #(#entries)*
            #entry
        }
    }
}
