//! A device whose microphone hears its own speaker: `ieum device run --hear … --play …` with a room between the two.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_core::system_clock;
use ieum_speech::{
    Audio, AudioFormat, Engine, Hints, RATE, Say, SpeechError, Spoken, Synthesizer, Transcriber, Transcript,
    WyomingOptions, WyomingServer,
};
use ieum_testkit::sound::{silence, vowel};
use ieum_testkit::wait::until;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::agent::{Device, added, command};
use super::up;

const LONG: Duration = Duration::from_secs(180);
/// How long a room echoes.
const ECHO: Duration = Duration::from_millis(300);

/// An engine that hears one question in everything, notes how many seconds it was given, and says half a second of sound.
#[derive(Default)]
struct Heard(Mutex<Vec<f64>>);

#[async_trait]
impl Transcriber for Heard {
    fn engine(&self) -> Engine {
        Engine { name: "heard".to_owned(), languages: vec!["ko".to_owned(), "en".to_owned()] }
    }

    async fn transcribe(&self, audio: Audio, _: &Hints) -> Result<Transcript, SpeechError> {
        self.0.lock().push(audio.seconds());
        let (text, language) = ("지금 몇 시야?".to_owned(), Some("ko".to_owned()));
        Ok(Transcript { text, language, ..Transcript::default() })
    }
}

#[async_trait]
impl Synthesizer for Heard {
    fn engine(&self) -> Engine {
        Transcriber::engine(self)
    }

    async fn synthesize(&self, _: &Say) -> Result<Spoken, SpeechError> {
        Ok(Spoken { format: AudioFormat::sixteen_bits(RATE), pcm: vowel(0.5).into() })
    }
}

/// A room, which is a pipe: who makes a sound writes it there, and the microphone reads it.
struct Room {
    /// Both ends are held, so that it is never empty for good while the test goes on.
    pipe: File,
    hear: String,
    play: String,
}

impl Room {
    fn new(folder: &Path) -> Self {
        let path = folder.join("room");
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo is there").success());
        // More than all pipes between the room and the agent hold: once the player is rid of it, its own sound was heard.
        std::fs::write(folder.join("quiet"), silence(12.0)).expect("is written");
        let (at, room) = (folder.display(), path.display());
        // A speaker that has to wake up, for longer than what it plays lasts. Samples begin behind the WAVE file's head.
        let play =
            format!("cat > {at}/given && sleep 2 && tail -c +45 {at}/given | cat - {at}/quiet > {room}");
        let pipe = OpenOptions::new().read(true).write(true).open(&path).expect("is a pipe");
        Self { pipe, hear: format!("exec cat {room}"), play }
    }

    /// Somebody speaks for so long, and is quiet.
    fn speak(&self, seconds: f32) {
        let mut pipe = self.pipe.try_clone().expect("is open");
        let sound = [silence(0.5), vowel(seconds), silence(1.5)].concat();
        // A pipe takes it only as fast as it is heard.
        std::thread::spawn(move || pipe.write_all(&sound));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_hears_its_own_slow_player_takes_no_turn_of_it_and_the_next_of_who_speaks() {
    let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
    let url = format!("wyoming://{}", listener.local_addr().expect("it listens"));
    let (engine, stop) = (Arc::new(Heard::default()), CancellationToken::new());
    let (ear, voice) = (Some(engine.clone() as _), Some(engine.clone() as _));
    // Only whole turns are heard.
    let options = WyomingOptions { partial: None, ..WyomingOptions::default() };
    let server = WyomingServer::new(ear, voice, options, system_clock());
    tokio::spawn(server.serve(listener, stop.clone()));
    let settings = [("IEUM__VOICE__EARS", url.as_str()), ("IEUM__VOICE__MOUTH", url.as_str())];
    let platform = up(there.path(), &["voice"], &settings);
    let secret = added(&platform, there.path(), "kitchen");

    let room = Room::new(here.path());
    let mut device = Device::start({
        let mut command = command(here.path(), &platform.mqtt, "kitchen", &secret);
        command.args(["--hear", &room.hear, "--play", &room.play]);
        command
    });
    for (turn, seconds) in [(1, 2.0), (2, 3.0)] {
        room.speak(seconds);
        // The player ends once what it played was heard.
        device.has_told("played", turn).await;
        assert_eq!(device.told("taken").len(), turn, "what was heard of the player is no turn");
        let clock = system_clock();
        let quiet = clock.moment() + ECHO;
        until("the room is quiet", LONG, async || clock.moment() >= quiet).await.expect("it will be");
    }
    device.kill();
    let heard = engine.0.lock().clone();
    assert_eq!(heard.len(), 2, "{heard:?}");
    // What was said, with the silence around it that is kept.
    let apart = [heard[0] - 2.0, heard[1] - 3.0];
    assert!(apart.iter().all(|apart| (0.0..1.3).contains(apart)), "{heard:?}");
    assert_eq!(device.told("answer").len(), 2, "{:?}", device.told("answer"));
    assert_eq!(device.told("trouble"), [""; 0]);
    platform.stop();
    stop.cancel();
}
