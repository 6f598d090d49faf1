//! Why a chore did not succeed, as a sentence for the person at the terminal.

use std::fmt;

/// A chore failed. Holds the sentence to show.
#[derive(Debug)]
pub struct Failure(pub String);

/// Says what was tried when something fails.
pub trait Tried<T> {
    /// Turns an error into a [`Failure`] that begins with what was tried.
    fn tried(self, what: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> Tried<T> for Result<T, E> {
    fn tried(self, what: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure(format!("{what}: {error}")))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
