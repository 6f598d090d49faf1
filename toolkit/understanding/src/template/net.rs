//! Sentences as a net: links with words between knots, for whoever looks for a way through them, such as a listener.

use std::collections::HashMap;

use crate::template::context::{may_hold, not_excluded};
use crate::template::graph::{Graph, Node};
use crate::template::lists::{List, Lists, NumberList, WordList};
use crate::template::recognise::{Group, Recogniser, Situation};

/// Sentences that can be said. Every way from knot 0 to one of `ends` is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Net {
    /// The words and where they lead.
    pub links: Vec<NetLink>,
    /// Where sentences end.
    pub ends: Vec<u32>,
}

/// Words between two knots, with the spaces around them, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetLink {
    /// The knot before the words.
    pub from: u32,
    /// The words; none where one way is as good as another.
    pub said: String,
    /// The knot after the words.
    pub to: u32,
}

/// Longer ranges are no words that somebody waits for.
const MOST_NUMBERS: usize = 400;

// === Recogniser ===

impl Recogniser {
    /// Returns the sentences that are understood in a situation. Left out is what cannot be listed: sentences with room
    /// for any words, or for a number of more than 400.
    pub fn net(&self, situation: &Situation) -> Net {
        let mut builder = Builder { net: Net::default(), knots: 1 };
        for sentence in &self.sentences {
            let group = &self.groups[sentence.group];
            if group.may_be_open(situation) {
                let lists = [Some(&group.lists), Some(&situation.lists), Some(&self.lists)];
                let end = builder.knot();
                builder.net.ends.push(end);
                builder.add(&sentence.graph, (0, end), &Around { group, lists });
            }
        }
        builder.net
    }
}

struct Around<'a> {
    group: &'a Group,
    lists: [Option<&'a Lists>; 3],
}

struct Builder {
    net: Net,
    knots: u32,
}

// === Builder ===

impl Builder {
    fn knot(&mut self) -> u32 {
        self.knots += 1;
        self.knots - 1
    }

    fn link(&mut self, from: u32, said: impl Into<String>, to: u32) {
        self.net.links.push(NetLink { from, said: said.into(), to });
    }

    /// Adds a graph between two knots.
    fn add(&mut self, graph: &Graph, (first, last): (u32, u32), around: &Around) {
        let mut knots = HashMap::from([(graph.start, first)]);
        // The start may be the end: a template of nothing.
        if graph.start != 0 {
            knots.insert(0, last);
        }
        let mut left = vec![graph.start];
        while let Some(node) = left.pop() {
            let from = knots[&node];
            let next: &[u32] = match &graph.nodes[node as usize] {
                Node::End => &[],
                Node::Fork(ways) => ways,
                Node::Text(_, next) | Node::List(_, next) => std::slice::from_ref(next),
            };
            for way in next {
                if !knots.contains_key(way) {
                    let knot = self.knot();
                    knots.insert(*way, knot);
                    left.push(*way);
                }
            }
            match &graph.nodes[node as usize] {
                Node::End => {}
                Node::Fork(ways) => ways.iter().for_each(|way| self.link(from, "", knots[way])),
                Node::Text(chunk, next) => {
                    self.link(from, chunk.chars.iter().collect::<String>(), knots[next]);
                }
                Node::List(reference, next) => {
                    let list = around.lists.iter().flatten().find_map(|lists| lists.get(&reference.list));
                    match list {
                        Some(List::Words(words)) => self.words(words, (from, knots[next]), around),
                        Some(List::Range(numbers)) => self.numbers(numbers, (from, knots[next])),
                        Some(List::Wildcard) | None => {}
                    }
                }
            }
        }
    }

    fn words(&mut self, words: &WordList, (from, to): (u32, u32), around: &Around) {
        let (requires, excludes) = (&around.group.data.requires_context, &around.group.data.excludes_context);
        let allowed = |value: u32| {
            words.values[value as usize]
                .context
                .as_ref()
                .is_none_or(|context| may_hold(requires, context) && not_excluded(excludes, context))
        };
        for (word, value) in words.plain.words() {
            if allowed(*value) {
                self.link(from, word, to);
            }
        }
        for (graph, value) in &words.templates {
            if allowed(*value) {
                self.add(graph, (from, to), around);
            }
        }
    }

    fn numbers(&mut self, list: &NumberList, (from, to): (u32, u32)) {
        let words = list.words.words();
        let range = &list.range;
        let count = (range.to.saturating_sub(range.from) / range.step.max(1)) as usize + 1;
        if count > MOST_NUMBERS {
            return;
        }
        for (word, _) in words {
            self.link(from, word, to);
        }
        if range.digits {
            for number in (range.from..=range.to).step_by(range.step.max(1) as usize) {
                self.link(from, number.to_string(), to);
            }
        }
    }
}
