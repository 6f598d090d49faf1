//! The nodes of the world: a front that answers clients, owners that keep rows, readers that listen and ask back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use ieum_bus::sim::{Dice, SimBus, SimConsumer, SimStorage, SimTx};
use ieum_bus::{Event, Failure};
use ieum_core::{BoxFuture, Cx, Fault};

use crate::contract::{Cup, Found, Front, Number, Owner, OwnerClient};
use crate::plant::Plant;
use crate::witness::Witness;

/// The topic of placed cups, by way of the outbox.
pub const CUPS: &str = "cups";
/// The topic of visits, published by the front itself.
pub const VISITS: &str = "visits";

/// Answers clients: passes commands on and tells of visits.
pub struct FrontDesk {
    pub owner: OwnerClient,
    pub bus: SimBus,
    pub witness: Witness,
    pub plant: Plant,
}

/// Keeps the cups: row, idempotency record and event in one transaction.
pub struct Keeper {
    pub storage: SimStorage,
    pub bus: SimBus,
    pub witness: Witness,
    /// Goes on with work after the answer.
    pub background: Arc<dyn Fn(BoxFuture<'static, ()>) + Send + Sync>,
    pub plant: Plant,
}

/// Handles placed cups, asking the owner back about each.
pub struct Reader {
    pub owner: OwnerClient,
    pub witness: Witness,
    /// Whether bad cups have been mended.
    pub mended: Arc<AtomicBool>,
}

/// Records what it hears.
pub struct Listener {
    pub group: &'static str,
    pub dice: Dice,
}

/// Tells the cups that no reader can handle before they are mended.
pub fn is_bad(id: &str) -> bool {
    id.ends_with("-2") || id.ends_with("-5")
}

fn unsure(failure: &Failure) -> Fault {
    Fault::unavailable("sim.storage", failure.to_string())
}

fn keyed(cx: &Cx) -> Result<&str, Fault> {
    cx.idempotency_key().ok_or_else(|| Fault::invalid_argument("sim.no_key", "a command without a key"))
}

// === FrontDesk ===

impl FrontDesk {
    fn onward(&self, cx: &Cx) -> Cx {
        if self.plant != Plant::ForgetsContext {
            return cx.child();
        }
        let key = cx.idempotency_key().map(|key| Cx::root().with_idempotency_key(key));
        key.unwrap_or_else(Cx::root)
    }
}

#[async_trait]
impl Front for FrontDesk {
    async fn place(&self, cx: &Cx, cup: Cup) -> Result<Number, Fault> {
        self.witness.enter(cx, "sim.front/place");
        self.owner.place(&self.onward(cx), cup).await
    }

    async fn touch(&self, cx: &Cx, cup: Cup) -> Result<Number, Fault> {
        self.witness.enter(cx, "sim.front/touch");
        let cx = self.onward(cx);
        match self.owner.touch(&cx, cup.clone()).await {
            Err(fault) if fault.is_retryable() && self.plant == Plant::RepeatsUnkeyed => {
                self.owner.touch(&cx, cup).await
            }
            result => result,
        }
    }

    async fn visit(&self, cx: &Cx, cup: Cup) -> Result<Number, Fault> {
        self.witness.enter(cx, "sim.front/visit");
        let event = Event::new(cx, "/front", "cup.visited.v1", &cup.shelf, Number { number: 0 })?;
        let event = event.with_id(keyed(cx)?).at(self.witness.clock.now());
        if self.bus.publish(VISITS, &[event]).await? {
            return Ok(Number { number: 1 });
        }
        Err(Fault::unavailable("sim.unsure", "whether the visit was published is not known"))
    }
}

// === Keeper ===

impl Keeper {
    async fn commit(&self, tx: SimTx) -> Result<(), Fault> {
        if self.plant == Plant::AnswersEarly {
            let storage = self.storage.clone();
            (self.background)(Box::pin(async move {
                let _ = storage.commit(tx).await;
            }));
            return Ok(());
        }
        self.storage.commit(tx).await.map_err(|failure| unsure(&failure))
    }

    async fn begin(&self) -> Result<SimTx, Fault> {
        self.storage.begin().await.map_err(|failure| unsure(&failure))
    }
}

#[async_trait]
impl Owner for Keeper {
    async fn place(&self, cx: &Cx, cup: Cup) -> Result<Number, Fault> {
        self.witness.enter(cx, "sim.owner/place");
        let record = format!("key/{}", keyed(cx)?);
        let mut tx = self.begin().await?;
        if let Some(answer) = tx.row(&record) {
            return serde_json::from_str(answer)
                .map_err(|error| Fault::data_loss("sim.record", error.to_string()));
        }
        let answer = Number { number: raise(&mut tx, &format!("shelf/{}", cup.shelf)) };
        let row = format!("{} {}", answer.number, cx.trace().trace_id);
        tx.put(format!("cup/{}", cup.id), row);
        raise(&mut tx, &format!("placed/{}", cup.id));
        let event = Event::new(cx, "/owner", "cup.placed.v1", &cup.shelf, answer)?;
        let event = event.with_subject(&cup.id).with_id(format!("{}@{}", cup.id, answer.number));
        self.bus.outbox(&mut tx, CUPS, &event.at(self.witness.clock.now()))?;
        if self.plant == Plant::RecordApart {
            self.commit(tx).await?;
            tx = self.begin().await?;
        }
        tx.put(record, serde_json::json!(answer).to_string());
        self.commit(tx).await?;
        Ok(answer)
    }

    async fn touch(&self, cx: &Cx, cup: Cup) -> Result<Number, Fault> {
        self.witness.enter(cx, "sim.owner/touch");
        let mut tx = self.begin().await?;
        let number = raise(&mut tx, &format!("touched/{}", cup.id));
        self.commit(tx).await?;
        Ok(Number { number })
    }

    async fn look(&self, cx: &Cx, cup: Cup) -> Result<Found, Fault> {
        self.witness.enter(cx, "sim.owner/look");
        let key = format!("cup/{}", cup.id);
        let found = self.storage.look(|tables| tables.row(&key).map(str::to_owned)).await;
        let found = found.map_err(|failure| unsure(&failure))?;
        let trace = cx.trace().trace_id.to_string();
        let number = found.as_deref().and_then(|row| row.strip_suffix(&trace)?.trim().parse().ok());
        if found.is_some() && number.is_none() {
            self.witness.problem(format!("{} was asked for in a trace of its own", cup.id));
        }
        Ok(Found { number })
    }
}

/// Adds one to a counting row; returns the new number.
fn raise(tx: &mut SimTx, key: &str) -> u64 {
    let number = tx.row(key).and_then(|text| text.parse().ok()).unwrap_or(0) + 1;
    tx.put(key, number.to_string());
    number
}

// === Reader ===

#[async_trait]
impl SimConsumer for Reader {
    async fn handle(&self, cx: &Cx, event: &Event, tx: &mut SimTx) -> Result<(), Fault> {
        tx.record(line("readers", cx, event));
        let id = event.subject.clone().unwrap_or_default();
        if is_bad(&id) && !self.mended.load(Ordering::SeqCst) {
            return Err(Fault::invalid_argument("sim.bad", "a cup that nobody can read"));
        }
        let found = self.owner.look(cx, Cup { id: id.clone(), shelf: event.key.clone() }).await?;
        if found.number.is_none() {
            self.witness.problem(format!("{id} was told of before its row was there"));
        }
        Ok(())
    }
}

// === Listener ===

#[async_trait]
impl SimConsumer for Listener {
    async fn handle(&self, cx: &Cx, event: &Event, tx: &mut SimTx) -> Result<(), Fault> {
        tx.record(line(self.group, cx, event));
        if self.dice.chance(0.1) {
            return Err(Fault::unavailable("sim.slip", "a cup that slips"));
        }
        Ok(())
    }
}

/// One effect as the judge reads it: group, event, key, number, trace.
fn line(group: &str, cx: &Cx, event: &Event) -> String {
    format!("{group} {} {} {} {}", event.id, event.key, event.data["number"], cx.trace().trace_id)
}
