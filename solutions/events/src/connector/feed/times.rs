//! Local times in a zone as instants, also where a clock change makes them doubtful.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use ieum_core::Timestamp;

/// A zone in which local times are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Zone {
    /// One of the IANA database.
    Known(Tz),
    /// One that a calendar defines itself (`VTIMEZONE`): since which local time which offset holds, seconds east of
    /// Greenwich, in order.
    Own(Arc<Vec<(NaiveDateTime, i32)>>),
}

impl Zone {
    /// Returns the instant of a local time. Of two the earlier is meant (RFC 5545 §3.3.5); one that a clock change
    /// leaves out is taken with the offset before the change, as there.
    pub fn instant(&self, local: NaiveDateTime) -> Option<Timestamp> {
        match self {
            Self::Known(zone) => {
                let found = zone.from_local_datetime(&local).earliest().or_else(|| {
                    let before = local.checked_sub_signed(TimeDelta::hours(3))?;
                    zone.from_local_datetime(&before).earliest()?.checked_add_signed(TimeDelta::hours(3))
                });
                found.map(|time| timestamp(&time.to_utc()))
            }
            Self::Own(offsets) => {
                let held = offsets.iter().rev().find(|(since, _)| *since <= local).or(offsets.first());
                let seconds = held.map_or(0, |(_, offset)| i64::from(*offset));
                let utc = local.checked_sub_signed(TimeDelta::seconds(seconds))?;
                Some(timestamp(&Utc.from_utc_datetime(&utc)))
            }
        }
    }

    /// Returns the zone's IANA name; `None` for UTC and for a calendar's own.
    pub fn name(&self) -> Option<String> {
        match self {
            Self::Known(zone) => Some(zone.name().to_owned()).filter(|_| *zone != Tz::UTC),
            Self::Own(_) => None,
        }
    }
}

/// Reads an IANA name, also behind a path as some calendars write it (`/citadel.org/…/Europe/Berlin`).
pub fn zone(name: &str) -> Option<Tz> {
    let name = name.trim().trim_matches('"');
    let mut rest = name;
    loop {
        if let Ok(zone) = rest.parse() {
            return Some(zone);
        }
        rest = rest.split_once('/')?.1;
    }
}

/// Reads an offset as calendars write it: `+0900`, `-023000`.
pub fn offset(text: &str) -> Option<i32> {
    let (sign, digits) = match text.trim().split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let number = |from: usize| digits.get(from..from + 2).and_then(|two| two.parse::<i32>().ok());
    let seconds = if digits.len() > 4 { number(4)? } else { 0 };
    let (hours, minutes) = (number(0)?, number(2)?);
    (hours < 24 && minutes < 60 && seconds < 60).then_some(sign * (hours * 3_600 + minutes * 60 + seconds))
}

/// Converts an instant.
pub fn timestamp(time: &DateTime<Utc>) -> Timestamp {
    Timestamp::from_micros(time.timestamp_micros())
}

/// Reads `HH:MM`, `HH:MM:SS` or `D:HH:MM:SS` as a span.
pub fn span(text: &str) -> Option<Duration> {
    let parts: Vec<u64> = text.trim().split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let (days, hours, minutes, seconds) = match *parts.as_slice() {
        [hours, minutes] => (0, hours, minutes, 0),
        [hours, minutes, seconds] => (0, hours, minutes, seconds),
        [days, hours, minutes, seconds] => (days, hours, minutes, seconds),
        _ => return None,
    };
    let fits = days <= 366 && hours <= 1_000 && minutes <= 10_000 && seconds <= 100_000;
    fits.then(|| Duration::from_secs(days * 86_400 + hours * 3_600 + minutes * 60 + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> NaiveDateTime {
        text.parse().expect("is a local time")
    }

    #[test]
    fn a_local_time_that_is_twice_is_the_first_and_one_that_never_was_is_read_on() {
        let berlin = Zone::Known(zone("Europe/Berlin").expect("is known"));
        let at = |text| berlin.instant(local(text)).expect("is a time").to_string();
        assert_eq!(at("2026-10-25T02:30:00"), "2026-10-25T00:30:00.000Z");
        assert_eq!(at("2026-03-29T02:30:00"), "2026-03-29T01:30:00.000Z");
        assert_eq!(at("2026-07-01T12:00:00"), "2026-07-01T10:00:00.000Z");
    }

    #[test]
    fn a_zone_is_found_behind_a_path_and_a_foreign_word_is_none() {
        assert_eq!(zone("/mozilla.org/20070129_1/Asia/Seoul"), Some(Tz::Asia__Seoul));
        assert_eq!(zone("W. Europe Standard Time"), None);
    }

    #[test]
    fn offsets_and_spans_are_read_and_nothing_endless() {
        assert_eq!(offset("+0900"), Some(32_400));
        assert_eq!(offset("-023015"), Some(-9_015));
        assert_eq!((offset("0900"), offset("+9"), offset("+99é")), (None, None, None));
        assert_eq!(span("00:45"), Some(Duration::from_secs(2_700)));
        assert_eq!(span("1:01:00:00"), Some(Duration::from_secs(90_000)));
        assert_eq!((span("99999999:00"), span("soon")), (None, None));
    }
}
