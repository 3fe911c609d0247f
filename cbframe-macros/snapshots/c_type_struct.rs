const _: () = {
    pub struct __CbframeLocal;
    #[automatically_derived]
    unsafe impl ::cbframe::private::CType<__CbframeLocal> for libc::timeval {
        const TYPE: ::cbframe::private::Type = ::cbframe::private::Type {
            name: "timeval",
            size: ::cbframe::private::core::mem::size_of::<Self>(),
            align: ::cbframe::private::core::mem::align_of::<Self>(),
            kind: ::cbframe::private::Kind::Struct {
                fields: &[
                    ::cbframe::private::Field {
                        name: "tv_sec",
                        offset: ::cbframe::private::core::mem::offset_of!(Self, tv_sec),
                        ty: ::cbframe::private::field::<
                            libc::time_t,
                        >(<libc::time_t as ::cbframe::private::CType<_>>::TYPE),
                    },
                    ::cbframe::private::Field {
                        name: "tv_usec",
                        offset: ::cbframe::private::core::mem::offset_of!(Self, tv_usec),
                        ty: ::cbframe::private::field::<
                            libc::suseconds_t,
                        >(<libc::suseconds_t as ::cbframe::private::CType<_>>::TYPE),
                    },
                ],
            },
        };
        #[inline(always)]
        unsafe fn is_valid(
            cbframe_bits: *const Self,
        ) -> ::cbframe::private::core::primitive::bool {
            unsafe {
                <libc::time_t as ::cbframe::private::CType<
                    _,
                >>::is_valid(
                    ::cbframe::private::copy_of::<
                        libc::time_t,
                        Self,
                    >(
                            cbframe_bits,
                            ::cbframe::private::core::mem::offset_of!(Self, tv_sec),
                        )
                        .as_ptr(),
                )
                    && <libc::suseconds_t as ::cbframe::private::CType<
                        _,
                    >>::is_valid(
                        ::cbframe::private::copy_of::<
                            libc::suseconds_t,
                            Self,
                        >(
                                cbframe_bits,
                                ::cbframe::private::core::mem::offset_of!(Self, tv_usec),
                            )
                            .as_ptr(),
                    )
            }
        }
    }
    const _: () = <libc::timeval as ::cbframe::private::CType<__CbframeLocal>>::TYPE
        .check();
    #[allow(dead_code)]
    fn __cbframe_fields(__cbframe_foreign: libc::timeval) {
        let libc::timeval { tv_sec: __cbframe_0, tv_usec: __cbframe_1 } = __cbframe_foreign;
        ::cbframe::private::declared::<libc::time_t, _>(&raw const __cbframe_0);
        ::cbframe::private::declared::<libc::suseconds_t, _>(&raw const __cbframe_1);
    }
    #[allow(dead_code)]
    #[deny(improper_ctypes_definitions)]
    extern "C" fn __cbframe_repr(_: libc::timeval) {}
    const _: () = ::cbframe::private::check_lone(
        &<libc::timeval as ::cbframe::private::CType<__CbframeLocal>>::TYPE,
    );
};
#[cfg(unix)]
const _: () = {
    pub struct __CbframeLocal;
    #[automatically_derived]
    #[allow(deprecated)]
    unsafe impl ::cbframe::private::CType<__CbframeLocal> for ::other::sys::Pair {
        const TYPE: ::cbframe::private::Type = ::cbframe::private::Type {
            name: "Pair",
            size: ::cbframe::private::core::mem::size_of::<Self>(),
            align: ::cbframe::private::core::mem::align_of::<Self>(),
            kind: ::cbframe::private::Kind::Struct {
                fields: &[
                    ::cbframe::private::Field {
                        name: "0",
                        offset: ::cbframe::private::core::mem::offset_of!(Self, 0),
                        ty: ::cbframe::private::field::<
                            u32,
                        >(<u32 as ::cbframe::private::CType<_>>::TYPE),
                    },
                    ::cbframe::private::Field {
                        name: "1",
                        offset: ::cbframe::private::core::mem::offset_of!(Self, 1),
                        ty: ::cbframe::private::field::<
                            Option<extern "C" fn(&u8)>,
                        >(
                            ::cbframe::private::optional_fn_pointer::<
                                extern "C" fn(&u8),
                                Option<extern "C" fn(&u8)>,
                            >(),
                        ),
                    },
                ],
            },
        };
        #[inline(always)]
        unsafe fn is_valid(
            cbframe_bits: *const Self,
        ) -> ::cbframe::private::core::primitive::bool {
            unsafe {
                <u32 as ::cbframe::private::CType<
                    _,
                >>::is_valid(
                    ::cbframe::private::copy_of::<
                        u32,
                        Self,
                    >(cbframe_bits, ::cbframe::private::core::mem::offset_of!(Self, 0))
                        .as_ptr(),
                )
            }
        }
    }
    #[allow(deprecated)]
    const _: () = <::other::sys::Pair as ::cbframe::private::CType<__CbframeLocal>>::TYPE
        .check();
    #[allow(dead_code)]
    #[allow(deprecated)]
    fn __cbframe_fields(__cbframe_foreign: ::other::sys::Pair) {
        let ::other::sys::Pair { 0: __cbframe_0, 1: __cbframe_1 } = __cbframe_foreign;
        ::cbframe::private::declared::<u32, _>(&raw const __cbframe_0);
        ::cbframe::private::declared::<
            Option<extern "C" fn(&u8)>,
            _,
        >(&raw const __cbframe_1);
    }
    #[allow(dead_code)]
    #[deny(improper_ctypes_definitions)]
    #[allow(deprecated)]
    extern "C" fn __cbframe_repr(_: ::other::sys::Pair) {}
};
