//! `hermes/tts/say`: what is to be said is spoken and handed to the site's loudspeaker, one thing after the other.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::new_id;
use parking_lot::Mutex;
use serde_json::json;

use super::message::{Say, site};
use super::post::Post;
use crate::audio;
use crate::dialogue::DialogManager;
use crate::speech::Audio;
use crate::tongue::Tongue;

/// How much longer than it lasts playing may take before nobody waits for it any more.
const SLOW: Duration = Duration::from_secs(2);

/// Speaks at sites.
pub struct Speaking {
    manager: Arc<DialogManager>,
    post: Arc<Post>,
    /// Where something is being said, nothing else is.
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Speaking {
    /// Speaks by the engine of `manager`.
    pub fn new(manager: Arc<DialogManager>, post: Arc<Post>) -> Self {
        Self { manager, post, turns: Mutex::default() }
    }

    /// Says something and tells when it is said. Without an engine it is said at once, and only read.
    pub async fn say(&self, say: Say) {
        let Ok(site) = site(say.site_id.as_deref()) else { return };
        {
            let turn = Arc::clone(self.turns.lock().entry(site.clone()).or_default());
            let _turn = turn.lock().await;
            if let Some(audio) = self.spoken(&say, &site).await {
                self.play(&site, &audio).await;
            }
        }
        // A site where nothing waits is forgotten: names of sites are anybody's.
        self.turns.lock().retain(|_, turn| Arc::strong_count(turn) > 1);
        let told = json!({ "siteId": site, "id": say.id, "sessionId": say.session_id });
        self.post.tell("hermes/tts/sayFinished", &told).await;
    }

    async fn spoken(&self, say: &Say, site: &str) -> Option<Audio> {
        let text = say.text.trim();
        let mouth = self.manager.mouth.as_ref().filter(|_| !text.is_empty())?;
        let named = say.lang.as_deref().and_then(Tongue::of);
        let tongue = named.or_else(|| Tongue::heard_in(text)).unwrap_or(Tongue::Korean);
        match mouth.speak(text, tongue).await {
            Ok(audio) => Some(audio),
            Err(error) => {
                let error = ieum_core::describe(&error);
                tracing::warn!(site, error, "speaking at a site failed");
                let told =
                    json!({ "siteId": site, "error": error, "context": say.id, "sessionId": say.session_id });
                self.post.tell("hermes/error/tts", &told).await;
                None
            }
        }
    }

    async fn play(&self, site: &str, audio: &Audio) {
        let id = new_id().to_string();
        let played = self.post.wait(format!("played/{id}"));
        self.post.play(&format!("hermes/audioServer/{site}/playBytes/{id}"), audio::to_wave(audio)).await;
        // Not every loudspeaker tells when it is done.
        played.at_most(Duration::from_secs_f64(audio.seconds()) + SLOW).await;
    }
}
