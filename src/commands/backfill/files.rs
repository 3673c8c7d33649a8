//! What is written on this machine: blocks in a directory, or text in a file.

use super::advice;
use super::blocks;
use super::manifest::{Finished, Manifest};
use super::openmetrics::{self, Exposition, OutputSize};
use super::reader::HistoryReader;
use super::series::{Series, TenantSeries};
use super::summary::Summary;
use super::window::Window;
use crate::cli::{Backfill, Output};
use crate::commands::Failure;
use crate::commands::atomic_file::{READABLE, UNFINISHED, is_stream, replace};
use crate::commands::interruption::Interruption;
use crate::commands::stdout::{check_output, unwritten};
use crate::config::Tenant;
use anyhow::Error;
use std::fs;
use std::path::Path;

/// The hint where a file cannot be written.
const LESS: &str = "check free space and permissions; a larger --step or --no-controls writes less";

/// Writes the tenants: blocks of `--tenants-per-block` tenants, or a text of all. A
/// tenant that a block of an earlier run has is not read again.
pub(super) async fn run<'a>(
    mut tenants: Vec<&'a Tenant>,
    reader: impl FnOnce(Vec<&'a Tenant>) -> Result<HistoryReader<'a>, Failure>,
    flags: &Backfill,
    window: Window,
) -> Result<(), Failure> {
    let mut files = Files::open(flags, window, tenants.len())?;
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
        for set in &manifest.sets {
            summary.all += set.size;
        }
    }
    summary.print(kept, "written")?;
    if summary.all.samples > 0 {
        advice::print(flags)?;
    }
    summary.conclude(kept)
}

/// Where the samples go.
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
    /// Creates the directory where it is missing, and reads its manifest. Fails before
    /// Graph is read where a text file could not be written.
    ///
    /// Only one set of blocks may reach into the hours that Prometheus has not written:
    /// older versions of Prometheus forget, when they merge two, that they are of these
    /// hours.
    fn open(flags: &'a Backfill, window: Window, tenants: usize) -> Result<Self, Failure> {
        let output = flags.output();
        let manifest = match output {
            Output::File(file) => {
                check_output(Some(file))?;
                None
            }
            Output::Directory(directory) => Some(opened(directory, flags)?),
        };
        let is_one_set = tenants <= flags.tenants_per_block.get();
        let window = match &manifest {
            Some(it) if !(is_one_set && it.sets.is_empty()) => window.without_unwritten(),
            _ => window,
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
            if self.manifest.is_some() && self.tenants.len() >= self.flags.tenants_per_block.get() {
                self.finish(&mut reader.summary)?;
            }
        }
        self.finish(&mut reader.summary)
    }

    /// Writes the tenants read so far.
    fn finish(&mut self, summary: &mut Summary) -> Result<(), Failure> {
        let tenants = std::mem::take(&mut self.tenants);
        if tenants.is_empty() {
            return Ok(());
        }
        let size = match self.output {
            Output::File(file) => self.text(&tenants, file, summary),
            Output::Directory(directory) => self.blocks(&tenants, directory, summary),
        }?;
        summary.steps().writing(None);
        summary.written += size;
        Ok(())
    }

    fn text(
        &self,
        tenants: &[TenantSeries],
        file: &Path,
        summary: &mut Summary,
    ) -> Result<OutputSize, Failure> {
        let exposition = Exposition {
            tenants,
            labels: &self.flags.labels,
            window: self.window,
        };
        let size = exposition.size();
        let steps = summary.steps();
        // Of a pipe nothing is left, and while its reader waits no signal is noticed.
        let interruption = match is_stream(file) {
            true => Interruption::default(),
            false => Interruption::listen(),
        };
        summary.announce(size, file);
        let note = |bytes| {
            steps.writing(Some((bytes, size.bytes)));
            interruption.check()
        };
        let written = replace(file, READABLE, |out| {
            openmetrics::write(out, exposition, note)
        });
        let size = written.map_err(|error| match interruption.signal() {
            Some(signal) => Failure::Interrupted(signal),
            None => unwritten(error, file, LESS),
        })?;
        summary.all = size;
        Ok(size)
    }

    fn blocks(
        &mut self,
        tenants: &[TenantSeries],
        directory: &Path,
        summary: &Summary,
    ) -> Result<OutputSize, Failure> {
        let size = blocks::size(tenants, self.window);
        if !std::mem::replace(&mut self.is_announced, true) {
            summary.announce_like(size, tenants.len(), directory);
        }
        let steps = summary.steps();
        let note = |bytes| steps.writing(Some((bytes, size.bytes)));
        let labels = &self.flags.labels;
        let written = blocks::write(directory, tenants, labels, self.window, note);
        let hint = format!("{LESS}, and another run continues where this one ended");
        let written = written.map_err(|error| unwritten(error, directory, &hint))?;
        if let Some(manifest) = &mut self.manifest {
            manifest.add(Finished {
                blocks: written.names,
                tenants: tenants.iter().map(|it| it.alias.clone()).collect(),
                size: written.size,
            })?;
        }
        Ok(written.size)
    }
}

fn opened(directory: &Path, flags: &Backfill) -> Result<Manifest, Failure> {
    fs::create_dir_all(directory).map_err(|error| {
        Failure::with_hint(
            Error::new(error).context(format!("{} cannot be made", directory.display())),
            "name a directory in which you may write, or a text file whose name ends in .om",
        )
    })?;
    let manifest = Manifest::open(directory, flags)?;
    // Incomplete blocks of an interrupted run.
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            let _may_be_gone =
                fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path()));
        }
    }
    Ok(manifest)
}
