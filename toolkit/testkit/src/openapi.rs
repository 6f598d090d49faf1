//! Whether a committed OpenAPI document says what the handlers say.

use std::path::{Path, PathBuf};

/// Where the documents are committed, from the folder of any crate.
const FOLDER: &str = "contracts/openapi";

/// Compares the document `name` under `contracts/openapi` with what was generated.
///
/// # Panics
/// Where they differ: the new document lies in the folder for temporary files, and the message says how to take it.
pub fn is_committed(name: &str, generated: &str) {
    let committed = folder().join(format!("{name}.json"));
    if std::fs::read_to_string(&committed).unwrap_or_default() == generated {
        return;
    }
    let fresh = std::env::temp_dir().join(format!("ieum-{name}.json"));
    std::fs::write(&fresh, generated).expect("writes the new document");
    let (fresh, committed) = (fresh.display(), committed.display());
    panic!("the API changed; look at the difference, then: cp {fresh} {committed}");
}

/// Returns the folder of committed documents. A test runs in its crate's folder, somewhere below it.
fn folder() -> PathBuf {
    let here = std::env::current_dir().expect("a test runs somewhere");
    let found = here.ancestors().map(|folder| folder.join(FOLDER)).find(|folder| folder.is_dir());
    found.unwrap_or_else(|| Path::new(FOLDER).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_differs_is_told_with_how_to_take_it() {
        let path = folder().join("events.json");
        is_committed("events", &std::fs::read_to_string(path).expect("is committed"));
        let refused = std::panic::catch_unwind(|| is_committed("nobodys", "{}\n")).expect_err("is not there");
        let told = refused.downcast_ref::<String>().expect("says why");
        assert!(told.contains("cp ") && told.ends_with("contracts/openapi/nobodys.json"), "{told}");
    }
}
