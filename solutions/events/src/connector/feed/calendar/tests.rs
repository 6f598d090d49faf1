//! What calendars in the wild say, and what no calendar says.

use proptest::prelude::*;

use super::repeats::MOST_REPEATS;
use super::*;

fn calendar(events: &str) -> String {
    let text = format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//x//EN\n{events}END:VCALENDAR\n");
    text.replace('\n', "\r\n")
}

fn read_events(events: &str) -> ProgrammeFacts {
    read(&calendar(events), None).expect("is a calendar")
}

fn begins(programme: &ProgrammeFacts) -> Vec<String> {
    programme.slots.iter().map(|slot| slot.begins_at.to_string()).collect()
}

#[test]
fn an_event_is_a_slot_in_its_location_at_its_zones_time() {
    let programme = read_events(
        "BEGIN:VEVENT\nUID:talk-1@example.org\nDTSTAMP:20260101T000000Z\nDTSTART;TZID=Asia/Seoul:20260601T090000\n\
         DTEND;TZID=Asia/Seoul:20260601T100000\nSUMMARY:Opening\\, with a long line that is\n  folded\n\
         LOCATION:Hall A\nURL:https://example.org/1\nEND:VEVENT\n",
    );
    let slot = &programme.slots[0];
    assert_eq!((slot.id.as_str(), slot.room_id.as_deref()), ("talk-1@example.org", Some("Hall A")));
    assert_eq!(slot.title, "Opening, with a long line that is folded");
    assert_eq!(slot.begins_at.to_string(), "2026-06-01T00:00:00.000Z");
    assert_eq!(slot.ends_at.to_string(), "2026-06-01T01:00:00.000Z");
    assert_eq!(slot.time_zone.as_deref(), Some("Asia/Seoul"));
    assert_eq!(programme.rooms.len(), 1);
}

#[test]
fn a_repetition_keeps_its_hour_over_a_clock_change_and_leaves_out_what_is_left_out() {
    let programme = read_events(
        "BEGIN:VEVENT\nUID:w\nDTSTART;TZID=Europe/Berlin:20260320T180000\nDURATION:PT1H30M\n\
         RRULE:FREQ=WEEKLY;COUNT=4\nEXDATE;TZID=Europe/Berlin:20260327T180000\nSUMMARY:Meetup\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:w\nRECURRENCE-ID;TZID=Europe/Berlin:20260403T180000\n\
         DTSTART;TZID=Europe/Berlin:20260403T200000\nDTEND;TZID=Europe/Berlin:20260403T210000\n\
         SUMMARY:Meetup\\, later\nEND:VEVENT\n",
    );
    assert_eq!(
        begins(&programme),
        ["2026-03-20T17:00:00.000Z", "2026-04-03T18:00:00.000Z", "2026-04-10T16:00:00.000Z"]
    );
    assert_eq!(programme.slots[1].title, "Meetup, later");
}

#[test]
fn an_endless_rule_ends_and_a_whole_day_lasts_one() {
    let programme = read_events(
        "BEGIN:VEVENT\nUID:d\nDTSTART;VALUE=DATE:20260601\nRRULE:FREQ=DAILY\nSUMMARY:Open\nEND:VEVENT\n",
    );
    assert_eq!(programme.slots.len(), usize::from(MOST_REPEATS));
    let slot = &programme.slots[0];
    assert_eq!(slot.ends_at.since(slot.begins_at), Duration::from_secs(86_400));
}

#[test]
fn a_floating_time_is_in_the_calendars_zone_or_in_the_one_that_was_set() {
    let event = "X-WR-TIMEZONE:Asia/Tokyo\nBEGIN:VEVENT\nUID:f\nDTSTART:20260601T090000\nEND:VEVENT\n";
    assert_eq!(begins(&read_events(event)), ["2026-06-01T00:00:00.000Z"]);
    let set = read(&calendar(event), times::zone("Europe/London")).expect("is a calendar");
    assert_eq!(begins(&set), ["2026-06-01T08:00:00.000Z"]);
}

#[test]
fn a_zone_that_the_calendar_defines_itself_is_followed_and_a_rule_ends_at_its_instant() {
    let zone = "BEGIN:VTIMEZONE\nTZID:Here\nBEGIN:STANDARD\nDTSTART:20001029T030000\nTZOFFSETFROM:+0200\n\
                TZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nEND:STANDARD\nBEGIN:DAYLIGHT\n\
                DTSTART:20000326T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n\
                RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nEND:DAYLIGHT\nEND:VTIMEZONE\n";
    let event = "BEGIN:VEVENT\nUID:z\nDTSTART;TZID=Here:20260322T180000\nDURATION:PT1H\n\
                 RRULE:FREQ=WEEKLY;UNTIL=20260405T160000Z\nEND:VEVENT\n";
    let programme = read_events(&format!("{zone}{event}"));
    let wanted = ["2026-03-22T17:00:00.000Z", "2026-03-29T16:00:00.000Z", "2026-04-05T16:00:00.000Z"];
    assert_eq!(begins(&programme), wanted);
    assert_eq!(programme.slots[0].time_zone, None);
    let by_name = read_events(&event.replace("Here", "Europe/Berlin"));
    assert_eq!(begins(&by_name), wanted);
}

#[test]
fn what_is_wrong_is_named_with_its_event_and_property() {
    let fault = |events: &str| read(&calendar(events), None).expect_err("is wrong").message;
    let said = fault("BEGIN:VEVENT\nUID:a\nDTSTART:soon\nEND:VEVENT\n");
    assert!(said.contains("event a, DTSTART, is \"soon\", no time"), "{said}");
    let said = fault("BEGIN:VEVENT\nUID:a\nDTSTART;TZID=Mars/Base:20260601T090000\nEND:VEVENT\n");
    assert!(said.contains("\"Mars/Base\", which is no IANA name and not defined"), "{said}");
    let said = fault("BEGIN:VEVENT\nUID:a\nDTSTART:20260601T090000Z\nRRULE:FREQ=NEVER\nEND:VEVENT\n");
    assert!(said.contains("event a, RRULE, is no rule"), "{said}");
    assert!(read("<!doctype html>", None).expect_err("is wrong").message.contains("is no calendar"));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(BEGIN:VEVENT\r\n|DTSTART[:;A-Z0-9=]{0,20}\r\n|RRULE:FREQ=DAILY\r\n|.{0,30}\r\n){0,12}") {
        let _ = read(&format!("BEGIN:VCALENDAR\r\n{text}END:VCALENDAR\r\n"), None);
    }
}
