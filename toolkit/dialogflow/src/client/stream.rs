//! A turn as a stream: sound goes in, what is heard so far comes out, the answer last.

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use ieum_core::{Cx, Fault};
use ieum_policy::{BreakerState, reason};

use super::DialogflowClient;
use crate::channel::Outgoing;
use crate::convert::{audio_config, detected_of, request_message};
use crate::proto::v2;
use crate::proto::v2::streaming_recognition_result::MessageType;
use crate::status::fault_of;
use crate::{Detected, Query, SoundFormat, SoundStream, Transcript};

/// What comes of a stream.
#[derive(Clone, PartialEq, Debug)]
pub enum Heard {
    /// What was heard so far.
    Transcript(Transcript),
    /// The utterance is over: more sound will not be heard.
    UtteranceEnded,
    /// What was understood, once and last.
    Detected(Box<Detected>),
}

impl DialogflowClient {
    /// Sends `sound` as it comes and returns what is heard and understood, for at most the caller's time. The query's
    /// own input is left out.
    ///
    /// # Errors
    /// `dialogflow.no_streams` over REST, `link.breaker_open` while the breaker is open, and what keeps the stream
    /// from beginning. A later error is the last item.
    pub async fn stream(
        &self,
        cx: &Cx,
        query: &Query,
        format: &SoundFormat,
        sound: SoundStream,
    ) -> Result<BoxStream<'static, Result<Heard, Fault>>, Fault> {
        cx.check(self.clock.moment())?;
        let Some(mut client) = self.sender.grpc() else {
            let message = "REST has no streams; use dialogflow://, dialogflow+grpc:// or dialogflow+grpcs://";
            return Err(Fault::unimplemented("dialogflow.no_streams", message));
        };
        if let Some(BreakerState::Open { .. }) = self.policies().breaker() {
            let message = "the Dialogflow was not called: the breaker is open";
            return Err(Fault::unavailable(reason::BREAKER_OPEN, message));
        }
        let session = self.sender.session(&query.session.session);
        let v2::DetectIntentRequest { session: name, query_params, output_audio_config, .. } =
            request_message(&session, query);
        let input = v2::query_input::Input::AudioConfig(audio_config(format, &query.language));
        let first = v2::StreamingDetectIntentRequest {
            session: name,
            query_params,
            query_input: Some(v2::QueryInput { input: Some(input) }),
            output_audio_config,
            ..Default::default()
        };
        let more = sound
            // An error of ours cannot travel in gRPC: the sound ends here, and what was heard so far is understood.
            .take_while(|piece| std::future::ready(piece.is_ok()))
            .filter_map(|piece| std::future::ready(piece.ok()))
            .map(|input_audio: Bytes| v2::StreamingDetectIntentRequest { input_audio, ..Default::default() });
        let requests = Outgoing::new(stream::once(std::future::ready(first)).chain(more));
        let request = self.sender.signed(cx, &session, requests)?;
        let what = "streaming to the Dialogflow";
        let answers = client.streaming_detect_intent(request).await;
        let answers = answers.map_err(|status| super::kept_out(fault_of(what, &status)))?.into_inner();
        let heard = answers.filter_map(move |answer| {
            let heard = match answer {
                Ok(answer) => heard(answer).transpose(),
                Err(status) => Some(Err(super::kept_out(fault_of(what, &status)))),
            };
            std::future::ready(heard)
        });
        Ok(match cx.deadline() {
            Some(end) => heard.take_until(self.clock.sleep_until(end)).boxed(),
            None => heard.boxed(),
        })
    }
}

fn heard(answer: v2::StreamingDetectIntentResponse) -> Result<Option<Heard>, Fault> {
    if let Some(result) = answer.recognition_result {
        return Ok(match result.message_type() {
            MessageType::Transcript => Some(Heard::Transcript(Transcript {
                text: result.transcript,
                is_final: result.is_final,
                confidence: result.confidence,
            })),
            MessageType::EndOfSingleUtterance => Some(Heard::UtteranceEnded),
            _ => None,
        });
    }
    if answer.query_result.is_none() {
        return Ok(None);
    }
    let detected = detected_of(v2::DetectIntentResponse {
        response_id: answer.response_id,
        query_result: answer.query_result,
        webhook_status: answer.webhook_status,
        output_audio: answer.output_audio,
        output_audio_config: answer.output_audio_config,
    })?;
    Ok(Some(Heard::Detected(Box::new(detected))))
}
