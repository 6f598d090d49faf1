//! What a build with every feature needs of the system, installed where it is missing: librdkafka, which the feature
//! `kafka` brings, is made by make and links the system's OpenSSL.

use std::process::Command;

use crate::failure::Failure;
use crate::servers::install_packages;
use crate::shell;

const PACKAGES: [&str; 3] = ["make", "pkg-config", "libssl-dev"];

/// Installs what is missing.
///
/// # Errors
/// Where something is missing and cannot be installed.
pub fn prepare() -> Result<(), Failure> {
    if is_there() { Ok(()) } else { install_packages(&PACKAGES) }
}

/// Tells whether OpenSSL's headers are found by the way in which the build looks for them.
fn is_there() -> bool {
    let found = |program: &str| shell::find(program).is_some();
    found("make") && found("pkg-config") && has_openssl()
}

fn has_openssl() -> bool {
    let asked = Command::new("pkg-config").args(["--exists", "openssl"]).status();
    asked.is_ok_and(|status| status.success())
}
