//! `hermes/nlu/query`: a sentence is understood, and nothing happens.

use ieum_contracts::voice::{Meaning, Understand};
use ieum_core::{Cx, Fault};
use serde_json::{Value, json};

use super::message::{Query, intent, lay_over, site};
use super::post::Post;
use crate::dialogue::DialogManager;
use crate::rules::LONGEST_TEXT;
use crate::tongue::Tongue;

/// Returns what a sentence means, where that is among the intents that are wanted.
pub async fn recognise(
    manager: &DialogManager,
    text: &str,
    language: Option<&str>,
    wanted: Option<&[String]>,
) -> Result<Option<Meaning>, Fault> {
    let length = text.trim().chars().count();
    if length == 0 || length > LONGEST_TEXT {
        let message = format!("field input: must have 1 to {LONGEST_TEXT} characters");
        return Err(Fault::invalid_argument("voice.hermes.invalid", message));
    }
    let named = language.and_then(Tongue::of);
    let tongue = named.or_else(|| Tongue::heard_in(text)).unwrap_or(Tongue::Korean);
    let ask = Understand {
        text: text.trim().to_owned(),
        language: tongue.code().to_owned(),
        now: manager.clock.now(),
        zone: manager.zone.clone(),
        ..Understand::default()
    };
    let understood = manager.understanding.understand(&Cx::root(), ask).await?;
    let is_wanted = |meaning: &Meaning| {
        // An empty list wants everything, as one that is not there.
        wanted.is_none_or(|wanted| wanted.is_empty() || wanted.contains(&meaning.intent))
    };
    Ok(understood.meanings.into_iter().next().filter(is_wanted))
}

/// Answers a query.
pub async fn answer(manager: &DialogManager, post: &Post, query: Query) {
    let Ok(site) = site(query.site_id.as_deref()) else { return };
    let about = json!({
        "siteId": site, "id": query.id, "sessionId": query.session_id, "customData": query.custom_data,
        "lang": query.lang,
    });
    let meant = recognise(manager, &query.input, query.lang.as_deref(), query.intent_filter.as_deref()).await;
    match meant {
        Ok(Some(meaning)) => tell_intent(post, &meaning, &query.input, about).await,
        Ok(None) => tell_unknown(post, &query.input, about).await,
        Err(fault) => tell_error(post, "nlu", &fault, about).await,
    }
}

/// Tells what a sentence means.
pub async fn tell_intent(post: &Post, meaning: &Meaning, said: &str, about: Value) {
    let topic = format!("hermes/intent/{}", meaning.intent);
    post.tell(&topic, &intent(meaning, said, about)).await;
}

/// Tells that a sentence was not understood.
pub async fn tell_unknown(post: &Post, said: &str, about: Value) {
    let mut told = json!({ "input": said });
    lay_over(&mut told, about);
    post.tell("hermes/nlu/intentNotRecognized", &told).await;
}

/// Tells what failed, and of which service.
pub async fn tell_error(post: &Post, service: &str, fault: &Fault, about: Value) {
    let mut told = json!({ "error": fault.message, "context": fault.reason });
    lay_over(&mut told, about);
    post.tell(&format!("hermes/error/{service}"), &told).await;
}
