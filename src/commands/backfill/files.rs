//! The files for promtool.

use super::advice;
use super::manifest::{Finished, Manifest};
use super::openmetrics::{self, Exposition, OutputSize};
use super::reader::HistoryReader;
use super::series::{Series, TenantSeries};
use super::summary::Summary;
use super::window::Window;
use crate::cli::{Backfill, Output};
use crate::commands::Failure;
use crate::commands::atomic_file::{READABLE, UNFINISHED, replace};
use crate::config::Tenant;
use anyhow::{Context as _, Error};
use std::fs;
use std::path::Path;

/// Writes the tenants in files of `--tenants-per-file`. A tenant that a file of
/// an earlier run has is not read again.
pub(super) async fn run<'a>(
    mut tenants: Vec<&'a Tenant>,
    reader: impl FnOnce(Vec<&'a Tenant>) -> Result<HistoryReader<'a>, Failure>,
    flags: &Backfill,
    window: Window,
) -> Result<(), Failure> {
    let mut files = Files::open(flags, window)?;
    let all = tenants.len();
    if let Some(manifest) = &files.manifest {
        let done = manifest.tenants();
        tenants.retain(|tenant| !done.contains(tenant.alias.as_str()));
    }
    let kept = all - tenants.len();
    let mut reader = reader(tenants)?;
    if let Err(failure) = files.write(&mut reader).await {
        reader.summary.print_failures();
        return Err(failure);
    }
    let summary = &mut reader.summary;
    if let Some(manifest) = &files.manifest {
        summary.files = manifest.files.len();
        for file in &manifest.files {
            summary.all += file.size;
        }
    }
    summary.print(kept, "written")?;
    if summary.files > 0 {
        advice::print(flags)?;
    }
    summary.conclude(kept)
}

/// Where the files go.
struct Files<'a> {
    flags: &'a Backfill,
    window: Window,
    output: Output<'a>,
    /// For a directory only.
    manifest: Option<Manifest>,
    /// Tenants that were read and are not written yet.
    tenants: Vec<TenantSeries>,
    /// Whether the size was printed.
    is_announced: bool,
}

impl<'a> Files<'a> {
    /// Creates the directory where it is missing, and reads its manifest.
    fn open(flags: &'a Backfill, window: Window) -> Result<Self, Failure> {
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
            is_announced: false,
        })
    }

    async fn write(&mut self, reader: &mut HistoryReader<'_>) -> Result<(), Failure> {
        while let Some(history) = reader.next().await? {
            let counts = |series: &Series| series.count(self.window);
            if history.series.iter().map(counts).all(|count| count == 0) {
                continue;
            }
            self.tenants.push(history.series);
            if self.manifest.is_some() && self.tenants.len() >= self.flags.tenants_per_file.get() {
                self.finish(&mut reader.summary)?;
            }
        }
        self.finish(&mut reader.summary)
    }

    /// Completes a file of the tenants read so far.
    fn finish(&mut self, summary: &mut Summary) -> Result<(), Failure> {
        let series = std::mem::take(&mut self.tenants);
        let tenants: Vec<String> = series.iter().map(|it| it.alias.clone()).collect();
        let Some(first) = tenants.first() else {
            return Ok(());
        };
        // No other file has this tenant.
        let file = match tenants.len() - 1 {
            0 => format!("{first}.om"),
            more => format!("{first}-and-{more}-more.om"),
        };
        let exposition = Exposition {
            tenants: &series,
            labels: &self.flags.labels,
            window: self.window,
        };
        let size = exposition.size();
        if !std::mem::replace(&mut self.is_announced, true) {
            match self.output {
                Output::File(path) => summary.announce(size, path),
                Output::Directory(directory) => {
                    summary.announce_like(size, series.len(), directory)
                }
            }
        }
        let steps = summary.steps();
        let note = |bytes| steps.writing(Some((bytes, size.bytes)));
        let size = match self.output {
            Output::File(path) => written(exposition, path, note)?,
            Output::Directory(directory) => written(exposition, &directory.join(&file), note)?,
        };
        steps.writing(None);
        summary.written += size;
        match &mut self.manifest {
            Some(manifest) => manifest.add(Finished {
                file,
                tenants,
                size,
            }),
            None => {
                summary.files = 1;
                summary.all = size;
                Ok(())
            }
        }
    }
}

/// Writes a file, and notes how many bytes of it are written.
fn written(
    exposition: Exposition<'_>,
    file: &Path,
    note: impl Fn(u64),
) -> Result<OutputSize, Failure> {
    let written = replace(file, READABLE, |out| {
        openmetrics::write(out, exposition, &note)
    });
    written.map_err(|error| {
        Failure::with_hint(
            Error::new(error).context(format!("{} cannot be written", file.display())),
            "check free space and permissions; a larger --step or --no-controls writes less, and another run continues where this one ended",
        )
    })
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
