//! How old is what is told of the weather: said once where it is all of one age, else of each part that is old.

use std::collections::BTreeSet;
use std::time::Duration;

use ieum_core::Timestamp;

use super::FRESH;
use super::api::{Part, Report};
use crate::tongue::{Tongue, duration, with};

/// Says how old is what was told of these parts; nothing where it is all fresh.
pub fn age(tongue: Tongue, report: &Report, told: &BTreeSet<Part>, now: Timestamp) -> Option<String> {
    let known = |part: &Part| report.known_at(*part).map(|at| now.since(at));
    // By how it is said, in the order in which it is told.
    let mut old: Vec<(String, Vec<&str>)> = Vec::new();
    for part in told {
        let Some(age) = known(part).filter(|age| *age >= FRESH) else { continue };
        let (said, name) = (ago(tongue, age), part.name(tongue));
        match old.iter_mut().find(|(other, _)| *other == said) {
            Some((_, names)) => names.push(name),
            None => old.push((said, vec![name])),
        }
    }
    let all_away = !Part::ALL.iter().filter_map(known).any(|age| age < FRESH);
    let sentences: Vec<String> = match old.as_slice() {
        [] => return None,
        [(said, _)] if all_away => vec![tongue.pick(
            format!("지금은 날씨 서비스에 연결되지 않아서 {said} 전에 알던 내용이에요."),
            format!("The weather service does not answer; this was known {said} ago."),
        )],
        old => old.iter().map(|(said, names)| of_parts(tongue, names, said)).collect(),
    };
    Some(sentences.join(" "))
}

fn of_parts(tongue: Tongue, names: &[&str], said: &str) -> String {
    match tongue {
        Tongue::Korean => {
            let join = |list: String, name: String| format!("{} {name}", with(&list, "과", "와"));
            let list = names.iter().map(|name| (*name).to_owned()).reduce(join).unwrap_or_default();
            format!("{} 지금 받지 못해서 {said} 전에 알던 내용이에요.", with(&list, "은", "는"))
        }
        Tongue::English => {
            format!("I cannot get {} right now; that was known {said} ago.", names.join(" and "))
        }
    }
}

/// Says an age in minutes, from an hour on in hours, from two days on in days.
fn ago(tongue: Tongue, age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    match minutes / 60 {
        0 => duration(tongue, minutes * 60),
        hours @ 1..48 => duration(tongue, hours * 3_600),
        hours => tongue.pick(format!("{}일", hours / 24), format!("{} days", hours / 24)),
    }
}

// === Part ===

impl Part {
    fn name(self, tongue: Tongue) -> &'static str {
        match self {
            Self::Current => tongue.pick("현재 날씨", "the current weather"),
            Self::Forecast => tongue.pick("예보", "the forecast"),
            Self::Air => tongue.pick("공기 정보", "the air"),
        }
    }
}
