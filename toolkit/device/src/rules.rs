//! Who may publish and subscribe to what: a small table, decided without asking anybody.

use std::sync::Arc;

use crate::packet::Reason;
use crate::topic::{covers, matches, overlaps, read_filter};

/// Who is connected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Principal {
    /// A device that proved who it is.
    Device(Arc<str>),
    /// Nobody proved anything.
    Anonymous,
}

/// Whom a rule is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// Devices that proved who they are.
    Device,
    /// Clients without credentials, where such are let in at all.
    Anonymous,
    /// Both.
    Anyone,
}

/// What a rule is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// Publishing, wills included.
    Publish,
    /// Subscribing.
    Subscribe,
    /// Both.
    Both,
}

/// What a rule says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// It may. A filter must ask for nothing beyond the rule's pattern.
    Allow,
    /// It may not (reason code 0x87). A filter is refused where it asks for anything within the rule's pattern.
    Refuse,
    /// It may not, and is not told why (reason code 0x80). A filter is refused where it asks for nothing but what
    /// is within the rule's pattern; a wider one is for the rules that follow.
    Hide,
}

/// One rule. The first that applies decides; where none does, the answer is no.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Whom it is about.
    pub who: Who,
    /// What it is about.
    pub act: Act,
    /// A topic filter. `{device}` stands for the device's own id, `{client}` for the client identifier; for a
    /// client without credentials both are the client identifier.
    pub pattern: String,
    /// What it says.
    pub effect: Effect,
}

/// The rules of a broker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    everything: bool,
}

/// A rule that cannot be followed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("reading the topic rule {pattern:?}: it is no topic filter; write one such as device/{{device}}/#")]
pub struct RuleError {
    /// Its pattern.
    pub pattern: String,
}

/// The rules as they are for one client.
#[derive(Debug)]
pub(crate) struct Permissions {
    rules: Vec<(Act, String, Effect)>,
    everything: bool,
}

impl Rules {
    /// A device may publish and subscribe to `device/{own id}/#` and nothing else.
    pub fn own_topics() -> Self {
        let pattern = "device/{device}/#".to_owned();
        let rule = Rule { who: Who::Anyone, act: Act::Both, pattern, effect: Effect::Allow };
        Self { rules: vec![rule], everything: false }
    }

    /// Follows `rules`, from first to last.
    ///
    /// # Errors
    /// A pattern that is no topic filter.
    pub fn of(rules: Vec<Rule>) -> Result<Self, RuleError> {
        let wrong = rules.iter().find(|rule| {
            let filled = rule.pattern.replace("{device}", "x").replace("{client}", "x");
            read_filter(&filled).is_none_or(|filter| filter.group.is_some())
        });
        match wrong {
            Some(rule) => Err(RuleError { pattern: rule.pattern.clone() }),
            None => Ok(Self { rules, everything: false }),
        }
    }

    /// Everybody may do all that `self` does not refuse, `$` topics included: for closed networks and tests.
    #[must_use]
    pub fn and_everything_else(mut self) -> Self {
        self.everything = true;
        self
    }

    /// Returns the rules as they are for one client.
    pub(crate) fn permissions(&self, principal: &Principal, client: &str) -> Permissions {
        let device = match principal {
            Principal::Device(device) => device,
            Principal::Anonymous => client,
        };
        let applies = |rule: &&Rule| match rule.who {
            Who::Anyone => true,
            Who::Device => matches!(principal, Principal::Device(_)),
            Who::Anonymous => *principal == Principal::Anonymous,
        };
        let filled = |rule: &Rule| {
            // A name with a wildcard in it would open what the rule does not mean.
            let fits = |placeholder, name: &str| {
                !rule.pattern.contains(placeholder)
                    || !name.is_empty() && !name.contains(['/', '+', '#', '\0'])
            };
            if !fits("{device}", device) || !fits("{client}", client) {
                return None;
            }
            let pattern = rule.pattern.replace("{device}", device).replace("{client}", client);
            Some((rule.act, pattern, rule.effect))
        };
        let rules = self.rules.iter().filter(applies).filter_map(filled).collect();
        Permissions { rules, everything: self.everything }
    }
}

impl Permissions {
    /// Decides whether `topic` may be published to.
    pub fn publish(&self, topic: &str) -> Result<(), Reason> {
        let rules = self.rules.iter().filter(|(act, ..)| *act != Act::Subscribe);
        let found = rules.into_iter().find(|(_, pattern, _)| matches(pattern, topic));
        self.say(found.map(|(.., effect)| *effect))
    }

    /// Decides whether `filter` may be subscribed to.
    pub fn subscribe(&self, filter: &str) -> Result<(), Reason> {
        // What is no filter is refused by who reads it.
        let Some(wanted) = read_filter(filter) else { return Err(Reason::FilterInvalid) };
        let wanted = wanted.pattern;
        let rules = self.rules.iter().filter(|(act, ..)| *act != Act::Publish);
        let found = rules.into_iter().find(|(_, pattern, effect)| match effect {
            Effect::Allow | Effect::Hide => covers(pattern, wanted),
            Effect::Refuse => overlaps(pattern, wanted),
        });
        self.say(found.map(|(.., effect)| *effect))
    }

    fn say(&self, effect: Option<Effect>) -> Result<(), Reason> {
        match effect {
            Some(Effect::Allow) => Ok(()),
            None if self.everything => Ok(()),
            Some(Effect::Hide) => Err(Reason::Unspecified),
            Some(Effect::Refuse) | None => Err(Reason::NotAuthorized),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_reaches_its_own_topics_and_nothing_else() {
        let own = Rules::own_topics().permissions(&Principal::Device("a".into()), "whatever");
        assert_eq!(own.publish("device/a/audio"), Ok(()));
        assert_eq!(own.subscribe("device/a/#"), Ok(()));
        assert_eq!(own.subscribe("$share/g/device/a/+"), Ok(()));
        for foreign in ["device/b/audio", "device", "device/ab", "$SYS/x", "other/a"] {
            assert_eq!(own.publish(foreign), Err(Reason::NotAuthorized), "{foreign}");
        }
        for foreign in ["#", "device/#", "device/+/audio", "+/a/#", "device/b/#", "$share/g/device/#"] {
            assert_eq!(own.subscribe(foreign), Err(Reason::NotAuthorized), "{foreign}");
        }
    }

    #[test]
    fn a_name_with_a_wildcard_opens_nothing() {
        for client in ["+", "#", "a/b", ""] {
            let permissions = Rules::own_topics().permissions(&Principal::Anonymous, client);
            assert_eq!(permissions.subscribe("device/b/x"), Err(Reason::NotAuthorized), "{client:?}");
        }
    }

    #[test]
    fn the_first_rule_that_applies_decides() {
        let rule = |pattern: &str, effect| Rule {
            who: Who::Anyone,
            act: Act::Both,
            pattern: pattern.to_owned(),
            effect,
        };
        let rules =
            vec![rule("secret/#", Effect::Refuse), rule("quiet", Effect::Hide), rule("#", Effect::Allow)];
        let permissions = Rules::of(rules).expect("are filters").permissions(&Principal::Anonymous, "c");
        assert_eq!(permissions.subscribe("#"), Err(Reason::NotAuthorized), "it would see what is secret");
        assert_eq!(permissions.subscribe("open/+"), Ok(()));
        assert_eq!(permissions.subscribe("quiet"), Err(Reason::Unspecified));
        assert_eq!(permissions.publish("secret/x"), Err(Reason::NotAuthorized));
        let wrong = Rules::of(vec![rule("a#", Effect::Allow)]).expect_err("is no filter");
        assert_eq!(
            wrong.to_string(),
            "reading the topic rule \"a#\": it is no topic filter; write one such as device/{device}/#"
        );
    }
}
