//! The one table from URL to engine.

use std::path::Path;
use std::sync::Arc;

use ieum_core::{SharedClock, redact_url};

use crate::{EngineOptions, LakeError, SqlEngine};

/// The schemes of engines.
pub const SCHEMES: [&str; 2] = ["datafusion", "sc"];

/// Checks without opening anything whether [`open_engine`] would try `url`.
///
/// # Errors
/// [`LakeError::Url`] for a URL that names no engine of this build.
pub fn check_engine_url(url: &str) -> Result<(), LakeError> {
    let wrong = |problem: String| LakeError::Url { url: redact_url(url), problem };
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some(scheme) if SCHEMES.contains(&scheme) => check(scheme, url),
        Some(other) => Err(wrong(format!("{other:?} is no scheme of analytics; expected datafusion or sc"))),
        None => Err(wrong("it has no scheme; expected datafusion: or sc://".to_owned())),
    }
}

#[cfg(feature = "engines")]
fn check(scheme: &str, url: &str) -> Result<(), LakeError> {
    if scheme == "sc" { crate::spark::check(url) } else { Ok(()) }
}

#[cfg(not(feature = "engines"))]
fn check(scheme: &str, url: &str) -> Result<(), LakeError> {
    let problem = format!("this build has no {scheme} engine; build with the feature `lake`");
    Err(LakeError::Url { url: redact_url(url), problem })
}

/// Opens the engine at `url` over the lake in `folder`; see the crate's table. A Spark cluster must see the same
/// folder under the same path.
///
/// # Errors
/// [`LakeError::Url`] for a URL that names no engine of this build, [`LakeError::Unreachable`] for a cluster that
/// gives no answer, and what opening the folder says.
pub async fn open_engine(
    url: &str,
    folder: &Path,
    options: EngineOptions,
    clock: SharedClock,
) -> Result<Arc<dyn SqlEngine>, LakeError> {
    check_engine_url(url)?;
    open(url, folder, options, clock).await
}

#[cfg(feature = "engines")]
async fn open(
    url: &str,
    folder: &Path,
    options: EngineOptions,
    clock: SharedClock,
) -> Result<Arc<dyn SqlEngine>, LakeError> {
    let lake = crate::Lake::open(folder)?;
    Ok(match url.starts_with("sc:") {
        true => Arc::new(crate::Spark::open(url, lake, options, clock).await?),
        false => Arc::new(crate::Embedded::new(lake, options, clock)?),
    })
}

/// Never asked: no URL passes the check of a build without engines.
#[cfg(not(feature = "engines"))]
async fn open(
    url: &str,
    _: &Path,
    _: EngineOptions,
    _: SharedClock,
) -> Result<Arc<dyn SqlEngine>, LakeError> {
    Err(LakeError::Url { url: redact_url(url), problem: "this build has no engine".to_owned() })
}
