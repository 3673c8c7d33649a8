//! How often the exporter queries Graph, and how long its data stay valid.

use secure_score_model::Api;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::time::Duration;
use strict_yaml::{Diagnostics, Span, Text};

use super::choices::{Choice as _, RefreshMode};
use super::file::{CONCURRENCY_RANGE, FileRefresh};
use super::number;

/// A control's state can change at any time; Graph's limits allow this interval.
const PROFILES: Duration = Duration::from_secs(15 * 60);

/// Microsoft computes scores about once a day, so an hour adds little delay.
const SCORES: Duration = Duration::from_secs(60 * 60);

/// Entra checks recommendations about once a day, but an administrator can set
/// one aside at any time. The list is smaller than the catalogue and in beta.
const RECOMMENDATIONS: Duration = Duration::from_secs(30 * 60);

/// Microsoft computes the Identity Secure Score once a day.
const IDENTITY_SCORES: Duration = Duration::from_secs(60 * 60);

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
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(5 * 60);

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
    /// The time between two fetches of Entra's recommendations.
    pub recommendations: Duration,
    /// The time between two fetches of the Identity Secure Score.
    pub identity_scores: Duration,
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
            recommendations: RECOMMENDATIONS,
            identity_scores: IDENTITY_SCORES,
            max_staleness: MAX_STALENESS,
            timeout: TIMEOUT,
            concurrency: CONCURRENCY,
        }
    }
}

impl Refresh {
    /// The time between two fetches of a list.
    pub const fn interval(&self, api: Api) -> Duration {
        match api {
            Api::Profiles => self.profiles,
            Api::Scores => self.scores,
            Api::Recommendations => self.recommendations,
            Api::IdentityScores => self.identity_scores,
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
    let mode = diagnostics.check("refresh.mode", &file.mode, RefreshMode::parse);
    let profiles = diagnostics.check("refresh.profiles", &file.profiles, interval);
    let scores = diagnostics.check("refresh.scores", &file.scores, interval);
    let recommendations = &file.recommendations;
    let recommendations = diagnostics.check("refresh.recommendations", recommendations, interval);
    let identity_scores = &file.identity_scores;
    let identity_scores = diagnostics.check("refresh.identity_scores", identity_scores, interval);
    let staleness = &file.max_staleness;
    let staleness = diagnostics.check("refresh.max_staleness", staleness, number::duration);
    let timeout = diagnostics.check("refresh.timeout", &file.timeout, |text| {
        number::timeout(text, TIMEOUTS)
    });
    let concurrency = diagnostics.check("refresh.concurrency", &file.concurrency, |text| {
        number::integer(text, CONCURRENCY_RANGE)
    });
    let max_staleness = staleness.unwrap_or(defaults.max_staleness);
    // Tenants without these lists must not need a longer `max_staleness`.
    let at_most = max_staleness / INTERVALS_IN_STALENESS;
    let refresh = Refresh {
        mode: mode.unwrap_or_default(),
        profiles: profiles.unwrap_or(defaults.profiles),
        scores: scores.unwrap_or(defaults.scores),
        recommendations: recommendations.unwrap_or(defaults.recommendations.min(at_most)),
        identity_scores: identity_scores.unwrap_or(defaults.identity_scores.min(at_most)),
        max_staleness,
        timeout: timeout.unwrap_or(defaults.timeout),
        concurrency: concurrency.unwrap_or(defaults.concurrency),
    };
    let span = |text: &Option<Text>| text.as_ref().map_or(Span::Nowhere, |text| text.span);
    for (key, text, interval) in [
        ("scores", &file.scores, scores),
        ("identity_scores", &file.identity_scores, identity_scores),
    ] {
        if uses_graph && interval.is_some_and(|it| it < SENSIBLE_SCORES) {
            let message = "Microsoft computes scores about once a day; an interval below 10m only adds requests";
            diagnostics.warn(span(text), format_args!("refresh.{key}"), message);
        }
    }
    if refresh.profiles > ALERT_RULES_INTERVAL {
        let message =
            "the alert rules assume at most 15m; alerts/README.md lists what to change in them";
        diagnostics.warn(span(&file.profiles), "refresh.profiles", message);
    }
    let span = span(&file.max_staleness);
    let intervals = Api::ALL.map(|api| refresh.interval(api));
    let longest = intervals.into_iter().max().unwrap_or_default();
    let least = longest.saturating_mul(INTERVALS_IN_STALENESS);
    if refresh.max_staleness > LONGEST_STALENESS {
        let message = "too long: the series would show outdated data; set at most 30d";
        diagnostics.error(span, "refresh.max_staleness", message);
    }
    if refresh.max_staleness < least {
        let message = format!(
            "shorter than 3 times the longest interval ({}), so one missed refresh would end series; \
             set at least {}",
            humantime::format_duration(longest),
            humantime::format_duration(least),
        );
        diagnostics.error(span, "refresh.max_staleness", message);
    }
    refresh
}

fn interval(text: &str) -> Result<Duration, String> {
    match number::duration(text)? {
        short if short < SHORTEST_INTERVAL => {
            Err("too short for Graph's request limits; set at least 10s".to_owned())
        }
        long if long > LONGEST_INTERVAL => {
            Err("too long for monitoring; set at most 24h".to_owned())
        }
        interval => Ok(interval),
    }
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
            ("recommendations", defaults.recommendations),
            ("identity_scores", defaults.identity_scores),
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
