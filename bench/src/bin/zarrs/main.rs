//! The benchmarks' worker for the zarrs crate.

mod remote;

use std::sync::Arc;

use stook_bench::{Data, Kind, Prepared, Result, Selected, Task, serve};
use zarrs::array::{Array, ArrayBuilder, ArraySubset, data_type};
use zarrs::filesystem::FilesystemStore;
use zarrs::group::{Group, GroupBuilder};
use zarrs::node::NodeMetadata;

fn main() -> Result<()> {
    serve("zarrs (Rust)", prepare)
}

type FileArray = Array<FilesystemStore>;

fn open(task: &Task) -> Result<FileArray> {
    let store = Arc::new(FilesystemStore::new(&task.path)?);
    Ok(Array::open(store, &format!("/{}", task.node))?)
}

fn prepare(task: Task) -> Result<Prepared> {
    if task.bucket_and_prefix().is_some() {
        return remote::prepare(task);
    }
    match task.kind {
        Kind::Read => {
            let array = open(&task)?;
            let mut call = 0;
            subset(&task, 0)?;
            Ok(Prepared::new(move || {
                let subset = subset(&task, call)?;
                call += 1;
                read(&array, &subset, &task.dtype)
            }))
        }
        Kind::Open => {
            Ok(Prepared::new(move || Ok(Data::Count(open(&task)?.shape().iter().product()))))
        }
        Kind::WriteZarr => {
            let data = Data::load(&task.data, &task.dtype)?;
            let reset = task.clone();
            Ok(Prepared::with_reset(
                move || reset.start_over(),
                move || {
                    let (array, subset) = (open(&task)?, subset(&task, 0)?);
                    match &data {
                        Data::F32(items) => array.store_array_subset(&subset, items.as_slice())?,
                        Data::U16(items) => array.store_array_subset(&subset, items.as_slice())?,
                        Data::Count(_) => {}
                    }
                    Ok(Data::Count(subset.num_elements()))
                },
            ))
        }
        Kind::RoundTrip => {
            let reset = task.clone();
            Ok(Prepared::with_reset(move || reset.start_over(), move || copy(&task)))
        }
        Kind::CreateArrays | Kind::CreateTree => {
            let reset = task.clone();
            Ok(Prepared::with_reset(move || reset.remove(), move || create(&task)))
        }
        Kind::ListArrays => Ok(Prepared::new(move || {
            let store = Arc::new(FilesystemStore::new(&task.path)?);
            let arrays = Group::open(store, "/")?.child_arrays()?;
            Ok(Data::Count(arrays.iter().map(|array| array.shape().iter().product::<u64>()).sum()))
        })),
        Kind::ListTree => Ok(Prepared::new(move || {
            let store = Arc::new(FilesystemStore::new(&task.path)?);
            Ok(Data::Count(Group::open(store, "/")?.traverse()?.len() as u64))
        })),
        Kind::OpenTree => Ok(Prepared::new(move || open_tree(&task))),
        Kind::OpenAndRead | Kind::WriteHdf5 => Err("zarrs reads and writes no HDF5".into()),
    }
}

/// Reads the array that is the template and writes it.
fn copy(task: &Task) -> Result<Data> {
    let source = Array::open(Arc::new(FilesystemStore::new(&task.template)?), "/")?;
    let (array, subset) = (open(task)?, subset(task, 0)?);
    match read(&source, &subset, &task.dtype)? {
        Data::F32(items) => array.store_array_subset(&subset, items)?,
        Data::U16(items) => array.store_array_subset(&subset, items)?,
        Data::Count(_) => {}
    }
    Ok(Data::Count(subset.num_elements()))
}

fn create(task: &Task) -> Result<Data> {
    std::fs::create_dir_all(&task.path)?;
    let store = Arc::new(FilesystemStore::new(&task.path)?);
    GroupBuilder::new().build(store.clone(), "/")?.store_metadata()?;
    for group in 0..task.n_groups {
        let path = format!("/group_{group}");
        GroupBuilder::new().build(store.clone(), &path)?.store_metadata()?;
    }
    for path in task.array_paths() {
        let (shape, chunks) = (task.shape.clone(), task.chunks.clone());
        ArrayBuilder::new(shape, chunks, data_type::float32(), 0.0_f32)
            .build(store.clone(), &format!("/{path}"))?
            .store_metadata()?;
    }
    Ok(Data::Count(task.n_nodes()))
}

/// Every array of a tree, from the metadata that finding it brought.
fn open_tree(task: &Task) -> Result<Data> {
    let store = Arc::new(FilesystemStore::new(&task.path)?);
    let mut n = 0;
    for (path, metadata) in Group::open(store.clone(), "/")?.traverse()? {
        if let NodeMetadata::Array(metadata) = metadata {
            let array = Array::new_with_metadata(store.clone(), path.as_str(), metadata)?;
            n += array.shape().iter().product::<u64>();
        }
    }
    Ok(Data::Count(n))
}

fn subset(task: &Task, call: usize) -> Result<ArraySubset> {
    let whole = |axis: usize| 0..task.shape[axis];
    let ranges = match &task.selected {
        Selected::All => (0..task.shape.len()).map(whole).collect(),
        Selected::Point(points) => points[call % points.len()]
            .iter()
            .map(|&at| u64::try_from(at).map(|at| at..at + 1))
            .collect::<std::result::Result<Vec<_>, _>>()?,
        Selected::Boxes(shape) => task.ranges_of_box(shape, call),
        Selected::Rows(from, to) => {
            std::iter::once(*from..*to).chain((1..task.shape.len()).map(whole)).collect()
        }
        Selected::Columns(from, to) => vec![whole(0), *from..*to],
        Selected::RowList(_) | Selected::Points(_) => {
            return Err("zarrs reads boxes only".into());
        }
    };
    Ok(ArraySubset::new_with_ranges(&ranges))
}

fn read(array: &FileArray, subset: &ArraySubset, dtype: &str) -> Result<Data> {
    Ok(match dtype {
        "float32" => Data::F32(array.retrieve_array_subset(subset)?),
        _ => Data::U16(array.retrieve_array_subset(subset)?),
    })
}
