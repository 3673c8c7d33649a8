//! Numbers for people.

use super::time::day;
use crate::serde_time::Day;
use crate::store::TenantState;
use maud::{Markup, html};
use secure_score_model::{DailyScore, Points, TenantSnapshot};

/// Points without trailing zeros.
pub(super) fn points(points: Points) -> String {
    let text = format!("{:.2}", points.get());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A share in whole per cent, rounded down: 79.6 does not meet a target of 80.
pub(crate) fn percent(share: f64) -> String {
    // The addend corrects 0.29 × 100 = 28.999….
    format!("{} %", (share * 100.0 + 1e-9).floor())
}

/// A difference of shares with one decimal. It is never shown as 0.
pub(super) fn percentage_points(difference: f64) -> Markup {
    let tenths = (difference * 1_000.0).round().max(1.0) / 10.0;
    html! { (tenths) " " abbr title="percentage points" { "pp" } }
}

/// A tenant's score as a share of the maximum, where that is not 0.
pub(super) fn share(snapshot: &TenantSnapshot) -> Option<f64> {
    let report = snapshot.report.as_deref()?;
    let max = report.max_score?.get();
    (max > 0.0).then_some(report.current_score?.get() / max)
}

/// Points out of the maximum, as far as they are known.
pub(super) fn points_of(score: Option<Points>, max: Option<Points>) -> String {
    match (score, max) {
        (Some(score), Some(max)) => format!("{} of {}", points(score), points(max)),
        (Some(score), None) => points(score),
        (None, _) => "unknown".to_owned(),
    }
}

/// The score, the maximum, and the share as words and as a bar.
pub(super) fn score(state: &TenantState) -> Markup {
    let report = state.snapshot.report.as_deref();
    let points = report.map_or((None, None), |it| (it.current_score, it.max_score));
    let points = points_of(points.0, points.1);
    html! {
        @if let Some(share) = share(&state.snapshot) {
            strong { (percent(share)) } " " span.soft { (points) }
            (bar(share, state.identity.target))
        } @else {
            (points)
        }
    }
}

/// A share as a bar with a line at the target. The same values stand beside it
/// as text.
fn bar(share: f64, target: Option<f64>) -> Markup {
    const WIDTH: f64 = 100.0;
    let filled = format!("{:.1}", share.clamp(0.0, 1.0) * WIDTH);
    let mark = target.map(|target| format!("{:.1}", target.clamp(0.0, 1.0) * WIDTH));
    html! {
        svg.bar viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" {
            rect.track width="100" height="6" {}
            rect.fill width=(filled) height="6" {}
            @if let Some(at) = mark { line.mark x1=(at) x2=(at) y1="0" y2="6" {} }
        }
    }
}

/// The target of a tenant, and whether it is met.
pub(super) fn target(state: &TenantState) -> Markup {
    let Some(target) = state.identity.target else {
        return html! { span.soft { "none" } };
    };
    html! {
        (percent(target))
        @match share(&state.snapshot) {
            Some(share) if share >= target => { " " span.good { "met" } }
            Some(_) => { " " span.bad { "missed" } }
            None => {}
        }
    }
}

/// The change of the share since the last known report of an earlier day, in
/// percentage points with one decimal.
pub(super) fn movement(snapshot: &TenantSnapshot) -> Option<(f64, DailyScore)> {
    let now = DailyScore::of(snapshot.report.as_deref()?)?;
    let earlier = snapshot.score_history.before(now.as_of)?;
    let tenths = ((now.share() - earlier.share()) * 1_000.0).round();
    Some((tenths / 10.0, earlier))
}

/// An arrow with words, or a note where no earlier day is known.
pub(super) fn trend(snapshot: &TenantSnapshot) -> Markup {
    let Some((change, earlier)) = movement(snapshot) else {
        return html! { span.soft { "not known yet" } };
    };
    let (class, arrow, words) = match change {
        up if up > 0.0 => ("good", "▲", format!("up {up} percentage points")),
        down if down < 0.0 => ("bad", "▼", format!("down {} percentage points", -down)),
        _ => ("plain", "▶", "unchanged".to_owned()),
    };
    html! {
        span class=(class) { span aria-hidden="true" { (arrow) } " " (words) } " "
        span.soft { "since " (day(Day::beginning(earlier.as_of))) }
    }
}

/// Why some tenants have no trend.
pub(super) fn trend_note<'a>(mut states: impl Iterator<Item = &'a TenantState>) -> Markup {
    let missing = states.any(|state| movement(&state.snapshot).is_none());
    html! {
        @if missing {
            p.soft.note {
                "A trend compares the reports of two days. Microsoft computes one a day, and keeps those of ninety days."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_have_no_trailing_zeros() {
        for (value, text) in [
            (10.0, "10"),
            (7.83, "7.83"),
            (0.5, "0.5"),
            (0.0, "0"),
            (100.0, "100"),
        ] {
            assert_eq!(points(Points::new(value).unwrap()), text);
        }
    }

    #[test]
    fn a_share_is_rounded_down() {
        assert_eq!(percent(0.7999), "79 %");
        assert_eq!(percent(0.29), "29 %");
        assert_eq!(percent(1.0), "100 %");
    }

    #[test]
    fn a_bar_stays_within_its_frame() {
        for share in [-1.0, f64::INFINITY, 7.0] {
            let drawn = bar(share, Some(share)).into_string();
            assert!(!drawn.contains("inf") && !drawn.contains("700"), "{drawn}");
        }
    }
}
