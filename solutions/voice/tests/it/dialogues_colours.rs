//! Colours of lights: how people ask for them, what is answered, and what reaches the device over its broker.

use ieum_contracts::voice::DialogTurn;
use ieum_testkit::backend::SqlStore;
use serde_json::json;

use crate::stage::{Speaker, Stage};

const LATER: &str = "나중에 켜거나 끄는 것은 아직 할 수 없어요. 아무것도 하지 않았어요.";
const CONDITIONAL: &str = "조건을 붙여서 하는 것은 아직 할 수 없어요. 아무것도 바꾸지 않았어요.";
const UNKNOWN: &str = "죄송해요, 잘 이해하지 못했어요. 다르게 말씀해 주시겠어요?";
const NOT_UNDERSTOOD: &str = "Sorry, I did not understand that. Could you say it another way?";

/// A house whose device in the kitchen (주방) switches everything.
async fn house() -> (SqlStore, Stage, Speaker) {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    let kitchen = stage.device("kitchen").await;
    let things = json!([
        { "id": "k", "name": "불", "area": "주방" }, { "id": "l", "name": "불", "area": "거실" },
        { "id": "m", "name": "무드등", "area": "안방" }, { "id": "a", "name": "에어컨", "area": "거실" },
        { "id": "d", "name": "desk lamp", "area": "kitchen" }, { "id": "c", "name": "light", "area": "kitchen" },
        { "id": "b", "name": "light", "area": "bedroom" }, { "id": "f", "name": "fan", "area": "kitchen" },
    ]);
    kitchen.send("event", json!({ "eventType": "things", "data": { "things": things } })).await;
    (sql, stage, kitchen)
}

/// Says each, and expects what the device is told of it, by its broker, and the answer.
pub async fn told(kitchen: &mut Speaker, table: &[(&str, &[&str], &str)]) {
    for (said, wanted, answer) in table {
        kitchen.send("text", json!({ "text": said })).await;
        let mut commands = Vec::new();
        let text = loop {
            let heard = kitchen.hear().await;
            let payload = &heard["payload"];
            if heard["type"] != "DEVICE_COMMAND" {
                break payload["text"].as_str().unwrap_or_default().to_owned();
            }
            let word =
                |field: &str| payload[field].as_str().map(|word| format!(" {word}")).unwrap_or_default();
            let level = payload["level"].as_f64().map(|level| format!(" {level}")).unwrap_or_default();
            commands.push(format!("{}{}{level}{}", word("thing").trim(), word("action"), word("color")));
        };
        commands.sort_by_key(|command| wanted.iter().position(|wanted| wanted == command));
        assert_eq!(
            (&commands.iter().map(String::as_str).collect::<Vec<_>>()[..], &*text),
            (*wanted, *answer),
            "{said}"
        );
    }
}

#[tokio::test]
async fn lights_become_the_colour_that_is_said_in_korean() {
    let (_sql, _stage, mut kitchen) = house().await;
    let every = ["k set #0000ff", "l set #0000ff", "m set #0000ff", "c set #0000ff", "b set #0000ff"];
    told(
        &mut kitchen,
        &[
            ("거실 조명을 파란색으로 바꿔 줘", &["l set #0000ff"], "조명을 파란색으로 바꿨어요."),
            ("빨간색으로", &["l set #ff0000"], "조명을 빨간색으로 바꿨어요."),
            ("이번엔 초록색으로 해 줘", &["l set #008000"], "조명을 초록색으로 바꿨어요."),
            ("불 색을 빨간색으로 해 줘", &["k set #ff0000"], "불을 빨간색으로 바꿨어요."),
            ("조명 파란색으로", &["k set #0000ff"], "조명을 파란색으로 바꿨어요."),
            ("조명을 파란색으로 바꿔 줄 수 있어?", &["k set #0000ff"], "조명을 파란색으로 바꿨어요."),
            ("전등 색깔 좀 분홍색으로 바꿔 줄래?", &["k set #ffc0cb"], "전등을 분홍색으로 바꿨어요."),
            ("불을 노란색으로 켜 줘", &["k set #ffff00"], "불을 노란색으로 바꿨어요."),
            ("불 빨갛게 해 줘", &["k set #ff0000"], "불을 빨간색으로 바꿨어요."),
            ("파란 불 켜 줘", &["k set #0000ff"], "조명을 파란색으로 바꿨어요."),
            ("불을 전구색으로 바꿔 줘", &["k set #ffa757"], "불을 전구색으로 바꿨어요."),
            ("거실 불을 금빛으로 해 줘", &["l set #ffd700"], "불을 금색으로 바꿨어요."),
            // As Home Assistant's own tests say it.
            ("안방 무드등 색상 빨강으로 설정", &["m set #ff0000"], "무드등을 빨간색으로 바꿨어요."),
            ("안방 무드등의 빨강으로 변경", &["m set #ff0000"], "무드등을 빨간색으로 바꿨어요."),
            ("무드등 빨강", &["m set #ff0000"], "무드등을 빨간색으로 바꿨어요."),
            ("안방 색상 빨강으로 설정", &["m set #ff0000"], "조명을 모두 빨간색으로 바꿨어요."),
            ("안방 빨강으로 변경", &["m set #ff0000"], "조명을 모두 빨간색으로 바꿨어요."),
            ("모든 안방 조명 색상 빨강으로 설정", &["m set #ff0000"], "조명을 모두 빨간색으로 바꿨어요."),
            // All of them, and all of a room.
            ("모든 불을 다 파란색으로 바꿔 줘", &every, "불을 모두 파란색으로 바꿨어요."),
            ("모든 불 파란색으로 다 바꿔 줘", &every, "불을 모두 파란색으로 바꿨어요."),
            ("집에 불 다 파란색으로 바꿔 줘", &every, "불을 모두 파란색으로 바꿨어요."),
            ("이 방 불 다 파란색으로 바꿔 줘", &["k set #0000ff"], "불을 모두 파란색으로 바꿨어요."),
            ("거실을 노란색으로 해 줘", &["l set #ffff00"], "조명을 모두 노란색으로 바꿨어요."),
            // With a level, and the level after it alone.
            ("불 50%로 파란색으로 바꿔 줘", &["k set 50 #0000ff"], "불을 파란색으로 바꾸고 50으로 맞췄어요."),
            (
                "불을 파란색 50퍼센트로 해 줘",
                &["k set 50 #0000ff"],
                "불을 파란색으로 바꾸고 50으로 맞췄어요.",
            ),
            ("30%로 해 줘", &["k set 30"], "불을 30으로 맞췄어요."),
            ("보라색으로 바꿔 줘", &["k set #800080"], "불을 보라색으로 바꿨어요."),
            // Several commands.
            (
                "거실 불 켜고 파란색으로 바꿔 줘",
                &["l on", "l set #0000ff"],
                "불을 켰어요. 불을 파란색으로 바꿨어요.",
            ),
            (
                "거실 불은 빨간색으로 하고 주방 불은 파란색으로 해 줘",
                &["l set #ff0000", "k set #0000ff"],
                "불을 빨간색으로 바꿨어요. 불을 파란색으로 바꿨어요.",
            ),
            (
                "거실 불이랑 주방 불 파란색으로 바꿔 줘",
                &["l set #0000ff", "k set #0000ff"],
                "불을 파란색으로 바꿨어요.",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn lights_become_the_colour_that_is_said_in_english() {
    let (_sql, _stage, mut kitchen) = house().await;
    let red = [
        "k set #ff0000",
        "l set #ff0000",
        "m set #ff0000",
        "c set #ff0000",
        "b set #ff0000",
        "d set #ff0000",
    ];
    let all = &red[..];
    told(
        &mut kitchen,
        &[
            ("turn the kitchen light blue", &["c set #0000ff"], "The light is blue."),
            ("set the desk lamp to red", &["d set #ff0000"], "The desk lamp is red."),
            ("make it purple", &["d set #800080"], "The desk lamp is purple."),
            ("now pink", &["d set #ffc0cb"], "The desk lamp is pink."),
            ("make the lights green", &["c set #008000", "b set #008000"], "The lights are green."),
            ("change the light colour to blue", &["c set #0000ff", "b set #0000ff"], "The light is blue."),
            (
                "change the color of the desk lamp to warm white",
                &["d set #ffa757"],
                "The desk lamp is warm white.",
            ),
            ("turn on the desk lamp in blue", &["d set #0000ff"], "The desk lamp is blue."),
            ("desk lamp red", &["d set #ff0000"], "The desk lamp is red."),
            ("make all the lights red", all, "Every light is red."),
            ("set the color of all lights in here to red", &["k set #ff0000"], "Every light is red."),
            ("make all the lights red in here", &["k set #ff0000"], "Every light is red."),
            ("set the bedroom to orange", &["b set #ffa500"], "Every light is orange."),
            (
                "turn the bedroom light blue at 50 percent",
                &["b set 50 #0000ff"],
                "The light is blue and set to 50.",
            ),
            (
                "set the desk lamp to 30% and red",
                &["d set 30 #ff0000"],
                "The desk lamp is red and set to 30.",
            ),
            ("set it to 40 percent", &["d set 40"], "The desk lamp is set to 40."),
            ("make it sky blue", &["d set #87ceeb"], "The desk lamp is sky blue."),
            (
                "turn on the desk lamp and make it blue",
                &["d on", "d set #0000ff"],
                "The desk lamp is on. The desk lamp is blue.",
            ),
            (
                "turn the kitchen light blue and the bedroom light red",
                &["c set #0000ff", "b set #ff0000"],
                "The light is blue. The light is red.",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_colour_that_nobody_knows_or_said_is_asked_for() {
    let (_sql, _stage, mut kitchen) = house().await;
    told(
        &mut kitchen,
        &[
            ("불을 무지개색으로 바꿔 줘", &[], "무지개색은 제가 모르는 색이에요. 무슨 색으로 바꿀까요?"),
            ("초록색", &["k set #008000"], "불을 초록색으로 바꿨어요."),
            ("불 색 바꿔 줘", &[], "무슨 색으로 바꿀까요?"),
            ("파란색이요", &["k set #0000ff"], "불을 파란색으로 바꿨어요."),
            ("거실 불 다른 색으로 바꿔 줘", &[], "무슨 색으로 바꿀까요?"),
            ("주황색으로 해 줘", &["l set #ffa500"], "불을 주황색으로 바꿨어요."),
            ("지금 몇 시야", &[], "지금은 오후 12시예요."),
            ("파란색으로 바꿔 줘", &[], "무엇을요?"),
            ("거실 불", &["l set #0000ff"], "불을 파란색으로 바꿨어요."),
            (
                "set the desk lamp to chartreuse",
                &[],
                "I do not know the colour chartreuse. Which colour should it be?",
            ),
            ("green", &["d set #008000"], "The desk lamp is green."),
            (
                "change the light colour to dark red",
                &[],
                "I do not know the colour dark red. Which colour should it be?",
            ),
            ("red please", &["c set #ff0000", "b set #ff0000"], "The light is red."),
            ("change the colour of the desk lamp", &[], "Which colour should it be?"),
            ("yellow", &["d set #ffff00"], "The desk lamp is yellow."),
            ("what time is it", &[], "It is 12:00 PM."),
            ("make it red", &[], "Which one?"),
            ("desk lamp", &["d set #ff0000"], "The desk lamp is red."),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_can_have_no_colour_or_not_now_has_none() {
    let (_sql, _stage, mut kitchen) = house().await;
    told(
        &mut kitchen,
        &[
            ("불을 검은색으로 바꿔 줘", &[], "검은색 빛은 없어요. 끄려면 꺼 달라고 말씀해 주세요."),
            ("에어컨을 파란색으로 바꿔 줘", &[], "에어컨은 색을 바꿀 수 없어요. 조명의 색만 바꿀 수 있어요."),
            ("서재 불을 파란색으로 바꿔 줘", &[], "서재에서 불을 찾지 못했어요."),
            ("불을 파란색으로 바꾸지 마", &[], UNKNOWN),
            ("거실 불은 빨간색으로 주방 불은 파란색으로 바꿔 줘", &[], UNKNOWN),
            ("10분 뒤에 불을 빨간색으로 바꿔 줘", &[], LATER),
            ("비 오면 불을 파란색으로 바꿔 줘", &[], CONDITIONAL),
            ("불이 무슨 색이야", &[], "불이 무슨 색인지는 알 수 없어요. 색을 바꿀 수는 있어요."),
            ("turn the light black", &[], "No light is black. Tell me to turn it off instead."),
            ("turn the fan blue", &[], "I can set the colour of lights, and not of the fan."),
            ("set the bathroom light to blue", &[], "I found no light in the bathroom."),
            ("don't turn the light blue", &[], NOT_UNDERSTOOD),
            ("turn the lights low", &[], NOT_UNDERSTOOD),
            ("set the fan to cool", &[], NOT_UNDERSTOOD),
            (
                "turn the light blue in 10 minutes",
                &[],
                "I cannot switch things later yet. I switched nothing.",
            ),
            ("if it rains turn the light blue", &[], "I cannot wait for conditions yet. I changed nothing."),
            ("what colour is the light", &[], "I cannot see what colour the light is. I can change it."),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_device_that_knows_no_colours_is_told_what_it_always_was() {
    let (_sql, _stage, mut kitchen) = house().await;
    for (said, wanted) in [
        ("거실 불 30%로 해 줘", json!({ "thing": "l", "action": "set", "level": 30.0 })),
        ("거실 불 켜 줘", json!({ "thing": "l", "action": "on", "level": null })),
        (
            "거실 불 흰색으로 해 줘",
            json!({ "thing": "l", "action": "set", "level": null, "color": "#ffffff" }),
        ),
    ] {
        kitchen.send("text", json!({ "text": said })).await;
        let told = [kitchen.hear().await, kitchen.hear().await];
        let command = told.iter().find(|told| told["type"] == "DEVICE_COMMAND").expect("it is told");
        assert_eq!(command["payload"], wanted, "{said}");
    }
}

#[tokio::test]
async fn those_here_are_not_all_of_the_house_where_nobody_knows_where_that_is() {
    let (_sql, stage, mut kitchen) = house().await;
    // What it switches is known once it is answered.
    kitchen.ask("hello").await;
    let nowhere =
        |text: &str| DialogTurn { user_id: Some("ada".into()), text: text.into(), ..DialogTurn::default() };
    let unknown = [
        "여기가 어느 방인지 몰라요. 아무것도 바꾸지 않았어요. 방 이름을 말씀해 주세요.",
        "I do not know which room this is. I changed nothing. Tell me the name of the room.",
    ];
    for (said, answer) in [
        ("여기 불 다 파란색으로 바꿔 줘", unknown[0]),
        ("이 방 불 다 파란색으로 바꿔 줘", unknown[0]),
        ("make all the lights red in here", unknown[1]),
        ("set the color of all lights in here to red", unknown[1]),
    ] {
        assert_eq!(stage.try_say(nowhere(said)).await.expect("is answered").text, answer, "{said}");
    }
    assert_eq!(
        stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply WHERE kind = 'DEVICE_COMMAND'").await,
        0
    );
    let all = stage.try_say(nowhere("make all the lights red")).await.expect("is answered");
    assert_eq!(all.text, "Every light is red.");
    let reds = [
        "k set #ff0000",
        "l set #ff0000",
        "m set #ff0000",
        "d set #ff0000",
        "c set #ff0000",
        "b set #ff0000",
    ];
    for _ in reds {
        assert_eq!(kitchen.hear().await["payload"]["color"], "#ff0000");
    }
    told(&mut kitchen, &[("make all the lights red in here", &["k set #ff0000"], "Every light is red.")])
        .await;
}
