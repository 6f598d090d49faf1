//! The one table from URL to engine.

use std::path::Path;
use std::sync::Arc;

use ieum_core::{SharedClock, redact_url};

use crate::{EngineOptions, LakeError, SqlEngine};

/// The schemes of engines.
pub const SCHEMES: [&str; 2] = ["datafusion", "sc"];

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
    let wrong = |problem: &str| LakeError::Url { url: redact_url(url), problem: problem.to_owned() };
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some(scheme) if SCHEMES.contains(&scheme) => open(scheme, url, folder, options, clock).await,
        Some(other) => Err(wrong(&format!("{other:?} is no scheme of analytics; expected datafusion or sc"))),
        None => Err(wrong("it has no scheme; expected datafusion: or sc://")),
    }
}

#[cfg(feature = "engines")]
async fn open(
    scheme: &str,
    url: &str,
    folder: &Path,
    options: EngineOptions,
    clock: SharedClock,
) -> Result<Arc<dyn SqlEngine>, LakeError> {
    let lake = crate::Lake::open(folder)?;
    Ok(match scheme {
        "sc" => Arc::new(crate::Spark::open(url, lake, options, clock).await?),
        _ => Arc::new(crate::Embedded::new(lake, options, clock)?),
    })
}

#[cfg(not(feature = "engines"))]
async fn open(
    scheme: &str,
    url: &str,
    _: &Path,
    _: EngineOptions,
    _: SharedClock,
) -> Result<Arc<dyn SqlEngine>, LakeError> {
    let problem = format!("this build has no {scheme} engine; build with the feature `lake`");
    Err(LakeError::Url { url: redact_url(url), problem })
}
