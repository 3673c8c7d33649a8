//! An approved acceptance: somebody agreed that this risk may be accepted,
//! until a day.

use super::{History, StateUpdate, Timestamp};
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The approval of accepting a control's risk, as the configuration has it
/// (`risk_accepted.exceptions`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Where it is written, for whoever has to change it.
    pub place: Arc<str>,
    /// The control's id or the pattern of ids, as written.
    pub control: Arc<str>,
    /// The tenants it holds for, by alias; empty for all.
    pub tenants: Vec<Arc<str>>,
    /// Where the decision is recorded, such as a ticket.
    pub reference: Arc<str>,
    /// Who approved it.
    pub approver: Option<Arc<str>>,
    /// Why it was approved.
    pub reason: Option<Arc<str>>,
    /// The beginning of the day it was approved on; binds it to one acceptance.
    pub approved_on: Option<Timestamp>,
    /// Whose acceptances it covers; everybody's where nobody is named.
    pub accepted_by: Option<Arc<str>>,
    /// The first moment at which it no longer holds: the end of its last day.
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

    /// Whether it no longer holds.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires
    }

    /// Whether it is bound to certain acceptances, and so does not cover
    /// whatever comes.
    pub const fn is_bound(&self) -> bool {
        self.approved_on.is_some() || self.accepted_by.is_some()
    }

    /// Whether it covers the newest acceptance of a control it names.
    ///
    /// A control that was never accepted is covered in advance. What expires
    /// covers still: an expired approval is another thing than none.
    pub fn covers(&self, history: &History) -> bool {
        let changes = history.changes();
        match history.last_acceptance_place() {
            Some(newest) if self.is_bound() => self.bound_to(changes).contains(&newest),
            _ => true,
        }
    }

    /// The places of the acceptances it covers: those of its person, and where
    /// it has a day, the one that stood on that day, else the first after it.
    /// An approval often precedes what it approves; it is spent by the first
    /// acceptance, lest one approval cover all that follow.
    fn bound_to(&self, changes: &[StateUpdate]) -> Vec<usize> {
        let by_its_person = |change: &StateUpdate| match &self.accepted_by {
            Some(person) => change.by.as_deref().is_some_and(|by| same(by, person)),
            None => true,
        };
        let of_its_person: Vec<usize> = changes
            .iter()
            .enumerate()
            .filter(|(_, change)| change.is_acceptance() && by_its_person(change))
            .map(|(place, _)| place)
            .collect();
        let Some(day) = self.approved_on else {
            return of_its_person;
        };
        let began = |place: &usize| changes.get(*place).and_then(|change| change.at);
        let ended = |place: usize| changes.get(place + 1).and_then(|change| change.at);
        let before_its_end = |place: &usize| began(place).is_none_or(|at| at < day.plus(DAY));
        let stood = |place: &usize| ended(*place).is_none_or(|at| at >= day);
        let earlier = of_its_person.iter().copied().rfind(before_its_end);
        let later = of_its_person.iter().copied().find(|p| !before_its_end(p));
        earlier.filter(stood).or(later).into_iter().collect()
    }
}

/// Sign-in names know no case.
fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// What the configuration says about an acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval<'a> {
    /// It is covered, at least until the exception expires.
    Approved(&'a Exception),
    /// It was covered until the exception expired.
    Expired(&'a Exception),
    /// Nobody has approved it.
    Missing,
}

impl<'a> Approval<'a> {
    /// The verdict of those exceptions that cover the acceptance: the one that
    /// lasts longest counts.
    pub fn of(covering: impl Iterator<Item = &'a Exception>, now: Timestamp) -> Self {
        match covering.max_by_key(|exception| exception.expires) {
            Some(exception) if exception.is_expired(now) => Self::Expired(exception),
            Some(exception) => Self::Approved(exception),
            None => Self::Missing,
        }
    }

    /// Whether it is covered now.
    pub const fn is_approved(self) -> bool {
        matches!(self, Self::Approved(_))
    }

    /// The exception, in force or expired.
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
    fn unbound_it_covers_whoever_accepts_whenever() {
        let anybody = exception(false, None);
        assert!(anybody.covers(&History::default()));
        assert!(anybody.covers(&history(&[(RiskAccepted, -900, "eve")])));
    }

    #[test]
    fn bound_to_a_person_it_does_not_cover_another_one_later() {
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
    fn bound_to_a_day_it_covers_the_acceptance_that_stood_then_and_no_later_one() {
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
    fn an_approval_before_the_acceptance_is_spent_by_the_first_one() {
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
    fn bound_to_both_it_waits_for_its_person() {
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
    fn nobody_is_not_the_person_it_is_bound_to() {
        let mut anonymous = change(RiskAccepted, 1, "");
        anonymous.by = None;
        let alex = exception(false, Some("alex"));
        assert!(!alex.covers(&History::from_updates(vec![anonymous])));
    }

    #[test]
    fn it_holds_until_the_second_before_it_expires() {
        let exception = exception(false, None);
        let last = Timestamp::from_nanos(exception.expires.nanos() - 1);
        assert!(Approval::of([&exception].into_iter(), last).is_approved());
        let verdict = Approval::of([&exception].into_iter(), exception.expires);
        assert_eq!(verdict, Approval::Expired(&exception));
    }

    #[test]
    fn the_longest_lasting_exception_decides() {
        let short = exception(false, None);
        let mut long = short.clone();
        long.expires = short.expires.plus(DAY);
        let verdict = Approval::of([&long, &short].into_iter(), short.expires);
        assert_eq!(verdict, Approval::Approved(&long));
        assert_eq!(
            Approval::of([].into_iter(), short.expires),
            Approval::Missing
        );
    }
}
