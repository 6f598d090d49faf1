//! The client against a small real server: what is refused, limited, repeated and never shown.

mod guarded;
mod limits;
mod secrets;
mod site;
