//! What people mean differently by the same words, for the caller to choose.
//!
//! Public collections of sentences define such words in different ways, three in Korean and two in English; each field says
//! who means what. The parser is one and the same: only the meaning of what it has read is looked up here.

use super::Language;

/// The choices. [`Conventions::of`] has what suits somebody who talks to an assistant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conventions {
    /// The hours of the parts of the day.
    pub parts: PartsOfDay,
    /// `아침` after the morning and `주초` after Tuesday: the next (korean-datetime), or this one as it was said (Duckling,
    /// Recognizers-Text).
    pub parts_ahead: bool,
    /// What `3일 뒤` is.
    pub away: Away,
    /// What `3일 이내` is.
    pub within: Within,
    /// What `다음 금요일` and `지난 금요일` are.
    pub weekdays: Weekdays,
    /// Which week `10월 첫째 주` is.
    pub weeks: Weeks,
    /// What `지난 2주` is.
    pub rolling: Rolling,
    /// Whether `지난 3일` is the third of a month (korean-datetime) and only `지난 3일간` the last three days; else both
    /// are the last three days (Duckling, Recognizers-Text).
    pub last_day_is_a_date: bool,
    /// What `세 시` is.
    pub hours: Hours,
    /// Whether words that point at what was said before (`그날`, `전날`, `그다음 주`) count from today (Duckling,
    /// Recognizers-Text) or are no time at all (korean-datetime).
    pub pointing: bool,
    /// How much of a month or year its beginning and its end are.
    pub edges: Edges,
    /// Whether a day of a month is an ordinal to those who look for ordinals (Recognizers-Text): the eleventh of May.
    pub days_are_ordinals: bool,
    /// Whether `weekend` begins on Friday at 18:00 (English Duckling), not with Saturday.
    pub weekend_from_friday: bool,
    /// Whether `upcoming two weeks` is the one week two weeks ahead (English Duckling), not both.
    pub upcoming_is_one: bool,
    /// Whether `10 days from 18 december` ends after the 28th (English Duckling), not with the tenth day.
    pub lasting_counts_its_end: bool,
}

/// Hours of the parts of the day: the first, and the one they end before. More than 24 is the next day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PartsOfDay {
    /// `새벽`.
    pub dawn: (i64, i64),
    /// `이른 아침`, `아침 일찍`.
    pub early_morning: (i64, i64),
    /// `아침`.
    pub morning: (i64, i64),
    /// `오전`.
    pub forenoon: (i64, i64),
    /// `점심`.
    pub lunch: (i64, i64),
    /// `낮`.
    pub daytime: (i64, i64),
    /// `오후`.
    pub afternoon: (i64, i64),
    /// `저녁`.
    pub evening: (i64, i64),
    /// `밤`.
    pub night: (i64, i64),
    /// `심야`.
    pub late_night: (i64, i64),
    /// `업무 시간`.
    pub work: (i64, i64),
}

/// What a moment so many days, months or years away is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Away {
    /// As fine as the next finer unit: that hour in three days, that day in three months, that month in three years
    /// (Duckling).
    Finer,
    /// The day (korean-datetime, Recognizers-Text).
    Day,
}

/// What a moment within so many days is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// Its end, when something has to be done at the latest.
    End,
    /// The time from now to then (Recognizers-Text).
    Period,
    /// A length of time and no moment (korean-datetime).
    Nothing,
}

/// What a weekday with "next" or "last" is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weekdays {
    /// That of the next or last week from Monday to Sunday (Duckling, Recognizers-Text).
    OfWeek,
    /// With "next" that of the next week, with "last" the nearest one before today (English Duckling).
    NextOfWeek,
    /// The nearest one after or before today (korean-datetime).
    Nearest,
}

/// Which week of a month or year is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weeks {
    /// The one with most of its days in it, as in ISO 8601 (Duckling, Recognizers-Text).
    MostDays,
    /// The one with its first day: a row of the calendar on the wall; the last is that of its last day
    /// (korean-datetime).
    Rows,
    /// The first one that lies in it from Monday to Sunday, and the last one that does (English Duckling).
    Within,
}

/// What so many last or next days, weeks, months are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rolling {
    /// Whole units of the calendar: two weeks from Monday to Sunday (Duckling).
    Units,
    /// Up to today or from tomorrow on; hours and less: up to now or from now on (korean-datetime, Recognizers-Text).
    Days,
}

/// What an hour without a half of the day is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hours {
    /// On another day than today in waking hours: one to six are afternoon (korean-datetime).
    Waking,
    /// On another day as it was said: three is three in the morning (Duckling).
    AsSaid,
    /// On any day as it was said, and between from and to (Recognizers-Text, which names both halves).
    Literal,
}

/// How much the beginning and the end of something are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edges {
    /// Thirds of a month, Monday and Tuesday of a week, December of a year (korean-datetime, Duckling).
    Narrow,
    /// Halves: a month to its 15th and from its 16th, a week to Wednesday and from Thursday, a year to June and from
    /// July (Recognizers-Text).
    Halves,
}

// === Conventions ===

impl Default for Conventions {
    fn default() -> Self {
        Self {
            parts: PartsOfDay::KOREAN,
            parts_ahead: true,
            away: Away::Finer,
            within: Within::End,
            weekdays: Weekdays::OfWeek,
            weeks: Weeks::MostDays,
            rolling: Rolling::Units,
            last_day_is_a_date: false,
            hours: Hours::Waking,
            pointing: true,
            edges: Edges::Narrow,
            days_are_ordinals: false,
            weekend_from_friday: false,
            upcoming_is_one: false,
            lasting_counts_its_end: false,
        }
    }
}

impl Conventions {
    /// Those of korean-datetime 1.0 (its `docs/expectation-dsl.md`).
    pub const KOREAN_DATETIME: Self = Self {
        parts: PartsOfDay::KOREAN,
        parts_ahead: true,
        away: Away::Day,
        within: Within::Nothing,
        weekdays: Weekdays::Nearest,
        weeks: Weeks::Rows,
        rolling: Rolling::Days,
        last_day_is_a_date: true,
        hours: Hours::Waking,
        pointing: false,
        edges: Edges::Narrow,
        days_are_ordinals: false,
        weekend_from_friday: false,
        upcoming_is_one: false,
        lasting_counts_its_end: false,
    };
    /// Those of Duckling (`Duckling/Time/KO/Corpus.hs`).
    pub const DUCKLING: Self = Self {
        parts: PartsOfDay::DUCKLING,
        parts_ahead: false,
        away: Away::Finer,
        within: Within::End,
        weekdays: Weekdays::OfWeek,
        weeks: Weeks::MostDays,
        rolling: Rolling::Units,
        last_day_is_a_date: false,
        hours: Hours::AsSaid,
        pointing: true,
        edges: Edges::Narrow,
        days_are_ordinals: false,
        weekend_from_friday: false,
        upcoming_is_one: false,
        lasting_counts_its_end: false,
    };
    /// Those of Recognizers-Text (`Specs/DateTime/Korean`).
    pub const RECOGNIZERS: Self = Self {
        parts: PartsOfDay::RECOGNIZERS,
        parts_ahead: false,
        away: Away::Day,
        within: Within::Period,
        weekdays: Weekdays::OfWeek,
        weeks: Weeks::MostDays,
        rolling: Rolling::Days,
        last_day_is_a_date: false,
        hours: Hours::Literal,
        pointing: true,
        edges: Edges::Halves,
        days_are_ordinals: true,
        weekend_from_friday: false,
        upcoming_is_one: false,
        lasting_counts_its_end: false,
    };
    /// What suits somebody who talks to an assistant in English.
    pub const ENGLISH: Self = Self {
        parts: PartsOfDay::ENGLISH,
        parts_ahead: true,
        weekdays: Weekdays::NextOfWeek,
        ..Self::DUCKLING
    };
    /// Those of Duckling in English (`Duckling/Time/EN/Corpus.hs`).
    pub const DUCKLING_ENGLISH: Self = Self {
        parts: PartsOfDay::DUCKLING_ENGLISH,
        parts_ahead: false,
        within: Within::Period,
        weeks: Weeks::Within,
        weekend_from_friday: true,
        upcoming_is_one: true,
        lasting_counts_its_end: true,
        ..Self::ENGLISH
    };

    /// Returns what suits somebody who talks to an assistant in a language.
    pub fn of(language: Language) -> Self {
        match language {
            Language::Korean => Self::default(),
            Language::English => Self::ENGLISH,
        }
    }
}

// === PartsOfDay ===

impl PartsOfDay {
    /// As Koreans use them; the hours of korean-datetime.
    pub const KOREAN: Self = Self {
        dawn: (3, 6),
        early_morning: (6, 8),
        morning: (7, 10),
        forenoon: (9, 12),
        lunch: (12, 13),
        daytime: (12, 15),
        afternoon: (12, 18),
        evening: (18, 21),
        night: (21, 24),
        late_night: (24, 27),
        work: (9, 18),
    };
    /// Duckling's.
    pub const DUCKLING: Self = Self {
        dawn: (0, 6),
        early_morning: (4, 9),
        morning: (4, 12),
        forenoon: (0, 12),
        lunch: (12, 14),
        daytime: (12, 18),
        afternoon: (12, 19),
        evening: (18, 24),
        night: (18, 24),
        late_night: (24, 27),
        work: (9, 17),
    };
    /// As English speakers use them.
    pub const ENGLISH: Self = Self {
        dawn: (4, 6),
        early_morning: (5, 8),
        morning: (6, 12),
        forenoon: (6, 12),
        lunch: (12, 14),
        daytime: (9, 18),
        afternoon: (12, 18),
        evening: (18, 22),
        night: (18, 24),
        late_night: (22, 26),
        work: (9, 17),
    };
    /// Duckling's in English.
    pub const DUCKLING_ENGLISH: Self = Self { early_morning: (0, 9), morning: (0, 12), ..Self::DUCKLING };
    /// Those of Recognizers-Text.
    pub const RECOGNIZERS: Self = Self {
        dawn: (4, 8),
        early_morning: (8, 10),
        morning: (8, 12),
        forenoon: (8, 12),
        lunch: (11, 13),
        daytime: (8, 18),
        afternoon: (12, 16),
        evening: (16, 20),
        night: (20, 24),
        late_night: (22, 24),
        work: (8, 18),
    };
}
