//! Finds configured exceptions that need attention.

use super::approvable::{Approvable, approvables};
use secure_score_model::{Exception, TenantSnapshot, Timestamp};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Enough time to request a renewal.
const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// An exception that needs attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionFinding {
    /// The exception.
    pub exception: Arc<Exception>,
    /// The tenant, where the issue concerns one.
    pub tenant: Option<Arc<str>>,
    /// What is wrong.
    pub issue: ExceptionIssue,
}

/// What can be wrong with an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExceptionIssue {
    /// It has expired.
    Expired {
        /// Whether it covers an accepted risk that no other exception covers,
        /// if all of its tenants are known.
        in_use: Option<bool>,
    },
    /// It expires within 30 days.
    ExpiresSoon {
        /// Whole days left.
        days: u64,
    },
    /// Its ids, names and patterns match nothing: misspelt, or renamed by
    /// Microsoft.
    MatchesNothing,
    /// No risk that it covers is accepted.
    CoversNothing,
    /// Another exception covers the same control or recommendation.
    Overlaps {
        /// The other exception.
        with: Arc<Exception>,
        /// A control or a recommendation that both cover.
        first: Arc<str>,
        /// How many more both cover, over all tenants.
        others: usize,
    },
}

impl ExceptionIssue {
    /// How to fix it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Expired { in_use: Some(true) } => {
                "have the risk approved again with a new date, or withdraw its acceptance in the portal"
            }
            Self::Expired {
                in_use: Some(false),
            }
            | Self::CoversNothing => "remove the exception",
            Self::Expired { in_use: None } => {
                "run `secure-score-exporter check` on all tenants: it shows whether a risk that the exception covered is still accepted"
            }
            Self::ExpiresSoon { .. } => {
                "have it approved again before that day, or the alert comes back"
            }
            Self::MatchesNothing => {
                "correct the name, or check whether Microsoft renamed what it names"
            }
            Self::Overlaps { .. } => "keep one of the two; the one that expires last decides",
        }
    }
}

impl fmt::Display for ExceptionFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Exception {
            place, reference, ..
        } = &*self.exception;
        write!(f, "{place} ({reference}, {}) ", self.exception.subject())?;
        match &self.issue {
            ExceptionIssue::Expired { in_use: Some(true) } => {
                f.write_str("has expired, but a risk that it covered is still accepted")
            }
            ExceptionIssue::Expired {
                in_use: Some(false),
            } => f.write_str("has expired and is not in use"),
            ExceptionIssue::Expired { in_use: None } => {
                f.write_str("has expired; not every tenant that may use it is known here")
            }
            ExceptionIssue::ExpiresSoon { days: 0 } => f.write_str("expires today"),
            ExceptionIssue::ExpiresSoon { days: 1 } => f.write_str("expires tomorrow"),
            ExceptionIssue::ExpiresSoon { days } => write!(f, "expires in {days} days"),
            ExceptionIssue::MatchesNothing => f.write_str(match &*self.exception {
                Exception {
                    recommendation: None,
                    ..
                } => "matches no control of the catalogue",
                Exception { control: None, .. } => "matches no recommendation",
                _ => "matches no control of the catalogue and no recommendation",
            }),
            ExceptionIssue::CoversNothing => f.write_str("covers no accepted risk"),
            ExceptionIssue::Overlaps {
                with,
                first,
                others,
            } => {
                let (place, reference) = (&with.place, &with.reference);
                write!(f, "and {place} ({reference}) both cover {first}")?;
                match others {
                    0 => Ok(()),
                    1 => f.write_str(" and 1 other"),
                    more => write!(f, " and {more} others"),
                }
            }
        }
    }
}

/// What an audit of exceptions found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditedExceptions {
    /// The issues, in the order of the file.
    pub findings: Vec<ExceptionFinding>,
    /// Exceptions for all tenants that are not in use on any known tenant, while
    /// others are not known.
    pub not_judged: usize,
}

impl AuditedExceptions {
    /// What the audit could not judge; `None` if it judged everything.
    pub fn limit(&self) -> Option<String> {
        let subject = match self.not_judged {
            0 => return None,
            1 => "1 exception for all tenants is".to_owned(),
            more => format!("{more} exceptions for all tenants are"),
        };
        Some(format!(
            "{subject} in use on no tenant known here; the other tenants may use it"
        ))
    }
}

/// Audits the exceptions of these tenants.
///
/// A tenant without a catalogue proves nothing, and neither does one without
/// recommendations about an exception that names one. An exception for all
/// tenants counts as unused only where `all` of them are given and prove it.
pub fn audit_exceptions<'a>(
    tenants: impl IntoIterator<Item = (&'a str, &'a TenantSnapshot)>,
    all: bool,
    now: Timestamp,
) -> AuditedExceptions {
    let mut audit = ExceptionAudit {
        complete: all,
        ..ExceptionAudit::default()
    };
    for (tenant, snapshot) in tenants {
        audit.add(tenant, snapshot, now);
    }
    audit.findings(now)
}

/// Orders exceptions by their place in the file: shorter places first, so that
/// the tenth comes after the ninth.
type FileOrder = (usize, Arc<str>);

fn file_order(exception: &Exception) -> FileOrder {
    (exception.place.len(), Arc::clone(&exception.place))
}

#[derive(Default)]
struct ExceptionAudit {
    complete: bool,
    uses: BTreeMap<FileOrder, Uses>,
    overlaps: BTreeMap<(FileOrder, FileOrder), ExceptionFinding>,
}

struct Uses {
    exception: Arc<Exception>,
    by_tenant: Vec<(Arc<str>, ExceptionUse)>,
    /// Whether its use on another tenant is not known.
    has_unknown: bool,
}

/// The use of an exception on one tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ExceptionUse {
    /// It matches nothing.
    MatchesNone,
    /// What it matches is not accepted, or not as approved.
    CoversNone,
    /// It covers an accepted risk.
    Covers,
}

impl ExceptionAudit {
    fn add(&mut self, tenant: &str, snapshot: &TenantSnapshot, now: Timestamp) {
        self.complete &= snapshot.catalogue_anomalies.is_some();
        let tenant: Arc<str> = tenant.into();
        for exception in &snapshot.exceptions {
            let uses = self.uses.entry(file_order(exception));
            let uses = uses.or_insert_with(|| Uses {
                exception: Arc::clone(exception),
                by_tenant: Vec::new(),
                has_unknown: false,
            });
            match exception_use(exception, snapshot, now) {
                Some(found) => uses.by_tenant.push((Arc::clone(&tenant), found)),
                None => uses.has_unknown = true,
            }
        }
        for approvable in approvables(snapshot) {
            self.note_overlaps(&tenant, approvable, now);
        }
    }

    fn note_overlaps(&mut self, tenant: &Arc<str>, approvable: Approvable<'_>, now: Timestamp) {
        let mut covering = approvable.covering();
        covering.retain(|it| !it.is_expired(now));
        covering.sort_by_key(|exception| file_order(exception));
        for (index, first) in covering.iter().enumerate() {
            for second in covering.iter().skip(index + 1) {
                let pair = (file_order(first), file_order(second));
                let finding = self.overlaps.entry(pair).and_modify(|finding| {
                    if let ExceptionIssue::Overlaps { others, .. } = &mut finding.issue {
                        *others += 1;
                    }
                });
                finding.or_insert_with(|| ExceptionFinding {
                    exception: Arc::clone(first),
                    tenant: Some(Arc::clone(tenant)),
                    issue: ExceptionIssue::Overlaps {
                        with: Arc::clone(second),
                        first: Arc::clone(approvable.name()),
                        others: 0,
                    },
                });
            }
        }
    }

    fn findings(self, now: Timestamp) -> AuditedExceptions {
        let uses = self.uses.values();
        let findings = uses.flat_map(|uses| uses.findings(self.complete, now));
        let mut findings: Vec<ExceptionFinding> = findings.collect();
        findings.extend(self.overlaps.into_values());
        findings.sort_by_key(|finding| file_order(&finding.exception));
        let uses = self.uses.values();
        let not_judged = uses.filter(|it| it.is_not_judged(self.complete, now));
        AuditedExceptions {
            findings,
            not_judged: not_judged.count(),
        }
    }
}

impl Uses {
    /// `complete` if every tenant is given and has a catalogue.
    fn findings(&self, complete: bool, now: Timestamp) -> Vec<ExceptionFinding> {
        let complete = complete && !self.has_unknown;
        if self.exception.is_expired(now) {
            let covers = self.best() == Some(ExceptionUse::Covers);
            let in_use = (covers || self.is_complete(complete)).then_some(covers);
            return vec![self.finding(None, ExceptionIssue::Expired { in_use })];
        }
        let left = self.exception.expires.since(now);
        let soon = (left <= SOON).then(|| ExceptionIssue::ExpiresSoon {
            days: left.saturating_sub(Duration::from_nanos(1)).as_secs() / DAY.as_secs(),
        });
        let soon = soon.map(|issue| self.finding(None, issue));
        soon.into_iter().chain(self.unused(complete)).collect()
    }

    fn best(&self) -> Option<ExceptionUse> {
        self.by_tenant.iter().map(|(_, found)| *found).max()
    }

    /// Whether the use on each tenant that it may cover is known; `complete` if
    /// that of every tenant is.
    fn is_complete(&self, complete: bool) -> bool {
        let is_known = |named: &Arc<str>| self.by_tenant.iter().any(|(it, _)| it == named);
        match &self.exception.tenants {
            all if all.is_empty() => complete,
            named => named.iter().all(is_known),
        }
    }

    /// Whether it is for all tenants, and a tenant that is not known may be the
    /// one that uses it.
    fn is_not_judged(&self, complete: bool, now: Timestamp) -> bool {
        self.exception.tenants.is_empty()
            && !complete
            && !self.exception.is_expired(now)
            && self.best() != Some(ExceptionUse::Covers)
    }

    /// Where it is unused: on each tenant that it names, or if it applies to
    /// all, on none of them.
    fn unused(&self, complete: bool) -> Vec<ExceptionFinding> {
        if self.exception.tenants.is_empty() {
            let issue = self.best().filter(|_| complete);
            let issue = issue.and_then(ExceptionUse::issue);
            return issue.map(|it| self.finding(None, it)).into_iter().collect();
        }
        let unused = self.by_tenant.iter().filter_map(|(tenant, found)| {
            let issue = found.issue()?;
            Some(self.finding(Some(Arc::clone(tenant)), issue))
        });
        unused.collect()
    }

    fn finding(&self, tenant: Option<Arc<str>>, issue: ExceptionIssue) -> ExceptionFinding {
        ExceptionFinding {
            exception: Arc::clone(&self.exception),
            tenant,
            issue,
        }
    }
}

impl ExceptionUse {
    const fn issue(self) -> Option<ExceptionIssue> {
        match self {
            Self::MatchesNone => Some(ExceptionIssue::MatchesNothing),
            Self::CoversNone => Some(ExceptionIssue::CoversNothing),
            Self::Covers => None,
        }
    }
}

/// `None` where a list that it needs is not known, and it is not in use
/// according to the other one.
fn exception_use(
    exception: &Arc<Exception>,
    snapshot: &TenantSnapshot,
    now: Timestamp,
) -> Option<ExceptionUse> {
    let is_same = |other: &Arc<Exception>| Arc::ptr_eq(other, exception);
    let named = approvables(snapshot).filter(|it| it.exceptions().iter().any(is_same));
    let expired = exception.is_expired(now);
    let uses = named.map(|it| {
        let covered = it.covering().into_iter().any(is_same);
        let renewed = expired && it.approval(now).is_approved();
        match it.is_accepted() && covered && !renewed {
            true => ExceptionUse::Covers,
            false => ExceptionUse::CoversNone,
        }
    });
    let found = uses.max().unwrap_or(ExceptionUse::MatchesNone);
    let is_known = (exception.control.is_none() || snapshot.catalogue_anomalies.is_some())
        && (exception.recommendation.is_none() || snapshot.recommendation_anomalies.is_some());
    (is_known || found == ExceptionUse::Covers).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_model::{
        Anomalies, CatalogueEntry, Control, ControlState, History, Recommendation,
        RecommendationEntry, RecommendationList, RecommendationStatus, StateUpdate,
        StatusHistories,
    };

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

    fn expired(in_use: Option<bool>) -> ExceptionIssue {
        ExceptionIssue::Expired { in_use }
    }

    fn tenant(exceptions: &[&Arc<Exception>], controls: Vec<Control>) -> TenantSnapshot {
        TenantSnapshot {
            controls,
            catalogue_anomalies: Some(Anomalies::default()),
            exceptions: exceptions.iter().map(|it| Arc::clone(it)).collect(),
            ..TenantSnapshot::default()
        }
    }

    fn issues(tenants: &[(&str, &TenantSnapshot)]) -> Vec<(Option<String>, ExceptionIssue)> {
        let audited = audit_exceptions(tenants.iter().copied(), true, NOW);
        assert_eq!(audited.limit(), None);
        let findings = audited.findings.into_iter();
        findings
            .map(|finding| (finding.tenant.map(|it| it.to_string()), finding.issue))
            .collect()
    }

    #[test]
    fn an_exception_has_an_issue_from_thirty_days_before_its_end() {
        for (days, accepted, issue) in [
            (31, true, None),
            (30, true, Some(ExceptionIssue::ExpiresSoon { days: 29 })),
            (2, true, Some(ExceptionIssue::ExpiresSoon { days: 1 })),
            (1, true, Some(ExceptionIssue::ExpiresSoon { days: 0 })),
            (0, true, Some(expired(Some(true)))),
            (0, false, Some(expired(Some(false)))),
        ] {
            let it = exception(0, &[], days);
            let snapshot = tenant(&[&it], vec![control("A", accepted, &[&it])]);
            let expected: Vec<_> = issue.map(|issue| (None, issue)).into_iter().collect();
            assert_eq!(
                issues(&[("contoso", &snapshot)]),
                expected,
                "{days} days left"
            );
        }
    }

    #[test]
    fn an_exception_for_all_tenants_is_unused_where_no_tenant_needs_it() {
        let it = exception(0, &[], 90);
        let idle = tenant(&[&it], vec![control("A", false, &[&it])]);
        let busy = tenant(&[&it], vec![control("A", true, &[&it])]);
        assert_eq!(issues(&[("contoso", &idle), ("fabrikam", &busy)]), []);
        let both_idle = issues(&[("contoso", &idle), ("fabrikam", &idle)]);
        assert_eq!(both_idle, [(None, ExceptionIssue::CoversNothing)]);
    }

    #[test]
    fn an_exception_for_named_tenants_is_judged_for_each_tenant() {
        let it = exception(0, &["contoso", "fabrikam"], 90);
        let idle = tenant(&[&it], vec![control("A", false, &[&it])]);
        let without = tenant(&[&it], vec![control("A", true, &[])]);
        let expected = [
            (Some("contoso".to_owned()), ExceptionIssue::CoversNothing),
            (Some("fabrikam".to_owned()), ExceptionIssue::MatchesNothing),
        ];
        let found = issues(&[("contoso", &idle), ("fabrikam", &without)]);
        assert_eq!(found, expected);
    }

    #[test]
    fn a_tenant_without_a_catalogue_proves_nothing() {
        let it = exception(0, &[], 90);
        let named = exception(1, &["dark"], 90);
        let dark = TenantSnapshot {
            exceptions: vec![Arc::clone(&it), named],
            ..TenantSnapshot::default()
        };
        let idle = tenant(&[&it], vec![control("A", false, &[&it])]);
        let audited = audit_exceptions([("contoso", &idle), ("dark", &dark)], true, NOW);
        assert_eq!(audited.findings, []);
        let limit = "1 exception for all tenants is in use on no tenant known here; the other tenants may use it";
        assert_eq!(audited.limit().as_deref(), Some(limit));
    }

    #[test]
    fn a_part_of_the_tenants_does_not_judge_an_exception_that_others_may_use() {
        let valid = exception(0, &[], 90);
        let used = exception(1, &[], 90);
        let old = exception(2, &[], 0);
        let named = exception(3, &["contoso", "elsewhere"], 0);
        let own = exception(4, &["contoso"], 0);
        let all = [&valid, &used, &old, &named, &own];
        let idle = control("A", false, &[&valid, &old, &named, &own]);
        let snapshot = tenant(&all, vec![idle, control("B", true, &[&used])]);
        let audited = |all| audit_exceptions([("contoso", &snapshot)], all, NOW);
        let issues = |all| {
            let findings = audited(all).findings.into_iter();
            findings.map(|it| it.issue).collect::<Vec<_>>()
        };
        let (unknown, unused) = (expired(None), expired(Some(false)));
        let of_part = [unknown.clone(), unknown.clone(), unused.clone()];
        assert_eq!(issues(false), of_part);
        assert_eq!(audited(false).not_judged, 1);
        let idle = ExceptionIssue::CoversNothing;
        assert_eq!(issues(true), [idle, unused.clone(), unknown, unused]);
        assert_eq!(audited(true).not_judged, 0);
    }

    #[test]
    fn two_exceptions_that_cover_the_same_controls_are_one_issue() {
        let nine = exception(9, &[], 90);
        let ten = exception(10, &[], 91);
        let both = [&nine, &ten];
        let controls = ["A", "B", "C"].map(|id| control(id, true, &both));
        let snapshot = tenant(&both, controls.into());
        let found = audit_exceptions([("contoso", &snapshot)], true, NOW).findings;
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].to_string(),
            "risk_accepted.exceptions[9] (SEC-9, Control) and risk_accepted.exceptions[10] (SEC-10) \
             both cover A and 2 others"
        );
    }

    #[test]
    fn a_renewal_does_not_overlap_with_the_expired_exception() {
        let old = exception(0, &[], 0);
        let new = exception(1, &[], 90);
        let both = [&old, &new];
        let snapshot = tenant(&both, vec![control("A", true, &both)]);
        let expected = [(None, expired(Some(false)))];
        assert_eq!(issues(&[("contoso", &snapshot)]), expected);
    }

    fn recommendation(
        name: &str,
        status: RecommendationStatus,
        exceptions: &[&Arc<Exception>],
    ) -> Recommendation {
        let entry = RecommendationEntry {
            status,
            last_modified_by: Some("alex".into()),
            ..RecommendationEntry::new(name)
        };
        let mut histories = StatusHistories::default();
        let list = RecommendationList {
            entries: vec![Arc::new(entry.clone())],
            ..RecommendationList::default()
        };
        histories.observe(&list, true, NOW, NOW);
        Recommendation {
            history: histories.of(&name.to_ascii_lowercase()).cloned().unwrap(),
            exceptions: exceptions.iter().map(|it| Arc::clone(it)).collect(),
            ..Recommendation::new(entry)
        }
    }

    fn of_recommendation(number: usize, tenants: &[&str], days_left: i64) -> Arc<Exception> {
        Arc::new(Exception {
            control: None,
            recommendation: Some("Name".into()),
            ..(*exception(number, tenants, days_left)).clone()
        })
    }

    fn of_both(number: usize, tenants: &[&str], days_left: i64) -> Arc<Exception> {
        Arc::new(Exception {
            recommendation: Some("Name".into()),
            ..(*exception(number, tenants, days_left)).clone()
        })
    }

    fn with_list(
        snapshot: &TenantSnapshot,
        recommendations: Vec<Recommendation>,
    ) -> TenantSnapshot {
        TenantSnapshot {
            recommendations,
            recommendation_anomalies: Some(Anomalies::default()),
            ..snapshot.clone()
        }
    }

    #[test]
    fn an_exception_for_a_recommendation_is_judged_by_the_list_of_recommendations() {
        use RecommendationStatus::{Active, Dismissed, Postponed, RiskAccepted, ThirdParty};
        let text = |it: &Arc<Exception>, recommendations| {
            let snapshot = with_list(&tenant(&[it], vec![]), recommendations);
            let audited = audit_exceptions([("contoso", &snapshot)], true, NOW);
            assert_eq!(audited.limit(), None);
            let findings = audited.findings.iter();
            findings.map(ToString::to_string).collect::<Vec<_>>()
        };
        let valid = of_recommendation(0, &[], 90);
        let expired = of_recommendation(0, &["contoso"], 0);
        let place = |finding: &str| {
            [format!(
                "risk_accepted.exceptions[0] (SEC-0, Name) {finding}"
            )]
        };
        for status in [RiskAccepted, Dismissed, Postponed] {
            let list = |it| vec![recommendation("A", status, &[it])];
            assert!(text(&valid, list(&valid)).is_empty(), "{status}");
            let still = "has expired, but a risk that it covered is still accepted";
            assert_eq!(text(&expired, list(&expired)), place(still), "{status}");
        }
        for status in [Active, ThirdParty] {
            let list = |it| vec![recommendation("A", status, &[it])];
            let idle = "covers no accepted risk";
            assert_eq!(text(&valid, list(&valid)), place(idle), "{status}");
            let unused = "has expired and is not in use";
            assert_eq!(text(&expired, list(&expired)), place(unused), "{status}");
        }
        let other = vec![recommendation("B", Dismissed, &[])];
        assert_eq!(text(&valid, other), place("matches no recommendation"));
        let both = of_both(0, &[], 90);
        assert_eq!(
            text(&both, vec![]),
            [
                "risk_accepted.exceptions[0] (SEC-0, Control, Name) matches no control of the \
              catalogue and no recommendation"
            ]
        );
    }

    #[test]
    fn an_exception_for_both_places_is_used_where_one_of_them_is() {
        let it = of_both(0, &[], 90);
        let controls = |accepted| tenant(&[&it], vec![control("A", accepted, &[&it])]);
        let list = |status| vec![recommendation("A", status, &[&it])];
        let (active, dismissed) = (
            RecommendationStatus::Active,
            RecommendationStatus::Dismissed,
        );
        let found = |snapshot: &TenantSnapshot| issues(&[("contoso", snapshot)]);
        assert_eq!(found(&with_list(&controls(true), list(active))), []);
        assert_eq!(found(&with_list(&controls(false), list(dismissed))), []);
        let idle = found(&with_list(&controls(false), list(active)));
        assert_eq!(idle, [(None, ExceptionIssue::CoversNothing)]);
    }

    #[test]
    fn a_tenant_whose_recommendations_were_never_read_is_not_judged_by_them() {
        let all = of_recommendation(0, &[], 90);
        let named = of_recommendation(1, &["contoso"], 90);
        let both = of_both(2, &["contoso"], 90);
        let expired = of_recommendation(3, &["contoso"], 0);
        let used = of_both(4, &["contoso"], 0);
        let exceptions = [&all, &named, &both, &expired, &used];
        let control = [control("A", false, &[&both]), control("B", true, &[&used])];
        let unread = tenant(&exceptions, control.into());
        assert_eq!(
            issues(&[("contoso", &unread)]),
            [
                (None, self::expired(None)),
                (None, self::expired(Some(true)))
            ]
        );
        let idle = RecommendationStatus::Active;
        let read = with_list(&unread, vec![recommendation("A", idle, &[&all, &named])]);
        let elsewhere = issues(&[("contoso", &unread), ("fabrikam", &read)]);
        let of_all = |(tenant, issue): &(Option<String>, ExceptionIssue)| {
            tenant.is_none() && *issue == ExceptionIssue::CoversNothing
        };
        assert!(!elsewhere.iter().any(of_all), "contoso may use it");
        assert!(issues(&[("fabrikam", &read)]).iter().any(of_all));
    }

    #[test]
    fn two_exceptions_that_cover_a_recommendation_overlap() {
        let (first, second) = (of_both(0, &[], 90), of_recommendation(1, &[], 90));
        let both = [&first, &second];
        let accepted = RecommendationStatus::RiskAccepted;
        let list = ["A", "B"].map(|name| recommendation(name, accepted, &both));
        let controls = vec![control("A", true, &[&first])];
        let snapshot = with_list(&tenant(&both, controls), list.into());
        let found = audit_exceptions([("contoso", &snapshot)], true, NOW).findings;
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "risk_accepted.exceptions[0] (SEC-0, Control, Name) and risk_accepted.exceptions[1] \
              (SEC-1) both cover A and 1 other"
            ]
        );
    }
}
