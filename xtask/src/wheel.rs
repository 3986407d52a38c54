//! `cargo xtask wheel`: the Python package as a file that pip installs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::process::{self, Attempt as _, Failure, Result};
use crate::report::{self, Report};
use crate::setup::{Cargo, Environment, Role, Workspace};

const MANIFEST: &str = "crates/stook-python/Cargo.toml";

/// How a wheel is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As `cargo test` compiles, so that what it compiled is used again.
    Dev,
    /// As it is published.
    Release,
}

/// Builds the release wheel.
pub(crate) fn run(workspace: &Workspace) -> ExitCode {
    let mut report = Report::new("stook wheel");
    let wheel = report
        .step("cmake and maturin from PyPI", || workspace.environment(Role::Build))
        .and_then(|environment| {
            report.step("release wheel", || build(workspace, &environment, Profile::Release))
        });
    let code = report.finish();
    if let Some(wheel) = wheel {
        let command = format!("pip install {}", workspace.shown(&wheel));
        println!("\nWhat to type next:\n  {}", report::bold(&command));
    }
    code
}

/// Builds a wheel and returns its path. A release lies in `target/wheels`; a development build
/// lies apart from it, because the names are the same.
pub(crate) fn build(
    workspace: &Workspace,
    environment: &Environment,
    profile: Profile,
) -> Result<PathBuf> {
    let cargo = Cargo::new(workspace, environment)?;
    let folder = workspace.target(match profile {
        Profile::Dev => "xtask/wheels",
        Profile::Release => "wheels",
    });
    remove_wheels(&folder)?;
    let mut command = cargo.prepared(&environment.program("maturin"));
    command.args(["build", "--locked", "--manifest-path", MANIFEST, "--out"]).arg(&folder);
    command.arg("--interpreter").arg(cargo.python());
    match profile {
        // A wheel for this machine alone needs no look at the libraries it links.
        Profile::Dev => command.args(["--profile", "dev", "--compatibility", "linux"]),
        Profile::Release => command.arg("--release"),
    };
    process::show(&mut command)?;
    only_wheel(&folder)
}

/// Installs a wheel over the one that is there; what it depends on is in the requirements.
pub(crate) fn install(environment: &Environment, wheel: &Path) -> Result<()> {
    let mut command = environment.pip_install();
    command.args(["--force-reinstall", "--no-deps"]).arg(wheel);
    process::capture(&mut command).map(drop)
}

fn wheels(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).attempt(|| format!("cannot list {folder:?}"))?;
    let mut wheels = Vec::new();
    for entry in entries {
        let path = entry.attempt(|| format!("cannot list {folder:?}"))?.path();
        let is_ours =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("stook-"));
        if is_ours && path.extension().is_some_and(|extension| extension == "whl") {
            wheels.push(path);
        }
    }
    Ok(wheels)
}

fn remove_wheels(folder: &Path) -> Result<()> {
    for wheel in wheels(folder)? {
        fs::remove_file(&wheel).attempt(|| format!("cannot remove {wheel:?}"))?;
    }
    Ok(())
}

fn only_wheel(folder: &Path) -> Result<PathBuf> {
    let mut wheels = wheels(folder)?;
    match (wheels.pop(), wheels.len()) {
        (Some(wheel), 0) => Ok(wheel),
        (found, rest) => Err(Failure::new(format!(
            "expected one wheel of stook in {folder:?}, found {}",
            rest + usize::from(found.is_some())
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_wheels_are_removed_and_other_files_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["stook-0.1.0-cp311-abi3-any.whl", "stook-0.0.9.whl", "other-1.whl", "stook-a"]
        {
            fs::write(path(name), "").unwrap();
        }
        assert!(only_wheel(folder.path()).unwrap_err().message.contains("found 2"));
        remove_wheels(folder.path()).unwrap();
        assert!(only_wheel(folder.path()).unwrap_err().message.contains("found 0"));
        assert!(path("other-1.whl").exists() && path("stook-a").exists());
        fs::write(path("stook-0.1.0.whl"), "").unwrap();
        assert_eq!(only_wheel(folder.path()).unwrap(), path("stook-0.1.0.whl"));
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_wheels() {
        assert!(wheels(Path::new("no/such/folder")).unwrap().is_empty());
    }
}
