//! The gRPC door of Dialogflow, as its own generated clients come by it: sound in the messages of a stream.

use std::net::SocketAddr;

use axum::{Extension, Router};
use bytes::Bytes;
use futures::{TryStreamExt, stream};
use ieum_core::Cx;
use ieum_dialogflow::proto::v2::sessions_client::SessionsClient;
use ieum_dialogflow::proto::{from_json, to_json, v2};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// A client of Dialogflow over a connection of its own.
pub struct Caller {
    sessions: SessionsClient<Channel>,
    /// What it shows at the door.
    shown: Option<String>,
}

impl Caller {
    /// Serves routes and calls them.
    pub async fn of(routes: Router) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("listens");
        let address = listener.local_addr().expect("has an address");
        let routes = routes.layer(Extension(Cx::root()));
        let service = routes.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        let endpoint = Channel::from_shared(format!("http://{address}")).expect("is an address");
        let sessions = SessionsClient::new(endpoint.connect().await.expect("connects"));
        Self { sessions, shown: None }
    }

    /// Returns the same client, which shows something at the door.
    pub fn showing(self, shown: &str) -> Self {
        Self { shown: Some(shown.to_owned()), ..self }
    }

    /// Streams the letters of `words` as samples, with a payload; returns the last message of the answer.
    pub async fn sounds(&self, payload: Value, words: &str) -> Result<Value, Status> {
        let config = json!({ "audioEncoding": "AUDIO_ENCODING_LINEAR_16", "sampleRateHertz": 16_000,
            "languageCode": "en" });
        let first = json!({ "session": "projects/home/agent/sessions/hall",
            "queryInput": { "audioConfig": config }, "queryParams": { "payload": payload },
            "outputAudioConfig": { "audioEncoding": "OUTPUT_AUDIO_ENCODING_LINEAR_16" } });
        let first: v2::StreamingDetectIntentRequest =
            from_json(first.to_string().as_bytes()).expect("is one");
        let pieces = words.as_bytes().chunks(3).map(|piece| v2::StreamingDetectIntentRequest {
            input_audio: Bytes::copy_from_slice(piece),
            ..Default::default()
        });
        let messages: Vec<_> = std::iter::once(first).chain(pieces).collect();
        let mut request = Request::new(stream::iter(messages));
        if let Some(shown) = &self.shown {
            request.metadata_mut().insert("authorization", shown.parse().expect("fits"));
        }
        let answers = self.sessions.clone().streaming_detect_intent(request).await?.into_inner();
        let last = answers.try_collect::<Vec<_>>().await?.pop().expect("answers");
        let told = to_json(&last, false).expect("is written");
        Ok(serde_json::from_slice(&told).expect("is JSON"))
    }

    /// Streams a part of the recording `r1` of the kitchen.
    pub async fn part(&self, sequence: u32, last: bool, words: &str) -> Value {
        let payload = json!({ "deviceId": "kitchen", "sessionId": "r1", "sequence": sequence, "last": last });
        self.sounds(payload, words).await.expect("is taken")
    }
}
