//! The unit of compression.

use super::gzip::{Deflater, window};
use bytes::Bytes;
use crc32fast::Hasher;
use std::sync::{Arc, OnceLock};

/// A run of neighbouring lines of an exposition, compressed and replaced as
/// one.
///
/// It references the tenants' chunks rather than copying them, so that the
/// lines are in memory once. Its compressed bytes refer to the lines before it
/// and are valid after these only.
#[derive(Debug)]
pub struct Block {
    parts: Arc<[Bytes]>,
    /// The block before it in the body.
    before: Arc<[Bytes]>,
    length: usize,
    computed: Arc<Computed>,
}

impl Default for Block {
    /// One without lines.
    fn default() -> Self {
        Self::new(Arc::default(), Vec::new())
    }
}

/// Results that depend on the bytes of a block, not on their address.
#[derive(Debug, Default)]
struct Computed {
    checksum: OnceLock<Hasher>,
    /// `None` where the library failed.
    deflated: OnceLock<Option<Bytes>>,
}

impl Block {
    /// The lines `parts`, after the block with the lines `before`.
    pub(super) fn new(before: Arc<[Bytes]>, parts: Vec<Bytes>) -> Self {
        Self {
            length: parts.iter().map(Bytes::len).sum(),
            parts: parts.into(),
            before,
            computed: Arc::default(),
        }
    }

    /// This block, if `parts` and what deflate sees of `before` are the same
    /// bytes, referencing their present buffers.
    ///
    /// A refresh without news may render the same lines into another buffer.
    /// The compressed bytes stay valid, but the block must release the old
    /// buffer; otherwise the tenant's lines would be in memory twice.
    pub(super) fn reuse<'a>(
        self: &Arc<Self>,
        before: &Arc<[Bytes]>,
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
        let follows = Arc::ptr_eq(&self.before, before);
        if !follows && !window(&self.before).eq(window(before)) {
            return None;
        }
        if follows && !moved {
            return Some(Arc::clone(self));
        }
        Some(Arc::new(Self {
            parts: match moved {
                true => owned().into(),
                false => Arc::clone(&self.parts),
            },
            before: Arc::clone(before),
            length: self.length,
            computed: Arc::clone(&self.computed),
        }))
    }

    /// Its lines, in order.
    pub fn parts(&self) -> &Arc<[Bytes]> {
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

    /// Whether it is compressed.
    pub fn is_compressed(&self) -> bool {
        self.deflated().is_some()
    }

    /// Compresses it where it is not compressed: a tenth of a millisecond on a
    /// common processor. Of several threads one compresses, and the others wait
    /// for it.
    pub fn compress(&self, deflater: &mut Deflater) {
        self.checksum();
        let deflate = || deflater.deflate(&self.before, &self.parts);
        self.computed.deflated.get_or_init(deflate);
    }

    /// Its compressed bytes.
    pub(super) fn deflated(&self) -> Option<&Bytes> {
        self.computed.deflated.get()?.as_ref()
    }

    pub(super) fn checksum(&self) -> &Hasher {
        self.computed.checksum.get_or_init(|| {
            let mut checksum = Hasher::new();
            for part in self.parts.iter() {
                checksum.update(part);
            }
            checksum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(parts: &[&str]) -> Arc<Block> {
        let owned = parts.iter().map(|part| Bytes::from((*part).to_owned()));
        Arc::new(Block::new(Arc::default(), owned.collect()))
    }

    fn reuse(block: &Arc<Block>, parts: &[Bytes]) -> Option<Arc<Block>> {
        reuse_after(block, &block.before, parts)
    }

    fn reuse_after(
        block: &Arc<Block>,
        before: &Arc<[Bytes]>,
        parts: &[Bytes],
    ) -> Option<Arc<Block>> {
        block.reuse(before, parts.iter().map(AsRef::as_ref), || parts.to_vec())
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
    fn a_block_stays_compressed_while_what_deflate_sees_before_it_is_the_same() {
        let far = |first: &str| [first.to_owned(), "b".repeat(32 * 1024)].map(Bytes::from);
        let before = |first| -> Arc<[Bytes]> { far(first).into() };
        let known = Block::new(before("a 1\n"), vec!["c 3\n".into()]);
        let known = Arc::new(known);
        known.compress(&mut Deflater::default());
        let moved = before("a 2\n");
        let same = reuse_after(&known, &moved, &known.parts).unwrap();
        assert!(same.is_compressed());
        assert!(Arc::ptr_eq(&same.before, &moved), "the old one is released");
        assert!(Arc::ptr_eq(&same.parts, &known.parts));
        let near: Arc<[Bytes]> = ["b 2\n".into()].into();
        assert!(reuse_after(&known, &near, &known.parts).is_none());
    }

    #[test]
    fn an_empty_block_has_no_length() {
        let block = block(&["a 1\n", "b 2\n"]);
        assert_eq!((block.len(), block.is_empty()), (8, false));
        assert!(Block::default().is_empty());
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
