//! What was said, understood without any network: sentence templates, values in Korean and English, a classifier.
//!
//! [`template`] recognises sentences written down beforehand, in the format of Home Assistant's hassil.
//! [`value`] finds numbers, dates, times, durations, money and measures in what was said.
//! [`classify`] guesses the intent of a sentence nobody wrote down, and says when it is none of those it knows.
//! [`several`] takes a sentence with several commands apart. Nothing here reads a file, the time or the network.

pub mod builtin;
pub mod classify;
pub mod several;
pub mod template;
pub mod value;
