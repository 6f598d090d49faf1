//! Days of the Jewish calendar in the Gregorian one, by its arithmetic rules.

use jiff::civil::{Date, date};

use super::calendar::days;

/// The day before the calendar's first one, counted from 1 January of the Gregorian year 1 as the first.
const EPOCH: i64 = -1_373_427;

/// Returns how many days after its first one the year begins: the mean new moon of Tishri with its postponements.
fn elapsed(year: i64) -> i64 {
    let months = (235 * year - 234).div_euclid(19);
    let parts = 12_084 + 13_753 * months;
    let day = 29 * months + parts.div_euclid(25_920);
    day + i64::from((3 * (day + 1)).rem_euclid(7) < 3)
}

/// Returns the first of Tishri, two years' lengths being kept apart from each other as the rules want.
fn new_year(year: i64) -> i64 {
    let (last, this, next) = (elapsed(year - 1), elapsed(year), elapsed(year + 1));
    let delay = if next - this == 356 { 2 } else { i64::from(this - last == 382) };
    EPOCH + this + delay
}

/// Returns the day before a date of the Jewish calendar, with whose evening it begins, in a Gregorian year. Months count
/// from Nisan; the twelfth is the last Adar.
pub(crate) fn eve(year: i16, month: u32, day: i64) -> Option<Date> {
    let tishri = i64::from(year) + if (7..10).contains(&month) { 3761 } else { 3760 };
    let first = new_year(tishri);
    let length = new_year(tishri + 1) - first;
    // From Nisan on months have 30 and 29 days in turn; before it Heshvan and Kislev stretch.
    let offset = match month {
        1..=6 => length - 177 + i64::from(month - 1) * 29 + i64::from(month / 2),
        7..=8 => i64::from(month - 7) * 30,
        9 => 59 + i64::from(length % 10 == 5),
        10 => 89 - i64::from(length % 10 == 3) + i64::from(length % 10 == 5),
        11 => 118 - i64::from(length % 10 == 3) + i64::from(length % 10 == 5),
        12 => length - 177 - 29,
        _ => return None,
    };
    let there = days(date(1, 1, 1), first + offset + day - 3);
    (there.year() == year || month >= 9).then_some(there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feasts_begin_on_the_evenings_of_the_almanac() {
        assert_eq!(eve(2018, 7, 1), Some(date(2018, 9, 9)));
        assert_eq!(eve(2018, 7, 10), Some(date(2018, 9, 18)));
        assert_eq!(eve(2018, 1, 15), Some(date(2018, 3, 30)));
        assert_eq!(eve(2018, 9, 25), Some(date(2018, 12, 2)));
        assert_eq!(eve(2018, 11, 15), Some(date(2018, 1, 30)));
        assert_eq!(eve(2013, 12, 14), Some(date(2013, 2, 23)));
        assert_eq!(eve(2024, 9, 25), Some(date(2024, 12, 25)));
        assert_eq!(eve(2018, 3, 6), Some(date(2018, 5, 19)));
    }
}
