//! The scores of the last ninety days as a picture, and in words.

use super::cells::title;
use super::layout::shortened;
use super::numbers::percent;
use super::time::day;
use crate::serde_time::Day;
use maud::{Markup, html};
use secure_score_model::{Control, DailyScore, TenantSnapshot, Timestamp};
use std::fmt::{self, Write as _};

/// The days that are shown.
const DAYS: f64 = 90.0;

const DAY_NANOS: f64 = 24.0 * 60.0 * 60.0 * 1e9;

/// The most marks that are listed as text; the register has all.
const MAX_LISTED: usize = 20;

/// The least height of the axis, as a share: noise must not look like a fall.
const MIN_RANGE: f64 = 0.04;

/// The scores that are drawn, and the axes.
pub(super) struct Chart<'a> {
    days: &'a [DailyScore],
    /// How many days the axis has.
    width: f64,
    newest: Timestamp,
    low: f64,
    high: f64,
}

/// An acceptance of a risk in the days of the chart.
pub(super) struct Mark<'a> {
    pub(super) at: Timestamp,
    pub(super) title: &'a str,
}

impl<'a> Chart<'a> {
    /// The last ninety days of a tenant.
    fn of_last_days(snapshot: &'a TenantSnapshot) -> Option<Self> {
        let days = snapshot.score_history.days();
        let newest = days.last()?.as_of;
        let is_shown = |it: &DailyScore| days_before(newest, it.as_of) < DAYS;
        let first = days.iter().position(is_shown)?;
        Self::new(days.get(first..)?, DAYS)
    }

    /// All of these days, where they are two or more.
    pub(super) fn of(days: &'a [DailyScore]) -> Option<Self> {
        let (first, newest) = (days.first()?, days.last()?);
        Self::new(days, days_before(newest.as_of, first.as_of))
    }

    fn new(days: &'a [DailyScore], width: f64) -> Option<Self> {
        let newest = days.last().filter(|_| days.len() > 1)?.as_of;
        let shares = days.iter().map(DailyScore::share);
        let (low, high) = shares.fold((f64::INFINITY, 0.0_f64), |(low, high), share| {
            (low.min(share), high.max(share))
        });
        let missing = (MIN_RANGE - (high - low)).max(0.0) / 2.0;
        Some(Self {
            days,
            width,
            newest,
            low: (low - missing).max(0.0),
            high: high + missing,
        })
    }

    /// Whether a time is not before the first day.
    pub(super) fn contains(&self, at: Timestamp) -> bool {
        self.days.first().is_some_and(|first| first.as_of <= at)
    }

    /// From 0 at the left to the width at the right, in days.
    fn x(&self, at: Timestamp) -> f64 {
        self.width - days_before(self.newest, at)
    }

    /// From 0 at the top to 100 at the bottom.
    fn y(&self, share: f64) -> f64 {
        100.0 * (self.high - share) / (self.high - self.low)
    }

    /// A line through the days; a missing day interrupts it.
    fn path(&self) -> String {
        let mut path = String::new();
        let mut last: Option<Timestamp> = None;
        for score in self.days {
            let is_next = last.is_some_and(|it| days_before(score.as_of, it) < 2.0);
            let command = if is_next { 'L' } else { 'M' };
            let (x, y) = (Tenths(self.x(score.as_of)), Tenths(self.y(score.share())));
            // Writing to a text cannot fail. The line to itself draws a single day.
            let _ = write!(path, "{command}{x} {y}");
            if !is_next {
                let _ = write!(path, "h.1");
            }
            last = Some(score.as_of);
        }
        path
    }

    /// What the picture shows, in words.
    /// Without a number of acceptances where they are not known.
    fn words(&self, acceptances: Option<usize>) -> String {
        let (Some(first), Some(last)) = (self.days.first(), self.days.last()) else {
            return String::new();
        };
        let at = |score: &DailyScore| {
            format!(
                "{} on {}",
                percent(score.share()),
                Day::beginning(score.as_of)
            )
        };
        let by_share = |a: &&DailyScore, b: &&DailyScore| a.share().total_cmp(&b.share());
        let lowest = self.days.iter().min_by(by_share).unwrap_or(first);
        let highest = self.days.iter().max_by(by_share).unwrap_or(first);
        let acceptances = match acceptances {
            None => String::new(),
            Some(0) => "; no dated acceptance in Secure Score".to_owned(),
            Some(1) => "; 1 dated acceptance in Secure Score".to_owned(),
            Some(many) => format!("; {many} dated acceptances in Secure Score"),
        };
        format!(
            "{}, {}; lowest {}, highest {}{acceptances}",
            at(first),
            at(last),
            at(lowest),
            at(highest),
        )
    }
}

/// A coordinate with one decimal, from whole numbers: a page of two hundred lines has
/// tens of thousands, and to format a floating-point number is slow.
struct Tenths(f64);

impl fmt::Display for Tenths {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round().max(0.0) as u64;
        write!(formatter, "{}.{}", tenths / 10, tenths % 10)
    }
}

/// The chart with these acceptances, and what it shows in words.
pub(super) fn figure(chart: &Chart<'_>, acceptances: Option<&[Mark<'_>]>) -> Markup {
    let words = chart.words(acceptances.map(<[_]>::len));
    let marks = acceptances.unwrap_or_default();
    let view_box = format!("0 0 {:.0} 100", chart.width + 1.0);
    html! {
        figure.chart {
            div.plot {
                span.high.soft { (percent(chart.high)) }
                span.low.soft { (percent(chart.low)) }
                svg viewBox=(view_box) preserveAspectRatio="none" role="img" aria-label=(words) {
                    @for mark in marks {
                        @let x = format!("{:.1}", chart.x(mark.at));
                        line.mark x1=(x) x2=(x) y1="0" y2="100" {
                            title { (Day::beginning(mark.at)) ": risk accepted: " (mark.title) }
                        }
                    }
                    path.line d=(chart.path()) {}
                }
                @if let [first, .., last] = chart.days {
                    span.from.soft { (day(Day::beginning(first.as_of))) }
                    span.to.soft { (day(Day::beginning(last.as_of))) }
                }
            }
            figcaption.soft {
                (words) "." @if !marks.is_empty() { " A vertical line marks each acceptance." }
            }
        }
    }
}

/// The acceptances of these days, the newest first; `None` without a catalogue.
fn marks<'a>(
    snapshot: &'a TenantSnapshot,
    chart: &Chart<'_>,
    now: Timestamp,
) -> Option<Vec<Mark<'a>>> {
    snapshot.catalogue_anomalies.as_ref()?;
    let is_shown = |at: &Timestamp| chart.contains(*at) && *at <= now;
    let of_control = |control: &'a Control| {
        let changes = control.history().map_or(&[][..], |it| it.changes());
        let accepted = changes.iter().filter(|change| change.is_acceptance());
        let times = accepted.filter_map(|change| change.at).filter(is_shown);
        times.map(|at| Mark {
            at,
            title: title(control),
        })
    };
    let mut marks: Vec<_> = snapshot.controls.iter().flat_map(of_control).collect();
    marks.sort_by_key(|mark| std::cmp::Reverse(mark.at));
    Some(marks)
}

/// The chart of the last ninety days with their acceptances, or nothing where fewer
/// than two days are known.
pub(super) fn score_chart(snapshot: &TenantSnapshot, now: Timestamp) -> Markup {
    let Some(chart) = Chart::of_last_days(snapshot) else {
        return html! {};
    };
    let marks = marks(snapshot, &chart, now);
    html! {
        section aria-labelledby="course" {
            h2 #course { "Score of the last days" }
            (figure(&chart, marks.as_deref()))
            (listed(marks.as_deref().unwrap_or_default()))
        }
    }
}

/// The marks as text, for those who do not see the chart.
fn listed(marks: &[Mark<'_>]) -> Markup {
    if marks.is_empty() {
        return html! {};
    }
    html! {
        details {
            summary { "The acceptances that are marked" }
            ul.changes {
                @for mark in marks.iter().take(MAX_LISTED) {
                    li { (day(Day::beginning(mark.at))) ": " (shortened(mark.title)) }
                }
            }
            @if marks.len() > MAX_LISTED { p.soft { "… and " (marks.len() - MAX_LISTED) " before" } }
        }
    }
}

/// The course of the score in one line of a table. The trend beside it is the
/// text.
pub(super) fn sparkline(snapshot: &TenantSnapshot) -> Markup {
    let Some(chart) = Chart::of_last_days(snapshot) else {
        return html! {};
    };
    html! {
        svg.spark viewBox="-1 -5 92 110" preserveAspectRatio="none" aria-hidden="true" {
            path.line d=(chart.path()) {}
        }
    }
}

fn days_before(end: Timestamp, at: Timestamp) -> f64 {
    (end.nanos() - at.nanos()) as f64 / DAY_NANOS
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_model::{
        Anomalies, CatalogueEntry, Category, ControlState, History, Points, ScoreHistory,
        StateUpdate,
    };
    use std::sync::Arc;

    const DAY: i64 = 24 * 60 * 60;
    const NOW: Timestamp = Timestamp::from_seconds(20_500 * DAY);

    fn of_day(day: i64, score: f64) -> DailyScore {
        DailyScore {
            as_of: Timestamp::from_seconds((20_000 + day) * DAY),
            score: Points::new(score).unwrap(),
            max_score: Points::new(100.0).unwrap(),
        }
    }

    fn snapshot(newest: DailyScore, past: &[DailyScore]) -> TenantSnapshot {
        let mut history = ScoreHistory::default();
        history.add_newest(newest);
        history.add_past(past.iter().copied(), true);
        TenantSnapshot {
            score_history: history.into(),
            ..TenantSnapshot::default()
        }
    }

    #[test]
    fn a_single_day_is_no_course() {
        let one = snapshot(of_day(0, 50.0), &[]);
        assert_eq!(score_chart(&one, NOW).into_string(), "");
        assert_eq!(sparkline(&one).into_string(), "");
    }

    #[test]
    fn a_missing_day_interrupts_the_line_and_older_days_are_left_out() {
        let days = [of_day(-100, 1.0), of_day(-3, 40.0), of_day(-2, 60.0)];
        let snapshot = snapshot(of_day(0, 50.0), &days);
        let chart = Chart::of_last_days(&snapshot).unwrap();
        assert_eq!(chart.path(), "M87.0 100.0h.1L88.0 0.0M90.0 50.0h.1");
        assert_eq!(
            chart.words(Some(2)),
            "40 % on 2024-10-01, 50 % on 2024-10-04; lowest 40 % on 2024-10-01, highest 60 % on 2024-10-02; 2 dated acceptances in Secure Score"
        );
    }

    #[test]
    fn a_level_score_is_a_line_in_the_middle() {
        for score in [0.0, 50.0, 100.0] {
            let snapshot = snapshot(of_day(0, score), &[of_day(-1, score)]);
            let path = Chart::of_last_days(&snapshot).unwrap().path();
            assert!(!path.contains("NaN") && !path.contains("inf"), "{path}");
        }
    }

    #[test]
    fn an_acceptance_is_a_mark_with_its_control() {
        let mut snapshot = snapshot(of_day(0, 50.0), &[of_day(-30, 60.0)]);
        let accepted = |day: i64| StateUpdate {
            at: Some(of_day(day, 0.0).as_of),
            ..StateUpdate::new(ControlState::RiskAccepted)
        };
        let withdrawn = StateUpdate {
            at: Some(of_day(-60, 0.0).as_of),
            ..StateUpdate::new(ControlState::ToAddress)
        };
        let history = History::from_updates(vec![accepted(-80), withdrawn, accepted(-7)]);
        snapshot.controls.push(Control {
            entry: Some(Arc::new(CatalogueEntry {
                title: "Block <legacy> authentication".into(),
                history,
                ..CatalogueEntry::new("legacy")
            })),
            ..Control::new("legacy", Category::Identity)
        });
        assert!(!score_chart(&snapshot, NOW).into_string().contains("dated"));
        snapshot.catalogue_anomalies = Some(Anomalies::default());
        let page = score_chart(&snapshot, NOW).into_string();
        assert_eq!(page.matches("<line").count(), 1, "{page}");
        for part in [
            "2024-09-27: risk accepted: Block &lt;legacy&gt; authentication",
            "1 dated acceptance in Secure Score",
        ] {
            assert!(page.contains(part), "{page}");
        }
    }
}
