//! The check of the lists of Entra, for which a tenant may grant a permission.

use super::result::CheckResult;
use crate::commands::now;
use crate::config::{Enabled, Tenant};
use crate::credentials::RECOMMENDATIONS_PERMISSION;
use crate::graph::{Client, GraphError, RefreshPermit, Subject};
use crate::serde_time::Day;
use crate::text::count;
use secure_score_model::{
    IdentityScore, Points, Reason, RecommendationList, StatusHistories, is_future_day,
};

/// The lists of Entra, as far as they were read.
#[derive(Default)]
pub(super) struct EntraLists {
    pub(super) recommendations: Option<RecommendationList>,
    /// The present statuses, by which decisions are judged.
    pub(super) statuses: StatusHistories,
    pub(super) identity_score: Option<IdentityScore>,
}

/// What the check of them needs of the tenant's check.
pub(super) struct EntraCheck<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) client: &'a Client,
    pub(super) result: &'a mut CheckResult,
}

impl EntraCheck<'_> {
    /// Reads the lists, unless the configuration switches them off.
    pub(super) async fn run(mut self, permit: &mut RefreshPermit) -> EntraLists {
        let mut lists = EntraLists::default();
        if self.tenant.recommendations.enabled == Enabled::Off {
            return lists;
        }
        match self.recommendations(permit).await {
            Ok(recommendations) => {
                let now = now();
                lists.statuses.observe(&recommendations, true, now, now);
                lists.recommendations = Some(recommendations);
            }
            Err(error) => {
                self.add_error(&error);
                // The other list needs the same permission.
                if error.is_not_offered() && error.reason() == Reason::Permission {
                    return lists;
                }
            }
        }
        lists.identity_score = match self.identity_score(permit).await {
            Ok(score) => score,
            Err(error) => {
                self.add_error(&error);
                None
            }
        };
        lists
    }

    async fn recommendations(
        &mut self,
        permit: &mut RefreshPermit,
    ) -> Result<RecommendationList, GraphError> {
        let resources = self.tenant.recommendations.impacted_resources;
        let fetched = self.client.recommendations(resources, None, permit).await?;
        let fetched = fetched.into_fetched();
        let list = fetched.value;
        let set_aside = list.entries.iter();
        let set_aside = set_aside.filter(|it| it.status.sets_aside() == Some(true));
        self.result.ok(format!(
            "recommendations: {}, {} set aside",
            list.entries.len(),
            set_aside.count()
        ));
        if fetched.partial {
            self.result
                .fail(&GraphError::partial(Subject::Recommendations));
        }
        self.result
            .add_anomalies("recommendations", &list.anomalies);
        Ok(list)
    }

    async fn identity_score(
        &mut self,
        permit: &mut RefreshPermit,
    ) -> Result<Option<IdentityScore>, GraphError> {
        let subject = Subject::IdentityScore;
        let fetched = self.client.identity_score(permit).await?;
        let result = &mut *self.result;
        let Some(score) = fetched.value else {
            result.warn(
                "Identity Secure Score: Graph has none yet",
                "a new tenant gets its first one after some days",
            );
            return Ok(None);
        };
        if let Some(day) = score.as_of.filter(|day| is_future_day(*day, now())) {
            return Err(GraphError::future_report(subject, day));
        }
        if fetched.partial {
            result.fail(&GraphError::partial(subject));
        }
        let shown = |points: Option<Points>| {
            points.map_or_else(|| "unknown".to_owned(), |it| it.get().to_string())
        };
        let day = score.as_of.map(Day::beginning);
        let day = day.map_or_else(String::new, |day| format!(", of {day}"));
        result.ok(format!(
            "Identity Secure Score: {} of {}{day}",
            shown(score.score),
            count(shown(score.max_score), "point")
        ));
        result.add_anomalies("Identity Secure Score", &score.anomalies);
        Ok(Some(score))
    }

    /// A list that the tenant does not offer is a failure only where the
    /// configuration demands it.
    fn add_error(&mut self, error: &GraphError) {
        let is_demanded = self.tenant.recommendations.enabled == Enabled::On;
        let result = &mut *self.result;
        if is_demanded || !error.is_not_offered() {
            result.fail(error);
        } else if error.reason() != Reason::Permission {
            let note = format!("Entra's lists: not available here: {error}");
            result.notes.push(note);
        } else {
            result.notes.push(format!(
                "recommendations: not read, since the tenant does not grant {RECOMMENDATIONS_PERMISSION}; \
                 granting it adds the risks accepted in Entra and the Identity Secure Score"
            ));
        }
    }
}
