//! Walks a compiled template over a text: every way it matches, and no state that cannot match is entered twice.
//!
//! The rules for spaces, open wildcards and values are those of Home Assistant's hassil (`string_matcher.py`), so
//! that files written for it mean the same here. Different is the cost: a state (node, position, kind) from which
//! nothing matched is remembered, so a sentence that matches nothing costs at most nodes times characters.

use std::collections::HashSet;
use std::ops::Range;

use serde_json::Value;

use crate::template::context::{may_hold, not_excluded};
use crate::template::file::Context;
use crate::template::graph::{Chunk, Graph, Node};
use crate::template::lists::{List, ListValue, Lists, NumberList, WordList};
use crate::template::parse::ListReference;
use crate::template::text::{Tracked, is_punctuation, is_word};

/// What a walk needs to know besides the template.
pub struct Surroundings<'a> {
    /// What was said.
    pub text: &'a Tracked,
    /// Where lists are looked for, first come first served.
    pub lists: [Option<&'a Lists>; 3],
    /// What the sentence requires of the values' context.
    pub requires: &'a Context,
    /// What it excludes.
    pub excludes: &'a Context,
    /// Whether spaces between CJK characters mean nothing.
    pub ignore_whitespace: bool,
}

/// One slot filled on the way.
#[derive(Clone, Debug)]
pub struct Filled<'a> {
    /// The list and the slot.
    pub reference: &'a ListReference,
    /// From which character to which.
    pub range: Range<usize>,
    /// What it stands for.
    pub filling: Filling<'a>,
}

/// What a slot was filled with.
#[derive(Clone, Debug)]
pub enum Filling<'a> {
    /// A value of a list.
    Listed(&'a ListValue),
    /// A number.
    Number(Value),
    /// Any words.
    Wildcard,
}

/// One way a template matches.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// The slots in the order said.
    pub filled: Vec<Filled<'a>>,
    /// How many characters of literal text matched.
    pub literal: usize,
}

/// The most ways one template is followed; a sentence nobody can tell apart in so many ways needs no more.
const MOST_WAYS: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    at: usize,
    word_start: bool,
    wildcard: Option<Open>,
}

/// An open wildcard; `true`: a word must begin where it ends.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Open(bool);

/// Where a number written in digits starts and ends, and the number.
type Digits = (usize, usize, f64);

/// Returns every way `graph` matches the whole text.
pub fn walk<'a>(graph: &'a Graph, around: &'a Surroundings<'a>) -> Vec<Found<'a>> {
    let mut walker =
        Walker { graph, around, dead: HashSet::new(), filled: Vec::new(), literal: 0, found: Vec::new() };
    walker.go(graph.start, State { at: 0, word_start: true, wildcard: None });
    walker.found
}

struct Walker<'a> {
    graph: &'a Graph,
    around: &'a Surroundings<'a>,
    dead: HashSet<(u32, State)>,
    filled: Vec<Filled<'a>>,
    literal: usize,
    found: Vec<Found<'a>>,
}

// === Walker ===

impl<'a> Walker<'a> {
    fn chars(&self) -> &'a [char] {
        &self.around.text.chars
    }

    fn go(&mut self, node: u32, state: State) -> bool {
        if self.found.len() >= MOST_WAYS {
            return true;
        }
        if self.dead.contains(&(node, state)) {
            return false;
        }
        let graph = self.graph;
        let matched = match &graph.nodes[node as usize] {
            Node::End => self.end(state),
            Node::Fork(ways) => {
                // Every way counts, also after one that matched.
                let mut any = false;
                for way in ways {
                    any |= self.go(*way, state);
                }
                any
            }
            Node::Text(chunk, next) => match state.wildcard {
                None => self.text(chunk, *next, state),
                Some(open) => self.text_after_wildcard(chunk, *next, state, open),
            },
            Node::List(reference, next) => self.list(reference, *next, state),
        };
        if !matched {
            self.dead.insert((node, state));
        }
        matched
    }

    fn end(&mut self, state: State) -> bool {
        let rest = &self.chars()[state.at.min(self.chars().len())..];
        if state.wildcard.is_some() {
            let Some(length) = rest.iter().rposition(|char| *char != ' ') else { return false };
            self.close(state.at, state.at + length + 1);
        } else if rest.iter().any(|char| !is_punctuation(*char) && *char != ' ') {
            return false;
        }
        self.found.push(Found { filled: self.filled.clone(), literal: self.literal });
        true
    }

    /// Gives the wildcard opened last its words.
    fn close(&mut self, start: usize, end: usize) {
        if let Some(last) = self.filled.last_mut() {
            last.range = start..end;
        }
    }

    fn skip_spaces(&self, at: usize) -> usize {
        let spaces = self.chars()[at..].iter().take_while(|char| **char == ' ').count();
        at + spaces
    }

    /// Returns where text goes on and the part of `chunk` to match there.
    fn begin(&self, chunk: &'a Chunk, state: State) -> (usize, &'a [char]) {
        if state.word_start && !self.around.ignore_whitespace {
            (self.skip_spaces(state.at), &chunk.chars[chunk.leading..])
        } else {
            (state.at, &chunk.chars)
        }
    }

    /// Returns where `wanted` ends when it stands at `at`, and whether a hyphen stood for a space.
    fn matches(&self, at: usize, wanted: &[char]) -> Option<(usize, bool)> {
        let there = self.chars().get(at..at + wanted.len())?;
        let mut broken = false;
        for (char, wanted) in there.iter().zip(wanted) {
            if char != wanted {
                broken = true;
                if *wanted != ' ' || !matches!(char, '-' | '_') {
                    return None;
                }
            }
        }
        Some((at + wanted.len(), broken))
    }

    fn text(&mut self, chunk: &'a Chunk, next: u32, state: State) -> bool {
        let (at, wanted) = self.begin(chunk, state);
        match self.matches(at, wanted) {
            Some((end, false)) => {
                self.literal += chunk.literal;
                let matched = self.go(next, State { at: end, word_start: chunk.ends_word, wildcard: None });
                self.literal -= chunk.literal;
                matched
            }
            Some((end, true)) => self.go(next, State { at: end, ..state }),
            None if chunk.literal == 0 && self.skip_spaces(at) == self.chars().len() => self.go(next, state),
            None => false,
        }
    }

    fn text_after_wildcard(&mut self, chunk: &'a Chunk, next: u32, state: State, open: Open) -> bool {
        let (start, wanted) = self.begin(chunk, state);
        if chunk.literal == 0 {
            return self.go(next, State { at: start, word_start: true, wildcard: Some(open) });
        }
        let mut any = false;
        let mut boundary = open.0 && !self.around.ignore_whitespace;
        for at in start + 1..self.chars().len() {
            let fits = self.matches(at, wanted).is_some() && (!boundary || self.is_boundary(at));
            if !fits {
                continue;
            }
            boundary = false;
            if self.is_blank(start..at) {
                continue;
            }
            self.close(start, at);
            let after = State { at, word_start: true, wildcard: None };
            any |= self.text(chunk, next, after);
        }
        any
    }

    fn is_boundary(&self, at: usize) -> bool {
        let before = at > 0 && is_word(self.chars()[at - 1]);
        before != self.chars().get(at).copied().is_some_and(is_word)
    }

    fn is_blank(&self, range: Range<usize>) -> bool {
        self.chars()[range].iter().all(|char| *char == ' ')
    }

    fn list(&mut self, reference: &'a ListReference, next: u32, state: State) -> bool {
        let lists = &self.around.lists;
        let list = lists.iter().flatten().find_map(|lists| lists.get(&reference.list));
        if self.skip_spaces(state.at) >= self.chars().len() {
            return false;
        }
        match list {
            None => false,
            Some(List::Wildcard) if state.wildcard.is_some() => false,
            Some(List::Wildcard) => {
                let range = state.at..state.at;
                let after = State { wildcard: Some(Open(reference.end_of_word)), ..state };
                self.fill(Filled { reference, range, filling: Filling::Wildcard }, next, after)
            }
            Some(List::Words(words)) => self.words(reference, words, next, state),
            Some(List::Range(numbers)) => self.numbers(reference, numbers, next, state),
        }
    }

    fn fill(&mut self, filled: Filled<'a>, next: u32, after: State) -> bool {
        self.filled.push(filled);
        let matched = self.go(next, after);
        self.filled.pop();
        matched
    }

    /// Returns where a value may start: here, or after an open wildcard anywhere further on.
    fn starts(&self, state: State) -> Range<usize> {
        let here = match state.word_start && !self.around.ignore_whitespace {
            true => self.skip_spaces(state.at),
            false => state.at,
        };
        match state.wildcard {
            None => here..here + 1,
            Some(_) => here + 1..self.chars().len(),
        }
    }

    /// Returns whether an open wildcard may end at `at`, and ends it there.
    fn end_wildcard(&mut self, state: State, at: usize) -> bool {
        let Some(open) = state.wildcard else { return true };
        let boundary = open.0 && !self.around.ignore_whitespace;
        if (boundary && !self.is_boundary(at)) || self.is_blank(state.at..at) {
            return false;
        }
        self.close(state.at, at);
        true
    }

    fn words(&mut self, reference: &'a ListReference, words: &'a WordList, next: u32, state: State) -> bool {
        let mut any = false;
        for at in self.starts(state) {
            if !self.end_wildcard(state, at) {
                continue;
            }
            let mut ends = words.plain.from(self.chars(), at);
            for (graph, value) in &words.templates {
                ends.extend(ends_of(graph, self.around, at).into_iter().map(|end| (end, *value)));
            }
            for (end, value) in ends {
                let value = &words.values[value as usize];
                let context = value.context.as_ref();
                let allowed = context.is_none_or(|context| {
                    may_hold(self.around.requires, context) && not_excluded(self.around.excludes, context)
                });
                if allowed {
                    let after = State { at: end, word_start: state.word_start, wildcard: None };
                    any |= self.fill(
                        Filled { reference, range: at..end, filling: Filling::Listed(value) },
                        next,
                        after,
                    );
                }
            }
        }
        any
    }

    fn numbers(
        &mut self,
        reference: &'a ListReference,
        list: &'a NumberList,
        next: u32,
        state: State,
    ) -> bool {
        let mut any = false;
        for at in self.starts(state) {
            if !self.end_wildcard(state, at) {
                continue;
            }
            let at = if state.wildcard.is_none() { self.skip_spaces(at) } else { at };
            let inside = at > 0 && self.chars()[at - 1].is_ascii_digit();
            match self.digits(at, list.range.fractions.is_some()) {
                Some(_) if inside => {}
                Some((start, end, number)) => {
                    if list.range.digits && list.holds(number) {
                        let after = State { at: end, word_start: state.word_start, wildcard: None };
                        let filling = Filling::Number(list.value(number));
                        any |= self.fill(Filled { reference, range: start..end, filling }, next, after);
                    }
                }
                None => {
                    for (end, number) in list.words.from(self.chars(), at) {
                        let after = State { at: end, word_start: false, wildcard: None };
                        let filling = Filling::Number(list.value(number));
                        any |= self.fill(Filled { reference, range: at..end, filling }, next, after);
                    }
                }
            }
        }
        any
    }

    fn digits(&self, at: usize, fractions: bool) -> Option<Digits> {
        let chars = self.chars();
        let digits = |from: usize| chars[from..].iter().take_while(|char| char.is_ascii_digit()).count();
        let first = if chars.get(at) == Some(&'-') { at + 1 } else { at };
        let mut end = first + digits(first.min(chars.len()));
        if end == first {
            return None;
        }
        if fractions && matches!(chars.get(end), Some('.' | ',')) {
            let part = digits(end + 1);
            end += if part == 0 { 0 } else { part + 1 };
        }
        let written: String =
            chars[at..end].iter().map(|char| if *char == ',' { '.' } else { *char }).collect();
        written.parse().ok().map(|number| (at, end, number))
    }
}

/// Returns where a value that is itself a template may end when it starts at `at`.
fn ends_of(graph: &Graph, around: &Surroundings, at: usize) -> Vec<usize> {
    let probe = Surroundings { lists: [None; 3], ..*around };
    let walker = Walker {
        graph,
        around: &probe,
        dead: HashSet::new(),
        filled: Vec::new(),
        literal: 0,
        found: Vec::new(),
    };
    let mut seen = HashSet::new();
    let mut ends = Vec::new();
    let mut left = vec![(graph.start, at, true)];
    while let Some((node, here, word_start)) = left.pop() {
        if !seen.insert((node, here, word_start)) {
            continue;
        }
        match &graph.nodes[node as usize] {
            Node::End if here > at && !ends.contains(&here) => ends.push(here),
            Node::End | Node::List(..) => {}
            Node::Fork(ways) => left.extend(ways.iter().rev().map(|way| (*way, here, word_start))),
            Node::Text(chunk, next) => {
                let (start, wanted) = walker.begin(chunk, State { at: here, word_start, wildcard: None });
                if let Some((end, _)) = walker.matches(start, wanted) {
                    left.push((*next, end, chunk.ends_word));
                }
            }
        }
    }
    ends
}
