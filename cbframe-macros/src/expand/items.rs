//! What users name: `compare::bind` and its kin.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use super::Expansion;
use crate::validate::State;

impl Expansion<'_> {
    /// The type of the C function pointer.
    pub(super) fn pointer(&self, safety: Option<TokenStream>) -> TokenStream {
        if self.callback.convention.is_some() {
            // An address: Rust has no type for what is there.
            return quote!(unsafe extern "C" fn());
        }
        let abi = &self.callback.abi;
        let signature = &self.callback.function.signature;
        let lifetimes = signature.generics.params.iter();
        let binder = (lifetimes.len() > 0).then(|| quote!(for<#(#lifetimes),*>));
        let types = self.arguments.iter().map(|argument| argument.ty);
        let output = &signature.output;
        let variadic = self.callback.is_variadic.then(|| quote!(...));
        quote!(#binder #safety extern #abi fn(#(#types,)* #variadic) #output)
    }

    /// Whether the pointer is unsafe to call even while its state lives: a handler that sees the CPU can change
    /// what its caller keeps in registers, and the arguments behind `...` may be any.
    fn is_unsafe(&self) -> bool {
        self.callback.is_unsafe || self.callback.has_cpu || self.callback.is_variadic
    }

    /// The `impl` of the type beside the function.
    pub(super) fn items(&self) -> TokenStream {
        let private = &self.private;
        let item = &self.item;
        let name = self.callback.function.signature.ident.unraw().to_string();
        let public = match &self.callback.state {
            None => self.stateless_items(),
            Some(state) if self.callback.args.jump.is_some() => self.hook_items(state),
            Some(state) => self.stateful_items(state),
        };
        let description = if self.callback.raw {
            quote!(#private::Description::Raw)
        } else {
            quote!(#private::description(&__CBFRAME_LAYOUT))
        };
        let layout = (!self.callback.raw).then(|| {
            quote! {
                /// Where the arguments and the result lie. An error at compile time if some type is no `CType`.
                pub const LAYOUT: &'static #private::Layout<'static> = #private::known_layout(&__CBFRAME_LAYOUT);
            }
        });
        // The address of a hook is no function pointer, of any type.
        let described = self.callback.args.jump.is_none().then(|| {
            quote! {
                impl #private::Described for #item {
                    const DESCRIPTION: #private::Description = #description;
                }
            }
        });
        quote! {
            #described

            impl #item {
                /// The name of the callback.
                pub const NAME: &'static #private::core::primitive::str = #name;
                #layout
                #public
            }
        }
    }

    fn stateless_items(&self) -> TokenStream {
        let private = &self.private;
        let pointer = self.pointer(self.is_unsafe().then(|| quote!(unsafe)));
        quote! {
            /// The callback as a C function pointer.
            // SAFETY: the naked function follows this signature, and its name is that of a function.
            pub const FN: #pointer =
                unsafe { #private::core::mem::transmute::<unsafe extern "C" fn(), #pointer>(__cbframe_fn) };

            /// The callback as a pointer of another type with the same layout. The type must be `unsafe`: safe code
            /// could pass through another type what is no value of the parameter's.
            #[must_use]
            pub const fn as_fn_of<Q: #private::FnPointer>() -> Q {
                #private::cast_fn::<Self, Q>(__cbframe_fn)
            }
        }
    }

    fn hook_items(&self, State { exclusive, .. }: &State) -> TokenStream {
        let private = &self.private;
        let item = &self.item;
        let (state, owner) = if *exclusive {
            (quote!(#private::Exclusively), quote!(#private::ExclusiveState))
        } else {
            (quote!(#private::Shared), quote!(#private::SharedState))
        };
        quote! {
            /// Binds a state and the address at which the hooked function goes on, and gives the owner of the address to
            /// jump to.
            ///
            /// # Errors
            ///
            /// If every slot of the pool of hooks is bound; the state is in the error.
            #[track_caller]
            #[inline]
            pub fn bind<'__cbframe, __CbframeOwner>(
                __cbframe_state: __CbframeOwner,
                __cbframe_resume: *const (),
            ) -> #private::Result<
                #private::Frame<'__cbframe, #private::JumpTarget, #item>,
                #private::PoolFull<__CbframeOwner>,
            >
            where
                __CbframeOwner: #owner<'__cbframe, __CbframeState<'__cbframe>>,
            {
                // SAFETY: the entry is a hook's, of this state, whose type is in the struct.
                unsafe {
                    #private::Frame::hook::<#state<__CbframeState<'__cbframe>>, __CbframeOwner>(
                        __CBFRAME_ENTRY,
                        &__CBFRAME_META,
                        #private::Location::caller(),
                        __cbframe_state,
                        __cbframe_resume,
                    )
                }
            }

            /// Binds a state for as long as the process runs.
            ///
            /// # Errors
            ///
            /// If every slot of the pool of hooks is bound; the state is in the error.
            #[track_caller]
            #[inline]
            pub fn leak<__CbframeOwner>(
                __cbframe_state: __CbframeOwner,
                __cbframe_resume: *const (),
            ) -> #private::Result<#private::JumpTarget, #private::PoolFull<__CbframeOwner>>
            where
                __CbframeOwner: #owner<'static, __CbframeState<'static>>,
            {
                Self::bind(__cbframe_state, __cbframe_resume).map(#private::Frame::leak)
            }
        }
    }

    fn stateful_items(&self, State { exclusive, .. }: &State) -> TokenStream {
        let private = &self.private;
        let item = &self.item;
        let (state, owner) = if *exclusive {
            (quote!(#private::Exclusively), quote!(#private::ExclusiveState))
        } else {
            (quote!(#private::Shared), quote!(#private::SharedState))
        };
        let pool = match &self.callback.args.pool {
            Some(path) => quote!(&#path),
            None => quote!(#private::Pool::shared()),
        };
        let unsafe_pointer = self.pointer(Some(quote!(unsafe)));
        let pointer = self.pointer(self.is_unsafe().then(|| quote!(unsafe)));
        let transmute = quote!(#private::core::mem::transmute::<unsafe extern "C" fn(), #pointer>);
        // For `bind_static!`.
        let slot = if *exclusive {
            quote! {
                #[doc(hidden)]
                #[track_caller]
                pub const fn __cbframe_slot<__CbframeState>(_: &'static __CbframeState) -> #private::Slot {
                    #private::not_shared()
                }
            }
        } else {
            quote! {
                #[doc(hidden)]
                pub const fn __cbframe_slot(__cbframe_state: &'static __CbframeState<'static>) -> #private::Slot {
                    #private::Slot::fixed(__CBFRAME_ENTRY, #private::core::ptr::from_ref(__cbframe_state).cast())
                }
            }
        };
        quote! {
            /// Binds a state and gives the owner of the callable address.
            ///
            /// # Errors
            ///
            /// If every slot of the pool is bound; the state is in the error.
            #[track_caller]
            #[inline]
            pub fn bind<'__cbframe, __CbframeOwner>(
                __cbframe_state: __CbframeOwner,
            ) -> #private::Result<#private::Frame<'__cbframe, #unsafe_pointer, #item>, #private::PoolFull<__CbframeOwner>>
            where
                __CbframeOwner: #owner<'__cbframe, __CbframeState<'__cbframe>>,
            {
                // SAFETY: the entry is that of this signature and state, whose type is in the struct.
                unsafe {
                    #private::Frame::bind::<#state<__CbframeState<'__cbframe>>, __CbframeOwner>(
                        #pool,
                        __CBFRAME_ENTRY,
                        &__CBFRAME_META,
                        #private::Location::caller(),
                        __cbframe_state,
                    )
                }
            }

            /// Binds a state for as long as the process runs.
            ///
            /// # Errors
            ///
            /// If every slot of the pool is bound; the state is in the error.
            #[track_caller]
            #[inline]
            pub fn leak<__CbframeOwner>(
                __cbframe_state: __CbframeOwner,
            ) -> #private::Result<#pointer, #private::PoolFull<__CbframeOwner>>
            where
                __CbframeOwner: #owner<'static, __CbframeState<'static>>,
            {
                match Self::bind(__cbframe_state) {
                    // SAFETY: the pointer's type differs in no more than `unsafe`: the state is never freed.
                    #private::Result::Ok(__cbframe_frame) => #private::Result::Ok(unsafe {
                        #private::core::mem::transmute::<#unsafe_pointer, #pointer>(
                            #private::Frame::leak(__cbframe_frame)
                        )
                    }),
                    #private::Result::Err(__cbframe_full) => #private::Result::Err(__cbframe_full),
                }
            }

            #slot

            #[doc(hidden)]
            #[must_use]
            pub const unsafe fn __cbframe_pointer(__cbframe_stub: unsafe extern "C" fn()) -> #pointer {
                // SAFETY: the caller passes the stub of a slot from `__cbframe_slot`.
                unsafe { #transmute(__cbframe_stub) }
            }
        }
    }
}
