//! Why a process ended, in words for people.

use std::fmt;
use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use crate::AddressError;

/// Why a process ended. Displays as a sentence fragment that follows its name.
#[derive(Clone, Debug)]
pub enum Ending {
    /// By itself, or by a signal of somebody else.
    Exited(ExitStatus),
    /// There is no such program (status 127 of a shell before it said where it answers).
    Missing {
        /// The program.
        program: String,
    },
    /// The program may not be run (status 126 of a shell before it said where it answers).
    NotRunnable {
        /// The program.
        program: String,
    },
    /// Not even the keeper could be started.
    NotStarted(Arc<io::Error>),
    /// It and its children held more memory than they may.
    Memory {
        /// What they held, bytes.
        held: u64,
        /// What they may hold, bytes.
        limit: u64,
    },
    /// It did not say in time where it answers.
    Silent {
        /// How long it had.
        within: Duration,
    },
    /// It said that it answers where nobody is called.
    Strange(AddressError),
    /// It was told to.
    Stopped,
}

/// Bytes of a mebibyte.
const MEBIBYTE: u64 = 1 << 20;

// === Ending ===

impl Ending {
    /// Reads what an exit says of `program` that has not said yet where it answers: it may be the shell's.
    pub(crate) fn before_it_answers(status: ExitStatus, program: &str) -> Self {
        match status.code() {
            Some(127) => Self::Missing { program: program.to_owned() },
            Some(126) => Self::NotRunnable { program: program.to_owned() },
            _ => Self::Exited(status),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(status) => write!(out, "it ended with {status}"),
            Self::Missing { program } => write!(out, "there is no program {program:?}"),
            Self::NotRunnable { program } => write!(out, "the program {program:?} may not be run"),
            Self::NotStarted(error) => write!(out, "it could not be started: {error}"),
            Self::Memory { held, limit } => {
                let (held, limit) = (held.div_ceil(MEBIBYTE), limit / MEBIBYTE);
                write!(out, "it was ended for its memory: it held {held} MiB and may hold {limit} MiB")
            }
            Self::Silent { within } => {
                write!(out, "it was ended because it did not say within {within:?} where it answers")
            }
            Self::Strange(error) => write!(out, "it was ended because of its address: {error}"),
            Self::Stopped => out.write_str("it was told to end"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn every_ending_says_why() {
        let exit =
            |code: i32| Ending::before_it_answers(ExitStatus::from_raw(code << 8), "python4").to_string();
        assert_eq!(exit(1), "it ended with exit status: 1");
        assert_eq!(exit(127), "there is no program \"python4\"");
        assert_eq!(exit(126), "the program \"python4\" may not be run");
        let killed = Ending::before_it_answers(ExitStatus::from_raw(9), "python4").to_string();
        assert_eq!(killed, "it ended with signal: 9 (SIGKILL)");
        let eaten = Ending::Memory { held: 80 * MEBIBYTE + 1, limit: 64 * MEBIBYTE }.to_string();
        assert_eq!(eaten, "it was ended for its memory: it held 81 MiB and may hold 64 MiB");
    }
}
