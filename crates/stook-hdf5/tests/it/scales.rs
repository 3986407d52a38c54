//! Names of axes and the arrays that hold their coordinates.

use stook_core::container::{Container, Durability};
use stook_core::{ArraySpec, AttributeEdits, DType, Selection};

use crate::python::python;
use crate::support::{array, create, node, open_again, scratch};

fn named(shape: &[u64], names: &[&str]) -> ArraySpec {
    let mut spec = ArraySpec::new(DType::Float64, shape);
    let names = names.iter().map(|name| (!name.is_empty()).then(|| (*name).to_owned()));
    spec.dimension_names = Some(names.collect());
    spec
}

#[test]
fn coordinates_of_named_axes_become_their_scales() {
    let (_dir, path, file) = scratch();
    // The array comes before its coordinates, one of which lies above it.
    create(&file, "g/data", &named(&[2, 3, 4, 5], &["y", "x", "", "z"]));
    file.commit(Durability::Flush).unwrap();
    let y = create(&file, "y", &named(&[2], &["y"]));
    y.write_elements(&Selection::All, &[2], &[0.5, 1.5]).unwrap();
    create(&file, "g/x", &named(&[3], &["x"]));
    // None of these is a coordinate: of another length, of an axis of another name, none at all.
    create(&file, "g/z", &named(&[4], &["z"]));
    create(&file, "z", &named(&[5], &["other"]));
    create(&file, "g/again", &named(&[3], &["x"]));
    drop((y, file));
    let check = r#"
with h5py.File(path) as f:
    d = f["g/data"]
    assert [a.label for a in d.dims] == ["y", "x", "", "z"]
    assert [list(a.keys()) for a in d.dims] == [["y"], ["x"], [], []]
    assert d.dims[0][0] == f["y"] and d.dims[1]["x"] == f["g/x"]
    assert d.dims[0][0][...].tolist() == [0.5, 1.5]
    assert f["y"].is_scale and f["g/x"].is_scale and not f["z"].is_scale
    assert f["g/again"].dims[0][0] == f["g/x"]
    references = {f[r["dataset"]].name: r["dimension"] for r in f["g/x"].attrs["REFERENCE_LIST"]}
    assert references == {"/g/data": 1, "/g/again": 0}, references
"#;
    python(check, &path);
    let file = open_again(&path);
    for name in ["g/data", "y", "g/x", "g/again", "z"] {
        assert!(file.attributes(&node(name)).unwrap().is_empty(), "{name}");
        file.edit_attributes(&node(name), &AttributeEdits::new().clear()).unwrap();
    }
    let names = array(&file, "g/data").spec().dimension_names.clone().unwrap();
    assert_eq!(names, [Some("y".into()), Some("x".into()), None, Some("z".into())]);
    drop(file);
    python(check, &path);
    python(
        r#"
with h5py.File(path, "r+") as f:
    f["g/data"].dims[1].detach_scale(f["g/x"])
    f["g/data"].dims[0].attach_scale(f["z"])
    f["g/data"].dims[1].attach_scale(f["g/x"])
    assert list(f["g/data"].dims[1].keys()) == ["x"]
"#,
        &path,
    );
}

#[test]
fn scales_of_others_name_axes() {
    if std::env::var_os("STOOK_TEST_PYTHON").is_none() {
        return;
    }
    let (_dir, path, file) = scratch();
    drop(file);
    python(
        r#"
with h5py.File(path, "w") as f:
    f["lat"], f["lon"] = np.arange(3.0), np.arange(4.0)
    f["lat"].make_scale("latitude of somewhere")
    f["lon"].make_scale("lon")
    f["d"] = np.zeros((3, 4))
    f["d"].dims[0].attach_scale(f["lat"])
    f["d"].dims[1].attach_scale(f["lon"])
    f["d"].dims[1].label = "own"
"#,
        &path,
    );
    let file = open_again(&path);
    let names = |name: &str| array(&file, name).spec().dimension_names.clone().unwrap();
    assert_eq!(names("d"), [Some("lat".into()), Some("own".into())]);
    assert_eq!(names("lon"), [Some("lon".into())]);
    // What the names do not say stays in sight.
    let attributes = file.attributes(&node("d")).unwrap();
    let list: Vec<_> = attributes.iter().map(|(name, _)| name).collect();
    assert_eq!(list, ["DIMENSION_LIST"]);
    assert_eq!(file.attributes(&node("lat")).unwrap().len(), 3);
}
