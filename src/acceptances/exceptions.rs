//! What is odd about the approved exceptions, seen beside what is accepted.

use secure_score_model::{ControlState, Exception, TenantSnapshot, Timestamp};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Time enough to ask for a renewal.
const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Something somebody should do about an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which exception, and where it is written.
    pub exception: Arc<Exception>,
    /// The tenant it concerns, where it concerns one.
    pub tenant: Option<Arc<str>>,
    /// What is odd.
    pub oddity: Oddity,
}

/// What can be odd about an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Oddity {
    /// It holds no more. What it covered is unapproved again.
    Expired {
        /// Whether a risk it covers is accepted still, and no other exception
        /// covers that.
        in_use: bool,
    },
    /// It ends within 30 days.
    ExpiresSoon {
        /// Whole days left.
        days: u64,
    },
    /// No control has the id or fits the pattern: misspelt, or renamed.
    FitsNoControl,
    /// No risk it covers is accepted: left over from something that is done.
    CoversNothing,
    /// Another one covers the same: which of the two was decided?
    Overlaps {
        /// The other one.
        with: Arc<Exception>,
        /// A control both cover.
        control: Arc<str>,
        /// How many controls both cover beside it, over all tenants.
        others: usize,
    },
}

impl Oddity {
    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Expired { in_use: true } => {
                "have the risk approved again with a new date, or withdraw its acceptance in the portal"
            }
            Self::Expired { in_use: false } | Self::CoversNothing => "remove the exception",
            Self::ExpiresSoon { .. } => {
                "have it approved again before that day, or the alert comes back"
            }
            Self::FitsNoControl => "correct the id, or see whether Microsoft renamed the control",
            Self::Overlaps { .. } => "keep one of the two; the one that lasts longer counts",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Exception {
            place,
            reference,
            control,
            ..
        } = &*self.exception;
        write!(f, "{place} ({reference}, {control}) ")?;
        match &self.oddity {
            Oddity::Expired { in_use: true } => {
                f.write_str("has expired, and a risk it covered is accepted still")
            }
            Oddity::Expired { in_use: false } => {
                f.write_str("has expired, and nothing relies on it")
            }
            Oddity::ExpiresSoon { days: 0 } => f.write_str("expires today"),
            Oddity::ExpiresSoon { days: 1 } => f.write_str("expires tomorrow"),
            Oddity::ExpiresSoon { days } => write!(f, "expires in {days} days"),
            Oddity::FitsNoControl => f.write_str("fits no control of the catalogue"),
            Oddity::CoversNothing => f.write_str("covers nothing that is accepted"),
            Oddity::Overlaps {
                with,
                control,
                others,
            } => {
                write!(
                    f,
                    "and {} ({}) both cover {control}",
                    with.place, with.reference
                )?;
                match others {
                    0 => Ok(()),
                    1 => f.write_str(" and another control"),
                    more => write!(f, " and {more} other controls"),
                }
            }
        }
    }
}

/// What is odd about the exceptions of these tenants, in the order of the file.
///
/// A tenant whose catalogue is not known now proves nothing. Whether an
/// exception for all tenants is of use is told only where `all` of them are
/// here and known.
pub fn findings<'a>(
    tenants: impl IntoIterator<Item = (&'a str, &'a TenantSnapshot)>,
    all: bool,
    now: Timestamp,
) -> Vec<Finding> {
    let mut survey = Survey {
        complete: all,
        ..Survey::default()
    };
    for (tenant, snapshot) in tenants {
        survey.add(tenant, snapshot, now);
    }
    survey.findings(now)
}

/// Exceptions by where they are written, shorter places first, so that the
/// tenth comes after the ninth.
type Place = (usize, Arc<str>);

fn place(exception: &Exception) -> Place {
    (exception.place.len(), Arc::clone(&exception.place))
}

#[derive(Default)]
struct Survey {
    complete: bool,
    uses: BTreeMap<Place, Uses>,
    overlaps: BTreeMap<(Place, Place), Overlap>,
}

struct Uses {
    exception: Arc<Exception>,
    by_tenant: Vec<(Arc<str>, Use)>,
}

/// What became of an exception on one tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    /// No control is named by it.
    FitsNone,
    /// What it names is not accepted, or not as it was approved.
    CoversNone,
    /// It covers an accepted risk.
    Covers,
}

struct Overlap {
    first: Arc<Exception>,
    second: Arc<Exception>,
    tenant: Arc<str>,
    control: Arc<str>,
    others: usize,
}

impl Survey {
    fn add(&mut self, tenant: &str, snapshot: &TenantSnapshot, now: Timestamp) {
        let known = snapshot.catalogue_anomalies.is_some();
        self.complete &= known;
        let tenant: Arc<str> = tenant.into();
        for exception in &snapshot.exceptions {
            let uses = self.uses.entry(place(exception)).or_insert_with(|| Uses {
                exception: Arc::clone(exception),
                by_tenant: Vec::new(),
            });
            if known {
                let found = found_use(exception, snapshot, now);
                uses.by_tenant.push((Arc::clone(&tenant), found));
            }
        }
        for control in &snapshot.controls {
            self.note_overlaps(&tenant, control, now);
        }
    }

    fn note_overlaps(
        &mut self,
        tenant: &Arc<str>,
        control: &secure_score_model::Control,
        now: Timestamp,
    ) {
        let mut holding: Vec<&Arc<Exception>> = control
            .covering()
            .filter(|exception| !exception.is_expired(now))
            .collect();
        holding.sort_by_key(|exception| place(exception));
        for (index, first) in holding.iter().enumerate() {
            for second in holding.iter().skip(index + 1) {
                self.overlaps
                    .entry((place(first), place(second)))
                    .and_modify(|overlap| overlap.others += 1)
                    .or_insert_with(|| Overlap {
                        first: Arc::clone(first),
                        second: Arc::clone(second),
                        tenant: Arc::clone(tenant),
                        control: Arc::clone(&control.id),
                        others: 0,
                    });
            }
        }
    }

    fn findings(self, now: Timestamp) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self
            .uses
            .values()
            .flat_map(|uses| uses.findings(self.complete, now))
            .collect();
        findings.extend(self.overlaps.into_values().map(|overlap| Finding {
            exception: overlap.first,
            tenant: Some(overlap.tenant),
            oddity: Oddity::Overlaps {
                with: overlap.second,
                control: overlap.control,
                others: overlap.others,
            },
        }));
        findings.sort_by_key(|finding| place(&finding.exception));
        findings
    }
}

impl Uses {
    fn findings(&self, complete: bool, now: Timestamp) -> Vec<Finding> {
        let covers = self
            .by_tenant
            .iter()
            .any(|(_, found)| *found == Use::Covers);
        if self.exception.is_expired(now) {
            return vec![self.finding(None, Oddity::Expired { in_use: covers })];
        }
        let left = self.exception.expires.since(now);
        let soon = (left <= SOON).then(|| Oddity::ExpiresSoon {
            days: left.saturating_sub(Duration::from_nanos(1)).as_secs() / DAY.as_secs(),
        });
        let soon = soon.map(|oddity| self.finding(None, oddity));
        soon.into_iter().chain(self.idle(complete)).collect()
    }

    /// Where it is of no use: on each tenant it names, or if it holds for all,
    /// on none of them.
    fn idle(&self, complete: bool) -> Vec<Finding> {
        if self.exception.tenants.is_empty() {
            let best = self.by_tenant.iter().map(|(_, found)| *found).max();
            let oddity = best.filter(|_| complete).and_then(Use::oddity);
            return oddity
                .map(|it| self.finding(None, it))
                .into_iter()
                .collect();
        }
        let idle = self.by_tenant.iter().filter_map(|(tenant, found)| {
            let oddity = found.oddity()?;
            Some(self.finding(Some(Arc::clone(tenant)), oddity))
        });
        idle.collect()
    }

    fn finding(&self, tenant: Option<Arc<str>>, oddity: Oddity) -> Finding {
        Finding {
            exception: Arc::clone(&self.exception),
            tenant,
            oddity,
        }
    }
}

impl Use {
    const fn oddity(self) -> Option<Oddity> {
        match self {
            Self::FitsNone => Some(Oddity::FitsNoControl),
            Self::CoversNone => Some(Oddity::CoversNothing),
            Self::Covers => None,
        }
    }
}

fn found_use(exception: &Arc<Exception>, snapshot: &TenantSnapshot, now: Timestamp) -> Use {
    let names = |control: &&secure_score_model::Control| {
        let listed = control.exceptions.iter();
        listed.into_iter().any(|it| Arc::ptr_eq(it, exception))
    };
    let named = snapshot.controls.iter().filter(names);
    let expired = exception.is_expired(now);
    let uses = named.map(|control| {
        let accepted = control.state() == Some(ControlState::RiskAccepted);
        let covered = control.covering().any(|it| Arc::ptr_eq(it, exception));
        let renewed = expired && control.approval(now).is_approved();
        match accepted && covered && !renewed {
            true => Use::Covers,
            false => Use::CoversNone,
        }
    });
    uses.max().unwrap_or(Use::FitsNone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_model::{Anomalies, CatalogueEntry, Control, History, StateUpdate};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn exception(number: usize, tenants: &[&str], days_left: i64) -> Arc<Exception> {
        let seconds = days_left * 24 * 60 * 60;
        let expires = Timestamp::from_nanos(NOW.nanos() + seconds * 1_000_000_000);
        Arc::new(Exception {
            place: format!("risk_accepted.exceptions[{number}]").into(),
            tenants: tenants.iter().map(|name| Arc::from(*name)).collect(),
            ..Exception::new("Control", &format!("SEC-{number}"), expires)
        })
    }

    fn control(id: &str, accepted: bool, exceptions: &[&Arc<Exception>]) -> Control {
        let acceptance = StateUpdate {
            at: Some(Timestamp::from_seconds(1_700_000_000)),
            by: Some("alex".into()),
            ..StateUpdate::new(ControlState::RiskAccepted)
        };
        let updates = if accepted { vec![acceptance] } else { vec![] };
        Control {
            exceptions: exceptions.iter().map(|it| Arc::clone(it)).collect(),
            ..Control::listed(CatalogueEntry {
                history: History::from_updates(updates),
                ..CatalogueEntry::new(id)
            })
        }
    }

    fn tenant(exceptions: &[&Arc<Exception>], controls: Vec<Control>) -> TenantSnapshot {
        TenantSnapshot {
            controls,
            catalogue_anomalies: Some(Anomalies::default()),
            exceptions: exceptions.iter().map(|it| Arc::clone(it)).collect(),
            ..TenantSnapshot::default()
        }
    }

    fn oddities(tenants: &[(&str, &TenantSnapshot)]) -> Vec<(Option<String>, Oddity)> {
        findings(tenants.iter().copied(), true, NOW)
            .into_iter()
            .map(|finding| (finding.tenant.map(|it| it.to_string()), finding.oddity))
            .collect()
    }

    #[test]
    fn one_that_covers_an_accepted_risk_for_long_is_not_odd() {
        let it = exception(0, &[], 31);
        let snapshot = tenant(&[&it], vec![control("A", true, &[&it])]);
        assert_eq!(oddities(&[("contoso", &snapshot)]), []);
    }

    #[test]
    fn the_days_left_are_told_from_thirty_down_to_the_last() {
        for (days, said) in [(30, 29), (2, 1), (1, 0)] {
            let it = exception(0, &[], days);
            let snapshot = tenant(&[&it], vec![control("A", true, &[&it])]);
            let expected = [(None, Oddity::ExpiresSoon { days: said })];
            assert_eq!(oddities(&[("contoso", &snapshot)]), expected);
        }
    }

    #[test]
    fn an_expired_one_says_whether_anybody_still_relies_on_it() {
        for in_use in [true, false] {
            let it = exception(0, &[], 0);
            let snapshot = tenant(&[&it], vec![control("A", in_use, &[&it])]);
            let expected = [(None, Oddity::Expired { in_use })];
            assert_eq!(oddities(&[("contoso", &snapshot)]), expected);
        }
    }

    #[test]
    fn one_for_all_tenants_is_left_over_only_where_none_needs_it() {
        let it = exception(0, &[], 90);
        let idle = tenant(&[&it], vec![control("A", false, &[&it])]);
        let busy = tenant(&[&it], vec![control("A", true, &[&it])]);
        assert_eq!(oddities(&[("contoso", &idle), ("fabrikam", &busy)]), []);
        let both_idle = oddities(&[("contoso", &idle), ("fabrikam", &idle)]);
        assert_eq!(both_idle, [(None, Oddity::CoversNothing)]);
    }

    #[test]
    fn one_for_named_tenants_is_judged_on_each_of_them() {
        let it = exception(0, &["contoso", "fabrikam"], 90);
        let idle = tenant(&[&it], vec![control("A", false, &[&it])]);
        let without = tenant(&[&it], vec![control("A", true, &[])]);
        let expected = [
            (Some("contoso".to_owned()), Oddity::CoversNothing),
            (Some("fabrikam".to_owned()), Oddity::FitsNoControl),
        ];
        let found = oddities(&[("contoso", &idle), ("fabrikam", &without)]);
        assert_eq!(found, expected);
    }

    #[test]
    fn a_tenant_that_cannot_be_read_proves_nothing() {
        let it = exception(0, &[], 90);
        let named = exception(1, &["dark"], 90);
        let dark = TenantSnapshot {
            exceptions: vec![Arc::clone(&it), named],
            ..TenantSnapshot::default()
        };
        let idle = tenant(&[&it], vec![control("A", false, &[&it])]);
        assert_eq!(oddities(&[("contoso", &idle), ("dark", &dark)]), []);
    }

    #[test]
    fn two_that_cover_the_same_controls_are_told_once() {
        let nine = exception(9, &[], 90);
        let ten = exception(10, &[], 91);
        let both = [&nine, &ten];
        let controls = ["A", "B", "C"].map(|id| control(id, true, &both));
        let snapshot = tenant(&both, controls.into());
        let found = findings([("contoso", &snapshot)], true, NOW);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].to_string(),
            "risk_accepted.exceptions[9] (SEC-9, Control) and risk_accepted.exceptions[10] (SEC-10) \
             both cover A and 2 other controls"
        );
    }

    #[test]
    fn a_renewal_does_not_overlap_with_what_has_expired() {
        let old = exception(0, &[], 0);
        let new = exception(1, &[], 90);
        let both = [&old, &new];
        let snapshot = tenant(&both, vec![control("A", true, &both)]);
        let expected = [(None, Oddity::Expired { in_use: false })];
        assert_eq!(oddities(&[("contoso", &snapshot)]), expected);
    }
}
