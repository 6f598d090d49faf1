//! What must hold over every store.

pub use crate::api::*;
pub use crate::told::*;
