//! Korean words for what lies so many days, weeks, months or years from today: `다다음 주`, `그그제`, `익년`, `올해`.

use jiff::civil::Date;

use crate::value::calendar::{Grain, Moment, days};
use crate::value::korean::date::written::{in_month, month_number};
use crate::value::korean::{Frame, Timed, ends_word};
use crate::value::said::{Said, is_hangul};

const DAYS: &[(&str, i64)] = &[
    ("오늘", 0),
    ("금일", 0),
    ("당일", 0),
    ("내일", 1),
    ("명일", 1),
    ("익일", 1),
    ("모레", 2),
    ("내일모레", 2),
    ("내일 모레", 2),
    ("명후일", 2),
    ("익익일", 2),
    ("글피", 3),
    ("어제", -1),
    ("작일", -1),
    ("전일", -1),
    ("엊그제", -2),
    ("엊그저께", -2),
    ("어제 그제", -2),
];
/// Days that lean on what was said before.
const POINTING: &[(&str, i64)] = &[
    ("그 날", 0),
    ("이 날", 0),
    ("지난 날", -1),
    ("바로 전날", -1),
    ("전날", -1),
    ("다음 날", 1),
    ("그 다음 날", 1),
];
/// Words before a unit: the word, a syllable that may be repeated before it (each one step more), steps, direction.
const STEPS: &[(&str, &str, i64, i64)] = &[
    ("다음", "다", 1, 1),
    ("다음", "다음", 1, 1),
    ("담", "다", 1, 1),
    ("저번", "저", 1, -1),
    ("지난", "지", 1, -1),
    ("전", "전", 1, -1),
];
const MOST_STEPS: i64 = 4;
const AHEAD: &[(&str, i64)] = &[
    ("이번", 0),
    ("이", 0),
    ("금", 0),
    ("올", 0),
    ("같은", 0),
    ("오는", 1),
    ("다가오는", 1),
    ("돌아오는", 1),
    ("내", 1),
    ("차", 1),
    ("작", -1),
];
const PERIODS: &[(&str, Grain)] = &[
    (" 주", Grain::Week),
    (" 달", Grain::Month),
    (" 월", Grain::Month),
    (" 분기", Grain::Quarter),
    (" 해", Grain::Year),
    (" 년", Grain::Year),
    (" 년도", Grain::Year),
    (" 연도", Grain::Year),
];
const WHOLE: &[(&str, (i64, Grain))] = &[
    ("올해", (0, Grain::Year)),
    ("올 해", (0, Grain::Year)),
    ("그 해", (0, Grain::Year)),
    ("금년", (0, Grain::Year)),
    ("내년", (1, Grain::Year)),
    ("명년", (1, Grain::Year)),
    ("익년", (1, Grain::Year)),
    ("내후년", (2, Grain::Year)),
    ("작년", (-1, Grain::Year)),
    ("전년", (-1, Grain::Year)),
    ("지난해", (-1, Grain::Year)),
    ("지지난해", (-2, Grain::Year)),
    ("금주", (0, Grain::Week)),
    ("차주", (1, Grain::Week)),
    ("내주", (1, Grain::Week)),
    ("익주", (1, Grain::Week)),
    ("금월", (0, Grain::Month)),
    ("내달", (1, Grain::Month)),
    ("익월", (1, Grain::Month)),
    ("전월", (-1, Grain::Month)),
    ("당월", (0, Grain::Month)),
    ("이달", (0, Grain::Month)),
];
const SEASONS: &[(&str, [(i8, i8); 2])] = &[
    ("봄", [(3, 20), (6, 21)]),
    ("여름", [(6, 21), (9, 24)]),
    ("가을", [(9, 23), (12, 22)]),
    ("겨울", [(12, 21), (3, 21)]),
];

/// Returns where `syllables` end that stand at `at` one after the other, and how many there are.
fn run(said: &Said, at: usize, syllables: &[char]) -> (usize, i64) {
    let mut end = at;
    while syllables.contains(&said.at(end)) {
        end += 1;
    }
    (end, (end - at) as i64)
}

/// Reads a day so many days from today.
pub(super) fn near(said: &Said, at: usize, frame: Frame) -> Timed {
    let found = said.any(at, DAYS).filter(|(end, _)| said.at(at) != '당' || said.at(*end) != '치');
    let pointing = said.any(at, POINTING).filter(|_| frame.conventions.pointing);
    let far = repeated(said, at);
    let soon = said.word(at, "낼").filter(|end| is_tomorrow(said, at, *end)).map(|end| (end, 1));
    let (end, ahead) = [found, pointing, far, soon].into_iter().flatten().max_by_key(|(end, _)| *end)?;
    Some((end, super::day(days(frame.today(), ahead))))
}

/// Reads `그제`, `그끄저께`, `그그글피`: each syllable before the word is a day more.
fn repeated(said: &Said, at: usize) -> Option<(usize, i64)> {
    let (end, count) = run(said, at, &['그', '끄']);
    if !(0..=MOST_STEPS).contains(&count) {
        return None;
    }
    if let Some(end) = said.one_of(end, &["제", "저께", "저게"]).filter(|_| count > 0) {
        return Some((end, -1 - count));
    }
    said.word(end, "글피").map(|end| (end, 3 + count)).filter(|_| count > 0)
}

/// `낼` is tomorrow and, after an object or before `수`, a form of a verb.
fn is_tomorrow(said: &Said, at: usize, end: usize) -> bool {
    let before = if said.before(at) == ' ' { said.before(at - 1) } else { said.before(at) };
    !matches!(before, '을' | '를') && said.one_of(end, &[" 수", " 것", " 만한", " 지"]).is_none()
}

/// Reads how many units ahead: `다음`, `다다음`, `지지난`, `이번`, `오는`.
pub(crate) fn ahead(said: &Said, at: usize) -> Option<(usize, i64)> {
    steps(said, at).chain(said.any(at, AHEAD)).max_by_key(|(end, _)| *end)
}

fn steps(said: &Said, at: usize) -> impl Iterator<Item = (usize, i64)> {
    STEPS.iter().filter_map(move |(word, again, base, sign)| {
        let starts = std::iter::successors(Some(at), |here| said.word(*here, again));
        let counted = starts.zip(0..=MOST_STEPS);
        let read = counted.filter_map(|(here, more)| Some((said.word(here, word)?, sign * (base + more))));
        read.max_by_key(|(end, _)| *end)
    })
}

/// Returns whether so many units ahead lie behind.
pub(super) fn is_past(ahead: i64) -> bool {
    ahead < 0
}

/// Reads `올해`, `내년`, `재작년`, `후후년`, `다음 해` as a year.
pub(crate) fn whole_year(said: &Said, at: usize, today: Date) -> Option<(usize, i16)> {
    let (end, (ahead, grain)) = whole(said, at)?;
    (grain == Grain::Year).then(|| (end, today.year() + ahead as i16))
}

/// Reads a word that is a relative period by itself.
pub(crate) fn whole(said: &Said, at: usize) -> Option<(usize, (i64, Grain))> {
    let fixed = said.any(at, WHOLE);
    let (past, back) = run(said, at, &['재']);
    let past = said.word(past, "작년").map(|end| (end, (-1 - back, Grain::Year)));
    let (later, forward) = run(said, at, &['후']);
    let later = said.word(later, "년").filter(|_| forward > 0).map(|end| (end, (1 + forward, Grain::Year)));
    let stepped = stepped(said, at).map(|(end, ahead, grain)| (end, (ahead, grain)));
    [fixed, past, later, stepped].into_iter().flatten().max_by_key(|(end, _)| *end)
}

/// Reads `다음 주`, `지지난달`, `전전월`. Words of one syllable make a word with a month or year only where that is one:
/// 전주 is a town, 전달 a message, 이월 February.
fn stepped(said: &Said, at: usize) -> Option<(usize, i64, Grain)> {
    let (after, ahead) = ahead(said, at)?;
    let (end, grain) = said.any(after, PERIODS)?;
    let single = after == at + 1;
    let joined = single && said.at(after) != ' ';
    let word = match said.at(at) {
        '이' | '올' | '담' => !joined || grain == Grain::Week || said.before(end) == '달',
        '전' => !joined && grain != Grain::Year || grain == Grain::Quarter,
        '내' => false,
        _ => !single,
    };
    (word || !single).then_some((end, ahead, grain))
}

/// Reads `이번 주`, `다음 달`, `올해`, `이번 여름`, `다음 3월`, `작년 이맘때`, `내일 이 시각`.
pub(super) fn relative(said: &Said, at: usize, frame: Frame) -> Timed {
    if let Some((end, (ahead, grain))) = whole(said, at) {
        if matches!(said.slice(at..end).as_str(), "차주" | "금주")
            && said.one_of(end, &["의", "를", "가 ", "는 "]).is_some()
        {
            return None;
        }
        if let Some(found) = same(said, end, frame, grain, ahead) {
            return Some(found);
        }
        let end = said.word(end, " 한 해").unwrap_or(end);
        return Some((end, Moment::At(grain.add(grain.start(frame.now), ahead), grain)));
    }
    let today = frame.today();
    let (after, ahead) = ahead(said, at)?;
    if let Some((end, [from, to])) = said.any(said.spaces(after), SEASONS) {
        return season(today, ahead, from, to).map(|season| (end, season));
    }
    let spaced = said.at(after) == ' ';
    let (end, month) =
        month_number(said, said.spaces(after)).filter(|_| after > at + 1 || spaced && said.at(at) == '올')?;
    let first = Date::new(today.year(), month, 1).ok()?;
    let late = first <= today.first_of_month();
    let year = today.year()
        + match ahead {
            0 => 0,
            1.. => i16::from(late),
            _ => -i16::from(!late),
        };
    in_month(said, end, month, Some(year), frame)
}

/// Reads `이맘때` and `이 시각` after what lies so many units ahead: now, moved.
pub(crate) fn same(said: &Said, at: usize, frame: Frame, grain: Grain, ahead: i64) -> Timed {
    let moved = grain.add(frame.now, ahead);
    if let Some(end) = said.one_of(at, &[" 이맘때", " 이맘 때", " 요맘때", " 이때쯤"]) {
        return Some((end, super::day(moved.date())));
    }
    let end = said.one_of(at, &[" 이 시각", " 이 시간", " 같은 시각", " 같은 시간"])?;
    ends_word(said, end).then(|| (end, Moment::At(Grain::Minute.start(moved), Grain::Minute)))
}

fn season(today: Date, ahead: i64, from: (i8, i8), to: (i8, i8)) -> Option<Moment> {
    let mut year = today.year() + ahead as i16;
    // In January and February this winter began last year.
    if from.0 == 12 && today.month() < 4 {
        year -= 1;
    }
    season_of(year, from, to)
}

fn season_of(year: i16, from: (i8, i8), to: (i8, i8)) -> Option<Moment> {
    let start = Date::new(year, from.0, from.1).ok()?;
    let end = Date::new(if to.0 < from.0 { year + 1 } else { year }, to.0, to.1).ok()?;
    Some(Moment::Between(start.at(0, 0, 0, 0), end.at(0, 0, 0, 0), Grain::Day))
}

/// Reads the season of a year.
pub(super) fn of_year(said: &Said, at: usize, year: i16) -> Timed {
    let (end, [from, to]) = said.any(at, SEASONS)?;
    season_of(year, from, to).map(|season| (end, season))
}

/// Reads a season by itself: the one that is or comes next. 봄 and its like begin many words.
pub(super) fn bare_season(said: &Said, at: usize, today: Date) -> Timed {
    let start = said.word(at, "그 ").unwrap_or(at);
    let (end, [from, to]) = said.any(start, SEASONS)?;
    if is_hangul(said.at(end)) && said.one_of(end, &["에", "까지", "부터", "이", "은"]).is_none() {
        return None;
    }
    let seasons = (-1..3).filter_map(|ahead| season_of(today.year() + ahead, from, to));
    seasons.into_iter().find(|season| season.end().date() > today).map(|season| (end, season))
}
