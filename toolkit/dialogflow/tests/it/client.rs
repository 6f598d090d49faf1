//! Our client: both ways to a Dialogflow, one that is slow, one that is down, one that keeps us out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use ieum_client::OutboundPolicy;
use ieum_core::{Clock, Code, Cx, Fault, ManualClock, SharedClock, system_clock};
use ieum_dialogflow::{
    Agent, ClientOptions, Context, Detected, DialogflowAddress, DialogflowClient, Heard, Query, SessionName,
    SoundFormat, SpeechWish, Values,
};
use ieum_policy::{BreakerState, FallbackKind, Guarded, Origin, reason};
use ieum_testkit::wait::until;

use crate::world::{Mood, Weather, serve, server_of, weather};

const PATIENCE: Duration = Duration::from_secs(120);

fn options() -> ClientOptions {
    let allow = vec!["127.0.0.0/8".parse().expect("is a network")];
    ClientOptions { outbound: OutboundPolicy { allow }, ..ClientOptions::default() }
}

fn client(way: &str, far: SocketAddr, local: Option<Arc<dyn Agent>>, clock: SharedClock) -> DialogflowClient {
    let address =
        DialogflowAddress::parse(&format!("dialogflow+{way}://{far}/p?token=t")).expect("is an address");
    DialogflowClient::new(&address, local, options(), clock).expect("is made")
}

fn query(text: &str) -> Query {
    Query::text(SessionName::new("elsewhere", "s"), "ko", text)
}

fn by(answer: &Guarded<Detected>) -> &str {
    answer.value.parameters["by"].as_str().expect("says who")
}

#[tokio::test]
async fn a_conversation_goes_on_over_both_ways() {
    for way in ["grpc", "http"] {
        let client = client(way, weather().await, None, system_clock());
        let cx = Cx::root();
        let mut ask = query("오늘 날씨 어때?");
        ask.speech = Some(SpeechWish { encoding: 1, sample_rate: 16_000, ..SpeechWish::default() });
        let first = client.ask(&cx, ask).await.expect("answers");
        assert_eq!((first.origin, by(&first)), (Origin::Live, "far"));
        assert_eq!(first.value.speech.expect("is spoken").data, Bytes::from_static(b"RIFF"));
        assert_eq!(first.value.contexts.len(), 1);
        // The session remembers; so does whoever hands the contexts back.
        for contexts in [Vec::new(), first.value.contexts] {
            let next = client.ask(&cx, query("내일은?").with_contexts(contexts)).await.expect("answers");
            assert_eq!(next.value.parameters["date"], "tomorrow", "{way}");
        }
        let brought = vec![Context::new("weather", 1, Values::new())];
        let mut other = query("내일은?").with_contexts(brought);
        other.session = SessionName::new("p", "other");
        let next = client.ask(&cx, other).await.expect("answers");
        assert_eq!((next.value.text.as_str(), next.value.confidence), ("tomorrow: 맑아요", 0.75));
    }
}

async fn ask_of(
    client: &DialogflowClient,
    cx: &Cx,
) -> tokio::task::JoinHandle<Result<Guarded<Detected>, Fault>> {
    let (client, cx) = (client.clone(), cx.clone());
    tokio::spawn(async move { client.ask(&cx, query("날씨")).await })
}

#[tokio::test]
async fn a_dialogflow_that_hangs_never_reaches_the_user_and_is_found_well_by_a_probe() {
    for way in ["grpc", "http"] {
        let clock = ManualClock::default();
        let (far, near) = (Weather::named("far"), Weather::named("near"));
        let address = serve(server_of(far.clone(), system_clock()).router()).await;
        let client = client(way, address, Some(near.clone()), clock.shared());
        *far.mood.lock() = Mood::Hangs;
        for turn in 1..=3 {
            let call = ask_of(&client, &Cx::root()).await;
            until("it is asked", PATIENCE, || async { far.asked() == turn }).await.expect("is asked");
            clock.advance(Duration::from_millis(1_500));
            let answer = call.await.expect("ends").expect("is answered");
            assert_eq!((answer.origin, by(&answer)), (Origin::Fallback(FallbackKind::OtherLink), "near"));
        }
        assert!(matches!(client.policies().breaker(), Some(BreakerState::Open { .. })));
        let answer = client.ask(&Cx::root(), query("날씨")).await.expect("is answered at once");
        assert_eq!((by(&answer), far.asked()), ("near", 3));

        clock.advance(Duration::from_secs(5));
        let call = ask_of(&client, &Cx::root()).await;
        until("it is probed", PATIENCE, || async { far.asked() == 4 }).await.expect("is probed");
        clock.advance(Duration::from_millis(1_500));
        assert_eq!(by(&call.await.expect("ends").expect("is answered")), "near");
        let still = client.policies().breaker();
        assert!(
            matches!(still, Some(BreakerState::Open { .. })),
            "a probe that hangs keeps it open: {still:?}"
        );

        *far.mood.lock() = Mood::Answers;
        clock.advance(Duration::from_secs(5));
        let answer = client.ask(&Cx::root(), query("날씨")).await.expect("is answered");
        assert_eq!((answer.origin, by(&answer)), (Origin::Live, "far"), "{way}");
        assert!(matches!(client.policies().breaker(), Some(BreakerState::Closed { .. })));
    }
}

#[tokio::test]
async fn a_part_of_the_callers_time_is_kept_for_the_agent_that_stands_in() {
    let clock = ManualClock::default();
    let (far, near) = (Weather::named("far"), Weather::named("near"));
    *far.mood.lock() = Mood::Hangs;
    let address = serve(server_of(far.clone(), system_clock()).router()).await;
    let client = client("grpc", address, Some(near), clock.shared());
    let cx = Cx::root().with_timeout(clock.moment(), Duration::from_millis(600));
    let call = ask_of(&client, &cx).await;
    until("it is asked", PATIENCE, || async { far.asked() == 1 }).await.expect("is asked");
    clock.advance(Duration::from_millis(400));
    assert_eq!(by(&call.await.expect("ends").expect("is answered")), "near");
    assert_eq!(cx.time_left(clock.moment()), Some(Duration::from_millis(200)));
    let alone = self::client("grpc", address, None, clock.shared());
    let hurried = Cx::root().with_timeout(clock.moment(), Duration::from_millis(100));
    let call = ask_of(&alone, &hurried).await;
    until("it is asked", PATIENCE, || async { far.asked() == 2 }).await.expect("is asked");
    clock.advance(Duration::from_millis(50));
    let fault = call.await.expect("ends").expect_err("half of the time is over");
    assert_eq!((fault.code, &*fault.reason), (Code::DeadlineExceeded, "dialogflow.cut"));
}

#[tokio::test]
async fn what_keeps_us_out_is_told_and_another_agent_stands_in() {
    for (mood, reason) in [(Mood::Refuses, "dialogflow.refused"), (Mood::Fails, "dialogflow.status")] {
        for way in ["grpc", "http"] {
            let far = Weather::named("far");
            *far.mood.lock() = mood;
            let address = serve(server_of(far, system_clock()).router()).await;
            let alone = client(way, address, None, system_clock());
            let fault = alone.ask(&Cx::root(), query("날씨")).await.expect_err("is refused");
            let (code, told) = (fault.code, &*fault.reason);
            // REST's client names a status of 500 and above itself.
            let reason = if way == "http" && mood == Mood::Fails { "client.status" } else { reason };
            assert_eq!((code, told), (Code::Unavailable, reason), "{way} {fault}");
            let near: Arc<dyn Agent> = Weather::named("near");
            let both = client(way, address, Some(near), system_clock());
            assert_eq!(by(&both.ask(&Cx::root(), query("날씨")).await.expect("is answered")), "near");
        }
    }
}

#[tokio::test]
async fn a_turn_that_is_wrong_stays_wrong_and_nobody_there_is_told() {
    let client_of = |way: &str, address| client(way, address, None, system_clock());
    let far = weather().await;
    for way in ["grpc", "http"] {
        let long = query(&"가".repeat(300));
        let fault = client_of(way, far).ask(&Cx::root(), long).await.expect_err("is too long");
        assert_eq!(fault.code, Code::InvalidArgument, "{fault}");
        assert!(fault.message.contains("longer than 256 characters"), "{fault}");
        let nobody: SocketAddr = "127.0.0.1:1".parse().expect("is an address");
        let fault =
            client_of(way, nobody).ask(&Cx::root(), query("날씨")).await.expect_err("nobody is there");
        assert_eq!(fault.code, Code::Unavailable, "{way} {fault}");
        assert!(!fault.message.contains("Bearer"), "{fault}");
    }
}

#[tokio::test]
async fn sound_streams_in_and_what_is_heard_streams_out() {
    let client = client("grpc", weather().await, None, system_clock());
    let sound = futures::stream::iter(["오늘 ", "날씨"]).map(|text| Ok(Bytes::from_static(text.as_bytes())));
    let format = SoundFormat::linear(16_000, "ko");
    let heard = client.stream(&Cx::root(), &query(""), &format, sound.boxed()).await.expect("opens");
    let heard: Vec<Heard> = heard.map(|heard| heard.expect("is no error")).collect().await;
    let texts: Vec<&str> = heard
        .iter()
        .filter_map(|heard| match heard {
            Heard::Transcript(transcript) => Some(transcript.text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(texts, ["오늘 ", "오늘 날씨", "오늘 날씨"]);
    let Some(Heard::Detected(detected)) = heard.last() else { panic!("{heard:?}") };
    assert_eq!((detected.text.as_str(), detected.speech_confidence), ("today: 맑아요", 0.5));

    let rest = self::client("http", weather().await, None, system_clock());
    let none = futures::stream::empty().boxed();
    let Err(fault) = rest.stream(&Cx::root(), &query(""), &format, none).await else {
        panic!("REST streams")
    };
    assert_eq!((fault.code, &*fault.reason), (Code::Unimplemented, "dialogflow.no_streams"));
    assert_eq!(reason::BREAKER_OPEN, "link.breaker_open");
}
