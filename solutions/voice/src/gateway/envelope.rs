//! What is sent, in the envelope that devices and streams know.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ieum_core::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::replies::Waiting;
use crate::speech::Audio;

/// What one message of words spoken to a device holds, bytes: about a second.
const SPOKEN_PART: usize = 32_000;

/// Returns a row as it is sent.
pub fn envelope(row: &Waiting) -> Value {
    enveloped(row, &row.id, &row.payload)
}

/// Returns words spoken, in parts with their numbers.
pub fn parts(row: &Waiting, audio: &Audio) -> Vec<Value> {
    let count = audio.samples.len().div_ceil(SPOKEN_PART);
    let part = |(sequence, bytes): (usize, &[u8])| {
        let payload = json!({
            "turnId": row.payload["turnId"],
            "sequence": sequence,
            "last": sequence + 1 == count,
            "audio": sound(bytes, audio.rate),
        });
        enveloped(row, &format!("{}:{sequence}", row.id), &payload)
    };
    audio.samples.chunks(SPOKEN_PART).enumerate().map(part).collect()
}

/// Returns words spoken, in one message.
pub fn whole(row: &Waiting, audio: &Audio) -> Value {
    let payload = json!({ "turnId": row.payload["turnId"], "audio": sound(&audio.samples, audio.rate) });
    enveloped(row, &row.id, &payload)
}

/// Returns 16-bit samples as messages carry them.
pub fn sound(samples: &[u8], rate: u32) -> Value {
    json!({ "data": BASE64_STANDARD.encode(samples), "format": "PCM", "sampleRate": rate })
}

/// The same id leads to the same `messageId`, however often it is sent.
fn enveloped(row: &Waiting, id: &str, payload: &Value) -> Value {
    let digest = Sha256::digest(id.as_bytes());
    let hex = hex::encode(&digest[..16]);
    let id = format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
    message(&id, row.at, &row.kind, payload)
}

/// Returns a message as devices and streams know it.
pub fn message(id: &str, at: Timestamp, kind: &str, payload: &Value) -> Value {
    json!({ "messageId": id, "timestamp": at.as_millis(), "type": kind, "payload": payload })
}
