//! `ieum webhook`: partners' endpoints, what was sent to them, and again.
//!
//! Straight to the store, as `ieum dead` goes: what is made due here, the running platform sends within a second.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use ieum_core::{Cx, Id, Timestamp, parse_duration};
use ieum_gateway::{Keys, KeysOptions};
use ieum_partners::{AttemptView, DeliveryView, Webhook};
use ieum_webhook::{Delivery, DeliveryFilter, DeliverySearch, DeliveryState, Endpoint, Replay, Webhooks};
use serde::Serialize;

use crate::cli::{WebhookCommand, WebhookLog};
use crate::config::Settings;
use crate::output::{Output, table};
use crate::parts;
use crate::platform::Platform;

/// What the commands work with.
struct Desk {
    webhooks: Webhooks,
    keys: Keys,
    now: Timestamp,
}

/// An endpoint and whose it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Owned {
    partner: String,
    partner_name: String,
    #[serde(flatten)]
    webhook: Webhook,
}

/// What an id names.
enum Named {
    Endpoint(Box<Endpoint>),
    Delivery(Box<Delivery>),
}

/// Lists, shows, tests, sends again, enables or disables.
pub async fn webhook(
    settings: &Settings,
    command: WebhookCommand,
    output: &Output,
) -> Result<(), Box<dyn Error>> {
    let platform = Platform::open(Arc::new(settings.clone()), &Output::quiet()).await?;
    let desk = Desk {
        webhooks: parts::stored_webhooks(&platform)?,
        keys: Keys::new(platform.store.clone(), platform.clock.clone(), KeysOptions::default()),
        now: platform.clock.now(),
    };
    let done = desk.run(command, output).await;
    platform.close().await;
    done
}

// === Desk ===

impl Desk {
    async fn run(&self, command: WebhookCommand, output: &Output) -> Result<(), Box<dyn Error>> {
        match command {
            WebhookCommand::List { partner } => self.list(partner.as_deref(), output).await,
            WebhookCommand::Show { id, log } => match self.find(&id).await? {
                Named::Endpoint(endpoint) => self.show_endpoint(*endpoint, &log, output).await,
                Named::Delivery(delivery) => self.show_delivery(&delivery, output).await,
            },
            WebhookCommand::Test { id } => {
                let endpoint = self.endpoint(&id).await?;
                let sent = self.webhooks.send_test(&Cx::root(), &endpoint.partner, endpoint.id).await?;
                due(sent, "a trial message is due", output);
                Ok(())
            }
            WebhookCommand::Resend { id, since, until, delivered } => {
                let since = since.map(|text| self.time("--since", &text)).transpose()?;
                let until = until.map(|text| self.time("--until", &text)).transpose()?;
                self.resend(&id, since, until, delivered, output).await
            }
            WebhookCommand::Enable { id } => {
                let endpoint = self.endpoint(&id).await?;
                self.webhooks.enable(&endpoint.partner, endpoint.id).await?;
                self.changed(&endpoint, "is enabled; what was held back is sent", output).await
            }
            WebhookCommand::Disable { id } => {
                let endpoint = self.endpoint(&id).await?;
                self.webhooks.disable(&endpoint.partner, endpoint.id).await?;
                self.changed(&endpoint, "is disabled; what comes is held back", output).await
            }
        }
    }

    async fn list(&self, partner: Option<&str>, output: &Output) -> Result<(), Box<dyn Error>> {
        let names = self.names().await?;
        let known = |text: &str| names.iter().find(|(id, name)| *id == text || *name == text);
        let endpoints = match partner {
            None => self.webhooks.all_endpoints().await?,
            Some(text) => {
                // A partner who brings a token has no key; it is known by its endpoints alone.
                let id = known(text).map_or(text, |(id, _)| id);
                let found = self.webhooks.endpoints(id).await?;
                if found.is_empty() && known(text).is_none() {
                    return Err(
                        format!("there is no partner {text:?}; `ieum key list` tells ids and names").into()
                    );
                }
                found
            }
        };
        let all: Vec<Owned> = endpoints.into_iter().map(|endpoint| owned(endpoint, &names)).collect();
        output.value(&all, || overview(&all));
        Ok(())
    }

    async fn show_endpoint(
        &self,
        endpoint: Endpoint,
        log: &WebhookLog,
        output: &Output,
    ) -> Result<(), Box<dyn Error>> {
        let search = self.search(&endpoint, log)?;
        let found = self.webhooks.search(&endpoint.partner, &search).await?;
        let deliveries: Vec<DeliveryView> = found.into_iter().map(Into::into).collect();
        let webhook = owned(endpoint, &self.names().await?);
        output.value(&serde_json::json!({ "webhook": webhook, "deliveries": deliveries }), || {
            format!("{}\n{}", whole(&webhook), journal(&deliveries))
        });
        Ok(())
    }

    async fn show_delivery(&self, found: &Delivery, output: &Output) -> Result<(), Box<dyn Error>> {
        let sent = self.webhooks.sent(&found.partner, found.id).await?;
        let attempts = self.webhooks.attempts(&found.partner, found.id).await?;
        let (delivery, attempts): (DeliveryView, Vec<AttemptView>) =
            (sent.delivery.into(), attempts.into_iter().map(Into::into).collect());
        let value = serde_json::json!({ "delivery": delivery, "body": sent.body, "attempts": attempts });
        output.value(&value, || {
            format!("{}body      {}\n\n{}", outline(&delivery, &found.partner), sent.body, tries(&attempts))
        });
        Ok(())
    }

    /// Sends one delivery again, or what an endpoint missed in a span.
    async fn resend(
        &self,
        id: &str,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        delivered: bool,
        output: &Output,
    ) -> Result<(), Box<dyn Error>> {
        match (self.find(id).await?, since) {
            (Named::Delivery(_), Some(_)) => {
                Err(format!("{id} is one delivery; --since goes with an endpoint").into())
            }
            (Named::Delivery(delivery), None) => {
                let again = self.webhooks.resend(&delivery.partner, delivery.id).await?;
                due(again, "is due again", output);
                Ok(())
            }
            (Named::Endpoint(_), None) => {
                let sample = "`--since 2h` or `--since 2026-05-01T10:00:00Z`";
                Err(format!("{id} is an endpoint; say since when to send again, such as {sample}").into())
            }
            (Named::Endpoint(endpoint), Some(since)) => {
                if until.is_some_and(|until| until < since) {
                    return Err(format!("--until is before --since, which is {since}").into());
                }
                let replay = Replay { since, until, delivered };
                let count = self.webhooks.replay(&endpoint.partner, endpoint.id, replay).await?;
                output.value(&serde_json::json!({ "count": count }), || {
                    format!("{count} go to {} again\n", endpoint.url)
                });
                Ok(())
            }
        }
    }

    async fn changed(&self, endpoint: &Endpoint, what: &str, output: &Output) -> Result<(), Box<dyn Error>> {
        let now = self.webhooks.endpoint(&endpoint.partner, endpoint.id).await?;
        let webhook = owned(now, &self.names().await?);
        output.value(&webhook, || format!("{} {what}\n", webhook.webhook.url));
        Ok(())
    }

    /// Returns the names of keys. A partner who brings a token has none.
    async fn names(&self) -> Result<BTreeMap<String, String>, Box<dyn Error>> {
        Ok(self.keys.list().await?.into_iter().map(|key| (key.id, key.name)).collect())
    }

    async fn find(&self, text: &str) -> Result<Named, Box<dyn Error>> {
        let unknown = || {
            format!("there is no endpoint and no delivery {text}; `ieum webhook list` tells the endpoints")
        };
        let id: Id = text.parse().map_err(|_| unknown())?;
        let endpoints = self.webhooks.all_endpoints().await?;
        if let Some(endpoint) = endpoints.into_iter().find(|endpoint| endpoint.id == id) {
            return Ok(Named::Endpoint(Box::new(endpoint)));
        }
        match self.webhooks.find_delivery(id).await {
            Ok(delivery) => Ok(Named::Delivery(Box::new(delivery))),
            Err(ieum_webhook::WebhookError::NoDelivery(_)) => Err(unknown().into()),
            Err(error) => Err(error.into()),
        }
    }

    async fn endpoint(&self, text: &str) -> Result<Endpoint, Box<dyn Error>> {
        match self.find(text).await? {
            Named::Endpoint(endpoint) => Ok(*endpoint),
            Named::Delivery(delivery) => {
                Err(format!("{text} is a delivery to endpoint {}; name that", delivery.endpoint_id).into())
            }
        }
    }

    fn search(&self, endpoint: &Endpoint, log: &WebhookLog) -> Result<DeliverySearch, Box<dyn Error>> {
        let state = log.state.as_deref().map(|state| {
            let known = DeliveryState::ALL.map(DeliveryState::name).join(", ");
            DeliveryState::from_name(state).ok_or_else(|| format!("--state {state:?} is none of {known}"))
        });
        let time =
            |name, text: &Option<String>| text.as_deref().map(|text| self.time(name, text)).transpose();
        let filter = DeliveryFilter {
            endpoint: Some(endpoint.id),
            state: state.transpose()?,
            before: None,
            limit: log.limit,
        };
        let (since, until) = (time("--since", &log.since)?, time("--until", &log.until)?);
        Ok(DeliverySearch { filter, event: log.event.clone(), message: None, since, until })
    }

    /// Reads a time, or how long ago it was.
    fn time(&self, option: &str, text: &str) -> Result<Timestamp, String> {
        let ago = parse_duration(text).ok().map(|span| self.now - span);
        let wrong = || {
            format!("{option} {text:?} is neither a time such as 2026-05-01T10:00:00Z nor a span such as 2h")
        };
        ago.or_else(|| Timestamp::parse(text)).ok_or_else(wrong)
    }
}

fn owned(endpoint: Endpoint, names: &BTreeMap<String, String>) -> Owned {
    let partner_name = names.get(&endpoint.partner).cloned().unwrap_or_default();
    Owned { partner: endpoint.partner.clone(), partner_name, webhook: endpoint.into() }
}

fn due(delivery: Delivery, what: &str, output: &Output) {
    let view = DeliveryView::from(delivery);
    output.value(&view, || {
        format!("{}: {what}; `ieum webhook show {}` tells what became of it\n", view.id, view.id)
    });
}

fn standing(webhook: &Webhook) -> String {
    match (&webhook.reason, webhook.paused_until) {
        (Some(reason), _) => format!("{} ({reason})", webhook.state),
        (None, Some(until)) => format!("{} until {until}", webhook.state),
        (None, None) => webhook.state.clone(),
    }
}

fn overview(all: &[Owned]) -> String {
    if all.is_empty() {
        return "no partner has a webhook endpoint; partners register them at /api/partner/webhooks\n"
            .to_owned();
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|Owned { partner, partner_name, webhook }| {
            let failing = webhook.failing_since.map(|at| at.to_string()).unwrap_or_default();
            let partner = if partner_name.is_empty() { partner } else { partner_name };
            let events = if webhook.events.is_empty() { "*".to_owned() } else { webhook.events.join(",") };
            vec![webhook.id.clone(), partner.clone(), standing(webhook), webhook.url.clone(), events, failing]
        })
        .collect();
    table(&["id", "partner", "state", "url", "events", "failing since"], &rows)
}

fn whole(Owned { partner, partner_name, webhook }: &Owned) -> String {
    let events = if webhook.events.is_empty() { "all".to_owned() } else { webhook.events.join(", ") };
    format!(
        "id        {}\npartner   {partner} {partner_name}\nstate     {}\nurl       {}\nevents    {events}\nsince     {}\n",
        webhook.id,
        standing(webhook),
        webhook.url,
        webhook.created_at,
    )
}

fn outline(delivery: &DeliveryView, partner: &str) -> String {
    format!(
        "id        {}\npartner   {partner}\nendpoint  {}\nmessage   {}\nevent     {}\nstate     {}\naccepted  {}\n",
        delivery.id,
        delivery.webhook_id,
        delivery.message_id,
        delivery.event,
        delivery.state,
        delivery.created_at,
    )
}

fn journal(deliveries: &[DeliveryView]) -> String {
    if deliveries.is_empty() {
        return "nothing was sent\n".to_owned();
    }
    let rows: Vec<Vec<String>> = deliveries
        .iter()
        .map(|one| {
            let status = one.last_status.map(|status| status.to_string()).unwrap_or_default();
            let next = one.due_at.or(one.finished_at).map(|at| at.to_string()).unwrap_or_default();
            let (accepted, attempts) = (one.created_at.to_string(), one.attempts.to_string());
            vec![one.id.clone(), one.event.clone(), one.state.clone(), attempts, status, accepted, next]
        })
        .collect();
    table(&["delivery", "event", "state", "attempts", "last answer", "accepted", "due or over"], &rows)
}

fn tries(attempts: &[AttemptView]) -> String {
    if attempts.is_empty() {
        return "no attempt was made yet\n".to_owned();
    }
    let rows: Vec<Vec<String>> = attempts
        .iter()
        .map(|one| {
            let status = one.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
            // One line each: an answer may hold any number of them.
            let detail = one.detail.split_whitespace().collect::<Vec<_>>().join(" ");
            vec![one.number.to_string(), one.at.to_string(), format!("{} ms", one.elapsed_ms), status, detail]
        })
        .collect();
    table(&["attempt", "at", "took", "answer", "detail"], &rows)
}
