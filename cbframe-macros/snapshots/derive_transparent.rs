#[automatically_derived]
unsafe impl<'a> ::cbframe::private::CType for Handle<'a> {
    const TYPE: ::cbframe::private::Type = ::cbframe::private::transparent::<
        Self,
    >("Handle", <NonNull<Object> as ::cbframe::private::CType<_>>::TYPE);
    #[inline(always)]
    unsafe fn is_valid(
        cbframe_bits: *const Self,
    ) -> ::cbframe::private::core::primitive::bool {
        unsafe {
            <NonNull<
                Object,
            > as ::cbframe::private::CType<_>>::is_valid(&raw const (*cbframe_bits).1)
        }
    }
}
#[automatically_derived]
unsafe impl<'a> ::cbframe::private::NeverNull for Handle<'a>
where
    for<'cbframe> NonNull<Object>: ::cbframe::private::NeverNull,
{}
#[automatically_derived]
impl<'a> ::cbframe::private::VaArg for Handle<'a>
where
    for<'cbframe> NonNull<Object>: ::cbframe::private::VaArg,
{}
const _: () = <Handle<'_> as ::cbframe::private::CType>::TYPE.check();
