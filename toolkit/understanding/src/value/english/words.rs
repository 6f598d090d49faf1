//! Where English words begin and end, and what stands beside them.

use crate::value::said::Said;

/// Returns the longest of `words` at `at` that ends where a word ends.
pub(crate) fn whole<T: Clone>(said: &Said, at: usize, words: &[(&str, T)]) -> Option<(usize, T)> {
    let fitting = words.iter().filter_map(|(word, meaning)| {
        let end = said.word(at, word)?;
        is_closed(said, end).then_some((end, meaning))
    });
    fitting.max_by_key(|(end, _)| *end).map(|(end, meaning)| (end, meaning.clone()))
}

/// Returns where the longest of `words` ends that stands at `at` and ends where a word ends.
pub(super) fn one_of(said: &Said, at: usize, words: &[&str]) -> Option<usize> {
    words.iter().filter_map(|word| said.word(at, word)).filter(|end| is_closed(said, *end)).max()
}

/// Returns where the next word starts after one of `words` at `at`.
pub(super) fn lead(said: &Said, at: usize, words: &[&str]) -> Option<usize> {
    one_of(said, at, words).map(|end| said.spaces(end))
}

/// Does the same, or returns `at` where none of them stands.
pub(super) fn skip(said: &Said, at: usize, words: &[&str]) -> usize {
    lead(said, at, words).unwrap_or(at)
}

/// Returns whether no word goes on at `end`.
pub(super) fn is_closed(said: &Said, end: usize) -> bool {
    end > 0 && !(said.at(end - 1).is_alphanumeric() && said.at(end).is_alphanumeric())
}

/// Returns whether the word right before `at` is one of `words`.
pub(super) fn follows(said: &Said, at: usize, words: &[&str]) -> bool {
    let mut end = at;
    while end > 0 && said.at(end - 1) == ' ' {
        end -= 1;
    }
    words.iter().any(|word| {
        let start = end.checked_sub(word.chars().count());
        start
            .is_some_and(|start| said.word(start, word) == Some(end) && !said.before(start).is_alphanumeric())
    })
}

/// Returns whether nothing else is said beside what stands from `at` to `end`.
pub(super) fn is_alone(said: &Said, at: usize, end: usize) -> bool {
    let silent = |at: usize| !said.at(at).is_alphanumeric();
    (0..at).all(silent) && (end..said.len()).all(silent)
}
