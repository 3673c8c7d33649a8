//! The finished blocks of a directory, so that another run continues with the
//! rest.

use super::openmetrics::OutputSize;
use super::window::second_from;
use crate::cli::{Backfill, Label};
use crate::commands::Failure;
use crate::commands::atomic_file::{PRIVATE, replace};
use anyhow::{Context as _, Error, anyhow};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// The manifest's name in its directory.
pub(super) const NAME: &str = "backfill.json";

/// The version of its format.
const VERSION: u32 = 2;

/// The finished blocks of a directory.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    #[serde(skip)]
    directory: PathBuf,
    version: u32,
    terms: ContentFlags,
    pub(super) sets: Vec<Finished>,
}

/// The flags that decide what is in the blocks.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ContentFlags {
    days: u16,
    step_seconds: u64,
    labels: Vec<Label>,
    controls: bool,
    demo: bool,
    until_seconds: Option<i64>,
}

/// The blocks of some tenants, which are complete.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Finished {
    /// The names of their directories.
    pub(super) blocks: Vec<String>,
    pub(super) tenants: Vec<String>,
    #[serde(flatten)]
    pub(super) size: OutputSize,
}

impl Manifest {
    /// Reads the directory's manifest, or begins one. Blocks written with other flags
    /// are an error. Tenants with a block that was deleted are dropped from the manifest.
    pub(super) fn open(directory: &Path, flags: &Backfill) -> Result<Self, Failure> {
        let terms = ContentFlags::of(flags);
        let path = directory.join(NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self {
                    directory: directory.to_owned(),
                    version: VERSION,
                    terms,
                    sets: Vec::new(),
                });
            }
            Err(error) => {
                let error = Error::new(error);
                return Err(error
                    .context(format!("{} cannot be read", path.display()))
                    .into());
            }
        };
        let shown = directory.display();
        let unusable = |error| {
            let hint = format!(
                "name another directory with --output, or remove {} to write all tenants again",
                path.display()
            );
            Err(Failure::with_hint(error, hint))
        };
        let read = serde_json::from_slice(&bytes).ok();
        let Some(manifest) = read.filter(|it: &Self| it.version == VERSION) else {
            let path = path.display();
            return unusable(anyhow!("{path} is not a manifest of this version"));
        };
        if manifest.terms != terms {
            return unusable(anyhow!(
                "{shown} has blocks that were written with other flags (--days, --until, --step, --label, --no-controls or --demo)"
            ));
        }
        let mut sets = manifest.sets;
        let sources = sources(directory);
        let is_there = |block: &String| sources.contains(block);
        sets.retain(|it| it.blocks.iter().all(is_there));
        Ok(Self {
            directory: directory.to_owned(),
            sets,
            ..manifest
        })
    }

    /// The tenants with finished blocks.
    pub(super) fn tenants(&self) -> HashSet<&str> {
        let tenants = self.sets.iter().flat_map(|it| &it.tenants);
        tenants.map(String::as_str).collect()
    }

    /// Adds the blocks of some tenants and saves the manifest.
    pub(super) fn add(&mut self, set: Finished) -> Result<(), Failure> {
        self.sets.push(set);
        let path = self.directory.join(NAME);
        let written = replace(&path, PRIVATE, |out| {
            serde_json::to_writer_pretty(&mut *out, self)?;
            out.write_all(b"\n")
        });
        Ok(written.with_context(|| format!("{} cannot be written", path.display()))?)
    }
}

/// The blocks of which those in a directory are made: one that Prometheus merged with
/// others is still there.
fn sources(directory: &Path) -> HashSet<String> {
    let folders = fs::read_dir(directory).into_iter().flatten().flatten();
    let descriptions = folders.filter_map(|it| fs::read(it.path().join("meta.json")).ok());
    let descriptions = descriptions.filter_map(|it| serde_json::from_slice::<Value>(&it).ok());
    let sources = descriptions.filter_map(|mut it| {
        let sources = it.pointer_mut("/compaction/sources")?.take();
        serde_json::from_value::<Vec<String>>(sources).ok()
    });
    sources.flatten().collect()
}

impl ContentFlags {
    fn of(flags: &Backfill) -> Self {
        let mut labels = flags.labels.clone();
        labels.sort();
        Self {
            days: flags.days,
            step_seconds: flags.step.as_secs(),
            labels,
            controls: !flags.no_controls,
            demo: flags.is_demo(),
            until_seconds: flags.until.map(second_from),
        }
    }
}
