//! iCalendar (RFC 5545): each event is a slot, each location a room, each repetition a slot of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use icalendar::parser::{Component, Property, read_calendar, unfold};
use ieum_core::{Fault, Timestamp};

use self::repeats::repeats;
use self::zones::Zones;
use super::times::Zone;
use super::{MOST_SLOTS, times};
use crate::programme::facts::{ProgrammeFacts, RoomFact, SlotFact, bounded_id, bounded_text};
use crate::rules::garbage;

mod repeats;
#[cfg(test)]
mod tests;
mod zones;

/// A time as a property tells it.
#[derive(Clone, Debug)]
struct Time {
    local: NaiveDateTime,
    zone: Zone,
    whole_day: bool,
}

/// Reads a calendar. Times without a zone are those of `fallback`, or else of the calendar (`X-WR-TIMEZONE`),
/// or else UTC. Fails with `events.source.garbage`, naming the event and the property.
pub fn read(text: &str, fallback: Option<Tz>) -> Result<ProgrammeFacts, Fault> {
    let unfolded = unfold(text);
    let calendar = read_calendar(&unfolded).map_err(|_| garbage("the document", "is no calendar"))?;
    let own = calendar.properties.iter().find(|property| property.name == "X-WR-TIMEZONE");
    let floating = fallback.or_else(|| times::zone(own?.val.as_str())).unwrap_or(Tz::UTC);
    let zones = Zones::of(&calendar.components, floating);
    let mut reader = Reader { zones, rooms: BTreeMap::new(), slots: BTreeMap::new() };
    let events = calendar.components.iter().filter(|component| component.name == "VEVENT");
    // An event with RECURRENCE-ID replaces one repetition of the event with its UID, wherever it stands.
    let (overrides, masters): (Vec<&Component<'_>>, Vec<_>) =
        events.partition(|event| event.find_prop("RECURRENCE-ID").is_some());
    for event in masters.into_iter().chain(overrides) {
        reader.take(event)?;
    }
    Ok(reader.finish())
}

struct Reader {
    zones: Zones,
    rooms: BTreeMap<String, RoomFact>,
    slots: BTreeMap<String, SlotFact>,
}

impl Reader {
    fn take(&mut self, event: &Component<'_>) -> Result<(), Fault> {
        let text = |name: &str| event.find_prop(name).map(|property| unescape(property.val.as_str()));
        let uid = text("UID").filter(|uid| !uid.is_empty());
        let shown: String = uid.as_deref().unwrap_or("without UID").chars().take(60).collect();
        let wrong = |name: &str, problem: &str| garbage(&format!("event {shown}, {name},"), problem);
        let start = event.find_prop("DTSTART").ok_or_else(|| wrong("DTSTART", "is missing"))?;
        let begin = self.zones.time(start).map_err(|problem| wrong("DTSTART", &problem))?;
        let begins_at = begin.instant().ok_or_else(|| wrong("DTSTART", "is no time"))?;
        let length = self.length(event, &begin).map_err(|(name, problem)| wrong(name, &problem))?;
        let room = text("LOCATION").map(|name| bounded_text(&name, 200)).filter(|name| !name.is_empty());
        let title = bounded_text(&text("SUMMARY").unwrap_or_default(), 500);
        let uid = uid.unwrap_or_else(|| format!("{title}@{begins_at}"));
        let model = SlotFact {
            id: String::new(),
            room_id: room.as_deref().map(bounded_id),
            title,
            begins_at,
            ends_at: begins_at + length,
            time_zone: begin.zone.name(),
            url: text("URL").map(|url| bounded_text(&url, 1_000)).filter(|url| !url.is_empty()),
            cancelled: text("STATUS").is_some_and(|status| status.eq_ignore_ascii_case("CANCELLED")),
        };
        if let Some(name) = room {
            let room = RoomFact { id: bounded_id(&name), name, capacity: None };
            self.rooms.entry(room.id.clone()).or_insert(room);
        }
        let starts = if let Some(replaced) = event.find_prop("RECURRENCE-ID") {
            let replaced = self.zones.time(replaced).map_err(|problem| wrong("RECURRENCE-ID", &problem))?;
            let replaced = replaced.instant().ok_or_else(|| wrong("RECURRENCE-ID", "is no time"))?;
            vec![(format!("{uid}@{replaced}"), begins_at)]
        } else if event.find_prop("RRULE").is_some() || event.find_prop("RDATE").is_some() {
            let starts: BTreeSet<Timestamp> =
                repeats(event, &begin, &self.zones).map_err(|problem| wrong("RRULE", &problem))?;
            starts.into_iter().map(|at| (format!("{uid}@{at}"), at)).collect()
        } else {
            vec![(uid, begins_at)]
        };
        for (id, begins_at) in starts {
            let slot =
                SlotFact { id: bounded_id(&id), begins_at, ends_at: begins_at + length, ..model.clone() };
            self.slots.insert(slot.id.clone(), slot);
        }
        if self.slots.len() > MOST_SLOTS {
            return Err(garbage("the document", &format!("holds more than {MOST_SLOTS} slots")));
        }
        Ok(())
    }

    fn length(&self, event: &Component<'_>, begin: &Time) -> Result<Duration, (&'static str, String)> {
        if let Some(end) = event.find_prop("DTEND") {
            let end = self.zones.time(end).map_err(|problem| ("DTEND", problem))?;
            let (begins_at, ends_at) = begin.instant().zip(end.instant()).unwrap_or_default();
            return Ok(ends_at.since(begins_at));
        }
        if let Some(duration) = event.find_prop("DURATION") {
            let text = duration.val.as_str();
            return duration_of(text)
                .ok_or_else(|| ("DURATION", format!("is {:?}, no duration", shown(text))));
        }
        Ok(if begin.whole_day { Duration::from_secs(86_400) } else { Duration::ZERO })
    }

    fn finish(self) -> ProgrammeFacts {
        ProgrammeFacts {
            rooms: self.rooms.into_values().collect(),
            slots: self.slots.into_values().collect(),
        }
    }
}

impl Time {
    fn instant(&self) -> Option<Timestamp> {
        self.zone.instant(self.local)
    }
}

/// Reads a date or a local time; returns whether it is a whole day.
fn local_time(text: &str) -> Option<(NaiveDateTime, bool)> {
    if text.len() == 8 {
        let date = NaiveDate::parse_from_str(text, "%Y%m%d").ok()?;
        return Some((date.and_hms_opt(0, 0, 0)?, true));
    }
    Some((NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok()?, false))
}

/// Reads `P1W`, `P1DT2H30M` and the like (RFC 5545 §3.3.6).
fn duration_of(text: &str) -> Option<Duration> {
    let rest = text.trim().trim_start_matches('+').strip_prefix('P')?;
    let (mut seconds, mut number, mut seen) = (0_u64, String::new(), false);
    for letter in rest.chars() {
        let factor = match letter {
            '0'..='9' => {
                number.push(letter);
                continue;
            }
            'T' if number.is_empty() => continue,
            'W' => 604_800,
            'D' => 86_400,
            'H' => 3_600,
            'M' => 60,
            'S' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.parse::<u32>().ok().map(u64::from)?.checked_mul(factor)?)?;
        (number, seen) = (String::new(), true);
    }
    (seen && number.is_empty() && seconds <= 366 * 86_400).then(|| Duration::from_secs(seconds))
}

/// Takes the escapes of a TEXT value out (RFC 5545 §3.3.11).
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('n' | 'N') => out.push('\n'),
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

/// Returns the part of a text that an error shows.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

fn parameter<'a>(property: &'a Property<'_>, name: &str) -> Option<&'a str> {
    let found = property.params.iter().find(|parameter| parameter.key == name)?;
    found.val.as_ref().map(|value| value.as_str())
}
