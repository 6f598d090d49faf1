//! How contexts come and go: counted down by turns, over after twenty minutes.

use std::collections::BTreeSet;

use ieum_core::Timestamp;

use super::Kept;
use crate::Context;

/// Returns the contexts that are there at `now`.
pub fn alive(kept: Vec<Kept>, now: Timestamp) -> Vec<Kept> {
    kept.into_iter().filter(|kept| kept.is_there(now)).collect()
}

/// Returns the contexts before a turn: those that are there, unless they shall be forgotten, and those the turn
/// brings, which count from now.
pub fn before(kept: Vec<Kept>, reset: bool, brought: &[Context], now: Timestamp) -> Vec<Kept> {
    let kept = if reset { Vec::new() } else { alive(kept, now) };
    set(kept, brought, now)
}

/// Returns the contexts after a turn. `was_there`: the ids the turn had; whatever came meanwhile by another way is
/// left as it is. A turn that was understood lets the others last for another twenty minutes.
pub fn after(
    kept: Vec<Kept>,
    was_there: &BTreeSet<String>,
    answered: &[Context],
    understood: bool,
    now: Timestamp,
) -> Vec<Kept> {
    let counted = alive(kept, now).into_iter().map(|mut kept| {
        if was_there.contains(&kept.context.id) {
            kept.context.lifespan -= 1;
            if understood {
                kept = Kept::from(kept.context, now);
            }
        }
        kept
    });
    set(counted.collect(), answered, now)
}

/// Puts `contexts` in, each in place of the one with its id; without turns it takes that one out.
pub fn set(mut kept: Vec<Kept>, contexts: &[Context], now: Timestamp) -> Vec<Kept> {
    for context in contexts {
        let new = Kept::from(context.clone(), now);
        match kept.iter_mut().find(|kept| kept.context.id == context.id) {
            Some(old) => *old = new,
            None => kept.push(new),
        }
    }
    alive(kept, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Values;

    fn context(id: &str, lifespan: u32) -> Context {
        Context::new(id, lifespan, Values::new())
    }

    fn lifespans(kept: &[Kept]) -> Vec<(&str, u32)> {
        kept.iter().map(|kept| (kept.context.id.as_str(), kept.context.lifespan)).collect()
    }

    fn ids(kept: &[Kept]) -> BTreeSet<String> {
        kept.iter().map(|kept| kept.context.id.clone()).collect()
    }

    #[test]
    fn a_context_is_there_for_as_many_turns_as_it_has() {
        let now = Timestamp::from_seconds(1_000);
        let mut kept = after(Vec::new(), &BTreeSet::new(), &[context("weather", 2)], true, now);
        let mut turns = 0;
        loop {
            let there = before(kept, false, &[], now);
            if there.is_empty() {
                break;
            }
            turns += 1;
            let names = ids(&there);
            kept = after(there, &names, &[], true, now);
        }
        assert_eq!(turns, 2);
    }

    #[test]
    fn an_answer_renews_counts_and_forgets() {
        let now = Timestamp::from_seconds(1_000);
        let given = [context("a", 5), context("b", 5), context("c", 1)];
        let there = before(Vec::new(), false, &given, now);
        let names = ids(&there);
        let came_meanwhile = set(there, &[context("d", 3)], now);
        let kept = after(came_meanwhile, &names, &[context("a", 7), context("b", 0)], true, now);
        assert_eq!(lifespans(&kept), [("a", 7), ("d", 3)]);
        assert_eq!(lifespans(&before(kept, true, &[context("e", 1)], now)), [("e", 1)]);
    }

    #[test]
    fn twenty_minutes_without_a_turn_that_was_understood_end_a_context() {
        let start = Timestamp::from_seconds(1_000);
        let kept = set(Vec::new(), &[context("a", 9)], start);
        let later = start + Context::LONGEST / 2;
        let understood = after(kept.clone(), &ids(&kept), &[], true, later);
        let missed = after(kept.clone(), &ids(&kept), &[], false, later);
        let end = start + Context::LONGEST;
        assert_eq!(lifespans(&alive(understood, end)), [("a", 8)]);
        assert_eq!(lifespans(&alive(missed, end)), []);
    }
}
