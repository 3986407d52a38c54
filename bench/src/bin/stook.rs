//! The benchmarks' worker for stook without Python.

use stook::codec::CodecSpec;
use stook::{Array, AxisSelection, File, Node, Selection};
use stook_bench::{Data, Kind, Prepared, Result, Selected, Task, serve};

fn main() -> Result<()> {
    serve("stook (Rust)", prepare)
}

fn prepare(task: Task) -> Result<Prepared> {
    match task.kind {
        Kind::Read => prepare_read(task),
        Kind::OpenAndRead => {
            let selection = selection(&task.selected, 0);
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
        Kind::CreateArrays => {
            let reset = task.clone();
            Ok(Prepared::with_reset(
                move || reset.remove(),
                move || {
                    let root = File::create(&task.path)?.root_group()?;
                    for i in 0..task.n {
                        let array = root.array(&format!("array_{i}")).dtype(task.dtype.parse()?);
                        array.shape(task.shape.clone()).chunks(task.chunks.clone()).create()?;
                    }
                    Ok(Data::Count(task.n as u64))
                },
            ))
        }
        Kind::ListArrays => Ok(Prepared::new(move || {
            let nodes = File::open(&task.path)?.root_group()?.nodes()?;
            let elements = nodes.iter().map(|(_, node)| match node {
                Node::Array(array) => array.shape().iter().product(),
                _ => 0,
            });
            Ok(Data::Count(elements.sum()))
        })),
    }
}

fn prepare_read(task: Task) -> Result<Prepared> {
    let array = File::open(&task.path)?.array(&task.node)?;
    let mut call = 0;
    Ok(Prepared::new(move || {
        let selection = selection(&task.selected, call);
        call += 1;
        read(&array, &selection, &task.dtype)
    }))
}

fn selection(selected: &Selected, call: usize) -> Selection {
    match selected {
        Selected::All => Selection::All,
        Selected::Point(points) => {
            let point = &points[call % points.len()];
            Selection::Axes(point.iter().map(|&at| AxisSelection::Index(at)).collect())
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
