const _: () = {
    #[automatically_derived]
    unsafe impl<'a> crate::callbacks::private::CType for other::Span<'a, u8> {
        const TYPE: crate::callbacks::private::Type = crate::callbacks::private::Type {
            name: "Span",
            size: crate::callbacks::private::core::mem::size_of::<Self>(),
            align: crate::callbacks::private::core::mem::align_of::<Self>(),
            kind: crate::callbacks::private::Kind::Struct {
                fields: &[
                    crate::callbacks::private::Field {
                        name: "start",
                        offset: crate::callbacks::private::core::mem::offset_of!(
                            Self, start
                        ),
                        ty: crate::callbacks::private::field::<
                            &'a u8,
                        >(<&'a u8 as crate::callbacks::private::CType<_>>::TYPE),
                    },
                    crate::callbacks::private::Field {
                        name: "length",
                        offset: crate::callbacks::private::core::mem::offset_of!(
                            Self, length
                        ),
                        ty: crate::callbacks::private::field::<
                            usize,
                        >(<usize as crate::callbacks::private::CType<_>>::TYPE),
                    },
                ],
            },
        };
        #[inline(always)]
        unsafe fn is_valid(
            cbframe_bits: *const Self,
        ) -> crate::callbacks::private::core::primitive::bool {
            unsafe {
                <&'a u8 as crate::callbacks::private::CType<
                    _,
                >>::is_valid(
                    crate::callbacks::private::copy_of::<
                        &'a u8,
                        Self,
                    >(
                            cbframe_bits,
                            crate::callbacks::private::core::mem::offset_of!(Self, start),
                        )
                        .as_ptr(),
                )
                    && <usize as crate::callbacks::private::CType<
                        _,
                    >>::is_valid(
                        crate::callbacks::private::copy_of::<
                            usize,
                            Self,
                        >(
                                cbframe_bits,
                                crate::callbacks::private::core::mem::offset_of!(
                                    Self, length
                                ),
                            )
                            .as_ptr(),
                    )
            }
        }
    }
    #[automatically_derived]
    impl<'a> crate::callbacks::private::VaArg for other::Span<'a, u8> {}
    const _: () = <other::Span<'_, u8> as crate::callbacks::private::CType>::TYPE
        .check();
    #[allow(dead_code)]
    fn __cbframe_fields<'a>(__cbframe_foreign: other::Span<'a, u8>) {
        let other::Span { start: __cbframe_0, length: __cbframe_1 } = __cbframe_foreign;
        crate::callbacks::private::declared::<&'a u8, _>(&raw const __cbframe_0);
        crate::callbacks::private::declared::<usize, _>(&raw const __cbframe_1);
    }
    #[allow(dead_code)]
    #[deny(improper_ctypes_definitions)]
    extern "C" fn __cbframe_repr(_: other::Span<'_, u8>) {}
    const _: () = crate::callbacks::private::check_lone(
        &<other::Span<'_, u8> as crate::callbacks::private::CType>::TYPE,
    );
};
const _: () = {
    #[automatically_derived]
    unsafe impl crate::callbacks::private::CType for other::Id {
        const TYPE: crate::callbacks::private::Type = crate::callbacks::private::transparent::<
            Self,
        >("Id", <u32 as crate::callbacks::private::CType<_>>::TYPE);
        #[inline(always)]
        unsafe fn is_valid(
            cbframe_bits: *const Self,
        ) -> crate::callbacks::private::core::primitive::bool {
            unsafe {
                <u32 as crate::callbacks::private::CType<
                    _,
                >>::is_valid(&raw const (*cbframe_bits).0)
            }
        }
    }
    #[automatically_derived]
    unsafe impl crate::callbacks::private::NeverNull for other::Id
    where
        for<'cbframe> u32: crate::callbacks::private::NeverNull,
    {}
    #[automatically_derived]
    impl crate::callbacks::private::VaArg for other::Id
    where
        for<'cbframe> u32: crate::callbacks::private::VaArg,
    {}
    const _: () = <other::Id as crate::callbacks::private::CType>::TYPE.check();
    #[allow(dead_code)]
    fn __cbframe_fields(__cbframe_foreign: other::Id) {
        let other::Id { 0: __cbframe_0, 1: __cbframe_1 } = __cbframe_foreign;
        crate::callbacks::private::declared::<u32, _>(&raw const __cbframe_0);
        crate::callbacks::private::declared::<
            PhantomData<u8>,
            _,
        >(&raw const __cbframe_1);
    }
    #[allow(dead_code)]
    #[deny(improper_ctypes_definitions)]
    extern "C" fn __cbframe_repr(_: other::Id) {}
};
