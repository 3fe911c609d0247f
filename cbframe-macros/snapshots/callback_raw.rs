#[allow(
    clippy::missing_const_for_fn,
    clippy::ptr_arg,
    clippy::trivially_copy_pass_by_ref
)]
fn square(calls: &AtomicU64, cpu: &mut CpuState) {
    cpu.rax = cpu.rdi;
}
#[doc(hidden)]
struct square {
    __cbframe_state: ::cbframe::private::core::marker::PhantomData<AtomicU64>,
}
#[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
const _: () = {
    #[allow(unused_imports)]
    use ::cbframe::private::NotCType as _;
    const __CBFRAME_ABI: (
        ::cbframe::private::Abi,
        ::cbframe::private::core::primitive::bool,
    ) = ::cbframe::private::abi("C");
    const __CBFRAME_KNOWN: [::cbframe::private::Known; 0usize] = [];
    const __CBFRAME_RESULT: ::cbframe::private::Known = ::cbframe::private::known(
        <() as ::cbframe::private::CType<_>>::TYPE,
    );
    const __CBFRAME_PLACED: &::cbframe::private::Option<
        ::cbframe::private::Placed<0usize>,
    > = &::cbframe::private::place_known(
        __CBFRAME_ABI.0,
        [],
        __CBFRAME_KNOWN,
        __CBFRAME_RESULT,
    );
    const __CBFRAME_LAYOUT: ::cbframe::private::Option<
        ::cbframe::private::Layout<'static>,
    > = ::cbframe::private::Option::None;
    static __CBFRAME_META: ::cbframe::private::Meta = ::cbframe::private::Meta {
        name: ::cbframe::private::Name::Path(
            ::cbframe::private::core::concat!(
                ::cbframe::private::core::module_path!(), "::", "square"
            ),
        ),
        parameters: &[],
        layout: __CBFRAME_LAYOUT,
    };
    const _: () = {
        ::cbframe::private::check_result(__CBFRAME_RESULT);
        ::cbframe::private::check_safe_result(__CBFRAME_ABI.0, __CBFRAME_RESULT);
    };
    type __CbframeState<'__cbframe> = AtomicU64;
    fn __cbframe_coerce<'__cbframe>() {
        ::cbframe::private::require_shared::<AtomicU64>();
        let _: for<'__cbframe_state, '__cbframe_cpu> unsafe fn(
            &'__cbframe_state __CbframeState<'__cbframe>,
            &'__cbframe_cpu mut _,
        ) -> _ = square;
    }
    #[inline(always)]
    unsafe fn __cbframe_call(
        __cbframe_ctx: *const (),
        __cbframe_cpu: *mut ::cbframe::private::CpuState,
    ) {
        unsafe {
            let __cbframe_guard = ::cbframe::private::NoUnwind::callback(
                &__CBFRAME_META,
            );
            let __cbframe_result = {
                let __cbframe_running = ::cbframe::private::Running::enter(
                    __cbframe_ctx,
                );
                square(&*__cbframe_ctx.cast(), &mut *__cbframe_cpu)
            };
            __cbframe_guard.disarm();
            __cbframe_result
        }
    }
    const __CBFRAME_PLACES: &::cbframe::private::Placed<0usize> = &::cbframe::private::places(
        __CBFRAME_PLACED,
    );
    const __CBFRAME_CAPTURE: ::cbframe::private::Capture = ::cbframe::private::Capture::new(
        __CBFRAME_ABI.0,
        __CBFRAME_PLACES,
        0 | ::cbframe::private::save!(group gpr) | ::cbframe::private::save!(group x87),
    );
    ::cbframe::private::dispatcher! {
        "C" __cbframe_dispatch < > (__cbframe_cpu : * mut ::cbframe::private::CpuState,
        __cbframe_ctx : * const ()) { unsafe {
        ::cbframe::private::CpuState::assume(__cbframe_cpu, __CBFRAME_CAPTURE); let
        __cbframe_hidden = ::cbframe::private::hidden_result(__cbframe_cpu, const { &
        __CBFRAME_PLACES.result().place }); let __cbframe_result =
        __cbframe_call(__cbframe_ctx, __cbframe_cpu,);
        ::cbframe::private::give(__cbframe_cpu, const { __CBFRAME_PLACES.result() },
        __cbframe_hidden, __cbframe_result,); } }
    }
    ::cbframe::private::captured_entry!(
        __cbframe_captured_entry, __CBFRAME_CAPTURE, __cbframe_dispatch
    );
    const __CBFRAME_ENTRY: ::cbframe::private::Entry = unsafe {
        ::cbframe::private::Entry::new(__cbframe_captured_entry)
    };
    impl ::cbframe::private::Described for square {
        const DESCRIPTION: ::cbframe::private::Description = ::cbframe::private::Description::Raw;
    }
    impl square {
        /// The name of the callback.
        pub const NAME: &'static ::cbframe::private::core::primitive::str = "square";
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
            ::cbframe::private::Frame<'__cbframe, unsafe extern "C" fn(), square>,
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
