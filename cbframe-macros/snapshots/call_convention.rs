fn caller() {
    unsafe {
        {
            my::cbframe::private::call_typed::<
                my::cbframe::private::Named<conventions::Regcall>,
                _,
                (),
            >(address, (1_u64,))
        }
    };
}
