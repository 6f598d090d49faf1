//! A template as a graph: each node matches a piece of text and names what comes after it.

use std::collections::BTreeMap;

use crate::template::error::TemplateError;
use crate::template::parse::{Expression, ListReference};
use crate::template::text::{lower, without_cjk_spaces};

/// Parsed expansion rules by name; later maps go first.
pub type Rules<'a> = [&'a BTreeMap<String, Expression>];

/// A compiled template. Nodes only point to nodes before them, so every walk ends.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The nodes; the first is the end.
    pub nodes: Vec<Node>,
    /// Where a match starts.
    pub start: u32,
}

/// One step of a match.
#[derive(Clone, Debug)]
pub enum Node {
    /// The template is done.
    End,
    /// Words.
    Text(Chunk, u32),
    /// One of several ways on.
    Fork(Box<[u32]>),
    /// A value from a list.
    List(ListReference, u32),
}

/// A piece of literal text, in lower case.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// All characters with the spaces around them.
    pub chars: Box<[char]>,
    /// How many spaces stand in front.
    pub leading: usize,
    /// How many characters it has without spaces around them.
    pub literal: usize,
    /// Whether a word ends with it.
    pub ends_word: bool,
}

/// More parts than this no template of a person needs; permutations and rules multiply.
const MOST_NODES: usize = 100_000;

// === Chunk ===

impl Chunk {
    fn new(text: &str, ignore_whitespace: bool) -> Self {
        let text = if ignore_whitespace { without_cjk_spaces(text) } else { text.to_owned() };
        let trimmed = text.trim_start();
        Self {
            leading: text.chars().count() - trimmed.chars().count(),
            literal: trimmed.trim_end().chars().count(),
            ends_word: text.ends_with([' ', '\'']),
            chars: text.chars().map(lower).collect(),
        }
    }
}

// === Graph ===

impl Graph {
    /// Compiles `expression`, with rules put in where they are named.
    ///
    /// # Errors
    /// When a rule is missing, rules stand in one another without end, or the whole is too large.
    pub fn compile(
        expression: &Expression,
        rules: &Rules,
        template: &str,
        ignore_whitespace: bool,
    ) -> Result<Self, TemplateError> {
        let mut builder =
            Builder { nodes: vec![Node::End], rules, open: Vec::new(), template, ignore_whitespace };
        let start = builder.add(expression, 0)?;
        Ok(Self { nodes: builder.nodes, start })
    }
}

struct Builder<'a> {
    nodes: Vec<Node>,
    rules: &'a Rules<'a>,
    open: Vec<String>,
    template: &'a str,
    ignore_whitespace: bool,
}

// === Builder ===

impl Builder<'_> {
    fn push(&mut self, node: Node) -> Result<u32, TemplateError> {
        if self.nodes.len() >= MOST_NODES {
            return Err(TemplateError::TooLarge { template: self.template.to_owned(), most: MOST_NODES });
        }
        self.nodes.push(node);
        Ok((self.nodes.len() - 1) as u32)
    }

    /// Adds `expression` in front of `next` and returns where it starts.
    fn add(&mut self, expression: &Expression, next: u32) -> Result<u32, TemplateError> {
        match expression {
            Expression::Text(text) if text.is_empty() => Ok(next),
            Expression::Text(text) => {
                let chunk = Chunk::new(text, self.ignore_whitespace);
                if chunk.chars.is_empty() { Ok(next) } else { self.push(Node::Text(chunk, next)) }
            }
            Expression::Sequence(items) => {
                items.iter().rev().try_fold(next, |next, item| self.add(item, next))
            }
            Expression::Alternative { items, .. } => {
                let ways =
                    items.iter().map(|item| self.add(item, next)).collect::<Result<Box<[u32]>, _>>()?;
                self.push(Node::Fork(ways))
            }
            Expression::Permutation(items) => {
                let left = items.iter().collect::<Vec<_>>();
                self.permutation(&left, next)
            }
            Expression::List(reference) => self.push(Node::List(reference.clone(), next)),
            Expression::Rule(name) => self.rule(name, next),
        }
    }

    fn permutation(&mut self, left: &[&Expression], next: u32) -> Result<u32, TemplateError> {
        if let [only] = left {
            return self.add(only, next);
        }
        let mut ways = Vec::with_capacity(left.len());
        for first in 0..left.len() {
            let rest: Vec<&Expression> =
                left.iter().enumerate().filter(|(at, _)| *at != first).map(|(_, item)| *item).collect();
            let after = self.permutation(&rest, next)?;
            ways.push(self.add(left[first], after)?);
        }
        self.push(Node::Fork(ways.into()))
    }

    fn rule(&mut self, name: &str, next: u32) -> Result<u32, TemplateError> {
        let named = |rule: &str| (self.template.to_owned(), rule.to_owned());
        if self.open.iter().any(|open| open == name) {
            let (template, rule) = named(name);
            return Err(TemplateError::Endless { template, rule });
        }
        let Some(body) = self.rules.iter().find_map(|rules| rules.get(name)) else {
            let (template, rule) = named(name);
            return Err(TemplateError::MissingRule { template, rule });
        };
        self.open.push(name.to_owned());
        let start = self.add(body, next);
        self.open.pop();
        start
    }
}
