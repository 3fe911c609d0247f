::core::compile_error! {
    "a union cannot be described from outside, where nothing proves that every member is listed: derive `CType` for a `#[repr(C)]` union of your own with the same members"
}
const _: () = {
    pub struct __CbframeLocal;
    #[automatically_derived]
    unsafe impl ::cbframe::private::CType<__CbframeLocal> for libc::sigval {
        const TYPE: ::cbframe::private::Type = ::cbframe::private::Refused::<Self>::TYPE;
    }
};
