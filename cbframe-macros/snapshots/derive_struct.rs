#[automatically_derived]
unsafe impl ::cbframe::private::CType for Point {
    const TYPE: ::cbframe::private::Type = ::cbframe::private::Type {
        name: "Point",
        size: ::cbframe::private::core::mem::size_of::<Self>(),
        align: ::cbframe::private::core::mem::align_of::<Self>(),
        kind: ::cbframe::private::Kind::Struct {
            fields: &[
                ::cbframe::private::Field {
                    name: "x",
                    offset: ::cbframe::private::core::mem::offset_of!(Self, x),
                    ty: ::cbframe::private::field::<
                        f64,
                    >(<f64 as ::cbframe::private::CType<_>>::TYPE),
                },
                ::cbframe::private::Field {
                    name: "type",
                    offset: ::cbframe::private::core::mem::offset_of!(Self, r#type),
                    ty: ::cbframe::private::field::<
                        [u16; 3],
                    >(<[u16; 3] as ::cbframe::private::CType<_>>::TYPE),
                },
                ::cbframe::private::Field {
                    name: "notify",
                    offset: ::cbframe::private::core::mem::offset_of!(Self, notify),
                    ty: ::cbframe::private::field::<
                        extern "C" fn(&Point),
                    >(::cbframe::private::fn_pointer::<extern "C" fn(&Point)>()),
                },
                ::cbframe::private::Field {
                    name: "free",
                    offset: ::cbframe::private::core::mem::offset_of!(Self, free),
                    ty: ::cbframe::private::field::<
                        Option<unsafe extern "C" fn(*mut Point)>,
                    >(
                        ::cbframe::private::optional_fn_pointer::<
                            unsafe extern "C" fn(*mut Point),
                            Option<unsafe extern "C" fn(*mut Point)>,
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
            <f64 as ::cbframe::private::CType<_>>::is_valid(&raw const (*cbframe_bits).x)
                && <[u16; 3] as ::cbframe::private::CType<
                    _,
                >>::is_valid(&raw const (*cbframe_bits).r#type)
                && ::cbframe::private::is_not_null(&raw const (*cbframe_bits).notify)
        }
    }
}
#[automatically_derived]
impl ::cbframe::private::VaArg for Point {}
const _: () = <Point as ::cbframe::private::CType>::TYPE.check();
