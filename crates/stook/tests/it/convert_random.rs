//! Any tree in any layout goes to any other layout and holds the same.

use proptest::prelude::*;
use stook::{
    Chain, CodecSpec, ConvertOptions, Cut, DType, ErrorKind, File, Rule, Selection, Values,
    compare, convert,
};

const DTYPES: [&str; 8] =
    ["uint8", "int16", "float32", "float64", "bool", "complex64", "S5", "datetime64[ns]"];
const CODECS: [&str; 7] =
    ["none", "keep", "auto", "gzip:1", "zstd:1", "shuffle+zlib:1", "shuffle+gzip:2"];

/// An array of a tree.
#[derive(Clone, Debug)]
struct Model {
    dtype: DType,
    shape: Vec<u64>,
    chunks: Option<Vec<u64>>,
    zlib: bool,
    /// Boxes that are written, and with what.
    writes: Vec<(Vec<std::ops::Range<u64>>, u64)>,
    fill: u8,
}

fn model() -> impl Strategy<Value = Model> {
    let shape = proptest::collection::vec(0_u64..20, 0..4);
    (shape, 0..DTYPES.len(), any::<u64>(), any::<bool>(), 0_u8..2).prop_map(
        |(shape, dtype, seed, zlib, fill)| {
            let mut random = stook_testkit_random(seed);
            let mut below = move |n: u64| random() % n.max(1);
            let has_chunks = !shape.is_empty() && below(3) > 0;
            let chunks = has_chunks.then(|| shape.iter().map(|&n| 1 + below(n.max(1))).collect());
            let writes = (0..below(4)).map(|_| {
                let ranges = shape.iter().map(|&len| {
                    let start = below(len);
                    start..(start + 1 + below(len)).min(len)
                });
                (ranges.collect(), below(1 << 32))
            });
            let writes = writes.collect();
            let dtype = DTYPES[dtype].parse().unwrap();
            Model { dtype, shape, chunks, zlib, writes, fill }
        },
    )
}

fn stook_testkit_random(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    }
}

fn make(file: &File, name: &str, model: &Model) {
    let codec = match file.format() {
        stook::Format::Hdf5 => CodecSpec::Zlib { level: 1 },
        _ => CodecSpec::Zstd { level: 1, checksum: false },
    };
    let item = model.dtype.item_size();
    let bytes = |n: usize, seed: u64| -> Vec<u8> {
        let mut random = stook_testkit_random(seed);
        // A bool is 0 or 1, and text holds no NUL before its end.
        let most = if model.dtype == DType::Bool { 2 } else { 100 };
        (0..n).map(|_| (random() % most) as u8).collect()
    };
    let bytes = |n: usize, seed: u64| match model.dtype {
        DType::FixedString(_) => bytes(n, seed).into_iter().map(|b| b'a' + b % 26).collect(),
        _ => bytes(n, seed),
    };
    let fill = vec![model.fill * if model.dtype == DType::Bool { 1 } else { 65 }; item];
    let fill = Values::new(model.dtype.clone(), vec![], fill, vec![]).unwrap();
    let root = file.root_group().unwrap();
    let mut builder = root.array(name).dtype(model.dtype.clone()).shape(model.shape.clone());
    builder = builder.fill_value(fill);
    if let Some(chunks) = &model.chunks {
        builder = builder.chunks(chunks.clone());
        builder = builder.codecs(if model.zlib { vec![codec] } else { vec![] });
    }
    let array = builder.create().unwrap();
    for (ranges, seed) in &model.writes {
        let shape: Vec<u64> =
            ranges.iter().map(|range| range.end.saturating_sub(range.start)).collect();
        let n = shape.iter().product::<u64>() as usize;
        let values =
            Values::new(model.dtype.clone(), shape, bytes(n * item, *seed), vec![]).unwrap();
        array.write(&Selection::ranges(ranges.iter().cloned()), &values).unwrap();
    }
}

fn cut(model: &Model, seed: u64) -> Cut {
    let mut random = stook_testkit_random(seed);
    match random() % 4 {
        0 => Cut::Keep,
        1 => Cut::Auto,
        _ => Cut::Shape(
            model
                .shape
                .iter()
                .map(|&n| (!random().is_multiple_of(5)).then(|| 1 + random() % (n + 3)))
                .collect(),
        ),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_converted_tree_holds_the_same(
        models in proptest::collection::vec((model(), any::<u64>(), 0..CODECS.len()), 1..4),
        formats in (0..2_usize, 0..3_usize, 0..3_usize),
        memory in prop_oneof![Just(1_u64 << 20), Just(200_000)],
        shards in 0_u64..3,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let names = ["x.zarr", "x.h5", "x.zarr.zip"];
        let path = |stage: usize, format: usize| dir.path().join(format!("{stage}{}", names[format]));
        let first = path(0, formats.0);
        let file = File::create(&first).unwrap();
        for (i, (model, ..)) in models.iter().enumerate() {
            make(&file, &format!("g{}/a{i}", i % 2), model);
        }
        file.commit().unwrap();
        drop(file);
        let mut from = first.clone();
        for (stage, format) in [formats.1, formats.2].into_iter().enumerate() {
            let to = path(stage + 1, format);
            let mut options = ConvertOptions { memory_len_bytes: memory, ..ConvertOptions::default() };
            for (i, (model, seed, codec)) in models.iter().enumerate() {
                let name = format!("/g{}/a{i}", i % 2);
                let cut = cut(model, seed.wrapping_add(stage as u64));
                if let Cut::Shape(chunks) = &cut && shards > 0 && format != 1 && !chunks.is_empty() {
                    let lengths = chunks.iter().zip(&model.shape);
                    let shards = lengths.map(|(len, &axis)| {
                        Some(len.unwrap_or(axis).max(1) * (1 + shards))
                    });
                    options.shards.push(Rule::of(&name, Cut::Shape(shards.collect())).unwrap());
                }
                if !model.shape.is_empty() {
                    options.chunks.push(Rule::of(&name, cut).unwrap());
                    let chain: Chain = CODECS[codec % CODECS.len()].parse().unwrap();
                    options.codecs.push(Rule::of(&name, chain).unwrap());
                }
            }
            if let Err(error) = convert(&from, &to, &mut options) {
                prop_assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{}", error);
                options.memory_len_bytes = 256 << 20;
                convert(&from, &to, &mut options).unwrap();
            }
            from = to;
        }
        let open = |path| File::open(path).unwrap().root().unwrap();
        let found = compare(&open(&first), &open(&from), 1 << 20, 10).unwrap();
        prop_assert!(found.is_empty(), "{found:?}");
    }
}
