//! The finished files of a directory, so that another run continues with the
//! rest.

use super::openmetrics::OutputSize;
use super::window::second_from;
use crate::cli::Backfill;
use crate::commands::Failure;
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use tempfile::NamedTempFile;

/// The manifest's name in its directory.
pub(super) const NAME: &str = "backfill.json";

/// The version of its format.
const VERSION: u32 = 1;

/// The finished files of a directory.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    version: u32,
    terms: ContentFlags,
    pub(super) files: Vec<Finished>,
}

/// The flags that decide what is in the files.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ContentFlags {
    days: u16,
    step_seconds: u64,
    labels: Vec<(String, String)>,
    controls: bool,
    demo: bool,
    until_seconds: Option<i64>,
}

/// A file that is complete.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Finished {
    pub(super) file: String,
    pub(super) tenants: Vec<String>,
    pub(super) samples: u64,
    pub(super) bytes: u64,
}

impl Finished {
    /// Its size.
    pub(super) fn written(&self) -> OutputSize {
        OutputSize {
            samples: self.samples,
            bytes: self.bytes,
        }
    }
}

impl Manifest {
    /// Reads the directory's manifest, or begins one. Files written with other
    /// flags are an error; deleted files are dropped from the manifest.
    pub(super) fn open(directory: &Path, flags: &Backfill) -> Result<Self, Failure> {
        let terms = ContentFlags::of(flags);
        let path = directory.join(NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self {
                    version: VERSION,
                    terms,
                    files: Vec::new(),
                });
            }
            Err(error) => {
                return Err(anyhow::Error::new(error)
                    .context(format!("{} cannot be read", path.display()))
                    .into());
            }
        };
        let elsewhere = || {
            Some(format!(
                "name another directory with --output, or remove {}",
                directory.display()
            ))
        };
        let read: Result<Self, _> = serde_json::from_slice(&bytes);
        let mut manifest = match read {
            Ok(manifest) if manifest.version == VERSION => manifest,
            _ => {
                return Err(Failure::Other {
                    error: anyhow::anyhow!("{} is not a manifest of this version", path.display()),
                    hint: elsewhere(),
                });
            }
        };
        if manifest.terms != terms {
            return Err(Failure::Other {
                error: anyhow::anyhow!(
                    "{} has files that were written with other flags (--days, --until, --step, --label, --no-controls or --demo)",
                    directory.display()
                ),
                hint: elsewhere(),
            });
        }
        manifest
            .files
            .retain(|it| directory.join(&it.file).is_file());
        Ok(manifest)
    }

    /// The tenants with a finished file.
    pub(super) fn tenants(&self) -> HashSet<&str> {
        let tenants = self.files.iter().flat_map(|it| &it.tenants);
        tenants.map(String::as_str).collect()
    }

    /// Adds a file and saves the manifest.
    pub(super) fn add(&mut self, directory: &Path, file: Finished) -> Result<(), Failure> {
        self.files.push(file);
        let path = directory.join(NAME);
        let written = self.save(directory, &path);
        Ok(written.with_context(|| format!("{} cannot be written", path.display()))?)
    }

    fn save(&self, directory: &Path, path: &Path) -> anyhow::Result<()> {
        let mut unfinished = NamedTempFile::new_in(directory)?;
        serde_json::to_writer_pretty(&mut unfinished, self)?;
        unfinished.write_all(b"\n")?;
        unfinished.as_file().sync_all()?;
        unfinished.persist(path)?;
        Ok(())
    }
}

impl ContentFlags {
    fn of(flags: &Backfill) -> Self {
        let labels = flags.labels.iter();
        let mut labels: Vec<_> = labels
            .map(|it| (it.name.clone(), it.value.clone()))
            .collect();
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
