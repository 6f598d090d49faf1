//! Who gets a message: a tree of topic levels with its subscribers, and groups that share a subscription.

use std::collections::HashMap;

use crate::topic::{Filter, Options};

/// A session by its place in the table of sessions.
pub(crate) type SessionKey = u32;

/// The subscriptions of all sessions.
#[derive(Default)]
pub(crate) struct Router {
    root: Node,
}

#[derive(Default)]
struct Node {
    children: HashMap<Box<str>, Node>,
    /// What `+` stands for here.
    any: Option<Box<Node>>,
    /// Who subscribed to exactly this.
    here: Subscribers,
    /// Who subscribed to this and all below it (`#`).
    below: Subscribers,
}

#[derive(Default)]
struct Subscribers {
    alone: Vec<(SessionKey, Options)>,
    groups: Vec<Group>,
}

/// Sessions that share a subscription: one of them gets each message.
struct Group {
    name: Box<str>,
    members: Vec<(SessionKey, Options)>,
    next: usize,
}

/// Who subscribed to a topic.
#[derive(Default)]
pub(crate) struct Matches {
    /// One entry per subscription: a session may have several.
    pub alone: Vec<(SessionKey, Options)>,
    /// One member of each group.
    pub shared: Vec<(SessionKey, Options)>,
}

// === Router ===

impl Router {
    /// Adds or changes a subscription.
    pub fn insert(&mut self, filter: Filter<'_>, session: SessionKey, options: Options) {
        let (levels, below) = split(filter.pattern);
        let mut node = &mut self.root;
        for level in levels {
            node = match level {
                "+" => &mut *node.any.get_or_insert_default(),
                level => node.children.entry(level.into()).or_default(),
            };
        }
        let subscribers = if below { &mut node.below } else { &mut node.here };
        let entries = match filter.group {
            None => &mut subscribers.alone,
            Some(name) => subscribers.group(name),
        };
        match entries.iter_mut().find(|(key, _)| *key == session) {
            Some(entry) => entry.1 = options,
            None => entries.push((session, options)),
        }
    }

    /// Removes a subscription and the branches that nobody needs any more.
    pub fn remove(&mut self, filter: Filter<'_>, session: SessionKey) {
        let (levels, below) = split(filter.pattern);
        let levels: Vec<&str> = levels.collect();
        self.root.remove(&levels, below, filter.group, session);
    }

    /// Finds who subscribed to `topic`. Of a group the next member is found whom `is_there` says is there, or the
    /// one whose turn it is where nobody is.
    pub fn matches(&mut self, topic: &str, is_there: &dyn Fn(SessionKey) -> bool, found: &mut Matches) {
        found.alone.clear();
        found.shared.clear();
        // MQTT 5 §4.7.2: a wildcard at the start matches no topic that begins with `$`.
        let wild = !topic.starts_with('$');
        self.root.collect(Some(topic), wild, is_there, found);
    }
}

/// Returns the levels of `pattern` without a `#` at its end, and whether there is one.
fn split(pattern: &str) -> (impl Iterator<Item = &str>, bool) {
    let below = pattern == "#" || pattern.ends_with("/#");
    (pattern.split('/').filter(|level| *level != "#"), below)
}

// === Node ===

impl Node {
    /// Collects below this node; `rest` is what is left of the topic, `None` at its end.
    fn collect(
        &mut self,
        rest: Option<&str>,
        wild: bool,
        is_there: &dyn Fn(SessionKey) -> bool,
        found: &mut Matches,
    ) {
        if wild {
            self.below.collect(is_there, found);
        }
        let Some(rest) = rest else {
            self.here.collect(is_there, found);
            return;
        };
        let (level, rest) = match rest.split_once('/') {
            Some((level, rest)) => (level, Some(rest)),
            None => (rest, None),
        };
        if let Some(child) = self.children.get_mut(level) {
            child.collect(rest, true, is_there, found);
        }
        if let Some(any) = self.any.as_mut().filter(|_| wild) {
            any.collect(rest, true, is_there, found);
        }
    }

    fn remove(&mut self, levels: &[&str], below: bool, group: Option<&str>, session: SessionKey) {
        let Some((level, rest)) = levels.split_first() else {
            let subscribers = if below { &mut self.below } else { &mut self.here };
            subscribers.remove(group, session);
            return;
        };
        if *level == "+" {
            if let Some(any) = &mut self.any {
                any.remove(rest, below, group, session);
                if any.is_empty() {
                    self.any = None;
                }
            }
        } else if let Some(child) = self.children.get_mut(*level) {
            child.remove(rest, below, group, session);
            if child.is_empty() {
                self.children.remove(*level);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.children.is_empty() && self.any.is_none() && self.here.is_empty() && self.below.is_empty()
    }
}

// === Subscribers ===

impl Subscribers {
    fn group(&mut self, name: &str) -> &mut Vec<(SessionKey, Options)> {
        let at = self.groups.iter().position(|group| &*group.name == name).unwrap_or_else(|| {
            self.groups.push(Group { name: name.into(), members: Vec::new(), next: 0 });
            self.groups.len() - 1
        });
        &mut self.groups[at].members
    }

    fn remove(&mut self, group: Option<&str>, session: SessionKey) {
        match group {
            None => self.alone.retain(|(key, _)| *key != session),
            Some(name) => {
                self.group(name).retain(|(key, _)| *key != session);
                self.groups.retain(|group| !group.members.is_empty());
            }
        }
    }

    fn collect(&mut self, is_there: &dyn Fn(SessionKey) -> bool, found: &mut Matches) {
        found.alone.extend_from_slice(&self.alone);
        for group in &mut self.groups {
            let count = group.members.len();
            let turn = group.next % count;
            let there = (turn..turn + count).find(|at| is_there(group.members[at % count].0));
            let chosen = there.unwrap_or(turn);
            group.next = chosen % count + 1;
            found.shared.push(group.members[chosen % count]);
        }
    }

    fn is_empty(&self) -> bool {
        self.alone.is_empty() && self.groups.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Quality;
    use crate::topic::{matches, read_filter};

    const OPTIONS: Options =
        Options { quality: Quality::AtMostOnce, no_local: false, retain_as_published: false, identifier: 0 };

    fn found(router: &mut Router, topic: &str) -> Matches {
        let mut found = Matches::default();
        router.matches(topic, &|session| session != 9, &mut found);
        found
    }

    proptest! {
        #[test]
        fn the_tree_finds_what_comparing_one_by_one_finds(
            filters in prop::collection::vec("(\\$?[ab]?|\\+)(/([ab]?|\\+)){0,3}(/#)?|#", 1..12),
            topic in "\\$?[ab]?(/[ab]?){0,4}",
        ) {
            let mut router = Router::default();
            let filters: Vec<_> = filters.iter().filter_map(|text| read_filter(text)).collect();
            for (key, filter) in filters.iter().enumerate() {
                router.insert(*filter, key as u32, OPTIONS);
            }
            let mut keys: Vec<u32> =
                found(&mut router, &topic).alone.iter().map(|(key, _)| *key).collect();
            keys.sort_unstable();
            let one_by_one = filters.iter().enumerate();
            let wanted: Vec<u32> = one_by_one
                .filter(|(_, filter)| !topic.is_empty() && matches(filter.pattern, &topic))
                .map(|(key, _)| key as u32)
                .collect();
            if !topic.is_empty() {
                prop_assert_eq!(keys, wanted);
            }
            for (key, filter) in filters.iter().enumerate() {
                router.remove(*filter, key as u32);
            }
            prop_assert!(router.root.is_empty());
        }
    }

    #[test]
    fn members_of_a_group_take_turns() {
        let mut router = Router::default();
        let filter = read_filter("$share/g/a/#").expect("is well formed");
        for session in [0, 1, 9, 2] {
            router.insert(filter, session, OPTIONS);
        }
        let turns: Vec<u32> = (0..5).map(|_| found(&mut router, "a/b").shared[0].0).collect();
        assert_eq!(turns, [0, 1, 2, 0, 1], "who is not there is passed over");
        for session in [0, 1, 2] {
            router.remove(filter, session);
        }
        assert_eq!(found(&mut router, "a").shared[0].0, 9, "unless nobody is");
    }
}
