//! `device.bridge…`: the outside broker that the embedded one is joined with.

use std::path::PathBuf;

use ieum_edge::{Address, FlowError, check_flows};
use toml::{Table, Value};

use super::Mistake;

/// `device.bridge` and what belongs to it.
#[derive(Clone, Debug)]
pub struct BridgeSettings {
    /// Where the outside broker is.
    pub address: Address,
    /// The client identifier there.
    pub name: String,
    /// What goes out.
    pub out: Vec<String>,
    /// What comes in.
    pub r#in: Vec<String>,
    /// What topics begin with there.
    pub prefix: String,
    /// Who signed its certificate; `None` for whom this machine believes.
    pub authorities: Option<PathBuf>,
}

/// Reads the bridge, adding a mistake for everything that is wrong; `None` where none is set.
pub fn bridge(table: &Table, mistakes: &mut Vec<Mistake>) -> Option<BridgeSettings> {
    let section = table.get("device");
    let value = |name: &str| section.and_then(|section| section.get(name));
    let text = |name: &str| value(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |name: &str| -> Vec<String> {
        let entries = value(name).and_then(Value::as_array).into_iter().flatten();
        // What is no text is no filter either, which is told below.
        entries.map(|entry| entry.as_str().unwrap_or_default().to_owned()).collect()
    };
    let (url, name, prefix) = (text("bridge"), text("bridge_name"), text("bridge_prefix"));
    if url.is_empty() {
        return None;
    }
    let mut wrong = |key: &str, problem: String| {
        mistakes.push(Mistake { key: format!("device.{key}"), problem });
        None
    };
    let address = match Address::parse(&url) {
        Ok(address) => address,
        Err(error) => return wrong("bridge", error.to_string()),
    };
    if !(1..=23).contains(&name.len())
        || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    {
        return wrong("bridge_name", format!("{name:?} must have 1 to 23 letters, digits and '-'"));
    }
    let (out, r#in) = (list("bridge_out"), list("bridge_in"));
    if let Err(error) = check_flows(&out, &r#in, &prefix) {
        return match &error {
            FlowError::Nothing => wrong(
                "bridge_out",
                "is empty, and device.bridge_in too; name what goes out or what comes in".to_owned(),
            ),
            FlowError::Prefix(_) => wrong("bridge_prefix", error.to_string()),
            FlowError::Filter(filter) => {
                wrong(if out.contains(filter) { "bridge_out" } else { "bridge_in" }, error.to_string())
            }
        };
    }
    let authorities = Some(text("bridge_authorities")).filter(|path| !path.is_empty()).map(PathBuf::from);
    Some(BridgeSettings { address, name, out, r#in, prefix, authorities })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<BridgeSettings>, Vec<String>) {
        let mut mistakes = Vec::new();
        let name = if text.contains("bridge_name") { "" } else { "bridge_name = \"ieum\"\n" };
        let bridge = bridge(&format!("[device]\n{name}{text}").parse().expect("is TOML"), &mut mistakes);
        (
            bridge,
            mistakes.into_iter().map(|mistake| format!("{}: {}", mistake.key, mistake.problem)).collect(),
        )
    }

    #[test]
    fn a_bridge_is_read_and_a_wrong_one_is_told_without_its_password() {
        let url = "bridge = \"mqtt://u:canary@there\"\n";
        let (bridge, mistakes) =
            read(&format!("{url}bridge_out = [\"device/#\"]\nbridge_prefix = \"home/\""));
        assert_eq!((bridge.expect("is one").prefix.as_str(), mistakes.len()), ("home/", 0));
        assert!(read("").0.is_none());
        for (text, problem) in [
            (url.to_owned(), "device.bridge_out: is empty, and device.bridge_in too"),
            (
                format!("{url}bridge_in = [\"a/#/b\"]"),
                "device.bridge_in: bridging \"a/#/b\": it is no topic filter",
            ),
            (format!("{url}bridge_in = [\"a\"]\nbridge_name = \"\""), "device.bridge_name"),
            ("bridge = \"http://u:canary@there\"".to_owned(), "neither mqtt nor mqtts"),
        ] {
            let (bridge, mistakes) = read(&text);
            let said = mistakes.join("; ");
            assert!(bridge.is_none() && said.contains(problem) && !said.contains("canary"), "{said}");
        }
    }
}
