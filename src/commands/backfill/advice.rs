//! How to bring the files into Prometheus.

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

/// Prints the commands that bring the files into Prometheus.
pub(super) fn print(flags: &Backfill) -> Result<(), Failure> {
    let command =
        format!("promtool tsdb create-blocks-from openmetrics --max-block-duration={BLOCK}");
    line(format_args!(
        "\nMake blocks of it, and move them into Prometheus' data directory:\n"
    ))?;
    match flags.output() {
        Output::File(file) => line(format_args!("  {command} {} blocks", quoted(file)))?,
        Output::Directory(directory) => line(format_args!(
            "  for file in {}/*.om; do {command} \"$file\" blocks || break; done",
            quoted(directory)
        ))?,
    }
    line(format_args!(
        "  mv blocks/* /var/lib/prometheus/metrics2/    # or wherever --storage.tsdb.path is\n"
    ))?;
    paragraph(&format!(
        "Prometheus deletes at once what is older than --storage.tsdb.retention.time, 15d by default: set it to more than {}d before.",
        flags.days
    ))?;
    notes(flags)
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
