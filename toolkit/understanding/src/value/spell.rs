//! Numbers in words, every way a person says them, for lists that hold a range.

/// Returns the ways to say `number` in `language` (`ko`, `en`); none for a language whose words are not known here.
pub fn spellings(language: &str, number: f64) -> Vec<String> {
    let family = language.split(['-', '_']).next().unwrap_or(language);
    match family {
        "ko" => korean(number),
        "en" => english(number),
        _ => Vec::new(),
    }
}

const SINO: [&str; 10] = ["영", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"];
const NATIVE_ONES: [&str; 10] = ["", "하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉"];
const NATIVE_BEFORE_NOUN: [&str; 10] = ["", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉"];
const NATIVE_TENS: [&str; 10] = ["", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔"];

fn korean(number: f64) -> Vec<String> {
    let whole = number.abs().trunc() as u64;
    let tenth = ((number.abs() - whole as f64) * 10.0).round() as usize;
    let sign = if number < 0.0 { "마이너스 " } else { "" };
    if tenth != 0 {
        let point = |space: &str| format!("{sign}{}{space}점{space}{}", sino(whole), SINO[tenth % 10]);
        let mut ways = vec![point(""), point(" ")];
        if tenth == 5 {
            ways.extend([format!("{sign}{}도 반", sino(whole)).replace("도 반", " 반")]);
        }
        return ways;
    }
    let mut ways = vec![format!("{sign}{}", sino(whole))];
    if whole == 0 {
        ways.push("공".to_owned());
    }
    if (1..100).contains(&whole) && number > 0.0 {
        let (tens, ones) = ((whole / 10) as usize, (whole % 10) as usize);
        let before_noun = if whole == 20 {
            "스무".to_owned()
        } else {
            [NATIVE_TENS[tens], NATIVE_BEFORE_NOUN[ones]].concat()
        };
        ways.extend([[NATIVE_TENS[tens], NATIVE_ONES[ones]].concat(), before_noun]);
        ways.dedup();
    }
    ways
}

/// Returns a whole number in Sino-Korean words without spaces; one is left out before 십, 백, 천 and 만.
pub fn sino(number: u64) -> String {
    if number == 0 {
        return SINO[0].to_owned();
    }
    let mut words = String::new();
    for (power, name) in [(1_0000_0000_0000_u64, "조"), (1_0000_0000, "억"), (1_0000, "만"), (1, "")] {
        let four = number / power % 1_0000;
        if four == 1 && name == "만" {
            words.push('만');
        } else if four > 0 {
            words.push_str(&four_digits(four));
            words.push_str(name);
        }
    }
    words
}

fn four_digits(number: u64) -> String {
    let mut words = String::new();
    for (power, name) in [(1000, "천"), (100, "백"), (10, "십"), (1, "")] {
        let digit = (number / power % 10) as usize;
        match digit {
            0 => {}
            1 if power > 1 => words.push_str(name),
            _ => {
                words.push_str(SINO[digit]);
                words.push_str(name);
            }
        }
    }
    words
}

const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

fn english(number: f64) -> Vec<String> {
    let whole = number.abs().trunc() as u64;
    let tenth = ((number.abs() - whole as f64) * 10.0).round() as usize;
    let sign = if number < 0.0 { "minus " } else { "" };
    let plain = format!("{sign}{}", english_whole(whole, false));
    let and = format!("{sign}{}", english_whole(whole, true));
    let mut ways = if plain == and { vec![plain] } else { vec![plain, and] };
    if tenth != 0 {
        let halves =
            ways.iter().filter(|_| tenth == 5).map(|way| format!("{way} and a half")).collect::<Vec<_>>();
        ways = ways.iter().map(|way| format!("{way} point {}", ONES[tenth % 10])).chain(halves).collect();
    }
    if (1100.0..10_000.0).contains(&number) && whole.is_multiple_of(100) && !whole.is_multiple_of(1000) {
        ways.push(format!("{} hundred", english_whole(whole / 100, false)));
    }
    ways
}

/// Returns a whole number in English words; `and` puts that word before tens and ones.
fn english_whole(number: u64, and: bool) -> String {
    if number < 20 {
        return ONES[number as usize].to_owned();
    }
    if number < 100 {
        let ones = ONES[(number % 10) as usize];
        let tens = TENS[(number / 10) as usize];
        return if number.is_multiple_of(10) { tens.to_owned() } else { format!("{tens} {ones}") };
    }
    for (power, name) in
        [(1_000_000_000, "billion"), (1_000_000, "million"), (1000, "thousand"), (100, "hundred")]
    {
        if number >= power {
            let head = format!("{} {name}", english_whole(number / power, and));
            let rest = number % power;
            let joint = if and && rest < 100 { " and " } else { " " };
            return if rest == 0 { head } else { format!("{head}{joint}{}", english_whole(rest, and)) };
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn korean_numbers_have_their_two_systems() {
        assert_eq!(spellings("ko", 20.0), ["이십", "스물", "스무"]);
        assert_eq!(spellings("ko", 2700.0), ["이천칠백"]);
        assert_eq!(spellings("ko", 22.5)[0], "이십이점오");
        assert_eq!(sino(1_2345_6789), "일억이천삼백사십오만육천칠백팔십구");
    }

    #[test]
    fn english_numbers_have_their_and_and_their_half() {
        assert_eq!(spellings("en-US", 105.0), ["one hundred five", "one hundred and five"]);
        assert_eq!(spellings("en", 21.5), ["twenty one point five", "twenty one and a half"]);
        assert!(spellings("fr", 1.0).is_empty());
    }
}
