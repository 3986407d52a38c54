//! What mutants begin with: small inputs that their target accepts.

use std::path::Path;

use serde_json::json;

use crate::targets;

/// The fixtures of the formats, beside this crate in its repository.
fn fixtures(dir: &str, suffix: &str) -> Vec<Vec<u8>> {
    const MAX_LEN: u64 = 64 << 10;
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(dir);
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let is_seed = |path: &&std::path::PathBuf| {
        path.to_str().is_some_and(|path| path.ends_with(suffix))
            && path.metadata().is_ok_and(|metadata| metadata.len() <= MAX_LEN)
    };
    #[expect(clippy::disallowed_methods, reason = "seeds are files of this repository")]
    paths.iter().filter(is_seed).filter_map(|path| std::fs::read(path).ok()).collect()
}

/// The seeds of the target called `name`.
#[must_use]
pub fn seeds(name: &str) -> Vec<Vec<u8>> {
    const NPY: &str = "stook-npy/tests/fixtures";
    const ONEDATA: &str = "stook-onedata/tests/fixtures";
    const PICKLE: &str = "stook-npy/tests/fixtures/pickle";
    match name {
        "codec_decode" | "codec_round_trip" => targets::codec::seeds(),
        "heap_codec" => vec![
            b"\x00\x02\x02\0\0\0\x01\0\0\0a\x02\0\0\0bc".to_vec(),
            b"\x01\x01\x01\0\0\0\x03\0\0\0abc".to_vec(),
            b"\x02\x01\x01\0\0\0\x08\0\0\0\x01\0\0\0\x02\0\0\0".to_vec(),
            b"\x03\x02[\"a\",\"b\",\"|O\",[2]]".to_vec(),
            b"\x04\x02\x94\xa1a\xa1b\xa2|O\x91\x02".to_vec(),
        ],
        "zarr_v3_document" => {
            let documents = targets::zarr::documents().into_iter();
            let group = json!({"zarr_format": 3, "node_type": "group", "attributes": {"a": [1]},
                "consolidated_metadata": {"kind": "inline", "must_understand": false,
                    "metadata": {"a": targets::zarr::documents().first()}}});
            documents.chain([group]).map(|document| document.to_string().into_bytes()).collect()
        }
        "zarr_v2_document" => {
            let array = json!({"zarr_format": 2, "shape": [8, 8], "chunks": [4, 4],
                "dtype": "<i4", "compressor": {"id": "zlib", "level": 1}, "fill_value": 0,
                "order": "F", "filters": [{"id": "delta", "dtype": "<i4"}]});
            let fields = json!({"zarr_format": 2, "shape": [4], "chunks": [2], "order": "C",
                "dtype": [["a", "<i2"], ["b", "|S3", [2]]], "compressor": null,
                "fill_value": "AAAAAAAAAAA=", "filters": null, "dimension_separator": "/"});
            let consolidated = json!({"zarr_consolidated_format": 1, "metadata":
                {".zgroup": {"zarr_format": 2}, "a/.zarray": array.clone()}});
            [array, fields, consolidated]
                .map(|document| format!("{document}\0{{\"x\": NaN}}").into_bytes())
                .to_vec()
        }
        "zarr_chunk" => {
            let n = u8::try_from(targets::zarr::documents().len()).unwrap_or(u8::MAX);
            (0..n).map(|which| [vec![which], (0..=255).collect()].concat()).collect()
        }
        "zip_archive" => fixtures(NPY, ".npz"),
        "npy" => [fixtures(NPY, ".npy"), fixtures(PICKLE, ".npy")].concat(),
        "npz" => {
            [fixtures(NPY, ".npz"), fixtures("stook-npy/tests/fixtures/sparse", ".npz")].concat()
        }
        "pickle" => fixtures(PICKLE, ".pkl"),
        "onedata_recipe" => {
            let texts = [
                r#"{"marker": "__LOADING_RECIPE__", "loader_type": "S2P", "source_arg": "F",
                    "transforms": ["transpose"], "kwargs": {"n": [1, 2.5, null]}}"#,
                "date >= 2024-2-9",
                "mouse in A,B",
                "_ns_object.attribute_times_clock.extra.npy",
            ];
            let texts = texts.map(|text| text.as_bytes().to_vec()).to_vec();
            [fixtures(ONEDATA, ".npy"), fixtures(PICKLE, ".npy"), texts].concat()
        }
        "onedata_matrix" => {
            [fixtures(ONEDATA, ".npz"), fixtures("stook-npy/tests/fixtures/sparse", ".npz")]
                .concat()
        }
        "text" => {
            let texts = [
                "1:3, ::2, ..., -1",
                "[1, 5, 2], :",
                "datetime64[10ms]",
                "S8",
                "<f4",
                "/a/b/c",
                "float8_e4m3",
                "sequence[int32]",
                "struct{a: int32, b: float64[2, 3]}",
            ];
            texts.map(|text| text.as_bytes().to_vec()).to_vec()
        }
        "hdf5" | "hdf5_metadata" => fixtures("stook-hdf5/tests/fixtures", ".h5"),
        _ => Vec::new(),
    }
}
