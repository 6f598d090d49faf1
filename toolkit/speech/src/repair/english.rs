//! English as it is spoken, roughly: consonants by the rules of Metaphone (L. Philips 1990), vowels kept as one sound
//! that weighs little.

use super::Sound;

/// Spellings and their sounds, longest first. `0` is the sound of "thin", `S` of "she", `C` of "chin", `J` of "gin".
const SPELLINGS: [(&str, &str); 30] = [
    ("tion", "San"),
    ("sion", "San"),
    ("ture", "Ca"),
    ("ough", "a"),
    ("augh", "a"),
    ("eigh", "a"),
    ("tch", "C"),
    ("dge", "J"),
    ("sch", "sk"),
    ("igh", "a"),
    ("alk", "ak"),
    ("ph", "f"),
    ("sh", "S"),
    ("ch", "C"),
    ("th", "0"),
    ("gh", "g"),
    ("ck", "k"),
    ("wh", "w"),
    ("qu", "kw"),
    ("ce", "sa"),
    ("ci", "sa"),
    ("cy", "sa"),
    ("ge", "Ja"),
    ("gi", "Ja"),
    ("gy", "Ja"),
    ("ow", "a"),
    ("x", "ks"),
    ("c", "k"),
    ("q", "k"),
    ("z", "s"),
];

/// Beginnings of words whose first letter is silent.
const SILENT: [&str; 5] = ["kn", "gn", "pn", "wr", "ps"];

/// Returns the sounds of a text. Signs and spaces are silent.
pub fn row(text: &str) -> Vec<Sound> {
    let mut row = Vec::new();
    for word in text.split(|letter: char| !letter.is_alphanumeric() && letter != '\'') {
        let plain: String =
            word.chars().filter(|letter| *letter != '\'').flat_map(char::to_lowercase).collect();
        add_word(&plain, &mut row);
    }
    row
}

fn add_word(word: &str, row: &mut Vec<Sound>) {
    let start = usize::from(SILENT.iter().any(|begin| word.starts_with(begin)));
    let mut rest = &word[start..];
    let mut last = None;
    while let Some(letter) = rest.chars().next() {
        let spelling = SPELLINGS.iter().find(|(spelling, _)| rest.starts_with(spelling));
        let (taken, said) = match spelling {
            Some((spelling, said)) => (spelling.len(), (*said).to_owned()),
            None => (letter.len_utf8(), letter.to_string()),
        };
        rest = &rest[taken..];
        for sound in said.chars() {
            let sound = heard(sound, rest.is_empty() && last.is_some());
            // Twice the same letter is one sound, and vowels in a row are one.
            if sound != last
                && let Some(letter) = sound
            {
                row.push(Sound { letter, vowel: letter == 'a' });
            }
            last = sound.or(last);
        }
    }
}

/// Returns a letter's sound; `e` at the end of a word and `h` have none.
fn heard(letter: char, at_end: bool) -> Option<char> {
    match letter {
        'e' if at_end => None,
        'h' => None,
        'a' | 'e' | 'i' | 'o' | 'u' | 'y' => Some('a'),
        other => Some(other),
    }
}
