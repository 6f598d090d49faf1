//! What is set for days again and again, for several times at once, and what is refused by its name as it repeats otherwise.

use ieum_contracts::voice::DialogOutcome;

use crate::talk::{kept, no_such_repeat, quiet};

/// Says each on a stage of its own; so many are set then.
async fn answered(count: i64, sentences: &[(&str, &str)]) {
    for (said, wanted) in sentences {
        let (_sql, stage) = quiet().await;
        let answer = stage.say(said).await;
        assert_eq!((&*answer.text, answer.outcome), (*wanted, DialogOutcome::Answered), "{said}");
        assert_eq!(kept(&stage).await, count, "{said}");
    }
}

#[tokio::test]
async fn all_the_days_that_are_named_are_set_as_one() {
    answered(
        1,
        &[
            ("매일 알람 7시", "매일 오전 7시에 알람을 맞췄어요."),
            ("평일 아침 알람 6시 반으로 맞춰 줘", "평일마다 오전 6시 30분에 알람을 맞췄어요."),
            ("set a daily alarm for 7", "Alarm set for every day at 7:00 AM."),
            ("매주 화요일 목요일 7시에 깨워 줘", "매주 화·목요일 오전 7시에 알람을 맞췄어요."),
            ("매주 화요일이랑 목요일 7시에 깨워 줘", "매주 화·목요일 오전 7시에 알람을 맞췄어요."),
            ("화요일 목요일마다 7시에 깨워 줘", "매주 화·목요일 오전 7시에 알람을 맞췄어요."),
            ("매주 월수금 7시 알람", "매주 월·수·금요일 오전 7시에 알람을 맞췄어요."),
            ("월수금 7시 알람", "매주 월·수·금요일 오전 7시에 알람을 맞췄어요."),
            ("월요일부터 금요일까지 7시에 깨워 줘", "평일마다 오전 7시에 알람을 맞췄어요."),
            ("월요일부터 금요일까지 매일 7시에 깨워 줘", "평일마다 오전 7시에 알람을 맞췄어요."),
            ("월~금 7시 알람", "평일마다 오전 7시에 알람을 맞췄어요."),
            ("화목 저녁 8시에 운동하라고 알려 줘", "매주 화·목요일 오후 8시에 알려 드릴게요: 운동하기."),
            (
                "매주 월요일 수요일 오후 4시에 수영 가라고 알려 줘",
                "매주 월·수요일 오후 4시에 알려 드릴게요: 수영 가기.",
            ),
            (
                "wake me up every Tuesday and Thursday at 7",
                "Alarm set for every Tuesday and Thursday at 7:00 AM.",
            ),
            ("Monday through Friday at 7 wake me up", "Alarm set for every weekday at 7:00 AM."),
            ("set an alarm for 7 am Monday to Friday", "Alarm set for every weekday at 7:00 AM."),
            ("wake me up every weekday morning at 7", "Alarm set for every weekday at 7:00 AM."),
            (
                "on Mondays and Wednesdays at 4 pm remind me to swim",
                "I will remind you every Monday and Wednesday at 4:00 PM: swim.",
            ),
            (
                "remind me to swim every Tuesday and Thursday at 4 pm",
                "I will remind you every Tuesday and Thursday at 4:00 PM: swim.",
            ),
            (
                "remind me to swim at 4 pm on Mondays, Wednesdays and Fridays",
                "I will remind you every Monday, Wednesday and Friday at 4:00 PM: swim.",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn each_of_several_times_is_set() {
    let pills = "I will remind you every day at 8:00 AM: take my pills. I will remind you every day at 8:00 PM: take my \
                 pills.";
    answered(
        2,
        &[
            (
                "매일 8시랑 20시에 약 먹으라고 알려 줘",
                "매일 오전 8시에 알려 드릴게요: 약 먹기. 매일 오후 8시에 알려 드릴게요: 약 먹기.",
            ),
            (
                "매일 아침 8시하고 저녁 8시에 약 먹으라고 알려 줘",
                "매일 오전 8시에 알려 드릴게요: 약 먹기. 매일 오후 8시에 알려 드릴게요: 약 먹기.",
            ),
            (
                "매일 6시랑 18시에 약 먹으라고 알려 줘",
                "매일 오전 6시에 알려 드릴게요: 약 먹기. 매일 오후 6시에 알려 드릴게요: 약 먹기.",
            ),
            (
                "every day at 6 and 18:00 remind me to eat",
                "I will remind you every day at 6:00 AM: eat. I will remind you every day at 6:00 PM: eat.",
            ),
            (
                "매일 8시와 20시에 알람 맞춰 줘",
                "매일 오전 8시에 알람을 맞췄어요. 매일 오후 8시에 알람을 맞췄어요.",
            ),
            ("내일 7시랑 8시에 깨워 줘", "내일 오전 7시에 알람을 맞췄어요. 내일 오전 8시에 알람을 맞췄어요."),
            ("remind me to take my pills every day at 8 am and 8 pm", pills),
            ("every day at 8 am and 8 pm remind me to take my pills", pills),
            (
                "set an alarm for 8 am and 8 pm every day",
                "Alarm set for every day at 8:00 AM. Alarm set for every day at 8:00 PM.",
            ),
            (
                "set an alarm every day at 7 and 8 am",
                "Alarm set for every day at 7:00 AM. Alarm set for every day at 8:00 AM.",
            ),
            (
                "wake me up at 7 and 8 tomorrow",
                "Alarm set for tomorrow at 7:00 AM. Alarm set for tomorrow at 8:00 AM.",
            ),
        ],
    )
    .await;
    answered(
        1,
        &[
            ("remind me to eat and drink at 8 pm", "I will remind you today at 8:00 PM: eat and drink."),
            ("저녁 8시에 밥이랑 약 먹으라고 알려 줘", "오늘 오후 8시에 알려 드릴게요: 밥이랑 약 먹기."),
        ],
    )
    .await;
}

#[tokio::test]
async fn days_that_are_named_together_stay_together_beside_another_command() {
    answered(
        2,
        &[
            (
                "wake me up every Tuesday and Thursday at 7 and set a timer for 5 minutes",
                "Alarm set for every Tuesday and Thursday at 7:00 AM. Timer set for 5 minutes.",
            ),
            (
                "매주 화요일이랑 목요일 7시에 깨워 주고 5분 타이머 맞춰 줘",
                "매주 화·목요일 오전 7시에 알람을 맞췄어요. 5분 타이머를 시작했어요.",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_no_days_of_the_week_say_is_refused_by_its_name() {
    let (_sql, stage) = quiet().await;
    for (said, often) in [
        ("격주 월요일 7시에 깨워 줘", "격주"),
        ("격주 월요일마다 7시에 깨워 줘", "격주"),
        ("격일로 7시에 깨워 줘", "격일로"),
        ("이틀에 한 번 7시에 깨워 줘", "이틀에 한 번"),
        ("매달 1일 알람", "매달"),
        ("매달 첫째 월요일에 7시에 깨워 줘", "매달"),
        ("wake me up every month on the 1st at 9 am", "every month"),
        ("wake me up every other day at 7", "every other day"),
        ("wake me up every two weeks on Mondays at 7", "every two weeks"),
        ("set an alarm for 7 every other monday", "every other monday"),
        ("wake me up once a week at 7", "once a week"),
        ("wake me up every year at 7", "every year"),
    ] {
        let answer = stage.say(said).await;
        let wanted = no_such_repeat(often, "알람은");
        assert_eq!((answer.text, answer.outcome), (wanted, DialogOutcome::Failed), "{said}");
    }
    assert_eq!(kept(&stage).await, 0);
}

#[tokio::test]
async fn what_repeats_is_moved_to_other_days_and_never_on_one_of_them_alone() {
    let korean = |kind: &str| {
        format!(
            "되풀이하는 {kind}은 아직 하루만 옮길 수 없어요. 시각이나 요일을 모두 바꾸려면 \"{kind} 평일 8시로 바꿔 \
             줘\"처럼 말씀해 주세요. 아무것도 바꾸지 않았어요."
        )
    };
    let english = "I cannot move a repeating alarm on a single day yet. To change its time or its days, say \"move my \
                   alarm to every weekday at 8\". Nothing is changed.";
    let (_sql, stage) = quiet().await;
    stage.say("매일 7시 알람").await;
    for said in [
        "매일 7시 알람 내일만 8시로 옮겨 줘",
        "내일 알람 8시로 바꿔 줘",
        "알람 오늘만 8시로 바꿔 줘",
        "알람 금요일로 옮겨 줘",
        "move my daily alarm to Friday",
        "move tomorrow's alarm to 8",
        "move my alarm to 8 tomorrow only",
    ] {
        let answer = stage.say(said).await;
        let wanted = if said.is_ascii() { english.to_owned() } else { korean("알람") };
        assert_eq!((answer.text, answer.outcome), (wanted, DialogOutcome::Failed), "{said}");
        assert_eq!(stage.say("알람 뭐 있어?").await.text, "다음 알람은 매일 오전 7시예요.", "{said}");
    }
    for (said, told) in [
        ("알람 월수금으로 바꿔 줘", "매주 월·수·금요일 오전 7시에 알람을 맞췄어요."),
        ("알람 주말로 바꿔 줘", "주말마다 오전 7시에 알람을 맞췄어요."),
        ("알람 평일 8시로 바꿔 줘", "평일마다 오전 8시에 알람을 맞췄어요."),
        ("평일 알람 9시로 바꿔 줘", "평일마다 오전 9시에 알람을 맞췄어요."),
        ("move my weekday alarm to the weekend", "Alarm set for every Saturday and Sunday at 9:00 AM."),
        ("move my alarm to Mondays and Fridays", "Alarm set for every Monday and Friday at 9:00 AM."),
        ("move my alarm to weekdays", "Alarm set for every weekday at 9:00 AM."),
        ("change my alarm to every day at 8", "Alarm set for every day at 8:00 AM."),
        ("move the daily alarm to 7", "Alarm set for every day at 7:00 AM."),
    ] {
        assert_eq!(stage.say(said).await.text, told, "{said}");
        assert_eq!(kept(&stage).await, 1, "{said}");
    }
    stage.say("매주 월요일 9시에 운동하라고 알려 줘").await;
    assert_eq!(stage.say("운동 알림 화요일로 옮겨 줘").await.text, korean("알림"));
    assert_eq!(
        stage.say("운동 알림 매주 화요일로 옮겨 줘").await.text,
        "매주 화요일 오전 9시에 알려 드릴게요: 운동하기."
    );
    assert_eq!(kept(&stage).await, 2);
}
