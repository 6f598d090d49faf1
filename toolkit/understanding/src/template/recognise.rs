//! Compiles intents files once and recognises sentences with them.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use serde_json::{Map, Value};

use crate::template::context::{fill, may_hold, not_excluded};
use crate::template::error::TemplateError;
use crate::template::file::{Context, IntentsFile, SentenceGroup};
use crate::template::graph::{Graph, Node};
use crate::template::lists::{List, Lists, Spoken};
use crate::template::matcher::{Filled, Filling, Found, Surroundings, walk};
use crate::template::parse::{Expression, parse};
use crate::template::prefilter::{Clauses, Fragments, may_match};
use crate::template::skip::{SkipWords, Where};
use crate::template::text::Tracked;

/// Sentences of one language, compiled.
#[derive(Clone, Debug)]
pub struct Recogniser {
    pub(super) groups: Vec<Group>,
    pub(super) sentences: Vec<Sentence>,
    fragments: Fragments,
    pub(super) lists: Lists,
    skip: SkipWords,
    ignore_whitespace: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    intent: String,
    pub(super) data: SentenceGroup,
    pub(super) lists: Lists,
    keywords: Option<HashSet<Vec<char>>>,
}

#[derive(Clone, Debug)]
pub(super) struct Sentence {
    pub(super) group: usize,
    template: String,
    pub(super) graph: Graph,
    clauses: Clauses,
    edges: Edges,
}

/// Where a template has room for any words: skip words stay there.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Edges {
    None,
    Whole,
    Start,
    End,
}

/// What is known when a sentence is said.
#[derive(Clone, Debug, Default)]
pub struct Situation {
    /// Lists of the caller: names of things, rooms. They go before those of the file.
    pub lists: Lists,
    /// What holds: the room of the device that listens.
    pub context: Context,
    /// A slot whose longest listed value decides between several meanings; Home Assistant prefers `name`.
    pub prefer: Option<String>,
}

/// What a sentence means.
#[derive(Clone, Debug, PartialEq)]
pub struct Recognised {
    /// The intent's name.
    pub intent: String,
    /// Its slots, those said first in the order said.
    pub slots: Vec<Slot>,
    /// Words caught for the answer only, by name.
    pub captures: BTreeMap<String, String>,
    /// The context with what the values added.
    pub context: Context,
    /// The key of the answer.
    pub response: Option<String>,
    /// What the file says about the group of sentences.
    pub metadata: Option<Value>,
    /// The template that matched.
    pub template: String,
    /// How many characters of literal text matched.
    pub literal: usize,
}

/// One value of a meaning.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// The slot's name.
    pub name: String,
    /// What it stands for.
    pub value: Value,
    /// What was said for it; empty when nothing was.
    pub text: String,
    /// Where it was said, in bytes of the sentence.
    pub span: Option<Range<usize>>,
    /// Whether any words would have done.
    pub wildcard: bool,
    /// What the list says about the value.
    pub metadata: Option<Value>,
}

/// Longer sentences than this nobody says.
const MOST_CHARACTERS: usize = 2_000;

// === Recognised ===

impl Recognised {
    /// Returns the value of a slot.
    pub fn slot(&self, name: &str) -> Option<&Value> {
        self.slots.iter().rev().find(|slot| slot.name == name).map(|slot| &slot.value)
    }

    /// Fewer wildcards first, then more literal text, then less text in wildcards, then the intent's name.
    fn rank(&self) -> (usize, std::cmp::Reverse<usize>, usize, &str) {
        let wild = || self.slots.iter().filter(|slot| slot.wildcard);
        let caught = wild().map(|slot| slot.text.chars().count()).sum();
        (wild().count(), std::cmp::Reverse(self.literal), caught, &self.intent)
    }
}

// === Recogniser ===

impl Recogniser {
    /// Compiles a file.
    ///
    /// # Errors
    /// When a template, a rule or a list of it cannot be used; the error names it.
    pub fn compile(file: &IntentsFile) -> Result<Self, TemplateError> {
        Self::compile_within(file, &mut { usize::MAX })
    }

    /// Compiles a file of somebody who is not trusted with all memory: its templates with rules put in, and the numbers
    /// of its ranges as words, may have `left` parts together. What it has is taken from that; after an error nothing is.
    ///
    /// # Errors
    /// As [`Recogniser::compile`], and when it has more.
    pub fn compile_within(file: &IntentsFile, left: &mut usize) -> Result<Self, TemplateError> {
        let ignore_whitespace = file.settings.ignore_whitespace;
        let mut spoken = Spoken::new(&file.language, ignore_whitespace, *left);
        let rules = parse_rules(&file.expansion_rules)?;
        let mut recogniser = Self {
            groups: Vec::new(),
            sentences: Vec::new(),
            fragments: Fragments::default(),
            lists: Lists::default(),
            skip: SkipWords::new(&file.skip_words, ignore_whitespace),
            ignore_whitespace,
        };
        for (name, entry) in &file.lists {
            recogniser.lists.add(name, entry, &[&rules], &mut spoken)?;
        }
        for (intent, entry) in &file.intents {
            for data in &entry.data {
                recogniser.add_group(intent, data, &rules, &mut spoken)?;
            }
        }
        *left = spoken.left;
        Ok(recogniser)
    }

    fn add_group(
        &mut self,
        intent: &str,
        data: &SentenceGroup,
        rules: &BTreeMap<String, Expression>,
        spoken: &mut Spoken,
    ) -> Result<(), TemplateError> {
        let own = parse_rules(&data.expansion_rules)?;
        let rules = [&own, rules];
        let mut lists = Lists::default();
        for (name, entry) in &data.lists {
            lists.add(name, entry, &rules, spoken)?;
        }
        let mut sentences = Vec::with_capacity(data.sentences.len());
        for template in &data.sentences {
            let expression = parse(template)?;
            let graph = Graph::compile(&expression, &rules, template, self.ignore_whitespace)?;
            spoken.take(graph.nodes.len(), || format!("template {template:?}"))?;
            for node in &graph.nodes {
                if let Node::List(reference, _) = node {
                    self.lists.add_in_place(&reference.list, spoken)?;
                }
            }
            let wild = self.has_wildcard(&graph);
            let order = if wild { -(text_count(&expression) as isize) } else { 0 };
            let clauses = self.fragments.clauses(&expression, &rules);
            let edges = self.edges(&expression);
            let template = template.clone();
            sentences.push((order, Sentence { group: self.groups.len(), template, graph, clauses, edges }));
        }
        sentences.sort_by_key(|(order, _)| *order);
        self.sentences.extend(sentences.into_iter().map(|(_, sentence)| sentence));
        let keywords = data.required_keywords.as_ref();
        let keywords = keywords.map(|words| words.iter().map(|word| Tracked::new(word).chars).collect());
        self.groups.push(Group { intent: intent.to_owned(), data: data.clone(), lists, keywords });
        Ok(())
    }

    fn has_wildcard(&self, graph: &Graph) -> bool {
        graph.nodes.iter().any(|node| match node {
            Node::List(reference, _) => matches!(self.lists.get(&reference.list), Some(List::Wildcard)),
            _ => false,
        })
    }

    fn edges(&self, expression: &Expression) -> Edges {
        let wild = |item: Option<&Expression>| match item {
            Some(Expression::List(reference)) => {
                matches!(self.lists.get(&reference.list), Some(List::Wildcard))
            }
            _ => false,
        };
        let Expression::Sequence(items) = expression else { return Edges::None };
        match (wild(items.first()), wild(items.last())) {
            (true, _) if items.len() == 1 => Edges::Whole,
            (true, _) => Edges::Start,
            (false, true) => Edges::End,
            (false, false) => Edges::None,
        }
    }

    /// Returns the best meaning of `text`, or `None` when no sentence matches.
    pub fn recognise(&self, text: &str, situation: &Situation) -> Option<Recognised> {
        let all = self.preferred(text, situation);
        all.into_iter().min_by(|one, other| one.rank().cmp(&other.rank()))
    }

    /// Returns the meanings of `text`, the best first.
    pub fn ranked(&self, text: &str, situation: &Situation) -> Vec<Recognised> {
        let mut all = self.preferred(text, situation);
        all.sort_by(|one, other| one.rank().cmp(&other.rank()));
        all
    }

    /// Returns the meanings of `text` with the longest value of the slot that decides.
    fn preferred(&self, text: &str, situation: &Situation) -> Vec<Recognised> {
        let mut all = self.recognise_all(text, situation);
        if let Some(slot) = &situation.prefer {
            let said = |found: &Recognised| {
                let slots =
                    found.slots.iter().filter(|at| at.name == *slot && !at.wildcard && at.value.is_string());
                slots.map(|slot| slot.text.chars().count() + 1).max().unwrap_or(0)
            };
            let longest = all.iter().map(said).max().unwrap_or_default();
            all.retain(|found| said(found) == longest);
        }
        all
    }

    /// Returns every meaning of `text`.
    pub fn recognise_all(&self, text: &str, situation: &Situation) -> Vec<Recognised> {
        let said = Tracked::new(text);
        if said.len() > MOST_CHARACTERS {
            return Vec::new();
        }
        let texts = Texts::new(&said, &self.skip, self.ignore_whitespace);
        let present = self.fragments.present(&[&texts.said.chars, &texts.without.chars]);
        let words: HashSet<Vec<char>> =
            texts.without.chars.split(|char| *char == ' ').map(<[char]>::to_vec).collect();
        let open: Vec<bool> = self.groups.iter().map(|group| group.is_open(situation, &words)).collect();
        let mut all = Vec::new();
        for sentence in &self.sentences {
            if open[sentence.group] && may_match(&sentence.clauses, &present) {
                for text in texts.of(sentence.edges) {
                    self.match_sentence(sentence, text, situation, &mut all);
                }
            }
        }
        all
    }

    fn match_sentence(
        &self,
        sentence: &Sentence,
        text: &Tracked,
        situation: &Situation,
        all: &mut Vec<Recognised>,
    ) {
        let group = &self.groups[sentence.group];
        let around = Surroundings {
            text,
            lists: [Some(&group.lists), Some(&situation.lists), Some(&self.lists)],
            requires: &group.data.requires_context,
            excludes: &group.data.excludes_context,
            ignore_whitespace: self.ignore_whitespace,
        };
        let found = walk(&sentence.graph, &around);
        all.extend(
            found.into_iter().filter_map(|found| group.meaning(sentence, found, text, &situation.context)),
        );
    }
}

/// What was said, with and without the words that mean nothing.
struct Texts {
    said: Tracked,
    without: Tracked,
    front: Tracked,
    back: Tracked,
    differ: bool,
}

// === Texts ===

impl Texts {
    fn new(said: &Tracked, skip: &SkipWords, ignore_whitespace: bool) -> Self {
        let ready = |mut text: Tracked| {
            if ignore_whitespace {
                text.remove_cjk_spaces();
            } else {
                text.end_word();
            }
            text
        };
        let without = skip.remove(said, Where::Everywhere);
        let differ = without != *said;
        Self {
            without: ready(without),
            front: ready(skip.remove(said, Where::Front)),
            back: ready(skip.remove(said, Where::Back)),
            said: ready(said.clone()),
            differ,
        }
    }

    /// Returns what to match a sentence against: literally said first, as a skip word may be a part of it.
    fn of(&self, edges: Edges) -> Vec<&Tracked> {
        match edges {
            Edges::Whole => vec![&self.said],
            Edges::Start => vec![&self.back],
            Edges::End => vec![&self.front],
            Edges::None if self.differ => vec![&self.said, &self.without],
            Edges::None => vec![&self.without],
        }
    }
}

// === Group ===

impl Group {
    fn is_open(&self, situation: &Situation, words: &HashSet<Vec<char>>) -> bool {
        self.keywords.as_ref().is_none_or(|keywords| !keywords.is_disjoint(words))
            && self.may_be_open(situation)
    }

    /// Tells whether nothing that is known of the situation rules the sentences out.
    pub(super) fn may_be_open(&self, situation: &Situation) -> bool {
        may_hold(&self.data.requires_context, &situation.context)
            && not_excluded(&self.data.excludes_context, &situation.context)
    }

    fn meaning(
        &self,
        sentence: &Sentence,
        found: Found,
        text: &Tracked,
        known: &Context,
    ) -> Option<Recognised> {
        let mut context = known.clone();
        for filled in &found.filled {
            if let Filling::Listed(value) = &filled.filling {
                context.extend(value.context.clone().unwrap_or_default());
            }
        }
        if !not_excluded(&self.data.excludes_context, &context) {
            return None;
        }
        let from_context = fill(&self.data.requires_context, &context)?;
        let (captured, said): (Vec<&Filled>, Vec<&Filled>) =
            found.filled.iter().partition(|filled| filled.reference.capture);
        let mut slots: Vec<Slot> = said.into_iter().map(|filled| slot(filled, text)).collect();
        add_unsaid(&mut slots, self.data.slots.clone());
        add_unsaid(&mut slots, from_context.into_iter().collect());
        let captures = captured
            .into_iter()
            .map(|filled| (filled.reference.slot.clone(), text.words(filled.range.clone())));
        Some(Recognised {
            intent: self.intent.clone(),
            slots,
            captures: captures.collect(),
            context,
            response: self.data.response.clone(),
            metadata: self.data.metadata.clone(),
            template: sentence.template.clone(),
            literal: found.literal,
        })
    }
}

/// Adds slots nobody said, except where the same slot was said.
fn add_unsaid(slots: &mut Vec<Slot>, more: Map<String, Value>) {
    for (name, value) in more {
        if !slots.iter().any(|slot| slot.name == name) {
            slots.push(Slot {
                name,
                value,
                text: String::new(),
                span: None,
                wildcard: false,
                metadata: None,
            });
        }
    }
}

fn slot(filled: &Filled, text: &Tracked) -> Slot {
    let words = text.words(filled.range.clone());
    let (value, metadata) = match &filled.filling {
        Filling::Listed(listed) => (listed.meant.clone(), listed.metadata.clone()),
        Filling::Number(number) => (Some(number.clone()), None),
        Filling::Wildcard => (None, None),
    };
    Slot {
        name: filled.reference.slot.clone(),
        value: value.unwrap_or_else(|| Value::from(words.as_str())),
        text: words,
        span: Some(text.span(filled.range.clone())),
        wildcard: matches!(filled.filling, Filling::Wildcard),
        metadata,
    }
}

fn parse_rules(rules: &BTreeMap<String, String>) -> Result<BTreeMap<String, Expression>, TemplateError> {
    rules.iter().map(|(name, body)| Ok((name.clone(), parse(body)?))).collect()
}

fn text_count(expression: &Expression) -> usize {
    match expression {
        Expression::Text(_) => 1,
        Expression::Sequence(items)
        | Expression::Permutation(items)
        | Expression::Alternative { items, .. } => items.iter().map(text_count).sum(),
        Expression::List(_) | Expression::Rule(_) => 0,
    }
}
