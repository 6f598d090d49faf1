//! `[voice.plugins.NAME]`: plugins from outside, each a command that is run or a place that answers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ieum_policy::{BulkheadConfig, FallbackConfig, PolicyConfig, RetryConfig};
use toml::{Table, Value};

use super::Mistake;
use super::reader::check_scheme;

/// One entry of `[voice.plugins]`.
#[derive(Clone, Debug)]
pub struct PluginSettings {
    /// Who answers.
    pub answerer: Answerer,
    /// How calls to it are guarded.
    pub policy: PolicyConfig,
}

/// Who answers as a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answerer {
    /// A process that this one starts.
    Command(CommandSettings),
    /// Whoever is there already, by the URL of a link.
    At(String),
}

/// A process that is to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandSettings {
    /// The program and its words.
    pub command: Vec<String>,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// The folder it runs in; this process's where none is named.
    pub folder: Option<PathBuf>,
    /// How much memory it and its children may hold, bytes.
    pub memory: u64,
}

/// What stands beside the policies in an entry.
const OWN: [&str; 5] = ["command", "to", "environment", "folder", "memory"];
/// What a process that is not started here cannot be given.
const FOR_COMMANDS: [&str; 3] = ["environment", "folder", "memory"];
/// Wires to plugins that run already.
const WIRES: [&str; 8] = ["http", "https", "grpc", "grpcs", "dns+http", "dns+https", "dns+grpc", "dns+grpcs"];

/// The longest name: it stands in paths, metrics and the log.
const LONGEST_NAME: usize = 40;
/// How long a turn waits for a plugin that names nothing else.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How many turns one asks at once, and how many wait for that.
const AT_ONCE: BulkheadConfig = BulkheadConfig { limit: 16, queue: 16 };
/// The memory of a process that names nothing else.
const MEMORY: u64 = 256 << 20;
/// The least and the most memory: less than the first no interpreter starts in.
const LEAST_MEMORY: u64 = 16 << 20;
const MOST_MEMORY: u64 = 1 << 40;

/// Reads the plugins, adding a mistake for everything that is wrong.
pub fn plugins(table: &Table, mistakes: &mut Vec<Mistake>) -> BTreeMap<String, PluginSettings> {
    let entries = table.get("voice").and_then(|voice| voice.get("plugins")).and_then(Value::as_table);
    let mut found = BTreeMap::new();
    for (name, value) in entries.into_iter().flatten() {
        let mut entry = Entry { key: format!("voice.plugins.{name}"), mistakes };
        let plain =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(plain) {
            let problem = format!("is no name of 1 to {LONGEST_NAME} letters a-z, digits, - and _");
            entry.mistakes.push(Mistake { key: entry.key.clone(), problem });
            continue;
        }
        let Some(own) = value.as_table() else {
            let problem = "is no table with `command` or `to`".to_owned();
            entry.mistakes.push(Mistake { key: entry.key.clone(), problem });
            continue;
        };
        let policy = entry.policy(own);
        if let (Some(answerer), Some(policy)) = (entry.answerer(own), policy) {
            found.insert(name.clone(), PluginSettings { answerer, policy });
        }
    }
    found
}

/// One entry and where its mistakes go.
struct Entry<'a> {
    key: String,
    mistakes: &'a mut Vec<Mistake>,
}

// === Entry ===

impl Entry<'_> {
    fn wrong(&mut self, field: &str, problem: impl Into<String>) {
        self.mistakes.push(Mistake { key: format!("{}.{field}", self.key), problem: problem.into() });
    }

    /// Reads the policies: those of any link, but a plugin that does not answer is told to whoever spoke, who may say it
    /// again.
    fn policy(&mut self, own: &Table) -> Option<PolicyConfig> {
        let mut own = own.clone();
        for field in OWN {
            own.remove(field);
        }
        let base = PolicyConfig {
            timeout: TIMEOUT,
            retry: RetryConfig { attempts: 1, ..RetryConfig::default() },
            bulkhead: Some(AT_ONCE),
            ..PolicyConfig::default()
        };
        let json = serde_json::to_value(&own).unwrap_or_default();
        let policy = match base.overlay(&json.as_object().cloned().unwrap_or_default()) {
            Ok(policy) => policy,
            Err(error) => {
                for problem in error.problems {
                    let (field, problem) = problem.split_once(": ").unwrap_or(("policies", &problem));
                    // The policies know nothing of what stands beside them.
                    let problem = match field.contains('.') {
                        true => problem.to_owned(),
                        false => {
                            problem.replacen("known are ", &format!("known are {}, ", OWN.join(", ")), 1)
                        }
                    };
                    self.wrong(field, problem);
                }
                return None;
            }
        };
        if policy.fallback != FallbackConfig::Off {
            self.wrong("fallback", "a plugin's answer is for its turn alone; nothing stands in for it");
            return None;
        }
        Some(policy)
    }

    fn answerer(&mut self, own: &Table) -> Option<Answerer> {
        match (own.get("command"), own.get("to")) {
            (Some(_), Some(_)) => {
                self.wrong(
                    "to",
                    "stands beside `command`; a plugin is started here or runs already, not both",
                );
                None
            }
            (None, None) => {
                self.wrong(
                    "command",
                    "is missing; name what is to be started, or in `to` where it answers already",
                );
                None
            }
            (None, Some(to)) => self.place(own, to).map(Answerer::At),
            (Some(command), None) => self.command(own, command).map(Answerer::Command),
        }
    }

    fn place(&mut self, own: &Table, to: &Value) -> Option<String> {
        for field in FOR_COMMANDS.into_iter().filter(|field| own.contains_key(*field)) {
            self.wrong(field, "is for a `command`; give it where the plugin is started");
        }
        let to = to.as_str().unwrap_or_default();
        match check_scheme(to, &WIRES) {
            Ok(()) => Some(to.to_owned()),
            Err(problem) => {
                self.wrong("to", problem);
                None
            }
        }
    }

    fn command(&mut self, own: &Table, command: &Value) -> Option<CommandSettings> {
        let before = self.mistakes.len();
        let words =
            command.as_array().map(|words| words.iter().filter_map(Value::as_str).collect::<Vec<_>>());
        let is_whole = |words: &Vec<&str>| words.len() == command.as_array().map_or(0, Vec::len);
        let words = words.filter(|words| is_whole(words) && !words.iter().any(|word| word.contains('\0')));
        if words.as_ref().and_then(|words| words.first()).is_none_or(|program| program.is_empty()) {
            self.wrong(
                "command",
                "is no list of a program and its words, such as [\"python3\", \"coffee.py\"]",
            );
        }
        let environment = self.environment(own);
        let folder = match own.get("folder") {
            None => None,
            Some(Value::String(folder)) if !folder.is_empty() => Some(PathBuf::from(folder)),
            Some(_) => {
                self.wrong("folder", "is no path");
                None
            }
        };
        let memory = own.get("memory").map_or(Ok(MEMORY), |memory| size(memory.as_str().unwrap_or_default()));
        let memory = memory.unwrap_or_else(|problem| {
            self.wrong("memory", problem);
            MEMORY
        });
        let command = words?.into_iter().map(str::to_owned).collect();
        (self.mistakes.len() == before).then_some(CommandSettings { command, environment, folder, memory })
    }

    fn environment(&mut self, own: &Table) -> BTreeMap<String, String> {
        let Some(value) = own.get("environment") else { return BTreeMap::new() };
        let Some(table) = value.as_table() else {
            self.wrong("environment", "is no table of names and texts, such as { TZ = \"Asia/Seoul\" }");
            return BTreeMap::new();
        };
        let mut environment = BTreeMap::new();
        for (name, value) in table {
            let is_name = !name.starts_with(|letter: char| letter.is_ascii_digit())
                && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
                && !name.is_empty();
            match value.as_str().filter(|text| is_name && !text.contains('\0')) {
                Some(text) => drop(environment.insert(name.clone(), text.to_owned())),
                // The value is not repeated: it may be a secret.
                None => self.wrong(&format!("environment.{name}"), "is no name of a variable with a text"),
            }
        }
        environment
    }
}

/// Reads an amount of memory, such as `256 MiB`.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no amount of memory such as \"256 MiB\", from 16 MiB to 1 TiB");
    let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim() {
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return Err(wrong()),
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    bytes.filter(|bytes| (LEAST_MEMORY..=MOST_MEMORY).contains(bytes)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (BTreeMap<String, PluginSettings>, Vec<String>) {
        let mut mistakes = Vec::new();
        let found = plugins(&text.parse().expect("is TOML"), &mut mistakes);
        let lines = mistakes.into_iter().map(|mistake| format!("{}: {}", mistake.key, mistake.problem));
        (found, lines.collect())
    }

    #[test]
    fn a_command_and_a_place_are_read_with_their_policies() {
        let (found, mistakes) = read(
            r#"
            [voice.plugins.coffee]
            command = ["python3", "coffee.py"]
            timeout = "800ms"
            memory = "64 MiB"
            folder = "plugins"
            environment = { TZ = "Asia/Seoul" }
            [voice.plugins.tea]
            to = "grpc://127.0.0.1:7001"
            bulkhead = 4
            "#,
        );
        assert_eq!(mistakes, Vec::<String>::new());
        let Answerer::Command(coffee) = &found["coffee"].answerer else { panic!("is a command") };
        assert_eq!((coffee.memory, coffee.environment.len()), (64 << 20, 1));
        assert_eq!(found["coffee"].policy.timeout, Duration::from_millis(800));
        assert_eq!(found["tea"].answerer, Answerer::At("grpc://127.0.0.1:7001".to_owned()));
        let tea = &found["tea"].policy;
        assert_eq!((tea.timeout, tea.retry.attempts), (TIMEOUT, 1));
        assert_eq!(tea.bulkhead.map(|bulkhead| bulkhead.limit), Some(4));
    }

    #[test]
    fn nonsense_is_refused_by_field() {
        for (entry, expected) in [
            ("", "voice.plugins.x.command: is missing"),
            ("command = []", "voice.plugins.x.command: is no list"),
            ("command = [\"\"]", "voice.plugins.x.command: is no list"),
            ("command = [\"python3\", 7]", "voice.plugins.x.command: is no list"),
            ("command = \"python3 coffee.py\"", "voice.plugins.x.command: is no list"),
            ("command = [\"a\"]\nto = \"http://a:1\"", "voice.plugins.x.to: stands beside `command`"),
            ("command = [\"a\"]\nmemory = \"lots\"", "voice.plugins.x.memory: \"lots\" is no amount"),
            ("command = [\"a\"]\nmemory = \"1 MiB\"", "voice.plugins.x.memory: \"1 MiB\" is no amount"),
            ("command = [\"a\"]\nmemory = 7", "voice.plugins.x.memory: \"\" is no amount"),
            ("command = [\"a\"]\nfolder = 7", "voice.plugins.x.folder: is no path"),
            ("command = [\"a\"]\nenvironment = 7", "voice.plugins.x.environment: is no table"),
            (
                "command = [\"a\"]\nenvironment = { A-B = \"\" }",
                "voice.plugins.x.environment.A-B: is no name",
            ),
            ("command = [\"a\"]\nenvironment = { A = 7 }", "voice.plugins.x.environment.A: is no name"),
            ("command = [\"a\"]\ntimeout = \"soon\"", "voice.plugins.x.timeout: "),
            ("command = [\"a\"]\nloud = true", "voice.plugins.x.loud: "),
            ("command = [\"a\"]\nfallback = \"last-good\"", "voice.plugins.x.fallback: a plugin's answer"),
            ("to = \"local\"", "voice.plugins.x.to: begins with none of http:"),
            ("to = \"http://a:1\"\nmemory = \"64 MiB\"", "voice.plugins.x.memory: is for a `command`"),
        ] {
            let (_, mistakes) = read(&format!("[voice.plugins.x]\n{entry}"));
            assert!(mistakes.iter().any(|line| line.starts_with(expected)), "{entry}: {mistakes:?}");
        }
        let (found, mistakes) = read("[voice.plugins]\n\"a/b\" = { to = \"http://a:1\" }\nc = 7");
        assert!(found.is_empty() && mistakes.len() == 2, "{mistakes:?}");
    }
}
