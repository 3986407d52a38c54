//! The benchmarks' worker for stook without Python.

use std::ops::Range;

use stook::codec::CodecSpec;
use stook::{Array, AxisSelection, File, Group, Node, NodeKind, Selection};
use stook_bench::{Data, Kind, Prepared, Result, Selected, Task, serve};

fn main() -> Result<()> {
    serve("stook (Rust)", prepare)
}

fn prepare(task: Task) -> Result<Prepared> {
    match task.kind {
        Kind::Read => prepare_read(task),
        Kind::OpenAndRead => {
            let selection = selection(&task, 0);
            Ok(Prepared::new(move || {
                let array = File::open(&task.path)?.array(&task.node)?;
                read(&array, &selection, &task.dtype)
            }))
        }
        Kind::Open => Ok(Prepared::new(move || {
            let array = File::open(&task.path)?.array(&task.node)?;
            Ok(Data::Count(array.shape().iter().product()))
        })),
        Kind::WriteZarr => {
            let data = Data::load(&task.data, &task.dtype)?;
            let reset = task.clone();
            Ok(Prepared::with_reset(
                move || reset.start_over(),
                move || {
                    let array = File::open_read_write(&task.path)?.array("")?;
                    write(&array, &task.shape, &data)
                },
            ))
        }
        Kind::WriteHdf5 => {
            let data = Data::load(&task.data, &task.dtype)?;
            let reset = task.clone();
            Ok(Prepared::with_reset(
                move || reset.remove(),
                move || {
                    let file = File::create(&task.path)?;
                    let array = file.root_group()?.array(&task.node);
                    let array = array.dtype(task.dtype.parse()?).shape(task.shape.clone());
                    let array = array.chunks(task.chunks.clone());
                    let array = array.codecs([CodecSpec::Zlib { level: 2 }]).create()?;
                    let done = write(&array, &task.shape, &data)?;
                    file.commit()?;
                    Ok(done)
                },
            ))
        }
        Kind::RoundTrip => {
            let reset = task.clone();
            Ok(Prepared::with_reset(
                move || reset.start_over(),
                move || {
                    let source = File::open(&task.template)?.array("")?;
                    let data = read(&source, &Selection::All, &task.dtype)?;
                    let array = File::open_read_write(&task.path)?.array("")?;
                    write(&array, &task.shape, &data)
                },
            ))
        }
        Kind::CreateArrays | Kind::CreateTree => {
            let reset = task.clone();
            Ok(Prepared::with_reset(move || reset.remove(), move || create(&task)))
        }
        Kind::ListTree => Ok(Prepared::new(move || {
            Ok(Data::Count(count(&File::open(&task.path)?.root_group()?)?))
        })),
        Kind::OpenTree => Ok(Prepared::new(move || {
            Ok(Data::Count(elements(&File::open(&task.path)?.root_group()?)?))
        })),
        Kind::ListArrays => Ok(Prepared::new(move || {
            Ok(Data::Count(elements(&File::open(&task.path)?.root_group()?)?))
        })),
    }
}

fn create(task: &Task) -> Result<Data> {
    let root = File::create(&task.path)?.root_group()?;
    for group in 0..task.n_groups {
        root.create_group(&format!("group_{group}"))?;
    }
    for path in task.array_paths() {
        let array = root.array(&path).dtype(task.dtype.parse()?).shape(task.shape.clone());
        array.chunks(task.chunks.clone()).create()?;
    }
    Ok(Data::Count(task.n_nodes()))
}

/// The nodes below a group.
fn count(group: &Group) -> Result<u64> {
    let mut n = 0;
    for child in group.children()? {
        n += 1;
        if child.kind == Some(NodeKind::Group) {
            n += count(&group.group(&child.name)?)?;
        }
    }
    Ok(n)
}

/// The elements of all arrays below a group.
fn elements(group: &Group) -> Result<u64> {
    let mut n = 0;
    for (_, node) in group.nodes()? {
        n += match node {
            Node::Array(array) => array.shape().iter().product(),
            Node::Group(group) => elements(&group)?,
            _ => 0,
        };
    }
    Ok(n)
}

fn prepare_read(task: Task) -> Result<Prepared> {
    let array = File::open(&task.path)?.array(&task.node)?;
    let mut call = 0;
    Ok(Prepared::new(move || {
        let selection = selection(&task, call);
        call += 1;
        read(&array, &selection, &task.dtype)
    }))
}

fn selection(task: &Task, call: usize) -> Selection {
    match &task.selected {
        Selected::All => Selection::All,
        Selected::Point(points) => {
            let point = &points[call % points.len()];
            Selection::Axes(point.iter().map(|&at| AxisSelection::Index(at)).collect())
        }
        Selected::Boxes(shape) => {
            let ranges = task.ranges_of_box(shape, call);
            let range = |range: &Range<u64>| AxisSelection::range(range.start, range.end);
            Selection::Axes(ranges.iter().map(range).collect())
        }
        Selected::Rows(from, to) => Selection::Axes(vec![AxisSelection::range(*from, *to)]),
        Selected::Columns(from, to) => {
            Selection::Axes(vec![AxisSelection::ALL, AxisSelection::range(*from, *to)])
        }
        Selected::RowList(rows) => Selection::Axes(vec![AxisSelection::List(rows.clone())]),
        Selected::Points(coordinates) => {
            let n = coordinates.first().map_or(0, Vec::len) as u64;
            Selection::Points { coordinates: coordinates.clone(), shape: vec![n] }
        }
    }
}

fn read(array: &Array, selection: &Selection, dtype: &str) -> Result<Data> {
    Ok(match dtype {
        "float32" => Data::F32(array.read_as(selection)?),
        _ => Data::U16(array.read_as(selection)?),
    })
}

fn write(array: &Array, shape: &[u64], data: &Data) -> Result<Data> {
    match data {
        Data::F32(items) => array.write_elements(&Selection::All, shape, items)?,
        Data::U16(items) => array.write_elements(&Selection::All, shape, items)?,
        Data::Count(_) => {}
    }
    Ok(Data::Count(shape.iter().product()))
}
