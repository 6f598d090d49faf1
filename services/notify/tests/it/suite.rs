//! What must hold over every store.

use std::collections::BTreeMap;
use std::time::Duration;

use ieum_contracts::notify::{
    Channel, MessageId, MessageState, NotificationId, NotifyMessages, NotifyRecipients, QuietHours,
    RecipientId, SendNotification,
};
use ieum_core::Cx;
use ieum_testkit::wait::until;

pub use crate::heard::*;
use crate::script::Act;
use crate::stage::{Stage, at, cx, wish};

pub async fn a_notification_is_told_on_every_wanted_channel_once(stage: &Stage) {
    let accepted = stage.send("n-1", "everywhere").await;
    let states: Vec<_> = accepted.iter().map(|message| (message.channel, message.state)).collect();
    assert!(states.contains(&(Channel::InApp, MessageState::Sent)), "{states:?}");
    assert_eq!(states.len(), 3);
    stage.send("n-1", "everywhere").await;
    stage.settle().await;
    stage.send("n-1", "everywhere").await;
    stage.settle().await;
    let letters = stage.mail.letters();
    assert_eq!((letters.len(), stage.push.letters().len()), (1, 1));
    assert_eq!((letters[0].to.as_str(), letters[0].title.as_str()), ("ada@example.org", "Title of n-1"));
    assert_eq!(stage.push.letters()[0].to, "topic-of-ada");
    let mail = stage.message("n-1", Channel::Email).await;
    assert_eq!((mail.state, mail.provider.as_deref(), mail.attempts), (MessageState::Sent, Some("mail"), 1));
    assert_eq!(mail.provider_reference, Some(format!("mail-{}", mail.message_id)));
    assert_eq!(stage.send("n-2", "nothing").await, []);
    assert_eq!(stage.all().await.len(), 3);
}

pub async fn preferences_are_asked_again_when_a_message_is_about_to_be_sent(stage: &Stage) {
    stage.send("n-1", "mail").await;
    stage.send("n-2", "push").await;
    stage
        .save(|ada| {
            ada.preferences.kinds.insert("mail".into(), vec![]);
            ada.addresses.remove(&Channel::Push);
        })
        .await;
    stage.settle().await;
    let skipped = |why: &str| (MessageState::Skipped, why.to_owned());
    assert_eq!(stage.state("n-1", Channel::Email).await, skipped("unwanted"));
    assert_eq!(stage.state("n-2", Channel::Push).await, skipped("no_address"));
    assert_eq!((stage.mail.asked(), stage.push.asked()), (0, 0));
}

pub async fn quiet_hours_hold_back_until_morning_and_urgent_messages_pass(stage: &Stage) {
    let quiet = QuietHours { from: "11:00".into(), until: "14:00".into() };
    stage.save(|ada| ada.preferences.quiet = Some(quiet)).await;
    stage.send("n-1", "mail").await;
    stage.try_send(SendNotification { urgent: true, ..wish("n-2", "mail") }).await.expect("is accepted");
    stage.settle().await;
    assert_eq!(stage.state("n-1", Channel::Email).await, (MessageState::Pending, "quiet_hours".to_owned()));
    assert_eq!(stage.message("n-1", Channel::Email).await.due_at, Some(at("2026-05-01T05:00:00Z")));
    assert_eq!(stage.state("n-2", Channel::Email).await.0, MessageState::Sent);
    stage.pass(2 * 3_600 - 1);
    stage.settle().await;
    assert_eq!(stage.mail.letters().len(), 1);
    stage.pass(1);
    stage.settle().await;
    assert_eq!(stage.state("n-1", Channel::Email).await.0, MessageState::Sent);
    assert_eq!(stage.message("n-1", Channel::Email).await.attempts, 1, "waiting is no attempt");
}

pub async fn a_digest_is_sent_once_however_many_processes_send(stage: &Stage) {
    for id in ["n-1", "n-2", "n-3"] {
        stage.send(id, "daily").await;
    }
    stage.settle().await;
    assert_eq!(stage.state("n-1", Channel::Email).await.0, MessageState::Held);
    assert_eq!(stage.mail.asked(), 0);
    let unwanted = |recipient: &mut ieum_contracts::notify::Recipient| {
        recipient.preferences.kinds.insert("daily2".into(), vec![]);
    };
    stage.save(unwanted).await;
    // 08:00 in Seoul is 20 hours after noon.
    stage.pass(20 * 3_600);
    let others = [stage.another(), stage.another(), stage.another()];
    for _ in 0..3 {
        let rounds = others.iter().map(|part| part.send_due());
        for ended in futures::future::join_all(rounds).await {
            // On a server, of two who want the same rows one may be told to try again.
            if let Err(fault) = ended {
                assert!(fault.is_retryable(), "{fault:?}");
            }
        }
    }
    stage.settle().await;
    let letters = stage.mail.letters();
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(letters[0].title, "3 messages for you");
    for id in ["n-1", "n-2", "n-3"] {
        assert!(letters[0].body.contains(&format!("- Title of {id}")), "{}", letters[0].body);
        assert_eq!(stage.state(id, Channel::Email).await.0, MessageState::Digested);
    }
    stage.send("n-4", "daily").await;
    stage.settle().await;
    stage.pass(24 * 3_600);
    stage.settle().await;
    assert_eq!(stage.mail.letters().len(), 2, "the next day has its own");
    assert_eq!(stage.mail.letters()[1].title, "1 message for you");
}

pub async fn the_next_provider_is_asked_where_one_did_not_take_a_message(stage: &Stage) {
    stage.mail.will(&[Act::TurnAway]);
    stage.send("n-1", "mail").await;
    stage.settle().await;
    assert_eq!((stage.mail.asked(), stage.spare_mail.letters().len()), (1, 1));
    let message = stage.message("n-1", Channel::Email).await;
    assert_eq!((message.state, message.provider.as_deref()), (MessageState::Sent, Some("spare-mail")));
    assert_eq!(message.attempts, 1, "two providers are one attempt");
}

pub async fn mail_that_may_have_been_sent_is_not_sent_again_until_a_person_says_so(stage: &Stage) {
    stage.mail.will(&[Act::TakeAndLoseTheAnswer]);
    stage.send("n-1", "mail").await;
    stage.settle().await;
    stage.pass(7 * 24 * 3_600);
    stage.settle().await;
    assert_eq!((stage.mail.asked(), stage.spare_mail.asked()), (1, 0));
    let uncertain = stage.message("n-1", Channel::Email).await;
    assert_eq!(uncertain.state, MessageState::Uncertain);
    let ask = MessageId { message_id: uncertain.message_id, recipient_id: None };
    let again = stage.messages.resend(&cx(), ask.clone()).await.expect("may be sent again");
    assert_eq!(again.state, MessageState::Pending);
    stage.settle().await;
    assert_eq!(stage.state("n-1", Channel::Email).await.0, MessageState::Sent);
    assert_eq!(
        stage.mail.letters()[0].id,
        stage.mail.letters()[1].id,
        "the receiver can tell it is the same"
    );
    let refused = stage.messages.resend(&cx(), ask).await.expect_err("was sent");
    assert_eq!(refused.reason, "notify.not_failed");
}

pub async fn a_push_that_may_have_been_sent_is_repeated_by_the_same_provider_alone(stage: &Stage) {
    stage.push.will(&[Act::TakeAndLoseTheAnswer, Act::TurnAway]);
    stage.send("n-1", "push").await;
    stage.settle().await;
    assert_eq!(stage.state("n-1", Channel::Push).await.0, MessageState::Pending);
    stage.pass(3_600);
    stage.settle().await;
    assert_eq!((stage.push.asked(), stage.spare_push.asked()), (2, 0), "another would tell it twice");
    // It may be with the person by now: no preference takes it back.
    stage.save(|ada| drop(ada.preferences.kinds.insert("push".into(), vec![]))).await;
    stage.pass(3_600);
    stage.settle().await;
    let letters = stage.push.letters();
    assert_eq!((letters.len(), stage.spare_push.asked()), (2, 0));
    assert_eq!(letters[0].id, letters[1].id, "the device shows one");
    assert_eq!(stage.state("n-1", Channel::Push).await.0, MessageState::Sent);
}

/// Lets a process send until its provider has the message, and ends it there: nothing after is written.
async fn end_while_sending(stage: &Stage, asked: impl Fn() -> usize) {
    let doomed = stage.another();
    let sending = tokio::spawn(async move { doomed.send_due().await });
    until("the provider has it", Duration::from_secs(120), || async { asked() == 1 })
        .await
        .expect("is asked");
    sending.abort();
    assert!(sending.await.expect_err("was ended").is_cancelled());
}

pub async fn a_process_that_ends_while_sending_mail_leaves_it_uncertain_and_never_doubled(stage: &Stage) {
    stage.mail.will(&[Act::TakeAndHang]);
    stage.send("n-1", "mail").await;
    end_while_sending(stage, || stage.mail.asked()).await;
    assert_eq!(stage.state("n-1", Channel::Email).await.0, MessageState::Sending);
    stage.settle().await;
    assert_eq!(stage.mail.asked(), 1, "the other process may be alive");
    stage.pass(61);
    stage.settle().await;
    stage.pass(24 * 3_600);
    stage.settle().await;
    assert_eq!((stage.mail.letters().len(), stage.spare_mail.asked()), (1, 0));
    assert_eq!(stage.state("n-1", Channel::Email).await.0, MessageState::Uncertain);
}

pub async fn a_process_that_ends_while_pushing_has_it_repeated_under_the_same_id(stage: &Stage) {
    stage.push.will(&[Act::TakeAndHang]);
    stage.send("n-1", "push").await;
    end_while_sending(stage, || stage.push.asked()).await;
    stage.pass(61);
    stage.settle().await;
    let letters = stage.push.letters();
    assert_eq!((letters.len(), stage.spare_push.asked()), (2, 0));
    assert_eq!(letters[0].id, letters[1].id);
    assert_eq!(stage.state("n-1", Channel::Push).await.0, MessageState::Sent);
}

pub async fn what_nobody_takes_is_tried_again_and_then_failed(stage: &Stage) {
    stage.mail.will(&[Act::TurnAway; 64]);
    stage.spare_mail.will(&[Act::TurnAway; 64]);
    stage.send("n-1", "mail").await;
    stage.settle().await;
    let first = stage.message("n-1", Channel::Email).await;
    assert_eq!((first.state, first.attempts), (MessageState::Pending, 1));
    assert!(first.due_at.is_some_and(|due| due > at("2026-05-01T03:00:04Z")), "{first:?}");
    for _ in 0..20 {
        stage.pass(4_000);
        stage.settle().await;
    }
    let last = stage.message("n-1", Channel::Email).await;
    assert_eq!((last.state, last.attempts), (MessageState::Failed, 8));
    assert_eq!(last.reason.as_deref(), Some("turned away"));
}

pub async fn a_refused_message_is_not_tried_again(stage: &Stage) {
    stage.mail.will(&[Act::Refuse]);
    stage.send("n-1", "mail").await;
    stage.settle().await;
    stage.pass(24 * 3_600);
    stage.settle().await;
    assert_eq!((stage.mail.asked(), stage.spare_mail.asked()), (1, 0));
    assert_eq!(
        stage.state("n-1", Channel::Email).await,
        (MessageState::Failed, "no such address".to_owned())
    );
}

pub async fn a_provider_that_fails_is_left_alone_for_a_while(stage: &Stage) {
    stage.mail.will(&[Act::TurnAway; 64]);
    for number in 0..12 {
        stage.send(&format!("n-{number}"), "mail").await;
        stage.settle().await;
    }
    assert_eq!((stage.mail.asked(), stage.spare_mail.letters().len()), (5, 12));
    stage.mail.will(&[]);
    stage.pass(31);
    stage.send("n-last", "mail").await;
    stage.settle().await;
    assert_eq!(stage.message("n-last", Channel::Email).await.provider.as_deref(), Some("mail"));
}

pub async fn two_processes_never_send_the_same_message_twice(stage: &Stage) {
    for number in 0..60 {
        stage.send(&format!("n-{number}"), "mail").await;
    }
    let others = [stage.another(), stage.another()];
    until("everything is sent", Duration::from_secs(120), || async {
        futures::future::join_all(others.iter().map(|part| part.send_due())).await;
        stage.all().await.iter().all(|message| message.state == MessageState::Sent)
    })
    .await
    .expect("is sent");
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for letter in stage.mail.letters() {
        *counts.entry(letter.id).or_default() += 1;
    }
    assert_eq!((counts.len(), counts.values().max()), (60, Some(&1)));
}

pub async fn a_removed_recipient_leaves_nothing_behind(stage: &Stage) {
    stage.send("n-1", "everywhere").await;
    let ask = RecipientId { recipient_id: "ada".into() };
    stage.recipients.remove(&cx(), ask.clone()).await.expect("is known");
    stage.settle().await;
    assert_eq!((stage.mail.asked(), stage.all().await.len()), (0, 0));
    let gone = stage.recipients.get(&Cx::root(), ask).await.expect_err("is gone");
    assert_eq!(gone.reason, "notify.recipient.unknown");
}

pub async fn what_is_wrong_with_a_wish_is_named_and_nothing_is_kept(stage: &Stage) {
    let reason = |wish: SendNotification| async { stage.try_send(wish).await.expect_err("is wrong").reason };
    let unknown = SendNotification { recipient_id: "bob".into(), ..wish("n-1", "mail") };
    assert_eq!(reason(unknown).await, "notify.recipient.unknown");
    let template = SendNotification { template: "none".into(), ..wish("n-1", "mail") };
    assert_eq!(reason(template).await, "notify.template.unknown");
    let values = SendNotification { values: BTreeMap::new(), ..wish("n-1", "mail") };
    assert_eq!(reason(values).await, "notify.invalid");
    assert_eq!(reason(wish("", "mail")).await, "notify.invalid");
    assert_eq!(stage.all().await, []);
    let ask = NotificationId { notification_id: "n-1".into() };
    let unknown = stage.messages.show(&Cx::root(), ask).await.expect_err("is unknown");
    assert_eq!(unknown.reason, "notify.unknown");
}

pub async fn old_messages_are_purged_and_waiting_ones_stay(stage: &Stage) {
    stage.send("n-1", "everywhere").await;
    stage.settle().await;
    stage.pass(60);
    let quiet = QuietHours { from: "11:00".into(), until: "14:00".into() };
    stage.save(|ada| ada.preferences.quiet = Some(quiet)).await;
    stage.send("n-2", "mail").await;
    stage.settle().await;
    stage.pass(90 * 86_400 - 90);
    assert_eq!(stage.part.purge().await.expect("purges"), 0);
    stage.pass(60);
    assert_eq!(stage.part.purge().await.expect("purges"), 3);
    let left = stage.all().await;
    assert_eq!((left.len(), left[0].notification_id.as_str()), (1, "n-2"));
}
