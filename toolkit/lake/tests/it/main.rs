//! The lake and its engines: one suite over each engine, and what files promise.
#![cfg(feature = "engines")]

mod files;
mod sample;
mod suite;
