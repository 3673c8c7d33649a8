//! Applies the lists of Entra to a tenant.

use super::tenant_cell::{Update, complete};
use super::wait::Wait;
use crate::graph::{Fetched, GraphError, ListAnswer, Subject};
use secure_score_model::{
    Api, IdentityScore, RecommendationList, RefreshHealth, Timestamp, Traffic, is_future_day,
};
use std::sync::Arc;
use std::time::Duration;

impl Update<'_> {
    /// Records that the tenant does not offer a list of Entra, or that its token
    /// cannot be had, which the other lists show. It has neither series nor
    /// failures until the list was read once.
    pub(super) fn not_offered(&mut self, api: Api, traffic: Traffic, next_in: Duration) {
        let wait = Wait::new(next_in, self.cell.now(), None);
        *self.next.health.of_mut(api) = RefreshHealth::default();
        self.next.waits.insert(api, wait);
        self.next.health.traffic = traffic;
        self.save = true;
    }

    pub(super) fn apply_recommendations(
        &mut self,
        answer: ListAnswer<RecommendationList>,
    ) -> Result<(), GraphError> {
        let subject = Subject::Recommendations;
        if let ListAnswer::Same(known) = &answer {
            self.identify(subject, known.value.entra_tenant_id.as_ref())?;
            let (now, max_staleness) = (self.cell.now(), self.max_staleness());
            if self.next.recommendations.confirm(known, now, max_staleness) {
                return Ok(());
            }
        }
        let fetched = answer.into_fetched();
        let Fetched { partial, .. } = fetched;
        let mut list = fetched.value;
        self.identify(subject, list.entra_tenant_id.as_ref())?;
        let (cell, next) = (self.cell, &mut self.next);
        let last = next.recommendations.last();
        if list.entries.is_empty() && last.is_some_and(|it| !it.value.entries.is_empty()) {
            return Err(GraphError::emptied(subject));
        }
        let merge = RecommendationList::with_set_aside_of;
        if partial && next.recommendations.is_complete() {
            next.recommendations.add_evidence(&list, merge);
            return Err(GraphError::partial(subject));
        }
        if partial {
            list = next.recommendations.with_evidence(list, merge);
        }
        let words = fetched.unknown_words;
        let logged = &cell.logged;
        logged.unknown_words(cell.alias(), Api::Recommendations, words);
        let list = cell.list(&Arc::new(list), partial);
        let max_staleness = next.settings.refresh.max_staleness;
        next.recommendations
            .replace(list, fetched.digest, max_staleness);
        complete(partial, subject)
    }

    pub(super) fn apply_identity_score(
        &mut self,
        fetched: Fetched<Option<IdentityScore>>,
    ) -> Result<(), GraphError> {
        let subject = Subject::IdentityScore;
        let (cell, next) = (self.cell, &mut self.next);
        let last = next.identity_score.last();
        let Some(score) = fetched.value else {
            return match last {
                Some(_) => Err(GraphError::emptied(subject)),
                None => Ok(()),
            };
        };
        let now = cell.now();
        if let Some(day) = score.as_of.filter(|day| is_future_day(*day, now)) {
            return Err(GraphError::future_report(subject, day));
        }
        if fetched.partial && next.identity_score.is_complete() {
            return Err(GraphError::partial(subject));
        }
        let current = next.identity_score.current();
        let newest = current.and_then(|it| it.value.as_of);
        let newest = newest.filter(|day| !is_future_day(*day, now));
        if let Some(newest) = newest.filter(|newest| score.as_of.is_none_or(|day| day < *newest)) {
            tracing::info!(
                tenant = cell.alias(),
                newest = newest.as_seconds(),
                received = score.as_of.map(Timestamp::as_seconds),
                "Graph sent an older Identity Secure Score than before; it is not used"
            );
            return Ok(());
        }
        let list = cell.list(&Arc::new(score), fetched.partial);
        let max_staleness = next.settings.refresh.max_staleness;
        next.identity_score
            .replace(list, fetched.digest, max_staleness);
        complete(fetched.partial, subject)
    }
}
