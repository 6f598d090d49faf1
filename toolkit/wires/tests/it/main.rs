//! One contract's suite over every way to meet it, and each wire's own manners.

mod sample;
mod suite;
