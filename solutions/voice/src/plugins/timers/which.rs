//! Which of somebody's timers, alarms or reminders was meant: by its length, its time, its name, its place among those that
//! were told, or all of them.

use ieum_contracts::voice::{Effect, PluginAsk, SlotValue};
use ieum_core::Timestamp;
use ieum_understanding::value::{Kind, Language, Value, find_kinds};
use jiff::Zoned;
use jiff::civil::{Date, Time};

use super::setting::language;
use crate::plugins::EVERYTHING;
use crate::tongue::Tongue;
use crate::understanding::words::{ALL, COMMA, ENGLISH_AND, KOREAN_WITH, NO, YES, is_ring};
use crate::understanding::{names_a_day, whole_duration, whole_moment};
use crate::zone::{here, zone};

/// What was said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Nothing.
    Unsaid,
    /// That all are meant.
    All,
    /// That all are meant, and how many those are: "둘 다".
    AllOf(usize),
    /// How long it was set for, seconds.
    Long(u64),
    /// When it rings; what was said with the hour.
    At(Timestamp, With),
    /// What it is about.
    Named(String),
    /// What it is about, and how long it was set for, seconds.
    NamedLong(String, u64),
    /// The place of it in the order in which all are told, from 0.
    Nth(usize),
    /// The day on which it rings, once.
    On(Date),
    /// The last one of them.
    Last,
    /// Several, each as it was said, and the words of all of them, which may be a name: "the first and the second".
    Several(Vec<Which>, String),
    /// The others than those that were spoken of, and the words for them, which may be a name: "the rest".
    Others(String),
    /// The same where it is known which ones were spoken of: what was said of those.
    Rest(String, String),
    /// None of them.
    Nothing,
    /// The one that was set last: "the one I just set", and "it" after a command that sets one.
    Newest,
    /// The one that rang a moment ago, which waits no more.
    Rung,
}

/// What was said with an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct With {
    /// The half of the day.
    pub half: bool,
    /// The day.
    pub day: bool,
}

/// What goes with a name and is none of it.
const KOREAN: [&str; 26] = [
    "거",
    "것",
    "걸",
    "꺼",
    "건",
    "걸로",
    "짜리",
    "그",
    "내",
    "제",
    "맞춘",
    "아까",
    "로",
    "에",
    "요",
    "좀",
    "음",
    "어",
    "저기",
    "아니",
    "말이야",
    "해",
    "해줘",
    "줘",
    "주세요",
    "할게",
];
const ENGLISH: [&str; 22] = [
    "the", "my", "a", "an", "one", "ones", "for", "at", "called", "named", "that", "set", "of", "please",
    "um", "uh", "no", "them", "those", "it", "this", "now",
];
/// What ends a Korean answer and is none of it, longer ones first.
const ENDINGS: [&str; 15] = [
    "이에요",
    "이요",
    "예요",
    "으로요",
    "로요",
    "으로",
    "요",
    "만",
    "을",
    "를",
    "이야",
    "로",
    "짜리",
    "거",
    "것",
];
/// What begins a word that asks for something else than to choose.
const VERBS: [&str; 24] = [
    "맞춰",
    "맞추",
    "시작",
    "설정",
    "켜",
    "걸어",
    "해",
    "줘",
    "주세요",
    "하나",
    "다른",
    "새",
    "set",
    "start",
    "make",
    "create",
    "put",
    "another",
    "new",
    "more",
    "add",
    "cancel",
    "turn",
    "stop",
];
/// Words that say which half of the day.
const HALVES: [&str; 16] = [
    "오전",
    "오후",
    "아침",
    "저녁",
    "밤",
    "새벽",
    "낮",
    "am",
    "pm",
    "a.m",
    "p.m",
    "morning",
    "afternoon",
    "evening",
    "night",
    "noon",
];
/// Words that say which day.
const DAYS: [&str; 7] = ["오늘", "내일", "모레", "요일", "tonight", "tomorrow", "today"];
/// What ends the name of a day of the week in English, and of a time of day.
const DAY: (&str, &str) = ("day", "midday");
/// What says that others are meant than those that were spoken of.
const OTHERS: [&str; 7] = ["other", "others", "rest", "remaining", "나머지", "나머지는", "다른"];
/// What makes several of "the other".
const MANY: [&str; 5] = ["ones", "timers", "alarms", "reminders", "two"];
/// The slot of what was said of those that "the others" are besides.
pub const BESIDES: &str = "besides";
/// What it holds where those are cancelled, so that all that is set is the rest.
pub const CANCELLED: &str = "cancelled";
/// What it holds where those are what was set last, and what a sentence holds that cancels that without naming it.
pub const NEWEST: &str = "newest";
/// Numbers of things, from two on, as they are said with all of them.
const COUNTS: [[&str; 6]; 4] = [
    ["둘다", "둘모두", "두개", "2개", "both", "all two"],
    ["셋다", "셋모두", "세개", "3개", "all three", "all 3"],
    ["넷다", "넷모두", "네개", "4개", "all four", "all 4"],
    ["다섯다", "다섯모두", "다섯개", "5개", "all five", "all 5"],
];

/// Returns which was meant.
pub fn which(ask: &PluginAsk, tongue: Tongue) -> Which {
    let slots = &ask.meaning.slots;
    let said = slots.get("which").or_else(|| slots.get("when").filter(|_| slots.get("which").is_none()));
    let has_all = |text: &str| words(text).any(|word| ALL.contains(&word.as_str()));
    let Some(said) = said.map(|slot| slot.text.as_str()).filter(|text| !text.is_empty()) else {
        return match &*ask.meaning.text {
            text if has_all(text) => all_of(text),
            text if has_rung(text) => Which::Rung,
            text if says_newest(text) || (says_it(text) && sets_one(ask)) => Which::Newest,
            _ => Which::Unsaid,
        };
    };
    if has_rung(said) {
        return Which::Rung;
    }
    if says_newest(said) {
        return Which::Newest;
    }
    if says_none(said) {
        return Which::Nothing;
    }
    let kept = kept(said, tongue);
    if kept.is_empty() || has_all(&kept) {
        let all = [&kept, &ask.meaning.text].into_iter().find(|text| has_all(text));
        return all.map_or(Which::Unsaid, |text| all_of(text));
    }
    if says_others(said, tongue) {
        // "The other one" is one of those that are left.
        let are_several = !kept.starts_with("다른")
            && (kept != "other" || words(&ask.meaning.text).any(|word| MANY.contains(&&*word)));
        return match slots.get(BESIDES).filter(|_| are_several) {
            Some(spoken) => Which::Rest(kept, spoken.text.clone()),
            None => Which::Others(kept),
        };
    }
    let is_timer = ask.meaning.intent.starts_with("timer.");
    let now = here(&zone(&ask.zone), ask.now);
    match one(said, &kept, is_timer, tongue, &now) {
        // "And" may be within a length: "1 hour and 30 minutes".
        Which::Long(seconds) => Which::Long(seconds),
        Which::NamedLong(name, seconds) if !is_joined(&name, tongue) => Which::NamedLong(name, seconds),
        one => several(said, is_timer, tongue, &now).unwrap_or(one),
    }
}

/// Tells whether words mean the others than those that were spoken of.
pub fn says_others(said: &str, tongue: Tongue) -> bool {
    OTHERS.contains(&unended(&kept(said, tongue)))
}

/// Returns what joins several.
fn joints(tongue: Tongue) -> impl Iterator<Item = &'static str> {
    let own: &[&str] = tongue.pick(&[" 그리고 "], &[]);
    let shared: &[&str] = tongue.pick(&KOREAN_WITH, &ENGLISH_AND);
    own.iter().chain(shared).copied().chain([COMMA])
}

/// Tells whether the words around a length are joined to it, or to others: "계란이랑 5분".
fn is_joined(words: &str, tongue: Tongue) -> bool {
    let words = format!(" {words} ");
    joints(tongue).any(|joint| words.contains(joint))
}

/// Returns which ones are meant where several are said: "첫 번째랑 두 번째".
fn several(said: &str, is_timer: bool, tongue: Tongue, now: &Zoned) -> Option<Which> {
    let said = said.to_lowercase();
    let parts = joints(tongue).fold(vec![said.as_str()], |parts, joint| {
        parts.into_iter().flat_map(|part| part.split(joint)).collect()
    });
    let kept_of: Vec<String> = parts.iter().map(|part| kept(part, tongue)).collect();
    let are_several = parts.len() > 1 && kept_of.iter().all(|kept| !kept.is_empty());
    let each = parts.iter().zip(&kept_of).map(|(part, kept)| one(part, kept, is_timer, tongue, now));
    are_several.then(|| Which::Several(each.collect(), kept(&said, tongue)))
}

/// Tells whether words mean none of those that were told: "둘 다 아니야", "none of them".
fn says_none(text: &str) -> bool {
    const NONE: [&str; 3] = ["none", "neither", "nothing"];
    const AROUND: [&str; 7] = ["of", "them", "those", "one", "please", "thanks", "two"];
    // Whole words: "아니스" and "없던 일" are no refusal.
    const KOREAN: [&str; 9] =
        ["아니오", "아니에요", "아니예요", "아닙니다", "아녜요", "없어", "없어요", "없음", "없습니다"];
    let said: Vec<String> = words(text).collect();
    let is_of = |lists: &[&[&str]], word: &String| lists.iter().any(|words| words.contains(&word.as_str()));
    let is_english = said.first().is_some_and(|first| is_of(&[&NONE, &NO], first))
        && said.iter().all(|word| is_of(&[&NONE, &NO, &AROUND], word));
    let ends_no = said.last().is_some_and(|last| is_of(&[&NO, &KOREAN], last));
    is_english || said.iter().any(|word| word.starts_with("아무것도")) || (ends_no && said.len() <= 3)
}

/// Tells whether words mean the one that was set last.
fn says_newest(text: &str) -> bool {
    let text = text.to_lowercase();
    let in_words = |said: &str| words(&text).any(|word| word == said);
    in_words("방금") || text.contains("just set") || in_words(NEWEST)
}

/// Tells whether words mean what rang a moment ago, and is over: "방금 울린 알람", "the alarm that just went off".
fn has_rung(text: &str) -> bool {
    const KOREAN: [&str; 7] = ["울린", "울렸", "울리", "울던", "울었", "끝난", "끝났"];
    const ENGLISH: [&str; 7] =
        ["just rang", "just rung", "just went", "just gone", "just ended", "just finished", "just ringing"];
    let text = text.to_lowercase();
    let is_korean = || words(&text).any(|word| KOREAN.iter().any(|rung| word.starts_with(rung)));
    (text.contains("방금") && is_korean()) || ENGLISH.iter().any(|rung| text.contains(rung))
}

/// Tells whether words mean what was spoken of before.
fn says_it(text: &str) -> bool {
    const KOREAN: [&str; 6] = ["그거", "그것", "그걸", "이거", "이것", "이걸"];
    words(text).any(|word| {
        ["it", "this", "that"].contains(&word.as_str()) || KOREAN.iter().any(|it| word.starts_with(it))
    })
}

/// Tells whether a command in front of this one in the same sentence sets something.
fn sets_one(ask: &PluginAsk) -> bool {
    ask.earlier.iter().any(|effect| matches!(effect, Effect::Schedule { .. }))
}

/// Returns the words of `said` that tell one from the others.
pub fn kept(said: &str, tongue: Tongue) -> String {
    let is_kept = |word: &String| {
        let fillers: &[&str] = tongue.pick(&KOREAN, &ENGLISH);
        let is_of = |known: &dyn Fn(&str) -> bool| {
            let ended = || ENDINGS.iter().filter_map(|end| word.strip_suffix(end));
            known(word) || (tongue == Tongue::Korean && ended().any(known))
        };
        !is_of(&|word| fillers.contains(&word)) && !is_of(&is_ring)
    };
    words(said).filter(is_kept).collect::<Vec<_>>().join(" ")
}

/// Returns which one is meant by `kept` of what was said.
fn one(said: &str, kept: &str, is_timer: bool, tongue: Tongue, now: &Zoned) -> Which {
    let language = tongue.pick(Language::Korean, Language::English);
    let bare = if tongue == Tongue::Korean { unended(kept) } else { kept.trim_end_matches("'s") };
    if let Some(nth) = nth(bare, language, now) {
        return nth;
    }
    let minutes =
        || whole_duration(&tongue.pick(format!("{bare}분"), format!("{bare} minutes")), language, now);
    let long = whole_duration(bare, language, now).or_else(|| is_timer.then(minutes).flatten());
    if let Some(seconds) = long {
        return Which::Long(seconds);
    }
    let moment = || [said, kept, bare].iter().find_map(|said| whole_moment(said, language, now));
    match moment() {
        Some((at, true)) => return Which::At(at, with(kept, language, now)),
        Some((at, false)) if !is_timer && here(now.time_zone(), at).time() == Time::midnight() => {
            return Which::On(here(now.time_zone(), at).date());
        }
        _ => {}
    }
    let found = find_kinds(kept, language, now, &[Kind::Duration]);
    if let ([length], true) = (&found[..], is_timer)
        && let Value::Duration(amount) = &length.value
    {
        let mut name = kept.to_owned();
        name.replace_range(length.span.clone(), " ");
        return Which::NamedLong(name.trim().to_owned(), amount.seconds().round() as u64);
    }
    Which::Named(kept.to_owned())
}

/// Returns Korean words without what ends them.
pub fn unended(mut words: &str) -> &str {
    while let Some(bare) =
        ENDINGS.iter().find_map(|end| words.strip_suffix(end)).filter(|bare| !bare.is_empty())
    {
        words = bare.trim_end();
    }
    words
}

/// Reads the place of one among several: "두 번째", "the last".
fn nth(kept: &str, language: Language, now: &Zoned) -> Option<Which> {
    // They are told in the order in which they ring.
    const FIRST: [&str; 10] =
        ["짧은", "이른", "빠른", "먼저", "shorter", "shortest", "earlier", "earliest", "soonest", "next"];
    const LAST: [&str; 10] =
        ["마지막", "긴", "늦은", "나중", "last", "very last", "longer", "longest", "later", "latest"];
    let said =
        ["제일 ", "가장 ", "맨 ", "더 "].iter().find_map(|most| kept.strip_prefix(most)).unwrap_or(kept);
    if FIRST.contains(&said) {
        return Some(Which::Nth(0));
    }
    if LAST.contains(&said) {
        return Some(Which::Last);
    }
    let numbered = || kept.strip_suffix('번').or_else(|| kept.strip_prefix("number "))?.parse().ok();
    let number = numbered().or_else(|| {
        let found = find_kinds(kept, language, now, &[Kind::Ordinal]);
        let [one] = &found[..] else { return None };
        let Value::Ordinal(number) = one.value else { return None };
        usize::try_from(number).ok().filter(|_| one.span == (0..kept.len()))
    })?;
    (1..=50).contains(&number).then(|| Which::Nth(number - 1))
}

/// How surely words that follow the question which one is meant choose one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// They say a length, a time, a place or that all are meant, and nothing else.
    Sure,
    /// They call one by its kind: "the pasta one".
    Likely,
    /// They may be anything.
    Open,
}

/// Tells whether `text` chooses one of several.
pub fn choice(text: &str, is_timer: bool, tongue: Tongue, now: &Zoned) -> Choice {
    let said: Vec<String> = words(text).collect();
    if said
        .iter()
        .any(|word| VERBS.iter().any(|verb| word == verb || (!verb.is_ascii() && word.starts_with(verb))))
    {
        return Choice::Open;
    }
    let kept = kept(text, tongue);
    let are_all = !kept.is_empty() && words(&kept).all(|word| ALL.contains(&word.as_str()));
    let is_called = || {
        let names = |word: &String| {
            let ended = ENDINGS.iter().filter_map(|end| word.strip_suffix(end));
            ended
                .chain([word.as_str()])
                .any(|word| is_ring(word) || ["one", "ones", "거", "것", "걸", "꺼"].contains(&word))
        };
        let article = said.iter().position(|word| ["the", "my", "that"].contains(&word.as_str()));
        said.len() <= 5 && article.is_none_or(|at| at == 0) && said.last().is_some_and(names)
    };
    let are_sure = || match several(text, is_timer, tongue, now) {
        Some(Which::Several(all, _)) => !all.iter().any(|one| matches!(one, Which::Named(_))),
        _ => false,
    };
    match one(text, &kept, is_timer, tongue, now) {
        _ if are_all || says_none(text) || are_sure() => Choice::Sure,
        _ if OTHERS.contains(&unended(&kept)) => Choice::Likely,
        Which::Named(name) if name.is_empty() => Choice::Open,
        Which::Named(_) if is_called() => Choice::Likely,
        Which::Named(_) => Choice::Open,
        _ => Choice::Sure,
    }
}

/// Returns that all are meant, with their number where `text` says it.
fn all_of(text: &str) -> Which {
    let spaced = words(text).collect::<Vec<_>>().join(" ");
    let bare = spaced.replace(' ', "");
    // "all 3 minute timers" says how long they run, and "12개" ends as "2개" does.
    let is_number = |said: &str| match said.is_ascii() {
        true => spaced.match_indices(said).any(|(at, _)| {
            let rest = spaced[at + said.len()..].trim_start();
            !rest.starts_with(|letter: char| letter.is_ascii_digit())
                && !["minute", "hour", "second"].iter().any(|unit| rest.starts_with(unit))
        }),
        false => bare
            .match_indices(said)
            .any(|(at, _)| !bare[..at].ends_with(|letter: char| letter.is_ascii_digit() || letter == '열')),
    };
    let number = COUNTS.iter().position(|count| count.iter().any(|said| is_number(said)));
    number.map_or(Which::All, |number| Which::AllOf(number + 2))
}

/// Returns what words in lower case say with an hour.
fn with(said: &str, language: Language, now: &Zoned) -> With {
    let half = HALVES.iter().any(|half| said.contains(half));
    let is_day = |word: &str| word.ends_with(DAY.0) && word != DAY.1;
    let day = DAYS.iter().any(|day| said.contains(day)) || said.split_whitespace().any(is_day);
    With { half, day: day || names_a_day(said, language, now) }
}

pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let words = text.split(|letter: char| letter.is_whitespace() || ",.!?".contains(letter));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Tells whether an answer agrees.
pub fn agrees(ask: &PluginAsk) -> bool {
    // What goes with a yes.
    const ALSO: [&str; 10] = ["of", "취소", "취소해", "해", "줘", "please", "do", "it", "cancel", "them"];
    let said = ask.meaning.slots.get("sure").map(|slot| match &slot.value {
        SlotValue::Text { text } => text.clone(),
        _ => slot.text.clone(),
    });
    let said = said.unwrap_or_default();
    let is_yes = |word: String| [&YES[..], &ALSO, &ALL].iter().any(|words| words.contains(&word.as_str()));
    // Whoever is asked whether all of them go may say so.
    let of_all = ask.meaning.intent == EVERYTHING;
    words(&said).any(|word| of_all || !ALL.contains(&word.as_str())) && words(&said).all(is_yes)
}

/// Returns `at` on the day of `old`, where `said` names no day, and in the same half of it, where it names none either.
pub fn on_the_day_of(said: &str, at: Timestamp, old: Timestamp, ask: &PluginAsk) -> Option<Timestamp> {
    let zone = zone(&ask.zone);
    let with = with(said, language(ask), &here(&zone, ask.now));
    if with.day {
        return None;
    }
    if with.half {
        // What is over on that day is meant for the next one.
        let at = here(&zone, old).date().to_datetime(here(&zone, at).time());
        return crate::zone::moment(&zone, at).filter(|at| *at > ask.now);
    }
    let (at, old) = (here(&zone, at), here(&zone, old));
    let digits: String = said.chars().skip_while(|letter| !letter.is_ascii_digit()).take(2).collect();
    let is_of_24 = digits.parse::<u8>().is_ok_and(|hour| hour > 12);
    let hour = if is_of_24 { at.hour() } else { at.hour() % 12 + old.hour() / 12 * 12 };
    let time = jiff::civil::Time::new(hour % 24, at.minute(), 0, 0).ok()?;
    crate::zone::moment(&zone, old.date().to_datetime(time))
}
