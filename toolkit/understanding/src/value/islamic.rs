//! Days of the Islamic calendar in the Gregorian one, by its arithmetic rules; the sighting of the moon moves some by a day.

use jiff::civil::{Date, date};

use super::calendar::days;

/// The day before the calendar's first one, counted from 1 January of the Gregorian year 1 as the first.
const EPOCH: i64 = 227_014;

/// Returns the first time in a Gregorian year of a day of the Islamic calendar: months have 30 and 29 days in turn, eleven
/// of thirty years one day more (the civil, tabular calendar).
pub(crate) fn solar(year: i16, month: i64, day: i64) -> Option<Date> {
    let about = (i64::from(year) - 622) * 33 / 32;
    (about - 1..=about + 2).map(|year| of(year, month, day)).find(|date| date.year() == year)
}

fn of(year: i64, month: i64, day: i64) -> Date {
    let before = (year - 1) * 354 + (3 + 11 * year).div_euclid(30);
    days(date(1, 1, 1), EPOCH + before + (59 * (month - 1) + 1) / 2 + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feasts_lie_where_the_almanac_has_them_or_a_day_beside() {
        assert_eq!(solar(2018, 9, 1), Some(date(2018, 5, 16)));
        assert_eq!(solar(2018, 10, 1), Some(date(2018, 6, 15)));
        assert_eq!(solar(2023, 1, 1), Some(date(2023, 7, 19)));
        assert_eq!(solar(2050, 10, 1), Some(date(2050, 6, 21)));
    }
}
