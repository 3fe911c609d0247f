//! The captured lane: the dispatcher, which takes the arguments out of a `CpuState`, and the entry before it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::Expansion;
use crate::args::Save;

impl Expansion<'_> {
    /// The dispatcher, and the entry that captures what it needs, and what is to be saved.
    pub(super) fn captured(&self, save: &Save) -> TokenStream {
        let Self { private, arguments, .. } = self;
        let abi = &self.callback.abi;
        let count = arguments.len();
        let groups = match save {
            Save::Nothing => quote!(0),
            Save::Default => quote!(#private::save!(default)),
            Save::Hook => quote!(#private::save!(hook)),
            Save::Named { groups, .. } => {
                let groups = groups.iter().map(|group| {
                    let at = self.private_at(group.span());
                    quote_spanned!(group.span()=> | #at::save!(group #group))
                });
                quote!(0 #(#groups)*)
            }
        };
        let registers = save.registers().iter().map(|(name, register)| {
            let at = self.private_at(name.span());
            let (text, architecture, register) = (name.to_string(), register.architecture(&at), register.tokens(&at));
            quote_spanned!(name.span()=> | #at::saved_bit(#architecture, #text, #register))
        });
        let and = (!save.registers().is_empty()).then(|| quote!(.and(0 #(#registers)*)));
        let idents: Vec<_> = arguments.iter().map(|argument| &argument.ident).collect();
        let indices = 0..count;
        let cpu = self.callback.has_cpu.then(|| quote!(__cbframe_cpu,));
        let (capture, list) = if self.callback.is_variadic {
            let list = quote!(#private::va_list(__cbframe_cpu, __CBFRAME_ABI.0, __CBFRAME_PLACES),);
            (quote!(variadic), Some(list))
        } else {
            (quote!(new), None)
        };
        let assume =
            self.callback.has_cpu.then(|| quote!(#private::CpuState::assume(__cbframe_cpu, __CBFRAME_CAPTURE);));
        let lifetimes = self.callback.function.signature.generics.params.iter();
        let (closure, of_closure, generics) = (self.closure_generic(), self.closure_argument(), self.entry_generics());
        let give = self.give();
        let entry = if self.callback.args.jump.is_some() {
            quote!(#private::jump_entry!(__cbframe_captured_entry, __CBFRAME_CAPTURE, __cbframe_dispatch);)
        } else {
            quote! {
                #private::captured_entry!(
                    __cbframe_captured_entry #generics, __CBFRAME_CAPTURE, __cbframe_dispatch #of_closure
                );
            }
        };
        quote! {
            const __CBFRAME_PLACES: &#private::Placed<#count> = &#private::places(__CBFRAME_PLACED);
            const __CBFRAME_CAPTURE: #private::Capture =
                #private::Capture::#capture(__CBFRAME_ABI.0, __CBFRAME_PLACES, #groups) #and;

            #private::dispatcher! { #abi __cbframe_dispatch<#(#lifetimes,)* #closure>(
                __cbframe_cpu: *mut #private::CpuState, __cbframe_ctx: *const ()
            ) {
                // SAFETY: `__cbframe_cpu` is the entry's, whose capture includes every register that these places
                // name; nothing has changed them. The types are those that were placed.
                unsafe {
                    #assume
                    let __cbframe_hidden =
                        #private::hidden_result(__cbframe_cpu, const { &__CBFRAME_PLACES.result().place });
                    #(let #idents = #private::take(__cbframe_cpu, const { &__CBFRAME_PLACES.parameter(#indices).place });)*
                    let __cbframe_result = __cbframe_call #of_closure (__cbframe_ctx, #cpu #list #(#idents),*);
                    #give
                }
            } }
            #entry
        }
    }
}
