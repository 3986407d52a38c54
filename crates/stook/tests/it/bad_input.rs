//! Bad input: a clear error, and nothing changed.

use stook::{
    CodecSpec, ConvertOptions, CreateOptions, DType, ErrorKind, File, InTheWay, Selection, Values,
    convert,
};

fn message(result: stook::Result<impl Sized>, dir: &tempfile::TempDir) -> String {
    let error = result.err().expect("an error");
    error.to_string().replace(&dir.path().display().to_string(), "DIR")
}

#[test]
fn files_that_are_none_of_ours_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let open = |path: std::path::PathBuf| message(File::open(path), &dir);
    insta::assert_snapshot!(open(dir.path().join("none.h5")), @"`DIR/none.h5`: no such file or folder");
    insta::assert_snapshot!(open(put("empty.h5", b"")), @"`DIR/empty.h5`: the file is empty");
    insta::assert_snapshot!(
        open(put("picture.h5", b"\x89PNG\r\n\x1a\n....")),
        @r"`DIR/picture.h5`: the file is of no known format: it begins with `\x89PNG\r\n\x1a\n`"
    );
    insta::assert_snapshot!(
        open(dir.path().to_path_buf()),
        @"`DIR`: the folder holds no Zarr hierarchy: expected `zarr.json`, `.zgroup` or `.zarray` in it"
    );
    let error = File::open(put("cut.h5", b"\x89HDF\r\n\x1a\n\0\0\0")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.to_string().contains("cut.h5"), "{error}");
}

#[test]
fn an_existing_target_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["x.h5", "x.zarr.zip", "x.npz", "x.zarr"] {
        let path = dir.path().join(name);
        std::fs::write(&path, b"precious").unwrap();
        let error = File::create(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{name}");
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    }
    let nameless = File::create(dir.path().join("x.txt"));
    insta::assert_snapshot!(message(nameless, &dir), @"`DIR/x.txt`: the name does not say which format the new file shall have");
}

#[test]
fn wrong_dtypes_shapes_and_selections_change_nothing() {
    for name in ["w.zarr", "w.h5"] {
        let dir = tempfile::tempdir().unwrap();
        let root = File::create(dir.path().join(name)).unwrap().root_group().unwrap();
        let x = root.array("x").dtype(DType::Int16).shape([4]).create().unwrap();
        x.write_elements(&Selection::All, &[4], &[1_i16, 2, 3, 4]).unwrap();
        let at = |text: &str| Selection::parse(text).unwrap();
        let wrong = [
            x.write_elements(&Selection::All, &[4], &[0_f32; 4]),
            x.write_elements(&Selection::All, &[3], &[0_i16; 3]),
            x.write_elements(&at("9"), &[], &[0_i16]),
            x.write(&Selection::All, &Values::text("a")),
            x.resize(&[4, 4]),
        ];
        for result in wrong {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
            assert!(error.to_string().contains("node `/x`"), "{error}");
        }
        assert_eq!(x.read_as::<i16>(&Selection::All).unwrap(), [1, 2, 3, 4]);
        assert_eq!(root.array("x").create().unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(root.open_array("y").unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(root.group("x").unwrap_err().kind(), ErrorKind::InvalidInput);
        let bad = message(root.array("z").shape([4]).chunks([2, 2]).create(), &dir);
        let expected = "node `/z`: chunks: expected a length for each of 1 axes, found 2";
        assert!(bad.ends_with(expected), "{bad}");
        assert!(!root.contains("z").unwrap());
    }
}

#[test]
fn a_codec_that_is_not_known_is_an_error_when_data_are_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("c.zarr");
    let root = File::create(&path).unwrap().root_group().unwrap();
    let x = root.array("x").dtype(DType::UInt8).shape([8]).chunks([4]);
    x.codecs([CodecSpec::Gzip { level: 1 }]).create().unwrap();
    let document = path.join("x/zarr.json");
    let text = std::fs::read_to_string(&document).unwrap().replace("gzip", "frobnicate");
    std::fs::write(&document, text).unwrap();
    let x = File::open(&path).unwrap().array("x").unwrap();
    assert_eq!(x.shape(), [8]);
    insta::assert_snapshot!(
        message(x.read(&Selection::All), &dir),
        @"`DIR/c.zarr`: node `/x`: codec `frobnicate` is not supported"
    );
}

#[test]
fn a_corrupt_chunk_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("d.zarr");
    let root = File::create(&path).unwrap().root_group().unwrap();
    let x = root.array("x").dtype(DType::UInt8).shape([8]).chunks([4]).create().unwrap();
    x.write_elements(&Selection::All, &[8], &[1_u8, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    std::fs::write(path.join("x/c/1"), b"not zstd").unwrap();
    let text = message(x.read(&Selection::All), &dir);
    assert!(text.starts_with("`DIR/d.zarr`: node `/x`: chunk [1]: codec `zstd`: "), "{text}");
    assert_eq!(x.read_as::<u8>(&Selection::parse(":4").unwrap()).unwrap(), [1, 2, 3, 4]);
}

#[test]
fn limits_hold_for_chunks_as_for_metadata() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["l.zarr", "l.h5"] {
        let path = dir.path().join(name);
        let root = File::create(&path).unwrap().root_group().unwrap();
        let x = root.array("x").dtype(DType::UInt8).shape([4096]).chunks([4096]);
        let x = x.codecs([CodecSpec::Shuffle { item_size: 1 }]).create().unwrap();
        x.write_elements(&Selection::All, &[], &[1_u8]).unwrap();
        root.file().commit().unwrap();
        let mut options = stook::OpenOptions::read();
        options.limits.chunk_len_bytes = 1000;
        let x = File::open_with(&path, &options).and_then(|file| file.array("x"));
        let error = x.and_then(|x| x.read(&Selection::All)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    }
}

#[test]
fn chunks_of_absurd_lengths_are_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("x.zarr");
    std::fs::create_dir(&folder).unwrap();
    for (shape, chunks) in [
        (vec![10], vec![u64::MAX]),
        (vec![u64::MAX - 1], vec![1 << 63]),
        (vec![1 << 40, 1 << 40, 1 << 40, 2], vec![1 << 21, 1 << 21, 1 << 21, 1]),
        (vec![1 << 60, 1 << 60], vec![1 << 60, 1]),
    ] {
        let document = serde_json::json!({
            "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": "uint8",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunks}},
            "chunk_key_encoding": {"name": "default"}, "fill_value": 0,
            "codecs": [{"name": "bytes"}],
        });
        std::fs::write(folder.join("zarr.json"), document.to_string()).unwrap();
        let array = File::open(&folder).unwrap().root().unwrap();
        stook::compare(&array, &array, 1 << 20, 1).unwrap_err();
        let target = dir.path().join("y.h5");
        convert(&folder, &target, &mut ConvertOptions::default()).unwrap_err();
    }
}

#[test]
fn items_of_absurd_lengths_take_neither_time_nor_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npy");
    for descr in ["'>U1152921504606846976'", "('>U1', (1152921504606846976,))"] {
        let header =
            format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (0,)}}{:>60}\n", "");
        let mut bytes = b"\x93NUMPY\x01\0".to_vec();
        bytes.extend_from_slice(&u16::try_from(header.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(header.as_bytes());
        std::fs::write(&path, bytes).unwrap();
        // An error is as good as an empty result.
        let _ = File::open(&path)
            .and_then(|file| file.array("/"))
            .and_then(|array| array.read(&Selection::All));
    }
    let folder = dir.path().join("x.zarr");
    std::fs::create_dir(&folder).unwrap();
    for (kind, len, fill) in [
        ("fixed_length_utf32", 1_u64 << 62, ""),
        ("null_terminated_bytes", 1_u64 << 62, ""),
        ("raw_bytes", 1_u64 << 62, ""),
    ] {
        let document = serde_json::json!({
            "zarr_format": 3, "node_type": "array", "shape": [0],
            "data_type": {"name": kind, "configuration": {"length_bytes": len}},
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1]}},
            "chunk_key_encoding": {"name": "default"}, "fill_value": fill,
            "codecs": [{"name": "bytes", "configuration": {"endian": "big"}}],
        });
        std::fs::write(folder.join("zarr.json"), document.to_string()).unwrap();
        let opened = File::open(&folder).and_then(|file| file.array("/"));
        let _ = opened.and_then(|array| array.read(&Selection::All));
    }
}

#[test]
fn a_folder_of_other_things_gives_way_to_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let options = CreateOptions { in_the_way: InTheWay::Goes, ..CreateOptions::default() };
    let folder = dir.path().join("photos.zarr");
    std::fs::create_dir(&folder).unwrap();
    drop(File::create_with(&folder, &options).expect("an empty folder is in nobody's way"));
    drop(File::create_with(&folder, &options).expect("a Zarr hierarchy is replaced"));
    std::fs::remove_file(folder.join("zarr.json")).unwrap();
    std::fs::write(folder.join(".hidden"), "mine").unwrap();
    let error = File::create_with(&folder, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(folder.join(".hidden").exists());
}
