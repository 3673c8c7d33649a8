//! The decisions with what each covers now, as a document for other programs.
//!
//! The API writes it, and the command `decisions` writes and reads it. Names of fields
//! must not change; `docs/reference/api.md` documents them.

use super::covered::{Coverage, Covered};
use crate::serde_time::{Day, Rfc3339};
use crate::store::TenantState;
use secure_score_model::{Decision, DecisionState, Persons, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Decisions, those that expire first at the top.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionList {
    /// When the document was made.
    pub generated_at: String,
    /// How much of persons is shown: `full`, `hash` or `hidden`.
    pub persons: String,
    /// Why something of persons is hidden, and how to see it.
    pub persons_hint: Option<String>,
    /// The tenants whose catalogue is not known now.
    pub catalogues_unknown: Vec<String>,
    /// The tenants whose recommendations are not known now, where a decision needs them.
    pub recommendations_unknown: Vec<String>,
    /// The decisions.
    pub decisions: Vec<DecisionRecord>,
}

/// A decision with what it covers now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// Where the configuration has it.
    pub place: String,
    /// The control's id or a pattern.
    pub control: Option<String>,
    /// The recommendation's name or a pattern.
    pub recommendation: Option<String>,
    /// The aliases of its tenants; empty for all.
    pub tenants: Vec<String>,
    /// What it approves.
    pub states: Vec<DecisionState>,
    /// Where it is recorded.
    pub reference: String,
    /// Who approved it.
    pub approver: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The day that binds it to one declaration.
    pub approved_on: Option<String>,
    /// The person that binds it.
    pub accepted_by: Option<String>,
    /// The address of the proof.
    pub evidence: Option<String>,
    /// The last day.
    pub expires: String,
    /// Whether it has expired.
    pub expired: bool,
    /// Whether it has expired while what it approved stands, and nothing else approves
    /// that.
    pub lapsed: bool,
    /// What it covers now, also once it has expired.
    pub covers: Vec<CoveredRecord>,
}

/// A declaration in force that a decision covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoveredRecord {
    /// The tenant's alias.
    pub tenant: String,
    /// The control's id or the recommendation's name.
    pub name: String,
    /// `secure_score` or `entra`.
    #[serde(rename = "where")]
    pub place: String,
    /// The state.
    pub state: DecisionState,
    /// Whether an unexpired decision covers it, this or another one.
    pub approved: bool,
}

/// How persons appear in a list.
#[derive(Debug, Clone, Copy)]
pub struct ListedPersons<'a> {
    /// Their names.
    pub persons: &'a Persons,
    /// Why something is hidden, and how to see it.
    pub hint: Option<&'a str>,
}

impl DecisionList {
    /// These decisions, with what they cover on these tenants.
    pub fn new<'a>(
        decisions: impl IntoIterator<Item = &'a Arc<Decision>>,
        tenants: &[Arc<TenantState>],
        ListedPersons { persons, hint }: ListedPersons<'_>,
        now: Timestamp,
    ) -> Self {
        let mut decisions: Vec<&Arc<Decision>> = decisions.into_iter().collect();
        decisions
            .sort_by(|one, other| (one.expires, &one.place).cmp(&(other.expires, &other.place)));
        decisions.dedup();
        let needs_entra = |alias: &str| {
            let mut own = decisions.iter().filter(|it| it.concerns(alias));
            own.any(|it| it.control.is_none())
        };
        let aliases = |is_unknown: &dyn Fn(&TenantState) -> bool| {
            let unknown = tenants.iter().filter(|it| is_unknown(it));
            unknown.map(|it| it.identity.alias.to_string()).collect()
        };
        let coverage = Coverage::of(tenants, now);
        let records = decisions.iter().map(|decision| {
            let covers: Vec<Covered<'_>> = coverage.by(decision).collect();
            DecisionRecord::new(decision, &covers, persons, now)
        });
        Self {
            generated_at: Rfc3339(now).to_string(),
            persons: persons.as_str().to_owned(),
            persons_hint: hint.map(str::to_owned),
            catalogues_unknown: aliases(&TenantState::lacks_catalogue),
            recommendations_unknown: aliases(&|it| {
                it.snapshot.recommendation_anomalies.is_none() && needs_entra(&it.identity.alias)
            }),
            decisions: records.collect(),
        }
    }

    /// The decisions that apply to these tenants, with what they cover there.
    pub fn of_tenants(
        tenants: &[Arc<TenantState>],
        persons: ListedPersons<'_>,
        now: Timestamp,
    ) -> Self {
        let applied = tenants.iter().flat_map(|it| &it.snapshot.decisions);
        Self::new(applied, tenants, persons, now)
    }
}

impl DecisionRecord {
    fn new(it: &Decision, covers: &[Covered<'_>], persons: &Persons, now: Timestamp) -> Self {
        let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        let person = |text: &Option<Arc<str>>| Some(persons.name(text.as_deref())?.into_owned());
        let expired = it.is_expired(now);
        Self {
            place: it.place.to_string(),
            control: text(&it.control),
            recommendation: text(&it.recommendation),
            tenants: it.tenants.iter().map(ToString::to_string).collect(),
            states: it.states.clone(),
            reference: it.reference.to_string(),
            approver: person(&it.approver),
            reason: persons.comment(it.reason.as_deref()).map(str::to_owned),
            approved_on: it.approved_on.map(|it| Day::beginning(it).to_string()),
            accepted_by: person(&it.accepted_by),
            evidence: text(&it.evidence),
            expires: Day::ending(it.expires).to_string(),
            expired,
            lapsed: expired && covers.iter().any(|it| !it.is_approved),
            covers: covers.iter().map(CoveredRecord::new).collect(),
        }
    }

    /// The controls and recommendations that it names, for people.
    pub fn subject(&self) -> String {
        let both = [&self.control, &self.recommendation];
        let names: Vec<&str> = both.into_iter().flatten().map(String::as_str).collect();
        names.join(", ")
    }
}

impl CoveredRecord {
    fn new(it: &Covered<'_>) -> Self {
        Self {
            tenant: it.tenant.to_owned(),
            name: it.name.to_owned(),
            place: it.place.as_str().to_owned(),
            state: it.state,
            approved: it.is_approved,
        }
    }
}
