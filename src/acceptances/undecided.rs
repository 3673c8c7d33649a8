//! What waits for a decision, grouped by what the tenants share.

use super::{Acceptance, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// What the rows of a group share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// One control or recommendation, on many tenants.
    Control,
    /// One person, on many tenants.
    Person,
    /// The tenant too.
    Tenant,
}

/// Acceptances or claims that one decision can settle.
#[derive(Debug, Clone)]
pub struct UndecidedGroup<'a> {
    /// The rows, the newest first; at least one.
    pub rows: Vec<&'a Acceptance<'a>>,
    /// What they share.
    pub shared: Shared,
}

impl<'a> UndecidedGroup<'a> {
    /// Groups rows where one control or one person stands behind several tenants,
    /// the newest group first.
    ///
    /// Rows are grouped `by_person` only for a client that sees persons: the
    /// groups alone show who is the same.
    pub fn all(rows: &[&'a Acceptance<'a>], by_person: bool) -> Vec<Self> {
        let mut by_name: BTreeMap<(Kind, &str), Vec<&'a Acceptance<'a>>> = BTreeMap::new();
        for row in rows.iter().copied() {
            by_name
                .entry((row.kind, row.control))
                .or_default()
                .push(row);
        }
        // One control has one name in all tenants, apart from its case.
        let mut by_control: BTreeMap<(Kind, String), Vec<&'a Acceptance<'a>>> = BTreeMap::new();
        for ((kind, name), rows) in by_name {
            let same = by_control.entry((kind, name.to_ascii_lowercase()));
            same.or_default().extend(rows);
        }
        let (mut groups, alone): (Vec<_>, Vec<_>) = by_control
            .into_values()
            .map(|rows| Self::new(rows, Shared::Control))
            .partition(Self::has_several_tenants);
        match by_person {
            true => groups.extend(Self::of_persons(alone)),
            false => groups.extend(alone.into_iter().map(Self::of_tenant)),
        }
        groups.sort_by_key(|group| std::cmp::Reverse(group.rows.first().map(|it| it.accepted.at)));
        groups
    }

    /// Merges groups of one tenant each where one person made them in several.
    fn of_persons(alone: Vec<Self>) -> Vec<Self> {
        let mut by_person: BTreeMap<String, Vec<Self>> = BTreeMap::new();
        let mut groups = Vec::new();
        for group in alone {
            match group.only_person() {
                Some(person) => by_person.entry(person).or_default().push(group),
                None => groups.push(group.of_tenant()),
            }
        }
        for same in by_person.into_values() {
            let rows = same.iter().flat_map(|group| group.rows.clone()).collect();
            let merged = Self::new(rows, Shared::Person);
            match merged.has_several_tenants() {
                false => groups.extend(same.into_iter().map(Self::of_tenant)),
                true => groups.push(merged),
            }
        }
        groups
    }

    fn new(mut rows: Vec<&'a Acceptance<'a>>, shared: Shared) -> Self {
        rows.sort_by_key(|row| std::cmp::Reverse(row.accepted.at));
        Self { rows, shared }
    }

    fn of_tenant(self) -> Self {
        Self {
            shared: Shared::Tenant,
            ..self
        }
    }

    fn has_several_tenants(&self) -> bool {
        let mut aliases = self.rows.iter().map(|row| &*row.tenant.identity.alias);
        let first = aliases.next();
        aliases.any(|alias| Some(alias) != first)
    }

    /// The aliases of its tenants, that of the newest row first.
    pub fn tenants(&self) -> Vec<&'a str> {
        distinct(self.rows.iter().map(|row| &*row.tenant.identity.alias))
    }

    /// The person behind all rows, in lower case.
    fn only_person(&self) -> Option<String> {
        let mut persons = self.rows.iter().map(|row| row.accepted.by);
        let first = persons.next()??.to_lowercase();
        let is_same = |by: Option<&str>| by.is_some_and(|by| by.to_lowercase() == first);
        persons.all(is_same).then_some(first)
    }
}

/// Each value once, where it is first.
pub fn distinct<'a>(values: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    values.filter(|value| seen.insert(*value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acceptances::{Filter, Kinds, acceptances};
    use crate::store::{TenantState, Tenants};
    use secure_score_model::{
        CatalogueEntry, Control, ControlState, History, StateUpdate, TenantIdentity,
        TenantSnapshot, Timestamp,
    };
    use std::sync::Arc;

    /// Tenant, control, state, person and time.
    type Row = (&'static str, &'static str, ControlState, &'static str, i64);

    fn tenants(rows: &[Row]) -> Tenants {
        let mut by_tenant: BTreeMap<&str, Vec<Control>> = BTreeMap::new();
        for (tenant, id, state, by, at) in rows {
            let update = StateUpdate {
                at: Some(Timestamp::from_seconds(*at)),
                by: Some((*by).into()),
                ..StateUpdate::new(*state)
            };
            let entry = CatalogueEntry {
                history: History::from_updates(vec![update]),
                ..CatalogueEntry::new(id)
            };
            by_tenant
                .entry(tenant)
                .or_default()
                .push(Control::listed(entry));
        }
        let states = by_tenant.into_iter().map(|(alias, controls)| {
            Arc::new(TenantState {
                snapshot: Arc::new(TenantSnapshot {
                    controls,
                    ..TenantSnapshot::default()
                }),
                ..TenantState::new(TenantIdentity::new(alias))
            })
        });
        Tenants {
            generation: 0,
            states: states.collect(),
        }
    }

    fn grouped(rows: &[Row], by_person: bool) -> Vec<String> {
        let tenants = tenants(rows);
        let filter = Filter {
            kinds: Kinds::All,
            ..Filter::default()
        };
        let found = acceptances(&tenants, &filter, Timestamp::from_seconds(100));
        let found: Vec<_> = found.iter().collect();
        let groups = UndecidedGroup::all(&found, by_person);
        let words = groups.iter().map(|group| {
            let controls = distinct(group.rows.iter().map(|it| it.control));
            let (controls, tenants) = (controls.join(" "), group.tenants().join(" "));
            format!("{:?}: {controls}: {tenants}", group.shared)
        });
        words.collect()
    }

    #[test]
    fn one_control_or_one_person_behind_many_tenants_is_one_group() {
        use ControlState::{RiskAccepted, ThirdParty};
        let rows = [
            ("a", "MFA", RiskAccepted, "eve", 1),
            ("b", "MFA", RiskAccepted, "ann", 5),
            ("c", "MFA", ThirdParty, "bob", 4),
            ("a", "Legacy", RiskAccepted, "eve", 2),
            ("d", "Risk", RiskAccepted, "Eve", 9),
            ("d", "Other", RiskAccepted, "sam", 7),
            ("d", "Again", RiskAccepted, "sam", 8),
        ];
        assert_eq!(
            grouped(&rows, true),
            [
                "Person: Risk Legacy: d a",
                "Tenant: Again: d",
                "Tenant: Other: d",
                "Control: MFA: b a",
                "Tenant: MFA: c",
            ]
        );
        assert_eq!(
            grouped(&rows, false),
            [
                "Tenant: Risk: d",
                "Tenant: Again: d",
                "Tenant: Other: d",
                "Control: MFA: b a",
                "Tenant: MFA: c",
                "Tenant: Legacy: a",
            ]
        );
    }
}
