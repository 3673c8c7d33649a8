//! `--check`: which samples a Prometheus lacks, and which differ.

use super::comparison::{Comparison, compare};
use super::reader::HistoryReader;
use super::summary::Summary;
use super::window::Window;
use crate::cli::Label;
use crate::commands::Failure;
use crate::commands::stdout::line;
use crate::tsdb::Server;

/// Compares tenant after tenant and prints the results. Returns whether no
/// sample is missing and none differs.
pub(super) async fn check(
    server: &Server,
    reader: &mut HistoryReader<'_>,
    (labels, window): (&[Label], Window),
    summary: &mut Summary,
) -> Result<bool, Failure> {
    let mut equal = true;
    while let Some((alias, history)) = reader.next().await? {
        let Some(history) = summary.tenant(&alias, history) else {
            continue;
        };
        match compare(server, &history.series, (labels, window)).await {
            Ok(comparison) => {
                equal &= comparison.missing == 0 && comparison.differing == 0;
                print(&alias, &comparison, &history.gaps)?;
            }
            Err(error) => {
                let hint = error.hint();
                summary.failed_later(&alias, error.into(), hint);
                break;
            }
        }
    }
    Ok(equal)
}

fn print(alias: &str, comparison: &Comparison, without_report: &[String]) -> Result<(), Failure> {
    let Comparison {
        compared,
        missing,
        differing,
        ..
    } = comparison;
    line(format_args!(
        "{alias}: {compared} values compared, {missing} missing, {differing} different"
    ))?;
    for gap in comparison.gaps() {
        let time = |second| jiff::Timestamp::from_second(second).unwrap_or_default();
        line(format_args!(
            "  missing    {} to {}: {} series, such as {}",
            time(gap.first),
            time(gap.last),
            gap.series,
            gap.example
        ))?;
    }
    for example in &comparison.examples {
        line(format_args!("  different  {example}"))?;
    }
    let more = differing.saturating_sub(comparison.examples.len() as u64);
    if more > 0 {
        line(format_args!("  different  and {more} more"))?;
    }
    if !without_report.is_empty() {
        line(format_args!(
            "  Graph has no report of {}",
            without_report.join(" ")
        ))?;
    }
    Ok(())
}
