//! How far two rows of sounds are apart: the least work of turning one into the other, where sounds that are confused
//! easily cost less (Wagner and Fischer 1974, with weights).

use super::{Sound, Sounds};

/// Consonants of Korean that differ by tenseness or breath alone, and vowels that are near in the mouth.
const KOREAN: [&str; 12] = [
    "ㄱㄲㅋ",
    "ㄷㄸㅌ",
    "ㅂㅃㅍ",
    "ㅅㅆ",
    "ㅈㅉㅊ",
    "ㄴㄹㅁㅇ",
    "ㅓㅗ",
    "ㅡㅜ",
    "ㅔㅣ",
    "ㅏㅑ",
    "ㅕㅛ",
    "ㅓㅡ",
];

/// Consonants of English that differ by voice alone, or are easily misheard.
const ENGLISH: [&str; 9] = ["pb", "td", "kg", "fv", "sz", "SJCz", "T0fD", "mn", "lrw"];

const ALIKE: f32 = 0.4;

/// Returns how far two rows are apart: 0 for the same, up to 1.
pub fn distance(a: &[Sound], b: &[Sound], sounds: Sounds) -> f32 {
    let weight = |sound: &Sound| if sound.vowel { vowel_weight(sounds) } else { 1.0 };
    let most = a.iter().map(weight).sum::<f32>().max(b.iter().map(weight).sum());
    if most == 0.0 {
        return 1.0;
    }
    let mut before: Vec<f32> = std::iter::once(0.0)
        .chain(b.iter().scan(0.0, |sum, sound| {
            *sum += weight(sound);
            Some(*sum)
        }))
        .collect();
    for left in a {
        let mut row = Vec::with_capacity(before.len());
        row.push(before[0] + weight(left));
        for (j, right) in b.iter().enumerate() {
            let change = before[j] + change(*left, *right, sounds);
            let drop = before[j + 1] + weight(left);
            let add = row[j] + weight(right);
            row.push(change.min(drop).min(add));
        }
        before = row;
    }
    (before.last().copied().unwrap_or(most) / most).min(1.0)
}

/// In Korean a vowel tells words apart as a consonant does; in English it depends on who speaks.
fn vowel_weight(sounds: Sounds) -> f32 {
    match sounds {
        Sounds::Korean => 0.9,
        Sounds::English => 0.35,
    }
}

fn change(a: Sound, b: Sound, sounds: Sounds) -> f32 {
    if a == b {
        return 0.0;
    }
    let groups: &[&str] = match sounds {
        Sounds::Korean => &KOREAN,
        Sounds::English => &ENGLISH,
    };
    let alike = groups.iter().any(|group| group.contains(a.letter) && group.contains(b.letter));
    let whole = if a.vowel && b.vowel { vowel_weight(sounds) } else { 1.0 };
    match (alike, a.vowel == b.vowel) {
        (true, _) => ALIKE * whole,
        (false, true) => whole,
        // A vowel never stands for a consonant: taking one away and adding the other is dearer than either.
        (false, false) => 1.0 + vowel_weight(sounds),
    }
}
