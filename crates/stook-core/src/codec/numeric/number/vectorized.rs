//! Loops that are compiled twice: for every processor, and for those with wider vectors.

/// Makes a function of one that is always inlined: it runs that one as compiled for AVX2 where
/// the processor has it. The results are the same, bit by bit.
macro_rules! vectorized {
    (
        $(#[$attribute:meta])*
        fn $name:ident<$($T:ident),*>[$($bounds:tt)*]($($argument:ident: $type:ty),*) = $run:ident
        $(where [$($condition:tt)*])?
    ) => {
        $(#[$attribute])*
        #[cfg_attr(
            target_arch = "x86_64",
            expect(unsafe_code, reason = "vector instructions ask for a processor feature")
        )]
        fn $name<$($bounds)*>($($argument: $type),*)
        $(where $($condition)*)?
        {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn avx2<$($bounds)*>($($argument: $type),*)
                $(where $($condition)*)?
                {
                    $run::<$($T),*>($($argument),*);
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor was found to have the feature.
                    return unsafe { avx2::<$($T),*>($($argument),*) };
                }
            }
            $run::<$($T),*>($($argument),*);
        }
    };
}

pub(in crate::codec::numeric) use vectorized;
