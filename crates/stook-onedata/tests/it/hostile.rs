//! Files that would run something, ask for too much, or lead elsewhere.

use std::fs;
use std::path::Path;

use stook::npy::ObjectArray;
use stook_core::{ErrorKind, Limits};
use stook_onedata::{Data, LoadOptions, LoadingRecipe, OneData, OneFile, SessionData, SparseAs};
use stook_testkit::corrupt::{bit_flips, truncations};

use crate::{fixture, fixtures, floats, session};

/// An npy file of one object, whose pickle is that.
fn npy(pickle: &[u8]) -> Vec<u8> {
    let mut header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }".to_vec();
    header.resize(117, b' ');
    header.push(b'\n');
    [b"\x93NUMPY\x01\0\x76\0".as_slice(), &header, pickle].concat()
}

fn load(dir: &Path, bytes: &[u8], limits: Limits) -> stook_core::Result<Data> {
    let data = OneData::at(dir)?.limits(limits);
    fs::create_dir_all(data.path()).unwrap();
    fs::write(data.path().join("x.npy"), bytes).unwrap();
    data.load(&OneFile::parse("x.npy")?)
}

/// The pickle that calls `module.name` with the text.
fn call(module: &str, name: &str, text: &str) -> Vec<u8> {
    let text = [b"X".as_slice(), &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
    [b"\x80\x03c", module.as_bytes(), b"\n", name.as_bytes(), b"\n", &text, b"\x85R."].concat()
}

#[test]
fn no_name_is_called_but_those_that_are_data() {
    let dir = tempfile::tempdir().unwrap();
    let canary = dir.path().join("canary");
    let command = format!("touch {}", canary.display());
    let code = format!("open({:?}, 'w')", canary.display().to_string());
    for (module, name, text) in [
        ("os", "system", command.as_str()),
        ("posix", "system", &command),
        ("nt", "system", &command),
        ("subprocess", "getoutput", &command),
        ("builtins", "eval", &code),
        ("builtins", "exec", &code),
        ("builtins", "getattr", "x"),
        ("builtins", "open", "x"),
        ("builtins", "__import__", "os"),
        ("__builtin__", "eval", &code),
        ("numpy.testing._private.utils", "runstring", &code),
        ("numpy.testing", "runstring", &code),
        ("numpy", "load", "x"),
        ("numpy", "memmap", "x"),
        ("numpy", "fromfile", "x"),
        ("numpy.f2py", "compile", &code),
        ("numpy.core.multiarray", "fromfile", "x"),
        ("numpy._core.multiarray", "_reconstruct.__globals__", "x"),
        ("numpy.distutils.exec_command", "exec_command", &command),
        ("functools", "partial", "x"),
        ("operator", "attrgetter", "system"),
        ("importlib", "import_module", "os"),
        ("pathlib", "Path.unlink", "x"),
        ("datetime", "sys", "x"),
        ("collections", "namedtuple", "x"),
        ("_codecs", "decode", "x"),
        ("webbrowser", "open", "x"),
        ("timeit", "timeit", &code),
        ("pickle", "loads", "x"),
        ("copyreg", "_reconstructor", "x"),
        ("vrAnalysis.sessions.base", "LoadingRecipe", "x"),
    ] {
        let error =
            load(dir.path(), &npy(&call(module, name, text)), Limits::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{module}.{name}: {error}");
        assert!(error.message().contains(name), "{module}.{name}: {error}");
    }
    assert!(!canary.exists());
}

#[test]
fn no_opcode_makes_objects_but_those_that_are_data() {
    let dir = tempfile::tempdir().unwrap();
    for (name, pickle) in [
        ("INST", b"\x80\x02(S'x'\nios\nsystem\n.".as_slice()),
        ("OBJ", b"\x80\x02(cos\nsystem\nX\x01\0\0\0xo."),
        ("NEWOBJ", b"\x80\x02cos\nsystem\n)\x81."),
        ("NEWOBJ_EX", b"\x80\x04cos\nsystem\n)}\x92."),
        ("STACK_GLOBAL", b"\x80\x04\x8c\x02os\x8c\x06system\x93."),
        ("EXT1", b"\x80\x02\x82\x01."),
        ("EXT2", b"\x80\x02\x83\x01\0."),
        ("EXT4", b"\x80\x02\x84\x01\0\0\0."),
        ("PERSID", b"\x80\x02Px\n."),
        ("BINPERSID", b"\x80\x02X\x01\0\0\0xQ."),
        ("BUILD", b"\x80\x02}}b."),
        ("NEXT_BUFFER", b"\x80\x05\x97."),
        ("READONLY_BUFFER", b"\x80\x05\x98."),
        ("REDUCE of data", b"\x80\x02X\x01\0\0\0x)R."),
        ("STOP of nothing", b"\x80\x02."),
        ("text protocol", b"cos\nsystem\n(S'x'\ntR."),
        ("protocol 9", b"\x80\x09N."),
        ("no array", b"\x80\x02}."),
    ] {
        let error = load(dir.path(), &npy(pickle), Limits::default()).unwrap_err();
        let kind = error.kind();
        assert!(matches!(kind, ErrorKind::Unsupported | ErrorKind::Corrupt), "{name}: {error}");
    }
}

/// A list of ten times the list before.
fn laughs(depth: u8) -> Vec<u8> {
    let mut bytes = vec![b']', b'q', 100 + depth];
    if depth > 0 {
        bytes.push(b'(');
        bytes.extend(laughs(depth - 1));
        bytes.extend([b'h', 99 + depth].repeat(9));
        bytes.push(b'e');
    }
    bytes
}

#[test]
fn lists_within_lists_cost_no_more_than_their_file() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = LoadingRecipe::new("S2P", "F").to_objects().unwrap();
    let plain = recipe.to_npy(stook::pickle::Form::Numpy1).unwrap();
    let at = plain.windows(6).position(|window| window == b"kwargs").unwrap() + 8;
    assert_eq!(plain[at..at + 2], *b"}q");
    let bytes = [&plain[..at], &laughs(30), &plain[at + 3..]].concat();
    let Ok(Data::Objects(objects)) = load(dir.path(), &bytes, Limits::default()) else {
        panic!("{:?}", load(dir.path(), &bytes, Limits::default()));
    };
    let error = LoadingRecipe::of_objects(&objects).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
}

#[test]
fn lengths_that_lie_ask_for_no_memory() {
    let dir = tempfile::tempdir().unwrap();
    let mut limits = Limits::default();
    limits.chunk_len_bytes = 1 << 20;
    let huge = (1_u64 << 62).to_le_bytes();
    for pickle in [
        [b"\x80\x04\x8e".as_slice(), &huge, b"x."].concat(),
        [b"\x80\x04\x8d".as_slice(), &huge, b"x."].concat(),
        [b"\x80\x05\x96".as_slice(), &huge, b"x."].concat(),
        [b"\x80\x04\x95".as_slice(), &huge, b"N."].concat(),
        b"\x80\x02\x8b\xff\xff\xff\x7fx.".to_vec(),
        b"\x80\x02T\xff\xff\xff\x7fx.".to_vec(),
    ] {
        assert!(load(dir.path(), &npy(&pickle), limits.clone()).is_err());
    }
    // Two million small objects.
    let many = [b"\x80\x02(".as_slice(), &b"]".repeat(2_000_000), b"l."].concat();
    let error = load(dir.path(), &npy(&many), limits.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);

    for shape in ["(1000000000000,)", "(4294967296, 4294967296, 4294967296)", "(-1,)"] {
        let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
        let mut bytes = b"\x93NUMPY\x01\0".to_vec();
        bytes.extend((header.len() as u16 + 1).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(b"\n12345678");
        assert!(load(dir.path(), &bytes, limits.clone()).is_err(), "{shape}");
    }
    let evaluated =
        b"{'descr': __import__('os').system('x'), 'fortran_order': False, 'shape': ()}\n";
    let bytes = [b"\x93NUMPY\x01\0".as_slice(), &[evaluated.len() as u8, 0], evaluated].concat();
    assert_eq!(load(dir.path(), &bytes, limits).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn an_archive_that_unfolds_to_too_much_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut limits = Limits::default();
    limits.chunk_len_bytes = 1 << 20;
    let data = OneData::at(dir.path()).unwrap();
    fs::create_dir_all(data.path()).unwrap();
    for (name, kind) in [
        ("bomb.npz", ErrorKind::LimitExceeded),
        ("lies.npz", ErrorKind::Corrupt),
        ("pickled.npz", ErrorKind::Unsupported),
        ("outside.npz", ErrorKind::Corrupt),
        ("pointers.npz", ErrorKind::Corrupt),
        ("indices.npz", ErrorKind::Corrupt),
    ] {
        fs::copy(fixture(name), data.path().join(name)).unwrap();
        let limited = data.clone().limits(limits.clone());
        let error = limited.load(&OneFile::parse(name).unwrap()).unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
    }
    // Small in its file, and huge with its zeros.
    let session = session(dir.path());
    crate::put(session.one_data(), "wide.npz", "x.npz");
    let dense = session.load_with("x", LoadOptions::sparse(SparseAs::Dense));
    assert_eq!(dense.unwrap_err().kind(), ErrorKind::LimitExceeded);
    assert!(session.load_with("x", LoadOptions::sparse(SparseAs::Sparse)).is_ok());
}

#[test]
fn names_lead_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    session.save("x", &floats(&[1], &[1.0])).unwrap();
    for name in ["../x", "a/../../x", "/etc/passwd", "..", "x\0", "a\\x", "C:x", ""] {
        assert_eq!(session.load(name).unwrap_err().kind(), ErrorKind::InvalidInput, "{name}");
        let saved = session.save(name, &floats(&[1], &[1.0]));
        assert_eq!(saved.unwrap_err().kind(), ErrorKind::InvalidInput, "{name}");
    }
    for source in ["../../x", "plane0/F", "..", "/etc/passwd"] {
        session.save_recipe("r", &LoadingRecipe::new("S2P", source)).unwrap();
        fs::create_dir_all(session.data_path().join("suite2p/plane0")).unwrap();
        let error = session.load("r").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{source}: {error}");
    }
}

#[test]
#[cfg(unix)]
fn links_out_of_the_session_are_not_followed() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().unwrap();
    let other = dir.path().join("other");
    let secret = OneData::at(&other).unwrap();
    secret.save(&"secret".parse().unwrap(), &floats(&[1], &[9.0])).unwrap();
    let secret = secret.path().join("secret.npy");
    let before = fs::read(&secret).unwrap();

    let session = session(dir.path());
    session.save("x", &floats(&[1], &[1.0])).unwrap();
    let folder = session.one_data().path().to_path_buf();
    symlink(&secret, folder.join("link.npy")).unwrap();
    symlink("x.npy", folder.join("inside.npy")).unwrap();
    assert_eq!(session.load("inside").unwrap().shape(), [1]);
    let error = session.load("link").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains("leads out of the session's folder"), "{error}");
    assert!(session.save("link", &floats(&[1], &[1.0])).is_err());
    assert!(session.one_data().remove(&OneFile::parse("link.npy").unwrap()).unwrap());
    assert!(fs::read(&secret).unwrap() == before);

    // A folder that is a link, of suite2p and of onedata.
    fs::create_dir_all(other.join("suite2p/plane0")).unwrap();
    fs::copy(&secret, other.join("suite2p/plane0/F.npy")).unwrap();
    symlink(other.join("suite2p"), session.data_path().join("suite2p")).unwrap();
    session.save_recipe("r", &LoadingRecipe::new("S2P", "F")).unwrap();
    assert_eq!(session.load("r").unwrap_err().kind(), ErrorKind::InvalidInput);
    fs::remove_dir_all(&folder).unwrap();
    symlink(other.join("onedata"), &folder).unwrap();
    assert_eq!(session.load("secret").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(session.save("secret", &floats(&[1], &[1.0])).is_err());
    assert!(session.saved().is_err());
    assert!(fs::read(&secret).unwrap() == before);
}

#[test]
fn damaged_files_are_errors_or_data() {
    let dir = tempfile::tempdir().unwrap();
    let data = OneData::at(dir.path()).unwrap();
    fs::create_dir_all(data.path()).unwrap();
    for prefix in ["position-", "stat-", "csc"] {
        for name in fixtures(prefix) {
            let bytes = fs::read(fixture(&name)).unwrap();
            let kind = if prefix == "csc" { "x.npz" } else { "x.npy" };
            let file = OneFile::parse(kind).unwrap();
            let path = data.path().join(kind);
            let mut check = |damaged: &[u8]| {
                fs::write(&path, damaged).unwrap();
                match data.load(&file) {
                    Ok(Data::Objects(objects)) => drop(LoadingRecipe::of_objects(&objects)),
                    Ok(loaded) => drop(loaded.values(&Limits::default())),
                    Err(_) => {}
                }
            };
            truncations(&bytes, 30, &mut check);
            bit_flips(&bytes, 40, &mut check);
        }
    }
    let objects = ObjectArray::open(fixture("F-numpy1.npy"), &Limits::default()).unwrap();
    assert!(objects.is_some());
}
