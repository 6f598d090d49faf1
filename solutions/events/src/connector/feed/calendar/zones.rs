//! The zones of a calendar's times: by their IANA name, or as the calendar defines them itself (`VTIMEZONE`).

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use icalendar::parser::{Component, Property};

use super::super::times::{self, Zone};
use super::{Time, local_time, parameter, shown};

/// A zone's own rule is followed for this many changes; with one a year that is long beyond any programme.
const MOST_CHANGES: u16 = 300;

/// The zones of one calendar.
pub struct Zones {
    own: BTreeMap<String, Zone>,
    floating: Tz,
}

impl Zones {
    /// Reads the zones that a calendar defines. Times without a zone are those of `floating`.
    pub fn of(components: &[Component<'_>], floating: Tz) -> Self {
        let defined = components.iter().filter(|component| component.name == "VTIMEZONE");
        let own = defined.filter_map(|definition| {
            let id = definition.find_prop("TZID")?.val.as_str().to_owned();
            let named = definition.find_prop("X-LIC-LOCATION");
            let zone = named.and_then(|name| times::zone(name.val.as_str())).map(Zone::Known);
            Some((id, zone.or_else(|| read_own(definition))?))
        });
        Self { own: own.collect(), floating }
    }

    /// Reads a property's time. Returns what is wrong with one that is none.
    pub fn time(&self, property: &Property<'_>) -> Result<Time, String> {
        self.time_of(property, property.val.as_str())
    }

    /// Reads one of a property's times.
    pub fn time_of(&self, property: &Property<'_>, text: &str) -> Result<Time, String> {
        let zone = match parameter(property, "TZID") {
            None => Zone::Known(self.floating),
            Some(name) => {
                let known = times::zone(name).map(Zone::Known);
                known.or_else(|| self.own.get(name.trim_matches('"')).cloned()).ok_or_else(|| {
                    format!("is in the time zone {:?}, which is no IANA name and not defined", shown(name))
                })?
            }
        };
        let text = text.trim();
        let (plain, zone) = match text.strip_suffix('Z') {
            Some(plain) => (plain, Zone::Known(Tz::UTC)),
            None => (text, zone),
        };
        let (local, whole_day) = local_time(plain).ok_or_else(|| format!("is {:?}, no time", shown(text)))?;
        Ok(Time { local, zone, whole_day })
    }
}

/// Reads since when which offset holds.
fn read_own(definition: &Component<'_>) -> Option<Zone> {
    let mut offsets = Vec::new();
    for part in &definition.components {
        let offset = times::offset(part.find_prop("TZOFFSETTO")?.val.as_str())?;
        let (since, _) = local_time(part.find_prop("DTSTART")?.val.as_str().trim_end_matches('Z'))?;
        offsets.push((since, offset));
        if let Some(rule) = part.find_prop("RRULE") {
            offsets.extend(changes(since, rule.val.as_str()).into_iter().map(|since| (since, offset)));
        }
    }
    offsets.sort_unstable();
    offsets.dedup();
    (!offsets.is_empty()).then(|| Zone::Own(Arc::new(offsets)))
}

/// Follows the rule of a clock change. A rule that is none changes nothing after its start.
fn changes(since: NaiveDateTime, rule: &str) -> Vec<NaiveDateTime> {
    let start = rrule::Tz::UTC.from_utc_datetime(&since);
    let parsed = rule.parse::<rrule::RRule<rrule::Unvalidated>>().ok();
    let Some(rule) = parsed.and_then(|rule| rule.validate(start).ok()) else { return Vec::new() };
    let found = rrule::RRuleSet::new(start).rrule(rule).limit().all(MOST_CHANGES).dates;
    found.iter().map(|at| at.naive_utc()).collect()
}
