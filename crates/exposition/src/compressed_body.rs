//! A gzip body of all tenants.

use super::block::Block;
use super::block_start::{BlockStart, FamilySlice, divide};
use super::catalogue::FAMILIES;
use super::chunk::Chunk;
use super::format::{FamilyHeaders, Format};
use super::gzip;
use bytes::Bytes;
use crc32fast::Hasher;
use std::sync::{Arc, OnceLock};

/// All tenants' families of one generation in one format, as blocks.
///
/// It can be sent at any moment: a block that is not compressed yet is sent
/// stored, inside the same gzip member. A scrape therefore neither waits for
/// compression nor receives older data.
#[derive(Debug)]
pub struct CompressedBody {
    generation: u64,
    format: Format,
    /// The blocks by their starts.
    blocks: Vec<(BlockStart, Arc<Block>)>,
    checksum: OnceLock<Hasher>,
    /// Kept once every block is compressed; until then it changes.
    member: OnceLock<Member>,
}

/// A gzip member without its end: the exporter's own families, checksum and
/// length are missing.
#[derive(Debug, Clone)]
pub struct Member {
    /// The parts to send, in order.
    pub parts: Arc<[Bytes]>,
    /// Their length, bytes.
    pub length: usize,
}

impl CompressedBody {
    /// The blocks, in order.
    pub fn blocks(&self) -> impl Iterator<Item = &Arc<Block>> {
        self.blocks.iter().map(|(_, block)| block)
    }

    /// Its format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The gzip member without its end, with the blocks that are compressed now.
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

    /// The end of the gzip member: the block `last`, `tail`, checksum and length.
    /// Missing checksums of blocks are computed here.
    pub fn finish(&self, last: &Block, tail: &[u8]) -> Vec<Bytes> {
        let checksum = self.checksum.get_or_init(|| {
            let mut checksum = Hasher::new();
            for block in self.blocks() {
                checksum.combine(block.checksum());
            }
            checksum
        });
        let length: u64 = self.blocks().map(|block| block.len() as u64).sum();
        let mut checksum = checksum.clone();
        checksum.combine(last.checksum());
        let length = length + last.len() as u64;
        let mut parts = Vec::new();
        last.write(&mut parts);
        parts.push(gzip::end(&checksum, length, tail).into());
        parts
    }

    fn block_at(&self, start: &BlockStart) -> Option<&Arc<Block>> {
        let place = self.blocks.binary_search_by(|(known, _)| known.cmp(start));
        let (_, block) = self.blocks.get(place.ok()?)?;
        Some(block)
    }
}

/// The newest compressed body of each format.
///
/// A new body takes over every unchanged block, compressed or not, from its
/// predecessor or from the other format: the lines are the same in both, only
/// the headers of some families differ.
#[derive(Debug, Default)]
pub struct BlockCache {
    bodies: Vec<Arc<CompressedBody>>,
    headers: FamilyHeaders,
}

impl BlockCache {
    /// An empty cache.
    pub fn new(headers: FamilyHeaders) -> Self {
        Self {
            bodies: Vec::new(),
            headers,
        }
    }

    /// The body of a generation in a format, built where it is new. The
    /// tenants come in the order of their aliases, each with data and health.
    ///
    /// Building visits each family of each tenant, one or two milliseconds for
    /// a thousand tenants; it copies no line and compresses nothing.
    pub fn body<'a>(
        &mut self,
        format: Format,
        generation: u64,
        tenants: impl Iterator<Item = (&'a Arc<str>, &'a Chunk, &'a Chunk)> + Clone,
    ) -> Arc<CompressedBody> {
        let known = self.newest(format);
        if let Some(known) = known.filter(|known| known.generation == generation) {
            return Arc::clone(known);
        }
        let mut slices = Vec::new();
        for family in 0..FAMILIES.len() {
            for (alias, data, health) in tenants.clone() {
                slices.extend(FamilySlice::of(family, alias, data));
                slices.extend(FamilySlice::of(family, alias, health));
            }
        }
        let body = Arc::new(CompressedBody {
            generation,
            format,
            blocks: self.blocks(format, &slices),
            checksum: OnceLock::new(),
            member: OnceLock::new(),
        });
        self.drop_format(format);
        self.bodies.push(Arc::clone(&body));
        body
    }

    /// Drops the body of a format.
    pub fn drop_format(&mut self, format: Format) {
        self.bodies.retain(|body| body.format != format);
    }

    fn newest(&self, format: Format) -> Option<&Arc<CompressedBody>> {
        self.bodies.iter().find(|body| body.format == format)
    }

    fn blocks(&self, format: Format, slices: &[FamilySlice<'_>]) -> Vec<(BlockStart, Arc<Block>)> {
        let newest = self.bodies.iter().max_by_key(|known| known.generation);
        let known = newest.into_iter().flat_map(|body| &body.blocks);
        let starts: Vec<_> = known.map(|(start, _)| start.clone()).collect();
        let mut last_family = None;
        let mut blocks = Vec::new();
        for range in divide(slices, &starts) {
            let slices = slices.get(range).unwrap_or_default();
            let Some(first) = slices.first() else {
                continue;
            };
            let start = first.start();
            let block = self.block(format, &start, slices, last_family);
            last_family = slices.last().map(|slice| slice.family);
            blocks.push((start, block));
        }
        blocks
    }

    /// The block of these slices: a known block where its bytes are the same.
    /// A header stands before the first slice of each family.
    fn block(
        &self,
        format: Format,
        start: &BlockStart,
        slices: &[FamilySlice<'_>],
        family_before: Option<usize>,
    ) -> Arc<Block> {
        let before = slices.iter().map(|slice| Some(slice.family));
        let before = std::iter::once(family_before).chain(before);
        let lines = slices.iter().zip(before).map(|(slice, before)| {
            let begins = before != Some(slice.family);
            let header = begins.then(|| self.headers.of(format).get(slice.family));
            (header.flatten(), slice)
        });
        let borrowed = lines.clone().flat_map(|(header, slice)| {
            let header = header.map(AsRef::as_ref);
            header.into_iter().chain([slice.lines])
        });
        let owned = || {
            let parts = lines
                .clone()
                .flat_map(|(header, slice)| header.cloned().into_iter().chain([slice.bytes()]));
            parts.collect()
        };
        let other = self.bodies.iter().filter(|known| known.format != format);
        self.newest(format)
            .into_iter()
            .chain(other)
            .filter_map(|body| body.block_at(start))
            .find_map(|known| known.reuse(borrowed.clone(), owned))
            .unwrap_or_else(|| Arc::new(Block::new(owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    const TAIL: &[u8] = b"tail 1\n";

    fn tenant(alias: &str, families: [&str; 2]) -> (Arc<str>, Chunk) {
        let write = |lines: &str, buffer: &mut Vec<u8>| buffer.extend_from_slice(lines.as_bytes());
        (alias.into(), Chunk::of(families, 0, write))
    }

    fn body(
        cache: &mut BlockCache,
        format: Format,
        generation: u64,
        tenants: &[(Arc<str>, Chunk)],
    ) -> Arc<CompressedBody> {
        let health = Chunk::default();
        let tenants = tenants.iter().map(|(alias, data)| (alias, data, &health));
        cache.body(format, generation, tenants)
    }

    fn compress(body: &CompressedBody) {
        for block in body.blocks() {
            block.compress(&mut gzip::Deflater::default());
        }
    }

    fn decompressed(body: &CompressedBody) -> String {
        decompressed_with(body, &Block::default())
    }

    fn decompressed_with(body: &CompressedBody, last: &Block) -> String {
        let member = body.member();
        let stream = [member.parts.concat(), body.finish(last, TAIL).concat()].concat();
        assert_eq!(member.parts.concat().len(), member.length);
        let mut text = String::new();
        let mut decoder = flate2::bufread::GzDecoder::new(&stream[..]);
        decoder.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn another_block_stands_before_the_tail_compressed_or_not() {
        let tenants = [tenant("a", ["first 1\n", "second 1\n"])];
        let body = body(&mut BlockCache::default(), Format::Text, 1, &tenants);
        let whole = decompressed(&body);
        let (start, tail) = whole.split_at(whole.len() - TAIL.len());
        let last = Block::new(vec!["partner 1\n".into(), "partner 2\n".into()]);
        let expected = format!("{start}partner 1\npartner 2\n{tail}");
        assert_eq!(decompressed_with(&body, &last), expected);
        last.compress(&mut gzip::Deflater::default());
        assert_eq!(decompressed_with(&body, &last), expected);
    }

    /// The lines of both families, each below its header.
    fn expected(format: Format, first: &str, second: &str) -> String {
        let [a, b] = [0, 1].map(|family| format.header(&FAMILIES[family]));
        format!("{a}{first}{b}{second}tail 1\n")
    }

    #[test]
    fn a_body_has_every_line_below_the_header_of_its_family() {
        let tenants = [
            tenant("a", ["x 1\n", "y 1\n"]),
            tenant("b", ["x 2\n", "y 2\n"]),
        ];
        for format in Format::ALL {
            let body = body(&mut BlockCache::default(), format, 1, &tenants);
            assert_eq!(body.format(), format);
            let expected = expected(format, "x 1\nx 2\n", "y 1\ny 2\n");
            assert_eq!(decompressed(&body), expected);
            compress(&body);
            for block in body.blocks() {
                assert!(!block.is_empty());
                assert!(block.is_summed() && block.is_compressed());
            }
            assert_eq!(decompressed(&body), expected);
            assert!(Arc::ptr_eq(&body.member().parts, &body.member().parts));
        }
    }

    #[test]
    fn a_header_stands_once_where_a_family_spans_two_blocks() {
        let long = |name: &str| format!("x{{tenant=\"{name}\"}} 1\n").repeat(20_000);
        let [first, second, third] = ["a", "b", "c"].map(long);
        let tenants = [
            tenant("a", [&first, ""]),
            tenant("b", [&second, ""]),
            tenant("c", [&third, "y 1\n"]),
        ];
        let body = body(&mut BlockCache::default(), Format::Text, 1, &tenants);
        assert!(body.blocks().count() > 1);
        let stored = body.member().length;
        compress(&body);
        assert!(body.member().length < stored / 10);
        let lines = format!("{first}{second}{third}");
        assert_eq!(decompressed(&body), expected(Format::Text, &lines, "y 1\n"));
    }

    #[test]
    fn a_generation_is_built_once_and_unchanged_blocks_are_reused() {
        let mut cache = BlockCache::default();
        let tenants = [tenant("a", ["x 1\n", "y 1\n"])];
        let first = body(&mut cache, Format::Text, 1, &tenants);
        let again = body(&mut cache, Format::Text, 1, &tenants);
        assert!(Arc::ptr_eq(&first, &again));
        compress(&first);
        let second = body(&mut cache, Format::Text, 2, &tenants);
        assert!(!Arc::ptr_eq(&first, &second));
        assert!(second.blocks().all(|block| block.is_compressed()));
        let tenants = [tenant("a", ["x 2\n", "y 1\n"])];
        let changed = body(&mut cache, Format::Text, 3, &tenants);
        assert!(changed.blocks().any(|block| !block.is_compressed()));
        let expected = expected(Format::Text, "x 2\n", "y 1\n");
        assert_eq!(decompressed(&changed), expected);
    }

    #[test]
    fn a_block_that_is_the_same_in_both_formats_is_compressed_once() {
        let mut cache = BlockCache::default();
        let tenants = [tenant("a", ["", "up 1\n"])];
        let [text, open] = Format::ALL.map(|format| format.header(&FAMILIES[1]));
        assert_eq!(text, open);
        compress(&body(&mut cache, Format::Text, 1, &tenants));
        let open = body(&mut cache, Format::OpenMetrics, 1, &tenants);
        assert!(open.blocks().all(|block| block.is_compressed()));
    }

    #[test]
    fn a_dropped_format_is_built_again_and_the_other_one_stays() {
        let mut cache = BlockCache::default();
        let tenants = [tenant("a", ["x 1\n", "y 1\n"])];
        let [text, open] = Format::ALL.map(|format| body(&mut cache, format, 1, &tenants));
        cache.drop_format(Format::Text);
        let after = Format::ALL.map(|format| body(&mut cache, format, 1, &tenants));
        assert!(!Arc::ptr_eq(&text, &after[0]) && Arc::ptr_eq(&open, &after[1]));
    }
}
