//! The lists of `[voice]`: when to speak up without being asked, and which satellites are called.

use ieum_core::parse_duration;
use ieum_device::is_device_id;
use ieum_voice::{ProactiveRule, time_of_day};
use toml::{Table, Value};
use url::Url;

use super::{Mistake, SatelliteSettings};

/// What an entry may hold.
const KNOWN: [&str; 6] = ["name", "event", "location", "quiet", "cool_down", "say"];

/// Reads the rules, adding a mistake for everything that is wrong.
pub fn rules(table: &Table, mistakes: &mut Vec<Mistake>) -> Vec<ProactiveRule> {
    let list = table.get("voice").and_then(|voice| voice.get("rules")).and_then(Value::as_array);
    let mut found: Vec<ProactiveRule> = Vec::new();
    for (at, entry) in list.into_iter().flatten().enumerate() {
        let key = format!("voice.rules[{at}]");
        let Some(read) = entry.as_table().and_then(|entry| rule(&key, entry, mistakes)) else { continue };
        if found.iter().any(|other| other.name == read.name) {
            let problem = format!(
                "{:?} is there already; give each rule a name of its own, for the cool-down is counted by it",
                read.name
            );
            mistakes.push(Mistake { key: format!("{key}.name"), problem });
        }
        found.push(read);
    }
    found
}

/// Reads `voice.satellites`, adding a mistake for everything that is wrong.
pub fn satellites(table: &Table, mistakes: &mut Vec<Mistake>) -> Vec<SatelliteSettings> {
    let list = table.get("voice").and_then(|voice| voice.get("satellites")).and_then(Value::as_array);
    let mut found: Vec<SatelliteSettings> = Vec::new();
    for (at, entry) in list.into_iter().flatten().enumerate() {
        let read = satellite(entry.as_str().unwrap_or_default()).map_err(str::to_owned).and_then(|satellite| {
            if found.iter().any(|known| known.device == satellite.device) {
                return Err("names a device that another one is already".to_owned());
            }
            match found.iter().find(|known| known.address == satellite.address) {
                Some(known) => Err(format!(
                    "is called by two devices, {:?} and {:?}: a satellite talks with one at a time; give each device \
                     the address of its own",
                    known.device, satellite.device
                )),
                None => Ok(satellite),
            }
        });
        match read {
            Ok(satellite) => found.push(satellite),
            Err(problem) => {
                let key = format!("voice.satellites[{at}]");
                mistakes.push(Mistake { key, problem: format!("{entry} {problem}") });
            }
        }
    }
    found
}

fn satellite(text: &str) -> Result<SatelliteSettings, &'static str> {
    const SHAPE: &str = "is no satellite such as \"tcp://192.168.1.20:10700?device=hall&language=ko\"";
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "tcp").ok_or(SHAPE)?;
    let (host, port) = url.host_str().filter(|host| !host.is_empty()).zip(url.port()).ok_or(SHAPE)?;
    // Names mean the same in capitals, which is not seen to where the scheme is none of the web's.
    let host = host.to_ascii_lowercase();
    let (mut device, mut language, mut area) = (None, None, None);
    for (name, value) in url.query_pairs() {
        match (&*name, &*value) {
            ("device", id) if is_device_id(id) => device = Some(id.to_owned()),
            ("device", _) => {
                return Err("names a device that is none: 1 to 60 letters, digits, '-', '_', '.' or ':'");
            }
            ("language", "ko" | "en") => language = Some(value.into_owned()),
            ("language", _) => return Err("names a language that is not spoken here; expected ko or en"),
            ("area", place) if is_name(place) => area = Some(place.to_owned()),
            ("area", _) => return Err("names an area that is none: 1 to 120 letters without / + #"),
            _ => return Err("has a parameter that is not known; expected device, language and area"),
        }
    }
    let device = device.ok_or("names no device; add ?device=NAME")?;
    Ok(SatelliteSettings { address: format!("{host}:{port}"), device, language, area })
}

/// Tells whether a place can be called so.
fn is_name(id: &str) -> bool {
    (1..=120).contains(&id.chars().count())
        && !id.contains(['/', '+', '#', '$'])
        && !id.contains(char::is_control)
}

fn rule(key: &str, entry: &Table, mistakes: &mut Vec<Mistake>) -> Option<ProactiveRule> {
    let before = mistakes.len();
    let mut wrong = |field: &str, problem: &str| {
        mistakes.push(Mistake { key: format!("{key}.{field}"), problem: problem.to_owned() });
    };
    for field in entry.keys().filter(|field| !KNOWN.contains(&field.as_str())) {
        wrong(field, "is no setting of a rule; there are name, event, location, quiet, cool_down, say");
    }
    let text = |field: &str| entry.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    for field in ["name", "event", "say"] {
        if text(field).is_none_or(|text| text.chars().count() > 120) {
            wrong(field, "must be text of 1 to 120 characters");
        }
    }
    let quiet = text("quiet").and_then(|text| text.split_once('-'));
    let quiet = quiet.and_then(|(from, until)| Some((time_of_day(from.trim())?, time_of_day(until.trim())?)));
    if entry.contains_key("quiet") && quiet.is_none() {
        wrong("quiet", "is no span of the day such as \"22:00-07:00\"");
    }
    let cool_down = parse_duration(text("cool_down").unwrap_or("1h"));
    if cool_down.is_err() {
        wrong("cool_down", "is no time such as \"1h\"");
    }
    let rule = ProactiveRule {
        name: text("name")?.to_owned(),
        event: text("event")?.to_owned(),
        location: text("location").map(str::to_owned),
        quiet,
        cool_down: cool_down.ok()?,
        say: text("say")?.to_owned(),
    };
    (mistakes.len() == before).then_some(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<ProactiveRule>, Vec<String>) {
        let mut mistakes = Vec::new();
        let rules = rules(&text.parse().expect("is TOML"), &mut mistakes);
        (rules, mistakes.into_iter().map(|mistake| mistake.key).collect())
    }

    #[test]
    fn a_rule_is_read_and_a_wrong_one_names_its_fields() {
        let (rules, mistakes) = read(
            "[[voice.rules]]\nname = \"welcome\"\nevent = \"motion_detected\"\nquiet = \"22:00-07:00\"\nsay = \"안녕\"",
        );
        assert_eq!((rules.len(), mistakes.len()), (1, 0));
        let (rules, mistakes) =
            read("[[voice.rules]]\nname = \"x\"\nevent = \"\"\nquiet = \"night\"\nloud = 1\nsay = \"y\"");
        assert_eq!(rules.len(), 0);
        assert_eq!(mistakes, ["voice.rules[0].loud", "voice.rules[0].event", "voice.rules[0].quiet"]);
    }

    #[test]
    fn two_rules_of_one_name_are_refused_for_they_would_share_a_cool_down() {
        let rule = |name| {
            format!("[[voice.rules]]\nname = \"{name}\"\nevent = \"motion_detected\"\nsay = \"안녕\"\n")
        };
        let (_, mistakes) = read(&format!("{}{}{}", rule("welcome"), rule("late"), rule("welcome")));
        assert_eq!(mistakes, ["voice.rules[2].name"]);
        let (rules, mistakes) = read(&format!("{}{}", rule("welcome"), rule("late")));
        assert_eq!((rules.len(), mistakes.len()), (2, 0));
    }

    #[test]
    fn a_satellite_is_a_url_with_its_device_and_a_wrong_one_says_what_is_missing() {
        let read = |list: &str| {
            let mut mistakes = Vec::new();
            let table = format!("[voice]\nsatellites = [{list}]").parse().expect("is TOML");
            let found = satellites(&table, &mut mistakes);
            (found, mistakes.into_iter().map(|mistake| mistake.problem).collect::<Vec<_>>())
        };
        let (found, mistakes) =
            read("\"tcp://[::1]:10700?device=hall&language=ko\", \"tcp://a:1?device=bath\"");
        assert_eq!((found.len(), mistakes.len()), (2, 0), "{mistakes:?}");
        assert_eq!((found[0].address.as_str(), found[0].language.as_deref()), ("[::1]:10700", Some("ko")));
        for (wrong, part) in [
            ("tcp://a:1", "names no device"),
            ("tcp://a?device=x", "is no satellite such as"),
            ("http://a:1?device=x", "is no satellite such as"),
            ("tcp://a:1?device=a/b", "names a device that is none"),
            ("tcp://a:1?device=a b", "names a device that is none"),
            ("tcp://a:1?device=", "names a device that is none"),
            ("tcp://a:1?device=x&language=fr", "expected ko or en"),
            ("tcp://a:1?device=x&loud=1", "a parameter that is not known"),
        ] {
            let (_, mistakes) = read(&format!("{wrong:?}"));
            assert!(mistakes.len() == 1 && mistakes[0].contains(part), "{wrong}: {mistakes:?}");
        }
        let (_, mistakes) = read("\"tcp://a:1?device=x\", \"tcp://b:1?device=x\"");
        assert!(mistakes[0].contains("another one is already"), "{mistakes:?}");
        for (one, other) in [("hall:1", "hall:1"), ("hall:1", "HALL:1"), ("[::1]:1", "[0:0:0:0:0:0:0:1]:1")] {
            let (found, mistakes) = read(&format!("\"tcp://{one}?device=x\", \"tcp://{other}?device=y\""));
            assert_eq!((found.len(), mistakes.len()), (1, 1), "{one} {other}");
            assert!(mistakes[0].contains("is called by two devices, \"x\" and \"y\""), "{mistakes:?}");
        }
        let (found, _) = read("\"tcp://a:1?device=x\", \"tcp://a:2?device=y\"");
        assert_eq!(found.len(), 2, "two at one host have two ports");
    }
}
