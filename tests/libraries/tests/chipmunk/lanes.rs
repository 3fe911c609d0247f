//! The same callbacks through each of the entries.

/// Defines callbacks in the modules `direct`, `stack` and `captured`, through the entry of that name.
macro_rules! lanes {
    (@ $lane:ident $entry:literal $(
        #[cbframe(abi = $abi:literal)]
        fn $name:ident $parameters:tt $(-> $result:ty)? $body:block
    )*) => {
        mod $lane {
            use super::*;

            $(
                #[cbframe(abi = $abi, entry = $entry)]
                pub(super) fn $name $parameters $(-> $result)? $body
            )*
        }
    };
    ($($callbacks:tt)*) => {
        lanes! { @ direct "direct" $($callbacks)* }
        lanes! { @ stack "stack" $($callbacks)* }
        lanes! { @ captured "captured" $($callbacks)* }
    };
}

/// What `$body` gives for each of these modules, which it finds as `$lane`.
macro_rules! in_each_lane {
    (@ $module:ident $lane:ident $body:expr) => {{
        use $module as $lane;
        (stringify!($module), $body)
    }};
    ($lane:ident => $body:expr) => {
        [
            in_each_lane!(@ direct $lane $body),
            in_each_lane!(@ stack $lane $body),
            in_each_lane!(@ captured $lane $body),
        ]
    };
}
