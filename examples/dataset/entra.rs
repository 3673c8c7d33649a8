//! What Entra would list of a tenant at a moment: its recommendations and its
//! own Identity Secure Score.

use crate::dice::roll;
use crate::story::{
    DISMISSED_RESOURCES, Organisation, RECOMMENDATION_APPROVALS, STATUS_CHANGES, StatusSetting,
};
use crate::tenant::{Tenant, decision};
use crate::{DAY, END, START};
use RecommendationCategory::{IdentityBestPractice, IdentitySecureScore, MdiSecureScore};
use RecommendationPriority::{High, Low, Medium};
use secure_score_model::{
    Anomalies, Decision, IdentityScore, Points, RecommendationCategory, RecommendationEntry,
    RecommendationList, RecommendationPriority, RecommendationStatus, StatusHistories, Timestamp,
    UnknownField,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Points that Entra counts beyond those of Secure Score, and their maximum.
const ENTRA_ALONE: (f64, f64) = (2.0, 5.0);

/// One recommendation: its name, and what does not change.
struct Advice {
    name: &'static str,
    category: RecommendationCategory,
    priority: RecommendationPriority,
    impact: &'static str,
    license: &'static str,
    title: &'static str,
}

const fn advice(
    name: &'static str,
    category: RecommendationCategory,
    priority: RecommendationPriority,
    impact: &'static str,
    license: &'static str,
    title: &'static str,
) -> Advice {
    Advice {
        name,
        category,
        priority,
        impact,
        license,
        title,
    }
}

const FREE: &str = "microsoftEntraIdFree";
const P1: &str = "microsoftEntraIdP1";
const P2: &str = "microsoftEntraIdP2";
const WORKLOAD: &str = "microsoftEntraWorkloadId";

#[rustfmt::skip]
static ADVICE: [Advice; 14] = [
    advice("adminMFAV2", IdentitySecureScore, High, "users", FREE, "Require a second factor from administrators"),
    advice("applicationCredentialExpiry", IdentityBestPractice, High, "applications", WORKLOAD, "Renew application credentials that expire soon"),
    advice("blockLegacyAuthentication", IdentitySecureScore, High, "users", P1, "Block sign-in over legacy protocols"),
    advice("integratedApps", IdentitySecureScore, Medium, "Tenant level", FREE, "Do not let users consent to apps on their own"),
    advice("mdiUnmonitoredADCS", MdiSecureScore, Medium, "Tenant level", "aatp", "Put a sensor on every certificate server"),
    advice("mfaRegistrationV2", IdentitySecureScore, High, "users", FREE, "Require a second factor from every user"),
    advice("oneAdmin", IdentitySecureScore, Low, "users", FREE, "Name more than one global administrator"),
    advice("pwagePolicyNew", IdentitySecureScore, Medium, "Tenant level", FREE, "Let passwords live until there is a reason to change them"),
    advice("roleOverlap", IdentitySecureScore, Low, "users", FREE, "Hand out the smallest role that does the job"),
    advice("selfServicePasswordReset", IdentitySecureScore, Low, "users", P1, "Let all users reset their own password"),
    advice("signinRiskPolicy", IdentitySecureScore, High, "users", P2, "Challenge sign-ins that look risky"),
    advice("staleApps", IdentityBestPractice, Medium, "applications", WORKLOAD, "Remove applications that are not used"),
    advice("tenantMFA", IdentityBestPractice, High, "Tenant level", FREE, "Turn on security defaults"),
    advice("userRiskPolicy", IdentitySecureScore, High, "users", P2, "Challenge users whose account may be compromised"),
];

impl Tenant {
    /// The recommendations at a moment, where the tenant lets the exporter read
    /// them.
    pub(crate) fn recommendations(&self, now: i64) -> Option<RecommendationList> {
        if !self.organisation.grants_entra {
            return None;
        }
        let mut anomalies = Anomalies::default();
        let entries = ADVICE.iter().map(|advice| {
            let entry = self.recommendation(advice, now);
            if entry.status == RecommendationStatus::Unknown {
                anomalies.unknown(UnknownField::Status);
            }
            Arc::new(entry)
        });
        let entries = entries.collect();
        Some(RecommendationList {
            entra_tenant_id: Some(self.organisation.entra_id.into()),
            entries,
            anomalies,
        })
    }

    fn recommendation(&self, advice: &Advice, now: i64) -> RecommendationEntry {
        let setting = self.setting(advice.name, now);
        let maximum = self.scored_points(advice.name);
        let share = self.scored_share(advice.name, now).unwrap_or_else(|| {
            let name = self.organisation.name;
            f64::from(u8::from(
                roll(&[name, advice.name]) < self.organisation.maturity,
            ))
        });
        // What is set aside is not done.
        let share = match setting.and_then(|it| it.status.sets_aside()) {
            Some(true) => share.min(0.25),
            _ => share,
        };
        let by_system = if share < 1.0 {
            RecommendationStatus::Active
        } else {
            RecommendationStatus::CompletedBySystem
        };
        let counts = advice.category == IdentitySecureScore;
        let points = |value: f64| Points::new((value * 4.0).round() / 4.0);
        let of_score = |value: f64| maximum.filter(|_| counts).and_then(|it| points(it * value));
        RecommendationEntry {
            title: advice.title.into(),
            category: advice.category,
            status: setting.map_or(by_system, |it| it.status),
            priority: advice.priority,
            impact_type: advice.impact.into(),
            license: advice.license.into(),
            score: of_score(share),
            max_score: of_score(1.0),
            status_modified: setting.map(|it| Timestamp::from_seconds(it.at())),
            last_modified: Some(Timestamp::from_seconds(
                setting.map_or(START, StatusSetting::at),
            )),
            last_modified_by: setting.map(|it| it.by.into()),
            postponed_until: setting
                .and_then(|it| it.postponed_days)
                .map(|days| Timestamp::from_seconds(END + days * DAY)),
            impacted_resources: self.impacted(advice, share, now),
            ..RecommendationEntry::new(advice.name)
        }
    }

    fn setting(&self, recommendation: &str, now: i64) -> Option<&'static StatusSetting> {
        let made = self.settings().filter(|it| it.at() <= now);
        made.filter(|it| it.recommendation == recommendation).last()
    }

    fn settings(&self) -> impl Iterator<Item = &'static StatusSetting> {
        let name = self.organisation.name;
        STATUS_CHANGES.iter().filter(move |it| it.tenant == name)
    }

    /// Users or applications that it concerns; Graph lists none of the tenant.
    fn impacted(
        &self,
        advice: &Advice,
        share: f64,
        now: i64,
    ) -> Option<BTreeMap<RecommendationStatus, u64>> {
        if advice.impact == "Tenant level" {
            return None;
        }
        let Organisation { name, users, .. } = *self.organisation;
        let open = ((1.0 - share) * users as f64 / 40.0).ceil() as u64;
        let mut found = BTreeMap::from([(RecommendationStatus::Active, open)]);
        let dismissed = DISMISSED_RESOURCES
            .iter()
            .find(|(tenant, of, ..)| (*tenant, *of) == (name, advice.name));
        if let Some((.., days, count)) = dismissed
            && now >= END - days * DAY
        {
            found.insert(RecommendationStatus::Dismissed, *count);
        }
        Some(found)
    }

    /// The statuses until a moment, as an exporter that always ran saw them.
    pub(crate) fn statuses(&self, now: i64) -> StatusHistories {
        let changes = self.settings().map(StatusSetting::at);
        let days = (0..=30).map(|day| START + day * DAY);
        let mut times: Vec<i64> = changes.chain(days).filter(|at| *at >= START).collect();
        times.sort_unstable();
        let mut statuses = StatusHistories::default();
        for at in times.into_iter().filter(|at| *at <= now) {
            if let Some(list) = self.recommendations(at) {
                let at = Timestamp::from_seconds(at);
                statuses.observe(&list, true, at, at);
            }
        }
        statuses
    }

    /// The Identity Secure Score of the day, in whole points as Entra gives it.
    pub(crate) fn identity_score(&self, now: i64) -> Option<Arc<IdentityScore>> {
        let day = now.div_euclid(DAY) * DAY;
        let list = self.recommendations(day)?;
        let sum = |of: fn(&RecommendationEntry) -> Option<Points>, more: f64| {
            let points = list.entries.iter().filter_map(|it| of(it));
            Points::new((points.map(Points::get).sum::<f64>() + more).round())
        };
        Some(Arc::new(IdentityScore {
            as_of: Some(Timestamp::from_seconds(day)),
            score: sum(|it| it.score, ENTRA_ALONE.0),
            max_score: sum(|it| it.max_score, ENTRA_ALONE.1),
            anomalies: Anomalies::default(),
        }))
    }
}

/// The decisions for recommendations of a tenant.
pub(crate) fn decisions(tenant: &'static str) -> impl Iterator<Item = Arc<Decision>> {
    let of_tenant = RECOMMENDATION_APPROVALS
        .iter()
        .filter(move |(of, ..)| *of == tenant);
    of_tenant.map(move |(_, recommendation, reference, days)| {
        Arc::new(Decision {
            control: None,
            recommendation: Some((*recommendation).into()),
            ..decision(tenant, recommendation, reference, *days)
        })
    })
}
