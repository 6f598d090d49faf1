//! What is not done because it was said not to be, and what is kept for later instead of being announced at once.

use ieum_testkit::backend::SqlStore;

use crate::stage::Stage;

async fn heard() -> (SqlStore, Stage) {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    (sql, stage)
}

async fn kept(stage: &Stage) -> i64 {
    stage.count("SELECT COUNT(*) AS n FROM ieum_schedule").await
}

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
