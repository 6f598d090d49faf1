//! Days of the Korean lunar calendar in the solar one, 1980 to 2060.

use jiff::civil::Date;

use crate::value::calendar::days;

const FIRST: i16 = 1980;

/// A year each: from the lowest bit, which of the twelve months have 30 days and not 29; whether the two months of one
/// name have 60 together and not 59; which month is there twice (0: none); days from 1 January to its new year.
/// Computed from new moons and solar terms for 135 degrees east; the holidays agree with the almanac of the Korea
/// Astronomy and Space Science Institute.
const YEARS: [u32; 81] = [
    0x5c0da9, 0x460d92, 0x308d95, 0x560d25, 0x414e4d, 0x640a56, 0x4e02b6, 0x38caed, 0x6006d4, 0x480da9,
    0x34aed2, 0x5a0e92, 0x440d26, 0x2c652e, 0x500a57, 0x3d09b6, 0x620b5a, 0x4c06d4, 0x36a769, 0x5c0749,
    0x460693, 0x2e8a97, 0x54052b, 0x3e0a5b, 0x2a4aae, 0x4e036a, 0x38edd5, 0x600ba4, 0x4a0b49, 0x32ad53,
    0x580a95, 0x42052d, 0x2c752d, 0x500aad, 0x3d2baa, 0x6205d2, 0x4c0da5, 0x36aeaa, 0x5c0d4a, 0x460a95,
    0x308a9d, 0x540556, 0x3e0ab5, 0x2a4ad6, 0x5006d2, 0x38c765, 0x5e0ea5, 0x4a0e4a, 0x34a656, 0x560c9b,
    0x42055a, 0x2c656d, 0x520b69, 0x3d6f52, 0x620752, 0x4c0b25, 0x36cb2b, 0x5a0a4b, 0x4404ab, 0x2ea2bb,
    0x54056d, 0x3e0b69, 0x2a4daa, 0x500d92, 0x3aeea5, 0x5e0d25, 0x480a4d, 0x32aa5d, 0x5802b6, 0x4005b5,
    0x2c66d5, 0x520ea9, 0x3f1e92, 0x620e92, 0x4c0d26, 0x36c536, 0x5a0a57, 0x4404d6, 0x2e835d, 0x5406d5,
    0x400ec9,
];

/// Returns the solar date of a day of a lunar year's regular months.
pub(crate) fn solar(year: i16, month: u32, day: i64) -> Option<Date> {
    let coded = *YEARS.get(usize::try_from(year.checked_sub(FIRST)?).ok()?)?;
    let twice = coded >> 13 & 0xf;
    let before: u32 = (1..month)
        .map(|month| {
            let length = 29 + (coded >> (month - 1) & 1);
            if month == twice { length + 29 + (coded >> 12 & 1) } else { length }
        })
        .sum();
    let new_year = days(Date::new(year, 1, 1).ok()?, i64::from(coded >> 17));
    Some(days(new_year, i64::from(before) + day - 1))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn holidays_of_the_moon_lie_where_the_almanac_has_them() {
        assert_eq!(solar(2025, 1, 1), Some(date(2025, 1, 29)));
        assert_eq!(solar(2025, 8, 15), Some(date(2025, 10, 6)));
        assert_eq!(solar(2023, 4, 8), Some(date(2023, 5, 27)));
        assert_eq!(solar(2020, 5, 5), Some(date(2020, 6, 25)));
        assert_eq!(solar(2012, 8, 15), Some(date(2012, 9, 30)));
        assert_eq!(solar(2026, 8, 15), Some(date(2026, 9, 25)));
        assert_eq!(solar(1979, 1, 1), None);
        assert_eq!(solar(2061, 1, 1), None);
    }
}
