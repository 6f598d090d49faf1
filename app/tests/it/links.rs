//! Links between processes when they fail, and in a person's hand.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use ieum_testkit::wait;

use crate::{Running, attendance_is_served, ieum, text, up, write};

/// Returns the metrics' value of the series that begins with `series`.
pub async fn metric(platform: &Running, series: &str) -> f64 {
    let page = reqwest::get(format!("http://{}/metrics", platform.address)).await.expect("answers");
    let page = page.text().await.expect("is text");
    let line = page.lines().find(|line| line.starts_with(series));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(-1.0)
}

/// Asks for all events at the public door and returns whether it was answered.
async fn public_is_answered(door: &Running) -> bool {
    let url = format!("http://{}/api/public/events", door.address);
    reqwest::get(url).await.expect("answers").status().is_success()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_known_last_is_served_while_the_other_process_is_gone() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for (fallback, kind) in [("\"last-good\"", "last-good"), ("\"cache 1h\"", "cache")] {
        let folder = tempfile::tempdir().expect("a folder");
        let events = up(folder.path(), &["events"], &[]);
        let link = format!(
            "[links.\"events.state\"]\nto = \"http://{}\"\nretry = \"off\"\nfallback = {fallback}\n",
            events.address
        );
        let settings = write(folder.path(), "partners.toml", &link);
        let partners = up(folder.path(), &["partners", "--config", &settings], &[]);
        attendance_is_served(folder.path(), &events, &partners).await;
        assert!(public_is_answered(&partners).await);
        events.stop();
        assert!(public_is_answered(&partners).await, "{kind} stands in");
        let series = format!("ieum_link_fallbacks_total{{link=\"events.state\",kind=\"{kind}\"}}");
        assert!(metric(&partners, &series).await >= 1.0);
        partners.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_stands_in_for_one_that_is_gone() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let (events, spare) = (up(folder.path(), &["events"], &[]), up(folder.path(), &["events"], &[]));
    let link = format!(
        "[links.\"events.state\"]\nto = \"http://{}\"\nretry = \"off\"\nfallback = {{ to = \"grpc://{}\" }}\n",
        events.address, spare.address
    );
    let settings = write(folder.path(), "partners.toml", &link);
    let partners = up(folder.path(), &["partners", "--config", &settings], &[]);
    attendance_is_served(folder.path(), &spare, &partners).await;
    events.stop();
    assert!(public_is_answered(&partners).await, "the spare one answers");
    let series = "ieum_link_fallbacks_total{link=\"events.state\",kind=\"other-link\"}";
    assert!(metric(&partners, series).await >= 1.0);
    assert!(
        metric(&partners, "ieum_link_calls_total{link=\"events.state.fallback\",outcome=\"ok\"}").await
            >= 1.0
    );
    let listed = partners.ask(folder.path(), &["link", "list"]);
    assert_eq!(listed[1]["name"], "events.state.fallback");
    partners.stop();
    spare.stop();
}

/// Follows the link to the hub's state in a process of its own, over a stream; lines of other links are skipped.
fn watch(data: &Path, platform: &Running) -> impl FnMut() -> String + use<> {
    let listen = [("IEUM__SERVER__LISTEN", platform.address.as_str())];
    let mut child = ieum(data, &listen).args(["link", "watch"]).stdout(Stdio::piped()).spawn().expect("runs");
    let mut lines = BufReader::new(child.stdout.take().expect("is piped")).lines();
    let mut ending =
        Some(Running { child, address: String::new(), mqtt: String::new(), wyoming: String::new() });
    let mut next =
        move || lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with("events.state ")));
    move || match next() {
        Some(line) => line.expect("is read"),
        None => {
            // The stream ended with the platform.
            drop(ending.take());
            String::new()
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_takes_a_link_in_hand_and_watches_it() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &[], &[]);
    let mut told = watch(folder.path(), &platform);
    assert_eq!(told(), "events.state  closed");
    let steered = platform.ask(folder.path(), &["link", "open", "events.state", "--reason", "점검"]);
    assert_eq!(
        (&steered["breaker"]["state"], &steered["breaker"]["reason"]),
        (&"held-open".into(), &"점검".into())
    );
    assert_eq!(told(), "events.state  held-open (점검)");
    assert!(!public_is_answered(&platform).await, "no call passes");
    assert!(metric(&platform, "ieum_link_rejected_total{link=\"events.state\",by=\"breaker\"}").await >= 1.0);
    let state = "ieum_link_breaker_state{link=\"events.state\",state=\"held-open\"}";
    assert!((metric(&platform, state).await - 1.0).abs() < f64::EPSILON);
    platform.ask(folder.path(), &["link", "release", "events.state"]);
    let open = async || public_is_answered(&platform).await;
    wait::until("calls pass again", Duration::from_secs(120), open).await.expect("calls pass again");
    let listen = [("IEUM__SERVER__LISTEN", platform.address.as_str())];
    let unknown =
        ieum(folder.path(), &listen).args(["link", "hold", "events.stat", "--reason", "x"]).output();
    let said = text(&unknown.expect("runs"));
    assert!(said.contains("steering the link \"events.stat\"; this process has "), "{said}");
    assert!(said.contains(" events.state,"), "the one that was meant is named: {said}");
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_steered_from_the_same_machine_only() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &[], &[("IEUM__SERVER__LINKS", "anyone")]);
    let ask = async |contract: &str| {
        let url = format!("http://{}/links/{contract}/list", platform.address);
        let asked = reqwest::Client::new().post(url).header("x-forwarded-for", "192.0.2.1");
        let asked = asked.header("content-type", "application/json").body("{}");
        let answer = asked.send().await.expect("answers");
        (answer.status().as_u16(), answer.text().await.expect("is text"))
    };
    assert_eq!(ask("events.state").await.0, 200, "anyone may");
    let (status, said) = ask("platform.links").await;
    assert_eq!(status, 403);
    assert!(said.contains("for its own machine only"), "{said}");
    platform.stop();
}

#[test]
fn a_link_that_cannot_be_honoured_stops_the_start_with_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    for (link, words) in [
        ("\"events.state\" = \"bus:\"", "list is a query and this wire carries notices only"),
        ("\"events.state\" = \"https://a:1\"", "a link over TLS needs certificates; name them under [tls]"),
        (
            "\"events.state\" = { to = \"http://a:1\", fallback = { to = \"http://a:1\" } }",
            "the link leads to a:1 already",
        ),
    ] {
        let settings = write(folder.path(), "own.toml", &format!("[links]\n{link}\n"));
        for words_of_command in [vec!["check"], vec!["up"]] {
            let output =
                ieum(folder.path(), &[]).args(["--config", &settings]).args(&words_of_command).output();
            let output = output.expect("runs");
            assert!(!output.status.success(), "{link}");
            assert!(text(&output).contains(words), "{link}: {}", text(&output));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_page_and_a_watched_link_do_not_hold_up_the_end() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &[], &[("IEUM__SERVER__DRAIN", "1h")]);
    let mut told = watch(folder.path(), &platform);
    assert_eq!(told(), "events.state  closed");
    let url = format!("http://{}/api/events/stream", platform.address);
    let mut page = reqwest::get(url).await.expect("answers");
    assert!(page.chunk().await.expect("is a stream").is_some(), "the page is drawn");
    let ended = tokio::task::spawn_blocking(move || platform.stop());
    let ended = tokio::time::timeout(Duration::from_secs(300), ended).await;
    ended.expect("nobody waits for the hour to pass").expect("ends with success");
    while page.chunk().await.expect("the stream ends, it is not cut").is_some() {}
    assert_eq!(told(), "", "the watched link's stream has ended");
}
