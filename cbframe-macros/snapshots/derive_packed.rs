#[automatically_derived]
unsafe impl<T> ::cbframe::private::CType for Record<T>
where
    T: ::cbframe::private::CType,
{
    const TYPE: ::cbframe::private::Type = ::cbframe::private::Type {
        name: "Record",
        size: ::cbframe::private::core::mem::size_of::<Self>(),
        align: ::cbframe::private::core::mem::align_of::<Self>(),
        kind: ::cbframe::private::Kind::Struct {
            fields: &[
                ::cbframe::private::Field {
                    name: "tag",
                    offset: ::cbframe::private::core::mem::offset_of!(Self, tag),
                    ty: ::cbframe::private::field::<
                        T,
                    >(<T as ::cbframe::private::CType<_>>::TYPE),
                },
                ::cbframe::private::Field {
                    name: "notify",
                    offset: ::cbframe::private::core::mem::offset_of!(Self, notify),
                    ty: ::cbframe::private::field::<
                        extern "C" fn(&u8),
                    >(::cbframe::private::fn_pointer::<extern "C" fn(&u8)>()),
                },
            ],
        },
    };
    #[inline(always)]
    unsafe fn is_valid(
        cbframe_bits: *const Self,
    ) -> ::cbframe::private::core::primitive::bool {
        unsafe {
            <T as ::cbframe::private::CType<
                _,
            >>::is_valid(
                ::cbframe::private::copy_of::<
                    T,
                    Self,
                >(cbframe_bits, ::cbframe::private::core::mem::offset_of!(Self, tag))
                    .as_ptr(),
            )
                && ::cbframe::private::is_not_null(
                    ::cbframe::private::copy_of::<
                        extern "C" fn(&u8),
                        Self,
                    >(
                            cbframe_bits,
                            ::cbframe::private::core::mem::offset_of!(Self, notify),
                        )
                        .as_ptr(),
                )
        }
    }
}
#[automatically_derived]
impl<T> ::cbframe::private::VaArg for Record<T>
where
    T: ::cbframe::private::CType,
{}
