//! Talks that the tables of dialogues have in common: a stage to talk on, what is kept after it, what is told.

use ieum_testkit::backend::SqlStore;

use crate::stage::Stage;

/// Returns a stage where nobody is heard, with its store.
pub async fn quiet() -> (SqlStore, Stage) {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    (sql, stage)
}

/// Returns a stage where devices are heard, with its store.
pub async fn heard() -> (SqlStore, Stage) {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    (sql, stage)
}

/// Returns how many timers, alarms and reminders are set.
pub async fn kept(stage: &Stage) -> i64 {
    stage.count("SELECT COUNT(*) AS n FROM ieum_schedule").await
}

/// Says each of `said`, and expects the answer and how much is set then.
pub async fn told(stage: &Stage, said: &[(&str, &str, i64)]) {
    for (said, told, count) in said {
        assert_eq!((&*stage.say(said).await.text, kept(stage).await), (*told, *count), "{said}");
    }
}

/// Says each on a stage of its own.
pub async fn answered(sentences: &[(&str, &str)]) {
    for (said, wanted) in sentences {
        let (_sql, stage) = quiet().await;
        let answer = stage.say(said).await;
        assert_eq!((&*answer.text, answer.confidence), (*wanted, 1.0), "{said}");
    }
}

/// Returns what is told of something that is to repeat `often`, which no days of the week say; `korean` is what it is.
pub fn no_such_repeat(often: &str, korean: &str) -> String {
    if often.is_ascii() {
        return format!(
            "I cannot repeat anything {often} yet, only on days, such as every day, every weekday or every Monday. \
             Nothing is set."
        );
    }
    format!(
        "{often} 되풀이하는 {korean} 아직 맞출 수 없어요. 매일, 평일, 주말, 매주 무슨 요일처럼만 되풀이할 수 있어요. \
         아무것도 맞추지 않았어요."
    )
}
