//! Where the blocks of a compressed body begin.
//!
//! A block must be long, because each begins with a table of codes, and short,
//! because one changed line compresses the block and the next one again. Its start
//! must be stable: if the change of one tenant moved the other
//! starts, one refresh would compress every block.
//!
//! The starts therefore behave like the leaves of a B-tree: a block that grows
//! beyond twice the target length is split, two neighbours that fit into one
//! block are merged, and all others keep their start.

use super::chunk::Chunk;
use bytes::Bytes;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

/// The target length of a block, bytes before compression.
const TARGET_LENGTH: usize = 16 * 1024;

/// A longer block is split.
const MAX_LENGTH: usize = 2 * TARGET_LENGTH;

/// The lines of one family of one tenant.
#[derive(Debug, Clone, Copy)]
pub(super) struct FamilySlice<'a> {
    pub(super) family: usize,
    alias: &'a Arc<str>,
    chunk: &'a Chunk,
    /// Looked up once: the chunks of a thousand tenants are far apart in memory.
    pub(super) lines: &'a [u8],
}

impl<'a> FamilySlice<'a> {
    /// The lines of a family; `None` where it has none.
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

    /// Its position, for a block that begins with it.
    pub(super) fn start(&self) -> BlockStart {
        BlockStart {
            family: self.family,
            alias: Arc::clone(self.alias),
        }
    }

    /// Compares its position with a start.
    pub(super) fn order(&self, start: &BlockStart) -> Ordering {
        (self.family, &**self.alias).cmp(&(start.family, &*start.alias))
    }
}

/// The position at which a block begins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BlockStart {
    family: usize,
    alias: Arc<str>,
}

/// Divides the slices into blocks, at the known starts where possible.
pub(super) fn divide(slices: &[FamilySlice<'_>], known: &[BlockStart]) -> Vec<Range<usize>> {
    let mut blocks = Blocks::default();
    for range in ranges(slices, known) {
        let lengths = slices.get(range.clone()).unwrap_or_default();
        let length = lengths.iter().map(|slice| slice.lines.len()).sum();
        if length <= MAX_LENGTH {
            blocks.push(range, length);
            continue;
        }
        let share = length / (length / TARGET_LENGTH);
        let (mut start, mut taken) = (range.start, 0);
        for (place, slice) in (range.start..).zip(lengths) {
            taken += slice.lines.len();
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

/// The ranges between the starts, which are in order. A start whose tenant left
/// moves to the next slice. Slices before the first start belong to the first block.
fn ranges(slices: &[FamilySlice<'_>], known: &[BlockStart]) -> Vec<Range<usize>> {
    let mut starts = vec![0];
    let mut place = 0;
    for start in known.iter().skip(1) {
        place += distance(slices.get(place..).unwrap_or_default(), start);
        starts.push(place);
    }
    starts.push(slices.len());
    starts.dedup();
    let ends = starts.iter().skip(1);
    starts.iter().zip(ends).map(|(&a, &b)| a..b).collect()
}

/// How many slices are before a start that is near.
fn distance(slices: &[FamilySlice<'_>], start: &BlockStart) -> usize {
    let is_before = |slice: &FamilySlice<'_>| slice.order(start) == Ordering::Less;
    let mut end = 1;
    while slices.get(end).is_some_and(is_before) {
        end *= 2;
    }
    let near = slices.get(..end).unwrap_or(slices);
    near.partition_point(is_before)
}

#[derive(Default)]
struct Blocks {
    ranges: Vec<Range<usize>>,
    /// The length of the last block, bytes.
    last: usize,
}

impl Blocks {
    fn push(&mut self, range: Range<usize>, length: usize) {
        match self.ranges.last_mut() {
            Some(last) if self.last + length <= TARGET_LENGTH => {
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

    /// Chunks by alias.
    type Fleet = BTreeMap<Arc<str>, Chunk>;

    fn tenant(lengths: &[usize]) -> Chunk {
        Chunk::of(lengths, 0, |length, lines| {
            lines.resize(lines.len() + length, b'x')
        })
    }

    fn slices(fleet: &Fleet) -> Vec<FamilySlice<'_>> {
        (0..3)
            .flat_map(|family| {
                fleet
                    .iter()
                    .filter_map(move |(alias, chunk)| FamilySlice::of(family, alias, chunk))
            })
            .collect()
    }

    fn starts(fleet: &Fleet, known: &[BlockStart]) -> Vec<BlockStart> {
        let slices = slices(fleet);
        divide(&slices, known)
            .into_iter()
            .map(|range| slices[range.start].start())
            .collect()
    }

    fn alias(number: u16) -> Arc<str> {
        Arc::from(format!("tenant-{number:05}"))
    }

    fn fleet(tenants: u16) -> Fleet {
        (0..tenants)
            .map(|number| (alias(number), tenant(&[1_875, 62, 1_687])))
            .collect()
    }

    #[test]
    fn few_bytes_are_one_block() {
        assert_eq!(starts(&fleet(1), &[]).len(), 1);
        assert!(starts(&Fleet::new(), &[]).is_empty());
    }

    #[test]
    fn a_long_run_is_divided_into_blocks_of_about_the_target_length() {
        let fleet = fleet(20);
        let length: usize = fleet.values().map(Chunk::len).sum();
        assert_eq!(length / TARGET_LENGTH, 4);
        let slices = slices(&fleet);
        let lengths: Vec<usize> = divide(&slices, &[])
            .into_iter()
            .map(|block| slices[block].iter().map(|slice| slice.lines.len()).sum())
            .collect();
        assert_eq!(lengths.len(), 4, "{lengths:?}");
        let near = TARGET_LENGTH * 3 / 4..TARGET_LENGTH * 5 / 4;
        assert!(
            lengths.iter().all(|length| near.contains(length)),
            "{lengths:?}"
        );
    }

    #[test]
    fn short_neighbours_are_merged_up_to_the_target_length() {
        let fleet: Fleet = (0..600)
            .map(|number| (alias(number), tenant(&[62])))
            .collect();
        let slices = slices(&fleet);
        let known: Vec<BlockStart> = slices.iter().map(FamilySlice::start).collect();
        let blocks = divide(&slices, &known);
        assert_eq!(blocks, [0..264, 264..528, 528..600]);
    }

    #[test]
    fn a_tenant_that_joins_grows_or_leaves_moves_no_other_start() {
        let mut fleet = fleet(1000);
        let before = starts(&fleet, &[]);
        fleet.insert("tenant-00500-b".into(), tenant(&[1_875, 62, 1_687]));
        fleet.insert(alias(20), tenant(&[2_500, 125, 312]));
        assert_eq!(starts(&fleet, &before), before);
        fleet.remove(&alias(700));
        let moved: Vec<_> = starts(&fleet, &before)
            .into_iter()
            .filter(|start| !before.contains(start))
            .collect();
        assert!(
            moved.iter().all(|start| start.alias == alias(701)),
            "{moved:?}"
        );
    }

    #[test]
    fn blocks_of_a_growing_fleet_stay_long() {
        let mut fleet = Fleet::new();
        let mut known = Vec::new();
        for number in 0..1000 {
            let lengths = tenant(&[1_875, 62, 1_687]);
            fleet.insert(alias(number * 37 % 1000), lengths);
            known = starts(&fleet, &known);
        }
        let bytes: usize = fleet.values().map(Chunk::len).sum();
        let mean = bytes / known.len();
        assert!(
            (TARGET_LENGTH * 3 / 4..=MAX_LENGTH).contains(&mean),
            "{mean}"
        );
    }

    proptest! {
        #[test]
        fn every_slice_is_in_one_block_and_no_block_is_too_long(
            tenants in prop::collection::btree_map(
                any::<u16>(),
                prop::collection::vec(prop_oneof![Just(0_usize), 1..25_000_usize], 3),
                0..12,
            ),
            known in prop::collection::vec((0..4_usize, any::<u16>()), 0..12),
        ) {
            let fleet: Fleet = tenants
                .iter()
                .map(|(number, lengths)| (alias(*number), tenant(lengths)))
                .collect();
            let mut known: Vec<BlockStart> = known
                .into_iter()
                .map(|(family, number)| BlockStart { family, alias: alias(number) })
                .collect();
            known.sort_unstable();
            let slices = slices(&fleet);
            let blocks = divide(&slices, &known);
            let mut next = 0;
            for block in &blocks {
                prop_assert_eq!(block.start, next);
                prop_assert!(block.end > block.start);
                next = block.end;
                let length: usize = slices[block.clone()].iter().map(|s| s.lines.len()).sum();
                prop_assert!(block.len() == 1 || length <= MAX_LENGTH + 25_000);
            }
            prop_assert_eq!(next, slices.len());
        }
    }
}
