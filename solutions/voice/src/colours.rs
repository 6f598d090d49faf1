//! The colours that lights can be set to, by their names in both languages, and what may be meant as one.
//!
//! What is kept of a colour is how CSS writes it, `#rrggbb`. The names are those of Home Assistant's lists and the commonest
//! others; what they stand for is what CSS gives the name or the nearest one
//! (<https://www.w3.org/TR/css-color-4/#named-colors>), and for the kinds of white that lamps are sold by, the colour of 2700,
//! 4000 and 6500 K as Home Assistant reckons it.

use ieum_understanding::template::ValueEntry;
use serde_json::json;

use crate::tongue::Tongue;

/// A colour.
#[derive(Debug, PartialEq, Eq)]
pub struct Colour {
    /// As CSS writes it.
    pub css: &'static str,
    /// What answers in Korean call it.
    korean: &'static str,
    /// Its names with 색 left out, which stand alone too: 빨강, 빨강색, 빨강 불.
    nouns: &'static [&'static str],
    /// Those that do not stand alone: 빨간색, 빨간 불.
    stems: &'static [&'static str],
    /// How something is made so: 빨갛게.
    so: &'static [&'static str],
    /// Its English names; the first one is what answers call it.
    english: &'static [&'static str],
}

const fn colour(
    (css, korean): (&'static str, &'static str),
    nouns: &'static [&'static str],
    stems: &'static [&'static str],
    so: &'static [&'static str],
    english: &'static [&'static str],
) -> Colour {
    Colour { css, korean, nouns, stems, so, english }
}

/// The slot of a colour.
pub const COLOR: &str = "color";
/// The slot of a colour that nobody knows.
pub const SHADE: &str = "shade";

/// No light is black.
const BLACK: &str = "#000000";

const ALL: [Colour; 30] = [
    colour(("#ffffff", "흰색"), &["하양", "화이트"], &["흰", "하얀", "백"], &["하얗게"], &["white"]),
    colour(
        ("#ffa757", "전구색"),
        &["웜 화이트", "따뜻한 화이트"],
        &["전구", "따뜻한 흰", "따뜻한 하얀"],
        &[],
        &["warm white", "soft white"],
    ),
    colour(("#ffcea6", "주백색"), &["쿨 화이트"], &["주백", "차가운 흰"], &[], &["cool white", "cold white"]),
    colour(("#fffefa", "주광색"), &["데이라이트"], &["주광"], &[], &["daylight", "daylight white"]),
    colour(
        (BLACK, "검은색"),
        &["검정", "블랙", "까망"],
        &["검은", "까만", "흑"],
        &["까맣게", "검게"],
        &["black"],
    ),
    colour(("#808080", "회색"), &["그레이"], &["회", "잿"], &[], &["grey", "gray"]),
    colour(("#ff0000", "빨간색"), &["빨강", "레드"], &["빨간", "붉은", "적"], &["빨갛게", "붉게"], &["red"]),
    colour(("#ffa500", "주황색"), &["주황", "오렌지"], &[], &[], &["orange"]),
    colour(("#ffff00", "노란색"), &["노랑", "옐로우", "옐로"], &["노란", "황"], &["노랗게"], &["yellow"]),
    colour(("#9acd32", "연두색"), &["연두"], &["황록"], &[], &["yellow green"]),
    colour(("#00ff00", "라임색"), &["라임"], &[], &[], &["lime"]),
    colour(("#008000", "초록색"), &["초록", "그린"], &["녹"], &[], &["green"]),
    colour(("#7fffd4", "민트색"), &["민트"], &[], &[], &["mint", "mint green", "aquamarine"]),
    colour(("#40e0d0", "청록색"), &["청록", "터콰이즈"], &["터키", "옥", "비취"], &[], &["turquoise"]),
    colour(("#00ffff", "시안색"), &["시안"], &[], &[], &["cyan", "aqua"]),
    colour(("#87ceeb", "하늘색"), &["하늘", "스카이블루"], &[], &[], &["sky blue"]),
    colour(("#add8e6", "연파란색"), &["연파랑"], &["연파란", "연한 파란"], &[], &["light blue"]),
    colour(
        ("#0000ff", "파란색"),
        &["파랑", "블루"],
        &["파란", "푸른", "청"],
        &["파랗게", "푸르게"],
        &["blue"],
    ),
    colour(("#00008b", "진파란색"), &["진파랑"], &["진파란", "진한 파란"], &[], &["dark blue"]),
    colour(("#000080", "남색"), &["네이비"], &["남", "군청"], &[], &["navy", "navy blue"]),
    colour(("#800080", "보라색"), &["보라", "퍼플"], &[], &[], &["purple"]),
    colour(("#ee82ee", "연보라색"), &["바이올렛"], &["연보라"], &[], &["violet"]),
    colour(("#e6e6fa", "라벤더색"), &["라벤더"], &[], &[], &["lavender"]),
    colour(("#ff00ff", "자홍색"), &["마젠타"], &["자홍"], &[], &["magenta", "fuchsia"]),
    colour(("#c71585", "자주색"), &[], &["자주"], &[], &["violet red"]),
    colour(("#ffc0cb", "분홍색"), &["분홍", "핑크"], &[], &[], &["pink"]),
    colour(("#a52a2a", "갈색"), &["브라운"], &["갈", "밤", "고동"], &[], &["brown"]),
    colour(("#ffd700", "금색"), &["골드"], &["금", "황금"], &[], &["gold", "golden"]),
    colour(("#f5f5dc", "베이지색"), &["베이지"], &[], &[], &["beige"]),
    colour(("#fffff0", "상아색"), &["아이보리"], &["상아"], &[], &["ivory"]),
];

/// What a Korean name is said with.
const HUES: [&str; 6] = ["색", "색깔", "빛", "불빛", "불", "조명"];
/// How many of them a name of one syllable is said with: 금빛, and no 금불.
const OF_ONE: usize = 3;

impl Colour {
    /// Returns what answers call it.
    pub fn name(&self, tongue: Tongue) -> &'static str {
        tongue.pick(self.korean, self.english.first().copied().unwrap_or_default())
    }

    /// Tells whether no light can be of it.
    pub fn is_dark(&self) -> bool {
        self.css == BLACK
    }

    /// Returns how it is said, each as a name and what follows it.
    fn said(&self, tongue: Tongue) -> Vec<(&'static str, &'static str)> {
        let whole = tongue.pick(self.so, self.english).iter().map(|name| (*name, ""));
        if tongue == Tongue::English {
            return whole.collect();
        }
        let with_hue = self.stems.iter().chain(self.nouns).flat_map(|stem| {
            let most = if stem.chars().count() == 1 { OF_ONE } else { HUES.len() };
            HUES[..most].iter().map(move |hue| (*stem, *hue))
        });
        whole.chain(self.nouns.iter().map(|name| (*name, ""))).chain(with_hue).collect()
    }
}

/// Returns the colour that CSS writes so.
pub fn of(css: &str) -> Option<&'static Colour> {
    ALL.iter().find(|colour| colour.css == css)
}

/// Tells whether `text` is a colour as CSS writes it: `#rrggbb`.
pub fn is_css(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Returns all names of a language for sentence templates, each standing for how CSS writes it.
pub fn values(tongue: Tongue) -> Vec<ValueEntry> {
    let value = |(name, hue): (&str, &str), css: &str| ValueEntry::Full {
        said: if hue.is_empty() { name.to_owned() } else { format!("{name}[ ]{hue}") },
        meant: Some(json!(css)),
        context: None,
        metadata: None,
    };
    ALL.iter()
        .flat_map(|colour| colour.said(tongue).into_iter().map(move |said| value(said, colour.css)))
        .collect()
}

/// Returns the names that answers use.
pub fn names(tongue: Tongue) -> impl Iterator<Item = &'static str> {
    ALL.iter().map(move |colour| colour.name(tongue))
}

/// Returns the colour of a name that is nothing else.
pub fn named(tongue: Tongue, name: &str) -> Option<&'static Colour> {
    find(tongue, name).filter(|(_, rest)| rest.trim().is_empty()).map(|(colour, _)| colour)
}

/// Finds the colour that words name, and what they say besides.
pub fn find(tongue: Tongue, words: &str) -> Option<(&'static Colour, String)> {
    let words: Vec<String> = words.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let joint = tongue.pick("", " ");
    let text = words.join(joint);
    let named = ALL.iter().flat_map(|colour| {
        colour
            .said(tongue)
            .into_iter()
            .map(move |(name, hue)| (format!("{name}{hue}").replace(' ', joint), colour))
    });
    let is_said = |name: &str| match tongue {
        Tongue::Korean => text.starts_with(name),
        Tongue::English => format!(" {text} ").contains(&format!(" {name} ")),
    };
    let (name, colour) = named.filter(|(name, _)| is_said(name)).max_by_key(|(name, _)| name.len())?;
    Some((colour, text.replacen(&name, " ", 1)))
}

// === What may have one ===

/// What lights are called, whatever else their names say.
pub const LIGHTS: &[&str] = &["불", "조명", "전등", "등", "light", "lamp"];
/// What the names of lights end in: 무드등, 거실조명, "floor lamp".
const COMPOUNDS: [&str; 4] = ["등", "조명", "램프", "스탠드"];
const ENDS: [&str; 4] = [" light", " lamp", " lights", " lamps"];
/// What begins or ends what is said in the place of a colour and is none.
const BEGINS_NONE: [&str; 10] = ["on", "off", "up", "down", "in", "at", "to", "back", "by", "when"];
const ENDS_NONE: [&str; 24] = [
    "on", "off", "up", "down", "again", "low", "lower", "high", "higher", "dim", "dimmer", "bright",
    "brighter", "dark", "darker", "full", "half", "max", "maximum", "min", "minimum", "warmer", "cooler",
    "percent",
];
/// The most words of a colour that nobody knows.
const MOST_WORDS: usize = 3;

/// Tells whether a name is one of lights.
pub fn is_light(name: &str) -> bool {
    let name = name.to_lowercase();
    let called = name.strip_suffix('s').unwrap_or(&name);
    LIGHTS.contains(&called) || is_compound(&name) || ENDS.iter().any(|end| name.ends_with(end))
}

/// Tells whether a Korean name says at its end that it is a light.
pub fn is_compound(name: &str) -> bool {
    COMPOUNDS.iter().any(|end| name.ends_with(end))
}

/// Tells whether words that nobody knows are meant as a colour.
pub fn may_be(tongue: Tongue, shade: &str) -> bool {
    let shade = shade.to_lowercase();
    let words: Vec<&str> = shade.split_whitespace().collect();
    let most = tongue.pick(MOST_WORDS - 1, MOST_WORDS);
    // Of "dark red" nobody knows how dark it is; what follows "red" belongs to something else.
    let is_known = |words: &[&str]| {
        let word = words.join(" ");
        named(tongue, &word).or_else(|| named(tongue, &format!("{word}색"))).is_some()
    };
    let hides = match tongue {
        Tongue::Korean => words.iter().any(|word| is_known(&[word])),
        Tongue::English => (1..=words.len()).any(|end| is_known(&words[..end])),
    };
    let is_word = |word: &&str| word.chars().all(|letter| letter.is_alphabetic() || letter == '-');
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    let is_none = BEGINS_NONE.contains(first) || ENDS_NONE.contains(last);
    words.len() <= most && words.iter().all(is_word) && !hides && !is_none
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_colour_is_one_of_css_with_a_name_of_its_own_in_both_languages() {
        for tongue in [Tongue::Korean, Tongue::English] {
            let mut said = BTreeMap::new();
            for colour in &ALL {
                assert!(is_css(colour.css) && of(colour.css) == Some(colour), "{}", colour.css);
                assert!(
                    find(tongue, colour.name(tongue)).is_some_and(|(found, _)| found == colour),
                    "{}",
                    colour.name(tongue)
                );
                for (name, hue) in colour.said(tongue) {
                    let other = said.insert(format!("{name}{hue}"), colour.css);
                    assert!(other.is_none_or(|other| other == colour.css), "{name}{hue}: {other:?}");
                }
            }
        }
        assert!(!is_css("blue") && !is_css("#00f") && !is_css("#00000g") && !is_css("0000ff"));
    }

    #[test]
    fn a_colour_is_found_with_what_is_said_besides() {
        for (tongue, words, css, rest) in [
            (Tongue::Korean, "파란 색으로", "#0000ff", "으로"),
            (Tongue::Korean, "파랑", "#0000ff", ""),
            (Tongue::Korean, "연보라색이요", "#ee82ee", "이요"),
            (Tongue::English, "sky blue please", "#87ceeb", "please"),
            (Tongue::English, "make it blue", "#0000ff", "make it"),
        ] {
            let (colour, besides) = find(tongue, words).unwrap_or_else(|| panic!("{words}"));
            assert_eq!((colour.css, besides.trim()), (css, rest), "{words}");
        }
        assert_eq!(find(Tongue::English, "redo it"), None);
        assert_eq!(find(Tongue::Korean, "무지개색"), None);
    }

    #[test]
    fn what_nobody_knows_is_a_colour_where_it_can_be_nothing_else() {
        for (tongue, shade) in [
            (Tongue::Korean, "무지개"),
            (Tongue::Korean, "노을 진"),
            (Tongue::English, "chartreuse"),
            (Tongue::English, "dark red"),
        ] {
            assert!(may_be(tongue, shade), "{shade}");
        }
        for (tongue, shade) in [
            (Tongue::Korean, "불 파란"),
            (Tongue::Korean, "빨간색으로 주방 불은 파란"),
            (Tongue::English, "blue in ten minutes"),
            (Tongue::English, "red please"),
            (Tongue::English, "low"),
            (Tongue::English, "30"),
            (Tongue::English, ""),
        ] {
            assert!(!may_be(tongue, shade), "{shade}");
        }
        let lights = ["불", "lights", "Floor Lamp", "무드등", "거실 조명"];
        assert!(
            lights.iter().all(|name| is_light(name))
                && !["에어컨", "fan", "flight"].iter().any(|name| is_light(name))
        );
    }
}
