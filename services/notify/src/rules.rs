//! Pure decisions: which channels, now or later, alone or in a digest, and whether a recipient is well described.

use ieum_contracts::notify::{Channel, Preferences, Recipient, SendNotification};
use ieum_core::{Fault, Timestamp};

use crate::zone::{is_within, next, time_of_day, zone};

/// The longest id of a recipient.
const LONGEST_RECIPIENT: usize = 120;
/// The longest id of a notification, and the longest kind.
const LONGEST_NAME: usize = 150;
/// The longest address.
const LONGEST_ADDRESS: usize = 512;

/// What is to be done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Send it now.
    Send,
    /// Never send it, for this reason.
    Skip(&'static str),
    /// Decide again at this time.
    Wait(Timestamp),
    /// Gather it into the digest of this time.
    Gather(Timestamp),
}

/// A message as decisions see it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// How.
    pub channel: Channel,
    /// What it is about.
    pub kind: &'a str,
    /// Whether it may disturb.
    pub urgent: bool,
    /// Whether it is itself a digest, which is never gathered nor unwanted by kind.
    pub digest: bool,
}

/// Returns the channels on which the recipient wants a kind.
pub fn channels(preferences: &Preferences, kind: &str) -> Vec<Channel> {
    let fitting = preferences.kinds.iter().filter(|(pattern, _)| fits(pattern, kind));
    let chosen =
        fitting.max_by_key(|(pattern, _)| (pattern.trim_end_matches('*').len(), !pattern.ends_with('*')));
    match chosen {
        Some((_, channels)) => channels.clone(),
        None => vec![Channel::InApp, Channel::Email],
    }
}

fn fits(pattern: &str, kind: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == kind, |beginning| kind.starts_with(beginning))
}

/// Returns what is to be done with a message at `now`.
pub fn plan(recipient: &Recipient, asked: Asked<'_>, now: Timestamp) -> Plan {
    let preferences = &recipient.preferences;
    if !asked.digest && !channels(preferences, asked.kind).contains(&asked.channel) {
        return Plan::Skip("unwanted");
    }
    if asked.channel == Channel::InApp {
        return Plan::Send;
    }
    if recipient.addresses.get(&asked.channel).is_none_or(String::is_empty) {
        return Plan::Skip("no_address");
    }
    // A recipient was checked when it was saved; one that is damaged since is told at once.
    let Some(zone) = zone(&recipient.zone).filter(|_| !asked.urgent) else { return Plan::Send };
    if let Some(digest) =
        preferences.digest.as_ref().filter(|_| asked.channel == Channel::Email && !asked.digest)
        && digest.kinds.iter().any(|pattern| fits(pattern, asked.kind))
        && let Some(at) = time_of_day(&digest.at).and_then(|at| next(&zone, at, now))
    {
        return Plan::Gather(at);
    }
    if let Some(quiet) = &preferences.quiet
        && let (Some(from), Some(until)) = (time_of_day(&quiet.from), time_of_day(&quiet.until))
        && is_within(&zone, from, until, now)
        && let Some(at) = next(&zone, until, now)
    {
        return Plan::Wait(at);
    }
    Plan::Send
}

/// Checks a recipient; fails with `notify.invalid`, naming the field.
pub fn check_recipient(recipient: &Recipient) -> Result<(), Fault> {
    let id = &recipient.recipient_id;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:@".contains(letter);
    if id.is_empty() || id.len() > LONGEST_RECIPIENT || !id.chars().all(plain) {
        return Err(invalid("recipientId", "must be 1 to 120 letters, digits or - _ . : @"));
    }
    if zone(&recipient.zone).is_none() {
        return Err(invalid(
            "zone",
            &format!("{:?} is no IANA time zone such as Asia/Seoul", recipient.zone),
        ));
    }
    for (channel, address) in &recipient.addresses {
        check_address(*channel, address)?;
    }
    let time = |field: &str, text: &str| match time_of_day(text) {
        Some(_) => Ok(()),
        None => Err(invalid(field, &format!("{text:?} is no time such as 07:30"))),
    };
    if let Some(quiet) = &recipient.preferences.quiet {
        time("preferences.quiet.from", &quiet.from)?;
        time("preferences.quiet.until", &quiet.until)?;
        if quiet.from == quiet.until {
            return Err(invalid(
                "preferences.quiet.until",
                "is quiet.from as well, which would be always or never",
            ));
        }
    }
    if let Some(digest) = &recipient.preferences.digest {
        time("preferences.digest.at", &digest.at)?;
    }
    Ok(())
}

fn check_address(channel: Channel, address: &str) -> Result<(), Fault> {
    let field = format!("addresses.{}", channel.name());
    if address.len() > LONGEST_ADDRESS || address.chars().any(char::is_control) {
        return Err(invalid(&field, "is longer than 512 bytes or holds control characters"));
    }
    let right = match channel {
        Channel::InApp => false,
        Channel::Email => address.parse::<lettre::Address>().is_ok(),
        // E.164: a plus and at most 15 digits.
        Channel::Sms => address.strip_prefix('+').is_some_and(|digits| {
            (7..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
        }),
        Channel::Push => !address.is_empty(),
    };
    // Not repeated: an address is about a person.
    let problem = match channel {
        Channel::InApp => "needs no address",
        Channel::Email => "is no email address",
        Channel::Sms => "is no number such as +821012345678",
        Channel::Push => "is empty",
    };
    if right { Ok(()) } else { Err(invalid(&field, problem)) }
}

/// Checks a wish; fails with `notify.invalid`, naming the field.
pub fn check_wish(wish: &SendNotification) -> Result<(), Fault> {
    for (field, text) in [("notificationId", &wish.notification_id), ("kind", &wish.kind)] {
        if text.is_empty() || text.len() > LONGEST_NAME || text.chars().any(char::is_control) {
            return Err(invalid(field, "must be 1 to 150 bytes without control characters"));
        }
    }
    Ok(())
}

/// Says which field is wrong.
pub fn invalid(field: &str, problem: &str) -> Fault {
    Fault::invalid_argument("notify.invalid", format!("field {field}: {problem}"))
}

#[cfg(test)]
mod tests {
    use ieum_contracts::notify::{Digest, QuietHours};

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("is a time")
    }

    fn recipient() -> Recipient {
        Recipient {
            recipient_id: "r-1".into(),
            zone: "Asia/Seoul".into(),
            addresses: [(Channel::Email, "a@example.org".to_owned())].into(),
            preferences: Preferences {
                kinds: [
                    ("events.*".to_owned(), vec![Channel::InApp, Channel::Email, Channel::Sms]),
                    ("events.alert".to_owned(), vec![Channel::Email]),
                    ("news".to_owned(), vec![]),
                ]
                .into(),
                quiet: Some(QuietHours { from: "22:00".into(), until: "07:00".into() }),
                digest: Some(Digest { at: "08:00".into(), kinds: vec!["events.daily*".into()] }),
            },
            ..Recipient::default()
        }
    }

    fn planned(kind: &str, channel: Channel, urgent: bool, now: &str) -> Plan {
        plan(&recipient(), Asked { channel, kind, urgent, digest: false }, at(now))
    }

    #[test]
    fn the_longest_kind_that_fits_says_which_channels() {
        let wanted = |kind| channels(&recipient().preferences, kind);
        assert_eq!(wanted("events.alert"), [Channel::Email]);
        assert_eq!(wanted("events.other"), [Channel::InApp, Channel::Email, Channel::Sms]);
        assert_eq!(wanted("news"), []);
        assert_eq!(wanted("billing"), [Channel::InApp, Channel::Email]);
    }

    #[test]
    fn quiet_hours_hold_back_what_is_not_urgent() {
        let (night, day) = ("2026-05-01T13:30:00Z", "2026-05-01T03:00:00Z");
        assert_eq!(planned("events.alert", Channel::Email, false, day), Plan::Send);
        assert_eq!(
            planned("events.alert", Channel::Email, false, night),
            Plan::Wait(at("2026-05-01T22:00:00Z"))
        );
        assert_eq!(planned("events.alert", Channel::Email, true, night), Plan::Send);
        assert_eq!(planned("events.other", Channel::InApp, false, night), Plan::Send);
    }

    #[test]
    fn what_is_unwanted_or_has_no_address_is_never_sent_and_what_is_gathered_waits() {
        let day = "2026-05-01T03:00:00Z";
        assert_eq!(planned("news", Channel::Email, true, day), Plan::Skip("unwanted"));
        assert_eq!(planned("events.other", Channel::Sms, true, day), Plan::Skip("no_address"));
        let gathered = Plan::Gather(at("2026-05-01T23:00:00Z"));
        assert_eq!(planned("events.daily.sums", Channel::Email, false, day), gathered);
        assert_eq!(planned("events.daily.sums", Channel::Email, true, day), Plan::Send);
        let digest = Asked { channel: Channel::Email, kind: "digest", urgent: false, digest: true };
        assert_eq!(plan(&recipient(), digest, at(day)), Plan::Send);
    }

    #[test]
    fn a_wrong_recipient_is_refused_by_its_field() {
        let refused = |change: fn(&mut Recipient)| {
            let mut recipient = recipient();
            change(&mut recipient);
            check_recipient(&recipient).expect_err("is wrong").message
        };
        assert!(check_recipient(&recipient()).is_ok());
        assert!(refused(|one| one.zone = "Seoul".into()).starts_with("field zone: \"Seoul\" is no IANA"));
        assert!(refused(|one| one.recipient_id = "a b".into()).starts_with("field recipientId"));
        let email =
            |one: &mut Recipient| drop(one.addresses.insert(Channel::Email, "a@b\r\nBcc: c@d".into()));
        assert!(refused(email).starts_with("field addresses.email"));
        let sms = |one: &mut Recipient| drop(one.addresses.insert(Channel::Sms, "010-1234".into()));
        assert_eq!(refused(sms), "field addresses.sms: is no number such as +821012345678");
        let quiet = |one: &mut Recipient| {
            one.preferences.quiet = Some(QuietHours { from: "22".into(), until: "07:00".into() });
        };
        assert_eq!(refused(quiet), "field preferences.quiet.from: \"22\" is no time such as 07:30");
    }
}
