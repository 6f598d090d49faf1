//! What must hold over every store.

pub use crate::behaviour::*;
pub use crate::description::*;
pub use crate::history::*;
pub use crate::outlook::*;
pub use crate::pages::*;
pub use crate::questions::*;
