//! Timers, alarms and reminders as people speak of them: set, asked for, changed, cancelled, in Korean and English.

use std::time::Duration;

use ieum_contracts::voice::DialogOutcome;
use ieum_testkit::backend::SqlStore;

use crate::stage::Stage;
use crate::talk::{answered, heard, kept, no_such_repeat, quiet};

#[tokio::test]
async fn a_timer_is_started_in_every_order_of_words() {
    answered(&[
        ("타이머 20분", "20분 타이머를 시작했어요."),
        ("타이머 77초", "1분 17초 타이머를 시작했어요."),
        ("타이머 40분으로", "40분 타이머를 시작했어요."),
        ("10분짜리 타이머", "10분 타이머를 시작했어요."),
        ("라면 타이머 3분", "라면 타이머를 3분으로 시작했어요."),
        ("라면 3분 타이머", "라면 타이머를 3분으로 시작했어요."),
        ("타이머 0분", "타이머는 1초부터 맞출 수 있어요."),
        ("타이머 -5분", "타이머는 1초부터 맞출 수 있어요."),
        ("timer 5 minutes", "Timer set for 5 minutes."),
        ("5 minute timer please", "Timer set for 5 minutes."),
        ("set a pasta timer for 9 minutes", "The pasta timer is set for 9 minutes."),
        ("타이머 5분이랑 10분", "5분 타이머를 시작했어요. 10분 타이머를 시작했어요."),
        ("set timers for 5 and 10 minutes", "Timer set for 5 minutes. Timer set for 10 minutes."),
        (
            "set a timer for 5 minutes and another for 10",
            "Timer set for 5 minutes. Timer set for 10 minutes.",
        ),
        ("5분 타이머랑 내일 7시 알람", "5분 타이머를 시작했어요. 내일 오전 7시에 알람을 맞췄어요."),
    ])
    .await;
}

#[tokio::test]
async fn only_what_was_meant_is_cancelled_and_all_only_where_all_was_said() {
    let (_sql, stage) = quiet().await;
    for said in ["타이머 5분", "타이머 10분", "라면 타이머 3분"] {
        stage.say(said).await;
    }
    let asked = stage.say("타이머 취소해 줘").await;
    assert!(
        asked.expects_answer && asked.text.starts_with("타이머가 3개 있어요: 라면 3분"),
        "{}",
        asked.text
    );
    assert_eq!(kept(&stage).await, 3);
    assert_eq!(stage.say("10분 거").await.text, "타이머를 취소했어요.");
    assert_eq!(stage.say("20분 타이머 취소해 줘").await.outcome, DialogOutcome::Failed);
    assert_eq!(stage.say("5분 타이머 취소해 줘").await.text, "타이머를 취소했어요.");
    assert_eq!(stage.say("타이머 얼마나 남았어?").await.text, "라면 타이머가 3분 남았어요.");
    stage.say("set a timer for 20 minutes").await;
    assert_eq!(stage.say("cancel the 20 minute timer").await.text, "The timer is cancelled.");
    assert_eq!(stage.say("라면 타이머 꺼 줘").await.text, "타이머를 취소했어요.");
    assert_eq!(kept(&stage).await, 0);
    for said in ["set an alarm for 7 am", "set an alarm for 8 am", "set an alarm for 9 pm"] {
        stage.say(said).await;
    }
    assert!(stage.say("turn off the alarm").await.text.ends_with("Say all for all of them."));
    assert_eq!(stage.say("the 8 am one").await.text, "The alarm is cancelled.");
    assert_eq!(stage.say("7시 알람 꺼 줘").await.text, "알람을 취소했어요.");
    stage.say("set an alarm for 10 pm").await;
    assert_eq!(stage.say("알람 다 꺼 줘").await.text, "알람 2개를 취소했어요.");
    assert_eq!(kept(&stage).await, 0);
}

#[tokio::test]
async fn what_is_set_for_one_moment_is_told_and_rings_in_the_order_in_which_it_was_set() {
    for (set, asked, told, rung) in [
        (
            ["우유 사라고", "약 먹으라고", "빨래 널라고", "문 잠그라고", "전화하라고"]
                .map(|what| format!("1시에 {what} 알려 줘")),
            "알림 뭐 있어?",
            "알림이 5개 있어요. 오늘 오후 1시: 우유 사기. 오늘 오후 1시: 약 먹기. 오늘 오후 1시: 빨래 널기. 오늘 오후 1시: 문 잠그기. 오늘 오후 1시: 전화하기.",
            ["우유 사기", "약 먹기", "빨래 널기", "문 잠그기", "전화하기"]
                .map(|what| format!("알려 드려요. {what}")),
        ),
        (
            ["buy milk", "take my pills", "hang the washing", "lock the door", "call home"]
                .map(|what| format!("remind me to {what} at 1 pm")),
            "what are my reminders",
            "There are 5 reminders. Today at 1:00 PM: buy milk. Today at 1:00 PM: take my pills. Today at 1:00 PM: hang the washing. Today at 1:00 PM: lock the door. Today at 1:00 PM: call home.",
            ["buy milk", "take my pills", "hang the washing", "lock the door", "call home"]
                .map(|what| format!("Reminder: {what}")),
        ),
    ] {
        let (_sql, stage) = heard().await;
        let mut kitchen = stage.device("kitchen").await;
        for said in set {
            let answer = stage.say(&said).await;
            assert_eq!(answer.outcome, DialogOutcome::Answered, "{said}: {}", answer.text);
            stage.clock.advance(Duration::from_secs(1));
        }
        assert_eq!(stage.say(asked).await.text, told);
        stage.clock.advance(Duration::from_secs(3_600));
        let mut heard = Vec::new();
        for _ in &rung {
            heard.push(stage.rung(&mut kitchen).await["text"].clone());
        }
        assert_eq!(heard, rung);
    }
}

#[tokio::test]
async fn an_alarm_is_set_for_the_time_that_was_said() {
    answered(&[
        ("wake me up at six tomorrow morning", "Alarm set for tomorrow at 6:00 AM."),
        ("set an alarm for 7 tomorrow morning", "Alarm set for tomorrow at 7:00 AM."),
        ("set an alarm for seven thirty tomorrow morning", "Alarm set for tomorrow at 7:30 AM."),
        ("set an alarm for 7:15 tomorrow evening", "Alarm set for tomorrow at 7:15 PM."),
        ("set an alarm for 3 days from now at 8 am", "Alarm set for Monday, May 4 at 8:00 AM."),
        ("set an alarm for eleven hundred hours", "Alarm set for tomorrow at 11:00 AM."),
        ("set an alarm for february 30th at 7", "There is no such date. For what time?"),
        ("set an alarm for february thirtieth at 7", "There is no such date. For what time?"),
        ("set an alarm for the thirty-first of april at 7", "There is no such date. For what time?"),
        ("2월 30일 아침 7시에 알람 맞춰 줘", "그런 날짜는 없어요. 몇 시에 울릴까요?"),
        ("2월 삼십일 아침 7시에 알람 맞춰 줘", "그런 날짜는 없어요. 몇 시에 울릴까요?"),
        ("사월 삼십일일에 알람 맞춰 줘", "그런 날짜는 없어요. 몇 시에 울릴까요?"),
        ("13시 70분에 알람 맞춰 줘", "그런 시각은 없어요. 몇 시에 울릴까요?"),
        ("wake me up at 7", "Alarm set for today at 7:00 PM."),
        ("wake me up tomorrow at 7", "Alarm set for tomorrow at 7:00 AM."),
        ("wake me up monday at 9", "Alarm set for Monday, May 4 at 9:00 AM."),
        ("내일 7시에 깨워 줘", "내일 오전 7시에 알람을 맞췄어요."),
        ("내일 6시에 깨워 줘", "내일 오전 6시에 알람을 맞췄어요."),
        ("wake me up tomorrow at 2", "Alarm set for tomorrow at 2:00 PM."),
        ("내일 2시에 깨워 줘", "내일 오후 2시에 알람을 맞췄어요."),
    ])
    .await;
    let (_sql, stage) = quiet().await;
    assert!(stage.say("set an alarm").await.expects_answer);
    assert_eq!(stage.say("at 7").await.text, "Alarm set for today at 7:00 PM.");
    assert!(stage.say("알람 맞춰 줘").await.expects_answer);
    assert_eq!(stage.say("내일 6시").await.text, "내일 오전 6시에 알람을 맞췄어요.");
    for (said, answer, told) in [
        ("wake me up in three days", "at 7", "Alarm set for Monday, May 4 at 7:00 AM."),
        ("wake me up tomorrow", "at 6:30", "Alarm set for tomorrow at 6:30 AM."),
        ("3일 뒤에 깨워 줘", "7시", "5월 4일 월요일 오전 7시에 알람을 맞췄어요."),
        ("내일 깨워 줘", "저녁 7시", "내일 오후 7시에 알람을 맞췄어요."),
        ("내일 알람 맞춰 줘", "모레 7시", "5월 3일 일요일 오전 7시에 알람을 맞췄어요."),
    ] {
        assert!(stage.say(said).await.expects_answer, "{said}");
        assert_eq!(stage.say(answer).await.text, told, "{said}, {answer}");
    }
}

#[tokio::test]
async fn a_reminder_is_kept_for_its_time_with_all_of_its_words() {
    answered(&[
        ("저녁 8시에 약 먹으라고 알려 줘", "오늘 오후 8시에 알려 드릴게요: 약 먹기."),
        ("내일 아침 9시에 약 먹으라고 알려 줘", "내일 오전 9시에 알려 드릴게요: 약 먹기."),
        ("금요일에 월세 내라고 알려 줘", "5월 8일 금요일 오전 9시에 알려 드릴게요: 월세 내기."),
        ("30분 뒤에 빨래 널라고 알려 줘", "오늘 오후 12시 30분에 알려 드릴게요: 빨래 널기."),
        ("30분 뒤 빨래 널라고 알려 줘", "오늘 오후 12시 30분에 알려 드릴게요: 빨래 널기."),
        (
            "remind me in an hour to take the bins out",
            "I will remind you today at 1:00 PM: take the bins out.",
        ),
        ("remind me to call mum tomorrow at 5 pm", "I will remind you tomorrow at 5:00 PM: call mum."),
        ("remind me to call mum at 5 pm tomorrow", "I will remind you tomorrow at 5:00 PM: call mum."),
        ("remind me tomorrow at 5 pm to call mum", "I will remind you tomorrow at 5:00 PM: call mum."),
        ("remind me to look at the stars at 9 pm", "I will remind you today at 9:00 PM: look at the stars."),
        ("약 먹으라고 저녁 8시에 알려 줘", "오늘 오후 8시에 알려 드릴게요: 약 먹기."),
        ("매일 저녁 8시 약 먹으라고 알려 줘", "매일 오후 8시에 알려 드릴게요: 약 먹기."),
        (
            "remind me to take my pills every day at 8",
            "I will remind you every day at 8:00 AM: take my pills.",
        ),
        ("6시에 식탁 차리라고 알려 줘", "오늘 오후 6시에 알려 드릴게요: 식탁 차리기."),
        ("9시에 애들 재우라고 알려 줘", "오늘 오후 9시에 알려 드릴게요: 애들 재우기."),
        ("8시에 밥 먹자고 알려 줘", "오늘 오후 8시에 알려 드릴게요: 밥 먹기."),
        ("9시에 팀 회의라고 알려 줘", "오늘 오후 9시에 알려 드릴게요: 팀 회의."),
        ("2월 삼십일에 회의 있다고 알려 줘", "그런 날짜는 없어요. 언제 알려 드릴까요?"),
        ("2월 30일에 회의 있다고 알려 줘", "그런 날짜는 없어요. 언제 알려 드릴까요?"),
        ("remind me to pay on february thirtieth", "There is no such date. When should I remind you?"),
    ])
    .await;
}

#[tokio::test]
async fn which_half_of_the_day_is_asked_for_where_it_may_be_either() {
    let (_sql, stage) = quiet().await;
    for (said, asked, answer, told) in [
        (
            "내일 6시에 약 먹으라고 알려 줘",
            "내일 오전 6시인가요, 오후 6시인가요?",
            "오전",
            "내일 오전 6시에 알려 드릴게요: 약 먹기.",
        ),
        (
            "월요일 5시에 회의 있다고 알려 줘",
            "5월 4일 월요일 오전 5시인가요, 오후 5시인가요?",
            "오후요",
            "5월 4일 월요일 오후 5시에 알려 드릴게요: 회의 있다.",
        ),
        (
            "매일 6시에 물 마시라고 알려 줘",
            "매일 오전 6시인가요, 오후 6시인가요?",
            "저녁 6시",
            "매일 오후 6시에 알려 드릴게요: 물 마시기.",
        ),
        (
            "remind me to call mum tomorrow at 5",
            "Do you mean tomorrow at 5:00 AM or 5:00 PM?",
            "in the evening",
            "I will remind you tomorrow at 5:00 PM: call mum.",
        ),
        (
            "remind me tomorrow at six to feed the cat",
            "Do you mean tomorrow at 6:00 AM or 6:00 PM?",
            "6 am",
            "I will remind you tomorrow at 6:00 AM: feed the cat.",
        ),
    ] {
        let before = kept(&stage).await;
        let question = stage.say(said).await;
        assert_eq!((&*question.text, question.expects_answer), (asked, true), "{said}");
        assert_eq!(kept(&stage).await, before, "{said}");
        assert_eq!(stage.say(answer).await.text, told, "{said}: {answer}");
    }
    for (said, told) in [
        ("내일 2시에 약 먹으라고 알려 줘", "내일 오후 2시에 알려 드릴게요: 약 먹기."),
        ("내일 8시에 약 먹으라고 알려 줘", "내일 오전 8시에 알려 드릴게요: 약 먹기."),
        ("내일 저녁 6시에 약 먹으라고 알려 줘", "내일 오후 6시에 알려 드릴게요: 약 먹기."),
        ("6시에 약 먹으라고 알려 줘", "오늘 오후 6시에 알려 드릴게요: 약 먹기."),
        ("30시간 뒤에 약 먹으라고 알려 줘", "내일 오후 6시에 알려 드릴게요: 약 먹기."),
        ("remind me to call mum tomorrow at 2", "I will remind you tomorrow at 2:00 PM: call mum."),
        ("remind me in 30 hours to call mum", "I will remind you tomorrow at 6:00 PM: call mum."),
    ] {
        assert_eq!(stage.say(said).await.text, told, "{said}");
    }
}

#[tokio::test]
async fn what_repeats_otherwise_than_on_days_is_refused_and_neither_set_nor_announced() {
    let (_sql, stage) = quiet().await;
    for (said, often) in [
        ("매시간 물 마시라고 알려 줘", "매시간"),
        ("매시간에 물 마시라고 알려 줘", "매시간"),
        ("물 마시라고 매시간 알려 줘", "매시간"),
        ("30분마다 물 마시라고 알려 줘", "30분마다"),
        ("한 시간마다 스트레칭하라고 알려 줘", "한 시간마다"),
        ("매달 1일에 월세 내라고 알려 줘", "매달"),
        ("매달 1일 월세 내라고 알려 줘", "매달"),
        ("매년 3월 1일 태극기 달라고 알려 줘", "매년"),
        ("두 달에 한 번 필터 갈라고 알려 줘", "두 달에 한 번"),
        ("remind me every hour to drink water", "every hour"),
        ("remind me to drink water every hour", "every hour"),
        ("every hour remind me to drink water", "every hour"),
        ("remind me to drink water every 30 minutes", "every 30 minutes"),
        ("remind me every month to pay rent", "every month"),
        ("remind me to pay rent on the first of every month", "every month"),
        ("remind me yearly to renew the licence", "yearly"),
        ("remind me to water the plants every other day", "every other day"),
    ] {
        let answer = stage.say(said).await;
        let wanted = no_such_repeat(often, "알림은");
        assert_eq!((answer.text, answer.outcome), (wanted, DialogOutcome::Failed), "{said}");
    }
    for (said, told) in [
        (
            "매시간 물 마시라고 전해 줘",
            "매시간 되풀이해서 전하는 건 아직 할 수 없어요. 아무것도 전하지 않았어요.",
        ),
        (
            "욕실에 30분마다 환기하라고 알려 줘",
            "30분마다 되풀이해서 전하는 건 아직 할 수 없어요. 아무것도 전하지 않았어요.",
        ),
        ("announce every hour that it is time", "I cannot announce anything every hour yet. I told nobody."),
    ] {
        let answer = stage.say(said).await;
        assert_eq!((&*answer.text, answer.outcome), (told, DialogOutcome::Failed), "{said}");
    }
    assert_eq!(kept(&stage).await, 0);
    assert_eq!(stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply").await, 0);
}

#[tokio::test]
async fn what_is_set_is_told_in_all_the_ways_of_asking_and_nothing_is_left_open() {
    let (_sql, stage) = quiet().await;
    stage.say("내일 아침 6시 30분에 알람 맞춰 줘").await;
    stage.say("내일 8시에 알람 맞춰 줘").await;
    for said in
        ["알람 뭐 있어?", "알람 있니?", "알람 목록", "알람 몇 개 있어?", "알람 몇 개야", "알람 알려 줘"]
    {
        let told = stage.say(said).await;
        assert_eq!(told.text, "알람이 2개 있어요: 내일 오전 6시 30분, 내일 오전 8시.", "{said}");
    }
    for said in ["what alarms do I have", "how many alarms are set", "list my alarms", "do I have any alarms"]
    {
        let told = stage.say(said).await;
        assert_eq!(told.text, "There are 2 alarms: tomorrow at 6:30 AM, tomorrow at 8:00 AM.", "{said}");
    }
    assert_eq!(stage.say("알람 뭐 있어?").await.outcome, DialogOutcome::Answered);
    assert_eq!(stage.say("6시 30분 거 꺼 줘").await.text, "알람을 취소했어요.");
    assert_eq!(stage.say("여덟 시 알람을 일곱 시로 바꿔 줘").await.text, "내일 오전 7시에 알람을 맞췄어요.");
    assert_eq!(stage.say("move the 7 am alarm to 7:30").await.text, "Alarm set for tomorrow at 7:30 AM.");
    assert_eq!(kept(&stage).await, 1);
}

#[tokio::test]
async fn what_is_said_for_days_is_set_for_them_and_cancelled_as_one() {
    answered(&[
        ("매일 7시에 알람 맞춰 줘", "매일 오전 7시에 알람을 맞췄어요."),
        ("평일 아침 7시에 깨워 줘", "평일마다 오전 7시에 알람을 맞췄어요."),
        ("매주 월요일 9시에 알람 맞춰 줘", "매주 월요일 오전 9시에 알람을 맞췄어요."),
        ("wake me up every weekday at 7 am", "Alarm set for every weekday at 7:00 AM."),
        ("set an alarm for quarter to seven every weekday", "Alarm set for every weekday at 6:45 AM."),
        (
            "remind me at 8 am every day to take my pills",
            "I will remind you every day at 8:00 AM: take my pills.",
        ),
        (
            "remind me every Monday at 9 to water the plants",
            "I will remind you every Monday at 9:00 AM: water the plants.",
        ),
        (
            "remind me every hour to drink water",
            "I cannot repeat anything every hour yet, only on days, such as every day, every weekday or every Monday. \
             Nothing is set.",
        ),
        ("매일 저녁 8시에 약 먹으라고 알려 줘", "매일 오후 8시에 알려 드릴게요: 약 먹기."),
    ])
    .await;
    let (_sql, stage) = quiet().await;
    stage.say("알람 맞춰 줘").await;
    assert_eq!(stage.say("평일 7시").await.text, "평일마다 오전 7시에 알람을 맞췄어요.");
    assert_eq!(stage.say("알람 뭐 있어?").await.text, "다음 알람은 평일마다 오전 7시예요.");
    assert_eq!(stage.say("알람 꺼 줘").await.text, "알람을 취소했어요.");
    assert_eq!(kept(&stage).await, 0);
}

#[tokio::test]
async fn what_rings_on_days_rings_again_and_stays() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    let mut kitchen = stage.device("kitchen").await;
    kitchen.ask("매일 7시에 알람 맞춰 줘").await;
    for _ in 0..2 {
        stage.clock.advance(Duration::from_secs(24 * 3_600));
        assert_eq!(stage.rung(&mut kitchen).await["intent"], "alarm.rang");
    }
    assert_eq!(kept(&stage).await, 1);
}
