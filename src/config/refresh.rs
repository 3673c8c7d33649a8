//! How often the exporter queries Graph, and how long its data stay valid.

use std::num::NonZeroUsize;
use std::time::Duration;
use strict_yaml::{Diagnostics, Span, Text};

use super::choices::{RefreshMode, choose};
use super::file::FileRefresh;
use super::number;

/// A control's state can change at any time; Graph's limits allow this interval.
const PROFILES: Duration = Duration::from_secs(15 * 60);

/// Microsoft computes scores about once a day, so an hour adds little delay.
const SCORES: Duration = Duration::from_secs(60 * 60);

/// Scores are computed daily, so yesterday's value is still correct.
const MAX_STALENESS: Duration = Duration::from_secs(24 * 60 * 60);

/// Graph returns a page of the catalogue within seconds.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Eight concurrent requests refresh hundreds of tenants on one core.
const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

/// A shorter interval would use up the tenant's request budget.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(10);

/// The timestamps computed from longer durations could overflow.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
const LONGEST_STALENESS: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The alert rules tolerate two missed refreshes of the catalogue at this interval.
const ALERT_RULES_INTERVAL: Duration = Duration::from_secs(15 * 60);

/// A shorter interval fetches the same daily scores hundreds of times.
const SENSIBLE_SCORES: Duration = Duration::from_secs(10 * 60);

/// A request holds its concurrency permit until it times out.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(1);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Series survive two missed refreshes and end after the third.
const INTERVALS_IN_STALENESS: u32 = 3;

/// When the exporter queries Graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// What starts a refresh.
    pub mode: RefreshMode,
    /// The time between two fetches of the states.
    pub profiles: Duration,
    /// The time between two fetches of the scores.
    pub scores: Duration,
    /// The age at which a tenant's data series end.
    pub max_staleness: Duration,
    /// The timeout of one request to Graph.
    pub timeout: Duration,
    /// Concurrent requests over all tenants.
    pub concurrency: NonZeroUsize,
}

impl Default for Refresh {
    fn default() -> Self {
        Self {
            mode: RefreshMode::default(),
            profiles: PROFILES,
            scores: SCORES,
            max_staleness: MAX_STALENESS,
            timeout: TIMEOUT,
            concurrency: CONCURRENCY,
        }
    }
}

/// `uses_graph` is false if the simulator serves every tenant; it has no
/// request budget.
pub(super) fn resolve(
    file: FileRefresh,
    uses_graph: bool,
    diagnostics: &mut Diagnostics,
) -> Refresh {
    file.report_unknown_keys("refresh", diagnostics);
    let defaults = Refresh::default();
    let timeouts = SHORTEST_TIMEOUT..=LONGEST_TIMEOUT;
    let refresh = Refresh {
        mode: choose("refresh.mode", &file.mode, diagnostics),
        profiles: interval("refresh.profiles", &file.profiles, diagnostics)
            .unwrap_or(defaults.profiles),
        scores: interval("refresh.scores", &file.scores, diagnostics).unwrap_or(defaults.scores),
        max_staleness: number::duration("refresh.max_staleness", &file.max_staleness, diagnostics)
            .unwrap_or(defaults.max_staleness),
        timeout: number::timeout("refresh.timeout", &file.timeout, timeouts, diagnostics)
            .unwrap_or(defaults.timeout),
        concurrency: number::integer(
            "refresh.concurrency",
            &file.concurrency,
            1..=256,
            diagnostics,
        )
        .unwrap_or(defaults.concurrency),
    };
    let span = |text: &Option<Text>| text.as_ref().map_or(Span::Nowhere, |text| text.span);
    if uses_graph && refresh.scores < SENSIBLE_SCORES {
        diagnostics.warn(
            span(&file.scores),
            "refresh.scores",
            "Microsoft computes scores about once a day; an interval below 10m only adds requests",
        );
    }
    if refresh.profiles > ALERT_RULES_INTERVAL {
        diagnostics.warn(
            span(&file.profiles),
            "refresh.profiles",
            "the alert rules assume at most 15m; alerts/README.md lists what to change in them",
        );
    }
    check_staleness(&refresh, span(&file.max_staleness), diagnostics);
    refresh
}

fn check_staleness(refresh: &Refresh, span: Span, diagnostics: &mut Diagnostics) {
    let longest = refresh.profiles.max(refresh.scores);
    let least = longest.saturating_mul(INTERVALS_IN_STALENESS);
    if refresh.max_staleness > LONGEST_STALENESS {
        diagnostics.error(
            span,
            "refresh.max_staleness",
            "too long: the series would show outdated data; set at most 30d",
        );
    }
    if refresh.max_staleness < least {
        diagnostics.error(
            span,
            "refresh.max_staleness",
            format!(
                "shorter than 3 times the longest interval ({}), so one missed refresh would end series; \
                 set at least {}",
                humantime::format_duration(longest),
                humantime::format_duration(least),
            ),
        );
    }
}

fn interval(path: &str, text: &Option<Text>, diagnostics: &mut Diagnostics) -> Option<Duration> {
    let interval = number::duration(path, text, diagnostics)?;
    let message = if interval < SHORTEST_INTERVAL {
        "too short for Graph's request limits; set at least 10s"
    } else if interval > LONGEST_INTERVAL {
        "too long for monitoring; set at most 24h"
    } else {
        return Some(interval);
    };
    diagnostics.error(text.as_ref()?.span, path, message);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_keys_names_the_defaults() {
        let defaults = Refresh::default();
        for (name, default) in [
            ("profiles", defaults.profiles),
            ("scores", defaults.scores),
            ("max_staleness", defaults.max_staleness),
            ("timeout", defaults.timeout),
        ] {
            let mut keys = FileRefresh::SECTION.keys.iter();
            let key = keys.find(|key| key.name == name).unwrap();
            let named = humantime::parse_duration(key.default.trim_matches('`'));
            assert_eq!(named, Ok(default), "{name}");
        }
    }
}
