//! When an event repeats: rules, single dates, and what is left out (RFC 5545 §3.8.5).

use std::collections::BTreeSet;

use chrono::{NaiveDateTime, TimeZone};
use icalendar::parser::{Component, Property};
use ieum_core::Timestamp;

use super::zones::Zones;
use super::{Time, local_time, shown};

/// The most repetitions of one event that are read; an endless rule ends there.
pub const MOST_REPEATS: u16 = 500;

/// Returns when an event takes place, its own time included, what is left out left out. An event at six keeps
/// beginning at six whatever the clock does, so that rules are followed in local time.
pub fn repeats(event: &Component<'_>, begin: &Time, zones: &Zones) -> Result<BTreeSet<Timestamp>, String> {
    let mut found = BTreeSet::new();
    let instant = |local: NaiveDateTime| begin.zone.instant(local);
    let named = |name: &'static str| event.properties.iter().filter(move |property| property.name == name);
    for rule in named("RRULE") {
        let (rule, until) = part(rule.val.as_str());
        let until = until.map(|text| read_until(text, begin)).transpose()?;
        let starts = follow(&rule, begin.local)?;
        found.extend(
            starts.into_iter().filter_map(instant).filter(|at| until.is_none_or(|until| *at <= until)),
        );
    }
    // The event's own time counts beside rules and dates.
    found.extend(begin.instant());
    for dates in named("RDATE") {
        found.extend(each(dates, zones)?);
    }
    for dates in named("EXDATE") {
        for left_out in each(dates, zones)? {
            found.remove(&left_out);
        }
    }
    Ok(found)
}

fn each(property: &Property<'_>, zones: &Zones) -> Result<Vec<Timestamp>, String> {
    let parts = property.val.as_str().split(',').filter(|part| !part.trim().is_empty());
    // Of a period (RFC 5545 §3.3.9) the beginning counts.
    let times = parts.map(|part| zones.time_of(property, part.split('/').next().unwrap_or(part)));
    times.map(|time| time.map(|time| time.instant())).filter_map(Result::transpose).collect()
}

/// Takes UNTIL out of a rule: it is an instant, and the rule is followed in local time.
fn part(rule: &str) -> (String, Option<&str>) {
    let is_until = |part: &&str| part.len() > 6 && part[..6].eq_ignore_ascii_case("UNTIL=");
    let until = rule.split(';').filter(|part| part.is_ascii()).find(is_until).map(|part| &part[6..]);
    let rest: Vec<&str> = rule.split(';').filter(|part| !part.is_ascii() || !is_until(part)).collect();
    (rest.join(";"), until)
}

fn read_until(text: &str, begin: &Time) -> Result<Timestamp, String> {
    let wrong = || format!("ends at {:?}, no time", shown(text));
    let (local, whole_day) = local_time(text.trim().trim_end_matches('Z')).ok_or_else(wrong)?;
    if text.trim().ends_with('Z') {
        return Ok(super::times::timestamp(&chrono::Utc.from_utc_datetime(&local)));
    }
    let last = if whole_day { local.date().and_hms_opt(23, 59, 59).unwrap_or(local) } else { local };
    begin.zone.instant(last).ok_or_else(wrong)
}

fn follow(rule: &str, start: NaiveDateTime) -> Result<Vec<NaiveDateTime>, String> {
    let start = rrule::Tz::UTC.from_utc_datetime(&start);
    let wrong = |error: rrule::RRuleError| format!("is no rule: {}", shown(&error.to_string()));
    let rule: rrule::RRule<rrule::Unvalidated> = rule.parse().map_err(wrong)?;
    let set = rrule::RRuleSet::new(start).rrule(rule.validate(start).map_err(wrong)?);
    Ok(set.limit().all(MOST_REPEATS).dates.iter().map(|at| at.naive_utc()).collect())
}
