#[allow(
    clippy::missing_const_for_fn,
    clippy::ptr_arg,
    clippy::trivially_copy_pass_by_ref
)]
fn probe(cpu: &mut CpuState, mut r#type: i32, b: f32) -> i64 {
    0
}
#[doc(hidden)]
struct probe {
    __cbframe_state: ::cbframe::private::core::marker::PhantomData<()>,
}
#[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
const _: () = {
    #[allow(unused_imports)]
    use ::cbframe::private::NotCType as _;
    const __CBFRAME_ABI: (
        ::cbframe::private::Abi,
        ::cbframe::private::core::primitive::bool,
    ) = ::cbframe::private::abi("win64");
    const __CBFRAME_KNOWN: [::cbframe::private::Known; 2usize] = [
        ::cbframe::private::known(<i32 as ::cbframe::private::CType<_>>::TYPE),
        ::cbframe::private::known(<f32 as ::cbframe::private::CType<_>>::TYPE),
    ];
    const __CBFRAME_RESULT: ::cbframe::private::Known = ::cbframe::private::known(
        <i64 as ::cbframe::private::CType<_>>::TYPE,
    );
    const __CBFRAME_PLACED: &::cbframe::private::Option<
        ::cbframe::private::Placed<2usize>,
    > = &::cbframe::private::place_known(
        __CBFRAME_ABI.0,
        ["type", "b"],
        __CBFRAME_KNOWN,
        __CBFRAME_RESULT,
    );
    const __CBFRAME_LAYOUT: ::cbframe::private::Option<
        ::cbframe::private::Layout<'static>,
    > = ::cbframe::private::layout(__CBFRAME_PLACED, __CBFRAME_ABI);
    static __CBFRAME_META: ::cbframe::private::Meta = ::cbframe::private::Meta {
        name: ::cbframe::private::Name::Path(
            ::cbframe::private::core::concat!(
                ::cbframe::private::core::module_path!(), "::", "probe"
            ),
        ),
        parameters: &["type: i32", "b: f32"],
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
    fn __cbframe_coerce<'__cbframe>() {
        let _: for<'__cbframe_state, '__cbframe_cpu> unsafe fn(
            &'__cbframe_cpu mut _,
            _,
            _,
        ) -> _ = probe;
    }
    #[inline(always)]
    unsafe fn __cbframe_call(
        __cbframe_ctx: *const (),
        __cbframe_cpu: *mut ::cbframe::private::CpuState,
        __cbframe_0: ::cbframe::private::MaybeUninit<i32>,
        __cbframe_1: ::cbframe::private::MaybeUninit<f32>,
    ) -> i64 {
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
                    f32,
                    _,
                >::__cbframe_check(&__cbframe_1, &__CBFRAME_META, 1usize);
                probe(
                    &mut *__cbframe_cpu,
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
        ::cbframe::private::save!(default),
    );
    ::cbframe::private::dispatcher! {
        "win64" __cbframe_dispatch < > (__cbframe_cpu : * mut
        ::cbframe::private::CpuState, __cbframe_ctx : * const ()) { unsafe {
        ::cbframe::private::CpuState::assume(__cbframe_cpu, __CBFRAME_CAPTURE); let
        __cbframe_hidden = ::cbframe::private::hidden_result(__cbframe_cpu, const { &
        __CBFRAME_PLACES.result().place }); let __cbframe_0 =
        ::cbframe::private::take(__cbframe_cpu, const { & __CBFRAME_PLACES
        .parameter(0usize).place }); let __cbframe_1 =
        ::cbframe::private::take(__cbframe_cpu, const { & __CBFRAME_PLACES
        .parameter(1usize).place }); let __cbframe_result = __cbframe_call(__cbframe_ctx,
        __cbframe_cpu, __cbframe_0, __cbframe_1); ::cbframe::private::give(__cbframe_cpu,
        const { __CBFRAME_PLACES.result() }, __cbframe_hidden, __cbframe_result,); } }
    }
    ::cbframe::private::captured_entry!(
        __cbframe_captured_entry, __CBFRAME_CAPTURE, __cbframe_dispatch
    );
    const __CBFRAME_ENTRY: ::cbframe::private::Entry = unsafe {
        ::cbframe::private::Entry::new(__cbframe_captured_entry)
    };
    static __CBFRAME_SLOT: ::cbframe::private::Slot = ::cbframe::private::Slot::fixed(
        __CBFRAME_ENTRY,
        ::cbframe::private::core::ptr::null(),
    );
    ::cbframe::private::single_stub!(__cbframe_fn, __CBFRAME_SLOT);
    impl ::cbframe::private::Described for probe {
        const DESCRIPTION: ::cbframe::private::Description = ::cbframe::private::description(
            &__CBFRAME_LAYOUT,
        );
    }
    impl probe {
        /// The name of the callback.
        pub const NAME: &'static ::cbframe::private::core::primitive::str = "probe";
        /// Where the arguments and the result lie. An error at compile time if some type is no `CType`.
        pub const LAYOUT: &'static ::cbframe::private::Layout<'static> = ::cbframe::private::known_layout(
            &__CBFRAME_LAYOUT,
        );
        /// The callback as a C function pointer.
        pub const FN: unsafe extern "win64" fn(i32, f32) -> i64 = unsafe {
            ::cbframe::private::core::mem::transmute::<
                unsafe extern "C" fn(),
                unsafe extern "win64" fn(i32, f32) -> i64,
            >(__cbframe_fn)
        };
        /// The callback as a pointer of another type with the same layout. The type must be `unsafe`: safe code
        /// could pass through another type what is no value of the parameter's.
        #[must_use]
        pub const fn as_fn_of<Q: ::cbframe::private::FnPointer>() -> Q {
            ::cbframe::private::cast_fn::<Self, Q>(__cbframe_fn)
        }
    }
};
