//! Sends the samples to a remote-write receiver.

use super::openmetrics::OutputSize;
use super::reader::HistoryReader;
use super::series::TenantSeries;
use super::summary::Summary;
use super::window::Window;
use crate::cli::Label;
use crate::commands::Failure;
use crate::tsdb::{Batch, Sample, Server, ServerError};

/// Samples per request: a few hundred kilobytes before compression, well below
/// the limits of receivers.
const BATCH: usize = 10_000;

/// Sends tenant after tenant, each series in order of time.
///
/// An error ends the run: a server that rejects one tenant rejects all.
pub(super) async fn send(
    server: &Server,
    reader: &mut HistoryReader<'_>,
    (labels, window): (&[Label], Window),
    summary: &mut Summary,
) -> Result<(), Failure> {
    while let Some((alias, history)) = reader.next().await? {
        let Some(history) = summary.tenant(&alias, history) else {
            continue;
        };
        match send_tenant(server, &history.series, labels, window).await {
            Ok(written) => summary.add(written),
            Err(error) => {
                let hint = error.hint();
                summary.failed_later(&alias, error.into(), hint);
                break;
            }
        }
    }
    Ok(())
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
            batch.sample(Sample {
                value,
                milliseconds: at * 1_000,
            });
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
