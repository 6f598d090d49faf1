//! What people say at home every day, and what they say that is not for whoever listens.

use std::time::Duration;

use ieum_contracts::voice::{DialogOutcome, DialogTurn};
use serde_json::json;

use crate::stage::{Stage, turn};
use crate::talk::heard;

#[tokio::test]
async fn what_follows_a_question_it_does_not_answer_is_never_taken_for_the_answer() {
    let (_sql, stage) = heard().await;
    for (question, others) in [
        ("turn on the light", ["I love you", "come here"]),
        ("타이머 맞춰 줘", ["사랑해", "5분은 너무 길어서 싫어"]),
    ] {
        stage.say(question).await;
        for other in others {
            let answered = stage.say(other).await;
            assert_eq!(answered.outcome, DialogOutcome::NotUnderstood, "{other}: {}", answered.text);
        }
    }
    assert_eq!(stage.count("SELECT COUNT(*) AS n FROM ieum_schedule").await, 0);
}

#[tokio::test]
async fn an_announcement_keeps_its_words() {
    let (_sql, stage) = heard().await;
    let (mut kitchen, mut bath) = (stage.device("kitchen").await, stage.device("bath").await);
    for (said, told) in [
        ("밥 먹자고 전해 줘", "밥 먹자"),
        ("저녁 준비 다 됐다고 방송해 줘", "저녁 준비 다 됐다"),
        ("욕실에 택배 왔다고 전해 줘", "택배 왔다"),
        ("욕실에 안녕이라고 전해 줘", "안녕"),
        ("국 끓는다고 전해 줘", "국 끓는다"),
        ("다들 어디 있냐고 물어봐 줘", "어디 있냐"),
        ("다들 거실로 오라고 해 줘", "거실로 오라"),
        ("욕실에 조용히 하라고 해 줘", "조용히 하라"),
    ] {
        assert_eq!(kitchen.ask(said).await["text"], "전했어요.", "{said}");
        assert_eq!(bath.hear().await["payload"]["text"], told, "{said}");
    }
    for (said, told) in [
        ("tell everyone to come to the kitchen", "come to the kitchen"),
        ("let everyone know that the food is here", "the food is here"),
        ("say good night to everyone", "good night"),
        ("tell everybody dinner is ready in the kitchen", "dinner is ready in the kitchen"),
    ] {
        assert_eq!(kitchen.ask(said).await["text"], "I passed it on.", "{said}");
        assert_eq!(bath.hear().await["payload"]["text"], told, "{said}");
    }
    assert_eq!(kitchen.ask("방송해 줘").await["text"], "뭐라고 전할까요?");
    assert_eq!(kitchen.ask("밥 먹자고 해 줘").await["text"], "전했어요.");
    assert_eq!(bath.hear().await["payload"]["text"], "밥 먹자");
    assert_eq!(kitchen.ask("make an announcement").await["text"], "What should I say?");
    assert_eq!(kitchen.ask("dinner is ready").await["text"], "I passed it on.");
    assert_eq!(bath.hear().await["payload"]["text"], "dinner is ready");
}

#[tokio::test]
async fn nothing_is_said_in_a_room_that_nobody_knows() {
    let (_sql, stage) = heard().await;
    for (said, answer) in [
        ("없는방에 안녕이라고 전해 줘", "없는방이라는 곳은 몰라서 전하지 않았어요."),
        ("announce dinner is ready in the guest room", "I know no guest room, so I told nobody."),
        ("announce dinner is ready in the kitchen", "I found no device to pass it on to in kitchen."),
    ] {
        let answered = stage.say(said).await;
        assert_eq!((&*answered.text, answered.outcome), (answer, DialogOutcome::Failed), "{said}");
    }
    assert_eq!(stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply").await, 0);
}

#[tokio::test]
async fn the_time_of_other_places_and_the_day_of_a_date_are_told() {
    let (_sql, stage) = heard().await;
    for (said, answer) in [
        ("뉴욕 몇 시야?", "뉴욕은 지금 4월 30일 목요일 오후 11시예요."),
        ("지금 런던은 몇 시야?", "런던은 지금 오전 4시예요."),
        ("파리 시간 알려 줘", "파리는 지금 오전 5시예요."),
        ("what time is it in Paris", "It is 5:00 AM in Paris."),
        ("what's the time in New York?", "It is 11:00 PM on Thursday, April 30 in New York."),
        ("내일이 며칠이야?", "내일은 5월 2일 토요일이에요."),
        ("다음 주 금요일이 며칠이야", "다음 주 금요일은 5월 8일 금요일이에요."),
        ("어제 며칠이었어", "어제는 4월 30일 목요일이었어요."),
        ("추석이 언제야?", "추석은 9월 25일 금요일이에요."),
        ("지금 몇 월이야", "오늘은 5월 1일 금요일이에요."),
        ("올해가 몇 년도야?", "올해는 2026년이에요."),
        ("안녕 지금 몇 시야", "지금은 오후 12시예요."),
        ("안녕, 지금 몇 시야", "안녕하세요. 지금은 오후 12시예요."),
        ("what was yesterday's date", "Yesterday was Thursday, April 30."),
        ("what year is it", "It is 2026."),
        ("is it Friday today?", "Today is Friday, May 1."),
        ("do you know what time it is", "It is 12:00 PM."),
        ("hello what time is it", "It is 12:00 PM."),
        ("12월 25일이 무슨 요일이야?", "12월 25일은 12월 25일 금요일이에요."),
        ("크리스마스까지 며칠 남았어?", "크리스마스까지 238일 남았어요. 12월 25일 금요일이에요."),
        ("what day is December 25th", "December 25th is Friday, December 25."),
        ("how many days until Christmas?", "Christmas is in 238 days, on Friday, December 25."),
        ("what date is tomorrow", "Tomorrow is Saturday, May 2."),
        ("what's the date next friday", "Next friday is Friday, May 8."),
    ] {
        let answered = stage.say(said).await;
        assert_eq!((&*answered.text, answered.outcome), (answer, DialogOutcome::Answered), "{said}");
    }
    for said in ["아틀란티스 몇 시야", "what time is it in Atlantis", "일출 몇 시야"] {
        let answered = stage.say(said).await;
        assert_eq!(answered.outcome, DialogOutcome::NotUnderstood, "{said}: {}", answered.text);
    }
}

#[tokio::test]
async fn things_are_switched_as_people_say_it() {
    let (_sql, stage) = heard().await;
    let mut kitchen = stage.device("kitchen").await;
    let things = json!([
        { "id": "k", "name": "불", "area": "주방" }, { "id": "l", "name": "불", "area": "거실" },
        { "id": "a", "name": "에어컨", "area": "거실" }, { "id": "c", "name": "커튼", "area": "거실" },
        { "id": "d", "name": "desk light", "area": "kitchen" }, { "id": "e", "name": "ceiling light", "area": "kitchen" },
    ]);
    kitchen.send("event", json!({ "eventType": "things", "data": { "things": things } })).await;
    for (said, wanted, answer) in [
        ("불 꺼라", &["k off"][..], "불을 껐어요."),
        ("거실 커튼 열어 줘", &["c on"], "커튼을 열었어요."),
        ("커튼 닫아", &["c off"], "커튼을 닫았어요."),
        ("주방 불이랑 거실 불 켜 줘", &["k on", "l on"], "불을 켰어요."),
        ("거실이랑 주방 불 꺼 줘", &["l off", "k off"], "불을 껐어요."),
        ("불 다 꺼 줘", &["k off", "l off"], "불을 모두 껐어요."),
        ("거실 다 꺼 줘", &["l off", "a off", "c off"], "모두 껐어요."),
        ("집에 불 다 꺼 줘", &["k off", "l off"], "불을 모두 껐어요."),
        ("잘 자 불 꺼 줘", &["k off"], "불을 껐어요."),
        ("에어컨 23도", &["a set 23"], "에어컨을 23으로 맞췄어요."),
        (
            "주방 불 좀 어둡게 해 줘",
            &[],
            "불이 지금 얼마인지 몰라서 더하거나 덜 수 없어요. 얼마로 맞출지 말씀해 주세요.",
        ),
        (
            "make the desk light brighter",
            &[],
            "I do not know what the desk light is set to, so I cannot turn it up or down. Tell me the level instead.",
        ),
        ("에어컨 24도로 맞춰 줘", &["a set 24"], "에어컨을 24로 맞췄어요."),
        ("25도로 맞춰 줘", &["a set 25"], "에어컨을 25로 맞췄어요."),
        ("그거 꺼 줘", &["a off"], "에어컨을 껐어요."),
        ("다시 켜 줘", &["a on"], "에어컨을 켰어요."),
        ("에어컨 켜고 24도로 맞춰 줘", &["a on", "a set 24"], "에어컨을 켰어요. 에어컨을 24로 맞췄어요."),
        ("에어컨 온도 26도로 올려 줘", &["a set 26"], "에어컨을 26으로 맞췄어요."),
        ("turn on the desk light", &["d on"], "The desk light is on."),
        ("turn it off", &["d off"], "The desk light is off."),
        (
            "turn on the ceiling light and set it to 40 percent",
            &["e on", "e set 40"],
            "The ceiling light is on. The ceiling light is set to 40.",
        ),
        ("turn off all the lights", &["k off", "l off", "d off", "e off"], "Every light is off."),
        (
            "turn off the desk light and the ceiling light",
            &["d off", "e off"],
            "The desk light is off. The ceiling light is off.",
        ),
        (
            "에어컨 온도 1도 올려 줘",
            &[],
            "에어컨이 지금 얼마인지 몰라서 더하거나 덜 수 없어요. 얼마로 맞출지 말씀해 주세요.",
        ),
        ("거실 불 켜져 있어?", &[], "불이 켜져 있는지는 알 수 없어요. 켜거나 끌 수는 있어요."),
        ("TV 꺼 줘", &[], "TV를 찾지 못했어요."),
        (
            "날씨랑 시간 알려 줘",
            &[],
            "날씨 서비스의 키가 설정되어 있지 않아요. 설정에 voice.weather_key를 넣어 주세요. 지금은 오후 12시예요.",
        ),
    ] {
        kitchen.send("text", json!({ "text": said })).await;
        let mut commands = Vec::new();
        let told = loop {
            let heard = kitchen.hear().await;
            let payload = &heard["payload"];
            if heard["type"] != "DEVICE_COMMAND" {
                break payload["text"].as_str().unwrap_or_default().to_owned();
            }
            let level = payload["level"].as_f64().map(|level| format!(" {level}")).unwrap_or_default();
            let (thing, action) = (payload["thing"].as_str(), payload["action"].as_str());
            commands.push(format!("{} {}{level}", thing.unwrap_or_default(), action.unwrap_or_default()));
        };
        commands.sort_by_key(|command| wanted.iter().position(|wanted| wanted == command));
        assert_eq!(
            (&commands[..], &*told),
            (&wanted.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()[..], answer),
            "{said}"
        );
    }
}

#[tokio::test]
async fn what_is_asked_together_is_answered_together() {
    let (_sql, stage) = heard().await;
    for (said, parts) in [
        ("내일 7시에 깨워 주고 날씨도 알려 줘", ["알람", "날씨"]),
        ("what's the weather and the time", ["weather", "It is 12:00 PM."]),
        ("뉴욕이랑 런던 몇 시야", ["뉴욕은 지금", "런던은 지금"]),
    ] {
        let answered = stage.say(said).await;
        assert!(parts.iter().all(|part| answered.text.contains(part)), "{said}: {}", answered.text);
    }
}

/// Says each in a session of its own, and expects the answer and nothing set.
async fn told(stage: &Stage, said: &[(&str, &str)]) {
    let kept = || stage.count("SELECT COUNT(*) AS n FROM ieum_schedule");
    for (said, answer) in said {
        let before = kept().await;
        let session = Some(format!("about {said}"));
        let answered = stage
            .try_say(DialogTurn { session_id: session, ..turn("kitchen", said) })
            .await
            .expect("is said");
        assert_eq!(&*answered.text, *answer, "{said}");
        assert_eq!(kept().await, before, "{said}");
    }
}

#[tokio::test]
async fn what_is_set_for_a_day_is_told_for_that_day() {
    let (_sql, stage) = heard().await;
    told(
        &stage,
        &[
            ("오늘 일정 알려 줘", "오늘은 맞춰 둔 알람이나 알림이 없어요."),
            ("일정 있어?", "맞춰 둔 알람이나 알림이 없어요."),
            ("이번 주말에 알람 있어?", "이번 주말은 맞춰 둔 알람이 없어요."),
            ("what's on for today", "There is no alarm or reminder set for today."),
            ("when is my next alarm", "There is no alarm set."),
        ],
    )
    .await;
    for said in [
        "내일 7시에 깨워 줘",
        "매주 월요일 아침 6시에 깨워 줘",
        "오늘 밤 9시에 약 먹으라고 알려 줘",
        "내일 아침 9시에 회의 준비하라고 알려 줘",
        "내일 오후 3시에 장 보라고 알려 줘",
    ] {
        stage.say(said).await;
    }
    let monday = "알람은 5월 4일 월요일 오전 6시예요.";
    let two = "알림이 2개 있어요. 내일 오전 9시: 회의 준비하기. 내일 오후 3시: 장 보기.";
    let both = "There are 2 reminders. Tomorrow at 9:00 AM: 회의 준비하기. Tomorrow at 3:00 PM: 장 보기.";
    told(
        &stage,
        &[
            ("내일 알람 몇 시야", "알람은 내일 오전 7시예요."),
            ("내일은 알람 있어?", "알람은 내일 오전 7시예요."),
            ("알람 내일은 몇 시에 울려?", "알람은 내일 오전 7시예요."),
            ("내일 몇 시에 깨워 줄 거야?", "알람은 내일 오전 7시예요."),
            ("월요일에 알람 있어?", monday),
            ("다음 주 월요일 알람 언제야", monday),
            ("모레 알람 있어?", "5월 3일 일요일은 맞춰 둔 알람이 없어요."),
            ("내일 7시에 알람 있어?", "다음 알람은 내일 오전 7시예요."),
            ("다음 알람 언제야", "다음 알람은 내일 오전 7시예요."),
            ("내일 알림 있어?", two),
            ("내일 할 일 알려 줘", two),
            ("모레 알림 있어?", "5월 3일 일요일은 맞춰 둔 알림이 없어요."),
            ("다음 알림 뭐야", "다음 알림은 오늘 오후 9시예요: 약 먹기."),
            ("오늘 뭐 있어", "오늘 오후 9시: 약 먹기."),
            ("오늘 일정 알려 줘", "오늘 오후 9시: 약 먹기."),
            ("내일 일정 어떻게 돼?", &format!("알람은 내일 오전 7시예요. {two}")),
            ("what time is my alarm tomorrow", "Your alarm is tomorrow at 7:00 AM."),
            ("do I have an alarm set for monday", "Your alarm is Monday, May 4 at 6:00 AM."),
            ("is there an alarm at 7", "Your next alarm is tomorrow at 7:00 AM."),
            (
                "is there an alarm at 8 am",
                "There is no such alarm. I have tomorrow at 7:00 AM, every Monday at 6:00 AM.",
            ),
            ("is there an alarm on sunday", "There is no alarm set for Sunday, May 3."),
            ("show me tomorrow's alarms", "Your alarm is tomorrow at 7:00 AM."),
            ("when is my next alarm", "Your next alarm is tomorrow at 7:00 AM."),
            ("do I have any reminders tomorrow", both),
            ("what are my reminders for today", "Today at 9:00 PM: 약 먹기."),
            ("what's my next reminder", "Your next reminder is today at 9:00 PM: 약 먹기."),
            ("what's on for today", "Today at 9:00 PM: 약 먹기."),
            ("what do I have tomorrow", &format!("Your alarm is tomorrow at 7:00 AM. {both}")),
            ("do I have anything planned on sunday", "There is no alarm or reminder set for Sunday, May 3."),
        ],
    )
    .await;
    for (said, answer) in [
        ("내일 알람 있어?", "알람은 내일 오전 7시예요."),
        ("모레는?", "5월 3일 일요일은 맞춰 둔 알람이 없어요."),
        ("how about monday", "Your alarm is Monday, May 4 at 6:00 AM."),
    ] {
        assert_eq!(stage.say(said).await.text, answer, "{said}");
    }
}

#[tokio::test]
async fn of_a_long_list_the_rest_is_counted_and_told_when_it_is_asked_for() {
    let (_sql, stage) = heard().await;
    for hour in 5..12 {
        stage.say(&format!("내일 오전 {hour}시에 깨워 줘")).await;
    }
    let first = (5..10).map(|hour| format!("내일 오전 {hour}시")).collect::<Vec<_>>().join(", ");
    let few = format!("알람이 7개 있어요: {first}, 그 밖에 2개.");
    let all = format!("알람이 7개 있어요: {first}, 내일 오전 10시, 내일 오전 11시.");
    for (said, answer) in [
        ("알람 뭐 있어?", &few),
        ("다 말해 줘", &all),
        ("내일 알람 있어?", &few),
        ("나머지도 알려 줘", &all),
        ("모든 알람 알려 줘", &all),
    ] {
        assert_eq!(&stage.say(said).await.text, answer, "{said}");
    }
    for (said, ends) in [
        ("what alarms do I have", "tomorrow at 9:00 AM, 2 more."),
        ("read all of them", "tomorrow at 10:00 AM, tomorrow at 11:00 AM."),
        ("list my alarms", "tomorrow at 9:00 AM, 2 more."),
        ("tell me the rest", "tomorrow at 10:00 AM, tomorrow at 11:00 AM."),
    ] {
        let answered = stage.say(said).await.text;
        assert!(answered.ends_with(ends), "{said}: {answered}");
    }
}

#[tokio::test]
async fn the_last_answer_is_said_again_and_a_question_waits_on() {
    let (_sql, stage) = heard().await;
    assert_eq!(stage.say("뭐라고?").await.text, "아직 말씀드린 것이 없어요.");
    stage.say("what time is it").await;
    for said in ["repeat that", "say that again please", "what did you say?", "sorry, what was that", "what?"]
    {
        assert_eq!(stage.say(said).await.text, "It is 12:00 PM.", "{said}");
    }
    stage.say("몇 시야").await;
    for said in [
        "뭐라고?",
        "다시 말해 줘",
        "다시 한번 말해 줄래?",
        "잘 못 들었어",
        "한 번 더 말해 줘",
        "방금 뭐라고 했어?",
    ] {
        assert_eq!(stage.say(said).await.text, "지금은 오후 12시예요.", "{said}");
    }
    for (asks, question, again, answer, told) in [
        ("알람 맞춰 줘", "몇 시에 울릴까요?", "뭐라고?", "내일 7시", "내일 오전 7시에 알람을 맞췄어요."),
        ("set a timer", "For how long?", "I didn't catch that", "5 minutes", "Timer set for 5 minutes."),
    ] {
        stage.say(asks).await;
        let repeated = stage.say(again).await;
        assert_eq!((&*repeated.text, repeated.expects_answer), (question, true), "{again}");
        assert_eq!(stage.say(answer).await.text, told, "{answer}");
    }
    stage.clock.advance(Duration::from_secs(3_600));
    assert_eq!(stage.say("what did you say").await.text, "I have not said anything yet.");
}

#[tokio::test]
async fn what_rang_a_moment_ago_rings_again_later() {
    let (_sql, stage) = heard().await;
    let mut kitchen = stage.device("kitchen").await;
    told(
        &stage,
        &[
            ("스누즈", "방금 울린 것이 없어요. 10분 뒤에 깨워 달라고 말씀하시면 그때 울릴게요."),
            ("snooze for 5 minutes", "Nothing rang just now. Say: wake me up in 5 minutes."),
            ("5분만 더", "맞춰 둔 타이머가 없어요."),
            ("5 more minutes", "There is no timer set."),
        ],
    )
    .await;
    let minutes = |count: u64| Duration::from_secs(60 * count + 1);
    for (set, until, rings, snooze, answer, later) in [
        ("10분 뒤에 깨워 줘", 10, "10분 타이머가 끝났어요.", "5분만 더", "5분 뒤에 다시 울릴게요.", 5),
        (
            "오후 1시에 알람 맞춰 줘",
            60,
            "알람이에요. 일어날 시간이에요.",
            "스누즈",
            "10분 뒤에 다시 울릴게요.",
            10,
        ),
        (
            "30분 뒤에 빨래 널라고 알려 줘",
            30,
            "알려 드려요. 빨래 널기",
            "이따가 다시 알려 줘",
            "10분 뒤에 다시 알려 드릴게요: 빨래 널기.",
            10,
        ),
        (
            "set an alarm for 4 pm",
            240,
            "This is your alarm.",
            "snooze",
            "I will ring again in 10 minutes.",
            10,
        ),
        (
            "remind me in an hour to take the bins out",
            60,
            "Reminder: take the bins out",
            "remind me again in 20 minutes",
            "I will remind you again in 20 minutes: take the bins out.",
            20,
        ),
    ] {
        kitchen.ask(set).await;
        stage.clock.advance(minutes(until));
        let rang = stage.rung(&mut kitchen).await["text"].clone();
        assert!(rang.as_str().is_some_and(|text| text.starts_with(rings)), "{set}: {rang}");
        assert_eq!(kitchen.ask(snooze).await["text"], answer, "{snooze}");
        stage.clock.advance(minutes(later));
        let again = stage.rung(&mut kitchen).await["text"].clone();
        let wanted = if later == 5 { "5분 타이머가 끝났어요." } else { rings };
        assert!(again.as_str().is_some_and(|text| text.starts_with(wanted)), "{snooze}: {again}");
        assert_eq!(stage.count("SELECT COUNT(*) AS n FROM ieum_schedule").await, 0, "{snooze}");
    }
    stage.clock.advance(minutes(11));
    let said = kitchen.ask("snooze").await["text"].clone();
    assert_eq!(said, "Nothing rang just now. Say: wake me up in 10 minutes.");
}

#[tokio::test]
async fn small_talk_is_answered_and_does_nothing() {
    let (_sql, stage) = heard().await;
    told(
        &stage,
        &[
            ("안녕", "안녕하세요."),
            ("좋은 아침이에요", "안녕하세요."),
            ("잘 자", "안녕히 주무세요."),
            ("나 이제 잘게", "안녕히 주무세요."),
            ("정말 고마워", "천만에요."),
            ("다녀올게", "다녀오세요."),
            ("나 왔어", "어서 오세요."),
            ("안녕 이음아", "안녕하세요."),
            ("고마워 잘 자", "안녕히 주무세요."),
            ("듣고 있어?", "네, 듣고 있어요."),
            ("너 이름이 뭐야", "저는 이음이에요."),
            ("넌 누구니?", "저는 이음이에요."),
            ("네", "네, 듣고 있어요."),
            ("응", "네, 듣고 있어요."),
            ("ok", "Yes, I am listening."),
            ("no", "All right."),
            ("됐어", "알겠어요."),
            ("그만", "알겠어요."),
            ("조용히 해", "알겠어요."),
            ("good morning", "Hello."),
            ("good night", "Good night."),
            ("thanks a lot", "You are welcome."),
            ("bye", "See you later."),
            ("I'm home", "Welcome home."),
            ("hi Ieum", "Hello."),
            ("are you there?", "Yes, I am listening."),
            ("who are you", "I am Ieum."),
            ("what's your name?", "I am Ieum."),
            ("never mind", "All right."),
            ("stop", "All right."),
            ("that's enough", "All right."),
        ],
    )
    .await;
    for said in ["도와줘", "뭐 할 수 있어?", "너는 뭘 할 줄 알아?"] {
        assert!(stage.say(said).await.text.starts_with("날씨, 시간, 타이머"), "{said}");
    }
    for said in ["what can you do", "help", "what else can you do"] {
        assert!(stage.say(said).await.text.starts_with("You can ask me about"), "{said}");
    }
    assert_eq!(stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply").await, 0);
}

#[tokio::test]
async fn what_nobody_here_can_do_is_refused_and_taken_for_nothing_else() {
    let (_sql, stage) = heard().await;
    for said in [
        "15 곱하기 8",
        "음악 틀어 줘",
        "엄마한테 전화해 줘",
        "뉴스 틀어 줘",
        "오늘 뉴스 뭐야",
        "너 몇 살이야",
        "오늘 야구 몇 시에 해",
        "냉장고에 뭐 있어",
        "how are you",
        "tell me a joke",
        "what is 15 times 8",
        "play music",
        "call mom",
        "how do you spell banana",
        "what's on TV tonight",
    ] {
        let answered = stage.say(said).await;
        assert_eq!(answered.outcome, DialogOutcome::NotUnderstood, "{said}: {}", answered.text);
    }
}

#[tokio::test]
async fn what_is_said_of_how_things_are_changes_no_command() {
    let (_sql, stage) = heard().await;
    let mut kitchen = stage.device("kitchen").await;
    let things = json!([
        { "id": "s", "name": "선풍기" }, { "id": "b", "name": "불" },
        { "id": "f", "name": "fan" }, { "id": "l", "name": "lamp" },
    ]);
    kitchen.send("event", json!({ "eventType": "things", "data": { "things": things } })).await;
    kitchen.ask("hello").await;
    let sent = async || stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply").await;
    for (said, answer) in [
        ("오늘 너무 덥다 선풍기 돌려 줘", "선풍기를 켰어요."),
        ("너무 덥다 선풍기 켜 줘", "선풍기를 켰어요."),
        ("선풍기 켜 줘 너무 더워", "선풍기를 켰어요."),
        ("어두우니까 불 켜 줘", "불을 켰어요."),
        ("밤이라 어두운데 불 좀 켜 줄래", "불을 켰어요."),
        ("손님 왔다 불 켜 줘", "불을 켰어요."),
        ("추워 선풍기 꺼 줘", "선풍기를 껐어요."),
        ("it's so hot today, turn on the fan", "The fan is on."),
        ("it's so hot today turn on the fan", "The fan is on."),
        ("I'm freezing, could you turn off the fan", "The fan is off."),
        ("the room is dark turn on the lamp", "The lamp is on."),
        ("turn on the fan, it's so hot", "The fan is on."),
        ("the lamp is too bright, turn it off", "The lamp is off."),
        ("아니 불 꺼 줘", "불을 껐어요."),
        ("no, turn on the lamp", "The lamp is on."),
        ("its hot could you turn on the fan", "The fan is on."),
        ("it's hot, just turn on the fan", "The fan is on."),
        ("I'm cold again turn off the fan", "The fan is off."),
    ] {
        let before = sent().await;
        let answered = stage.say(said).await;
        assert_eq!((&*answered.text, answered.outcome), (answer, DialogOutcome::Answered), "{said}");
        assert_eq!((sent().await, answered.confidence), (before + 1, 1.0), "{said}");
    }
    // What says when is about the command, and what is no remark is told.
    let before = sent().await;
    for (said, answer) in [
        ("나 피곤해 30분 뒤에 깨워 줘", "30분 타이머를 시작했어요."),
        ("내일 시험이다 6시에 깨워 줘", "몇 시에 울릴까요?"),
        ("오늘 밤에 선풍기 돌려 줘", "나중에 켜거나 끄는 것은 아직 할 수 없어요. 아무것도 하지 않았어요."),
        ("내일 너무 덥다니까 선풍기 돌려 줘", "죄송해요, 잘 이해하지 못했어요. 다르게 말씀해 주시겠어요?"),
        ("라디오 틀어 불 꺼 줘", "죄송해요, 잘 이해하지 못했어요. 다르게 말씀해 주시겠어요?"),
        (
            "비 오면 더우니까 선풍기 켜 줘",
            "조건을 붙여서 하는 것은 아직 할 수 없어요. 아무것도 바꾸지 않았어요.",
        ),
        (
            "it's cold tomorrow turn off the fan",
            "Sorry, I did not understand that. Could you say it another way?",
        ),
        ("it's time to turn on the fan", "Sorry, I did not understand that. Could you say it another way?"),
        (
            "it's annoying that you turn off the lamp",
            "Sorry, I did not understand that. Could you say it another way?",
        ),
        ("because you turn off the fan", "Sorry, I did not understand that. Could you say it another way?"),
        ("I can't just turn off the fan", "Sorry, I did not understand that. Could you say it another way?"),
    ] {
        assert_eq!(stage.say(said).await.text, answer, "{said}");
        assert_eq!(sent().await, before, "{said}");
    }
}
