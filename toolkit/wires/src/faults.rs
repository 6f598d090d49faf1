//! What the network's failures mean to a caller.

use std::error::Error;

use ieum_core::{Code, Fault};

use crate::connect::{ConnectError, cause, chain};

/// Names a failure before any answer began: `link.connect` or `link.certificate` where nothing was sent, else
/// `link.cut`.
pub(crate) fn unanswered(path: &str, error: &hyper_util::client::legacy::Error) -> Fault {
    if let Some(error) = cause::<ConnectError>(error) {
        let reason = match error {
            ConnectError::Handshake { .. } => "link.certificate",
            _ => "link.connect",
        };
        return Fault::unavailable(reason, format!("calling {path}: {}", chain(error)));
    }
    cut(path, error)
}

/// Names a connection that broke while a call was under way.
pub(crate) fn cut(path: &str, error: &(dyn Error + 'static)) -> Fault {
    tracing::debug!(operation = path, error = chain(error), "connection broke");
    Fault::unavailable("link.cut", format!("calling {path}: the connection broke before the whole answer"))
}

/// Tells whether nobody was there to be called.
pub(crate) fn found_nobody(fault: &Fault) -> bool {
    fault.reason == "link.connect"
}

/// Tells whether a fault speaks against the instance that was called, rather than against the call.
pub(crate) fn blames_instance(fault: &Fault) -> bool {
    let ours = matches!(
        &*fault.reason,
        "link.connect" | "link.certificate" | "link.cut" | "link.deadline" | "link.foreign_answer"
    );
    ours && matches!(fault.code, Code::Unavailable | Code::DeadlineExceeded | Code::Internal)
}
