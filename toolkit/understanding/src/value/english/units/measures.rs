//! Names of measures in English, by what they measure.

use super::Table;
use crate::value::units::Unit::Measure;

/// How long something is.
pub(super) const LENGTH: Table = &[
    (Measure("kilometre"), &["kilometers", "kilometer", "kilometres", "km", "kms", "kilometre", "k m"]),
    (Measure("metre"), &["meters", "meter", "metres", "m", "metre"]),
    (Measure("decimetre"), &["decimeter", "decimeters", "decimetre", "decimetres", "dm"]),
    (Measure("centimetre"), &["centimeters", "centimeter", "centimetres", "cm", "centimetre"]),
    (Measure("millimetre"), &["millimeters", "mm", "millimeter", "millimetre", "millimetres"]),
    (Measure("micrometre"), &["micrometer", "micrometers", "microns", "micron"]),
    (Measure("nanometre"), &["nanometer", "nanometers", "nm"]),
    (Measure("picometre"), &["picometer", "picometers"]),
    (Measure("mile"), &["miles", "mile", "mi"]),
    (Measure("yard"), &["yards", "yard", "yd", "yds"]),
    (Measure("foot"), &["feet", "foot", "ft"]),
    (Measure("inch"), &["inches", "inch", "in", "''", "″"]),
    (Measure("nautical mile"), &["nautical miles", "nautical mile"]),
    (Measure("light year"), &["light years", "light year"]),
];

/// How much ground something covers.
pub(super) const AREA: Table = &[
    (
        Measure("square kilometre"),
        &["square kilometers", "square kilometer", "square kilometres", "square kilometre", "sq km", "km2"],
    ),
    (
        Measure("square metre"),
        &["square meters", "square meter", "square metres", "square metre", "sq m", "m2"],
    ),
    (Measure("square mile"), &["square miles", "square mile", "sq mi"]),
    (Measure("square yard"), &["square yards", "square yard"]),
    (Measure("square foot"), &["square feet", "square foot", "sq ft", "ft2"]),
    (Measure("square inch"), &["square inches", "square inch"]),
    (Measure("acre"), &["acres", "acre"]),
    (Measure("hectare"), &["hectares", "hectare"]),
];

/// How much room something takes.
pub(super) const VOLUME: Table = &[
    (Measure("litre"), &["liters", "liter", "litres", "litre", "l"]),
    (Measure("hectolitre"), &["hectoliters", "hectoliter", "hectolitres", "hectolitre"]),
    (Measure("decilitre"), &["deciliters", "deciliter", "decilitres", "decilitre", "dl"]),
    (Measure("centilitre"), &["centiliters", "centiliter", "centilitres", "centilitre", "cl"]),
    (Measure("millilitre"), &["milliliters", "millilitres", "ml", "milliliter", "millilitre", "mls"]),
    (Measure("cubic metre"), &["cubic meters", "cubic meter", "cubic metres", "cubic metre", "m3"]),
    (Measure("cubic centimetre"), &["cubic centimeters", "cubic centimetres", "cc"]),
    (Measure("cubic foot"), &["cubic feet", "cubic foot"]),
    (Measure("cubic inch"), &["cubic inches"]),
    (Measure("gallon"), &["gallons", "gallon", "gal", "gals"]),
    (Measure("quart"), &["quarts", "quart"]),
    (Measure("pint"), &["pints", "pint"]),
    (Measure("cup"), &["cups", "cup"]),
    (Measure("fluid ounce"), &["fluid ounces", "fluid ounce", "fl oz"]),
    (Measure("tablespoon"), &["tablespoons", "tablespoon", "tbsp"]),
    (Measure("teaspoon"), &["teaspoons", "teaspoon", "tsp"]),
    (Measure("barrel"), &["barrels", "barrel"]),
];

/// How heavy something is.
pub(super) const WEIGHT: Table = &[
    (Measure("tonne"), &["tonnes", "tonne", "metric tons", "metric ton", "t"]),
    (Measure("kilogram"), &["kilograms", "kilogram", "kilos", "kg", "kilo", "kilogrammes"]),
    (Measure("gram"), &["grams", "gram", "g", "grammes", "gramme"]),
    (Measure("milligram"), &["milligrams", "mg", "milligram"]),
    (Measure("microgram"), &["microgram", "micrograms", "microgrammes", "mcg", "μg", "µg"]),
    (Measure("ton"), &["tons", "ton"]),
    (Measure("stone"), &["stone", "stones"]),
    (Measure("pound"), &["pounds", "pound", "lbs", "lb"]),
    (Measure("ounce"), &["ounces", "ounce", "oz"]),
    (Measure("dram"), &["dram", "drams", "drachma", "drachm"]),
    (Measure("carat"), &["carats", "carat"]),
];

/// How warm it is.
pub(super) const TEMPERATURE: Table = &[
    (
        Measure("celsius"),
        &[
            "degrees celsius",
            "degrees centigrade",
            "degrees c",
            "celsius",
            "centigrade",
            "°c",
            "° c",
            "celcius",
            "centigrate",
            "degrees celcius",
        ],
    ),
    (
        Measure("fahrenheit"),
        &["degrees fahrenheit", "degrees f", "fahrenheit", "°f", "° f", "farenheit", "fahrenheits"],
    ),
    (Measure("kelvin"), &["kelvin"]),
];

/// How far something is turned; degrees may be those of warmth, too.
pub(super) const ANGLE: Table = &[
    (Measure("degree"), &["degrees", "degree", "deg", "°"]),
    (Measure("radian"), &["radians", "radian", "rad"]),
    (Measure("turn"), &["turns"]),
];

/// How fast something goes.
pub(super) const SPEED: Table = &[
    (
        Measure("kilometre per hour"),
        &[
            "kilometers an hour",
            "kilometres an hour",
            "kilometers per hour",
            "km/h",
            "kilometer per hour",
            "kilometres per hour",
            "kph",
            "kmph",
            "kmh",
        ],
    ),
    (Measure("metre per second"), &["meters per second", "metres per second", "m/s"]),
    (Measure("mile per hour"), &["miles per hour", "miles an hour", "mph", "mile per hour", "mi/h"]),
    (Measure("knot"), &["knots", "knot"]),
];

/// Power, energy and voltage.
pub(super) const POWER: Table = &[
    (Measure("watt"), &["watts", "watt"]),
    (Measure("kilowatt"), &["kilowatts", "kilowatt", "kw"]),
    (Measure("horsepower"), &["horsepower", "hp"]),
    (Measure("kilowatt hour"), &["kilowatt hours", "kwh"]),
    (Measure("calorie"), &["calories", "calorie", "kcal"]),
    (Measure("volt"), &["volts", "volt"]),
];

/// How loud something is, and how often it swings.
pub(super) const SOUND: Table = &[
    (Measure("decibel"), &["decibels", "decibel", "db"]),
    (Measure("hertz"), &["hertz", "hz"]),
    (Measure("kilohertz"), &["kilohertz", "khz"]),
    (Measure("megahertz"), &["megahertz", "mhz"]),
];

/// How much is stored or sent.
pub(super) const DATA: Table = &[
    (Measure("bit"), &["bits", "bit"]),
    (Measure("kilobit"), &["kilobits", "kilobit"]),
    (Measure("megabit"), &["megabits", "megabit"]),
    (Measure("gigabit"), &["gigabits", "gigabit"]),
    (Measure("byte"), &["bytes", "byte"]),
    (Measure("kilobyte"), &["kilobytes", "kb", "kilobyte"]),
    (Measure("megabyte"), &["megabytes", "mb", "megabyte"]),
    (Measure("gigabyte"), &["gigabytes", "gb", "gigabyte"]),
    (Measure("terabyte"), &["terabytes", "tb", "terabyte"]),
    (Measure("petabyte"), &["petabytes", "petabyte", "pb"]),
];

/// How old somebody is.
pub(super) const AGE: Table = &[
    (
        Measure("year of age"),
        &["years old", "year old", "years of age", "yo", "y/o", "years-old", "year-old"],
    ),
    (Measure("month of age"), &["months old", "month old", "months-old"]),
    (Measure("week of age"), &["weeks old", "week old"]),
    (Measure("day of age"), &["days old", "day old"]),
];
