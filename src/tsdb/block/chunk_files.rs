//! The files of a block's chunks.

use super::varint::push_uvarint;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// Magic number, version and padding.
const HEADER: [u8; 8] = [0x85, 0xBD, 0x40, 0xDD, 1, 0, 0, 0];

/// As Prometheus does, a file ends here.
const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// Writes chunks one after the other.
pub(super) struct ChunkFiles {
    folder: PathBuf,
    out: BufWriter<File>,
    /// The number of the file, from 0.
    number: u64,
    /// The bytes of this file.
    place: u64,
    /// The bytes of the files before.
    before: u64,
}

impl ChunkFiles {
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        fs::create_dir(folder)?;
        Ok(Self {
            out: create(folder, 0)?,
            folder: folder.to_owned(),
            number: 0,
            place: HEADER.len() as u64,
            before: 0,
        })
    }

    /// Writes a chunk and returns where it is. Its length does not count the encoding,
    /// the first byte.
    pub(super) fn append(&mut self, content: &[u8], sum: u32) -> io::Result<u64> {
        if self.place > MAX_BYTES {
            self.flush()?;
            self.before += self.place;
            self.number += 1;
            self.out = create(&self.folder, self.number)?;
            self.place = HEADER.len() as u64;
        }
        let reference = self.number << 32 | self.place;
        let mut chunk = Vec::new();
        push_uvarint(content.len() as u64 - 1, &mut chunk);
        chunk.extend_from_slice(content);
        chunk.extend_from_slice(&sum.to_be_bytes());
        self.out.write_all(&chunk)?;
        self.place += chunk.len() as u64;
        Ok(reference)
    }

    /// Writes everything to the disk and returns the bytes of all files.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.flush()?;
        Ok(self.before + self.place)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.out.get_ref().sync_all()
    }
}

/// The first file has the number 1 in its name.
fn create(folder: &Path, number: u64) -> io::Result<BufWriter<File>> {
    let file = File::create_new(folder.join(format!("{:06}", number + 1)))?;
    let mut out = BufWriter::new(file);
    out.write_all(&HEADER)?;
    Ok(out)
}
