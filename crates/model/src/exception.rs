//! An approved acceptance of a risk, valid until a day.

use crate::{History, StateUpdate, Timestamp};
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The approval of accepting a control's risk, as configured under
/// `risk_accepted.exceptions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Where the configuration has it.
    pub place: Arc<str>,
    /// The control's id or a pattern of ids, as written.
    pub control: Arc<str>,
    /// The aliases of the tenants to which it applies; empty for all.
    pub tenants: Vec<Arc<str>>,
    /// Where the decision is recorded, such as a ticket.
    pub reference: Arc<str>,
    /// Who approved it.
    pub approver: Option<Arc<str>>,
    /// Why it was approved.
    pub reason: Option<Arc<str>>,
    /// The beginning of the day on which it was approved; binds the exception
    /// to one acceptance.
    pub approved_on: Option<Timestamp>,
    /// The person whose acceptances it covers; any person where missing.
    pub accepted_by: Option<Arc<str>>,
    /// When it ends: the end of its last day.
    pub expires: Timestamp,
}

impl Exception {
    /// An approval for all tenants that is bound to no person and no day.
    pub fn new(control: &str, reference: &str, expires: Timestamp) -> Self {
        Self {
            place: Arc::default(),
            control: control.into(),
            tenants: Vec::new(),
            reference: reference.into(),
            approver: None,
            reason: None,
            approved_on: None,
            accepted_by: None,
            expires,
        }
    }

    /// Whether it has ended.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires
    }

    /// Whether it covers the newest acceptance of a control that it names.
    ///
    /// A control that was never accepted is covered in advance. Expiry does not
    /// matter here: an expired approval differs from a missing one.
    pub fn covers(&self, history: &History) -> bool {
        let newest = history.last_acceptance_index();
        newest.is_none_or(|newest| self.covered(history.changes()).contains(&newest))
    }

    /// The indices of the acceptances that it covers: those of its person, and
    /// with a day, the one in force on that day, else the first after it.
    ///
    /// An approval often precedes the acceptance. It applies to the first one
    /// only, so that one approval does not cover all later acceptances.
    fn covered(&self, changes: &[StateUpdate]) -> Vec<usize> {
        let by_its_person = |change: &StateUpdate| match &self.accepted_by {
            Some(person) => change.by.as_deref().is_some_and(|by| is_same(by, person)),
            None => true,
        };
        let of_its_person: Vec<usize> = changes
            .iter()
            .enumerate()
            .filter(|(_, change)| change.is_acceptance() && by_its_person(change))
            .map(|(index, _)| index)
            .collect();
        let Some(day) = self.approved_on else {
            return of_its_person;
        };
        let time = |index: usize| changes.get(index).and_then(|change| change.at);
        let began_by_then = |index: &usize| time(*index).is_none_or(|at| at < day.plus(DAY));
        let lasted_until_then = |index: &usize| time(index + 1).is_none_or(|at| at >= day);
        let earlier = of_its_person.iter().copied().rfind(began_by_then);
        let later = of_its_person.iter().copied().find(|it| !began_by_then(it));
        earlier
            .filter(lasted_until_then)
            .or(later)
            .into_iter()
            .collect()
    }
}

/// Compares sign-in names, which ignore case.
fn is_same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// What the configuration says about an acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval<'a> {
    /// An exception covers it.
    Approved(&'a Exception),
    /// The exception that covered it has expired.
    Expired(&'a Exception),
    /// No exception covers it.
    Missing,
}

impl<'a> Approval<'a> {
    /// The approval by the exceptions that cover an acceptance: the one that
    /// expires last decides.
    pub fn of(covering: impl Iterator<Item = &'a Exception>, now: Timestamp) -> Self {
        match covering.max_by_key(|exception| exception.expires) {
            Some(exception) if exception.is_expired(now) => Self::Expired(exception),
            Some(exception) => Self::Approved(exception),
            None => Self::Missing,
        }
    }

    /// Whether an exception covers it now.
    pub const fn is_approved(self) -> bool {
        matches!(self, Self::Approved(_))
    }

    /// The exception, valid or expired.
    pub const fn exception(self) -> Option<&'a Exception> {
        match self {
            Self::Approved(exception) | Self::Expired(exception) => Some(exception),
            Self::Missing => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ControlState::{self, RiskAccepted, ToAddress};

    const HOUR: i64 = 60 * 60;
    const TODAY: i64 = 24 * HOUR * 100;

    fn change(state: ControlState, hour: i64, by: &str) -> StateUpdate {
        StateUpdate {
            at: Some(Timestamp::from_seconds(TODAY + hour * HOUR)),
            by: Some(by.into()),
            ..StateUpdate::new(state)
        }
    }

    fn history(changes: &[(ControlState, i64, &str)]) -> History {
        let changes = changes.iter().map(|(s, h, by)| change(*s, *h, by));
        History::from_updates(changes.collect())
    }

    fn exception(approved_today: bool, accepted_by: Option<&str>) -> Exception {
        let expires = Timestamp::from_seconds(TODAY + 1_000 * HOUR);
        Exception {
            approved_on: approved_today.then_some(Timestamp::from_seconds(TODAY)),
            accepted_by: accepted_by.map(Into::into),
            ..Exception::new("AdminMFAV2", "SEC-1", expires)
        }
    }

    #[test]
    fn an_unbound_exception_covers_any_acceptance() {
        let unbound = exception(false, None);
        assert!(unbound.covers(&History::default()));
        assert!(unbound.covers(&history(&[(RiskAccepted, -900, "eve")])));
    }

    #[test]
    fn bound_to_a_person_it_does_not_cover_a_later_acceptance_by_another() {
        let alex = exception(false, Some("Alex@contoso.example"));
        let mut changes = vec![(RiskAccepted, 1, "alex@contoso.example")];
        assert!(alex.covers(&history(&changes)));
        changes.extend([
            (ToAddress, 2, "alex@contoso.example"),
            (RiskAccepted, 3, "eve"),
        ]);
        assert!(!alex.covers(&history(&changes)));
    }

    #[test]
    fn bound_to_a_day_it_covers_the_acceptance_in_force_on_that_day_only() {
        let today = exception(true, None);
        for began in [-90, 0, 23] {
            assert!(
                today.covers(&history(&[(RiskAccepted, began, "a")])),
                "{began}"
            );
        }
        let again = history(&[
            (RiskAccepted, -90, "a"),
            (ToAddress, 30, "a"),
            (RiskAccepted, 31, "a"),
        ]);
        assert!(!today.covers(&again));
    }

    #[test]
    fn an_approval_before_the_acceptance_covers_the_first_one_only() {
        let today = exception(true, None);
        let earlier = [(RiskAccepted, -90, "a"), (ToAddress, -80, "a")];
        assert!(
            !today.covers(&history(&earlier)),
            "it ended before the approval"
        );
        let mut changes = earlier.to_vec();
        changes.push((RiskAccepted, 50, "a"));
        assert!(today.covers(&history(&changes)));
        changes.extend([(ToAddress, 60, "a"), (RiskAccepted, 70, "a")]);
        assert!(!today.covers(&history(&changes)));
    }

    #[test]
    fn bound_to_a_day_it_covers_the_last_acceptance_that_began_by_its_end() {
        let today = exception(true, None);
        let first = [(RiskAccepted, 2, "a"), (ToAddress, 3, "a")];
        let again = |hour| [&first[..], &[(RiskAccepted, hour, "a")]].concat();
        assert!(today.covers(&history(&again(23))));
        assert!(!today.covers(&history(&again(24))));
    }

    #[test]
    fn bound_to_a_person_and_a_day_it_covers_the_first_acceptance_by_that_person() {
        let both = exception(true, Some("alex"));
        assert!(!both.covers(&history(&[(RiskAccepted, 2, "eve")])));
        let then_alex = [
            (RiskAccepted, 2, "eve"),
            (ToAddress, 30, "eve"),
            (RiskAccepted, 40, "alex"),
        ];
        assert!(both.covers(&history(&then_alex)));
    }

    #[test]
    fn bound_to_a_person_it_does_not_cover_an_anonymous_acceptance() {
        let mut anonymous = change(RiskAccepted, 1, "");
        anonymous.by = None;
        let alex = exception(false, Some("alex"));
        assert!(!alex.covers(&History::from_updates(vec![anonymous])));
    }

    #[test]
    fn it_is_valid_until_the_last_nanosecond() {
        let exception = exception(false, None);
        let last = Timestamp::from_nanos(exception.expires.nanos() - 1);
        assert!(Approval::of([&exception].into_iter(), last).is_approved());
        let approval = Approval::of([&exception].into_iter(), exception.expires);
        assert_eq!(approval, Approval::Expired(&exception));
        assert!(!approval.is_approved());
        assert_eq!(approval.exception(), Some(&exception));
    }

    #[test]
    fn the_exception_that_expires_last_decides() {
        let short = exception(false, None);
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
