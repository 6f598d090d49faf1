//! What is to be done as a noun, from the Korean words that say it is passed on: "식탁 차리라고" is about "식탁 차리기", and
//! "팀 회의라고" about "팀 회의". The last sounds tell a verb from a noun, not a list of verbs; where both end alike, what is
//! done to something is done ("단어 외우라고"), and what stands alone is a noun ("요리라고").

/// Returns what is to be done or what is, given what follows it: "약 먹으" before "라고" is "약 먹기".
pub fn with_ending(message: &str, following: &str) -> String {
    let following = following.trim_start();
    if following.starts_with("하라고") || following.starts_with("하자고") {
        return format!("{message}하기");
    }
    if following.starts_with("라고") {
        return to_be_done(message).unwrap_or_else(|| without_copula(message).to_owned());
    }
    if following.starts_with("다고") {
        return format!("{message}다");
    }
    if ["자고", "는 거", "는 것"].iter().any(|end| following.starts_with(end)) {
        return format!("{message}기");
    }
    message.to_owned()
}

/// A Hangul syllable by its letters, each counted from the first in Unicode's order; a tail of 0 is none.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Syllable {
    lead: u32,
    vowel: u32,
    tail: u32,
}

const BEGIN: u32 = 0xac00;
const TAILS: u32 = 28;
const VOWELS: u32 = 21;
/// Tails by their places.
const DIGEUT: u32 = 7;
const RIEUL: u32 = 8;
const BIEUP: u32 = 17;
const SIOT: u32 = 19;
/// The vowels of 아, 어, 여 and 와, 워, in which a verb ends that another one leans on: 들어가, 가져오.
const LEANING: [u32; 5] = [0, 4, 6, 9, 14];
/// The vowels of 오 and 우.
const ROUND: [u32; 2] = [8, 13];
/// Tails in front of 이 that no noun but a verb has: 끓이, 붙이, 높이, 쌓이, 볶이.
const OF_VERBS: [u32; 6] = [2, 6, 15, 25, 26, 27];

impl Syllable {
    fn of(letter: char) -> Option<Self> {
        let place = u32::from(letter).checked_sub(BEGIN).filter(|_| ('가'..='힣').contains(&letter))?;
        let (lead, vowel) = (place / (TAILS * VOWELS), place / TAILS % VOWELS);
        Some(Self { lead, vowel, tail: place % TAILS })
    }

    fn with_tail(self, tail: u32) -> Option<char> {
        char::from_u32(BEGIN + (self.lead * VOWELS + self.vowel) * TAILS + tail)
    }
}

/// Returns the noun of a verb that is told to be done; `None` where the words are one already.
fn to_be_done(message: &str) -> Option<String> {
    let (before, last) =
        message.rsplit_once(' ').map_or((None, message), |(before, last)| (Some(before), last));
    let stem = message.strip_suffix('으').map_or(message, |stem| stem);
    let end = Syllable::of(stem.chars().next_back()?)?;
    if stem.len() < message.len() {
        let is_alone = last.chars().count() == 2;
        let tail = match end.tail {
            // 모으다 keeps its own, and of the others ㅅ is lost before 으: 지으라고, 부으라고.
            0 if stem.ends_with('모') => return Some(format!("{message}기")),
            0 => SIOT,
            // ㄷ turns into ㄹ there: 들으라고.
            RIEUL if is_alone || stem.ends_with("깨달") => DIGEUT,
            tail => tail,
        };
        return Some(format!("{}기", ended(stem, end, tail)?));
    }
    let mut others = last.chars().rev().skip(1);
    let previous = others.next().and_then(Syllable::of);
    // ㅂ turns into 우 there: 구우라고, 도우라고.
    if let Some(previous) = previous.filter(|previous| previous.tail == 0 && ROUND.contains(&previous.vowel))
        && last.ends_with('우')
    {
        let root = stem.strip_suffix('우')?;
        return Some(format!("{}기", ended(root, previous, BIEUP)?));
    }
    let is_object = before.is_some_and(|before| ["을", "를"].iter().any(|object| before.ends_with(object)));
    let is_verb = is_object || is_stem(last, end, previous, before.is_some());
    is_verb.then(|| format!("{message}기"))
}

/// Returns `stem` with another tail in its last syllable.
fn ended(stem: &str, end: Syllable, tail: u32) -> Option<String> {
    let mut ended = stem.to_owned();
    ended.pop();
    ended.push(end.with_tail(tail)?);
    Some(ended)
}

/// Tells a verb's stem from a noun by its last two syllables. `is_after` tells whether words are in front of it.
fn is_stem(last: &str, end: Syllable, previous: Option<Syllable>, is_after: bool) -> bool {
    /// What causes and what is let be done ends in 이 after these, as nouns with 이라고 do.
    const CAUSED: [&str; 9] = ["먹이", "줄이", "녹이", "들이", "늘이", "절이", "졸이", "숙이", "움직이"];
    /// Last syllables of many verbs and few nouns.
    const VERBAL: [&str; 14] =
        ["우", "르", "추", "꾸", "끄", "뜨", "쓰", "그", "푸", "켜", "펴", "하", "빼", "깨"];
    /// Last syllables of both; the nouns stand without an object.
    const OF_BOTH: [&str; 11] = ["리", "치", "기", "키", "히", "시", "내", "누", "지", "니", "루"];
    /// Nouns that may have one: "동네 잔치라고".
    const NOUNS: [&str; 37] = [
        "잔치",
        "김치",
        "정리",
        "요리",
        "수리",
        "관리",
        "처리",
        "자리",
        "머리",
        "다리",
        "경기",
        "감기",
        "일기",
        "연기",
        "후기",
        "학기",
        "전기",
        "시기",
        "택시",
        "접시",
        "전시",
        "안내",
        "시내",
        "실내",
        "아내",
        "편지",
        "공지",
        "단지",
        "휴지",
        "중지",
        "정지",
        "비누",
        "어머니",
        "할머니",
        "언니",
        "쿠키",
        "스키",
    ];
    let Some(previous) = previous else {
        // A number before 시 is an hour.
        return last != "시";
    };
    if end.tail == RIEUL {
        // After a noun with a tail 이라고 follows.
        return true;
    }
    if end.tail != 0 {
        return false;
    }
    let ends = |ends: &[&str]| ends.iter().any(|end| last.ends_with(end));
    if last.ends_with('이') {
        let is_short = last.chars().count() == 2 && previous.tail == 0 && is_after;
        return OF_VERBS.contains(&previous.tail) || ends(&CAUSED) || (is_short && !ends(&["아이", "놀이"]));
    }
    let is_leaning = previous.tail == 0 && LEANING.contains(&previous.vowel);
    ends(&VERBAL)
        || (is_leaning && ends(&["가", "오", "보", "주", "두", "놓", "나", "서", "타"]) && !ends(&["바나나"]))
        || ends(&["만나", "끝나", "돌보"])
        || (is_after && ends(&OF_BOTH) && !ends(&NOUNS))
}

/// Returns a noun without the 이 that joins it to 라고.
fn without_copula(message: &str) -> &str {
    let has_tail = |word: &&str| {
        word.chars().next_back().and_then(Syllable::of).is_some_and(|syllable| syllable.tail != 0)
    };
    message.strip_suffix('이').filter(has_tail).unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(cases: &[(&str, &str)], following: &str) -> Vec<String> {
        let said = |(message, wanted): &(&str, &str)| {
            let got = with_ending(message, following);
            (got != *wanted).then(|| format!("{message}{following}: {got}"))
        };
        cases.iter().filter_map(said).collect()
    }

    #[test]
    fn a_verb_gets_back_the_ending_that_was_cut_from_it() {
        let cases = [
            ("약 먹으", "약 먹기"),
            ("머리 감으", "머리 감기"),
            ("음악 들으", "음악 듣기"),
            ("걸으", "걷기"),
            ("글 읽으", "글 읽기"),
            ("밥 지으", "밥 짓기"),
            ("물 부으", "물 붓기"),
            ("돈 모으", "돈 모으기"),
            ("고기 구우", "고기 굽기"),
            ("엄마 도우", "엄마 돕기"),
            ("식탁 차리", "식탁 차리기"),
            ("애들 재우", "애들 재우기"),
            ("전 부치", "전 부치기"),
            ("국 데우", "국 데우기"),
            ("화분 키우", "화분 키우기"),
            ("방 치우", "방 치우기"),
            ("물병 채우", "물병 채우기"),
            ("쓰레기통 비우", "쓰레기통 비우기"),
            ("단어 외우", "단어 외우기"),
            ("노래 배우", "노래 배우기"),
            ("도시락 챙기", "도시락 챙기기"),
            ("택배 보내", "택배 보내기"),
            ("월세 내", "월세 내기"),
            ("빨래 널", "빨래 널기"),
            ("빨래 개", "빨래 개기"),
            ("태극기 달", "태극기 달기"),
            ("케이크 만들", "케이크 만들기"),
            ("국 끓이", "국 끓이기"),
            ("고양이 밥 먹이", "고양이 밥 먹이기"),
            ("우표 붙이", "우표 붙이기"),
            ("애들 깨우", "애들 깨우기"),
            ("문 잠그", "문 잠그기"),
            ("병원 예약 미루", "병원 예약 미루기"),
            ("택시 부르", "택시 부르기"),
            ("시계 맞추", "시계 맞추기"),
            ("불 끄", "불 끄기"),
            ("집에 들어가", "집에 들어가기"),
            ("아이 데려오", "아이 데려오기"),
            ("일어나", "일어나기"),
            ("자", "자기"),
            ("물 마시", "물 마시기"),
            ("할머니 약 드시", "할머니 약 드시기"),
            ("친구를 안내하", "친구를 안내하기"),
            ("친구 만나", "친구 만나기"),
            ("약 잊지 말", "약 잊지 말기"),
            ("운동하", "운동하기"),
        ];
        assert_eq!(lost(&cases, "라고 알려 줘"), Vec::<String>::new());
        let cases = [("운동", "운동하기")];
        assert_eq!(lost(&cases, "하라고 알려 줘"), Vec::<String>::new());
        let cases = [("밥 먹", "밥 먹기"), ("산책 가", "산책 가기"), ("운동하", "운동하기")];
        assert_eq!(lost(&cases, "자고 알려 줘"), Vec::<String>::new());
    }

    #[test]
    fn what_something_is_stays_what_it_is() {
        let cases = [
            ("회의", "회의"),
            ("팀 회의", "팀 회의"),
            ("약속이", "약속"),
            ("엄마 생신이", "엄마 생신"),
            ("월급날이", "월급날"),
            ("결혼식이", "결혼식"),
            ("휴가", "휴가"),
            ("엄마 휴가", "엄마 휴가"),
            ("생일 파티", "생일 파티"),
            ("세미나", "세미나"),
            ("동네 잔치", "동네 잔치"),
            ("축구 경기", "축구 경기"),
            ("이사", "이사"),
            ("연주회", "연주회"),
            ("저녁 식사", "저녁 식사"),
            ("세 시", "세 시"),
            ("요리", "요리"),
            ("축구", "축구"),
            ("데이트", "데이트"),
        ];
        assert_eq!(lost(&cases, "라고 알려 줘"), Vec::<String>::new());
        assert_eq!(with_ending("회의 있", "다고 알려 줘"), "회의 있다");
        assert_eq!(with_ending("회의", "를 알려 줘"), "회의");
    }
}
