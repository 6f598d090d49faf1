//! The names of agents, sessions and contexts: paths such as `projects/p/agent/sessions/s/contexts/c`.

use std::fmt;

/// The longest part of a name, in bytes.
const LONGEST_PART: usize = 250;
/// The longest id of a session, in bytes. Google documents 36, and takes more.
pub(crate) const LONGEST_SESSION: usize = 512;

/// Names an agent: `projects/{project}/agent` or `projects/{project}/locations/{location}/agent`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AgentName {
    /// The project.
    pub project: String,
    /// The region, such as `asia-northeast1`; `None` is `global`.
    pub location: Option<String>,
}

/// Names a session of an agent: the agent's name, then `/sessions/{session}`, with
/// `/environments/{environment}/users/{user}` between them or not.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SessionName {
    /// Whose session.
    pub agent: AgentName,
    /// Environment and user, where the name has them.
    pub environment: Option<(String, String)>,
    /// The session's own id.
    pub session: String,
}

/// Says why a text is no name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NameError {
    /// The path has another shape.
    #[error("{given:?} is no name of {what}; expected {shape}")]
    Shape {
        /// What was given, cut.
        given: String,
        /// What should be named.
        what: &'static str,
        /// How such a name looks.
        shape: &'static str,
    },
    /// A context's id.
    #[error("{given:?} is no id of a context; use letters, digits, _, - and %, 250 bytes at most")]
    Context {
        /// What was given, cut.
        given: String,
    },
}

/// What a path names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Resource {
    Session(SessionName),
    Contexts(SessionName),
    Context(SessionName, String),
    Intents(AgentName),
    Intent(AgentName, String),
    EntityTypes(AgentName),
    EntityType(AgentName, String),
}

// === AgentName ===

impl AgentName {
    /// Names the agent of `project`.
    pub fn new(project: &str) -> Self {
        Self { project: project.to_owned(), location: None }
    }

    /// Reads `projects/p/agent` or `projects/p/locations/l/agent`.
    ///
    /// # Errors
    /// Any other shape.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let segments: Vec<&str> = text.split('/').collect();
        match split_agent(&segments) {
            // Reading goes to the same agent in every environment.
            Some((name, [])) => Ok(name),
            Some((name, ["environments", environment])) if is_part(environment) => Ok(name),
            _ => Err(shape(text, "an agent", "projects/PROJECT/agent")),
        }
    }
}

impl fmt::Display for AgentName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "projects/{}", self.project)?;
        if let Some(location) = &self.location {
            write!(out, "/locations/{location}")?;
        }
        out.write_str("/agent")
    }
}

// === SessionName ===

impl SessionName {
    /// Names the session `session` of the agent of `project`.
    pub fn new(project: &str, session: &str) -> Self {
        Self { agent: AgentName::new(project), environment: None, session: session.to_owned() }
    }

    /// Reads a session's name.
    ///
    /// # Errors
    /// Any other shape.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match Resource::parse(text) {
            Some(Resource::Session(name)) => Ok(name),
            _ => Err(shape(text, "a session", "projects/PROJECT/agent/sessions/SESSION")),
        }
    }

    /// Returns the name of the context `id` in this session.
    pub fn context(&self, id: &str) -> String {
        format!("{self}/contexts/{id}")
    }

    /// Reads the name of a context: its session and its id.
    ///
    /// # Errors
    /// Any other shape, and an id that no context may have.
    pub fn parse_context(text: &str) -> Result<(Self, String), NameError> {
        match Resource::parse(text) {
            Some(Resource::Context(session, id)) => Ok((session, context_id(&id)?)),
            _ => Err(shape(text, "a context", "projects/PROJECT/agent/sessions/SESSION/contexts/CONTEXT")),
        }
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.agent)?;
        if let Some((environment, user)) = &self.environment {
            write!(out, "/environments/{environment}/users/{user}")?;
        }
        write!(out, "/sessions/{}", self.session)
    }
}

/// Returns a context's id as it is kept: in lower case, as Dialogflow does it.
///
/// # Errors
/// An id with other letters than `a-zA-Z0-9_-%`, none, or more than 250 bytes.
pub fn context_id(text: &str) -> Result<String, NameError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'%'));
    if text.is_empty() || text.len() > LONGEST_PART || !plain {
        return Err(NameError::Context { given: cut(text) });
    }
    Ok(text.to_ascii_lowercase())
}

// === Resource ===

impl Resource {
    /// Reads a path without a leading slash; `None` where it has no known shape.
    pub fn parse(text: &str) -> Option<Self> {
        let segments: Vec<&str> = text.split('/').collect();
        let (agent, rest) = split_agent(&segments)?;
        let id = |text: &str| is_part(text).then(|| text.to_owned());
        match rest {
            ["intents"] => return Some(Self::Intents(agent)),
            ["environments", environment, "intents"] if is_part(environment) => {
                return Some(Self::Intents(agent));
            }
            ["intents", intent] => return Some(Self::Intent(agent, id(intent)?)),
            ["entityTypes"] => return Some(Self::EntityTypes(agent)),
            ["entityTypes", kind] => return Some(Self::EntityType(agent, id(kind)?)),
            _ => {}
        }
        let session_id = |text: &str| is_named(text, LONGEST_SESSION).then(|| text.to_owned());
        let (environment, session, rest) = match rest {
            ["sessions", session, rest @ ..] => (None, session_id(session)?, rest),
            ["environments", environment, "users", user, "sessions", session, rest @ ..] => {
                (Some((id(environment)?, id(user)?)), session_id(session)?, rest)
            }
            _ => return None,
        };
        let session = SessionName { agent, environment, session };
        match rest {
            [] => Some(Self::Session(session)),
            ["contexts"] => Some(Self::Contexts(session)),
            ["contexts", context] => Some(Self::Context(session, id(context)?)),
            _ => None,
        }
    }
}

fn split_agent<'a>(segments: &'a [&'a str]) -> Option<(AgentName, &'a [&'a str])> {
    let (project, location, rest) = match segments {
        ["projects", project, "agent", rest @ ..] => (*project, None, rest),
        ["projects", project, "locations", location, "agent", rest @ ..] => (*project, Some(*location), rest),
        _ => return None,
    };
    if !is_part(project) || !location.is_none_or(is_part) {
        return None;
    }
    Some((AgentName { project: project.to_owned(), location: location.map(ToOwned::to_owned) }, rest))
}

fn is_part(text: &str) -> bool {
    is_named(text, LONGEST_PART)
}

fn is_named(text: &str, longest: usize) -> bool {
    !text.is_empty()
        && text.len() <= longest
        && !text.chars().any(|letter| letter.is_control() || letter.is_whitespace())
        && !text.contains(['/', '?', '#'])
}

fn shape(given: &str, what: &'static str, shape: &'static str) -> NameError {
    NameError::Shape { given: cut(given), what, shape }
}

fn cut(text: &str) -> String {
    text.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_sessions_name_reads_back() {
        for text in [
            "projects/p/agent/sessions/s-1",
            "projects/p/locations/asia-northeast1/agent/sessions/s",
            "projects/p/agent/environments/draft/users/-/sessions/s",
            "projects/p/locations/eu/agent/environments/e/users/u/sessions/주방",
        ] {
            let name = SessionName::parse(text).expect("is a name");
            assert_eq!(name.to_string(), text);
            let context = name.context("Weather-2");
            assert_eq!(SessionName::parse_context(&context), Ok((name, "weather-2".to_owned())));
        }
    }

    #[test]
    fn other_shapes_are_refused_in_a_sentence() {
        for text in
            ["", "sessions/s", "projects//agent/sessions/s", "projects/p/agent/sessions/", "projects/p/agent"]
        {
            assert!(
                SessionName::parse(text).expect_err(text).to_string().contains("expected projects/"),
                "{text}"
            );
        }
        let long = "x".repeat(LONGEST_PART + 1);
        for id in ["", "a b", "날씨", &long] {
            assert!(context_id(id).is_err(), "{id}");
        }
        assert_eq!(AgentName::parse("projects/p/agent"), Ok(AgentName::new("p")));
        assert!(AgentName::parse("projects/p/agent/sessions/s").is_err());
    }
}
