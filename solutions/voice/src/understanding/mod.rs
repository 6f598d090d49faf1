//! Meets the contract `voice.understanding` without any network: sentence templates first, then the classifier.

mod guess;
pub mod values;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use ieum_contracts::voice::{Meaning, Understand, Understanding, UnderstandingRoutes, Understood};
use ieum_core::{Cx, Fault};
use ieum_link::Routes;
use ieum_understanding::builtin;
use ieum_understanding::several::{self, take_apart};
use ieum_understanding::template::{IntentsFile, Lists, Recogniser, Situation, TemplateError};
use ieum_understanding::value::Language;
use jiff::Zoned;
use serde_json::json;

use crate::tongue::Tongue;
use crate::zone::{here, zone};
use guess::Guesser;
use values::slots_of;

/// Names of things and rooms that are understood although nobody has them, so that the answer can say so.
const THINGS: [(Tongue, &[&str]); 2] = [
    (
        Tongue::Korean,
        &["불", "조명", "전등", "선풍기", "에어컨", "텔레비전", "티비", "히터", "가습기", "공기청정기"],
    ),
    (Tongue::English, &["light", "lights", "lamp", "fan", "air conditioner", "television", "tv", "heater"]),
];
const AREAS: [(Tongue, &[&str]); 2] = [
    (Tongue::Korean, &["거실", "안방", "침실", "주방", "부엌", "화장실", "욕실", "서재", "현관", "아이방"]),
    (
        Tongue::English,
        &["living room", "kitchen", "bedroom", "bathroom", "office", "study", "hall", "garage"],
    ),
];

/// The engine that comes along. Cloning shares it.
#[derive(Clone)]
pub struct LocalUnderstanding(Arc<Inner>);

struct Inner {
    korean: Recogniser,
    english: Recogniser,
    /// Trained in the background: it takes longer than a start may.
    guesser: OnceLock<Guesser>,
}

/// Says why the engine cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("reading the sentences of {language}")]
pub struct SentencesError {
    language: &'static str,
    #[source]
    source: TemplateError,
}

impl LocalUnderstanding {
    /// Compiles the sentences that come along.
    ///
    /// # Errors
    /// Never for the files that come along; a test reads them.
    pub fn new() -> Result<Self, SentencesError> {
        let compile = |tongue: Tongue, own: &str| {
            let failed = |source| SentencesError { language: tongue.code(), source };
            let file = sentences(tongue, own).map_err(failed)?;
            Recogniser::compile(&file).map_err(failed)
        };
        let korean = compile(Tongue::Korean, include_str!("../../sentences/ko.yaml"))?;
        let english = compile(Tongue::English, include_str!("../../sentences/en.yaml"))?;
        Ok(Self(Arc::new(Inner { korean, english, guesser: OnceLock::new() })))
    }

    /// Trains the classifier, which takes a moment; until then only sentences of the templates are understood.
    pub fn train(&self) {
        self.0.guesser.get_or_init(Guesser::train);
    }

    /// Returns the contract as it is answered here.
    pub fn routes(&self) -> Routes {
        UnderstandingRoutes::of(Arc::new(self.clone()) as Arc<dyn Understanding>)
    }

    fn recognise(&self, tongue: Tongue, ask: &Understand) -> Option<Vec<Meaning>> {
        let language = tongue.pick(Language::Korean, Language::English);
        let recogniser = tongue.pick(&self.0.korean, &self.0.english);
        let (situation, now) = (situation(tongue, ask), now_of(ask));
        let understand = |part: &str| {
            let found = recogniser.recognise(part, &situation)?;
            let follows_up = found.metadata.as_ref().is_some_and(|data| data["follows"] == json!(true));
            let open = found.slots.iter().any(|slot| slot.wildcard);
            let slots = slots_of(&found.slots, language, &now);
            let meaning =
                Meaning { intent: found.intent, confidence: 1.0, slots, text: part.to_owned(), follows_up };
            Some(several::Understood { meaning, open })
        };
        let parts = take_apart(ask.text.trim(), language, &understand)?;
        Some(parts.into_iter().map(|part| part.meaning).collect())
    }
}

#[async_trait]
impl Understanding for LocalUnderstanding {
    async fn understand(&self, _cx: &Cx, ask: Understand) -> Result<Understood, Fault> {
        let Some(tongue) = Tongue::of(&ask.language) else {
            let message = format!("understanding {:?}: expected ko or en", ask.language);
            return Err(Fault::invalid_argument("voice.language.unknown", message));
        };
        if let Some(meanings) = self.recognise(tongue, &ask) {
            return Ok(Understood { meanings, engine: "templates".to_owned() });
        }
        let guess = self.0.guesser.get().and_then(|guesser| guesser.guess(tongue, &ask, &now_of(&ask)));
        let meanings = guess.into_iter().collect();
        Ok(Understood { meanings, engine: "classifier".to_owned() })
    }
}

fn now_of(ask: &Understand) -> Zoned {
    here(&zone(&ask.zone), ask.now)
}

fn situation(tongue: Tongue, ask: &Understand) -> Situation {
    let known =
        |table: [(Tongue, &'static [&'static str]); 2]| table.into_iter().find(|(own, _)| *own == tongue);
    let names = |table, own: &[String]| {
        let common = known(table).map_or(&[][..], |(_, names)| names);
        own.iter().map(String::as_str).chain(common.iter().copied()).map(str::to_owned).collect::<Vec<_>>()
    };
    let (things, areas) = (names(THINGS, &ask.things), names(AREAS, &ask.areas));
    let lists = Lists::default()
        .with_names("name", things.iter().map(String::as_str))
        .with_names("area", areas.iter().map(String::as_str));
    let mut context = serde_json::Map::new();
    if let Some(topic) = &ask.state.topic {
        context.insert("topic".to_owned(), json!(topic));
    }
    if let Some(area) = &ask.area {
        context.insert("area".to_owned(), json!(area));
    }
    Situation { lists, context, prefer: Some("name".to_owned()) }
}

/// Returns the toolkit's sentences with our own added. Groups that require a topic are marked as following up.
fn sentences(tongue: Tongue, own: &str) -> Result<IntentsFile, TemplateError> {
    let mut file =
        builtin::sentences(tongue.code()).unwrap_or_else(|| IntentsFile::from_yaml("language: en"))?;
    let own = IntentsFile::from_yaml(own)?;
    for (intent, entry) in own.intents {
        file.intents.entry(intent).or_default().data.extend(entry.data);
    }
    file.lists.extend(own.lists);
    file.expansion_rules.extend(own.expansion_rules);
    for group in file.intents.values_mut().flat_map(|entry| &mut entry.data) {
        if group.requires_context.contains_key("topic") {
            group.metadata = Some(json!({ "follows": true }));
        }
    }
    Ok(file)
}
