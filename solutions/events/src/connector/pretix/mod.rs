//! A pretix server over its REST API (<https://docs.pretix.eu/dev/api/>).
//!
//! Orders are read by `modified_since` with the server's `X-Page-Generated` as the next cursor, scans by
//! `created_since` with its `Date`. Both begin a little before the cursor, since a row becomes visible when
//! its transaction commits and not when its time was taken; ids sort out what was read twice. What neither
//! shows (annulled or deleted scans) shows in the check-in list's own status, which is authoritative.

use std::time::Duration;

use async_trait::async_trait;
use http::{Method, StatusCode};
use ieum_client::{OutboundPolicy, Request};
use ieum_contracts::events::EventServiceConfig;
use ieum_core::{Cx, Fault, SharedClock, Timestamp};
use serde::de::DeserializeOwned;

use self::position::{Position, Step};
use super::probe::Checked;
use super::source::{SourceClient, Told};
use super::{Abilities, Connector, Hint, auth, base_url, client, headers, invalid, slug};
use crate::facts::{Batch, Profile, Totals};
use crate::programme::facts::{ListFact, bounded_text};
use crate::rules::garbage;

mod answers;
mod hook;
mod position;
mod webhook;

/// How far before the cursor a read begins.
const OVERLAP: Duration = Duration::from_secs(30);

/// Rows per page; the most pretix gives.
const PAGE_SIZE: u32 = 50;

/// More orders than this named by hints at once are left to one incremental read.
pub(crate) const MOST_HINTED_ORDERS: usize = 20;

/// A check-in list of one event on a pretix server.
pub struct Pretix {
    client: SourceClient,
    clock: SharedClock,
    organizer: String,
    event: String,
    list: Option<i64>,
    wants_webhooks: bool,
}

/// An answer's rows with what its headers tell of the server's time.
struct Page<T> {
    rows: Vec<T>,
    more: bool,
    generated_at: Timestamp,
    server_now: Option<Timestamp>,
}

impl Pretix {
    /// Makes the connector. Fails with `events.source.invalid`, naming the field.
    pub fn open(
        config: &EventServiceConfig,
        outbound: &OutboundPolicy,
        clock: &SharedClock,
    ) -> Result<Self, Fault> {
        let api = base_url("endpoints.api", &config.endpoints.api)?;
        let list = match config.options.get("checkinList") {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| invalid("options.checkinList", "is no number"))?),
        };
        Ok(Self {
            client: client(config, "endpoints.api", api, auth(config, "Token")?, outbound, clock)?,
            clock: clock.clone(),
            organizer: slug(config, "organizer")?,
            event: slug(config, "event")?,
            list,
            wants_webhooks: config.endpoints.webhook.is_some(),
        })
    }

    fn path(&self, rest: &str) -> String {
        // The base address may be the server's own or already end in /api/v1.
        let base = self.client.config().base.path().trim_end_matches('/');
        let prefix = if base.ends_with("/api/v1") { "" } else { "/api/v1" };
        format!("{prefix}/organizers/{}/{rest}", self.organizer)
    }

    fn event_path(&self, rest: &str) -> String {
        self.path(&format!("events/{}/{rest}", self.event))
    }

    /// Gets one page of a list. A further page is asked for by number on our own address: the address that
    /// the answer names may lead anywhere.
    async fn page<T: DeserializeOwned>(&self, cx: &Cx, path: &str) -> Result<Page<T>, Fault> {
        let response = self.client.get(cx, path).await?;
        let header = |name: &str| response.headers.get(name).and_then(|value| value.to_str().ok());
        let wall = self.clock.now();
        // The header has whole seconds; the server's clock may stand anywhere within the second.
        let server_now = headers::date(&response.headers).map(|date| date + Duration::from_secs(1));
        let latest = server_now.unwrap_or(wall);
        let generated_at = match header("x-page-generated") {
            Some(text) => {
                Timestamp::parse(text).ok_or_else(|| garbage("header X-Page-Generated", "is no time"))?
            }
            None => latest,
        };
        let rows: answers::List<T> = response.json()?;
        if rows.results.is_empty() && rows.next.is_some() {
            return Err(garbage("next", "leads on from a page without rows"));
        }
        let generated_at = generated_at.min(latest);
        Ok(Page { more: rows.next.is_some(), rows: rows.results, generated_at, server_now })
    }

    async fn all_lists(&self, cx: &Cx) -> Result<Vec<answers::CheckinList>, Fault> {
        let path = self.event_path(&format!("checkinlists/?ordering=id&page_size={PAGE_SIZE}"));
        let lists: answers::List<answers::CheckinList> = self.client.get_json(cx, &path).await?;
        Ok(lists.results)
    }

    /// Returns the list that counts: the one that was configured, or the first that is no side list.
    async fn find_list(
        &self,
        cx: &Cx,
        lists: Vec<answers::CheckinList>,
    ) -> Result<answers::CheckinList, Fault> {
        if let Some(list) = self.list {
            let known = lists.into_iter().find(|known| known.id == list);
            let path = self.event_path(&format!("checkinlists/{list}/"));
            return match known {
                Some(known) => Ok(known),
                None => self.client.get_json(cx, &path).await,
            };
        }
        let (counted, ignored): (Vec<_>, Vec<_>) =
            lists.into_iter().partition(|list| !list.ignore_in_statistics);
        counted.into_iter().chain(ignored).next().ok_or_else(|| {
            let message = format!("reading event {}: it has no check-in list", self.event);
            Fault::failed_precondition("events.pretix.no_list", message)
        })
    }

    async fn profile(&self, cx: &Cx) -> Result<(Profile, Vec<ListFact>), Fault> {
        let event: answers::Event = self.client.get_json(cx, &self.event_path("")).await?;
        let lists = self.all_lists(cx).await?;
        let named = lists.iter().map(|list| ListFact { id: list.id, name: bounded_text(&list.name, 200) });
        let named = named.collect();
        Ok((answers::profile(event, self.find_list(cx, lists).await?), named))
    }

    /// Reads the next page at `position`, whatever step it stands at.
    async fn read(&self, cx: &Cx, position: Position) -> Result<Batch, Fault> {
        match position.step {
            Step::Begin => {
                let (profile, lists) = self.profile(cx).await?;
                let next = position.begin(profile.list_id);
                Ok(Batch {
                    profile: Some(profile),
                    lists: Some(lists),
                    next: next.to_next(),
                    ..Batch::default()
                })
            }
            Step::Orders { page } => self.read_orders(cx, position, page).await,
            Step::Checkins { page } => self.read_checkins(cx, position, page).await,
        }
    }

    async fn read_orders(&self, cx: &Cx, position: Position, page: u32) -> Result<Batch, Fault> {
        let since = position::since_parameter("modified_since", position.orders_since, OVERLAP);
        // Ordered by the time of purchase, which never changes: an order that is modified meanwhile joins
        // the rows but moves none to a page already read.
        let path = self.event_path(&format!(
            "orders/?ordering=datetime&include_canceled_positions=true&page_size={PAGE_SIZE}&page={page}{since}\
             &exclude=downloads&exclude=invoice_address&exclude=payments&exclude=refunds&exclude=fees"
        ));
        let answer: Page<answers::Order> = match self.page(cx, &path).await {
            Err(fault) if page > 1 && position::is_past_the_end(&fault) => return Ok(position.restart()),
            other => other?,
        };
        if position.is_ahead_of(answer.server_now) {
            return Ok(position.set_back(answer.server_now));
        }
        let orders = answer.rows.into_iter().map(answers::Order::into_facts).collect::<Result<_, _>>()?;
        let clock_skew_micros = self.skew(answer.server_now);
        let next = position.after_orders(page, answer.more, answer.generated_at);
        Ok(Batch { orders, next: next.to_next(), clock_skew_micros, ..Batch::default() })
    }

    async fn read_checkins(&self, cx: &Cx, position: Position, page: u32) -> Result<Batch, Fault> {
        let since = position::since_parameter("created_since", position.checkins_since, OVERLAP);
        let path = self.event_path(&format!(
            "checkins/?ordering=created&list={}&page_size={PAGE_SIZE}&page={page}{since}",
            position.list
        ));
        let answer: Page<answers::Checkin> = match self.page(cx, &path).await {
            Err(fault) if page > 1 && position::is_past_the_end(&fault) => return Ok(position.restart()),
            other => other?,
        };
        let (checkins, void_checkins) = answers::split(answer.rows)?;
        let next = position.after_checkins(page, answer.more, answer.generated_at);
        Ok(Batch { checkins, void_checkins, next: next.to_next(), ..Batch::default() })
    }

    fn skew(&self, server_now: Option<Timestamp>) -> Option<i64> {
        Some(server_now?.as_micros() - self.clock.now().as_micros() - 500_000)
    }
}

#[async_trait]
impl Connector for Pretix {
    async fn probe(&self, cx: &Cx) -> Vec<Checked> {
        let address = &self.client.config().base;
        let event: Result<answers::Event, Fault> = self.client.get_json(cx, &self.event_path("")).await;
        let mut checks =
            vec![Checked::of("event", address, event.map(|event| format!("found {:?}", event.name())))];
        if checks[0].passed() {
            let list = match self.all_lists(cx).await {
                Ok(lists) => self.find_list(cx, lists).await,
                Err(fault) => Err(fault),
            };
            checks.push(Checked::of(
                "check-in list",
                address,
                list.map(|list| format!("list {} {:?}", list.id, list.name)),
            ));
            let path = self.event_path("orders/?page_size=1");
            let orders: Result<Page<answers::Order>, Fault> = self.page(cx, &path).await;
            checks.push(Checked::of("orders", address, orders.map(|_| "may be read".to_owned())));
            let path = self.event_path("checkins/?page_size=1");
            let scans: Result<Page<answers::Checkin>, Fault> = self.page(cx, &path).await;
            checks.push(Checked::of("check-ins", address, scans.map(|_| "may be read".to_owned())));
            if self.wants_webhooks {
                let path = self.path("webhooks/?page_size=1");
                let hooks: Result<answers::List<answers::Webhook>, Fault> =
                    self.client.get_json(cx, &path).await;
                let told = hooks.map(|_| "may be set".to_owned());
                checks.push(Checked::of("webhooks", address, told).optional());
            }
        }
        checks
    }

    fn told(&self) -> Told {
        self.client.told()
    }

    fn abilities(&self) -> Abilities {
        Abilities { tells_all: true, looks_up: true }
    }

    /// pretix's own health page has an empty body and says nothing of the token, so the event is asked for.
    async fn health(&self, cx: &Cx) -> Result<(), Fault> {
        let _: answers::Event = self.client.get_json(cx, &self.event_path("")).await?;
        Ok(())
    }

    async fn initial(&self, cx: &Cx, checkpoint: Option<&str>) -> Result<Batch, Fault> {
        let position = checkpoint.map_or_else(|| Ok(Position::default()), Position::parse)?;
        self.read(cx, position).await
    }

    async fn incremental(&self, cx: &Cx, cursor: &str) -> Result<Batch, Fault> {
        self.read(cx, Position::parse(cursor)?).await
    }

    async fn hinted(&self, cx: &Cx, hints: &[Hint]) -> Result<Batch, Fault> {
        let mut codes: Vec<&str> = hints.iter().filter_map(|hint| hint.order_code.as_deref()).collect();
        codes.sort_unstable();
        codes.dedup();
        let mut batch = Batch::default();
        for code in codes.into_iter().take(MOST_HINTED_ORDERS) {
            let path = self.event_path(&format!("orders/{code}/?include_canceled_positions=true"));
            let response = self.client.send(cx, Request::new(Method::GET, path).any_status()).await?;
            match response.status {
                StatusCode::OK => batch.orders.push(response.json::<answers::Order>()?.into_facts()?),
                StatusCode::NOT_FOUND => batch.gone_orders.push(code.to_owned()),
                other => {
                    let message = format!("reading order {code}, which a hint named: answered {other}");
                    return Err(Fault::unavailable("events.pretix.hinted_order", message));
                }
            }
        }
        Ok(batch)
    }

    fn read_hint(&self, body: &[u8]) -> Result<Option<Hint>, Fault> {
        hook::read(body, &self.organizer, &self.event)
    }

    async fn totals(&self, cx: &Cx) -> Result<Option<Totals>, Fault> {
        let list = match self.list {
            Some(list) => list,
            None => self.find_list(cx, self.all_lists(cx).await?).await?.id,
        };
        let path = self.event_path(&format!("checkinlists/{list}/status/"));
        let status: answers::Status = self.client.get_json(cx, &path).await?;
        Ok(Some(Totals {
            registered: status.position_count,
            checked_in: status.checkin_count,
            inside: status.inside_count,
        }))
    }

    async fn attach_webhook(&self, cx: &Cx, url: &str) -> Result<Option<String>, Fault> {
        webhook::attach(&self.client, cx, &self.path("webhooks/"), &self.event, url).await.map(Some)
    }

    async fn detach_webhook(&self, cx: &Cx, id: &str) -> Result<(), Fault> {
        webhook::detach(&self.client, cx, &self.path("webhooks/"), id).await
    }
}
