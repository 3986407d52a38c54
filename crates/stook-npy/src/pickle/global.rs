//! What a pickle may name: data, each made by code of ours.

use stook_core::{Error, Result};

/// A name that is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Global {
    Reconstruct,
    Scalar,
    FromBuffer,
    NdArray,
    DType,
    DateTime,
    Date,
    TimeDelta,
    Path,
    OrderedDict,
    Complex,
    Slice,
    Range,
    Set,
    FrozenSet,
    Bytes,
    ByteArray,
    Encode,
    Time,
    Dict,
    Reconstructor,
}

/// The modules under which each is known, in all versions of Python and numpy.
const TABLE: [(Global, &[&str], &[&str]); 21] = [
    (Global::Reconstruct, MULTIARRAY, &["_reconstruct"]),
    (Global::Scalar, MULTIARRAY, &["scalar"]),
    (Global::FromBuffer, &["numpy.core.numeric", "numpy._core.numeric"], &["_frombuffer"]),
    (Global::NdArray, &["numpy"], &["ndarray"]),
    (Global::DType, &["numpy"], &["dtype"]),
    (Global::DateTime, &["datetime"], &["datetime"]),
    (Global::Date, &["datetime"], &["date"]),
    (Global::TimeDelta, &["datetime"], &["timedelta"]),
    (
        Global::Path,
        &["pathlib", "pathlib._local"],
        &["Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath"],
    ),
    (Global::OrderedDict, &["collections"], &["OrderedDict"]),
    (Global::Complex, BUILTINS, &["complex"]),
    (Global::Slice, BUILTINS, &["slice"]),
    (Global::Range, BUILTINS, &["range", "xrange"]),
    (Global::Set, BUILTINS, &["set"]),
    (Global::FrozenSet, BUILTINS, &["frozenset"]),
    (Global::Bytes, BUILTINS, &["bytes"]),
    (Global::ByteArray, BUILTINS, &["bytearray"]),
    (Global::Encode, &["_codecs"], &["encode"]),
    (Global::Time, &["datetime"], &["time"]),
    (Global::Dict, BUILTINS, &["dict"]),
    (Global::Reconstructor, &["copyreg", "copy_reg"], &["_reconstructor"]),
];
const MULTIARRAY: &[&str] = &["numpy.core.multiarray", "numpy._core.multiarray"];
const BUILTINS: &[&str] = &["builtins", "__builtin__"];

impl Global {
    /// What `module.name` is.
    ///
    /// # Errors
    /// `Unsupported` naming it, where it is not allowed.
    pub(super) fn find(module: &str, name: &str) -> Result<Self> {
        let is_it = |(_, modules, names): &&(Self, &[&str], &[&str])| {
            modules.contains(&module) && names.contains(&name)
        };
        let found = TABLE.iter().find(is_it).map(|(global, ..)| *global);
        found.ok_or_else(|| Self::refused(module, name))
    }

    /// The error of a name that is not allowed.
    pub(super) fn refused(module: &str, name: &str) -> Error {
        Error::unsupported(format!(
            "pickle: it names `{}.{}`, which is not plain data",
            module.escape_default(),
            name.escape_default()
        ))
        .with_hint("a pickle is read as data here and never run")
    }
}
