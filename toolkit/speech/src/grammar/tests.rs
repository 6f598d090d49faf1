//! A net is walked by letters, and what was written comes back as its words.

use super::*;

fn coffee() -> Grammar {
    let link = |from, said: &str, to| Link { from, said: said.to_owned(), to };
    let links = [
        link(0, "I'd like ", 1),
        link(0, "make me ", 1),
        link(1, "a ", 2),
        link(2, "twelve ounce", 3),
        link(2, "large", 3),
        link(2, "", 3),
        link(3, " ", 4),
        link(4, "coffee", 5),
        link(4, "ice", 6),
        link(6, "d coffee", 5),
        link(5, " with milk", 7),
    ];
    Grammar::new(links, [5, 7])
}

#[test]
fn what_is_written_in_any_way_becomes_the_words_of_the_net() {
    let net = coffee();
    for (written, said) in [
        ("I'd like a 12-ounce coffee.", "I'd like a twelve ounce coffee"),
        ("make me a large iced coffee, with milk", "make me a large iced coffee with milk"),
        ("MAKE ME A COFFEE", "make me a coffee"),
    ] {
        assert_eq!(net.sentence(written).as_deref(), Some(said), "{written}");
    }
    for other in ["make me a tea", "make me a coffee with", "", "make me a large"] {
        assert_eq!(net.sentence(other), None, "{other}");
    }
}

#[test]
fn a_walk_goes_on_only_where_a_sentence_does() {
    let net = coffee();
    let walk =
        |text: &str| letters(text).iter().fold(net.start(), |places, &letter| net.next(&places, letter));
    assert!(!walk("make me a lar").is_empty() && !walk("make me a lar").may_end());
    assert!(walk("make me a large coffee").may_end());
    assert!(walk("make us").is_empty());
}

#[test]
fn numbers_may_be_written_in_digits() {
    let net =
        Grammar::of_sentences(["set a timer for twenty five minutes", "십오 분 타이머", "일곱 시에 깨워 줘"]);
    for (written, said) in [
        ("Set a timer for 25 minutes.", "set a timer for twenty five minutes"),
        ("15분 타이머", "십오 분 타이머"),
        ("7시에 깨워줘", "일곱 시에 깨워 줘"),
    ] {
        assert_eq!(net.sentence(written).as_deref(), Some(said), "{written}");
    }
}
