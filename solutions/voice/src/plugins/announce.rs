//! Says something on the person's other devices.

use async_trait::async_trait;
use ieum_contracts::identity::Device;
use ieum_contracts::voice::{DescribePlugin, Effect, Plugin, PluginAnswer, PluginAsk, PluginDescription};
use ieum_core::{Cx, Fault};
use ieum_understanding::value::Language;

use super::{asks, description, fails, says, tongue};
use crate::directory::Directory;
use crate::rules::words;
use crate::sentences;
use crate::tongue::{Tongue, is_closed};
use crate::understanding::leading;

/// How all are named.
const EVERYBODY: [&str; 6] = ["everyone", "everybody", "모두", "다들", "집 전체", "온 집"];

/// Announces.
pub struct Announcements {
    pub directory: Directory,
}

impl Announcements {
    /// What it answers.
    pub const INTENTS: &'static [&'static str] = &["announce.say"];
}

#[async_trait]
impl Plugin for Announcements {
    async fn describe(&self, _cx: &Cx, _ask: DescribePlugin) -> Result<PluginDescription, Fault> {
        Ok(description("announcements", Self::INTENTS))
    }

    async fn handle(&self, cx: &Cx, ask: PluginAsk) -> Result<PluginAnswer, Fault> {
        let tongue = tongue(&ask);
        let Some(message) = words(&ask.meaning, "message") else {
            return Ok(asks("message", tongue.pick("뭐라고 전할까요?", "What should I say?")));
        };
        let language = tongue.pick(Language::Korean, Language::English);
        if let Some(often) = leading(message, language) {
            return Ok(fails(not_again(tongue, &often)));
        }
        let area = words(&ask.meaning, "area").map(str::to_owned);
        // Where all are told, a room that is spoken of is no place to say it in.
        let around = ask.meaning.text.replacen(message, " ", 1).to_lowercase();
        let is_for_all = EVERYBODY.iter().any(|all| around.contains(all));
        if let Some(room) = unknown_room(tongue, message).filter(|_| area.is_none() && !is_for_all) {
            return Ok(fails(sentences::unknown_room(tongue, room)));
        }
        let Ok(devices) = self.directory.devices_of(cx, &ask.user_id).await else {
            return Ok(fails(sentences::failed(tongue)));
        };
        let is_there = |device: &Device| {
            Some(&device.device_id) != ask.device_id.as_ref() && (area.is_none() || device.area == area)
        };
        if !devices.iter().any(is_there) {
            return Ok(fails(sentences::nobody_to_tell(tongue, area.as_deref())));
        }
        let text = match tongue {
            Tongue::Korean => quoted(message, words(&ask.meaning, "ending")),
            Tongue::English => message.to_owned(),
        };
        let said = tongue.pick("전했어요.", "I passed it on.");
        Ok(PluginAnswer { effects: vec![Effect::Announce { area, text }], ..says(said) })
    }
}

/// Said where something is to be announced again and again.
fn not_again(tongue: Tongue, often: &str) -> String {
    tongue.pick(
        format!("{often} 되풀이해서 전하는 건 아직 할 수 없어요. 아무것도 전하지 않았어요."),
        format!("I cannot announce anything {often} yet. I told nobody."),
    )
}

/// Returns the room that the words are to be said in, where it is none of those that are known: a sentence with one
/// that is known has it in its slot.
fn unknown_room(tongue: Tongue, message: &str) -> Option<&str> {
    const ROOMS: [&str; 12] = [
        "room", "bedroom", "bathroom", "kitchen", "attic", "basement", "cellar", "garage", "hall", "nursery",
        "office", "upstairs",
    ];
    match tongue {
        Tongue::Korean => {
            let (room, _) = message.split_once("에 ")?;
            let is_room = ["방", "실", "층"].iter().any(|end| room.ends_with(end));
            (is_room && !room.contains(' ')).then_some(room)
        }
        Tongue::English => {
            let (_, room) = message.rsplit_once(" in the ").or_else(|| message.rsplit_once(" to the "))?;
            ROOMS.iter().any(|end| room.split(' ').next_back() == Some(end)).then_some(room)
        }
    }
}

/// Verbs that are told to be done with a 라 that is theirs: 오라고 is "오라", and 사과라고 is "사과".
const STEMS: [&str; 25] = [
    "오",
    "하",
    "가",
    "자",
    "보",
    "주",
    "사",
    "두",
    "내",
    "나오",
    "나가",
    "들어오",
    "들어가",
    "돌아오",
    "내려오",
    "올라오",
    "일어나",
    "기다리",
    "마시",
    "치우",
    "서두르",
    "끄",
    "켜",
    "말",
    "도와주",
];

/// Returns what was said from how it is passed on (the quotative of Korean): `밥 먹자고` as `밥 먹` and `자` is `밥 먹자`.
/// An answer to "what?" has its ending still in it.
fn quoted(message: &str, ending: Option<&str>) -> String {
    let Some(ending) = ending else {
        let bare = ["고 전해 줘", "고 전해줘", "고 해 줘", "고 해줘", "고 말해 줘", "고"];
        let said = bare.iter().find_map(|end| message.strip_suffix(end)).unwrap_or(message);
        let ending = ["다", "자", "냐", "라"].into_iter().find(|ending| said.ends_with(ending));
        return match ending.filter(|_| said != message) {
            Some(ending) => quoted(said.strip_suffix(ending).unwrap_or(said), Some(ending)),
            None => message.to_owned(),
        };
    };
    if ending != "라" {
        return format!("{message}{ending}");
    }
    let last = message.split(' ').next_back().unwrap_or(message);
    let is_told = STEMS.contains(&last) || last.ends_with('으') || (last.ends_with('하') && last.len() > 3);
    // 이라 follows a noun that ends in a consonant.
    let noun = message.strip_suffix('이').filter(|noun| is_closed(noun));
    match (is_told, noun) {
        (true, _) => format!("{message}라"),
        (false, Some(noun)) => noun.to_owned(),
        (false, None) => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_passed_on_is_said_as_it_was_said() {
        for (message, ending, said) in [
            ("밥 먹", "자", "밥 먹자"),
            ("저녁 준비 다 됐", "다", "저녁 준비 다 됐다"),
            ("지금 어디 있", "냐", "지금 어디 있냐"),
            ("안녕이", "라", "안녕"),
            ("사과", "라", "사과"),
            ("약 먹으", "라", "약 먹으라"),
            ("공부하", "라", "공부하라"),
            ("조용히 하", "라", "조용히 하라"),
            ("빨리 오", "라", "빨리 오라"),
            ("저녁 먹어요", "라", "저녁 먹어요"),
        ] {
            assert_eq!(quoted(message, Some(ending)), said, "{message}{ending}고");
        }
        for (answer, said) in [
            ("밥 먹자고 해 줘", "밥 먹자"),
            ("안녕이라고", "안녕"),
            ("밥 먹자", "밥 먹자"),
            ("커피하고", "커피하고"),
        ] {
            assert_eq!(quoted(answer, None), said, "{answer}");
        }
    }
}
