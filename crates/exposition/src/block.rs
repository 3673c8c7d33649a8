//! What is compressed together.

use super::gzip::{self, Deflater};
use bytes::Bytes;
use crc32fast::Hasher;
use std::sync::{Arc, OnceLock};

/// A run of neighbouring stretches of an exposition, which is compressed as
/// one and replaced as one.
///
/// It keeps the stretches themselves rather than a copy of their bytes: the
/// tenants' chunks lie in memory once, whoever sends them.
#[derive(Debug)]
pub struct Block {
    parts: Vec<Bytes>,
    length: usize,
    packed: Arc<Packed>,
}

/// What is known about some bytes wherever they lie.
#[derive(Debug, Default)]
struct Packed {
    checksum: OnceLock<Hasher>,
    deflated: OnceLock<Bytes>,
}

impl Block {
    pub(super) fn new(parts: Vec<Bytes>) -> Self {
        Self {
            length: parts.iter().map(Bytes::len).sum(),
            parts,
            packed: Arc::default(),
        }
    }

    /// This block, if `parts` are the same bytes, and taken from where they
    /// lie now.
    ///
    /// A refresh that brings nothing new may write the same lines into another
    /// buffer. What was compressed is still right then, but the block must let
    /// go of the old buffer, or the tenant's bytes would be in memory twice.
    pub(super) fn again<'a>(
        self: &Arc<Self>,
        parts: impl Iterator<Item = &'a [u8]> + Clone,
        owned: impl FnOnce() -> Vec<Bytes>,
    ) -> Option<Arc<Self>> {
        let mut moved = false;
        let mut mine = self.parts.iter();
        for part in parts {
            let known = mine.next()?;
            if !std::ptr::eq(&**known, part) {
                if known != part {
                    return None;
                }
                moved = true;
            }
        }
        if mine.next().is_some() {
            return None;
        }
        Some(match moved {
            false => Arc::clone(self),
            true => Arc::new(Self {
                parts: owned(),
                length: self.length,
                packed: Arc::clone(&self.packed),
            }),
        })
    }

    /// How many bytes it holds before compression.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it holds no byte.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether its checksum is known.
    pub fn is_summed(&self) -> bool {
        self.packed.checksum.get().is_some()
    }

    /// Computes its checksum, unless that is known; some gigabytes a second.
    pub fn sum(&self) {
        self.checksum();
    }

    /// Whether it is compressed.
    pub fn is_compressed(&self) -> bool {
        self.packed.deflated.get().is_some()
    }

    /// Compresses it, unless that was done: a millisecond or two on a common
    /// processor, so never in a scrape. Where the library refuses it stays as it is, and is
    /// sent so.
    pub fn compress(&self, deflater: &mut Deflater) {
        self.sum();
        if !self.is_compressed()
            && let Some(deflated) = deflater.deflate(&self.parts)
        {
            // Another may have been quicker; both did the same.
            let _already = self.packed.deflated.set(deflated);
        }
    }

    pub(super) fn checksum(&self) -> &Hasher {
        self.packed.checksum.get_or_init(|| {
            let mut checksum = Hasher::new();
            for part in &self.parts {
                checksum.update(part);
            }
            checksum
        })
    }

    /// Adds it to a gzip member, as it is where it is not compressed yet.
    /// Whether it was compressed.
    pub(super) fn write(&self, member: &mut Vec<Bytes>) -> bool {
        match self.packed.deflated.get() {
            Some(deflated) => {
                member.push(deflated.clone());
                true
            }
            None => {
                gzip::store(&self.parts, member);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(parts: &[&str]) -> Arc<Block> {
        let owned = parts.iter().map(|part| Bytes::from((*part).to_owned()));
        Arc::new(Block::new(owned.collect()))
    }

    fn again(block: &Arc<Block>, parts: &[Bytes]) -> Option<Arc<Block>> {
        block.again(parts.iter().map(AsRef::as_ref), || parts.to_vec())
    }

    #[test]
    fn the_same_parts_are_the_same_block() {
        let known = block(&["a 1\n", "b 2\n"]);
        let same = again(&known, &known.parts.clone()).unwrap();
        assert!(Arc::ptr_eq(&known, &same));
    }

    #[test]
    fn the_same_bytes_elsewhere_stay_compressed_and_free_the_old_ones() {
        let known = block(&["a 1\n", "b 2\n"]);
        let elsewhere = block(&["a 1\n", "b 2\n"]).parts.clone();
        let moved = again(&known, &elsewhere).unwrap();
        known.compress(&mut Deflater::default());
        assert!(moved.is_compressed());
        assert!(std::ptr::eq(&*moved.parts[0], &*elsewhere[0]));
    }

    #[test]
    fn other_bytes_are_another_block() {
        let known = block(&["a 1\n", "b 2\n"]);
        for parts in [
            &["a 1\n", "b 3\n"][..],
            &["a 1\n"],
            &["a 1\n", "b 2\n", "c 3\n"],
            &[],
        ] {
            assert!(again(&known, &block(parts).parts.clone()).is_none());
        }
    }
}
