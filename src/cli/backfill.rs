//! The flags of `backfill`.

use clap::Args;
use secure_score_model::Timestamp;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Where files go when nothing is said.
const DIRECTORY: &str = "secure-score-backfill";

/// How the name of a file ends that holds all tenants.
const FILE_SUFFIX: &str = "om";

/// A finer step than a scrape's makes nothing visible, only more.
const FINEST_STEP: Duration = Duration::from_secs(10);

/// A coarser one would skip days.
const COARSEST_STEP: Duration = Duration::from_secs(24 * 60 * 60);

/// Flags of `backfill`.
#[derive(Debug, Clone, Args)]
#[command(
    after_long_help = "Exit status:\n  0  every tenant was read; with --check: nothing is missing or differs\n  1  nothing was read; with --check: something is missing or differs\n  2  a flag was wrong\n  3  some tenants could not be read or sent; the rest is there, and another run goes on with them"
)]
pub struct Backfill {
    /// Read only this tenant of the configuration; may be given several times
    #[arg(long = "tenant", value_name = "NAME")]
    pub tenants: Vec<String>,

    /// Take the five simulated tenants of `demo` instead of a configuration's
    #[cfg(feature = "demo")]
    #[arg(long)]
    pub demo: bool,

    /// How far back to go; Graph keeps some 90 days
    #[arg(long, value_name = "DAYS", default_value_t = 90,
          value_parser = clap::value_parser!(u16).range(1..=180))]
    pub days: u16,

    /// Write nothing from this moment on, such as when scraping began: a date or 2026-11-23T08:00:00Z [default: three hours ago]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub until: Option<Timestamp>,

    /// The time between two samples, 10s to 1d; instant queries see nothing beyond 5m
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = step)]
    pub step: Duration,

    /// A label that Prometheus adds to what it scrapes, such as job=secure-score or instance=localhost:10365; may be given several times
    #[arg(long = "label", value_name = "NAME=VALUE")]
    pub labels: Vec<Label>,

    /// Leave out the series of single controls, nine samples of ten or more
    #[arg(long)]
    pub no_controls: bool,

    /// A directory for one file a tenant, or one file for all where the name ends in .om [default: secure-score-backfill]
    #[arg(long, value_name = "DIR|FILE", conflicts_with_all = ["check", "remote_write"])]
    pub output: Option<PathBuf>,

    /// How many tenants share a file of the directory; fewer files become fewer blocks
    #[arg(long, value_name = "N", default_value = "1", conflicts_with_all = ["check", "remote_write"])]
    pub tenants_per_file: NonZeroUsize,

    /// Send the samples to this remote-write receiver instead of writing files
    #[arg(long, value_name = "URL", conflicts_with = "check")]
    pub remote_write: Option<ServerUrl>,

    /// Write nothing, but compare what this Prometheus holds with Graph's history
    #[arg(long, value_name = "URL")]
    pub check: Option<ServerUrl>,

    /// A file of headers, one `Name: value` a line, for the server of --check or --remote-write
    #[arg(long, value_name = "FILE")]
    pub header_file: Option<PathBuf>,
}

/// What is written where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output<'a> {
    /// A file for each tenant, or for some.
    Directory(&'a Path),
    /// One for all.
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

    /// Where files go.
    pub fn output(&self) -> Output<'_> {
        let path = self.output.as_deref().unwrap_or(Path::new(DIRECTORY));
        match path.extension() {
            Some(suffix) if suffix == FILE_SUFFIX && !path.is_dir() => Output::File(path),
            _ => Output::Directory(path),
        }
    }

    /// A flag that makes no sense beside another one, and why.
    pub(super) fn contradiction(&self) -> Option<String> {
        if self.header_file.is_some() && self.check.is_none() && self.remote_write.is_none() {
            return Some("--header-file is for --check and --remote-write".to_owned());
        }
        // Not where the value is read: that error would repeat it.
        let servers = [&self.check, &self.remote_write];
        if servers.into_iter().flatten().any(ServerUrl::has_password) {
            return Some("a password on the command line is seen by everybody on the machine; put an Authorization header into a --header-file".to_owned());
        }
        let mut names: Vec<&str> = self.labels.iter().map(|it| it.name.as_str()).collect();
        names.sort_unstable();
        let twice = names.windows(2).find_map(|pair| match pair {
            [one, other] if one == other => Some(*one),
            _ => None,
        });
        twice.map(|name| format!("--label {name} is given twice; keep one"))
    }
}

/// A label that a scrape adds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// `[a-zA-Z_][a-zA-Z0-9_]*`, and none of the exporter's own.
    pub name: String,
    /// Not empty.
    pub value: String,
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or("write it as NAME=VALUE, such as job=secure-score")?;
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let goes_on = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !begins || !goes_on || name.starts_with("__") {
            return Err("a label's name has letters, digits and underscores, and begins with neither a digit nor two underscores".to_owned());
        }
        if secure_score_exposition::is_past_label(name) {
            return Err(format!("the exporter sets {name} itself"));
        }
        if value.is_empty() || value.chars().any(char::is_control) || value.len() > 128 {
            return Err("a label's value has 1 to 128 printable bytes".to_owned());
        }
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// The address of somebody's server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl(url::Url);

impl ServerUrl {
    /// The address.
    pub fn as_url(&self) -> &url::Url {
        &self.0
    }

    fn has_password(&self) -> bool {
        !self.0.username().is_empty() || self.0.password().is_some()
    }
}

impl FromStr for ServerUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url: url::Url = text
            .parse()
            .map_err(|_| "not a URL; write it as http://localhost:9090")?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err("not an address of HTTP; write it as http://localhost:9090".to_owned());
        }
        Ok(Self(url))
    }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let moment = text.parse::<jiff::Timestamp>().or_else(|_| {
        let date: jiff::civil::Date = text.parse()?;
        Ok::<_, jiff::Error>(date.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp())
    });
    let moment = moment.map_err(|_| "write it as 2026-11-23 or 2026-11-23T08:00:00Z")?;
    Ok(Timestamp::from_seconds(moment.as_second()))
}

fn step(text: &str) -> Result<Duration, String> {
    let step = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if step.subsec_nanos() != 0 || !(FINEST_STEP..=COARSEST_STEP).contains(&step) {
        return Err("use whole seconds from 10s to 1d".to_owned());
    }
    Ok(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_of_the_exporters_own_is_refused() {
        for bad in [
            "job",
            "tenant=a",
            "control=b",
            "1=a",
            "__name__=x",
            "a=",
            "a-b=c",
        ] {
            assert!(bad.parse::<Label>().is_err(), "{bad}");
        }
        let label: Label = "instance=localhost:10365".parse().unwrap();
        assert_eq!(
            (label.name.as_str(), label.value.as_str()),
            ("instance", "localhost:10365")
        );
    }

    #[test]
    fn a_step_is_whole_seconds_of_a_day_at_most() {
        assert_eq!(step("5m").unwrap().as_secs(), 300);
        for bad in ["0s", "9s", "25h", "10500ms", "often"] {
            assert!(step(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_moment_is_a_date_or_a_time() {
        let seconds = |text| moment(text).map(|it| it.as_seconds());
        assert_eq!(seconds("1970-01-02"), Ok(86_400.0));
        assert_eq!(seconds("1970-01-02T01:00:00+01:00"), Ok(86_400.0));
        assert!(moment("yesterday").is_err());
    }

    #[test]
    fn an_address_is_one_of_http() {
        assert!("localhost:9090".parse::<ServerUrl>().is_err());
        assert!(
            "https://tsdb.example/api/v1/write"
                .parse::<ServerUrl>()
                .is_ok()
        );
    }
}
