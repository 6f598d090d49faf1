//! What to do about a source that could not be read, from what went wrong.

use ieum_core::{Code, Fault};

/// Returns what the person who registers a source should try next.
pub fn advice(fault: &Fault) -> &'static str {
    match fault.reason.as_ref() {
        "client.address_refused" => {
            "give a public address, or name its network under outbound.allow if it is meant"
        }
        "client.redirect_refused" | "client.too_many_redirects" => {
            "give the address that it redirects to, if you trust it"
        }
        "client.connect" | "client.connect_timeout" | "client.interrupted" => {
            "check host and port, whether it is http or https, and its certificate"
        }
        "client.bad_json" | "events.source.garbage" => {
            "check that the address is the API's own and the connector the right one; this is no answer of such \
             a system"
        }
        "client.body_too_large" | "client.body_bomb" | "client.body_damaged" | "client.body_encoding" => {
            "check the address; no such system answers like this"
        }
        "client.first_byte" | "link.timeout" | "link.attempt_timeout" | "link.deadline" => {
            "it takes too long; try again, or ask who runs it"
        }
        "events.source.unhealthy" => "try again once it says that it is healthy",
        "events.pretix.no_list" => "make a check-in list there",
        _ => by_code(fault.code),
    }
}

fn by_code(code: Code) -> &'static str {
    match code {
        Code::Unauthenticated => {
            "the token or key is wrong or was revoked; make a new one there and give it with --token-file"
        }
        Code::PermissionDenied => {
            "the token may not read it, or the organizer or event is spelled wrong: some systems answer the same \
             for what they do not know"
        }
        Code::NotFound | Code::Unimplemented => {
            "check the address and the connector's options; nothing is at that path"
        }
        Code::ResourceExhausted => "it asks for fewer calls; try again later, or with a longer interval",
        Code::Unavailable | Code::Internal | Code::DeadlineExceeded => "it fails itself; try again later",
        _ => "check the address, the connector and its options",
    }
}
