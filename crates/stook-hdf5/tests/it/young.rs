//! Groups that wait for what is made in them, and are then given to the library as one object.

use stook_core::container::{Container, NodeKind, OpenOptions, WholeArray};
use stook_core::dtype::{Charset, FixedString, Padding};
use stook_core::{AttributeEdits, AttributeValue, DType, Durability, NodePath, Selection, Values};
use stook_hdf5::Hdf5File;

use crate::support::{array, node, open_again, scratch};

fn text(text: &str) -> AttributeValue {
    let (len_bytes, charset, padding) = (text.len(), Charset::Utf8, Padding::NullTerminated);
    let dtype = DType::FixedString(FixedString { len_bytes, charset, padding });
    Values::new(dtype, Vec::new(), text.as_bytes().to_vec(), Vec::new()).unwrap().into()
}

/// An array of two numbers, made in one step.
fn make(file: &Hdf5File, at: &str, number: i64) -> bool {
    let items: Vec<u8> = [number, -number].iter().flat_map(|n| n.to_ne_bytes()).collect();
    let attributes = &AttributeEdits::new().set("CLASS", text("CARRAY")).set("TITLE", text(at));
    let whole = WholeArray { dtype: &DType::Int64, shape: &[2], items: &items, attributes };
    file.create_whole(&node(at), &whole).unwrap()
}

fn number(file: &Hdf5File, at: &str) -> i64 {
    let values = array(file, at).read(&Selection::All).unwrap();
    i64::from_ne_bytes(*values.items().first_chunk().unwrap())
}

fn names(file: &Hdf5File, at: &str) -> Vec<String> {
    file.children(&node(at)).unwrap().into_iter().map(|child| child.name).collect()
}

/// The `n` names of a group, in an order that is not theirs.
fn mixed(n: usize) -> impl Iterator<Item = (usize, String)> {
    (0..n).map(move |at| at * 7919 % n).map(|at| (at, format!("a{at}{}", "x".repeat(at % 20))))
}

/// No names, as many as a node of symbols or of the tree holds, one more, and more than wait.
const COUNTS: [usize; 8] = [0, 1, 8, 9, 256, 257, 1030, 4200];

#[test]
fn groups_are_as_the_library_reads_them() {
    let (_dir, path, file) = scratch();
    for n in COUNTS {
        let group = format!("/g{n}");
        file.create_group(&node(&group)).unwrap();
        let edits = AttributeEdits::new().set("CLASS", text("GROUP"));
        file.edit_attributes(&node(&group), &edits).unwrap();
        file.edit_attributes(&node(&group), &AttributeEdits::new().set("n", text(&n.to_string())))
            .unwrap();
        for (at, name) in mixed(n) {
            assert!(make(&file, &format!("{group}/{name}"), at as i64));
        }
    }
    drop(file);
    for options in [OpenOptions::read(), OpenOptions::read_write()] {
        let file = Hdf5File::open(&path, &options).unwrap();
        for n in COUNTS {
            let group = format!("/g{n}");
            let mut expected: Vec<String> = mixed(n).map(|(_, name)| name).collect();
            expected.sort_unstable();
            assert_eq!(names(&file, &group), expected);
            let attributes = file.attributes(&node(&group)).unwrap();
            let found: Vec<&str> = attributes.iter().map(|(name, _)| name).collect();
            assert_eq!(found, ["CLASS", "n"]);
            for (at, name) in mixed(n).step_by(n / 20 + 1) {
                assert_eq!(number(&file, &format!("{group}/{name}")), at as i64);
            }
        }
    }
}

/// The library splits nodes that are full, and joins those that become empty.
#[test]
fn groups_can_be_changed() {
    let (_dir, path, file) = scratch();
    for n in COUNTS {
        let group = format!("/g{n}");
        file.create_group(&node(&group)).unwrap();
        mixed(n).for_each(|(at, name)| assert!(make(&file, &format!("{group}/{name}"), at as i64)));
    }
    drop(file);
    let file = open_again(&path);
    for n in COUNTS {
        let group = format!("/g{n}");
        for (at, name) in mixed(n) {
            let here = node(&format!("{group}/{name}"));
            match at % 3 {
                0 => file.remove(&here).unwrap(),
                1 => file.rename(&here, &node(&format!("{group}/moved{at}"))).unwrap(),
                _ => assert!(make(&file, &format!("{group}/b{at}"), 7)),
            }
        }
    }
    drop(file);
    let file = open_again(&path);
    for n in COUNTS {
        let mut expected = Vec::new();
        for (at, name) in mixed(n) {
            match at % 3 {
                0 => {}
                1 => expected.push(format!("moved{at}")),
                _ => expected.extend([name, format!("b{at}")]),
            }
        }
        expected.sort_unstable();
        assert_eq!(names(&file, &format!("/g{n}")), expected);
        file.remove(&node(&format!("/g{n}"))).unwrap();
    }
    assert_eq!(names(&file, "/"), Vec::<String>::new());
}

#[test]
fn all_handles_see_what_waits() {
    let (_dir, path, file) = scratch();
    file.commit(Durability::Flush).unwrap();
    file.create_group(&node("/g")).unwrap();
    assert!(make(&file, "/g/a", 1));
    let other = Hdf5File::open(&path, &OpenOptions::read()).unwrap();
    assert_eq!(names(&other, "/g"), ["a"]);
    file.create_group(&node("/h")).unwrap();
    assert!(make(&file, "/h/a", 2) && make(&file, "/h/b", 3));
    assert_eq!((number(&other, "/h/b"), names(&other, "/")), (3, vec!["g".into(), "h".into()]));
    // The one that made it goes first.
    file.create_group(&node("/i")).unwrap();
    assert!(make(&file, "/i/a", 4));
    drop(file);
    assert_eq!(number(&other, "/i/a"), 4);
    drop(other);
    assert_eq!(number(&open_again(&path), "/i/a"), 4);
}

#[test]
fn what_waits_has_its_names() {
    let (_dir, path, file) = scratch();
    file.create_group(&node("/g")).unwrap();
    file.create_group(&node("/g")).unwrap_err();
    assert!(make(&file, "/h", 1), "beside it");
    file.create_group(&node("/k")).unwrap();
    assert!(make(&file, "/k/a", 1));
    assert_eq!(file.kind(&node("/k/a")).unwrap(), Some(NodeKind::Array));
    assert_eq!(file.kind(&node("/k/b")).unwrap(), None);
    assert_eq!(file.kind(&node("/k")).unwrap(), Some(NodeKind::Group));
    assert!(!make(&file, "/k/a", 2), "the name is taken");
    assert!(!make(&file, "/k/a/b", 2), "an array is no group");
    assert!(make(&file, "/k/größe", 2), "not in ASCII");
    file.create_group(&node("/k/below")).unwrap();
    assert!(make(&file, "/k/below/a", 3));
    file.create_group(&node("/k/below/more/levels")).unwrap();
    file.rename(&node("/k/below"), &node("/moved")).unwrap();
    // One that waits may go.
    file.create_group(&node("/gone")).unwrap();
    assert!(make(&file, "/gone/a", 1));
    file.remove(&node("/gone")).unwrap();
    assert!(!make(&file, "/gone/a", 1));
    file.commit(Durability::Flush).unwrap();
    drop(file);
    let file = open_again(&path);
    assert_eq!(names(&file, "/"), ["g", "h", "k", "moved"]);
    assert_eq!(names(&file, "/k"), ["a", "größe"]);
    assert_eq!(names(&file, "/moved"), ["a", "more"]);
    assert_eq!(number(&file, "/moved/a"), 3);
}

/// A commit has what waits, also in a file that others read before it is closed.
#[test]
fn commits_have_what_waits() {
    let (dir, path, file) = scratch();
    let copy = dir.path().join("copy.h5");
    for commit in 0..20 {
        file.create_group(&node(&format!("/g{commit}"))).unwrap();
        mixed(commit * 3).for_each(|(at, name)| {
            assert!(make(&file, &format!("/g{commit}/{name}"), at as i64));
        });
        file.commit(Durability::Flush).unwrap();
        std::fs::copy(&path, &copy).unwrap();
        for options in [OpenOptions::read(), OpenOptions::read_write()] {
            let file = Hdf5File::open(&copy, &options).unwrap();
            assert_eq!(names(&file, "/").len(), commit + 1);
            assert_eq!(names(&file, &format!("/g{commit}")).len(), commit * 3);
        }
    }
    file.create_group(&node("/given up")).unwrap();
    assert!(make(&file, "/given up/a", 1));
    assert!(file.discard().unwrap());
    drop(file);
    let file = open_again(&path);
    assert_eq!(file.kind(&node("/given up")).unwrap(), None);
    assert_eq!(file.children(&NodePath::root()).unwrap().len(), 20);
}

/// Threads that make groups, and one that opens and closes the file: each group is whole, and no lock
/// is waited for by who holds what another needs.
#[test]
fn threads_make_groups_of_their_own() {
    let (_dir, path, file) = scratch();
    file.commit(Durability::Flush).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let file = &file;
            scope.spawn(move || {
                for group in 0..25 {
                    let group = format!("/t{thread}g{group}");
                    file.create_group(&node(&group)).unwrap();
                    (0..6).for_each(|at| assert!(make(file, &format!("{group}/a{at}"), at)));
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..100 {
                let other = Hdf5File::open(&path, &OpenOptions::read()).unwrap();
                other.children(&NodePath::root()).unwrap();
            }
        });
    });
    drop(file);
    let file = open_again(&path);
    let groups = names(&file, "/");
    assert_eq!(groups.len(), 100);
    for group in groups {
        assert_eq!(names(&file, &format!("/{group}")), ["a0", "a1", "a2", "a3", "a4", "a5"]);
    }
}
