//! Relationships of delegated administration between a partner and a customer.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::rng::guid;

/// The extension of a relationship that never extends itself.
pub(crate) const NO_EXTENSION: &str = "PT0S";

/// The role definition of *Security Reader*.
const SECURITY_READER: &str = "5d6b6bb7-de71-4623-b4af-96380a352509";

/// A relationship of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relationship {
    /// The name that the partner gave it.
    pub display_name: String,
    /// Graph's word, such as `active`, `approvalPending` or `terminated`.
    pub status: String,
    /// When it ends; `None` for one that no customer approved yet.
    pub ends: Option<Timestamp>,
    /// `autoExtendDuration`, such as `P180D`; `PT0S` for never.
    pub auto_extend: String,
}

impl Relationship {
    /// An active relationship that does not extend itself.
    pub fn active(display_name: &str, ends: Timestamp) -> Self {
        Self {
            display_name: display_name.to_owned(),
            status: "active".to_owned(),
            ends: Some(ends),
            auto_extend: NO_EXTENSION.to_owned(),
        }
    }

    /// The same, extending itself by 180 days.
    #[must_use]
    pub fn extending(mut self) -> Self {
        self.auto_extend = "P180D".to_owned();
        self
    }

    /// The same with another status, in Graph's word.
    #[must_use]
    pub fn with_status(mut self, status: &str) -> Self {
        self.status = status.to_owned();
        self
    }

    /// The element of Graph's list. `number` counts the relationships of its customer.
    pub(crate) fn to_json(&self, (id, name): (&str, &str), seed: u64, number: usize) -> Value {
        let index = number as u64;
        let [first, second] = ["relationship", "partner part"].map(|it| guid(seed, it, index));
        let created = self.ends.map(|ends| before(ends, 730));
        let changed = match self.status.as_str() {
            "active" => created,
            _ => self.ends,
        };
        json!({
            "@odata.type": "#microsoft.graph.delegatedAdminRelationship",
            "@odata.etag": format!("W/\"{}\"", guid(seed, "etag", index).simple()),
            "id": format!("{first}-{second}"),
            "displayName": self.display_name,
            "duration": "P730D",
            "customer": {"tenantId": id, "displayName": name},
            "accessDetails": {"unifiedRoles": [{"roleDefinitionId": SECURITY_READER}]},
            "status": self.status,
            "autoExtendDuration": self.auto_extend,
            "createdDateTime": created.map(date),
            "lastModifiedDateTime": changed.map(date),
            "activatedDateTime": created.map(date),
            "endDateTime": self.ends.map(date),
        })
    }
}

fn before(at: Timestamp, days: i64) -> Timestamp {
    let earlier = at.saturating_sub(SignedDuration::from_hours(24 * days));
    earlier.unwrap_or(Timestamp::MIN)
}

/// A time with Graph's seven decimals.
fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%7fZ").to_string()
}
