::core::compile_error! {
    "`#[cbframe(…)]` belongs on the type"
}
::core::compile_error! {
    "a type aligned to more than 64 bytes cannot keep its alignment where it is passed on the stack: pass a pointer to it instead"
}
#[automatically_derived]
unsafe impl ::cbframe::private::CType for Header {
    const TYPE: ::cbframe::private::Type = ::cbframe::private::Refused::<Self>::TYPE;
}
#[automatically_derived]
impl ::cbframe::private::VaArg for Header {}
