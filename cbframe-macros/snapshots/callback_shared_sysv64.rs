#[allow(
    clippy::missing_const_for_fn,
    clippy::ptr_arg,
    clippy::trivially_copy_pass_by_ref
)]
fn compare<'a>(order: &Order<'_>, a: &'a Item, b: &'a Item) -> &'a Item {
    order.first(a, b)
}
#[doc(hidden)]
struct compare {
    __cbframe_state: ::cbframe::private::core::marker::PhantomData<Order<'static>>,
}
#[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
const _: () = {
    #[allow(unused_imports)]
    use ::cbframe::private::NotCType as _;
    const __CBFRAME_ABI: (
        ::cbframe::private::Abi,
        ::cbframe::private::core::primitive::bool,
    ) = ::cbframe::private::abi("sysv64");
    const __CBFRAME_KNOWN: [::cbframe::private::Known; 2usize] = [
        ::cbframe::private::known(<&'static Item as ::cbframe::private::CType<_>>::TYPE),
        ::cbframe::private::known(<&'static Item as ::cbframe::private::CType<_>>::TYPE),
    ];
    const __CBFRAME_RESULT: ::cbframe::private::Known = ::cbframe::private::known(
        <&'static Item as ::cbframe::private::CType<_>>::TYPE,
    );
    const __CBFRAME_PLACED: &::cbframe::private::Option<
        ::cbframe::private::Placed<2usize>,
    > = &::cbframe::private::place_known(
        __CBFRAME_ABI.0,
        ["a", "b"],
        __CBFRAME_KNOWN,
        __CBFRAME_RESULT,
    );
    const __CBFRAME_LAYOUT: ::cbframe::private::Option<
        ::cbframe::private::Layout<'static>,
    > = ::cbframe::private::layout(__CBFRAME_PLACED, __CBFRAME_ABI);
    static __CBFRAME_META: ::cbframe::private::Meta = ::cbframe::private::Meta {
        name: ::cbframe::private::Name::Path(
            ::cbframe::private::core::concat!(
                ::cbframe::private::core::module_path!(), "::", "compare"
            ),
        ),
        parameters: &["a: &'a Item", "b: &'a Item"],
        layout: __CBFRAME_LAYOUT,
    };
    const _: () = {
        ::cbframe::private::check_parameter(__CBFRAME_KNOWN[0usize]);
        ::cbframe::private::check_safe(__CBFRAME_ABI.0, &__CBFRAME_KNOWN, 0usize);
    };
    const _: () = {
        ::cbframe::private::check_parameter(__CBFRAME_KNOWN[1usize]);
        ::cbframe::private::check_safe(__CBFRAME_ABI.0, &__CBFRAME_KNOWN, 1usize);
    };
    const _: () = {
        ::cbframe::private::check_result(__CBFRAME_RESULT);
        ::cbframe::private::check_safe_result(__CBFRAME_ABI.0, __CBFRAME_RESULT);
    };
    type __CbframeState<'__cbframe> = Order<'__cbframe>;
    fn __cbframe_coerce<'__cbframe>() {
        ::cbframe::private::require_shared::<Order<'__cbframe>>();
        let _: for<'__cbframe_state, '__cbframe_cpu> unsafe fn(
            &'__cbframe_state __CbframeState<'__cbframe>,
            _,
            _,
        ) -> _ = compare;
    }
    #[inline(always)]
    unsafe fn __cbframe_call<'a>(
        __cbframe_ctx: *const (),
        __cbframe_0: ::cbframe::private::MaybeUninit<&'a Item>,
        __cbframe_1: ::cbframe::private::MaybeUninit<&'a Item>,
    ) -> &'a Item {
        unsafe {
            let __cbframe_guard = ::cbframe::private::NoUnwind::callback(
                &__CBFRAME_META,
            );
            let __cbframe_result = {
                ::cbframe::private::Probe::<
                    &'a Item,
                    _,
                >::__cbframe_check(&__cbframe_0, &__CBFRAME_META, 0usize);
                ::cbframe::private::Probe::<
                    &'a Item,
                    _,
                >::__cbframe_check(&__cbframe_1, &__CBFRAME_META, 1usize);
                let __cbframe_running = ::cbframe::private::Running::enter(
                    __cbframe_ctx,
                );
                compare(
                    &*__cbframe_ctx.cast(),
                    __cbframe_0.assume_init(),
                    __cbframe_1.assume_init(),
                )
            };
            __cbframe_guard.disarm();
            __cbframe_result
        }
    }
    const __CBFRAME_PLACES: &::cbframe::private::Placed<2usize> = &::cbframe::private::places(
        __CBFRAME_PLACED,
    );
    const __CBFRAME_CAPTURE: ::cbframe::private::Capture = ::cbframe::private::Capture::new(
        __CBFRAME_ABI.0,
        __CBFRAME_PLACES,
        0,
    );
    ::cbframe::private::dispatcher! {
        "sysv64" __cbframe_dispatch < 'a, > (__cbframe_cpu : * mut
        ::cbframe::private::CpuState, __cbframe_ctx : * const ()) { unsafe { let
        __cbframe_hidden = ::cbframe::private::hidden_result(__cbframe_cpu, const { &
        __CBFRAME_PLACES.result().place }); let __cbframe_0 =
        ::cbframe::private::take(__cbframe_cpu, const { & __CBFRAME_PLACES
        .parameter(0usize).place }); let __cbframe_1 =
        ::cbframe::private::take(__cbframe_cpu, const { & __CBFRAME_PLACES
        .parameter(1usize).place }); let __cbframe_result = __cbframe_call(__cbframe_ctx,
        __cbframe_0, __cbframe_1); ::cbframe::private::give(__cbframe_cpu, const {
        __CBFRAME_PLACES.result() }, __cbframe_hidden, __cbframe_result,); } }
    }
    ::cbframe::private::captured_entry!(
        __cbframe_captured_entry, __CBFRAME_CAPTURE, __cbframe_dispatch
    );
    const _: () = ::cbframe::private::check_lane_parameter(
        __CBFRAME_ABI.0,
        __CBFRAME_KNOWN[0usize],
    );
    const _: () = ::cbframe::private::check_lane_parameter(
        __CBFRAME_ABI.0,
        __CBFRAME_KNOWN[1usize],
    );
    const _: () = ::cbframe::private::check_lane_result(
        __CBFRAME_ABI.0,
        __CBFRAME_RESULT,
    );
    const __CBFRAME_LANE: ::cbframe::private::Lane = ::cbframe::private::lane(
        __CBFRAME_ABI.0,
        __CBFRAME_PLACED,
        &__CBFRAME_KNOWN,
        __CBFRAME_RESULT,
        ::cbframe::private::Forced::No,
    );
    ::cbframe::private::native! {
        "sysv64", lifetimes['a,] generics[] types[] lane[__CBFRAME_LANE]
        parameters[__cbframe_0 : ::cbframe::private::MaybeUninit < & 'a Item >,
        __cbframe_1 : ::cbframe::private::MaybeUninit < & 'a Item >,] output[-> & 'a
        Item] call[__cbframe_call]
    }
    const __CBFRAME_ENTRY: ::cbframe::private::Entry = unsafe {
        ::cbframe::private::Entry::new(__cbframe_native_entry(__CBFRAME_LANE))
    };
    impl ::cbframe::private::Described for compare {
        const DESCRIPTION: ::cbframe::private::Description = ::cbframe::private::description(
            &__CBFRAME_LAYOUT,
        );
    }
    impl compare {
        /// The name of the callback.
        pub const NAME: &'static ::cbframe::private::core::primitive::str = "compare";
        /// Where the arguments and the result lie. An error at compile time if some type is no `CType`.
        pub const LAYOUT: &'static ::cbframe::private::Layout<'static> = ::cbframe::private::known_layout(
            &__CBFRAME_LAYOUT,
        );
        /// Binds a state and gives the owner of the callable address.
        ///
        /// # Errors
        ///
        /// If every slot of the pool is bound; the state is in the error.
        #[track_caller]
        #[inline]
        pub fn bind<'__cbframe, __CbframeOwner>(
            __cbframe_state: __CbframeOwner,
        ) -> ::cbframe::private::Result<
            ::cbframe::private::Frame<
                '__cbframe,
                for<'a> unsafe extern "sysv64" fn(&'a Item, &'a Item) -> &'a Item,
                compare,
            >,
            ::cbframe::private::PoolFull<__CbframeOwner>,
        >
        where
            __CbframeOwner: ::cbframe::private::SharedState<
                '__cbframe,
                __CbframeState<'__cbframe>,
            >,
        {
            unsafe {
                ::cbframe::private::Frame::bind::<
                    ::cbframe::private::Shared<__CbframeState<'__cbframe>>,
                    __CbframeOwner,
                >(
                    ::cbframe::private::Pool::shared(),
                    __CBFRAME_ENTRY,
                    &__CBFRAME_META,
                    ::cbframe::private::Location::caller(),
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
        ) -> ::cbframe::private::Result<
            for<'a> extern "sysv64" fn(&'a Item, &'a Item) -> &'a Item,
            ::cbframe::private::PoolFull<__CbframeOwner>,
        >
        where
            __CbframeOwner: ::cbframe::private::SharedState<
                'static,
                __CbframeState<'static>,
            >,
        {
            match Self::bind(__cbframe_state) {
                ::cbframe::private::Result::Ok(__cbframe_frame) => {
                    ::cbframe::private::Result::Ok(unsafe {
                        ::cbframe::private::core::mem::transmute::<
                            for<'a> unsafe extern "sysv64" fn(
                                &'a Item,
                                &'a Item,
                            ) -> &'a Item,
                            for<'a> extern "sysv64" fn(&'a Item, &'a Item) -> &'a Item,
                        >(::cbframe::private::Frame::leak(__cbframe_frame))
                    })
                }
                ::cbframe::private::Result::Err(__cbframe_full) => {
                    ::cbframe::private::Result::Err(__cbframe_full)
                }
            }
        }
        #[doc(hidden)]
        pub const fn __cbframe_slot(
            __cbframe_state: &'static __CbframeState<'static>,
        ) -> ::cbframe::private::Slot {
            ::cbframe::private::Slot::fixed(
                __CBFRAME_ENTRY,
                ::cbframe::private::core::ptr::from_ref(__cbframe_state).cast(),
            )
        }
        #[doc(hidden)]
        #[must_use]
        pub const unsafe fn __cbframe_pointer(
            __cbframe_stub: unsafe extern "C" fn(),
        ) -> for<'a> extern "sysv64" fn(&'a Item, &'a Item) -> &'a Item {
            unsafe {
                ::cbframe::private::core::mem::transmute::<
                    unsafe extern "C" fn(),
                    for<'a> extern "sysv64" fn(&'a Item, &'a Item) -> &'a Item,
                >(__cbframe_stub)
            }
        }
    }
};
