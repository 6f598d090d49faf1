//! What messages say: one template per name and language, the first line the title, the rest the text.

use std::path::Path;

use ieum_contracts::notify::Locale;
use ieum_core::Fault;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::Value;

/// The templates that come along: name, Korean, English.
const BUILT_IN: [(&str, &str, &str); 3] = [
    ("message", include_str!("templates/message.ko.txt"), include_str!("templates/message.en.txt")),
    (
        "event_alert",
        include_str!("templates/event_alert.ko.txt"),
        include_str!("templates/event_alert.en.txt"),
    ),
    ("digest", include_str!("templates/digest.ko.txt"), include_str!("templates/digest.en.txt")),
];

/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;
/// The longest text, in bytes.
const LONGEST_BODY: usize = 64 << 10;
/// Steps after which a template is taken for endless.
const FUEL: u64 = 200_000;

/// Every template.
pub struct Templates(Environment<'static>);

/// A message as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// One line.
    pub title: String,
    /// Plain text.
    pub body: String,
}

/// Says which template is wrong.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The folder or a file in it cannot be read.
    #[error("reading templates from {path}")]
    Read {
        /// The folder or file.
        path: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A template cannot be understood.
    #[error("understanding the template {name}")]
    Syntax {
        /// The name with its language.
        name: String,
        /// Where and why.
        #[source]
        cause: minijinja::Error,
    },
}

/// Checks the templates of `folder` without writing any.
///
/// # Errors
/// The folder or a file that cannot be read, a template that cannot be understood.
pub fn check_templates(folder: &Path) -> Result<(), TemplateError> {
    Templates::open(Some(folder)).map(drop)
}

impl Templates {
    /// Returns the templates that come along, and those of `folder` beside or instead of them: files called
    /// `name.ko.txt` and `name.en.txt`.
    pub fn open(folder: Option<&Path>) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // Plain text: nothing is escaped; what makes a header is cut to one line.
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(FUEL));
        let mut all: Vec<(String, String)> = Vec::new();
        for (name, korean, english) in BUILT_IN {
            all.push((format!("{name}.ko"), korean.to_owned()));
            all.push((format!("{name}.en"), english.to_owned()));
        }
        if let Some(folder) = folder {
            all.extend(read(folder)?);
        }
        for (name, source) in all {
            let wrong = |cause| TemplateError::Syntax { name: name.clone(), cause };
            environment.add_template_owned(name.clone(), source).map_err(wrong)?;
        }
        Ok(Self(environment))
    }

    /// Writes a message. Fails with `notify.template.unknown`, and with `notify.invalid` where a value is missing or
    /// the text grows too long.
    pub fn write(&self, name: &str, locale: Locale, values: &Value) -> Result<Written, Fault> {
        let language = match locale {
            Locale::Ko => "ko",
            Locale::En => "en",
        };
        let template = self.0.get_template(&format!("{name}.{language}")).map_err(|_| {
            let message = format!("there is no template {name:?} in the language {language:?}");
            Fault::invalid_argument("notify.template.unknown", message)
        })?;
        let text = template.render(values).map_err(|error| {
            let line = error.line().map(|line| format!(" in line {line}")).unwrap_or_default();
            let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
            let message = format!("writing the template {name}.{language}{line}: {what}");
            Fault::invalid_argument("notify.invalid", message)
        })?;
        if text.len() > LONGEST_BODY {
            let message = format!("writing the template {name}.{language}: longer than {LONGEST_BODY} bytes");
            return Err(Fault::invalid_argument("notify.invalid", message));
        }
        let (title, body) = text.split_once('\n').unwrap_or((&text, ""));
        let line = |letter: char| if letter.is_control() { ' ' } else { letter };
        let title = title.chars().take(LONGEST_TITLE).map(line).collect::<String>().trim().to_owned();
        Ok(Written { title, body: body.trim().to_owned() })
    }
}

fn read(folder: &Path) -> Result<Vec<(String, String)>, TemplateError> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |cause| TemplateError::Read { path, cause }
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".txt"));
        if let Some(name) = name {
            found.push((name.to_owned(), std::fs::read_to_string(&path).map_err(failed(&path))?));
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_is_written_in_the_recipient_s_language() {
        let templates = Templates::open(None).expect("are right");
        let values =
            json!({ "eventName": "Jazz", "message": "90 %", "severity": "warning", "kind": "capacity.90" });
        let korean = templates.write("event_alert", Locale::Ko, &values).expect("is written");
        let english = templates.write("event_alert", Locale::En, &values).expect("is written");
        assert_eq!(korean.title, "[주의] Jazz: 90 %");
        assert_eq!(english.title, "[Warning] Jazz: 90 %");
        assert_ne!(korean.body, english.body);
    }

    #[test]
    fn a_missing_value_is_named_and_a_value_makes_no_second_line_of_the_title() {
        let templates = Templates::open(None).expect("are right");
        let fault =
            templates.write("message", Locale::En, &json!({ "title": "a" })).expect_err("lacks a value");
        assert_eq!(fault.reason, "notify.invalid");
        assert!(fault.message.contains("message.en"), "{}", fault.message);
        let values = json!({ "title": "a\r\nBcc: evil@example.org", "text": "b" });
        let written = templates.write("message", Locale::En, &values).expect("is written");
        assert!(!written.title.contains(['\r', '\n']), "{written:?}");
        let fault = templates.write("none", Locale::En, &json!({})).expect_err("is none");
        assert_eq!(fault.reason, "notify.template.unknown");
    }

    #[test]
    fn a_folder_adds_templates_and_a_wrong_one_is_named() {
        let folder = tempfile::tempdir().expect("makes a folder");
        std::fs::write(folder.path().join("hello.en.txt"), "Hello {{ name }}\n\nbye").expect("writes");
        let templates = Templates::open(Some(folder.path())).expect("are right");
        let written = templates.write("hello", Locale::En, &json!({ "name": "you" })).expect("is written");
        assert_eq!((written.title.as_str(), written.body.as_str()), ("Hello you", "bye"));
        std::fs::write(folder.path().join("broken.ko.txt"), "{% if %}").expect("writes");
        let error = Templates::open(Some(folder.path())).err().expect("is broken");
        assert_eq!(error.to_string(), "understanding the template broken.ko");
        let endless = "{% for i in range(10000) %}{% for j in range(10000) %}x{% endfor %}{% endfor %}";
        std::fs::write(folder.path().join("broken.ko.txt"), endless).expect("writes");
        let templates = Templates::open(Some(folder.path())).expect("is a template");
        assert!(templates.write("broken", Locale::Ko, &json!({})).is_err(), "runs out of fuel");
    }
}
