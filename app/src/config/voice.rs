//! `[[voice.rules]]`: when to speak up without being asked.

use ieum_core::parse_duration;
use ieum_voice::{ProactiveRule, time_of_day};
use toml::{Table, Value};

use super::Mistake;

/// What an entry may hold.
const KNOWN: [&str; 6] = ["name", "event", "location", "quiet", "cool_down", "say"];

/// Reads the rules, adding a mistake for everything that is wrong.
pub fn rules(table: &Table, mistakes: &mut Vec<Mistake>) -> Vec<ProactiveRule> {
    let list = table.get("voice").and_then(|voice| voice.get("rules")).and_then(Value::as_array);
    let entries = list.into_iter().flatten().enumerate();
    entries
        .filter_map(|(at, entry)| rule(&format!("voice.rules[{at}]"), entry.as_table()?, mistakes))
        .collect()
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
}
