//! Names of currencies and units in English.

mod measures;
mod money;

use std::sync::LazyLock;

use crate::value::units::Unit;

/// Units with all their names.
type Table = &'static [(Unit, &'static [&'static str])];

/// Every name with its unit.
pub(super) static UNITS: LazyLock<Vec<(&str, Unit)>> = LazyLock::new(|| {
    let tables = [
        money::OF_ONE_COUNTRY,
        money::OF_SEVERAL,
        measures::LENGTH,
        measures::AREA,
        measures::VOLUME,
        measures::WEIGHT,
        measures::TEMPERATURE,
        measures::ANGLE,
        measures::SPEED,
        measures::POWER,
        measures::SOUND,
        measures::DATA,
        measures::AGE,
    ];
    let units = tables.into_iter().flatten();
    units.flat_map(|(unit, names)| names.iter().map(move |name| (*name, *unit))).collect()
});
