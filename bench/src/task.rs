//! What a worker is asked to do.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::ops::Range;
use std::path::PathBuf;

use serde::Deserialize;

use crate::remote;

/// Any failure; it ends the workload for this library.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The operation that is timed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Reads a selection of an open array.
    Read,
    /// Opens the file, reads a selection and closes it.
    OpenAndRead,
    /// Opens an array.
    Open,
    /// Writes a whole array whose metadata is there already.
    WriteZarr,
    /// Creates a file with one array and writes it.
    WriteHdf5,
    /// Creates small arrays in a new group.
    CreateArrays,
    /// Opens a group and every array in it.
    ListArrays,
    /// Reads a whole array and writes it to another one whose metadata is there already.
    RoundTrip,
    /// Creates groups with small arrays.
    CreateTree,
    /// Finds every node of a tree.
    ListTree,
    /// Finds every node of a tree and opens its arrays.
    OpenTree,
}

/// What is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selected {
    /// Everything.
    #[default]
    All,
    /// One element a call, another one each time.
    Point(Vec<Vec<i64>>),
    /// A box of this shape a call, along a grid of them.
    Boxes(Vec<u64>),
    /// Rows `from..to`.
    Rows(u64, u64),
    /// Columns `from..to`.
    Columns(u64, u64),
    /// These rows.
    RowList(Vec<i64>),
    /// These elements: positions along each axis.
    Points(Vec<Vec<i64>>),
}

/// One workload.
#[derive(Clone, Debug, Deserialize)]
pub struct Task {
    /// The operation.
    pub kind: Kind,
    /// The file or folder that is read, or the one that is written.
    pub path: PathBuf,
    /// The array in the file; empty for the root.
    #[serde(default)]
    pub node: String,
    /// `float32` or `uint16`.
    #[serde(default)]
    pub dtype: String,
    /// The shape of the array.
    #[serde(default)]
    pub shape: Vec<u64>,
    /// The shape of the chunks, where an array is made.
    #[serde(default)]
    pub chunks: Vec<u64>,
    /// What is read.
    #[serde(default)]
    pub selected: Selected,
    /// Where metadata to start from lies (`write_zarr`).
    #[serde(default)]
    pub template: PathBuf,
    /// The elements to write, raw.
    #[serde(default)]
    pub data: PathBuf,
    /// Where what was written is moved to instead of being removed: a file system that has just
    /// lost thousands of files is slow to make new ones.
    #[serde(default)]
    pub aside: PathBuf,
    /// How many arrays, in each of so many groups; none but the root without groups.
    #[serde(default)]
    pub n: usize,
    /// How many groups.
    #[serde(default)]
    pub n_groups: usize,
}

/// A result, kept until the clock stands.
#[derive(Debug)]
pub enum Data {
    /// Elements of an array.
    F32(Vec<f32>),
    /// Elements of an array.
    U16(Vec<u16>),
    /// A number to compare.
    Count(u64),
}

impl Data {
    /// A checksum of the result, the same in every library.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = crc32fast::Hasher::new();
        match self {
            Self::F32(items) => items.iter().for_each(|item| hasher.update(&item.to_le_bytes())),
            Self::U16(items) => items.iter().for_each(|item| hasher.update(&item.to_le_bytes())),
            Self::Count(n) => return format!("n={n}"),
        }
        format!("{:08x}", hasher.finalize())
    }

    /// The elements of `dtype` in the file at `path`.
    ///
    /// # Errors
    /// Where the file cannot be read or the dtype is not known.
    pub fn load(path: &std::path::Path, dtype: &str) -> Result<Self> {
        // A piece at a time, so that the bytes are not in memory twice.
        let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
        let n_bytes = usize::try_from(file.get_ref().metadata()?.len())?;
        match dtype {
            "float32" => {
                let (mut items, mut item) = (Vec::with_capacity(n_bytes / 4), [0; 4]);
                for _ in 0..n_bytes / 4 {
                    file.read_exact(&mut item)?;
                    items.push(f32::from_le_bytes(item));
                }
                Ok(Self::F32(items))
            }
            "uint16" => {
                let (mut items, mut item) = (Vec::with_capacity(n_bytes / 2), [0; 2]);
                for _ in 0..n_bytes / 2 {
                    file.read_exact(&mut item)?;
                    items.push(u16::from_le_bytes(item));
                }
                Ok(Self::U16(items))
            }
            other => Err(format!("dtype `{other}`").into()),
        }
    }
}

/// A task that is ready to be timed.
pub struct Prepared {
    /// Runs before each call, outside the clock.
    pub reset: Option<Box<dyn FnMut() -> Result<()>>>,
    /// The call that is timed.
    pub run: Box<dyn FnMut() -> Result<Data>>,
}

impl Prepared {
    /// A task without anything to reset.
    pub fn new(run: impl FnMut() -> Result<Data> + 'static) -> Self {
        Self { reset: None, run: Box::new(run) }
    }

    /// A task that writes: before each call `reset` takes away what the last one wrote.
    pub fn with_reset(
        reset: impl FnMut() -> Result<()> + 'static,
        run: impl FnMut() -> Result<Data> + 'static,
    ) -> Self {
        Self { reset: Some(Box::new(reset)), run: Box::new(run) }
    }
}

impl Task {
    /// Puts the array's metadata alone at the path to write, in place of what is there.
    ///
    /// # Errors
    /// Of the file system.
    pub fn start_over(&self) -> Result<()> {
        self.remove()?;
        if let Some((_, prefix)) = self.bucket_and_prefix() {
            let template = self.template.display();
            return remote::administer(&format!("copy/{template}/zarr.json?to={prefix}/zarr.json"));
        }
        std::fs::create_dir_all(&self.path)?;
        std::fs::copy(self.template.join("zarr.json"), self.path.join("zarr.json"))?;
        Ok(())
    }

    /// Removes what is at the path to write.
    ///
    /// # Errors
    /// Of the file system.
    pub fn remove(&self) -> Result<()> {
        if let Some((_, prefix)) = self.bucket_and_prefix() {
            return remote::administer(&format!("remove/{prefix}/"));
        }
        if self.aside != PathBuf::new() && self.path.exists() {
            let now = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_nanos();
            std::fs::create_dir_all(&self.aside)?;
            std::fs::rename(&self.path, self.aside.join(now.to_string()))?;
        } else if self.path.is_dir() {
            std::fs::remove_dir_all(&self.path)?;
        } else if self.path.exists() {
            std::fs::remove_file(&self.path)?;
        }
        Ok(())
    }

    /// The two parts of a path that is a URL of S3.
    #[must_use]
    pub fn bucket_and_prefix(&self) -> Option<(&str, &str)> {
        self.path.to_str()?.strip_prefix("s3://")?.split_once('/')
    }

    /// The paths of the arrays of a tree.
    #[must_use]
    pub fn array_paths(&self) -> Vec<String> {
        let arrays = |group: &str| -> Vec<String> {
            (0..self.n).map(|i| format!("{group}array_{i}")).collect()
        };
        match self.n_groups {
            0 => arrays(""),
            n => (0..n).flat_map(|group| arrays(&format!("group_{group}/"))).collect(),
        }
    }

    /// What a tree has below its root.
    #[must_use]
    pub fn n_nodes(&self) -> u64 {
        (self.n_groups + self.n * self.n_groups.max(1)) as u64
    }

    /// The box that is read by a call, along each axis; the last axis fastest.
    #[must_use]
    pub fn ranges_of_box(&self, shape: &[u64], call: usize) -> Vec<Range<u64>> {
        let mut rest = call as u64;
        let mut ranges = Vec::with_capacity(shape.len());
        for (&length, &step) in self.shape.iter().zip(shape).rev() {
            let (n, at) = (length.div_ceil(step), rest);
            let start = at % n * step;
            ranges.push(start..(start + step).min(length));
            rest /= n;
        }
        ranges.reverse();
        ranges
    }
}
