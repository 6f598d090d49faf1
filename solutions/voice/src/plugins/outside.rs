//! A plugin from outside: asked in the background what it does, and believed only what a plugin may say.

use std::sync::Arc;
use std::time::Duration;

use ieum_contracts::voice::{DescribePlugin, Effect, Plugin, PluginAnswer, PluginAsk, PluginDescription};
use ieum_core::{Cx, Fault, SharedClock};
use parking_lot::RwLock;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::described::{Described, describe};
use crate::colours::is_css;
use crate::rules::LONGEST_NAME;
use crate::understanding::LocalUnderstanding;
use crate::understanding::taught::Taught;

/// How often one is asked again what it does: it may have been started anew behind its address.
const AGAIN: Duration = Duration::from_secs(30);
/// One that does not say what it does is asked again after this, and later each time up to [`AGAIN`].
const SOON: Duration = Duration::from_millis(500);
/// The most characters that are said.
const LONGEST_TEXT: usize = 2_000;
/// The most things that happen besides, and schedules that one of them cancels.
const MOST_EFFECTS: usize = 20;
const MOST_CANCELLED: usize = 100;

/// A plugin from outside as it is brought.
pub struct OutsidePlugin {
    /// What it is called in the settings.
    pub name: String,
    /// The way to it.
    pub plugin: Arc<dyn Plugin>,
    /// How often it began to answer; zero while it never did. It is asked what it does at each change.
    pub began: watch::Receiver<u64>,
}

/// What is known of a plugin from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginReport {
    /// What it is called in the settings.
    pub name: String,
    /// The intents that it answers, as far as it has told.
    pub intents: Vec<String>,
    /// How many of its sentences are understood.
    pub sentences: usize,
    /// What is wrong with what it told, or why it told nothing.
    pub problem: Option<String>,
}

/// What is known of the plugins from outside at any time.
#[derive(Clone)]
pub struct PluginWatch(pub(crate) Arc<[Arc<Outside>]>);

/// A plugin from outside with what is known of it.
pub struct Outside {
    name: String,
    plugin: Arc<dyn Plugin>,
    began: watch::Receiver<u64>,
    known: RwLock<Known>,
}

#[derive(Clone, Default)]
struct Known {
    intents: Vec<String>,
    sentences: usize,
    problem: Option<String>,
    /// What it said last that was taught, with what was left out of it: what stays the same is not compiled anew.
    description: Option<PluginDescription>,
    left_out: Option<String>,
}

// === PluginWatch ===

impl PluginWatch {
    /// Returns what is known of each, in the order of their names.
    pub fn reports(&self) -> Vec<PluginReport> {
        self.0.iter().map(|outside| outside.report()).collect()
    }
}

// === Outside ===

impl Outside {
    pub fn new(brought: OutsidePlugin) -> Self {
        let OutsidePlugin { name, plugin, began } = brought;
        Self { name, plugin, began, known: RwLock::default() }
    }

    /// Returns what is known of it.
    pub fn report(&self) -> PluginReport {
        let Known { intents, sentences, problem, .. } = self.known.read().clone();
        PluginReport { name: self.name.clone(), intents, sentences, problem }
    }

    /// Tells whether it said that it answers an intent.
    pub fn answers(&self, intent: &str) -> bool {
        self.known.read().intents.iter().any(|own| own == intent)
    }

    /// Has it answer. Fails as the link does, and with `voice.plugin.garbage` where it says what no plugin may.
    pub async fn handle(&self, cx: &Cx, ask: PluginAsk) -> Result<PluginAnswer, Fault> {
        // What others have happen is none of its business.
        let ask = PluginAsk { earlier: Vec::new(), ..ask };
        let answer = self.plugin.handle(cx, ask).await?;
        check(&answer).map_err(|problem| {
            let message = format!("reading an answer of the plugin {}: {problem}", self.name);
            Fault::failed_precondition("voice.plugin.garbage", message)
        })?;
        Ok(answer)
    }

    /// Asks it what it does whenever it began to answer, and every now and then, until `stop`. What it says is taught to
    /// `local`; intents that are `taken` stay with whom they are.
    pub async fn introduce(
        self: Arc<Self>,
        taken: Vec<&'static str>,
        local: Option<LocalUnderstanding>,
        clock: SharedClock,
        stop: CancellationToken,
    ) {
        let mut began = self.began.clone();
        let mut wait = SOON;
        loop {
            if *began.borrow_and_update() > 0 {
                wait = match self.learn(&taken, local.as_ref()).await {
                    Ok(()) => AGAIN,
                    Err(fault) => {
                        self.complain(fault.to_string());
                        (wait * 2).min(AGAIN)
                    }
                };
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = clock.sleep(wait) => {}
                () = changed(&mut began) => wait = SOON,
            }
        }
    }

    async fn learn(&self, taken: &[&str], local: Option<&LocalUnderstanding>) -> Result<(), Fault> {
        let description = self.plugin.describe(&Cx::root(), DescribePlugin::default()).await?;
        {
            let mut known = self.known.write();
            if known.description.as_ref() == Some(&description) {
                // What was left out of it still is; that it was silent meanwhile is over.
                known.problem = known.left_out.clone();
                return Ok(());
            }
        }
        let Described { intents, lessons, mut left_out } = describe(description.clone(), taken)?;
        // Many numbers as words take a moment, which no turn is to wait for.
        let compiled = tokio::task::spawn_blocking(move || Taught::compile(lessons)).await;
        let (taught, broken) = compiled.map_err(|error| {
            Fault::internal(
                "voice.plugin.sentences",
                format!("compiling sentences ended by a panic: {error}"),
            )
        })?;
        left_out.extend(broken);
        let sentences = taught.sentences;
        if let Some(local) = local {
            local.teach(&self.name, taught);
        }
        let left_out = (!left_out.is_empty()).then(|| format!("left out {}", left_out.join("; ")));
        {
            let mut known = self.known.write();
            if known.intents != intents {
                let plugin = &self.name;
                tracing::info!(plugin, intents = intents.len(), sentences, "a plugin says what it does");
            }
            (known.intents, known.sentences) = (intents, sentences);
            (known.description, known.left_out) = (Some(description), left_out.clone());
            if left_out.is_none() {
                known.problem = None;
            }
        }
        if let Some(left_out) = left_out {
            self.complain(left_out);
        }
        Ok(())
    }

    /// Remembers what is wrong, and tells it once.
    fn complain(&self, problem: String) {
        let mut known = self.known.write();
        if known.problem.as_ref() != Some(&problem) {
            tracing::warn!(
                plugin = self.name,
                problem,
                "what a plugin says of itself cannot be used as it is"
            );
            known.problem = Some(problem);
        }
    }
}

/// Completes when it began to answer once more; never where nobody tells any more.
async fn changed(began: &mut watch::Receiver<u64>) {
    if began.changed().await.is_err() {
        std::future::pending().await
    }
}

/// Says which field of an answer holds what no plugin may say.
fn check(answer: &PluginAnswer) -> Result<(), String> {
    if answer.text.trim().is_empty() {
        return Err("field text: is empty".to_owned());
    }
    said("text", &answer.text)?;
    if let Some(slot) = &answer.missing {
        named("missing", slot)?;
    }
    if answer.effects.len() > MOST_EFFECTS {
        return Err(format!("field effects: has more than {MOST_EFFECTS} entries"));
    }
    for (at, effect) in answer.effects.iter().enumerate() {
        check_effect(effect).map_err(|(field, problem)| format!("field effects[{at}].{field}: {problem}"))?;
    }
    Ok(())
}

fn check_effect(effect: &Effect) -> Result<(), (&'static str, String)> {
    let bare = |field, checked: Result<(), String>| {
        checked.map_err(|problem| {
            (field, problem.split_once(": ").map_or(String::new(), |(_, why)| why.to_owned()))
        })
    };
    match effect {
        Effect::Schedule { days, .. } if days.len() > 7 || days.iter().any(|day| !(1..=7).contains(day)) => {
            Err(("days", "expected days of the week, 1 to 7".to_owned()))
        }
        Effect::Schedule { label, .. } => bare("label", said("label", label)),
        Effect::Announce { area, text } => {
            let area = area.as_ref().map_or(Ok(()), |area| named("area", area));
            bare("text", said("text", text)).and(bare("area", area))
        }
        Effect::Control { thing, device_id, level, color, .. } => {
            if color.as_deref().is_some_and(|color| !is_css(color)) {
                return Err(("color", "expected #rrggbb".to_owned()));
            }
            if level.is_some_and(|level| !(0.0..=100.0).contains(&level)) {
                return Err(("level", "expected 0 to 100".to_owned()));
            }
            bare("thing", named("thing", thing)).and(bare("deviceId", named("deviceId", device_id)))
        }
        Effect::Cancel { schedules } if schedules.len() > MOST_CANCELLED => {
            Err(("schedules", format!("has more than {MOST_CANCELLED} entries")))
        }
        Effect::Cancel { schedules } => {
            if schedules.iter().any(|id| id.starts_with('#')) {
                return Err(("schedules", "names what another plugin schedules".to_owned()));
            }
            let wrong = schedules.iter().find_map(|id| named("schedules", id).err());
            bare("schedules", wrong.map_or(Ok(()), Err))
        }
    }
}

fn said(field: &str, text: &str) -> Result<(), String> {
    let odd = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
    if text.chars().count() > LONGEST_TEXT || text.chars().any(odd) {
        return Err(format!(
            "field {field}: has more than {LONGEST_TEXT} characters, or some that nobody says"
        ));
    }
    Ok(())
}

fn named(field: &str, name: &str) -> Result<(), String> {
    if !(1..=LONGEST_NAME).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(format!("field {field}: has no 1 to {LONGEST_NAME} characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
