//! A layer: one matrix of a loom.

use stook::{Array, AxisSelection, DType, NodeKind, Result, Selection, Values, View, ViewMut};

use crate::change::Change;
use crate::loom::Loom;
use crate::state::State;

/// A layer of a loom. Cheap to clone. It is named, not held: after a change of the loom the same
/// handle reads what is there then.
#[derive(Clone, Debug)]
pub struct Layer {
    loom: Loom,
    name: String,
}

impl Layer {
    pub(crate) fn new(loom: Loom, name: &str) -> Self {
        Self { loom, name: name.to_owned() }
    }

    /// Its name; empty for the main matrix.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The loom that it is of.
    #[must_use]
    pub fn loom(&self) -> &Loom {
        &self.loom
    }

    /// Its array, for who works on tiles.
    ///
    /// # Errors
    /// `NotFound` once it is removed, `Corrupt`, `Io`.
    pub fn array(&self) -> Result<Array> {
        self.loom.layer_array(&self.name)
    }

    /// Its shape.
    ///
    /// # Errors
    /// As [`Layer::array`].
    pub fn shape(&self) -> Result<[u64; 2]> {
        self.loom.read(|state| state.known_layer(&self.name).map(|_| state.shape))
    }

    /// The type of its numbers.
    ///
    /// # Errors
    /// As [`Layer::array`].
    pub fn dtype(&self) -> Result<DType> {
        Ok(self.array()?.dtype())
    }

    /// Reads any selection: integers, slices, masks and lists, on both axes, unsorted, with
    /// repetitions; the axes are independent of one another. C order.
    ///
    /// # Errors
    /// `InvalidInput` for a selection that does not fit, `Corrupt` naming the tile, `Io`.
    pub fn read(&self, selection: &Selection) -> Result<Values> {
        self.loom.read(|state| state.known_layer(&self.name)?.read(selection))
    }

    /// Reads a selection into `out`, which has its shape, items of the layer's type.
    ///
    /// # Errors
    /// As [`Layer::read`]; `InvalidInput` also for another shape or size of items.
    pub fn read_into(&self, selection: &Selection, out: &mut ViewMut<'_>) -> Result<()> {
        self.loom.read(|state| state.known_layer(&self.name)?.read_into(selection, out))
    }

    /// Writes `values`, numbers of any type, broadcast to the selection's shape. Where a list has
    /// an element twice, one of its values stays.
    ///
    /// # Errors
    /// `InvalidInput` for a selection or shape that does not fit, and for a value that the layer's
    /// type has no room for, `ReadOnly`, `Corrupt`, `Io`. Nothing is changed then.
    pub fn write(&self, selection: &Selection, values: &Values) -> Result<()> {
        self.write_by(|array| {
            let values = crate::items::cast(values, &array.dtype())
                .map_err(|error| error.at_node(array.path()))?;
            array.write(selection, &values)
        })
    }

    /// Writes the items of `view`, which are of the layer's type, broadcast to the selection's
    /// shape.
    ///
    /// # Errors
    /// As [`Layer::write`].
    pub fn write_from(&self, selection: &Selection, view: &View<'_>) -> Result<()> {
        self.write_by(|array| array.write_from(selection, view))
    }

    fn write_by(&self, write: impl FnOnce(&Array) -> Result<()>) -> Result<()> {
        self.loom.change(|change| {
            let array = change.state().layer(&self.name)?;
            write(&array)?;
            change.touch(array.path());
            Ok(())
        })
    }
}

/// The positions that `selection` means along an axis of length `len`, in their order; an integer
/// is a list of one.
///
/// # Errors
/// `InvalidInput` where it does not fit.
pub fn positions(selection: &AxisSelection, len: u64) -> Result<Vec<u64>> {
    let out = |at: i64| {
        stook::Error::invalid(format!("index {at} is out of bounds for an axis of length {len}"))
    };
    let wrapped = |at: i64| {
        let length = i128::from(len);
        let position = if at < 0 { i128::from(at) + length } else { at.into() };
        u64::try_from(position).ok().filter(|&at| at < len).ok_or_else(|| out(at))
    };
    match selection {
        AxisSelection::Index(at) => Ok(vec![wrapped(*at)?]),
        AxisSelection::List(list) => list.iter().map(|&at| wrapped(at)).collect(),
        AxisSelection::Mask(mask) if mask.len() as u64 == len => {
            let picked = mask.iter().enumerate().filter(|(_, is_in)| **is_in);
            Ok(picked.map(|(at, _)| at as u64).collect())
        }
        AxisSelection::Mask(mask) => Err(stook::Error::invalid(format!(
            "a mask: expected {len} truth values, found {}",
            mask.len()
        ))),
        AxisSelection::Slice { start, stop, step } => slice(*start, *stop, *step, len),
        _ => Ok((0..len).collect()),
    }
}

/// The positions of a Python slice.
fn slice(start: Option<i64>, stop: Option<i64>, step: i64, len: u64) -> Result<Vec<u64>> {
    let (len, step) = (i128::from(len), i128::from(step));
    if step == 0 {
        return Err(stook::Error::invalid("a slice: the step is zero"));
    }
    let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let clip = |at: Option<i64>, otherwise: i128| match at {
        None => otherwise,
        Some(at) => {
            let at = i128::from(at);
            (if at < 0 { at + len } else { at }).clamp(low, high)
        }
    };
    let (start, stop) = if step > 0 {
        (clip(start, low), clip(stop, high))
    } else {
        (clip(start, high), clip(stop, low))
    };
    let ahead = |at: i128| if step > 0 { at < stop } else { at > stop };
    let all = std::iter::successors(Some(start), |at| Some(at + step));
    Ok(all.take_while(|&at| ahead(at)).filter_map(|at| u64::try_from(at).ok()).collect())
}

/// Whether there is a layer called `name`.
pub(crate) fn exists(change: &Change<'_>, name: &str) -> Result<bool> {
    let path = State::layer_path(name)?;
    Ok(change.file().container().kind(&path)? == Some(NodeKind::Array))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_those_of_python() {
        let slice = |start, stop, step| AxisSelection::Slice { start, stop, step };
        let at = |selection: &AxisSelection| positions(selection, 5).unwrap();
        assert_eq!(at(&slice(None, None, -2)), [4, 2, 0]);
        assert_eq!(at(&slice(Some(-2), None, 1)), [3, 4]);
        assert_eq!(at(&slice(Some(10), Some(-100), -1)), [4, 3, 2, 1, 0]);
        assert_eq!(at(&slice(Some(3), Some(1), 1)), Vec::<u64>::new());
        assert_eq!(at(&AxisSelection::List(vec![-1, 0, 0])), [4, 0, 0]);
        assert_eq!(at(&AxisSelection::Index(2)), [2]);
        assert!(positions(&AxisSelection::Index(5), 5).is_err());
        assert!(positions(&AxisSelection::Mask(vec![true]), 5).is_err());
    }
}
