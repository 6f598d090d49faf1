//! Calling a satellite up to its first word, and why that fails or ends.

use std::io;
use std::time::Duration;

use ieum_core::{SharedClock, describe, within};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::event::{WyomingEvent, WyomingReader, write_event};
use crate::SpeechError;

/// How long a connection may take, for who is unplugged refuses none, and then the first word.
const FIRST: Duration = Duration::from_secs(10);

/// Why a satellite is not served, or not any more.
#[derive(Debug, thiserror::Error)]
pub enum SatelliteLost {
    /// Nobody takes the call.
    #[error("calling the satellite at {address}")]
    Connect {
        /// Where it waits.
        address: String,
        /// What the connection said.
        #[source]
        source: io::Error,
    },
    /// Somebody takes the call and says nothing, or hangs up.
    #[error(
        "calling the satellite at {address}: it takes the call and says nothing; it talks with one at a time, and \
         another one, such as a Home Assistant, may call it already"
    )]
    Taken {
        /// Where it waits.
        address: String,
    },
    /// It speaks Wyoming, and says that it is something else.
    #[error(
        "calling the satellite at {address}: what answers there is no satellite but an engine or a dialogue of Wyoming"
    )]
    NoSatellite {
        /// Where it waits.
        address: String,
    },
    /// It was served, and hung up.
    #[error("talking with the satellite at {address}: it hung up")]
    HungUp {
        /// Where it waits.
        address: String,
    },
    /// It fell silent, is gone, or says what no satellite says.
    #[error("talking with the satellite at {address}")]
    Talk {
        /// Where it waits.
        address: String,
        /// What is wrong.
        #[source]
        source: SpeechError,
    },
}

/// A satellite that has said its first word.
pub(super) struct Reached {
    pub(super) reader: WyomingReader<OwnedReadHalf>,
    pub(super) writer: OwnedWriteHalf,
    pub(super) first: WyomingEvent,
}

impl SatelliteLost {
    /// Returns what to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Connect { .. } => {
                "see that wyoming-satellite runs there and listens to the network (--uri tcp://0.0.0.0:10700), and that \
                 voice.satellites names its address and port"
            }
            Self::Taken { .. } => {
                "let the other one go (in Home Assistant: remove the satellite from the integration Wyoming), or start \
                 wyoming-satellite again there"
            }
            Self::NoSatellite { .. } => {
                "see that voice.satellites names the port of wyoming-satellite, such as 10700, and neither an engine's nor \
                 that of voice.wyoming, which is this platform's own"
            }
            Self::HungUp { .. } => {
                "it is called again; where that goes on, its own log (wyoming-satellite --debug) says why"
            }
            Self::Talk { source: SpeechError::Protocol { .. } | SpeechError::Audio { .. }, .. } => {
                "see that voice.satellites names the port of wyoming-satellite and of no other program there, such as a web \
                 server, and that its version is a current one"
            }
            Self::Talk { .. } => "see that it has power and a network; it is called again",
        }
    }

    /// Returns what is wrong and what to do, as one sentence.
    pub fn advised(&self) -> String {
        format!("{}; {}", describe(self), self.advice())
    }
}

/// Calls a satellite as whoever serves it does, waits for its first word and hangs up: it talks with one at a time.
///
/// # Errors
/// Why it cannot be served.
pub async fn call_satellite(address: &str, clock: &SharedClock) -> Result<(), SatelliteLost> {
    reach(address, clock).await.map(drop)
}

/// Calls a satellite and waits for its first word.
pub(super) async fn reach(address: &str, clock: &SharedClock) -> Result<Reached, SatelliteLost> {
    let stream = match within(clock, clock.moment() + FIRST, TcpStream::connect(address)).await {
        Some(Ok(stream)) => stream,
        Some(Err(source)) => return Err(SatelliteLost::Connect { address: address.to_owned(), source }),
        None => {
            let source = io::ErrorKind::TimedOut.into();
            return Err(SatelliteLost::Connect { address: address.to_owned(), source });
        }
    };
    let _ = stream.set_nodelay(true);
    let (reader, mut writer) = stream.into_split();
    let mut reader = WyomingReader::new(reader);
    let greeted = async {
        // Any satellite says then what it is. One that is another one's already hangs up or stays silent, and is to be told
        // nothing.
        for kind in ["run-satellite", "describe"] {
            // Who has hung up already may have said why.
            let _ = write_event(&mut writer, &WyomingEvent::new(kind, json!({}))).await;
        }
        reader.next().await
    };
    match within(clock, clock.moment() + FIRST, greeted).await {
        Some(Ok(Some(first))) if is_another(&first) => {
            Err(SatelliteLost::NoSatellite { address: address.to_owned() })
        }
        Some(Ok(Some(first))) => Ok(Reached { reader, writer, first }),
        Some(Err(source @ SpeechError::Protocol { .. })) => {
            Err(SatelliteLost::Talk { address: address.to_owned(), source })
        }
        Some(Ok(None) | Err(_)) | None => Err(SatelliteLost::Taken { address: address.to_owned() }),
    }
}

/// Tells whether this is how a program introduces itself that hears, speaks or answers and is no satellite, as this one does.
fn is_another(first: &WyomingEvent) -> bool {
    let told = |what: &str| first.data.get(what).filter(|told| !told.is_null());
    let offers = |what: &str| told(what).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    let is_engine = ["asr", "tts", "handle", "intent"].into_iter().any(offers);
    first.kind == "info" && is_engine && told("satellite").is_none()
}
