//! The numbers that kernels know, and how each becomes another.

use stook_core::DType;
use stook_core::element::f16;

/// A truth value in memory: any byte but 0 is true, as numpy has it.
#[derive(Clone, Copy, Debug, Default)]
#[repr(transparent)]
pub(crate) struct Truth(u8);

impl Truth {
    pub(crate) fn get(self) -> bool {
        self.0 != 0
    }
}

impl From<bool> for Truth {
    fn from(truth: bool) -> Self {
        Self(truth.into())
    }
}

impl PartialEq for Truth {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

/// A number of fixed size of which every bit pattern is a value.
///
/// # Safety
/// Every bit pattern is a valid value, and the type has no padding.
#[expect(unsafe_code, reason = "implementors promise a layout")]
pub(crate) unsafe trait Item:
    Copy + Default + Send + Sync + PartialEq + 'static
{
    /// Its type in memory.
    const DTYPE: DType;
}

macro_rules! items {
    ($($rust:ty => $dtype:ident),* $(,)?) => {$(
        // SAFETY: plain numbers without padding; any byte is a `Truth`.
        #[expect(unsafe_code, reason = "plain numbers have the layout of their dtype")]
        unsafe impl Item for $rust {
            const DTYPE: DType = DType::$dtype;
        }
    )*};
}

items! {
    Truth => Bool,
    i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64,
    u8 => UInt8, u16 => UInt16, u32 => UInt32, u64 => UInt64,
    f16 => Float16, f32 => Float32, f64 => Float64,
    [f32; 2] => Complex64, [f64; 2] => Complex128,
}

/// A number as one of another type: as C casts, floats to integers saturating, complex numbers to
/// real ones losing what is imaginary.
pub(crate) trait Cast<T> {
    fn cast(self) -> T;
}

macro_rules! primitive {
    ($from:ty: $($to:ty),*) => {$(
        impl Cast<$to> for $from {
            #[inline]
            fn cast(self) -> $to {
                self as $to
            }
        }
    )*};
}

macro_rules! from_primitive {
    ($($from:ty),*) => {$(
        primitive!($from: i8, i16, i32, i64, u8, u16, u32, u64, f32, f64);
        impl Cast<Truth> for $from {
            #[inline]
            fn cast(self) -> Truth {
                Truth::from(self != (0 as $from))
            }
        }
        impl Cast<f16> for $from {
            #[inline]
            fn cast(self) -> f16 {
                f16::from_f64(self as f64)
            }
        }
        impl Cast<[f32; 2]> for $from {
            #[inline]
            fn cast(self) -> [f32; 2] {
                [self as f32, 0.0]
            }
        }
        impl Cast<[f64; 2]> for $from {
            #[inline]
            fn cast(self) -> [f64; 2] {
                [self as f64, 0.0]
            }
        }
    )*};
}

from_primitive!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64);

/// What is cast by way of another type.
macro_rules! by_way {
    ($from:ty, $self:ident => $way:expr; $($to:ty),*) => {$(
        impl Cast<$to> for $from {
            #[inline]
            fn cast($self) -> $to {
                Cast::<$to>::cast($way)
            }
        }
    )*};
}

by_way!(Truth, self => u8::from(self.get());
    Truth, i8, i16, i32, i64, u8, u16, u32, u64, f16, f32, f64, [f32; 2], [f64; 2]);
by_way!(f16, self => self.to_f32();
    Truth, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, [f32; 2], [f64; 2]);
by_way!([f32; 2], self => self[0]; i8, i16, i32, i64, u8, u16, u32, u64, f16, f32, f64);
by_way!([f64; 2], self => self[0]; i8, i16, i32, i64, u8, u16, u32, u64, f16, f32, f64);

impl Cast<f16> for f16 {
    #[inline]
    fn cast(self) -> f16 {
        self
    }
}

macro_rules! from_complex {
    ($($from:ty => $to:ty),*) => {$(
        impl Cast<$to> for $from {
            #[inline]
            fn cast(self) -> $to {
                [self[0] as _, self[1] as _]
            }
        }
    )*};
}

from_complex!([f32; 2] => [f32; 2], [f32; 2] => [f64; 2], [f64; 2] => [f32; 2], [f64; 2] => [f64; 2]);

impl Cast<Truth> for [f32; 2] {
    fn cast(self) -> Truth {
        Truth::from(self != [0.0; 2])
    }
}

impl Cast<Truth> for [f64; 2] {
    fn cast(self) -> Truth {
        Truth::from(self != [0.0; 2])
    }
}

/// Evaluates `$body` with `$T` as the type of items of `$dtype`; times and spans are `i64`.
macro_rules! dispatch {
    ($dtype:expr, $T:ident => $body:expr, else $other:expr) => {
        match $dtype {
            stook_core::DType::Bool => {
                type $T = $crate::kernels::item::Truth;
                $body
            }
            stook_core::DType::Float16 => {
                type $T = stook_core::element::f16;
                $body
            }
            stook_core::DType::Complex64 => {
                type $T = [f32; 2];
                $body
            }
            stook_core::DType::Complex128 => {
                type $T = [f64; 2];
                $body
            }
            other => $crate::kernels::item::dispatch_primitive!(other, $T => $body, else $other),
        }
    };
}

/// The same for integers and floats of 32 and 64 bits.
macro_rules! dispatch_primitive {
    ($dtype:expr, $T:ident => $body:expr, else $other:expr) => {
        match $dtype {
            stook_core::DType::Float32 => {
                type $T = f32;
                $body
            }
            stook_core::DType::Float64 => {
                type $T = f64;
                $body
            }
            other => $crate::kernels::item::dispatch_integer!(other, $T => $body, else $other),
        }
    };
}

/// The same for integers.
macro_rules! dispatch_integer {
    ($dtype:expr, $T:ident => $body:expr, else $other:expr) => {
        match $dtype {
            stook_core::DType::Int8 => {
                type $T = i8;
                $body
            }
            stook_core::DType::Int16 => {
                type $T = i16;
                $body
            }
            stook_core::DType::Int32 => {
                type $T = i32;
                $body
            }
            stook_core::DType::Int64
            | stook_core::DType::DateTime(_)
            | stook_core::DType::TimeDelta(_) => {
                type $T = i64;
                $body
            }
            stook_core::DType::UInt8 => {
                type $T = u8;
                $body
            }
            stook_core::DType::UInt16 => {
                type $T = u16;
                $body
            }
            stook_core::DType::UInt32 => {
                type $T = u32;
                $body
            }
            stook_core::DType::UInt64 => {
                type $T = u64;
                $body
            }
            _ => $other,
        }
    };
}

pub(crate) use {dispatch, dispatch_integer, dispatch_primitive};
