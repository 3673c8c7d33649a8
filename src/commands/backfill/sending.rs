//! The samples, sent to a remote-write receiver.

use super::curve::{Curve, Curves};
use super::openmetrics::Written;
use super::reading::Reading;
use super::summary::Summary;
use super::window::Window;
use crate::cli::Label;
use crate::commands::Failure;
use crate::tsdb::{Batch, Sample, Server, ServerError};
use secure_score_exposition::series_labels;

/// How many samples a request has: a few hundred kilobytes before packing,
/// well below what receivers refuse.
const BATCH: usize = 10_000;

/// Sends whatever comes, tenant after tenant, each series in order of time.
///
/// A tenant the server refuses ends the run: what it does not take of one it
/// takes of none.
pub(super) async fn send(
    server: &Server,
    reading: &mut Reading<'_>,
    (labels, window): (&[Label], Window),
    summary: &mut Summary,
) -> Result<(), Failure> {
    while let Some(read) = reading.next().await? {
        let Some(past) = summary.tenant(&read.alias, read.past) else {
            continue;
        };
        match tenant(server, &past.curves, labels, window).await {
            Ok(written) => summary.add(written),
            Err(error) => {
                let hint = error.hint();
                summary.lost(&read.alias, error.into(), hint);
                break;
            }
        }
    }
    Ok(())
}

async fn tenant(
    server: &Server,
    curves: &Curves,
    labels: &[Label],
    window: Window,
) -> Result<Written, ServerError> {
    let mut written = Written::default();
    let mut batch = Batch::default();
    let mut filled = 0;
    for curve in curves.iter() {
        let mut begun = false;
        for (at, value) in curve.samples(window) {
            if !begun {
                batch.series(named(curve, labels));
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

fn named(curve: &Curve, labels: &[Label]) -> Vec<(String, String)> {
    let mut all = series_labels(&curve.series);
    all.extend(labels.iter().map(|it| (it.name.clone(), it.value.clone())));
    all
}
