//! An error in one line, with everything that caused it.

use std::error::Error;

/// Returns the error's message and those of its causes, joined by `: `.
pub fn describe(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
