//! The unit of compression.

use super::gzip::{self, Deflater};
use bytes::Bytes;
use crc32fast::Hasher;
use std::sync::{Arc, OnceLock};

/// A run of neighbouring lines of an exposition, compressed and replaced as
/// one.
///
/// It references the tenants' chunks rather than copying them, so that the
/// lines are in memory once.
#[derive(Debug)]
pub struct Block {
    parts: Vec<Bytes>,
    length: usize,
    computed: Arc<Computed>,
}

impl Default for Block {
    /// One without lines.
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

/// Results that depend on the bytes of a block, not on their address.
#[derive(Debug, Default)]
struct Computed {
    checksum: OnceLock<Hasher>,
    deflated: OnceLock<Bytes>,
}

impl Block {
    pub(super) fn new(parts: Vec<Bytes>) -> Self {
        Self {
            length: parts.iter().map(Bytes::len).sum(),
            parts,
            computed: Arc::default(),
        }
    }

    /// This block, if `parts` are the same bytes, referencing their present
    /// buffers.
    ///
    /// A refresh without news may render the same lines into another buffer.
    /// The compressed bytes stay valid, but the block must release the old
    /// buffer; otherwise the tenant's lines would be in memory twice.
    pub(super) fn reuse<'a>(
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
                computed: Arc::clone(&self.computed),
            }),
        })
    }

    /// Its lines, in order.
    pub fn parts(&self) -> &[Bytes] {
        &self.parts
    }

    /// Its length before compression, bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether its checksum is known.
    pub fn is_summed(&self) -> bool {
        self.computed.checksum.get().is_some()
    }

    /// Computes its checksum where it is not known, at some gigabytes a second.
    pub fn sum(&self) {
        self.checksum();
    }

    /// Whether it is compressed.
    pub fn is_compressed(&self) -> bool {
        self.computed.deflated.get().is_some()
    }

    /// Compresses it where it is not compressed: one or two milliseconds on a
    /// common processor, so never during a scrape. If the library fails, the
    /// block is sent stored.
    pub fn compress(&self, deflater: &mut Deflater) {
        self.sum();
        if !self.is_compressed()
            && let Some(deflated) = deflater.deflate(&self.parts)
        {
            // Another thread may have been faster, with the same result.
            let _already = self.computed.deflated.set(deflated);
        }
    }

    pub(super) fn checksum(&self) -> &Hasher {
        self.computed.checksum.get_or_init(|| {
            let mut checksum = Hasher::new();
            for part in &self.parts {
                checksum.update(part);
            }
            checksum
        })
    }

    /// Adds it to a gzip member, stored where it is not compressed yet.
    /// Returns whether it was compressed.
    pub(super) fn write(&self, member: &mut Vec<Bytes>) -> bool {
        match self.computed.deflated.get() {
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

    fn reuse(block: &Arc<Block>, parts: &[Bytes]) -> Option<Arc<Block>> {
        block.reuse(parts.iter().map(AsRef::as_ref), || parts.to_vec())
    }

    #[test]
    fn the_same_parts_are_the_same_block() {
        let known = block(&["a 1\n", "b 2\n"]);
        let same = reuse(&known, &known.parts.clone()).unwrap();
        assert!(Arc::ptr_eq(&known, &same));
    }

    #[test]
    fn the_same_bytes_in_another_buffer_stay_compressed_and_free_the_old_one() {
        let known = block(&["a 1\n", "b 2\n"]);
        let elsewhere = block(&["a 1\n", "b 2\n"]).parts.clone();
        let moved = reuse(&known, &elsewhere).unwrap();
        known.compress(&mut Deflater::default());
        assert!(moved.is_compressed());
        assert!(std::ptr::eq(&*moved.parts[0], &*elsewhere[0]));
    }

    #[test]
    fn a_checksum_is_known_once_it_was_computed() {
        let block = block(&["a 1\n", "b 2\n"]);
        assert_eq!((block.len(), block.is_empty()), (8, false));
        assert!(!block.is_summed() && !block.is_compressed());
        block.sum();
        assert!(block.is_summed() && !block.is_compressed());
        assert!(Block::new(Vec::new()).is_empty());
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
            assert!(reuse(&known, &block(parts).parts.clone()).is_none());
        }
    }
}
