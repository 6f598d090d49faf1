//! pretix, a real event-management system, on SQLite, with an event, paid orders and an API token in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use ieum_testkit::pretix;

use super::{Kind, Started, probe, spawn, wait_ready};
use crate::failure::{Failure, Tried};
use crate::{libraries, shell};

/// What pip installs: the shop and its web server.
const PARTS: [&str; 2] = ["pretix==2026.8.0", "gunicorn"];

pub const KIND: Kind =
    Kind { name: "pretix", packages: &["python3", "python3-venv"], programs: &["python3"], prepare, start };

/// The environment that holds pretix.
struct Home {
    python: PathBuf,
    gunicorn: PathBuf,
    /// A database with every table and nothing in it; making one takes a minute.
    template: PathBuf,
}

fn home() -> Result<Home, Failure> {
    let cache = shell::cache_folder()?;
    let programs = cache.join("py").join("bin");
    let release = PARTS[0].replace("==", "-");
    Ok(Home {
        python: programs.join("python"),
        gunicorn: programs.join("gunicorn"),
        template: cache.join(release).join("empty.sqlite3"),
    })
}

/// Installs pretix into the cache folder and makes the empty database, each once.
fn prepare() -> Result<(), Failure> {
    libraries::python_with(&PARTS)?;
    let home = home()?;
    if home.template.is_file() { Ok(()) } else { make_template(&home) }
}

fn make_template(home: &Home) -> Result<(), Failure> {
    println!("making pretix' empty database");
    let folder = home.template.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder).tried(format_args!("making {}", folder.display()))?;
    let work = tempfile::tempdir_in(folder).tried("making a temporary folder")?;
    let config = write_config(work.path(), 80)?;
    let mut command = Command::new(&home.python);
    command.args(["-m", "pretix", "migrate", "--verbosity", "0"]).env("PRETIX_CONFIG_FILE", config);
    shell::read("pretix migrate", command.current_dir(work.path()))?;
    // Moved only when it is whole, so that a run that was stopped leaves no half of it.
    std::fs::rename(work.path().join("db.sqlite3"), &home.template).tried("keeping pretix' empty database")
}

fn start(folder: &Path) -> Result<Started, Failure> {
    let home = home()?;
    let [port] = probe::free_ports()?;
    let url = format!("http://127.0.0.1:{port}");
    std::fs::copy(&home.template, folder.join("db.sqlite3")).tried("copying pretix' empty database")?;
    let config = write_config(folder, port)?;
    let mut fill = Command::new(&home.python);
    fill.arg(shell::root().join("toolkit/testkit/pretix/seed.py"));
    fill.env("PRETIX_CONFIG_FILE", &config).env("SEED_URL", &url).current_dir(folder);
    let made = shell::read("filling pretix", &mut fill)?;
    let seed = folder.join("seed.json");
    std::fs::write(&seed, &made).tried("writing what pretix holds")?;
    // Tests that kill a pretix start one of their own from here.
    std::fs::copy(folder.join("db.sqlite3"), folder.join(pretix::SEEDED))
        .tried("copying what pretix holds")?;
    let mut command = pretix::command(&home.gunicorn, folder, port);
    command.args(["--workers", "2", "--threads", "4"]);
    let mut child = spawn("pretix", command, folder)?;
    // Without a token every resource answers 401: pretix runs and has found its database.
    wait_ready(&mut child, || probe::http_status(port, "GET", "/api/v1/organizers/") == Some(401))?;
    Ok(Started {
        url,
        version: PARTS[0].replace("==", " "),
        settings: vec![
            ("IEUM_TEST_PRETIX_SEED", seed.display().to_string()),
            ("IEUM_TEST_PRETIX_GUNICORN", home.gunicorn.display().to_string()),
        ],
        child,
    })
}

fn write_config(folder: &Path, port: u16) -> Result<PathBuf, Failure> {
    pretix::write_config(folder, port).tried("writing the settings of pretix")
}
