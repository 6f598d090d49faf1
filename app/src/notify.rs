//! Notification as settings want it: who takes messages, and whether they can be reached.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use ieum_contracts::notify::Channel;
use ieum_core::{SharedClock, describe, system_clock};
use ieum_notify::{
    NotifyDeps, NotifyOptions, NotifyPart, Provider, ProviderContext, ProviderError, Repeat, open_providers,
};

use crate::config::Settings;
use crate::platform::Platform;

/// What was found out about a provider: its setting, its name, what it gives, or why it cannot be used.
pub struct Inspected {
    /// The setting that names it.
    pub key: String,
    /// Its address without credentials.
    pub name: String,
    /// Sentences, or the failure.
    pub found: Result<Vec<String>, Box<dyn Error>>,
}

/// Wires the part. Fails where a provider's address or a template is wrong.
pub fn part(platform: &Platform) -> Result<NotifyPart, Box<dyn Error>> {
    let own = &platform.settings.notify;
    let mut providers = HashMap::new();
    for channel in own.providers.keys() {
        let list = open(&platform.settings, *channel, platform.clock.clone())
            .map_err(|error| format!("notify.{}: {error}", channel.name()))?;
        providers.insert(*channel, list);
    }
    let options =
        NotifyOptions { templates: own.templates.clone(), keep: own.keep, ..NotifyOptions::default() };
    Ok(NotifyPart::new(NotifyDeps {
        store: platform.store.clone(),
        bus: platform.bus.clone(),
        clock: platform.clock.clone(),
        providers,
        options,
    })?)
}

fn open(
    settings: &Settings,
    channel: Channel,
    clock: SharedClock,
) -> Result<Vec<Arc<dyn Provider>>, ProviderError> {
    let context =
        ProviderContext { outbound: settings.outbound.clone(), clock, from: settings.notify.from.clone() };
    let urls = settings.notify.providers.get(&channel).map_or(&[][..], Vec::as_slice);
    open_providers(urls, channel, &context)
}

/// Names the settings whose providers can never be asked, with why.
pub fn unusable(settings: &Settings) -> Vec<(String, String)> {
    let channels = settings.notify.providers.keys();
    let problem = |channel: &Channel| {
        let error = open(settings, *channel, system_clock()).err()?;
        Some((format!("notify.{}", channel.name()), describe(&error)))
    };
    channels.filter_map(problem).collect()
}

/// Asks every provider whether it lets us in, without sending anything.
pub async fn inspect(settings: &Settings) -> Vec<Inspected> {
    let mut all = Vec::new();
    for channel in settings.notify.providers.keys() {
        let key = format!("notify.{}", channel.name());
        match open(settings, *channel, system_clock()) {
            Ok(list) if list.is_empty() => {
                let lacks = format!("lacks {}: nobody is named who takes it", channel.name());
                all.push(Inspected { key, name: String::new(), found: Ok(vec![lacks]) });
            }
            Ok(list) => {
                for provider in list {
                    let reached = provider.check().await;
                    let found = reached.map(|()| sentences(provider.repeat())).map_err(Into::into);
                    all.push(Inspected { key: key.clone(), name: provider.name().to_owned(), found });
                }
            }
            Err(error) => all.push(Inspected { key, name: String::new(), found: Err(error.into()) }),
        }
    }
    all
}

fn sentences(repeat: Repeat) -> Vec<String> {
    let sentence = match repeat {
        Repeat::Harmless => {
            "gives each message once: what may have been taken is repeated under the same id (ntfy 2.16 and later)"
        }
        Repeat::Doubles => {
            "lacks a key of repetition: what may have been taken stays uncertain until a person sends it again"
        }
    };
    vec![sentence.to_owned()]
}
