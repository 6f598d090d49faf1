//! What a bridge passes: topic filters each way and a prefix, checked before anything is joined.

/// Says what cannot be bridged.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// It is no filter.
    #[error("bridging {0:?}: it is no topic filter; write topics such as device/+/event or sensors/#")]
    Filter(String),
    /// It cannot begin a topic.
    #[error("bridging under the prefix {0:?}: it may hold no '+' and no '#'")]
    Prefix(String),
    /// Nothing goes either way.
    #[error("bridging nothing: name what goes out or what comes in")]
    Nothing,
}

/// Checks what is to go out and to come in, and the prefix of the topics there.
///
/// # Errors
/// What cannot be bridged.
pub fn check_flows(out: &[String], r#in: &[String], prefix: &str) -> Result<(), FlowError> {
    if prefix.contains(['+', '#', '\0']) {
        return Err(FlowError::Prefix(prefix.to_owned()));
    }
    if out.is_empty() && r#in.is_empty() {
        return Err(FlowError::Nothing);
    }
    let wrong = out.iter().chain(r#in).find(|filter| !is_filter(filter));
    wrong.map_or(Ok(()), |filter| Err(FlowError::Filter(filter.clone())))
}

/// Tells whether `text` is a topic filter that is not shared (MQTT 5 §4.7).
fn is_filter(text: &str) -> bool {
    let levels: Vec<&str> = text.split('/').collect();
    let last = levels.len() - 1;
    let fits = |(at, level): (usize, &&str)| match *level {
        "+" => true,
        "#" => at == last,
        level => !level.contains(['+', '#', '\0']),
    };
    !text.is_empty() && text.len() < 65_536 && !text.starts_with('$') && levels.iter().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, BridgeOptions, Trust};

    #[test]
    fn what_cannot_be_bridged_is_named() {
        let address = Address::parse("mqtt://there").expect("is one");
        let mut options =
            BridgeOptions::new(address, "bridge", Trust::of_this_machine().expect("is believed"));
        assert_eq!(options.check(), Err(FlowError::Nothing));
        options.out = vec!["device/+/event".to_owned(), "#".to_owned()];
        assert_eq!(options.check(), Ok(()));
        for wrong in ["", "a/#/b", "a+", "$share/g/a", "$SYS/#"] {
            options.r#in = vec![wrong.to_owned()];
            assert_eq!(options.check(), Err(FlowError::Filter(wrong.to_owned())));
        }
        options.prefix = "a/+/".to_owned();
        assert_eq!(options.check(), Err(FlowError::Prefix("a/+/".to_owned())));
    }
}
