//! Documents that grow: a count, a state and the last of many entries under one key, added to by one atomic upsert.
//!
//! | URL | where | for |
//! |---|---|---|
//! | `sql:` | the SQL store | nothing to install; its backup holds them |
//! | `mongodb://…` | MongoDB (feature `mongo`) | documents that others read and index too |

mod document;
mod error;
#[cfg(feature = "mongo")]
mod mongo;
mod open;
mod sql;

pub use document::{Collection, Document, Documents, Entry, Key, SHOWN};
pub use error::DocumentsError;
#[cfg(feature = "mongo")]
pub use mongo::MongoDocuments;
pub use open::{check_documents_url, open_documents};
pub use sql::SqlDocuments;
