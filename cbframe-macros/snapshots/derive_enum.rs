#[automatically_derived]
unsafe impl ::cbframe::private::CType for Mode {
    const TYPE: ::cbframe::private::Type = {
        const VALUES: &[::cbframe::private::core::primitive::i128] = &[
            Mode::Read as ::cbframe::private::core::primitive::i128,
            Mode::Write as ::cbframe::private::core::primitive::i128,
        ];
        ::cbframe::private::Type {
            name: "Mode",
            size: ::cbframe::private::core::mem::size_of::<Self>(),
            align: ::cbframe::private::core::mem::align_of::<Self>(),
            kind: ::cbframe::private::Kind::Enum {
                signed: ::cbframe::private::core::primitive::u8::MIN != 0,
                values: VALUES,
            },
        }
    };
    #[inline(always)]
    unsafe fn is_valid(
        cbframe_bits: *const Self,
    ) -> ::cbframe::private::core::primitive::bool {
        const VALUE_0: ::cbframe::private::core::primitive::u8 = Mode::Read
            as ::cbframe::private::core::primitive::u8;
        const VALUE_1: ::cbframe::private::core::primitive::u8 = Mode::Write
            as ::cbframe::private::core::primitive::u8;
        ::cbframe::private::core::matches!(
            unsafe { cbframe_bits.cast:: < ::cbframe::private::core::primitive::u8 > ()
            .read() }, VALUE_0 | VALUE_1
        )
    }
}
const _: () = <Mode as ::cbframe::private::CType>::TYPE.check();
#[automatically_derived]
unsafe impl ::cbframe::private::CType for Level {
    const TYPE: ::cbframe::private::Type = {
        const VALUES: &[::cbframe::private::core::primitive::i128] = &[
            Level::Low as ::cbframe::private::core::primitive::i128,
            Level::High as ::cbframe::private::core::primitive::i128,
        ];
        ::cbframe::private::c_enum::<Self>("Level", VALUES)
    };
    #[inline(always)]
    unsafe fn is_valid(
        cbframe_bits: *const Self,
    ) -> ::cbframe::private::core::primitive::bool {
        const VALUE_0: ::cbframe::private::core::primitive::u32 = Level::Low
            as ::cbframe::private::core::primitive::u32;
        const VALUE_1: ::cbframe::private::core::primitive::u32 = Level::High
            as ::cbframe::private::core::primitive::u32;
        ::cbframe::private::core::matches!(
            unsafe { cbframe_bits.cast:: < ::cbframe::private::core::primitive::u32 > ()
            .read() }, VALUE_0 | VALUE_1
        )
    }
}
#[automatically_derived]
impl ::cbframe::private::VaArg for Level {}
const _: () = <Level as ::cbframe::private::CType>::TYPE.check();
