#[allow(
    clippy::missing_const_for_fn,
    clippy::ptr_arg,
    clippy::trivially_copy_pass_by_ref
)]
/// Documented.
pub fn norm(p: Point, f: Option<extern "C" fn(&u8)>, _: &Foreign) -> f64 {
    p.x
}
#[doc(hidden)]
pub struct norm {
    __cbframe_state: ::cbframe::private::core::marker::PhantomData<()>,
}
#[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
const _: () = {
    #[allow(unused_imports)]
    use ::cbframe::private::NotCType as _;
    const __CBFRAME_ABI: (
        ::cbframe::private::Abi,
        ::cbframe::private::core::primitive::bool,
    ) = ::cbframe::private::abi("sysv64");
    const __CBFRAME_KNOWN: [::cbframe::private::Known; 3usize] = [
        ::cbframe::private::Probe::<Point, _>::__CBFRAME_KNOWN,
        ::cbframe::private::known(
            ::cbframe::private::optional_fn_pointer::<
                extern "C" fn(&u8),
                Option<extern "C" fn(&u8)>,
            >(),
        ),
        ::cbframe::private::known(
            <&'static Foreign as ::cbframe::private::CType<_>>::TYPE,
        ),
    ];
    const __CBFRAME_RESULT: ::cbframe::private::Known = ::cbframe::private::Probe::<
        f64,
        _,
    >::__CBFRAME_KNOWN;
    const __CBFRAME_PLACED: &::cbframe::private::Option<
        ::cbframe::private::Placed<3usize>,
    > = &::cbframe::private::place_known(
        __CBFRAME_ABI.0,
        ["p", "f", "_"],
        __CBFRAME_KNOWN,
        __CBFRAME_RESULT,
    );
    const __CBFRAME_LAYOUT: ::cbframe::private::Option<
        ::cbframe::private::Layout<'static>,
    > = ::cbframe::private::layout(__CBFRAME_PLACED, __CBFRAME_ABI);
    static __CBFRAME_META: ::cbframe::private::Meta = ::cbframe::private::Meta {
        name: ::cbframe::private::Name::Path(
            ::cbframe::private::core::concat!(
                ::cbframe::private::core::module_path!(), "::", "norm"
            ),
        ),
        parameters: &["p: Point", "f: Option<extern \"C\" fn(&u8)>", "_: &Foreign"],
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
    #[inline(always)]
    unsafe fn __cbframe_call(
        __cbframe_ctx: *const (),
        __cbframe_0: ::cbframe::private::MaybeUninit<Point>,
        __cbframe_1: ::cbframe::private::MaybeUninit<Option<extern "C" fn(&u8)>>,
        __cbframe_2: ::cbframe::private::MaybeUninit<&Foreign>,
    ) -> f64 {
        unsafe {
            let __cbframe_guard = ::cbframe::private::NoUnwind::callback(
                &__CBFRAME_META,
            );
            let __cbframe_result = {
                ::cbframe::private::Probe::<
                    Point,
                    _,
                >::__cbframe_check(&__cbframe_0, &__CBFRAME_META, 0usize);
                ::cbframe::private::Probe::<
                    &Foreign,
                    _,
                >::__cbframe_check(&__cbframe_2, &__CBFRAME_META, 2usize);
                norm(
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
        "sysv64" __cbframe_dispatch < > (__cbframe_cpu : * mut
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
    ::cbframe::private::extern_fn! {
        "sysv64" __cbframe_plain < > (__cbframe_0 : ::cbframe::private::MaybeUninit <
        Point >, __cbframe_1 : ::cbframe::private::MaybeUninit < Option < extern "C" fn
        (& u8) > >, __cbframe_2 : ::cbframe::private::MaybeUninit < & Foreign >) -> f64 {
        unsafe { __cbframe_call(::cbframe::private::core::ptr::null(), __cbframe_0,
        __cbframe_1, __cbframe_2) } }
    }
    ::cbframe::private::plain_entry!(__cbframe_plain_entry, __cbframe_plain);
    const __CBFRAME_ENTRY: ::cbframe::private::Entry = unsafe {
        ::cbframe::private::Entry::new(__cbframe_captured_entry)
    };
    static __CBFRAME_SLOT: ::cbframe::private::Slot = ::cbframe::private::Slot::fixed(
        __CBFRAME_ENTRY,
        ::cbframe::private::core::ptr::null(),
    );
    ::cbframe::private::single_stub!(__cbframe_stub, __CBFRAME_SLOT);
    #[allow(non_upper_case_globals)]
    const __cbframe_fn: unsafe extern "C" fn() = if ::cbframe::private::is_native(
        __CBFRAME_ABI.0,
        &__CBFRAME_KNOWN,
        __CBFRAME_RESULT,
    ) {
        __cbframe_plain_entry
    } else {
        __cbframe_stub
    };
    impl ::cbframe::private::Described for norm {
        const DESCRIPTION: ::cbframe::private::Description = ::cbframe::private::description(
            &__CBFRAME_LAYOUT,
        );
    }
    impl norm {
        /// The name of the callback.
        pub const NAME: &'static ::cbframe::private::core::primitive::str = "norm";
        /// Where the arguments and the result lie. An error at compile time if some type is no `CType`.
        pub const LAYOUT: &'static ::cbframe::private::Layout<'static> = ::cbframe::private::known_layout(
            &__CBFRAME_LAYOUT,
        );
        /// The callback as a C function pointer.
        pub const FN: extern "sysv64" fn(
            Point,
            Option<extern "C" fn(&u8)>,
            &Foreign,
        ) -> f64 = unsafe {
            ::cbframe::private::core::mem::transmute::<
                unsafe extern "C" fn(),
                extern "sysv64" fn(Point, Option<extern "C" fn(&u8)>, &Foreign) -> f64,
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
