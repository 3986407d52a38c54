//! Elements by labels, by positions and by points.

use stook_core::{Element, Result, Values};

use crate::array::Array;
use crate::axis::Axis;
use crate::group::{Group, PositionKey};
use crate::kernels::{self, Along};
use crate::key::{Key, Lookup, Mask};
use crate::label::Label;
use crate::labels::Labels;
use crate::plan::{AxesSelection, Take};

/// Keys: one, or several in a tuple, an array or a vector.
pub trait Keys {
    /// The keys in order.
    fn into_keys(self) -> Vec<Key>;
}

macro_rules! one_key {
    ($($rust:ty),*) => {$(
        impl Keys for $rust {
            fn into_keys(self) -> Vec<Key> {
                vec![self.into()]
            }
        }
    )*};
}

one_key!(&str, i64, Label, Labels, Group, Axis, Mask, Lookup, Key);

macro_rules! several_keys {
    ($($name:ident),*) => {
        impl<$($name: Into<Key>),*> Keys for ($($name,)*) {
            #[expect(non_snake_case, reason = "each key is called as its type is")]
            fn into_keys(self) -> Vec<Key> {
                let ($($name,)*) = self;
                vec![$($name.into()),*]
            }
        }
    };
}

several_keys!(A);
several_keys!(A, B);
several_keys!(A, B, C);
several_keys!(A, B, C, D);
several_keys!(A, B, C, D, E);
several_keys!(A, B, C, D, E, F);

impl<K: Into<Key>> Keys for Vec<K> {
    fn into_keys(self) -> Vec<Key> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<K: Into<Key>, const N: usize> Keys for [K; N] {
    fn into_keys(self) -> Vec<Key> {
        self.into_iter().map(Into::into).collect()
    }
}

impl Keys for &[Key] {
    fn into_keys(self) -> Vec<Key> {
        self.to_vec()
    }
}

/// What a plan takes, as kernels have it.
pub(crate) fn along(takes: &[Take]) -> Vec<Along<'_>> {
    fn along(take: &Take) -> Along<'_> {
        match take {
            Take::At(at) => Along::At(*at),
            Take::Slice { start, step, len } => {
                Along::Slice { start: *start, step: *step, len: *len }
            }
            Take::Positions(positions) => Along::Positions(positions),
            Take::Points(points) => Along::Points(points),
        }
    }
    takes.iter().map(along).collect()
}

/// How the axes of a selection's result lie in what a kernel picks, which has the axis of points
/// where the first of them is: the shape with points as one axis, and the order of its axes.
pub(crate) fn picked(selection: &AxesSelection) -> (Vec<usize>, Vec<usize>) {
    let mut shape = selection.axes().shape();
    let Some(points) = selection.points() else {
        let order = (0..shape.len()).collect();
        return (shape, order);
    };
    let n = selection.takes().iter().find(|take| matches!(take, Take::Points(_)));
    shape.splice(points.at..points.at + points.n_axes, n.map(Take::len));
    let takes = selection.takes().iter().take_while(|take| !matches!(take, Take::Points(_)));
    let first = takes.filter(|take| !matches!(take, Take::At(_))).count();
    // The kernel's axes: all but that of points in order, and that one at `first`.
    let mut order: Vec<usize> = (0..shape.len()).filter(|at| *at != points.at).collect();
    order.insert(first, points.at);
    (shape, order)
}

impl Array {
    /// The elements at labels: text as in [`crate::syntax`], labels, groups, masks and others, each
    /// about whichever axis has it, in any order. Lists on several axes give each combination.
    ///
    /// ```
    /// use stook_labelled::{Label, ndtest};
    ///
    /// # fn main() -> stook_core::Result<()> {
    /// let array = ndtest([3, 3])?;
    /// assert_eq!(array.get("b0")?.to_vec::<i64>()?, [0, 3, 6]);
    /// assert_eq!(array.get(("b2,b0", "a1:a2"))?.to_vec::<i64>()?, [5, 3, 8, 6]);
    /// assert!(array.get("c0").is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`AxisCollection::select`](crate::AxisCollection::select).
    pub fn get(&self, keys: impl Keys) -> Result<Self> {
        self.selected(&self.axes().select(&keys.into_keys())?)
    }

    /// One element, cast to `T` if it is of a lesser kind.
    ///
    /// # Errors
    /// Those of [`Array::get`] and [`Array::item`].
    pub fn element<T: Element>(&self, keys: impl Keys) -> Result<T> {
        self.get(keys)?.item()
    }

    /// The elements at points: lists on several axes go together, label by label.
    ///
    /// # Errors
    /// Those of [`AxisCollection::select_points`](crate::AxisCollection::select_points).
    pub fn points(&self, keys: impl Keys) -> Result<Self> {
        self.selected(&self.axes().select_points(&keys.into_keys())?)
    }

    /// The elements at positions, axis by axis; `None` is all of an axis.
    ///
    /// # Errors
    /// Those of [`AxisCollection::select_positions`](crate::AxisCollection::select_positions).
    pub fn at(&self, keys: &[Option<PositionKey>]) -> Result<Self> {
        self.selected(&self.axes().select_positions(keys)?)
    }

    /// The elements at positions that go together, point by point.
    ///
    /// # Errors
    /// Those of
    /// [`AxisCollection::select_position_points`](crate::AxisCollection::select_position_points).
    pub fn at_points(&self, keys: &[Option<PositionKey>]) -> Result<Self> {
        self.selected(&self.axes().select_position_points(keys)?)
    }

    /// The elements where `condition`, an array of truth values, is true; of several axes, along one
    /// axis whose labels are theirs with `_` between them.
    ///
    /// ```
    /// use stook_labelled::ndtest;
    ///
    /// # fn main() -> stook_core::Result<()> {
    /// let array = ndtest([2, 3])?;
    /// let large = array.filter(&array.greater(3)?)?;
    /// assert_eq!(large.to_vec::<i64>()?, [4, 5]);
    /// assert_eq!(large.axes().info(), "2\n a_b [2]: 'a1_b1' 'a1_b2'");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidInput` if the axes do not fit, or the elements are no truth values.
    pub fn filter(&self, condition: &Self) -> Result<Self> {
        self.get(condition.as_mask()?)
    }

    /// The truth values of this array as a key.
    ///
    /// # Errors
    /// `InvalidInput` if the elements are no truth values.
    pub fn as_mask(&self) -> Result<Mask> {
        let not_truths = || {
            let dtype = self.dtype();
            stook_core::Error::invalid(format!("expected an array of truth values, found {dtype}"))
        };
        Mask::new(self.axes().clone(), self.as_slice::<bool>().ok_or_else(not_truths)?)
    }

    /// What a plan, made for the axes of this array, selects.
    ///
    /// # Errors
    /// `InvalidInput` if it was made for others.
    pub fn selected(&self, selection: &AxesSelection) -> Result<Self> {
        let takes = selection.takes();
        let shape = self.shape();
        if takes.len() == shape.len()
            && takes.iter().zip(&shape).all(|(take, &len)| take.is_all(len))
        {
            return Self::new(selection.axes().clone(), self.data().clone());
        }
        if let Some(position) = selection.element().filter(|at| at.len() == shape.len()) {
            let flat = position.iter().zip(&shape).fold(0, |flat, (at, len)| flat * len + at);
            let item = self.data().item(flat).unwrap_or_default().to_vec();
            let heap = self.data().heap().to_vec();
            let data = Values::new(self.dtype().clone(), Vec::new(), item, heap)?;
            return Self::new(selection.axes().clone(), data);
        }
        let view = self.strided()?;
        let (shape, order) = picked(selection);
        self.made(selection.axes().clone(), self.dtype().clone(), |out| {
            let mut out = out.reshaped(&shape)?.transposed(&order)?;
            kernels::take(&view, &along(takes), &mut out)
        })
    }
}
