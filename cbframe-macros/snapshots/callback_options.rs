#[allow(
    clippy::missing_const_for_fn,
    clippy::ptr_arg,
    clippy::trivially_copy_pass_by_ref
)]
#[cfg(unix)]
#[deprecated = "use another"]
#[allow(clippy::needless_pass_by_value)]
#[inline]
pub(crate) fn event(code: i32) -> i32 {
    code
}
#[cfg(unix)]
#[deprecated = "use another"]
#[allow(clippy::needless_pass_by_value)]
#[doc(hidden)]
pub(crate) struct Handle {
    __cbframe_state: crate::ffi::callbacks::private::core::marker::PhantomData<()>,
}
#[cfg(unix)]
#[allow(clippy::needless_pass_by_value)]
#[allow(deprecated)]
#[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
const _: () = {
    #[allow(unused_imports)]
    use crate::ffi::callbacks::private::NotCType as _;
    const __CBFRAME_ABI: (
        crate::ffi::callbacks::private::Abi,
        crate::ffi::callbacks::private::core::primitive::bool,
    ) = crate::ffi::callbacks::private::abi("C");
    const __CBFRAME_KNOWN: [crate::ffi::callbacks::private::Known; 1usize] = [
        crate::ffi::callbacks::private::Probe::<i32, _>::__CBFRAME_KNOWN,
    ];
    const __CBFRAME_RESULT: crate::ffi::callbacks::private::Known = crate::ffi::callbacks::private::Probe::<
        i32,
        _,
    >::__CBFRAME_KNOWN;
    const __CBFRAME_PLACED: &crate::ffi::callbacks::private::Option<
        crate::ffi::callbacks::private::Placed<1usize>,
    > = &crate::ffi::callbacks::private::place_known(
        __CBFRAME_ABI.0,
        ["code"],
        __CBFRAME_KNOWN,
        __CBFRAME_RESULT,
    );
    const __CBFRAME_LAYOUT: crate::ffi::callbacks::private::Option<
        crate::ffi::callbacks::private::Layout<'static>,
    > = crate::ffi::callbacks::private::layout(__CBFRAME_PLACED, __CBFRAME_ABI);
    static __CBFRAME_META: crate::ffi::callbacks::private::Meta = crate::ffi::callbacks::private::Meta {
        name: crate::ffi::callbacks::private::Name::Path(
            crate::ffi::callbacks::private::core::concat!(
                crate ::ffi::callbacks::private::core::module_path!(), "::", "event"
            ),
        ),
        parameters: &["code: i32"],
        layout: __CBFRAME_LAYOUT,
    };
    const _: () = {
        crate::ffi::callbacks::private::check_parameter(__CBFRAME_KNOWN[0usize]);
        crate::ffi::callbacks::private::check_safe(
            __CBFRAME_ABI.0,
            &__CBFRAME_KNOWN,
            0usize,
        );
    };
    const _: () = {
        crate::ffi::callbacks::private::check_result(__CBFRAME_RESULT);
        crate::ffi::callbacks::private::check_safe_result(
            __CBFRAME_ABI.0,
            __CBFRAME_RESULT,
        );
    };
    #[inline(always)]
    unsafe fn __cbframe_call(
        __cbframe_ctx: *const (),
        __cbframe_0: crate::ffi::callbacks::private::MaybeUninit<i32>,
    ) -> i32 {
        let __cbframe_fallback = || -> i32 { -1 };
        unsafe {
            match crate::ffi::callbacks::private::catch(
                &__CBFRAME_META,
                || {
                    crate::ffi::callbacks::private::Probe::<
                        i32,
                        _,
                    >::__cbframe_check(&__cbframe_0, &__CBFRAME_META, 0usize);
                    event(__cbframe_0.assume_init())
                },
            ) {
                crate::ffi::callbacks::private::Option::Some(__cbframe_result) => {
                    __cbframe_result
                }
                crate::ffi::callbacks::private::Option::None => {
                    crate::ffi::callbacks::private::fall_back(
                        &__CBFRAME_META,
                        __cbframe_fallback,
                    )
                }
            }
        }
    }
    const __CBFRAME_PLACES: &crate::ffi::callbacks::private::Placed<1usize> = &crate::ffi::callbacks::private::places(
        __CBFRAME_PLACED,
    );
    const __CBFRAME_CAPTURE: crate::ffi::callbacks::private::Capture = crate::ffi::callbacks::private::Capture::new(
        __CBFRAME_ABI.0,
        __CBFRAME_PLACES,
        0,
    );
    crate::ffi::callbacks::private::dispatcher! {
        "C" __cbframe_dispatch < > (__cbframe_cpu : * mut crate
        ::ffi::callbacks::private::CpuState, __cbframe_ctx : * const ()) { unsafe { let
        __cbframe_hidden = crate ::ffi::callbacks::private::hidden_result(__cbframe_cpu,
        const { & __CBFRAME_PLACES.result().place }); let __cbframe_0 = crate
        ::ffi::callbacks::private::take(__cbframe_cpu, const { & __CBFRAME_PLACES
        .parameter(0usize).place }); let __cbframe_result = __cbframe_call(__cbframe_ctx,
        __cbframe_0); crate ::ffi::callbacks::private::give(__cbframe_cpu, const {
        __CBFRAME_PLACES.result() }, __cbframe_hidden, __cbframe_result,); } }
    }
    crate::ffi::callbacks::private::captured_entry!(
        __cbframe_captured_entry, __CBFRAME_CAPTURE, __cbframe_dispatch
    );
    crate::ffi::callbacks::private::extern_fn! {
        "C" __cbframe_plain < > (__cbframe_0 : crate
        ::ffi::callbacks::private::MaybeUninit < i32 >) -> i32 { unsafe {
        __cbframe_call(crate ::ffi::callbacks::private::core::ptr::null(), __cbframe_0) }
        }
    }
    crate::ffi::callbacks::private::plain_entry!(
        #[unsafe (export_name = "on_event")] __cbframe_fn, __cbframe_plain
    );
    const _: () = crate::ffi::callbacks::private::check_export(
        __CBFRAME_ABI.0,
        &__CBFRAME_KNOWN,
        __CBFRAME_RESULT,
    );
    impl crate::ffi::callbacks::private::Described for Handle {
        const DESCRIPTION: crate::ffi::callbacks::private::Description = crate::ffi::callbacks::private::description(
            &__CBFRAME_LAYOUT,
        );
    }
    impl Handle {
        /// The name of the callback.
        pub const NAME: &'static crate::ffi::callbacks::private::core::primitive::str = "event";
        /// Where the arguments and the result lie. An error at compile time if some type is no `CType`.
        pub const LAYOUT: &'static crate::ffi::callbacks::private::Layout<'static> = crate::ffi::callbacks::private::known_layout(
            &__CBFRAME_LAYOUT,
        );
        /// The callback as a C function pointer.
        pub const FN: extern "C" fn(i32) -> i32 = unsafe {
            crate::ffi::callbacks::private::core::mem::transmute::<
                unsafe extern "C" fn(),
                extern "C" fn(i32) -> i32,
            >(__cbframe_fn)
        };
        /// The callback as a pointer of another type with the same layout. The type must be `unsafe`: safe code
        /// could pass through another type what is no value of the parameter's.
        #[must_use]
        pub const fn as_fn_of<Q: crate::ffi::callbacks::private::FnPointer>() -> Q {
            crate::ffi::callbacks::private::cast_fn::<Self, Q>(__cbframe_fn)
        }
    }
};
