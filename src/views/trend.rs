//! Whether a score rose or fell.

use super::numbers::movement;
use super::time::day;
use crate::store::TenantState;
use maud::{Markup, html};
use secure_score_model::TenantSnapshot;

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
        span.soft { "since " (day(earlier.as_of)) }
    }
}

/// Why some tenants have no trend.
pub(super) fn trend_note<'a>(mut states: impl Iterator<Item = &'a TenantState>) -> Markup {
    let missing = states.any(|state| movement(&state.snapshot).is_none());
    html! {
        @if missing {
            p.soft.note {
                "A trend compares the reports of two days. Microsoft computes one a day, and earlier ones are not read, so the first trend shows with the report of the day after this exporter's first start."
            }
        }
    }
}
