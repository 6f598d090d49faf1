//! `cargo xtask arch`: no crate knows what arch.toml does not let it know.

mod rules;
mod workspace;

use crate::failure::{Failure, Tried};
use crate::shell;

/// Checks the workspace against arch.toml and prints one sentence per violation.
///
/// # Errors
/// When there is a violation, or arch.toml or the workspace cannot be read.
pub fn run() -> Result<(), Failure> {
    let root = shell::root();
    let text = std::fs::read_to_string(root.join("arch.toml")).tried("reading arch.toml")?;
    let rules = rules::Rules::parse(&text).tried("reading arch.toml")?;
    let members = workspace::members(&root)?;
    let mut sentences = rules.check(&members);
    sentences.extend(workspace::files_without_purpose(&root, &members)?);
    for sentence in &sentences {
        println!("{sentence}");
    }
    if sentences.is_empty() {
        println!("arch: {} crates know only what they may", members.len());
        return Ok(());
    }
    Err(Failure(format!("arch: {} violations of arch.toml", sentences.len())))
}
