//! What holds for charges, whatever keeps them.

use std::time::Duration;

use ieum_contracts::payment::{BeginCharge, ChargeId, Charges};

use crate::stage::{Stage, cx, speaker};

pub async fn a_charge_under_one_id_begins_once_and_ends_once(stage: &Stage) {
    let first = stage.charges.begin(&cx(), speaker()).await.expect("begins");
    stage.clock.advance(Duration::from_secs(60));
    let second = stage.charges.begin(&cx(), speaker()).await.expect("is the same");
    assert_eq!((&first, first.won_per_month), (&second, 2_900));
    assert_eq!(stage.of_ada().await, std::slice::from_ref(&first));
    let id = ChargeId { charge_id: first.charge_id };
    stage.charges.end(&cx(), id.clone()).await.expect("ends");
    let ended = stage.of_ada().await[0].ended_at;
    stage.clock.advance(Duration::from_secs(60));
    stage.charges.end(&cx(), id).await.expect("has ended");
    assert!(ended.is_some());
    assert_eq!(stage.of_ada().await[0].ended_at, ended);
    stage.charges.end(&cx(), ChargeId { charge_id: "none".into() }).await.expect("is no failure");
}

pub async fn one_that_ended_may_begin_again(stage: &Stage) {
    let first = stage.charges.begin(&cx(), speaker()).await.expect("begins");
    stage.charges.end(&cx(), ChargeId { charge_id: first.charge_id.clone() }).await.expect("ends");
    stage.clock.advance(Duration::from_secs(60));
    let again = stage.charges.begin(&cx(), speaker()).await.expect("begins again");
    assert!(again.begun_at > first.begun_at && again.ended_at.is_none());
}

pub async fn what_has_no_price_is_refused_and_not_kept(stage: &Stage) {
    let yacht = BeginCharge { item: "yacht".into(), ..speaker() };
    let fault = stage.charges.begin(&cx(), yacht).await.expect_err("has no price");
    assert_eq!(&*fault.reason, "payment.refused");
    let nameless = BeginCharge { user_id: String::new(), ..speaker() };
    let fault = stage.charges.begin(&cx(), nameless).await.expect_err("names nobody");
    assert_eq!((&*fault.reason, fault.message.split(':').next()), ("payment.invalid", Some("userId")));
    assert!(stage.of_ada().await.is_empty());
}
