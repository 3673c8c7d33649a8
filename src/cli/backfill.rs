//! The flags of `backfill`.

use super::number::number;
use super::server_url::{server_url, user_conflict};
use crate::config::{is_label_name, is_label_value};
use clap::Args;
use secure_score_model::Timestamp;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// The default of `--output`.
const DIRECTORY: &str = "secure-score-backfill";

/// The extension of a file that contains all tenants.
const FILE_SUFFIX: &str = "om";

/// Extensions of texts that have the samples of an exposition.
const TEXT_SUFFIXES: [&str; 4] = ["txt", "text", "prom", "openmetrics"];

/// A finer step adds samples and no information.
const FINEST_STEP: Duration = Duration::from_secs(10);

/// A coarser step would skip days.
const COARSEST_STEP: Duration = Duration::from_secs(24 * 60 * 60);

/// Flags of `backfill`.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = "\
Examples:
  secure-score-exporter backfill --label=job=secure-score \\
    --label=instance=127.0.0.1:10365
      Write blocks, and print how Prometheus gets them
  sudo secure-score-exporter backfill --label=job=secure-score \\
    --label=instance=127.0.0.1:10365 --output=/var/lib/prometheus/metrics2
      Write blocks into the data directory of a Prometheus on this machine
  secure-score-exporter backfill --step=1h \\
    --remote-write=http://localhost:8428/api/v1/write
      Send the samples to a receiver
  secure-score-exporter backfill --check=http://localhost:9090
      Print what a Prometheus lacks of Graph's history

Exit status:
  0  every tenant was read; with --check: nothing is missing or differs
  1  nothing was read; with --check: something is missing or differs
  2  invalid flags
  3  some tenants could not be read or sent; the others are complete, and another run continues with the rest")]
pub struct Backfill {
    /// Read only this tenant of the configuration; may be given several times
    #[arg(long = "tenant", value_name = "NAME")]
    pub tenants: Vec<String>,

    /// Use the five simulated tenants of `demo` instead of the configuration
    #[cfg(feature = "demo")]
    #[arg(long)]
    pub demo: bool,

    /// How far back the history reaches; Graph keeps about 90 days
    #[arg(long, value_name = "DAYS", default_value_t = 90,
          value_parser = number(1..=180_u16, "90"), allow_negative_numbers = true)]
    pub days: u16,

    /// Write only samples before this time, such as the start of scraping: a date or 2026-11-23T08:00:00Z [default: now; three hours ago without blocks]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<Timestamp>,

    /// The time between two samples, 10s to 1d; instant queries look back 5m only
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = step, allow_hyphen_values = true)]
    pub step: Duration,

    /// A label that Prometheus adds when it scrapes, such as job=secure-score or instance=localhost:10365; may be given several times
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
    pub labels: Vec<Label>,

    /// Omit the series per control, which are nine of ten samples or more
    #[arg(long)]
    pub no_controls: bool,

    /// A directory for blocks, such as Prometheus' data directory, or a text file for promtool if its name ends in .om, without a slash behind it [default: secure-score-backfill]
    #[arg(long, value_name = "DIR|FILE", conflicts_with_all = ["check", "remote_write"])]
    pub output: Option<PathBuf>,

    /// Tenants that share blocks, and are in memory at a time
    #[arg(long, value_name = "N", default_value = "100", value_parser = number(NonZeroUsize::MIN.., "100"),
          allow_negative_numbers = true, conflicts_with_all = ["check", "remote_write"])]
    pub tenants_per_block: NonZeroUsize,

    /// Send the samples to this remote-write receiver instead of writing files
    #[arg(long, value_name = "URL", value_parser = server_url, conflicts_with = "check")]
    pub remote_write: Option<Url>,

    /// Write nothing; compare the samples of this Prometheus with Graph's history
    #[arg(long, value_name = "URL", value_parser = server_url)]
    pub check: Option<Url>,

    /// A file of headers, one `Name: value` per line, for the server of --check or --remote-write
    #[arg(long, value_name = "FILE")]
    pub header_file: Option<PathBuf>,
}

/// Where samples are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output<'a> {
    /// Blocks of Prometheus' storage.
    Directory(&'a Path),
    /// A text of all tenants for promtool.
    File(&'a Path),
}

impl Backfill {
    /// Whether the tenants are the simulated ones.
    pub const fn is_demo(&self) -> bool {
        #[cfg(feature = "demo")]
        return self.demo;
        #[cfg(not(feature = "demo"))]
        false
    }

    /// Where samples are written. A name with a slash at its end is that of a directory,
    /// as for other programs.
    pub fn output(&self) -> Output<'_> {
        let path = self.output.as_deref().unwrap_or(Path::new(DIRECTORY));
        let is_text = path.extension().is_some_and(|it| it == FILE_SUFFIX);
        match is_text && !path.is_dir() && !ends_with_slash(path) {
            true => Output::File(path),
            false => Output::Directory(path),
        }
    }

    /// The error for a name that looks like a text's or a stream's, and is a directory's.
    fn misleading_output(&self) -> Option<String> {
        let path = self.output.as_deref()?;
        if path == Path::new("-") {
            return Some(format!(
                "--output=- is not standard output; name a directory, or a text file or pipe whose name ends in .{FILE_SUFFIX}"
            ));
        }
        let suffix = path.extension()?.to_str()?.to_ascii_lowercase();
        let is_text = suffix == FILE_SUFFIX || TEXT_SUFFIXES.contains(&&*suffix);
        let is_directory = path.is_dir() || ends_with_slash(path);
        if !is_text || is_directory || self.output() == Output::File(path) {
            return None;
        }
        let (shown, text) = (path.display(), path.with_extension(FILE_SUFFIX));
        Some(format!(
            "--output={shown} is neither a directory nor a text file whose name ends in .{FILE_SUFFIX}; write --output={} for a text file, or --output={shown}/ for a directory of blocks",
            text.display()
        ))
    }

    /// Whether the samples are written as blocks.
    pub fn writes_blocks(&self) -> bool {
        let is_elsewhere = self.check.is_some() || self.remote_write.is_some();
        !is_elsewhere && matches!(self.output(), Output::Directory(_))
    }

    /// The error for a flag that conflicts with another one.
    pub(super) fn conflict(&self) -> Option<String> {
        if self.header_file.is_some() && self.check.is_none() && self.remote_write.is_none() {
            return Some("--header-file needs --check or --remote-write".to_owned());
        }
        if let Some(conflict) = self.misleading_output() {
            return Some(conflict);
        }
        let mut servers = [&self.check, &self.remote_write].into_iter().flatten();
        if let Some(conflict) = servers.find_map(user_conflict) {
            return Some(conflict.to_owned());
        }
        let mut names: Vec<&str> = self.labels.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let twice = names.windows(2).find_map(|pair| match pair {
            [one, other] if one == other => Some(*one),
            _ => None,
        });
        twice.map(|name| format!("--label {name} is given twice; keep one"))
    }
}

fn ends_with_slash(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

/// The name and the value of a label that Prometheus adds when it scrapes.
pub type Label = (String, String);

fn label(text: &str) -> Result<Label, String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("write it as NAME=VALUE, such as job=secure-score")?;
    if !is_label_name(name) {
        return Err("a label name consists of letters, digits and underscores, and starts with neither a digit nor two underscores, such as job".to_owned());
    }
    if secure_score_exposition::is_past_label(name) {
        return Err(format!(
            "the exporter already sets {name}; choose another, such as job or instance"
        ));
    }
    if !is_label_value(value) {
        return Err("a label value has 1 to 128 printable bytes, such as secure-score".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    let time = text.parse::<jiff::Timestamp>().or_else(|_| {
        let date: jiff::civil::Date = text.parse()?;
        Ok::<_, jiff::Error>(date.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp())
    });
    let time = time.map_err(
        |_| "not a time; write a date or a time, such as 2026-11-23 or 2026-11-23T08:00:00Z",
    )?;
    Ok(Timestamp::from_seconds(time.as_second()))
}

fn step(text: &str) -> Result<Duration, &'static str> {
    let step = humantime::parse_duration(text).ok();
    let is_allowed =
        |step: &Duration| step.subsec_nanos() == 0 && (FINEST_STEP..=COARSEST_STEP).contains(step);
    step.filter(is_allowed)
        .ok_or("use a duration in whole seconds from 10s to 1d, such as 5m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_of_the_exporter_is_refused() {
        let texts = "job tenant=a control=b 1=a __name__=x a= a-b=c";
        for bad in texts.split(' ') {
            assert!(label(bad).is_err(), "{bad}");
        }
        let (name, value) = label("instance=localhost:10365").unwrap();
        assert_eq!([&*name, &*value], ["instance", "localhost:10365"]);
    }

    #[test]
    fn a_step_is_in_whole_seconds_and_at_most_a_day() {
        assert_eq!(step("5m").unwrap().as_secs(), 300);
        for bad in ["0s", "9s", "25h", "10500ms", "often"] {
            assert!(step(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_may_be_a_date() {
        let seconds = |text| time(text).map(|it| it.as_seconds());
        assert_eq!(seconds("1970-01-02"), Ok(86_400.0));
        assert_eq!(seconds("1970-01-02T01:00:00+01:00"), Ok(86_400.0));
        assert!(time("yesterday").is_err());
    }
}
