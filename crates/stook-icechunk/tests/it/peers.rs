//! With the Python package, and on a server of S3, where `STOOK_TEST_PYTHON` names a Python that has
//! both.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use stook_icechunk::{OnConflict, Rebased, Repository, Version};

use crate::{elements, fill, read, row, tip};

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

#[test]
fn the_python_package_reads_what_is_written_here_and_the_other_way() {
    let Some(python) = std::env::var_os("STOOK_TEST_PYTHON") else { return };
    let dir = tempfile::tempdir().unwrap();
    let [ours, theirs] = ["ours", "theirs"].map(|name| dir.path().join(name));
    let [ours, theirs] = [&ours, &theirs].map(|path| path.to_str().unwrap());
    let repository = Repository::create(ours, [("spec_version", "1")]).unwrap();
    let session = repository.write("main").unwrap();
    fill(&session);
    session.commit("by stook").unwrap();
    repository.create_tag("v1", &tip()).unwrap();
    let mut command = Command::new(python);
    let output = command.arg(fixture("peer.py")).args([ours, theirs]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");

    let repository = Repository::open(theirs, []).unwrap();
    assert_eq!(repository.history(&tip()).unwrap()[0].message, "by Python");
    let session = repository.read(&Version::tag("v1")).unwrap();
    for name in ["plain", "sharded"] {
        assert_eq!(read(&session, name), elements(), "{name}");
    }
    // Python has committed to ours, too.
    let session = Repository::open(ours, []).unwrap().read(&tip()).unwrap();
    assert_eq!(read(&session, "plain")[0], -5);
}

/// A server of S3, which ends with its standard input.
struct Server {
    address: String,
    _child: Child,
}

fn moto() -> Option<Server> {
    let mut command = Command::new(std::env::var_os("STOOK_TEST_PYTHON")?);
    command.arg(fixture("serve.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let mut address = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
    Some(Server { address: address.trim().to_owned(), _child: child })
}

#[test]
fn a_repository_on_s3_takes_commits_of_several_threads() {
    let Some(server) = moto() else { return };
    let options = [
        ("endpoint", server.address.as_str()),
        ("region", "us-east-1"),
        ("access_key_id", "test"),
        ("secret_access_key", "test"),
    ];
    let place = "s3://bucket/repository";
    let repository = Repository::create(place, options).unwrap();
    let session = repository.write("main").unwrap();
    fill(&session);
    session.commit("two arrays").unwrap();
    std::thread::scope(|scope| {
        for at in 0..3 {
            scope.spawn(move || {
                let repository = Repository::open(place, options).unwrap();
                let session = repository.write("main").unwrap();
                row(&session, at * 20, -1);
                while session.commit("a row").is_err() {
                    assert_eq!(session.rebase(OnConflict::Fail).unwrap(), Rebased::Done);
                }
            });
        }
    });
    let found = read(&repository.read(&tip()).unwrap(), "plain");
    assert_eq!([found[0], found[1000], found[2000]], [-1; 3]);
    assert_eq!(repository.history(&tip()).unwrap().len(), 5);
    assert_eq!(repository.read(&tip()).unwrap().store().location(), place);
}
