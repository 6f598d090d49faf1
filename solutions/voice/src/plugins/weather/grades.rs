//! Grades of air as Korea has them (Ministry of Environment, comprehensive air-quality index).

use crate::tongue::Tongue;

/// How good the air is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// 좋음.
    Good,
    /// 보통.
    Moderate,
    /// 나쁨.
    Bad,
    /// 매우 나쁨.
    VeryBad,
}

/// µg/m³ of ozone that are one part in a million at 25 °C.
const OZONE_PER_PPM: f64 = 1_962.0;

fn grade(value: f64, [good, moderate, bad]: [f64; 3]) -> Grade {
    match value {
        value if value <= good => Grade::Good,
        value if value <= moderate => Grade::Moderate,
        value if value <= bad => Grade::Bad,
        _ => Grade::VeryBad,
    }
}

impl Grade {
    /// Returns the grade of particles up to 10 µm, µg/m³ as whole numbers: 30, 80, 150.
    pub fn of_pm10(value: f64) -> Self {
        grade(value.round(), [30.0, 80.0, 150.0])
    }

    /// Returns the grade of particles up to 2.5 µm, µg/m³ as whole numbers: 15, 35, 75.
    pub fn of_pm25(value: f64) -> Self {
        grade(value.round(), [15.0, 35.0, 75.0])
    }

    /// Returns the grade of ozone, µg/m³; the limits are 0.030, 0.090 and 0.150 ppm.
    pub fn of_ozone(value: f64) -> Self {
        grade((value / OZONE_PER_PPM * 1_000.0).round(), [30.0, 90.0, 150.0])
    }

    /// Returns its name.
    pub fn name(self, tongue: Tongue) -> &'static str {
        match self {
            Self::Good => tongue.pick("좋음", "good"),
            Self::Moderate => tongue.pick("보통", "moderate"),
            Self::Bad => tongue.pick("나쁨", "bad"),
            Self::VeryBad => tongue.pick("매우 나쁨", "very bad"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_those_of_the_ministry() {
        let pm10 = [30.4, 30.6, 80.0, 81.0, 150.0, 151.0].map(Grade::of_pm10);
        use Grade::{Bad, Good, Moderate, VeryBad};
        assert_eq!(pm10, [Good, Moderate, Moderate, Bad, Bad, VeryBad]);
        assert_eq!([15.0, 16.0, 36.0, 76.0].map(Grade::of_pm25), [Good, Moderate, Bad, VeryBad]);
        assert_eq!([58.0, 61.0, 180.0, 300.0].map(Grade::of_ozone), [Good, Moderate, Bad, VeryBad]);
    }
}
