//! A real pretalx: talks are moved, added and cancelled there, and the hub's programme equals its own.

use std::time::Duration;

use ieum_contracts::events::{
    Authentication, AuthenticationKind, ConnectorKind, EventId, EventProgramme, EventServiceRegistry,
    Programme, SlotStatus,
};
use ieum_core::{Clock, Cx, SystemClock, Timestamp, system_clock};
use ieum_events::EventsOptions;
use ieum_testkit::server;
use ieum_testkit::wait::until;

use crate::child::{ChildHub, kill, spread};
use crate::hub::{ForTests, Hub, PATIENCE};
use crate::pretalx_api::{Pretalx, TURN, Told};
use crate::pretix_api::Pretix;
use ieum_testkit::backend::SqlStore;

const SEED: u64 = 20_261_121;

pub async fn programme(hub: &Hub, event_id: &str) -> Option<Programme> {
    hub.part.programmes().get(&Cx::root(), EventId { event_id: event_id.into() }).await.ok()
}

/// What the hub holds, in the form in which pretalx tells its own.
pub async fn told(hub: &Hub, event_id: &str) -> Told {
    let Some(programme) = programme(hub, event_id).await else { return Told::new() };
    let room = |id: &Option<String>| {
        let room = programme.rooms.iter().find(|room| Some(&room.room_id) == id.as_ref());
        room.map(|room| room.name.clone()).unwrap_or_default()
    };
    // pretalx exports the event's own days alone; one test has a talk that runs now.
    let days = at(0)..at(2 * 1_440);
    let planned = programme.slots.iter().filter(|slot| slot.status == SlotStatus::Planned);
    let planned = planned.filter(|slot| days.contains(&slot.begins_at));
    planned.map(|slot| (slot.slot_id.clone(), (room(&slot.room_id), slot.begins_at, slot.ends_at))).collect()
}

async fn until_equal(hub: &Hub, pretalx: &Pretalx) -> Told {
    let truth = pretalx.truth().await;
    let equal = || async { told(hub, "talks").await == truth };
    if until("the hub's programme equals pretalx' own", PATIENCE, equal).await.is_err() {
        assert_eq!(told(hub, "talks").await, truth);
    }
    truth
}

pub fn at(minutes: u64) -> Timestamp {
    Timestamp::parse("2026-12-01T00:00:00Z").expect("is a time") + Duration::from_secs(minutes * 60)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs pretalx"]
async fn a_hub_killed_while_a_programme_changes_ends_with_pretalx_own() {
    let Some(mut pretalx) = Pretalx::find() else { return };
    let _turn = TURN.lock().await;
    let (changes, kills) = if server::long_faults() { (120, 60) } else { (12, 6) };
    let mut seed = SEED;
    let base = SqlStore::sqlite();
    let open = || Hub::open_at(&base.url, system_clock(), EventsOptions::default().for_tests());
    let hub = open().await;
    hub.part.registry().register(&Cx::root(), pretalx.config("talks")).await.expect("registers");
    hub.store.close().await;
    drop(hub);
    let child = ChildHub { url: base.url.clone(), listen: None, sweep: false, vanished: None };
    let (mut talks, rooms) = (pretalx.talks(), pretalx.rooms());
    let (mut moved, mut added, mut cancelled) = (0, 0, 0);
    for i in 0..changes {
        let running = (i % (changes / kills) == 0).then(|| child.start());
        let room = rooms[usize::try_from(spread(&mut seed, 2)).expect("fits")];
        let begins_at = at(540 + 5 * spread(&mut seed, 90));
        match spread(&mut seed, 6) {
            0 if talks.len() > 3 => {
                let gone =
                    talks.remove(usize::try_from(spread(&mut seed, talks.len() as u64)).expect("fits"));
                pretalx.cancel(&gone).await;
                cancelled += 1;
            }
            1 | 2 => {
                let code = pretalx.add(&format!("Talk of round {i}")).await;
                pretalx.place(&code, room, begins_at, 30).await;
                talks.push(code);
                added += 1;
            }
            _ => {
                let code = &talks[usize::try_from(spread(&mut seed, talks.len() as u64)).expect("fits")];
                pretalx.place(code, room, begins_at, 20 + 5 * spread(&mut seed, 8)).await;
                moved += 1;
            }
        }
        pretalx.release().await;
        if let Some(running) = running {
            SystemClock.sleep(Duration::from_millis(spread(&mut seed, 400))).await;
            kill(running);
        }
    }
    let hub = open().await;
    hub.part.start().await.expect("starts");
    let truth = until_equal(&hub, &pretalx).await;
    let gone = programme(&hub, "talks").await.expect("is there").slots;
    let gone = gone.iter().filter(|slot| slot.status == SlotStatus::Gone).count();
    let mut slowest = Duration::ZERO;
    for i in 0..3 {
        pretalx.place(&talks[0], rooms[i % 2], at(600 + 10 * i as u64), 25).await;
        pretalx.release().await;
        let begun = SystemClock.moment();
        until_equal(&hub, &pretalx).await;
        slowest = slowest.max(SystemClock.moment().since(begun));
    }
    eprintln!(
        "{moved} talks moved, {added} added, {cancelled} cancelled, {kills} kills of the hub: {} talks equal \
         pretalx' own, {gone} told as gone; largest staleness {} ms; seed {SEED}",
        truth.len(),
        slowest.as_millis()
    );
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs pretalx"]
async fn pretalx_own_feeds_tell_the_same_programme_as_its_api() {
    let Some(pretalx) = Pretalx::find() else { return };
    let _turn = TURN.lock().await;
    let base = SqlStore::sqlite();
    let hub = Hub::started(&base, system_clock()).await;
    for (event_id, connector, path) in [
        ("ics", ConnectorKind::Icalendar, "/conf/schedule.ics"),
        ("xml", ConnectorKind::ScheduleXml, "/conf/schedule/export/schedule.xml"),
    ] {
        let mut config = pretalx.config(event_id);
        config.connector = connector;
        config.endpoints.api = format!("{}{path}", pretalx.url);
        // The feeds are public.
        config.authentication =
            Authentication { kind: AuthenticationKind::None, credentials: Default::default() };
        hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    }
    let plain = |told: Told| {
        let mut rows: Vec<_> = told.into_values().collect();
        rows.sort();
        rows
    };
    let truth = plain(pretalx.truth().await);
    for event_id in ["ics", "xml"] {
        let equal = || async { plain(told(&hub, event_id).await) == truth };
        if until("the feed tells the same", PATIENCE, equal).await.is_err() {
            assert_eq!(plain(told(&hub, event_id).await), truth, "{event_id}");
        }
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs pretalx, pretix"]
async fn people_scanned_in_pretix_attend_the_talk_in_pretalx() {
    let (Some(mut pretalx), Some(pretix)) = (Pretalx::find(), Pretix::find()) else { return };
    let _turn = TURN.lock().await;
    let base = SqlStore::sqlite();
    let hub = Hub::started(&base, system_clock()).await;
    let room = pretalx.rooms()[1];
    let code = pretalx.add("The talk that runs now").await;
    let now = system_clock().now();
    // pretalx keeps whole minutes.
    let begins_at = Timestamp::from_seconds(now.as_seconds() / 60 * 60 - 300);
    pretalx.place(&code, room, begins_at, 60).await;
    pretalx.set_capacity(room, 8).await;
    pretalx.release().await;
    hub.part.registry().register(&Cx::root(), pretix.config(&pretix.url, None)).await.expect("registers");
    let mut config = pretalx.config("talks");
    config.options.insert("attendedBy".into(), "conf".into());
    hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    let attended = || async {
        let slots = programme(&hub, "conf").await?.slots;
        slots.into_iter().find(|slot| slot.slot_id == code)?.attended
    };
    // What was scanned before is counted before anybody is scanned.
    hub.until_totals("conf", pretix.truth().await).await;
    until("the talk is there", PATIENCE, || async { attended().await.is_some() }).await.expect("is");
    let before = attended().await.expect("is there");
    let gate = pretix.lists()[1];
    let mut came = 0;
    for secret in pretix.secrets().iter().skip(30).take(4) {
        let nonce = ieum_core::new_id().to_string();
        if let crate::pretix_api::Scanned::Accepted(..) = pretix.scan_at(secret, gate, "entry", &nonce).await
        {
            came += 1;
        }
    }
    assert!(came > 0, "nobody had been in that room before");
    let counted = || async { attended().await == Some(before + came) };
    until("they attend the talk", PATIENCE, counted).await.expect("do");
    let programme = programme(&hub, "conf").await.expect("is there");
    let state = programme.rooms.iter().find(|known| known.room_id == room.to_string()).expect("is there");
    assert_eq!((state.capacity, state.checkin_list), (Some(8), Some(gate)));
    let slot = programme.slots.iter().find(|slot| slot.slot_id == code).expect("is there");
    assert_eq!(slot.fill, Some((before + came) as f64 / 8.0));
    pretalx.cancel(&code).await;
    pretalx.release().await;
    eprintln!("{came} people scanned at list {gate} of pretix attend {code} in pretalx");
    hub.stop().await;
}
