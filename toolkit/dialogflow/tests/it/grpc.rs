//! gRPC with generated clients: turns, streams, contexts, deadlines.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http::uri::PathAndQuery;
use ieum_core::{Clock, ManualClock, system_clock};
use ieum_dialogflow::proto::v2;
use ieum_dialogflow::proto::v2::contexts_client::ContextsClient;
use ieum_dialogflow::proto::v2::query_input::Input;
use ieum_dialogflow::proto::v2::sessions_client::SessionsClient;
use ieum_dialogflow::proto::v2::streaming_recognition_result::MessageType;
use ieum_dialogflow::{DialogflowServer, MemoryContexts, ServerOptions};
use ieum_testkit::wait::until;
use tonic::transport::Channel;
use tonic::{Code, Request};

use crate::world::{Letters, Mood, Weather, serve, server_of, weather};

const SESSION: &str = "projects/p/agent/sessions/g";

async fn channel(address: std::net::SocketAddr) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{address}")).expect("is an address");
    endpoint.connect().await.expect("connects")
}

fn text(text: &str) -> v2::DetectIntentRequest {
    let input = Input::Text(v2::TextInput { text: text.into(), language_code: "en".into() });
    v2::DetectIntentRequest {
        session: SESSION.into(),
        query_input: Some(v2::QueryInput { input: Some(input) }),
        ..Default::default()
    }
}

fn listen(single: bool) -> v2::StreamingDetectIntentRequest {
    let config = v2::InputAudioConfig {
        audio_encoding: 1,
        sample_rate_hertz: 16_000,
        language_code: "en".into(),
        single_utterance: single,
        ..Default::default()
    };
    v2::StreamingDetectIntentRequest {
        session: SESSION.into(),
        query_input: Some(v2::QueryInput { input: Some(Input::AudioConfig(config)) }),
        ..Default::default()
    }
}

fn sound(letters: &'static str) -> v2::StreamingDetectIntentRequest {
    let input_audio = Bytes::from_static(letters.as_bytes());
    v2::StreamingDetectIntentRequest { input_audio, ..Default::default() }
}

#[tokio::test]
async fn turns_share_contexts_with_the_service_of_contexts() {
    let channel = channel(weather().await).await;
    let mut sessions = SessionsClient::new(channel.clone());
    let mut contexts = ContextsClient::new(channel);
    sessions.detect_intent(text("the weather")).await.expect("answers");
    let nothing = sessions.detect_intent(text(" ")).await.expect_err("is no turn");
    let told = "query_input.text: input text not set";
    assert_eq!((nothing.code(), nothing.message()), (Code::InvalidArgument, told));
    let name = format!("{SESSION}/contexts/weather");
    let get = v2::GetContextRequest { name: name.clone() };
    assert_eq!(contexts.get_context(get.clone()).await.expect("is there").into_inner().lifespan_count, 2);
    let parent = SESSION.to_owned();
    contexts.delete_all_contexts(v2::DeleteAllContextsRequest { parent }).await.expect("deletes");
    let status = contexts.get_context(get).await.expect_err("is gone");
    assert_eq!(
        (status.code(), status.message()),
        (Code::NotFound, format!("there is no context {name}").as_str())
    );
}

#[tokio::test]
async fn what_would_write_what_the_agent_knows_is_refused_in_a_sentence() {
    let channel = channel(weather().await).await;
    for (path, refused) in [
        ("/google.cloud.dialogflow.v2.Intents/CreateIntent", true),
        ("/google.cloud.dialogflow.v2.EntityTypes/BatchDeleteEntityTypes", true),
        ("/google.cloud.dialogflow.v2.Intents/ListIntents", false),
    ] {
        let mut raw = tonic::client::Grpc::new(channel.clone());
        raw.ready().await.expect("is ready");
        let request = v2::ListIntentsRequest { parent: "projects/p/agent".into(), ..Default::default() };
        let codec = tonic_prost::ProstCodec::<_, v2::ListIntentsResponse>::default();
        let answer = raw.unary(Request::new(request), PathAndQuery::from_static(path), codec).await;
        let told = answer.map(|answer| answer.into_inner().intents.len());
        let told = told.map_err(|status| (status.code(), status.message().to_owned()));
        let message = format!("{path} is not offered here: intents and entity types are read, never written");
        assert_eq!(told, if refused { Err((Code::Unimplemented, message)) } else { Ok(2) });
    }
}

#[tokio::test]
async fn a_stream_tells_what_it_hears_and_then_what_it_understood() {
    let mut sessions = SessionsClient::new(channel(weather().await).await);
    let requests = futures::stream::iter([listen(false), sound("the wea"), sound("ther")]);
    let answers = sessions.streaming_detect_intent(requests).await.expect("opens").into_inner();
    let answers: Vec<_> = answers.map(|answer| answer.expect("is no error")).collect().await;
    let heard: Vec<(String, bool)> = answers
        .iter()
        .filter_map(|answer| answer.recognition_result.as_ref())
        .map(|result| (result.transcript.clone(), result.is_final))
        .collect();
    let wanted = [("the wea", false), ("the weather", false), ("the weather", true)];
    assert_eq!(heard, wanted.map(|(text, is_final)| (text.to_owned(), is_final)));
    let result = answers.last().and_then(|answer| answer.query_result.as_ref()).expect("is last");
    assert_eq!(
        (result.query_text.as_str(), result.fulfillment_text.as_str()),
        ("the weather", "today: sunny")
    );
    assert!((result.speech_recognition_confidence - 0.5).abs() < f32::EPSILON);
}

/// The message that begins a stream, with one word in its payload.
fn saying(word: &str) -> v2::StreamingDetectIntentRequest {
    let truth = prost_types::Value { kind: Some(prost_types::value::Kind::BoolValue(true)) };
    let payload = prost_types::Struct { fields: [(word.to_owned(), truth)].into() };
    let parameters = v2::QueryParameters { payload: Some(payload), ..Default::default() };
    v2::StreamingDetectIntentRequest { query_params: Some(parameters), ..listen(false) }
}

#[tokio::test]
async fn an_agent_may_take_the_sound_of_a_stream_itself_apart_from_the_session() {
    let channel = channel(weather().await).await;
    let mut sessions = SessionsClient::new(channel.clone());
    sessions.detect_intent(text("the weather")).await.expect("answers");
    for _ in 0..3 {
        let requests = futures::stream::iter([saying("whole"), sound("the wea"), sound("ther")]);
        let answers = sessions.streaming_detect_intent(requests).await.expect("opens").into_inner();
        let answers: Vec<_> = answers.map(|answer| answer.expect("is no error")).collect().await;
        let [only] = &answers[..] else { panic!("nobody tells what was heard: {answers:?}") };
        let result = only.query_result.as_ref().expect("is there");
        assert_eq!(result.fulfillment_text, "kept 11 bytes");
        let lifespans: Vec<i32> = result.output_contexts.iter().map(|one| one.lifespan_count).collect();
        assert_eq!(lifespans, [2], "it is no turn that counts");
    }
    // What is refused is refused before its sound is there.
    let (_open, sound) = futures::channel::mpsc::unbounded();
    let requests = futures::stream::iter([saying("half")]).chain(sound);
    let answers = sessions.streaming_detect_intent(requests).await.expect("opens");
    let status = answers.into_inner().next().await.expect("answers").expect_err("is refused");
    assert_eq!((status.code(), status.message()), (Code::InvalidArgument, "half is nothing"));
}

#[tokio::test]
async fn a_single_utterance_is_said_to_be_over() {
    let mut sessions = SessionsClient::new(channel(weather().await).await);
    let requests = futures::stream::iter([listen(true), sound("weather")]);
    let answers = sessions.streaming_detect_intent(requests).await.expect("opens").into_inner();
    let answers: Vec<_> = answers.map(|answer| answer.expect("is no error")).collect().await;
    let kinds: Vec<MessageType> = answers
        .iter()
        .filter_map(|answer| Some(answer.recognition_result.as_ref()?.message_type()))
        .collect();
    assert_eq!(kinds, [MessageType::Transcript, MessageType::EndOfSingleUtterance, MessageType::Transcript]);
}

#[tokio::test]
async fn streams_take_text_and_refuse_too_much_sound_and_nothing() {
    let contexts = Arc::new(MemoryContexts::new(system_clock()));
    let options = ServerOptions { most_sound: 4_000, ..ServerOptions::default() };
    let server = DialogflowServer::new(Weather::named("far"), contexts, options, system_clock());
    let server = server.with_transcriber(Arc::new(Letters));
    let mut sessions = SessionsClient::new(channel(serve(server.router()).await).await);
    let said = text("weather");
    let first = v2::StreamingDetectIntentRequest {
        session: said.session,
        query_input: said.query_input,
        ..Default::default()
    };
    let answers = sessions.streaming_detect_intent(futures::stream::iter([first])).await.expect("opens");
    let answers: Vec<_> = answers.into_inner().collect().await;
    assert!(matches!(&answers[..], [Ok(answer)] if answer.query_result.is_some()), "{answers:?}");

    let piece =
        v2::StreamingDetectIntentRequest { input_audio: vec![b'a'; 1_000].into(), ..Default::default() };
    let much = std::iter::once(listen(false)).chain(std::iter::repeat_n(piece, 5));
    let answers = sessions.streaming_detect_intent(futures::stream::iter(much.collect::<Vec<_>>())).await;
    let last = answers.expect("opens").into_inner().collect::<Vec<_>>().await.pop().expect("is there");
    let status = last.expect_err("is too much");
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("4000 bytes of sound at most"), "{status}");

    let answers = sessions.streaming_detect_intent(futures::stream::iter([])).await.expect("opens");
    let last = answers.into_inner().collect::<Vec<_>>().await.pop().expect("is there");
    assert_eq!(last.expect_err("is nothing").code(), Code::InvalidArgument);
}

#[tokio::test]
async fn the_callers_time_ends_the_work() {
    let (weather, clock) = (Weather::named("far"), ManualClock::default());
    *weather.mood.lock() = Mood::Hangs;
    let address = serve(server_of(weather.clone(), clock.shared()).router()).await;
    let mut sessions = SessionsClient::new(channel(address).await);
    let mut request = Request::new(text("weather"));
    // An hour: the client's own timer must not be what ends the call.
    request.set_timeout(Duration::from_secs(3_600));
    let call = tokio::spawn(async move { sessions.detect_intent(request).await });
    until("the agent is asked", Duration::from_secs(120), || async { weather.asked() == 1 })
        .await
        .expect("is asked");
    clock.advance(Duration::from_secs(61));
    let status = call.await.expect("ends").expect_err("is over");
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(clock.moment().since_start(), Duration::from_secs(61), "a turn's own limit is a minute");
}
