//! Repositories, their versions, and arrays in them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod peers;

use stook_core::{
    Array, ArraySpec, AttributeEdits, ChunkGrid, Container, DType, ErrorKind, Format, NodePath,
    OpenOptions, Selection,
};
use stook_icechunk::{OnConflict, Rebased, Repository, Session, Version};
use stook_zarr::ZarrContainer;

const SHAPE: [u64; 2] = [60, 50];

fn elements() -> Vec<i32> {
    (0..60 * 50).collect()
}

fn path(name: &str) -> NodePath {
    NodePath::parse(name).unwrap()
}

fn container(session: &Session) -> ZarrContainer {
    let store = session.store();
    let options = match store.is_read_only() {
        true => OpenOptions::read(),
        false => OpenOptions::read_write(),
    };
    ZarrContainer::open(store, &options).unwrap()
}

fn array(session: &Session, name: &str) -> Array {
    let container = container(session);
    let source = container.open_array(&path(name)).unwrap();
    Array::new(source, container.location(), path(name))
}

fn read(session: &Session, name: &str) -> Vec<i32> {
    array(session, name).read_as::<i32>(&Selection::All).unwrap()
}

fn row(session: &Session, at: usize, value: i32) {
    let selection = Selection::parse(&format!("{at}:{}", at + 1)).unwrap();
    array(session, "plain").write_elements(&selection, &[1, 50], &[value; 50]).unwrap();
}

/// A hierarchy with two arrays and an attribute.
fn fill(session: &Session) {
    let options = OpenOptions::read_write();
    let container = ZarrContainer::create(session.store(), Format::ZarrV3, &options).unwrap();
    for (name, chunk, shard) in [("plain", [10, 50], None), ("sharded", [5, 10], Some([20, 50]))] {
        let mut spec = ArraySpec::new(DType::Int32, SHAPE);
        spec.grid = ChunkGrid::regular(chunk).unwrap();
        spec.shards = shard.map(|shard| ChunkGrid::regular(shard).unwrap());
        let source = container.create_array(&path(name), &spec).unwrap();
        let array = Array::new(source, container.location(), path(name));
        array.write_elements(&Selection::All, &SHAPE, &elements()).unwrap();
    }
    let edits = AttributeEdits::default().set("made by", "stook");
    container.edit_attributes(&path("plain"), &edits).unwrap();
}

fn in_memory() -> Repository {
    let repository = Repository::create("memory://", []).unwrap();
    let session = repository.write("main").unwrap();
    fill(&session);
    session.commit("two arrays").unwrap();
    repository
}

fn tip() -> Version {
    Version::branch("main")
}

/// The snapshot before the last one of `main`.
fn before(repository: &Repository) -> Version {
    Version::snapshot(&repository.history(&tip()).unwrap()[1].id)
}

#[test]
fn arrays_shards_and_attributes_are_there_after_a_commit_only() {
    let repository = Repository::create("memory://", []).unwrap();
    let session = repository.write("main").unwrap();
    assert!(!session.is_changed().unwrap());
    fill(&session);
    assert!(session.is_changed().unwrap());
    assert_eq!(session.changes().unwrap().new_arrays.len(), 2);
    let others = repository.read(&tip()).unwrap();
    assert!(others.store().list("").unwrap().prefixes.is_empty());
    let id = session.commit("two arrays").unwrap();
    assert_eq!((session.snapshot().unwrap(), session.is_changed().unwrap()), (id.clone(), false));

    let after = repository.read(&tip()).unwrap();
    for name in ["plain", "sharded"] {
        let array = array(&after, name);
        for _ in 0..2 {
            assert_eq!(array.read_as::<i32>(&Selection::All).unwrap(), elements(), "{name}");
        }
    }
    let container = container(&after);
    assert!(container.attributes(&path("plain")).unwrap().get("made by").is_some());
    assert_eq!(container.names(&NodePath::root()).unwrap(), ["plain", "sharded"]);
    assert_eq!(array(&after, "plain").source().n_stored().unwrap(), 6);
    assert_eq!(array(&after, "sharded").source().n_stored().unwrap(), 3);
    let history = repository.history(&tip()).unwrap();
    assert_eq!((history[0].id.as_str(), history[0].message.as_str()), (&*id, "two arrays"));
    assert_eq!(history[0].parent.as_ref(), Some(&history[1].id));
    assert_eq!((history.len(), &history[1].parent), (2, &None));
    let refused = after.store().set("plain/c/0/0", b"1").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ReadOnly);
    assert_eq!(after.commit("x").unwrap_err().kind(), ErrorKind::ReadOnly);
}

#[test]
fn parts_of_chunks_new_shapes_moves_and_removals_work() {
    let repository = in_memory();
    let session = repository.write("main").unwrap();
    let mut expected = elements();
    expected.truncate(15 * 50);
    for at in [353, 354, 403, 404] {
        expected[at] = -1;
    }
    for name in ["plain", "sharded"] {
        let array = array(&session, name);
        array.write_elements(&Selection::parse("7:9, 3:5").unwrap(), &[2, 2], &[-1; 4]).unwrap();
        array.resize(&[70, 50]).unwrap();
        array.resize(&[15, 50]).unwrap();
        assert_eq!(read(&session, name), expected, "{name}");
    }
    assert_eq!(array(&session, "plain").source().n_stored().unwrap(), 2);
    let container = container(&session);
    container.rename(&path("plain"), &path("group/moved")).unwrap();
    container.remove(&path("sharded")).unwrap();
    assert_eq!(container.names(&NodePath::root()).unwrap(), ["group"]);
    assert_eq!(read(&session, "group/moved"), expected);
    session.commit("moved").unwrap();
    let diff = repository.diff(&before(&repository), &tip()).unwrap();
    assert!(diff.deleted_arrays.contains("/sharded"), "{diff:?}");
    assert!(diff.new_arrays.contains("/group/moved"), "{diff:?}");
}

#[test]
fn a_second_committer_rebases_where_there_is_no_conflict() {
    let repository = in_memory();
    let [one, other] = [(); 2].map(|()| repository.write("main").unwrap());
    row(&one, 0, -1);
    row(&other, 20, -2);
    one.commit("one").unwrap();
    let error = other.commit("other").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(error.hint().unwrap().contains("rebase"), "{error:?}");
    assert_eq!(other.rebase(OnConflict::Fail).unwrap(), Rebased::Done);
    other.commit("other").unwrap();
    let found = read(&repository.read(&tip()).unwrap(), "plain");
    assert_eq!((found[0], found[20 * 50]), (-1, -2));
    let diff = repository.diff(&before(&repository), &tip()).unwrap();
    assert_eq!(diff.updated_chunks["/plain"], [[2, 0]]);
}

#[test]
fn a_conflict_is_told_or_solved_as_one_likes() {
    for (on_conflict, expected) in [(OnConflict::Ours, -2), (OnConflict::Theirs, -1)] {
        let repository = in_memory();
        let [one, other] = [(); 2].map(|()| repository.write("main").unwrap());
        row(&one, 0, -1);
        row(&other, 0, -2);
        one.commit("one").unwrap();
        let Rebased::Conflicts(conflicts) = other.rebase(OnConflict::Fail).unwrap() else {
            panic!("both have changed a chunk")
        };
        assert_eq!(conflicts.len(), 1);
        assert_eq!(conflicts[0].path.as_deref(), Some("/plain"));
        assert_eq!(conflicts[0].chunks, [[0, 0]]);
        assert_eq!(other.rebase(on_conflict).unwrap(), Rebased::Done);
        // Where theirs stays, there may be nothing left to commit.
        if other.is_changed().unwrap() {
            other.commit("other").unwrap();
        }
        assert_eq!(read(&repository.read(&tip()).unwrap(), "plain")[0], expected);
    }
}

#[test]
fn branches_and_tags_name_snapshots() {
    let repository = in_memory();
    let id = repository.resolve(&tip()).unwrap();
    repository.create_tag("v1", &tip()).unwrap();
    repository.create_branch("side", &Version::snapshot(&id)).unwrap();
    let session = repository.write("side").unwrap();
    row(&session, 0, 7);
    session.commit("aside").unwrap();
    for (version, expected) in [
        (Version::branch("side"), 7),
        (tip(), 0),
        (Version::tag("v1"), 0),
        (Version::snapshot(&id), 0),
    ] {
        assert_eq!(read(&repository.read(&version).unwrap(), "plain")[0], expected, "{version}");
    }
    repository.reset_branch("main", &Version::branch("side")).unwrap();
    assert_eq!(read(&repository.read(&tip()).unwrap(), "plain")[0], 7);
    repository.delete_branch("side").unwrap();
    repository.delete_tag("v1").unwrap();
    assert_eq!(repository.branches().unwrap().into_iter().collect::<Vec<_>>(), ["main"]);
    assert!(repository.tags().unwrap().is_empty());
    for missing in [Version::tag("v1"), Version::branch("side")] {
        assert_eq!(repository.read(&missing).unwrap_err().kind(), ErrorKind::NotFound, "{missing}");
    }
    let error = repository.read(&Version::snapshot("no id")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn what_is_forgotten_is_as_before() {
    let repository = in_memory();
    let session = repository.write("main").unwrap();
    row(&session, 0, -1);
    session.discard().unwrap();
    assert_eq!(read(&session, "plain"), elements());
    assert_eq!(session.commit("nothing").unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("repository");
    let folder = folder.to_str().unwrap();
    let kind = |result: stook_core::Result<Repository>| result.unwrap_err().kind();
    assert_eq!(kind(Repository::open(folder, [])), ErrorKind::NotFound);
    Repository::create(folder, []).unwrap();
    assert_eq!(kind(Repository::create(folder, [])), ErrorKind::AlreadyExists);
    Repository::require(folder, []).unwrap();
    let unknown = Repository::open("s3://bucket/a", [("no_such_option", "1")]).unwrap_err();
    assert!(unknown.to_string().contains("no_such_option"), "{unknown}");
    assert_eq!(kind(Repository::open("https://host/a", [])), ErrorKind::Unsupported);
    let error = Repository::create(folder, [("spec_version", "9")]).unwrap_err();
    assert!(error.to_string().contains("`9`"), "{error}");
    let options = OpenOptions::read_write();
    let empty = Repository::create("memory://", []).unwrap().write("main").unwrap();
    let error = ZarrContainer::create(empty.store(), Format::ZarrV2, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    let session = in_memory().write("main").unwrap();
    assert!(!session.store().get("plain/no/key", &mut Vec::new(), 99).unwrap());
}
