//! What whoever listens is told before: the sentences that are understood, those of plugins too, with the speaker's own
//! names in them.

use std::sync::Arc;

use ieum_contracts::voice::Understand;
use ieum_speech::{Grammar, Link};
use ieum_understanding::template::{IntentsFile, ListEntry, Net, Recogniser, TemplateError, ValueEntry};

use super::grammars::{Asks, Taughts};
use super::{ENGLISH, KOREAN, LocalUnderstanding, ask_of, is_known, sentences, situation};
use crate::colours::{self, COLOR};
use crate::dialogue::Names;
use crate::tongue::Tongue;

/// How much less likely than what was heard freely a sentence may be, per byte of its letters. People say what is none
/// of them too, so that it is less than where nothing else can be said.
const FARTHEST: f32 = 0.4;

/// Compiles the sentences with words in their open places, so that they can be listened for.
fn compile(tongue: Tongue) -> Result<Recogniser, TemplateError> {
    let mut file = sentences(tongue, tongue.pick(KOREAN, ENGLISH))?;
    let open = tongue.pick(
        include_str!("../../sentences/listening.ko.yaml"),
        include_str!("../../sentences/listening.en.yaml"),
    );
    let open = IntentsFile::from_yaml(open)?;
    file.lists.extend(open.lists);
    // Every name of every colour in every sentence would make it slow.
    let colours = colours::names(tongue).map(|name| ValueEntry::Plain(name.to_owned())).collect();
    let colours = ListEntry { values: Some(colours), ..ListEntry::default() };
    file.lists.insert(COLOR.to_owned(), colours);
    file.expansion_rules.extend(open.expansion_rules);
    Recogniser::compile(&file)
}

impl LocalUnderstanding {
    /// Returns what can be said in a language, or in any where it is not known. What is understood otherwise too, such as a
    /// reminder of anything, is left as it is heard.
    pub fn grammar(&self, tongue: Option<Tongue>, names: &Names) -> Arc<Grammar> {
        let tongues = tongue.map_or_else(|| vec![Tongue::Korean, Tongue::English], |tongue| vec![tongue]);
        let asks: Asks = tongues.into_iter().map(|tongue| (tongue, ask_of(tongue, names, ""))).collect();
        let taught = self.0.taught.read().clone();
        self.0.grammars.get(&asks, &taught, || self.made(&asks, &taught))
    }

    fn made(&self, asks: &Asks, taught: &Taughts) -> Grammar {
        let nets = asks.iter().flat_map(|(tongue, ask)| {
            let of_plugins = taught.values().filter_map(|taught| taught.recogniser(*tongue));
            let situation = situation(*tongue, ask);
            let known = self.listened(*tongue).into_iter().chain(of_plugins);
            known.map(|known| known.net(&situation)).collect::<Vec<Net>>()
        });
        let (links, ends) = joined(nets);
        // It is kept by what it asks.
        let (understanding, asks) = (Arc::downgrade(&self.0), asks.clone());
        let is_understood = move |text: &str| {
            let Some(understanding) = understanding.upgrade().map(LocalUnderstanding) else { return false };
            asks.iter().any(|(tongue, ask)| {
                let ask = Understand { text: text.to_owned(), ..ask.clone() };
                understanding.recognise(*tongue, &ask).is_some_and(|known| known.iter().all(is_known))
            })
        };
        Grammar::new(links, ends).with_farthest(FARTHEST).leaving(is_understood)
    }

    /// Returns the sentences of a language to be listened for; `None` never, for the files that come along.
    fn listened(&self, tongue: Tongue) -> Option<&Recogniser> {
        let [korean, english] = &self.0.listened;
        let failed = |error: &TemplateError| {
            tracing::error!(error = %ieum_core::describe(error), "reading the sentences to listen for failed");
        };
        tongue.pick(korean, english).get_or_init(|| compile(tongue).inspect_err(failed).ok()).as_ref()
    }
}

/// Joins nets at their first knot.
fn joined(nets: impl Iterator<Item = Net>) -> (Vec<Link>, Vec<u32>) {
    let (mut links, mut ends, mut taken) = (Vec::new(), Vec::new(), 0);
    for net in nets {
        let moved = |knot: u32| if knot == 0 { 0 } else { knot + taken };
        let most =
            net.links.iter().flat_map(|link| [link.from, link.to]).chain(net.ends.iter().copied()).max();
        links.extend(net.links.into_iter().map(|link| Link {
            from: moved(link.from),
            said: link.said,
            to: moved(link.to),
        }));
        ends.extend(net.ends.into_iter().map(moved));
        taken += most.unwrap_or_default();
    }
    (links, ends)
}

#[cfg(test)]
mod tests {
    use super::super::taught::{Lesson, Lessons, Taught};
    use super::*;

    fn nobodys() -> Names {
        Names { area: None, things: Vec::new(), areas: Vec::new() }
    }

    #[test]
    fn sentences_can_be_listened_for_with_times_names_and_numbers_in_them() {
        let local = LocalUnderstanding::new().expect("the sentences are sound");
        let names = Names { things: vec!["별빛 램프".to_owned()], ..nobodys() };
        let meant = |tongue: Tongue, names: &Names, text: &str| {
            let (things, language) = (names.things.clone(), tongue.code().to_owned());
            let ask = Understand { text: text.to_owned(), language, things, ..Understand::default() };
            let mut meanings =
                local.recognise(tongue, &ask).unwrap_or_else(|| panic!("{text:?} means nothing"));
            meanings.iter_mut().for_each(|meaning| meaning.text.clear());
            meanings
        };
        // As engines write it: what is led back means what was meant.
        let led = |tongue: Tongue, heard: &str, wanted: &str| {
            let found = local.grammar(Some(tongue), &names).sentence(heard);
            let found = found.unwrap_or_else(|| panic!("nobody says {heard:?}"));
            assert_eq!(meant(tongue, &names, &found), meant(tongue, &names, wanted), "{heard} -> {found}");
        };
        led(Tongue::Korean, "10분타이머 맞춰줘.", "십 분 타이머 맞춰 줘");
        led(Tongue::Korean, "거실불 켜줘", "거실 불 켜 줘");
        led(Tongue::Korean, "별빛램프 꺼줘", "별빛 램프 꺼 줘");
        led(Tongue::Korean, "내일 아침 7시에 깨워줘", "내일 아침 일곱 시에 깨워 줘");
        led(Tongue::Korean, "서울날씨 어때?", "서울 날씨 어때");
        led(Tongue::English, "Set a timer for 10 minutes.", "set a timer for ten minutes");
        led(Tongue::English, "Turn on the kitchen-light!", "turn on the kitchen light");
        led(Tongue::English, "Wake me up at 7 tomorrow morning.", "wake me up at seven tomorrow morning");
        let english = local.grammar(Some(Tongue::English), &nobodys());
        assert!(Arc::ptr_eq(&english, &local.grammar(Some(Tongue::English), &nobodys())), "it is made once");
        assert!(
            !Arc::ptr_eq(&english, &local.grammar(Some(Tongue::English), &names)),
            "of other names another"
        );
        assert_eq!(english.sentence("거실 불 켜 줘"), None);
        let lesson = Lesson {
            sentences: [(
                "coffee.order".to_owned(),
                vec!["바닐라 라떼 (한|두) 잔 (주문|시켜)[ 줘]".to_owned()],
            )]
            .into(),
            ..Lesson::default()
        };
        local.teach("coffee", Taught::compile(Lessons([("ko", lesson)].into())).0);
        led(Tongue::Korean, "바닐라라떼 2잔 시켜줘", "바닐라 라떼 두 잔 시켜 줘");
        let both = local.grammar(None, &nobodys());
        assert!(
            both.sentence("Turn on the kitchen light!").is_some() && both.sentence("거실불 켜줘").is_some()
        );
    }
}
