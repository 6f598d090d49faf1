//! `[links]`: where contracts are answered, and how calls to them are guarded.

use std::collections::BTreeMap;

use ieum_policy::PolicyConfig;
use toml::{Table, Value};

use super::Mistake;
use super::reader::check_scheme;

/// One entry of `[links]`.
#[derive(Clone, Debug)]
pub struct LinkSettings {
    /// Where the contract is answered.
    pub to: String,
    /// Its policies.
    pub policy: PolicyConfig,
}

const LINKS: &[&str] =
    &["local", "http", "https", "grpc", "grpcs", "dns+http", "dns+https", "dns+grpc", "dns+grpcs", "bus"];

/// Reads the links, adding a mistake for everything that is wrong.
pub fn links(table: &Table, mistakes: &mut Vec<Mistake>) -> BTreeMap<String, LinkSettings> {
    let Some(Value::Table(links)) = table.get("links") else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for (contract, value) in links {
        let key = format!("links.{contract:?}");
        let mut wrong = |key: String, problem: String| mistakes.push(Mistake { key, problem });
        let (to, policy) = match value {
            Value::String(to) => (to.clone(), PolicyConfig::default()),
            Value::Table(own) => {
                let mut own = own.clone();
                let Some(Value::String(to)) = own.remove("to") else {
                    wrong(format!("{key}.to"), "is missing; name where the contract is answered".to_owned());
                    continue;
                };
                match policy(&own) {
                    Ok(policy) => (to, policy),
                    Err(problems) => {
                        for problem in problems {
                            wrong(key.clone(), problem);
                        }
                        (to, PolicyConfig::default())
                    }
                }
            }
            other => {
                wrong(key, format!("is a {}, expected a URL or a table with `to`", other.type_str()));
                continue;
            }
        };
        if let Err(problem) = check_scheme(&to, LINKS) {
            mistakes.push(Mistake { key, problem });
        }
        found.insert(contract.clone(), LinkSettings { to, policy });
    }
    found
}

fn policy(own: &Table) -> Result<PolicyConfig, Vec<String>> {
    let json = serde_json::to_value(own).map_err(|error| vec![error.to_string()])?;
    let table = json.as_object().cloned().unwrap_or_default();
    PolicyConfig::default().overlay(&table).map_err(|error| error.problems)
}
