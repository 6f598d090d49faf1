//! Turns as streams: what was heard so far goes out while sound still comes in.

use std::sync::Arc;

use bytes::Bytes;
use futures::channel::mpsc;
use futures::stream::BoxStream;
use futures::{SinkExt, Stream, StreamExt, stream};
use ieum_core::{Cx, Fault};
use tonic::Status;

use super::Inner;
use super::turn::Turn;
use crate::convert::{query_of, wrong};
use crate::proto::v2;
use crate::proto::v2::streaming_recognition_result::MessageType;
use crate::status::{fault_of, status_of};
use crate::{Input, Query, Sound, SoundStream, Transcriber};

type Request = v2::StreamingDetectIntentRequest;
type Response = v2::StreamingDetectIntentResponse;
type Answers = mpsc::Sender<Result<Response, Status>>;

impl Inner {
    /// Answers a stream. Whoever drops the answers ends the work.
    pub fn stream<S>(this: &Arc<Self>, cx: Cx, requests: S) -> BoxStream<'static, Result<Response, Status>>
    where
        S: Stream<Item = Result<Request, Status>> + Send + Unpin + 'static,
    {
        let (mut answers, answered) = mpsc::channel(8);
        let inner = Arc::clone(this);
        let cx = cx.with_timeout(inner.clock.moment(), inner.options.longest_turn);
        let work = async move {
            let outcome = inner.within(&cx, inner.converse(&cx, requests, answers.clone())).await;
            if let Err(fault) = outcome {
                // Nobody is left to hear it where this fails.
                let _ = answers.send(Err(status_of(&fault))).await;
            }
        };
        let work = stream::once(work).filter_map(|()| std::future::ready(None));
        stream::select(answered, work).boxed()
    }

    async fn converse<S>(&self, cx: &Cx, mut requests: S, mut answers: Answers) -> Result<(), Fault>
    where
        S: Stream<Item = Result<Request, Status>> + Send + Unpin + 'static,
    {
        let first =
            requests.next().await.ok_or_else(|| wrong("the stream", "ended before its first message"))?;
        let mut query = first_query(first.map_err(|status| fault_of("reading the stream", &status))?)?;
        query.language = self.language(&query.language)?;
        let mut confidence = 0.0;
        if let Input::Sound(sound) = &query.input {
            let (sound, more) = (sound.clone(), self.sound_of(sound.data.clone(), requests));
            match self.ear_of(&query)? {
                Some(ear) => {
                    let heard = listen(ear, cx, &query, sound, more, &mut answers).await?;
                    confidence = heard.1;
                    query.input = Input::Text(heard.0);
                }
                None => query.input = Input::Sound(Sound { data: whole(more).await?, ..sound }),
            }
        }
        let turn = self.understand(cx, query, confidence).await?;
        send(&mut answers, last(turn)).await
    }

    /// Returns the sound of all messages; too much of it is an error.
    fn sound_of<S>(&self, first: Bytes, requests: S) -> SoundStream
    where
        S: Stream<Item = Result<Request, Status>> + Send + Unpin + 'static,
    {
        let most = self.options.most_sound;
        let first = (!first.is_empty()).then_some(Ok(first));
        let more = requests.map(|request| match request {
            Ok(request) => Ok(request.input_audio),
            Err(status) => Err(fault_of("reading the stream", &status)),
        });
        let mut sum = 0;
        let counted = stream::iter(first).chain(more).map(move |piece| {
            let piece = piece?;
            sum += piece.len();
            if sum > most {
                return Err(wrong("input_audio", format!("one turn takes {most} bytes of sound at most")));
            }
            Ok(piece)
        });
        counted.boxed()
    }
}

/// Reads the message that begins a stream.
fn first_query(first: Request) -> Result<Query, Fault> {
    let single = first.single_utterance;
    let mut query = query_of(v2::DetectIntentRequest {
        session: first.session,
        query_params: first.query_params,
        query_input: first.query_input,
        output_audio_config: first.output_audio_config,
        input_audio: first.input_audio.into(),
        output_audio_config_mask: None,
    })?;
    if let Input::Sound(sound) = &mut query.input {
        sound.format.single_utterance |= single;
    }
    Ok(query)
}

/// Hears the sound and tells what was heard so far; returns the final text and how sure the ear was.
async fn listen(
    ear: &dyn Transcriber,
    cx: &Cx,
    query: &Query,
    sound: Sound,
    more: SoundStream,
    answers: &mut Answers,
) -> Result<(String, f32), Fault> {
    let mut format = sound.format;
    format.language.clone_from(&query.language);
    let single = format.single_utterance;
    let mut heard = ear.transcribe(cx, format, more);
    let (mut texts, mut least) = (Vec::new(), None::<f32>);
    while let Some(transcript) = heard.next().await {
        let transcript = transcript?;
        if transcript.is_final {
            if single {
                send(answers, recognised(MessageType::EndOfSingleUtterance, "", false, 0.0, "")).await?;
            }
            texts.push(transcript.text.clone());
            least = Some(least.map_or(transcript.confidence, |least| least.min(transcript.confidence)));
        }
        let (text, confidence) = (&transcript.text, transcript.confidence);
        let message =
            recognised(MessageType::Transcript, text, transcript.is_final, confidence, &query.language);
        send(answers, message).await?;
        if transcript.is_final && single {
            break;
        }
    }
    Ok((texts.join(" ").trim().to_owned(), least.unwrap_or_default()))
}

async fn whole(mut sound: SoundStream) -> Result<Bytes, Fault> {
    let mut data = Vec::new();
    while let Some(piece) = sound.next().await {
        data.extend_from_slice(&piece?);
    }
    Ok(data.into())
}

async fn send(answers: &mut Answers, response: Response) -> Result<(), Fault> {
    let gone = || Fault::cancelled("dialogflow.gone", "the caller left the stream");
    answers.send(Ok(response)).await.map_err(|_| gone())
}

fn recognised(kind: MessageType, text: &str, is_final: bool, confidence: f32, language: &str) -> Response {
    let recognition_result = v2::StreamingRecognitionResult {
        message_type: kind as i32,
        transcript: text.to_owned(),
        is_final,
        confidence,
        language_code: language.to_owned(),
        ..Default::default()
    };
    Response { recognition_result: Some(recognition_result), ..Default::default() }
}

fn last(turn: Turn) -> Response {
    let v2::DetectIntentResponse { response_id, query_result, output_audio, output_audio_config, .. } =
        turn.into_response();
    Response { response_id, query_result, output_audio, output_audio_config, ..Default::default() }
}
