//! Times what is small and done often: opening an array, reading one point, opening a hierarchy
//! by its consolidated metadata.
//!
//! `cargo run --release -p stook-zarr --example latency`
#![allow(clippy::print_stdout, reason = "it prints its figures")]

use std::sync::Arc;
use std::time::Instant;

use stook_core::store::{ByteStore, LocalStore};
use stook_core::{
    Array, ArraySpec, ChunkGrid, CodecSpec, Container, DType, Durability, Engine, EngineConfig,
    Format, Mode, NodePath, OpenOptions, Result, Selection, Values,
};
use stook_zarr::ZarrContainer;

const N_ARRAYS: usize = 300;

fn spec(codecs: Vec<CodecSpec>) -> Result<ArraySpec> {
    let dtype = DType::Int32;
    Ok(ArraySpec {
        grid: ChunkGrid::regular([20, 20])?,
        fill_value: Some(Values::zeroed(dtype.clone(), Vec::new())?),
        codecs,
        ..ArraySpec::new(dtype, [1000, 1000])
    })
}

/// The least of a few means over `n` runs, in microseconds.
fn time(what: &str, n: usize, work: &mut dyn FnMut(usize) -> Result<()>) -> Result<()> {
    let mut best = f64::INFINITY;
    for _ in 0..7 {
        let start = Instant::now();
        (0..n).try_for_each(&mut *work)?;
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / n as f64);
    }
    println!("{what:<40} {best:>9.2} µs");
    Ok(())
}

fn main() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("stook-latency-{}", std::process::id()));
    let result = run(&folder);
    let store = LocalStore::open(&folder, Mode::ReadWrite)?;
    store.erase_prefix("")?;
    result
}

fn run(folder: &std::path::Path) -> Result<()> {
    let store: Arc<dyn ByteStore> = Arc::new(LocalStore::create(folder)?);
    let options = OpenOptions::read_write();
    let container = ZarrContainer::create(Arc::clone(&store), Format::ZarrV3, &options)?;
    let zstd = CodecSpec::Zstd { level: 0, checksum: false };
    let items: Vec<i32> = (0..1_000_000).collect();
    for (name, codecs) in [("raw", vec![]), ("zstd", vec![zstd])] {
        let node = NodePath::parse(name)?;
        let source = container.create_array(&node, &spec(codecs)?)?;
        Array::new(source, folder, node).write_elements(&Selection::All, &[1000, 1000], &items)?;
    }
    let start = Instant::now();
    for i in 0..N_ARRAYS {
        let node = NodePath::parse(&format!("group/{i}"))?;
        container.create_array(&node, &spec(Vec::new())?)?;
    }
    let each = start.elapsed().as_secs_f64() * 1e6 / N_ARRAYS as f64;
    println!("{:<40} {each:>9.2} µs", "create an array");
    container.commit(Durability::Flush)?;
    // Files that were just written are looked at more closely.
    std::thread::sleep(std::time::Duration::from_secs(4));
    let shared = || Arc::clone(&store);
    let open = |options: &OpenOptions| ZarrContainer::open(shared(), options);
    let raw = NodePath::parse("raw")?;
    time("open a container and an array in it", 1000, &mut |_| {
        open(&OpenOptions::read())?.open_array(&raw).map(drop)
    })?;
    let reader = open(&OpenOptions::read())?;
    time("open an array to read", 1000, &mut |_| reader.open_array(&raw).map(drop))?;
    time("open an array to write", 1000, &mut |_| container.open_array(&raw).map(drop))?;
    let engine = Engine::new(EngineConfig::default().cache_len_bytes(0));
    for name in ["raw", "zstd"] {
        let node = NodePath::parse(name)?;
        let array = Array::new(reader.open_array(&node)?, folder, node);
        let point = |array: &Array, i: usize| {
            let (row, column) = ((i * 7919) % 1000, (i * 104_729) % 1000);
            let selection = Selection::parse(&format!("{row}, {column}"))?;
            array.read_as::<i32>(&selection).map(drop)
        };
        let uncached = array.clone().with_engine(Arc::clone(&engine));
        time(&format!("one point, {name}"), 2000, &mut |i| point(&uncached, i))?;
        time(&format!("one point, {name}, chunk in memory"), 2000, &mut |i| point(&array, i))?;
    }
    let group = NodePath::parse("group")?;
    time("list 300 arrays", 3, &mut |_| open(&OpenOptions::read())?.children(&group).map(drop))?;
    container.consolidate(&NodePath::root())?;
    std::thread::sleep(std::time::Duration::from_secs(4));
    time("read consolidated metadata, an array", 1, &mut |_| {
        let reader = open(&OpenOptions::read())?;
        reader.children(&group).map(drop)
    })?;
    let reader = open(&OpenOptions::read())?;
    let nodes: Vec<NodePath> =
        (0..N_ARRAYS).map(|i| NodePath::parse(&format!("group/{i}"))).collect::<Result<_>>()?;
    time("open an array, consolidated", N_ARRAYS, &mut |i| {
        nodes.get(i).map_or(Ok(()), |node| reader.open_array(node).map(drop))
    })
}
