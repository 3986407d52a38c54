//! A file with some of everything, for looking at with other tools:
//! `STOOK_KEEP=/tmp/x.h5 cargo test -p stook-hdf5 --test it some_of_everything`.

use stook_core::container::{Container, Link};
use stook_core::{AttributeEdits, Selection, Values};
use stook_hdf5::{CreateOptions, Existing, Hdf5File};

use crate::support::{array, create, node, open};

#[test]
fn some_of_everything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = std::env::var_os("STOOK_KEEP").map_or_else(|| dir.path().join("x.h5"), Into::into);
    let options = CreateOptions { existing: Existing::Replace, ..CreateOptions::default() };
    let file = Hdf5File::create(&path, &options).unwrap();
    for name in ["dtypes.h5", "strings.h5", "layouts.h5", "filters.h5"] {
        let from = open(name);
        let top = node(name.trim_end_matches(".h5"));
        file.create_group(&top).unwrap();
        for child in from.children(&node("/")).unwrap() {
            let path = top.join(&child.name).unwrap();
            if child.kind != Some(stook_core::NodeKind::Array) || child.name == "unknown" {
                continue;
            }
            let source = array(&from, &child.name);
            let spec = from.adapt_array(&source.spec()).unwrap().value;
            let copy = create(&file, path.as_str(), &spec);
            if !spec.is_null() {
                let values = source.read(&Selection::All).unwrap();
                copy.write(&Selection::All, &values).unwrap();
            }
        }
    }
    let attributes = open("attributes.h5").attributes(&node("/")).unwrap();
    let edits = attributes.iter().filter(|(name, _)| !name.starts_with("reference"));
    let edits = edits.fold(AttributeEdits::new(), |e, (name, value)| e.set(name, value.clone()));
    let large = Values::new(stook_core::DType::UInt8, vec![70_000], vec![7; 70_000], vec![]);
    file.edit_attributes(&node("layouts"), &edits.set("large", large.unwrap())).unwrap();
    file.create_link(&node("soft"), &Link::Soft("/layouts/chunked".into())).unwrap();
    file.commit(stook_core::Durability::Fsync).unwrap();
}
