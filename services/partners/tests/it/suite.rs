//! What must hold over every store.

pub use crate::api::*;
pub use crate::isolation::*;
pub use crate::plans::*;
pub use crate::told::*;
