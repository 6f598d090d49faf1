//! What was heard and means nothing, led by its sound to a name that makes a sentence of it: "거실 전동 켜 줘" is about
//! the 전등. For engines that cannot listen for sentences themselves, and for what they miss.

use ieum_speech::{Repair, Sounds};

use super::{AREAS, LocalUnderstanding, THINGS, ask_of, is_known};
use crate::colours;
use crate::dialogue::Names;
use crate::tongue::Tongue;

/// How far from a name its words may be, as a part of them. People say what is no name too.
const FARTHEST: f32 = 0.3;
/// Longer than this no command is.
const MOST_WORDS: usize = 30;

impl LocalUnderstanding {
    /// Returns what was likely said, where `heard` means nothing as it is and something that sounds like it does.
    pub fn repaired(&self, tongue: Tongue, names: &Names, heard: &str) -> Option<String> {
        let means = |text: &str| {
            let found = self.recognise(tongue, &ask_of(tongue, names, text));
            found.is_some_and(|known| known.iter().all(is_known))
        };
        if heard.split_whitespace().count() > MOST_WORDS || means(heard) {
            return None;
        }
        let sounds = tongue.pick(Sounds::Korean, Sounds::English);
        known(tongue, names, heard).into_iter().find_map(|name| {
            let found = Repair::new(sounds, [name]).with_farthest(FARTHEST).within(heard)?;
            let (before, after) = (&heard[..found.place.start], &heard[found.place.end..]);
            Some(format!("{before}{name}{after}")).filter(|text| means(text))
        })
    }
}

/// Returns the names that can have been meant, the longest first, as a shorter one may be a part of it. A name of one
/// syllable is like anything, and one that was heard was heard.
fn known<'a>(tongue: Tongue, names: &'a Names, heard: &str) -> Vec<&'a str> {
    let common = [THINGS, AREAS].into_iter().flatten().filter(|(own, _)| *own == tongue);
    let common = common.flat_map(|(_, names)| names.iter().copied());
    let own = names.things.iter().chain(&names.areas).map(String::as_str);
    let colours = colours::names(tongue).map(|name| -> &'a str { name });
    let known =
        common.chain(colours).chain(own).filter(|name| name.chars().count() > 1 && !heard.contains(name));
    let mut known: Vec<&str> = known.collect();
    known.sort_by_key(|name| std::cmp::Reverse(name.chars().count()));
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(things: &[&str]) -> Names {
        Names {
            area: None,
            things: things.iter().map(|name| (*name).to_owned()).collect(),
            areas: Vec::new(),
        }
    }

    #[test]
    fn a_name_that_was_misheard_is_the_one_that_makes_a_sentence() {
        let local = LocalUnderstanding::new().expect("the sentences are sound");
        for (heard, things, said) in [
            ("별삣 램프 켜 줘", &["별빛 램프"][..], "별빛 램프 켜 줘"),
            ("거실 전동 켜 줘", &[], "거실 전등 켜 줘"),
        ] {
            let repaired = local.repaired(Tongue::Korean, &names(things), heard);
            assert_eq!(
                repaired.map(|text| text.replace(' ', "")).as_deref(),
                Some(&*said.replace(' ', "")),
                "{heard}"
            );
        }
        for (heard, things, said) in [
            ("turn off the hitter", &[][..], "turn off the heater"),
            ("turn on the starlit lump", &["starlight lamp"], "turn on the starlight lamp"),
        ] {
            assert_eq!(
                local.repaired(Tongue::English, &names(things), heard).as_deref(),
                Some(said),
                "{heard}"
            );
        }
    }

    #[test]
    fn what_means_something_and_what_means_nothing_at_all_stay_as_they_are() {
        let local = LocalUnderstanding::new().expect("the sentences are sound");
        assert_eq!(local.repaired(Tongue::Korean, &names(&[]), "거실 불 켜 줘"), None);
        let held_out = include_str!("../../sentences/heldout.txt");
        let mut strange = 0;
        for line in held_out.lines() {
            let Some(text) = line.strip_prefix("-: ") else { continue };
            let language = Tongue::heard_in(text).unwrap_or(Tongue::English);
            strange += 1;
            assert_eq!(local.repaired(language, &names(&[]), text), None, "{text}");
        }
        assert!(strange > 20, "only {strange} sentences are out of scope");
    }
}
