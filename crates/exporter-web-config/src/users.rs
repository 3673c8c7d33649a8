use bcrypt::HashParts;
use std::collections::BTreeMap;
use std::fmt;
use std::hint::black_box;
use std::ops::Range;
use strict_yaml::{Diagnostics, Entries, Text};
use zeroize::Zeroizing;

/// Above this bcrypt cost one hash takes a second or more of a slow core.
const MAX_FAST_COST: u32 = 12;

/// The users of the file with the bcrypt hashes of their passwords.
#[cfg_attr(test, derive(Clone))]
pub struct Users {
    hashes: BTreeMap<String, String>,
    /// The work of each denial: that of one hash of this cost.
    denial_cost: u32,
}

/// A password to check.
pub(crate) struct PasswordCheck {
    /// The hash of the user; `None` if there is no such user.
    hash: Option<String>,
    password: Zeroizing<String>,
    denial_cost: u32,
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
                format!("bcrypt with cost {cost} takes a second or more for one check, during which other users wait, and its duration shows that this user exists; use 10 to {MAX_FAST_COST}"),
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
    (!hashes.is_empty()).then(|| Users::new(hashes))
}

/// The cost of a hash that bcrypt can check.
fn cost(hash: &str) -> Option<u32> {
    let parts: HashParts = hash.parse().ok()?;
    (4..=31)
        .contains(&parts.get_cost())
        .then(|| parts.get_cost())
}

impl Users {
    fn new(hashes: BTreeMap<String, String>) -> Self {
        let costs = || hashes.values().filter_map(|hash| cost(hash));
        let fast = costs().filter(|cost| *cost <= MAX_FAST_COST).max();
        Self {
            denial_cost: fast.or_else(|| costs().min()).unwrap_or(MAX_FAST_COST),
            hashes,
        }
    }

    /// Whether the file has this user.
    pub fn contains(&self, user: &str) -> bool {
        self.hashes.contains_key(user)
    }

    /// The hash of a user's password.
    pub(crate) fn hash(&self, user: &str) -> Option<&str> {
        self.hashes.get(user).map(String::as_str)
    }

    pub(crate) fn check(&self, user: &str, password: &str) -> PasswordCheck {
        PasswordCheck {
            hash: self.hashes.get(user).cloned(),
            password: Zeroizing::new(password.to_owned()),
            denial_cost: self.denial_cost,
        }
    }

    #[cfg(test)]
    pub(crate) fn for_tests(pairs: &[(&str, &str)]) -> Self {
        let users: Vec<_> = pairs.iter().map(|(user, word)| (*user, *word, 4)).collect();
        Self::for_tests_with_cost(&users)
    }

    #[cfg(test)]
    pub(crate) fn for_tests_with_cost(users: &[(&str, &str, u32)]) -> Self {
        let hashes = users.iter().map(|(user, password, cost)| {
            ((*user).to_owned(), bcrypt::hash(password, *cost).unwrap())
        });
        Self::new(hashes.collect())
    }
}

impl PasswordCheck {
    /// Whether the user exists and has this password; keeps a core busy.
    ///
    /// Every denial is as much work, whether the user exists or not and
    /// whatever the cost of the own hash: the duration names no user.
    pub(crate) fn run(&self) -> bool {
        let password = self.password.as_str();
        if let Some(hash) = &self.hash
            && bcrypt::verify(password, hash).unwrap_or(false)
        {
            return true;
        }
        for cost in self.padding() {
            let _discarded = black_box(bcrypt::hash_with_salt(password, cost, [0; 16]));
        }
        false
    }

    /// The costs of the hashes that complete a denial. Each cost is twice the
    /// work of the one before, so a hash and one of each cost from its own up to
    /// another are as much work as one hash of that other cost.
    fn padding(&self) -> Range<u32> {
        match self.hash.as_deref().and_then(cost) {
            Some(own) => own..self.denial_cost,
            None => self.denial_cost..self.denial_cost + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The work of a denial, in hashes of cost 0.
    fn work(users: &Users, user: &str) -> u64 {
        let check = users.check(user, "wrong");
        assert!(!check.run());
        let own = users.hash(user).and_then(cost);
        own.into_iter()
            .chain(check.padding())
            .map(|cost| 1 << cost)
            .sum()
    }

    #[test]
    fn every_denial_is_the_same_work() {
        let users = [
            ("alice", "one", 4),
            ("bob", "two", 6),
            ("carol", "three", 5),
        ];
        let users = Users::for_tests_with_cost(&users);
        for user in ["alice", "bob", "carol", "mallory", ""] {
            assert_eq!(work(&users, user), 1 << 6, "{user}");
        }
        let same = Users::for_tests(&[("alice", "one"), ("bob", "two")]);
        for user in ["alice", "bob", "mallory"] {
            assert_eq!(work(&same, user), 1 << 4, "{user}");
        }
    }

    #[test]
    fn a_slow_user_does_not_slow_the_denials_of_others() {
        let hash = |cost: u32| {
            format!("$2y${cost:02}$7hKcZ1xq0m1WmGxq0c0Ee.5cB5o7R8Xc5u3mRZyXxw6m8q4wZxW2i")
        };
        let denial_cost = |costs: &[u32]| {
            let hashes = costs.iter().map(|cost| (cost.to_string(), hash(*cost)));
            Users::new(hashes.collect()).denial_cost
        };
        assert_eq!(denial_cost(&[18, 10, 12]), 12);
        assert_eq!(denial_cost(&[14, 14]), 14, "all are as slow");
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
}
