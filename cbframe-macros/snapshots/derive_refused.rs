::core::compile_error! {
    "`#[cbframe(…)]` belongs on the type"
}
::core::compile_error! {
    "a packed type is not supported yet: pass a pointer to it instead"
}
#[automatically_derived]
unsafe impl ::cbframe::private::CType for Header {
    const TYPE: ::cbframe::private::Type = ::cbframe::private::Refused::<Self>::TYPE;
}
