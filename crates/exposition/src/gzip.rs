//! One gzip member made of parts that are compressed separately.
//!
//! Prometheus reads several gzip members in a row, but curl and most proxies
//! stop after the first one without an error. Therefore all parts are in one
//! member: each is raw deflate that begins with an empty window and ends on a
//! byte boundary without a final block, so that it can be replaced alone, and
//! the checksums are combined.

use bytes::Bytes;
use crc32fast::Hasher;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::io::Write as _;

/// Deflate, no flags, no time, no extra flags, unknown system (RFC 1952).
pub(super) const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// A block is compressed once and sent many times.
const LEVEL: u32 = 6;

/// The exporter's own families are compressed for one scrape. They are a few
/// kilobytes, where the level makes a difference of a few hundred bytes.
const TAIL_LEVEL: u32 = 1;

/// The most bytes of a stored block (RFC 1951, 3.2.4).
const MAX_STORED: usize = 65_535;

/// Compresses one block after the other with the same memory.
#[derive(Debug)]
pub struct Deflater {
    encoder: DeflateEncoder<Vec<u8>>,
}

impl Default for Deflater {
    fn default() -> Self {
        let level = Compression::new(LEVEL);
        Self {
            encoder: DeflateEncoder::new(Vec::new(), level),
        }
    }
}

impl Deflater {
    /// The parts as deflate blocks without a final one; `None` where the
    /// library fails.
    pub(super) fn deflate(&mut self, parts: &[Bytes]) -> Option<Bytes> {
        // This also ends the stream before, in a buffer that is dropped.
        self.encoder.reset(Vec::new()).ok()?;
        for part in parts {
            self.encoder.write_all(part).ok()?;
        }
        self.encoder.flush().ok()?;
        let mut deflated = std::mem::take(self.encoder.get_mut());
        deflated.shrink_to_fit();
        Some(deflated.into())
    }
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

/// Adds the parts to a member as stored blocks. No part is copied; the cost is
/// five bytes for each 65,535.
pub(super) fn store(parts: &[Bytes], member: &mut Vec<Bytes>) {
    let mut left: usize = parts.iter().map(Bytes::len).sum();
    let mut room = 0;
    for part in parts {
        let mut rest = part.clone();
        while !rest.is_empty() {
            if room == 0 {
                room = left.min(MAX_STORED);
                left -= room;
                member.push(Bytes::copy_from_slice(&stored_header(room)));
            }
            let piece = rest.split_to(rest.len().min(room));
            room -= piece.len();
            member.push(piece);
        }
    }
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

    /// A member of blocks, each stored or compressed.
    fn member(blocks: &[(bool, Vec<Vec<u8>>)], tail: &[u8]) -> Vec<u8> {
        let mut deflater = Deflater::default();
        let mut checksum = Hasher::new();
        let mut length = 0;
        let mut member = vec![Bytes::from_static(&HEADER)];
        for (stored, parts) in blocks {
            let parts: Vec<Bytes> = parts.iter().cloned().map(Bytes::from).collect();
            for part in &parts {
                checksum.update(part);
                length += part.len() as u64;
            }
            match stored {
                true => store(&parts, &mut member),
                false => member.push(deflater.deflate(&parts).unwrap()),
            }
        }
        member.push(end(&checksum, length, tail).into());
        member.concat()
    }

    #[test]
    fn a_block_longer_than_a_stored_block_is_stored_whole() {
        let long: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let parts = vec![long[..1000].to_vec(), long[1000..].to_vec()];
        let packed = member(&[(true, parts)], b"tail");
        assert_eq!(unpack(&packed), [&long[..], b"tail"].concat());
        let blocks = long.len().div_ceil(MAX_STORED);
        assert!(packed.len() < long.len() + 5 * blocks + 40);
    }

    /// Output that exceeds the room for one step, in a block and in the tail.
    #[test]
    fn bytes_that_hardly_shrink_are_compressed_whole() {
        let random = |seed: u32| seed.wrapping_mul(2_654_435_761).to_le_bytes()[2];
        let bytes: Vec<u8> = (0..300_000).map(random).collect();
        for length in [30_000, 70_000, 300_000] {
            let bytes = &bytes[..length];
            let packed = member(&[(false, vec![bytes.to_vec()])], bytes);
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
                (any::<bool>(), prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 0..4)),
                0..5,
            ),
            tail in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let plain: Vec<u8> = blocks.iter().flat_map(|(_, parts)| parts.concat()).collect();
            prop_assert_eq!(unpack(&member(&blocks, &tail)), [plain, tail].concat());
        }
    }
}
