//! `stook onedata`: each action on a small tree.

use serde_json::{Value, json};

use crate::{Folder, Run};

/// Runs a command of words.
fn run(folder: &Folder, words: &[&str]) -> Run {
    folder.run(&[&["onedata"], words].concat())
}

fn json(folder: &Folder, words: &[&str]) -> Value {
    let run = run(folder, &[&["--json"], words].concat()).expect(0);
    serde_json::from_str(&run.out).unwrap()
}

const SESSION: &str = "ATL027/2024-02-09/701";

/// One session: an array made by `convert`, and a recipe.
fn with_session() -> Folder {
    let folder = Folder::new();
    let onedata = folder.path(SESSION).join("onedata");
    std::fs::create_dir_all(&onedata).unwrap();
    let plane = folder.path(SESSION).join("suite2p/plane0");
    std::fs::create_dir_all(&plane).unwrap();
    let file = stook::File::create_array(onedata.join("mpci.times.npy")).unwrap();
    let array = file.dtype(stook::DType::Float32).shape([2, 3]).create().unwrap();
    let numbers = [0.5_f32, 1.0, 2.0, 3.0, 4.0, 5.0];
    array.write_elements(&stook::Selection::All, &[2, 3], &numbers).unwrap();
    array.file().commit().unwrap();
    std::fs::copy(onedata.join("mpci.times.npy"), plane.join("F.npy")).unwrap();
    let recipe = ["recipe", SESSION, "mpci.F", "--loader", "S2P", "--source", "F"];
    let recipe = [&recipe[..], &["--transform", "transpose", "--beside"]].concat();
    run(&folder, &recipe).expect(0);
    folder
}

#[test]
fn a_session_is_listed_and_loaded() {
    let folder = with_session();
    let listed = run(&folder, &["ls", SESSION]).expect(0);
    insta::assert_snapshot!(listed.out, @r"
    onedata/mpci.F.npy      recipe  object   []      426 B
    onedata/mpci.times.npy  array   float32  [2, 3]  152 B
    ");
    assert_eq!(json(&folder, &["ls", SESSION, "*times"])[0]["shape"], json!([2, 3]));
    let loaded = run(&folder, &["load", SESSION, "mpci.F"]).expect(0);
    insta::assert_snapshot!(loaded.out, @r"
    mpci.F: array [3, 2]
    float32
    0.5  3.0
    1.0  4.0
    2.0  5.0
    ");
    let value = json(&folder, &["load", SESSION, "mpci.times"])["value"].clone();
    assert_eq!(value, json!([[0.5, 1.0, 2.0], [3.0, 4.0, 5.0]]));
    run(&folder, &["load", SESSION, "mpci.F", "-o", "F.npy"]).expect(0);
    let written = stook::File::open(folder.path("F.npy")).unwrap().array("/").unwrap();
    assert_eq!(written.shape(), [3, 2]);
    let recipe = run(&folder, &["recipe", SESSION, "mpci.F"]).expect(0);
    assert!(recipe.out.contains("loader      S2P"), "{recipe}");
    let missing = folder.fails(&["onedata", "load", SESSION, "mpci.x"]).expect(1);
    assert!(missing.err.contains("hint: `stook onedata ls`"), "{missing}");
    folder.fails(&["onedata", "load", SESSION, "../x"]).expect(1);
    folder.fails(&["onedata", "recipe", SESSION, "mpci.times"]).expect(1);
    folder.fails(&["onedata", "ls", "none"]).expect(1);
}

#[test]
fn a_session_is_verified() {
    let folder = with_session();
    let readable = run(&folder, &["verify", SESSION]).expect(0);
    assert_eq!(readable.out, "2 files as they should be\n");
    run(&folder, &["verify", "--make", SESSION]).expect(0);
    let path = folder.path(SESSION).join("onedata/mpci.times.npy");
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let wrong = run(&folder, &["verify", SESSION]).expect(1);
    assert!(wrong.out.starts_with("changed  ") && wrong.err.is_empty(), "{wrong}");
}

#[test]
fn a_tree_is_indexed_and_asked() {
    let folder = with_session();
    let early = folder.fails(&["onedata", "query", "."]).expect(1);
    assert!(early.err.contains("hint: make it with `stook onedata index`"), "{early}");
    let indexed = json(&folder, &["index", ".", "--hash"]);
    assert_eq!((&indexed["n_sessions"], &indexed["n_datasets"]), (&json!(1), &json!(2)));
    run(&folder, &["tag", ".", SESSION, "good", "--set", "depth=250", "--set", "note=a b"])
        .expect(0);
    let found = run(&folder, &["query", ".", "depth>200", "tag=good"]).expect(0);
    insta::assert_snapshot!(found.out, @"ATL027/2024-02-09/701  2 datasets  578 B  good  depth=250, note=a b");
    assert_eq!(run(&folder, &["query", ".", "mouse=other"]).expect(0).out, "");
    let with = json(&folder, &["query", ".", "--datasets"]);
    assert_eq!(with[0]["datasets"][1]["sha256"].as_str().unwrap().len(), 64);
    let path = "onedata/mpci.times.npy";
    run(&folder, &["tag", ".", SESSION, "--qc", &format!("{path}=FAIL")]).expect(0);
    let judged = run(&folder, &["query", ".", "--datasets", "--judged"]).expect(0);
    assert!(judged.out.contains("mpci.times.npy") && judged.out.contains("FAIL"), "{judged}");
    assert!(!judged.out.contains("mpci.F.npy"), "{judged}");
    let good = run(&folder, &["query", ".", "--datasets", "--qc", "warning"]).expect(0);
    assert!(!good.out.contains("mpci.times.npy") && good.out.contains("mpci.F.npy"), "{good}");
    folder.fails(&["onedata", "tag", ".", SESSION, "--qc", &format!("{path}=fine")]).expect(1);
    folder.fails(&["onedata", "tag", ".", SESSION, "--qc", "none=PASS"]).expect(1);
    let typo = folder.fails(&["onedata", "query", ".", "detph=1"]).expect(1);
    assert!(typo.err.contains("known: mouse"), "{typo}");
    folder.fails(&["onedata", "tag", ".", "none", "good"]).expect(1);
    let exported = json(&folder, &["export", "."]);
    assert_eq!(exported["n_datasets"], 2);
    assert!(folder.path("sessions.pqt").is_file());
    assert_eq!(run(&folder, &["verify", "."]).expect(0).out, "2 files as they should be\n");
}

#[test]
fn a_session_goes_into_one_file_and_back() {
    let folder = with_session();
    for file in ["one.h5", "one.zarr"] {
        let made = run(&folder, &["convert", SESSION, file]).expect(0);
        assert_eq!(made.out, format!("{file}: 2 datasets\n"));
        let listed = run(&folder, &["ls", file]).expect(0);
        assert!(listed.out.starts_with("mpci.F.npy      recipe  object   []"), "{listed}");
        folder.fails(&["onedata", "convert", SESSION, file]).expect(1);
        let other = folder.fails(&["convert", SESSION, "tree.h5"]).expect(1);
        assert!(other.err.contains("hint: a session's folder"), "{other}");
        run(&folder, &["convert", "--force", file, "back"]).expect(0);
        for name in ["mpci.F.npy", "mpci.times.npy"] {
            let path = std::path::Path::new("onedata").join(name);
            let bytes = |session: &str| std::fs::read(folder.path(session).join(&path)).unwrap();
            assert!(bytes(SESSION) == bytes("back"), "{file} {name}");
        }
    }
}
