//! Reads the contexts of Picovoice's Rhino as an intents file: what was written for one understands here.
//!
//! Source: the expression syntax of the Rhino documentation. `[a, b]` is one of several, `(a)` may be left out,
//! `$type:slot` is a value, `@macro` a named part. Slots of their own making (`$pv.…`) are refused.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::template::error::TemplateError;
use crate::template::file::{IntentEntry, IntentsFile, ListEntry, SentenceGroup, ValueEntry};

#[derive(Deserialize)]
struct File {
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    #[serde(default)]
    expressions: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    slots: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    macros: BTreeMap<String, Vec<String>>,
}

// === IntentsFile ===

impl IntentsFile {
    /// Reads the YAML of a Rhino context in `language` (`en`, `ko`).
    ///
    /// # Errors
    /// When it is not the YAML of one, or an expression uses a type that is not written in it.
    pub fn from_rhino(yaml: &str, language: &str) -> Result<Self, TemplateError> {
        let file: File =
            serde_saphyr::from_str(yaml).map_err(|cause| TemplateError::ReadYaml(Box::new(cause)))?;
        let mut read = Self { language: language.to_owned(), ..Self::default() };
        for (intent, expressions) in file.context.expressions {
            let sentences = expressions.iter().map(|text| template(text)).collect::<Result<_, _>>()?;
            let data = vec![SentenceGroup { sentences, ..SentenceGroup::default() }];
            read.intents.insert(intent, IntentEntry { data });
        }
        for (name, values) in file.context.slots {
            let values = values.iter().map(|text| template(text).map(ValueEntry::Plain));
            let values = Some(values.collect::<Result<_, _>>()?);
            read.lists.insert(name, ListEntry { values, ..ListEntry::default() });
        }
        for (name, phrases) in file.context.macros {
            let phrases: Vec<String> = phrases.iter().map(|text| template(text)).collect::<Result<_, _>>()?;
            read.expansion_rules.insert(name, format!("({})", phrases.join("|")));
        }
        Ok(read)
    }
}

/// Rewrites an expression as one of our templates.
fn template(expression: &str) -> Result<String, TemplateError> {
    let mut written = String::with_capacity(expression.len());
    let mut rest = expression;
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        match next {
            '[' => written.push('('),
            ']' => written.push(')'),
            '(' => written.push('['),
            ')' => written.push(']'),
            // Between the ways of a group; no sentence has one elsewhere.
            ',' => {
                written.truncate(written.trim_end().len());
                written.push('|');
                rest = rest.trim_start();
            }
            '$' | '@' => {
                let end = rest.find(|char: char| !(char.is_alphanumeric() || "_.:-".contains(char)));
                let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
                rest = after;
                if name.is_empty() || name.starts_with("pv.") {
                    return Err(TemplateError::Syntax {
                        template: expression.to_owned(),
                        why: "it uses a type that the context does not write down",
                    });
                }
                let (open, close) = if next == '$' { ('{', '}') } else { ('<', '>') };
                written.extend([open]);
                written.push_str(name);
                written.push(close);
            }
            '{' | '}' | '<' | '>' | '|' | ';' | '\\' => written.extend(['\\', next]),
            other => written.push(other),
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Recogniser, Situation};

    const KETTLE: &str = r#"
context:
  expressions:
    heat:
      - "[heat, boil] (the) $amount:cups @water (please)"
  slots:
    amount: ["one cup of", "two cups of"]
  macros:
    water: ["water", "[green, black] tea"]
"#;

    #[test]
    fn a_context_is_understood_as_it_was_meant() {
        let file = IntentsFile::from_rhino(KETTLE, "en").expect("it is one");
        let recogniser = Recogniser::compile(&file).expect("it compiles");
        let found = recogniser.recognise("Boil two cups of green tea, please", &Situation::default());
        let found = found.expect("it is said");
        assert_eq!((found.intent.as_str(), found.slot("cups")), ("heat", Some(&"two cups of".into())));
        assert!(recogniser.recognise("boil green tea", &Situation::default()).is_none());
    }

    #[test]
    fn a_type_that_is_not_written_down_is_refused_by_name() {
        let error = template("set it to $pv.Percent:level").expect_err("it is theirs");
        assert!(error.to_string().contains("$pv.Percent:level"), "{error}");
    }

    #[test]
    fn the_net_holds_every_sentence_and_no_other() {
        let file = IntentsFile::from_rhino(KETTLE, "en").expect("it is one");
        let net = Recogniser::compile(&file).expect("it compiles").net(&Situation::default());
        let mut sentences = Vec::new();
        let mut left = vec![(0, String::new())];
        while let Some((knot, said)) = left.pop() {
            if net.ends.contains(&knot) {
                sentences.push(said.split_whitespace().collect::<Vec<_>>().join(" "));
            }
            let on = net.links.iter().filter(|link| link.from == knot);
            left.extend(on.map(|link| (link.to, format!("{said}{}", link.said))));
        }
        assert!(sentences.contains(&"heat the one cup of black tea".to_owned()), "{sentences:?}");
        assert_eq!(sentences.len(), 2 * 2 * 2 * 3 * 2);
    }
}
