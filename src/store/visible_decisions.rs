//! The decisions of the configuration as a client of some tenants sees them.

use super::TenantState;
use secure_score_model::{Decision, DecisionPlace, DecisionSource, TenantSnapshot};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The decisions of some tenants, as they would be written in a configuration
/// with only these tenants and without files of decisions: they name no other tenant,
/// and the index in their place counts no decision of others.
pub(super) struct VisibleDecisions(BTreeMap<DecisionPlace, Arc<Decision>>);

impl VisibleDecisions {
    /// The decisions that apply to these tenants.
    pub(super) fn of(states: &[Arc<TenantState>]) -> Self {
        let aliases = states.iter().map(|state| &*state.identity.alias);
        let aliases: BTreeSet<&str> = aliases.collect();
        let applied = states.iter().flat_map(|state| &state.snapshot.decisions);
        let places: BTreeMap<&DecisionPlace, &Arc<Decision>> =
            applied.map(|it| (&it.place, it)).collect();
        let mut changed = BTreeMap::new();
        let mut counted: BTreeMap<DecisionSource, usize> = BTreeMap::new();
        for (place, decision) in places {
            let list = shown_list(&place.list);
            let index = counted.entry(list.clone()).or_default();
            let visible = visible(decision, list.at(*index), &aliases);
            *index += 1;
            if visible != **decision {
                changed.insert(place.clone(), Arc::new(visible));
            }
        }
        Self(changed)
    }

    /// Replaces the decisions of a tenant.
    pub(super) fn apply(&self, state: &mut Arc<TenantState>) {
        let mut applied = state.snapshot.decisions.iter();
        if applied.any(|it| self.0.contains_key(&it.place)) {
            let state = Arc::make_mut(state);
            self.replace(Arc::make_mut(&mut state.snapshot));
        }
    }

    fn replace(&self, snapshot: &mut TenantSnapshot) {
        let controls = snapshot.controls.iter_mut().map(|it| &mut it.decisions);
        let recommendations = snapshot.recommendations.iter_mut();
        let recommendations = recommendations.map(|it| &mut it.decisions);
        let lists = controls.chain(recommendations);
        let decisions = lists.flatten().chain(&mut snapshot.decisions);
        for decision in decisions {
            if let Some(visible) = self.0.get(&decision.place) {
                *decision = Arc::clone(visible);
            }
        }
    }
}

/// The decision without the tenants that are not among `aliases`. One that names
/// none is for all tenants, and stays so.
fn visible(decision: &Decision, place: DecisionPlace, aliases: &BTreeSet<&str>) -> Decision {
    let tenants = decision.tenants.iter();
    let tenants = tenants.filter(|it| aliases.contains(&***it));
    Decision {
        place,
        tenants: tenants.cloned().collect(),
        ..decision.clone()
    }
}

/// The list in which a client with some tenants sees a decision. The file in which one
/// is written may be named after a customer.
const fn shown_list(list: &DecisionSource) -> DecisionSource {
    match list {
        DecisionSource::Exceptions => DecisionSource::Exceptions,
        DecisionSource::Decisions | DecisionSource::File(_) => DecisionSource::Decisions,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_model::{Category, Control, TenantIdentity, Timestamp};

    fn decision(number: usize, tenants: &[&str]) -> Arc<Decision> {
        decision_at(DecisionSource::Exceptions.at(number), tenants)
    }

    fn decision_at(place: DecisionPlace, tenants: &[&str]) -> Arc<Decision> {
        Arc::new(Decision {
            place,
            tenants: tenants.iter().map(|it| Arc::from(*it)).collect(),
            ..Decision::new("A", "SEC-1", Timestamp::from_seconds(0))
        })
    }

    fn state(alias: &str, decisions: &[Arc<Decision>]) -> Arc<TenantState> {
        let mut control = Control::new("A", Category::Identity);
        control.decisions = decisions.to_vec();
        Arc::new(TenantState {
            snapshot: Arc::new(TenantSnapshot {
                controls: vec![control],
                decisions: decisions.to_vec(),
                ..TenantSnapshot::default()
            }),
            ..TenantState::new(TenantIdentity::new(alias))
        })
    }

    fn seen(states: &[Arc<TenantState>]) -> Vec<Vec<String>> {
        let visible = VisibleDecisions::of(states);
        let seen = states.iter().map(|state| {
            let mut state = Arc::clone(state);
            visible.apply(&mut state);
            let snapshot = &state.snapshot;
            assert_eq!(snapshot.controls[0].decisions, snapshot.decisions);
            let decisions = snapshot.decisions.iter();
            let written = decisions.map(|it| format!("{} {:?}", it.place, it.tenants));
            written.collect()
        });
        seen.collect()
    }

    #[test]
    fn a_decision_names_no_tenant_that_is_not_visible() {
        let shared = decision(3, &["fabrikam", "contoso"]);
        let general = decision(12, &[]);
        let contoso = state("contoso", &[Arc::clone(&shared), Arc::clone(&general)]);
        let fabrikam = state("fabrikam", &[decision(1, &["fabrikam"]), shared, general]);
        assert_eq!(
            seen(&[Arc::clone(&contoso)]),
            [[
                "risk_accepted.exceptions[0] [\"contoso\"]",
                "risk_accepted.exceptions[1] []"
            ]]
        );
        let both = seen(&[contoso, fabrikam]);
        assert_eq!(
            both[1],
            [
                "risk_accepted.exceptions[0] [\"fabrikam\"]",
                "risk_accepted.exceptions[1] [\"fabrikam\", \"contoso\"]",
                "risk_accepted.exceptions[2] []"
            ]
        );
    }

    #[test]
    fn no_file_of_decisions_is_named() {
        let file = |name: &str| DecisionSource::File(name.into());
        let state = state(
            "contoso",
            &[
                decision_at(DecisionSource::Decisions.at(4), &["contoso"]),
                decision_at(file("decisions.d/a.yml").at(10), &["contoso"]),
                decision_at(file("decisions.d/a.yml").at(9), &[]),
                decision_at(
                    file("decisions.d/fabrikam-and-friends.yml").at(0),
                    &["contoso", "fabrikam"],
                ),
                decision(2, &["contoso"]),
            ],
        );
        assert_eq!(
            seen(&[state]),
            [[
                "decisions[0] [\"contoso\"]",
                "decisions[2] [\"contoso\"]",
                "decisions[1] []",
                "decisions[3] [\"contoso\"]",
                "risk_accepted.exceptions[0] [\"contoso\"]",
            ]]
        );
    }

    #[test]
    fn what_needs_no_change_is_not_copied() {
        let states = [state("contoso", &[decision(0, &["contoso"])])];
        let mut same = Arc::clone(&states[0]);
        VisibleDecisions::of(&states).apply(&mut same);
        assert!(Arc::ptr_eq(&same, &states[0]));
    }
}
