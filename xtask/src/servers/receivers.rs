//! The Python environment of the receivers of notifications; pretix, whose parts want others beside them, has its own.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::{libraries, shell};

/// The mail server.
pub const AIOSMTPD: &str = "aiosmtpd==1.4.6";
/// Amazon's services.
pub const MOTO: &str = "moto[server]==5.2.5";

const ENVIRONMENT: &str = "py-receivers";

/// Returns the interpreter that has both.
pub fn python() -> Result<PathBuf, Failure> {
    Ok(shell::cache_folder()?.join(ENVIRONMENT).join("bin").join("python"))
}

/// Installs both, once. Both kinds prepare, one after the other: the second finds everything there.
pub fn prepare() -> Result<(), Failure> {
    libraries::python_in(ENVIRONMENT, &[AIOSMTPD, MOTO]).map(drop)
}
