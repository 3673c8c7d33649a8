//! The files for promtool.

use super::history::TenantHistory;
use super::manifest::{Finished, Manifest};
use super::openmetrics::{self, OutputSize};
use super::reader::HistoryReader;
use super::series::TenantSeries;
use super::summary::Summary;
use super::window::Window;
use crate::cli::{Backfill, Output};
use crate::commands::Failure;
use crate::config::Tenant;
use anyhow::Context as _;
use std::fs::{self, Permissions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::{Builder, NamedTempFile};

/// Prometheus' tools may run as another user.
const READABLE: u32 = 0o644;

/// The name of an incomplete file begins with this.
const UNFINISHED: &str = ".unfinished-";

/// Large enough for long writes: a file has millions of short lines.
const BUFFER: usize = 256 * 1024;

/// Where the files go.
pub(super) struct Files<'a> {
    flags: &'a Backfill,
    window: Window,
    output: Output<'a>,
    /// For a directory only.
    manifest: Option<Manifest>,
    /// Tenants that were read and are not written yet.
    tenants: Vec<TenantSeries>,
}

impl<'a> Files<'a> {
    /// Creates the directory where it is missing, and reads its manifest.
    pub(super) fn open(flags: &'a Backfill, window: Window) -> Result<Self, Failure> {
        let output = flags.output();
        let manifest = match output {
            Output::File(_) => None,
            Output::Directory(directory) => Some(opened(directory, flags)?),
        };
        Ok(Self {
            flags,
            window,
            output,
            manifest,
            tenants: Vec::new(),
        })
    }

    /// The tenants that are still to be read.
    pub(super) fn pending<'t>(&self, tenants: Vec<&'t Tenant>) -> Vec<&'t Tenant> {
        let done = self.manifest.as_ref().map(Manifest::tenants);
        let done = done.unwrap_or_default();
        let tenants = tenants.into_iter();
        tenants
            .filter(|tenant| !done.contains(tenant.alias.as_str()))
            .collect()
    }

    /// Writes the tenants in files of `--tenants-per-file`.
    pub(super) async fn write(
        &mut self,
        reader: &mut HistoryReader<'_>,
        summary: &mut Summary,
    ) -> Result<(), Failure> {
        while let Some((alias, history)) = reader.next().await? {
            let Some(TenantHistory { series, .. }) = summary.tenant(&alias, history) else {
                continue;
            };
            if series.iter().all(|series| series.count(self.window) == 0) {
                continue;
            }
            self.tenants.push(series);
            if self.is_full() {
                self.finish(summary)?;
            }
        }
        self.finish(summary)?;
        if let Some(manifest) = &self.manifest {
            summary.files = manifest.files.len();
            summary.all = manifest.files.iter().map(Finished::written).fold(
                OutputSize::default(),
                |all, file| OutputSize {
                    samples: all.samples + file.samples,
                    bytes: all.bytes + file.bytes,
                },
            );
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.manifest.is_some() && self.tenants.len() >= self.flags.tenants_per_file.get()
    }

    /// Completes a file of the tenants read so far.
    fn finish(&mut self, summary: &mut Summary) -> Result<(), Failure> {
        let series = std::mem::take(&mut self.tenants);
        let tenants: Vec<String> = series.iter().map(|it| it.alias.clone()).collect();
        let Some(first) = tenants.first() else {
            return Ok(());
        };
        let directory = match self.output {
            Output::File(file) => {
                let written = self.written(&series, file)?;
                summary.add(written);
                summary.files = 1;
                summary.all = written;
                return Ok(());
            }
            Output::Directory(directory) => directory,
        };
        // No other file has this tenant.
        let name = match tenants.len() - 1 {
            0 => format!("{first}.om"),
            more => format!("{first}-and-{more}-more.om"),
        };
        let written = self.written(&series, &directory.join(&name))?;
        summary.add(written);
        let finished = Finished {
            file: name,
            tenants,
            samples: written.samples,
            bytes: written.bytes,
        };
        match &mut self.manifest {
            Some(manifest) => manifest.add(directory, finished),
            None => Ok(()),
        }
    }

    /// Writes a file that has its name only when it is complete.
    fn written(&self, series: &[TenantSeries], file: &Path) -> Result<OutputSize, Failure> {
        self.replaced(series, file).map_err(|error| Failure::Other {
            error: anyhow::Error::new(error)
                .context(format!("{} cannot be written", file.display())),
            hint: Some(
                "check free space and permissions; a larger --step or --no-controls writes less, and another run continues where this one ended"
                    .to_owned(),
            ),
        })
    }

    fn replaced(&self, series: &[TenantSeries], file: &Path) -> std::io::Result<OutputSize> {
        let folder = match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let unfinished: NamedTempFile = Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
        let mut out = BufWriter::with_capacity(BUFFER, unfinished);
        let written = openmetrics::write(&mut out, series, &self.flags.labels, self.window)?;
        out.flush()?;
        let unfinished = out
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?;
        let handle = unfinished.as_file();
        handle.set_permissions(Permissions::from_mode(READABLE))?;
        handle.sync_all()?;
        unfinished.persist(file)?;
        Ok(written)
    }
}

fn opened(directory: &Path, flags: &Backfill) -> Result<Manifest, Failure> {
    fs::create_dir_all(directory)
        .with_context(|| format!("{} cannot be made", directory.display()))?;
    let manifest = Manifest::open(directory, flags)?;
    // Incomplete files of an interrupted run can be gigabytes.
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            let _may_be_gone = fs::remove_file(entry.path());
        }
    }
    Ok(manifest)
}
