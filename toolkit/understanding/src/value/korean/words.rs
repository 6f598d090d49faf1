//! Where Korean words that name a time begin and end: particles may follow them, other syllables may not.

use crate::value::said::{Said, is_hangul};

/// Particles and what else is written together with a time.
const PARTICLES: &[&str] = &[
    "은",
    "는",
    "이",
    "가",
    "을",
    "를",
    "에",
    "의",
    "로",
    "으로",
    "와",
    "과",
    "랑",
    "이랑",
    "나",
    "이나",
    "도",
    "만",
    "만큼",
    "보다",
    "처럼",
    "같이",
    "까지",
    "부터",
    "에서",
    "에서부터",
    "에는",
    "에도",
    "엔",
    "에만",
    "까진",
    "부턴",
    "쯤",
    "쯤에",
    "경",
    "경에",
    "께",
    "정도",
    "마다",
    "라도",
    "이라도",
    "하고",
    "이든",
    "든",
    "당",
    "대비",
    "동기",
    "기준",
    "날",
    "때",
    "동안",
    "내내",
    "간",
    "중",
    "중에",
    "초",
    "말",
    "전",
    "전에",
    "후",
    "후에",
    "뒤",
    "뒤에",
    "이후",
    "이전",
    "경부터",
    "다",
    "자",
    "요",
    "씩",
    "째",
    "무렵",
    "밤",
    "낮",
    "아침",
    "저녁",
    "새벽",
    "오전",
    "오후",
];
/// Beginnings of forms of "to be" and of endings, after which anything may stand.
const FORMS: &[&str] = &[
    "이다",
    "입니",
    "이었",
    "였",
    "이에요",
    "예요",
    "에요",
    "이야",
    "야",
    "이라",
    "라고",
    "라는",
    "라면",
    "라서",
    "인",
    "이고",
    "이며",
    "이면",
    "이지",
    "이니",
    "니까",
    "인데",
    "이죠",
    "죠",
    "일까",
    "인가",
    "이어",
    "여야",
    "이래",
    "까지",
    "부터",
    "에서",
    "이후",
    "이전",
    "이내",
];
/// What a day may be written together with in front of it.
const BEFORE: &[char] = &['은', '는', '을', '를', '에', '고', '와', '과', '나', '서', '도'];
const DAYS: &[&str] =
    &["오늘", "내일", "모레", "어제", "월요일", "화요일", "수요일", "목요일", "금요일", "토요일", "일요일"];

/// Returns whether a word that names a time may end at `end`.
pub(crate) fn ends_word(said: &Said, end: usize) -> bool {
    ends(said, end, 2) || is_counted(said, end) || said.one_of(end, FORMS).is_some()
}

/// `4월14일회의`: after digits and their unit any word may begin.
fn is_counted(said: &Said, end: usize) -> bool {
    end > 1
        && said.at(end - 2).is_ascii_digit()
        && matches!(said.at(end - 1), '일' | '시' | '분' | '초' | '월' | '년')
}

fn ends(said: &Said, end: usize, more: usize) -> bool {
    !is_hangul(said.at(end))
        || more > 0
            && PARTICLES.iter().any(|word| said.word(end, word).is_some_and(|end| ends(said, end, more - 1)))
}

/// Returns whether what begins at `at` is wished well.
pub(crate) fn is_wish(said: &Said, at: usize) -> bool {
    at >= 3 && said.word(at - 3, "좋은 ") == Some(at)
}

/// Returns whether a day begins at `at` right after a particle: `너는모레에`.
pub(crate) fn starts_day(said: &Said, at: usize) -> bool {
    BEFORE.contains(&said.before(at)) && said.one_of(at, DAYS).is_some()
}
