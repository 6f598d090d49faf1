//! What is misheard is led back, and what was not meant is left alone.

use proptest::prelude::*;

use super::*;

fn sounds(sounds: Sounds, text: &str) -> String {
    sounds.row(text).iter().map(|sound| sound.letter).collect()
}

#[test]
fn korean_is_taken_as_it_is_spoken() {
    let same = [
        ("켜줘", "켜 줘"),
        ("날씨가 좋아", "날씨가 조아"),
        ("꽃이 피었습니다", "꼬치 피어씀니다"),
        ("국물", "궁물"),
        ("신라", "실라"),
        ("좋다", "조타"),
        ("입학", "이팍"),
        ("읽어 줘", "일거 줘"),
        ("왜", "외"),
        ("내가", "네가"),
    ];
    for (written, spoken) in same {
        let (written, spoken) = (sounds(Sounds::Korean, written), sounds(Sounds::Korean, spoken));
        let differ = written.chars().zip(spoken.chars()).filter(|(a, b)| a != b).count();
        assert!(written.chars().count() == spoken.chars().count() && differ <= 1, "{written} {spoken}");
    }
    assert_eq!(sounds(Sounds::Korean, "국물이 3개"), "ㄱㅜㅇㅁㅜㄹㅣ3ㄱㅔ");
}

#[test]
fn english_is_taken_by_its_consonants() {
    let same =
        [("knight", "nite"), ("phone", "fone"), ("weather", "whether"), ("write", "right"), ("see", "sea")];
    for (a, b) in same {
        assert!(distance(&Sounds::English.row(a), &Sounds::English.row(b), Sounds::English) < 0.2, "{a} {b}");
    }
    assert_eq!(sounds(Sounds::English, "The quick fox"), "0kwakfaks");
}

#[test]
fn a_misheard_sentence_becomes_the_one_that_was_meant() {
    let korean =
        Repair::new(Sounds::Korean, ["거실 불 켜 줘", "거실 불 꺼 줘", "오늘 날씨 어때", "타이머 맞춰 줘"]);
    for (heard, meant) in [
        ("거실 풀 켜 저.", "거실 불 켜 줘"),
        ("거시를 꺼줘", "거실 불 꺼 줘"),
        ("오늘 날시 어떼?", "오늘 날씨 어때"),
        ("타임어 마쳐 줘", "타이머 맞춰 줘"),
    ] {
        let found = korean.whole(heard).map(|found| found.text);
        assert_eq!(found.as_deref(), Some(meant), "{heard}");
    }
    let english =
        Repair::new(Sounds::English, ["turn on the kitchen light", "turn off the kitchen light", "stop"]);
    for (heard, meant) in [
        ("Turn of the chicken light.", "turn off the kitchen light"),
        ("Turn on the kitchen lied.", "turn on the kitchen light"),
    ] {
        let found = english.whole(heard).map(|found| found.text);
        assert_eq!(found.as_deref(), Some(meant), "{heard}");
    }
}

#[test]
fn a_name_is_found_among_other_words_with_its_place() {
    let rooms = Repair::new(Sounds::Korean, ["거실", "안방", "주방"]);
    let heard = "안빵 불 켜 줘";
    let found = rooms.within(heard).expect("it is near");
    assert_eq!((found.text.as_str(), &heard[found.place]), ("안방", "안빵"));
    let songs = Repair::new(Sounds::English, ["Bohemian Rhapsody", "Yesterday"]);
    let heard = "play bow he me an rap city please";
    let found = songs.within(heard);
    assert_eq!(found.map(|found| found.text).as_deref(), Some("Bohemian Rhapsody"));
}

#[test]
fn what_was_not_meant_is_left_alone() {
    let korean = Repair::new(Sounds::Korean, ["거실 불 켜 줘", "오늘 날씨 어때"]);
    for heard in ["나는 학교에 갑니다", "", "…", "점심 뭐 먹지"] {
        assert_eq!(korean.whole(heard), None, "{heard}");
    }
    // As near to one as to the other.
    let twins = Repair::new(Sounds::Korean, ["방 불 켜", "팡 불 켜"]);
    assert_eq!(twins.whole("빵 불 켜"), None);
    assert_eq!(Repair::new(Sounds::English, ["", "!?"]).whole(""), None);
}

proptest! {
    #[test]
    fn what_is_known_is_found_as_itself_and_no_text_panics(text in "\\PC{0,24}") {
        for sounds in [Sounds::Korean, Sounds::English] {
            let repair = Repair::new(sounds, [text.clone()]);
            let found = repair.whole(&text);
            prop_assert!(found.is_none_or(|found| found.distance == 0.0));
            let _ = repair.within(&text);
        }
    }
}
