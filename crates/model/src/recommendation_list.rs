//! Entra's recommendations and the Identity Secure Score.

use crate::label_values::label_values;
use crate::points::rounded;
use crate::{Anomalies, Points, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::iter;
use std::sync::Arc;
use std::time::Duration;

/// How much Graph's dates may differ from each other and from the exporter's
/// clock, where they are of one change.
pub(crate) const SKEW: Duration = Duration::from_secs(5 * 60);

label_values! {
    /// The status of a recommendation, or of one resource that it concerns.
    pub enum RecommendationStatus {
        /// Open.
        Active = "active",
        /// Open: what was done is not enough.
        NeedsMoreAction = "needs_more_action",
        /// Microsoft found it done.
        CompletedBySystem = "completed_by_system",
        /// A person says it is done.
        CompletedByUser = "completed_by_user",
        /// A person does not want to see it.
        Dismissed = "dismissed",
        /// Hidden until a day.
        Postponed = "postponed",
        /// The risk is accepted.
        RiskAccepted = "risk_accepted",
        /// Declared as solved by another product.
        ThirdParty = "third_party",
        /// Declared as planned.
        Planned = "planned",
        /// Declared as solved by other means.
        AlternateMitigation = "alternate_mitigation",
        /// A word outside this set.
        Unknown = "unknown",
    }
}

impl RecommendationStatus {
    /// Whether it hides an open recommendation: accepted, dismissed or
    /// postponed; `None` where the status is unknown.
    pub const fn sets_aside(self) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::RiskAccepted | Self::Dismissed | Self::Postponed => Some(true),
            _ => Some(false),
        }
    }

    /// Whether the risk is accepted; `None` where the status is unknown.
    pub const fn accepts_risk(self) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::RiskAccepted => Some(true),
            _ => Some(false),
        }
    }

    /// Whether it waits to be done.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Active | Self::NeedsMoreAction)
    }
}

label_values! {
    /// The part of Entra's recommendations to which one belongs.
    pub enum RecommendationCategory {
        /// It counts in the Identity Secure Score.
        IdentitySecureScore = "identity_secure_score",
        /// It does not count.
        IdentityBestPractice = "identity_best_practice",
        /// Of Defender for Identity.
        MdiSecureScore = "mdi_secure_score",
        /// Missing, or a word outside this set.
        Unknown = "unknown",
    }
}

label_values! {
    /// How urgent Microsoft thinks a recommendation is.
    pub enum RecommendationPriority {
        /// Not urgent.
        Low = "low",
        /// Somewhat urgent.
        Medium = "medium",
        /// Urgent.
        High = "high",
        /// Very urgent.
        Critical = "critical",
        /// Missing, or a word outside this set.
        Unknown = "unknown",
    }
}

/// One recommendation as Entra lists it (Graph beta: `recommendation`).
#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct RecommendationEntry {
    /// The end of its id, in lower case: the same in every list, unlike the name.
    pub id: Arc<str>,
    /// The end of its id as Graph writes it.
    #[serde(rename = "tail")]
    pub id_as_sent: Arc<str>,
    /// Graph's `recommendationType`, where it is known; several recommendations
    /// may have one.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Arc<str>>,
    /// Its name in labels: its type, or the end of its id; in a list distinct.
    pub name: Arc<str>,
    /// The title in the portal.
    pub title: Arc<str>,
    /// The part of the recommendations to which it belongs.
    pub category: RecommendationCategory,
    /// Its present status.
    pub status: RecommendationStatus,
    /// How urgent Microsoft thinks it is.
    pub priority: RecommendationPriority,
    /// What it changes, such as `users` or `Tenant level`, as Graph sends it.
    #[serde(rename = "impact")]
    pub impact_type: Arc<str>,
    /// The licence that it requires, as Graph sends it.
    pub license: Arc<str>,
    /// Points that the tenant has, where it counts in the Identity Secure Score.
    pub score: Option<Points>,
    /// Points that the tenant could have, likewise.
    #[serde(rename = "max")]
    pub max_score: Option<Points>,
    /// When its status was set, where Graph says so.
    #[serde(rename = "status_at")]
    pub status_modified: Option<Timestamp>,
    /// When anything of it was last changed; Microsoft's own checks change it too.
    #[serde(rename = "at")]
    pub last_modified: Option<Timestamp>,
    /// Who did that, where it was a person: a name or an object id.
    #[serde(rename = "by")]
    pub last_modified_by: Option<Arc<str>>,
    /// Until when it is postponed.
    #[serde(rename = "until")]
    pub postponed_until: Option<Timestamp>,
    /// How many resources that it concerns are in each status; missing where
    /// Graph does not list them.
    #[serde(rename = "resources", default, skip_serializing_if = "Option::is_none")]
    pub impacted_resources: Option<BTreeMap<RecommendationStatus, u64>>,
}

impl RecommendationEntry {
    /// Points that the tenant can still gain, where it counts in the Identity
    /// Secure Score.
    pub fn points_to_gain(&self) -> Option<Points> {
        let missing = rounded(self.max_score?.get() - self.score?.get());
        Some(Points::new(missing).unwrap_or(Points::ZERO))
    }

    /// What rules and controls may call it: its name and its type.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let kind = self.kind.as_deref();
        let kind = kind.filter(|it| **it != *self.name);
        iter::once(&*self.name).chain(kind)
    }

    /// When a person last changed it, where the last change was a person's.
    pub fn modified_by_person(&self) -> Option<Timestamp> {
        self.last_modified
            .filter(|_| self.last_modified_by.is_some())
    }

    /// When its status was set, where Graph says so. The date from before a change
    /// by a person may be that of an earlier status.
    pub fn status_set(&self) -> Option<Timestamp> {
        let modified = self.modified_by_person();
        let is_outdated = |set: Timestamp| modified.is_some_and(|it| it > set.plus(SKEW));
        self.status_modified.filter(|set| !is_outdated(*set))
    }

    /// An active recommendation of which only the name is known.
    pub fn new(name: &str) -> Self {
        let name: Arc<str> = name.into();
        Self {
            id: name.to_ascii_lowercase().into(),
            id_as_sent: Arc::clone(&name),
            kind: None,
            title: Arc::clone(&name),
            name,
            category: RecommendationCategory::Unknown,
            status: RecommendationStatus::Active,
            priority: RecommendationPriority::Unknown,
            impact_type: Arc::default(),
            license: Arc::default(),
            score: None,
            max_score: None,
            status_modified: None,
            last_modified: None,
            last_modified_by: None,
            postponed_until: None,
            impacted_resources: None,
        }
    }
}

/// The most recommendations that incomplete answers add up to. Entra has some
/// dozens.
const MAX_MERGED: usize = 5_000;

/// A tenant's recommendations (Graph beta: `directory/recommendations`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RecommendationList {
    /// The tenant's GUID, from the ids of the recommendations; missing in an
    /// empty list.
    #[serde(rename = "id")]
    pub entra_tenant_id: Option<Arc<str>>,
    /// The recommendations, each name once.
    pub entries: Vec<Arc<RecommendationEntry>>,
    /// Values of the answer that could not be used.
    #[serde(rename = "odd")]
    pub anomalies: Anomalies,
}

impl RecommendationList {
    /// Names each recommendation by its type; those that share one, or have none,
    /// by the end of their ids. The order of the list does not matter.
    pub fn assign_names(&mut self) {
        let mut entries: Vec<&mut Arc<RecommendationEntry>> = self.entries.iter_mut().collect();
        entries.sort_by(|a, b| a.id.cmp(&b.id));
        let mut uses: HashMap<String, usize> = HashMap::new();
        for entry in &entries {
            *uses.entry(lower(first_name(entry))).or_default() += 1;
        }
        let mut taken = HashSet::new();
        for entry in entries {
            let first = Arc::clone(first_name(entry));
            let id = Arc::clone(&entry.id_as_sent);
            let is_shared = uses.get(&lower(&first)).is_some_and(|it| *it > 1);
            // Every id is distinct, but may be the type of another one.
            let numbered = (2..).map(|number| format!("{id} ({number})").into());
            let own = [first, Arc::clone(&id)].into_iter();
            let mut names = own.skip(usize::from(is_shared)).chain(numbered);
            let name = names.find(|name: &Arc<str>| taken.insert(lower(name)));
            if let Some(name) = name.filter(|name| *name != entry.name) {
                Arc::make_mut(entry).name = name;
            }
        }
    }

    /// The list with the recommendations that an incomplete answer shows as set
    /// aside and this list does not, if there are any.
    ///
    /// A status that sets one aside was set wherever it is shown. Everything else
    /// in an incomplete answer may be out of date.
    pub fn with_set_aside_of(&self, partial: &Self) -> Option<Self> {
        let is_set_aside = |it: &RecommendationEntry| it.status.sets_aside().unwrap_or_default();
        let mut merged = self.clone();
        for entry in partial.entries.iter().filter(|it| is_set_aside(it)) {
            let has_room = merged.entries.len() < MAX_MERGED;
            let known = merged.entries.iter_mut().find(|it| it.id == entry.id);
            match known {
                Some(known) if !is_set_aside(known) && !is_older(entry, known) => {
                    *known = Arc::clone(entry);
                }
                Some(_) => {}
                None if has_room => {
                    merged.entries.push(Arc::clone(entry));
                }
                None => {}
            }
        }
        if merged.entries == self.entries {
            return None;
        }
        merged.assign_names();
        Some(merged)
    }
}

/// The name that a recommendation has unless another one has it too.
fn first_name(entry: &RecommendationEntry) -> &Arc<str> {
    entry.kind.as_ref().unwrap_or(&entry.id_as_sent)
}

fn lower(name: &str) -> String {
    name.to_ascii_lowercase()
}

fn is_older(entry: &RecommendationEntry, known: &RecommendationEntry) -> bool {
    let both = entry.last_modified.zip(known.last_modified);
    both.is_some_and(|(entry, known)| entry < known)
}

/// The Identity Secure Score of one day (Graph beta: `tenantSecureScores`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct IdentityScore {
    /// The day for which it was computed.
    pub as_of: Option<Timestamp>,
    /// Points the tenant has.
    pub score: Option<Points>,
    /// Points the tenant could have.
    #[serde(rename = "max")]
    pub max_score: Option<Points>,
    /// Values of the answer that could not be used.
    #[serde(rename = "odd")]
    pub anomalies: Anomalies,
}

#[cfg(test)]
mod tests {
    use super::*;
    use RecommendationStatus::{Active, Dismissed, Planned, RiskAccepted, Unknown};

    fn list(entries: &[(&str, RecommendationStatus, i64)]) -> RecommendationList {
        let entry = |(name, status, at): &(&str, RecommendationStatus, i64)| {
            Arc::new(RecommendationEntry {
                status: *status,
                last_modified: Some(Timestamp::from_seconds(*at)),
                ..RecommendationEntry::new(name)
            })
        };
        RecommendationList {
            entries: entries.iter().map(entry).collect(),
            ..RecommendationList::default()
        }
    }

    #[test]
    fn only_what_is_set_aside_is_taken_from_an_incomplete_list() {
        let known = list(&[("A", Active, 5), ("B", Dismissed, 5)]);
        let with = |partial: &[(&str, RecommendationStatus, i64)]| {
            let merged = known.with_set_aside_of(&list(partial))?;
            let entries = merged.entries.iter();
            Some(
                entries
                    .map(|it| (it.name.to_string(), it.status))
                    .collect::<Vec<_>>(),
            )
        };
        let b = ("B".to_owned(), Dismissed);
        let accepted = ("A".to_owned(), RiskAccepted);
        assert_eq!(
            with(&[("A", RiskAccepted, 6)]),
            Some(vec![accepted, b.clone()])
        );
        assert_eq!(with(&[("A", RiskAccepted, 4)]), None, "it is older");
        assert_eq!(with(&[("B", Active, 6)]), None);
        assert_eq!(with(&[("A", Planned, 6)]), None);
        assert_eq!(with(&[("A", Unknown, 6)]), None);
        let new = ("C".to_owned(), Dismissed);
        let open = ("A".to_owned(), Active);
        assert_eq!(with(&[("C", Dismissed, 1)]), Some(vec![open, b, new]));
    }

    fn typed(kind: Option<&str>, id: &str) -> RecommendationEntry {
        RecommendationEntry {
            kind: kind.map(Arc::from),
            ..RecommendationEntry::new(id)
        }
    }

    fn named(entries: Vec<RecommendationEntry>) -> Vec<String> {
        let mut list = RecommendationList {
            entries: entries.into_iter().map(Arc::new).collect(),
            ..RecommendationList::default()
        };
        list.assign_names();
        list.entries.iter().map(|it| it.name.to_string()).collect()
    }

    #[test]
    fn names_are_distinct_in_any_order() {
        let two = || vec![typed(Some("T"), "A"), typed(Some("t"), "B")];
        assert_eq!(named(two()), ["A", "B"]);
        assert_eq!(named(two().into_iter().rev().collect()), ["B", "A"]);
        assert_eq!(named(vec![typed(Some("T"), "A")]), ["T"]);
        let odd = vec![
            typed(Some("d"), "c"),
            typed(Some("T"), "d"),
            typed(Some("T"), "e"),
            typed(None, "d (2)"),
        ];
        assert_eq!(named(odd), ["d", "d (2)", "e", "d (2) (2)"]);
    }

    #[test]
    fn names_stay_distinct_where_an_incomplete_list_adds_one() {
        let list = |entry: RecommendationEntry| {
            let mut list = RecommendationList {
                entries: vec![Arc::new(entry)],
                ..RecommendationList::default()
            };
            list.assign_names();
            list
        };
        let known = list(typed(Some("T"), "A"));
        let partial = list(RecommendationEntry {
            status: Dismissed,
            ..typed(Some("T"), "B")
        });
        let merged = known.with_set_aside_of(&partial).unwrap();
        let names: Vec<&str> = merged.entries.iter().map(|it| &*it.name).collect();
        assert_eq!(names, ["A", "B"]);
    }

    #[test]
    fn an_unknown_status_says_nothing() {
        assert_eq!(Unknown.sets_aside(), None);
        assert_eq!(Unknown.accepts_risk(), None);
        assert_eq!(Dismissed.sets_aside(), Some(true));
        assert_eq!(Dismissed.accepts_risk(), Some(false));
        assert_eq!(Planned.sets_aside(), Some(false));
    }
}
