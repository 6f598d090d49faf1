//! What people say at home every day, and what they say that is not for whoever listens.

use ieum_contracts::voice::DialogOutcome;
use ieum_testkit::backend::SqlStore;
use serde_json::json;

use crate::stage::Stage;

async fn heard() -> (SqlStore, Stage) {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    (sql, stage)
}

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
    ] {
        assert_eq!(kitchen.ask(said).await["text"], "전했어요.", "{said}");
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
    for said in ["아틀란티스 몇 시야", "what time is it in Atlantis", "배터리 얼마나 남았어", "일출 몇 시야"]
    {
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
        ("에어컨 24도로 맞춰 줘", &["a set 24"], "에어컨을 24로 맞췄어요."),
        ("에어컨 온도 26도로 올려 줘", &["a set 26"], "에어컨을 26으로 맞췄어요."),
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
