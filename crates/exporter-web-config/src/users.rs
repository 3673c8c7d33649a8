use aws_lc_rs::{hmac, rand};
use bcrypt::HashParts;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use strict_yaml::{Diagnostics, Entries, Text};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Results that are cached, so that a scrape does not cost a bcrypt hash.
const MAX_CACHED: usize = 100;

/// Concurrent bcrypt hashes. Each keeps one core busy for a tenth of a second;
/// guessed passwords must not take all cores.
const MAX_HASHING: usize = 1;

/// Requests that wait for a hash or compute one. With more, guessed passwords
/// would delay the others for longer than a scrape takes.
const MAX_QUEUED: usize = 16;

/// Above this bcrypt cost one login takes more than a second.
const MAX_FAST_COST: u32 = 14;

/// The users of the file with the bcrypt hashes of their passwords.
pub struct Users {
    hashes: BTreeMap<String, String>,
    /// Random for each process: results are cached under HMACs made with it, so
    /// that no password stays in memory.
    key: hmac::Key,
    cache: Mutex<HashMap<[u8; 32], bool>>,
    hashing: Arc<Semaphore>,
    queue: Semaphore,
}

/// The result of a password check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthResult {
    /// The user exists and has this password.
    Authenticated,
    /// The user does not exist, or has another password.
    Denied,
    /// Not checked: too many checks are queued.
    Busy,
}

impl From<bool> for AuthResult {
    fn from(is_authenticated: bool) -> Self {
        match is_authenticated {
            true => Self::Authenticated,
            false => Self::Denied,
        }
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Users({})", self.hashes.len())
    }
}

pub(crate) fn resolve(entries: &Entries<Text>, diagnostics: &mut Diagnostics) -> Option<Users> {
    let mut hashes = BTreeMap::new();
    for (name, hash) in &entries.0 {
        let text = hash.value.trim();
        match cost(text) {
            Some(cost) if cost > MAX_FAST_COST => diagnostics.warn(
                hash.span,
                "basic_auth_users",
                format!("bcrypt with cost {cost} takes seconds for each login; use 10 to 12"),
            ),
            Some(_) => {}
            None => {
                let message =
                    "not a bcrypt hash; make one with `htpasswd -nBC 10 \"\" | tr -d ':\\n'`";
                diagnostics.error(hash.span, "basic_auth_users", message);
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
            cache: Mutex::default(),
            hashing: Arc::new(Semaphore::new(MAX_HASHING)),
            queue: Semaphore::new(MAX_QUEUED),
        })
    }

    /// Checks a password.
    ///
    /// Hashing runs one at a time, off the request threads; up to 16 requests
    /// queue, further ones are [`Busy`](AuthResult::Busy). An unknown user takes
    /// as long as a known one: the password is checked against the hash of
    /// another user, and the result discarded.
    pub async fn authenticate(&self, user: &str, password: &str) -> AuthResult {
        let known = self.hashes.get(user);
        let Some(hash) = known.or_else(|| self.hashes.values().next()) else {
            return AuthResult::Denied;
        };
        let key = self.cache_key(user, hash, password);
        if let Some(result) = self.cached(&key) {
            return result.into();
        }
        let Ok(_queued) = self.queue.try_acquire() else {
            return AuthResult::Busy;
        };
        let Ok(permit) = Arc::clone(&self.hashing).acquire_owned().await else {
            return AuthResult::Denied;
        };
        // An earlier request in the queue may have had the same password.
        if let Some(result) = self.cached(&key) {
            return result.into();
        }
        let (hash, password) = (hash.clone(), Zeroizing::new(password.to_owned()));
        // The permit is held until the hash is computed, also if the client
        // disconnects before.
        let checked = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            bcrypt::verify(password.as_str(), &hash).unwrap_or(false)
        });
        let result = checked.await.unwrap_or(false) && known.is_some();
        self.cache(key, result);
        result.into()
    }

    /// The HMAC of the three parts, each with its length.
    fn cache_key(&self, user: &str, hash: &str, password: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [user, hash, password] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut key = [0; 32];
        let tag = context.sign();
        key.copy_from_slice(tag.as_ref().get(..32).unwrap_or(&[0; 32]));
        key
    }

    fn cached(&self, key: &[u8; 32]) -> Option<bool> {
        self.cache.lock().get(key).copied()
    }

    /// Caches a result. A full cache evicts failures first, so that guessed
    /// passwords do not evict users.
    fn cache(&self, key: [u8; 32], result: bool) {
        let mut cache = self.cache.lock();
        if cache.len() >= MAX_CACHED {
            let failure = cache.iter().find(|(_, result)| !**result);
            let evicted = failure.map(|(key, _)| *key);
            if let Some(evicted) = evicted.or_else(|| cache.keys().next().copied()) {
                cache.remove(&evicted);
            }
        }
        cache.insert(key, result);
    }

    #[cfg(test)]
    pub(crate) fn for_tests(pairs: &[(&str, &str)]) -> Self {
        let hashes = pairs
            .iter()
            .map(|(user, password)| ((*user).to_owned(), bcrypt::hash(password, 4).unwrap()));
        Self::new(hashes.collect()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_user_is_authenticated_by_the_own_password_only() {
        let users = Users::for_tests(&[("alice", "one"), ("bob", "two")]);
        for _ in 0..2 {
            assert_eq!(
                users.authenticate("alice", "one").await,
                AuthResult::Authenticated
            );
            assert_eq!(
                users.authenticate("bob", "two").await,
                AuthResult::Authenticated
            );
            assert_eq!(users.authenticate("alice", "two").await, AuthResult::Denied);
            assert_eq!(users.authenticate("bob", "one").await, AuthResult::Denied);
            assert_eq!(users.authenticate("", "one").await, AuthResult::Denied);
        }
    }

    #[tokio::test]
    async fn an_unknown_user_is_denied_with_the_password_of_another() {
        let users = Users::for_tests(&[("alice", "one")]);
        assert_eq!(
            users.authenticate("mallory", "one").await,
            AuthResult::Denied,
            "alice's password, under another name"
        );
        assert_eq!(
            users.authenticate("mallory", "one").await,
            AuthResult::Denied,
            "nor out of the cache"
        );
    }

    #[tokio::test]
    async fn no_other_three_parts_share_a_cache_key() {
        let users = Users::for_tests(&[("alice", "one")]);
        let hash = users.hashes["alice"].clone();
        assert_eq!(
            users.authenticate("alice", "one").await,
            AuthResult::Authenticated
        );
        let split = format!("{hash}one");
        assert_eq!(
            users.authenticate("alice", &split).await,
            AuthResult::Denied
        );
        assert_ne!(
            users.cache_key("a", "bc", "d"),
            users.cache_key("ab", "c", "d")
        );
    }

    #[tokio::test]
    async fn many_guesses_neither_grow_the_cache_nor_evict_a_user() {
        let users = Users::for_tests(&[("alice", "one")]);
        assert_eq!(
            users.authenticate("alice", "one").await,
            AuthResult::Authenticated
        );
        for guess in 0..2 * MAX_CACHED {
            assert_eq!(
                users.authenticate("alice", &guess.to_string()).await,
                AuthResult::Denied
            );
        }
        assert_eq!(users.cache.lock().len(), MAX_CACHED);
        let key = users.cache_key("alice", &users.hashes["alice"], "one");
        assert_eq!(users.cached(&key), Some(true));
    }

    #[test]
    fn the_three_versions_of_bcrypt_are_accepted() {
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
    async fn a_disconnected_client_does_not_free_its_hashing_permit() {
        let slow = bcrypt::hash("one", 10).unwrap();
        let users = Users::new(BTreeMap::from([("alice".to_owned(), slow)])).unwrap();
        let brief = std::time::Duration::from_millis(1);
        for guess in 0..5 {
            let guess = format!("guess {guess}");
            let disconnected =
                tokio::time::timeout(brief, users.authenticate("alice", &guess)).await;
            assert!(disconnected.is_err());
            assert_eq!(
                users.hashing.available_permits(),
                0,
                "the hash is still computed"
            );
        }
        assert_eq!(
            users.authenticate("alice", "one").await,
            AuthResult::Authenticated
        );
    }

    #[tokio::test]
    async fn a_full_queue_is_busy_except_for_cached_users() {
        let users = Users::for_tests(&[("alice", "one"), ("bob", "two")]);
        assert_eq!(
            users.authenticate("alice", "one").await,
            AuthResult::Authenticated
        );
        let _full = users.queue.acquire_many(MAX_QUEUED as u32).await.unwrap();
        assert_eq!(users.authenticate("bob", "two").await, AuthResult::Busy);
        assert_eq!(
            users.authenticate("alice", "one").await,
            AuthResult::Authenticated
        );
    }
}
