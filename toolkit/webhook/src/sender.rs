//! One attempt: signing, posting within the time limit, reading the start of the answer.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use ieum_client::{BodyStream, Transport, TransportError, WireRequest};
use ieum_core::{SharedClock, Timestamp, header};
use url::Url;

use crate::answer::{Answer, KEPT_BODY};
use crate::deliveries::Claimed;
use crate::options::WebhookOptions;
use crate::signing::{
    HEADER_EVENT, HEADER_ID, HEADER_PLAIN_SIGNATURE, HEADER_SIGNATURE, HEADER_TIMESTAMP, signature_header,
};

/// Posts attempts. Redirects are not followed; the outbound rules hold at every connection.
pub(crate) struct Poster {
    pub transport: Arc<dyn Transport>,
    pub clock: SharedClock,
    pub options: WebhookOptions,
}

impl Poster {
    /// Makes one attempt. Every failure is an answer.
    pub async fn post(&self, claimed: &Claimed) -> Answer {
        let Some(request) = self.sign(claimed, self.clock.now()) else {
            return Answer::Refused("the endpoint's URL does not read back".into());
        };
        let limit = self.clock.sleep(self.options.timeout);
        tokio::select! {
            answer = self.exchange(request) => answer,
            () = limit => {
                let limit = self.options.timeout.as_secs_f64();
                Answer::NoAnswer(format!("no answer within {limit} s"))
            }
        }
    }

    async fn exchange(&self, request: WireRequest) -> Answer {
        let response = match self.transport.send(request).await {
            Ok(response) => response,
            Err(TransportError::Refused(refused)) => return Answer::Refused(refused.to_string()),
            Err(error) => return Answer::NoAnswer(error.to_string()),
        };
        let retry_after = response.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.map(str::to_owned);
        let body = start_of(response.body).await;
        Answer::Status { status: response.status.as_u16(), retry_after, body }
    }

    fn sign(&self, claimed: &Claimed, now: Timestamp) -> Option<WireRequest> {
        let ring = &claimed.target.ring;
        let (secrets, pairs) = (ring.signing(now), ring.pairs(now));
        let seconds = now.as_seconds();
        let signatures = signature_header(&secrets, &pairs, &claimed.message_id, seconds, &claimed.body);
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_str(&self.options.user_agent).ok()?);
        let mut add = |name: &'static str, value: &str| -> Option<()> {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).ok()?);
            Some(())
        };
        add(HEADER_ID, &claimed.message_id)?;
        add(HEADER_TIMESTAMP, &seconds.to_string())?;
        add(HEADER_SIGNATURE, &signatures)?;
        add(HEADER_EVENT, &claimed.event)?;
        add(header::TRACEPARENT, &claimed.trace.child().to_string())?;
        add(HEADER_PLAIN_SIGNATURE, &secrets.first()?.sign_plain(&claimed.body))?;
        let url = Url::parse(&claimed.target.endpoint.url).ok()?;
        Some(WireRequest { method: http::Method::POST, url, headers, body: claimed.body.clone() })
    }
}

/// Reads as much of the body as the log keeps, then lets go of it. A short body is read to its end,
/// so that the connection can be used again.
async fn start_of(mut body: BodyStream) -> Vec<u8> {
    let mut kept: Vec<u8> = Vec::new();
    while let Some(Ok(part)) = body.next().await {
        let part: Bytes = part;
        let room = KEPT_BODY.saturating_sub(kept.len());
        if part.len() > room {
            kept.extend_from_slice(&part[..room]);
            break;
        }
        kept.extend_from_slice(&part);
    }
    kept
}
