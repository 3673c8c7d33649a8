//! How often Graph is asked, and for how long an answer is good.

use std::num::NonZeroUsize;
use std::time::Duration;
use strict_yaml::{Diagnostics, Span, Text, suggest, unknown_keys};

use super::file::FileRefresh;
use super::number;

/// States change at any time and show at once; Graph bears this rhythm well.
const PROFILES: Duration = Duration::from_secs(15 * 60);

/// Scores are computed about once a day; hourly is never late by much.
const SCORES: Duration = Duration::from_secs(60 * 60);

/// Scores are computed daily, so a value of yesterday is still the truth.
const MAX_STALENESS: Duration = Duration::from_secs(24 * 60 * 60);

/// A page of the catalogue takes Graph seconds; half a minute is a dead line.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Eight requests in flight keep hundreds of tenants fresh on one core.
const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

/// Below this a loop would spend the tenant's request budget on its own.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(10);

/// Beyond this a tenant is not watched, and beyond that nobody would believe
/// what is shown of it. Far beyond either, time itself cannot be computed.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
const LONGEST_STALENESS: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The alert rules, as shipped, believe a catalogue for two of these.
const RULES_ASSUME: Duration = Duration::from_secs(15 * 60);

/// Below this the daily scores are fetched hundreds of times for nothing.
const SENSIBLE_SCORES: Duration = Duration::from_secs(10 * 60);

/// A request that may hang longer holds its place in the queue from others.
const TIMEOUTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5 * 60));

/// Two missed refreshes are bad luck; only the third means something is wrong.
const INTERVALS_IN_STALENESS: u32 = 3;

/// What starts a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RefreshMode {
    /// The passing of time.
    #[default]
    Background,
    /// A scrape of something older than its interval.
    Scrape,
}

impl RefreshMode {
    const ALL: [(&'static str, Self); 2] =
        [("background", Self::Background), ("scrape", Self::Scrape)];
}

/// The rhythm of the refresh loops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// What starts a refresh.
    pub mode: RefreshMode,
    /// Between two fetches of the states.
    pub profiles: Duration,
    /// Between two fetches of the scores.
    pub scores: Duration,
    /// The age at which a tenant's data series end.
    pub max_staleness: Duration,
    /// For one request to Graph.
    pub timeout: Duration,
    /// Requests in flight over all tenants.
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

/// `real` is whether Graph itself is asked; the simulator spends nobody's budget.
pub(super) fn resolve(file: FileRefresh, real: bool, diagnostics: &mut Diagnostics) -> Refresh {
    unknown_keys("refresh", &file.unknown, FileRefresh::KEYS, diagnostics);
    let (staleness, scores) = (span(&file.max_staleness), span(&file.scores));
    let profiles = span(&file.profiles);
    let defaults = Refresh::default();
    let refresh = Refresh {
        mode: mode(file.mode.as_ref(), diagnostics).unwrap_or_default(),
        profiles: interval("profiles", file.profiles, defaults.profiles, diagnostics),
        scores: interval("scores", file.scores, defaults.scores, diagnostics),
        max_staleness: duration("max_staleness", file.max_staleness, diagnostics)
            .unwrap_or(defaults.max_staleness),
        timeout: timeout(file.timeout, diagnostics).unwrap_or(defaults.timeout),
        concurrency: concurrency(file.concurrency, diagnostics).unwrap_or(defaults.concurrency),
    };
    if real && refresh.scores < SENSIBLE_SCORES {
        diagnostics.warn(
            scores,
            "refresh.scores",
            "scores are computed about once a day; an interval below 10m only costs requests",
        );
    }
    if refresh.profiles > RULES_ASSUME {
        diagnostics.warn(
            profiles,
            "refresh.profiles",
            "the alert rules assume at most 15m; alerts/README.md says what to change in them",
        );
    }
    check_staleness(&refresh, staleness, diagnostics);
    refresh
}

fn mode(text: Option<&Text>, diagnostics: &mut Diagnostics) -> Option<RefreshMode> {
    let text = text?;
    let written = text.value.trim();
    let found = RefreshMode::ALL.iter().find(|(word, _)| *word == written);
    if found.is_none() {
        let known = RefreshMode::ALL.map(|(word, _)| word);
        let fault = suggest::unknown("mode", written, &known);
        diagnostics.error(text.span, "refresh.mode", fault);
    }
    found.map(|(_, mode)| *mode)
}

fn span(text: &Option<Text>) -> Span {
    text.as_ref().map_or(Span::Nowhere, |text| text.span)
}

fn check_staleness(refresh: &Refresh, span: Span, diagnostics: &mut Diagnostics) {
    let longest = refresh.profiles.max(refresh.scores);
    let least = longest.saturating_mul(INTERVALS_IN_STALENESS);
    if refresh.max_staleness > LONGEST_STALENESS {
        diagnostics.error(
            span,
            "refresh.max_staleness",
            "too long: what is shown would be older than anybody believes; set at most 30d",
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

fn duration(key: &str, text: Option<Text>, diagnostics: &mut Diagnostics) -> Option<Duration> {
    let text = text?;
    let duration = humantime::parse_duration(text.value.trim()).ok();
    if duration.is_none() {
        diagnostics.error(
            text.span,
            format_args!("refresh.{key}"),
            "not a duration; write a number with its unit, such as 30s, 15m or 1h30m",
        );
    }
    duration
}

fn interval(
    key: &str,
    text: Option<Text>,
    default: Duration,
    diagnostics: &mut Diagnostics,
) -> Duration {
    let span = span(&text);
    let Some(interval) = duration(key, text, diagnostics) else {
        return default;
    };
    if interval < SHORTEST_INTERVAL {
        diagnostics.error(
            span,
            format_args!("refresh.{key}"),
            "too short for Graph's limits; set at least 10s",
        );
        return default;
    }
    if interval > LONGEST_INTERVAL {
        diagnostics.error(
            span,
            format_args!("refresh.{key}"),
            "too long to watch anything; set at most 24h",
        );
        return default;
    }
    interval
}

fn timeout(text: Option<Text>, diagnostics: &mut Diagnostics) -> Option<Duration> {
    let span = span(&text);
    let timeout = duration("timeout", text, diagnostics)?;
    let (least, most) = TIMEOUTS;
    if !(least..=most).contains(&timeout) {
        diagnostics.error(span, "refresh.timeout", "out of range; set 1s to 5m");
    }
    Some(timeout)
}

fn concurrency(text: Option<Text>, diagnostics: &mut Diagnostics) -> Option<NonZeroUsize> {
    number::between("refresh.concurrency", text?, 1..=256, diagnostics)
}
