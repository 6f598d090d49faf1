//! How many words or letters were heard wrong.

/// Returns the share of words that are wrong, left out or made up (the word error rate).
pub fn word_errors(wanted: &str, heard: &str) -> f64 {
    let words = |text: &str| plain(text).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    rate(&words(wanted), &words(heard))
}

/// Returns the same of letters, without spaces (the character error rate), as is usual for Korean.
pub fn letter_errors(wanted: &str, heard: &str) -> f64 {
    let letters =
        |text: &str| plain(text).chars().filter(|letter| !letter.is_whitespace()).collect::<Vec<_>>();
    rate(&letters(wanted), &letters(heard))
}

fn plain(text: &str) -> String {
    let keep = |letter: char| if letter.is_alphanumeric() { letter } else { ' ' };
    text.to_lowercase().replace('\'', "").chars().map(keep).collect()
}

fn rate<T: PartialEq>(wanted: &[T], heard: &[T]) -> f64 {
    let mut before: Vec<usize> = (0..=heard.len()).collect();
    for (i, left) in wanted.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, right) in heard.iter().enumerate() {
            let change = before[j] + usize::from(left != right);
            row.push(change.min(before[j + 1] + 1).min(row[j] + 1));
        }
        before = row;
    }
    before[heard.len()] as f64 / wanted.len().max(1) as f64
}

#[test]
fn errors_are_counted_by_words_and_by_letters() {
    assert!((word_errors("turn on the light", "Turn off the light!") - 0.25).abs() < 1e-9);
    assert!((letter_errors("불 켜 줘", "불켜줘.") - 0.0).abs() < 1e-9);
}
