//! Meets the contract `voice.understanding` without any network: sentence templates first, then the classifier.

mod choosing;
mod conditions;
mod corrected;
mod evidence;
mod grammars;
mod guess;
mod halves;
mod impossible;
mod in_turn;
mod instead;
mod later;
mod listening;
mod moments;
mod named;
mod negated;
mod opening;
mod places;
mod remarks;
mod reminding;
mod repairing;
mod repeats;
mod run_together;
mod sentence;
mod shared;
pub mod taught;
mod timed;
pub mod values;
pub mod words;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use ieum_contracts::voice::{Meaning, Understand, Understanding, UnderstandingRoutes, Understood};
use ieum_core::{Cx, Fault};
use ieum_link::Routes;
use ieum_understanding::builtin;
use ieum_understanding::template::{
    IntentsFile, ListEntry, Lists, Recogniser, Situation, TemplateError, ValueEntry,
};
use ieum_understanding::value::Language;
use jiff::Zoned;
use parking_lot::RwLock;
use serde_json::json;

use crate::cities;
use crate::colours::{self, COLOR, SHADE};
use crate::dialogue::Names;
use crate::tongue::Tongue;
use crate::zone::{here, zone};
pub use conditions::{CONDITIONAL, with_times};
use grammars::Grammars;
use guess::Guesser;
pub use halves::{Hour, half, hour, names_a_day};
pub use impossible::{NoSuch, no_such};
pub use instead::instead;
pub use moments::{whole_duration, whole_moment};
pub use named::named;
pub use negated::{EXCEPTED, NEGATED, refused};
use opening::{after_opening, assent};
pub use repeats::{leading, repeats};
pub use sentence::PARTLY;
use sentence::Sentence;
use taught::Taught;
pub use timed::LATER;

/// Names of things and rooms that are understood although nobody has them, so that the answer can say so.
const THINGS: [(Tongue, &[&str]); 2] = [
    (
        Tongue::Korean,
        &[
            "불",
            "조명",
            "전등",
            "선풍기",
            "에어컨",
            "텔레비전",
            "티비",
            "히터",
            "가습기",
            "공기청정기",
            "커튼",
            "블라인드",
            "창문",
            "문",
            "볼륨",
            "TV",
        ],
    ),
    (
        Tongue::English,
        &[
            "light",
            "lights",
            "lamp",
            "fan",
            "air conditioner",
            "television",
            "tv",
            "heater",
            "curtain",
            "blind",
            "window",
            "door",
            "volume",
        ],
    ),
];
const AREAS: [(Tongue, &[&str]); 2] = [
    (Tongue::Korean, &["거실", "안방", "침실", "주방", "부엌", "화장실", "욕실", "서재", "현관", "아이방"]),
    (
        Tongue::English,
        &["living room", "kitchen", "bedroom", "bathroom", "office", "study", "hall", "garage"],
    ),
];

const KOREAN: &str = include_str!("../../sentences/ko.yaml");
const ENGLISH: &str = include_str!("../../sentences/en.yaml");

/// The engine that comes along. Cloning shares it.
#[derive(Clone)]
pub struct LocalUnderstanding(Arc<Inner>);

struct Inner {
    korean: Recogniser,
    english: Recogniser,
    /// The same to be listened for, Korean and English: each compiled once somebody listens for it.
    listened: [OnceLock<Option<Recogniser>>; 2],
    /// What was made of them lately.
    grammars: Grammars,
    /// Trained in the background: it takes longer than a start may.
    guesser: OnceLock<Guesser>,
    /// What plugins from outside taught, by their names.
    taught: RwLock<Arc<BTreeMap<String, Arc<Taught>>>>,
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
        let korean = compile(Tongue::Korean, KOREAN)?;
        let english = compile(Tongue::English, ENGLISH)?;
        let (guesser, taught) = (OnceLock::new(), RwLock::default());
        let (listened, grammars) = (Default::default(), Grammars::default());
        Ok(Self(Arc::new(Inner { korean, english, listened, grammars, guesser, taught })))
    }

    /// Trains the classifier, which takes a moment; until then only sentences of the templates are understood.
    pub fn train(&self) {
        self.0.guesser.get_or_init(Guesser::train);
    }

    /// Understands from now on what `who` taught, in place of what it taught before. Sentences that come along go first,
    /// then those of plugins by their names.
    pub(crate) fn teach(&self, who: &str, taught: Taught) {
        let mut all = self.0.taught.write();
        let mut next = (**all).clone();
        next.insert(who.to_owned(), Arc::new(taught));
        *all = Arc::new(next);
    }

    /// Returns the contract as it is answered here.
    pub fn routes(&self) -> Routes {
        UnderstandingRoutes::of(Arc::new(self.clone()) as Arc<dyn Understanding>)
    }

    /// Understands what is said after a word on how things are.
    fn after_remark(&self, tongue: Tongue, ask: &Understand) -> Option<Vec<Meaning>> {
        let (language, now) = (tongue.pick(Language::Korean, Language::English), now_of(ask));
        remarks::after_remark(ask.text.trim(), language).into_iter().find_map(|(rest, remark)| {
            let mut said = Understand { text: rest.to_owned(), ..ask.clone() };
            // "It" is what the remark names, whatever the talk was about before.
            if let Some(ring) = remarks::ring(remark) {
                said.state.topic = Some(ring.to_owned());
                said.state.intent = None;
            }
            let mut meanings = self.recognise(tongue, &said)?;
            remarks::about(remark, &mut meanings, tongue, ask);
            remarks::goes_with(remark, &meanings, language, &now).then_some(meanings)
        })
    }

    fn recognise(&self, tongue: Tongue, ask: &Understand) -> Option<Vec<Meaning>> {
        let recogniser = tongue.pick(&self.0.korean, &self.0.english);
        let taught = self.0.taught.read().clone();
        Sentence::of(recogniser, &taught, tongue, ask).meanings()
    }
}

#[async_trait]
impl Understanding for LocalUnderstanding {
    async fn understand(&self, _cx: &Cx, ask: Understand) -> Result<Understood, Fault> {
        let Some(tongue) = Tongue::of(&ask.language) else {
            let message = format!("understanding {:?}: expected ko or en", ask.language);
            return Err(Fault::invalid_argument("voice.language.unknown", message));
        };
        let whole = self.recognise(tongue, &ask);
        let after = || {
            let text = after_opening(ask.text.trim(), tongue)?.to_owned();
            self.recognise(tongue, &Understand { text, ..ask.clone() })
        };
        let remarked = || self.after_remark(tongue, &ask);
        let known = match whole {
            // What is lacking may be said after an opening or a remark: "아니 7시 알람", "나 피곤해 30분 뒤에 깨워 줘".
            Some(whole) if whole.iter().any(lacks) => {
                let opened = after().filter(|meanings| !meanings.iter().any(lacks));
                Some(opened.or_else(remarked).unwrap_or(whole))
            }
            Some(whole) => Some(whole),
            None => after().or_else(remarked),
        };
        if let Some(meanings) = known {
            return Ok(Understood { meanings, engine: "templates".to_owned() });
        }
        if let Some(intent) = assent(&ask.text).filter(|_| ask.state.pending.is_none()) {
            let (intent, text) = (intent.to_owned(), ask.text);
            let meanings = vec![Meaning { intent, confidence: 1.0, text, ..Meaning::default() }];
            return Ok(Understood { meanings, engine: "templates".to_owned() });
        }
        let guess = self.0.guesser.get().and_then(|guesser| guesser.guess(tongue, &ask, &now_of(&ask)));
        let guess = guess.and_then(|guess| evidence::borne_out(guess, tongue, &ask));
        let meanings = guess.into_iter().collect();
        Ok(Understood { meanings, engine: "classifier".to_owned() })
    }
}

/// Tells whether a command that sets something lacks what it needs.
fn lacks(meaning: &Meaning) -> bool {
    matches!(&*meaning.intent, "timer.start" | "alarm.set") && !shared::is_whole(meaning)
}

/// Returns the question what `text` means to somebody with these names.
fn ask_of(tongue: Tongue, names: &Names, text: &str) -> Understand {
    Understand {
        text: text.to_owned(),
        language: tongue.code().to_owned(),
        things: names.things.clone(),
        areas: names.areas.clone(),
        area: names.area.clone(),
        ..Understand::default()
    }
}

fn now_of(ask: &Understand) -> Zoned {
    here(&zone(&ask.zone), ask.now)
}

/// Tells whether all that a meaning needs is known: a colour that nobody knows may have been misheard.
fn is_known(meaning: &Meaning) -> bool {
    !meaning.slots.contains_key(SHADE)
}

/// Returns the names of things that everybody knows.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    THINGS.into_iter().flat_map(|(_, names)| names.iter().copied())
}

/// Returns the names of a language in a table that everybody knows.
fn common(
    table: [(Tongue, &'static [&'static str]); 2],
    tongue: Tongue,
) -> impl Iterator<Item = &'static str> {
    table.into_iter().filter(move |(own, _)| *own == tongue).flat_map(|(_, names)| names.iter().copied())
}

fn situation(tongue: Tongue, ask: &Understand) -> Situation {
    let names = |table, own: &[String]| {
        own.iter().cloned().chain(common(table, tongue).map(str::to_owned)).collect::<Vec<_>>()
    };
    let (mut things, areas) = (names(THINGS, &ask.things), names(AREAS, &ask.areas));
    if tongue == Tongue::English {
        let several: Vec<String> = things.iter().map(|name| format!("{name}s")).collect();
        things.extend(several.into_iter().filter(|name| !name.ends_with("ss")));
    }
    let lists = Lists::default()
        .with_names("name", things.iter().map(String::as_str))
        .with_names("area", areas.iter().map(String::as_str));
    let mut context = serde_json::Map::new();
    if let Some(topic) = &ask.state.topic {
        context.insert("topic".to_owned(), json!(topic));
    }
    // What is asked for still is no command yet.
    if let Some(last) = ask.state.intent.as_ref().filter(|_| ask.state.pending.is_none()) {
        context.insert("last".to_owned(), json!(last));
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
    let cities = cities::names(tongue).into_iter().map(|name| ValueEntry::Plain(name.to_owned())).collect();
    file.lists.insert("city".to_owned(), ListEntry { values: Some(cities), ..ListEntry::default() });
    let colours = ListEntry { values: Some(colours::values(tongue)), ..ListEntry::default() };
    file.lists.insert(COLOR.to_owned(), colours);
    file.expansion_rules.extend(own.expansion_rules);
    for group in file.intents.values_mut().flat_map(|entry| &mut entry.data) {
        if group.requires_context.contains_key("topic") {
            let mut metadata = group.metadata.take().unwrap_or_else(|| json!({}));
            metadata["follows"] = json!(true);
            group.metadata = Some(metadata);
        }
    }
    Ok(file)
}
