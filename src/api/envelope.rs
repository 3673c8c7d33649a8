//! The documents around a list of records.

use crate::acceptances::record::{AcceptanceRecord, TenantRecord};
use crate::acceptances::{Acceptance, DecisionList, Filter, ListedPersons};
use crate::http_types::PersonDetail;
use crate::serde_time::Rfc3339;
use crate::store::{TenantState, Tenants};
use secure_score_model::Timestamp;
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;
use std::sync::Arc;
use strict_yaml::suggest::nearest;

/// The result of a request for acceptances.
pub(super) struct AcceptanceList<'a> {
    pub(super) found: Vec<Acceptance<'a>>,
    /// Selected tenants without a catalogue: an empty list would look like good
    /// news.
    pub(super) unknown: Vec<&'a str>,
    /// Selected tenants whose recommendations are read, but not known now.
    pub(super) recommendations_unknown: Vec<&'a str>,
    pub(super) hint: Option<String>,
    pub(super) persons: &'a PersonDetail,
    pub(super) now: Timestamp,
}

impl AcceptanceList<'_> {
    /// Made one by one: fifty thousand at once would take much memory.
    pub(super) fn records(&self) -> impl Iterator<Item = AcceptanceRecord<'_>> {
        let persons = self.persons.persons();
        let found = self.found.iter();
        found.map(move |it| AcceptanceRecord::new(it, persons, self.now))
    }

    /// The document of `/api/v1/acceptances`.
    pub(super) fn document(&self) -> impl Serialize {
        AcceptanceDocument {
            generated_at: Rfc3339(self.now),
            persons: self.persons_shown(),
            persons_hint: persons_hint(self.persons),
            catalogues_unknown: &self.unknown,
            hint: self.hint.as_deref(),
            acceptances: LazyList(|| self.records()),
            recommendations_unknown: &self.recommendations_unknown,
        }
    }

    /// How much of persons is shown, as a closed set of words.
    pub(super) fn persons_shown(&self) -> &'static str {
        self.persons.persons().as_str()
    }
}

/// Why something of persons is hidden. The backticks are markup for pages.
fn persons_hint(persons: &PersonDetail) -> Option<String> {
    persons.hint().map(|hint| hint.replace('`', ""))
}

/// The document of `/api/v1/decisions`.
pub(super) fn decisions(
    tenants: &[Arc<TenantState>],
    persons: &PersonDetail,
    now: Timestamp,
) -> impl Serialize + use<> {
    let hint = persons_hint(persons);
    let persons = ListedPersons {
        persons: persons.persons(),
        hint: hint.as_deref(),
    };
    DecisionList::of_tenants(tenants, persons, now)
}

#[derive(Serialize)]
struct AcceptanceDocument<'a, R> {
    generated_at: Rfc3339,
    persons: &'static str,
    persons_hint: Option<String>,
    catalogues_unknown: &'a [&'a str],
    hint: Option<&'a str>,
    acceptances: R,
    recommendations_unknown: &'a [&'a str],
}

#[derive(Serialize)]
struct TenantDocument<R> {
    generated_at: Rfc3339,
    tenants: R,
}

/// The document of `/api/v1/tenants`.
pub(super) fn tenants(tenants: &Tenants, now: Timestamp) -> impl Serialize {
    TenantDocument {
        generated_at: Rfc3339(now),
        tenants: LazyList(move || tenant_records(tenants, now)),
    }
}

/// The tenants, made one by one.
pub(super) fn tenant_records(
    tenants: &Tenants,
    now: Timestamp,
) -> impl Iterator<Item = TenantRecord<'_>> {
    let states = tenants.states.iter();
    states.map(move |state| TenantRecord::new(state, now))
}

/// A list whose elements are made while it is serialized.
struct LazyList<F>(F);

impl<F, I> Serialize for LazyList<F>
where
    F: Fn() -> I,
    I: Iterator<Item: Serialize>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// The tenants without a catalogue.
pub(super) fn unknown_catalogues(tenants: &[Arc<TenantState>]) -> Vec<&str> {
    let unknown = tenants.iter().filter(|state| state.lacks_catalogue());
    unknown.map(|state| &*state.identity.alias).collect()
}

/// The tenants whose recommendations are read, but not known now. A tenant that
/// does not grant the permission is not one of them.
pub(super) fn unknown_recommendations(tenants: &[Arc<TenantState>]) -> Vec<&str> {
    let unknown = tenants.iter().filter(|it| it.lacks_recommendations());
    unknown.map(|state| &*state.identity.alias).collect()
}

/// A hint about a control or recommendation that none of the tenants has.
///
/// It is not an error: Microsoft adds and removes controls, and a request that
/// was valid yesterday must not fail today.
pub(super) fn unknown_control_hint(
    tenants: &[Arc<TenantState>],
    filter: &Filter,
) -> Option<String> {
    let wanted = filter.control.as_deref()?;
    let controls = tenants.iter().flat_map(|state| &state.snapshot.controls);
    let ids = controls.map(|control| &*control.id);
    let recommendations = tenants.iter().flat_map(|it| &it.snapshot.recommendations);
    let names = recommendations.map(|it| &*it.entry.name);
    let ids: BTreeSet<&str> = ids.chain(names).collect();
    if ids.iter().any(|id| id.eq_ignore_ascii_case(wanted)) {
        return None;
    }
    let did_you_mean = match nearest(wanted, ids) {
        Some(nearest) => format!("; did you mean {nearest:?}?"),
        None => String::new(),
    };
    Some(format!(
        "no selected catalogue has a control {wanted:?}{did_you_mean}"
    ))
}
