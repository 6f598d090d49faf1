//! What is said whatever was asked: refusals, questions back, rings.

use ieum_contracts::voice::ScheduleKind;

use crate::tongue::{Tongue, duration, with};

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

/// Said to words beside commands that are understood.
pub fn not_that(tongue: Tongue, words: &str) -> String {
    tongue
        .pick(format!("\"{words}\" 부분은 이해하지 못했어요."), format!("I did not understand \"{words}\"."))
}

/// Said to what is not to be done.
pub fn nothing_changed(tongue: Tongue) -> &'static str {
    tongue.pick("알겠어요. 아무것도 바꾸지 않았어요.", "All right, I changed nothing.")
}

/// Said to a command that leaves something out.
pub fn no_exceptions(tongue: Tongue) -> &'static str {
    tongue.pick(
        "무엇을 빼고 하는 것은 아직 할 수 없어요. 아무것도 바꾸지 않았어요.",
        "I cannot leave anything out yet. I changed nothing.",
    )
}

/// Said to a command with a condition.
pub fn no_conditions(tongue: Tongue) -> &'static str {
    tongue.pick(
        "조건을 붙여서 하는 것은 아직 할 수 없어요. 아무것도 바꾸지 않았어요.",
        "I cannot wait for conditions yet. I changed nothing.",
    )
}

/// Said where nobody answers what was meant.
pub fn nobody_answers(tongue: Tongue) -> &'static str {
    tongue.pick("그건 아직 할 수 없어요.", "I cannot do that yet.")
}

/// Said to a second command that lacks something.
pub fn one_question(tongue: Tongue) -> &'static str {
    tongue.pick(
        "하나씩 여쭤볼게요. 나머지는 이따가 다시 말씀해 주세요.",
        "One question at a time: please say the other one again afterwards.",
    )
}

/// Said to a second change of what one turn changes already.
pub fn one_change(tongue: Tongue) -> &'static str {
    tongue.pick(
        "같은 것은 한 번에 한 번만 바꿀 수 있어서 처음 것만 했어요.",
        "I can change the same one only once at a time, so I did the first.",
    )
}

/// Said where a plugin failed.
pub fn failed(tongue: Tongue) -> &'static str {
    tongue.pick(
        "지금은 그걸 할 수 없어요. 잠시 후에 다시 말씀해 주세요.",
        "I cannot do that right now. Please try again in a moment.",
    )
}

/// Said where something is to be said in a room that nobody knows.
pub fn unknown_room(tongue: Tongue, room: &str) -> String {
    let said = with(room, "이라는", "라는");
    tongue
        .pick(format!("{said} 곳은 몰라서 전하지 않았어요."), format!("I know no {room}, so I told nobody."))
}

/// Said where no device is found to pass something on to.
pub fn nobody_to_tell(tongue: Tongue, area: Option<&str>) -> String {
    let area_or = |none: &str, some: &dyn Fn(&str) -> String| area.map_or_else(|| none.to_owned(), some);
    match tongue {
        Tongue::Korean => area_or("전할 다른 기기를 찾지 못했어요.", &|area| {
            format!("{area}에서 전할 기기를 찾지 못했어요.")
        }),
        Tongue::English => area_or("I found no other device to pass it on to.", &|area| {
            format!("I found no device to pass it on to in {area}.")
        }),
    }
}

/// Said where no speech engine is set.
pub fn no_ears(tongue: Tongue) -> &'static str {
    tongue.pick(
        "음성 인식 엔진이 설정되어 있지 않아서(voice.ears) 들을 수 없어요. 글로 보내 주시면 대답할 수 있어요.",
        "No speech engine is set up (voice.ears), so I cannot hear you. Send me text and I will answer.",
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

/// Said where a recording is longer than an engine listens.
pub fn too_long(tongue: Tongue) -> &'static str {
    tongue.pick(
        "말씀이 너무 길어서 다 듣지 못했어요. 짧게 나누어 말씀해 주세요.",
        "That was too long for me to hear. Please say it in shorter pieces.",
    )
}

/// Said where the model or the language that hearing needs is not there: trying again would not help.
pub fn cannot_hear(tongue: Tongue) -> &'static str {
    tongue.pick(
        "이 언어의 음성 인식 모델이 준비되어 있지 않아서 들을 수 없어요. 글로 보내 주시면 대답할 수 있어요.",
        "The model that I need to hear this language is missing. Send me text and I will answer.",
    )
}

/// Said when something rings: how long it was set for, and how late it is, in seconds.
pub fn rings(tongue: Tongue, kind: ScheduleKind, label: &str, length: u64, late: u64) -> String {
    let said = match (kind, tongue) {
        (ScheduleKind::Timer, _) if !label.is_empty() => {
            tongue.pick(format!("{label} 타이머가 끝났어요."), format!("Your {label} timer is done."))
        }
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
