//! The crate as its users call it: random rows, a ledger under racing questions, real people.

mod anonymised;
mod budgeted;
mod real_people;
