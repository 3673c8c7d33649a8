//! How the samples get into Prometheus, and what to know about their labels and steps.

use crate::cli::{Backfill, Output};
use crate::commands::Failure;
use crate::commands::shell_path::quoted;
use crate::commands::stdout::{line, paragraph};
use std::time::Duration;

/// promtool reads a file once per block. Blocks have two hours times a power of
/// three, two hours by default: ninety days are a thousand blocks. With this
/// length they are six, no longer than Prometheus' own blocks at a retention of
/// half a year.
const BLOCK: &str = "486h";

/// Prometheus' lookback: with longer steps an instant query finds no sample
/// between two steps.
const LOOKBACK: Duration = Duration::from_secs(5 * 60);

/// Prometheus' data directory has one of these, an older one the second only.
const OF_PROMETHEUS: [&str; 2] = ["chunks_head", "wal"];

/// Debian's data directory.
const DATA: &str = "/var/lib/prometheus/metrics2";

/// Prints how the samples get into Prometheus.
pub(super) fn print(flags: &Backfill) -> Result<(), Failure> {
    line(format_args!(""))?;
    match flags.output() {
        Output::Directory(directory)
            if OF_PROMETHEUS.iter().any(|it| directory.join(it).is_dir()) =>
        {
            paragraph("Prometheus loads the blocks within two minutes, at once when it starts.")?;
        }
        Output::Directory(directory) => commands(
            "Give the blocks to Prometheus' user and move them into its data directory; it loads them within two minutes, at once when it starts:",
            "",
            // Without a slash at its end.
            &format!("{}/0*", quoted(directory.components().as_path())),
        )?,
        Output::File(file) => commands(
            "Make blocks of it, give them to Prometheus' user and move them into its data directory:",
            &format!(
                "promtool tsdb create-blocks-from openmetrics --max-block-duration={BLOCK} {} blocks\n  ",
                quoted(file)
            ),
            "blocks/*",
        )?,
    }
    paragraph(&format!(
        "Prometheus deletes at once what is older than --storage.tsdb.retention.time, 15d by default: set it to more than {}d before.",
        flags.days
    ))?;
    notes(flags)
}

/// Prints commands that move blocks, after others.
fn commands(text: &str, before: &str, blocks: &str) -> Result<(), Failure> {
    paragraph(text)?;
    line(format_args!(
        "\n  {before}chown -R --reference={DATA} {blocks}\n  mv {blocks} {DATA}/    # or wherever --storage.tsdb.path is\n"
    ))
}

/// Notes on labels and steps.
pub(super) fn notes(flags: &Backfill) -> Result<(), Failure> {
    let lacking: Vec<&str> = ["job", "instance"]
        .into_iter()
        .filter(|name| flags.labels.iter().all(|(label, _)| label != name))
        .collect();
    if !lacking.is_empty() {
        paragraph(&format!(
            "Without --label for {} the curves do not join those of a scrape, which has it.",
            lacking.join(" and ")
        ))?;
    }
    if flags.step > LOOKBACK {
        paragraph(&format!(
            "At a --step beyond 5m graphs show dots: ask for last_over_time(METRIC[{}]).",
            promql(flags.step)
        ))?;
    }
    Ok(())
}

/// A duration in PromQL.
fn promql(duration: Duration) -> String {
    match duration.as_secs() {
        hours if hours.is_multiple_of(3_600) => format!("{}h", hours / 3_600),
        minutes if minutes.is_multiple_of(60) => format!("{}m", minutes / 60),
        seconds => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_written_as_promql_has_it() {
        let written = |seconds| promql(Duration::from_secs(seconds));
        assert_eq!([86_400, 5_400, 601].map(written), ["24h", "90m", "601s"]);
    }
}
