//! Korean as it is spoken: jamo after the rules of standard pronunciation (표준 발음법, National Institute of Korean
//! Language) that change what engines write: linking (§13), plain endings (§8-11), nasals (§18), ㄹ (§20), ㅎ (§12).

use super::Sound;

const INITIALS: [char; 19] = [
    'ㄱ', 'ㄲ', 'ㄴ', 'ㄷ', 'ㄸ', 'ㄹ', 'ㅁ', 'ㅂ', 'ㅃ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅉ', 'ㅊ', 'ㅋ', 'ㅌ',
    'ㅍ', 'ㅎ',
];
const VOWELS: [char; 21] = [
    'ㅏ', 'ㅐ', 'ㅑ', 'ㅒ', 'ㅓ', 'ㅔ', 'ㅕ', 'ㅖ', 'ㅗ', 'ㅘ', 'ㅙ', 'ㅚ', 'ㅛ', 'ㅜ', 'ㅝ', 'ㅞ', 'ㅟ',
    'ㅠ', 'ㅡ', 'ㅢ', 'ㅣ',
];
/// Endings: what stays, and what goes on to a following vowel (of a pair the second).
const FINALS: [(&str, &str); 28] = [
    ("", ""),
    ("ㄱ", "ㄱ"),
    ("ㄱ", "ㄲ"),
    ("ㄱ", "ㄱㅅ"),
    ("ㄴ", "ㄴ"),
    ("ㄴ", "ㄴㅈ"),
    ("ㄴ", "ㄴㅎ"),
    ("ㄷ", "ㄷ"),
    ("ㄹ", "ㄹ"),
    ("ㄱ", "ㄹㄱ"),
    ("ㅁ", "ㄹㅁ"),
    ("ㄹ", "ㄹㅂ"),
    ("ㄹ", "ㄹㅅ"),
    ("ㄹ", "ㄹㅌ"),
    ("ㅂ", "ㄹㅍ"),
    ("ㄹ", "ㄹㅎ"),
    ("ㅁ", "ㅁ"),
    ("ㅂ", "ㅂ"),
    ("ㅂ", "ㅂㅅ"),
    ("ㄷ", "ㅅ"),
    ("ㄷ", "ㅆ"),
    ("ㅇ", "ㅇ"),
    ("ㄷ", "ㅈ"),
    ("ㄷ", "ㅊ"),
    ("ㄱ", "ㅋ"),
    ("ㄷ", "ㅌ"),
    ("ㅂ", "ㅍ"),
    ("", "ㅎ"),
];

#[derive(Clone, Copy)]
enum Piece {
    Syllable { initial: usize, vowel: usize, ending: usize },
    Other(char),
}

/// Returns the sounds of a text. Letters of other scripts stand for themselves; signs and spaces are silent.
pub fn row(text: &str) -> Vec<Sound> {
    let pieces: Vec<Piece> = text.chars().filter_map(piece).collect();
    let mut row = Vec::new();
    let mut carried = Carried::default();
    for (i, piece) in pieces.iter().enumerate() {
        match *piece {
            Piece::Other(letter) => row.push(Sound { letter, vowel: false }),
            Piece::Syllable { initial, vowel, ending } => {
                let own = std::mem::take(&mut carried).initial.unwrap_or(INITIALS[initial]);
                if own != 'ㅇ' {
                    row.push(Sound { letter: own, vowel: false });
                }
                row.push(Sound { letter: merged(VOWELS[vowel]), vowel: true });
                let (stays, next) = meet(ending, pieces.get(i + 1));
                row.extend(stays.map(|letter| Sound { letter, vowel: false }));
                carried.initial = next;
            }
        }
    }
    row
}

/// What an ending makes of the next beginning.
#[derive(Default)]
struct Carried {
    initial: Option<char>,
}

/// Returns the ending that stays, and the beginning of the next syllable where it changes.
fn meet(ending: usize, next: Option<&Piece>) -> (Option<char>, Option<char>) {
    let (plain, whole) = FINALS[ending];
    let plain = plain.chars().next();
    let Some(&Piece::Syllable { initial, .. }) = next else { return (plain, None) };
    let mut parts = whole.chars();
    let (first, second) = (parts.next(), parts.next());
    match (INITIALS[initial], first, second) {
        (_, None, _) => (None, None),
        // Linking: the ending moves on, and of two the second does; ㅎ falls silent, ㅇ stays.
        ('ㅇ', Some('ㅇ'), _) => (Some('ㅇ'), None),
        ('ㅇ', Some('ㅎ'), None) => (None, None),
        ('ㅇ', Some(first), Some('ㅎ')) => (None, Some(first)),
        ('ㅇ', Some(first), Some(second)) => (
            FINALS
                .iter()
                .find(|(_, whole)| whole.starts_with(first))
                .and_then(|(plain, _)| plain.chars().next()),
            Some(second),
        ),
        ('ㅇ', Some(first), None) => (None, Some(first)),
        // Breath: ㅎ makes its neighbour a breathed one.
        (begin, Some('ㅎ'), None) | (begin, _, Some('ㅎ')) if breathed(begin).is_some() => {
            (plain.filter(|_| second.is_some()), breathed(begin))
        }
        ('ㅎ', _, _) if plain.and_then(breathed).is_some() => (None, plain.and_then(breathed)),
        // A plain ending before ㅅ is heard as its tenseness alone.
        ('ㅅ' | 'ㅆ', _, _) if plain == Some('ㄷ') => (None, Some('ㅆ')),
        // Nasals and ㄹ.
        ('ㄴ' | 'ㅁ', _, _) => (plain.map(nasal), None),
        ('ㄹ', _, _) if plain == Some('ㄴ') => (Some('ㄹ'), None),
        _ => (plain, None),
    }
}

fn breathed(letter: char) -> Option<char> {
    match letter {
        'ㄱ' => Some('ㅋ'),
        'ㄷ' => Some('ㅌ'),
        'ㅂ' => Some('ㅍ'),
        'ㅈ' => Some('ㅊ'),
        _ => None,
    }
}

fn nasal(letter: char) -> char {
    match letter {
        'ㄱ' => 'ㅇ',
        'ㄷ' => 'ㄴ',
        'ㅂ' => 'ㅁ',
        other => other,
    }
}

/// Vowels that nobody tells apart today.
fn merged(vowel: char) -> char {
    match vowel {
        'ㅐ' => 'ㅔ',
        'ㅒ' | 'ㅖ' => 'ㅔ',
        'ㅙ' | 'ㅚ' => 'ㅞ',
        'ㅢ' => 'ㅣ',
        other => other,
    }
}

fn piece(letter: char) -> Option<Piece> {
    let number = u32::from(letter);
    if (0xAC00..=0xD7A3).contains(&number) {
        let place = (number - 0xAC00) as usize;
        return Some(Piece::Syllable { initial: place / 588, vowel: place % 588 / 28, ending: place % 28 });
    }
    let lower = letter.to_lowercase().next().unwrap_or(letter);
    letter.is_alphanumeric().then_some(Piece::Other(lower))
}
