//! What stands around a list: when it was made, and what it cannot tell.

use crate::acceptances::record::{AcceptanceRecord, TenantRecord};
use crate::acceptances::{Acceptance, Filter};
use crate::http::{PersonDetail, Redaction};
use crate::serde_time::Rfc3339;
use crate::store::{TenantState, Tenants};
use secure_score_model::{Persons, Timestamp};
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;
use std::sync::Arc;
use strict_yaml::suggest::nearest;

/// The answer of `/api/v1/acceptances`.
pub(super) struct AcceptanceList<'a> {
    pub(super) found: Vec<Acceptance<'a>>,
    /// Tenants asked for whose catalogue is not known now: an empty list must
    /// not be mistaken for good news.
    pub(super) unknown: Vec<&'a str>,
    pub(super) hint: Option<String>,
    pub(super) persons: &'a PersonDetail,
    pub(super) now: Timestamp,
}

impl AcceptanceList<'_> {
    /// One after the other, since fifty thousand at once are a burden.
    pub(super) fn records(&self) -> impl Iterator<Item = AcceptanceRecord<'_>> {
        let persons = self.persons.persons();
        let found = self.found.iter();
        found.map(move |it| AcceptanceRecord::new(it, persons, self.now))
    }

    /// The word for how much of persons is shown.
    pub(super) fn persons_shown(&self) -> &'static str {
        match self.persons.persons() {
            Persons::Plain => "full",
            Persons::Pseudonyms(_) => "hash",
            Persons::Hidden => "hidden",
        }
    }
}

impl Serialize for AcceptanceList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("AcceptanceList", 6)?;
        document.serialize_field("generated_at", &Rfc3339(self.now))?;
        document.serialize_field("persons", self.persons_shown())?;
        document.serialize_field("persons_hint", &persons_hint(self.persons))?;
        document.serialize_field("catalogues_unknown", &self.unknown)?;
        document.serialize_field("hint", &self.hint)?;
        document.serialize_field("acceptances", &Listed(|| self.records()))?;
        document.end()
    }
}

/// The answer of `/api/v1/tenants`.
pub(super) struct TenantList<'a> {
    tenants: &'a Tenants,
    now: Timestamp,
}

impl<'a> TenantList<'a> {
    /// All tenants as of now.
    pub(super) const fn new(tenants: &'a Tenants, now: Timestamp) -> Self {
        Self { tenants, now }
    }
}

impl Serialize for TenantList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let records = || {
            let states = self.tenants.states.iter();
            states.map(|state| TenantRecord::new(state, self.now))
        };
        let mut document = serializer.serialize_struct("TenantList", 2)?;
        document.serialize_field("generated_at", &Rfc3339(self.now))?;
        document.serialize_field("tenants", &Listed(records))?;
        document.end()
    }
}

/// A list whose elements are made while it is written.
struct Listed<F>(F);

impl<F, I> Serialize for Listed<F>
where
    F: Fn() -> I,
    I: Iterator<Item: Serialize>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// Why there are no names, and how to have them.
const fn persons_hint(persons: &PersonDetail) -> Option<&'static str> {
    match persons {
        PersonDetail::Shown(Persons::Plain) => None,
        PersonDetail::Shown(_) => Some(
            "persons are shown under pseudonyms, the same in every tenant, and comments are hidden; set privacy.events: full to see both",
        ),
        PersonDetail::Redacted(Redaction::Unprotected) => Some(
            "persons and comments are hidden because anybody on the network can read this; ask who reads, by --web.config.file, or let --web.listen-address name a loopback address only, to see them there",
        ),
        PersonDetail::Redacted(Redaction::Published) => Some(
            "persons and comments are hidden because --web.external-url says that others reach this by another address; ask who reads, by --web.config.file, to see them",
        ),
        PersonDetail::Redacted(Redaction::Forwarded) => Some(
            "persons and comments are hidden because this request came through a proxy or under a name that is not this machine's; ask on the machine itself, as localhost, to see them",
        ),
        PersonDetail::Redacted(Redaction::Configured) => Some(
            "persons and comments are hidden by the configuration; set privacy.events: full to see them",
        ),
    }
}

/// The tenants whose catalogue is not known now.
pub(super) fn unread(asked: &[Arc<TenantState>]) -> Vec<&str> {
    let unread = asked
        .iter()
        .filter(|state| state.snapshot.catalogue_anomalies.is_none());
    unread.map(|state| &*state.identity.alias).collect()
}

/// A word about a control that no tenant asked for has.
///
/// It is no error: Microsoft adds and removes controls, and a question that
/// was right yesterday must not break today.
pub(super) fn hint(asked: &[Arc<TenantState>], filter: &Filter) -> Option<String> {
    let wanted = filter.control.as_deref()?;
    let controls = asked.iter().flat_map(|state| &state.snapshot.controls);
    let ids: BTreeSet<&str> = controls.map(|control| &*control.id).collect();
    if ids.iter().any(|id| id.eq_ignore_ascii_case(wanted)) {
        return None;
    }
    let did_you_mean = match nearest(wanted, ids) {
        Some(nearest) => format!("; did you mean {nearest:?}?"),
        None => String::new(),
    };
    Some(format!(
        "no control {wanted:?} is known in the catalogues asked for{did_you_mean}"
    ))
}
