//! Sends what is due: decides again, asks one provider after the other, writes down what came of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ieum_contracts::notify::{Channel, MessageState, Recipient};
use ieum_core::{Cx, Fault, Timestamp, new_id};
use ieum_policy::{Breaker, Outcome, Rejected, RetryRule};
use rand::Rng;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::digest;
use crate::outbox::{Attempt, Outgoing, Settled};
use crate::part::NotifyOptions;
use crate::providers::{Letter, Provider, Receipt, Repeat, SendError};
use crate::rules::{Asked, Plan, plan};
use crate::service::Service;
use crate::templates::Written;

/// How many messages are with providers at once.
const AT_ONCE: usize = 16;
/// The longest time a provider may take. Providers keep within it themselves; this is the last resort.
const LONGEST: Duration = Duration::from_secs(40);
/// How long a process that gives no sign of life keeps a message: longer than any provider may take.
const LEASE: Duration = Duration::from_secs(60);
/// How often it is looked for what is due where nobody says so.
const LOOK: Duration = Duration::from_secs(1);
/// How often old messages are removed.
const PURGE_EVERY: Duration = Duration::from_secs(3_600);
/// How long a message waits where a breaker says no time.
const REST: Duration = Duration::from_secs(5);

/// A provider with its breaker.
pub struct Guarded {
    pub provider: Arc<dyn Provider>,
    pub breaker: Breaker,
}

/// Sends messages. Any number of processes may do so over one store.
pub struct Worker {
    pub service: Arc<Service>,
    /// Per channel, in the order in which they are asked.
    pub providers: HashMap<Channel, Vec<Guarded>>,
    pub retry: RetryRule,
    keep: Duration,
    owner: String,
}

/// What came of asking providers.
enum Asking {
    Taken(Receipt),
    /// Ended for good.
    Ended(MessageState, Fault),
    /// This provider may have it, and shows it once: it alone is asked again.
    Same(String, Fault),
    /// Nobody has it.
    Nobody {
        fault: Option<Fault>,
        rest: Option<Duration>,
    },
    /// Somebody else has the lease.
    Lost,
}

impl Worker {
    pub fn new(
        service: Arc<Service>,
        providers: HashMap<Channel, Vec<Arc<dyn Provider>>>,
        options: &NotifyOptions,
    ) -> Self {
        let guard = |provider| Guarded { provider, breaker: Breaker::new(options.breaker) };
        let providers = providers
            .into_iter()
            .map(|(channel, list)| (channel, list.into_iter().map(guard).collect()))
            .collect();
        let (retry, keep, owner) = (options.retry, options.keep, new_id().to_string());
        Self { service, providers, retry, keep, owner }
    }

    /// Removes what has been over for long enough.
    pub async fn purge(&self) -> Result<u64, Fault> {
        self.service.store.purge(self.service.clock.now() - self.keep).await
    }

    /// Sends until `stop`, then lets what is with providers end.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut sending = JoinSet::new();
        let mut purge_at = self.service.clock.moment() + PURGE_EVERY;
        while !stop.is_cancelled() {
            if self.service.clock.moment() >= purge_at {
                purge_at = self.service.clock.moment() + PURGE_EVERY;
                if let Err(fault) = self.purge().await {
                    tracing::warn!(error = %fault, "purging old notifications failed");
                }
            }
            let free = AT_ONCE.saturating_sub(sending.len());
            match self.begin_due(&mut sending, free).await {
                Ok(begun) if begun > 0 && begun < free => continue,
                Ok(_) => {}
                Err(fault) => tracing::warn!(error = %fault, "sending notifications failed; trying again"),
            }
            tokio::select! {
                () = self.service.due.notified() => {}
                () = self.service.clock.sleep(LOOK) => {}
                () = stop.cancelled() => {}
                Some(ended) = sending.join_next() => note(ended),
            }
        }
        while let Some(ended) = sending.join_next().await {
            note(ended);
        }
    }

    /// Sends one batch of what is due and waits for it; returns how many messages there were.
    pub async fn round(self: &Arc<Self>) -> Result<usize, Fault> {
        let mut sending = JoinSet::new();
        let count = self.begin_due(&mut sending, AT_ONCE).await?;
        while let Some(ended) = sending.join_next().await {
            note(ended);
        }
        Ok(count)
    }

    /// Looks after what dead processes left, makes digests that are due, and begins to send at most so many messages.
    async fn begin_due(
        self: &Arc<Self>,
        sending: &mut JoinSet<Result<(), Fault>>,
        most: usize,
    ) -> Result<usize, Fault> {
        let store = &self.service.store;
        let now = self.service.clock.now();
        self.recover(now).await?;
        // A look costs no writer; most of the time nothing is due.
        if most == 0 || store.next_due().await?.is_none_or(|due| due > now) {
            return Ok(0);
        }
        digest::make_due(&self.service, now).await?;
        let due = store.claim(&self.owner, most, LEASE, now).await?;
        let count = due.len();
        for message in due {
            sending.spawn(Arc::clone(self).deliver(message));
        }
        Ok(count)
    }

    /// What a dead process was sending is sent again only where the same provider shows it once.
    async fn recover(&self, now: Timestamp) -> Result<(), Fault> {
        for (id, channel, name) in self.service.store.interrupted(now).await? {
            let provider = self.guarded(channel).iter().find(|one| one.provider.name() == name);
            let again = provider.is_some_and(|one| one.provider.repeat() == Repeat::Harmless);
            if self.service.store.recover(id, again, now).await? && !again {
                tracing::warn!(message = %id, provider = name, "a message may have been sent or not");
                count(channel, MessageState::Uncertain.name());
            }
        }
        Ok(())
    }

    fn guarded(&self, channel: Channel) -> &[Guarded] {
        self.providers.get(&channel).map_or(&[], Vec::as_slice)
    }

    async fn deliver(self: Arc<Self>, message: Outgoing) -> Result<(), Fault> {
        let settled = self.decide(&message).await?;
        let Some(settled) = settled else { return Ok(()) };
        let outcome = match &settled {
            Settled::Sent { .. } => MessageState::Sent.name(),
            Settled::Ended(state, _) => state.name(),
            Settled::Again { .. } => "again",
            Settled::Held(_) => MessageState::Held.name(),
        };
        if let Settled::Ended(MessageState::Failed | MessageState::Uncertain, why) = &settled {
            tracing::warn!(message = %message.id, channel = message.channel.name(), why, "a message was not sent");
        }
        let now = self.service.clock.now();
        if self.service.store.settle(&self.owner, message.id, &settled, now).await? {
            count(message.channel, outcome);
        }
        Ok(())
    }

    /// Decides and, where the answer is to send, sends. `None` where somebody else has the message.
    async fn decide(&self, message: &Outgoing) -> Result<Option<Settled>, Fault> {
        let service = &self.service;
        let now = service.clock.now();
        let ended = |state, why: &str| Ok(Some(Settled::Ended(state, why.to_owned())));
        let Some(recipient) = service.store.recipient(&message.recipient).await? else {
            return ended(MessageState::Skipped, "unknown_recipient");
        };
        let Outgoing { channel, kind, urgent, digest, .. } = message;
        let asked = Asked { channel: *channel, kind, urgent: *urgent, digest: *digest };
        let again = |at, why: &str| Settled::Again { at, provider: None, why: why.to_owned() };
        // One that a provider may have already is not held back: it is with the person, or must get there.
        let planned = match message.provider {
            Some(_) => Plan::Send,
            None => plan(&recipient, asked, now),
        };
        match planned {
            Plan::Skip(why) => return ended(MessageState::Skipped, why),
            Plan::Wait(at) => return Ok(Some(again(at, "quiet_hours"))),
            Plan::Gather(at) => return Ok(Some(Settled::Held(at))),
            Plan::Send => {}
        }
        if self.guarded(*channel).is_empty() {
            return ended(MessageState::Failed, "no provider takes this channel (see [notify])");
        }
        let written = match self.write(message, &recipient) {
            Ok(written) => written,
            Err(fault) => return ended(MessageState::Failed, &fault.message),
        };
        let address = recipient.addresses.get(channel).cloned().unwrap_or_default();
        let letter = Letter { id: message.id, to: address, title: written.title, body: written.body };
        let asking = self.ask_all(message, &letter).await?;
        let written = Written { title: letter.title, body: letter.body };
        Ok(self.settled(message, asking, written))
    }

    fn write(&self, message: &Outgoing, recipient: &Recipient) -> Result<Written, Fault> {
        let templates = &self.service.templates;
        match message.digest {
            true => templates.write(&message.template, recipient.locale, &digest::values(&message.payload)),
            false => templates.write(&message.template, recipient.locale, &message.payload),
        }
    }

    /// Asks one provider after the other until one takes the message or may have it.
    async fn ask_all(&self, message: &Outgoing, letter: &Letter) -> Result<Asking, Fault> {
        let clock = &self.service.clock;
        let (mut fault, mut rest): (Option<Fault>, Option<Duration>) = (None, None);
        let bound =
            |one: &&Guarded| message.provider.as_deref().is_none_or(|name| name == one.provider.name());
        for one in self.guarded(message.channel).iter().filter(bound) {
            let permit = match one.breaker.try_acquire(clock.moment()) {
                Ok(permit) => permit,
                Err(rejected) => {
                    let wait = match rejected {
                        Rejected::Open { retry_after, .. } => retry_after.max(Duration::from_millis(100)),
                        _ => REST,
                    };
                    rest = Some(rest.map_or(wait, |rest| rest.min(wait)));
                    continue;
                }
            };
            let (name, now) = (one.provider.name(), clock.now());
            let number = message.attempts.saturating_add(1);
            let attempt = Attempt { owner: &self.owner, provider: name, number, until: now + LEASE, now };
            if !self.service.store.begin_attempt(message.id, &attempt).await? {
                return Ok(Asking::Lost);
            }
            let started = clock.moment();
            let answer = self.send(one, letter).await;
            let ended = clock.moment();
            let ok = matches!(answer, Ok(_) | Err(SendError::Refused(_)));
            one.breaker.record(permit, Outcome { ok, elapsed: ended.since(started) }, ended);
            match answer {
                Ok(receipt) => return Ok(Asking::Taken(receipt)),
                Err(SendError::Refused(why)) => return Ok(Asking::Ended(MessageState::Failed, why)),
                Err(SendError::Uncertain(why)) => {
                    return Ok(match one.provider.repeat() {
                        Repeat::Harmless => Asking::Same(name.to_owned(), why),
                        Repeat::Doubles => Asking::Ended(MessageState::Uncertain, why),
                    });
                }
                Err(SendError::NotSent(why)) => {
                    tracing::info!(provider = name, error = %why, "a provider did not take a message");
                    fault = Some(why);
                }
            }
        }
        Ok(Asking::Nobody { fault, rest })
    }

    async fn send(&self, one: &Guarded, letter: &Letter) -> Result<Receipt, SendError> {
        let cx = Cx::root().with_idempotency_key(&letter.id.to_string());
        tokio::select! {
            answer = one.provider.send(&cx, letter) => answer,
            () = self.service.clock.sleep(LONGEST) => {
                let message = format!("{} did not answer within {} s", one.provider.name(), LONGEST.as_secs());
                Err(SendError::Uncertain(Fault::deadline_exceeded("notify.provider.late", message)))
            }
        }
    }

    fn settled(&self, message: &Outgoing, asking: Asking, written: Written) -> Option<Settled> {
        let now = self.service.clock.now();
        let made = message.attempts.saturating_add(1);
        let backoff = |floor: Option<Duration>| {
            let own = self.retry.backoff.delay(made, rand::rng().random());
            now + floor.map_or(own, |floor| floor.max(own))
        };
        Some(match asking {
            Asking::Lost => return None,
            Asking::Taken(Receipt { reference }) => Settled::Sent { reference, written },
            Asking::Ended(state, fault) => Settled::Ended(state, fault.message),
            Asking::Same(provider, fault) if made < self.retry.attempts => Settled::Again {
                at: backoff(fault.retry_after),
                provider: Some(provider),
                why: fault.message,
            },
            Asking::Same(_, fault) => Settled::Ended(MessageState::Uncertain, fault.message),
            // Only breakers were asked: that is no attempt, and the message keeps its number of them.
            Asking::Nobody { fault: None, rest } => Settled::Again {
                at: now + rest.unwrap_or(REST),
                provider: message.provider.clone(),
                why: "every provider is resting after failures".to_owned(),
            },
            Asking::Nobody { fault: Some(fault), .. } if made >= self.retry.attempts => {
                Settled::Ended(MessageState::Failed, fault.message)
            }
            Asking::Nobody { fault: Some(fault), rest } => Settled::Again {
                at: backoff(fault.retry_after.or(rest)),
                // A provider that may have it from before is still the only one to be asked.
                provider: message.provider.clone(),
                why: fault.message,
            },
        })
    }
}

fn note(ended: Result<Result<(), Fault>, JoinError>) {
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => tracing::warn!(error = %fault, "writing what came of a message failed"),
        Err(error) => tracing::error!(error = %error, "sending a message ended by a panic"),
    }
}

fn count(channel: Channel, outcome: &'static str) {
    metrics::counter!("ieum_notify_messages_total", "channel" => channel.name(), "outcome" => outcome)
        .increment(1);
}
