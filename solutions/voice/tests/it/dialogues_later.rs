//! Things that are to be switched at another time than now.

use serde_json::json;

use crate::stage::Stage;
use crate::talk::{heard, kept};

/// Tells of the things of the house: a light in the kitchen, and light and fan in the living room.
async fn furnished(stage: &Stage) {
    let mut kitchen = stage.device("kitchen").await;
    let things = json!([
        { "id": "kl", "name": "light", "area": "kitchen" },
        { "id": "l", "name": "불", "area": "거실" },
        { "id": "f", "name": "선풍기", "area": "거실" },
    ]);
    kitchen.send("event", json!({ "eventType": "things", "data": { "things": things } })).await;
    // What is said after it is heard after it.
    kitchen.ask("안녕").await;
}

async fn commands(stage: &Stage) -> i64 {
    stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply WHERE kind = 'DEVICE_COMMAND'").await
}

#[tokio::test]
async fn what_is_to_be_switched_later_is_never_switched_at_once() {
    let (_sql, stage) = heard().await;
    furnished(&stage).await;
    for said in [
        "10분 뒤에 불 꺼 줘",
        "거실 불 30분 후에 꺼 줘",
        "불 10분 있다가 꺼 줘",
        "내일 아침 7시에 거실 불 켜 줘",
        "매일 7시에 불 켜 줘",
        "10분 동안 불 켜 줘",
        "9시까지 불 켜 줘",
        "이따가 불 꺼 줘",
        "내일 불 꺼 줘",
        "30분 뒤에 다 꺼 줘",
        "10분 뒤에 거실 불이랑 선풍기 꺼 줘",
        "10분 뒤에 불 끄고 선풍기 켜 줘",
        "10분 뒤에 불 밝기 50으로 해 줘",
        "turn off the light in 10 minutes",
        "in 10 minutes turn off the light",
        "turn the light on tomorrow at 6:30 am",
        "turn on the light every day at 7",
        "turn on the light for 10 minutes",
        "turn off the light later",
        "set the light to 50 in 10 minutes",
        "turn on the kitchen light at 7 and turn it off at 8",
    ] {
        let refused = if said.is_ascii() {
            "I cannot switch things later yet. I switched nothing."
        } else {
            "나중에 켜거나 끄는 것은 아직 할 수 없어요. 아무것도 하지 않았어요."
        };
        // As it is typed, and as engines of speech write it.
        for said in [said.to_owned(), format!("{said}.")] {
            assert_eq!(stage.say(&said).await.text, refused, "{said}");
            assert_eq!((kept(&stage).await, commands(&stage).await), (0, 0), "{said}");
        }
    }
}

#[tokio::test]
async fn what_is_to_be_switched_now_is() {
    let (_sql, stage) = heard().await;
    furnished(&stage).await;
    for (number, (said, answer)) in (1..).zip([
        ("지금 불 꺼 줘", "불을 껐어요."),
        ("불 당장 켜 줘", "불을 켰어요."),
        ("turn off the light now", "The light is off."),
        ("turn on the light right now", "The light is on."),
        ("Turn off the light now.", "The light is off."),
        ("지금, 불 켜 줘!", "불을 켰어요."),
    ]) {
        assert_eq!(stage.say(said).await.text, answer, "{said}");
        assert_eq!((kept(&stage).await, commands(&stage).await), (0, number), "{said}");
    }
}
