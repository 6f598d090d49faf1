//! What is said whatever was asked: refusals, questions back, rings.

use ieum_contracts::voice::ScheduleKind;

use crate::tongue::{Tongue, duration};

/// Said to somebody who may not.
pub fn blocked(tongue: Tongue) -> &'static str {
    tongue.pick(
        "이 계정은 사용이 중지되어 있어요. 관리자에게 문의해 주세요.",
        "This account is blocked. Please ask your administrator.",
    )
}

/// Said to somebody nobody knows.
pub fn user_not_found(tongue: Tongue) -> &'static str {
    tongue.pick(
        "등록되지 않은 사용자예요. 먼저 사용자를 등록해 주세요.",
        "I do not know this user. Please register first.",
    )
}

/// Said to what is not understood.
pub fn not_understood(tongue: Tongue) -> &'static str {
    tongue.pick(
        "죄송해요, 잘 이해하지 못했어요. 다르게 말씀해 주시겠어요?",
        "Sorry, I did not understand that. Could you say it another way?",
    )
}

/// Said where nobody answers what was meant.
pub fn nobody_answers(tongue: Tongue) -> &'static str {
    tongue.pick("그건 아직 할 수 없어요.", "I cannot do that yet.")
}

/// Said where a plugin failed.
pub fn failed(tongue: Tongue) -> &'static str {
    tongue.pick(
        "지금은 그걸 할 수 없어요. 잠시 후에 다시 말씀해 주세요.",
        "I cannot do that right now. Please try again in a moment.",
    )
}

/// Said where no speech engine is set.
pub fn no_ears(tongue: Tongue) -> &'static str {
    tongue.pick(
        "음성 인식 엔진이 설정되어 있지 않아서 들을 수 없어요. 글로 보내 주시면 대답할 수 있어요.",
        "No speech engine is set up, so I cannot hear you. Send me text and I will answer.",
    )
}

/// Said where nobody spoke.
pub fn heard_nothing(tongue: Tongue) -> &'static str {
    tongue.pick("아무 말씀도 듣지 못했어요.", "I did not hear anything.")
}

/// Said where hearing failed.
pub fn deaf(tongue: Tongue) -> &'static str {
    tongue.pick(
        "지금은 말씀을 들을 수 없어요. 잠시 후에 다시 말씀해 주세요.",
        "I cannot hear you right now. Please try again in a moment.",
    )
}

/// Said when something rings: how long it was set for, and how late it is, in seconds.
pub fn rings(tongue: Tongue, kind: ScheduleKind, label: &str, length: u64, late: u64) -> String {
    let said = match (kind, tongue) {
        (ScheduleKind::Timer, Tongue::Korean) => format!("{} 타이머가 끝났어요.", duration(tongue, length)),
        (ScheduleKind::Timer, Tongue::English) => format!("Your {} timer is done.", duration(tongue, length)),
        (ScheduleKind::Alarm, _) => {
            tongue.pick("알람이에요. 일어날 시간이에요.", "This is your alarm.").to_owned()
        }
        (ScheduleKind::Reminder, Tongue::Korean) => format!("알려 드려요. {label}"),
        (ScheduleKind::Reminder, Tongue::English) => format!("Reminder: {label}"),
    };
    if late < 60 {
        return said;
    }
    let late = duration(tongue, late - late % 60);
    match tongue {
        Tongue::Korean => format!("{said} 꺼져 있어서 {} 늦었어요.", late),
        Tongue::English => format!("{said} I was off and am {late} late."),
    }
}
