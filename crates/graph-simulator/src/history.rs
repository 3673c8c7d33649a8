//! What was done to a control, and by whom.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// One element of `controlStateUpdates`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Update {
    pub(super) state: String,
    pub(super) by: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) at: Timestamp,
}

impl Update {
    /// As Graph writes it, with its seven digits of a second.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "assignedTo": "",
            "comment": self.comment,
            "state": self.state,
            "updatedBy": self.by,
            "updatedDateTime": format!("{:.7}", self.at),
        })
    }
}

/// The entry of a control nobody has touched: a state without a date.
pub(super) fn placeholder() -> Value {
    json!({
        "assignedTo": null,
        "comment": null,
        "state": "Default",
        "updatedBy": null,
        "updatedDateTime": null,
    })
}

/// The whole list of a control, placeholder first.
pub(super) fn to_json(updates: &[Update]) -> Value {
    std::iter::once(placeholder())
        .chain(updates.iter().map(Update::to_json))
        .collect()
}

/// A moment for a new change: `now`, or just after the newest known change.
///
/// Graph keeps a tenth of a microsecond. Two changes within one would tie,
/// and a reader would rightly take either as the current one.
pub(super) fn moment_after(newest: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let tick = SignedDuration::from_nanos(100);
    match newest.and_then(|newest| newest.checked_add(tick).ok()) {
        Some(next) if next > now => next,
        _ => now,
    }
}

/// The state in force at a moment.
pub(super) fn state_at(updates: &[Update], moment: Timestamp) -> Option<&str> {
    updates
        .iter()
        .filter(|update| update.at <= moment)
        .max_by_key(|update| update.at)
        .map(|update| update.state.as_str())
}

/// Graph's word for a state given in Graph's words or in ours.
///
/// Any other word goes out as it was given: tests need words nobody knows.
pub(super) fn graph_word(word: &str) -> &str {
    match word.to_ascii_lowercase().as_str() {
        "default" | "to_address" => "Default",
        "ignored" | "risk_accepted" => "Ignored",
        "thirdparty" | "third_party" => "ThirdParty",
        "reviewed" | "alternate_mitigation" => "Reviewed",
        "planned" => "Planned",
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn update(state: &str, second: i64) -> Update {
        Update {
            state: state.into(),
            by: None,
            comment: None,
            at: at(second),
        }
    }

    #[test]
    fn an_untouched_control_has_exactly_one_undated_entry() {
        assert_eq!(to_json(&[]), json!([placeholder()]));
    }

    #[test]
    fn a_change_is_dated_with_seven_digits() {
        let json = update("Ignored", 1_700_000_000).to_json();
        assert_eq!(json["updatedDateTime"], "2023-11-14T22:13:20.0000000Z");
    }

    #[test]
    fn the_state_at_a_moment_ignores_the_order_of_the_list() {
        let updates = [update("Reviewed", 30), update("Ignored", 10)];
        assert_eq!(state_at(&updates, at(20)), Some("Ignored"));
        assert_eq!(state_at(&updates, at(40)), Some("Reviewed"));
        assert_eq!(state_at(&updates, at(5)), None);
    }

    #[test]
    fn two_changes_at_once_still_have_an_order() {
        assert!(moment_after(Some(at(10)), at(10)) > at(10));
        assert_eq!(moment_after(Some(at(10)), at(11)), at(11));
    }

    #[test]
    fn our_words_are_translated_and_foreign_ones_kept() {
        assert_eq!(graph_word("risk_accepted"), "Ignored");
        assert_eq!(graph_word("Acknowledged"), "Acknowledged");
    }
}
