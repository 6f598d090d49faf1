//! What must be true once everything is whole again.

use std::collections::{BTreeMap, BTreeSet};

use ieum_bus::DeadState;
use ieum_bus::sim::Tables;

use crate::client::{CLIENTS, Ledger};
use crate::nodes::is_bad;

/// One effect, as consumers record it.
struct Effect<'a> {
    event: &'a str,
    shelf: &'a str,
    number: u64,
    trace: &'a str,
}

/// How a world was left.
pub struct Outcome<'a> {
    pub problems: &'a [String],
    pub tables: &'a Tables,
    pub ledger: &'a Ledger,
}

/// Says what went wrong first.
pub fn judge(outcome: &Outcome<'_>) -> Result<(), String> {
    if let Some(problem) = outcome.problems.first() {
        return Err(problem.clone());
    }
    let Outcome { tables, ledger, .. } = outcome;
    if ledger.finished != CLIENTS {
        return Err(format!("only {} clients came to an end", ledger.finished));
    }
    if !tables.is_quiet() {
        return Err("outbox and lanes did not become empty".to_owned());
    }
    judge_rows(tables, ledger)?;
    let cups = group(tables, "readers")?;
    judge_cups(tables, &cups, "readers")?;
    judge_cups(tables, &group(tables, "audit")?, "audit")?;
    judge_visits(ledger, &group(tables, "counters")?)?;
    judge_dead(tables, &cups)
}

fn group<'a>(tables: &'a Tables, group: &str) -> Result<Vec<Effect<'a>>, String> {
    let ours = tables.effects().iter().filter_map(|line| line.strip_prefix(group)?.strip_prefix(' '));
    let read = |line: &'a str| {
        let mut fields = line.split(' ');
        let mut next = || fields.next().ok_or_else(|| format!("a broken effect: {line}"));
        let (event, shelf) = (next()?, next()?);
        let number = next()?.parse().map_err(|_| format!("a broken effect: {line}"))?;
        Ok(Effect { event, shelf, number, trace: next()? })
    };
    ours.map(read).collect()
}

/// What clients were told is what is there, and each command took effect once at most.
fn judge_rows(tables: &Tables, ledger: &Ledger) -> Result<(), String> {
    for (id, number) in &ledger.placed {
        let row =
            tables.row(&format!("cup/{id}")).ok_or_else(|| format!("{id} was acknowledged and is lost"))?;
        if row.split(' ').next() != Some(number.to_string().as_str()) {
            return Err(format!("{id} was acknowledged as number {number} and is {row}"));
        }
    }
    for (id, number) in &ledger.touched {
        if tables.row(&format!("touched/{id}")) != Some("1") || *number != 1 {
            return Err(format!("{id} was touched and does not show it once"));
        }
    }
    for (key, row) in tables.rows() {
        let (kind, id) = key.split_once('/').ok_or("a row without a kind")?;
        if matches!(kind, "placed" | "touched") && row != "1" {
            return Err(format!("{id} was {kind} {row} times"));
        }
        let wish = match kind {
            "cup" | "placed" => format!("place/{id}"),
            "touched" => format!("touch/{id}"),
            _ => continue,
        };
        let trace = ledger.wished.get(&wish).ok_or_else(|| format!("{key} was never asked for"))?;
        if kind == "cup" && !row.ends_with(trace.as_str()) {
            return Err(format!("{id} left its client's trace"));
        }
    }
    Ok(())
}

/// Every row was told once to the group, in order, in the trace of its client.
fn judge_cups(tables: &Tables, effects: &[Effect<'_>], group: &str) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for effect in effects {
        let id = effect.event.split('@').next().unwrap_or_default();
        if !seen.insert(id) {
            return Err(format!("{group} handled {id} twice"));
        }
        let row =
            tables.row(&format!("cup/{id}")).ok_or_else(|| format!("{group} heard of {id}, which is not"))?;
        if row != format!("{} {}", effect.number, effect.trace) {
            return Err(format!(
                "{group} heard of {id} as {} in trace {}, but it is {row}",
                effect.number, effect.trace
            ));
        }
        // A dead letter lets those behind it go ahead.
        let is_late = group == "readers" && is_bad(id);
        if !is_late && last.insert(effect.shelf, effect.number).is_some_and(|before| before > effect.number) {
            return Err(format!("{group} handled {id} after a later one of its shelf"));
        }
    }
    for (key, _) in tables.rows() {
        if let Some(id) = key.strip_prefix("cup/")
            && !seen.contains(id)
        {
            return Err(format!("{group} never handled {id}"));
        }
    }
    Ok(())
}

fn judge_visits(ledger: &Ledger, effects: &[Effect<'_>]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for effect in effects {
        if !seen.insert(effect.event) {
            return Err(format!("{} was counted twice", effect.event));
        }
        match ledger.wished.get(effect.event) {
            Some(trace) if trace == effect.trace => {}
            found => {
                return Err(format!(
                    "{} was counted in trace {}, but is {found:?}",
                    effect.event, effect.trace
                ));
            }
        }
    }
    match ledger.visited.keys().find(|key| !seen.contains(key.as_str())) {
        Some(key) => Err(format!("{key} was acknowledged and is lost")),
        None => Ok(()),
    }
}

/// Only bad cups died, each once, and each was handled in the end.
fn judge_dead(tables: &Tables, cups: &[Effect<'_>]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for dead in tables.dead() {
        let id = dead.event_id.split('@').next().unwrap_or_default();
        if dead.group != "readers" || !is_bad(id) {
            return Err(format!("{} died in {}", dead.event_id, dead.group));
        }
        if !seen.insert(dead.event_id.clone()) {
            return Err(format!("{} died twice", dead.event_id));
        }
        if dead.state != DeadState::Resolved || !cups.iter().any(|effect| effect.event == dead.event_id) {
            return Err(format!("{} stayed {:?}", dead.event_id, dead.state));
        }
    }
    Ok(())
}
