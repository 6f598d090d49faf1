//! What people say to a speaker before they say what it is for: its name, a greeting, thanks, a no.

use super::negated::ENGLISH_VERBS;
use super::words::{NO, YES};
use crate::tongue::Tongue;

const KOREAN: [&str; 28] = [
    "아니",
    "아냐",
    "아니야",
    "됐어",
    "이음아",
    "이음",
    "안녕",
    "안녕하세요",
    "좋은 아침",
    "굿모닝",
    "고마워",
    "고마워요",
    "고맙습니다",
    "감사합니다",
    "잘 자",
    "잘자",
    "나 잘게",
    "나 이제 잘게",
    "이제 잘게",
    "나 나갈게",
    "나갈게",
    "다녀올게",
    "나 왔어",
    "다녀왔어",
    "그래",
    "그럼",
    "오케이",
    "미안한데",
];
const ENGLISH: [&str; 27] = [
    "no",
    "actually",
    "wait",
    "ieum",
    "hello",
    "hi",
    "hey",
    "good morning",
    "good evening",
    "good afternoon",
    "good night",
    "goodnight",
    "thanks",
    "thank you",
    "ok",
    "okay",
    "all right",
    "alright",
    "great",
    "i'm home",
    "i am home",
    "i'm back",
    "i'm leaving",
    "i'm going to bed",
    "sorry",
    "excuse me",
    "bye",
];

/// Returns the small talk that a yes or a no is where nothing was asked.
pub fn assent(text: &str) -> Option<&'static str> {
    const HEARD: [&str; 9] =
        ["알았어", "알았어요", "알겠어", "알겠어요", "오케이", "all right", "alright", "right", "got it"];
    let text = text.to_lowercase();
    let said = text.trim_end_matches(['.', '!', '~', ' ']).trim();
    let of_yes = (YES.contains(&said) || HEARD.contains(&said)).then_some("dialog.here");
    of_yes.or_else(|| NO.contains(&said).then_some("dialog.cancel"))
}

/// Returns what is said after such words, where something is.
pub fn after_opening(text: &str, tongue: Tongue) -> Option<&str> {
    let lower = text.to_lowercase();
    // What changes its length in small letters is none of these words.
    let lower = if lower.len() == text.len() { lower } else { return None };
    let rest = |opening: &&str| {
        let rest = lower.strip_prefix(opening)?;
        let said = rest.trim_start_matches(|letter: char| letter.is_whitespace() || ",.!~".contains(letter));
        // "No alarm at 7" asks for none.
        if *opening == "no" && !begins_again(rest) {
            return None;
        }
        // A whole word, and something after it.
        (said.len() < rest.len() && !said.is_empty()).then_some(text.len() - said.len())
    };
    let openings: &[&str] = tongue.pick(&KOREAN, &ENGLISH);
    let at = openings.iter().filter_map(rest).max()?;
    text.get(at..)
}

/// Tells whether a sentence begins with a no that declines what it names: "no alarm at 7".
pub fn declines(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    text.strip_prefix("no").is_some_and(|rest| rest.starts_with(' ') && !begins_again(rest))
}

/// Tells whether what stands after a no is a sentence of its own.
fn begins_again(rest: &str) -> bool {
    let said = rest.trim_start();
    let next = said.split(|letter: char| !letter.is_alphabetic()).next().unwrap_or_default();
    said.starts_with([',', '.', '!', '~'])
        || ENGLISH_VERBS.contains(&next)
        || ["it", "that", "actually", "please"].contains(&next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_without_a_mark_declines_what_it_names() {
        for text in ["no alarm at 7", "No lights on", "no the fan"] {
            assert!(declines(text), "{text}");
        }
        for text in ["no, alarm at 7", "no. lights on", "no turn on the fan", "no it is hot", "nothing", "no"]
        {
            assert!(!declines(text), "{text}");
        }
    }

    #[test]
    fn what_is_said_after_a_greeting_is_what_it_is_for() {
        for (text, tongue, rest) in [
            ("안녕, 지금 몇 시야", Tongue::Korean, Some("지금 몇 시야")),
            ("나 이제 잘게 불 꺼 줘", Tongue::Korean, Some("불 꺼 줘")),
            ("이음아 불 켜 줘", Tongue::Korean, Some("불 켜 줘")),
            ("안녕히 주무세요", Tongue::Korean, None),
            ("잘 자", Tongue::Korean, None),
            ("Good night! Turn off the lights", Tongue::English, Some("Turn off the lights")),
            ("hi there", Tongue::English, Some("there")),
            ("history", Tongue::English, None),
            ("no, alarm at 7", Tongue::English, Some("alarm at 7")),
            ("No! Alarm at 7", Tongue::English, Some("Alarm at 7")),
            ("no turn on the fan", Tongue::English, Some("turn on the fan")),
            ("no please turn on the fan", Tongue::English, Some("please turn on the fan")),
            ("no alarm at 7", Tongue::English, None),
            ("no lights on", Tongue::English, None),
            ("아니 7시 알람", Tongue::Korean, Some("7시 알람")),
        ] {
            assert_eq!(after_opening(text, tongue), rest, "{text}");
        }
    }
}
