//! The front door with a real store and a clock turned by hand.

mod doors;
mod errors;
mod keys;
mod mint;
mod stage;
mod tokens;
