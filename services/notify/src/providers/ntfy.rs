//! Push by ntfy (<https://docs.ntfy.sh/publish/#publish-as-json>): `ntfy://:token@host`, the address is a topic.
//!
//! The message's id is its sequence id, by which devices show a repeated message once (ntfy 2.16 and later).

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use ieum_client::{Auth, Request, RestClient};
use ieum_contracts::notify::Channel;
use ieum_core::{Cx, Fault, Secret};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{
    Letter, Provider, ProviderContext, Receipt, Repeat, SendError, decoded, is_encrypted, name_of, only, rest,
};

struct Ntfy {
    name: String,
    client: RestClient,
}

#[derive(Deserialize)]
struct Published {
    id: String,
}

/// What ntfy says of an error.
#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default)]
    error: String,
}

pub(super) fn open(url: &Url, _: Channel, context: &ProviderContext) -> Result<Arc<dyn Provider>, String> {
    only(url, &["tls"])?;
    let auth = match url.password() {
        Some(token) => Auth::Bearer(Secret::new(decoded(token))),
        None => Auth::None,
    };
    let client = rest::client("notify-ntfy", rest::base(url, is_encrypted(url)?)?, auth, context)?;
    Ok(Arc::new(Ntfy { name: name_of(url), client }))
}

#[async_trait]
impl Provider for Ntfy {
    fn name(&self) -> &str {
        &self.name
    }

    fn repeat(&self) -> Repeat {
        Repeat::Harmless
    }

    async fn send(&self, cx: &Cx, letter: &Letter) -> Result<Receipt, SendError> {
        let body = json!({
            "topic": letter.to,
            "title": letter.title,
            "message": if letter.body.is_empty() { &letter.title } else { &letter.body },
            "sequence_id": letter.id.simple().to_string(),
        });
        let request = Request::new(Method::POST, "/").json(&body).map_err(SendError::NotSent)?.any_status();
        let answer = self.client.send(cx, request).await.map_err(rest::failed)?;
        if !answer.status.is_success() {
            let problem: Problem = answer.json().unwrap_or_default();
            return Err(rest::refused(&self.name, &answer, &problem.error));
        }
        // Taken it is; only its name is not known where the answer is odd.
        let reference = answer.json::<Published>().map_or_else(|_| String::new(), |published| published.id);
        Ok(Receipt { reference })
    }

    async fn check(&self) -> Result<(), Fault> {
        self.client.get(&Cx::root(), "/v1/health").await.map(drop)
    }
}
