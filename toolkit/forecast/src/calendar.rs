//! The public holidays of the Republic of Korea, as regressors that are known ahead.
//!
//! Source: Regulations on Holidays of Public Offices (관공서의 공휴일에 관한 규정), articles 2 and 3 with the
//! substitute holidays of 2021 (national days) and 2023 (Buddha's birthday, Christmas). Days that are decided
//! year by year, such as election days and temporary holidays, have to be added by the caller.

use std::collections::BTreeMap;

use icu_calendar::Date as AnyDate;
use icu_calendar::types::Month;
use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};

/// One day off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holiday {
    /// The day.
    pub date: Date,
    /// Its name in Korean.
    pub korean: &'static str,
    /// Its name in English.
    pub english: &'static str,
    /// Whether it stands in for a holiday that fell on a day off.
    pub substitute: bool,
}

/// When a holiday is made up for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MadeUp {
    Never,
    /// When it falls on a Sunday or on another holiday.
    Sunday,
    /// When it falls on a Saturday, a Sunday or another holiday.
    Weekend,
}

struct Rule {
    korean: &'static str,
    english: &'static str,
    made_up: MadeUp,
    /// The first year in which it is made up for.
    since: i16,
}

const fn rule(korean: &'static str, english: &'static str, made_up: MadeUp, since: i16) -> Rule {
    Rule { korean, english, made_up, since }
}

/// Month and day of the Gregorian calendar.
const SOLAR: [(i8, i8, Rule); 8] = [
    (1, 1, rule("신정", "New Year's Day", MadeUp::Never, 0)),
    (3, 1, rule("삼일절", "Independence Movement Day", MadeUp::Weekend, 2022)),
    (5, 5, rule("어린이날", "Children's Day", MadeUp::Weekend, 2014)),
    (6, 6, rule("현충일", "Memorial Day", MadeUp::Never, 0)),
    (8, 15, rule("광복절", "Liberation Day", MadeUp::Weekend, 2021)),
    (10, 3, rule("개천절", "National Foundation Day", MadeUp::Weekend, 2021)),
    (10, 9, rule("한글날", "Hangul Day", MadeUp::Weekend, 2021)),
    (12, 25, rule("성탄절", "Christmas Day", MadeUp::Weekend, 2023)),
];

/// Month and day of the Korean lunisolar calendar, and how many days before and after belong to it.
const LUNAR: [(u8, u8, i64, Rule); 3] = [
    (1, 1, 1, rule("설날", "Seollal", MadeUp::Sunday, 2014)),
    (4, 8, 0, rule("부처님오신날", "Buddha's Birthday", MadeUp::Weekend, 2023)),
    (8, 15, 1, rule("추석", "Chuseok", MadeUp::Sunday, 2014)),
];

/// Holidays from the first to the last day, both included, in order.
pub fn holidays(first: Date, last: Date) -> Vec<Holiday> {
    let years = first.year()..=last.year();
    let all = years.flat_map(of_year);
    all.filter(|holiday| holiday.date >= first && holiday.date <= last).collect()
}

fn of_year(year: i16) -> Vec<Holiday> {
    let mut groups: Vec<(Vec<Date>, &Rule)> = Vec::new();
    groups.extend(SOLAR.iter().map(|(month, day, rule)| (vec![date(year, *month, *day)], rule)));
    for (month, day, around, rule) in &LUNAR {
        let Some(middle) = lunar(year, *month, *day) else { continue };
        groups.push(((-around..=*around).map(|off| middle + off.days()).collect(), rule));
    }
    groups.sort_by_key(|(days, _)| days[0]);
    let mut counted: BTreeMap<Date, usize> = BTreeMap::new();
    for day in groups.iter().flat_map(|(days, _)| days) {
        *counted.entry(*day).or_default() += 1;
    }
    let mut off: BTreeMap<Date, Holiday> = BTreeMap::new();
    for (days, rule) in &groups {
        for day in days {
            off.entry(*day).or_insert_with(|| rule.holiday(*day, false));
        }
    }
    for (days, rule) in groups {
        let mut missed = days.iter().filter(|day| rule.is_missed(**day, counted[day])).count();
        let Some(last) = days.last() else { continue };
        let mut day = *last;
        // One day off shared by two holidays is made up for once.
        for other in &days {
            counted.insert(*other, 1);
        }
        while missed > 0 && year >= rule.since {
            day += 1.day();
            if !is_weekend(day) && !off.contains_key(&day) {
                off.insert(day, rule.holiday(day, true));
                missed -= 1;
            }
        }
    }
    off.into_values().collect()
}

impl Rule {
    fn holiday(&self, date: Date, substitute: bool) -> Holiday {
        Holiday { date, korean: self.korean, english: self.english, substitute }
    }

    fn is_missed(&self, day: Date, holidays_that_day: usize) -> bool {
        let weekday = day.weekday();
        match self.made_up {
            MadeUp::Never => false,
            MadeUp::Sunday => weekday == Weekday::Sunday || holidays_that_day > 1,
            MadeUp::Weekend => is_weekend(day) || holidays_that_day > 1,
        }
    }
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// A day of the Korean lunisolar calendar in the Gregorian one.
fn lunar(year: i16, month: u8, day: u8) -> Option<Date> {
    let lunar = AnyDate::try_new_korean_traditional(i32::from(year), Month::new(month), day).ok()?;
    let iso = lunar.to_calendar(icu_calendar::Iso);
    let year = i16::try_from(iso.year().extended_year()).ok()?;
    let month = i8::try_from(iso.month().ordinal).ok()?;
    Date::new(year, month, i8::try_from(iso.day_of_month().0).ok()?).ok()
}

/// For each of `days` days from `first`: whether it is a holiday, the day before one, and the day after one.
///
/// `extra` are days off the law does not name. The three lists fit [`crate::Series::known`] of a daily series.
pub fn regressors(first: Date, days: usize, extra: &[Date]) -> Vec<Vec<f64>> {
    let span = i64::try_from(days).unwrap_or(i64::MAX).min(400_000);
    let all = holidays(first - 1.day(), first + (span + 1).days());
    let off = |day: Date| extra.contains(&day) || all.iter().any(|holiday| holiday.date == day);
    let list = |shift: i64| -> Vec<f64> {
        let at = |day: i64| off(first + (day + shift).days());
        (0..span).map(|day| f64::from(u8::from(at(day)))).collect()
    };
    vec![list(0), list(1), list(-1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days_of(year: i16) -> Vec<(String, bool)> {
        let all = holidays(date(year, 1, 1), date(year, 12, 31));
        all.iter().map(|holiday| (holiday.date.strftime("%m-%d").to_string(), holiday.substitute)).collect()
    }

    fn written(days: &[(&str, bool)]) -> Vec<(String, bool)> {
        days.iter().map(|(day, substitute)| ((*day).to_owned(), *substitute)).collect()
    }

    #[test]
    fn the_year_2023_is_as_the_government_published_it() {
        let published = [
            ("01-01", false),
            ("01-21", false),
            ("01-22", false),
            ("01-23", false),
            ("01-24", true),
            ("03-01", false),
            ("05-05", false),
            ("05-27", false),
            ("05-29", true),
            ("06-06", false),
            ("08-15", false),
            ("09-28", false),
            ("09-29", false),
            ("09-30", false),
            ("10-03", false),
            ("10-09", false),
            ("12-25", false),
        ];
        assert_eq!(days_of(2023), written(&published));
    }

    #[test]
    fn two_holidays_on_one_day_are_made_up_for_once() {
        // 2025: Children's Day is Buddha's birthday; Chuseok begins on a Sunday.
        let days = days_of(2025);
        for day in [("05-05", false), ("05-06", true), ("10-05", false), ("10-08", true)] {
            assert!(days.contains(&(day.0.to_owned(), day.1)), "{day:?} is missing in {days:?}");
        }
        assert!(!days.iter().any(|(day, _)| day == "05-07"), "{days:?}");
    }

    #[test]
    fn holidays_on_a_sunday_move_to_the_next_working_day() {
        // 2024: Seollal ends on a Sunday, Children's Day is one.
        let days = days_of(2024);
        assert!(days.contains(&("02-12".to_owned(), true)), "{days:?}");
        assert!(days.contains(&("05-06".to_owned(), true)), "{days:?}");
    }

    #[test]
    fn regressors_mark_the_day_and_its_neighbours() {
        let known = regressors(date(2023, 8, 13), 5, &[date(2023, 8, 17)]);
        assert_eq!(known[0], [0.0, 0.0, 1.0, 0.0, 1.0]);
        assert_eq!(known[1], [0.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(known[2], [0.0, 0.0, 0.0, 1.0, 0.0]);
    }
}
