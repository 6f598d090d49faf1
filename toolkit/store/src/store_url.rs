//! Reads a store's URL: one visible table from scheme to backend.

use std::path::PathBuf;

use ieum_core::redact_url;
use url::Url;

use crate::{Dialect, StoreError};

/// Where a store is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    SqliteFile(PathBuf),
    SqliteMemory,
    Postgres(String),
    MySql(String),
}

impl Place {
    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::SqliteFile(_) | Self::SqliteMemory => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
            Self::MySql(_) => Dialect::MySql,
        }
    }
}

/// Reads `sqlite:path`, `sqlite::memory:`, `postgres://…`, `mysql://…` or `mariadb://…`.
pub(crate) fn read(url: &str) -> Result<Place, StoreError> {
    let wrong = |problem: &str| StoreError::Url { url: redact_url(url), problem: problem.to_owned() };
    let (scheme, rest) = url
        .split_once(':')
        .ok_or_else(|| wrong("it has no scheme; expected sqlite:, postgres://, mysql:// or mariadb://"))?;
    match scheme {
        "sqlite" => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            match path {
                "" => Err(wrong("it names no file; expected sqlite:path or sqlite::memory:")),
                ":memory:" => Ok(Place::SqliteMemory),
                path if path.contains(['?', '#', '\0']) => Err(wrong("a file name here has no ?, # or NUL")),
                path => Ok(Place::SqliteFile(PathBuf::from(path))),
            }
        }
        "postgres" | "postgresql" => Ok(Place::Postgres(server_url(url, "postgres", rest, &wrong)?)),
        "mysql" | "mariadb" => Ok(Place::MySql(server_url(url, "mysql", rest, &wrong)?)),
        other => Err(wrong(&format!(
            "{other:?} is no scheme of a store; expected sqlite, postgres, mysql or mariadb"
        ))),
    }
}

fn server_url(
    url: &str,
    scheme: &str,
    rest: &str,
    wrong: &dyn Fn(&str) -> StoreError,
) -> Result<String, StoreError> {
    let parsed = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
    let has_socket = parsed.query_pairs().any(|(name, _)| matches!(&*name, "host" | "socket"));
    if parsed.host_str().unwrap_or_default().is_empty() && !has_socket {
        return Err(wrong("it names no host"));
    }
    if parsed.path().trim_matches('/').is_empty() {
        return Err(wrong("it names no database; expected …/name at the end"));
    }
    Ok(format!("{scheme}:{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_leads_to_its_backend() {
        assert_eq!(read("sqlite::memory:").expect("is a url"), Place::SqliteMemory);
        assert_eq!(
            read("sqlite:한글 폴더/a.db").expect("is a url"),
            Place::SqliteFile("한글 폴더/a.db".into())
        );
        assert_eq!(read("sqlite:///var/a.db").expect("is a url"), Place::SqliteFile("/var/a.db".into()));
        assert_eq!(
            read("mariadb://u:p@h:1/d").expect("is a url"),
            Place::MySql("mysql://u:p@h:1/d".to_owned())
        );
    }

    #[test]
    fn garbage_is_refused_with_a_sentence_and_without_the_password() {
        for url in [
            "",
            "x",
            "sqlite:",
            "oracle://a:hunter2@h/d",
            "postgres://u:hunter2@/d",
            "postgres://u:hunter2@h",
            "mysql://u:hunter2@h:port/d",
            "postgres://u:hunter2@h:99999/d",
            "sqlite:a?mode=ro",
            "hunter2@h",
        ] {
            let error = read(url).expect_err("is garbage").to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
