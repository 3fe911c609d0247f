#[allow(
    clippy::missing_const_for_fn,
    clippy::ptr_arg,
    clippy::trivially_copy_pass_by_ref
)]
fn usercall(s: &S, n: i32, this: *mut Obj, k: f32, l: f32) -> i32 {
    s.call(n, this, k, l)
}
#[doc(hidden)]
struct usercall {
    __cbframe_state: ::cbframe::private::core::marker::PhantomData<S>,
}
#[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
const _: () = {
    #[allow(unused_imports)]
    use ::cbframe::private::NotCType as _;
    const __CBFRAME_ABI: (
        ::cbframe::private::Abi,
        ::cbframe::private::core::primitive::bool,
    ) = (::cbframe::private::Abi::Custom, false);
    const __CBFRAME_KNOWN: [::cbframe::private::Known; 4usize] = [
        ::cbframe::private::known(<i32 as ::cbframe::private::CType<_>>::TYPE),
        ::cbframe::private::known(<*mut Obj as ::cbframe::private::CType<_>>::TYPE),
        ::cbframe::private::known(<f32 as ::cbframe::private::CType<_>>::TYPE),
        ::cbframe::private::known(<f32 as ::cbframe::private::CType<_>>::TYPE),
    ];
    const __CBFRAME_RESULT: ::cbframe::private::Known = ::cbframe::private::known(
        <i32 as ::cbframe::private::CType<_>>::TYPE,
    );
    const __CBFRAME_PLACED: &::cbframe::private::Option<
        ::cbframe::private::Placed<4usize>,
    > = &::cbframe::private::place_spots(
        ["n", "this", "k", "l"],
        [
            ::cbframe::private::spot(
                ::cbframe::private::Architecture::X86_64,
                "eax",
                ::cbframe::private::Register::Integer(0u8),
                4u8,
            ),
            ::cbframe::private::spot(
                ::cbframe::private::Architecture::X86_64,
                "rsi",
                ::cbframe::private::Register::Integer(6u8),
                8u8,
            ),
            ::cbframe::private::Spot::Stack(0u32),
            ::cbframe::private::Spot::Stack(4u32),
        ],
        __CBFRAME_KNOWN,
        ::cbframe::private::Option::Some(
            ::cbframe::private::spot(
                ::cbframe::private::Architecture::X86_64,
                "ecx",
                ::cbframe::private::Register::Integer(1u8),
                4u8,
            ),
        ),
        __CBFRAME_RESULT,
        8u32,
    );
    const __CBFRAME_LAYOUT: ::cbframe::private::Option<
        ::cbframe::private::Layout<'static>,
    > = ::cbframe::private::layout(__CBFRAME_PLACED, __CBFRAME_ABI);
    static __CBFRAME_META: ::cbframe::private::Meta = ::cbframe::private::Meta {
        name: ::cbframe::private::Name::Path(
            ::cbframe::private::core::concat!(
                ::cbframe::private::core::module_path!(), "::", "usercall"
            ),
        ),
        parameters: &["n: i32", "this: *mut Obj", "k: f32", "l: f32"],
        layout: __CBFRAME_LAYOUT,
    };
    const _: () = {
        ::cbframe::private::check_parameter(__CBFRAME_KNOWN[0usize]);
    };
    const _: () = {
        ::cbframe::private::check_parameter(__CBFRAME_KNOWN[1usize]);
    };
    const _: () = {
        ::cbframe::private::check_parameter(__CBFRAME_KNOWN[2usize]);
    };
    const _: () = {
        ::cbframe::private::check_parameter(__CBFRAME_KNOWN[3usize]);
    };
    const _: () = {
        ::cbframe::private::check_result(__CBFRAME_RESULT);
    };
    const _: () = ::cbframe::private::check_spot(
        &::cbframe::private::spot(
            ::cbframe::private::Architecture::X86_64,
            "eax",
            ::cbframe::private::Register::Integer(0u8),
            4u8,
        ),
        __CBFRAME_KNOWN[0usize],
    );
    const _: () = ::cbframe::private::check_spot(
        &::cbframe::private::spot(
            ::cbframe::private::Architecture::X86_64,
            "rsi",
            ::cbframe::private::Register::Integer(6u8),
            8u8,
        ),
        __CBFRAME_KNOWN[1usize],
    );
    const _: () = ::cbframe::private::check_spot(
        &::cbframe::private::Spot::Stack(0u32),
        __CBFRAME_KNOWN[2usize],
    );
    const _: () = ::cbframe::private::check_spot(
        &::cbframe::private::Spot::Stack(4u32),
        __CBFRAME_KNOWN[3usize],
    );
    const _: () = ::cbframe::private::check_apart(
        4u32,
        __CBFRAME_KNOWN[3usize],
        0u32,
        __CBFRAME_KNOWN[2usize],
    );
    const _: () = ::cbframe::private::check_result_spot(
        &::cbframe::private::spot(
            ::cbframe::private::Architecture::X86_64,
            "ecx",
            ::cbframe::private::Register::Integer(1u8),
            4u8,
        ),
        __CBFRAME_RESULT,
    );
    type __CbframeState<'__cbframe> = S;
    fn __cbframe_coerce<'__cbframe>() {
        ::cbframe::private::require_shared::<S>();
        let _: for<'__cbframe_state, '__cbframe_cpu> unsafe fn(
            &'__cbframe_state __CbframeState<'__cbframe>,
            _,
            _,
            _,
            _,
        ) -> _ = usercall;
    }
    #[inline(always)]
    unsafe fn __cbframe_call(
        __cbframe_ctx: *const (),
        __cbframe_0: ::cbframe::private::MaybeUninit<i32>,
        __cbframe_1: ::cbframe::private::MaybeUninit<*mut Obj>,
        __cbframe_2: ::cbframe::private::MaybeUninit<f32>,
        __cbframe_3: ::cbframe::private::MaybeUninit<f32>,
    ) -> i32 {
        unsafe {
            let __cbframe_guard = ::cbframe::private::NoUnwind::callback(
                &__CBFRAME_META,
            );
            let __cbframe_result = {
                ::cbframe::private::Probe::<
                    i32,
                    _,
                >::__cbframe_check(&__cbframe_0, &__CBFRAME_META, 0usize);
                ::cbframe::private::Probe::<
                    *mut Obj,
                    _,
                >::__cbframe_check(&__cbframe_1, &__CBFRAME_META, 1usize);
                ::cbframe::private::Probe::<
                    f32,
                    _,
                >::__cbframe_check(&__cbframe_2, &__CBFRAME_META, 2usize);
                ::cbframe::private::Probe::<
                    f32,
                    _,
                >::__cbframe_check(&__cbframe_3, &__CBFRAME_META, 3usize);
                let __cbframe_running = ::cbframe::private::Running::enter(
                    __cbframe_ctx,
                );
                usercall(
                    &*__cbframe_ctx.cast(),
                    __cbframe_0.assume_init(),
                    __cbframe_1.assume_init(),
                    __cbframe_2.assume_init(),
                    __cbframe_3.assume_init(),
                )
            };
            __cbframe_guard.disarm();
            __cbframe_result
        }
    }
    const __CBFRAME_PLACES: &::cbframe::private::Placed<4usize> = &::cbframe::private::places(
        __CBFRAME_PLACED,
    );
    const __CBFRAME_CAPTURE: ::cbframe::private::Capture = ::cbframe::private::Capture::new(
        __CBFRAME_ABI.0,
        __CBFRAME_PLACES,
        0,
    );
    ::cbframe::private::dispatcher! {
        "custom" __cbframe_dispatch < > (__cbframe_cpu : * mut
        ::cbframe::private::CpuState, __cbframe_ctx : * const ()) { unsafe { let
        __cbframe_hidden = ::cbframe::private::hidden_result(__cbframe_cpu, const { &
        __CBFRAME_PLACES.result().place }); let __cbframe_0 =
        ::cbframe::private::take(__cbframe_cpu, const { & __CBFRAME_PLACES
        .parameter(0usize).place }); let __cbframe_1 =
        ::cbframe::private::take(__cbframe_cpu, const { & __CBFRAME_PLACES
        .parameter(1usize).place }); let __cbframe_2 =
        ::cbframe::private::take(__cbframe_cpu, const { & __CBFRAME_PLACES
        .parameter(2usize).place }); let __cbframe_3 =
        ::cbframe::private::take(__cbframe_cpu, const { & __CBFRAME_PLACES
        .parameter(3usize).place }); let __cbframe_result = __cbframe_call(__cbframe_ctx,
        __cbframe_0, __cbframe_1, __cbframe_2, __cbframe_3);
        ::cbframe::private::give_exactly(__cbframe_cpu, const { __CBFRAME_PLACES.result()
        }, __cbframe_result); } }
    }
    ::cbframe::private::captured_entry!(
        __cbframe_captured_entry, __CBFRAME_CAPTURE, __cbframe_dispatch
    );
    const __CBFRAME_ENTRY: ::cbframe::private::Entry = unsafe {
        ::cbframe::private::Entry::new(__cbframe_captured_entry)
    };
    impl ::cbframe::private::Described for usercall {
        const DESCRIPTION: ::cbframe::private::Description = ::cbframe::private::description(
            &__CBFRAME_LAYOUT,
        );
    }
    impl usercall {
        /// The name of the callback.
        pub const NAME: &'static ::cbframe::private::core::primitive::str = "usercall";
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
            ::cbframe::private::Frame<'__cbframe, unsafe extern "C" fn(), usercall>,
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
            unsafe extern "C" fn(),
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
                            unsafe extern "C" fn(),
                            unsafe extern "C" fn(),
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
        ) -> unsafe extern "C" fn() {
            unsafe {
                ::cbframe::private::core::mem::transmute::<
                    unsafe extern "C" fn(),
                    unsafe extern "C" fn(),
                >(__cbframe_stub)
            }
        }
    }
};
