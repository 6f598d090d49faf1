//! Years and what is made of them in English: `2014`, `nineteen seventy eight`, `Q3 2016`, `the 1970s`, `21st century`.

use jiff::civil::Date;

use crate::value::calendar::{Grain, Moment, full_year};
use crate::value::english::number::{cardinal, place, small};
use crate::value::english::words::{follows, is_closed, lead, one_of, skip, whole};
use crate::value::frame::{Frame, Timed};
use crate::value::said::Said;

/// Reads a year where one is looked for: four digits, `'87`, `nineteen ninety nine`, `two thousand and eighteen`.
pub(super) fn named(said: &Said, at: usize) -> Option<(usize, i16)> {
    if let Some((end, year, 4)) = said.digits(at) {
        let fits = (1000..3000).contains(&year) && is_closed(said, end);
        return fits.then_some((end, year as i16));
    }
    if said.at(at) == '\'' {
        let (end, year, _) = said.digits(at + 1).filter(|(_, _, count)| *count == 2)?;
        return Some((end, full_year(year, 2)?));
    }
    words(said, at)
}

fn words(said: &Said, at: usize) -> Option<(usize, i16)> {
    let (end, first) = small(said, at)?;
    let next = said.spaces(if said.at(end) == '-' { end + 1 } else { end });
    if (13.0..=20.0).contains(&first) {
        if let Some(end) = one_of(said, next, &["hundred"]) {
            return Some((end, first as i16 * 100));
        }
        let zero = lead(said, next, &["zero", "oh", "o"]);
        let (end, rest) =
            small(said, zero.unwrap_or(next)).filter(|(_, rest)| zero.is_some() || *rest >= 10.0)?;
        return Some((end, (first * 100.0 + rest) as i16));
    }
    lead(said, next, &["thousand"]).or_else(|| lead(said, next, &["hundred"]))?;
    let (end, year) = cardinal(said, at).filter(|(_, year)| (1000.0..3000.0).contains(year))?;
    Some((end, year as i16))
}

/// Words after which four digits are a year.
const BEFORE: &[&str] = &[
    "in",
    "of",
    "since",
    "before",
    "after",
    "until",
    "till",
    "by",
    "from",
    "through",
    "thru",
    "during",
    "year",
    "between",
    "and",
    "to",
    "~",
    "=",
    "than",
    "calendar year",
    "as of",
];

/// Reads a year by itself, a quarter or half of one, a decade, a century.
pub(super) fn period(said: &Said, at: usize, frame: Frame) -> Timed {
    let start = skip(said, at, &["in", "in the", "the"]);
    if let Some(found) =
        era(said, start).or_else(|| part_of_year(said, start, frame)).or_else(|| decade(said, start))
    {
        return Some(found);
    }
    if let Some((end, nth)) = place(said, start).filter(|(_, nth)| (1..=40).contains(nth)) {
        let end = one_of(said, said.spaces(end), &["century"])?;
        return hundred(end, (nth as i16 - 1) * 100);
    }
    let named_so = lead(said, start, &["year", "calendar year"]);
    let known = named_so.is_some() || start > at || follows(said, at, BEFORE);
    let year_at = named_so.unwrap_or(start);
    let plain =
        named_so.and_then(|start| cardinal(said, start)).filter(|(_, year)| (100.0..3000.0).contains(year));
    let (end, year) = named(said, year_at)
        .filter(|(_, year)| known && (1500..2200).contains(year))
        .or_else(|| plain.map(|(end, year)| (end, year as i16)))?;
    if matches!(said.at(end), '/' | '-' | '.' | ':' | ',') && said.at(end + 1).is_ascii_digit() {
        let range = said.digits(end + 1).is_some_and(|(_, _, count)| count == 4) && said.at(end) == '-';
        return range.then_some((end, super::unit(year, 1, Grain::Year)?));
    }
    Some((end, super::unit(year, 1, Grain::Year)?))
}

/// Reads `2014 AD`, `14 a.d.`, `2014 BC`.
fn era(said: &Said, at: usize) -> Timed {
    let (end, year, _) = said.digits(at).filter(|(_, year, _)| (1..9_000).contains(year))?;
    let eras =
        [("ad", 1), ("a.d.", 1), ("a.d", 1), ("ce", 1), ("bc", -1), ("b.c.", -1), ("b.c", -1), ("bce", -1)];
    let (end, sign) = whole(said, said.spaces(end), &eras)?;
    Some((end, super::unit(year as i16 * sign, 1, Grain::Year)?))
}

/// Reads `Q3`, `Q3 2016`, `2016 Q3`, `18q4`, `H1 2016`, `Q2 of next year`.
fn part_of_year(said: &Said, at: usize, frame: Frame) -> Timed {
    let front = said.digits(at).filter(|(_, _, count)| matches!(count, 2 | 4));
    let front = front.and_then(|(end, year, count)| Some((end, full_year(year, count)?)));
    let start = front.map_or(at, |(end, _)| said.spaces(if said.at(end) == '-' { end + 1 } else { end }));
    let parts = [
        ("q1", (1, 3)),
        ("q2", (4, 3)),
        ("q3", (7, 3)),
        ("q4", (10, 3)),
        ("h1", (1, 6)),
        ("h2", (7, 6)),
        ("first half", (1, 6)),
        ("second half", (7, 6)),
    ];
    let (end, (month, count)) = whole(said, start, &parts)?;
    let of = lead(said, said.spaces(end), &["of", "in"]);
    let next = of.unwrap_or(said.spaces(if matches!(said.at(end), '-' | '/') { end + 1 } else { end }));
    let behind = named(said, next).or_else(|| {
        let (start, side) = super::side(said, next).or_else(|| Some((lead(said, of?, &["the"])?, 0)))?;
        Some((one_of(said, start, &["year"])?, frame.today().year() + side as i16))
    });
    let (end, year) = match (front, behind) {
        (Some((_, year)), _) => (end, year),
        (None, Some(behind)) => behind,
        (None, None) if said.at(start).is_alphabetic() && count == 6 && said.at(start) != 'h' => return None,
        (None, None) => (end, frame.today().year()),
    };
    let from = Date::new(year, month, 1).ok()?.at(0, 0, 0, 0);
    Some((
        end,
        match count {
            3 => Moment::At(from, Grain::Quarter),
            _ => Moment::Between(from, Grain::Month.add(from, count), Grain::Month),
        },
    ))
}

/// Reads `1970s`, `70's`, `the seventies`, `nineteen seventies`, `two thousands`, `noughties`.
fn decade(said: &Said, at: usize) -> Timed {
    let start = if said.at(at) == '\'' { at + 1 } else { at };
    if let Some((end, year, count)) = said.digits(start).filter(|(_, _, count)| matches!(count, 2 | 4)) {
        let end = said.one_of(end, &["s", "'s"]).filter(|end| is_closed(said, *end) && year % 10 == 0)?;
        return ten(
            end,
            full_year(
                if count == 2 && year >= 30 { year + 1900 } else { year },
                count.max(4) - usize::from(count == 2 && year < 30) * 2,
            )?,
        );
    }
    let tens = [
        ("noughties", 0),
        ("tens", 10),
        ("twenties", 20),
        ("thirties", 30),
        ("forties", 40),
        ("fifties", 50),
        ("sixties", 60),
        ("seventies", 70),
        ("eighties", 80),
        ("nineties", 90),
    ];
    if let Some((end, tens)) = whole(said, at, &tens) {
        let known = tens != 10 && follows(said, at, &["the", "in", "of"]);
        return known.then(|| ten(end, if tens == 0 { 2000 } else { 1900 + tens })).flatten();
    }
    if let Some(end) = one_of(said, at, &["two thousands"]) {
        return ten(end, 2000);
    }
    let (after, century) = small(said, at)
        .map(|(end, first)| (end, first as i16 * 100))
        .filter(|(_, century)| (1700..=2000).contains(century))
        .or_else(|| Some((one_of(said, at, &["two thousand and", "two thousand"])?, 2000)))?;
    let (end, tens) = whole(said, said.spaces(if said.at(after) == '-' { after + 1 } else { after }), &tens)?;
    ten(end, century + tens)
}

fn ten(end: usize, year: i16) -> Timed {
    let start = Date::new(year, 1, 1).ok()?.at(0, 0, 0, 0);
    Some((end, Moment::Between(start, Grain::Year.add(start, 10), Grain::Year)))
}

fn hundred(end: usize, year: i16) -> Timed {
    let start = Date::new(year, 1, 1).ok()?.at(0, 0, 0, 0);
    Some((end, Moment::Between(start, Grain::Year.add(start, 100), Grain::Year)))
}
