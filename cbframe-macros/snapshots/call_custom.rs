fn caller() {
    unsafe {
        {
            struct __CbframeRules;
            impl ::cbframe::private::Rules for __CbframeRules {
                const ABI: ::cbframe::private::Abi = ::cbframe::private::Abi::Custom;
                const SPOTS: &'static [::cbframe::private::Spot] = &[
                    ::cbframe::private::spot(
                        ::cbframe::private::Architecture::X86_64,
                        "eax",
                        ::cbframe::private::Register::Integer(0u8),
                        4u8,
                    ),
                    ::cbframe::private::Spot::Stack(8u32),
                ];
                const RESULT: ::cbframe::private::Option<::cbframe::private::Spot> = ::cbframe::private::Option::Some(
                    ::cbframe::private::spot(
                        ::cbframe::private::Architecture::X86_64,
                        "ecx",
                        ::cbframe::private::Register::Integer(1u8),
                        4u8,
                    ),
                );
            }
            ::cbframe::private::call_typed::<
                __CbframeRules,
                _,
                i32,
            >(address, (n + 1, 1.5_f32))
        }
    };
}
