//! What a caller is told whose operation nobody answers here: which part of its address is not known.

use ieum_core::Fault;

use crate::{Contract, Kind, Operation};

/// The longest name that is repeated to a caller, in characters.
const LONGEST: usize = 80;

/// Says why `contract/method` is not among `served`: the contract has no such operation
/// (`link.unknown_operation`), another version of it is served (`link.unknown_version`), or nobody serves it
/// (`link.unserved`).
pub fn unserved(served: &[&'static Contract], contract: &str, method: &str) -> Fault {
    let shown = format!("calling {}/{}", shorten(contract), shorten(method));
    if let Some(served) = served.iter().find(|served| served.name == contract) {
        let known: Vec<_> = served.operations.iter().map(|operation| operation.method).collect();
        let message = format!(
            "{shown}, an operation that the contract does not have here; it has {}",
            known.join(", ")
        );
        return Fault::unimplemented("link.unknown_operation", message);
    }
    let versions: Vec<_> =
        served.iter().map(|served| served.name).filter(|name| stem(name) == stem(contract)).collect();
    if versions.is_empty() {
        return Fault::unimplemented("link.unserved", format!("{shown}, whose contract nobody serves here"));
    }
    let message = format!("{shown}, a version that is not served here; served is {}", versions.join(", "));
    Fault::unimplemented("link.unknown_version", message)
}

/// Says that `operation` was called as what it is not (`link.wrong_kind`): a stream by a single message, or
/// the other way round.
pub fn wrong_kind(operation: &Operation) -> Fault {
    let (is, called) = match operation.kind {
        Kind::Stream => ("a stream", "with a single message"),
        Kind::Query | Kind::Command | Kind::Notice => ("no stream", "as a stream"),
    };
    let message = format!("calling {} {called}; it is {is} here", operation.path);
    Fault::unimplemented("link.wrong_kind", message)
}

/// Returns a contract's name without its version: `voice.context` of `voice.context.v2`.
fn stem(contract: &str) -> &str {
    match contract.rsplit_once('.') {
        Some((stem, last)) if is_version(last) && stem.contains('.') => stem,
        _ => contract,
    }
}

fn is_version(word: &str) -> bool {
    word.strip_prefix('v')
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn shorten(name: &str) -> String {
    name.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    static STOCK: Contract = Contract {
        name: "coffee.stock",
        operations: &[Operation {
            contract: "coffee.stock",
            method: "reserve",
            path: "coffee.stock/reserve",
            kind: Kind::Command,
        }],
    };

    #[test]
    fn each_part_of_an_address_that_is_not_known_has_its_own_reason() {
        for (contract, method, reason, words) in [
            ("coffee.stock", "reserve2", "link.unknown_operation", "it has reserve"),
            ("coffee.stock.v2", "reserve", "link.unknown_version", "served is coffee.stock"),
            ("coffee.stocks", "reserve", "link.unserved", "nobody serves"),
            ("v2", "reserve", "link.unserved", "nobody serves"),
        ] {
            let fault = unserved(&[&STOCK], contract, method);
            assert_eq!(fault.reason, reason);
            assert!(fault.message.contains(&format!("{contract}/{method}")), "{fault}");
            assert!(fault.message.contains(words), "{fault}");
        }
        let long = unserved(&[&STOCK], &"가".repeat(9_000), "get");
        assert!(long.message.chars().count() < 200, "{long}");
    }

    #[test]
    fn a_call_of_the_wrong_kind_says_what_the_operation_is() {
        let fault = wrong_kind(&STOCK.operations[0]);
        assert_eq!(fault.message, "calling coffee.stock/reserve as a stream; it is no stream here");
    }
}
