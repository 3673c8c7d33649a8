//! Finds configured decisions that need attention.

use super::approvable::{Approvable, approvables};
use super::decision_finding::{DecisionFinding, DecisionIssue};
use secure_score_model::{Approval, Decision, DecisionPlace, TenantSnapshot, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Enough time to request a renewal.
const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What an audit of decisions found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditedDecisions {
    /// The issues, in the order of the file.
    pub findings: Vec<DecisionFinding>,
    /// Decisions for all tenants that are not in use on any known tenant, while
    /// others are not known.
    pub not_judged: usize,
}

impl AuditedDecisions {
    /// What the audit could not judge; `None` if it judged everything.
    pub fn limit(&self) -> Option<String> {
        let subject = match self.not_judged {
            0 => return None,
            1 => "1 decision for all tenants is".to_owned(),
            more => format!("{more} decisions for all tenants are"),
        };
        Some(format!(
            "{subject} in use on no tenant known here; the other tenants may use it"
        ))
    }
}

/// Audits the decisions of these tenants.
///
/// A tenant without a catalogue proves nothing, and neither does one without
/// recommendations about a decision that names one. A decision for all
/// tenants counts as unused only where `all` of them are given and prove it.
pub fn audit_decisions<'a>(
    tenants: impl IntoIterator<Item = (&'a str, &'a TenantSnapshot)>,
    all: bool,
    now: Timestamp,
) -> AuditedDecisions {
    let mut audit = DecisionAudit {
        complete: all,
        ..DecisionAudit::default()
    };
    for (tenant, snapshot) in tenants {
        audit.add(tenant, snapshot, now);
    }
    audit.findings(now)
}

#[derive(Default)]
struct DecisionAudit {
    complete: bool,
    uses: BTreeMap<DecisionPlace, Uses>,
    overlaps: BTreeMap<(DecisionPlace, DecisionPlace), DecisionFinding>,
    self_approvals: BTreeMap<DecisionPlace, DecisionFinding>,
}

struct Uses {
    decision: Arc<Decision>,
    by_tenant: Vec<(Arc<str>, DecisionUse)>,
    /// Whether its use on another tenant is not known.
    has_unknown: bool,
}

/// The use of a decision on one tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum DecisionUse {
    /// It matches nothing.
    MatchesNone,
    /// What it matches is not declared, or not as approved.
    CoversNone,
    /// It covers an accepted risk, a claim or a plan.
    Covers,
}

impl DecisionAudit {
    fn add(&mut self, tenant: &str, snapshot: &TenantSnapshot, now: Timestamp) {
        self.complete &= snapshot.catalogue_anomalies.is_some();
        let tenant: Arc<str> = tenant.into();
        let named = approvables(snapshot).filter(|it| !it.decisions().is_empty());
        let named: Vec<Approvable<'_>> = named.collect();
        for decision in &snapshot.decisions {
            let uses = self.uses.entry(decision.place.clone());
            let uses = uses.or_insert_with(|| Uses {
                decision: Arc::clone(decision),
                by_tenant: Vec::new(),
                has_unknown: false,
            });
            match decision_use(decision, &named, snapshot, now) {
                Some(found) => uses.by_tenant.push((Arc::clone(&tenant), found)),
                None => uses.has_unknown = true,
            }
        }
        for approvable in named {
            self.note_overlaps(&tenant, approvable, now);
            self.note_self_approvals(&tenant, approvable, now);
        }
    }

    fn note_self_approvals(
        &mut self,
        tenant: &Arc<str>,
        approvable: Approvable<'_>,
        now: Timestamp,
    ) {
        for decision in approvable.judgement().self_approvals(now) {
            let known = self.self_approvals.entry(decision.place.clone());
            let known = known.and_modify(|finding| {
                if let DecisionIssue::SelfApproved { others, .. } = &mut finding.issue {
                    *others += 1;
                }
            });
            known.or_insert_with(|| DecisionFinding {
                decision: Arc::clone(decision),
                tenant: Some(Arc::clone(tenant)),
                issue: DecisionIssue::SelfApproved {
                    first: Arc::clone(approvable.name()),
                    others: 0,
                },
            });
        }
    }

    fn note_overlaps(&mut self, tenant: &Arc<str>, approvable: Approvable<'_>, now: Timestamp) {
        let mut covering = approvable.covering();
        covering.retain(|it| !it.is_expired(now));
        covering.sort_by(|one, other| one.place.cmp(&other.place));
        for (index, first) in covering.iter().enumerate() {
            for second in covering.iter().skip(index + 1) {
                let pair = (first.place.clone(), second.place.clone());
                let finding = self.overlaps.entry(pair).and_modify(|finding| {
                    if let DecisionIssue::Overlaps { others, .. } = &mut finding.issue {
                        *others += 1;
                    }
                });
                finding.or_insert_with(|| DecisionFinding {
                    decision: Arc::clone(first),
                    tenant: Some(Arc::clone(tenant)),
                    issue: DecisionIssue::Overlaps {
                        with: Arc::clone(second),
                        first: Arc::clone(approvable.name()),
                        others: 0,
                    },
                });
            }
        }
    }

    fn findings(self, now: Timestamp) -> AuditedDecisions {
        let uses = self.uses.values();
        let findings = uses.flat_map(|uses| uses.findings(self.complete, now));
        let mut findings: Vec<DecisionFinding> = findings.collect();
        findings.extend(self.overlaps.into_values());
        findings.extend(self.self_approvals.into_values());
        findings.sort_by(|one, other| one.decision.place.cmp(&other.decision.place));
        let uses = self.uses.values();
        let not_judged = uses.filter(|it| it.is_not_judged(self.complete, now));
        AuditedDecisions {
            findings,
            not_judged: not_judged.count(),
        }
    }
}

impl Uses {
    /// `complete` if every tenant is given and has a catalogue.
    fn findings(&self, complete: bool, now: Timestamp) -> Vec<DecisionFinding> {
        let complete = complete && !self.has_unknown;
        if self.decision.is_expired(now) {
            let covers = self.best() == Some(DecisionUse::Covers);
            let in_use = (covers || self.is_complete(complete)).then_some(covers);
            return vec![self.finding(None, DecisionIssue::Expired { in_use })];
        }
        let left = self.decision.expires.since(now);
        let soon = (left <= SOON).then(|| DecisionIssue::ExpiresSoon {
            days: left.saturating_sub(Duration::from_nanos(1)).as_secs() / DAY.as_secs(),
        });
        let soon = soon.map(|issue| self.finding(None, issue));
        soon.into_iter().chain(self.unused(complete)).collect()
    }

    fn best(&self) -> Option<DecisionUse> {
        self.by_tenant.iter().map(|(_, found)| *found).max()
    }

    /// Whether the use on each tenant that it may cover is known; `complete` if
    /// that of every tenant is.
    fn is_complete(&self, complete: bool) -> bool {
        let is_known = |named: &Arc<str>| self.by_tenant.iter().any(|(it, _)| it == named);
        match &self.decision.tenants {
            all if all.is_empty() => complete,
            named => named.iter().all(is_known),
        }
    }

    /// Whether it is for all tenants, and a tenant that is not known may be the
    /// one that uses it.
    fn is_not_judged(&self, complete: bool, now: Timestamp) -> bool {
        self.decision.tenants.is_empty()
            && !complete
            && !self.decision.is_expired(now)
            && self.best() != Some(DecisionUse::Covers)
    }

    /// Where it is unused: on each tenant that it names, or if it applies to
    /// all, on none of them.
    fn unused(&self, complete: bool) -> Vec<DecisionFinding> {
        if self.decision.tenants.is_empty() {
            let issue = self.best().filter(|_| complete);
            let issue = issue.and_then(DecisionUse::issue);
            return issue.map(|it| self.finding(None, it)).into_iter().collect();
        }
        let unused = self.by_tenant.iter().filter_map(|(tenant, found)| {
            let issue = found.issue()?;
            Some(self.finding(Some(Arc::clone(tenant)), issue))
        });
        unused.collect()
    }

    fn finding(&self, tenant: Option<Arc<str>>, issue: DecisionIssue) -> DecisionFinding {
        DecisionFinding {
            decision: Arc::clone(&self.decision),
            tenant,
            issue,
        }
    }
}

impl DecisionUse {
    const fn issue(self) -> Option<DecisionIssue> {
        match self {
            Self::MatchesNone => Some(DecisionIssue::MatchesNothing),
            Self::CoversNone => Some(DecisionIssue::CoversNothing),
            Self::Covers => None,
        }
    }
}

/// `named` are the controls and recommendations that a decision names. `None` where
/// a list that the decision needs is not known, and it is not in use according to the
/// other one.
fn decision_use(
    decision: &Arc<Decision>,
    named: &[Approvable<'_>],
    snapshot: &TenantSnapshot,
    now: Timestamp,
) -> Option<DecisionUse> {
    let is_same = |other: &Arc<Decision>| Arc::ptr_eq(other, decision);
    let named = named.iter().copied();
    let named = named.filter(|it| it.decisions().iter().any(is_same));
    let expired = decision.is_expired(now);
    let uses = named.map(|it| {
        let judgement = it.judgement();
        let is_covered = judgement.covering_present().any(is_same)
            || it.is_accepted() && it.covering().into_iter().any(is_same);
        let present = match it.is_accepted() {
            true => Some(it.approval(now)),
            false => judgement.present_approval(now),
        };
        let is_renewed = expired && present.is_some_and(Approval::is_approved);
        match is_covered && !is_renewed {
            true => DecisionUse::Covers,
            false => DecisionUse::CoversNone,
        }
    });
    let found = uses.max().unwrap_or(DecisionUse::MatchesNone);
    let is_known = (decision.control.is_none() || snapshot.catalogue_anomalies.is_some())
        && (decision.recommendation.is_none() || snapshot.recommendation_anomalies.is_some());
    (is_known || found == DecisionUse::Covers).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_model::{
        Anomalies, CatalogueEntry, Control, ControlState, DecisionSource, DecisionState, History,
        Recommendation, RecommendationEntry, RecommendationList, RecommendationStatus, StateUpdate,
        StatusHistories,
    };

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn decision(number: usize, tenants: &[&str], days_left: i64) -> Arc<Decision> {
        let seconds = days_left * 24 * 60 * 60;
        let expires = Timestamp::from_nanos(NOW.nanos() + seconds * 1_000_000_000);
        Arc::new(Decision {
            place: DecisionSource::Exceptions.at(number),
            tenants: tenants.iter().map(|name| Arc::from(*name)).collect(),
            ..Decision::new("Control", &format!("SEC-{number}"), expires)
        })
    }

    fn control(id: &str, accepted: bool, decisions: &[&Arc<Decision>]) -> Control {
        let acceptance = StateUpdate {
            at: Some(Timestamp::from_seconds(1_700_000_000)),
            by: Some("alex".into()),
            ..StateUpdate::new(ControlState::RiskAccepted)
        };
        let updates = if accepted { vec![acceptance] } else { vec![] };
        Control {
            decisions: decisions.iter().map(|it| Arc::clone(it)).collect(),
            ..Control::listed(CatalogueEntry {
                history: History::from_updates(updates),
                ..CatalogueEntry::new(id)
            })
        }
    }

    fn expired(in_use: Option<bool>) -> DecisionIssue {
        DecisionIssue::Expired { in_use }
    }

    fn tenant(decisions: &[&Arc<Decision>], controls: Vec<Control>) -> TenantSnapshot {
        TenantSnapshot {
            controls,
            catalogue_anomalies: Some(Anomalies::default()),
            decisions: decisions.iter().map(|it| Arc::clone(it)).collect(),
            ..TenantSnapshot::default()
        }
    }

    fn issues(tenants: &[(&str, &TenantSnapshot)]) -> Vec<(Option<String>, DecisionIssue)> {
        let audited = audit_decisions(tenants.iter().copied(), true, NOW);
        assert_eq!(audited.limit(), None);
        let findings = audited.findings.into_iter();
        findings
            .map(|finding| (finding.tenant.map(|it| it.to_string()), finding.issue))
            .collect()
    }

    #[test]
    fn an_approval_of_the_own_acceptance_is_found() {
        let named = |approver: &str, needs_separate_approver| {
            Arc::new(Decision {
                approver: Some(approver.into()),
                needs_separate_approver,
                ..(*decision(1, &[], 200)).clone()
            })
        };
        for is_refused in [false, true] {
            let own = named("ALEX", is_refused);
            let snapshot = tenant(&[&own], vec![control("Control", true, &[&own])]);
            let audited = audit_decisions([("contoso", &snapshot)], true, NOW);
            let said = audited.findings.iter().map(ToString::to_string);
            let said = said.collect::<Vec<_>>().join("; ");
            assert!(said.contains("is self-approved for Control"), "{said}");
            assert_eq!(
                said.contains("which approves nothing"),
                is_refused,
                "{said}"
            );
        }
        let other = named("Eve", true);
        let snapshot = tenant(&[&other], vec![control("Control", true, &[&other])]);
        assert_eq!(issues(&[("contoso", &snapshot)]), []);
    }

    #[test]
    fn a_decision_about_a_claim_is_in_use_while_the_claim_stands() {
        let about = |state, days_left| {
            Arc::new(Decision {
                place: DecisionSource::Decisions.at(1),
                states: vec![state],
                ..(*decision(1, &[], days_left)).clone()
            })
        };
        for (state, days_left, found) in [
            (DecisionState::ThirdParty, 200, None),
            (
                DecisionState::ThirdParty,
                -1,
                Some((
                    "has expired, but what it approved still stands",
                    "have it approved again with a new date, or set the state in the portal back",
                )),
            ),
            (
                DecisionState::Planned,
                200,
                Some(("covers nothing that is declared now", "remove the decision")),
            ),
        ] {
            let decision = about(state, days_left);
            let claim = StateUpdate::new(ControlState::ThirdParty);
            let claimed = Control {
                decisions: vec![Arc::clone(&decision)],
                ..Control::listed(CatalogueEntry {
                    history: History::from_updates(vec![claim]),
                    ..CatalogueEntry::new("Control")
                })
            };
            let snapshot = tenant(&[&decision], vec![claimed]);
            let findings = audit_decisions([("contoso", &snapshot)], true, NOW).findings;
            let said: Vec<_> = findings
                .iter()
                .map(|it| (it.to_string(), it.remedy()))
                .collect();
            let expected = found
                .map(|(text, remedy)| (format!("decisions[1] (SEC-1, Control) {text}"), remedy));
            assert_eq!(said, Vec::from_iter(expected), "{state}");
        }
    }

    #[test]
    fn a_decision_has_an_issue_from_thirty_days_before_its_end() {
        for (days, accepted, issue) in [
            (31, true, None),
            (30, true, Some(DecisionIssue::ExpiresSoon { days: 29 })),
            (2, true, Some(DecisionIssue::ExpiresSoon { days: 1 })),
            (1, true, Some(DecisionIssue::ExpiresSoon { days: 0 })),
            (0, true, Some(expired(Some(true)))),
            (0, false, Some(expired(Some(false)))),
        ] {
            let it = decision(0, &[], days);
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
    fn a_decision_for_all_tenants_is_unused_where_no_tenant_needs_it() {
        let it = decision(0, &[], 90);
        let idle = tenant(&[&it], vec![control("A", false, &[&it])]);
        let busy = tenant(&[&it], vec![control("A", true, &[&it])]);
        assert_eq!(issues(&[("contoso", &idle), ("fabrikam", &busy)]), []);
        let both_idle = issues(&[("contoso", &idle), ("fabrikam", &idle)]);
        assert_eq!(both_idle, [(None, DecisionIssue::CoversNothing)]);
    }

    #[test]
    fn a_decision_for_named_tenants_is_judged_for_each_tenant() {
        let it = decision(0, &["contoso", "fabrikam"], 90);
        let idle = tenant(&[&it], vec![control("A", false, &[&it])]);
        let without = tenant(&[&it], vec![control("A", true, &[])]);
        let expected = [
            (Some("contoso".to_owned()), DecisionIssue::CoversNothing),
            (Some("fabrikam".to_owned()), DecisionIssue::MatchesNothing),
        ];
        let found = issues(&[("contoso", &idle), ("fabrikam", &without)]);
        assert_eq!(found, expected);
    }

    #[test]
    fn a_tenant_without_a_catalogue_proves_nothing() {
        let it = decision(0, &[], 90);
        let named = decision(1, &["dark"], 90);
        let dark = TenantSnapshot {
            decisions: vec![Arc::clone(&it), named],
            ..TenantSnapshot::default()
        };
        let idle = tenant(&[&it], vec![control("A", false, &[&it])]);
        let audited = audit_decisions([("contoso", &idle), ("dark", &dark)], true, NOW);
        assert_eq!(audited.findings, []);
        let limit = "1 decision for all tenants is in use on no tenant known here; the other tenants may use it";
        assert_eq!(audited.limit().as_deref(), Some(limit));
    }

    #[test]
    fn a_part_of_the_tenants_does_not_judge_a_decision_that_others_may_use() {
        let valid = decision(0, &[], 90);
        let used = decision(1, &[], 90);
        let old = decision(2, &[], 0);
        let named = decision(3, &["contoso", "elsewhere"], 0);
        let own = decision(4, &["contoso"], 0);
        let all = [&valid, &used, &old, &named, &own];
        let idle = control("A", false, &[&valid, &old, &named, &own]);
        let snapshot = tenant(&all, vec![idle, control("B", true, &[&used])]);
        let audited = |all| audit_decisions([("contoso", &snapshot)], all, NOW);
        let issues = |all| {
            let findings = audited(all).findings.into_iter();
            findings.map(|it| it.issue).collect::<Vec<_>>()
        };
        let (unknown, unused) = (expired(None), expired(Some(false)));
        let of_part = [unknown.clone(), unknown.clone(), unused.clone()];
        assert_eq!(issues(false), of_part);
        assert_eq!(audited(false).not_judged, 1);
        let idle = DecisionIssue::CoversNothing;
        assert_eq!(issues(true), [idle, unused.clone(), unknown, unused]);
        assert_eq!(audited(true).not_judged, 0);
    }

    #[test]
    fn two_decisions_that_cover_the_same_controls_are_one_issue() {
        let nine = decision(9, &[], 90);
        let ten = decision(10, &[], 91);
        let both = [&nine, &ten];
        let controls = ["A", "B", "C"].map(|id| control(id, true, &both));
        let snapshot = tenant(&both, controls.into());
        let found = audit_decisions([("contoso", &snapshot)], true, NOW).findings;
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].to_string(),
            "risk_accepted.exceptions[9] (SEC-9, Control) and risk_accepted.exceptions[10] (SEC-10) \
             both cover A and 2 others"
        );
    }

    #[test]
    fn a_renewal_does_not_overlap_with_the_expired_decision() {
        let old = decision(0, &[], 0);
        let new = decision(1, &[], 90);
        let both = [&old, &new];
        let snapshot = tenant(&both, vec![control("A", true, &both)]);
        let expected = [(None, expired(Some(false)))];
        assert_eq!(issues(&[("contoso", &snapshot)]), expected);
    }

    fn recommendation(
        name: &str,
        status: RecommendationStatus,
        decisions: &[&Arc<Decision>],
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
            decisions: decisions.iter().map(|it| Arc::clone(it)).collect(),
            ..Recommendation::new(entry)
        }
    }

    fn of_recommendation(number: usize, tenants: &[&str], days_left: i64) -> Arc<Decision> {
        Arc::new(Decision {
            control: None,
            recommendation: Some("Name".into()),
            ..(*decision(number, tenants, days_left)).clone()
        })
    }

    fn of_both(number: usize, tenants: &[&str], days_left: i64) -> Arc<Decision> {
        Arc::new(Decision {
            recommendation: Some("Name".into()),
            ..(*decision(number, tenants, days_left)).clone()
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
    fn a_decision_for_a_recommendation_is_judged_by_the_list_of_recommendations() {
        use RecommendationStatus::{Active, Dismissed, Postponed, RiskAccepted, ThirdParty};
        let text = |it: &Arc<Decision>, recommendations| {
            let snapshot = with_list(&tenant(&[it], vec![]), recommendations);
            let audited = audit_decisions([("contoso", &snapshot)], true, NOW);
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
    fn a_decision_for_both_places_is_used_where_one_of_them_is() {
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
        assert_eq!(idle, [(None, DecisionIssue::CoversNothing)]);
    }

    #[test]
    fn a_tenant_whose_recommendations_were_never_read_is_not_judged_by_them() {
        let all = of_recommendation(0, &[], 90);
        let named = of_recommendation(1, &["contoso"], 90);
        let both = of_both(2, &["contoso"], 90);
        let expired = of_recommendation(3, &["contoso"], 0);
        let used = of_both(4, &["contoso"], 0);
        let decisions = [&all, &named, &both, &expired, &used];
        let control = [control("A", false, &[&both]), control("B", true, &[&used])];
        let unread = tenant(&decisions, control.into());
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
        let of_all = |(tenant, issue): &(Option<String>, DecisionIssue)| {
            tenant.is_none() && *issue == DecisionIssue::CoversNothing
        };
        assert!(!elsewhere.iter().any(of_all), "contoso may use it");
        assert!(issues(&[("fabrikam", &read)]).iter().any(of_all));
    }

    #[test]
    fn two_decisions_that_cover_a_recommendation_overlap() {
        let (first, second) = (of_both(0, &[], 90), of_recommendation(1, &[], 90));
        let both = [&first, &second];
        let accepted = RecommendationStatus::RiskAccepted;
        let list = ["A", "B"].map(|name| recommendation(name, accepted, &both));
        let controls = vec![control("A", true, &[&first])];
        let snapshot = with_list(&tenant(&both, controls), list.into());
        let found = audit_decisions([("contoso", &snapshot)], true, NOW).findings;
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
