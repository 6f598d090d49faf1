//! `ieum dead`: what failed for good, why, and again.

use std::error::Error;
use std::sync::Arc;

use ieum_bus::{DeadFilter, DeadLetter};

use crate::cli::DeadCommand;
use crate::config::Settings;
use crate::output::{Output, table};
use crate::platform::Platform;

/// Who is named in the trail of what this command does.
const WHO: &str = "ieum dead";

/// Lists, shows or replays.
pub async fn dead(settings: &Settings, command: DeadCommand, output: &Output) -> Result<(), Box<dyn Error>> {
    let platform = Platform::open(Arc::new(settings.clone()), &Output::quiet()).await?;
    let desk = platform.bus.dead_letters();
    match command {
        DeadCommand::List { topic, group } => {
            let filter = DeadFilter { topic, group, ..DeadFilter::default() };
            let letters = desk.list(&filter).await?;
            output.value(&letters, || overview(&letters));
        }
        DeadCommand::Show { id } => {
            let letter = desk.show(&id).await?;
            let trail = desk.trail(&id).await?;
            output.value(&serde_json::json!({ "letter": letter, "trail": trail }), || {
                let mut text = whole(&letter);
                for step in &trail {
                    text.push_str(&format!("{} {} by {} {}\n", step.at, step.action, step.who, step.detail));
                }
                text
            });
        }
        DeadCommand::Replay { id: Some(id), .. } => {
            desk.replay(&id, WHO).await?;
            output.value(&serde_json::json!({ "replayed": 1 }), || {
                format!("{id} goes on its way again; `ieum dead show {id}` tells what became of it\n")
            });
        }
        DeadCommand::Replay { id: None, topic, group } => {
            let filter = DeadFilter { topic, group, ..DeadFilter::default() };
            let count = desk.replay_all(&filter, WHO).await?;
            output.value(&serde_json::json!({ "replayed": count }), || {
                format!("{count} go on their way again\n")
            });
        }
    }
    platform.close().await;
    Ok(())
}

fn state(letter: &DeadLetter) -> String {
    serde_json::to_value(letter.state)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn overview(letters: &[DeadLetter]) -> String {
    if letters.is_empty() {
        return "no event failed for good\n".to_owned();
    }
    let rows: Vec<Vec<String>> = letters
        .iter()
        .map(|letter| {
            let attempts = letter.attempts.to_string();
            let (id, reason) = (letter.id.clone(), letter.reason.clone());
            vec![
                id,
                state(letter),
                letter.topic.clone(),
                letter.group.clone(),
                reason,
                attempts,
                letter.last_at.to_string(),
            ]
        })
        .collect();
    table(&["id", "state", "topic", "group", "reason", "attempts", "last"], &rows)
}

fn whole(letter: &DeadLetter) -> String {
    let trace = letter.traceparent.as_deref().unwrap_or("none");
    format!(
        "id        {}\nstate     {}\ntopic     {}\ngroup     {}\nkey       {}\nevent     {}\nreason    {} ({})\n\
         message   {}\nattempts  {} from {} to {}\ntrace     {trace}\nbody      {}\n",
        letter.id,
        state(letter),
        letter.topic,
        letter.group,
        letter.key,
        letter.event_id,
        letter.reason,
        letter.code,
        letter.message,
        letter.attempts,
        letter.first_at,
        letter.last_at,
        letter.body,
    )
}
