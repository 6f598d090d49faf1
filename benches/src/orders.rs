//! Spoken orders understood: real people's coffee orders in kitchen noise, heard by Moonshine with templates in hand.
//!
//! Source of the task, the noise and the score: Picovoice's speech-to-intent benchmark (`src/mix.py`, `src/bench.py`),
//! whose folder `IEUM_BENCH_ORDERS` names; nothing of it is in this repository. Its grammar (`coffee_maker.yaml`) becomes
//! our templates by [`IntentsFile::from_rhino`]; its labels are read for the score alone. `IEUM_BENCH_ORDERS_DB` names
//! the noise (`24,6`), `IEUM_BENCH_ORDERS_EVERY` takes every n-th clip.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use ieum_core::Fault;
use ieum_speech::{Audio, AudioLimits, Grammar, Hints, Link, LocalOptions, Moonshine, Transcriber};
use ieum_understanding::template::{IntentsFile, Recogniser, Situation};
use serde::Deserialize;

use crate::report::{Wanted, figures, not_run};

const NAME: &str = "orders";

/// What the benchmark's own `src/plot.py` has for kitchen noise: decibels, then the engines.
const PUBLISHED: [(i32, [f64; 5]); 7] = [
    (24, [0.83, 0.88, 0.93, 0.96, 0.99]),
    (21, [0.82, 0.87, 0.93, 0.95, 0.99]),
    (18, [0.81, 0.87, 0.92, 0.95, 0.99]),
    (15, [0.80, 0.87, 0.91, 0.93, 0.99]),
    (12, [0.78, 0.85, 0.90, 0.89, 0.98]),
    (9, [0.78, 0.84, 0.89, 0.84, 0.97]),
    (6, [0.70, 0.80, 0.86, 0.72, 0.96]),
];
const ENGINES: [&str; 5] = ["Dialogflow", "Lex", "LUIS", "Watson", "Rhino"];

/// The frame over which the benchmark takes energy, samples.
const FRAME: usize = 2_048;

/// What somebody ordered.
#[derive(Deserialize)]
struct Order {
    intent: String,
    slots: BTreeMap<String, String>,
}

/// What is listened to, and with what.
struct Bar {
    clips: Vec<(String, Audio)>,
    labels: BTreeMap<String, Order>,
    noise: Audio,
    ear: Moonshine,
    templates: Recogniser,
    grammar: Arc<Grammar>,
}

/// Right answers, with templates in hand and without.
#[derive(Default)]
struct Score {
    all: usize,
    guided: usize,
    free: usize,
    millis: Vec<f64>,
}

/// Prints how many orders are understood at each noise, beside what others published.
pub async fn run() -> Result<(), Fault> {
    let what = "spoken orders understood";
    let Some(folder) = setting("IEUM_BENCH_ORDERS").map(PathBuf::from) else {
        not_run(NAME, what, "IEUM_BENCH_ORDERS names no folder of the speech-to-intent benchmark");
        return Ok(());
    };
    let Some(models) = setting("IEUM_BENCH_MODELS").map(PathBuf::from) else {
        not_run(NAME, what, "IEUM_BENCH_MODELS names no models; run it by `cargo xtask bench orders`");
        return Ok(());
    };
    let every = setting("IEUM_BENCH_ORDERS_EVERY").and_then(|every| every.parse().ok()).unwrap_or(1);
    let bar = Bar::open(&folder, &models, every)?;
    let asked = setting("IEUM_BENCH_ORDERS_DB").unwrap_or_else(|| "24".to_owned());
    for decibels in asked.split(',').filter_map(|text| text.trim().parse::<i32>().ok()) {
        let score = bar.listen(decibels).await?;
        score.print(decibels);
    }
    Ok(())
}

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

// === Bar ===

impl Bar {
    fn open(folder: &Path, models: &Path, every: usize) -> Result<Self, Fault> {
        let file = std::fs::read_to_string(folder.join("data/rhino/coffee_maker.yaml"));
        let file = file.map_err(|error| failed("reading the grammar", &error))?;
        let file =
            IntentsFile::from_rhino(&file, "en").map_err(|error| failed("reading the grammar", &error))?;
        let templates =
            Recogniser::compile(&file).map_err(|error| failed("compiling the grammar", &error))?;
        let net = templates.net(&Situation::default());
        let links = net.links.into_iter().map(|link| Link { from: link.from, said: link.said, to: link.to });
        let grammar = Arc::new(Grammar::new(links, net.ends));
        let labels = std::fs::read(folder.join("data/label/label.json"));
        let labels = labels.map_err(|error| failed("reading the labels", &error))?;
        let labels: BTreeMap<String, Order> =
            serde_json::from_slice(&labels).map_err(|error| failed("reading the labels", &error))?;
        let ear = Moonshine::open(&models.join("moonshine-tiny"), LocalOptions::default());
        let ear = ear.map_err(|error| failed("opening the model", &error))?;
        let clip = |name: &String| {
            wav(&folder.join("data/speech/clean").join(name)).map(|clip| (name.clone(), clip))
        };
        let clips: Vec<(String, Audio)> = labels.keys().step_by(every.max(1)).filter_map(clip).collect();
        let noise = wav(&folder.join("data/noise/kitchen.wav"));
        let noise = noise.ok_or_else(|| failed("reading the noise", &folder.display()))?;
        Ok(Self { clips, labels, noise, ear, templates, grammar })
    }

    async fn listen(&self, decibels: i32) -> Result<Score, Fault> {
        let mut score = Score::default();
        for (number, (name, clip)) in self.clips.iter().enumerate() {
            let audio = mix(clip, &self.noise, decibels, number);
            let hear = |error| failed("listening", &error);
            let free = self.ear.transcribe(audio.clone(), &Hints::language("en")).await.map_err(hear)?;
            let hints = Hints::language("en").with_grammar(Arc::clone(&self.grammar));
            let begun = Instant::now();
            let guided = self.ear.transcribe(audio, &hints).await;
            let guided = guided.map_err(hear)?;
            let right = self.is_right(name, &guided.text);
            score.millis.push(begun.elapsed().as_secs_f64() * 1_000.0);
            score.all += 1;
            score.free += usize::from(self.is_right(name, &free.text));
            score.guided += usize::from(right);
            if !right && setting("IEUM_BENCH_ORDERS_WRONG").is_some() {
                let order = &self.labels[name];
                println!("{name}: {:?}\n   heard {:?}\n   taken {:?}", order.slots, free.text, guided.text);
            }
        }
        Ok(score)
    }

    /// Tells whether the intent and every slot are what was ordered, as `engine.py` of the benchmark does.
    fn is_right(&self, name: &str, text: &str) -> bool {
        let order = &self.labels[name];
        self.templates.recognise(text, &Situation::default()).is_some_and(|found| {
            let same = |(slot, wanted): (&String, &String)| {
                found.slot(slot).and_then(|value| value.as_str()).map(str::trim) == Some(wanted.trim())
            };
            found.intent == order.intent && order.slots.iter().all(same)
        })
    }
}

/// Adds noise as `mix.py` does: by the loudest frame of both, halved so that nothing is cut off. Where the noise begins
/// is drawn there and counted here, so that every run hears the same.
fn mix(clip: &Audio, noise: &Audio, decibels: i32, number: usize) -> Audio {
    let (clip, noise) = (clip.samples(), noise.samples());
    let room = noise.len().saturating_sub(clip.len()).max(1);
    // Steps of the golden ratio spread evenly over the recording.
    let start = (number as f64 * 0.618_033_988_75).fract() * room as f64;
    let noise = &noise[start as usize..];
    let noise = &noise[..clip.len().min(noise.len())];
    let scale = (loudest(clip) / (loudest(noise) * 10_f64.powf(f64::from(decibels) / 10.0))).sqrt();
    let mixed: Vec<f64> =
        clip.iter().zip(noise).map(|(a, b)| f64::from(*a) + scale * f64::from(*b)).collect();
    let peak = mixed.iter().fold(0.0_f64, |peak, sample| peak.max(sample.abs()));
    let sixteen = |sample: f64| (sample / (2.0 * peak) * 32_768.0).round() / 32_768.0;
    Audio::from_samples(mixed.into_iter().map(|sample| sixteen(sample) as f32).collect())
}

fn loudest(samples: &[f32]) -> f64 {
    let energy = |frame: &[f32]| frame.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
    samples.chunks_exact(FRAME).map(energy).fold(0.0, f64::max)
}

fn wav(path: &Path) -> Option<Audio> {
    let limits = AudioLimits { longest: std::time::Duration::from_secs(3_600) };
    Audio::from_wav(&std::fs::read(path).ok()?, limits).ok()
}

// === Score ===

impl Score {
    fn print(mut self, decibels: i32) {
        let part = |right: usize| vec![right as f64 / self.all.max(1) as f64];
        let clips = format!("{} spoken orders, kitchen noise at {decibels} dB", self.all);
        let wanted = if decibels == 24 { Wanted::AtLeast(0.88) } else { Wanted::Nothing };
        figures(NAME, &format!("{clips}, understood with templates in hand"), "", part(self.guided), wanted);
        let what = format!("{clips}, understood from the words alone");
        figures(NAME, &what, "", part(self.free), Wanted::Nothing);
        if let Some((_, others)) = PUBLISHED.iter().find(|(known, _)| *known == decibels) {
            for (engine, figure) in ENGINES.iter().zip(others) {
                let what = format!("the same at {decibels} dB, published for {engine}");
                figures(NAME, &what, "", vec![*figure], Wanted::Nothing);
            }
        }
        self.millis.sort_by(f64::total_cmp);
        let middle = self.millis.get(self.millis.len() / 2).copied().unwrap_or(f64::NAN);
        println!("listening with templates in hand takes {middle:.0} ms in the middle");
    }
}

fn failed(step: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::unavailable("bench.orders", format!("{step}: {error}"))
}

#[cfg(test)]
mod tests {
    use ieum_testkit::server;

    use super::*;

    #[tokio::test]
    #[ignore = "needs spoken orders"]
    async fn spoken_orders_in_noise_are_understood_with_templates_in_hand() {
        let Some(folder) = setting("IEUM_TEST_ORDERS").map(PathBuf::from) else {
            return server::not_run("spoken orders", "IEUM_TEST_ORDERS names no folder");
        };
        let Some(models) = server::speech_models() else {
            return server::not_run("speech models", "cargo xtask test has not fetched them");
        };
        let bar = Bar::open(&folder, &models, 6).expect("everything is there");
        let score = bar.listen(24).await.expect("it listens");
        println!("{} of {} understood, {} from the words alone", score.guided, score.all, score.free);
        assert!(score.all > 100 && score.guided * 100 >= score.all * 95, "{} of {}", score.guided, score.all);
    }

    #[test]
    fn noise_is_added_by_the_loudest_frame_and_nothing_is_cut_off() {
        let tone = |count: usize, height: f32| {
            Audio::from_samples((0..count).map(|i| if i % 2 == 0 { height } else { -height }).collect())
        };
        let mixed = mix(&tone(8_192, 0.8), &tone(32_768, 0.1), 20, 3);
        let peak = mixed.samples().iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!((peak - 0.5).abs() < 1e-3, "{peak}");
        // At 20 dB the noise is a tenth of the speech: both add up, or take away, a tenth.
        let lowest = mixed.samples().iter().fold(1.0_f32, |low, sample| low.min(sample.abs()));
        assert!((lowest / peak - 1.0).abs() < 1e-3 || (lowest / peak - 0.9 / 1.1).abs() < 1e-2, "{lowest}");
    }
}
