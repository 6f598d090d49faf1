//! Whose failure a fault is: the answerer's, or an answer like any other. Breaker, figures and fallbacks keep this one rule.

use ieum_core::Code;

/// The codes of faults that are failures of the answerer. All else is an answer: the request was wrong or not allowed, what
/// it names does not exist, or its caller left.
const FAILURES: [Code; 4] = [Code::Unavailable, Code::DeadlineExceeded, Code::Internal, Code::DataLoss];

/// Tells whether a fault of this code is a failure of the answerer.
pub(crate) fn is_of_answerer(code: Code) -> bool {
    FAILURES.contains(&code)
}
