//! Sends the samples to a remote-write receiver.

use super::advice;
use super::openmetrics::OutputSize;
use super::reader::HistoryReader;
use super::series::TenantSeries;
use super::window::Window;
use crate::cli::Label;
use crate::commands::Failure;
use crate::tsdb::{Batch, Server, ServerError};

/// Samples per request: a few hundred kilobytes before compression, well below
/// the limits of receivers.
const BATCH: usize = 10_000;

/// Sends tenant after tenant, each series in order of time.
///
/// An error ends the run: a server that rejects one tenant rejects all.
pub(super) async fn run(server: &Server, reader: &mut HistoryReader<'_>) -> Result<(), Failure> {
    while let Some(history) = reader.next().await? {
        let labels = &reader.flags.labels;
        match send_tenant(server, &history.series, labels, reader.window).await {
            Ok(written) => reader.summary.written += written,
            Err(error) => {
                reader.summary.server_failed(&history, error, "sent");
                break;
            }
        }
    }
    reader.summary.print(0, "sent")?;
    if reader.summary.written.samples > 0 {
        advice::notes(reader.flags)?;
    }
    reader.summary.conclude(0)
}

async fn send_tenant(
    server: &Server,
    tenant: &TenantSeries,
    labels: &[Label],
    window: Window,
) -> Result<OutputSize, ServerError> {
    let mut written = OutputSize::default();
    let mut batch = Batch::default();
    let mut filled = 0;
    for series in tenant.iter() {
        let mut begun = false;
        for (at, value) in series.samples(window) {
            if !begun {
                batch.series(series.labels(&tenant.alias, labels));
                begun = true;
            }
            batch.sample(at, value);
            filled += 1;
            if filled == BATCH {
                written.bytes += server.write(&batch).await?;
                written.samples += std::mem::take(&mut filled) as u64;
                batch = Batch::default();
                begun = false;
            }
        }
    }
    if filled > 0 {
        written.bytes += server.write(&batch).await?;
        written.samples += filled as u64;
    }
    Ok(written)
}
