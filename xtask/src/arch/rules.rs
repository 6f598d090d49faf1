//! The rules of arch.toml and what they say about a workspace.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A crate of the workspace, by its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its folder, such as `toolkit/core`.
    pub folder: String,
    /// The folders it builds on.
    pub knows: Vec<String>,
    /// The folders that only its tests build on.
    pub tests_know: Vec<String>,
}

/// arch.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Which folder may know which.
    knows: BTreeMap<String, Vec<String>>,
    /// What the tests of every folder may know besides.
    #[serde(default)]
    tests_know: Vec<String>,
}

impl Rules {
    /// Reads arch.toml.
    ///
    /// # Errors
    /// For text that is no TOML or has other keys.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Returns one sentence for each thing that is wrong, in the order of the folders.
    pub fn check(&self, members: &[Member]) -> Vec<String> {
        let mut sentences = self.check_lists(members);
        for member in members {
            let Some(allowed) = self.knows.get(&member.folder) else {
                sentences.push(format!("{} is not in arch.toml; add what it may know", member.folder));
                continue;
            };
            let builds_on = member.knows.iter().filter(|other| !allowed.contains(other));
            sentences.extend(builds_on.map(|other| sentence(&member.folder, other)));
            let tests_on = member
                .tests_know
                .iter()
                .filter(|other| !allowed.contains(other) && !self.tests_know.contains(other));
            sentences
                .extend(tests_on.map(|other| format!("in its tests, {}", sentence(&member.folder, other))));
        }
        sentences
    }

    /// Holds the lists themselves against the arrows that no list may turn round.
    fn check_lists(&self, members: &[Member]) -> Vec<String> {
        let mut sentences = Vec::new();
        for (folder, allowed) in &self.knows {
            if !members.iter().any(|member| member.folder == *folder) {
                sentences.push(format!("arch.toml lists {folder}, which is no crate of the workspace"));
            }
            let turned = allowed.iter().filter(|other| is_never(folder, other));
            sentences.extend(
                turned.map(|other| format!("arch.toml lets {folder} know {other}, which no list may allow")),
            );
        }
        sentences
    }
}

/// The arrows that must never exist, whatever arch.toml lists.
fn is_never(from: &str, to: &str) -> bool {
    let (from_area, to_area) = (area(from), area(to));
    match from_area {
        "toolkit" => to_area != "toolkit",
        "contracts" => !matches!(to, "toolkit/core" | "toolkit/link"),
        "services" | "solutions" => matches!(to_area, "services" | "solutions" | "app"),
        // Whatever stands beside the product: measurements, end-to-end tests, chores, and the top itself.
        _ => to_area == "app" && from_area != "app",
    }
}

fn sentence(from: &str, to: &str) -> String {
    let advice = match (area(from), area(to)) {
        (_, "app") => "app/ is the top and nobody knows it",
        ("services" | "solutions", "services" | "solutions") => "ask contracts/ instead",
        ("toolkit", "toolkit") => "list it in arch.toml if it lies below",
        ("toolkit", _) => "toolkit/ knows no business word",
        ("contracts", _) => "a contract knows only toolkit/core and toolkit/link",
        _ => "list it in arch.toml if it should",
    };
    format!("{from} may not know {to}; {advice}")
}

fn area(folder: &str) -> &str {
    folder.split('/').next().unwrap_or(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        tests_know = ["toolkit/testkit"]
        [knows]
        "toolkit/core" = []
        "toolkit/bus" = ["toolkit/core"]
        "services/payment" = ["toolkit/core"]
        "solutions/coffee" = ["toolkit/core", "toolkit/bus"]
    "#;

    fn member(folder: &str, knows: &[&str], tests_know: &[&str]) -> Member {
        let owned = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect();
        Member { folder: folder.to_owned(), knows: owned(knows), tests_know: owned(tests_know) }
    }

    fn workspace(changed: Member) -> Vec<Member> {
        ["toolkit/core", "toolkit/bus", "services/payment", "solutions/coffee"]
            .iter()
            .map(|folder| if changed.folder == *folder { changed.clone() } else { member(folder, &[], &[]) })
            .collect()
    }

    fn check(rules: &str, members: &[Member]) -> Vec<String> {
        Rules::parse(rules).expect("the rules are TOML").check(members)
    }

    #[test]
    fn what_is_listed_is_allowed() {
        let coffee = member("solutions/coffee", &["toolkit/core", "toolkit/bus"], &["toolkit/testkit"]);
        assert_eq!(check(RULES, &workspace(coffee)), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_listed_is_forbidden_with_advice() {
        let coffee = member("solutions/coffee", &["services/payment"], &[]);
        assert_eq!(
            check(RULES, &workspace(coffee)),
            ["solutions/coffee may not know services/payment; ask contracts/ instead"]
        );
    }

    #[test]
    fn tests_are_held_to_the_lists_too() {
        let bus = member("toolkit/bus", &[], &["solutions/coffee"]);
        assert_eq!(
            check(RULES, &workspace(bus)),
            ["in its tests, toolkit/bus may not know solutions/coffee; toolkit/ knows no business word"]
        );
    }

    #[test]
    fn a_crate_that_is_not_listed_is_reported() {
        let mut members = workspace(member("toolkit/core", &[], &[]));
        members.push(member("toolkit/new", &[], &[]));
        assert_eq!(check(RULES, &members), ["toolkit/new is not in arch.toml; add what it may know"]);
    }

    #[test]
    fn no_list_can_turn_an_arrow_round() {
        let rules =
            RULES.replace(r#""toolkit/bus" = ["toolkit/core"]"#, r#""toolkit/bus" = ["services/payment"]"#);
        assert_eq!(
            check(&rules, &workspace(member("toolkit/core", &[], &[]))),
            ["arch.toml lets toolkit/bus know services/payment, which no list may allow"]
        );
    }

    #[test]
    fn a_list_for_a_crate_that_is_gone_is_reported() {
        let members = workspace(member("toolkit/core", &[], &[]));
        assert_eq!(
            check(RULES, &members[1..]),
            ["arch.toml lists toolkit/core, which is no crate of the workspace"]
        );
    }
}
