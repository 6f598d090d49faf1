//! `MLService` both ways: sentences, sound while it comes, deadlines, a server that went away and came back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use ieum_core::{Code, Cx, Fault, ManualClock, system_clock};
use ieum_dialogflow::ml::{MlClient, MlOptions, MlServer};
use ieum_dialogflow::{SoundFormat, Transcriber};
use ieum_testkit::wait::until;

use crate::world::{Letters, Mood, Weather, serve};

fn context(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

async fn served(weather: Arc<Weather>) -> String {
    let server = MlServer::new(weather, Some(Arc::new(Letters)), system_clock());
    format!("grpc://{}", serve(server.router()).await)
}

#[tokio::test]
async fn a_sentence_is_analysed_with_what_is_known() {
    let address = served(Weather::named("ml")).await;
    let client = MlClient::new(&address, MlOptions::default(), system_clock()).expect("is made");
    let known = context(&[("language", "ko"), ("session", "d-1"), ("area", "주방")]);
    let answer = client.analyze(&Cx::root(), "날씨", known).await.expect("answers");
    assert_eq!((answer.intent.as_str(), answer.confidence), ("weather", 0.75));
    assert_eq!(answer.entities, context(&[("date", "today"), ("days", "1"), ("by", "ml")]));
    let nothing = client.analyze(&Cx::root(), "hm", HashMap::new()).await.expect("answers");
    assert_eq!(nothing.intent, "");
    let odd = context(&[("session", "a/b")]);
    let fault = client.analyze(&Cx::root(), "날씨", odd).await.expect_err("is refused");
    assert_eq!(fault.code, Code::InvalidArgument);
}

#[tokio::test]
async fn texts_come_back_while_sound_still_goes_in() {
    let address = served(Weather::named("ml")).await;
    let client = MlClient::new(&address, MlOptions::default(), system_clock()).expect("is made");
    let (sender, sound) = tokio::sync::mpsc::channel::<Result<Bytes, Fault>>(1);
    let sound = tokio_stream::wrappers::ReceiverStream::new(sound).boxed();
    let mut heard = client.transcribe(&Cx::root(), SoundFormat::linear(16_000, "ko"), sound);
    let first = heard.next().await.expect("the format is heard").expect("is no error");
    assert_eq!((first.text.as_str(), first.is_final), ("", false));
    for (piece, text) in [("안녕", "안녕"), ("하세요", "안녕하세요")] {
        sender.send(Ok(Bytes::from_static(piece.as_bytes()))).await.expect("is heard");
        let transcript = heard.next().await.expect("comes").expect("is no error");
        assert_eq!((transcript.text.as_str(), transcript.is_final), (text, false));
    }
    drop(sender);
    assert!(heard.next().await.expect("comes").expect("is no error").is_final);
    assert!(heard.next().await.is_none());
}

#[tokio::test]
async fn a_server_that_hangs_costs_no_more_than_the_limit() {
    let (weather, clock) = (Weather::named("ml"), ManualClock::default());
    *weather.mood.lock() = Mood::Hangs;
    let address = served(weather.clone()).await;
    let client = MlClient::new(&address, MlOptions::default(), clock.shared()).expect("is made");
    let call = tokio::spawn(async move { client.analyze(&Cx::root(), "날씨", HashMap::new()).await });
    let asked = || async { weather.asked() == 1 };
    until("it is asked", Duration::from_secs(120), asked).await.expect("is asked");
    clock.advance(Duration::from_secs(5));
    let fault = call.await.expect("ends").expect_err("is late");
    assert_eq!((fault.code, &*fault.reason), (Code::DeadlineExceeded, "ml.timeout"));
}

#[tokio::test]
async fn without_an_ear_sound_is_refused_and_without_a_server_everything() {
    let server = MlServer::new(Weather::named("ml"), None, system_clock());
    let address = format!("grpc://{}", serve(server.router()).await);
    for (address, code) in
        [(address.as_str(), Code::Unimplemented), ("grpc://127.0.0.1:1", Code::Unavailable)]
    {
        let client = MlClient::new(address, MlOptions::default(), system_clock()).expect("is made");
        let sound = futures::stream::iter([Ok(Bytes::from_static(b"ab"))]).boxed();
        let mut heard = client.transcribe(&Cx::root(), SoundFormat::linear(16_000, "ko"), sound);
        let fault = heard.next().await.expect("comes").expect_err("is refused");
        assert_eq!(fault.code, code, "{fault}");
    }
    assert!(MlClient::new("no address", MlOptions::default(), system_clock()).is_err());
}
