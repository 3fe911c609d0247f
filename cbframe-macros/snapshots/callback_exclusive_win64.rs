#[allow(
    clippy::missing_const_for_fn,
    clippy::ptr_arg,
    clippy::trivially_copy_pass_by_ref
)]
fn push(list: &mut Vec<u64>, a: u64, b: u32, c: f64) {
    list.push(a);
}
#[doc(hidden)]
struct push {
    __cbframe_state: ::cbframe::private::core::marker::PhantomData<Vec<u64>>,
}
#[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
const _: () = {
    #[allow(unused_imports)]
    use ::cbframe::private::NotCType as _;
    const __CBFRAME_ABI: (
        ::cbframe::private::Abi,
        ::cbframe::private::core::primitive::bool,
    ) = ::cbframe::private::abi("win64");
    const __CBFRAME_KNOWN: [::cbframe::private::Known; 3usize] = [
        ::cbframe::private::Probe::<u64, _>::__CBFRAME_KNOWN,
        ::cbframe::private::Probe::<u32, _>::__CBFRAME_KNOWN,
        ::cbframe::private::Probe::<f64, _>::__CBFRAME_KNOWN,
    ];
    const __CBFRAME_RESULT: ::cbframe::private::Known = ::cbframe::private::Probe::<
        (),
        _,
    >::__CBFRAME_KNOWN;
    const __CBFRAME_PLACED: &::cbframe::private::Option<
        ::cbframe::private::Placed<3usize>,
    > = &::cbframe::private::place_known(
        __CBFRAME_ABI.0,
        ["a", "b", "c"],
        __CBFRAME_KNOWN,
        __CBFRAME_RESULT,
    );
    const __CBFRAME_LAYOUT: ::cbframe::private::Option<
        ::cbframe::private::Layout<'static>,
    > = ::cbframe::private::layout(__CBFRAME_PLACED, __CBFRAME_ABI);
    static __CBFRAME_META: ::cbframe::private::Meta = ::cbframe::private::Meta {
        name: ::cbframe::private::Name::Path(
            ::cbframe::private::core::concat!(
                ::cbframe::private::core::module_path!(), "::", "push"
            ),
        ),
        parameters: &["a: u64", "b: u32", "c: f64"],
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
        ::cbframe::private::check_parameter(__CBFRAME_KNOWN[2usize]);
        ::cbframe::private::check_safe(__CBFRAME_ABI.0, &__CBFRAME_KNOWN, 2usize);
    };
    const _: () = {
        ::cbframe::private::check_result(__CBFRAME_RESULT);
        ::cbframe::private::check_safe_result(__CBFRAME_ABI.0, __CBFRAME_RESULT);
    };
    type __CbframeState<'__cbframe> = Vec<u64>;
    fn __cbframe_coerce<'__cbframe>() {
        ::cbframe::private::require_exclusive::<Vec<u64>>();
        let _: for<'__cbframe_state, '__cbframe_cpu> unsafe fn(
            &'__cbframe_state mut __CbframeState<'__cbframe>,
            _,
            _,
            _,
        ) -> _ = push;
    }
    #[inline(always)]
    unsafe fn __cbframe_call(
        __cbframe_ctx: *const (),
        __cbframe_0: ::cbframe::private::MaybeUninit<u64>,
        __cbframe_1: ::cbframe::private::MaybeUninit<u32>,
        __cbframe_2: ::cbframe::private::MaybeUninit<f64>,
    ) {
        unsafe {
            let __cbframe_guard = ::cbframe::private::NoUnwind::callback(
                &__CBFRAME_META,
            );
            let __cbframe_result = {
                ::cbframe::private::Probe::<
                    u64,
                    _,
                >::__cbframe_check(&__cbframe_0, &__CBFRAME_META, 0usize);
                ::cbframe::private::Probe::<
                    u32,
                    _,
                >::__cbframe_check(&__cbframe_1, &__CBFRAME_META, 1usize);
                ::cbframe::private::Probe::<
                    f64,
                    _,
                >::__cbframe_check(&__cbframe_2, &__CBFRAME_META, 2usize);
                let __cbframe_exclusive = ::cbframe::private::Exclusive::enter(
                    __cbframe_ctx,
                );
                let __cbframe_running = ::cbframe::private::Running::enter(
                    __cbframe_exclusive.state(),
                );
                push(
                    &mut *__cbframe_exclusive.state().cast(),
                    __cbframe_0.assume_init(),
                    __cbframe_1.assume_init(),
                    __cbframe_2.assume_init(),
                )
            };
            __cbframe_guard.disarm();
            __cbframe_result
        }
    }
    const __CBFRAME_PLACES: &::cbframe::private::Placed<3usize> = &::cbframe::private::places(
        __CBFRAME_PLACED,
    );
    const __CBFRAME_CAPTURE: ::cbframe::private::Capture = ::cbframe::private::Capture::new(
        __CBFRAME_ABI.0,
        __CBFRAME_PLACES,
        0,
    );
    ::cbframe::private::dispatcher! {
        "win64" __cbframe_dispatch < > (__cbframe_cpu : * mut
        ::cbframe::private::CpuState, __cbframe_ctx : * const ()) { unsafe { let
        __cbframe_hidden = ::cbframe::private::hidden_result(__cbframe_cpu, const { &
        __CBFRAME_PLACES.result().place }); let __cbframe_0 =
        ::cbframe::private::take(__cbframe_cpu, const { & __CBFRAME_PLACES
        .parameter(0usize).place }); let __cbframe_1 =
        ::cbframe::private::take(__cbframe_cpu, const { & __CBFRAME_PLACES
        .parameter(1usize).place }); let __cbframe_2 =
        ::cbframe::private::take(__cbframe_cpu, const { & __CBFRAME_PLACES
        .parameter(2usize).place }); let __cbframe_result = __cbframe_call(__cbframe_ctx,
        __cbframe_0, __cbframe_1, __cbframe_2); ::cbframe::private::give(__cbframe_cpu,
        const { __CBFRAME_PLACES.result() }, __cbframe_hidden, __cbframe_result,); } }
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
    const _: () = ::cbframe::private::check_lane_parameter(
        __CBFRAME_ABI.0,
        __CBFRAME_KNOWN[2usize],
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
        "win64", lifetimes[] generics[] types[] lane[__CBFRAME_LANE]
        parameters[__cbframe_0 : ::cbframe::private::MaybeUninit < u64 >, __cbframe_1 :
        ::cbframe::private::MaybeUninit < u32 >, __cbframe_2 :
        ::cbframe::private::MaybeUninit < f64 >,] output[] call[__cbframe_call]
    }
    const __CBFRAME_ENTRY: ::cbframe::private::Entry = unsafe {
        ::cbframe::private::Entry::new(__cbframe_native_entry(__CBFRAME_LANE))
    };
    impl ::cbframe::private::Described for push {
        const DESCRIPTION: ::cbframe::private::Description = ::cbframe::private::description(
            &__CBFRAME_LAYOUT,
        );
    }
    impl push {
        /// The name of the callback.
        pub const NAME: &'static ::cbframe::private::core::primitive::str = "push";
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
                unsafe extern "win64" fn(u64, u32, f64),
                push,
            >,
            ::cbframe::private::PoolFull<__CbframeOwner>,
        >
        where
            __CbframeOwner: ::cbframe::private::ExclusiveState<
                '__cbframe,
                __CbframeState<'__cbframe>,
            >,
        {
            unsafe {
                ::cbframe::private::Frame::bind::<
                    ::cbframe::private::Exclusively<__CbframeState<'__cbframe>>,
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
            extern "win64" fn(u64, u32, f64),
            ::cbframe::private::PoolFull<__CbframeOwner>,
        >
        where
            __CbframeOwner: ::cbframe::private::ExclusiveState<
                'static,
                __CbframeState<'static>,
            >,
        {
            match Self::bind(__cbframe_state) {
                ::cbframe::private::Result::Ok(__cbframe_frame) => {
                    ::cbframe::private::Result::Ok(unsafe {
                        ::cbframe::private::core::mem::transmute::<
                            unsafe extern "win64" fn(u64, u32, f64),
                            extern "win64" fn(u64, u32, f64),
                        >(::cbframe::private::Frame::leak(__cbframe_frame))
                    })
                }
                ::cbframe::private::Result::Err(__cbframe_full) => {
                    ::cbframe::private::Result::Err(__cbframe_full)
                }
            }
        }
        #[doc(hidden)]
        #[track_caller]
        pub const fn __cbframe_slot<__CbframeState>(
            _: &'static __CbframeState,
        ) -> ::cbframe::private::Slot {
            ::cbframe::private::not_shared()
        }
        #[doc(hidden)]
        #[must_use]
        pub const unsafe fn __cbframe_pointer(
            __cbframe_stub: unsafe extern "C" fn(),
        ) -> extern "win64" fn(u64, u32, f64) {
            unsafe {
                ::cbframe::private::core::mem::transmute::<
                    unsafe extern "C" fn(),
                    extern "win64" fn(u64, u32, f64),
                >(__cbframe_stub)
            }
        }
    }
};
