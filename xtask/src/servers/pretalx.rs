//! pretalx, a real system for programmes, on SQLite, with an event, rooms, released talks and an API token in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Kind, Started, probe, spawn, wait_ready};
use crate::failure::{Failure, Tried};
use crate::{libraries, shell};

/// What pip installs: the system and its web server.
const PARTS: [&str; 2] = ["pretalx==2025.2.2", "gunicorn"];

/// The environment is its own: pretix wants other versions of the same libraries.
const ENVIRONMENT: &str = "py-pretalx";

pub const KIND: Kind =
    Kind { name: "pretalx", packages: &["python3", "python3-venv"], programs: &["python3"], prepare, start };

/// The environment that holds pretalx.
struct Home {
    python: PathBuf,
    gunicorn: PathBuf,
    /// A database with every table and nothing in it; making one takes a minute.
    template: PathBuf,
}

fn home() -> Result<Home, Failure> {
    let cache = shell::cache_folder()?;
    let programs = cache.join(ENVIRONMENT).join("bin");
    let release = PARTS[0].replace("==", "-");
    Ok(Home {
        python: programs.join("python"),
        gunicorn: programs.join("gunicorn"),
        template: cache.join(release).join("empty.sqlite3"),
    })
}

/// Installs pretalx into the cache folder and makes the empty database, each once.
fn prepare() -> Result<(), Failure> {
    libraries::python_in(ENVIRONMENT, &PARTS)?;
    let home = home()?;
    if home.template.is_file() { Ok(()) } else { make_template(&home) }
}

fn make_template(home: &Home) -> Result<(), Failure> {
    println!("making pretalx' empty database and its pages");
    let folder = home.template.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder).tried(format_args!("making {}", folder.display()))?;
    let work = tempfile::tempdir_in(folder).tried("making a temporary folder")?;
    let config = write_config(work.path(), 80)?;
    let manage = |arguments: &[&str]| {
        let mut command = Command::new(&home.python);
        command.args(["-m", "pretalx"]).args(arguments).args(["--verbosity", "0"]);
        command.env("PRETALX_CONFIG_FILE", &config).env("PRETALX_NO_INITIAL_LOG", "1");
        shell::read("pretalx' own chores", command.current_dir(work.path()))
    };
    manage(&["migrate"])?;
    // Without its style sheets even an error page is one more error.
    manage(&["collectstatic", "--noinput"])?;
    // Moved only when it is whole, so that a run that was stopped leaves no half of it.
    std::fs::rename(work.path().join("db.sqlite3"), &home.template).tried("keeping pretalx' empty database")
}

fn start(folder: &Path) -> Result<Started, Failure> {
    let home = home()?;
    let [port] = probe::free_ports()?;
    let url = format!("http://127.0.0.1:{port}");
    std::fs::copy(&home.template, folder.join("db.sqlite3")).tried("copying pretalx' empty database")?;
    let config = write_config(folder, port)?;
    let mut fill = Command::new(&home.python);
    fill.arg(shell::root().join("toolkit/testkit/pretalx/seed.py")).current_dir(folder);
    fill.env("PRETALX_CONFIG_FILE", &config).env("PRETALX_NO_INITIAL_LOG", "1").env("SEED_URL", &url);
    let made = shell::read("filling pretalx", &mut fill)?;
    let seed = folder.join("seed.json");
    std::fs::write(&seed, &made).tried("writing what pretalx holds")?;
    let mut command = Command::new(&home.gunicorn);
    command.args(["pretalx.wsgi", "--bind", &format!("127.0.0.1:{port}"), "--no-control-socket"]);
    command.args(["--workers", "2", "--threads", "4"]).current_dir(folder);
    command.env("PRETALX_CONFIG_FILE", &config).env("DJANGO_SETTINGS_MODULE", "pretalx.settings");
    command.env("PRETALX_NO_INITIAL_LOG", "1");
    let mut child = spawn("pretalx", command, folder)?;
    // The event is public: an answer means that pretalx has found its database.
    wait_ready(&mut child, || probe::http_status(port, "GET", "/api/events/conf/") == Some(200))?;
    Ok(Started {
        url,
        version: PARTS[0].replace("==", " "),
        settings: vec![("IEUM_TEST_PRETALX_SEED", seed.display().to_string())],
        child,
    })
}

/// Writes pretalx' settings: SQLite, no Redis, tasks run at once.
fn write_config(folder: &Path, port: u16) -> Result<PathBuf, Failure> {
    let shown = folder.display();
    let text = format!(
        "[site]\ndebug=False\nurl=http://127.0.0.1:{port}\n[filesystem]\ndata={shown}\n\
         [database]\nbackend=sqlite3\nname={shown}/db.sqlite3\n"
    );
    let file = folder.join("pretalx.cfg");
    std::fs::write(&file, text).tried("writing the settings of pretalx")?;
    Ok(file)
}
