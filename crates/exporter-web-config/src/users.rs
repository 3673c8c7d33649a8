//! Who is known, by name and password.

use aws_lc_rs::{hmac, rand};
use bcrypt::HashParts;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use strict_yaml::{Diagnostics, Entries, Text};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Verdicts that are remembered, so that a scrape does not cost a hash.
const REMEMBERED: usize = 100;

/// Hashes computed at once. A wrong password costs a core a tenth of a second,
/// and whoever guesses must not take both.
const AT_ONCE: usize = 1;

/// Who may wait for that. Whoever guesses must not keep the others waiting for
/// longer than a scrape does.
const WAITING: usize = 16;

/// From here on one login takes more than a second.
const SLOW: u32 = 14;

/// The users of the file and the hashes of their passwords.
pub struct Users {
    hashes: BTreeMap<String, String>,
    /// Of this process alone; a verdict is kept under it, and no password.
    key: hmac::Key,
    verdicts: Mutex<HashMap<[u8; 32], bool>>,
    turns: Arc<Semaphore>,
    queue: Semaphore,
}

/// What is known of a user and a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They belong together.
    Known,
    /// They do not.
    Unknown,
    /// Too many wait to be checked.
    Crowded,
}

impl From<bool> for Verdict {
    fn from(known: bool) -> Self {
        match known {
            true => Self::Known,
            false => Self::Unknown,
        }
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Users({})", self.hashes.len())
    }
}

pub(super) fn resolve(entries: &Entries<Text>, diagnostics: &mut Diagnostics) -> Option<Users> {
    let mut hashes = BTreeMap::new();
    for (name, hash) in &entries.0 {
        let text = hash.value.trim();
        match cost(text) {
            Some(cost) if cost > SLOW => diagnostics.warn(
                hash.span,
                "basic_auth_users",
                format!("bcrypt with cost {cost} takes seconds for each login; 10 to 12 is usual"),
            ),
            Some(_) => {}
            None => {
                let line =
                    "this is no bcrypt hash; make one with `htpasswd -nBC 10 \"\" | tr -d ':\\n'`";
                diagnostics.error(hash.span, "basic_auth_users", line);
            }
        }
        hashes.insert(name.value.clone(), text.to_owned());
    }
    (!hashes.is_empty()).then(|| Users::new(hashes)).flatten()
}

/// The cost of a hash that bcrypt can check.
fn cost(hash: &str) -> Option<u32> {
    let parts: HashParts = hash.parse().ok()?;
    (4..=31)
        .contains(&parts.get_cost())
        .then(|| parts.get_cost())
}

impl Users {
    fn new(hashes: BTreeMap<String, String>) -> Option<Self> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new()).ok()?;
        Some(Self {
            hashes,
            key,
            verdicts: Mutex::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            queue: Semaphore::new(WAITING),
        })
    }

    /// Whether this is the password of this user.
    ///
    /// A user who does not exist costs what one who does costs: a hash is
    /// computed all the same, of the cost that is configured, and its verdict
    /// does not count.
    pub async fn know(&self, user: &str, password: &str) -> Verdict {
        let exists = self.hashes.get(user);
        let Some(hash) = exists.or_else(|| self.hashes.values().next()) else {
            return Verdict::Unknown;
        };
        let name = self.name(user, hash, password);
        if let Some(verdict) = self.remembered(&name) {
            return verdict.into();
        }
        let Ok(_waiting) = self.queue.try_acquire() else {
            return Verdict::Crowded;
        };
        let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await else {
            return Verdict::Unknown;
        };
        // Another one with the same password may have waited for the same.
        if let Some(verdict) = self.remembered(&name) {
            return verdict.into();
        }
        let (hash, password) = (hash.clone(), Zeroizing::new(password.to_owned()));
        // The turn ends with the hash, and not with who asked and went away.
        let checked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            bcrypt::verify(password.as_str(), &hash).unwrap_or(false)
        });
        let verdict = checked.await.unwrap_or(false) && exists.is_some();
        self.remember(name, verdict);
        verdict.into()
    }

    /// A name for the three of them that tells nothing of them. Each length is
    /// part of it, so that no other three have the same.
    fn name(&self, user: &str, hash: &str, password: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [user, hash, password] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut name = [0; 32];
        let tag = context.sign();
        name.copy_from_slice(tag.as_ref().get(..32).unwrap_or(&[0; 32]));
        name
    }

    fn remembered(&self, name: &[u8; 32]) -> Option<bool> {
        let verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        verdicts.get(name).copied()
    }

    fn remember(&self, name: [u8; 32], verdict: bool) {
        let mut verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        if verdicts.len() >= REMEMBERED {
            // Guesses fill this quickly. Good verdicts stay while there are
            // others to forget.
            let refused = verdicts
                .iter()
                .find(|(_, good)| !**good)
                .map(|(name, _)| *name);
            let forgotten = refused.or_else(|| verdicts.keys().next().copied());
            if let Some(forgotten) = forgotten {
                verdicts.remove(&forgotten);
            }
        }
        verdicts.insert(name, verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(pairs: &[(&str, &str)]) -> Users {
        let hashes = pairs
            .iter()
            .map(|(user, password)| ((*user).to_owned(), bcrypt::hash(password, 4).unwrap()));
        Users::new(hashes.collect()).unwrap()
    }

    #[tokio::test]
    async fn the_right_password_of_the_right_user_is_known() {
        let users = users(&[("alice", "one"), ("bob", "two")]);
        for _ in 0..2 {
            assert_eq!(users.know("alice", "one").await, Verdict::Known);
            assert_eq!(users.know("bob", "two").await, Verdict::Known);
            assert_eq!(users.know("alice", "two").await, Verdict::Unknown);
            assert_eq!(users.know("bob", "one").await, Verdict::Unknown);
            assert_eq!(users.know("", "one").await, Verdict::Unknown);
        }
    }

    #[tokio::test]
    async fn the_password_of_the_stand_in_does_not_open() {
        let users = users(&[("alice", "one")]);
        assert_eq!(
            users.know("nobody", "one").await,
            Verdict::Unknown,
            "alice's, under another name"
        );
        assert_eq!(
            users.know("nobody", "one").await,
            Verdict::Unknown,
            "nor out of the memory"
        );
    }

    #[tokio::test]
    async fn no_other_three_share_a_verdict() {
        let users = users(&[("alice", "one")]);
        let hash = users.hashes["alice"].clone();
        assert_eq!(users.know("alice", "one").await, Verdict::Known);
        let split = format!("{hash}one");
        assert_eq!(users.know("alice", &split).await, Verdict::Unknown);
        assert_ne!(users.name("a", "bc", "d"), users.name("ab", "c", "d"));
    }

    #[tokio::test]
    async fn many_guesses_neither_fill_the_memory_nor_forget_who_is_known() {
        let users = users(&[("alice", "one")]);
        assert_eq!(users.know("alice", "one").await, Verdict::Known);
        for guess in 0..2 * REMEMBERED {
            assert_eq!(
                users.know("alice", &guess.to_string()).await,
                Verdict::Unknown
            );
        }
        assert_eq!(users.verdicts.lock().unwrap().len(), REMEMBERED);
        let name = users.name("alice", &users.hashes["alice"], "one");
        assert_eq!(users.remembered(&name), Some(true));
    }

    #[test]
    fn the_three_kinds_of_bcrypt_are_hashes() {
        for version in ["2a", "2b", "2y"] {
            let hash =
                format!("${version}$10$7hKcZ1xq0m1WmGxq0c0Ee.5cB5o7R8Xc5u3mRZyXxw6m8q4wZxW2i");
            assert_eq!(cost(&hash), Some(10), "{hash}");
        }
        for text in [
            "",
            "password",
            "$1$abc$def",
            "$2b$03$7hKcZ1xq0m1WmGxq0c0Ee.5cB5o7R8Xc5u3mRZyXxw6m8q4wZxW2i",
            "$2b$10$short",
        ] {
            assert_eq!(cost(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn who_goes_away_does_not_make_room_for_another_hash() {
        let slow = bcrypt::hash("one", 10).unwrap();
        let users = Users::new(BTreeMap::from([("alice".to_owned(), slow)])).unwrap();
        let brief = std::time::Duration::from_millis(1);
        for guess in 0..5 {
            let guess = format!("guess {guess}");
            let gone = tokio::time::timeout(brief, users.know("alice", &guess)).await;
            assert!(gone.is_err());
            assert_eq!(users.turns.available_permits(), 0, "the hash goes on");
        }
        assert_eq!(users.know("alice", "one").await, Verdict::Known);
    }

    #[tokio::test]
    async fn a_crowd_of_guesses_is_turned_away_and_who_is_remembered_is_not() {
        let users = users(&[("alice", "one"), ("bob", "two")]);
        assert_eq!(users.know("alice", "one").await, Verdict::Known);
        let _crowd = users.queue.acquire_many(WAITING as u32).await.unwrap();
        assert_eq!(users.know("bob", "two").await, Verdict::Crowded);
        assert_eq!(users.know("alice", "one").await, Verdict::Known);
    }
}
