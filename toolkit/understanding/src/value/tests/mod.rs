//! Values in sentences of our own, one kind after the other.

mod english;

use jiff::civil::{DateTime, date, datetime};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

/// Tuesday, 17 November 2026, ten past nine in the morning.
fn now() -> Zoned {
    datetime(2026, 11, 17, 9, 10, 0, 0).to_zoned(TimeZone::UTC).expect("a moment")
}

fn only(text: &str, language: Language) -> Value {
    let found = find(text, language, &now());
    assert_eq!(found.len(), 1, "in \"{text}\": {found:?}");
    found[0].value.clone()
}

fn ko(text: &str) -> Value {
    only(text, Language::Korean)
}

fn en(text: &str) -> Value {
    only(text, Language::English)
}

fn at(moment: DateTime, grain: Grain) -> Value {
    Value::Time(Moment::At(moment, grain))
}

fn day(year: i16, month: i8, number: i8) -> Value {
    at(date(year, month, number).at(0, 0, 0, 0), Grain::Day)
}

#[test]
fn korean_numbers_are_read_in_every_system() {
    for (said, number) in [
        ("이천칠백삼십오만", 27_350_000.0),
        ("3백21", 321.0),
        ("스물다섯", 25.0),
        ("만 오천", 15_000.0),
        ("삼분의 이", 2.0 / 3.0),
        ("일과 사분의 일", 1.25),
        ("마이너스 삼점 오", -3.5),
        ("1,234,567", 1_234_567.0),
        ("칠천십이억", 701_200_000_000.0),
    ] {
        let Value::Number(read) = ko(said) else { panic!("{said}: {:?}", ko(said)) };
        assert!((read - number).abs() < 1e-9, "{said}: {read}");
    }
    assert_eq!(ko("스물다섯 번째"), Value::Ordinal(25));
    assert_eq!(ko("이십 퍼센트"), Value::Percent(20.0));
}

#[test]
fn korean_amounts_have_their_units() {
    assert_eq!(ko("만 오천 원"), Value::Money { amount: 15_000.0, currency: "KRW" });
    assert_eq!(ko("섭씨 37도"), Value::Measure { amount: 37.0, unit: "celsius" });
    assert_eq!(ko("이백오십 밀리리터"), Value::Measure { amount: 250.0, unit: "millilitre" });
    let Value::Duration(amount) = ko("한 시간 반") else { panic!("no duration") };
    assert_eq!(amount.seconds(), 5_400.0);
    let Value::Duration(amount) = ko("사흘 동안") else { panic!("no duration") };
    assert_eq!(amount, Amount::of(3.0, Grain::Day));
}

#[test]
fn korean_dates_lie_where_a_korean_looks_for_them() {
    assert_eq!(ko("내일"), day(2026, 11, 18));
    assert_eq!(ko("모레"), day(2026, 11, 19));
    assert_eq!(ko("다음 주 화요일"), day(2026, 11, 24));
    assert_eq!(ko("3월 5일"), day(2027, 3, 5));
    assert_eq!(ko("보름 뒤"), at(datetime(2026, 12, 2, 9, 0, 0, 0), Grain::Hour));
    assert_eq!(ko("이번 달"), at(datetime(2026, 11, 1, 0, 0, 0, 0), Grain::Month));
    let weekend =
        Moment::Between(datetime(2026, 11, 21, 0, 0, 0, 0), datetime(2026, 11, 23, 0, 0, 0, 0), Grain::Day);
    assert_eq!(ko("주말"), Value::Time(weekend));
}

#[test]
fn korean_times_lie_ahead() {
    assert_eq!(ko("오후 세 시 반"), at(datetime(2026, 11, 17, 15, 30, 0, 0), Grain::Minute));
    assert_eq!(ko("여덟 시"), at(datetime(2026, 11, 17, 20, 0, 0, 0), Grain::Hour));
    assert_eq!(ko("내일 아침 일곱 시"), at(datetime(2026, 11, 18, 7, 0, 0, 0), Grain::Hour));
    assert_eq!(ko("삼십 분 뒤"), at(datetime(2026, 11, 17, 9, 40, 0, 0), Grain::Second));
    let lesson = Moment::Between(
        datetime(2026, 11, 18, 14, 0, 0, 0),
        datetime(2026, 11, 18, 16, 0, 0, 0),
        Grain::Hour,
    );
    assert_eq!(ko("내일 오후 2시부터 4시까지"), Value::Time(lesson));
}

#[test]
fn holidays_of_the_moon_are_the_next_to_come() {
    assert_eq!(ko("추석"), day(2027, 9, 15));
    assert_eq!(ko("작년 설날"), day(2025, 1, 29));
    assert_eq!(ko("지난 추석"), day(2026, 9, 25));
    assert_eq!(ko("부처님 오신 날 다음 날"), day(2027, 5, 14));
}

#[test]
fn repeated_syllables_count_further() {
    assert_eq!(ko("다다다음 달"), at(datetime(2027, 2, 1, 0, 0, 0, 0), Grain::Month));
    assert_eq!(ko("지지난주 목요일"), day(2026, 11, 5));
    assert_eq!(ko("그끄제"), day(2026, 11, 14));
    assert_eq!(ko("재재작년"), at(datetime(2023, 1, 1, 0, 0, 0, 0), Grain::Year));
}

#[test]
fn days_that_no_calendar_has_and_parts_of_other_words_are_no_times() {
    for said in [
        "6월 31일에 만나",
        "14월 2일",
        "내일배움카드",
        "오늘의집에서 샀어",
        "높고 낮은 산",
        "말을 전달해 줘",
        "이번 달 45일",
    ] {
        let found = find_kinds(said, Language::Korean, &now(), &[Kind::Time]);
        assert_eq!(found, [], "in \"{said}\"");
    }
}

#[test]
fn a_correction_replaces_what_it_corrects() {
    assert_eq!(ko("내일이 아니라 모레"), day(2026, 11, 19));
    assert_eq!(ko("내일 오전 아홉 시 말고 열 시"), at(datetime(2026, 11, 18, 10, 0, 0, 0), Grain::Hour));
}

#[test]
fn periods_end_where_their_start_leads() {
    let three_days =
        Moment::Between(datetime(2026, 11, 18, 0, 0, 0, 0), datetime(2026, 11, 21, 0, 0, 0, 0), Grain::Day);
    assert_eq!(ko("내일부터 3일간"), Value::Time(three_days));
    let half_an_hour = Moment::Between(
        datetime(2026, 11, 17, 15, 0, 0, 0),
        datetime(2026, 11, 17, 15, 30, 0, 0),
        Grain::Second,
    );
    assert_eq!(ko("오후 세 시부터 30분 뒤까지"), Value::Time(half_an_hour));
}

#[test]
fn words_mean_what_the_conventions_say() {
    let with = |said: &str, conventions: &Conventions| {
        find_with(said, Language::Korean, &now(), &[Kind::Time], conventions)[0].value.clone()
    };
    let (duckling, rows) = (&Conventions::DUCKLING, &Conventions::KOREAN_DATETIME);
    assert_eq!(with("내일 세 시", duckling), at(datetime(2026, 11, 18, 3, 0, 0, 0), Grain::Hour));
    assert_eq!(with("내일 세 시", rows), at(datetime(2026, 11, 18, 15, 0, 0, 0), Grain::Hour));
    assert_eq!(with("나흘 뒤", duckling), at(datetime(2026, 11, 21, 9, 0, 0, 0), Grain::Hour));
    assert_eq!(with("나흘 뒤", rows), day(2026, 11, 21));
    assert_eq!(with("다음 금요일", duckling), day(2026, 11, 27));
    assert_eq!(with("다음 금요일", rows), day(2026, 11, 20));
    assert_eq!(with("2027년 1월 첫째 주", duckling), at(datetime(2027, 1, 4, 0, 0, 0, 0), Grain::Week));
    assert_eq!(with("2027년 1월 첫째 주", rows), at(datetime(2026, 12, 28, 0, 0, 0, 0), Grain::Week));
    let evening = |conventions: &Conventions| match with("내일 저녁", conventions) {
        Value::Time(moment) => (moment.start().hour(), moment.end().hour()),
        other => panic!("{other:?}"),
    };
    assert_eq!(evening(rows), (18, 21));
    assert_eq!(evening(&Conventions::RECOGNIZERS), (16, 20));
}

#[test]
fn spans_are_bytes_of_the_sentence() {
    let text = "회의는 내일 오후 세 시에 해요";
    let found = find(text, Language::Korean, &now());
    assert_eq!(&text[found[0].span.clone()], "내일 오후 세 시");
}

proptest! {
    #[test]
    fn no_text_makes_finding_values_panic(text in ".{0,80}") {
        find(&text, Language::Korean, &now());
        find(&text, Language::English, &now());
    }

    #[test]
    fn nor_do_words_for_numbers_and_times(words in proptest::collection::vec("(일|이|삼|십|백|천|만|억|조|분의|점|반|시|분|초|월|년|주|다음|지난|오후|부터|까지|9|99999|-|/|:|\\.| |half|past|next|last|hundred|million|st|march|5|at|of)", 0..14)) {
        let text = words.concat();
        find(&text, Language::Korean, &now());
        find(&text, Language::English, &now());
    }

    #[test]
    fn nor_do_words_for_days_under_any_conventions(words in proptest::collection::vec("(다|다음|지|지난|전|그|끄|제|글피|저께|재|작년|후|년|설|추석| 연휴|첫째|다섯째|마지막| 주|주말|주초|월|화요일|말일|2|31|13|9999|2027|-|~|일| 뒤| 이내|전날|의| 다음 날|이 아니라| 이맘때| 이 시각|부터|까지|새벽|늦은 | 밤|시| 중간|남은 하루|영업일|낼| )", 0..14)) {
        let text = words.concat();
        for conventions in [Conventions::default(), Conventions::DUCKLING, Conventions::KOREAN_DATETIME, Conventions::RECOGNIZERS] {
            find_with(&text, Language::Korean, &now(), &ALL, &conventions);
        }
    }
}
