//! What partners see: the resource-shaped JSON of the API, versioned apart from the contracts.

mod events;
mod usage;
mod webhooks;

pub use events::*;
pub use ieum_gateway::ProblemView;
pub use usage::*;
pub use webhooks::*;
