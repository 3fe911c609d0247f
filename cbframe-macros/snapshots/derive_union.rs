#[automatically_derived]
unsafe impl ::cbframe::private::CType for Value {
    const TYPE: ::cbframe::private::Type = ::cbframe::private::Type {
        name: "Value",
        size: ::cbframe::private::core::mem::size_of::<Self>(),
        align: ::cbframe::private::core::mem::align_of::<Self>(),
        kind: ::cbframe::private::Kind::Union {
            fields: &[
                ::cbframe::private::Field {
                    name: "int",
                    offset: ::cbframe::private::core::mem::offset_of!(Self, int),
                    ty: ::cbframe::private::field::<
                        i64,
                    >(<i64 as ::cbframe::private::CType<_>>::TYPE),
                },
                ::cbframe::private::Field {
                    name: "float",
                    offset: ::cbframe::private::core::mem::offset_of!(Self, float),
                    ty: ::cbframe::private::field::<
                        f64,
                    >(<f64 as ::cbframe::private::CType<_>>::TYPE),
                },
            ],
        },
    };
}
#[automatically_derived]
impl ::cbframe::private::VaArg for Value {}
const _: () = <Value as ::cbframe::private::CType>::TYPE.check();
