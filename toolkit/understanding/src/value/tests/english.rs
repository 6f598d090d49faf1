//! English values in sentences of our own.

use super::*;

fn time(text: &str) -> Value {
    let found = find_kinds(text, Language::English, &now(), &[Kind::Time]);
    assert_eq!(found.len(), 1, "in \"{text}\": {found:?}");
    found[0].value.clone()
}

fn between(from: DateTime, to: DateTime, grain: Grain) -> Value {
    Value::Time(Moment::Between(from, to, grain))
}

fn hours(number: i8, from: i8, to: i8) -> Value {
    between(datetime(2026, 11, number, from, 0, 0, 0), datetime(2026, 11, number, to, 0, 0, 0), Grain::Hour)
}

#[test]
fn values_have_the_shapes_they_have_in_korean() {
    assert_eq!(en("one hundred and five"), Value::Number(105.0));
    assert_eq!(en("5 bucks"), Value::Money { amount: 5.0, currency: "dollar" });
    assert_eq!(en("twenty-five percent"), Value::Percent(25.0));
    assert_eq!(en("half past three"), at(datetime(2026, 11, 17, 15, 30, 0, 0), Grain::Minute));
    assert_eq!(en("tomorrow at 5pm"), at(datetime(2026, 11, 18, 17, 0, 0, 0), Grain::Hour));
    assert_eq!(en("next tuesday"), day(2026, 11, 24));
    let Value::Duration(amount) = en("two and a half hours") else { panic!("no duration") };
    assert_eq!(amount.seconds(), 9_000.0);
}

#[test]
fn numbers_are_read_in_words_digits_and_both() {
    for (said, number) in [
        ("two and a half million", 2_500_000.0),
        ("three quarters", 0.75),
        ("a dozen", 12.0),
        ("two dozen", 24.0),
        ("minus four point two", -4.2),
        ("5 thousand 2 hundred and 7", 5_207.0),
        ("half a million", 500_000.0),
        ("1 ½", 1.5),
        ("12,34,567", 1_234_567.0),
        ("a couple of", 2.0),
    ] {
        assert_eq!(en(said), Value::Number(number), "{said}");
    }
    assert_eq!(en("the thirty-first"), Value::Ordinal(31));
}

#[test]
fn times_of_the_day_are_the_next_to_come() {
    let minute = |number, hour, minute| at(datetime(2026, 11, number, hour, minute, 0, 0), Grain::Minute);
    let hour = |number, hour| at(datetime(2026, 11, number, hour, 0, 0, 0), Grain::Hour);
    assert_eq!(time("quarter to five"), minute(17, 16, 45));
    assert_eq!(time("wake me at six forty five"), minute(17, 18, 45));
    assert_eq!(time("8.30 pm"), minute(17, 20, 30));
    assert_eq!(time("tomorrow evening at 7"), hour(18, 19));
    assert_eq!(time("9 tomorrow morning"), hour(18, 9));
    assert_eq!(time("8 tonight"), hour(17, 20));
    assert_eq!(time("the day after tomorrow at noon"), hour(19, 12));
    assert_eq!(time("ten past six in the morning"), minute(18, 6, 10));
    assert_eq!(time("4pm pst"), minute(18, 0, 0));
}

#[test]
fn dates_are_found_by_what_stands_around_them() {
    assert_eq!(time("the first monday of december"), day(2026, 12, 7));
    assert_eq!(time("last friday of next month"), day(2026, 12, 25));
    assert_eq!(time("friday the 13th"), day(2027, 8, 13));
    assert_eq!(time("twenty third of june two thousand and thirty"), day(2030, 6, 23));
    assert_eq!(time("wednesday of next week"), day(2026, 11, 25));
    assert_eq!(time("two weeks before christmas"), day(2026, 12, 11));
    assert_eq!(time("three fridays from now"), day(2026, 12, 4));
    assert_eq!(time("on the 3rd"), day(2026, 12, 3));
    assert_eq!(time("third quarter of 2027"), at(datetime(2027, 7, 1, 0, 0, 0, 0), Grain::Quarter));
    assert_eq!(time("the week of january 6th"), at(datetime(2027, 1, 4, 0, 0, 0, 0), Grain::Week));
    assert_eq!(time("in nineteen eighty four"), at(datetime(1984, 1, 1, 0, 0, 0, 0), Grain::Year));
}

#[test]
fn holidays_are_computed_for_their_year() {
    assert_eq!(time("thanksgiving"), day(2026, 11, 26));
    assert_eq!(time("black friday"), day(2026, 11, 27));
    assert_eq!(time("labor day"), day(2027, 9, 6));
    assert_eq!(time("father's day 2028"), day(2028, 6, 18));
    assert_eq!(time("good friday"), day(2027, 3, 26));
    assert_eq!(time("last easter"), day(2026, 4, 5));
    assert_eq!(time("boxing day"), day(2026, 12, 26));
    assert_eq!(time("bonfire night of next year"), day(2027, 11, 5));
    assert_eq!(time("chinese new year"), day(2027, 2, 7));
}

#[test]
fn periods_have_both_their_bounds() {
    let days = |month: i8, from: i8, to: i8| {
        between(datetime(2027, month, from, 0, 0, 0, 0), datetime(2027, month, to, 0, 0, 0, 0), Grain::Day)
    };
    assert_eq!(time("from 9 to 11 tomorrow"), hours(18, 9, 11));
    assert_eq!(time("tomorrow from 9 to 11 am"), hours(18, 9, 11));
    assert_eq!(time("3-4pm"), hours(17, 15, 16));
    assert_eq!(time("11 to 1pm on thursday"), hours(19, 11, 13));
    assert_eq!(time("between ninth and seventeenth of april"), days(4, 9, 18));
    assert_eq!(time("july 13 through 15"), days(7, 13, 16));
    assert_eq!(time("4pm for two hours"), hours(17, 16, 18));
    let weekend = between(date(2026, 11, 21).at(0, 0, 0, 0), date(2026, 11, 23).at(0, 0, 0, 0), Grain::Day);
    assert_eq!(time("this weekend"), weekend);
    let end = between(date(2026, 12, 21).at(0, 0, 0, 0), date(2027, 1, 1).at(0, 0, 0, 0), Grain::Day);
    assert_eq!(time("at the end of next month"), end);
    let soon = between(datetime(2026, 11, 17, 10, 0, 0, 0), datetime(2026, 11, 17, 12, 0, 0, 0), Grain::Hour);
    assert_eq!(time("in the next two hours"), soon);
    let after = Moment::After(datetime(2026, 11, 17, 17, 0, 0, 0), Grain::Hour);
    assert_eq!(time("after 5pm"), Value::Time(after));
    let before = Moment::Before(date(2026, 11, 20).at(0, 0, 0, 0), Grain::Day);
    assert_eq!(time("by friday"), Value::Time(before));
}

#[test]
fn amounts_have_their_units_and_bounds() {
    let measure = |amount, unit| Value::Measure { amount, unit };
    let dollars = |amount| Value::Money { amount, currency: "dollar" };
    assert_eq!(en("two and a half dollars"), dollars(2.5));
    assert_eq!(en("$3.5 million"), dollars(3_500_000.0));
    assert_eq!(en("20 dollars and 43 cents"), dollars(20.43));
    assert_eq!(en("50 pence"), Value::Money { amount: 0.5, currency: "pound" });
    assert_eq!(en("six feet two"), measure(74.0, "inch"));
    assert_eq!(en("72 degrees fahrenheit"), measure(72.0, "fahrenheit"));
    assert_eq!(en("2 degrees below zero"), measure(-2.0, "degree"));
    assert_eq!(en("half a litre"), measure(0.5, "litre"));
    let range = |from, to, unit| Value::MeasureRange { from, to, unit };
    assert_eq!(en("between 3 and 5 kilometres"), range(Some(3.0), Some(5.0), "kilometre"));
    assert_eq!(en("at least 40 degrees"), range(Some(40.0), None, "degree"));
    assert_eq!(en("under 20 euros"), Value::MoneyRange { from: None, to: Some(20.0), currency: "EUR" });
}

#[test]
fn lengths_of_time_may_leave_words_out() {
    for (said, seconds) in [
        ("an hour and a half", 5_400.0),
        ("two hours ten", 7_800.0),
        ("a fortnight", 1_209_600.0),
        ("three quarters of an hour", 2_700.0),
        ("two more minutes", 120.0),
        ("1 day 2 hours and 3 minutes", 93_780.0),
    ] {
        let found = find_kinds(said, Language::English, &now(), &[Kind::Duration]);
        let [Found { value: Value::Duration(amount), .. }] = &found[..] else { panic!("{said}: {found:?}") };
        assert_eq!(amount.seconds(), seconds, "{said}");
    }
}

#[test]
fn ordinary_words_are_no_values() {
    for said in [
        "you may go home",
        "they march on",
        "the sun is up",
        "she sat down and wed him",
        "leaves fall in the quarter",
        "give me a hand",
        "i like that one",
        "this one or that one",
        "as soon as we can",
        "noone called about monitors and marches",
        "play jazz in the kitchen",
        "a nightingale and a morningstar",
        "the best part of the day",
        "turn it on at once",
        "where is the nearest atm",
    ] {
        let found = find(said, Language::English, &now());
        let times: Vec<_> = found.iter().filter(|found| !matches!(found.value, Value::Ordinal(_))).collect();
        assert!(times.is_empty(), "in \"{said}\": {times:?}");
    }
    assert_eq!(find("i won 5 times", Language::English, &now())[0].value, Value::Number(5.0));
    assert_eq!(en("3 quarters of the cake"), Value::Number(0.75));
    let found = find_kinds(
        "the second song of the first album on the 5th floor",
        Language::English,
        &now(),
        &[Kind::Time],
    );
    assert_eq!(found, []);
}

#[test]
fn words_mean_what_the_english_conventions_say() {
    let with = |said: &str, conventions: &Conventions| {
        find_with(said, Language::English, &now(), &[Kind::Time], conventions)[0].value.clone()
    };
    let Value::Time(weekend) = with("this weekend", &Conventions::DUCKLING_ENGLISH) else {
        panic!("no time")
    };
    assert_eq!(weekend.start(), datetime(2026, 11, 20, 18, 0, 0, 0));
    let Value::Time(evening) = with("tomorrow evening", &Conventions::RECOGNIZERS) else { panic!("no time") };
    assert_eq!((evening.start().hour(), evening.end().hour()), (16, 20));
    assert_eq!(with("upcoming two days", &Conventions::DUCKLING_ENGLISH), day(2026, 11, 19));
}

proptest! {
    #[test]
    fn no_words_under_any_conventions_make_finding_values_panic(words in proptest::collection::vec("(the |of |in |end |early |mid |week |next |last |upcoming |first |second |from |to |between |and |a |half |past |quarter |at |noon |monday |sat|sun |march |may |easter |ramadan |hanukkah 9999|thanksgiving |2027|13|31|0|99999999999|q3 |1970s|'|-|/|:|\\.|,| |am |pm |gmt |\\$|feet |inches |degrees |below zero|million |hundred |dozen |hours |fortnight |years |ago |from now |until |by |tonight |morning |twenty |fifth |point )", 0..14)) {
        let text = words.concat();
        for conventions in [Conventions::ENGLISH, Conventions::DUCKLING_ENGLISH, Conventions::RECOGNIZERS] {
            find_with(&text, Language::English, &now(), &ALL, &conventions);
        }
    }
}
