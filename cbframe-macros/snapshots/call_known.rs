fn caller() {
    unsafe {
        {
            ::cbframe::private::call_typed_errno::<
                ::cbframe::private::Variadic<::cbframe::private::Native<true>, 1usize>,
                _,
                c_int,
            >(printf, (format.as_ptr(), 7_i32, x))
        }
    };
}
