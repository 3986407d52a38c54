//! Selection: which elements keys ask for, and the axes of what they give.

use std::sync::Arc;

use stook_core::{Error, Result};

use crate::axes::AxisCollection;
use crate::axis::{Axis, AxisRef};
use crate::fault::Fault;
use crate::group::PositionKey;
use crate::key::{Key, Lookup, Mask};
use crate::label::LabelRef;
use crate::plan::combine::combine;
use crate::plan::positions::{Points, Take};

/// Which elements of an array are asked for, and the axes of the result.
#[derive(Clone, Debug)]
pub struct AxesSelection {
    takes: Vec<Take>,
    axes: AxisCollection,
    points: Option<Points>,
}

impl AxesSelection {
    /// What is taken along each axis of the source.
    #[must_use]
    pub fn takes(&self) -> &[Take] {
        &self.takes
    }

    /// The axes of the result.
    ///
    /// Those that are kept, in the order of the source. Where there are points, their axes come in the
    /// place of the axes they are of, or first if these do not follow one another.
    #[must_use]
    pub fn axes(&self) -> &AxisCollection {
        &self.axes
    }

    /// Where the axes of points are, if some takes are [`Take::Points`].
    #[must_use]
    pub fn points(&self) -> Option<Points> {
        self.points
    }

    /// Whether it is one element.
    #[must_use]
    pub fn is_element(&self) -> bool {
        self.axes.is_empty()
    }

    /// The positions of the one element.
    #[must_use]
    pub fn element(&self) -> Option<Vec<usize>> {
        let at = |take: &Take| if let Take::At(at) = take { Some(*at) } else { None };
        self.takes.iter().map(at).collect()
    }
}

/// How several lists of positions go together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lists {
    /// Each combination.
    Orthogonal,
    /// The first of each, the second of each, …
    Points,
}

/// What keys ask for of each axis so far.
struct Asked<'a> {
    axes: &'a AxisCollection,
    takes: Vec<Option<Take>>,
    /// The axes of the points.
    points: Vec<Axis>,
}

impl AxisCollection {
    /// What `keys` ask for, whichever axes they are about, in any order; the lists among them are
    /// combined with one another.
    ///
    /// # Errors
    /// `InvalidInput` for labels that no axis has or several have, for two keys of one axis, and for
    /// positions out of bounds ([`Fault::Position`]).
    pub fn select(&self, keys: &[Key]) -> Result<AxesSelection> {
        if let [Key::Text(text)] = keys
            && crate::syntax::is_label(text)
        {
            return self.select_label(LabelRef::Str(text));
        }
        self.select_lists(keys, Lists::Orthogonal)
    }

    /// What is at `label`, on whichever axis it is: [`AxisCollection::select`] of one label.
    ///
    /// # Errors
    /// `InvalidInput` if no axis has it, or several.
    pub fn select_label(&self, label: LabelRef<'_>) -> Result<AxesSelection> {
        let (at, position) = self.locate_label(label)?;
        let takes = self
            .iter()
            .enumerate()
            .map(|(i, axis)| if i == at { Take::At(position) } else { Take::all(axis.len()) });
        let rest = self.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, axis)| axis.clone());
        Ok(AxesSelection { takes: takes.collect(), axes: rest.collect(), points: None })
    }

    /// What `keys` ask for, where the lists among them go together, label by label.
    ///
    /// # Errors
    /// Those of [`AxisCollection::select`], and `InvalidInput` for lists of different lengths.
    pub fn select_points(&self, keys: &[Key]) -> Result<AxesSelection> {
        self.select_lists(keys, Lists::Points)
    }

    /// What positions ask for, axis by axis; `None` is all of an axis, and so are axes after the last.
    ///
    /// # Errors
    /// `InvalidInput` for positions out of bounds and for more keys than axes
    /// ([`Fault::Position`]).
    pub fn select_positions(&self, keys: &[Option<PositionKey>]) -> Result<AxesSelection> {
        self.asked_positions(keys)?.finish(Lists::Orthogonal)
    }

    /// [`AxisCollection::select_positions`], where lists go together.
    ///
    /// # Errors
    /// Its errors, and `InvalidInput` for lists of different lengths.
    pub fn select_position_points(&self, keys: &[Option<PositionKey>]) -> Result<AxesSelection> {
        self.asked_positions(keys)?.finish(Lists::Points)
    }

    /// What each of `takes` takes of its axis; `None` is all of it.
    pub(crate) fn take_each(&self, takes: Vec<Option<Take>>) -> Result<AxesSelection> {
        Asked { axes: self, takes, points: Vec::new() }.finish(Lists::Orthogonal)
    }

    fn asked_positions(&self, keys: &[Option<PositionKey>]) -> Result<Asked<'_>> {
        let (n, len) = (keys.len(), self.len());
        if n > len {
            return Err(Fault::Position
                .error(format!("key is too long ({n}) for array with {len} dimensions")));
        }
        let mut asked = Asked::new(self);
        for (at, key) in keys.iter().enumerate() {
            if let Some(key) = key {
                asked.takes[at] = Some(Take::positions(key, at, self[at].len())?);
            }
        }
        Ok(asked)
    }

    fn select_lists(&self, keys: &[Key], lists: Lists) -> Result<AxesSelection> {
        let mut asked = Asked::new(self);
        let lookups: Vec<&Lookup> = keys
            .iter()
            .filter_map(|key| if let Key::Lookup(key) = key { Some(key) } else { None })
            .collect();
        for key in keys {
            match key {
                Key::All | Key::Lookup(_) => {}
                Key::Slice(bounds) if bounds.is_all() => {}
                Key::Mask(mask) => asked.add_mask(mask, keys)?,
                key => {
                    let (axis, take) = self.locate(key, key)?;
                    asked.put(axis, take, keys)?;
                }
            }
        }
        if !lookups.is_empty() {
            asked.add_lookups(&lookups, keys)?;
        }
        asked.finish(lists)
    }
}

impl<'a> Asked<'a> {
    fn new(axes: &'a AxisCollection) -> Self {
        Self { axes, takes: vec![None; axes.len()], points: Vec::new() }
    }

    fn put(&mut self, axis: usize, take: Take, keys: &[Key]) -> Result<()> {
        match self.takes.get_mut(axis) {
            Some(place @ None) => *place = Some(take),
            _ => return Err(self.taken_twice(axis, keys)),
        }
        Ok(())
    }

    #[cold]
    fn taken_twice(&self, axis: usize, keys: &[Key]) -> Error {
        let shown: Vec<String> = keys.iter().map(Key::repr).collect();
        Error::invalid(format!(
            "key has several values for axis: {}\nkey: ({})",
            self.axes.display_name(axis),
            shown.join(", ")
        ))
    }

    /// The elements where a mask is true: of one axis, those positions; of several, points.
    fn add_mask(&mut self, mask: &Mask, keys: &[Key]) -> Result<()> {
        let sources = self.axes.masked(mask)?;
        let mut columns = true_positions(&mask.axes().shape(), mask.values());
        if let ([source], [column]) = (&*sources, &mut *columns) {
            let positions = std::mem::take(column);
            return self.put(*source, Take::Positions(positions.into()), keys);
        }
        self.only_points()?;
        let parts: Vec<(usize, &[usize])> =
            sources.iter().zip(&columns).map(|(&source, column)| (source, &**column)).collect();
        self.points = vec![combine(self.axes, &parts, "_")];
        for (source, column) in sources.into_iter().zip(columns) {
            self.put(source, Take::Points(column.into()), keys)?;
        }
        Ok(())
    }

    /// The elements at the labels of arrays, which are points over the axes of all these arrays.
    fn add_lookups(&mut self, lookups: &[&Lookup], keys: &[Key]) -> Result<()> {
        self.only_points()?;
        let mut points = AxisCollection::new(Vec::new());
        for lookup in lookups {
            points = points.aligned(lookup.axes())?.axes().clone();
        }
        for lookup in lookups {
            let (axis, take) = self
                .axes
                .locate(&Key::List(lookup.labels().clone()), &Key::Lookup((*lookup).clone()))?;
            let positions: Vec<usize> = take.iter().collect();
            let spread = spread(&positions, lookup.axes(), &points)?;
            self.put(axis, Take::Points(spread), keys)?;
        }
        // An axis of the points that the array has as well goes along with them.
        for (at, axis) in points.iter().enumerate() {
            let Some(source) = self.axes.find(&AxisRef::Axis(axis.clone()))? else { continue };
            if self.takes[source].is_some() || axis.name().is_none() {
                continue;
            }
            if !self.axes[source].is_compatible(axis) {
                return Err(incompatible(axis, &self.axes[source]));
            }
            let all: Vec<usize> = (0..axis.len()).collect();
            let alone = AxisCollection::from(points[at].clone());
            self.put(source, Take::Points(spread(&all, &alone, &points)?), keys)?;
        }
        self.points = points.iter().cloned().collect();
        Ok(())
    }

    fn only_points(&self) -> Result<()> {
        if self.points.is_empty() {
            return Ok(());
        }
        Err(Error::unsupported("keys of several axes: expected one of them, found another"))
    }

    /// Lists that go together become points.
    fn zip(&mut self) -> Result<()> {
        let listed: Vec<(usize, Arc<[usize]>)> = self
            .takes
            .iter()
            .enumerate()
            .filter_map(|(at, take)| match take {
                Some(Take::Positions(positions)) => Some((at, Arc::clone(positions))),
                _ => None,
            })
            .collect();
        let [(_, first), _, ..] = &*listed else { return Ok(()) };
        if listed.iter().any(|(_, positions)| positions.len() != first.len()) {
            return Err(Error::invalid("all combined keys should have the same length"));
        }
        self.only_points()?;
        let columns: Vec<(usize, &[usize])> =
            listed.iter().map(|(at, positions)| (*at, &**positions)).collect();
        self.points = vec![combine(self.axes, &columns, "_")];
        for (at, positions) in listed {
            self.takes[at] = Some(Take::Points(positions));
        }
        Ok(())
    }

    fn finish(mut self, lists: Lists) -> Result<AxesSelection> {
        if lists == Lists::Points {
            self.zip()?;
        }
        let takes: Vec<Take> = self
            .takes
            .into_iter()
            .zip(self.axes)
            .map(|(take, axis)| take.unwrap_or_else(|| Take::all(axis.len())))
            .collect();
        let mut axes = Vec::with_capacity(takes.len());
        for (take, axis) in takes.iter().zip(self.axes) {
            match take {
                Take::At(_) | Take::Points(_) => {}
                take if take.is_all(axis.len()) => axes.push(axis.clone()),
                take => axes.push(axis.with_labels(take.labels(axis.labels())?)),
            }
        }
        let points = points_at(&takes).map(|at| Points { at, n_axes: self.points.len() });
        if let Some(Points { at, .. }) = points {
            axes.splice(at..at, self.points);
        }
        Ok(AxesSelection { takes, axes: axes.into(), points })
    }
}

impl AxisCollection {
    /// The axes that `mask` is over, each as long as the one of the mask.
    fn masked(&self, mask: &Mask) -> Result<Vec<usize>> {
        let own: Option<Vec<usize>> = mask
            .axes()
            .iter()
            .map(|axis| self.find(&AxisRef::Axis(axis.clone())))
            .collect::<Result<_>>()?;
        let Some(own) = own else {
            return Err(Error::invalid(format!(
                "boolean subset key contains more axes ({}) than array ({self})",
                mask.axes()
            )));
        };
        for (&at, axis) in own.iter().zip(mask.axes()) {
            if !self[at].is_compatible(axis) || self[at].len() != axis.len() {
                return Err(Error::invalid(format!(
                    "boolean subset array has incompatible axes with array:\narray axes: {self}\n\
                     subset array axes: {}\nincompatible axes:\n    array axis:\n        {}\n    \
                     subset array axis:\n        {axis}\n",
                    mask.axes(),
                    self[at]
                )));
            }
        }
        Ok(own)
    }
}

/// Where `values`, of this shape in C order, are true: a list of positions for each axis.
fn true_positions(shape: &[usize], values: &[bool]) -> Vec<Vec<usize>> {
    let n_true = values.iter().filter(|is_true| **is_true).count();
    let mut columns: Vec<Vec<usize>> = shape.iter().map(|_| Vec::with_capacity(n_true)).collect();
    let Some((&row_len, outer_shape)) = shape.split_last() else { return columns };
    let mut outer = vec![0; outer_shape.len()];
    for row in values.chunks_exact(row_len.max(1)) {
        if let Some(last) = columns.last_mut() {
            last.extend(row.iter().enumerate().filter(|(_, is_true)| **is_true).map(|(at, _)| at));
        }
        let now = columns.last().map_or(0, Vec::len);
        for (column, at) in columns.iter_mut().zip(&outer) {
            column.resize(now, *at);
        }
        for (at, len) in outer.iter_mut().zip(outer_shape).rev() {
            *at += 1;
            if *at < *len {
                break;
            }
            *at = 0;
        }
    }
    columns
}

/// Two axes whose elements do not belong together.
#[cold]
pub(crate) fn incompatible(axis: &Axis, other: &Axis) -> Error {
    Error::invalid(format!("incompatible axes:\n{other}\nvs\n{axis}"))
}

/// Where the axes of points are among those of the result, if there are points: where the first of
/// them is, if they follow one another.
fn points_at(takes: &[Take]) -> Option<usize> {
    let is_points = |take: &&Take| matches!(take, Take::Points(_));
    let kept: Vec<&Take> = takes.iter().filter(|take| !matches!(take, Take::At(_))).collect();
    let first = kept.iter().position(is_points)?;
    let n_points = kept.iter().filter(|take| is_points(take)).count();
    let n_adjacent = kept.iter().skip(first).take_while(|take| is_points(take)).count();
    Some(if n_adjacent == n_points { first } else { 0 })
}

/// `positions`, in C order over `axes`, in C order over all of `points`, which has these axes.
fn spread(
    positions: &[usize],
    axes: &AxisCollection,
    points: &AxisCollection,
) -> Result<Arc<[usize]>> {
    let shape = points.shape();
    let mut strides = vec![0; points.len()];
    let mut stride = 1_usize;
    for axis in axes.as_slice().iter().rev() {
        if let Some(at) = points.find(&AxisRef::Axis(axis.clone()))?
            && axis.len() == shape[at]
        {
            strides[at] = stride;
        }
        stride = stride.saturating_mul(axis.len());
    }
    let n = points.n_elements().ok_or_else(|| Error::limit("points overflow memory"))?;
    let mut all = Vec::with_capacity(n);
    for flat in 0..n {
        let (mut rest, mut at) = (flat, 0);
        for (len, stride) in shape.iter().zip(&strides).rev() {
            at += rest % len * stride;
            rest /= len;
        }
        all.extend(positions.get(at));
    }
    Ok(all.into())
}
