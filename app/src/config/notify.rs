//! `[notify]`: who takes messages, whom they come from, how long they stay.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ieum_contracts::notify::Channel;
use ieum_core::Secret;
use ieum_notify::{check_provider_url, is_sender};

use super::reader::Reader;

/// `[notify]`
#[derive(Clone, Debug)]
pub struct NotifySettings {
    /// URLs of who takes messages, per channel in the order in which they are asked.
    pub providers: BTreeMap<Channel, Vec<Secret>>,
    /// Whom email comes from.
    pub from: String,
    /// A folder with templates beside those that come along.
    pub templates: Option<PathBuf>,
    /// How long messages stay that are over.
    pub keep: Duration,
}

/// Reads the section.
pub fn notify(reader: &mut Reader<'_>) -> NotifySettings {
    let mut providers = BTreeMap::new();
    for (key, channel) in
        [("notify.email", Channel::Email), ("notify.sms", Channel::Sms), ("notify.push", Channel::Push)]
    {
        let list = reader.list(key);
        let mut urls = Vec::new();
        for (i, entry) in list.iter().enumerate() {
            let text = entry.as_str().unwrap_or_default();
            if let Err(error) = check_provider_url(text, channel) {
                reader.wrong(key, format!("entry {}: {error}", i + 1));
            }
            urls.push(Secret::new(text));
        }
        providers.insert(channel, urls);
    }
    let from = reader.text("notify.from");
    if !is_sender(&from) {
        reader.wrong("notify.from", format!("{from:?} is no sender such as \"Ieum <no-reply@example.org>\""));
    }
    let templates = Some(reader.text("notify.templates")).filter(|path| !path.is_empty()).map(PathBuf::from);
    NotifySettings { providers, from, templates, keep: reader.duration("notify.keep") }
}
