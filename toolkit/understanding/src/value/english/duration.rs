//! Lengths of time in English: `an hour and a half`, `two and a half hours`, `1 hour 30 minutes`, `a fortnight`.

use super::number::{cardinal, number, part, small};
use super::words::{is_closed, lead, one_of, skip, whole};
use crate::value::calendar::{Amount, Grain};
use crate::value::said::Said;

/// Units with how many of the grain one of them is.
const UNITS: &[(&str, (f64, Grain))] = &[
    ("seconds", (1.0, Grain::Second)),
    ("second", (1.0, Grain::Second)),
    ("secs", (1.0, Grain::Second)),
    ("sec", (1.0, Grain::Second)),
    ("s", (1.0, Grain::Second)),
    ("minutes", (1.0, Grain::Minute)),
    ("minute", (1.0, Grain::Minute)),
    ("mins", (1.0, Grain::Minute)),
    ("min", (1.0, Grain::Minute)),
    ("hours", (1.0, Grain::Hour)),
    ("hour", (1.0, Grain::Hour)),
    ("hrs", (1.0, Grain::Hour)),
    ("hr", (1.0, Grain::Hour)),
    ("h", (1.0, Grain::Hour)),
    ("days", (1.0, Grain::Day)),
    ("day", (1.0, Grain::Day)),
    ("business days", (1.0, Grain::Day)),
    ("business day", (1.0, Grain::Day)),
    ("nights", (1.0, Grain::Day)),
    ("night", (1.0, Grain::Day)),
    ("weekends", (2.0, Grain::Day)),
    ("weeks", (1.0, Grain::Week)),
    ("week", (1.0, Grain::Week)),
    ("wks", (1.0, Grain::Week)),
    ("wk", (1.0, Grain::Week)),
    ("fortnights", (14.0, Grain::Day)),
    ("fortnight", (14.0, Grain::Day)),
    ("months", (1.0, Grain::Month)),
    ("month", (1.0, Grain::Month)),
    ("quarters", (1.0, Grain::Quarter)),
    ("qtrs", (1.0, Grain::Quarter)),
    ("years", (1.0, Grain::Year)),
    ("year", (1.0, Grain::Year)),
    ("yrs", (1.0, Grain::Year)),
    ("yr", (1.0, Grain::Year)),
    ("decades", (10.0, Grain::Year)),
    ("decade", (10.0, Grain::Year)),
    ("centuries", (100.0, Grain::Year)),
    ("century", (100.0, Grain::Year)),
];

/// Reads a length of time.
pub(crate) fn duration(said: &Said, at: usize) -> Option<(usize, Amount)> {
    let (mut end, first) = length(said, at)?;
    let mut parts = vec![first];
    loop {
        let joint = said.one_of(end, &[", and ", " and ", ", ", " "]).unwrap_or(end);
        let last = parts.len() - 1;
        if let Some((after, share)) = tail(said, joint).filter(|_| parts[last].0.fract() == 0.0) {
            parts[last].0 += share;
            end = after;
            continue;
        }
        match length(said, joint).filter(|_| joint > end || said.at(at).is_ascii_digit()) {
            Some((after, next)) if parts.iter().all(|part| part.1 != next.1) && parts.len() < 7 => {
                parts.push(next);
                end = after;
            }
            _ => break,
        }
    }
    if let Some((after, minutes)) = minutes_left_out(said, end, &parts) {
        parts.push((minutes, Grain::Minute));
        end = after;
    }
    Some((end, Amount { parts }))
}

/// Reads `half` or `a quarter` after a unit that is theirs: an hour and a half.
fn tail(said: &Said, at: usize) -> Option<(usize, f64)> {
    let (end, share) =
        whole(said, at, &[("a half", 0.5), ("half", 0.5), ("a quarter", 0.25), ("one quarter", 0.25)])?;
    let next = said.spaces(end);
    // Half an hour is a length of its own, half past three a time.
    let other = lead(said, next, &["an", "a", "past", "of", "hour"]).is_some();
    (!other && unit(said, next).is_none()).then_some((end, share))
}

/// Reads the minutes of `2 hours ten`, which stand at the end.
fn minutes_left_out(said: &Said, end: usize, parts: &[(f64, Grain)]) -> Option<(usize, f64)> {
    let [(count, Grain::Hour)] = parts else { return None };
    let start = said.one_of(end, &[" and ", " "]).filter(|start| *start > end && count.fract() == 0.0)?;
    let digits =
        said.digits(start).filter(|(_, _, digits)| *digits == 2).map(|(end, value, _)| (end, value as f64));
    let (end, minutes) =
        digits.or_else(|| small(said, start)).filter(|(_, value)| (5.0..60.0).contains(value))?;
    (said.spaces(end) >= said.len()).then_some((end, minutes))
}

fn unit(said: &Said, at: usize) -> Option<(usize, (f64, Grain))> {
    whole(said, at, UNITS)
}

fn length(said: &Said, at: usize) -> Option<(usize, (f64, Grain))> {
    if let Some((end, unit)) = lead(
        said,
        at,
        &["all", "full", "whole", "all-", "full-", "whole-", "another", "the whole", "the entire"],
    )
    .and_then(|start| unit(said, skip(said, start, &["-"])))
    {
        return Some((end, unit));
    }
    let words = [
        fraction(said, at),
        lead(said, at, &["a", "an"])
            .and_then(|start| counted(said, said.spaces(start), 1.0))
            .filter(|(end, (_, grain))| *grain != Grain::Second || !is_noun(said, *end)),
        lead(said, at, &["some", "several"])
            .and_then(|start| unit(said, start))
            .map(|(end, (many, grain))| (end, (3.0 * many, grain))),
        cardinal(said, at).and_then(|(end, count)| counted(said, end, count)),
        number(said, at).and_then(|(end, count)| counted(said, end, count)),
        mixed(said, at),
    ];
    let (end, length) = words.into_iter().flatten().max_by_key(|(end, _)| *end)?;
    one_of(said, said.spaces(end), &["old"]).is_none().then_some((end, length))
}

/// Returns whether another noun goes on at `end`: a second wave is no length of time.
fn is_noun(said: &Said, end: usize) -> bool {
    let next = said.spaces(end);
    let after = [
        "later", "ago", "from", "or", "and", "before", "after", "please", "to", "in", "on", "at", "of", "if",
        "then", "for",
    ];
    said.at(next).is_alphabetic() && one_of(said, next, &after).is_none()
}

/// Reads the unit after a count; words that say that it is more or less may stand between.
fn counted(said: &Said, end: usize, count: f64) -> Option<(usize, (f64, Grain))> {
    let start = said.spaces(if said.at(end) == '-' { end + 1 } else { end });
    let more = ["more", "additional", "extra", "less", "fewer", "of", "whole", "full"];
    let start = skip(said, start, &more);
    let (end, (many, grain)) = unit(said, start)?;
    // One letter is a unit only where it is written with its digits.
    let letter =
        matches!(end - start, 1) && said.before(start) == ' ' && !matches!(said.at(start), 'h' | 's');
    (!letter && is_closed(said, end)).then_some((end, (count * many, grain)))
}

/// Reads `half an hour`, `a quarter of an hour`, `three-quarters of a year`.
fn fraction(said: &Said, at: usize) -> Option<(usize, (f64, Grain))> {
    let start = skip(said, at, &["a", "an"]);
    let (end, share) = part(said, at).or_else(|| part(said, start))?;
    let start = skip(said, said.spaces(if said.at(end) == '-' { end + 1 } else { end }), &["of"]);
    let start = skip(said, start, &["an", "a"]);
    let (end, (many, grain)) = unit(said, start)?;
    if grain == Grain::Hour && matches!(share, 0.25 | 0.75) {
        return Some((end, (share * 60.0, Grain::Minute)));
    }
    Some((end, (share * many, grain)))
}

/// Reads `one and a quarter of hour`, `two and three quarters of hours`.
fn mixed(said: &Said, at: usize) -> Option<(usize, (f64, Grain))> {
    let (end, count) = cardinal(said, at).filter(|(_, count)| count.fract() == 0.0)?;
    let start = lead(said, said.spaces(end), &["and"])?;
    let (end, share) = part(said, start)?;
    counted(said, end, count + share)
}
