//! One generation, ready to be sent as gzip at any moment.

use super::block::Block;
use super::chunk::Chunk;
use super::cuts::{Cut, Stretch, divide};
use super::format::Format;
use super::gzip;
use bytes::Bytes;
use crc32fast::Hasher;
use std::sync::{Arc, OnceLock};

/// All tenants' families of one generation in one format, as blocks.
///
/// It can be sent before any block is compressed: a block that is not is sent
/// as it is, inside the same gzip member. So nobody waits for compression, and
/// nobody is shown yesterday's data because today's are not compressed yet.
#[derive(Debug)]
pub struct CompressedBody {
    generation: u64,
    format: Format,
    /// Where each block begins, and the block.
    blocks: Vec<(Cut, Arc<Block>)>,
    checksum: OnceLock<Hasher>,
    /// Kept once all blocks are compressed: until then it changes.
    member: OnceLock<Member>,
}

/// What has been said of a gzip member when only our own families are missing.
#[derive(Debug, Clone)]
pub struct Member {
    /// The stretches to send, in order.
    pub parts: Arc<[Bytes]>,
    /// How long they are together, bytes.
    pub length: usize,
}

impl CompressedBody {
    /// The blocks, in order.
    pub fn blocks(&self) -> impl Iterator<Item = &Arc<Block>> {
        self.blocks.iter().map(|(_, block)| block)
    }

    /// Which of the two formats it is in.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The beginning of the gzip member, as compressed as it is by now.
    pub fn member(&self) -> Member {
        if let Some(whole) = self.member.get() {
            return whole.clone();
        }
        let mut parts = vec![Bytes::from_static(&gzip::HEADER)];
        let mut whole = true;
        for block in self.blocks() {
            whole &= block.write(&mut parts);
        }
        let member = Member {
            length: parts.iter().map(Bytes::len).sum(),
            parts: parts.into(),
        };
        match whole {
            true => self.member.get_or_init(|| member).clone(),
            false => member,
        }
    }

    /// The end of the gzip member: `tail`, checksum and length. Blocks whose
    /// checksum is not known yet are summed now.
    pub fn finish(&self, tail: &[u8]) -> Bytes {
        let checksum = self.checksum.get_or_init(|| {
            let mut checksum = Hasher::new();
            for block in self.blocks() {
                checksum.combine(block.checksum());
            }
            checksum
        });
        let length = self.blocks().map(|block| block.len() as u64).sum();
        gzip::end(checksum, length, tail).into()
    }

    /// The block that begins at a place.
    fn at(&self, cut: &Cut) -> Option<&Arc<Block>> {
        let place = self.blocks.binary_search_by(|(known, _)| known.cmp(cut));
        let (_, block) = self.blocks.get(place.ok()?)?;
        Some(block)
    }
}

/// The newest edition of each format.
///
/// A new one takes over every block that has not changed, compressed or not,
/// from its predecessor or from the other format: all lines are the same in
/// both, only some families' headers differ.
#[derive(Debug, Default)]
pub struct BlockCache {
    editions: Vec<Arc<CompressedBody>>,
}

impl BlockCache {
    /// The edition of a generation in a format, made if need be: the tenants
    /// in the order of their aliases, each with its data and its vitals.
    ///
    /// This looks at each stretch of each tenant, a matter of a millisecond or
    /// two for a thousand tenants; nothing is copied and nothing compressed.
    pub fn edition<'a>(
        &mut self,
        format: Format,
        generation: u64,
        tenants: impl Iterator<Item = (&'a Arc<str>, &'a Chunk, &'a Chunk)> + Clone,
    ) -> Arc<CompressedBody> {
        let known = self.of(format);
        if let Some(known) = known.filter(|known| known.generation == generation) {
            return Arc::clone(known);
        }
        let stretches: Vec<_> = (0..format.headers().len())
            .flat_map(|family| {
                tenants.clone().flat_map(move |(alias, data, vitals)| {
                    [data, vitals]
                        .into_iter()
                        .filter_map(move |chunk| Stretch::of(family, alias, chunk))
                })
            })
            .collect();
        let fresh = Arc::new(CompressedBody {
            generation,
            format,
            blocks: self.blocks(format, &stretches),
            checksum: OnceLock::new(),
            member: OnceLock::new(),
        });
        self.editions.retain(|edition| edition.format != format);
        self.editions.push(Arc::clone(&fresh));
        fresh
    }

    /// Forgets the editions in a format.
    pub fn drop_format(&mut self, format: Format) {
        self.editions.retain(|edition| edition.format != format);
    }

    fn of(&self, format: Format) -> Option<&Arc<CompressedBody>> {
        let mut editions = self.editions.iter();
        editions.find(|edition| edition.format == format)
    }

    fn blocks(&self, format: Format, stretches: &[Stretch<'_>]) -> Vec<(Cut, Arc<Block>)> {
        let newest = self.editions.iter().max_by_key(|known| known.generation);
        let cuts: Vec<Cut> = newest
            .map(|known| known.blocks.iter().map(|(cut, _)| cut.clone()).collect())
            .unwrap_or_default();
        let mut last_family = None;
        let mut blocks = Vec::new();
        for range in divide(stretches, &cuts) {
            let stretches = stretches.get(range).unwrap_or_default();
            let Some(first) = stretches.first() else {
                continue;
            };
            let cut = first.cut();
            let block = self.block(format, &cut, stretches, last_family);
            last_family = stretches.last().map(|stretch| stretch.family);
            blocks.push((cut, block));
        }
        blocks
    }

    /// The block of these stretches: a known one if it is the same.
    fn block(
        &self,
        format: Format,
        cut: &Cut,
        stretches: &[Stretch<'_>],
        before: Option<usize>,
    ) -> Arc<Block> {
        let families =
            std::iter::once(before).chain(stretches.iter().map(|stretch| Some(stretch.family)));
        let lines = stretches.iter().zip(families).map(|(stretch, before)| {
            let begins = before != Some(stretch.family);
            let header = begins.then(|| format.headers().get(stretch.family));
            (header.flatten(), stretch)
        });
        let slices = lines.clone().flat_map(|(header, stretch)| {
            let header = header.map(AsRef::as_ref);
            header.into_iter().chain([stretch.lines])
        });
        let owned = || {
            let parts = lines
                .clone()
                .flat_map(|(header, stretch)| header.cloned().into_iter().chain([stretch.bytes()]));
            parts.collect()
        };
        let other = self.editions.iter().filter(|known| known.format != format);
        self.of(format)
            .into_iter()
            .chain(other)
            .filter_map(|edition| edition.at(cut))
            .find_map(|known| known.again(slices.clone(), owned))
            .unwrap_or_else(|| Arc::new(Block::new(owned())))
    }
}
