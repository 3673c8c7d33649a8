//! A block of Prometheus' storage, as Prometheus and promtool write it: files of
//! chunks, an index and a description.

mod checksum;
mod chunk;
mod chunk_files;
mod index;
mod name;
mod varint;

use aws_lc_rs::digest::{Context, SHA256};
use checksum::Castagnoli;
pub use chunk::{CHUNK_SAMPLES, Run, SAMPLES_PER_BYTE};
use chunk_files::ChunkFiles;
use index::{IndexedChunk, IndexedSeries};
use serde::Serialize;
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use tempfile::TempDir;

/// Labels in order of their names.
pub type Labels = Vec<(String, String)>;

/// Prometheus reads the block. The directory of a temporary file is private.
const READABLE: u32 = 0o755;

/// Prometheus keeps what it scraped in the hours of such a block after a restart;
/// otherwise it takes the end of the newest block for the end of what is stored.
const OVERLAPS_SCRAPES: &str = "from-out-of-order";

/// A block that is written: its directory gets its name at the end, because Prometheus
/// may load it at once.
pub struct BlockWriter<'a> {
    parent: &'a Path,
    unfinished: TempDir,
    checksum: Castagnoli,
    chunks: ChunkFiles,
    series: Vec<IndexedSeries<'a>>,
    samples: u64,
    /// Of all chunks, for the name.
    digest: Context,
}

/// A block that is complete.
#[derive(Debug)]
pub struct FinishedBlock {
    /// The name of its directory.
    pub name: String,
    /// The bytes of its files.
    pub bytes: u64,
    /// The number of samples.
    pub samples: u64,
}

/// The description, in the file `meta.json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Description<'a> {
    ulid: &'a str,
    min_time: i64,
    max_time: i64,
    stats: Counts,
    compaction: Compaction<'a>,
    version: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    num_samples: u64,
    num_series: usize,
    num_chunks: usize,
}

#[derive(Serialize)]
struct Compaction<'a> {
    level: u32,
    sources: [&'a str; 1],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    hints: &'a [&'a str],
}

impl<'a> BlockWriter<'a> {
    /// Begins a block in a directory. The name of an incomplete one begins with
    /// `prefix`.
    pub fn create(parent: &'a Path, prefix: &str) -> io::Result<Self> {
        let unfinished = tempfile::Builder::new().prefix(prefix).tempdir_in(parent)?;
        Ok(Self {
            parent,
            chunks: ChunkFiles::create(&unfinished.path().join("chunks"))?,
            unfinished,
            checksum: Castagnoli::new(),
            series: Vec::new(),
            samples: 0,
            digest: Context::new(&SHA256),
        })
    }

    /// Adds a series, whose runs are in order of time. The caller adds series in order of
    /// their labels. A series without samples is left out.
    pub fn series(
        &mut self,
        labels: &'a Labels,
        runs: impl Iterator<Item = Run>,
    ) -> io::Result<()> {
        let mut chunks = Vec::new();
        chunk::encode(runs, |chunk| {
            let content = chunk.content();
            self.digest.update(&content);
            let sum = self.checksum.of(&content);
            let reference = self.chunks.append(&content, sum)?;
            self.samples += chunk.samples;
            chunks.push(IndexedChunk {
                first: chunk.first,
                last: chunk.last,
                reference,
            });
            Ok::<_, io::Error>(())
        })?;
        if !chunks.is_empty() {
            self.series.push(IndexedSeries { labels, chunks });
        }
        Ok(())
    }

    /// Completes the block and names it by its content: the same block is written once.
    /// A block without samples is none. `overlaps` is for a block of hours that
    /// Prometheus may have scraped and not yet written.
    pub fn finish(self, overlaps: bool) -> io::Result<Option<FinishedBlock>> {
        let chunks = self.series.iter().flat_map(|it| &it.chunks);
        let firsts = chunks.clone().map(|it| it.first);
        let lasts = chunks.clone().map(|it| it.last);
        let (Some(min_time), Some(last)) = (firsts.min(), lasts.max()) else {
            return Ok(None);
        };
        let num_chunks = chunks.count();
        let index = index::file(&self.series, &self.checksum)?;
        let mut digest = self.digest;
        digest.update(&index);
        let name = name::of(last, digest.finish().as_ref());
        let hints = [OVERLAPS_SCRAPES];
        let description = serde_json::to_vec_pretty(&Description {
            ulid: &name,
            min_time,
            max_time: last + 1,
            stats: Counts {
                num_samples: self.samples,
                num_series: self.series.len(),
                num_chunks,
            },
            compaction: Compaction {
                level: 1,
                sources: [&name],
                hints: if overlaps { &hints } else { &[] },
            },
            version: 1,
        })?;
        let bytes = self.chunks.finish()? + (index.len() + description.len()) as u64;
        let folder = self.unfinished.path();
        write(&folder.join("index"), &index)?;
        write(&folder.join("meta.json"), &description)?;
        fs::set_permissions(folder, Permissions::from_mode(READABLE))?;
        give_to_owner_of(self.parent, folder);
        let target = self.parent.join(&name);
        if !target.exists() {
            fs::rename(self.unfinished.keep(), target)?;
        }
        Ok(Some(FinishedBlock {
            name,
            bytes,
            samples: self.samples,
        }))
    }
}

/// Writes a file to the disk.
fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(file)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Gives a block to the owner of the directory, which is Prometheus' user in its data
/// directory: Prometheus deletes blocks. Only root can; others own what they write.
fn give_to_owner_of(parent: &Path, block: &Path) {
    let Ok(owner) = fs::metadata(parent) else {
        return;
    };
    let chunks = block.join("chunks");
    let inside = [block, &chunks].into_iter().flat_map(fs::read_dir);
    let inside = inside.flatten().flatten().map(|it| it.path());
    for path in inside.chain([block.to_owned()]) {
        let _only_root_can = chown(path, Some(owner.uid()), Some(owner.gid()));
    }
}
