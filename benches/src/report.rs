//! The rows of the table in docs/benchmarks.md, collected while the benchmarks run.

use std::sync::{Mutex, PoisonError};

use crate::measure::spread;

static ROWS: Mutex<Vec<Row>> = Mutex::new(Vec::new());

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub enum Wanted {
    /// This much or less.
    AtMost(f64),
    /// This much or more.
    AtLeast(f64),
    /// Whatever it is; the figure only informs.
    Nothing,
}

struct Row {
    bench: &'static str,
    what: String,
    figure: String,
    wanted: String,
}

/// Prints the middle of some figures with the lowest and highest, and keeps it for the table.
pub fn figures(bench: &'static str, what: &str, unit: &str, figures: Vec<f64>, wanted: Wanted) {
    let single = figures.len() == 1;
    let (middle, lowest, highest) = spread(figures);
    let figure = if single {
        format!("{}{unit}", short(middle))
    } else {
        format!("{}{unit} ({} to {})", short(middle), short(lowest), short(highest))
    };
    let wanted = match wanted {
        Wanted::AtMost(most) => limit("<=", most, unit, middle <= most),
        Wanted::AtLeast(least) => limit(">=", least, unit, middle >= least),
        Wanted::Nothing => String::new(),
    };
    println!("{what}: {figure}{}{wanted}", if wanted.is_empty() { "" } else { "; wanted " });
    keep(Row { bench, what: what.to_owned(), figure, wanted });
}

/// Prints why something could not be measured, and keeps that for the table.
pub fn not_run(bench: &'static str, what: &str, why: &str) {
    println!("{what}: not run: {why}");
    keep(Row { bench, what: what.to_owned(), figure: format!("not run: {why}"), wanted: String::new() });
}

/// Prints every row as the table of docs/benchmarks.md.
pub fn print_table() {
    let rows = ROWS.lock().unwrap_or_else(PoisonError::into_inner);
    if rows.is_empty() {
        return;
    }
    println!("\n| what | command | figure | wanted |\n|---|---|---|---|");
    for Row { bench, what, figure, wanted } in rows.iter() {
        println!("| {what} | `bench {bench}` | {figure} | {wanted} |");
    }
}

fn keep(row: Row) {
    ROWS.lock().unwrap_or_else(PoisonError::into_inner).push(row);
}

fn limit(sign: &str, limit: f64, unit: &str, met: bool) -> String {
    format!("{sign} {}{unit}{}", trimmed(limit), if met { "" } else { ", **missed**" })
}

/// Three digits that tell something.
fn short(figure: f64) -> String {
    match figure.abs() {
        size if size >= 100.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

/// A limit as somebody would write it.
fn trimmed(limit: f64) -> String {
    format!("{limit}")
}
