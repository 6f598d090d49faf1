//! What is not done because it was said not to be, and what is kept for later instead of being announced at once.

use ieum_contracts::voice::DialogOutcome;
use serde_json::json;

use crate::stage::Stage;
use crate::talk::{answered, heard, kept};

async fn told(stage: &Stage) -> i64 {
    stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply").await
}

#[tokio::test]
async fn what_is_not_to_be_done_is_not_done() {
    let (_sql, stage) = heard().await;
    for said in ["타이머 9분", "7시 10분 알람 맞춰 줘", "8시 알람 맞춰 줘"] {
        stage.say(said).await;
    }
    assert_eq!(kept(&stage).await, 3);
    let mut wrong = Vec::new();
    for (said, answer) in [
        ("do not set an alarm for 7 am", "All right, I changed nothing."),
        ("don't remind me to eat at 8 am", "All right, I changed nothing."),
        ("don't cancel the timer", "All right, I changed nothing."),
        ("please don't wake me up at 7", "All right, I changed nothing."),
        ("cancel all alarms except the 8 o'clock one", "I cannot leave anything out yet. I changed nothing."),
        ("타이머 5분 맞추지 마", "알겠어요. 아무것도 바꾸지 않았어요."),
        ("알람 끄지 마", "알겠어요. 아무것도 바꾸지 않았어요."),
        ("알람 취소하지 말아 줘", "알겠어요. 아무것도 바꾸지 않았어요."),
        ("내일 알람 맞추지 마", "알겠어요. 아무것도 바꾸지 않았어요."),
        ("8시에 약 먹으라고 알려 주지 마", "알겠어요. 아무것도 바꾸지 않았어요."),
        ("7시 10분 알람 빼고 다 꺼 줘", "무엇을 빼고 하는 것은 아직 할 수 없어요. 아무것도 바꾸지 않았어요."),
    ] {
        let answered = stage.say(said).await;
        if (&*answered.text, kept(&stage).await, told(&stage).await) != (answer, 3, 0) {
            wrong.push(format!("{said}: {}", answered.text));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(kept(&stage).await, 3);
}

#[tokio::test]
async fn what_is_done_only_under_a_condition_is_not_done_and_nothing_is_asked() {
    let (_sql, stage) = heard().await;
    let mut kitchen = stage.device("kitchen").await;
    let things = json!([{ "id": "f", "name": "fan" }, { "id": "p", "name": "선풍기" }]);
    kitchen.send("event", json!({ "eventType": "things", "data": { "things": things } })).await;
    kitchen.ask("5분 타이머").await;
    let before = told(&stage).await;
    for said in [
        "if it rains, turn off the fan",
        "turn off the fan if it rains",
        "turn on the fan when I get home",
        "set an alarm for 7 am, if it rains",
        "if it rains, set an alarm for 7 am",
        "wake me up at 7 if it rains",
        "set an alarm for 7 am unless it's a holiday",
        "when I get home, set a timer for 5 minutes",
        "if it rains, remind me to close the window at 7",
        "set a timer for 5 minutes and if it rains turn off the fan",
        "cancel the timer if it rains",
        "remind me to take an umbrella at 7 if it rains",
        "remind me tomorrow to take an umbrella at 7 if it rains",
        "remind me to take an umbrella if it rains",
        "remind me to call mom when I get home",
        "비가 오면 선풍기 꺼 줘",
        "더우면 선풍기 켜 줘",
        "집에 올 때 선풍기 켜 줘",
        "비 오면 7시에 알람 맞춰 줘",
        "비 오면, 7시 알람 맞춰 줘",
        "만약 내일 눈이 오면 6시에 깨워 줘",
        "7시에 깨워 줘 비 오면",
        "5분 타이머 맞추고 비 오면 선풍기 꺼 줘",
        "비 오면 타이머 취소해 줘",
        "비 오면 7시에 우산 챙기라고 알려 줘",
        "비가 오면 내일 아침 7시에 우산 챙기라고 알려 줘",
        "비 오면 우산 챙기라고 알려 줘",
    ] {
        let answer = stage.say(said).await;
        let refused = if said.is_ascii() {
            "I cannot wait for conditions yet. I changed nothing."
        } else {
            "조건을 붙여서 하는 것은 아직 할 수 없어요. 아무것도 바꾸지 않았어요."
        };
        assert_eq!((&*answer.text, answer.outcome), (refused, DialogOutcome::Failed), "{said}");
        assert_eq!((kept(&stage).await, told(&stage).await), (1, before), "{said}");
    }
    // What ends as a condition does, a condition that is told, and a time are none.
    for (said, answer) in [
        ("라면 타이머 3분", "라면 타이머를 3분으로 시작했어요."),
        ("7시 되면 깨워 줘", "오늘 오후 7시에 알람을 맞췄어요."),
        ("10분 지나면 알려 줘", "10분 타이머를 시작했어요."),
        ("비 오면 우산 챙기라고 7시에 알려 줘", "오늘 오후 7시에 알려 드릴게요: 비 오면 우산 챙기기."),
        ("remind me to ask if it rains at 8", "I will remind you today at 8:00 PM: ask if it rains."),
        (
            "remind me at 7 to take an umbrella if it rains",
            "I will remind you today at 7:00 PM: take an umbrella if it rains.",
        ),
        ("7시에 비 오면 우산 챙기라고 알려 줘", "오늘 오후 7시에 알려 드릴게요: 비 오면 우산 챙기기."),
    ] {
        assert_eq!(stage.say(said).await.text, answer, "{said}");
    }
    assert_eq!(kept(&stage).await, 8);
}

#[tokio::test]
async fn what_is_not_to_be_done_is_what_a_reminder_is_about() {
    answered(&[
        ("remind me not to eat at 8", "I will remind you today at 8:00 PM: not to eat."),
        ("remind me at 8 not to eat", "I will remind you today at 8:00 PM: not to eat."),
        ("tell me not to eat at 8 pm", "I will remind you today at 8:00 PM: not to eat."),
        ("set a reminder not to eat at 8 pm", "I will remind you today at 8:00 PM: not to eat."),
        ("remind me tomorrow not to call mom", "I will remind you tomorrow at 9:00 AM: not to call mom."),
        (
            "remind me never to open the door at night",
            "I will remind you today at 9:00 PM: never to open the door.",
        ),
        ("remind me not to eat", "When should I remind you?"),
        ("8시에 먹지 말라고 알려 줘", "오늘 오후 8시에 알려 드릴게요: 먹지 말기."),
        ("커피 마시지 말라고 밤 9시에 알려 줘", "오늘 오후 9시에 알려 드릴게요: 커피 마시지 말기."),
    ])
    .await;
}

#[tokio::test]
async fn what_is_meant_instead_is_done() {
    for (said, answer) in [
        ("7시 알람 맞추지 말고 8시 알람 맞춰 줘", "오늘 오후 8시에 알람을 맞췄어요."),
        ("7시 말고 8시에 깨워 줘", "오늘 오후 8시에 알람을 맞췄어요."),
        ("내일 7시 알람 말고 8시 알람 맞춰 줘", "내일 오전 8시에 알람을 맞췄어요."),
        ("5분 타이머 말고 10분 타이머 맞춰 줘", "10분 타이머를 시작했어요."),
        ("not 7, set the alarm for 8", "Alarm set for today at 8:00 PM."),
        ("set the alarm for 8, not 7", "Alarm set for today at 8:00 PM."),
        ("don't set the alarm for 7, set it for 8", "Alarm set for today at 8:00 PM."),
        ("wake me up at 8 instead of 7", "Alarm set for today at 8:00 PM."),
    ] {
        let (_sql, stage) = heard().await;
        assert_eq!(stage.say(said).await.text, answer, "{said}");
        assert_eq!(kept(&stage).await, 1, "{said}");
    }
}

#[tokio::test]
async fn what_is_not_to_be_forgotten_is_kept() {
    let (_sql, stage) = heard().await;
    for (said, answer) in [
        ("don't let me forget to call mom at 5 pm", "I will remind you today at 5:00 PM: call mom."),
        ("don't forget to remind me to eat at 8 pm", "I will remind you today at 8:00 PM: eat."),
        ("8시에 약 잊지 말라고 알려 줘", "오늘 오후 8시에 알려 드릴게요: 약 잊지 말기."),
        ("3시에 늦지 말라고 알려 줘", "오늘 오후 3시에 알려 드릴게요: 늦지 말기."),
    ] {
        assert_eq!(stage.say(said).await.text, answer, "{said}");
    }
    assert_eq!(kept(&stage).await, 4);
}

#[tokio::test]
async fn what_is_to_be_told_later_is_kept_wherever_its_time_is_said() {
    let (_sql, stage) = heard().await;
    let before = [
        ("내일 빵 사라고 알려 줘", "내일 오전 9시에 알려 드릴게요: 빵 사기."),
        ("아빠한테 3시에 전화하라고 알려 줘", "오늘 오후 3시에 알려 드릴게요: 아빠한테 전화하기."),
        (
            "엄마 생일 12월 3일에 케이크 사라고 알려 줘",
            "12월 3일 목요일 오전 9시에 알려 드릴게요: 엄마 생일 케이크 사기.",
        ),
        ("동생한테 내일 오후 3시에 전화하라고 알려 줘", "내일 오후 3시에 알려 드릴게요: 동생한테 전화하기."),
        ("아빠한테 5분 뒤에 오라고 알려 줘", "오늘 오후 12시 5분에 알려 드릴게요: 아빠한테 오기."),
        ("아빠한테 매일 3시에 전화하라고 알려 줘", "매일 오후 3시에 알려 드릴게요: 아빠한테 전화하기."),
        ("아빠한테 저녁에 전화하라고 알려 줘", "오늘 오후 6시에 알려 드릴게요: 아빠한테 전화하기."),
        ("내일 비 온다고 알려 줘", "내일 오전 9시에 알려 드릴게요: 비 온다."),
        ("모두에게 3시에 회의 있다고 알려 줘", "오늘 오후 3시에 알려 드릴게요: 회의 있다."),
    ];
    for (number, (said, answer)) in (1..).zip(before) {
        assert_eq!(stage.say(said).await.text, answer, "{said}");
        assert_eq!((kept(&stage).await, told(&stage).await), (number, 0), "{said}");
    }
    for (said, answer) in
        [("아빠한테 2월 30일에 전화하라고 알려 줘", "그런 날짜는 없어요. 언제 알려 드릴까요?")]
    {
        let asked = stage.say(said).await;
        assert_eq!((&*asked.text, asked.outcome), (answer, DialogOutcome::Asked), "{said}");
        assert_eq!((kept(&stage).await, told(&stage).await), (9, 0), "{said}");
    }
}

#[tokio::test]
async fn what_is_for_the_whole_house_and_for_no_time_is_announced() {
    let (_sql, stage) = heard().await;
    let (mut kitchen, mut bath) = (stage.device("kitchen").await, stage.device("bath").await);
    for (said, told) in [
        ("밥 먹으라고 모두에게 알려 줘", "밥 먹으라"),
        ("모두에게 밥 먹으라고 알려 줘", "밥 먹으라"),
        ("저녁 먹으라고 알려 줘", "저녁 먹으라"),
        ("내일 소풍 간다고 전해 줘", "내일 소풍 간다"),
    ] {
        assert_eq!(kitchen.ask(said).await["text"], "전했어요.", "{said}");
        assert_eq!(bath.hear().await["payload"]["text"], told, "{said}");
    }
    assert_eq!(kept(&stage).await, 0);
}

#[tokio::test]
async fn a_reminder_for_a_part_of_the_day_comes_within_it() {
    let (_sql, stage) = heard().await;
    for (said, answer) in [
        ("remind me tonight to lock the door", "I will remind you today at 9:00 PM: lock the door."),
        ("remind me to lock the door tonight", "I will remind you today at 9:00 PM: lock the door."),
        ("remind me this evening to call mom", "I will remind you today at 6:00 PM: call mom."),
        ("remind me this afternoon to call mom", "I will remind you today at 3:00 PM: call mom."),
        ("remind me tomorrow evening to call mom", "I will remind you tomorrow at 6:00 PM: call mom."),
        ("remind me tomorrow to lock the door", "I will remind you tomorrow at 9:00 AM: lock the door."),
        ("remind me every night to lock the door", "I will remind you every day at 9:00 PM: lock the door."),
        ("매일 밤에 문 잠그라고 알려 줘", "매일 오후 9시에 알려 드릴게요: 문 잠그기."),
        ("오늘 밤에 문 잠그라고 알려 줘", "오늘 오후 9시에 알려 드릴게요: 문 잠그기."),
        ("오늘 저녁에 엄마한테 전화하라고 알려 줘", "오늘 오후 6시에 알려 드릴게요: 엄마한테 전화하기."),
        ("오늘 오후에 엄마한테 전화하라고 알려 줘", "오늘 오후 3시에 알려 드릴게요: 엄마한테 전화하기."),
    ] {
        assert_eq!(stage.say(said).await.text, answer, "{said}");
    }
    assert_eq!(kept(&stage).await, 11);
}
