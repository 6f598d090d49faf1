//! Recordings as uploads: `multipart/form-data` with `audio` and `deviceId`.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{StatusCode, header};
use ieum_contracts::voice::DialogTurn;
use ieum_core::Fault;
use ieum_gateway::{ApiError, ApiJson, Context, ProblemView};
use multer::{Constraints, Multipart, SizeLimit};

use super::text::at_field;
use super::{Visitor, Web};
use crate::audio::{LONGEST, recording, to_wave};
use crate::parts::{Piece, Taken};
use crate::rules::check_turn;
use crate::views::{AnswerV2, PartKept, Recording, Spoken, SpokenAnswer};

/// The longest field beside the recording, bytes.
const LONGEST_FIELD: u64 = 1_024;

/// The field that holds the recording.
const AUDIO: &str = "audio";

/// The fields that an upload may have.
const FIELDS: [&str; 10] = [
    AUDIO,
    "deviceId",
    "userId",
    "sessionId",
    "language",
    "area",
    "turnId",
    "sampleRate",
    "sequence",
    "last",
];

/// How much of an unknown field's name is told back, characters.
const MOST_OF_NAME: usize = 60;

/// The fields of an upload.
#[derive(Default)]
struct Upload {
    audio: Option<Bytes>,
    rate: Option<u32>,
    sequence: Option<u32>,
    last: bool,
    turn: DialogTurn,
}

/// Hears a recording (WAVE, or 16-bit samples of one channel) and answers it. With a speech engine that speaks, the
/// answer comes spoken too. With `sequence` it is a part of the recording that `sessionId` names, whose other parts may
/// come by MQTT or WebSocket; whoever brings the one that was missing gets the answer.
#[utoipa::path(post, path = "/api/dialog/audio", tag = "dialog", operation_id = "hear", security((), ("key" = []), ("device" = [])),
    request_body(content = Recording, content_type = "multipart/form-data"), responses(
    (status = 200, description = "The answer", body = SpokenAnswer),
    (status = 202, description = "The part is kept; others are to come", body = PartKept),
    (status = 400, description = "A field is wrong", body = ProblemView, content_type = "application/problem+json"),
    (status = 413, description = "The recording is too long", body = ProblemView, content_type = "application/problem+json"),
    (status = 415, description = "It is no multipart/form-data", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn audio(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
    request: Request,
) -> Result<Response, ApiError> {
    let Upload { audio, rate, sequence, last, turn } = read(request).await?;
    let turn = visitor.pin(&cx, &web.manager.directory, turn).await.map_err(at_field)?;
    let audio = audio.ok_or_else(|| wrong(AUDIO, "is missing; it holds the recording"))?;
    let audio = recording(audio, rate).map_err(at_field)?;
    let answer = match sequence {
        None => {
            check_turn(&DialogTurn { text: "-".to_owned(), ..turn.clone() }).map_err(at_field)?;
            web.manager.hear(&cx, turn, audio).await?
        }
        Some(sequence) => {
            // A conversation goes on over recordings: it is the device's or the person's own.
            let recording = turn.session_id.clone();
            let turn = DialogTurn { session_id: None, ..turn };
            let piece = Piece { turn, recording: recording.clone(), sequence, last, audio };
            match web.manager.take(&cx, piece).await.map_err(at_field)? {
                Taken::Heard(answer) | Taken::Again(_, answer) => *answer,
                Taken::Waiting(missing) => {
                    let kept = PartKept { session_id: recording.unwrap_or_default(), missing };
                    return Ok((StatusCode::ACCEPTED, ApiJson(kept)).into_response());
                }
            }
        }
    };
    let spoken = web.manager.spoken(&answer).await.map(|audio| Spoken {
        format: "WAV".to_owned(),
        sample_rate: audio.rate,
        data: BASE64_STANDARD.encode(to_wave(&audio)),
    });
    Ok(ApiJson(SpokenAnswer { answer: AnswerV2::from(answer), audio: spoken }).into_response())
}

async fn read(request: Request) -> Result<Upload, ApiError> {
    let kind =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(kind).map_err(|_| {
        let message = "the body must be multipart/form-data with a boundary";
        ApiError::from(Fault::invalid_argument("gateway.media_type", message))
            .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
    })?;
    let limits = SizeLimit::new().per_field(LONGEST_FIELD).for_field(AUDIO, LONGEST as u64);
    let body = request.into_body().into_data_stream();
    let mut parts = Multipart::with_constraints(body, boundary, Constraints::new().size_limit(limits));
    let mut upload = Upload::default();
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        // Before its value is read, which may be long.
        if !FIELDS.contains(&name.as_str()) {
            return Err(unknown(&name));
        }
        if name == AUDIO {
            upload.audio = Some(part.bytes().await.map_err(broken)?);
            continue;
        }
        let value = part.text().await.map_err(broken)?;
        match name.as_str() {
            "deviceId" => upload.turn.device_id = Some(value),
            "userId" => upload.turn.user_id = Some(value),
            "sessionId" => upload.turn.session_id = Some(value),
            "language" => upload.turn.language = Some(value),
            "area" => upload.turn.area = Some(value),
            "turnId" => upload.turn.turn_id = Some(value),
            "sampleRate" => upload.rate = Some(number("sampleRate", &value)?),
            "sequence" => upload.sequence = Some(number("sequence", &value)?),
            "last" => {
                upload.last = value.trim().parse().map_err(|_| expected("last", &value, "true or false"))?;
            }
            _ => return Err(unknown(&name)),
        }
    }
    Ok(upload)
}

/// Names a field that nobody reads, and those there are.
fn unknown(name: &str) -> ApiError {
    let named: String = name.chars().filter(|letter| !letter.is_control()).take(MOST_OF_NAME).collect();
    wrong(&named, &format!("is not known; there are {}, and {AUDIO} is needed", FIELDS.join(", ")))
}

fn number(field: &str, value: &str) -> Result<u32, ApiError> {
    value.trim().parse().map_err(|_| expected(field, value, "a whole number"))
}

/// Says what a field was given, and what it takes.
fn expected(field: &str, value: &str, what: &str) -> ApiError {
    let value: String = value.chars().take(MOST_OF_NAME).collect();
    wrong(field, &format!("{value:?} was given, expected {what}"))
}

fn wrong(field: &str, problem: &str) -> ApiError {
    let fault = Fault::invalid_argument("voice.upload.invalid", format!("field {field}: {problem}"));
    ApiError::from(fault).at_field(field)
}

/// Says why the parts could not be read. Where the whole body was refused for its length, the door says so.
fn broken(error: multer::Error) -> ApiError {
    match error {
        multer::Error::FieldSizeExceeded { limit, field_name } => {
            let field = field_name.unwrap_or_default();
            let message = format!("field {field}: is longer than {limit} bytes");
            let fault = Fault::invalid_argument("voice.audio.too_long", message);
            ApiError::from(fault).with_status(StatusCode::PAYLOAD_TOO_LARGE).at_field(field)
        }
        _ => Fault::invalid_argument("voice.upload.invalid", "the body is broken multipart/form-data").into(),
    }
}
