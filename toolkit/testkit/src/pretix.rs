//! A pretix of a test's own on a copy of the seeded database, killed and started again on the same port.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ieum_core::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::port::KeptPort;
use crate::process::{Child, ProcessError};
use crate::server;

/// The copy of the database as it was when it was seeded, beside the file that describes it.
pub const SEEDED: &str = "seeded.sqlite3";

/// How long pretix may take to come up.
const PATIENCE: Duration = Duration::from_secs(300);

/// Why a pretix of one's own does not run.
#[derive(Debug, thiserror::Error)]
pub enum PretixError {
    /// Its folder, settings or database could not be written.
    #[error("preparing a pretix in {folder:?}")]
    Prepare {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its process could not be started.
    #[error("starting a pretix")]
    Start(#[source] ProcessError),
    /// It does not answer.
    #[error("starting a pretix: it does not answer; its log ends with {log:?}")]
    Silent {
        /// The log's end.
        log: String,
    },
}

/// A pretix that may be killed. Dropping it kills it.
#[derive(Debug)]
pub struct OwnPretix {
    gunicorn: PathBuf,
    folder: PathBuf,
    /// Its own also while it is dead.
    port: KeptPort,
    child: Option<Child>,
}

impl OwnPretix {
    /// Prepares a pretix in `folder` with what the shared one was seeded with. `None` where none was started.
    ///
    /// # Errors
    /// [`PretixError::Prepare`].
    pub fn prepare(folder: &Path) -> Result<Option<Self>, PretixError> {
        let (Some(gunicorn), Some(seed)) = (server::pretix_gunicorn(), server::pretix_seed()) else {
            return Ok(None);
        };
        let failed = |source| PretixError::Prepare { folder: folder.to_owned(), source };
        fs::copy(seed.with_file_name(SEEDED), folder.join("db.sqlite3")).map_err(failed)?;
        let port = KeptPort::take();
        write_config(folder, port.number()).map_err(failed)?;
        Ok(Some(Self { gunicorn, folder: folder.to_owned(), port, child: None }))
    }

    /// Returns its address, the same after every start.
    pub fn url(&self) -> String {
        format!("http://{}", self.port.address())
    }

    /// Starts it and waits until it answers: it listens long before it has loaded all it needs for that.
    ///
    /// # Errors
    /// [`PretixError::Start`] and [`PretixError::Silent`].
    pub async fn start(&mut self) -> Result<(), PretixError> {
        // One worker that is loaded before it forks: with two it takes twice the time to come up.
        let mut command = command(&self.gunicorn, &self.folder, self.port.number());
        command.args(["--preload", "--workers", "1", "--threads", "8"]);
        let child = Child::start("pretix", command, &self.folder.join("log")).map_err(PretixError::Start)?;
        let child = self.child.insert(child);
        let begun = SystemClock.moment();
        while !answers(self.port.number()).await {
            if child.ended().is_some() || SystemClock.moment().since(begun) > PATIENCE {
                return Err(PretixError::Silent { log: child.log_tail(5) });
            }
            SystemClock.sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Kills it and its workers at once, whatever they do (`kill -9`).
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill();
        }
    }
}

/// Tells whether pretix asks a stranger for a token, as it does once it is ready.
async fn answers(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
        stream.write_all(b"GET /api/v1/organizers/ HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").await.ok()?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.ok()?;
        head.ends_with(b"401").then_some(())
    };
    tokio::select! {
        answer = ask => answer.is_some(),
        () = SystemClock.sleep(PATIENCE) => false,
    }
}

/// Returns the command that serves the pretix in `folder` on `port` of 127.0.0.1; workers are the caller's.
pub fn command(gunicorn: &Path, folder: &Path, port: u16) -> Command {
    let mut command = Command::new(gunicorn);
    command.args(["pretix.wsgi", "--bind", &format!("127.0.0.1:{port}"), "--no-control-socket"]);
    command.current_dir(folder);
    command.env("PRETIX_CONFIG_FILE", config_file(folder)).env("DJANGO_SETTINGS_MODULE", "pretix.settings");
    command
}

/// Writes pretix' settings: SQLite, no Redis, tasks run at once, webhooks may go to loopback addresses.
///
/// # Errors
/// A folder that cannot be written.
pub fn write_config(folder: &Path, port: u16) -> io::Result<PathBuf> {
    let text = format!(
        "[pretix]\ninstance_name=Ieum tests\nurl=http://127.0.0.1:{port}\ndatadir={}\n\
         allow_http_to_private_networks=on\n[database]\nbackend=sqlite3\n[django]\ndebug=off\n",
        folder.display()
    );
    let file = config_file(folder);
    fs::write(&file, text)?;
    Ok(file)
}

fn config_file(folder: &Path) -> PathBuf {
    folder.join("pretix.cfg")
}
