//! Documents and guesses, compared with those of zarr-python where `STOOK_TEST_PYTHON` names a
//! Python that has it.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use serde_json::json;
use stook::codec::Endian;
use stook::zarr::{self, FillValue, IndexLocation, KeyEncoding, NewArray, Order, Place, Separator};
use stook::{CodecSpec, Format};

use super::{keys, store};

/// What zarr-python writes for each of [`cases`], by the arguments of `create_array`, or of the
/// function that is named before them.
const SCRIPT: &str = r#"
import json, sys, warnings
import zarr
warnings.simplefilter("ignore")
cases = json.load(sys.stdin)
out = {}
for name, call in cases.items():
    store = {}
    eval(call, {"zarr": zarr, "s": store, "json": json})
    out[name] = {k: v.to_bytes().decode() for k, v in store.items()
                 if k.endswith((".json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"))}
json.dump(out, sys.stdout)
"#;

type Make = Box<dyn Fn(&Place)>;

fn array(make: impl Fn(NewArray) -> NewArray + 'static) -> Make {
    Box::new(move |place| drop(make(zarr::create_array(place)).create().unwrap()))
}

fn of(shape: &[u64], dtype: &str) -> impl Fn(NewArray) -> NewArray + use<> {
    let (shape, dtype) = (shape.to_vec(), dtype.parse::<stook::DType>().unwrap());
    move |new| new.shape(shape.clone()).dtype(dtype.clone())
}

/// Cases by name: the call in Python, and what makes the same here.
type Cases = Vec<(String, String, Make)>;

fn add(cases: &mut Cases, call: &str, make: Make) {
    cases.push((call.to_owned(), call.to_owned(), make));
}

fn cases() -> Cases {
    let mut cases = Cases::new();
    add_types_and_shapes(&mut cases);
    add_layouts(&mut cases);
    add_functions(&mut cases);
    cases
}

fn add_types_and_shapes(cases: &mut Cases) {
    let dtypes = [
        "bool",
        "int8",
        "uint64",
        "float16",
        "float64",
        "complex64",
        "M8[s]",
        "m8[ms]",
        "S3",
        "U2",
        "V3",
    ];
    for (format, version) in [(Format::ZarrV2, 2), (Format::ZarrV3, 3)] {
        for dtype in dtypes {
            for (fill, told) in
                [(FillValue::Default, ""), (FillValue::Undefined, ", fill_value=None")]
            {
                let call = format!(
                    "zarr.create_array(s, shape=(3,), dtype='{dtype}', zarr_format={version}{told})"
                );
                let make = of(&[3], dtype);
                let make = array(move |new| make(new).format(format).fill_value(fill.clone()));
                cases.push((format!("{version} {dtype} {told}"), call, make));
            }
        }
        for (dtype, told) in [("string", "str"), ("bytes", "zarr.dtype.VariableLengthBytes()")] {
            let call = format!(
                "zarr.create_array(s, shape=(1000, 1000), dtype={told}, zarr_format={version})"
            );
            let make = of(&[1000, 1000], dtype);
            let make = array(move |new| make(new).format(format));
            cases.push((format!("{version} {dtype}"), call, make));
        }
        for shape in
            [vec![], vec![0], vec![1 << 30], vec![3, 1 << 20, 7], vec![1, 1, 1], vec![70_000; 2]]
        {
            for item in ["int8", "float64", "complex128"] {
                let listed = format!("{shape:?}");
                let call = format!(
                    "zarr.create(tuple({listed}), dtype='{item}', store=s, zarr_format={version}, \
                     path='a/b', attributes={{'x': [1, 'é']}})"
                );
                let make = of(&shape, item);
                let make = array(move |new| {
                    make(new).format(format).path("a/b").attribute("x", json!([1, "é"]))
                });
                cases.push((format!("{version} {item} {listed}"), call, make));
            }
        }
    }
}

fn add_layouts(cases: &mut Cases) {
    add(
        cases,
        "zarr.create_array(s, shape=(100, 20), shards={'shape': (20, 20), 'index_location': 'start'}, \
         chunks=(10, 10), dtype='f4', filters=[{'name': 'transpose', 'configuration': {'order': [1, 0]}}], \
         compressors=[{'name': 'gzip', 'configuration': {'level': 3}}, {'name': 'crc32c'}], \
         fill_value=float('nan'), dimension_names=['y', None])",
        array(|new| {
            of(&[100, 20], "f4")(new)
                .chunks([10, 10])
                .shards([20, 20])
                .index_location(IndexLocation::Start)
                .filters([CodecSpec::Transpose { order: vec![1, 0] }])
                .compressors([CodecSpec::Gzip { level: 3 }, CodecSpec::Crc32c])
                .fill_value(f64::NAN)
                .some_dimension_names([Some("y".to_owned()), None])
        }),
    );
    add(
        cases,
        "zarr.create_array(s, shape=(1000, 1000), dtype='f8', shards='auto')",
        array(|new| of(&[1000, 1000], "f8")(new).auto_shards()),
    );
    add(
        cases,
        "zarr.create_array(s, shape=(5000, 20), dtype='f8', chunks=(50, 10), shards='auto')",
        array(|new| of(&[5000, 20], "f8")(new).chunks([50, 10]).auto_shards()),
    );
    add(
        cases,
        "zarr.create(100, chunks=10, store=s, path='q', dtype='i2', chunk_key_encoding=('v2', '.'), \
         codecs=[{'name': 'bytes', 'configuration': {'endian': 'big'}}])",
        array(|new| {
            of(&[100], "i2")(new)
                .path("q")
                .chunks(10)
                .chunk_key_encoding(KeyEncoding::V2(Separator::Dot))
                .codecs([CodecSpec::ByteOrder(Endian::Big)])
        }),
    );
    add(
        cases,
        "zarr.create((1000, 20), chunks=(10,), store=s, path='q', zarr_format=2, order='F', \
         dtype='>f8', dimension_separator='/', filters=[{'id': 'delta', 'dtype': '>f8'}], \
         compressor={'id': 'zlib', 'level': 3})",
        array(|new| {
            of(&[1000, 20], "f8")(new)
                .path("q")
                .format(Format::ZarrV2)
                .endian(Endian::Big)
                .chunks([10])
                .order(Order::F)
                .chunk_key_encoding(KeyEncoding::V2(Separator::Slash))
                .filters([json!({"id": "delta", "dtype": ">f8", "astype": ">f8"})])
                .compressors([CodecSpec::Zlib { level: 3 }])
        }),
    );
    add(
        cases,
        "zarr.create_array(s, shape=(3,), dtype='i4', zarr_format=2, compressors=None, filters=None)",
        array(|new| {
            let none: [CodecSpec; 0] = [];
            of(&[3], "i4")(new).format(Format::ZarrV2).compressors(none.clone()).filters(none)
        }),
    );
}

fn add_functions(cases: &mut Cases) {
    for dtype in ["bool", "int16", "float32", "complex128", "S3", "str"] {
        for version in [2, 3] {
            let here = if dtype == "str" { "string" } else { dtype };
            let make = of(&[5], here);
            let format = if version == 2 { Format::ZarrV2 } else { Format::ZarrV3 };
            add(
                cases,
                &format!("zarr.ones((5,), dtype='{dtype}', store=s, zarr_format={version})"),
                Box::new(move |place| {
                    drop(make(zarr::ones([5])).store(place).format(format).create().unwrap());
                }),
            );
        }
    }
    add(
        cases,
        "zarr.create_group(s, path='g/h', attributes={'a': 1.5})",
        Box::new(|place| {
            drop(zarr::create_group(place).path("g/h").attribute("a", 1.5).create().unwrap());
        }),
    );
    add(
        cases,
        "zarr.create_group(s, path='g/h', zarr_format=2, attributes={'a': None})",
        Box::new(|place| {
            let new = zarr::create_group(place).path("g/h").format(Format::ZarrV2);
            drop(new.attribute("a", json!(null)).create().unwrap());
        }),
    );
    for (version, format) in [(2, Format::ZarrV2), (3, Format::ZarrV3)] {
        add(
            cases,
            &format!(
                "[zarr.create_group(s, path='g', zarr_format={version}, attributes={{'a': 1}}), \
                 zarr.zeros((3,), store=s, path='g/x', zarr_format={version}), \
                 zarr.ones((3,), store=s, path='y', zarr_format={version}), \
                 zarr.consolidate_metadata(s)]"
            ),
            Box::new(move |place| {
                let group = zarr::create_group(place).path("g").format(format);
                drop(group.attribute("a", 1).create().unwrap());
                drop(zarr::zeros([3]).store(place).path("g/x").format(format).create().unwrap());
                drop(zarr::ones([3]).store(place).path("y").format(format).create().unwrap());
                drop(zarr::consolidate_metadata(place, "").unwrap());
            }),
        );
    }
}

#[test]
fn documents_are_those_of_zarr_python() {
    let ours: Vec<(String, BTreeMap<String, String>)> = cases()
        .into_iter()
        .map(|(name, _, make)| {
            let store = store();
            make(&Place::from(Arc::clone(&store)));
            (name, keys(&store))
        })
        .collect();
    let Some(python) = std::env::var_os("STOOK_TEST_PYTHON") else { return };
    let folder = tempfile::tempdir().unwrap();
    let calls: BTreeMap<String, String> =
        cases().into_iter().map(|(name, call, _)| (name, call)).collect();
    let input = folder.path().join("cases.json");
    std::fs::write(&input, serde_json::to_vec(&calls).unwrap()).unwrap();
    let input = std::fs::File::open(input).unwrap();
    let output = Command::new(python).arg("-c").arg(SCRIPT).stdin(input).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_slice(&output.stdout).unwrap();
    let mut differ = Vec::new();
    for (name, ours) in &ours {
        for (key, theirs) in &theirs[name] {
            // A group of version 2 that was implied has no document for no attributes here.
            if key.ends_with(".zattrs") && theirs == "{}" && !ours.contains_key(key) {
                continue;
            }
            let is_same = match ours.get(key) {
                // In one line there, indented here.
                Some(ours) if key.ends_with(".zmetadata") => {
                    let parse = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
                    parse(ours) == parse(theirs)
                }
                ours => ours == Some(theirs),
            };
            if !is_same {
                differ
                    .push(format!("{name}: {key}\nours: {:?}\ntheirs: {theirs:?}", ours.get(key)));
            }
        }
    }
    assert!(differ.is_empty(), "{} of {}\n{}", differ.len(), ours.len(), differ.join("\n"));
    assert!(ours.len() > 90, "{}", ours.len());
}

#[test]
fn guesses_are_those_of_zarr_python() {
    let shapes: [&[u64]; 9] = [
        &[],
        &[0],
        &[1],
        &[1 << 40],
        &[1000, 1000],
        &[100, 100, 100, 100],
        &[3, 1 << 20, 7],
        &[17, 4096, 4097],
        &[70_000, 70_000],
    ];
    let cases: Vec<(&[u64], u64)> = shapes
        .into_iter()
        .flat_map(|shape| [1, 2, 3, 4, 8, 16, 1 << 26].map(|n| (shape, n)))
        .collect();
    let ours: Vec<Vec<u64>> =
        cases.iter().map(|(shape, item)| zarr::guess_chunks(shape, *item)).collect();
    let Some(python) = std::env::var_os("STOOK_TEST_PYTHON") else { return };
    let script = "import json, sys\nfrom zarr.core.chunk_grids import _guess_chunks\n\
                  cases = json.loads(sys.argv[1])\n\
                  print(json.dumps([_guess_chunks(tuple(s), n) for s, n in cases]))";
    let cases = serde_json::to_string(&cases).unwrap();
    let output = Command::new(python).args(["-c", script, &cases]).output().unwrap();
    let theirs: Vec<Vec<u64>> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(ours, theirs);
}
