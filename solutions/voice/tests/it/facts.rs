//! What the bus is told of dialogues, and who listens.

use std::time::Duration;

use ieum_bus::{Bus, BusOptions, DeadFilter, DeadLetter, DeadState, Event, open_bus};
use ieum_contracts::voice::{DEVICE_NOTICED, DIALOG_COMPLETED, DIALOG_EVENTS, DialogTurn};
use ieum_core::{Cx, system_clock};
use ieum_testkit::backend::SqlStore;
use ieum_testkit::wait::until;
use serde_json::{Value, json};

use crate::recordings::part;
use crate::stage::{NOON, Stage, at, turn};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turns_are_counted_once_and_remembered_by_person() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    for said in ["몇 시야", "what time is it", "아무도 모르는 말"] {
        stage.say(said).await;
    }
    let counted = "SELECT COALESCE(SUM(turns), 0) AS n FROM ieum_voice_tally";
    until("all are counted", PATIENCE, || async { stage.count(counted).await == 3 })
        .await
        .expect("are counted");
    let time = "SELECT turns AS n FROM ieum_voice_tally WHERE intent = 'time.query' AND outcome = 'answered' AND day = '2026-05-01'";
    assert_eq!(stage.count(time).await, 2);
    let active = "SELECT COALESCE(SUM(turns), 0) AS n FROM ieum_voice_activity WHERE user_id = 'ada'";
    until("Ada is remembered", PATIENCE, || async { stage.count(active).await == 3 })
        .await
        .expect("is remembered");
}

async fn bus(stage: &Stage) -> Bus {
    open_bus("local:", stage.store.clone(), system_clock(), BusOptions::default()).await.expect("opens")
}

/// Puts `data` into a dead letter's event and has it handled again.
async fn repair(bus: &Bus, letter: &DeadLetter, data: &Value) {
    let event = Event { data: data.clone(), ..letter.event().expect("is an event") };
    let desk = bus.dead_letters();
    desk.edit(&letter.id, &event.to_cloud_event_json(), "eve").await.expect("is mended");
    desk.replay(&letter.id, "eve").await.expect("is replayed");
    assert!(desk.replay(&letter.id, "eve").await.is_err(), "it is asked for already");
}

/// Waits until there are dead letters of these groups, each in this state, and returns them.
async fn dead(bus: &Bus, groups: &[&str], state: DeadState) -> Vec<DeadLetter> {
    let filter = DeadFilter { state: Some(state), ..DeadFilter::default() };
    let letters = async || {
        let mut letters = bus.dead_letters().list(&filter).await.expect("are listed");
        letters.sort_by(|one, other| one.group.cmp(&other.group));
        letters
    };
    let are_there =
        async || letters().await.iter().map(|letter| letter.group.as_str()).eq(groups.iter().copied());
    until("the letters are there", PATIENCE, are_there).await.expect("are there");
    letters().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_nobody_can_read_is_a_dead_letter_of_each_and_counts_once_it_is_mended() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    let bus = bus(&stage).await;
    let event = Event::new(&Cx::root(), "/voice", DIALOG_COMPLETED, "ada", json!({ "userId": "ada" }));
    let event = event.expect("is an event");
    bus.publish(DIALOG_EVENTS, event.clone()).await.expect("is told");
    let groups = ["analytics-service", "voice-activity"];
    let letters = dead(&bus, &groups, DeadState::Parked).await;
    for letter in &letters {
        let told = (letter.event_id.as_str(), letter.reason.as_str(), letter.attempts);
        assert_eq!(told, (event.id.as_str(), "voice.event.invalid", 1), "{}", letter.group);
    }
    stage.say("몇 시야").await;
    let sums = "SELECT (SELECT COALESCE(SUM(turns), 0) FROM ieum_voice_tally) * 100 \
                + (SELECT COALESCE(SUM(turns), 0) FROM ieum_voice_activity) AS n";
    let counted = async |turns: i64| {
        until("both count", PATIENCE, || async { stage.count(sums).await == turns * 101 })
            .await
            .expect("count")
    };
    counted(1).await;

    // What is mended turns out to be of the day before.
    let mended = json!({ "turnId": "t1", "userId": "ada", "sessionId": "s1", "language": "ko", "intent": "weather.query",
        "outcome": "answered", "tookMs": 1.0, "at": "2026-04-30T03:00:00Z" });
    for letter in &letters {
        repair(&bus, letter, &mended).await;
    }
    dead(&bus, &groups, DeadState::Resolved).await;
    counted(2).await;
    let ada = stage.part.trail().people().await.expect("is read").remove(0);
    assert_eq!((ada.at, ada.intent.as_str()), (at(NOON), "time.query"), "the later one is the last");
    assert_eq!(stage.part.trail().tallies(2).await.expect("is read").len(), 2, "each on its day");

    // The same once more, and a turn behind it: what is of one person is handled in its order.
    bus.publish(DIALOG_EVENTS, Event { data: mended, ..event }).await.expect("is told");
    stage.clock.advance(Duration::from_secs(60));
    stage.say("오늘 며칠이야").await;
    counted(3).await;
    let ada = stage.part.trail().people().await.expect("is read").remove(0);
    assert_eq!((ada.at, ada.intent.as_str()), (at("2026-05-01T03:01:00Z"), "date.query"));
    assert_eq!(bus.dead_letters().list(&DeadFilter::default()).await.expect("are listed").len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_speaks_up_once_for_what_could_not_be_read_before() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    let (bus, mut kitchen) = (bus(&stage).await, stage.device("kitchen").await);
    let event = Event::new(&Cx::root(), "/voice", DEVICE_NOTICED, "ada", json!([1])).expect("is an event");
    bus.publish(DIALOG_EVENTS, event.at(at(NOON))).await.expect("is told");
    let letters = dead(&bus, &["voice-proactive"], DeadState::Parked).await;
    let mended = json!({ "deviceId": "kitchen", "userId": "ada", "eventType": "motion_detected", "at": "2026-05-01T03:00:00Z" });
    repair(&bus, &letters[0], &mended).await;
    assert_eq!(stage.rung(&mut kitchen).await["rule"], "welcome");
    dead(&bus, &["voice-proactive"], DeadState::Resolved).await;
    assert_eq!(stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_speaks_up_by_day_and_cools_down() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    let mut kitchen = stage.device("kitchen").await;
    let moved = |number: u32| json!({ "messageId": format!("e-{number}"), "eventType": "motion_detected", "data": { "location": "kitchen" } });
    kitchen.send("event", moved(1)).await;
    let greeting = stage.rung(&mut kitchen).await;
    assert_eq!((&greeting["text"], &greeting["rule"]), (&json!("어서 오세요."), &json!("welcome")));
    // A moment later, and the first one once more.
    kitchen.send("event", moved(2)).await;
    kitchen.send("event", moved(1)).await;
    assert_eq!(kitchen.ask("몇 시야").await["intent"], "time.query");
    stage.clock.advance(Duration::from_secs(2 * 3_600));
    kitchen.send("event", moved(3)).await;
    assert_eq!(stage.rung(&mut kitchen).await["intent"], "proactive", "two hours later");
    assert_eq!(
        stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply WHERE kind = 'DIALOG_RESPONSE'").await,
        3
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_is_quiet_by_the_clocks_where_the_person_is() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    *stage.people.zone.lock() = Some("America/New_York".into());
    let mut kitchen = stage.device("kitchen").await;
    let moved = |id: &str| json!({ "messageId": id, "eventType": "motion_detected" });
    // Noon in Seoul, and eleven at night there.
    kitchen.send("event", moved("m1")).await;
    let noticed =
        "SELECT COUNT(DISTINCT event_id) AS n FROM ieum_bus_log WHERE body LIKE '%motion_detected%'";
    until("it is told", PATIENCE, || async { stage.count(noticed).await == 1 }).await.expect("is told");
    // Eleven at night in Seoul, and ten in the morning there.
    stage.clock.advance(Duration::from_secs(11 * 3_600));
    kitchen.send("event", moved("m2")).await;
    assert_eq!(stage.rung(&mut kitchen).await["rule"], "welcome");
    // One at night, and noon there.
    stage.clock.advance(Duration::from_secs(2 * 3_600));
    kitchen.send("event", moved("m3")).await;
    assert_eq!(stage.rung(&mut kitchen).await["rule"], "welcome");
    // One after the other: what was noticed at night there was looked at before.
    let said = "SELECT COUNT(*) AS n FROM ieum_voice_reply WHERE payload LIKE '%proactive%'";
    assert_eq!(stage.count(said).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_goes_by_all_clocks_that_may_be_the_persons_where_nobody_knows() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    *stage.people.zone.lock() = Some("America/New_York".into());
    let mut kitchen = stage.device("kitchen").await;
    let handled = async |count: i64| {
        let marks = "SELECT COUNT(*) AS n FROM ieum_bus_inbox WHERE group_name = 'voice-proactive'";
        let is_handled = async || stage.count(marks).await == count;
        until("it is handled", PATIENCE, is_handled).await.expect("is handled");
    };
    let said = async || {
        stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply WHERE payload LIKE '%proactive%'").await
    };
    let moved = |id: &str| json!({ "messageId": id, "eventType": "motion_detected" });
    // Noon in Seoul, and eleven at night there.
    kitchen.send("event", moved("m1")).await;
    handled(1).await;
    // A day later nothing stands in for the directory any more: it is not even known whose device it is.
    *stage.people.is_down.lock() = true;
    stage.clock.advance(Duration::from_secs(24 * 3_600));
    kitchen.send("event", moved("m2")).await;
    handled(2).await;
    assert_eq!(said().await, 0, "it is night where the device was last known to be");
    // Eleven at night in Seoul, and ten in the morning there.
    stage.clock.advance(Duration::from_secs(11 * 3_600));
    kitchen.send("event", moved("m3")).await;
    handled(3).await;
    assert_eq!(said().await, 0, "it is night where the server is");
    // Nine in the morning in Seoul, and eight in the evening there.
    stage.clock.advance(Duration::from_secs(10 * 3_600));
    kitchen.send("event", moved("m4")).await;
    assert_eq!(stage.rung(&mut kitchen).await["rule"], "welcome");
    assert_eq!(said().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_hangs_holds_up_neither_a_rule_nor_who_writes() {
    let sql = SqlStore::sqlite();
    let stage = Stage::caching_in_its_store(&sql.url).await;
    let (bus, mut kitchen) = (bus(&stage).await, stage.device("kitchen").await);
    *stage.people.hangs.lock() = true;
    // As another process tells it, which knew no zone.
    let moved = json!({ "deviceId": "kitchen", "userId": "ada", "eventType": "motion_detected", "at": NOON });
    let event = Event::new(&Cx::root(), "/voice", DEVICE_NOTICED, "ada", moved).expect("is an event");
    bus.publish(DIALOG_EVENTS, event.at(at(NOON))).await.expect("is told");
    // Sooner than who handles it for too long is given up.
    let rung = tokio::time::timeout(Duration::from_secs(8), stage.rung(&mut kitchen));
    assert_eq!(rung.await.expect("nobody waits for the directory")["rule"], "welcome");
    assert_eq!(bus.dead_letters().list(&DeadFilter::default()).await.expect("are listed"), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_is_forgotten_where_the_cache_lives_in_the_same_store() {
    let sql = SqlStore::sqlite();
    let stage = Stage::caching_in_its_store(&sql.url).await;
    stage.say("10분 타이머").await;
    let cached = "SELECT COUNT(*) AS n FROM ieum_cache WHERE name LIKE '%user:ada%'";
    assert_eq!(stage.count(cached).await, 1);
    stage.happened("identity.user.removed.v1", "ada", json!({ "userId": "ada" })).await;
    let kept = "SELECT (SELECT COUNT(*) FROM ieum_voice_context) + (SELECT COUNT(*) FROM ieum_schedule) AS n";
    // Sooner than who handles it for too long is given up.
    let soon = Duration::from_secs(8);
    until("it is forgotten", soon, || async { stage.count(kept).await == 0 }).await.expect("is gone");
    until("the cache forgets", soon, || async { stage.count(cached).await == 0 }).await.expect("is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_device_measures_and_notices_is_told_whole_and_the_latest_is_kept() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    let mut kitchen = stage.device("kitchen").await;
    let measured = |id: &str, at: f64, heat: f64| json!({ "messageId": id, "deviceId": "kitchen", "timestamp": at, "temperature": heat });
    // The second one was measured before the first; the third is the first once more.
    kitchen.send("telemetry", measured("t1", 1_777_604_400.0, 21.5)).await;
    kitchen.send("telemetry", measured("t2", 1_777_604_300.0, 19.0)).await;
    kitchen.send("telemetry", measured("t1", 1_777_604_400.0, 21.5)).await;
    let data = json!({ "location": "door", "intensity": 0.8 });
    kitchen.send("event", json!({ "messageId": "e1", "eventType": "motion", "data": data })).await;
    assert_eq!(kitchen.ask("몇 시야").await["intent"], "time.query");
    let latest = stage.part.trail().measured().await.expect("is read");
    assert_eq!(latest["kitchen"].data, json!({ "temperature": 21.5 }), "{latest:?}");
    let told = |kind: &str| {
        format!("SELECT COUNT(DISTINCT event_id) AS n FROM ieum_bus_log WHERE body LIKE '%{kind}%'")
    };
    let whole = async || {
        stage.count(&told("voice.device.measured.v1")).await == 2
            && stage.count(&told("\"intensity\":0.8")).await == 1
    };
    until("all is told", PATIENCE, whole).await.expect("is told");
    kitchen.send("telemetry", "[1]").await;
    assert_eq!(kitchen.hear().await["payload"]["reason"], "voice.message.invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_goes_by_our_clock_whatever_the_devices_says() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    let mut kitchen = stage.device("kitchen").await;
    // Noticed at night by its clock, which is ten hours behind.
    let moved = |id: &str| json!({ "messageId": id, "timestamp": 1_777_604_400.0 - 36_000.0, "eventType": "motion_detected" });
    kitchen.send("event", moved("m1")).await;
    assert_eq!(stage.rung(&mut kitchen).await["rule"], "welcome");
    stage.clock.advance(Duration::from_secs(2 * 3_600));
    kitchen.send("event", moved("m2")).await;
    assert_eq!(stage.rung(&mut kitchen).await["rule"], "welcome", "two hours later by our clock");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statistics_are_read_by_day_and_person_and_let_go_of_after_a_year() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    for said in ["몇 시야", "what time is it", "아무도 모르는 말"] {
        stage.say(said).await;
    }
    let trail = stage.part.trail();
    let counted =
        async || trail.people().await.is_ok_and(|people| people.first().is_some_and(|ada| ada.turns == 3));
    until("all are counted", PATIENCE, counted).await.expect("are counted");
    let told = async || {
        trail.tallies(1).await.is_ok_and(|found| found.iter().map(|one| one.turns).sum::<i64>() == 3)
    };
    until("all are told", PATIENCE, told).await.expect("are told");
    let found = trail.tallies(1).await.expect("is read");
    let first = &found[0];
    assert_eq!((first.day.as_str(), first.intent.as_str(), first.turns), ("2026-05-01", "time.query", 2));
    assert_eq!(trail.today(), first.day);
    assert_eq!(trail.people().await.expect("is read")[0].user_id, "ada");
    stage.clock.advance(Duration::from_secs(86_400));
    assert_eq!(trail.tallies(1).await.expect("is read"), []);
    assert_eq!(trail.today(), "2026-05-02");
    assert_eq!(trail.tallies(2).await.expect("is read").len(), found.len());
    stage.clock.advance(Duration::from_secs(401 * 86_400));
    let rows =
        "SELECT (SELECT COUNT(*) FROM ieum_voice_tally) + (SELECT COUNT(*) FROM ieum_voice_activity) AS n";
    let is_gone = async || {
        // Whoever cleans up may only just have begun to wait.
        stage.clock.advance(Duration::from_secs(3_600));
        stage.count(rows).await == 0
    };
    until("what is old is let go of", PATIENCE, is_gone).await.expect("is let go of");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_person_who_is_known_no_more_nothing_stays() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    let mut kitchen = stage.device("kitchen").await;
    let things = json!([{ "id": "l1", "name": "lamp" }]);
    kitchen.send("event", json!({ "eventType": "things", "data": { "things": things } })).await;
    assert_eq!(kitchen.ask("10분 타이머").await["intent"], "timer.start");
    kitchen.send("event", json!({ "eventType": "motion_detected" })).await;
    kitchen.send("audio", part("r1", 0, false, "what ")).await;
    let others = DialogTurn { user_id: Some("bob".into()), device_id: None, ..turn("", "10분 타이머") };
    assert_eq!(stage.try_say(others).await.expect("is answered").turn_count, 1);
    let of = |user: &str| {
        let (turns, owns) = (format!("answer LIKE '%\"userId\":\"{user}\"%'"), format!("user_id = '{user}'"));
        let counts = [
            format!("SELECT COUNT(*) FROM ieum_voice_turn WHERE {turns}"),
            format!("SELECT COUNT(*) FROM ieum_voice_context WHERE {owns}"),
            format!("SELECT COUNT(*) FROM ieum_voice_activity WHERE {owns}"),
            format!("SELECT COUNT(*) FROM ieum_voice_thing WHERE {owns}"),
            format!("SELECT COUNT(*) FROM ieum_voice_zone WHERE {owns}"),
            format!("SELECT COUNT(*) FROM ieum_schedule WHERE owner = '{user}'"),
        ];
        format!("SELECT ({}) AS n", counts.join(") + ("))
    };
    until("all is kept", PATIENCE, || async { stage.count(&of("ada")).await == 6 }).await.expect("is kept");
    until("of Bob too", PATIENCE, || async { stage.count(&of("bob")).await == 4 }).await.expect("is kept");
    for _ in 0..2 {
        stage.happened("identity.user.removed.v1", "ada", json!({ "userId": "ada" })).await;
    }
    until("it is forgotten", PATIENCE, || async { stage.count(&of("ada")).await == 0 })
        .await
        .expect("is gone");
    assert_eq!(stage.count(&of("bob")).await, 4, "Bob stays");
    assert_eq!(stage.say("타이머 얼마나 남았어?").await.text, "맞춰 둔 타이머가 없어요.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn things_and_recordings_follow_their_device() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    let mut kitchen = stage.device("kitchen").await;
    let things = json!([{ "id": "s1", "name": "safe" }]);
    kitchen.send("event", json!({ "eventType": "things", "data": { "things": things } })).await;
    kitchen.send("audio", part("r1", 0, false, "what ")).await;
    assert_eq!(kitchen.ask("what time is it").await["intent"], "time.query");
    let by_bath = async |text: &str| stage.try_say(turn("bath", text)).await.expect("is answered").text;
    assert_eq!(by_bath("turn on the safe").await, "The safe is on.");
    let device = |owner: &str| {
        json!({ "deviceId": "kitchen", "userId": owner, "type": "speaker", "name": "", "premium": false,
            "registeredAt": "2026-05-01T03:00:00Z" })
    };
    stage.people.owners.lock().insert("kitchen".into(), "bob".into());
    stage.happened("identity.device.removed.v1", "ada", device("ada")).await;
    stage.happened("identity.device.registered.v1", "bob", device("bob")).await;
    let moved = "SELECT COUNT(*) AS n FROM ieum_voice_thing WHERE user_id = 'bob'";
    until("it moves", PATIENCE, || async { stage.count(moved).await == 1 }).await.expect("has moved");
    let recorded = "SELECT COUNT(*) AS n FROM ieum_voice_chunk";
    until("the sounds go", PATIENCE, || async { stage.count(recorded).await == 0 }).await.expect("are gone");
    assert_ne!(by_bath("turn on the safe").await, "The safe is on.", "it is Ada's no more");
    let told = stage.try_say(turn("kitchen", "turn on the safe")).await.expect("is answered");
    assert_eq!((told.user_id.as_str(), told.text.as_str()), ("bob", "The safe is on."));
}
