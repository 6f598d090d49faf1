//! Easter, of the western and of the eastern churches.

use jiff::civil::Date;

use super::calendar::days;

/// Easter Sunday by the Gregorian computus (Butcher's algorithm, 1876).
pub(crate) fn easter(year: i16) -> Option<Date> {
    let year_of = i32::from(year);
    let (golden, century, rest) = (year_of % 19, year_of / 100, year_of % 100);
    let shift = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - shift + 15) % 30;
    let to_sunday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7;
    let late = (golden + 11 * epact + 22 * to_sunday) / 451;
    let sum = epact + to_sunday - 7 * late + 114;
    Date::new(year, (sum / 31) as i8, (sum % 31 + 1) as i8).ok()
}

/// Easter Sunday of the Orthodox churches: the Julian one (Meeus's algorithm, 1991) by the Gregorian calendar, which is 13
/// days ahead from 1900 to 2099.
pub(crate) fn orthodox_easter(year: i16) -> Option<Date> {
    let year_of = i32::from(year);
    let moon = (19 * (year_of % 19) + 15) % 30;
    let to_sunday = (2 * (year_of % 4) + 4 * (year_of % 7) - moon + 34) % 7;
    let sum = moon + to_sunday + 114;
    let julian = Date::new(year, (sum / 31) as i8, (sum % 31 + 1) as i8).ok()?;
    (1900..2100).contains(&year).then(|| days(julian, 13))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn easter_lies_where_the_almanac_has_it() {
        assert_eq!(easter(2013), Some(date(2013, 3, 31)));
        assert_eq!(easter(2026), Some(date(2026, 4, 5)));
        assert_eq!(orthodox_easter(2013), Some(date(2013, 5, 5)));
        assert_eq!(orthodox_easter(2026), Some(date(2026, 4, 12)));
        assert_eq!(orthodox_easter(2101), None);
    }
}
