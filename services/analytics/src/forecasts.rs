//! Makes forecasts from the history on a blocking thread, keeps them, and answers from what is kept.

use std::collections::BTreeMap;
use std::time::Duration;

use ieum_contracts::analytics::{EventForecast, ForecastAsk, ForecastStep, ForecastsRefreshed};
use ieum_contracts::wording::{Phrase, Wording};
use ieum_core::{Fault, Timestamp};
use ieum_store::{Insert, Row, Value};

use crate::forecasting::{Line, forecast, score};
use crate::store::{AnalyticsStore, ENDED, Known, any_of, broken};

/// The most series in one round; what is beyond waits for events to end.
const MOST_LINES: usize = 512;
/// History further back than this is not looked at.
const FURTHEST: Duration = Duration::from_secs(1_096 * 86_400);
/// An event of which nothing was told for so long is not forecast.
const QUIET: Duration = Duration::from_secs(28 * 86_400);

type Kept = BTreeMap<(String, String, ForecastStep), EventForecast>;

/// What the history says of an event or gate: whether it goes on, and its people by slot.
struct Past {
    line: Line,
    refused: Option<Wording>,
}

impl AnalyticsStore {
    /// Makes every forecast anew.
    ///
    /// # Errors
    /// Those of the store; `analytics.forecast.panicked`.
    pub async fn refresh_forecasts(&self, now: Timestamp) -> Result<ForecastsRefreshed, Fault> {
        let events = self.events(None).await?;
        let mut refreshed = ForecastsRefreshed::default();
        for step in [ForecastStep::Hour, ForecastStep::Day] {
            let before = self.kept(None, Some(step)).await?;
            let pasts = self.pasts(&events, step, now).await?;
            let made = tokio::task::spawn_blocking(move || make(pasts, &before, step, now)).await;
            let made = made.map_err(|error| {
                Fault::internal(
                    "analytics.forecast.panicked",
                    format!("making forecasts ended early: {error}"),
                )
            })?;
            let refused = made.iter().filter(|made| made.refused.is_some()).count() as u64;
            refreshed.refused += refused;
            refreshed.made += made.len() as u64 - refused;
            self.keep(&made, step, now).await?;
        }
        Ok(refreshed)
    }

    /// Returns the forecast asked for, or says that none was made yet.
    pub async fn forecast(&self, ask: &ForecastAsk) -> Result<EventForecast, Fault> {
        let known = self.event(&ask.event_id).await?;
        let gate = ask.gate_id.clone().unwrap_or_default();
        let key = (ask.event_id.clone(), gate, ask.step);
        let only = [known.profile.event_id];
        let found = self.kept(Some(&only), Some(ask.step)).await?.remove(&key);
        let mut found = found.unwrap_or_else(|| {
            let why = Phrase::ForecastNone.with([]);
            EventForecast {
                event_id: ask.event_id.clone(),
                gate_id: ask.gate_id.clone(),
                step: ask.step,
                refused: Some(why.english()),
                refused_wording: Some(why),
                ..EventForecast::default()
            }
        });
        if let Some(steps) = ask.steps {
            found.points.truncate(usize::try_from(steps).unwrap_or(usize::MAX));
        }
        Ok(found)
    }

    /// Returns the forecasts of whole events that are kept, by event.
    pub async fn forecasts(
        &self,
        only: Option<&[String]>,
        step: ForecastStep,
    ) -> Result<Vec<EventForecast>, Fault> {
        let kept = self.kept(only, Some(step)).await?;
        Ok(kept.into_values().filter(|forecast| forecast.gate_id.is_none()).collect())
    }

    async fn kept(&self, only: Option<&[String]>, step: Option<ForecastStep>) -> Result<Kept, Fault> {
        let (condition, mut values) = any_of("event_id", only);
        let mut sql = format!("SELECT * FROM ieum_analytics_forecast WHERE {condition}");
        if let Some(step) = step {
            sql += " AND step = ?";
            values.push(word(step).into());
        }
        let read = |row: &Row| {
            let made: EventForecast =
                serde_json::from_str(&row.text("data")?).map_err(|error| broken("forecast", &error))?;
            Ok::<_, Fault>(((row.text("event_id")?, row.text("gate_id")?, made.step), made))
        };
        self.sql().fetch_all(&sql, &values).await?.iter().map(read).collect()
    }

    /// Keeps the forecasts of one kind of step in place of all before.
    async fn keep(&self, made: &[EventForecast], step: ForecastStep, now: Timestamp) -> Result<(), Fault> {
        let row = |made: &EventForecast| {
            let json = serde_json::to_string(made).map_err(|error| broken("forecast", &error))?;
            let gate = made.gate_id.clone().unwrap_or_default();
            let event = made.event_id.as_str().into();
            Ok::<Vec<Value>, Fault>(vec![event, gate.into(), word(step).into(), json.into(), now.into()])
        };
        let rows = made.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        let mut tx = self.sql().begin_write().await?;
        tx.execute("DELETE FROM ieum_analytics_forecast WHERE step = ?", &[word(step).into()]).await?;
        let columns = ["event_id", "gate_id", "step", "data", "made_at"];
        Insert::into("ieum_analytics_forecast").columns(columns).rows(rows).run_in(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    async fn pasts(&self, events: &[Known], step: ForecastStep, now: Timestamp) -> Result<Vec<Past>, Fault> {
        let mut pasts = Vec::new();
        for event in events.iter().filter(|event| event.seen.is_some()) {
            if pasts.len() >= MOST_LINES {
                tracing::warn!(events = events.len(), "some events are not forecast, there are too many");
                break;
            }
            let event_id: Value = event.profile.event_id.as_str().into();
            let since: Value = (now - FURTHEST).into();
            let sql = "SELECT '' AS gate_id, slot_at, arrivals AS people FROM ieum_analytics_slot \
                       WHERE event_id = ? AND slot_at >= ? ORDER BY slot_at";
            let whole = self.sql().fetch_all(sql, &[event_id.clone(), since.clone()]).await?;
            let begins = whole.first().map(|row| row.int("slot_at")).transpose()?;
            let begins = Timestamp::from_micros(begins.unwrap_or(now.as_micros()));
            pasts.extend(self.past(event, step, now, begins, &whole)?);
            let sql = "SELECT gate_id, slot_at, people FROM ieum_analytics_gate \
                       WHERE event_id = ? AND slot_at >= ? ORDER BY gate_id, slot_at";
            let gates = self.sql().fetch_all(sql, &[event_id, since]).await?;
            pasts.extend(self.past(event, step, now, begins, &gates)?);
        }
        pasts.truncate(MOST_LINES);
        Ok(pasts)
    }

    /// Brings rows of gate, slot and people into a line for each gate. A step without rows had nobody.
    fn past(
        &self,
        event: &Known,
        step: ForecastStep,
        now: Timestamp,
        begins: Timestamp,
        rows: &[Row],
    ) -> Result<Vec<Past>, Fault> {
        let zone = self.zone(&event.profile);
        let blank = |gate: &str| Line {
            event_id: event.profile.event_id.clone(),
            gate_id: Some(gate.to_owned()).filter(|gate| !gate.is_empty()),
            step,
            begins: match step {
                ForecastStep::Hour => zone.hour_start(begins),
                ForecastStep::Day => zone.day_start(zone.local(begins).date),
            },
            zone: zone.clone(),
            values: Vec::new(),
        };
        let mut lines: BTreeMap<String, Line> = BTreeMap::new();
        for row in rows {
            let gate = row.text("gate_id")?;
            let line = lines.entry(gate.clone()).or_insert_with(|| {
                let mut line = blank(&gate);
                line.values = vec![0.0; place(&line, now)];
                line
            });
            let place = place(line, Timestamp::from_micros(row.int("slot_at")?));
            if let Some(value) = line.values.get_mut(place) {
                *value += row.float("people")?;
            }
        }
        let refused = reason(event, now);
        Ok(lines.into_values().map(|line| Past { line, refused: refused.clone() }).collect())
    }
}

fn reason(event: &Known, now: Timestamp) -> Option<Wording> {
    if event.status.as_deref() == Some(ENDED) {
        return Some(Phrase::ForecastOver.with([]));
    }
    let last = event.seen.as_ref().map(|seen| seen.at)?;
    let quiet = || Phrase::ForecastQuiet.with([("since", last.to_string().as_str().into())]);
    (now.since(last) > QUIET).then(quiet)
}

/// The step that a moment is in: as many have ended before it.
fn place(line: &Line, at: Timestamp) -> usize {
    let steps = match line.step {
        ForecastStep::Hour => (at.as_seconds() - line.begins.as_seconds()).div_euclid(3_600),
        ForecastStep::Day => {
            let (first, day) = (line.zone.local(line.begins).date, line.zone.local(at).date);
            i64::from((day - first).get_days())
        }
    };
    usize::try_from(steps).unwrap_or(0)
}

/// Forecasts on one thread, whatever the machine has: the others are for who waits for an answer.
fn make(pasts: Vec<Past>, before: &Kept, step: ForecastStep, now: Timestamp) -> Vec<EventForecast> {
    let (mut lines, mut over) = (Vec::new(), Vec::new());
    for Past { line, refused } in pasts {
        match refused {
            Some(why) => over.push(line.refused(why, now)),
            None => lines.push(line),
        }
    }
    let made = match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
        Ok(pool) => pool.install(|| forecast(&lines, step, now)),
        Err(_) => forecast(&lines, step, now),
    };
    let scored = lines.iter().zip(made).map(|(line, made)| {
        let key = (line.event_id.clone(), line.gate_id.clone().unwrap_or_default(), step);
        let score = before.get(&key).map(|before| score(before, line)).unwrap_or_default();
        EventForecast { score, ..made }
    });
    scored.chain(over).collect()
}

fn word(step: ForecastStep) -> &'static str {
    match step {
        ForecastStep::Hour => "hour",
        ForecastStep::Day => "day",
    }
}
