//! Installing servers: Debian packages in one go, then what each server prepares for itself.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::Kind;
use crate::failure::{Failure, Tried};
use crate::shell;

/// Debian's switch that keeps packages from starting their services; see invoke-rc.d(8).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs what `kinds` need and is missing. Returns the servers that cannot run, with the reason.
pub fn install(kinds: &[&'static Kind]) -> Vec<(&'static str, Failure)> {
    let lacking: Vec<&Kind> = kinds.iter().copied().filter(|kind| lacks(kind).is_some()).collect();
    let packages: BTreeSet<&str> = lacking.iter().flat_map(|kind| kind.packages.iter().copied()).collect();
    let packages: Vec<&str> = packages.into_iter().collect();
    let installed = if packages.is_empty() { Ok(()) } else { install_packages(&packages) };
    let mut missing = Vec::new();
    for kind in kinds {
        if let Some(program) = lacks(kind) {
            let why = installed.as_ref().err().map_or_else(
                || format!("the packages {} do not bring {program}", kind.packages.join(" ")),
                ToString::to_string,
            );
            missing.push((kind.name, Failure(format!("{program} is not installed: {why}"))));
        } else if let Err(failure) = (kind.prepare)() {
            missing.push((kind.name, failure));
        }
    }
    missing
}

/// Returns the first program of `kind` that is not there.
fn lacks(kind: &Kind) -> Option<&'static str> {
    kind.programs
        .iter()
        .copied()
        .find(|program| shell::find(program).is_none() && !is_postgres_program(program))
}

/// PostgreSQL's programs lie in a folder of their version, off the path.
fn is_postgres_program(program: &str) -> bool {
    super::postgres::programs().is_ok_and(|folder| folder.join(program).is_file())
}

/// Installs Debian packages.
///
/// # Errors
/// Where there is no apt-get, where we may not install, and where that fails.
pub fn install_packages(packages: &[&str]) -> Result<(), Failure> {
    let wanted = packages.join(" ");
    if shell::find("apt-get").is_none() {
        return Err(Failure(format!("there is no apt-get here; install what Debian calls {wanted}")));
    }
    if !shell::is_root() {
        return Err(Failure(format!("only root may install; run: sudo apt-get install {wanted}")));
    }
    println!("installing {wanted}");
    let ours = forbid_service_starts()?;
    let outcome = apt_install(packages).or_else(|_| {
        // The lists may be old or missing: once, and only now, they are brought up to date.
        shell::read("apt-get update", Command::new("apt-get").args(["update", "-qq"]))?;
        apt_install(packages)
    });
    if ours {
        std::fs::remove_file(POLICY).tried(format_args!("removing {POLICY}"))?;
    }
    outcome
}

fn apt_install(packages: &[&str]) -> Result<(), Failure> {
    let mut command = Command::new("apt-get");
    command.args(["install", "-y", "-qq", "--no-install-recommends"]).args(packages);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    shell::read("apt-get install", &mut command).map(drop)
}

/// Writes the file that keeps services from starting, unless there is one. Returns whether it is ours.
fn forbid_service_starts() -> Result<bool, Failure> {
    use std::os::unix::fs::PermissionsExt;
    let policy = Path::new(POLICY);
    if policy.exists() {
        return Ok(false);
    }
    let tried = format!("writing {POLICY}");
    std::fs::write(policy, "#!/bin/sh\nexit 101\n").tried(&tried)?;
    std::fs::set_permissions(policy, std::fs::Permissions::from_mode(0o755)).tried(&tried)?;
    Ok(true)
}
