//! Where one block ends and the next one begins.
//!
//! A block must be long, because compression has to learn the names of all
//! controls anew in each; and short, because it is compressed again when a
//! single line of it changes. And it must begin where it began before, whoever
//! else came, went or changed: otherwise one tenant's refresh would cost as
//! much as all tenants'.
//!
//! So the cuts are kept, as the leaves of a B-tree are: a block that grew
//! beyond twice the aim is divided, two neighbours that fit into one are
//! joined, and all the others stay as they are.

use super::chunk::Chunk;
use bytes::Bytes;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

/// How long a block should be, bytes before compression.
const AIM: usize = 256 * 1024;

/// A longer one is divided.
const LIMIT: usize = 2 * AIM;

/// The lines of one family of one tenant, in their place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch<'a> {
    pub(super) family: usize,
    alias: &'a Arc<str>,
    chunk: &'a Chunk,
    /// Looked up once: the chunks of a thousand tenants lie far apart.
    pub(super) lines: &'a [u8],
}

impl<'a> Stretch<'a> {
    /// The stretch, unless there are no lines.
    pub(super) fn of(family: usize, alias: &'a Arc<str>, chunk: &'a Chunk) -> Option<Self> {
        let lines = chunk.lines(family);
        (!lines.is_empty()).then_some(Self {
            family,
            alias,
            chunk,
            lines,
        })
    }

    pub(super) fn bytes(&self) -> Bytes {
        self.chunk.family(self.family)
    }

    /// The place it stands in.
    pub(super) fn cut(&self) -> Cut {
        Cut {
            family: self.family,
            alias: Arc::clone(self.alias),
        }
    }

    /// Where it stands, seen from a cut.
    pub(super) fn order(&self, cut: &Cut) -> Ordering {
        (self.family, &**self.alias).cmp(&(cut.family, &*cut.alias))
    }
}

/// The place a block begins at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cut {
    family: usize,
    alias: Arc<str>,
}

/// Divides the stretches into blocks, at the cuts there were where possible.
pub(super) fn divide(stretches: &[Stretch<'_>], known: &[Cut]) -> Vec<Range<usize>> {
    let mut blocks = Blocks::default();
    for range in ranges(stretches, known) {
        let lengths = stretches.get(range.clone()).unwrap_or_default();
        let length = lengths.iter().map(|stretch| stretch.lines.len()).sum();
        if length <= LIMIT {
            blocks.push(range, length);
            continue;
        }
        let share = length / (length / AIM);
        let (mut start, mut taken) = (range.start, 0);
        for (place, stretch) in (range.start..).zip(lengths) {
            taken += stretch.lines.len();
            if taken >= share {
                blocks.push(start..place + 1, taken);
                (start, taken) = (place + 1, 0);
            }
        }
        if start < range.end {
            blocks.push(start..range.end, taken);
        }
    }
    blocks.ranges
}

/// The stretches between the cuts; a cut whose tenant is gone is before the
/// next one. What comes before the first cut belongs to the first block.
fn ranges(stretches: &[Stretch<'_>], known: &[Cut]) -> Vec<Range<usize>> {
    let mut starts: Vec<usize> = known
        .iter()
        .skip(1)
        .map(|cut| stretches.partition_point(|stretch| stretch.order(cut) == Ordering::Less))
        .chain([0, stretches.len()])
        .collect();
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1);
    starts.iter().zip(ends).map(|(&a, &b)| a..b).collect()
}

#[derive(Default)]
struct Blocks {
    ranges: Vec<Range<usize>>,
    /// The length of the last one, bytes.
    last: usize,
}

impl Blocks {
    fn push(&mut self, range: Range<usize>, length: usize) {
        match self.ranges.last_mut() {
            Some(last) if self.last + length <= AIM => {
                last.end = range.end;
                self.last += length;
            }
            _ => {
                self.ranges.push(range);
                self.last = length;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Tenants by alias, each with the lengths of its stretches.
    type Fleet = BTreeMap<Arc<str>, Chunk>;

    fn tenant(lengths: &[usize]) -> Chunk {
        Chunk::of(lengths.iter().map(|&length| vec![b'x'; length]))
    }

    fn stretches(fleet: &Fleet) -> Vec<Stretch<'_>> {
        (0..3)
            .flat_map(|family| {
                fleet
                    .iter()
                    .filter_map(move |(alias, chunk)| Stretch::of(family, alias, chunk))
            })
            .collect()
    }

    fn cuts(fleet: &Fleet, known: &[Cut]) -> Vec<Cut> {
        let stretches = stretches(fleet);
        divide(&stretches, known)
            .into_iter()
            .map(|range| stretches[range.start].cut())
            .collect()
    }

    fn alias(number: u16) -> Arc<str> {
        Arc::from(format!("tenant-{number:05}"))
    }

    fn fleet(tenants: u16) -> Fleet {
        (0..tenants)
            .map(|number| (alias(number), tenant(&[30_000, 1_000, 27_000])))
            .collect()
    }

    #[test]
    fn few_bytes_are_one_block() {
        assert_eq!(cuts(&fleet(1), &[]).len(), 1);
        assert!(cuts(&Fleet::new(), &[]).is_empty());
    }

    #[test]
    fn a_tenant_who_comes_grows_or_goes_moves_no_other_cut() {
        let mut fleet = fleet(1000);
        let before = cuts(&fleet, &[]);
        fleet.insert("tenant-00500-b".into(), tenant(&[30_000, 1_000, 27_000]));
        fleet.insert(alias(20), tenant(&[40_000, 2_000, 5_000]));
        assert_eq!(cuts(&fleet, &before), before);
        fleet.remove(&alias(700));
        let moved: Vec<_> = cuts(&fleet, &before)
            .into_iter()
            .filter(|cut| !before.contains(cut))
            .collect();
        assert!(moved.iter().all(|cut| cut.alias == alias(701)), "{moved:?}");
    }

    #[test]
    fn a_fleet_that_grows_step_by_step_has_blocks_as_long() {
        let mut fleet = Fleet::new();
        let mut known = Vec::new();
        for number in 0..1000 {
            let lengths = tenant(&[30_000, 1_000, 27_000]);
            fleet.insert(alias(number * 37 % 1000), lengths);
            known = cuts(&fleet, &known);
        }
        let bytes: usize = fleet.values().map(Chunk::len).sum();
        let mean = bytes / known.len();
        assert!((AIM * 3 / 4..=LIMIT).contains(&mean), "{mean}");
    }

    proptest! {
        #[test]
        fn every_stretch_is_in_one_block_and_none_is_too_long(
            tenants in prop::collection::btree_map(
                any::<u16>(),
                prop::collection::vec(prop_oneof![Just(0_usize), 1..400_000_usize], 3),
                0..12,
            ),
            known in prop::collection::vec((0..4_usize, any::<u16>()), 0..12),
        ) {
            let fleet: Fleet = tenants
                .iter()
                .map(|(number, lengths)| (alias(*number), tenant(lengths)))
                .collect();
            let known: Vec<Cut> = known
                .into_iter()
                .map(|(family, number)| Cut { family, alias: alias(number) })
                .collect();
            let stretches = stretches(&fleet);
            let blocks = divide(&stretches, &known);
            let mut next = 0;
            for block in &blocks {
                prop_assert_eq!(block.start, next);
                prop_assert!(block.end > block.start);
                next = block.end;
                let length: usize = stretches[block.clone()].iter().map(|s| s.lines.len()).sum();
                prop_assert!(block.len() == 1 || length <= LIMIT + 400_000);
            }
            prop_assert_eq!(next, stretches.len());
        }
    }
}
