//! What holds for sagas and schedules, whatever keeps them.

use std::time::Duration;

use ieum_core::Fault;
use ieum_saga::{ListSagas, Next, Phase, SagaError, Schedule};
use serde_json::json;

use crate::stage::{Registration, Stage, cx, device, noon, ring};

fn refused() -> Fault {
    Fault::failed_precondition("billing.refused", "charging for a device")
}

fn down() -> Fault {
    Fault::unavailable("billing.down", "charging for a device")
}

async fn begin(stage: &Stage, id: &str) {
    assert!(stage.sagas.begin::<Registration>(&cx(), id, &device("lamp")).await.expect("begins"));
}

/// Runs until nothing is due any more, letting time pass.
async fn run_out(stage: &Stage) {
    for _ in 0..100 {
        if stage.sagas.run_due().await.expect("runs") == 0 {
            stage.clock.advance(Duration::from_secs(400));
            if stage.sagas.run_due().await.expect("runs") == 0 {
                return;
            }
        }
    }
    panic!("it never ends");
}

pub async fn steps_are_done_in_order_and_the_end_is_told_once(stage: &Stage) {
    begin(stage, "a").await;
    run_out(stage).await;
    let status = stage.sagas.status("a").await.expect("is there");
    assert_eq!((status.phase, status.fault), (Phase::Done, None));
    assert_eq!(status.state["done"], json!(["quota", "registry", "billing"]));
    assert_eq!(stage.script.steps(), ["quota run", "registry run", "billing run"]);
    assert_eq!(stage.told().await, ["done a lamp"]);
    let keys: Vec<String> = stage.script.asked.lock().iter().map(|(_, key)| key.clone()).collect();
    assert_eq!(keys, ["a:quota:run", "a:registry:run", "a:billing:run"]);
}

pub async fn a_refused_step_is_undone_with_all_before_it_in_reverse(stage: &Stage) {
    stage.script.answers.lock().push(("billing run", refused()));
    begin(stage, "a").await;
    run_out(stage).await;
    let status = stage.sagas.status("a").await.expect("is there");
    assert_eq!((status.phase, status.fault), (Phase::Undone, Some(refused())));
    assert_eq!(status.state["done"], json!([]));
    let back = ["billing undo", "registry undo", "quota undo"];
    assert_eq!(stage.script.steps()[3..], back);
    assert_eq!(stage.told().await, ["undone a lamp"]);
}

pub async fn a_step_that_may_pass_is_asked_again_under_the_same_key(stage: &Stage) {
    stage.script.answers.lock().extend([("registry run", down()), ("registry run", down())]);
    begin(stage, "a").await;
    assert_eq!(stage.sagas.run_due().await.expect("runs"), 1);
    assert_eq!(stage.sagas.run_due().await.expect("runs"), 0, "it waits before it asks again");
    let status = stage.sagas.status("a").await.expect("is there");
    assert_eq!((status.phase, &*status.step, status.attempts), (Phase::Running, "registry", 1));
    run_out(stage).await;
    assert_eq!(stage.sagas.status("a").await.expect("is there").phase, Phase::Done);
    let asked = stage.script.asked.lock().clone();
    let keys: Vec<&str> =
        asked.iter().filter(|(step, _)| step == "registry run").map(|(_, key)| key.as_str()).collect();
    assert_eq!(keys, ["a:registry:run"; 3]);
}

pub async fn a_saga_under_the_same_id_begins_once(stage: &Stage) {
    begin(stage, "a").await;
    let again = stage.sagas.begin::<Registration>(&cx(), "a", &device("other")).await.expect("is no failure");
    assert!(!again);
    run_out(stage).await;
    assert_eq!(stage.told().await, ["done a lamp"]);
    assert!(!stage.sagas.begin::<Registration>(&cx(), "a", &device("other")).await.expect("is no failure"));
}

pub async fn a_saga_that_its_transaction_rolled_back_never_was(stage: &Stage) {
    let mut tx = stage.store.begin_write().await.expect("begins");
    stage.sagas.begin_in::<Registration>(&mut tx, &cx(), "a", &device("lamp")).await.expect("begins");
    tx.rollback().await.expect("rolls back");
    run_out(stage).await;
    assert!(matches!(stage.sagas.status("a").await, Err(SagaError::UnknownId { .. })));
    assert!(stage.script.steps().is_empty());
}

pub async fn what_a_dead_process_left_is_taken_over_at_its_step(stage: &Stage) {
    begin(stage, "a").await;
    let held = stage.script.gate.lock().await;
    let sagas = stage.sagas.clone();
    let dying = tokio::spawn(async move { sagas.run_due().await });
    let (other, _) = stage.another();
    // It holds the lease from its first step on.
    ieum_testkit::wait::until("the step to be leased", Duration::from_secs(60), async || {
        let sql = "SELECT id FROM ieum_saga WHERE lease_owner IS NOT NULL";
        stage.store.fetch_optional(sql, &[]).await.expect("reads").is_some()
    })
    .await
    .expect("is leased");
    dying.abort();
    assert!(dying.await.is_err_and(|error| error.is_cancelled()));
    drop(held);
    assert_eq!(other.run_due().await.expect("runs"), 0, "the lease still holds");
    stage.clock.advance(Duration::from_secs(120));
    assert_eq!(other.run_due().await.expect("runs"), 1);
    assert_eq!(other.status("a").await.expect("is there").phase, Phase::Done);
    assert_eq!(stage.told().await, ["done a lamp"]);
}

pub async fn two_processes_never_ask_a_step_at_once(stage: &Stage) {
    for number in 0..20 {
        begin(stage, &format!("s{number}")).await;
    }
    let (other, _) = stage.another();
    for _ in 0..10 {
        let (one, two) = tokio::join!(stage.sagas.run_due(), other.run_due());
        one.expect("runs");
        two.expect("runs");
    }
    let mut keys: Vec<String> = stage.script.asked.lock().iter().map(|(_, key)| key.clone()).collect();
    keys.sort();
    let all = keys.len();
    keys.dedup();
    assert_eq!((keys.len(), all), (60, 60), "each step was asked once");
    assert_eq!(stage.told().await.len(), 20);
}

pub async fn a_stuck_saga_waits_for_a_person_and_goes_on_when_told(stage: &Stage) {
    stage.script.answers.lock().extend([("billing run", refused()), ("registry undo", refused())]);
    begin(stage, "a").await;
    run_out(stage).await;
    let status = stage.sagas.status("a").await.expect("is there");
    assert_eq!((status.phase, &*status.step), (Phase::Stuck, "registry"));
    assert!(stage.told().await.is_empty(), "it has no end yet");
    let stuck = ListSagas { phase: Some(Phase::Stuck), ..ListSagas::default() };
    assert_eq!(stage.sagas.list(&stuck).await.expect("lists").len(), 1);
    assert!(matches!(stage.sagas.resume("b").await, Err(SagaError::UnknownId { .. })));
    assert_eq!(stage.sagas.resume("a").await.expect("resumes").phase, Phase::Undoing);
    run_out(stage).await;
    assert_eq!(stage.sagas.status("a").await.expect("is there").phase, Phase::Undone);
    assert!(matches!(stage.sagas.resume("a").await, Err(SagaError::NotStuck { phase: "undone", .. })));
    assert_eq!(stage.told().await, ["undone a lamp"]);
}

pub async fn an_end_that_cannot_be_told_is_not_kept(stage: &Stage) {
    *stage.script.mute.lock() = true;
    begin(stage, "a").await;
    stage.sagas.run_due().await.expect("runs");
    assert_eq!(stage.sagas.status("a").await.expect("is there").phase, Phase::Running);
    assert!(stage.told().await.is_empty(), "what was told is rolled back");
    *stage.script.mute.lock() = false;
    run_out(stage).await;
    assert_eq!(stage.sagas.status("a").await.expect("is there").phase, Phase::Done);
    assert_eq!(stage.told().await, ["done a lamp"]);
}

pub async fn what_is_over_is_purged_and_what_is_stuck_stays(stage: &Stage) {
    begin(stage, "done").await;
    run_out(stage).await;
    stage.script.answers.lock().extend([("quota run", refused()), ("quota undo", refused())]);
    begin(stage, "stuck").await;
    run_out(stage).await;
    assert_eq!(stage.sagas.purge().await.expect("purges"), 0, "not yet");
    stage.clock.advance(Duration::from_secs(31 * 86_400));
    assert_eq!(stage.sagas.purge().await.expect("purges"), 1);
    assert_eq!(stage.sagas.status("stuck").await.expect("stays").phase, Phase::Stuck);
}

pub async fn what_is_due_happens_once_however_many_processes_look(stage: &Stage) {
    for number in 0..10 {
        let schedule = ring(&format!("t{number}"), Duration::from_secs(60));
        stage.schedules.set(&cx(), &schedule).await.expect("is kept");
    }
    assert_eq!(stage.schedules.run_due().await.expect("looks"), 0, "nothing is due yet");
    stage.clock.advance(Duration::from_secs(60));
    let (_, other) = stage.another();
    let (one, two) = tokio::join!(stage.schedules.run_due(), other.run_due());
    // Who finds everything locked leaves it to the other, which may then have been looking elsewhere.
    let rest = stage.schedules.run_due().await.expect("looks");
    assert_eq!(one.expect("looks") + two.expect("looks") + rest, 10);
    let told = stage.told().await;
    assert_eq!(told.len(), 10, "{told:?}");
    assert_eq!(told[0], "t0 rang \"tea\"");
    assert!(stage.schedules.list("kitchen").await.expect("lists").is_empty());
}

pub async fn what_is_due_at_one_time_happens_in_the_order_in_which_it_was_set(stage: &Stage) {
    let minute = Duration::from_secs(60);
    let earlier = ring("z", minute - Duration::from_secs(7));
    let order = ["m", "c", "x", "a", "q"];
    for id in order {
        stage.schedules.set(&cx(), &ring(id, minute)).await.expect("is kept");
        stage.clock.advance(Duration::from_secs(1));
    }
    stage.schedules.set(&cx(), &earlier).await.expect("is kept");
    let listed = stage.schedules.list("kitchen").await.expect("lists").into_iter();
    let listed: Vec<String> = listed.map(|status| status.schedule.id).collect();
    assert_eq!(listed, ["z", "m", "c", "x", "a", "q"]);
    stage.clock.advance(minute);
    assert_eq!(stage.schedules.run_due().await.expect("rings"), 6);
    assert_eq!(*stage.script.rung.lock(), listed);
}

pub async fn what_fails_is_rolled_back_and_tried_later(stage: &Stage) {
    stage.script.bell.lock().push_back(Err(down()));
    stage.schedules.set(&cx(), &ring("tea", Duration::ZERO)).await.expect("is kept");
    stage.schedules.run_due().await.expect("tries");
    assert!(stage.told().await.is_empty(), "what it wrote is rolled back");
    let listed = stage.schedules.list("kitchen").await.expect("lists");
    assert_eq!((listed[0].attempts, listed[0].failed, listed[0].fault.clone()), (1, false, Some(down())));
    assert_eq!(stage.schedules.run_due().await.expect("looks"), 0, "it waits first");
    stage.clock.advance(Duration::from_secs(5));
    assert_eq!(stage.schedules.run_due().await.expect("does it"), 1);
    assert_eq!(stage.told().await, ["tea rang \"tea\""]);
    stage.script.bell.lock().extend((0..12).map(|_| Err(refused())));
    stage.schedules.set(&cx(), &ring("coffee", Duration::ZERO)).await.expect("is kept");
    for _ in 0..12 {
        stage.schedules.run_due().await.expect("tries");
        stage.clock.advance(Duration::from_secs(1_000));
    }
    let listed = stage.schedules.list("kitchen").await.expect("lists");
    assert_eq!((listed[0].attempts, listed[0].failed), (12, true), "a person must look at it");
    assert_eq!(stage.schedules.run_due().await.expect("looks"), 0);
}

pub async fn a_schedule_comes_again_moves_and_is_cancelled(stage: &Stage) {
    let minute = Duration::from_secs(60);
    stage.script.bell.lock().push_back(Ok(Next::At(noon() + minute)));
    stage.script.bell.lock().push_back(Ok(Next::With(noon() + 2 * minute, json!({ "label": "cake" }))));
    stage.schedules.set(&cx(), &ring("tea", Duration::ZERO)).await.expect("is kept");
    assert_eq!(stage.schedules.run_due().await.expect("rings"), 1);
    stage.clock.advance(minute);
    assert_eq!(stage.schedules.run_due().await.expect("rings"), 1);
    stage.clock.advance(minute);
    assert_eq!(stage.schedules.run_due().await.expect("rings"), 1);
    assert_eq!(stage.told().await, ["tea rang \"cake\"", "tea rang \"tea\"", "tea rang \"tea\""]);
    stage.schedules.set(&cx(), &ring("tea", 3 * minute)).await.expect("is kept");
    stage.schedules.set(&cx(), &ring("tea", 9 * minute)).await.expect("is moved");
    stage.clock.advance(2 * minute);
    assert_eq!(stage.schedules.run_due().await.expect("looks"), 0, "it was moved");
    assert!(stage.schedules.cancel("tea").await.expect("is cancelled"));
    assert!(!stage.schedules.cancel("tea").await.expect("is no failure"));
    stage.clock.advance(9 * minute);
    assert_eq!(stage.schedules.run_due().await.expect("looks"), 0);
}

pub async fn nobody_begins_what_nobody_does(stage: &Stage) {
    let strange = Schedule { name: "test.gong".into(), ..ring("a", Duration::ZERO) };
    let error = stage.schedules.set(&cx(), &strange).await.expect_err("is refused");
    assert!(error.to_string().contains("test.bell"), "{error}");
    let nameless = Schedule { id: String::new(), ..ring("a", Duration::ZERO) };
    assert!(matches!(stage.schedules.set(&cx(), &nameless).await, Err(SagaError::Id { .. })));
    let long = "x".repeat(191);
    let begun = stage.sagas.begin::<Registration>(&cx(), &long, &device("lamp")).await;
    assert!(matches!(begun, Err(SagaError::Id { .. })));
    assert!(stage.schedules.list("kitchen").await.expect("lists").is_empty());
}
