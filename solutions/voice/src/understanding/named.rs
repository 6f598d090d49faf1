//! Which thing and room a sentence names, where no template says so.

use super::{AREAS, THINGS, common};
use crate::tongue::Tongue;

/// What may follow a Korean name within its word.
const PARTICLES: [&str; 22] = [
    "",
    "을",
    "를",
    "이",
    "가",
    "은",
    "는",
    "도",
    "만",
    "의",
    "에",
    "에서",
    "에는",
    "요",
    "이요",
    "이에요",
    "예요",
    "좀",
    "이랑",
    "랑",
    "하고",
    "으로",
];
/// What besides names an answer to "which one?" may hold.
const KOREAN: [&str; 14] =
    ["좀", "있는", "거", "것", "거요", "음", "어", "그", "저", "저기", "말이야", "줘", "켜", "꺼"];
const ENGLISH: [&str; 14] =
    ["the", "my", "our", "a", "an", "in", "at", "of", "one", "please", "uh", "um", "on", "off"];

/// A thing that was named.
#[derive(Debug, PartialEq, Eq)]
pub struct Named {
    /// The thing's name as it is known.
    pub name: String,
    /// The room, where one was named too.
    pub area: Option<String>,
    /// Whether nothing else was said.
    pub alone: bool,
}

/// Returns the thing that `text` names: one of `things` or of those that everybody knows.
pub fn named(tongue: Tongue, text: &str, things: &[String], areas: &[String]) -> Option<Named> {
    let text = format!(" {} ", text.to_lowercase().replace(|letter: char| ".,!?".contains(letter), " "));
    let find = |text: &str, own: &[String], table| {
        let mut known: Vec<String> =
            own.iter().cloned().chain(common(table, tongue).map(str::to_owned)).collect();
        known.sort_by_key(|name| std::cmp::Reverse(name.chars().count()));
        known.into_iter().find_map(|name| {
            let rest = without(tongue, text, &name.to_lowercase())?;
            Some((name, rest))
        })
    };
    // The room first: a thing may be called like a part of it, and it may stand in front without a space.
    let room = find(&text, areas, AREAS);
    let (area, text) = room.map_or((None, text.clone()), |(area, rest)| (Some(area), rest));
    let (name, rest) = find(&text, things, THINGS)?;
    let fillers = tongue.pick(&KOREAN, &ENGLISH);
    let alone = rest.split_whitespace().all(|word| fillers.contains(&word));
    Some(Named { name, area, alone })
}

/// Returns `text` without the word `name` and its particle, or `None` where it is not said.
fn without(tongue: Tongue, text: &str, name: &str) -> Option<String> {
    let name = format!(" {name}");
    let mut places = text.match_indices(&name).map(|(at, found)| (at, at + found.len()));
    places.find_map(|(start, end)| {
        let word = text[end..].find(' ').map_or(text.len(), |length| end + length);
        let tail = &text[end..word];
        let fits = match tongue {
            Tongue::Korean => PARTICLES.contains(&tail),
            Tongue::English => tail.is_empty(),
        };
        fits.then(|| format!("{} {}", &text[..start], &text[word..]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_named_as_a_word_and_never_as_a_part_of_another() {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let found = |tongue, text| {
            let found = named(tongue, text, &own(&["Floor Lamp", "별빛 램프"]), &own(&["Lounge", "다락"]))?;
            Some((found.name, found.area.unwrap_or_default(), found.alone))
        };
        let is = |name: &str, area: &str, alone| Some((name.to_owned(), area.to_owned(), alone));
        assert_eq!(found(Tongue::Korean, "방이 너무 어두운데 불 좀"), is("불", "", false));
        assert_eq!(found(Tongue::Korean, "거실 불이요"), is("불", "거실", true));
        assert_eq!(found(Tongue::Korean, "다락에 있는 별빛 램프"), is("별빛 램프", "다락", true));
        assert_eq!(found(Tongue::Korean, "불고기 먹고 싶어"), None);
        assert_eq!(found(Tongue::English, "the floor lamp in the lounge"), is("Floor Lamp", "Lounge", true));
        assert_eq!(found(Tongue::English, "lights out"), is("lights", "", false));
        assert_eq!(found(Tongue::English, "I love you"), None);
        assert_eq!(found(Tongue::English, "a fantastic day"), None);
    }
}
