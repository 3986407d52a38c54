//! Whether objects of two sessions are equal.

use stook_core::{DType, Values};

use crate::item::{Item, ItemKind};
use crate::session::Session;
use crate::{Array, AxisRef, Group};

/// How far numbers may be apart to be equal: `abs(a - b) <= absolute + relative * abs(b)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tolerance {
    /// Of the right side.
    pub relative: f64,
    /// At all.
    pub absolute: f64,
    /// Whether NaN is equal to NaN.
    pub nans_equal: bool,
}

impl Session {
    /// For each axis, group and array of both sessions, in the order of this one and then of the
    /// other, whether it is equal to the one of the same name.
    #[must_use]
    pub fn element_equals(&self, other: &Self, tolerance: Tolerance) -> Vec<(String, bool)> {
        let is_labelled =
            |item: &Item| matches!(item.kind(), ItemKind::Array | ItemKind::Axis | ItemKind::Group);
        let own = self.iter().filter(|(_, item)| is_labelled(item));
        let extra = other.iter().filter(|(name, item)| is_labelled(item) && !self.contains(name));
        let compared = own.map(|(name, item)| {
            let equal = other.get(name).is_some_and(|other| item.equals(other, tolerance));
            (name.to_owned(), equal)
        });
        compared.chain(extra.map(|(name, _)| (name.to_owned(), false))).collect()
    }

    /// Whether all axes, groups and arrays are equal, and none is on one side only.
    #[must_use]
    pub fn equals(&self, other: &Self, tolerance: Tolerance) -> bool {
        self.element_equals(other, tolerance).iter().all(|(_, equal)| *equal)
    }
}

impl Item {
    /// Whether both are of one kind and equal; arrays with the same axes in another order are.
    #[must_use]
    pub fn equals(&self, other: &Self, tolerance: Tolerance) -> bool {
        match (self, other) {
            (Self::Array(a, _), Self::Array(b, _)) => arrays_equal(a, b, tolerance),
            (Self::Axis(a), Self::Axis(b)) => a.equals(b),
            (Self::Group(a), Self::Group(b)) => groups_equal(a, b),
            (Self::Scalar(a), Self::Scalar(b)) => a == b,
            (Self::Session(a), Self::Session(b)) => a.equals(b, tolerance),
            _ => false,
        }
    }
}

fn groups_equal(a: &Group, b: &Group) -> bool {
    let axes = match (a.axis(), b.axis()) {
        (None, None) => true,
        (Some(AxisRef::Axis(a)), Some(AxisRef::Axis(b))) => a.equals(b),
        (Some(AxisRef::Name(a)), Some(AxisRef::Name(b))) => a == b,
        (Some(AxisRef::Index(a)), Some(AxisRef::Index(b))) => a == b,
        _ => false,
    };
    axes && a == b && a.name() == b.name()
}

/// Where the axes of `a` are in `b`, if they are the same ones.
pub(crate) fn same_axes(a: &Array, b: &Array) -> Option<Vec<usize>> {
    let (a, b) = (a.axes(), b.axes());
    if a.len() != b.len() {
        return None;
    }
    if a.iter().zip(b.iter()).all(|(a, b)| a.equals(b)) {
        return Some((0..a.len()).collect());
    }
    let mut order = Vec::with_capacity(a.len());
    for axis in a {
        axis.name()?;
        let at = b.iter().position(|other| other.equals(axis))?;
        if order.contains(&at) {
            return None;
        }
        order.push(at);
    }
    Some(order)
}

fn arrays_equal(a: &Array, b: &Array, tolerance: Tolerance) -> bool {
    let Some(order) = same_axes(a, b) else { return false };
    let is_in_order = order.iter().enumerate().all(|(i, &at)| i == at);
    let (left, right) = (a.data(), b.data());
    if is_in_order
        && left.dtype() == right.dtype()
        && let Some(equal) = floats_equal(left, right, tolerance)
    {
        return equal;
    }
    let (Some(left), Some(right)) = (Numbers::new(left), Numbers::new(right)) else {
        return others_equal(a, b, &order);
    };
    Walk::new(b, &order)
        .zip(0..a.data().len())
        .all(|(at, i)| close(left.get(i), right.get(at), tolerance))
}

fn close(a: f64, b: f64, tolerance: Tolerance) -> bool {
    if a == b {
        return true;
    }
    if a.is_nan() || b.is_nan() {
        return tolerance.nans_equal && a.is_nan() && b.is_nan();
    }
    (a - b).abs() <= tolerance.absolute + tolerance.relative * b.abs()
}

/// Floats of 64 bits, or bits that are equal; `None` if it has to be looked at.
fn floats_equal(a: &Values, b: &Values, tolerance: Tolerance) -> Option<bool> {
    match a.dtype() {
        DType::Float64 => {
            let (a, b) = (a.items().as_chunks::<8>().0, b.items().as_chunks::<8>().0);
            #[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
            let number = |item: &[u8; 8]| f64::from_ne_bytes(*item);
            Some(a.iter().zip(b).all(|(a, b)| close(number(a), number(b), tolerance)))
        }
        dtype if crate::store::is_integer(dtype) && a.items() == b.items() => Some(true),
        _ => None,
    }
}

/// What is no number: text by text, else bit for bit.
fn others_equal(a: &Array, b: &Array, order: &[usize]) -> bool {
    let (left, right) = (a.data(), b.data());
    let mut pairs = Walk::new(b, order).zip(0..left.len());
    let is_text = |values: &Values| {
        matches!(values.dtype(), DType::String(_) | DType::Unicode(_) | DType::FixedString(_))
    };
    if is_text(left) && is_text(right) {
        return pairs.all(|(at, i)| match (left.text_at(i), right.text_at(at)) {
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        });
    }
    left.dtype() == right.dtype() && pairs.all(|(at, i)| left.item(i) == right.item(at))
}

/// Numbers of any type as floats.
pub(crate) struct Numbers<'a> {
    values: &'a Values,
    get: fn(&[u8]) -> f64,
}

impl<'a> Numbers<'a> {
    /// `None` for what are no numbers.
    pub(crate) fn new(values: &'a Values) -> Option<Self> {
        macro_rules! reader {
            ($type:ty) => {{
                #[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
                #[allow(
                    clippy::cast_precision_loss,
                    clippy::cast_lossless,
                    reason = "as numpy does"
                )]
                fn get(item: &[u8]) -> f64 {
                    item.try_into().map_or(f64::NAN, |item| <$type>::from_ne_bytes(item) as f64)
                }
                get
            }};
        }
        let get: fn(&[u8]) -> f64 = match values.dtype() {
            DType::Bool | DType::UInt8 => reader!(u8),
            DType::Int8 => reader!(i8),
            DType::Int16 => reader!(i16),
            DType::Int32 => reader!(i32),
            DType::Int64 => reader!(i64),
            DType::UInt16 => reader!(u16),
            DType::UInt32 => reader!(u32),
            DType::UInt64 => reader!(u64),
            DType::Float32 => reader!(f32),
            DType::Float64 => reader!(f64),
            _ => return None,
        };
        Some(Self { values, get })
    }

    pub(crate) fn get(&self, at: usize) -> f64 {
        self.values.item(at).map_or(f64::NAN, self.get)
    }
}

/// The positions of elements of an array in C order of the axes in another order.
pub(crate) struct Walk {
    lengths: Vec<usize>,
    strides: Vec<usize>,
    at: Vec<usize>,
    place: usize,
    left: usize,
}

impl Walk {
    pub(crate) fn new(array: &Array, order: &[usize]) -> Self {
        let shape = array.shape();
        let mut strides = vec![1; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis] * shape[axis];
        }
        Self {
            lengths: order.iter().map(|&axis| shape[axis]).collect(),
            strides: order.iter().map(|&axis| strides[axis]).collect(),
            at: vec![0; order.len()],
            place: 0,
            left: array.data().len(),
        }
    }
}

impl Iterator for Walk {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let place = self.place;
        for axis in (0..self.at.len()).rev() {
            self.at[axis] += 1;
            self.place += self.strides[axis];
            if self.at[axis] < self.lengths[axis] {
                break;
            }
            self.place -= self.strides[axis] * self.lengths[axis];
            self.at[axis] = 0;
        }
        Some(place)
    }
}
