//! Serves `MLService` over any agent and any transcriber.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures::future::{Either, select};
use futures::stream::{BoxStream, StreamExt};
use ieum_core::{Cx, Fault, SharedClock, within};
use serde_json::Value;
use tonic::{Request, Response, Status, Streaming};

use crate::convert::wrong;
use crate::ml::text_of;
use crate::proto::ml;
use crate::proto::ml::ml_service_server::{MlService, MlServiceServer};
use crate::server::routed;
use crate::status::{context_of, fault_of, status_of};
use crate::{Agent, Context, Query, SessionName, SoundFormat, Transcriber, Values};

/// The rate of sound whose first message names none.
const USUAL_RATE: u32 = 16_000;
/// The longest call, for callers that give no time.
const LONGEST: Duration = Duration::from_secs(300);

/// Answers `MLService`. Clones answer with the same engines.
#[derive(Clone)]
pub struct MlServer {
    agent: Arc<dyn Agent>,
    transcriber: Option<Arc<dyn Transcriber>>,
    clock: SharedClock,
}

impl MlServer {
    /// Makes a server. Without a transcriber sound is refused (`UNIMPLEMENTED`).
    pub fn new(agent: Arc<dyn Agent>, transcriber: Option<Arc<dyn Transcriber>>, clock: SharedClock) -> Self {
        Self { agent, transcriber, clock }
    }

    /// Returns the gRPC routes, `/ieum.ml.MLService/…`. They have no fallback and merge with others on one port.
    pub fn router(&self) -> Router {
        routed(Router::new(), MlServiceServer::new(self.clone()))
    }

    fn cx<T>(&self, request: &Request<T>) -> Cx {
        context_of(&self.clock, request).with_timeout(self.clock.moment(), LONGEST)
    }

    async fn analyze(&self, cx: &Cx, request: ml::IntentRequest) -> Result<ml::IntentResponse, Fault> {
        let mut context = request.context;
        let session = context.remove("session").unwrap_or_else(|| "ml".to_owned());
        let session = SessionName::new("ml", &session);
        SessionName::parse(&session.to_string())
            .map_err(|error| wrong("context.session", error.to_string()))?;
        let language = context.remove("language").unwrap_or_else(|| written_in(&request.text).to_owned());
        let known: Values = context.into_iter().map(|(name, text)| (name, Value::String(text))).collect();
        let contexts = if known.is_empty() { Vec::new() } else { vec![Context::new("request", 1, known)] };
        let query = Query::text(session, &language, request.text).with_contexts(contexts);
        let detected = self.agent.detect(cx, query).await?;
        let intent = detected.intent.filter(|intent| !intent.is_fallback);
        Ok(ml::IntentResponse {
            intent: intent.map(|intent| intent.display_name).unwrap_or_default(),
            confidence: detected.confidence,
            entities: detected.parameters.into_iter().map(|(name, value)| (name, text_of(value))).collect(),
        })
    }
}

/// Returns the language of a text whose caller names none: Korean where it holds a letter of Hangul.
fn written_in(text: &str) -> &'static str {
    let is_hangul =
        |letter| matches!(letter, '\u{1100}'..='\u{11ff}' | '\u{3131}'..='\u{318e}' | '가'..='힣');
    if text.contains(is_hangul) { "ko" } else { "en" }
}

#[tonic::async_trait]
impl MlService for MlServer {
    type TranscribeStreamStream = BoxStream<'static, Result<ml::TranscriptionResult, Status>>;

    async fn analyze_intent(
        &self,
        request: Request<ml::IntentRequest>,
    ) -> Result<Response<ml::IntentResponse>, Status> {
        let cx = self.cx(&request);
        let end = cx.deadline().unwrap_or_default();
        let answer = within(&self.clock, end, self.analyze(&cx, request.into_inner())).await;
        answer.unwrap_or_else(|| Err(late())).map(Response::new).map_err(|fault| status_of(&fault))
    }

    async fn transcribe_stream(
        &self,
        request: Request<Streaming<ml::AudioChunk>>,
    ) -> Result<Response<Self::TranscribeStreamStream>, Status> {
        let Some(transcriber) = &self.transcriber else {
            return Err(Status::unimplemented("this server has no ear; sound is not taken"));
        };
        let cx = self.cx(&request);
        let mut chunks = request.into_inner();
        let Some(first) = chunks.message().await? else {
            return Err(status_of(&wrong("the stream", "ended before its first message")));
        };
        let rate = u32::try_from(first.sample_rate_hertz).ok().filter(|rate| *rate > 0).unwrap_or(USUAL_RATE);
        let format = SoundFormat::linear(rate, &first.language_code);
        let more = chunks.map(|chunk| match chunk {
            Ok(chunk) => Ok(chunk.data),
            Err(status) => Err(fault_of("reading the stream", &status)),
        });
        let sound = futures::stream::iter([Ok(first.data)]).chain(more).boxed();
        let heard = transcriber.transcribe(&cx, format, sound);
        let results = heard.map(|heard| match heard {
            Ok(heard) => Ok(ml::TranscriptionResult {
                text: heard.text,
                is_final: heard.is_final,
                confidence: heard.confidence,
            }),
            Err(fault) => Err(status_of(&fault)),
        });
        let over = self.clock.sleep_until(cx.deadline().unwrap_or_default());
        Ok(Response::new(until(results.boxed(), over)))
    }
}

fn late() -> Fault {
    Fault::deadline_exceeded("ml.deadline", "the time given was over before the answer")
}

/// Ends a stream with `DEADLINE_EXCEEDED` once `over` completes.
fn until<T: Send + 'static>(
    results: BoxStream<'static, Result<T, Status>>,
    over: ieum_core::BoxFuture<'static, ()>,
) -> BoxStream<'static, Result<T, Status>> {
    futures::stream::unfold(Some((results, over)), |state| async move {
        let (mut results, mut over) = state?;
        let next = match select(results.next(), &mut over).await {
            Either::Left((next, _)) => Some(next),
            Either::Right(_) => None,
        };
        match next {
            Some(Some(item)) => Some((item, Some((results, over)))),
            Some(None) => None,
            None => Some((Err(status_of(&late())), None)),
        }
    })
    .boxed()
}
