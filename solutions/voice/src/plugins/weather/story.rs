//! The weather in sentences.

use std::collections::BTreeSet;

use ieum_core::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::api::{Components, Part, Report, Sky, Step};
use super::grades::Grade;
use crate::tongue::{Tongue, date, with};
use crate::zone::here;

/// What is told, and what of a report that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub text: String,
    pub of: BTreeSet<Part>,
}

// === Told ===

impl FromIterator<Told> for Told {
    fn from_iter<Stories: IntoIterator<Item = Self>>(stories: Stories) -> Self {
        let (texts, of): (Vec<String>, Vec<_>) = stories.into_iter().map(|told| (told.text, told.of)).unzip();
        Self { text: texts.join(" "), of: of.into_iter().flatten().collect() }
    }
}

// === Stories ===

/// Tells a day's weather; for today what it is now too. `aspect` is what was asked for: `rain`, `snow`.
pub fn now_and_then(
    tongue: Tongue,
    report: &Report,
    zone: &TimeZone,
    today: Date,
    wanted: Date,
    aspect: Option<&str>,
) -> Told {
    let place = tongue.pick(&report.name_ko, &report.name_en);
    let day = day_name(tongue, today, wanted);
    if wanted < today {
        let text = tongue.pick(
            format!("{day} 날씨는 지나서 알 수 없어요."),
            "That day is over; I only know the weather ahead.".to_owned(),
        );
        return Told { text, of: BTreeSet::new() };
    }
    let steps = steps(report, zone, wanted);
    let (mut parts, mut of) = (Vec::new(), BTreeSet::new());
    if let Some(aspect) = aspect {
        parts.extend(falls(tongue, &steps, aspect, &day));
    }
    if wanted == today
        && let Some(current) = &report.current
    {
        of.insert(Part::Current);
        let sky = sky(tongue, &current.said.weather);
        let temperature = degrees(tongue, current.said.main.temp);
        parts.push(tongue.pick(
            format!("{place} 지금 날씨는 {sky}, 기온은 {temperature}예요."),
            format!("Right now it is {temperature} and {sky} in {place}."),
        ));
    }
    if let Some(outlook) = outlook(tongue, &steps, place, &day, aspect.is_some()) {
        of.insert(Part::Forecast);
        parts.push(outlook);
    }
    if wanted == today
        && let Some(air) = &report.air
    {
        of.insert(Part::Air);
        parts.push(dust(tongue, &air.said));
    }
    if parts.is_empty() {
        parts.push(tongue.pick(
            format!("{place}의 {day} 날씨는 아직 알 수 없어요."),
            format!("I do not know the weather in {place} for {day} yet."),
        ));
    }
    Told { text: parts.join(" "), of }
}

/// Tells the air: `pm10`, `pm25`, `ozone`, or all of it.
pub fn air(tongue: Tongue, report: &Report, what: &str) -> Told {
    let place = tongue.pick(&report.name_ko, &report.name_en);
    let Some(air) = &report.air else {
        let text = tongue.pick(
            format!("{place}의 공기는 지금 알 수 없어요."),
            format!("I cannot tell the air in {place} right now."),
        );
        return Told { text, of: BTreeSet::new() };
    };
    let components = &air.said;
    let one = |name: &str, grade: Grade, value: f64| {
        let (value, grade) = (value.round(), grade.name(tongue));
        tongue.pick(
            format!("{place} {} {value}마이크로그램으로 {grade}이에요.", with(name, "은", "는")),
            format!("{name} in {place} is {grade}, at {value} micrograms."),
        )
    };
    let text = match what {
        "pm10" => one(tongue.pick("미세먼지", "Fine dust"), Grade::of_pm10(components.pm10), components.pm10),
        "pm25" => {
            one(tongue.pick("초미세먼지", "PM 2.5"), Grade::of_pm25(components.pm2_5), components.pm2_5)
        }
        "ozone" => one(tongue.pick("오존", "Ozone"), Grade::of_ozone(components.o3), components.o3),
        _ => format!("{place}: {}", dust(tongue, components)),
    };
    Told { text, of: BTreeSet::from([Part::Air]) }
}

/// Says that the air of other days is not known.
pub fn air_is_of_now(tongue: Tongue) -> &'static str {
    tongue.pick("공기는 지금 것만 알 수 있어요.", "I only know the air right now.")
}

fn dust(tongue: Tongue, components: &Components) -> String {
    let coarse = Grade::of_pm10(components.pm10).name(tongue);
    let fine = Grade::of_pm25(components.pm2_5).name(tongue);
    tongue.pick(
        format!("미세먼지는 {coarse}, 초미세먼지는 {fine}이에요."),
        format!("Fine dust is {coarse} and PM 2.5 is {fine}."),
    )
}

fn day_name(tongue: Tongue, today: Date, wanted: Date) -> String {
    match today.until(wanted).map(|span| span.get_days()).unwrap_or_default() {
        0 => tongue.pick("오늘", "today").to_owned(),
        1 => tongue.pick("내일", "tomorrow").to_owned(),
        -1 => tongue.pick("어제", "yesterday").to_owned(),
        2 => tongue.pick("모레".to_owned(), date(tongue, wanted)),
        _ => date(tongue, wanted),
    }
}

fn steps<'a>(report: &'a Report, zone: &TimeZone, wanted: Date) -> Vec<&'a Step> {
    let list = report.forecast.as_ref().map_or(&[][..], |forecast| &forecast.said.list);
    list.iter().filter(|step| here(zone, Timestamp::from_seconds(step.dt)).date() == wanted).collect()
}

/// Answers whether it rains or snows.
fn falls(tongue: Tongue, steps: &[&Step], aspect: &str, day: &str) -> Option<String> {
    let is_it = |step: &&&Step| {
        let snows = step.weather.iter().any(|sky| sky.id / 100 == 6);
        let wet = step.weather.iter().any(|sky| matches!(sky.id / 100, 2 | 3 | 5));
        if aspect == "snow" { snows } else { wet }
    };
    if steps.is_empty() {
        return None;
    }
    let chance = steps
        .iter()
        .filter(is_it)
        .map(|step| step.pop)
        .fold(None, |most: Option<f64>, pop| Some(most.map_or(pop, |most| most.max(pop))));
    let (korean, english) = if aspect == "snow" { ("눈", "snow") } else { ("비", "rain") };
    let chance = chance.map(|chance| (chance * 100.0).round());
    Some(match chance {
        Some(chance) => tongue.pick(
            format!("네, {day} {} 올 수 있어요. 확률은 {chance}퍼센트예요.", with(korean, "이", "가")),
            format!("Yes, it may {english} {day}, with a chance of {chance} percent."),
        ),
        None => tongue.pick(
            format!("아니요, {day} {korean} 소식은 없어요."),
            format!("No, it will not {english} {day}."),
        ),
    })
}

/// Tells the lowest and highest temperature and the chance of rain.
fn outlook(tongue: Tongue, steps: &[&Step], place: &str, day: &str, told_rain: bool) -> Option<String> {
    let noon = steps.get(steps.len() / 2)?;
    let temperatures = || steps.iter().map(|step| step.main.temp);
    let low = degrees(tongue, temperatures().fold(f64::INFINITY, f64::min));
    let high = degrees(tongue, temperatures().fold(f64::NEG_INFINITY, f64::max));
    let chance = (steps.iter().map(|step| step.pop).fold(0.0, f64::max) * 100.0).round();
    let sky = sky(tongue, &noon.weather);
    let rain = match chance >= 30.0 && !told_rain {
        true => tongue.pick(
            format!(" 비 올 확률은 {chance}퍼센트예요."),
            format!(" The chance of rain is {chance} percent."),
        ),
        false => String::new(),
    };
    Some(match tongue {
        Tongue::Korean => {
            format!("{place} {} {sky}, 최저 {low}, 최고 {high}예요.{rain}", with(day, "은", "는"))
        }
        Tongue::English => format!("In {place} {day}: {sky}, from {low} to {high}.{rain}"),
    })
}

fn degrees(tongue: Tongue, value: f64) -> String {
    // Never "-0".
    let value = value.round() as i64;
    match tongue {
        Tongue::Korean if value < 0 => format!("영하 {}도", -value),
        Tongue::Korean => format!("{value}도"),
        Tongue::English => format!("{value} degrees"),
    }
}

fn sky(tongue: Tongue, skies: &[Sky]) -> &'static str {
    let (korean, english) = match skies.first().map_or(800, |sky| sky.id) {
        200..=299 => ("천둥번개", "stormy"),
        300..=399 => ("이슬비", "drizzling"),
        500..=599 => ("비", "rainy"),
        600..=699 => ("눈", "snowy"),
        700..=799 => ("안개", "misty"),
        801 | 802 => ("구름 조금", "partly cloudy"),
        803..=899 => ("흐림", "cloudy"),
        _ => ("맑음", "clear"),
    };
    tongue.pick(korean, english)
}
