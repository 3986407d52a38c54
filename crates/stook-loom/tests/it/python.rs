//! h5py reads what is written, in the layout that the oldest readers know; where
//! `STOOK_TEST_PYTHON` names a Python that has it.

use std::process::Command;

use stook_loom::Axis;

use crate::support::{scratch, small};

const JUDGE: &str = r#"
import sys, h5py, numpy as np
f = h5py.File(sys.argv[1], "r")
assert open(sys.argv[1], "rb").read(9)[8] == 0, "superblock"
m = f["matrix"]
assert m.chunks == (3, 4) and m.maxshape == (3, None), (m.chunks, m.maxshape)
assert m.compression == "gzip" and m.compression_opts == 2 and not m.shuffle
assert not m.fletcher32 and m.dtype == "f4"
assert (m[:] == np.arange(3)[:, None] * 100 + np.arange(4)[::-1]).all(), m[:]
assert f["row_attrs/Gene"].asstr()[:].tolist() == ["Actb", "Gapdh", "βé"]
assert h5py.check_string_dtype(f["row_attrs/Gene"].dtype).encoding == "utf-8"
assert f["row_attrs/Gene"].maxshape == (3,)
assert f["attrs/LOOM_SPEC_VERSION"].asstr()[()] == "3.0.0"
g = f["col_graphs/KNN"]
assert g["a"].dtype == "i4" and g["w"].dtype == "f4" and g["a"].chunks is None
for name in ["/", "row_attrs", "matrix", "row_attrs/Gene", "col_graphs", "col_graphs/KNN"]:
    stamp = f[name].attrs["last_modified"]
    assert isinstance(stamp, str) and len(stamp) == 23 and stamp.endswith("Z"), stamp
"#;

#[test]
fn h5py_finds_the_layout() {
    let (_folder, path) = scratch();
    let loom = small(&path);
    loom.permute(Axis::Columns, &[3, 2, 1, 0]).unwrap();
    loom.close().unwrap();
    let Some(python) = std::env::var_os("STOOK_TEST_PYTHON") else { return };
    let output = Command::new(python).arg("-c").arg(JUDGE).arg(&path).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}
