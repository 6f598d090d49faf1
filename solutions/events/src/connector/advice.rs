//! What kind of failure it was that a source could not be read by, and what to do about it.

use ieum_contracts::wording::Phrase;
use ieum_core::{Code, Fault};

/// Returns what went wrong together with what the person who registers a source should try next.
pub fn cause(fault: &Fault) -> Phrase {
    match fault.reason.as_ref() {
        "client.address_refused" => Phrase::SourceAddressRefused,
        "client.redirect_refused" | "client.too_many_redirects" => Phrase::SourceRedirects,
        "client.connect" | "client.connect_timeout" | "client.interrupted" => Phrase::SourceUnreachable,
        "client.bad_json" | "events.source.garbage" => Phrase::SourceGarbage,
        "client.body_too_large" | "client.body_bomb" | "client.body_damaged" | "client.body_encoding" => {
            Phrase::SourceTooLarge
        }
        "client.first_byte" | "link.timeout" | "link.attempt_timeout" | "link.deadline" => Phrase::SourceSlow,
        "events.source.unhealthy" => Phrase::SourceUnhealthy,
        "events.pretix.no_list" => Phrase::SourceNoList,
        _ => by_code(fault.code),
    }
}

fn by_code(code: Code) -> Phrase {
    match code {
        Code::Unauthenticated => Phrase::SourceKeyRefused,
        Code::PermissionDenied => Phrase::SourceNotAllowed,
        Code::NotFound | Code::Unimplemented => Phrase::SourceNotFound,
        Code::ResourceExhausted => Phrase::SourceThrottles,
        Code::Unavailable | Code::Internal | Code::DeadlineExceeded => Phrase::SourceFails,
        _ => Phrase::SourceOther,
    }
}
