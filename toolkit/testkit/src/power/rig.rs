//! What a process needs to run with the shim: the compiled shim, the folder, the journal and the marks.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::History;

/// The shim's source.
const SHIM: &str = include_str!("shim.c");

/// Why there is no power to cut.
#[derive(Debug, thiserror::Error)]
pub enum PowerError {
    /// The temporary folder cannot be written.
    #[error("writing the power shim into {folder:?}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no C compiler.
    #[error("compiling the power shim with cc; install gcc or clang")]
    NoCompiler(#[source] io::Error),
    /// The compiler refuses the shim.
    #[error("compiling the power shim: {0}")]
    Compile(String),
    /// The journal cannot be read.
    #[error("reading the journal {path:?} of the power shim")]
    Journal {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A watched folder with all that a process needs to be watched in it. Dropping it removes everything.
#[derive(Debug)]
pub struct Rig {
    home: TempDir,
}

impl Rig {
    /// Compiles the shim and makes an empty folder to watch.
    ///
    /// # Errors
    /// [`PowerError`]; [`PowerError::NoCompiler`] is a reason not to run a test, any other is a failure.
    pub fn new() -> Result<Self, PowerError> {
        let home = crate::temp::folder();
        let failed = |source| PowerError::Folder { folder: home.path().to_owned(), source };
        let source = home.path().join("shim.c");
        std::fs::write(&source, SHIM).map_err(failed)?;
        std::fs::create_dir(home.path().join("disk")).map_err(failed)?;
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&home.path().join("shim.so"), &source])
            .output()
            .map_err(PowerError::NoCompiler)?;
        if !compiled.status.success() {
            return Err(PowerError::Compile(String::from_utf8_lossy(&compiled.stderr).into_owned()));
        }
        Ok(Self { home })
    }

    /// Returns the watched folder.
    pub fn folder(&self) -> PathBuf {
        self.home.path().join("disk")
    }

    /// Returns the file into which the process writes its marks, one a line; see `shim.c` for commands.
    pub fn marks(&self) -> PathBuf {
        self.home.path().join("marks")
    }

    /// Returns the journal.
    pub fn journal(&self) -> PathBuf {
        self.home.path().join("journal")
    }

    /// Returns a file for what the process prints.
    pub fn log(&self) -> PathBuf {
        self.home.path().join("log")
    }

    /// Lets `command` run with the shim.
    pub fn watch(&self, command: &mut Command) {
        let home = self.home.path();
        command
            .env("LD_PRELOAD", home.join("shim.so"))
            .env("IEUM_POWER_FOLDER", self.folder())
            .env("IEUM_POWER_JOURNAL", self.journal())
            .env("IEUM_POWER_MARKS", self.marks());
    }

    /// Reads what the process did.
    ///
    /// # Errors
    /// [`PowerError::Journal`].
    pub fn history(&self) -> Result<History, PowerError> {
        read(&self.journal())
    }
}

fn read(path: &Path) -> Result<History, PowerError> {
    History::read(path).map_err(|source| PowerError::Journal { path: path.to_owned(), source })
}
