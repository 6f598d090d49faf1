//! What a command says: lines and tables for people, one JSON value for programs.

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;

/// Where a command's words go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    /// Makes the output of one command.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Says nothing for people; for commands whose answer is all they say.
    pub fn quiet() -> Self {
        Self { json: true }
    }

    /// Tells whether a program reads.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints one line for people; nothing where programs read.
    pub fn line(&self, text: &str) {
        if !self.json {
            self.text(&format!("{text}\n"));
        }
    }

    /// Prints `value` for programs, or what `human` says for people.
    pub fn value<T: Serialize>(&self, value: &T, human: impl FnOnce() -> String) {
        if !self.json {
            return self.text(&human());
        }
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.text(&format!("{text}\n")),
            Err(error) => self.text(&format!("{{\"error\":\"writing the answer: {error}\"}}\n")),
        }
    }

    /// Prints `text` as it is.
    pub fn text(&self, text: &str) {
        // Nobody is left to tell when the reader of a pipe has gone.
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
        let _ = std::io::stdout().lock().flush();
    }

    /// Tells people something beside the answer, which programs need not read.
    pub fn note(&self, text: &str) {
        let _ = std::io::stderr().lock().write_all(format!("note: {text}\n").as_bytes());
    }

    /// Rewrites the last line on a terminal; on anything else says nothing.
    pub fn progress(&self, text: &str) {
        if !self.json && std::io::stderr().is_terminal() {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K{text}");
        }
    }

    /// Ends what [`Output::progress`] rewrote.
    pub fn progress_done(&self) {
        self.progress("");
    }

    /// Prints the whole chain of an error, once, and returns the exit code of a failure.
    pub fn fail(&self, error: &(dyn Error + 'static)) -> ExitCode {
        let mut causes = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            // A cause that only repeats what its effect said tells nothing new.
            if causes.last() != Some(&text) {
                causes.push(text);
            }
            next = cause.source();
        }
        if self.json {
            let value = serde_json::json!({ "error": error.to_string(), "causes": causes });
            self.text(&format!("{value}\n"));
        } else {
            let mut text = format!("error: {error}\n");
            for cause in causes {
                text.push_str(&format!("  because {cause}\n"));
            }
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
        }
        ExitCode::FAILURE
    }
}

/// Lays rows out in columns under `heads`.
pub fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([heads[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())))
            .collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let mut text = line(&mut heads.iter().copied());
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}
