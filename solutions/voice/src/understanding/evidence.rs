//! What a guess must rest on: words of what it is about, and none of what nobody here knows about. A classifier takes
//! every sentence for the likeliest of what it knows.

use ieum_contracts::voice::{Meaning, Slot, SlotValue, Understand};
use ieum_understanding::value::Language;

use super::named::named;
use super::negated::plain;
use super::now_of;
use super::opening::declines;
use super::remarks::{is_taken_back, tells_of_a_command, tells_of_today};
use super::timed::is_timed;
use super::words::ALL;
use crate::colours;
use crate::tongue::Tongue;

/// Words that a topic is spoken about with, as they begin, one of which is said; and those it is something else with.
struct About {
    intent: &'static str,
    said: &'static [&'static str],
    foreign: &'static [&'static str],
}

const TIMER: [&str; 16] = [
    "타이머",
    "시간",
    "분",
    "초",
    "재",
    "카운트",
    "세",
    "기다",
    "timer",
    "count",
    "minute",
    "second",
    "hour",
    "time$",
    "clock$",
    "half$",
];

/// `$` ends a word: `비$` is the rain and no 비행기.
const ABOUT: [About; 9] = [
    About {
        intent: "time.",
        said: &["몇", "시간", "시각", "시계", "시인", "time$", "clock$", "hour$", "late$"],
        foreign: &[
            "일출",
            "일몰",
            "해",
            "시에",
            "몇시에",
            "출발",
            "도착",
            "시작",
            "비행기",
            "기차",
            "버스",
            "살",
            "원",
            "퍼센트",
            "습도",
            "달러",
            "sunrise",
            "sunset",
            "train",
            "bus",
            "flight",
            "open",
            "close",
            "start",
            "left$",
            "price",
            "in$",
        ],
    },
    About {
        intent: "date.",
        said: &[
            "며칠",
            "요일",
            "무슨",
            "날짜",
            "달력",
            "월",
            "몇",
            "day$",
            "date$",
            "month$",
            "calendar$",
            "monday$",
        ],
        foreign: &[
            "기온",
            "온도",
            "도야$",
            "nice$",
            "도까지",
            "temperature",
            "생일",
            "birthday",
            "남았",
            "left$",
            "until$",
            "방학",
            "휴가",
            "holiday",
        ],
    },
    About {
        intent: "weather.air",
        said: &[
            "먼지",
            "미세",
            "초미세",
            "공기",
            "대기",
            "오존",
            "마스크",
            "환기",
            "창문",
            "숨",
            "dust",
            "air$",
            "ozone$",
            "smog$",
            "pm",
            "mask",
            "pollution$",
            "polluted$",
            "dirty$",
            "breath",
            "window",
        ],
        foreign: &["공기청정기", "conditioner", "fryer"],
    },
    About {
        intent: "weather.query",
        said: &[
            "날씨",
            "비$",
            "비가$",
            "비는$",
            "비도$",
            "눈$",
            "눈이$",
            "눈은$",
            "우산",
            "기온",
            "추",
            "춥",
            "더워",
            "더울",
            "더운",
            "덥",
            "맑",
            "흐",
            "바람",
            "옷",
            "외투",
            "겉옷",
            "코트",
            "소나기",
            "예보",
            "따뜻",
            "쌀쌀",
            "햇",
            "해가",
            "폭염",
            "태풍",
            "온도",
            "산책",
            "하늘",
            "밖",
            "바깥",
            "weather$",
            "rain",
            "snow",
            "umbrella$",
            "cold$",
            "hot$",
            "warm",
            "cool",
            "sun",
            "cloud",
            "wind$",
            "windy$",
            "coat$",
            "jacket$",
            "wet$",
            "dress$",
            "forecast",
            "degrees$",
            "outside$",
            "temperature",
            "storm",
            "freez",
            "sky$",
            "chilly$",
            "outdoors$",
            "picnic$",
            "scarf$",
            "dry$",
        ],
        foreign: &["수영장", "물", "water$", "oven$"],
    },
    About {
        // One that is to ring earlier or later, or is asked for, is no new one.
        intent: "alarm.set",
        said: &[
            "알람", "깨", "일어", "일으", "기상", "눈", "늦잠", "울", "alarm", "wake", "awake", "up$",
            "bed$", "rise", "rouse", "sleep", "get$", "ring$",
        ],
        foreign: &[
            "늦춰", "늦추", "늦게", "미뤄", "미루", "당겨", "당기", "앞당", "뒤로", "일찍", "빨리", "push",
            "postpone", "delay", "put$", "shift", "move", "earlier$", "later$", "sooner$", "back$", "loud$",
            "시끄",
        ],
    },
    About {
        // One that is to go on longer or shorter is no new one.
        intent: "timer.start",
        said: &TIMER,
        foreign: &[
            "배터리",
            "크리스마스",
            "늘려",
            "늘리",
            "줄여",
            "줄이",
            "연장",
            "단축",
            "추가",
            "더$",
            "더해",
            "매시간",
            "분마다",
            "시간마다",
            "every$",
            "battery",
            "christmas",
            "dishwasher",
            "add$",
            "more$",
            "extra$",
            "longer$",
            "shorter$",
            "extend",
            "lengthen",
            "shorten",
            "reduce",
            "increase",
            "빼$",
            "덜$",
            "바꿔",
            "바꾸",
            "less$",
            "fewer$",
            "off$",
            "make$",
            "change",
            "turn$",
            "push",
            "move",
            "알람",
            "알림",
            "alarm",
            "reminder",
        ],
    },
    About {
        intent: "timer.",
        said: &TIMER,
        foreign: &["배터리", "크리스마스", "battery", "christmas", "dishwasher"],
    },
    About {
        intent: "dialog.help",
        said: &[
            "도와", "도움", "도울", "사용", "쓰는", "쓸", "기능", "명령", "물어", "소개", "말하", "할",
            "하는", "help", "use$", "able$", "command", "feature", "example", "function", "say$", "ask$",
            "good$", "can$", "capable", "handle$",
        ],
        foreign: &["숙제", "homework", "spell"],
    },
    About {
        intent: "platform.",
        said: &[
            "시스템",
            "서버",
            "서비스",
            "플랫폼",
            "기기",
            "장치",
            "연결",
            "상태",
            "이음",
            "정상",
            "문제",
            "system",
            "server",
            "service",
            "platform",
            "device",
            "connect",
            "running$",
            "everything$",
            "healthy$",
            "hub$",
            "online$",
            "work",
            "okay$",
            "problem",
            "status$",
            "alive$",
            "well$",
        ],
        foreign: &["cancel", "delete", "clear$", "취소"],
    },
];

/// What the words of a question for the time begin with in Korean: another noun there is what it is asked of.
const TIME_WORDS: [&str; 40] = [
    "지금", "현재", "벌써", "혹시", "시", "몇", "좀", "봐", "줘", "줄", "된", "됐", "되", "알", "말", "해",
    "오전", "오후", "어떻", "뭐", "얼마", "이", "그", "나", "내", "저", "거", "궁", "확인", "읽", "정확",
    "주", "볼", "까", "요", "야", "거의", "대충", "부탁", "대략",
];

/// The most words between an English verb and its "on" or "off".
const MOST_BETWEEN: usize = 6;
/// How a Korean verb ends that commands, behind what switches in it.
const COMMANDING: [&str; 24] = [
    "",
    "요",
    "라",
    "자",
    "줘",
    "줘요",
    "줘라",
    "주세요",
    "주라",
    "줄래",
    "줄래요",
    "봐",
    "세요",
    "십시오",
    "어",
    "어요",
    "어라",
    "어줘",
    "어줘요",
    "어주세요",
    "어줄래",
    "버려",
    "놔",
    "둬",
];
/// What may stand behind it.
const AFTER_VERB: [&str; 18] = [
    "줘",
    "줘요",
    "줘라",
    "주세요",
    "주라",
    "줄래",
    "줄래요",
    "봐",
    "봐라",
    "버려",
    "버려라",
    "놔",
    "놔라",
    "둬",
    "둬라",
    "좀",
    "제발",
    "이제",
];

/// Returns the guess with the thing it is about, or `None` where nothing that was said bears it out.
pub fn borne_out(mut guess: Meaning, tongue: Tongue, ask: &Understand) -> Option<Meaning> {
    const SETTING: [&str; 4] = ["device.on", "device.set", "alarm.set", "timer.start"];
    let language = tongue.pick(Language::Korean, Language::English);
    if declines(&ask.text) && SETTING.contains(&&*guess.intent) {
        return None;
    }
    if guess.intent.starts_with("device.") {
        let is_told = tongue == Tongue::English && tells_of_a_command(&ask.text);
        if is_told || is_taken_back(&ask.text, language) {
            return None;
        }
        let found = named(tongue, &ask.text, &ask.things, &ask.areas)?;
        // What is to be set to a number is not switched instead; a name may have one.
        let rest = ask.text.to_lowercase().replacen(&found.name.to_lowercase(), " ", 1);
        if guess.intent != "device.set" && rest.contains(|letter: char| letter.is_ascii_digit()) {
            return None;
        }
        // What is to have a colour is not switched instead.
        let bare = |word: &str| {
            ["으로", "로"].iter().find_map(|to| word.strip_suffix(to)).unwrap_or(word).to_owned()
        };
        if rest.split_whitespace().any(|word| colours::named(tongue, &bare(word)).is_some()) {
            return None;
        }
        // What is to be done later is not done at once.
        let now = now_of(ask);
        if is_timed(&rest, language, &now) && !tells_of_today(&rest, language, &now) {
            return None;
        }
        // The verb of a command goes before what is likely; where one only tells how things are, "with the lights on", and
        // says otherwise, nobody knows. A name alone says neither on nor off.
        match (&*guess.intent, switched(&ask.text, language)) {
            ("device.on" | "device.off", Some(said)) => {
                let intent = if said.on { "device.on" } else { "device.off" };
                if said.is_told || (intent != guess.intent && !said.commands) {
                    return None;
                }
                intent.clone_into(&mut guess.intent);
            }
            (_, None) if found.alone => return None,
            _ => {}
        }
        let slot = |text: String| Slot { text: text.clone(), value: SlotValue::Text { text } };
        guess.slots.insert("name".to_owned(), slot(found.name));
        if names_all(&ask.text) {
            guess.slots.insert("every".to_owned(), slot("all".to_owned()));
        }
        guess.slots.extend(found.area.map(|area| ("area".to_owned(), slot(area))));
        return Some(guess);
    }
    let Some(about) = ABOUT.iter().find(|about| guess.intent.starts_with(about.intent)) else {
        return Some(guess);
    };
    let text = ask.text.to_lowercase();
    let words = text.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    let begins = |stems: &[&str]| words.iter().any(|word| stems.iter().any(|stem| is_of(word, stem)));
    let is_known = |word: &&str| TIME_WORDS.iter().any(|stem| is_of(word, stem));
    let is_of_another =
        tongue == Tongue::Korean && guess.intent == "time.query" && !words.iter().all(is_known);
    (begins(about.said) && !begins(about.foreign) && !is_of_another).then_some(guess)
}

/// What the last word says that switches on or off.
struct Switched {
    on: bool,
    /// Whether it is the verb of a command.
    commands: bool,
    /// Whether it only tells how things are.
    is_told: bool,
}

fn switched(text: &str, language: Language) -> Option<Switched> {
    let text = plain(text);
    let words: Vec<&str> = text.split(' ').collect();
    match language {
        Language::English => {
            let at = words.iter().rposition(|word| matches!(*word, "on" | "off"))?;
            let near = &words[at.saturating_sub(MOST_BETWEEN)..at];
            let commands = near.iter().any(|word| ["turn", "switch", "put"].contains(word));
            let is_told = near.ends_with(&["is"])
                || near.ends_with(&["are"])
                || near.iter().rev().skip(1).take(2).any(|word| *word == "with");
            Some(Switched { on: words[at] == "on", commands, is_told: is_told && !commands })
        }
        Language::Korean => {
            let (at, (on, end)) =
                words.iter().enumerate().rev().find_map(|(at, word)| Some((at, switching(word)?)))?;
            // 그만 돌려 is off.
            let is_less = at > 0 && ["그만", "안"].contains(&words[at - 1]);
            let is_last = words[at + 1..].iter().all(|word| AFTER_VERB.contains(word));
            let commands = is_last && COMMANDING.contains(&end);
            // 켜져 있다 is how it is.
            let is_told = end.starts_with('져') && !is_last;
            Some(Switched { on: on != is_less, commands, is_told })
        }
    }
}

/// Returns whether a Korean verb switches on or off, and how it ends. 돌침대 and 틀니 are none.
fn switching(word: &str) -> Option<(bool, &str)> {
    const ON: [&str; 2] = ["켜", "켤"];
    const OFF: [&str; 3] = ["꺼", "끄", "끌"];
    const TURNING: [&str; 6] = ["돌려", "돌리", "돌린", "돌릴", "돌렸", "돌립"];
    const ENDS_OF_TURNING: [&str; 9] = ["어", "었", "자", "고", "면", "지", "래", "기", "니까"];
    let after = |stems: &[&str]| stems.iter().find_map(|stem| word.strip_prefix(stem));
    let turned =
        || word.strip_prefix('틀').filter(|end| ENDS_OF_TURNING.iter().any(|known| end.starts_with(known)));
    let on = || after(&ON).or_else(|| after(&TURNING)).or_else(turned);
    on().map(|end| (true, end)).or_else(|| Some((false, after(&OFF)?)))
}

/// Tells whether all of several things are meant.
fn names_all(text: &str) -> bool {
    text.to_lowercase().split_whitespace().any(|word| ALL.contains(&word))
}

fn is_of(word: &str, stem: &str) -> bool {
    stem.strip_suffix('$').map_or_else(|| word.starts_with(stem), |whole| word == whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_borne_out(intent: &str, text: &str) -> bool {
        let tongue = Tongue::heard_in(text).unwrap_or(Tongue::English);
        let guess = Meaning { intent: intent.to_owned(), ..Meaning::default() };
        borne_out(guess, tongue, &Understand { text: text.to_owned(), ..Understand::default() }).is_some()
    }

    #[test]
    fn paraphrases_bear_out_what_they_mean() {
        let held = include_str!("../../sentences/heldout.txt");
        let lines = held.lines().filter_map(|line| line.split_once(": "));
        let lost: Vec<_> = lines
            .filter(|(intent, _)| *intent != "-" && !intent.starts_with('#'))
            .filter(|(intent, text)| !is_borne_out(intent, text))
            .collect();
        assert!(lost.is_empty(), "{lost:?}");
    }

    #[test]
    fn a_guess_about_something_else_is_none() {
        for (intent, text) in [
            ("time.query", "일출 몇 시야"),
            ("time.query", "습도 몇 퍼센트야"),
            ("time.query", "너 몇 살이야"),
            ("time.query", "아틀란티스 지금 몇 시야"),
            ("time.query", "time in Atlantis"),
            ("time.query", "100달러 몇 원이야"),
            ("time.query", "lock the front door"),
            ("weather.air", "open the blinds"),
            ("weather.air", "open the garage"),
            ("weather.query", "cancel it"),
            ("weather.query", "turn on"),
            ("weather.query", "오늘 할 일 뭐 있어"),
            ("timer.query", "배터리 얼마나 남았어"),
            ("timer.query", "크리스마스까지 며칠 남았어"),
            ("timer.start", "turn on the dishwasher"),
            ("timer.start", "타이머가 오 분 더 가게 해 줘"),
            ("timer.start", "let the timer run five minutes longer"),
            ("timer.start", "make it 25 minutes"),
            ("timer.start", "turn the timer down by 2 minutes"),
            ("timer.start", "move my alarm back by 15 minutes"),
            ("alarm.set", "알람을 30분쯤 미루면 좋겠어"),
            ("alarm.set", "I would like the alarm to ring half an hour later"),
            ("alarm.set", "the alarm is too loud turn it off"),
            ("alarm.set", "알람이 너무 시끄럽다 꺼 줘"),
            ("timer.start", "30분마다 알려 줘"),
            ("timer.start", "tell me every hour"),
            ("device.on", "play some jazz"),
            ("device.on", "it's too dark in here"),
            ("device.set", "make it warmer"),
            ("device.on", "come here"),
            ("device.off", "lights please"),
            ("device.on", "I fancy the lights in blue"),
            ("device.on", "거실 불 파란색으로 켜졌으면 좋겠는데"),
            ("device.on", "거실 불 좀"),
        ] {
            assert!(!is_borne_out(intent, text), "{intent}: {text}");
        }
    }

    #[test]
    fn the_verb_of_a_command_goes_before_what_is_likely_and_what_tells_how_things_are_does_not() {
        let switched = |intent: &str, text: &str| {
            let tongue = Tongue::heard_in(text).unwrap_or(Tongue::English);
            let guess = Meaning { intent: format!("device.{intent}"), ..Meaning::default() };
            let ask = Understand { text: text.to_owned(), ..Understand::default() };
            borne_out(guess, tongue, &ask).map(|found| found.intent.replace("device.", ""))
        };
        for (guess, text, wanted) in [
            ("off", "turn those lights on please would you be so kind", Some("on")),
            ("on", "put the heater off I am warm", Some("off")),
            ("on", "나 잘 거니까 조명 다 꺼 버려라", Some("off")),
            ("off", "추우니까 히터 틀어 놔", Some("on")),
            ("off", "더우니까 선풍기 돌려 줘", Some("on")),
            ("on", "추우니까 에어컨 그만 돌려", Some("off")),
            // What is said agrees.
            ("off", "I am going to sleep so lights off", Some("off")),
            ("off", "선풍기 이제 안 틀어도 돼", Some("off")),
            ("off", "돌침대 옆 히터 좀 없애 줘", Some("off")),
            ("off", "틀니 옆 히터 좀 없애 줘", Some("off")),
            // What is said tells how things are.
            ("off", "I can't sleep with the lights on", None),
            ("on", "I can't sleep with the lights on", None),
            ("off", "the lights are on and it is too bright", None),
            ("off", "the lights are off and it is too dark", None),
            ("off", "I left the lights on", None),
            ("off", "불 켜 놓고 나왔어", None),
            ("off", "불이 켜져 있으니 좀 없애 줘", None),
            ("off", "불 꺼져 있어서 너무 어두워", None),
            // What is said takes it back, or declines it.
            ("off", "불 꺼 줘 아니다", None),
            ("off", "불 꺼 줘 라고 하면 안 된다", None),
            ("on", "turn on the fan, that's not what I want", None),
            ("on", "no lights on", None),
            ("off", "it's annoying that you turn off the lights", None),
            ("off", "I can't just turn off the heater", None),
        ] {
            assert_eq!(switched(guess, text).as_deref(), wanted, "{guess}: {text}");
        }
        assert!(!is_borne_out("alarm.set", "no alarm at 7"));
        assert!(!is_borne_out("timer.start", "no timer for 5 minutes"));
    }

    #[test]
    fn a_command_to_a_thing_may_tell_of_today_but_not_of_a_time_to_come() {
        for (intent, text) in [
            ("device.on", "오늘 너무 덥다 선풍기 돌려 줘"),
            ("device.on", "밤이라 어두워 불 좀 밝혀 줘"),
            ("device.on", "it is hot today get the fan going"),
            ("device.off", "today it is cold stop the fan"),
        ] {
            assert!(is_borne_out(intent, text), "{intent}: {text}");
        }
        for (intent, text) in [
            ("device.on", "오늘 밤에 불 좀 밝혀 줘"),
            ("device.on", "오늘 저녁 선풍기 돌려 줘"),
            ("device.on", "내일 덥다니까 선풍기 돌려 줘"),
            ("device.on", "오늘 일곱 시에 선풍기 돌려 줘"),
            ("device.on", "십 분 뒤에 선풍기 돌려 줘"),
            ("device.on", "이따가 선풍기 돌려 줘"),
            ("device.on", "get the fan going tonight"),
            ("device.on", "get the fan going tomorrow"),
            ("device.on", "it is hot today get the fan going at seven"),
            ("device.on", "get the fan going in ten minutes"),
            ("device.on", "get the fan going later"),
        ] {
            assert!(!is_borne_out(intent, text), "{intent}: {text}");
        }
    }

    #[tokio::test]
    async fn the_whole_engine_guesses_a_command_that_tells_of_today() {
        use ieum_contracts::voice::Understanding;
        use ieum_core::Cx;

        let local = super::super::LocalUnderstanding::new().expect("the sentences are sound");
        local.train();
        for (text, intent) in [
            ("오늘 너무 덥다 선풍기 돌려 줘", Some("device.on")),
            ("밤이라 어두워 불 좀 밝혀 줘", Some("device.on")),
            ("it is hot today get the fan going", Some("device.on")),
            ("내일 너무 덥다니까 선풍기 돌려 줘", None),
            ("it is hot get the fan going tomorrow", None),
        ] {
            let tongue = Tongue::heard_in(text).unwrap_or(Tongue::English);
            let ask =
                Understand { text: text.into(), language: tongue.code().into(), ..Understand::default() };
            let found = local.understand(&Cx::root(), ask).await.expect("understands");
            let first = found.meanings.first().map(|meaning| &*meaning.intent);
            assert_eq!(first, intent, "{text}");
        }
    }

    #[tokio::test]
    async fn the_whole_engine_takes_what_is_not_ours_for_nothing() {
        use ieum_contracts::voice::Understanding;
        use ieum_core::Cx;

        let local = super::super::LocalUnderstanding::new().expect("the sentences are sound");
        local.train();
        let mut taken = Vec::new();
        for text in [
            "play some jazz",
            "make it warmer",
            "it's too dark in here",
            "no, make it 8",
            "come here",
            "I love you",
            "lock the front door",
            "open the garage",
            "cancel it",
            "turn on",
            "turn on the dishwasher",
            "what time is the sunrise",
            "time in Atlantis",
            "일출 몇 시야",
            "습도 몇 퍼센트야",
            "몇 살이야",
            "100달러 몇 원이야",
            "사랑해",
            "노래 틀어 줘",
            "15 곱하기 8",
            "15 곱하기 8은 뭐야",
            "백 나누기 사는 얼마야",
            "what is 15 times 8",
            "how much is 12 plus 30",
            "매시간 알려 줘",
            "30분마다 알려 줘",
            "tell me every hour to drink water",
            "how are you",
            "how old are you",
            "how do you spell banana",
            "have a nice day",
            "tell me a joke",
            "play music",
            "call mom",
            "음악 틀어 줘",
            "엄마한테 전화해 줘",
            "뉴스 틀어 줘",
            "오늘 야구 몇 시에 해",
            "오늘 제일 더울 때 몇 도야",
            "잘 지냈어?",
        ] {
            let tongue = Tongue::heard_in(text).unwrap_or(Tongue::English);
            let ask =
                Understand { text: text.into(), language: tongue.code().into(), ..Understand::default() };
            let found = local.understand(&Cx::root(), ask).await.expect("understands");
            taken.extend(found.meanings.into_iter().map(|meaning| format!("{text}: {}", meaning.intent)));
        }
        assert!(taken.is_empty(), "{taken:#?}");
    }
}
