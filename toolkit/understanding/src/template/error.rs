//! What can be wrong with intents files.

/// Why a set of sentences cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file is not an intents file.
    #[error("an intents file cannot be read as JSON")]
    Read(#[source] serde_json::Error),
    /// The file is not an intents file.
    #[error("an intents file cannot be read as YAML")]
    ReadYaml(#[source] Box<serde_saphyr::Error>),
    /// A template is not well formed.
    #[error("template \"{template}\" cannot be parsed: {why}")]
    Syntax {
        /// The template as written.
        template: String,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// A template names a rule nobody wrote.
    #[error("template \"{template}\" uses <{rule}>, which is not among the expansion rules")]
    MissingRule {
        /// The template as written.
        template: String,
        /// The missing rule.
        rule: String,
    },
    /// Rules stand in one another without end.
    #[error("template \"{template}\" expands without end at <{rule}>")]
    Endless {
        /// The template as written.
        template: String,
        /// The rule at which it was noticed.
        rule: String,
    },
    /// A template, with its rules, is larger than any sentence needs.
    #[error("template \"{template}\" has more than {most} parts with its rules expanded")]
    TooLarge {
        /// The template as written.
        template: String,
        /// The limit.
        most: usize,
    },
    /// A file has less room than its templates and the words of its numbers need.
    #[error("{what} needs {parts} parts, and {left} are left for all of its file")]
    TooMany {
        /// The template or list at which it was noticed.
        what: String,
        /// How many it needs.
        parts: usize,
        /// How many were left.
        left: usize,
    },
    /// A list has none of `values`, `range` and `wildcard: true`, or a range that holds nothing.
    #[error("list {{{list}}} cannot be used: {why}")]
    List {
        /// The list's name.
        list: String,
        /// What is wrong with it.
        why: &'static str,
    },
}
