//! A decision about a control or a recommendation, valid until a day.

use crate::decision_place::{DecisionPlace, DecisionSource};
use crate::declaration::{DecisionState, Declaration};
use crate::{Timestamp, names_person};
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The approval of what people declared about a control, a recommendation of
/// Entra or both, as configured under `decisions` or `risk_accepted.exceptions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Where the configuration has it.
    pub place: DecisionPlace,
    /// The control's id or a pattern of ids, as written, where it covers one.
    pub control: Option<Arc<str>>,
    /// The name of a recommendation of Entra or a pattern of names, likewise.
    pub recommendation: Option<Arc<str>>,
    /// The aliases of the tenants to which it applies; empty for all.
    pub tenants: Vec<Arc<str>>,
    /// The states that it approves.
    pub states: Vec<DecisionState>,
    /// Where the decision is recorded, such as a ticket.
    pub reference: Arc<str>,
    /// Who approved it.
    pub approver: Option<Arc<str>>,
    /// Why it was approved.
    pub reason: Option<Arc<str>>,
    /// The beginning of the day on which it was approved; binds the decision
    /// to one declaration.
    pub approved_on: Option<Timestamp>,
    /// The person whose declarations it covers; any person where missing.
    pub accepted_by: Option<Arc<str>>,
    /// The address of its proof.
    pub evidence: Option<Arc<str>>,
    /// Whether its approver must be another person than the one who declared.
    pub needs_separate_approver: bool,
    /// When it ends: the end of its last day.
    pub expires: Timestamp,
}

impl Decision {
    /// The controls and recommendations that it names, for people.
    pub fn subject(&self) -> String {
        let both = [&self.control, &self.recommendation];
        let names: Vec<&str> = both.into_iter().flatten().map(AsRef::as_ref).collect();
        names.join(", ")
    }

    /// An approval of accepting the risk of a control of all tenants that is bound
    /// to no person and no day.
    pub fn new(control: &str, reference: &str, expires: Timestamp) -> Self {
        Self {
            place: DecisionSource::Decisions.at(0),
            control: Some(control.into()),
            recommendation: None,
            tenants: Vec::new(),
            states: DecisionState::ACCEPTANCES.to_vec(),
            reference: reference.into(),
            approver: None,
            reason: None,
            approved_on: None,
            accepted_by: None,
            evidence: None,
            needs_separate_approver: false,
            expires,
        }
    }

    /// Whether it is an entry of `risk_accepted.exceptions`.
    pub fn is_exception(&self) -> bool {
        self.place.list == DecisionSource::Exceptions
    }

    /// Whether it applies to the tenant of this alias.
    pub fn concerns(&self, alias: &str) -> bool {
        self.tenants.is_empty() || self.tenants.iter().any(|it| **it == *alias)
    }

    /// Whether it has ended.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires
    }

    /// Whether it covers the newest acceptance.
    ///
    /// What was never accepted is covered in advance. Expiry does not matter
    /// here: an expired approval differs from a missing one.
    pub fn covers_acceptance(&self, declarations: &[Declaration<'_>]) -> bool {
        if self.lacks_approver() || !self.states.iter().any(|state| state.is_acceptance()) {
            return false;
        }
        let newest = declarations.iter().rposition(Declaration::is_acceptance);
        newest.is_none_or(|newest| self.covers(newest, declarations))
    }

    /// Whether it covers one of these declarations, by its index.
    pub fn covers(&self, index: usize, declarations: &[Declaration<'_>]) -> bool {
        let Some(declaration) = declarations.get(index) else {
            return false;
        };
        let is_refused = self.needs_separate_approver && self.is_self_approval_of(declaration);
        !is_refused && !self.lacks_approver() && self.names(index, declarations)
    }

    /// Whether it needs an approver and names none.
    fn lacks_approver(&self) -> bool {
        self.needs_separate_approver && self.approver.is_none()
    }

    /// Whether it covers one of these declarations, also where its approver is the
    /// person who declared it.
    pub(crate) fn names(&self, index: usize, declarations: &[Declaration<'_>]) -> bool {
        self.covered(declarations).contains(&index)
    }

    /// Whether its approver is the person who declared.
    pub fn is_self_approval_of(&self, declaration: &Declaration<'_>) -> bool {
        let both = self.approver.as_deref().zip(declaration.by);
        both.is_some_and(|(approver, by)| names_person(approver, by))
    }

    /// The indices of the declarations that it covers: those of its states and its
    /// person, and with a day, the one in force on that day, else the first after
    /// it.
    ///
    /// An approval often precedes the acceptance. It applies to the first one
    /// only, so that one approval does not cover all later acceptances.
    fn covered(&self, declarations: &[Declaration<'_>]) -> Vec<usize> {
        let is_of_its_person = |it: &Declaration<'_>| match &self.accepted_by {
            Some(person) => it.by.is_some_and(|by| is_same(by, person)),
            None => true,
        };
        let all = declarations.iter().enumerate();
        let named: Vec<_> = all
            .filter(|(_, it)| self.states.contains(&it.state) && is_of_its_person(it))
            .collect();
        let indices = |named: &[(usize, &Declaration<'_>)]| -> Vec<usize> {
            named.iter().map(|(index, _)| *index).collect()
        };
        let Some(day) = self.approved_on else {
            return indices(&named);
        };
        // One without a date counts as later: it is no proof of an earlier one.
        let began_by_then = |it: &Declaration<'_>| it.at.is_some_and(|at| at < day.plus(DAY));
        let lasted_until_then = |it: &Declaration<'_>| it.ended_at.is_none_or(|at| at >= day);
        let mut all = named.iter().copied();
        let later = all.clone().find(|(_, it)| !began_by_then(it));
        let earlier = all.rfind(|(_, it)| began_by_then(it));
        let bound = earlier.filter(|(_, it)| lasted_until_then(it)).or(later);
        bound.map(|(index, _)| index).into_iter().collect()
    }
}

/// Whether a person that binds a decision is the one in Graph.
fn is_same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// What the configuration says about an acceptance or a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval<'a> {
    /// A decision covers it.
    Approved(&'a Decision),
    /// The decision that covered it has expired.
    Expired(&'a Decision),
    /// No decision covers it.
    Missing,
}

impl<'a> Approval<'a> {
    /// The approval by the decisions that cover an acceptance: the one that
    /// expires last decides.
    pub fn of(covering: impl Iterator<Item = &'a Decision>, now: Timestamp) -> Self {
        match covering.max_by_key(|decision| decision.expires) {
            Some(decision) if decision.is_expired(now) => Self::Expired(decision),
            Some(decision) => Self::Approved(decision),
            None => Self::Missing,
        }
    }

    /// Its name in JSON and CSV.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved(_) => "approved",
            Self::Expired(_) => "expired",
            Self::Missing => "missing",
        }
    }

    /// Whether a decision covers it now.
    pub const fn is_approved(self) -> bool {
        matches!(self, Self::Approved(_))
    }

    /// The decision, valid or expired.
    pub const fn decision(self) -> Option<&'a Decision> {
        match self {
            Self::Approved(decision) | Self::Expired(decision) => Some(decision),
            Self::Missing => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ControlState::{RiskAccepted, ToAddress};
    use crate::{ControlState, History, StateUpdate};
    use proptest::prelude::*;

    const HOUR: i64 = 60 * 60;
    const TODAY: i64 = 24 * HOUR * 100;

    /// Acceptances and withdrawals in turn: the hour of today, and the person.
    fn history<'a>(changes: impl IntoIterator<Item = (i64, &'a str)>) -> History {
        let states = [RiskAccepted, ToAddress].into_iter().cycle();
        let changes = changes.into_iter().zip(states);
        let updates = changes.map(|((hour, by), state)| StateUpdate {
            at: Some(Timestamp::from_seconds(TODAY + hour * HOUR)),
            by: (!by.is_empty()).then(|| by.into()),
            ..StateUpdate::new(state)
        });
        History::from_updates(updates.collect())
    }

    fn decision(approved_today: bool, accepted_by: Option<&str>) -> Decision {
        let expires = Timestamp::from_seconds(TODAY + 1_000 * HOUR);
        Decision {
            approved_on: approved_today.then_some(Timestamp::from_seconds(TODAY)),
            accepted_by: accepted_by.map(Into::into),
            ..Decision::new("AdminMFAV2", "SEC-1", expires)
        }
    }

    #[test]
    fn bound_to_a_person_it_covers_only_acceptances_by_that_person() {
        let unbound = decision(false, None);
        let alex = decision(false, Some("Alex"));
        // The first acceptance by that person, although not the first of all.
        let alex_today = decision(true, Some("alex"));
        for (decision, changes, covered) in [
            (&unbound, &[][..], true),
            (&unbound, &[(-900, "eve")], true),
            (&alex, &[(1, "alex")], true),
            (&alex, &[(1, "alex"), (2, "alex"), (3, "eve")], false),
            (&alex, &[(1, "")], false),
            (&alex_today, &[(2, "eve")], false),
            (&alex_today, &[(2, "eve"), (30, "eve"), (40, "alex")], true),
        ] {
            let history = history(changes.iter().copied());
            assert_eq!(
                decision.covers_acceptance(&history.declarations()),
                covered,
                "{changes:?}"
            );
        }
    }

    #[test]
    fn bound_to_a_day_it_covers_the_acceptance_in_force_then_or_the_first_one_after() {
        let today = decision(true, None);
        for (hours, covered) in [
            (&[-90][..], true),
            (&[0], true),
            (&[23], true),
            (&[-90, 30, 31], false),
            // The acceptance ended before the approval, which covers the next one.
            (&[-90, -80], false),
            (&[-90, -80, 50], true),
            (&[-90, -80, 50, 60, 70], false),
            // Of two acceptances on that day the last.
            (&[2, 3, 23], true),
            (&[2, 3, 24], false),
        ] {
            let history = history(hours.iter().map(|hour| (*hour, "a")));
            assert_eq!(
                today.covers_acceptance(&history.declarations()),
                covered,
                "{hours:?}"
            );
        }
    }

    #[test]
    fn bound_to_a_day_it_covers_no_undated_acceptance_after_the_one_of_that_day() {
        let today = decision(true, None);
        let undated = StateUpdate::new(RiskAccepted);
        let alone = History::from_updates(vec![undated.clone()]);
        assert!(
            today.covers_acceptance(&alone.declarations()),
            "the first one after"
        );
        let dated = history([(-90, "a"), (10, "a")]);
        let both = dated.changes().iter().cloned().chain([undated]);
        assert!(!today.covers_acceptance(&History::from_updates(both.collect()).declarations()));
    }

    /// What an exception covered before decisions were about more than accepted
    /// risks, from the changes of a history.
    fn covered_before(decision: &Decision, history: &History) -> bool {
        let changes = history.changes();
        let mut accepted = false;
        let mut periods = Vec::new();
        for (index, change) in changes.iter().enumerate() {
            let begins = change.is_acceptance() && !accepted;
            accepted = change.is_acceptance() || accepted && change.is_unknown();
            if begins {
                let mut later = changes.iter().skip(index);
                let end = later.find(|it| !it.is_acceptance() && !it.is_unknown());
                periods.push((change.at, change.by.as_deref(), end.and_then(|it| it.at)));
            }
        }
        let is_by = |by: Option<&str>| match decision.accepted_by.as_deref() {
            Some(person) => by.is_some_and(|by| by.to_lowercase() == person.to_lowercase()),
            None => true,
        };
        let Some(newest) = periods.len().checked_sub(1) else {
            return true;
        };
        let own: Vec<usize> = (0..periods.len())
            .filter(|it| is_by(periods[*it].1))
            .collect();
        let Some(day) = decision.approved_on else {
            return own.contains(&newest);
        };
        let began = |it: &usize| periods[*it].0.is_some_and(|at| at < day.plus(DAY));
        let earlier = own.iter().copied().rfind(began);
        let earlier = earlier.filter(|it| periods[*it].2.is_none_or(|at| at >= day));
        let bound = earlier.or(own.iter().copied().find(|it| !began(it)));
        bound == Some(newest)
    }

    fn any_update() -> impl Strategy<Value = StateUpdate> {
        let state = prop::sample::select(ControlState::ALL.to_vec());
        let by = prop::sample::select(vec!["alex", "Alex", "eve@x.example", ""]);
        let hour = prop::option::weighted(0.9, -72_i64..72);
        (state, by, hour).prop_map(|(state, by, hour)| StateUpdate {
            at: hour.map(|hour| Timestamp::from_seconds(TODAY + hour * HOUR)),
            by: (!by.is_empty()).then(|| by.into()),
            ..StateUpdate::new(state)
        })
    }

    proptest! {
        #[test]
        fn an_exception_covers_what_it_covered_before(
            updates in prop::collection::vec(any_update(), 0..8),
            approved_today in any::<bool>(),
            accepted_by in prop::option::of(prop::sample::select(vec!["alex", " alex", "Eve <eve@x.example>", "EVE@x.example"])),
        ) {
            let history = History::from_updates(updates);
            let decision = decision(approved_today, accepted_by);
            prop_assert_eq!(
                decision.covers_acceptance(&history.declarations()),
                covered_before(&decision, &history)
            );
        }
    }

    #[test]
    fn a_claim_is_covered_by_its_state_and_its_person() {
        use crate::ControlState::{AlternateMitigation, ThirdParty};
        let claim = |state| StateUpdate {
            at: Some(Timestamp::from_seconds(TODAY)),
            by: Some("alex".into()),
            ..StateUpdate::new(state)
        };
        let covers = |decision: &Decision, states: &[ControlState]| {
            let updates = states.iter().zip(0..).map(|(state, hour)| StateUpdate {
                at: Some(Timestamp::from_seconds(TODAY + hour * HOUR)),
                ..claim(*state)
            });
            let history = History::from_updates(updates.collect());
            let declarations = history.declarations();
            decision.covers(declarations.len() - 1, &declarations)
        };
        let of = |state, by| Decision {
            states: vec![state],
            ..decision(false, by)
        };
        let third = of(DecisionState::ThirdParty, None);
        assert!(covers(&third, &[ThirdParty]));
        assert!(covers(&third, &[ToAddress, ThirdParty]));
        assert!(!covers(&third, &[ThirdParty, AlternateMitigation]));
        assert!(
            !covers(&decision(false, None), &[ThirdParty]),
            "an exception"
        );
        assert!(!covers(
            &of(DecisionState::ThirdParty, Some("eve")),
            &[ThirdParty]
        ));
        let bound = Decision {
            approved_on: Some(Timestamp::from_seconds(TODAY)),
            ..third.clone()
        };
        assert!(covers(&bound, &[ThirdParty]));
        let later = Decision {
            approved_on: Some(Timestamp::from_seconds(TODAY - 48 * HOUR)),
            ..third.clone()
        };
        assert!(covers(&later, &[ThirdParty]), "the first one after");
        assert!(!covers(&later, &[ThirdParty, ToAddress, ThirdParty]));
        let separate = |approver: Option<&str>| Decision {
            approver: approver.map(Into::into),
            needs_separate_approver: true,
            ..third.clone()
        };
        assert!(covers(&separate(Some("eve")), &[ThirdParty]));
        assert!(!covers(&separate(Some(" ALEX")), &[ThirdParty]));
        assert!(!covers(&separate(None), &[ThirdParty]));
        assert!(
            !separate(None).covers_acceptance(&[]),
            "not in advance either"
        );
    }

    #[test]
    fn it_is_valid_until_the_last_nanosecond() {
        let decision = decision(false, None);
        let last = Timestamp::from_nanos(decision.expires.nanos() - 1);
        assert!(Approval::of([&decision].into_iter(), last).is_approved());
        let approval = Approval::of([&decision].into_iter(), decision.expires);
        assert_eq!(approval, Approval::Expired(&decision));
        assert!(!approval.is_approved());
        assert_eq!(approval.decision(), Some(&decision));
    }

    #[test]
    fn the_decision_that_expires_last_decides() {
        let short = decision(false, None);
        let mut long = short.clone();
        long.expires = short.expires.plus(DAY);
        let approval = Approval::of([&long, &short].into_iter(), short.expires);
        assert_eq!(approval, Approval::Approved(&long));
        assert_eq!(
            Approval::of([].into_iter(), short.expires),
            Approval::Missing
        );
    }
}
