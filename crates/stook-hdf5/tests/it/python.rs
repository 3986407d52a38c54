//! Peers in Python: h5py, hdf5plugin and PyTables, where `STOOK_TEST_PYTHON` names a Python that
//! has them; without it these checks are left out.

use std::path::Path;
use std::process::Command;

/// Runs `script` with `file` as its argument. Its assertions are the test's.
#[track_caller]
pub(crate) fn python(script: &str, file: &Path) {
    let Some(python) = std::env::var_os("STOOK_TEST_PYTHON") else { return };
    let prelude = "import sys\nimport h5py\nimport numpy as np\npath = sys.argv[1]\n";
    let output =
        Command::new(python).arg("-c").arg(format!("{prelude}{script}")).arg(file).output();
    let output = output.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{errors}");
}
