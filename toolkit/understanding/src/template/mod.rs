//! Sentence templates in the format of Home Assistant's hassil: compiled once, then recognised in microseconds.
//!
//! Differences from hassil, which serves as the oracle: a template that uses a list nobody gave matches nothing
//! (hassil raises), values that are templates hold no lists themselves, entities that match no list are not
//! reported, and at most 256 ways of one template are followed.

mod context;
mod error;
mod file;
mod graph;
mod lists;
mod matcher;
mod net;
mod parse;
mod prefilter;
mod recognise;
mod rhino;
mod skip;
pub(crate) mod text;
mod trie;

pub use error::TemplateError;
pub use file::{
    Context, Fractions, IntentEntry, IntentsFile, ListEntry, RangeEntry, SentenceGroup, Settings, ValueEntry,
};
pub use lists::{ListValue, Lists};
pub use net::{Net, NetLink};
pub use recognise::{Recognised, Recogniser, Situation, Slot};

#[cfg(test)]
mod tests;
