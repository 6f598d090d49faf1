//! Subscriptions come and go (MQTT 5 §3.8 to §3.11).

use std::sync::Arc;

use ieum_core::Timestamp;
use mqtt_protocol_core::mqtt::packet::RetainHandling;

use super::{Arrival, Hub};
use crate::packet::{Reason, Requested};
use crate::router::SessionKey;
use crate::session::{Answer, Entry};
use crate::topic::{Filter, Options, read_filter};

impl Hub {
    /// Adds what a SUBSCRIBE asks for, but for what `refused` says, and readies the answer.
    pub fn subscribe(
        &mut self,
        key: SessionKey,
        generation: u64,
        packet: u16,
        entries: &[(Requested, Option<Reason>)],
        now: Timestamp,
    ) -> Result<(), Reason> {
        let mut codes = Vec::with_capacity(entries.len());
        let mut kept = Vec::new();
        for (requested, refused) in entries {
            let outcome = match (refused, read_filter(&requested.filter)) {
                (Some(reason), _) => Err(*reason),
                (None, None) => Err(Reason::FilterInvalid),
                (None, Some(filter)) => self.add(key, generation, requested, filter),
            };
            codes.push(match outcome {
                Err(reason) => reason.code(),
                Ok((options, is_new)) => {
                    // MQTT 5 §3.8.3.1: which subscriptions get what was kept.
                    let wanted = match requested.retained {
                        RetainHandling::SendRetained => true,
                        RetainHandling::SendRetainedIfNotExists => is_new,
                        RetainHandling::DoNotSendRetained => false,
                    };
                    if wanted && !requested.filter.starts_with("$share/") {
                        kept.push((requested.filter.as_str(), options));
                    }
                    options.quality.number()
                }
            });
        }
        let noted = self.note_session(key);
        if let Some(link) = &mut self.linked(key, generation)?.link {
            link.answer(noted, Answer::Suback { packet, codes });
        }
        for (pattern, options) in kept {
            self.send_kept(key, pattern, options, now);
        }
        Ok(())
    }

    fn add(
        &mut self,
        key: SessionKey,
        generation: u64,
        requested: &Requested,
        filter: Filter<'_>,
    ) -> Result<(Options, bool), Reason> {
        let most = self.limits.subscriptions;
        let mut options = requested.options;
        options.quality = options.quality.min(self.limits.quality);
        let session = self.linked(key, generation)?;
        let is_new = !session.subscriptions.contains_key(requested.filter.as_str());
        if is_new && session.subscriptions.len() >= most {
            return Err(Reason::QuotaExceeded);
        }
        let name: Arc<str> = requested.filter.as_str().into();
        session.subscriptions.insert(Arc::clone(&name), options);
        let (owner, client) = (Arc::clone(&session.owner), Arc::clone(&session.client));
        self.arrived.push(Arrival { owner, client, filter: name });
        self.router.insert(filter, key, options);
        Ok((options, is_new))
    }

    fn send_kept(&mut self, key: SessionKey, pattern: &str, options: Options, now: Timestamp) {
        for message in self.retained.matching(pattern, now) {
            let entry = Entry {
                position: 0,
                quality: options.quality.min(message.quality),
                message,
                retain: true,
                identifiers: if options.identifier > 0 { vec![options.identifier] } else { Vec::new() },
                receipt: None,
            };
            self.enqueue(key, entry, true, now);
        }
    }

    /// Removes what an UNSUBSCRIBE names and readies the answer.
    pub fn unsubscribe(
        &mut self,
        key: SessionKey,
        generation: u64,
        packet: u16,
        filters: &[String],
    ) -> Result<(), Reason> {
        let mut codes = Vec::with_capacity(filters.len());
        for text in filters {
            let removed = self.linked(key, generation)?.subscriptions.remove(text.as_str());
            codes.push(match (removed, read_filter(text)) {
                (Some(_), Some(filter)) => {
                    self.router.remove(filter, key);
                    0
                }
                (_, None) => Reason::FilterInvalid.code(),
                _ => Reason::NoSubscriptionExisted.code(),
            });
        }
        let noted = self.note_session(key);
        if let Some(link) = &mut self.linked(key, generation)?.link {
            link.answer(noted, Answer::Unsuback { packet, codes });
        }
        Ok(())
    }

    /// Adds a subscription without a SUBSCRIBE, for sessions that come from the store.
    pub(super) fn restore_subscription(&mut self, key: SessionKey, text: &str, options: Options) {
        let Some(filter) = read_filter(text) else { return };
        self.router.insert(filter, key, options);
        if let Some(session) = self.session(key) {
            session.subscriptions.insert(Arc::from(text), options);
        }
    }
}
