//! Names and passwords (`Authorization: Basic`, RFC 7617) at the doors that take them: for devices, which have no key.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ieum_core::{BoxFuture, Fault, Moment, Secret};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

/// For how long a name and password that were right are not held back by wrong ones from the same address.
const REMEMBERED: Duration = Duration::from_secs(600);
/// Most that are remembered. A flood forgets the rest.
const MOST_REMEMBERED: usize = 50_000;

/// Knows whose passwords are which.
pub trait Passwords: Send + Sync + 'static {
    /// Tells whether `password` is that of `name` now, by a comparison whose time tells nothing. Fails where that
    /// cannot be found out.
    fn verify<'a>(&'a self, name: &'a str, password: &'a Secret) -> BoxFuture<'a, Result<bool, Fault>>;
}

/// Who came with a name and the right password. A handler finds it among a request's extensions, behind
/// [`crate::Gateway::public_with`].
#[derive(Clone)]
pub struct SignedIn {
    name: Arc<str>,
    password: Secret,
    passwords: Arc<dyn Passwords>,
}

/// A door's passwords, with those that were right lately.
pub(crate) struct Signing {
    pub passwords: Arc<dyn Passwords>,
    right: Mutex<HashMap<[u8; 32], Moment>>,
}

/// A name and a password as a header says them.
pub(crate) struct Given {
    pub name: String,
    password: Secret,
    digest: [u8; 32],
}

// === SignedIn ===

impl SignedIn {
    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Checks that the password is still right, for work that goes on long after it was shown. Fails with
    /// `gateway.password_ended`, or where that cannot be found out.
    pub async fn check(&self) -> Result<(), Fault> {
        match self.passwords.verify(&self.name, &self.password).await? {
            true => Ok(()),
            false => {
                let message = "the password that was shown is right no more; sign in anew";
                Err(Fault::unauthenticated("gateway.password_ended", message))
            }
        }
    }
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SignedIn").field("name", &self.name).finish_non_exhaustive()
    }
}

// === Signing ===

impl Signing {
    pub fn new(passwords: Arc<dyn Passwords>) -> Self {
        Self { passwords, right: Mutex::default() }
    }

    /// Tells whether it was right lately.
    pub fn is_remembered(&self, given: &Given, now: Moment) -> bool {
        self.right.lock().get(&given.digest).is_some_and(|at| now.since(*at) < REMEMBERED)
    }

    /// Returns who it is, or `None` where the password is wrong.
    pub async fn sign_in(&self, given: &Given, now: Moment) -> Result<Option<SignedIn>, Fault> {
        if !self.passwords.verify(&given.name, &given.password).await? {
            self.right.lock().remove(&given.digest);
            return Ok(None);
        }
        let mut right = self.right.lock();
        if right.len() >= MOST_REMEMBERED && !right.contains_key(&given.digest) {
            right.clear();
        }
        right.insert(given.digest, now);
        let (password, passwords) = (given.password.clone(), Arc::clone(&self.passwords));
        Ok(Some(SignedIn { name: given.name.as_str().into(), password, passwords }))
    }
}

// === Given ===

impl Given {
    /// Reads what stands behind `Basic`; `None` where it is nothing of the kind.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = BASE64_STANDARD.decode(text.trim()).ok()?;
        let pair = String::from_utf8(bytes).ok()?;
        let (name, password) = pair.split_once(':')?;
        let digest = Sha256::digest(&pair).into();
        Some(Self { name: name.to_owned(), password: Secret::new(password), digest })
    }
}
