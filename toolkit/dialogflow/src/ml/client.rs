//! Calls an `MLService` far away.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use ieum_core::{Cx, Fault, SharedClock, within};
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::channel::{self, ChannelOptions, Outgoing};
use crate::ml::{text_of, value_of};
use crate::proto::ml;
use crate::proto::ml::ml_service_client::MlServiceClient;
use crate::status::fault_of;
use crate::{
    Detected, Input, IntentRef, Query, SoundFormat, SoundStream, Transcriber, Transcript, TranscriptStream,
};

/// How an `MLService` is called.
#[derive(Clone, Copy, Debug)]
pub struct MlOptions {
    /// The longest call, streams excepted. Default 5 s; the caller's deadline may end it earlier.
    pub timeout: Duration,
    /// The longest time for a connection to come about. Default 3 s.
    pub connect: Duration,
    /// After which silence the server is asked whether it is still there. Default 30 s.
    pub keep_alive: Duration,
}

/// Calls an `MLService`. Cheap to clone; clones share a connection.
#[derive(Clone)]
pub struct MlClient {
    client: MlServiceClient<Channel>,
    options: MlOptions,
    clock: SharedClock,
}

/// Says why no client can be made.
#[derive(Debug, thiserror::Error)]
#[error("setting up gRPC to {address}")]
pub struct MlError {
    address: String,
    #[source]
    cause: tonic::transport::Error,
}

impl Default for MlOptions {
    fn default() -> Self {
        let (timeout, connect) = (Duration::from_secs(5), Duration::from_secs(3));
        Self { timeout, connect, keep_alive: Duration::from_secs(30) }
    }
}

impl MlClient {
    /// Makes the client of the server at `address`: `grpc://host:port`, or `grpcs://…` with TLS. Nothing is sent
    /// before the first call; must be called within a tokio runtime.
    ///
    /// # Errors
    /// An address that is none.
    pub fn new(address: &str, options: MlOptions, clock: SharedClock) -> Result<Self, MlError> {
        let origin = match address.split_once("://") {
            Some(("grpc", place)) => format!("http://{place}"),
            Some(("grpcs", place)) => format!("https://{place}"),
            _ => address.to_owned(),
        };
        let MlOptions { connect, keep_alive, .. } = options;
        let channel = channel::open(&origin, ChannelOptions { connect, keep_alive })
            .map_err(|cause| MlError { address: ieum_core::redact_url(address), cause })?;
        Ok(Self { client: MlServiceClient::new(channel), options, clock })
    }

    /// Returns what `text` wants. `context`: `session` and `language` (`en`, `ko`) are understood, the rest is handed
    /// on.
    ///
    /// # Errors
    /// `ml.timeout`, `dialogflow.connection`, and the server's own refusals.
    pub async fn analyze(
        &self,
        cx: &Cx,
        text: &str,
        context: HashMap<String, String>,
    ) -> Result<ml::IntentResponse, Fault> {
        let now = self.clock.moment();
        cx.check(now)?;
        let cx = cx.with_timeout(now, self.options.timeout);
        let request = channel::request(ml::IntentRequest { text: text.to_owned(), context }, &cx, now);
        let mut client = self.client.clone();
        let end = cx.deadline().unwrap_or(now);
        let answer = within(&self.clock, end, client.analyze_intent(request)).await.ok_or_else(|| {
            let message = "analysing a sentence: the server gave no answer in time";
            Fault::deadline_exceeded("ml.timeout", message)
        })?;
        answer.map(tonic::Response::into_inner).map_err(|status| fault_of("analysing a sentence", &status))
    }
}

impl MlClient {
    /// Understands one turn. What is known of the session travels as flat text: of each context its id under
    /// `context.ID`, and its parameters by their names, those of the first contexts winning.
    ///
    /// # Errors
    /// Those of [`analyze`](Self::analyze), and `dialogflow.no_audio` for sound.
    pub(crate) async fn detect(&self, cx: &Cx, query: &Query) -> Result<Detected, Fault> {
        let Input::Text(text) = &query.input else {
            let message = "asking an MLService: it takes text; sound goes to TranscribeStream";
            return Err(Fault::invalid_argument("dialogflow.no_audio", message));
        };
        let mut known = HashMap::new();
        for context in query.contexts.iter().rev() {
            let parameters = context.parameters.iter();
            known.extend(parameters.map(|(name, value)| (name.clone(), text_of(value.clone()))));
            known.insert(format!("context.{}", context.id), context.lifespan.to_string());
        }
        known.extend(query.payload.iter().map(|(name, value)| (name.clone(), text_of(value.clone()))));
        known.insert("session".to_owned(), query.session.session.clone());
        known.insert("language".to_owned(), query.language.clone());
        let ml::IntentResponse { intent, confidence, entities } = self.analyze(cx, text, known).await?;
        let intent = (!intent.is_empty()).then(|| IntentRef { display_name: intent, ..IntentRef::default() });
        let parameters = entities.into_iter().map(|(name, text)| (name, value_of(text))).collect();
        Ok(Detected { intent, confidence, parameters, ..Detected::default() })
    }
}

impl Transcriber for MlClient {
    fn transcribe(&self, cx: &Cx, format: SoundFormat, sound: SoundStream) -> TranscriptStream {
        let SoundFormat { sample_rate, language, .. } = format;
        let first = ml::AudioChunk {
            sample_rate_hertz: i32::try_from(sample_rate).unwrap_or_default(),
            language_code: language,
            ..Default::default()
        };
        // An error of ours cannot travel in gRPC: the sound ends here.
        let more = sound
            .take_while(|piece| std::future::ready(piece.is_ok()))
            .filter_map(|piece| std::future::ready(piece.ok()))
            .map(|data| ml::AudioChunk { data, ..Default::default() });
        let chunks = Outgoing::new(stream::once(std::future::ready(first)).chain(more));
        let request = channel::request(chunks, cx, self.clock.moment());
        let opened = open(self.client.clone(), request);
        let what = "transcribing sound";
        let heard = stream::once(opened).flatten().map(move |result| match result {
            Ok(result) => {
                Ok(Transcript { text: result.text, is_final: result.is_final, confidence: result.confidence })
            }
            Err(status) => Err(fault_of(what, &status)),
        });
        match cx.deadline() {
            Some(end) => heard.take_until(self.clock.sleep_until(end)).boxed(),
            None => heard.boxed(),
        }
    }
}

type Results = BoxStream<'static, Result<ml::TranscriptionResult, Status>>;

/// Opens the stream; what keeps it from opening is its only item.
async fn open(mut client: MlServiceClient<Channel>, chunks: Request<Outgoing<ml::AudioChunk>>) -> Results {
    match client.transcribe_stream(chunks).await {
        Ok(results) => results.into_inner().boxed(),
        Err(status) => stream::iter([Err(status)]).boxed(),
    }
}
