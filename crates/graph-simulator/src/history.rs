//! The state changes of a control.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// One dated element of `controlStateUpdates`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StateUpdate {
    pub(crate) state: String,
    pub(crate) by: Option<String>,
    pub(crate) comment: Option<String>,
    pub(crate) at: Timestamp,
}

impl StateUpdate {
    /// Graph's JSON, with seven fractional digits in the timestamp.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "assignedTo": "",
            "comment": self.comment,
            "state": self.state,
            "updatedBy": self.by,
            "updatedDateTime": format!("{:.7}", self.at),
        })
    }
}

/// The undated entry of an unchanged control.
pub(crate) fn placeholder() -> Value {
    json!({
        "assignedTo": null,
        "comment": null,
        "state": "Default",
        "updatedBy": null,
        "updatedDateTime": null,
    })
}

/// A control's `controlStateUpdates`: the placeholder, then the changes.
pub(crate) fn to_json(updates: &[StateUpdate]) -> Value {
    std::iter::once(placeholder())
        .chain(updates.iter().map(StateUpdate::to_json))
        .collect()
}

/// The timestamp of a new change: `now`, or one tick after the newest change.
///
/// Graph's resolution is 100 ns. Two changes within one tick would tie, and a
/// reader could take either as the current one.
pub(crate) fn next_timestamp(newest: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let tick = SignedDuration::from_nanos(100);
    let next = newest.and_then(|newest| newest.checked_add(tick).ok());
    next.map_or(now, |next| next.max(now))
}

/// The time of a change in Graph's JSON.
pub(crate) fn updated_at(update: &Value) -> Option<Timestamp> {
    time(update, "updatedDateTime")
}

/// A date in Graph's JSON; without an offset it is UTC.
pub(crate) fn time(element: &Value, key: &str) -> Option<Timestamp> {
    let text = element.get(key)?.as_str()?;
    let utc = || {
        let local: DateTime = text.parse().ok()?;
        Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    text.parse().ok().or_else(utc)
}

/// The state at a time.
pub(crate) fn state_at(updates: &[StateUpdate], at: Timestamp) -> Option<&str> {
    updates
        .iter()
        .filter(|update| update.at <= at)
        .max_by_key(|update| update.at)
        .map(|update| update.state.as_str())
}

/// Graph's name of a state given by Graph's or the exporter's name.
///
/// Any other name is sent unchanged, so that tests can serve unknown states.
pub(crate) fn graph_state(name: &str) -> &str {
    match name.to_ascii_lowercase().as_str() {
        "default" | "to_address" => "Default",
        "ignored" | "risk_accepted" => "Ignored",
        "thirdparty" | "third_party" => "ThirdParty",
        "reviewed" | "alternate_mitigation" => "Reviewed",
        "planned" => "Planned",
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn update(state: &str, second: i64) -> StateUpdate {
        StateUpdate {
            state: state.into(),
            by: None,
            comment: None,
            at: at(second),
        }
    }

    #[test]
    fn an_unchanged_control_has_one_undated_entry() {
        assert_eq!(to_json(&[]), json!([placeholder()]));
    }

    #[test]
    fn a_timestamp_has_seven_fractional_digits() {
        let json = update("Ignored", 1_700_000_000).to_json();
        assert_eq!(json["updatedDateTime"], "2023-11-14T22:13:20.0000000Z");
    }

    #[test]
    fn the_state_at_a_time_ignores_the_order_of_the_list() {
        let updates = [update("Reviewed", 30), update("Ignored", 10)];
        assert_eq!(state_at(&updates, at(20)), Some("Ignored"));
        assert_eq!(state_at(&updates, at(40)), Some("Reviewed"));
        assert_eq!(state_at(&updates, at(5)), None);
    }

    #[test]
    fn simultaneous_changes_are_ordered() {
        assert!(next_timestamp(Some(at(10)), at(10)) > at(10));
        assert_eq!(next_timestamp(Some(at(10)), at(11)), at(11));
        assert_eq!(next_timestamp(None, at(11)), at(11));
    }

    #[test]
    fn known_state_names_are_translated_and_others_kept() {
        assert_eq!(graph_state("risk_accepted"), "Ignored");
        assert_eq!(graph_state("Acknowledged"), "Acknowledged");
    }
}
