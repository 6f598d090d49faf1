//! A hundred spoken coffee orders in noise, heard with templates in hand: drawn by fixed numbers, spoken by espeak-ng.
//!
//! A stand-in for the recordings of `cargo xtask bench orders`, which no package brings: a synthetic voice is harder to
//! understand than people are, and its noise is no kitchen's.

use std::sync::Arc;

use ieum_core::system_clock;
use ieum_speech::{
    Audio, AudioLimits, EngineOptions, Espeak, EspeakOptions, Grammar, Hints, Link, Say, Synthesizer,
    open_transcriber,
};
use ieum_testkit::server;
use ieum_understanding::template::{IntentsFile, Recogniser, Situation};

const ORDERS: usize = 100;
const DECIBELS: f64 = 24.0;

const MENU: &str = r#"
language: en
lists:
  shot: { values: [single shot, double shot, triple shot] }
  size: { values: [small, medium, large] }
  coffee: { values: [espresso, latte, cappuccino, americano, mocha, macchiato] }
  milk: { values: [whole milk, soy milk, oat milk, almond milk] }
  sweet: { values: [brown sugar, honey, vanilla syrup] }
intents:
  coffee.order:
    data:
      - sentences:
          - "(can I get|give me|I would like|may I have) a [{shot} ][{size} ]{coffee}[ with {milk}][ and {sweet}][ please]"
"#;

/// Numbers that one seed leads to again (xorshift64*, Vigna 2016).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % most
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

/// What is ordered: the sentence, and its slots.
fn order(dice: &mut Dice) -> (String, Vec<(&'static str, &'static str)>) {
    let mut slots = Vec::new();
    let mut said = dice.pick(&["can I get a", "give me a", "I would like a", "may I have a"]).to_owned();
    let mut add = |said: &mut String, before: &str, slot, value| {
        said.push_str(before);
        said.push_str(value);
        slots.push((slot, value));
    };
    if dice.below(2) == 0 {
        add(&mut said, " ", "shot", dice.pick(&["single shot", "double shot", "triple shot"]));
    }
    if dice.below(2) == 0 {
        add(&mut said, " ", "size", dice.pick(&["small", "medium", "large"]));
    }
    let coffees = ["espresso", "latte", "cappuccino", "americano", "mocha", "macchiato"];
    add(&mut said, " ", "coffee", dice.pick(&coffees));
    if dice.below(2) == 0 {
        add(&mut said, " with ", "milk", dice.pick(&["whole milk", "soy milk", "oat milk", "almond milk"]));
        if dice.below(2) == 0 {
            add(&mut said, " and ", "sweet", dice.pick(&["brown sugar", "honey", "vanilla syrup"]));
        }
    }
    (said, slots)
}

/// Adds noise that grows weaker with its pitch, as rooms have it, by the loudest tenth of a second of both.
fn in_noise(speech: &Audio, dice: &mut Dice) -> Audio {
    let mut low = 0.0_f64;
    let noise: Vec<f64> = speech
        .samples()
        .iter()
        .map(|_| {
            low = 0.9 * low + 0.1 * (dice.below(20_001) as f64 / 10_000.0 - 1.0);
            low
        })
        .collect();
    let loudest = |samples: &mut dyn Iterator<Item = f64>| {
        let samples: Vec<f64> = samples.collect();
        let energies =
            samples.chunks(1_600).map(|piece| piece.iter().map(|sample| sample * sample).sum::<f64>());
        energies.fold(f64::MIN_POSITIVE, f64::max)
    };
    let speech = speech.samples();
    let voice = loudest(&mut speech.iter().map(|sample| f64::from(*sample)));
    let scale = (voice / (loudest(&mut noise.iter().copied()) * 10_f64.powf(DECIBELS / 10.0))).sqrt();
    let mixed = speech.iter().zip(noise).map(|(sample, noise)| sample + (noise * scale) as f32);
    Audio::from_samples(mixed.map(|sample| sample * 0.7).collect())
}

#[tokio::test]
#[ignore = "needs speech models and espeak-ng"]
async fn spoken_orders_are_heard_with_their_templates_in_hand() {
    let (Some(models), Some(program)) = (server::speech_models(), server::espeak()) else {
        return server::not_run("speech models and espeak-ng", "cargo xtask test has not brought them");
    };
    let url = format!("moonshine:{}", models.join("moonshine-tiny").display());
    let ear = open_transcriber(&url, EngineOptions::default(), system_clock()).await.expect("is there");
    let voice = Espeak::new(EspeakOptions { program, ..EspeakOptions::default() }, system_clock());
    let menu = Recogniser::compile(&IntentsFile::from_yaml(MENU).expect("a file")).expect("it compiles");
    let net = menu.net(&Situation::default());
    let links = net.links.into_iter().map(|link| Link { from: link.from, said: link.said, to: link.to });
    let guided = Hints::language("en").with_grammar(Arc::new(Grammar::new(links, net.ends)));
    let is_right = |text: &str, slots: &[(&str, &str)]| {
        menu.recognise(text, &Situation::default()).is_some_and(|found| {
            found.slots.len() == slots.len()
                && slots
                    .iter()
                    .all(|(slot, value)| found.slot(slot).and_then(|own| own.as_str()) == Some(value))
        })
    };
    let mut dice = Dice(20_261_122);
    let (mut led, mut free) = (0, 0);
    for _ in 0..ORDERS {
        let (said, slots) = order(&mut dice);
        let say = Say { text: said.clone(), language: Some("en".to_owned()), voice: None };
        let spoken = voice.synthesize(&say).await.expect("it speaks");
        let audio = Audio::from_pcm(&spoken.pcm, spoken.format, AudioLimits::default()).expect("is usual");
        let audio = in_noise(&audio, &mut dice);
        let heard = ear.transcribe(audio.clone(), &Hints::language("en")).await.expect("it listens");
        let with = ear.transcribe(audio, &guided).await.expect("it listens");
        free += usize::from(is_right(&heard.text, &slots));
        led += usize::from(is_right(&with.text, &slots));
        if !is_right(&with.text, &slots) {
            println!("{said}\n   heard {}\n   taken {}", heard.text, with.text);
        }
    }
    println!("of {ORDERS} spoken orders {led} with their templates in hand, {free} from the words alone");
    assert!(led > 88 && led >= free, "{led} with templates, {free} without");
}
