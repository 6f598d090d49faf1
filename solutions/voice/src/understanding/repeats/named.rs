//! Days of the week that are named again and again: "매주 화요일 목요일", "월수금", "월요일부터 금요일까지", "every Tuesday and
//! Thursday", "on Mondays", "Monday through Friday". Days that are only named are once: "월요일이랑 수요일".

use std::ops::Range;

use ieum_understanding::value::Language;

const KOREAN: [char; 7] = ['월', '화', '수', '목', '금', '토', '일'];
const ENGLISH: [[&str; 5]; 7] = [
    ["monday", "mondays", "mon", "", ""],
    ["tuesday", "tuesdays", "tue", "tues", ""],
    ["wednesday", "wednesdays", "wed", "weds", ""],
    ["thursday", "thursdays", "thu", "thur", "thurs"],
    ["friday", "fridays", "fri", "", ""],
    ["saturday", "saturdays", "sat", "", ""],
    ["sunday", "sundays", "sun", "", ""],
];
/// Other words that look like days side by side: of today, a few days, a month and a day.
const NO_DAYS: [&str; 3] = ["금일", "수일", "월일"];
/// Which of a month's or of every two: no day that is one of each week.
const ORDINALS: [&str; 8] = ["first", "second", "third", "fourth", "fifth", "last", "other", "alternate"];

/// Returns where `words` in lower case name days again and again, and the days, Monday 1; no days where they are said to be
/// such as no week has.
pub fn named(words: &str, language: Language) -> Option<(Range<usize>, Vec<i8>)> {
    match language {
        Language::Korean => korean(words),
        Language::English => english(words),
    }
}

/// Adds the days from one to another, over the end of the week where they are.
fn add_range(days: &mut Vec<i8>, from: i8, to: i8) {
    let mut day = from;
    loop {
        days.push(day);
        if day == to {
            break;
        }
        day = day % 7 + 1;
    }
}

fn in_order(mut days: Vec<i8>) -> Vec<i8> {
    days.sort_unstable();
    days.dedup();
    days
}

// === Korean ===

/// Days that stand side by side.
#[derive(Default)]
struct Row {
    /// How long their words are.
    length: usize,
    days: Vec<i8>,
    /// Whether several were shortened: "월수금", "월, 수".
    is_short: bool,
    is_range: bool,
}

fn korean(words: &str) -> Option<(Range<usize>, Vec<i8>)> {
    let starts = words.char_indices().map(|(at, _)| at);
    starts.filter(|at| *at == 0 || words[..*at].ends_with([' ', ','])).find_map(|at| {
        let weekly = ["매주마다 ", "매주 ", "매 주 "].iter().find(|weekly| words[at..].starts_with(**weekly));
        let first = at + weekly.map_or(0, |weekly| weekly.len());
        let row = korean_row(&words[first..]).filter(|row| !row.days.is_empty())?;
        let rest = &words[first + row.length..];
        let rest = rest.strip_prefix("까지").filter(|_| row.is_range).unwrap_or(rest);
        let each = rest.strip_prefix("마다");
        let rest = each.unwrap_or(rest);
        let is_again = weekly.is_some() || each.is_some() || row.is_range || row.is_short;
        let is_word = rest.chars().next().is_none_or(|next| " ,에은는도로의".contains(next));
        (is_again && is_word).then(|| (at..words.len() - rest.len(), in_order(row.days)))
    })
}

/// Reads the days that `words` begin with, lists and ranges of them.
fn korean_row(words: &str) -> Option<Row> {
    const RANGES: [&str; 6] = ["부터 ", "에서 ", " ~ ", "~", " - ", "-"];
    const JOINTS: [&str; 11] = ["이랑 ", "랑 ", "하고 ", "과 ", "와 ", ", ", ",", "·", "/", " 그리고 ", " "];
    let (mut row, mut from, mut has_short) = (Row::default(), None, false);
    while let Some((length, named, short)) = korean_days(&words[row.length..]) {
        row.length += length;
        has_short |= short;
        match from.take() {
            Some(from) => add_range(&mut row.days, from, *named.first()?),
            None => row.days.extend(&named),
        }
        let rest = &words[row.length..];
        let leads_on =
            |joint: &&&str| rest.strip_prefix(**joint).is_some_and(|rest| korean_days(rest).is_some());
        if let Some(joint) = RANGES.iter().find(leads_on) {
            row.length += joint.len();
            row.is_range = true;
            from = row.days.pop();
        } else if let Some(joint) = JOINTS.iter().find(leads_on) {
            row.length += joint.len();
        } else {
            break;
        }
    }
    row.is_short = has_short && row.days.len() > 1;
    Some(row)
}

/// Reads days at the beginning of `words`: how long they are, the days, and whether they were shortened ("월수금").
fn korean_days(words: &str) -> Option<(usize, Vec<i8>, bool)> {
    let day = |letter: char| KOREAN.iter().zip(1..).find(|(name, _)| **name == letter).map(|(_, day)| day);
    let days: Vec<i8> = words.chars().map_while(day).collect();
    let letters: usize = words.chars().take(days.len()).map(char::len_utf8).sum();
    let rest = &words[letters..];
    if days.is_empty() || NO_DAYS.contains(&&words[..letters]) || !days.is_sorted_by(|one, other| one < other)
    {
        return None;
    }
    if let Some(name) = ["요일", "욜"].iter().find(|name| rest.starts_with(**name)) {
        return Some((letters + name.len(), days.clone(), days.len() > 1));
    }
    let is_alone =
        rest.is_empty() || [" ", ",", "·", "/", "~", "-"].iter().any(|next| rest.starts_with(next));
    let is_followed =
        ["마다", "에", "은", "부터", "까지", "로 ", "으로 "].iter().any(|next| rest.starts_with(next));
    (is_alone || is_followed).then_some((letters, days, true))
}

// === English ===

/// A word, or a mark between days.
struct Token<'a> {
    text: &'a str,
    at: usize,
}

fn tokens(words: &str) -> Vec<Token<'_>> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut is_open = false;
    for (at, letter) in words.char_indices() {
        let end = at + letter.len_utf8();
        let is_letter = letter.is_alphanumeric() || letter == '\'';
        match tokens.last_mut().filter(|_| is_open && is_letter) {
            Some(last) => last.text = &words[last.at..end],
            None if !letter.is_whitespace() => tokens.push(Token { text: &words[at..end], at }),
            None => {}
        }
        is_open = is_letter;
    }
    tokens
}

fn english(words: &str) -> Option<(Range<usize>, Vec<i8>)> {
    let tokens = tokens(words);
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let day = |at: usize| {
        let forms =
            ENGLISH.iter().zip(1..).find(|(forms, _)| !text(at).is_empty() && forms.contains(&text(at)));
        forms.map(|(_, day): (_, i8)| day)
    };
    (0..tokens.len()).find_map(|first| {
        let mut days = vec![day(first)?];
        let (mut at, mut is_range) = (first + 1, false);
        loop {
            let is_to = matches!(text(at), "through" | "thru" | "to" | "until" | "till" | "-" | "–");
            if let Some(to) = day(at + 1).filter(|_| is_to) {
                let from = days.pop()?;
                add_range(&mut days, from, to);
                is_range = true;
                at += 2;
                continue;
            }
            let joints = (0..3).find(|joints| {
                let is_joint = |at: usize| matches!(text(at), "," | "and" | "&" | "/" | "on" | "every");
                day(at + joints).is_some() && (at..at + joints).all(is_joint)
            });
            let Some((joints, next)) = joints.and_then(|joints| Some((joints, day(at + joints)?))) else {
                break;
            };
            days.push(next);
            at += joints + 1;
        }
        let last = tokens.get(at - 1)?;
        let is_plural =
            (first..at).any(|at| text(at).len() > 4 && text(at).ends_with('s') && day(at).is_some());
        let mut begin = first;
        let before = |begin: usize, words: &[&str]| begin > 0 && words.contains(&text(begin - 1));
        let is_every = before(begin, &["every", "each"]);
        if is_every || (is_range && before(begin, &["from"])) {
            begin -= 1;
        }
        if before(begin, &["on"]) {
            begin -= 1;
        }
        let is_ordinal = before(first, &ORDINALS);
        let is_again = is_every || is_plural || is_range;
        let days = if is_ordinal { Vec::new() } else { in_order(days) };
        let begin = if is_ordinal { first - 1 } else { begin };
        is_again.then(|| (tokens[begin].at..last.at + last.text.len(), days))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_are_named_again_and_again_are_told_from_those_of_once() {
        for (words, wanted) in [
            ("매주 화요일 목요일 7시", Some(("매주 화요일 목요일", &[2, 4][..]))),
            ("매주 화요일이랑 목요일 7시", Some(("매주 화요일이랑 목요일", &[2, 4]))),
            ("매주 월수금 7시", Some(("매주 월수금", &[1, 3, 5]))),
            ("월수금 아침 7시", Some(("월수금", &[1, 3, 5]))),
            ("월, 수, 금 7시", Some(("월, 수, 금", &[1, 3, 5]))),
            ("월·수·금요일 7시", Some(("월·수·금요일", &[1, 3, 5]))),
            ("화목마다 8시", Some(("화목마다", &[2, 4]))),
            ("월요일부터 금요일까지 7시", Some(("월요일부터 금요일까지", &[1, 2, 3, 4, 5]))),
            ("월~금 7시", Some(("월~금", &[1, 2, 3, 4, 5]))),
            ("금요일부터 월요일까지", Some(("금요일부터 월요일까지", &[1, 5, 6, 7]))),
            ("월요일이랑 수요일마다 4시", Some(("월요일이랑 수요일마다", &[1, 3]))),
            ("7시 매주 월요일", Some(("매주 월요일", &[1]))),
            ("토일 9시", Some(("토일", &[6, 7]))),
            ("월요일이랑 수요일 4시", None),
            ("월요일 9시", None),
            ("금일 9시", None),
            ("화목한 가족", None),
            ("5월 4일 월요일", None),
            ("수목원 가기", None),
        ] {
            let found = named(words, Language::Korean);
            let found = found.as_ref().map(|(place, days)| (&words[place.clone()], &days[..]));
            assert_eq!(found, wanted, "{words}");
        }
        for (words, wanted) in [
            ("every tuesday and thursday at 7", Some(("every tuesday and thursday", &[2, 4][..]))),
            ("on mondays and wednesdays at 4 pm", Some(("on mondays and wednesdays", &[1, 3]))),
            (
                "4 pm on mondays, wednesdays and fridays",
                Some(("on mondays, wednesdays and fridays", &[1, 3, 5])),
            ),
            (
                "7 am every monday, wednesday, and friday",
                Some(("every monday, wednesday, and friday", &[1, 3, 5])),
            ),
            ("monday through friday at 7", Some(("monday through friday", &[1, 2, 3, 4, 5]))),
            ("7 from monday to friday", Some(("from monday to friday", &[1, 2, 3, 4, 5]))),
            ("mon-fri at 7", Some(("mon-fri", &[1, 2, 3, 4, 5]))),
            ("every mon, wed, fri at 7", Some(("every mon, wed, fri", &[1, 3, 5]))),
            ("each friday", Some(("each friday", &[5]))),
            ("the first mondays", Some(("first mondays", &[]))),
            ("tuesday and thursday at 7", None),
            ("monday at 9", None),
            ("every other monday", None),
        ] {
            let found = named(words, Language::English);
            let found = found.as_ref().map(|(place, days)| (&words[place.clone()], &days[..]));
            assert_eq!(found, wanted, "{words}");
        }
    }
}
