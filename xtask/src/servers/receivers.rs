//! The Python environment of the receivers of notifications; pretix, whose parts want others beside them, has its own.

use std::path::PathBuf;
use std::process::Command;

use crate::failure::Failure;
use crate::shell;

/// The mail server.
pub const AIOSMTPD: &str = "aiosmtpd==1.4.6";
/// Amazon's services.
pub const MOTO: &str = "moto[server]==5.2.5";

/// Returns the interpreter that has both.
pub fn python() -> Result<PathBuf, Failure> {
    Ok(shell::cache_folder()?.join("receivers").join("bin").join("python"))
}

/// Installs both, once.
pub fn prepare() -> Result<(), Failure> {
    // Both kinds prepare, one after the other: the second finds everything there.
    let python = python()?;
    if !python.is_file() {
        let base = shell::find("python3")
            .ok_or_else(|| Failure("looking for python3: it is not installed".to_owned()))?;
        let folder = shell::cache_folder()?.join("receivers");
        shell::read("python3 -m venv", Command::new(base).args(["-m", "venv"]).arg(folder))?;
    }
    let pip = |arguments: &[&str]| {
        let mut command = Command::new(&python);
        command.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "install"]).args(arguments);
        shell::read("pip install", command.args([AIOSMTPD, MOTO]))
    };
    // Without an index pip can only agree with what is there, which takes no network.
    if pip(&["--no-index", "--no-deps"]).is_err() {
        println!("installing {AIOSMTPD}, {MOTO}");
        pip(&[])?;
    }
    Ok(())
}
