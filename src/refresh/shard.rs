//! Which tenants a process refreshes when several exporters divide them.

use aws_lc_rs::digest::{SHA256, digest};
use std::fmt;
use std::num::NonZeroU16;

/// One of several exporters among which the tenants are divided.
///
/// A tenant belongs to the shard with the highest hash of shard and alias
/// (rendezvous hashing): an additional shard takes tenants evenly from all
/// others and moves none between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u16,
    total: NonZeroU16,
}

impl Shard {
    /// The only shard: it has every tenant.
    pub const WHOLE: Self = Self {
        index: 0,
        total: NonZeroU16::MIN,
    };

    /// The shard `index`, counted from 0, of `total`.
    pub fn new(index: u16, total: NonZeroU16) -> Result<Self, NoSuchShard> {
        match index < total.get() {
            true => Ok(Self { index, total }),
            false => Err(NoSuchShard { index, total }),
        }
    }

    /// The index, counted from 0.
    pub const fn index(self) -> u16 {
        self.index
    }

    /// The number of shards.
    pub const fn total(self) -> u16 {
        self.total.get()
    }

    /// Whether a tenant belongs to this shard, by its alias.
    pub fn owns(self, alias: &str) -> bool {
        let rank = |index: u16| stable_hash([alias, &index.to_string()]);
        let own = (rank(self.index), self.index);
        (0..self.total()).all(|index| (rank(index), index) <= own)
    }
}

/// An index beyond the last shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no shard {index} of {total}: shards are counted from 0")]
pub struct NoSuchShard {
    index: u16,
    total: NonZeroU16,
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.index, self.total)
    }
}

/// The first 64 bits of the SHA-256 of two words.
///
/// The standard library's hashers may change between releases, and replicas of
/// different versions must agree on shards and phases.
pub(super) fn stable_hash(words: [&str; 2]) -> u64 {
    let [first, second] = words;
    let text = format!("{}:{first}{second}", first.len());
    let hash = digest(&SHA256, text.as_bytes());
    let bytes = hash.as_ref().first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(alias: &str, total: u16) -> u16 {
        let shard = |index| Shard::new(index, NonZeroU16::new(total).unwrap()).unwrap();
        let owners: Vec<u16> = (0..total).filter(|it| shard(*it).owns(alias)).collect();
        assert_eq!(owners.len(), 1, "{alias} of {total}");
        owners[0]
    }

    #[test]
    fn each_tenant_has_one_shard_and_shards_have_even_shares() {
        for total in [1, 2, 3, 10] {
            let mut tenants = vec![0_u32; usize::from(total)];
            for number in 0..2_000 {
                tenants[usize::from(owner(&format!("tenant-{number}"), total))] += 1;
            }
            let fair = 2_000 / u32::from(total);
            for share in tenants {
                assert!(share.abs_diff(fair) <= fair / 3, "{share} of {fair}");
            }
        }
    }

    #[test]
    fn an_additional_shard_takes_tenants_and_moves_no_others() {
        for number in 0..500 {
            let alias = format!("tenant-{number}");
            let (before, after) = (owner(&alias, 4), owner(&alias, 5));
            assert!(
                after == before || after == 4,
                "{alias}: {before} to {after}"
            );
        }
    }

    #[test]
    fn the_hash_never_changes() {
        // printf 7:contosoprofiles | sha256sum | cut -c-16
        assert_eq!(stable_hash(["contoso", "profiles"]), 0x5395_d2b3_aa73_f901);
        assert_ne!(stable_hash(["ab", "c"]), stable_hash(["a", "bc"]));
    }
}
