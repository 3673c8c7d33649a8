//! One gzip member made of parts that are compressed separately.
//!
//! Prometheus reads several gzip members in a row, but curl and most proxies
//! stop after the first one without an error. Therefore all parts are in one
//! member: each is raw deflate that ends on a byte boundary without a final
//! block, so that it can be replaced alone, and the checksums are combined.
//!
//! A part may refer to the bytes before it, as in any gzip member: deflate finds
//! in the lines of one tenant nearly all that it needs for the next one.

use bytes::Bytes;
use crc32fast::Hasher;
use flate2::write::DeflateEncoder;
use flate2::{Compress, Compression, FlushCompress};
use std::io::Write as _;

/// Deflate, no flags, no time, no extra flags, unknown system (RFC 1952).
pub(super) const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// A block is compressed once and sent many times.
const LEVEL: u32 = 6;

/// The exporter's own families are compressed for one scrape. They are a few
/// kilobytes, where the level makes a difference of a few hundred bytes.
const TAIL_LEVEL: u32 = 1;

/// How far back deflate refers (RFC 1951, 2).
const WINDOW: usize = 32 * 1024;

/// Room for a step of the compression, bytes.
const STEP: usize = 4 * 1024;

/// The most bytes of a stored block (RFC 1951, 3.2.4).
const MAX_STORED: usize = 65_535;

/// Compresses one block after the other with the same memory.
#[derive(Debug)]
pub struct Deflater {
    stream: Compress,
    window: Vec<u8>,
    deflated: Vec<u8>,
}

impl Default for Deflater {
    fn default() -> Self {
        Self {
            stream: Compress::new(Compression::new(LEVEL), false),
            window: Vec::new(),
            deflated: Vec::new(),
        }
    }
}

impl Deflater {
    /// The parts as deflate blocks without a final one, which follow the bytes
    /// `before`; `None` where the library fails.
    pub(super) fn deflate(&mut self, before: &[Bytes], parts: &[Bytes]) -> Option<Bytes> {
        self.stream.reset();
        self.deflated.clear();
        self.window.clear();
        window(before).for_each(|bytes| self.window.extend_from_slice(bytes));
        if !self.window.is_empty() {
            self.stream.set_dictionary(&self.window).ok()?;
        }
        for part in parts {
            self.write(part, FlushCompress::None)?;
        }
        self.write(&[], FlushCompress::Sync)?;
        Some(Bytes::copy_from_slice(&self.deflated))
    }

    fn write(&mut self, mut bytes: &[u8], flush: FlushCompress) -> Option<()> {
        loop {
            self.deflated.reserve(STEP);
            let before = self.stream.total_in();
            let deflated = &mut self.deflated;
            self.stream.compress_vec(bytes, deflated, flush).ok()?;
            let read = usize::try_from(self.stream.total_in() - before).ok()?;
            bytes = bytes.get(read..)?;
            // With room left nothing is held back.
            if bytes.is_empty() && self.deflated.len() < self.deflated.capacity() {
                return Some(());
            }
        }
    }
}

/// The last bytes of `parts`, as far back as deflate refers.
pub(super) fn window(parts: &[Bytes]) -> impl Iterator<Item = &[u8]> {
    let length: usize = parts.iter().map(Bytes::len).sum();
    let mut skipped = length.saturating_sub(WINDOW);
    parts.iter().filter_map(move |part| {
        let skip = skipped.min(part.len());
        skipped -= skip;
        part.get(skip..).filter(|rest| !rest.is_empty())
    })
}

/// The end of a member: the compressed tail, the checksum that continues
/// `before`, and the length of everything.
pub(super) fn end(before: &Hasher, length: u64, tail: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(TAIL_LEVEL));
    let deflated = encoder.write_all(tail).and_then(|()| encoder.finish());
    let mut end = deflated.unwrap_or_else(|_| stored_tail(tail));
    let mut last = Hasher::new();
    last.update(tail);
    let mut checksum = before.clone();
    checksum.combine(&last);
    end.extend_from_slice(&checksum.finalize().to_le_bytes());
    // The format has the length modulo 2^32.
    let length = length.wrapping_add(tail.len() as u64) as u32;
    end.extend_from_slice(&length.to_le_bytes());
    end
}

fn stored_tail(tail: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in tail.chunks(MAX_STORED) {
        out.extend_from_slice(&stored_header(piece.len()));
        out.extend_from_slice(piece);
    }
    // An empty final block with fixed codes.
    out.extend_from_slice(&[0x03, 0x00]);
    out
}

/// The header of a stored block that is not the last: three zero bits, padding
/// to the byte, then the length and its complement.
fn stored_header(length: usize) -> [u8; 5] {
    let [low, high] = u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes();
    [0, low, high, !low, !high]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Read as _;

    /// Reads one member; bytes after it are an error.
    fn unpack(stream: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        let mut decoder = flate2::bufread::GzDecoder::new(stream);
        decoder.read_to_end(&mut plain).unwrap();
        assert!(decoder.into_inner().is_empty());
        plain
    }

    fn parts(parts: &[Vec<u8>]) -> Vec<Bytes> {
        parts.iter().cloned().map(Bytes::from).collect()
    }

    /// A member of blocks, each after the one before it.
    fn member(blocks: &[Vec<Vec<u8>>], tail: &[u8]) -> Vec<u8> {
        let mut deflater = Deflater::default();
        let mut checksum = Hasher::new();
        let mut length = 0;
        let mut member = HEADER.to_vec();
        let mut before = Vec::new();
        for block in blocks {
            let parts = parts(block);
            for part in &parts {
                checksum.update(part);
                length += part.len() as u64;
            }
            member.extend_from_slice(&deflater.deflate(&before, &parts).unwrap());
            before = parts;
        }
        member.extend_from_slice(&end(&checksum, length, tail));
        member
    }

    #[test]
    fn a_block_refers_to_the_bytes_before_it() {
        let random = |seed: u32| seed.wrapping_mul(2_654_435_761).to_le_bytes()[2];
        let bytes: Vec<u8> = (0..20_000).map(random).collect();
        let once = member(&[vec![bytes.clone()]], b"").len();
        let twice = member(&[vec![bytes.clone()], vec![bytes.clone()]], b"");
        assert_eq!(unpack(&twice), [&bytes[..], &bytes].concat());
        assert!(twice.len() < once + 1_000, "{} and {once}", twice.len());
    }

    #[test]
    fn the_window_is_the_end_of_the_bytes_before() {
        let long = parts(&[vec![1; 40_000], vec![2; 10_000], vec![3; 5]]);
        let lengths: Vec<usize> = window(&long).map(<[u8]>::len).collect();
        assert_eq!(lengths, [WINDOW - 10_005, 10_000, 5]);
        let short = parts(&[vec![1; 7], vec![], vec![2; 3]]);
        assert_eq!(window(&short).collect::<Vec<_>>().concat().len(), 10);
        assert_eq!(window(&[]).count(), 0);
    }

    /// Output that exceeds the room for one step, in a block and in the tail.
    #[test]
    fn bytes_that_hardly_shrink_are_compressed_whole() {
        let random = |seed: u32| seed.wrapping_mul(2_654_435_761).to_le_bytes()[2];
        let bytes: Vec<u8> = (0..300_000).map(random).collect();
        for length in [30_000, 70_000, 300_000] {
            let bytes = &bytes[..length];
            let packed = member(&[vec![bytes.to_vec()]], bytes);
            assert!(unpack(&packed) == [bytes, bytes].concat(), "{length}");
        }
    }

    #[test]
    fn a_tail_that_cannot_be_compressed_is_stored() {
        for length in [0, 1, MAX_STORED, MAX_STORED + 1] {
            let tail = vec![b'a'; length];
            let mut plain = Vec::new();
            let stored = stored_tail(&tail);
            let mut decoder = flate2::read::DeflateDecoder::new(&stored[..]);
            decoder.read_to_end(&mut plain).unwrap();
            assert_eq!(plain, tail);
        }
    }

    proptest! {
        #[test]
        fn every_input_is_decompressed_unchanged(
            blocks in prop::collection::vec(
                prop::collection::vec(prop::collection::vec(any::<u8>(), 0..30_000), 0..4),
                0..5,
            ),
            tail in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let plain: Vec<u8> = blocks.iter().flat_map(|parts| parts.concat()).collect();
            prop_assert_eq!(unpack(&member(&blocks, &tail)), [plain, tail].concat());
        }
    }
}
