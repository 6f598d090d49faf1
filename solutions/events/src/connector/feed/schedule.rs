//! The schedule XML of Pentabarf, frab, pretalx and c3voc: days, rooms, events
//! (<https://c3voc.de/schedule/schema.xsd>).

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use ieum_core::{Fault, Timestamp};
use quick_xml::Reader as XmlReader;
use quick_xml::events::{BytesStart, Event};

use super::times::Zone;
use super::{MOST_SLOTS, times};
use crate::programme::facts::{ProgrammeFacts, RoomFact, SlotFact, bounded_id, bounded_text};
use crate::rules::garbage;

/// The longest text of one element that is kept, bytes.
const LONGEST_TEXT: usize = 64 * 1024;

/// Events that begin before this hour belong to the night after the day under which they stand.
const DAY_CHANGE: u32 = 6;

/// Reads a schedule. Times without an offset are those of `fallback`, or else of the schedule's own zone, or else
/// UTC. Fails with `events.source.garbage`, naming the event and the element.
pub fn read(text: &str, fallback: Option<Tz>) -> Result<ProgrammeFacts, Fault> {
    let mut xml = XmlReader::from_str(text);
    let mut reader = Reader { fallback, ..Reader::default() };
    loop {
        let place = xml.buffer_position();
        let event = xml
            .read_event()
            .map_err(|_| garbage("the document", &format!("is no XML from byte {place} on")))?;
        match event {
            Event::Start(start) => reader.open(&start)?,
            Event::Empty(start) => {
                reader.open(&start)?;
                reader.close()?;
            }
            Event::End(_) => reader.close()?,
            Event::Text(text) => reader.add(&text.xml10_content()),
            Event::CData(text) => reader.add(&text.xml10_content()),
            // Only what XML itself defines: a document's own entities could grow without end.
            Event::GeneralRef(name) => {
                let letter = match name.resolve_char_ref() {
                    Ok(Some(letter)) => Some(letter.to_string()),
                    _ => predefined(&name.xml10_content()).map(str::to_owned),
                };
                reader.add(&letter.unwrap_or_default());
            }
            Event::Eof => return reader.finish(),
            _ => {}
        }
    }
}

fn predefined(name: &str) -> Option<&'static str> {
    quick_xml::escape::resolve_predefined_entity(name)
}

#[derive(Default)]
struct Reader {
    fallback: Option<Tz>,
    own_zone: Option<Tz>,
    /// The names of the elements that are open.
    path: Vec<String>,
    text: String,
    day: Option<NaiveDate>,
    room: Option<RoomFact>,
    event: Option<BTreeMap<String, String>>,
    rooms: Vec<RoomFact>,
    slots: BTreeMap<String, SlotFact>,
    seen_schedule: bool,
}

impl Reader {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), Fault> {
        let name = start.local_name().into_inner().to_owned();
        let attribute = |wanted: &str| -> Option<String> {
            let found =
                start.attributes().filter_map(Result::ok).find(|found| found.key.as_ref() == wanted)?;
            quick_xml::escape::unescape(&found.value).ok().map(|text| text.into_owned())
        };
        match (self.path.len(), name.as_str()) {
            (0, "schedule") => self.seen_schedule = true,
            (0, _) => return Err(garbage("the document", "does not begin with <schedule>")),
            (_, "day") => {
                self.day = attribute("date").and_then(|text| text.get(..10)?.parse().ok());
            }
            (_, "room") if self.event.is_none() => {
                let name = bounded_text(&attribute("name").unwrap_or_default(), 200);
                let id = attribute("guid").filter(|guid| !guid.is_empty()).unwrap_or_else(|| name.clone());
                let capacity = attribute("capacity").and_then(|text| text.parse().ok());
                let room = RoomFact { id: bounded_id(&id), name, capacity };
                if !self.rooms.iter().any(|known| known.id == room.id) {
                    self.rooms.push(room.clone());
                }
                self.room = Some(room);
            }
            (_, "event") if self.event.is_none() => {
                let ids = ["guid", "id"].into_iter().filter_map(|name| Some((name, attribute(name)?)));
                self.event = Some(ids.map(|(name, value)| (format!("@{name}"), value)).collect());
            }
            _ => {}
        }
        self.path.push(name);
        if self.path.len() > 64 {
            return Err(garbage("the document", "nests deeper than 64 elements"));
        }
        self.text.clear();
        Ok(())
    }

    fn add(&mut self, text: &str) {
        if self.text.len() + text.len() <= LONGEST_TEXT {
            self.text.push_str(text);
        }
    }

    fn close(&mut self) -> Result<(), Fault> {
        let Some(name) = self.path.pop() else { return Ok(()) };
        let text = std::mem::take(&mut self.text);
        let outer = self.path.last().map(String::as_str);
        match (name.as_str(), outer, self.event.as_mut()) {
            ("event", _, Some(_)) => {
                let event = self.event.take().unwrap_or_default();
                self.take(&event)?;
            }
            (_, Some("event"), Some(event)) => {
                event.insert(name, text);
            }
            ("time_zone_name", _, None) => self.own_zone = times::zone(&text),
            ("room", _, None) => self.room = None,
            ("day", _, None) => self.day = None,
            _ => {}
        }
        Ok(())
    }

    fn take(&mut self, event: &BTreeMap<String, String>) -> Result<(), Fault> {
        let text = |name: &str| event.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
        let id = text("@guid").or_else(|| text("@id"));
        let id = id.ok_or_else(|| garbage("an event", "has neither guid nor id"))?;
        let shown: String = id.chars().take(60).collect();
        let wrong = |name: &str, problem: &str| garbage(&format!("event {shown}, {name},"), problem);
        let begins_at = self
            .begin(text("date"), text("start"))
            .ok_or_else(|| wrong("date", "is missing or no time, and start is no time of a day"))?;
        let length = match text("duration") {
            Some(span) => times::span(span).ok_or_else(|| wrong("duration", "is not hours:minutes"))?,
            None => Duration::ZERO,
        };
        let room_id = self.room.as_ref().map(|room| room.id.clone());
        let slot = SlotFact {
            id: bounded_id(id),
            room_id,
            title: bounded_text(text("title").unwrap_or_default(), 500),
            begins_at,
            ends_at: begins_at + length,
            time_zone: self.zone().map(|zone| zone.name().to_owned()),
            url: text("url").map(|url| bounded_text(url, 1_000)),
            cancelled: text("status").is_some_and(|status| status.starts_with("cancel")),
        };
        self.slots.insert(slot.id.clone(), slot);
        if self.slots.len() > MOST_SLOTS {
            return Err(garbage("the document", &format!("holds more than {MOST_SLOTS} events")));
        }
        Ok(())
    }

    /// An event's own date tells all; older schedules tell the day around it and the hour within.
    fn begin(&self, date: Option<&str>, start: Option<&str>) -> Option<Timestamp> {
        if let Some(date) = date
            && let Ok(time) = DateTime::parse_from_rfc3339(date)
        {
            return Some(times::timestamp(&time.to_utc()));
        }
        let start = start?;
        let hour = NaiveTime::parse_from_str(start, "%H:%M")
            .or_else(|_| NaiveTime::parse_from_str(start, "%H:%M:%S"));
        let hour = hour.ok()?;
        let night = chrono::Timelike::hour(&hour) < DAY_CHANGE;
        let day = self.day?.checked_add_days(Days::new(u64::from(night)))?;
        Zone::Known(self.zone().unwrap_or(Tz::UTC)).instant(day.and_time(hour))
    }

    fn zone(&self) -> Option<Tz> {
        self.fallback.or(self.own_zone)
    }

    fn finish(self) -> Result<ProgrammeFacts, Fault> {
        if !self.seen_schedule || !self.path.is_empty() {
            return Err(garbage("the document", "is no whole <schedule>"));
        }
        Ok(ProgrammeFacts { rooms: self.rooms, slots: self.slots.into_values().collect() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FRAB: &str = r#"<?xml version="1.0"?><schedule><version>1</version><conference><title>Congress</title>
        <time_zone_name>Europe/Berlin</time_zone_name></conference>
        <day index="1" date="2026-12-27"><room name="Saal &amp; 1" guid="r-1">
        <event id="7" guid="e-7"><date>2026-12-27T11:00:00+01:00</date><start>11:00</start>
        <duration>00:45</duration><room>Saal &amp; 1</room><title>Opening &#x26; <![CDATA[<more>]]></title>
        <persons><person id="1">A. Speaker</person></persons></event></room><room name="Attic"/></day></schedule>"#;

    #[test]
    fn a_frab_schedule_is_read_with_rooms_and_offsets() {
        let programme = read(FRAB, None).expect("is a schedule");
        let names: Vec<_> = programme.rooms.iter().map(|room| room.name.as_str()).collect();
        assert_eq!(names, ["Saal & 1", "Attic"]);
        let slot = &programme.slots[0];
        assert_eq!((slot.id.as_str(), slot.room_id.as_deref()), ("e-7", Some("r-1")));
        assert_eq!(slot.title, "Opening & <more>");
        assert_eq!(slot.begins_at.to_string(), "2026-12-27T10:00:00.000Z");
        assert_eq!(slot.ends_at.since(slot.begins_at), Duration::from_secs(2_700));
        assert_eq!(slot.time_zone.as_deref(), Some("Europe/Berlin"));
    }

    #[test]
    fn an_old_pentabarf_schedule_has_days_and_its_night_belongs_to_the_next() {
        let text = r#"<schedule><day date="2010-08-21" index="1"><room name="HS1">
            <event id="1"><start>22:30</start><duration>01:00</duration><title>Late</title></event>
            <event id="2"><start>00:30</start><duration>01:00</duration><title>Later</title></event>
            </room></day></schedule>"#;
        let programme = read(text, times::zone("Europe/Berlin")).expect("is a schedule");
        let begins: Vec<_> = programme.slots.iter().map(|slot| slot.begins_at.to_string()).collect();
        assert_eq!(begins, ["2010-08-21T20:30:00.000Z", "2010-08-21T22:30:00.000Z"]);
    }

    #[test]
    fn what_is_wrong_is_named_and_half_a_document_is_none() {
        let said = |text: &str| read(text, None).expect_err("is wrong").message;
        assert!(said(&FRAB[..FRAB.len() - 30]).contains("the document"), "{}", said(&FRAB[..300]));
        assert!(said("<html/>").contains("does not begin with <schedule>"));
        let broken = FRAB.replace("00:45", "long");
        assert!(said(&broken).contains("event e-7, duration,"), "{}", said(&broken));
        let dateless = FRAB.replace("<date>2026-12-27T11:00:00+01:00</date>", "").replace("11:00", "x");
        assert!(said(&dateless).contains("event e-7, date,"), "{}", said(&dateless));
    }

    #[test]
    fn a_documents_own_entities_stay_unread() {
        let bomb = r#"<!DOCTYPE schedule [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]><schedule><day date="2026-01-01">
            <room name="x"><event id="1"><date>2026-01-01T00:00:00Z</date><title>&b;</title></event></room></day></schedule>"#;
        assert_eq!(read(bomb, None).expect("is a schedule").slots[0].title, "");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(cut in 0_usize..600, noise in ".{0,20}") {
            let cut = (0..=cut.min(FRAB.len())).rev().find(|at| FRAB.is_char_boundary(*at)).unwrap_or(0);
            let _ = read(&format!("{}{noise}{}", &FRAB[..cut], &FRAB[cut..]), None);
        }
    }
}
