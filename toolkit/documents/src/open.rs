//! The one table from URL to backend of documents.

use std::sync::Arc;

use ieum_core::{SharedClock, redact_url};
use ieum_store::Store;

use crate::{Documents, DocumentsError, SqlDocuments};

/// Opens documents at `url`: `sql:` on `store`, or `mongodb://[user:password@]host[:port][,…]/database`. No server is
/// asked yet ([`Documents::ping`] does), so one that is down now may come up later.
///
/// # Errors
/// A URL that cannot be read, or one whose backend this build leaves out.
pub async fn open_documents(
    url: &str,
    store: Store,
    clock: SharedClock,
) -> Result<Arc<dyn Documents>, DocumentsError> {
    check_documents_url(url)?;
    #[cfg(feature = "mongo")]
    if url.starts_with("mongodb:") {
        return Ok(Arc::new(crate::MongoDocuments::open(url, clock).await?));
    }
    drop(clock);
    Ok(Arc::new(SqlDocuments::new(store)))
}

/// Checks the URL of documents without opening anything.
///
/// # Errors
/// A URL that cannot be read, or one whose backend this build leaves out.
pub fn check_documents_url(url: &str) -> Result<(), DocumentsError> {
    let wrong = |problem: &str| DocumentsError::Url { url: redact_url(url), problem: problem.to_owned() };
    match url.split_once(':') {
        Some(("sql", "")) => Ok(()),
        #[cfg(feature = "mongo")]
        Some(("mongodb", _)) => crate::mongo::check(url).map_err(|problem| wrong(&problem)),
        #[cfg(not(feature = "mongo"))]
        Some(("mongodb", _)) => Err(DocumentsError::NotBuilt { feature: "mongo" }),
        Some(("mongodb+srv", _)) => {
            Err(wrong("servers are not looked up in DNS here; list them: mongodb://one,other/database"))
        }
        _ => Err(wrong("expected sql: or mongodb://host/database")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_url_says_what_to_do_and_shows_no_password() {
        assert!(check_documents_url("sql:").is_ok());
        for (url, part) in [
            ("", "expected sql: or mongodb://"),
            ("sql:ieum.db", "expected sql: or mongodb://"),
            ("redis://me:hush@h", "expected sql: or mongodb://"),
            ("mongodb+srv://me:hush@h/db", "list them"),
        ] {
            let error = check_documents_url(url).expect_err("is refused").to_string();
            assert!(error.contains(part) && !error.contains("hush"), "{url}: {error}");
        }
    }

    #[cfg(not(feature = "mongo"))]
    #[test]
    fn a_build_without_mongodb_says_how_to_get_it() {
        let error = check_documents_url("mongodb://me:hush@h/db").expect_err("is refused").to_string();
        assert_eq!(error, "this build has no mongo; rebuild with --features mongo");
    }

    #[cfg(feature = "mongo")]
    #[test]
    fn mongodb_needs_a_host_and_a_database() {
        for url in [
            "mongodb://me:hush@h:27017/voice?replicaSet=a",
            "mongodb://one,other:27018/voice?authSource=admin",
            "mongodb://[::1]:27017/voice",
        ] {
            check_documents_url(url).expect("is right");
        }
        for (url, part) in [
            ("mongodb:", "write mongodb://host/database"),
            ("mongodb://", "write mongodb://host/database"),
            ("mongodb:///voice", "write mongodb://host/database"),
            ("mongodb://me:hush@h", "names no database"),
            ("mongodb://me:hush@h/?replicaSet=a", "names no database"),
            ("mongodb://me:hu sh/@h/db", "percent-encoded"),
            ("mongodb://me:hush%@h/db", "percent-encoded"),
            ("mongodb://me:hush@h:port/db", "port"),
            ("mongodb://me:hush@h/db?connectTimeoutMS=soon", "connecttimeoutms"),
        ] {
            let error = check_documents_url(url).expect_err("is refused").to_string();
            assert!(error.contains(part) && !error.contains("hu"), "{url}: {error}");
        }
    }
}
