//! The sentences that come with Ieum: weather, time, timers, alarms, reminders, things, announcements, the platform.

use crate::template::{IntentsFile, TemplateError};

/// The languages there are sentences for.
pub const LANGUAGES: [&str; 2] = ["ko", "en"];

/// Returns the sentences of a language (`ko`, `en-US`), or `None` for a language without any.
///
/// Slots that hold a time or an amount (`when`, `duration`, `level`) are words; [`crate::value`] makes values of them.
///
/// # Errors
/// Never for the files that come with this crate; its tests read both.
pub fn sentences(language: &str) -> Option<Result<IntentsFile, TemplateError>> {
    let family = language.split(['-', '_']).next().unwrap_or(language);
    let yaml = match family {
        "ko" => include_str!("../sentences/ko.yaml"),
        "en" => include_str!("../sentences/en.yaml"),
        _ => return None,
    };
    Some(IntentsFile::from_yaml(yaml))
}
