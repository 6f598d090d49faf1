//! Timers that are made longer or shorter, and timers and reminders that are moved, in Korean and English.

use std::time::Duration;

use ieum_contracts::voice::{DialogOutcome, DialogTurn};
use ieum_testkit::backend::SqlStore;

use crate::stage::{Stage, turn};
use crate::talk::{kept, quiet};

#[tokio::test]
async fn a_timer_that_runs_is_made_longer_or_shorter_and_stays_one() {
    let (_sql, stage) = quiet().await;
    stage.say("타이머 5분").await;
    for (said, told) in [
        ("타이머에 5분 더해 줘", "타이머를 5분 늘렸어요. 이제 10분 남았어요."),
        ("타이머 5분 늘려 줘", "타이머를 5분 늘렸어요. 이제 15분 남았어요."),
        ("5분 더", "타이머를 5분 늘렸어요. 이제 20분 남았어요."),
        ("오 분만 더 줘", "타이머를 5분 늘렸어요. 이제 25분 남았어요."),
        ("타이머 2분 줄여 줘", "타이머를 2분 줄였어요. 이제 23분 남았어요."),
        ("타이머에서 3분 빼 줘", "타이머를 3분 줄였어요. 이제 20분 남았어요."),
        ("add five minutes to the timer", "I added 5 minutes to the timer: 25 minutes left."),
        ("five more minutes", "I added 5 minutes to the timer: 30 minutes left."),
        ("extend the timer by 1 minute", "I added 1 minute to the timer: 31 minutes left."),
        ("another four minutes", "I added 4 minutes to the timer: 35 minutes left."),
        ("take two minutes off the timer", "I took 2 minutes off the timer: 33 minutes left."),
        ("remove three minutes from the timer", "I took 3 minutes off the timer: 30 minutes left."),
    ] {
        let answer = stage.say(said).await;
        assert_eq!((&*answer.text, answer.outcome), (told, DialogOutcome::Answered), "{said}");
        assert_eq!(kept(&stage).await, 1, "{said}");
    }
    for (said, told) in [
        ("타이머 30분 줄여 줘", "타이머가 30분밖에 남지 않아서 30분을 줄일 수 없어요."),
        ("take an hour off the timer", "The timer has only 30 minutes left, so I cannot take 1 hour off."),
        ("타이머 0분 늘려 줘", "1초부터 바꿀 수 있어요."),
    ] {
        let answer = stage.say(said).await;
        assert_eq!((&*answer.text, answer.outcome), (told, DialogOutcome::Failed), "{said}");
    }
    assert_eq!(stage.say("타이머 좀 늘려 줘").await.text, "얼마나 늘릴까요?");
    assert_eq!(stage.say("10분").await.text, "타이머를 10분 늘렸어요. 이제 40분 남았어요.");
    assert_eq!(kept(&stage).await, 1);
}

#[tokio::test]
async fn what_is_changed_twice_by_one_sentence_is_one_that_both_changed() {
    let (_sql, stage) = quiet().await;
    stage.say("타이머 5분").await;
    for (said, told) in [
        (
            "타이머 5분 늘려 줘 그리고 타이머 2분 줄여 줘",
            "타이머를 5분 늘렸어요. 이제 10분 남았어요. 타이머를 2분 줄였어요. 이제 8분 남았어요.",
        ),
        (
            "add five minutes to the timer and take two minutes off the timer",
            "I added 5 minutes to the timer: 13 minutes left. I took 2 minutes off the timer: 11 minutes left.",
        ),
    ] {
        assert_eq!(stage.say(said).await.text, told, "{said}");
        assert_eq!(kept(&stage).await, 1, "{said}");
    }
}

#[tokio::test]
async fn which_of_several_timers_is_meant_is_said_by_name_or_length_or_asked_for() {
    let (_sql, stage) = quiet().await;
    for said in ["5분 더", "add five minutes to the timer", "take two minutes off the timer"] {
        let none = stage.say(said).await;
        let told =
            if said.is_ascii() { "There is no timer set." } else { "맞춰 둔 타이머가 없어요." };
        assert_eq!((&*none.text, kept(&stage).await), (told, 0), "{said}");
    }
    stage.say("타이머 10분").await;
    stage.say("라면 타이머 4분").await;
    assert_eq!(
        stage.say("라면 타이머 2분 늘려 줘").await.text,
        "라면 타이머를 2분 늘렸어요. 이제 6분 남았어요."
    );
    assert_eq!(stage.say("라면 1분 더").await.text, "라면 타이머를 1분 늘렸어요. 이제 7분 남았어요.");
    assert_eq!(
        stage.say("add a minute to the 10 minute timer").await.text,
        "I added 1 minute to the timer: 11 minutes left."
    );
    let asked = stage.say("5분 더").await;
    assert!(asked.expects_answer, "{}", asked.text);
    assert_eq!(
        asked.text,
        "타이머가 2개 있어요: 라면 7분 (7분 남음), 11분 (11분 남음). 어느 것을 말씀하세요? 모두라면 전부라고 해 주세요."
    );
    assert_eq!(stage.say("11분 거").await.text, "타이머를 5분 늘렸어요. 이제 16분 남았어요.");
    assert!(stage.say("take two minutes off the timer").await.text.ends_with("Say all for all of them."));
    assert_eq!(
        stage.say("all").await.text,
        "I took 2 minutes off the 라면 timer: 5 minutes left. I took 2 minutes off the timer: 14 minutes left."
    );
    assert_eq!(stage.say("20분 타이머 5분 늘려 줘").await.outcome, DialogOutcome::Failed);
    assert_eq!(kept(&stage).await, 2);
}

#[tokio::test]
async fn a_longer_timer_rings_once_when_it_is_to_and_is_known_by_its_whole_length() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    let mut kitchen = stage.device("kitchen").await;
    kitchen.ask("타이머 5분").await;
    stage.clock.advance(Duration::from_secs(180));
    let longer = DialogTurn { turn_id: Some("t1".into()), ..turn("kitchen", "타이머 5분 늘려 줘") };
    let first = stage.try_say(longer.clone()).await.expect("is answered");
    assert_eq!(first.text, "타이머를 5분 늘렸어요. 이제 7분 남았어요.");
    // As after a kill that kept the answer from whoever asked: the same turn comes again.
    assert_eq!(stage.try_say(longer).await.expect("is answered"), first);
    assert_eq!(kept(&stage).await, 1);
    stage.clock.advance(Duration::from_secs(419));
    let late = stage.say("타이머 얼마나 남았어?").await;
    assert_eq!(late.text, "타이머가 1초 남았어요.");
    assert_eq!(stage.rung(&mut kitchen).await["text"], "10분 타이머가 끝났어요.");
    assert_eq!(kept(&stage).await, 0);
}

#[tokio::test]
async fn a_timer_is_changed_to_another_length_counted_from_now() {
    let (_sql, stage) = quiet().await;
    stage.say("타이머 5분").await;
    stage.clock.advance(Duration::from_secs(60));
    for (said, told) in [
        ("타이머 10분으로 바꿔 줘", "타이머를 바꿨어요. 이제 10분 남았어요."),
        ("10분 타이머를 20분으로 늘려 줘", "타이머를 바꿨어요. 이제 20분 남았어요."),
        ("change the timer to 3 minutes", "I changed the timer: 3 minutes left."),
        ("extend the 3 minute timer to an hour", "I changed the timer: 1 hour left."),
    ] {
        assert_eq!(stage.say(said).await.text, told, "{said}");
    }
    assert_eq!(kept(&stage).await, 1);
}

#[tokio::test]
async fn a_reminder_is_moved_and_stays_what_it_is_about() {
    let (_sql, stage) = quiet().await;
    assert_eq!(stage.say("알림 9시로 옮겨 줘").await.text, "맞춰 둔 알림이 없어요.");
    stage.say("저녁 8시에 약 먹으라고 알려 줘").await;
    for (said, told) in [
        ("약 먹기 알림 9시로 옮겨 줘", "오늘 오후 9시에 알려 드릴게요: 약 먹기."),
        ("약 먹으라는 알림 내일로 미뤄 줘", "내일 오후 9시에 알려 드릴게요: 약 먹기."),
        ("move the reminder to ten", "I will remind you tomorrow at 10:00 PM: 약 먹기."),
        ("알림 아침 7시로 바꿔 줘", "내일 오전 7시에 알려 드릴게요: 약 먹기."),
    ] {
        let answer = stage.say(said).await;
        assert_eq!(answer.text, told, "{said}");
        assert_eq!(kept(&stage).await, 1, "{said}");
    }
    stage.say("remind me to call mum tomorrow at 5 pm").await;
    for (said, told) in [
        ("move the call mum reminder to six", "I will remind you tomorrow at 6:00 PM: call mum."),
        (
            "move the reminder to call mum to monday at 7 pm",
            "I will remind you Monday, May 4 at 7:00 PM: call mum.",
        ),
    ] {
        assert_eq!(stage.say(said).await.text, told, "{said}");
    }
    let asked = stage.say("알림 8시로 옮겨 줘").await;
    assert!(asked.expects_answer && asked.text.ends_with("어느 것을 말씀하세요?"), "{}", asked.text);
    assert_eq!(stage.say("약 먹기").await.text, "내일 오전 8시에 알려 드릴게요: 약 먹기.");
    assert_eq!(stage.say("빨래 알림 8시로 옮겨 줘").await.outcome, DialogOutcome::Failed);
    assert_eq!(kept(&stage).await, 2);
}

#[tokio::test]
async fn what_repeats_is_moved_on_its_days() {
    let (_sql, stage) = quiet().await;
    stage.say("매일 저녁 8시에 약 먹으라고 알려 줘").await;
    assert_eq!(stage.say("알림 9시로 옮겨 줘").await.text, "매일 오후 9시에 알려 드릴게요: 약 먹기.");
    assert_eq!(
        stage.say("move the reminder to 10 pm").await.text,
        "I will remind you every day at 10:00 PM: 약 먹기."
    );
    assert_eq!(kept(&stage).await, 1);
}

/// Says each of `said` and expects what follows it.
async fn told(stage: &Stage, said: &[(&str, &str)]) {
    for (said, told) in said {
        assert_eq!(&stage.say(said).await.text, told, "{said}");
    }
}

#[tokio::test]
async fn an_answer_that_names_another_hour_with_its_half_is_taken_whole() {
    let (_sql, stage) = quiet().await;
    for (said, answer, kept) in [
        (
            "내일 6시에 엄마한테 전화하라고 알려 줘",
            "오후 7시로 해 줘",
            "내일 오후 7시에 알려 드릴게요: 엄마한테 전화하기.",
        ),
        (
            "내일 6시에 엄마한테 전화하라고 알려 줘",
            "저녁 8시",
            "내일 오후 8시에 알려 드릴게요: 엄마한테 전화하기.",
        ),
        (
            "내일 6시에 엄마한테 전화하라고 알려 줘",
            "아침 6시 반",
            "내일 오전 6시 30분에 알려 드릴게요: 엄마한테 전화하기.",
        ),
        (
            "내일 6시에 엄마한테 전화하라고 알려 줘",
            "모레 오후 7시",
            "5월 3일 일요일 오후 7시에 알려 드릴게요: 엄마한테 전화하기.",
        ),
        ("매일 6시에 약 먹으라고 알려 줘", "저녁 8시요", "매일 오후 8시에 알려 드릴게요: 약 먹기."),
        (
            "remind me to call mum tomorrow at 6",
            "make it 7 pm",
            "I will remind you tomorrow at 7:00 PM: call mum.",
        ),
        ("remind me to call mum tomorrow at 6", "pm", "I will remind you tomorrow at 6:00 PM: call mum."),
    ] {
        assert!(stage.say(said).await.expects_answer, "{said}");
        assert_eq!(stage.say(answer).await.text, kept, "{said}, {answer}");
    }
}

#[tokio::test]
async fn another_half_of_the_day_leaves_what_is_moved_on_its_day() {
    let (_sql, stage) = quiet().await;
    stage.say("내일 오전 8시에 약 먹으라고 알려 줘").await;
    stage.say("내일 오전 7시 알람").await;
    told(
        &stage,
        &[
            ("약 먹기 알림 오전 9시로 옮겨 줘", "내일 오전 9시에 알려 드릴게요: 약 먹기."),
            ("약 먹기 알림 오후 3시로 옮겨 줘", "내일 오후 3시에 알려 드릴게요: 약 먹기."),
            ("move the reminder to 9 am", "I will remind you tomorrow at 9:00 AM: 약 먹기."),
            ("약 먹기 알림 오늘 오후 9시로 옮겨 줘", "오늘 오후 9시에 알려 드릴게요: 약 먹기."),
            ("약 먹기 알림 오전 9시로 옮겨 줘", "내일 오전 9시에 알려 드릴게요: 약 먹기."),
            ("알람 오후 1시 반으로 옮겨 줘", "내일 오후 1시 30분에 알람을 맞췄어요."),
            ("알람 오전 7시 반으로 옮겨 줘", "내일 오전 7시 30분에 알람을 맞췄어요."),
            ("move my alarm to 7:45 am", "Alarm set for tomorrow at 7:45 AM."),
            ("move my alarm to 6 pm", "Alarm set for tomorrow at 6:00 PM."),
            ("move my alarm to noon", "Alarm set for tomorrow at 12:00 PM."),
            ("알람 월요일 오전 7시로 옮겨 줘", "5월 4일 월요일 오전 7시에 알람을 맞췄어요."),
            ("알람 오전 8시로 옮겨 줘", "5월 4일 월요일 오전 8시에 알람을 맞췄어요."),
        ],
    )
    .await;
    assert_eq!(kept(&stage).await, 2);
}

#[tokio::test]
async fn what_is_set_is_found_by_its_hour_and_the_half_of_the_day() {
    let (_sql, stage) = quiet().await;
    stage.say("월요일 오전 7시 알람").await;
    stage.say("월요일 오전 8시 알람").await;
    told(
        &stage,
        &[
            (
                "오후 7시 알람 취소해 줘",
                "그런 알람은 없어요. 맞춰 둔 건 5월 4일 월요일 오전 7시, 5월 4일 월요일 오전 8시예요.",
            ),
            (
                "내일 오전 7시 알람 취소해 줘",
                "그런 알람은 없어요. 맞춰 둔 건 5월 4일 월요일 오전 7시, 5월 4일 월요일 오전 8시예요.",
            ),
            ("오전 7시 알람 취소해 줘", "알람을 취소했어요."),
            ("오전 8시 알람 9시로 옮겨 줘", "5월 4일 월요일 오전 9시에 알람을 맞췄어요."),
            ("월요일 9시 알람 취소해 줘", "알람을 취소했어요."),
        ],
    )
    .await;
    for said in ["아침 7시 알람 취소해 줘", "cancel the 7 am alarm", "cancel my 7 am alarm"] {
        for day in ["내일 오전 7시 알람", "내일 오전 8시 알람"] {
            stage.say(day).await;
        }
        let gone = if said.is_ascii() { "The alarm is cancelled." } else { "알람을 취소했어요." };
        told(
            &stage,
            &[
                (said, gone),
                ("알람 언제야?", "다음 알람은 내일 오전 8시예요."),
                ("알람 취소해 줘", "알람을 취소했어요."),
            ],
        )
        .await;
    }
    assert_eq!(kept(&stage).await, 0);
}

#[tokio::test]
async fn both_are_all_only_where_there_are_two() {
    let (_sql, stage) = quiet().await;
    for length in ["10분", "20분", "30분", "40분"] {
        stage.say(&format!("타이머 {length}")).await;
    }
    for said in [
        "타이머 두 개 다 취소해 줘",
        "둘 다",
        "both",
        "타이머 둘 다 취소해 줘",
        "타이머 세 개 다 취소해 줘",
        "cancel both timers",
        "cancel all three timers",
    ] {
        let asked = stage.say(said).await;
        assert!(asked.expects_answer, "{said}: {}", asked.text);
        assert_eq!(kept(&stage).await, 4, "{said}");
    }
    assert_eq!(stage.say("all four").await.text, "4 timers are cancelled.");
    for said in ["타이머 둘 다 취소해 줘", "타이머 두 개 다 취소해 줘"] {
        stage.say("타이머 10분").await;
        stage.say("타이머 20분").await;
        assert_eq!(stage.say(said).await.text, "타이머 2개를 취소했어요.", "{said}");
    }
    stage.say("타이머 10분").await;
    stage.say("타이머 20분").await;
    assert_eq!(stage.say("cancel both timers").await.text, "2 timers are cancelled.");
    assert_eq!(kept(&stage).await, 0);
}

#[tokio::test]
async fn what_is_put_off_by_a_length_of_time_rings_later_by_it() {
    let (_sql, stage) = quiet().await;
    stage.say("내일 오전 7시 알람").await;
    stage.say("remind me to call mum tomorrow at 11:30 pm").await;
    told(
        &stage,
        &[
            ("알람 한 시간 뒤로 미뤄 줘", "내일 오전 8시에 알람을 맞췄어요."),
            ("알람 30분 뒤로 늦춰 줘", "내일 오전 8시 30분에 알람을 맞췄어요."),
            ("오전 8시 반 알람 10분 뒤로 옮겨 줘", "내일 오전 8시 40분에 알람을 맞췄어요."),
            ("move my alarm to half an hour later", "Alarm set for tomorrow at 9:10 AM."),
            ("알림 한 시간 뒤로 미뤄 줘", "5월 3일 일요일 오전 12시 30분에 알려 드릴게요: call mum."),
            (
                "postpone the call mum reminder to 30 minutes later",
                "I will remind you Sunday, May 3 at 1:00 AM: call mum.",
            ),
        ],
    )
    .await;
    assert_eq!(kept(&stage).await, 2);
    stage.say("알림 전부 취소해 줘").await;
    stage.say("매주 월요일 밤 11시 반에 약 먹으라고 알려 줘").await;
    told(&stage, &[("알림 한 시간 뒤로 미뤄 줘", "매주 화요일 오전 12시 30분에 알려 드릴게요: 약 먹기.")])
        .await;
}
