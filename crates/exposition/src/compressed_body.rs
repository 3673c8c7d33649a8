//! A gzip body of all tenants.

use super::block::Block;
use super::block_start::{BlockStart, FamilySlice, divide};
use super::catalogue::FAMILIES;
use super::chunk::Chunk;
use super::format::{FamilyHeaders, Format};
use super::gzip::{self, Deflater};
use bytes::Bytes;
use crc32fast::Hasher;
use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

/// All tenants' families of one generation in one format, as blocks.
///
/// It can be sent once every block is compressed.
#[derive(Debug)]
pub struct CompressedBody {
    generation: u64,
    format: Format,
    /// The blocks by their starts.
    blocks: Vec<(BlockStart, Arc<Block>)>,
    /// Once every block is compressed.
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
    checksum: Hasher,
    /// The length before compression, bytes.
    pub plain_length: u64,
}

impl Member {
    /// The end of the gzip member: the block `last`, `tail`, checksum and length.
    pub fn finish(&self, last: &Block, tail: &[u8]) -> Vec<Bytes> {
        let Some(deflated) = last.deflated() else {
            let tail = [&last.parts().concat(), tail].concat();
            return vec![gzip::end(&self.checksum, self.plain_length, &tail).into()];
        };
        let mut checksum = self.checksum.clone();
        checksum.combine(last.checksum());
        let length = self.plain_length + last.len() as u64;
        let end = gzip::end(&checksum, length, tail);
        vec![deflated.clone(), end.into()]
    }
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

    /// The blocks that are not compressed yet, in order.
    pub fn missing(&self) -> impl Iterator<Item = &Arc<Block>> {
        self.blocks().filter(|block| !block.is_compressed())
    }

    /// Compresses what is missing.
    pub fn compress(&self, deflater: &mut Deflater) {
        for block in self.missing() {
            block.compress(deflater);
        }
    }

    /// The member after compressing what is missing; `None` where the library failed.
    pub fn compressed(&self) -> Option<Member> {
        self.compress(&mut Deflater::default());
        self.member()
    }

    /// The gzip member without its end; `None` until every block is compressed.
    /// The first call takes some milliseconds for a thousand tenants.
    pub fn member(&self) -> Option<Member> {
        if let Some(member) = self.member.get() {
            return Some(member.clone());
        }
        let header = std::iter::once(Some(Bytes::from_static(&gzip::HEADER)));
        let blocks = self.blocks().map(|block| block.deflated().cloned());
        let parts: Arc<[Bytes]> = header.chain(blocks).collect::<Option<_>>()?;
        let mut checksum = Hasher::new();
        for block in self.blocks() {
            checksum.combine(block.checksum());
        }
        let member = Member {
            length: parts.iter().map(Bytes::len).sum(),
            parts,
            checksum,
            plain_length: self.blocks().map(|block| block.len() as u64).sum(),
        };
        Some(self.member.get_or_init(|| member).clone())
    }
}

/// The blocks of a body, looked for in order.
struct KnownBlocks<'a>(&'a [(BlockStart, Arc<Block>)]);

impl<'a> KnownBlocks<'a> {
    /// The block at a start, which is not before the last one.
    fn at(&mut self, start: &BlockStart) -> Option<&'a Arc<Block>> {
        while let [(known, block), later @ ..] = self.0 {
            match known.cmp(start) {
                Ordering::Less => self.0 = later,
                Ordering::Equal => return Some(block),
                Ordering::Greater => return None,
            }
        }
        None
    }
}

/// The newest compressed body of each format.
///
/// A new body takes over every unchanged block after an unchanged one, compressed
/// or not, from its predecessor or from the other format: the lines are the same
/// in both, only the headers of some families differ.
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
        let newest = newest.into_iter().flat_map(|body| &body.blocks);
        let starts: Vec<_> = newest.map(|(start, _)| start.clone()).collect();
        let same_format = self.newest(format).into_iter();
        let other = self.bodies.iter().filter(|known| known.format != format);
        let mut known: Vec<KnownBlocks<'_>> = same_format
            .chain(other)
            .map(|body| KnownBlocks(&body.blocks))
            .collect();
        let mut last_family = None;
        let mut blocks = Vec::new();
        let mut before = Arc::default();
        for range in divide(slices, &starts) {
            let slices = slices.get(range).unwrap_or_default();
            let Some(first) = slices.first() else {
                continue;
            };
            let start = first.start();
            let known = known.iter_mut().filter_map(|it| it.at(&start));
            let block = self.block(format, known, &before, slices, last_family);
            last_family = slices.last().map(|slice| slice.family);
            before = Arc::clone(block.parts());
            blocks.push((start, block));
        }
        blocks
    }

    /// The block of these slices: one of the `known` where its bytes are the same.
    /// A header stands before the first slice of each family.
    fn block<'a>(
        &self,
        format: Format,
        mut known: impl Iterator<Item = &'a Arc<Block>>,
        before: &Arc<[Bytes]>,
        slices: &[FamilySlice<'_>],
        family_before: Option<usize>,
    ) -> Arc<Block> {
        let families = slices.iter().map(|slice| Some(slice.family));
        let families = std::iter::once(family_before).chain(families);
        let lines = slices.iter().zip(families).map(|(slice, family_before)| {
            let begins = family_before != Some(slice.family);
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
        known
            .find_map(|known| known.reuse(before, borrowed.clone(), owned))
            .unwrap_or_else(|| Arc::new(Block::new(Arc::clone(before), owned())))
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
        body.compress(&mut Deflater::default());
    }

    fn decompressed(body: &CompressedBody) -> String {
        decompressed_with(body, &Block::default())
    }

    fn decompressed_with(body: &CompressedBody, last: &Block) -> String {
        let member = body.member().unwrap();
        let stream = [member.parts.concat(), member.finish(last, TAIL).concat()].concat();
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
        compress(&body);
        let whole = decompressed(&body);
        let (start, tail) = whole.split_at(whole.len() - TAIL.len());
        let last = Block::new(
            Arc::default(),
            vec!["partner 1\n".into(), "partner 2\n".into()],
        );
        let expected = format!("{start}partner 1\npartner 2\n{tail}");
        assert_eq!(decompressed_with(&body, &last), expected);
        last.compress(&mut Deflater::default());
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
            assert!(body.member().is_none(), "it is not compressed yet");
            compress(&body);
            assert!(body.blocks().all(|block| !block.is_empty()));
            assert_eq!(body.missing().count(), 0);
            let expected = expected(format, "x 1\nx 2\n", "y 1\ny 2\n");
            assert_eq!(decompressed(&body), expected);
            let [first, second] = [(); 2].map(|()| body.member().unwrap().parts);
            assert!(Arc::ptr_eq(&first, &second));
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
        compress(&body);
        let lines = format!("{first}{second}{third}");
        assert!(body.member().unwrap().length < lines.len() / 10);
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
        assert_eq!(second.missing().count(), 0);
        let tenants = [tenant("a", ["x 2\n", "y 1\n"])];
        let changed = body(&mut cache, Format::Text, 3, &tenants);
        assert!(changed.member().is_none());
        compress(&changed);
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
        assert_eq!(open.missing().count(), 0);
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
