//! What suite2p found in a session: one folder a plane, an npy file a variable.

use std::path::PathBuf;

use stook::pickle::{Node, NodeId, Pickle};
use stook::{AxisSelection, Selection, ViewMut};
use stook_core::{DType, Error, Result, Values};

use crate::cache::Source;
use crate::data::Data;
use crate::name::OneName;
use crate::one_data::{FileKind, OneData};

/// Variables with one column a frame, whose planes may differ by a few frames at the end.
const FRAME_VARIABLES: [&str; 5] = ["F", "F_chan2", "Fneu", "Fneu_chan2", "spks"];
/// The variable that is one dictionary a plane.
const OPTIONS: &str = "ops";
/// The variable that tells of each cell.
const CELLS: &str = "stat";

/// Whether planes become one array.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Planes {
    /// One behind the other, frames cut to what all planes have.
    #[default]
    Joined,
    /// One array each, as it is.
    Apart,
}

/// How the place of a cell is told from its pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Center {
    /// Their mean, weighted by how bright each is.
    #[default]
    WeightedMean,
    /// Their median.
    Median,
}

/// The output of suite2p in a session's folder.
#[derive(Clone, Debug)]
pub struct Suite2p<'a> {
    data: &'a OneData,
    planes: Option<Vec<u32>>,
    n_frames: Option<u64>,
}

impl<'a> Suite2p<'a> {
    /// The output in the folder `suite2p` of a session, with all planes that are there.
    #[must_use]
    pub fn of(data: &'a OneData) -> Self {
        Self { data, planes: None, n_frames: None }
    }

    /// The same with these planes only.
    #[must_use]
    pub fn planes(mut self, planes: impl Into<Vec<u32>>) -> Self {
        self.planes = Some(planes.into());
        self
    }

    /// The same cut to so many frames, and not to what all planes have.
    #[must_use]
    pub fn n_frames(mut self, n_frames: u64) -> Self {
        self.n_frames = Some(n_frames);
        self
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.data.data_path().join("suite2p")
    }

    /// The numbers of the planes.
    ///
    /// # Errors
    /// `NotFound` if there is no folder, `Io`.
    pub fn plane_ids(&self) -> Result<Vec<u32>> {
        if let Some(planes) = &self.planes {
            return Ok(planes.clone());
        }
        let path = self.path();
        if self.data.confine(&path)?.is_none() {
            return Err(Error::not_found("the session has no folder of suite2p").at_file(path));
        }
        let cannot = |error| Error::io("cannot list", error).at_file(&path);
        let mut planes = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(cannot)? {
            let name = entry.map_err(cannot)?.file_name();
            let digits = name.to_str().and_then(|name| name.strip_prefix("plane"));
            planes.extend(digits.and_then(|digits| digits.parse::<u32>().ok()));
        }
        planes.sort_unstable();
        Ok(planes)
    }

    /// The files that hold `variable`, one a plane.
    ///
    /// # Errors
    /// As [`Suite2p::plane_ids`]; `InvalidInput` for a variable that is no name.
    pub fn files(&self, variable: &str) -> Result<Vec<PathBuf>> {
        let name: OneName = variable.parse()?;
        let path = self.path();
        let file = |plane: u32| path.join(format!("plane{plane}")).join(format!("{name}.npy"));
        Ok(self.plane_ids()?.into_iter().map(file).collect())
    }

    /// What `variable` is made from, as it is now.
    ///
    /// # Errors
    /// As [`Suite2p::files`].
    pub fn sources(&self, variable: &str) -> Result<Vec<Source>> {
        let mut paths = self.files(variable)?;
        if cfg!(unix) {
            // Where a folder can be looked at like a file, it tells of planes that come and go.
            paths.push(self.path());
        }
        paths.into_iter().map(Source::of).collect()
    }

    /// Loads `variable`. `ops` is never joined, nor is what consists of objects.
    ///
    /// # Errors
    /// `NotFound` naming the file that is missing, `Unsupported` for planes that differ in dtype or
    /// in other axes than the first, and those of [`OneData::load`].
    pub fn load(&self, variable: &str, planes: Planes) -> Result<Data> {
        let files = self.files(variable)?;
        if files.is_empty() {
            return Err(Error::not_found("suite2p has no planes here").at_file(self.path()));
        }
        let parts = files.iter().map(|file| self.data.load_at(file, FileKind::Npy));
        let mut parts = parts.collect::<Result<Vec<_>>>()?;
        let has_objects = parts.iter().any(|part| matches!(part, Data::Objects(_)));
        if planes == Planes::Apart || variable == OPTIONS || (has_objects && parts.len() > 1) {
            return Ok(Data::List(parts));
        }
        let has_frames = FRAME_VARIABLES.contains(&variable);
        if parts.len() == 1 && !(has_frames && self.n_frames.is_some()) {
            return Ok(parts.remove(0));
        }
        let joined = join(&parts, has_frames, self.n_frames);
        joined.map_err(|error| error.within(format_args!("suite2p `{variable}`")))
    }

    /// Place and plane of each cell: a row each of x, y and the number of the plane.
    ///
    /// # Errors
    /// As [`Suite2p::load`]; `Corrupt` for a cell whose pixels are not told.
    pub fn positions(&self, center: Center) -> Result<Values> {
        let mut rows = Vec::new();
        let planes = self.plane_ids()?;
        let Data::List(parts) = self.load(CELLS, Planes::Apart)? else { return positions(&rows) };
        for (plane, part) in planes.into_iter().zip(parts) {
            let Data::Objects(objects) = part else { return Err(part.unfit("cells of suite2p")) };
            for cell in objects.elements() {
                let [x, y] = place(objects.pickle(), *cell, center)?;
                rows.push([x, y, f64::from(plane)]);
            }
        }
        positions(&rows)
    }
}

fn positions(rows: &[[f64; 3]]) -> Result<Values> {
    let items = rows.iter().flatten().flat_map(|number| number.to_ne_bytes()).collect();
    Values::new(DType::Float64, vec![rows.len() as u64, 3], items, Vec::new())
}

/// Arrays one behind the other along the first axis; of those with frames, the frames all have.
fn join(parts: &[Data], has_frames: bool, n_frames: Option<u64>) -> Result<Data> {
    let mut arrays = Vec::with_capacity(parts.len());
    for part in parts {
        let Data::Array(array) = part else { return Err(part.unfit("an array")) };
        arrays.push((array, array.shape()));
    }
    let Some((first, first_shape)) = arrays.first() else {
        return Err(Error::not_found("there are no planes"));
    };
    let (dtype, mut shape) = (first.dtype(), first_shape.clone());
    if has_frames {
        let least = arrays.iter().filter_map(|(_, shape)| shape.get(1).copied()).min();
        if let (Some(least), Some(frames)) = (least, shape.get_mut(1)) {
            *frames = n_frames.unwrap_or(least).min(least);
        }
    }
    let mut n_rows = 0_u64;
    for (array, own) in &arrays {
        let is_alike = own.len() == shape.len()
            && own.len() > usize::from(has_frames)
            && own.iter().zip(&shape).skip(if has_frames { 2 } else { 1 }).all(|(a, b)| a == b);
        if array.dtype() != dtype || !is_alike {
            return Err(Error::unsupported(format!(
                "planes differ: expected {dtype} of shape {shape:?} but for rows, found {} of shape {own:?}",
                array.dtype()
            )));
        }
        let more = own.first().and_then(|own| n_rows.checked_add(*own));
        n_rows = more.ok_or_else(|| Error::limit("the planes have too many rows"))?;
    }
    let rest: Vec<u64> = shape.iter().skip(1).copied().collect();
    let shape = [&[n_rows], rest.as_slice()].concat();
    let (dtype, shape, mut items, heap) = Values::zeroed(dtype, shape)?.into_parts();
    let mut room = items.as_mut_slice();
    for (array, own) in &arrays {
        let shape = [&own[..1], &rest].concat();
        let len = stook_core::values::byte_len(&shape, dtype.item_size())?;
        let (part, others) = room.split_at_mut_checked(len).unwrap_or_default();
        room = others;
        let axes = rest.iter().map(|len| AxisSelection::range(0, *len));
        let axes = std::iter::once(AxisSelection::ALL).chain(axes).collect();
        let mut view = ViewMut::new(part, &shape, dtype.item_size())?;
        array.read_into(&Selection::Axes(axes), &mut view)?;
    }
    Values::new(dtype, shape, items, heap).map(Data::from)
}

/// x and y of a cell.
fn place(pickle: &Pickle, cell: NodeId, center: Center) -> Result<[f64; 2]> {
    let numbers = |name: &str| -> Result<Vec<f64>> {
        let missing = || Error::corrupt(format!("a cell of suite2p has no numbers `{name}`"));
        match pickle.get(pickle.item(cell, name).ok_or_else(missing)?) {
            Some(Node::Array(array)) if !array.is_object() => floats(&array.to_values()?),
            _ => Err(missing()),
        }
    };
    let (x, y) = (numbers("xpix")?, numbers("ypix")?);
    match center {
        Center::Median => Ok([median(x), median(y)]),
        Center::WeightedMean => {
            let weights = numbers("lam")?;
            if weights.len() != x.len() || weights.len() != y.len() {
                return Err(Error::corrupt(format!(
                    "a cell of suite2p: {} xpix, {} ypix, {} lam",
                    x.len(),
                    y.len(),
                    weights.len()
                )));
            }
            let total: f64 = weights.iter().sum();
            let mean = |pixels: &[f64]| {
                pixels.iter().zip(&weights).map(|(pixel, weight)| pixel * weight).sum::<f64>()
                    / total
            };
            Ok([mean(&x), mean(&y)])
        }
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    let at = |i: usize| numbers.get(i).copied().unwrap_or(f64::NAN);
    match numbers.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => at(n / 2),
        n => f64::midpoint(at(n / 2 - 1), at(n / 2)),
    }
}

#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
#[expect(clippy::cast_precision_loss, reason = "pixels are small numbers")]
fn floats(values: &Values) -> Result<Vec<f64>> {
    macro_rules! numbers {
        ($type:ty) => {
            values
                .items()
                .as_chunks()
                .0
                .iter()
                .map(|item| <$type>::from_ne_bytes(*item) as f64)
                .collect()
        };
    }
    Ok(match values.dtype() {
        DType::Int16 => numbers!(i16),
        DType::Int32 => numbers!(i32),
        DType::Int64 => numbers!(i64),
        DType::UInt16 => numbers!(u16),
        DType::UInt32 => numbers!(u32),
        DType::UInt64 => numbers!(u64),
        DType::Float32 => numbers!(f32),
        DType::Float64 => numbers!(f64),
        other => return Err(Error::unsupported(format!("pixels of type {other}"))),
    })
}
