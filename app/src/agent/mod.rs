//! `ieum device run`: a small agent on the device itself. It hears, says and plays, and loses nothing while offline.

mod recordings;
mod state;
mod told;
mod words;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Secret, SharedClock, parse_duration, system_clock};
use ieum_device::is_device_id;
use ieum_edge::{Address, Agent, AgentError, AgentOptions, ConnectError, Trust};
use tokio_util::sync::CancellationToken;

use crate::cli::RunDevice;
use crate::config::Settings;
use crate::output::Output;
use crate::secret_files;
use crate::up::stop_signal;
use told::Told;

/// What everything that says something needs.
#[derive(Clone)]
struct Speaker {
    agent: Agent,
    language: String,
    area: String,
    told: Arc<Told>,
    clock: SharedClock,
}

impl Speaker {
    /// Returns what is said beside words and sounds alike, where settings have it.
    fn besides(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let known = [("language", self.language.as_str()), ("area", self.area.as_str())];
        known.into_iter().filter(|(_, value)| !value.is_empty())
    }
}

/// Says why the agent cannot begin.
#[derive(Debug, thiserror::Error)]
enum BeginError {
    #[error(
        "running a device: its id is missing; give --device ID, or set agent.device, to what `ieum device add` was told"
    )]
    Nameless,
    #[error("running a device: its id {0:?} is none; use 1 to 60 letters, digits, '-', '_', '.' or ':'")]
    Name(String),
    #[error("reading the device's secret from {path:?}; write what `ieum device add` showed into it")]
    Secret {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(
        "running a device without a secret; give --secret-file FILE, or set agent.secret_file, with what `ieum device add` \
         showed"
    )]
    Secretless(#[source] AgentError),
}

/// How often it is looked whether all is done.
const LOOK: Duration = Duration::from_millis(50);

/// Runs until a stop signal, or with `--linger` until all is done.
pub async fn run(settings: &Settings, given: RunDevice, output: &Output) -> Result<(), Box<dyn Error>> {
    let own = &settings.agent;
    let device = given.device.clone().unwrap_or_else(|| own.device.clone());
    check_name(&device)?;
    let address = match &given.url {
        Some(url) => Address::parse(url)?,
        None => own.url.clone(),
    };
    let linger = given.linger.as_deref().map(parse_duration).transpose()?;
    let secret = match given.secret_file.as_ref().or(own.secret_file.as_ref()) {
        Some(path) => Some(secret_of(path, output)?),
        None => own.secret.clone(),
    };
    let trust = match &own.authorities {
        Some(path) => Trust::from_file(path)?,
        None => Trust::of_this_machine()?,
    };
    let folder = given.state.clone().unwrap_or_else(|| settings.data.join("agent").join(&device));
    let clock = system_clock();
    let play = given.play.clone().unwrap_or_else(|| own.play.clone());
    let told = Arc::new(Told::new(*output, play, clock.clone()));
    let (_held, queue) = tokio::select! {
        opened = state::open(&folder, own.keep, &told, &clock) => opened?,
        signal = stop_signal() => return Ok(signal?),
    };
    let agent = Agent::new(queue.clone(), clock.clone());
    let speaker = Speaker {
        agent: agent.clone(),
        language: own.language.clone(),
        area: own.area.clone(),
        told: told.clone(),
        clock: clock.clone(),
    };
    told.begin(&device, &address, agent.waiting().0);
    let stop = CancellationToken::new();
    let lacks_secret = secret.is_none();
    let options = AgentOptions::new(address, &device, secret, trust);
    let running = agent.run(&options, told.clone(), stop.clone());
    let saying = say_all(&speaker, &given, own.hear.clone());
    let done = async {
        saying.await?;
        match linger {
            Some(linger) => until_done(&speaker, linger).await,
            None => std::future::pending().await,
        }
        Ok::<(), Box<dyn Error>>(())
    };
    let ending = async {
        let ended: Result<(), Box<dyn Error>> = tokio::select! {
            done = done => done,
            signal = stop_signal() => signal.map_err(Into::into),
        };
        stop.cancel();
        ended
    };
    // What is dropped here may hold a line of the queue's store, for which closing would wait without end.
    let ended = {
        tokio::pin!(running, ending);
        tokio::select! {
            ended = &mut running => ended.map_err(|error| named(error, lacks_secret)),
            ended = &mut ending => running.await.map_err(|error| named(error, lacks_secret)).and(ended),
        }
    };
    queue.close().await;
    ended
}

/// Says what is given: files first, then what is typed and heard, for as long as that goes on.
async fn say_all(speaker: &Speaker, given: &RunDevice, hear: String) -> Result<(), Box<dyn Error>> {
    for file in &given.waves {
        recordings::send_file(speaker, file).await?;
    }
    let hear = given.hear.clone().unwrap_or(hear);
    let heard = async {
        match hear.is_empty() {
            true => Ok(()),
            false => recordings::hear(speaker, &hear).await,
        }
    };
    let typed = async {
        match given.pcm {
            true => recordings::send_typed(speaker).await,
            false => words::say_typed(speaker).await,
        }
    };
    tokio::try_join!(heard, typed).map(drop)
}

/// Waits until the platform has everything and nothing came for `linger`.
async fn until_done(speaker: &Speaker, linger: Duration) {
    loop {
        speaker.clock.sleep(LOOK).await;
        let quiet = speaker.clock.moment().since(speaker.told.heard_at());
        if speaker.agent.waiting().0 == 0 && quiet >= linger {
            return;
        }
    }
}

fn check_name(device: &str) -> Result<(), BeginError> {
    match device {
        "" => Err(BeginError::Nameless),
        name if !is_agents_name(name) => Err(BeginError::Name(name.chars().take(80).collect())),
        _ => Ok(()),
    }
}

/// Tells whether an agent can run as the device of this id, which also names a folder.
pub fn is_agents_name(device: &str) -> bool {
    is_device_id(device) && !device.starts_with('.')
}

/// Says what to do where a device that has no secret is not let in.
fn named(error: AgentError, lacks_secret: bool) -> Box<dyn Error> {
    match &error {
        AgentError::Hopeless { source: ConnectError::Refused { .. }, .. } if lacks_secret => {
            BeginError::Secretless(error).into()
        }
        _ => error.into(),
    }
}

fn secret_of(path: &Path, output: &Output) -> Result<Secret, BeginError> {
    let failed = |source| BeginError::Secret { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(failed)?;
    if let Some(note) = secret_files::open_to_all(path) {
        output.note(&note);
    }
    match text.lines().next().map(str::trim).filter(|line| !line.is_empty()) {
        Some(line) => Ok(Secret::new(line)),
        None => Err(failed(std::io::Error::new(std::io::ErrorKind::InvalidData, "its first line is empty"))),
    }
}
