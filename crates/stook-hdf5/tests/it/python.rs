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

/// Defines `describe(file)`: everything that h5py finds in a file, in a form to be compared; with
/// `NATIVE` set, byte orders are left out.
pub(crate) const DESCRIBE: &str = r#"
NATIVE = False
def describe(f):
    out = {}
    def native(dtype):
        return dtype.newbyteorder("=") if NATIVE and not dtype.hasobject else dtype
    def value(x):
        if isinstance(x, h5py.Empty):
            return ("empty", x.dtype.str)
        if isinstance(x, h5py.RegionReference):
            if not x:
                return ("region", None)
            kind = h5py.h5r.get_region(x, f.id)
            return ("region", f[x].name, f[x][x].tolist(), kind.get_select_bounds())
        if isinstance(x, h5py.Reference):
            return ("ref", f[x].name if x else None)
        if isinstance(x, (np.ndarray, np.generic)) and not x.dtype.hasobject:
            x = x.astype(native(x.dtype))
        if isinstance(x, np.ndarray):
            if x.dtype.hasobject:
                return (x.shape, [value(y) for y in x.flat])
            return (x.shape, str(x.dtype), x.tobytes())
        if isinstance(x, np.void) and x.dtype.hasobject:
            return [value(y) for y in x.item()]
        if isinstance(x, np.generic):
            return (str(x.dtype), x.tobytes())
        if isinstance(x, (tuple, np.void)):
            return [value(y) for y in x]
        return x
    def visit(g, at):
        out[at + "@"] = {k: value(v) for k, v in sorted(g.attrs.items())}
        if isinstance(g, h5py.Dataset):
            plist = g.id.get_create_plist()
            filters = [plist.get_filter(i)[:3] for i in range(plist.get_nfilters())]
            try:
                data = value(g[()])
            except OSError:
                data = "unreadable"
            out[at] = (str(native(g.dtype)), g.shape, g.maxshape, g.chunks, filters, data)
        if isinstance(g, h5py.Group):
            for name in g:
                link = g.get(name, getlink=True)
                if isinstance(link, h5py.HardLink):
                    visit(g[name], at + "/" + name)
                else:
                    out[at + "/" + name] = (type(link).__name__, link.path)
    visit(f, "")
    return out
"#;
