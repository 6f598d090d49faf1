//! Processes that answer for this one: started, limited, told by name when they end, and started again.
//!
//! A process gets a group of its own, no environment but what is named, nothing to read, and a lifeline: a pipe that
//! this process holds open. When the pipe closes, because the process is to end, or because this one was killed, a
//! keeper within the group asks the whole group to end and ends it a little later. So nothing stays behind, whatever
//! the process was written for, and no signal is ever sent by a number that may be somebody else's by then.
//!
//! It listens where it likes on this machine and says so in one line on its standard output, [`HANDSHAKE`] and the
//! address: `ieum-plugin http://127.0.0.1:43121`. Everything else that it prints goes to the log under its name.

mod address;
mod ending;
mod launch;
mod memory;
mod output;
mod process;
mod restarts;
mod supervisor;

pub use address::{Address, AddressError, HANDSHAKE};
pub use ending::Ending;
pub use launch::PATH;
pub use process::{Process, ProcessOptions, State, Status};
pub use restarts::RestartRule;
