//! Numbers in a net of words: an engine may write "twelve" as "12" and "열" as "10".

use super::{Link, letters};

const ENGLISH: [(&str, u32); 28] = [
    ("zero", 0),
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("seventeen", 17),
    ("eighteen", 18),
    ("nineteen", 19),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
];

/// Native numbers as they stand before what is counted; those of Chinese origin are counted digit by digit.
const KOREAN: [(&str, u32); 22] = [
    ("한", 1),
    ("하나", 1),
    ("두", 2),
    ("둘", 2),
    ("세", 3),
    ("셋", 3),
    ("네", 4),
    ("넷", 4),
    ("다섯", 5),
    ("여섯", 6),
    ("일곱", 7),
    ("여덟", 8),
    ("아홉", 9),
    ("열", 10),
    ("열한", 11),
    ("열하나", 11),
    ("열두", 12),
    ("열둘", 12),
    ("스무", 20),
    ("스물", 20),
    ("서른", 30),
    ("마흔", 40),
];
const SINO: [&str; 10] = ["영", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"];

/// Returns the pieces of a link with their letters: word after word, beside a number's words its digits. Knots in
/// between take their numbers from `fresh`.
pub fn pieces(link: &Link, fresh: &mut u32) -> Vec<(Link, Vec<u8>)> {
    let whole = || vec![(link.clone(), letters(&link.said))];
    // A part of a word is no number.
    let words: Vec<&str> = link.said.split_inclusive(' ').collect();
    if !words.iter().any(|word| digits(word).is_some()) {
        return whole();
    }
    let mut found = Vec::new();
    let mut knots = vec![link.from];
    for _ in 1..words.len() {
        knots.push(*fresh);
        *fresh += 1;
    }
    knots.push(link.to);
    for (i, word) in words.iter().enumerate() {
        let piece = Link { from: knots[i], said: (*word).to_owned(), to: knots[i + 1] };
        found.push((piece, letters(word)));
        let ways = [(1, digits(word)), (2, words.get(i + 1).and_then(|next| both(word, next)))];
        for (count, number) in ways {
            if let Some(number) = number {
                let said = words[i..i + count].concat();
                found.push((
                    Link { from: knots[i], said, to: knots[i + count] },
                    number.to_string().into_bytes(),
                ));
            }
        }
    }
    found
}

/// Returns the number that a word is.
fn digits(word: &str) -> Option<u32> {
    let word = word.trim().to_lowercase();
    let listed = ENGLISH.iter().chain(&KOREAN).find(|(name, _)| *name == word);
    listed.map(|(_, number)| *number).or_else(|| sino(&word))
}

/// "twenty five".
fn both(tens: &str, ones: &str) -> Option<u32> {
    let (tens, ones) = (digits(tens)?, digits(ones)?);
    (tens >= 20 && tens % 10 == 0 && (1..10).contains(&ones)).then_some(tens + ones)
}

/// Reads "이십오": up to ninety-nine, which is what clocks and timers need.
fn sino(word: &str) -> Option<u32> {
    let digit = |text: &str| SINO.iter().position(|name| *name == text).map(|place| place as u32);
    match word.split_once('십') {
        Some((tens, ones)) => {
            let tens = if tens.is_empty() { 1 } else { digit(tens).filter(|&tens| tens > 1)? };
            let ones = if ones.is_empty() { 0 } else { digit(ones).filter(|&ones| ones > 0)? };
            Some(tens * 10 + ones)
        }
        None => digit(word),
    }
}
