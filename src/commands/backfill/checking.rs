//! `--check`: what is missing in a Prometheus, or differs.

use super::comparison::{Finding, compare};
use super::reading::Reading;
use super::summary::Summary;
use super::window::Window;
use crate::cli::Label;
use crate::commands::Failure;
use crate::commands::print::line;
use crate::tsdb::Server;

/// Compares tenant after tenant and prints what was found. True where nothing
/// is missing and nothing differs.
pub(super) async fn check(
    server: &Server,
    reading: &mut Reading<'_>,
    (labels, window): (&[Label], Window),
    summary: &mut Summary,
) -> Result<bool, Failure> {
    let mut sound = true;
    while let Some(read) = reading.next().await? {
        let Some(past) = summary.tenant(&read.alias, read.past) else {
            continue;
        };
        match compare(server, &read.alias, &past.curves, (labels, window)).await {
            Ok(finding) => {
                sound &= finding.missing == 0 && finding.differing == 0;
                print(&read.alias, &finding, &past.gaps)?;
            }
            Err(error) => {
                let hint = error.hint();
                summary.lost(&read.alias, error.into(), hint);
                break;
            }
        }
    }
    Ok(sound)
}

fn print(alias: &str, finding: &Finding, without_report: &[String]) -> Result<(), Failure> {
    let Finding {
        compared,
        missing,
        differing,
        ..
    } = finding;
    line(format_args!(
        "{alias}: {compared} values compared, {missing} missing, {differing} different"
    ))?;
    for gap in finding.gaps() {
        let moment = |second| jiff::Timestamp::from_second(second).unwrap_or_default();
        line(format_args!(
            "  missing    {} to {}: {} series, such as {}",
            moment(gap.first),
            moment(gap.last),
            gap.series,
            gap.example
        ))?;
    }
    for example in &finding.examples {
        line(format_args!("  different  {example}"))?;
    }
    let more = differing.saturating_sub(finding.examples.len() as u64);
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
