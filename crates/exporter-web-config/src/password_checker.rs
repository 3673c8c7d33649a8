use crate::Users;
use crate::hash_queue::HashQueue;
use aws_lc_rs::{hmac, rand};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::IpAddr;

/// Wrong passwords that are cached, so that a client that repeats one does not
/// cost a bcrypt hash each time.
const MAX_WRONG: usize = 100;

/// Checks passwords, and caches the results, so that a scrape does not cost a
/// bcrypt hash.
///
/// It outlives the users of a file, so that a reload forgets no result: a
/// changed hash gives another tag.
pub(crate) struct PasswordChecker {
    /// Random for each process: results are cached under HMACs made with it, so
    /// that no password stays in memory. Without randomness nothing is cached.
    key: Option<hmac::Key>,
    cache: Mutex<Cache>,
    queue: HashQueue,
}

/// The HMAC of a user, the hash of the file and a password.
type Tag = [u8; 32];

#[derive(Default)]
struct Cache {
    /// The right password of each user. Guesses evict none of them.
    right: HashMap<String, Tag>,
    wrong: VecDeque<Tag>,
}

/// The result of a password check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthResult {
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

impl fmt::Debug for PasswordChecker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordChecker")
    }
}

impl Default for PasswordChecker {
    fn default() -> Self {
        let random = rand::SystemRandom::new();
        Self {
            key: hmac::Key::generate(hmac::HMAC_SHA256, &random).ok(),
            cache: Mutex::default(),
            queue: HashQueue::default(),
        }
    }
}

impl PasswordChecker {
    /// Checks the password that a client sent.
    ///
    /// Hashing runs off the request threads, a few at a time, and addresses
    /// take turns.
    pub(crate) async fn authenticate(
        &self,
        users: &Users,
        user: &str,
        password: &str,
        client: IpAddr,
    ) -> AuthResult {
        let tag = self.tag(user, users.hash(user).unwrap_or_default(), password);
        if let Some(result) = self.cached(user, tag.as_ref()) {
            return self.concluded(result, client);
        }
        let Some(permit) = self.queue.wait(client).await else {
            return AuthResult::Busy;
        };
        // An earlier request in the queue may have had the same password.
        if let Some(result) = self.cached(user, tag.as_ref()) {
            return self.concluded(result, client);
        }
        let check = users.check(user, password);
        // The permit is held until the hash is computed, also if the client
        // disconnects before.
        let checked = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            check.run()
        });
        let Ok(result) = checked.await else {
            return AuthResult::Denied;
        };
        if let Some(tag) = tag {
            self.cache(user, tag, result);
        }
        self.concluded(result, client)
    }

    /// Takes every place in the queue of an address.
    #[cfg(test)]
    pub(crate) fn fill_queue(&self, client: IpAddr) -> Vec<impl Sized + use<>> {
        let places = std::iter::from_fn(|| self.queue.enter(client, false));
        places.collect()
    }

    fn concluded(&self, is_authenticated: bool, client: IpAddr) -> AuthResult {
        if is_authenticated {
            self.queue.mark_seen(client);
        }
        is_authenticated.into()
    }

    /// The HMAC of the three parts, each with its length.
    fn tag(&self, user: &str, hash: &str, password: &str) -> Option<Tag> {
        let mut context = hmac::Context::with_key(self.key.as_ref()?);
        for part in [user, hash, password] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        context.sign().as_ref().try_into().ok()
    }

    fn cached(&self, user: &str, tag: Option<&Tag>) -> Option<bool> {
        let tag = tag?;
        let cache = self.cache.lock();
        if cache.right.get(user) == Some(tag) {
            return Some(true);
        }
        cache.wrong.contains(tag).then_some(false)
    }

    fn cache(&self, user: &str, tag: Tag, is_right: bool) {
        let mut cache = self.cache.lock();
        if is_right {
            cache.right.insert(user.to_owned(), tag);
            return;
        }
        cache.wrong.push_back(tag);
        if cache.wrong.len() > MAX_WRONG {
            cache.wrong.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    struct Checked {
        checker: PasswordChecker,
        users: Users,
    }

    impl Checked {
        fn new(pairs: &[(&str, &str)]) -> Self {
            Self {
                checker: PasswordChecker::default(),
                users: Users::for_tests(pairs),
            }
        }

        async fn authenticates(&self, user: &str, password: &str) -> bool {
            let checker = &self.checker;
            let result = checker.authenticate(&self.users, user, password, HERE);
            result.await == AuthResult::Authenticated
        }

        fn cached(&self, user: &str, password: &str) -> Option<bool> {
            let hash = self.users.hash(user).unwrap_or_default();
            let tag = self.checker.tag(user, hash, password);
            self.checker.cached(user, tag.as_ref())
        }
    }

    #[tokio::test]
    async fn a_user_is_authenticated_by_the_own_password_only() {
        let checked = Checked::new(&[("alice", "one"), ("bob", "two")]);
        for _ in 0..2 {
            assert!(checked.authenticates("alice", "one").await);
            assert!(checked.authenticates("bob", "two").await);
            assert!(!checked.authenticates("alice", "two").await);
            assert!(!checked.authenticates("bob", "one").await);
            assert!(!checked.authenticates("", "one").await);
            assert!(!checked.authenticates("mallory", "one").await);
        }
    }

    #[tokio::test]
    async fn no_other_three_parts_have_the_same_tag() {
        let checked = Checked::new(&[("alice", "one")]);
        let hash = checked.users.hash("alice").unwrap().to_owned();
        assert!(checked.authenticates("alice", "one").await);
        assert!(!checked.authenticates("alice", &format!("{hash}one")).await);
        let tag = |parts: [&str; 3]| checked.checker.tag(parts[0], parts[1], parts[2]);
        assert_ne!(tag(["a", "bc", "d"]), tag(["ab", "c", "d"]));
    }

    #[tokio::test]
    async fn many_guesses_neither_grow_the_cache_nor_evict_a_user() {
        let checked = Checked::new(&[("alice", "one")]);
        assert!(checked.authenticates("alice", "one").await);
        for guess in 0..2 * MAX_WRONG {
            assert!(!checked.authenticates("alice", &guess.to_string()).await);
        }
        assert_eq!(checked.checker.cache.lock().wrong.len(), MAX_WRONG);
        assert_eq!(checked.cached("alice", "one"), Some(true));
    }

    #[tokio::test]
    async fn a_result_is_kept_until_the_hash_changes() {
        let mut checked = Checked::new(&[("alice", "one")]);
        assert!(checked.authenticates("alice", "one").await);
        checked.users = Users::for_tests(&[("alice", "two")]);
        assert_eq!(checked.cached("alice", "one"), None);
        assert!(!checked.authenticates("alice", "one").await);
        checked.users = Users::for_tests(&[("bob", "two")]);
        assert!(!checked.authenticates("alice", "one").await);
    }

    #[tokio::test]
    async fn a_disconnected_client_does_not_free_its_permit() {
        let checked = Checked {
            checker: PasswordChecker::default(),
            users: Users::for_tests_with_cost(&[("alice", "one", 10)]),
        };
        let brief = Duration::from_millis(1);
        for guess in ["a", "b", "c"] {
            let left = tokio::time::timeout(brief, checked.authenticates("alice", guess)).await;
            assert!(left.is_err());
        }
        let waiting = checked.checker.queue.wait(HERE);
        let waiting = tokio::time::timeout(brief, waiting).await;
        assert!(waiting.is_err(), "two hashes are still computed");
        assert!(checked.authenticates("alice", "one").await);
    }
}
