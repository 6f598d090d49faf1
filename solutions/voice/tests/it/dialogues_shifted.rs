//! Timers that are set to another length, and alarms and reminders that are put off or brought forward by a length of time.

use ieum_contracts::voice::DialogOutcome;

use crate::talk::{quiet, told};

#[tokio::test]
async fn the_timer_that_runs_is_set_to_another_length_and_a_timer_is_another_one() {
    let (_sql, stage) = quiet().await;
    told(
        &stage,
        &[
            ("make it 25 minutes", "Sorry, I did not understand that. Could you say it another way?", 0),
            ("set the timer to 15 minutes", "Timer set for 15 minutes.", 1),
            ("make it 25 minutes", "I changed the timer: 25 minutes left.", 1),
            ("no, make it 7", "I changed the timer: 7 minutes left.", 1),
            ("set my timer to 20", "I changed the timer: 20 minutes left.", 1),
            ("change the timer to 15", "I changed the timer: 15 minutes left.", 1),
            ("make the timer 30 minutes", "I changed the timer: 30 minutes left.", 1),
            ("take off two minutes", "I took 2 minutes off the timer: 28 minutes left.", 1),
            ("two minutes less", "I took 2 minutes off the timer: 26 minutes left.", 1),
            ("make it a minute shorter", "I took 1 minute off the timer: 25 minutes left.", 1),
            ("make it 5 minutes longer", "I added 5 minutes to the timer: 30 minutes left.", 1),
            ("make it shorter", "By how much?", 1),
            ("1 minute", "I took 1 minute off the timer: 29 minutes left.", 1),
            ("set the timer to 30 minutes", "I changed the timer: 30 minutes left.", 1),
            ("set the pasta timer to 5 minutes", "The pasta timer is set for 5 minutes.", 2),
            ("make the pasta timer 6 minutes", "I changed the pasta timer: 6 minutes left.", 2),
            ("set the 30 minute timer to 40 minutes", "I changed the timer: 40 minutes left.", 2),
            ("set a timer for 15 minutes", "Timer set for 15 minutes.", 3),
            ("start the timer 2 minutes", "Timer set for 2 minutes.", 4),
            ("set a timer", "For how long?", 4),
            ("make it ten minutes", "Timer set for 10 minutes.", 5),
        ],
    )
    .await;
    let (_sql, stage) = quiet().await;
    told(
        &stage,
        &[
            ("타이머 15분으로 해 줘", "15분 타이머를 시작했어요.", 1),
            ("타이머 10분으로 해 줘", "타이머를 바꿨어요. 이제 10분 남았어요.", 1),
            ("타이머 15분으로 바꿔 줘", "타이머를 바꿨어요. 이제 15분 남았어요.", 1),
            ("아니 20분으로 해 줘", "타이머를 바꿨어요. 이제 20분 남았어요.", 1),
            ("25분으로 바꿔 줘", "타이머를 바꿨어요. 이제 25분 남았어요.", 1),
            ("타이머 30으로 바꿔 줘", "타이머를 바꿨어요. 이제 30분 남았어요.", 1),
            ("2분 덜", "타이머를 2분 줄였어요. 이제 28분 남았어요.", 1),
            ("타이머 2분 미뤄 줘", "타이머를 2분 늘렸어요. 이제 30분 남았어요.", 1),
            ("타이머 5분 앞당겨 줘", "타이머를 5분 줄였어요. 이제 25분 남았어요.", 1),
            ("라면 타이머 3분으로 해 줘", "라면 타이머를 3분으로 시작했어요.", 2),
            ("라면 타이머 4분으로 해 줘", "라면 타이머를 바꿨어요. 이제 4분 남았어요.", 2),
            ("타이머 15분 맞춰 줘", "15분 타이머를 시작했어요.", 3),
            ("타이머 맞춰 줘", "몇 분으로 맞출까요?", 3),
            ("10분으로 해 줘", "10분 타이머를 시작했어요.", 4),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_timer_is_named_wherever_its_name_is_said() {
    let (_sql, stage) = quiet().await;
    told(
        &stage,
        &[
            ("set a 12 minute pasta timer", "The pasta timer is set for 12 minutes.", 1),
            ("pasta timer for 12 minutes", "The pasta timer is set for 12 minutes.", 2),
            ("a 90 second egg timer", "The egg timer is set for 1 minute 30 seconds.", 3),
            ("12분짜리 파스타 타이머", "파스타 타이머를 12분으로 시작했어요.", 4),
            ("3분 라면 타이머 맞춰 줘", "라면 타이머를 3분으로 시작했어요.", 5),
            ("1시간 30분 갈비찜 타이머 시작", "갈비찜 타이머를 1시간 30분으로 시작했어요.", 6),
            ("라면 타이머 30초", "라면 타이머를 30초로 시작했어요.", 7),
            ("라면 타이머 1시간", "라면 타이머를 1시간으로 시작했어요.", 8),
            ("10분 뒤 타이머", "몇 분으로 맞출까요?", 8),
            ("set a second timer for 8 minutes", "Timer set for 8 minutes.", 9),
            ("10분짜리 타이머 하나 더 맞춰 줘", "10분 타이머를 시작했어요.", 10),
            ("타이머 하나 더", "몇 분으로 맞출까요?", 10),
        ],
    )
    .await;
    let (_sql, stage) = quiet().await;
    stage.say("타이머 5분").await;
    stage.say("타이머 10분").await;
    told(
        &stage,
        &[(
            "7분 타이머 취소해 줘",
            "그런 타이머는 없어요. 맞춰 둔 건 5분 (5분 남음), 10분 (10분 남음)이에요.",
            2,
        )],
    )
    .await;
}

#[tokio::test]
async fn an_alarm_is_put_off_or_brought_forward_by_a_length_of_time() {
    let (_sql, stage) = quiet().await;
    told(
        &stage,
        &[
            ("내일 7시 알람", "내일 오전 7시에 알람을 맞췄어요.", 1),
            ("알람 30분 뒤로", "내일 오전 7시 30분에 알람을 맞췄어요.", 1),
        ],
    )
    .await;
    let (_sql, stage) = quiet().await;
    told(
        &stage,
        &[
            ("알람 30분 늦춰 줘", "맞춰 둔 알람이 없어요.", 0),
            ("push my alarm back half an hour", "There is no alarm set.", 0),
            ("내일 7시 알람", "내일 오전 7시에 알람을 맞췄어요.", 1),
            ("알람 30분 늦춰 줘", "내일 오전 7시 30분에 알람을 맞췄어요.", 1),
            ("알람 한 시간 앞당겨 줘", "내일 오전 6시 30분에 알람을 맞췄어요.", 1),
            ("30분 일찍 깨워 줘", "내일 오전 6시에 알람을 맞췄어요.", 1),
            ("30분 늦게 깨워 줘", "내일 오전 6시 30분에 알람을 맞췄어요.", 1),
            ("알람 10분만 뒤로 미뤄 줘", "내일 오전 6시 40분에 알람을 맞췄어요.", 1),
            ("알람을 20분 늦게 울리게 해 줘", "내일 오전 7시에 알람을 맞췄어요.", 1),
            ("30분만 미뤄 줘", "내일 오전 7시 30분에 알람을 맞췄어요.", 1),
            ("알람 좀 당겨 줘", "얼마나 앞당길까요?", 1),
            ("30분", "내일 오전 7시에 알람을 맞췄어요.", 1),
            ("알람 0분 늦춰 줘", "1초부터 바꿀 수 있어요.", 1),
            ("알람 24시간 앞당겨 줘", "그 시간은 이미 지났어요.", 1),
            ("push my alarm back half an hour", "Alarm set for tomorrow at 7:30 AM.", 1),
            ("move my alarm half an hour earlier", "Alarm set for tomorrow at 7:00 AM.", 1),
            ("move the 7 am alarm an hour later", "Alarm set for tomorrow at 8:00 AM.", 1),
            ("bring my alarm forward 15 minutes", "Alarm set for tomorrow at 7:45 AM.", 1),
            ("postpone the alarm by an hour", "Alarm set for tomorrow at 8:45 AM.", 1),
            ("move my alarm back by 15 minutes", "Alarm set for tomorrow at 9:00 AM.", 1),
            ("make it half an hour later", "Alarm set for tomorrow at 9:30 AM.", 1),
            ("wake me up half an hour earlier", "Alarm set for tomorrow at 9:00 AM.", 1),
            ("no, make it 8 am", "Alarm set for tomorrow at 8:00 AM.", 1),
            ("postpone my alarm", "By how long?", 1),
            ("20 minutes", "Alarm set for tomorrow at 8:20 AM.", 1),
            ("move my alarm", "For what time?", 1),
            ("9 am", "Alarm set for tomorrow at 9:00 AM.", 1),
        ],
    )
    .await;
    let asked = stage.say("알람 미뤄 줘").await;
    assert_eq!((&*asked.text, asked.outcome), ("얼마나 늦출까요?", DialogOutcome::Asked));
}

#[tokio::test]
async fn a_reminder_is_put_off_or_brought_forward_by_a_length_of_time() {
    let (_sql, stage) = quiet().await;
    told(
        &stage,
        &[
            ("저녁 8시에 약 먹으라고 알려 줘", "오늘 오후 8시에 알려 드릴게요: 약 먹기.", 1),
            ("약 먹기 알림 30분만 미뤄 줘", "오늘 오후 8시 30분에 알려 드릴게요: 약 먹기.", 1),
            ("알림 한 시간 앞당겨 줘", "오늘 오후 7시 30분에 알려 드릴게요: 약 먹기.", 1),
            ("10분만 늦춰 줘", "오늘 오후 7시 40분에 알려 드릴게요: 약 먹기.", 1),
            ("알림 미뤄 줘", "얼마나 늦출까요?", 1),
            ("20분", "오늘 오후 8시에 알려 드릴게요: 약 먹기.", 1),
            ("빨래 알림 30분 미뤄 줘", "그런 알림은 없어요. 맞춰 둔 건 오늘 오후 8시: 약 먹기예요.", 1),
            (
                "remind me to take my medicine tomorrow at 8 pm",
                "I will remind you tomorrow at 8:00 PM: take my medicine.",
                2,
            ),
            (
                "postpone the medicine reminder by 30 minutes",
                "I will remind you tomorrow at 8:30 PM: take my medicine.",
                2,
            ),
            (
                "push the reminder to take my medicine back an hour",
                "I will remind you tomorrow at 9:30 PM: take my medicine.",
                2,
            ),
            (
                "move the medicine reminder an hour earlier",
                "I will remind you tomorrow at 8:30 PM: take my medicine.",
                2,
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_repeats_is_shifted_on_its_days_also_over_midnight() {
    let (_sql, stage) = quiet().await;
    told(
        &stage,
        &[
            ("매주 월요일 밤 11시 반 알람", "매주 월요일 오후 11시 30분에 알람을 맞췄어요.", 1),
            ("알람 한 시간 늦춰 줘", "매주 화요일 오전 12시 30분에 알람을 맞췄어요.", 1),
            ("move my alarm two hours earlier", "Alarm set for every Monday at 10:30 PM.", 1),
            ("알람 30분 앞당겨 줘", "매주 월요일 오후 10시에 알람을 맞췄어요.", 1),
            ("매일 저녁 8시에 약 먹으라고 알려 줘", "매일 오후 8시에 알려 드릴게요: 약 먹기.", 2),
            ("알림 30분 미뤄 줘", "매일 오후 8시 30분에 알려 드릴게요: 약 먹기.", 2),
            // One day is no matter of what repeats.
            ("내일 30분 일찍 깨워 줘", "그런 알람은 없어요. 맞춰 둔 건 매주 월요일 오후 10시예요.", 2),
        ],
    )
    .await;
}
