#[automatically_derived]
unsafe impl<
    'a,
    T: Copy,
    U: ?Sized,
    I: Iterator,
    const N: usize,
> crate::callbacks::private::CType for Node<'a, T, U, I, N>
where
    T: Default,
    T: crate::callbacks::private::CType,
    I::Item: crate::callbacks::private::CType,
{
    const TYPE: crate::callbacks::private::Type = crate::callbacks::private::Type {
        name: "Node",
        size: crate::callbacks::private::core::mem::size_of::<Self>(),
        align: crate::callbacks::private::core::mem::align_of::<Self>(),
        kind: crate::callbacks::private::Kind::Struct {
            fields: &[
                crate::callbacks::private::Field {
                    name: "0",
                    offset: crate::callbacks::private::core::mem::offset_of!(Self, 0),
                    ty: crate::callbacks::private::field::<
                        [T; N],
                    >(<[T; N] as crate::callbacks::private::CType<_>>::TYPE),
                },
                crate::callbacks::private::Field {
                    name: "1",
                    offset: crate::callbacks::private::core::mem::offset_of!(Self, 1),
                    ty: crate::callbacks::private::field::<
                        &'a U,
                    >(<&'a U as crate::callbacks::private::CType<_>>::TYPE),
                },
                crate::callbacks::private::Field {
                    name: "2",
                    offset: crate::callbacks::private::core::mem::offset_of!(Self, 2),
                    ty: crate::callbacks::private::field::<
                        Option<NonNull<Self>>,
                    >(
                        <Option<
                            NonNull<Self>,
                        > as crate::callbacks::private::CType<_>>::TYPE,
                    ),
                },
                crate::callbacks::private::Field {
                    name: "3",
                    offset: crate::callbacks::private::core::mem::offset_of!(Self, 3),
                    ty: crate::callbacks::private::field::<
                        I::Item,
                    >(<I::Item as crate::callbacks::private::CType<_>>::TYPE),
                },
                crate::callbacks::private::Field {
                    name: "4",
                    offset: crate::callbacks::private::core::mem::offset_of!(Self, 4),
                    ty: crate::callbacks::private::field::<
                        PhantomData<I>,
                    >(<PhantomData<I> as crate::callbacks::private::CType<_>>::TYPE),
                },
            ],
        },
    };
    #[inline(always)]
    unsafe fn is_valid(
        cbframe_bits: *const Self,
    ) -> crate::callbacks::private::core::primitive::bool {
        unsafe {
            <[T; N] as crate::callbacks::private::CType<
                _,
            >>::is_valid(&raw const (*cbframe_bits).0)
                && <&'a U as crate::callbacks::private::CType<
                    _,
                >>::is_valid(&raw const (*cbframe_bits).1)
                && <Option<
                    NonNull<Self>,
                > as crate::callbacks::private::CType<
                    _,
                >>::is_valid(&raw const (*cbframe_bits).2)
                && <I::Item as crate::callbacks::private::CType<
                    _,
                >>::is_valid(&raw const (*cbframe_bits).3)
                && <PhantomData<
                    I,
                > as crate::callbacks::private::CType<
                    _,
                >>::is_valid(&raw const (*cbframe_bits).4)
        }
    }
}
#[automatically_derived]
impl<
    'a,
    T: Copy,
    U: ?Sized,
    I: Iterator,
    const N: usize,
> crate::callbacks::private::VaArg for Node<'a, T, U, I, N>
where
    T: Default,
    T: crate::callbacks::private::CType,
    I::Item: crate::callbacks::private::CType,
{}
