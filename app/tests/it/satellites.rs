//! Satellites as health tells of them.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use ieum_testkit::wait::until;
use serde_json::Value;

use super::{ieum, up};

const PATIENCE: Duration = Duration::from_secs(120);

/// Says what it is to whoever asks, as a satellite does, until nobody calls it any more; one that does not speak hangs up.
pub fn satellite(speaks: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut answers = stream.try_clone().expect("is a socket");
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if line.contains("\"describe\"") {
                    if !speaks {
                        break;
                    }
                    let _ = answers.write_all(b"{\"type\": \"info\"}\n");
                }
            }
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn health_names_each_satellite_and_one_that_is_away_stops_nothing() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    // Nobody listens at this one.
    let (there, silent, gone) = (satellite(true), satellite(false), "127.0.0.1:9");
    let satellites = format!(
        "[\"tcp://{there}?device=hall\", \"tcp://{gone}?device=attic\", \"tcp://{silent}?device=bath\"]"
    );
    let engine = format!("wyoming://{gone}");
    let settings = [
        ("IEUM__VOICE__SATELLITES", satellites.as_str()),
        ("IEUM__VOICE__EARS", engine.as_str()),
        ("IEUM__VOICE__MOUTH", engine.as_str()),
    ];
    let platform = up(folder.path(), &["voice"], &settings);
    let url = format!("http://{}/health/ready", platform.address);
    let told = async || {
        let answer = reqwest::get(&url).await.expect("answers");
        assert_eq!(answer.status(), 200, "it is ready without satellites");
        answer.json::<Value>().await.expect("is JSON")
    };
    let check = |told: &Value, name: &str| {
        let checks = told["checks"].as_array().expect("are checks").clone();
        checks.into_iter().find(|check| check["name"] == name).unwrap_or_default()
    };
    let reached = async || check(&told().await, "satellites.hall")["status"] == "healthy";
    until("the satellite is reached", PATIENCE, reached).await.expect("is reached");
    let refused = async || check(&told().await, "satellites.attic")["detail"].to_string().contains("refused");
    until("the other one is called", PATIENCE, refused).await.expect("is called");
    let silent =
        async || check(&told().await, "satellites.bath")["detail"].to_string().contains("says nothing");
    until("the silent one is called", PATIENCE, silent).await.expect("is called");
    let told = told().await;
    let attic = check(&told, "satellites.attic");
    assert_eq!(
        (&told["status"], &attic["status"], &attic["critical"]),
        (&"degraded".into(), &"unhealthy".into(), &false.into())
    );
    let detail = attic["detail"].as_str().expect("is told");
    assert!(detail.starts_with(&format!("calling the satellite at {gone}: Connection refused")), "{detail}");
    assert!(detail.contains("; see that wyoming-satellite runs there"), "{detail}");
    for device in ["hall", "attic", "bath"] {
        assert!(check(&told, &format!("satellites.{device}"))["since"].is_string(), "{told}");
    }
    // The doctor judges as health does. Nobody else may call a satellite that the platform talks with.
    let mut doctor = ieum(folder.path(), &settings);
    let output = doctor.env("IEUM__SERVER__LISTEN", &platform.address).args(["--json", "doctor"]).output();
    let output = output.expect("runs");
    assert!(!output.status.success(), "two are missing");
    // What is wrong comes after the findings.
    let mut told_by_doctor = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    let findings = told_by_doctor.next().expect("are findings").expect("is JSON");
    for device in ["hall", "attic", "bath"] {
        let health = check(&told, &format!("satellites.{device}"));
        let findings = findings.as_array().expect("are findings").iter();
        let mut findings = findings.filter(|found| {
            found["url"].as_str().is_some_and(|url| url.ends_with(&format!("device={device}")))
        });
        let found = findings.next().expect("is told");
        assert_eq!(found["reachable"] == true, health["status"] == "healthy", "{device}: {found} {health}");
        if let Some(problem) = health["detail"].as_str() {
            assert_eq!(found["says"][0], problem);
        }
    }
    platform.stop();
}
