//! Sentences of our own against the sentences that come with the crate, and hassil's rules one by one.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::builtin;

fn recogniser(language: &str) -> Recogniser {
    let file = builtin::sentences(language).expect("a language we have").expect("a file that reads");
    Recogniser::compile(&file).expect("sentences that compile")
}

fn from_json(file: Value) -> Recogniser {
    Recogniser::compile(&IntentsFile::from_json(&file.to_string()).expect("a file")).expect("it compiles")
}

fn home() -> Situation {
    Situation {
        lists: Lists::default()
            .with_names("name", ["불", "거실 불", "선풍기", "light", "ceiling fan", "lamp"])
            .with_names("area", ["거실", "안방", "kitchen", "living room"]),
        prefer: Some("name".to_owned()),
        ..Situation::default()
    }
}

#[track_caller]
fn check(recogniser: &Recogniser, said: &str, intent: &str, slots: &[(&str, Value)]) {
    let found = recogniser.recognise(said, &home());
    let found = found.unwrap_or_else(|| panic!("\"{said}\" was not understood"));
    assert_eq!(found.intent, intent, "\"{said}\" by {}", found.template);
    let actual: Vec<(&str, Value)> =
        found.slots.iter().map(|slot| (slot.name.as_str(), slot.value.clone())).collect();
    assert_eq!(actual, slots, "\"{said}\" by {}", found.template);
}

#[test]
fn korean_everyday_sentences_are_understood() {
    let ko = recogniser("ko");
    check(&ko, "오늘 날씨 어때?", "weather.query", &[("day", json!("오늘"))]);
    check(
        &ko,
        "내일 서울 날씨 알려 줘",
        "weather.query",
        &[("day", json!("내일")), ("place", json!("서울"))],
    );
    check(&ko, "내일은 비 올까?", "weather.query", &[("day", json!("내일")), ("aspect", json!("rain"))]);
    check(&ko, "미세먼지 어때", "weather.air", &[("air", json!("pm10"))]);
    check(&ko, "지금 몇 시야", "time.query", &[]);
    check(&ko, "오늘 며칠이야", "date.query", &[]);
    check(&ko, "오 분 타이머 맞춰 줘", "timer.start", &[("duration", json!("오 분"))]);
    check(&ko, "타이머 한 시간 반으로 설정해줘", "timer.start", &[("duration", json!("한 시간 반"))]);
    check(&ko, "타이머 다 취소해줘", "timer.cancel", &[]);
    check(&ko, "타이머 얼마나 남았어?", "timer.query", &[]);
    check(&ko, "내일 아침 일곱 시에 깨워줘", "alarm.set", &[("when", json!("내일 아침 일곱 시"))]);
    check(
        &ko,
        "거실에 있는 선풍기 좀 켜줘",
        "device.on",
        &[("area", json!("거실")), ("name", json!("선풍기"))],
    );
    check(&ko, "불을 꺼 주세요", "device.off", &[("name", json!("불"))]);
    check(
        &ko,
        "거실 불을 30퍼센트로 맞춰줘",
        "device.set",
        &[("name", json!("거실 불")), ("level", json!(30))],
    );
    check(
        &ko,
        "저녁 먹자고 방송해줘",
        "announce.say",
        &[("message", json!("저녁 먹")), ("ending", json!("자"))],
    );
    check(&ko, "시스템 상태 어때", "platform.status", &[]);
}

#[test]
fn english_everyday_sentences_are_understood() {
    let en = recogniser("en");
    check(
        &en,
        "What's the weather like in Seoul tomorrow?",
        "weather.query",
        &[("place", json!("Seoul")), ("day", json!("tomorrow"))],
    );
    check(
        &en,
        "will it rain tonight",
        "weather.query",
        &[("aspect", json!("rain")), ("day", json!("tonight"))],
    );
    check(&en, "what time is it", "time.query", &[]);
    check(
        &en,
        "set a timer for two and a half hours",
        "timer.start",
        &[("duration", json!("two and a half hours"))],
    );
    check(&en, "wake me up at half past six", "alarm.set", &[("when", json!("half past six"))]);
    check(
        &en,
        "remind me to call mom at five",
        "reminder.set",
        &[("message", json!("call mom")), ("when", json!("five"))],
    );
    check(
        &en,
        "Turn on the light in the kitchen, please",
        "device.on",
        &[("name", json!("light")), ("area", json!("kitchen"))],
    );
    check(
        &en,
        "set the lamp to twenty-five percent",
        "device.set",
        &[("name", json!("lamp")), ("level", json!(25))],
    );
    check(&en, "announce that dinner is ready", "announce.say", &[("message", json!("dinner is ready"))]);
    check(&en, "is everything ok", "platform.status", &[]);
}

#[test]
fn a_follow_up_needs_its_context() {
    let ko = recogniser("ko");
    assert_eq!(ko.recognise("내일은?", &home()), None);
    let mut talking = home();
    talking.context.insert("topic".to_owned(), json!("weather"));
    assert_eq!(ko.recognise("내일은?", &talking).expect("it is understood").intent, "weather.query");
}

#[test]
fn spans_are_bytes_of_what_was_said() {
    let said = "Please,  turn on   the Living-Room lamp!";
    let found = recogniser("en").recognise(said, &home()).expect("it is understood");
    let spans: Vec<&str> = found.slots.iter().filter_map(|slot| said.get(slot.span.clone()?)).collect();
    assert_eq!(spans, ["Living-Room", "lamp"]);
}

#[test]
fn ranges_have_steps_fractions_and_multipliers() {
    let heating = from_json(json!({
        "language": "en",
        "intents": {"heat": {"data": [{"sentences": ["heat to {warm}[ degrees]", "down {less}", "mix {0..10,5:parts}"]}]}},
        "lists": {
            "warm": {"range": {"from": 5, "to": 30, "fractions": "halves"}},
            "less": {"range": {"from": 0, "to": 100, "step": 10, "multiplier": -1}}
        }
    }));
    let slot = |said: &str, slot: &str| heating.recognise(said, &Situation::default())?.slot(slot).cloned();
    assert_eq!(slot("heat to 21.5 degrees", "warm"), Some(json!(21.5)));
    assert_eq!(slot("heat to twenty one and a half degrees", "warm"), Some(json!(21.5)));
    assert_eq!(slot("heat to 31", "warm"), None);
    assert_eq!(slot("down 20", "less"), Some(json!(-20)));
    assert_eq!(slot("down 25", "less"), None);
    assert_eq!(slot("mix five", "parts"), Some(json!(5)));
}

#[test]
fn parts_in_any_order_are_taken_in_any_order() {
    let any = from_json(
        json!({"language": "en", "intents": {"x": {"data": [{"sentences": ["go (now;to {place};fast)"]}]}},
        "lists": {"place": {"values": ["town"]}}}),
    );
    for said in ["go now to town fast", "go fast to town now", "go to town fast now"] {
        assert!(any.recognise(said, &Situation::default()).is_some(), "{said}");
    }
    assert_eq!(any.recognise("go now fast", &Situation::default()), None);
}

#[test]
fn rules_that_stand_in_themselves_are_refused() {
    let file = json!({"language": "en", "intents": {"x": {"data": [{"sentences": ["<a>"]}]}},
        "expansion_rules": {"a": "b <a>"}});
    let file = IntentsFile::from_json(&file.to_string()).expect("a file");
    let refused = Recogniser::compile(&file).expect_err("it has no end");
    assert_eq!(refused.to_string(), "template \"<a>\" expands without end at <a>");
}

#[test]
fn a_template_full_of_options_does_not_explode() {
    let options = "[a ]".repeat(200);
    let many = from_json(
        json!({"language": "en", "intents": {"x": {"data": [{"sentences": [format!("{options}b")]}]}}}),
    );
    let said = "a ".repeat(150);
    assert!(many.recognise(&format!("{said}b"), &Situation::default()).is_some());
    assert_eq!(many.recognise(&format!("{said}c"), &Situation::default()), None);
}

proptest! {
    #[test]
    fn no_text_makes_recognition_panic(said in ".{0,60}") {
        for language in builtin::LANGUAGES {
            let _ = recogniser(language).recognise(&said, &home());
        }
    }

    #[test]
    fn no_template_makes_the_parser_panic(template in r"[a-z가-힣 ()\[\]{}<>|;:@\\]{0,40}") {
        let file = json!({"language": "en", "intents": {"x": {"data": [{"sentences": [template]}]}}});
        let file = IntentsFile::from_json(&file.to_string()).expect("a file");
        let _ = Recogniser::compile(&file);
    }
}
