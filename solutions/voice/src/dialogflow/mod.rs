//! Dialogflow on both sides of voice: an engine far away that is asked first, and an API that Dialogflow's clients
//! speak.

mod contexts;
mod events;
mod own;
mod pieces;
mod remote;
mod served;
mod slots;

pub use remote::{DialogflowUnderstanding, SAID};
pub use served::router;
