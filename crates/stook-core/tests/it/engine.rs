//! The engine against a naive model: every kind of selection, layout and pipeline, read and
//! written, gives what an array of plain elements gives.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};

use proptest::prelude::*;
use stook_core::chunk::{Access, Block, Deliver};
use stook_core::codec::Endian;
use stook_core::{
    Array, ArraySpec, AxisSelection, ChunkGrid, ChunkList, ChunkSource, ChunkWrite, CodecSpec,
    DType, EncodedChunk, Engine, EngineConfig, Error, InPlace, NodePath, Result, Selection,
    ValueSource, Values,
};

type Stored = HashMap<Vec<u64>, (Vec<u8>, u64)>;

/// Chunks in a map, with a count of calls.
#[derive(Debug)]
pub(crate) struct Chunks {
    spec: RwLock<Arc<ArraySpec>>,
    stored: Mutex<Stored>,
    clock: Mutex<u64>,
    reads: Mutex<usize>,
    skips_empty: bool,
}

impl Chunks {
    pub(crate) fn new(spec: ArraySpec, skips_empty: bool) -> Arc<Self> {
        let spec = RwLock::new(Arc::new(spec));
        Arc::new(Self {
            spec,
            stored: Mutex::default(),
            clock: Mutex::default(),
            reads: Mutex::default(),
            skips_empty,
        })
    }
}

impl ChunkSource for Chunks {
    fn spec(&self) -> Arc<ArraySpec> {
        Arc::clone(&self.spec.read().unwrap())
    }

    fn identity(&self) -> u64 {
        std::ptr::from_ref(self) as u64
    }

    fn access(&self) -> Access {
        Access {
            skips_empty: self.skips_empty,
            skips_empty_parts: self.skips_empty,
            ..Access::default()
        }
    }

    fn read_chunks(&self, at: ChunkList<'_>, deliver: &Deliver<'_>) -> Result<()> {
        for (i, index) in at.iter().enumerate() {
            *self.reads.lock().unwrap() += 1;
            let chunk = self.stored.lock().unwrap().get(index).cloned();
            deliver(i, chunk.as_ref().map(|(bytes, _)| EncodedChunk { bytes, skipped: 0 }))?;
        }
        Ok(())
    }

    fn write_chunks(&self, chunks: &[ChunkWrite<'_>]) -> Result<()> {
        for chunk in chunks {
            let mut clock = self.clock.lock().unwrap();
            *clock += 1;
            let mut stored = self.stored.lock().unwrap();
            match chunk.bytes {
                Some(bytes) => stored.insert(chunk.index.to_vec(), (bytes.to_vec(), *clock)),
                None => stored.remove(chunk.index),
            };
        }
        Ok(())
    }

    fn erase_chunks(&self, at: ChunkList<'_>) -> Result<()> {
        let mut stored = self.stored.lock().unwrap();
        at.iter().for_each(|index| drop(stored.remove(index)));
        Ok(())
    }

    fn resize(&self, shape: &[u64]) -> Result<()> {
        let mut spec = self.spec.write().unwrap();
        let counts = spec.grid.counts(shape);
        self.stored
            .lock()
            .unwrap()
            .retain(|index, _| index.iter().zip(&counts).all(|(at, n)| at < n));
        let extent = stook_core::Extent::Shape(shape.to_vec());
        *spec = Arc::new(ArraySpec { extent, ..(**spec).clone() });
        Ok(())
    }

    fn chunk_version(&self, at: &[u64]) -> Result<Option<u64>> {
        Ok(self.stored.lock().unwrap().get(at).map(|(_, version)| *version))
    }
}

/// Elements in one piece, in place or as blocks of values.
#[derive(Debug)]
struct Flat {
    spec: Arc<ArraySpec>,
    bytes: Mutex<Vec<u8>>,
    as_values: bool,
}

impl ChunkSource for Flat {
    fn spec(&self) -> Arc<ArraySpec> {
        Arc::clone(&self.spec)
    }

    fn identity(&self) -> u64 {
        std::ptr::from_ref(self) as u64
    }

    fn read_chunks(&self, _: ChunkList<'_>, _: &Deliver<'_>) -> Result<()> {
        Err(Error::unsupported("not by chunks"))
    }

    fn write_chunks(&self, _: &[ChunkWrite<'_>]) -> Result<()> {
        Err(Error::unsupported("not by chunks"))
    }

    fn erase_chunks(&self, _: ChunkList<'_>) -> Result<()> {
        Err(Error::unsupported("not by chunks"))
    }

    fn resize(&self, _: &[u64]) -> Result<()> {
        Err(Error::unsupported("fixed shape"))
    }

    fn in_place(&self) -> Option<&dyn InPlace> {
        (!self.as_values).then_some(self)
    }

    fn values(&self) -> Option<&dyn ValueSource> {
        self.as_values.then_some(self)
    }
}

impl InPlace for Flat {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let start = offset as usize;
        out.copy_from_slice(&self.bytes.lock().unwrap()[start..start + out.len()]);
        Ok(())
    }

    fn is_writable(&self) -> bool {
        true
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let start = offset as usize;
        self.bytes.lock().unwrap()[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
}

/// Calls `visit` with the linear index in the array of each element of a block, in C order.
fn for_each_in(block: Block<'_>, shape: &[u64], mut visit: impl FnMut(usize)) {
    let n: u64 = block.shape.iter().product();
    for i in 0..n {
        let (mut rest, mut at, mut stride) = (i, 0, 1);
        for axis in (0..shape.len()).rev() {
            at += (block.start[axis] + rest % block.shape[axis]) * stride;
            rest /= block.shape[axis];
            stride *= shape[axis];
        }
        visit(at as usize);
    }
}

impl ValueSource for Flat {
    fn read_block(&self, block: Block<'_>, items: &mut [u8], _: &mut Vec<u8>) -> Result<()> {
        let bytes = self.bytes.lock().unwrap();
        let mut out = items.chunks_exact_mut(2);
        for_each_in(block, self.spec.shape(), |at| {
            out.next().unwrap().copy_from_slice(&bytes[2 * at..2 * at + 2]);
        });
        Ok(())
    }

    fn write_block(&self, block: Block<'_>, items: &[u8], _: &[u8]) -> Result<()> {
        let mut bytes = self.bytes.lock().unwrap();
        let mut from = items.chunks_exact(2);
        for_each_in(block, self.spec.shape(), |at| {
            bytes[2 * at..2 * at + 2].copy_from_slice(from.next().unwrap());
        });
        Ok(())
    }
}

/// The elements that a selection takes, by brute force: their linear indices in order.
fn naive(selection: &Selection, shape: &[u64]) -> Vec<usize> {
    let linear = |at: &[u64]| at.iter().zip(shape).fold(0, |n, (&at, &len)| n * len + at) as usize;
    match selection {
        Selection::Points { coordinates, shape: out } => {
            let n: u64 = out.iter().product();
            let wrap =
                |at: i64, len: u64| if at < 0 { (at + len as i64) as u64 } else { at as u64 };
            (0..n as usize)
                .map(|i| {
                    let at: Vec<u64> = coordinates
                        .iter()
                        .zip(shape)
                        .map(|(list, &len)| wrap(list[i], len))
                        .collect();
                    linear(&at)
                })
                .collect()
        }
        Selection::Mask(mask) => (0..mask.len()).filter(|&i| mask[i]).collect(),
        Selection::Axes(axes) => {
            let lists: Vec<Vec<u64>> = (0..shape.len())
                .map(|axis| match axes.get(axis) {
                    None => (0..shape[axis]).collect(),
                    Some(AxisSelection::Index(at)) => {
                        vec![at.rem_euclid(shape[axis] as i64) as u64]
                    }
                    Some(AxisSelection::List(list)) => {
                        list.iter().map(|at| at.rem_euclid(shape[axis] as i64) as u64).collect()
                    }
                    Some(AxisSelection::Mask(mask)) => {
                        (0..shape[axis]).filter(|&i| mask[i as usize]).collect()
                    }
                    Some(AxisSelection::Slice { start, stop, step }) => {
                        let all: Vec<u64> = (0..shape[axis]).collect();
                        python_slice(&all, *start, *stop, *step)
                    }
                    Some(other) => panic!("{other:?} is not generated"),
                })
                .collect();
            let mut picked = vec![Vec::new()];
            for list in &lists {
                picked = picked
                    .iter()
                    .flat_map(|at: &Vec<u64>| {
                        list.iter().map(move |&i| [at.as_slice(), &[i]].concat())
                    })
                    .collect();
            }
            picked.iter().map(|at| linear(at)).collect()
        }
        other => panic!("{other:?} is not generated"),
    }
}

fn python_slice(all: &[u64], start: Option<i64>, stop: Option<i64>, step: i64) -> Vec<u64> {
    let len = all.len() as i64;
    let clip = |end: i64| {
        let end = if end < 0 { end + len } else { end };
        if step > 0 { end.clamp(0, len) } else { end.clamp(-1, len - 1) }
    };
    let mut at = start.map_or(if step > 0 { 0 } else { len - 1 }, clip);
    let stop = stop.map_or(if step > 0 { len } else { -1 }, clip);
    let mut picked = Vec::new();
    while (step > 0 && at < stop) || (step < 0 && at > stop) {
        picked.push(all[at as usize]);
        at += step;
    }
    picked
}

fn axis_selection(len: u64) -> BoxedStrategy<AxisSelection> {
    let n = len as i64;
    let end = proptest::option::of(-n - 1..=n + 1);
    let step = prop_oneof![-3_i64..=-1, 1_i64..=4];
    prop_oneof![
        2 => Just(AxisSelection::ALL),
        2 => (end.clone(), end, step).prop_map(|(start, stop, step)| AxisSelection::Slice { start, stop, step }),
        1 => (-n..n).prop_map(AxisSelection::Index),
        1 => proptest::collection::vec(-n..n, 0..6).prop_map(AxisSelection::List),
        1 => proptest::collection::vec(any::<bool>(), len as usize).prop_map(AxisSelection::Mask),
    ]
    .boxed()
}

fn selection(shape: Vec<u64>) -> BoxedStrategy<Selection> {
    let axes: Vec<_> = shape.iter().map(|&len| axis_selection(len)).collect();
    let n: u64 = shape.iter().product();
    let points: Vec<_> = shape.iter().map(|&len| -(len as i64)..len as i64).collect();
    let points = proptest::collection::vec(points, 0..20).prop_map(move |points| {
        let rank = points.first().map_or(shape.len(), Vec::len);
        let coordinates =
            (0..rank).map(|axis| points.iter().map(|point| point[axis]).collect()).collect();
        Selection::Points { coordinates, shape: vec![points.len() as u64] }
    });
    prop_oneof![
        4 => (axes.clone(), 0..=axes.len()).prop_map(|(axes, n)| Selection::Axes(axes[..n].to_vec())),
        1 => points,
        1 => proptest::collection::vec(any::<bool>(), n as usize).prop_map(Selection::Mask),
    ]
    .boxed()
}

/// How the array is stored.
#[derive(Clone, Debug)]
struct Layout {
    shape: Vec<u64>,
    chunk: Vec<u64>,
    shard: Option<Vec<u64>>,
    codecs: Vec<CodecSpec>,
    kind: usize,
}

fn layout() -> impl Strategy<Value = Layout> {
    let axis = (1_u64..9, 1_u64..5, 1_u64..4);
    (
        proptest::collection::vec(axis, 1..4),
        any::<bool>(),
        0_usize..3,
        any::<[bool; 3]>(),
        any::<u64>(),
    )
        .prop_map(|(axes, is_sharded, kind, [transposed, swapped, packed], seed)| {
            let chunk: Vec<u64> = axes.iter().map(|axis| axis.1).collect();
            let shard = axes.iter().map(|axis| axis.1 * axis.2).collect();
            let mut order: Vec<usize> = (0..axes.len()).collect();
            order.rotate_left(seed as usize % axes.len());
            let mut codecs = Vec::new();
            if transposed {
                codecs.push(CodecSpec::Transpose { order });
            }
            if swapped {
                codecs.push(CodecSpec::ByteOrder(Endian::Big));
            }
            if packed && kind == 0 {
                codecs.push(CodecSpec::Shuffle { item_size: 2 });
                codecs.push(CodecSpec::Zlib { level: 1 });
                codecs.push(CodecSpec::Crc32c);
            }
            let shape = axes.iter().map(|axis| axis.0).collect();
            Layout { shape, chunk, shard: is_sharded.then_some(shard), codecs, kind }
        })
}

fn open(layout: &Layout, skips_empty: bool) -> Array {
    let mut spec = ArraySpec::new(DType::UInt16, layout.shape.clone());
    spec.codecs.clone_from(&layout.codecs);
    if layout.kind != 0 {
        // Values that cross the seam as blocks are in native order already.
        if layout.kind == 2 {
            spec.codecs.clear();
        }
        spec.contiguous = true;
        let bytes = Mutex::new(vec![0; spec.n_bytes() as usize]);
        let flat = Flat { spec: Arc::new(spec), bytes, as_values: layout.kind == 2 };
        return Array::new(Arc::new(flat), "model", NodePath::root());
    }
    spec.grid = ChunkGrid::regular(layout.chunk.clone()).unwrap();
    spec.shards = layout.shard.as_ref().map(|shard| ChunkGrid::regular(shard.clone()).unwrap());
    spec.fill_value = Some(Values::new(DType::UInt16, vec![], vec![0, 0], vec![]).unwrap());
    Array::new(Chunks::new(spec, skips_empty), "model", NodePath::root())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn reads_and_writes_equal_the_naive_model(
        (layout, selections) in layout().prop_flat_map(|layout| {
            let one = (selection(layout.shape.clone()), any::<bool>());
            (Just(layout), proptest::collection::vec(one, 1..6))
        }),
        skips_empty in any::<bool>(),
        threads in 1_usize..4,
    ) {
        let engine = Engine::new(EngineConfig::default().threads(threads));
        let array = open(&layout, skips_empty).with_engine(engine);
        let mut model = vec![0_u16; layout.shape.iter().product::<u64>() as usize];
        let mut next = 1_u16;
        for (selection, is_write) in &selections {
            let picked = naive(selection, &layout.shape);
            let grid = &array.spec().grid;
            let shape = selection.result_shape(&layout.shape, grid).unwrap();
            prop_assert_eq!(shape.iter().product::<u64>() as usize, picked.len());
            if *is_write {
                let values: Vec<u16> = picked.iter().map(|_| { next += 1; next }).collect();
                picked.iter().zip(&values).for_each(|(&at, &value)| model[at] = value);
                array.write_elements(selection, &shape, &values).unwrap();
            }
            let found = array.read_as::<u16>(selection).unwrap();
            let expected: Vec<u16> = picked.iter().map(|&at| model[at]).collect();
            prop_assert_eq!(found, expected);
        }
        prop_assert_eq!(array.read_as::<u16>(&Selection::All).unwrap(), model);
    }
}

fn texts(values: &Values) -> Vec<String> {
    (0..values.len()).map(|i| values.text_at(i).unwrap()).collect()
}

#[test]
fn strings_are_written_in_part_and_keep_their_neighbours() {
    let mut spec = ArraySpec::new(DType::string(), [5]);
    spec.grid = ChunkGrid::regular([2]).unwrap();
    spec.codecs = vec![CodecSpec::VlenUtf8, CodecSpec::Gzip { level: 1 }];
    spec.fill_value = Some(Values::text("ab"));
    let array = Array::new(Chunks::new(spec, true), "model", NodePath::root());
    assert_eq!(texts(&array.read(&Selection::All).unwrap()), ["ab"; 5]);
    let two = Values::from_strings(vec![2], &["a", "bab"]).unwrap();
    array.write(&Selection::parse("0:2").unwrap(), &two).unwrap();
    array.write(&Selection::parse("3").unwrap(), &Values::text("long text")).unwrap();
    let found = array.read(&Selection::All).unwrap();
    assert_eq!(texts(&found), ["a", "bab", "ab", "long text", "ab"]);
    let reversed = array.read(&Selection::parse("::-2").unwrap()).unwrap();
    assert_eq!(texts(&reversed), ["ab", "ab", "a"]);
}

#[test]
fn a_smaller_shape_forgets_what_it_cut() {
    let layout =
        Layout { shape: vec![5, 4], chunk: vec![3, 3], shard: None, codecs: vec![], kind: 0 };
    let array = open(&layout, false);
    array.write_elements(&Selection::All, &[], &[7_u16]).unwrap();
    array.resize(&[4, 2]).unwrap();
    array.resize(&[5, 4]).unwrap();
    let found = array.read_as::<u16>(&Selection::All).unwrap();
    let expected: Vec<u16> =
        (0..5).flat_map(|r| (0..4).map(move |c| if r < 4 && c < 2 { 7 } else { 0 })).collect();
    assert_eq!(found, expected);
}

#[test]
fn append_is_all_or_nothing() {
    let layout =
        Layout { shape: vec![2, 2], chunk: vec![3, 2], shard: None, codecs: vec![], kind: 0 };
    let array = open(&layout, false);
    let row = Values::new(DType::UInt16, vec![1, 2], vec![1, 0, 2, 0], vec![]).unwrap();
    array.append(&row, 0).unwrap();
    assert_eq!(array.shape(), [3, 2]);
    assert_eq!(array.read_as::<u16>(&Selection::parse("2").unwrap()).unwrap(), [1, 2]);
    let wrong = Values::new(DType::UInt16, vec![1, 3], vec![0; 6], vec![]).unwrap();
    assert!(array.append(&wrong, 0).is_err());
    assert_eq!(array.shape(), [3, 2]);
}

#[test]
fn partial_reads_are_cached_until_the_chunk_changes() {
    let mut spec = ArraySpec::new(DType::UInt16, [1000]);
    spec.codecs = vec![CodecSpec::Zlib { level: 1 }];
    let chunks = Chunks::new(spec, false);
    let array = Array::new(chunks.clone(), "model", NodePath::root())
        .with_engine(Engine::new(EngineConfig::default()));
    let all: Vec<u16> = (0..1000).collect();
    array.write_elements(&Selection::All, &[1000], &all).unwrap();
    let one = Selection::parse("10").unwrap();
    for _ in 0..3 {
        assert_eq!(array.read_as::<u16>(&one).unwrap(), [10]);
    }
    assert_eq!(*chunks.reads.lock().unwrap(), 1);
    array.write_elements(&one, &[], &[99_u16]).unwrap();
    assert_eq!(array.read_as::<u16>(&one).unwrap(), [99]);
}

#[test]
fn a_corrupt_chunk_names_file_node_and_chunk() {
    let layout = Layout {
        shape: vec![4, 4],
        chunk: vec![2, 2],
        shard: None,
        codecs: vec![CodecSpec::Crc32c],
        kind: 0,
    };
    let array = open(&layout, false);
    array.write_elements(&Selection::All, &[], &[7_u16]).unwrap();
    array.source().write_chunks(&[ChunkWrite { index: &[1, 0], bytes: Some(&[1, 2, 3]) }]).unwrap();
    let error = array.read(&Selection::All).unwrap_err();
    assert_eq!(error.kind(), stook_core::ErrorKind::Corrupt);
    assert!(
        error.to_string().starts_with("`model`: node `/`: chunk [1, 0]: codec `crc32c`: "),
        "{error}"
    );
}

#[test]
fn writers_of_one_chunk_in_many_threads_lose_nothing() {
    let layout = Layout {
        shape: vec![64],
        chunk: vec![64],
        shard: None,
        codecs: vec![CodecSpec::Zlib { level: 1 }],
        kind: 0,
    };
    let array = open(&layout, false);
    std::thread::scope(|scope| {
        for t in 0..8_u64 {
            let array = array.clone();
            scope.spawn(move || {
                for i in 0..8 {
                    let at = t * 8 + i;
                    let selection = Selection::from(vec![AxisSelection::range(at, at + 1)]);
                    array.write_elements(&selection, &[1], &[at as u16 + 1]).unwrap();
                }
            });
        }
    });
    assert_eq!(array.read_as::<u16>(&Selection::All).unwrap(), (1..=64).collect::<Vec<u16>>());
}
