#[automatically_derived]
unsafe impl<'a, 'b: 'a> ::cbframe::private::CType for Borrowed<'a, 'b> {
    const TYPE: ::cbframe::private::Type = ::cbframe::private::Type {
        name: "Borrowed",
        size: ::cbframe::private::core::mem::size_of::<Self>(),
        align: ::cbframe::private::core::mem::align_of::<Self>(),
        kind: ::cbframe::private::Kind::Struct {
            fields: &[
                ::cbframe::private::Field {
                    name: "first",
                    offset: ::cbframe::private::core::mem::offset_of!(Self, first),
                    ty: ::cbframe::private::field::<
                        &'a u8,
                    >(<&'a u8 as ::cbframe::private::CType<_>>::TYPE),
                },
                ::cbframe::private::Field {
                    name: "second",
                    offset: ::cbframe::private::core::mem::offset_of!(Self, second),
                    ty: ::cbframe::private::field::<
                        &'b mut u16,
                    >(<&'b mut u16 as ::cbframe::private::CType<_>>::TYPE),
                },
            ],
        },
    };
    #[inline(always)]
    unsafe fn is_valid(
        cbframe_bits: *const Self,
    ) -> ::cbframe::private::core::primitive::bool {
        unsafe {
            <&'a u8 as ::cbframe::private::CType<
                _,
            >>::is_valid(&raw const (*cbframe_bits).first)
                && <&'b mut u16 as ::cbframe::private::CType<
                    _,
                >>::is_valid(&raw const (*cbframe_bits).second)
        }
    }
}
#[automatically_derived]
impl<'a, 'b: 'a> ::cbframe::private::VaArg for Borrowed<'a, 'b> {}
const _: () = <Borrowed<'_, '_> as ::cbframe::private::CType>::TYPE.check();
