//! One gzip stream out of a part that is kept and a part that is new.
//!
//! The tenants' bytes change a few times an hour, the exporter's own with each
//! scrape. Two gzip members one after the other would do for Prometheus, but
//! curl and most proxies stop after the first without a word. So the kept part
//! is raw deflate that ends on a byte boundary without a final block; the new
//! part, compressed on its own, follows; and the checksums are combined.

use bytes::Bytes;
use crc32fast::Hasher;
use flate2::{Compress, Compression, FlushCompress, Status};

/// Deflate, no flags, no time, no extra flags, unknown system (RFC 1952).
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Compressed at this level once per change and sent many times.
const LEVEL: u32 = 6;

/// The beginning of a gzip stream, ready to be continued.
#[derive(Debug, Clone)]
pub struct CompressedPrefix {
    blocks: Bytes,
    checksum: Hasher,
    length: u64,
}

impl CompressedPrefix {
    /// Compresses the parts in order.
    pub fn compress(parts: &[Bytes]) -> Self {
        let mut checksum = Hasher::new();
        for part in parts {
            checksum.update(part);
        }
        Self {
            blocks: deflate(parts.iter().map(AsRef::as_ref), FlushCompress::Sync).into(),
            checksum,
            length: parts.iter().map(|part| part.len() as u64).sum(),
        }
    }

    /// The whole stream, with `tail` after what was compressed before.
    pub fn finish(&self, tail: &[u8]) -> Vec<Bytes> {
        let mut end = deflate(std::iter::once(tail), FlushCompress::Finish);
        let mut tail_checksum = Hasher::new();
        tail_checksum.update(tail);
        let mut checksum = self.checksum.clone();
        checksum.combine(&tail_checksum);
        end.extend_from_slice(&checksum.finalize().to_le_bytes());
        // The format wants the length modulo 2^32.
        let length = self.length.wrapping_add(tail.len() as u64) as u32;
        end.extend_from_slice(&length.to_le_bytes());
        vec![Bytes::from_static(&HEADER), self.blocks.clone(), end.into()]
    }
}

/// Room for what a flush may add.
const STEP: usize = 64 * 1024;

fn deflate<'a>(parts: impl Iterator<Item = &'a [u8]>, end: FlushCompress) -> Vec<u8> {
    let mut stream = Compress::new(Compression::new(LEVEL), false);
    let mut out = Vec::with_capacity(STEP);
    for part in parts {
        let mut rest = part;
        while !rest.is_empty() {
            out.reserve(STEP);
            let before = stream.total_in();
            let status = stream.compress_vec(rest, &mut out, FlushCompress::None);
            let taken = usize::try_from(stream.total_in() - before).unwrap_or(rest.len());
            // With room in memory there is always progress; without any, going
            // on would never end.
            if status.is_err() || taken == 0 {
                break;
            }
            rest = rest.get(taken..).unwrap_or_default();
        }
    }
    loop {
        out.reserve(STEP);
        let status = stream.compress_vec(&[], &mut out, end);
        let flushed = end == FlushCompress::Sync && out.len() < out.capacity();
        if flushed || !matches!(status, Ok(Status::Ok)) {
            break;
        }
    }
    out.shrink_to_fit();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::{Read as _, Write as _};
    use std::process::{Command, Stdio};

    fn stream(parts: &[&[u8]], tail: &[u8]) -> Vec<u8> {
        let parts: Vec<Bytes> = parts
            .iter()
            .map(|part| Bytes::copy_from_slice(part))
            .collect();
        CompressedPrefix::compress(&parts).finish(tail).concat()
    }

    /// One member only: what follows it would be an error.
    fn unpack(stream: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        let mut decoder = flate2::bufread::GzDecoder::new(stream);
        decoder.read_to_end(&mut plain).unwrap();
        assert!(
            decoder.into_inner().is_empty(),
            "nothing follows the member"
        );
        plain
    }

    /// What a program makes of the stream on its standard input.
    fn through(program: &str, arguments: &[&str], stream: &[u8]) -> Vec<u8> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|_| panic!("install it with: apt-get install -y {program}"));
        let mut input = child.stdin.take().unwrap();
        let stream = stream.to_vec();
        let writer = std::thread::spawn(move || input.write_all(&stream).unwrap());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(output.status.success(), "{program} refuses the stream");
        output.stdout
    }

    #[test]
    fn other_programs_read_the_whole_stream() {
        let body = "secure_score_up{tenant=\"contoso\"} 1\n".repeat(20_000);
        let packed = stream(&[body.as_bytes(), b"middle\n"], b"tail\n");
        let expected = format!("{body}middle\ntail\n").into_bytes();
        assert!(packed.len() < expected.len() / 20);
        let python =
            "import gzip,sys;sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))";
        assert_eq!(unpack(&packed), expected);
        assert_eq!(through("gzip", &["-dc"], &packed), expected);
        assert_eq!(through("python3", &["-c", python], &packed), expected);
    }

    proptest! {
        #[test]
        fn whatever_goes_in_comes_out(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 0..4),
            tail in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let expected = [parts.concat(), tail.clone()].concat();
            prop_assert_eq!(unpack(&stream(&slices, &tail)), expected);
        }
    }
}
