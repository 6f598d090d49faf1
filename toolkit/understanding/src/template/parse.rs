//! Reads one sentence template, `[please] turn on [the] {name} (in|at) <place>`, into an [`Expression`].

use crate::template::error::TemplateError;
use crate::template::text::tidy;

/// A template as a tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// Words with the spaces around them; empty where an optional part is left out.
    Text(String),
    /// All parts in this order.
    Sequence(Vec<Expression>),
    /// One of the parts: `(a|b)`, and `[a]` with an empty last one.
    Alternative {
        /// What may stand here.
        items: Vec<Expression>,
        /// Whether it was written with square brackets.
        optional: bool,
    },
    /// All parts in any order: `(a;b)`.
    Permutation(Vec<Expression>),
    /// A value from a list: `{list}`, `{list:slot}`, `{list:@capture}`.
    List(ListReference),
    /// A named part: `<rule>`.
    Rule(String),
}

/// Names the list a value comes from and the slot it goes to.
#[derive(Clone, Debug, PartialEq)]
pub struct ListReference {
    /// The list's name, or a range written in place as `0..100` or `0..100,5`.
    pub list: String,
    /// The slot that gets the value.
    pub slot: String,
    /// Whether the words go to the response only and make no slot.
    pub capture: bool,
    /// Whether a space follows in the template.
    pub end_of_word: bool,
}

/// Parses one template.
///
/// # Errors
/// When a bracket has no partner, or a group mixes `|` and `;`.
pub fn parse(template: &str) -> Result<Expression, TemplateError> {
    let chars: Vec<char> = template.trim().chars().collect();
    let mut parser = Parser { chars: &chars, at: 0, template, depth: 0 };
    let group = parser.group(None)?;
    Ok(match group {
        Expression::Sequence(mut items) if items.len() == 1 && is_group(&items[0]) => items.remove(0),
        other => other,
    })
}

/// Returns whether `text` uses the template syntax at all.
pub fn is_template(text: &str) -> bool {
    text.contains(['(', ')', '{', '}', '<', '>', '[', ']', '|', '@'])
}

fn is_group(expression: &Expression) -> bool {
    matches!(
        expression,
        Expression::Sequence(_) | Expression::Alternative { .. } | Expression::Permutation(_)
    )
}

/// How deep brackets may stand in one another: deeper is no sentence anybody wrote.
const DEEPEST: usize = 64;

struct Parser<'a> {
    chars: &'a [char],
    at: usize,
    template: &'a str,
    depth: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    Either,
    AnyOrder,
}

// === Parser ===

impl Parser<'_> {
    fn broken(&self, why: &'static str) -> TemplateError {
        TemplateError::Syntax { template: self.template.to_owned(), why }
    }

    /// Reads up to `end`, or to the end of the template without one.
    fn group(&mut self, end: Option<char>) -> Result<Expression, TemplateError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.broken("brackets stand in one another more than 64 deep"));
        }
        let mut kind = Kind::Plain;
        let mut branches = vec![Vec::new()];
        loop {
            let Some(&next) = self.chars.get(self.at) else {
                if end.is_some() {
                    return Err(self.broken("a bracket is not closed"));
                }
                break;
            };
            if Some(next) == end {
                self.at += 1;
                break;
            }
            let wanted = match next {
                '|' => Kind::Either,
                ';' => Kind::AnyOrder,
                _ => {
                    let item = self.item(next)?;
                    branches.last_mut().expect("there is a branch from the start").push(item);
                    continue;
                }
            };
            if kind != Kind::Plain && kind != wanted {
                return Err(self.broken("a group has both | and ;"));
            }
            kind = wanted;
            self.at += 1;
            branches.push(Vec::new());
        }
        self.depth -= 1;
        Ok(assemble(kind, branches))
    }

    fn item(&mut self, next: char) -> Result<Expression, TemplateError> {
        match next {
            '(' => {
                self.at += 1;
                self.group(Some(')'))
            }
            '[' => {
                self.at += 1;
                Ok(optional(self.group(Some(']'))?))
            }
            '{' => {
                let name = self.name('}')?;
                let end_of_word = self.chars.get(self.at).is_some_and(|after| after.is_whitespace());
                Ok(Expression::List(list_reference(&name, end_of_word)))
            }
            '<' => Ok(Expression::Rule(self.name('>')?)),
            ')' | ']' | '}' | '>' => Err(self.broken("a bracket closes that was not opened")),
            _ => Ok(self.word()),
        }
    }

    fn name(&mut self, end: char) -> Result<String, TemplateError> {
        let rest = &self.chars[self.at + 1..];
        let length =
            rest.iter().position(|&at| at == end).ok_or_else(|| self.broken("a bracket is not closed"))?;
        if length == 0 {
            return Err(self.broken("a list or rule has no name"));
        }
        self.at += length + 2;
        Ok(rest[..length].iter().collect())
    }

    /// Reads one word with the spaces after it; a word at a group's start keeps the spaces before it too.
    fn word(&mut self) -> Expression {
        let mut text = String::new();
        let mut spaced = false;
        let mut first = true;
        while let Some(&next) = self.chars.get(self.at) {
            match next {
                '|' | ';' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' => break,
                '\\' => {
                    self.at += 1;
                    text.extend(self.chars.get(self.at));
                    self.at += 1;
                }
                ' ' if !first => {
                    spaced = true;
                    text.push(' ');
                    self.at += 1;
                }
                _ if spaced => break,
                _ => {
                    text.push(next);
                    self.at += 1;
                }
            }
            first = false;
        }
        Expression::Text(tidy(&text))
    }
}

fn assemble(kind: Kind, mut branches: Vec<Vec<Expression>>) -> Expression {
    match kind {
        Kind::Plain => Expression::Sequence(branches.remove(0)),
        Kind::Either => Expression::Alternative {
            items: branches.into_iter().map(Expression::Sequence).collect(),
            optional: false,
        },
        Kind::AnyOrder => Expression::Permutation(branches.into_iter().map(spaced).collect()),
    }
}

/// Parts that change places have a space on both sides, wherever they come to stand.
fn spaced(mut items: Vec<Expression>) -> Expression {
    items.insert(0, Expression::Text(" ".to_owned()));
    items.push(Expression::Text(" ".to_owned()));
    Expression::Sequence(items)
}

fn optional(group: Expression) -> Expression {
    let mut items = match group {
        Expression::Alternative { items, .. } => items,
        other => vec![other],
    };
    items.push(Expression::Text(String::new()));
    Expression::Alternative { items, optional: true }
}

fn list_reference(name: &str, end_of_word: bool) -> ListReference {
    let (list, slot) = match name.split_once(':') {
        Some((list, slot)) => (list, slot),
        None => (name.trim_start_matches('@'), name),
    };
    ListReference {
        list: list.to_owned(),
        slot: slot.trim_start_matches('@').to_owned(),
        capture: slot.starts_with('@'),
        end_of_word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_the_space_after_them() {
        let parsed = parse("turn on").expect("a template");
        assert_eq!(
            parsed,
            Expression::Sequence(vec![Expression::Text("turn ".into()), Expression::Text("on".into())])
        );
    }

    #[test]
    fn a_list_names_its_slot_and_whether_a_space_follows() {
        let Expression::Sequence(items) = parse("{timer_minutes:minutes}분 {@rest}").expect("a template")
        else {
            panic!("not a sequence");
        };
        let Expression::List(first) = &items[0] else { panic!("not a list") };
        assert_eq!(
            (first.list.as_str(), first.slot.as_str(), first.end_of_word),
            ("timer_minutes", "minutes", false)
        );
        let Expression::List(last) = &items[2] else { panic!("not a list") };
        assert!(last.capture);
    }

    #[test]
    fn a_bracket_without_its_partner_is_refused() {
        for broken in ["(a|b", "a]", "{name", "<>", "(a|b;c)"] {
            assert!(parse(broken).is_err(), "{broken} was taken");
        }
    }
}
