fn caller() {
    unsafe {
        {
            struct __CbframeRules;
            impl ::cbframe::private::Rules for __CbframeRules {
                const ABI: ::cbframe::private::Abi = ::cbframe::private::Abi::Custom;
                const SPOTS: &'static [::cbframe::private::Spot] = &[
                    ::cbframe::private::Spot::Register {
                        name: "eax",
                        register: ::cbframe::private::Register::Integer(0u8),
                        size: 4u8,
                    },
                    ::cbframe::private::Spot::Stack(8u32),
                ];
                const RESULT: ::cbframe::private::Option<::cbframe::private::Spot> = ::cbframe::private::Option::Some(::cbframe::private::Spot::Register {
                    name: "ecx",
                    register: ::cbframe::private::Register::Integer(1u8),
                    size: 4u8,
                });
            }
            ::cbframe::private::call_typed::<
                __CbframeRules,
                _,
                i32,
            >(address, (n + 1, 1.5_f32))
        }
    };
}
