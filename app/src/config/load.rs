//! Lays the file and the environment over the defaults and refuses what no default knows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{DEFAULTS, Settings};
use crate::nearest::nearest;

/// Where settings come from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file named on the command line; without one, `ieum.toml` in the working folder if it is there.
    pub file: Option<PathBuf>,
    /// The data folder named on the command line.
    pub data: Option<PathBuf>,
    /// The environment's variables.
    pub environment: BTreeMap<String, String>,
}

/// One wrong setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Such as `store.main`.
    pub key: String,
    /// What is wrong with it and what would be right.
    pub problem: String,
}

/// Says why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(
        "reading the settings file {path}; name another with --config, or leave that out for ieum.toml in this folder"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("reading {path}: {detail}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, column and what was expected there.
        detail: String,
    },
    /// Keys are wrong; each is named.
    #[error("{}", list(.0))]
    Wrong(Vec<Mistake>),
}

const PREFIX: &str = "IEUM__";

fn list(mistakes: &[Mistake]) -> String {
    let lines: Vec<_> =
        mistakes.iter().map(|mistake| format!("  {}: {}", mistake.key, mistake.problem)).collect();
    let noun = if mistakes.len() == 1 { "setting is" } else { "settings are" };
    format!("{} {noun} wrong\n{}", mistakes.len(), lines.join("\n"))
}

/// Reads every source and checks every setting. Fails with all mistakes at once.
pub fn load(sources: &Sources) -> Result<Settings, ConfigError> {
    let mut merged: Table =
        DEFAULTS.parse().map_err(|error: toml::de::Error| syntax(Path::new("ieum.toml"), &error))?;
    let mut mistakes = Vec::new();
    let mut data_is_named = sources.environment.contains_key("IEUM__DATA__DIR");
    if let Some(own) = read_file(sources.file.as_deref())? {
        data_is_named |= own.get("data").and_then(|data| data.get("dir")).is_some();
        lay_over(&mut merged, own, "", &mut mistakes);
    }
    for (name, text) in &sources.environment {
        if let Some(path) = name.strip_prefix(PREFIX) {
            lay_environment(&mut merged, path, text, &mut mistakes);
        }
    }
    if let Some(data) = &sources.data {
        let own = Table::from_iter([("dir".to_owned(), Value::String(data.display().to_string()))]);
        let own = Table::from_iter([("data".to_owned(), Value::Table(own))]);
        lay_over(&mut merged, own, "", &mut mistakes);
    }
    let mut settings = Settings::read(&merged, &mut mistakes);
    settings.data_is_named = data_is_named || sources.data.is_some();
    if mistakes.is_empty() {
        return Ok(settings);
    }
    mistakes.sort_by(|left, right| left.key.cmp(&right.key));
    Err(ConfigError::Wrong(mistakes))
}

fn syntax(path: &Path, error: &toml::de::Error) -> ConfigError {
    ConfigError::Syntax { path: path.to_owned(), detail: error.to_string().trim_end().to_owned() }
}

fn read_file(named: Option<&Path>) -> Result<Option<Table>, ConfigError> {
    let path = named.unwrap_or(Path::new("ieum.toml"));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ConfigError::Read { path: path.to_owned(), source }),
    };
    text.parse().map(Some).map_err(|error| syntax(path, &error))
}

/// Puts `own` over `base`. A key without default is a mistake, but for names under `links` and
/// `voice.plugins`.
fn lay_over(base: &mut Table, own: Table, above: &str, mistakes: &mut Vec<Mistake>) {
    for (name, value) in own {
        let key = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        if matches!(above, "links" | "voice.plugins") {
            base.insert(name, value);
            continue;
        }
        match (base.get_mut(&name), value) {
            (Some(Value::Table(base)), Value::Table(own)) => lay_over(base, own, &key, mistakes),
            (Some(present), value) if present.same_type(&value) => *present = value,
            (Some(present), value) => mistakes.push(Mistake {
                key,
                problem: format!(
                    "is {}, expected {}",
                    with_article(value.type_str()),
                    with_article(present.type_str())
                ),
            }),
            (None, _) => {
                let problem = match nearest(&name, base.keys().map(String::as_str)) {
                    Some(known) => format!("is not a setting; did you mean {known:?}?"),
                    None => "is not a setting; `ieum check --defaults` lists them all".to_owned(),
                };
                mistakes.push(Mistake { key, problem });
            }
        }
    }
}

fn with_article(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {word}")
}

fn lay_environment(base: &mut Table, path: &str, text: &str, mistakes: &mut Vec<Mistake>) {
    let words: Vec<String> = path.split("__").map(str::to_lowercase).collect();
    let [section, name] = words.as_slice() else {
        let problem = "is no setting of the form IEUM__SECTION__KEY".to_owned();
        mistakes.push(Mistake { key: format!("{PREFIX}{path}"), problem });
        return;
    };
    let expected = base.get(section).and_then(|table| table.get(name));
    let value = match expected {
        Some(Value::String(_)) | None => Value::String(text.to_owned()),
        // Numbers, booleans and lists are written as in the file.
        Some(_) => match format!("value = {text}").parse::<Table>() {
            Ok(mut table) => table.remove("value").unwrap_or_else(|| Value::String(text.to_owned())),
            Err(_) => Value::String(text.to_owned()),
        },
    };
    let own = Table::from_iter([(name.clone(), value)]);
    let own = Table::from_iter([(section.clone(), Value::Table(own))]);
    lay_over(base, own, "", mistakes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str, environment: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("own.toml");
        std::fs::write(&path, text).expect("is written");
        let pairs = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        load(&Sources { file: Some(path), data: None, environment: pairs.collect() })
    }

    #[test]
    fn the_defaults_read_back() {
        let settings = load_text("", &[]).expect("the defaults are right");
        assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.store.main, "sqlite:ieum.db");
        assert!(settings.links.is_empty());
    }

    #[test]
    fn every_default_has_a_comment() {
        let lines: Vec<_> = DEFAULTS.lines().collect();
        for pair in lines.windows(2) {
            if pair[1].contains(" = ") && !pair[1].starts_with('#') {
                assert!(pair[0].starts_with('#'), "{} has no comment", pair[1]);
            }
        }
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let text = r#"
            [server]
            listen = "everywhere"
            most_body = "large"
            drian = "10s"
            [store]
            main = "oracle://db"
            wait = "5 parsecs"
            [outbound]
            allow = ["10.0.0.0/99"]
            [links."events.state"]
            to = "pigeon://roof"
            timeout = "soon"
        "#;
        let error = load_text(text, &[("IEUM__CACHE__MIAN", "redis://x")]).expect_err("much is wrong");
        insta::assert_snapshot!(error);
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let environment = [("IEUM__SERVER__LISTEN", "127.0.0.1:0"), ("IEUM__STORE__POOL", "3")];
        let settings = load_text("[server]\nlisten = \"127.0.0.1:9\"", &environment).expect("is right");
        assert_eq!((settings.server.listen.port(), settings.store.pool), (0, 3));
    }

    #[test]
    fn a_file_that_is_no_toml_tells_where() {
        let error = load_text("[server\nlisten", &[]).expect_err("is no TOML").to_string();
        assert!(error.contains("line 1"), "{error}");
    }
}
