//! Which of the tenants are this process's.

use super::spread;
use std::fmt;
use std::num::NonZeroU16;

/// One of several exporters that divide the tenants among them.
///
/// Each tenant belongs to the shard that gives its alias the highest number
/// (rendezvous hashing), so that one shard more takes its tenants from all
/// others evenly and moves none between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u16,
    total: NonZeroU16,
}

impl Shard {
    /// The only one: every tenant is its.
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

    /// Its number, counted from 0.
    pub const fn index(self) -> u16 {
        self.index
    }

    /// How many there are.
    pub const fn total(self) -> u16 {
        self.total.get()
    }

    /// Whether a tenant is this shard's, by its alias.
    pub fn owns(self, alias: &str) -> bool {
        let rank = |index: u16| spread::number([alias, &index.to_string()]);
        let mine = (rank(self.index), self.index);
        (0..self.total()).all(|index| (rank(index), index) <= mine)
    }
}

/// A shard beyond the last one.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shards(total: u16) -> Vec<Shard> {
        let total = NonZeroU16::new(total).unwrap();
        (0..total.get())
            .map(|index| Shard::new(index, total).unwrap())
            .collect()
    }

    fn owner(alias: &str, total: u16) -> usize {
        let owners: Vec<_> = shards(total)
            .into_iter()
            .enumerate()
            .filter(|(_, shard)| shard.owns(alias))
            .collect();
        assert_eq!(owners.len(), 1, "{alias} of {total}");
        owners[0].0
    }

    #[test]
    fn each_tenant_has_one_shard_and_the_shares_are_even() {
        for total in [1, 2, 3, 10] {
            let mut tenants = vec![0_u32; usize::from(total)];
            for number in 0..2_000 {
                tenants[owner(&format!("tenant-{number}"), total)] += 1;
            }
            let fair = 2_000 / u32::from(total);
            for share in tenants {
                assert!(share.abs_diff(fair) <= fair / 3, "{share} of {fair}");
            }
        }
    }

    #[test]
    fn one_shard_more_moves_tenants_to_itself_only() {
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
    fn the_shard_after_the_last_is_refused() {
        let error = Shard::new(3, NonZeroU16::new(3).unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no shard 3 of 3: shards are counted from 0"
        );
    }
}
