//! Korean numbers: Sino-Korean, native, digits, and all three in one (`3백21`, `천만 원`, `스물다섯`).

use crate::value::number::{Read, plain, signed};
use crate::value::said::{Said, is_hangul};

const SMALL: [(char, f64); 4] = [('십', 10.0), ('백', 100.0), ('천', 1_000.0), ('\u{0}', 0.0)];
const LARGE: [(char, f64); 4] = [('만', 1e4), ('억', 1e8), ('조', 1e12), ('경', 1e16)];
const DIGITS: [(char, f64); 13] = [
    ('영', 0.0),
    ('공', 0.0),
    ('일', 1.0),
    ('이', 2.0),
    ('삼', 3.0),
    ('사', 4.0),
    ('오', 5.0),
    ('육', 6.0),
    ('륙', 6.0),
    ('칠', 7.0),
    ('팔', 8.0),
    ('구', 9.0),
    ('빵', 0.0),
];
const TENS: [(&str, f64); 10] = [
    ("열", 10.0),
    ("스물", 20.0),
    ("스무", 20.0),
    ("서른", 30.0),
    ("마흔", 40.0),
    ("쉰", 50.0),
    ("예순", 60.0),
    ("일흔", 70.0),
    ("여든", 80.0),
    ("아흔", 90.0),
];
const ONES: [(&str, f64); 21] = [
    ("하나", 1.0),
    ("한", 1.0),
    ("둘", 2.0),
    ("두", 2.0),
    ("셋", 3.0),
    ("세", 3.0),
    ("석", 3.0),
    ("서", 3.0),
    ("넷", 4.0),
    ("네", 4.0),
    ("넉", 4.0),
    ("너", 4.0),
    ("다섯", 5.0),
    ("닷", 5.0),
    ("여섯", 6.0),
    ("엿", 6.0),
    ("일곱", 7.0),
    ("여덟", 8.0),
    ("여덜", 8.0),
    ("아홉", 9.0),
    ("다셧", 5.0),
];
const MINUS: [&str; 5] = ["마이너스", "마이나스", "음수", "영하", "빼기"];

/// A number under way.
struct Sum {
    total: f64,
    section: f64,
    digit: Option<f64>,
    small: f64,
    large: f64,
    native: bool,
}

fn of(table: &[(char, f64)], char: char) -> Option<f64> {
    table.iter().find(|(name, _)| *name == char).map(|(_, value)| *value)
}

/// Reads a whole or decimal number of any of the systems, without sign and fraction.
pub(crate) fn cardinal(said: &Said, at: usize) -> Read {
    let mut sum =
        Sum { total: 0.0, section: 0.0, digit: None, small: 1e4, large: f64::INFINITY, native: false };
    let mut end = at;
    let mut after_unit = false;
    loop {
        let spaced = said.spaces(end);
        let allowed = spaced == end || (end > at && (after_unit || is_unit(said.at(spaced))));
        // 십 세 is ten years, 열 세 is thirteen.
        let other = spaced > end
            && !sum.native
            && end > at
            && said.any(spaced, &ONES).is_some()
            && of(&DIGITS, said.at(spaced)).is_none();
        let next = if allowed && !other { sum.take(said, spaced) } else { None };
        let Some((after, unit)) = next else { break };
        after_unit = unit;
        end = after;
    }
    if end == at {
        return None;
    }
    let whole = sum.total + sum.section + sum.digit.unwrap_or(0.0);
    Some(point(said, end, whole).unwrap_or((end, whole)))
}

/// Returns whether the syllable of a unit at `at` begins another word (`조각`) or is a particle (`일만큼`, `일만 줘`).
fn is_no_unit(said: &Said, at: usize) -> bool {
    let next = said.at(at + 1);
    match said.at(at) {
        '조' => next == '각',
        '만' => {
            matches!(next, '을' | '큼' | '은')
                || (next == ' ' && matches!(said.at(at + 2), '줘' | '주'))
                || (next == '나' || next == '날')
        }
        _ => false,
    }
}

fn is_unit(char: char) -> bool {
    of(&SMALL, char).or_else(|| of(&LARGE, char)).is_some()
}

/// Returns whether the syllable at `at` is the `이` of `이다`, not a two.
fn is_copula(said: &Said, at: usize) -> bool {
    let after = ['다', '에', '야', '라', '었', '고', '며', '지', '니', '나', '죠'];
    said.at(at) == '이'
        && (after.contains(&said.at(at + 1))
            || !is_hangul(said.at(at + 1)) && is_hangul(said.before(at)) && said.at(at + 1) == ' ')
}

/// Returns whether the last of `more` digits, which ends at `end`, is no digit: the `일` of a day (`삼일`), a particle.
fn leans(said: &Said, end: usize, more: usize) -> bool {
    more > 0 && (is_copula(said, end - 1) || (more == 1 && said.at(end - 1) == '일'))
}

/// Reads `점오`, `점 이 삼` after a whole number.
fn point(said: &Said, at: usize, whole: f64) -> Read {
    let mark = said.spaces(at);
    if !matches!(said.at(mark), '점' | '쩜') || (mark > at && said.at(mark + 1) == ' ' && at == mark) {
        return None;
    }
    let mut end = said.spaces(mark + 1);
    let mut digits = String::from("0.");
    while let Some(digit) = of(&DIGITS, said.at(end)).filter(|_| !(digits.len() > 2 && is_copula(said, end)))
    {
        digits.push_str(&(digit as i64).to_string());
        end += 1;
    }
    (digits.len() > 2).then(|| (end, whole + digits.parse::<f64>().unwrap_or(0.0)))
}

// === Sum ===

impl Sum {
    /// Takes the next piece at `at`; returns where it ends and whether it was a unit.
    fn take(&mut self, said: &Said, at: usize) -> Option<(usize, bool)> {
        let char = said.at(at);
        if let Some(unit) = of(&SMALL, char).filter(|unit| *unit < self.small && !self.native) {
            self.section += self.digit.take().unwrap_or(1.0) * unit;
            self.small = unit;
            return Some((at + 1, true));
        }
        if let Some(unit) =
            of(&LARGE, char).filter(|unit| *unit < self.large && !self.native && !is_no_unit(said, at))
        {
            let section = self.section + self.digit.take().unwrap_or(0.0);
            self.total += if section == 0.0 { unit } else { section * unit };
            (self.section, self.small, self.large) = (0.0, 1e4, unit);
            return Some((at + 1, true));
        }
        if self.digit.is_some() {
            return None;
        }
        self.take_digits(said, at).map(|end| (end, false)).or_else(|| self.take_native(said, at))
    }

    fn take_digits(&mut self, said: &Said, at: usize) -> Option<usize> {
        if let Some((end, value)) = plain(said, at) {
            self.digit = Some(value);
            return Some(end);
        }
        // 구천오백이다 is 9,500.
        let begun = self.section + self.total > 0.0;
        if begun && said.at(at) == '이' && matches!(said.at(at + 1), '다' | '야' | '라' | '었' | '죠') {
            return None;
        }
        // 일곱, 일흔 and 이레 only look like one and two.
        let native = said.any(at, &ONES).or_else(|| said.any(at, &TENS)).is_some_and(|(end, _)| end > at + 1);
        let mut value = of(&DIGITS, said.at(at)).filter(|_| !native && !self.native)?;
        let mut end = at + 1;
        // Digits one after the other: 이천십오 has none, 일이삼 is 123.
        if self.section == 0.0 && self.total == 0.0 {
            let more = (end..said.len())
                .map_while(|at| of(&DIGITS, said.at(at)).filter(|_| !is_unit(said.at(at + 1))));
            let run: Vec<f64> = more.collect();
            for digit in &run[..run.len() - usize::from(leans(said, end + run.len(), run.len()))] {
                value = value * 10.0 + digit;
                end += 1;
            }
        }
        self.digit = Some(value);
        Some(end)
    }

    fn take_native(&mut self, said: &Said, at: usize) -> Option<(usize, bool)> {
        if self.small > 10.0
            && let Some((end, tens)) = said.any(at, &TENS)
        {
            self.section += tens;
            (self.small, self.native) = (10.0, true);
            return Some((end, true));
        }
        let (end, ones) = said.any(at, &ONES)?;
        (self.digit, self.native) = (Some(ones), true);
        Some((end, false))
    }
}

/// Reads a number with sign and fraction: `삼분의 이`, `일과 사분의 일`, `마이너스 오 점 오`, `3/4`.
pub(crate) fn number(said: &Said, at: usize) -> Read {
    if let Some(after) = said.one_of(at, &MINUS) {
        return number(said, said.spaces(after)).map(|(end, value)| (end, -value));
    }
    if let Some(found) = fraction(said, at) {
        return Some(found);
    }
    let digits = signed(said, at);
    let (end, value) = match (cardinal(said, at), digits) {
        (Some(words), Some(digits)) if words.0 > digits.0 => words,
        (words, digits) => digits.or(words)?,
    };
    let joint = matches!(said.at(end), '과' | '와').then(|| said.spaces(end + 1));
    match joint.and_then(|start| fraction(said, start)) {
        Some((end, part)) => Some((end, value + part)),
        None => Some((end, value)),
    }
}

fn fraction(said: &Said, at: usize) -> Read {
    let (end, below) = cardinal(said, at)?;
    if let Some(start) = said.word(end, " 중 ").filter(|_| said.at(end) == ' ') {
        let (end, above) = cardinal(said, start)?;
        return (below > above).then_some((end, above / below));
    }
    let start = said.word(end, " 분의")?;
    let start = said.spaces(start);
    let (start, sign) = match said.one_of(start, &MINUS) {
        Some(after) => (said.spaces(after), -1.0),
        None => (start, 1.0),
    };
    let (end, above) = cardinal(said, start)?;
    (below != 0.0).then_some((end, sign * above / below))
}

/// What may follow a number that stands alone: particles, the copula, counters.
const AFTER: &[&str] = &[
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
    "도",
    "만",
    "입니다",
    "이다",
    "이야",
    "이에요",
    "예요",
    "보다",
    "까지",
    "부터",
    "에서",
    "중",
    "개",
    "명",
    "살",
    "번",
    "마리",
    "권",
    "대",
    "잔",
    "병",
    "장",
    "송이",
    "자루",
    "그루",
    "호",
    "세",
    "시",
    "분",
    "초",
    "일",
    "월",
    "년",
    "원",
    "달러",
    "조각",
    "배",
    "위안",
    "점",
    "척",
    "인",
    "라고",
    "이라",
    "정도",
    "쯤",
    "씩",
    "째",
    "유효",
];

/// Returns whether the number between `start` and `end` stands alone and is no part of a word.
pub(crate) fn is_alone(said: &Said, start: usize, end: usize) -> bool {
    let first = said.at(start);
    if !is_hangul(first) {
        // 180ml is no number, 180 ml begins with one.
        return !said.before(start).is_alphabetic() && !said.at(end).is_ascii_alphabetic();
    }
    if is_hangul(said.before(start)) || said.before(start).is_ascii_digit() {
        return false;
    }
    let bare = end - start == 1;
    let next = said.at(end);
    if bare
        && matches!(
            first,
            '이' | '너'
                | '서'
                | '만'
                | '세'
                | '네'
                | '조'
                | '경'
                | '공'
                | '석'
                | '사'
                | '오'
                | '구'
                | '영'
                | '천'
                | '백'
        )
    {
        return !is_hangul(next) && next != ' '
            || matches!(first, '영' | '세' | '네' | '오' | '사' | '구') && followed(said, end);
    }
    !is_hangul(next) || followed(said, end)
}

fn followed(said: &Said, end: usize) -> bool {
    said.one_of(end, AFTER).is_some()
}
