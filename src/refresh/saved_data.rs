//! What of a tenant's data survives a restart.

use super::kept_list::KeptList;
use super::saved_refresh;
use super::tenant_data::TenantData;
use crate::store::saved_tenant::{SavedRefresh, SavedTenant};
use secure_score_model::{Api, Interner, Recategorised, RefreshHealth, Timestamp, is_future_day};
use std::sync::Arc;

impl TenantData {
    /// Takes over what an earlier process saved, unless it is too old. Returns
    /// the controls that Graph files under another category than the exporter.
    pub(super) fn restore(
        &mut self,
        saved: SavedTenant,
        interner: &Interner,
        now: Timestamp,
    ) -> Vec<Recategorised> {
        if saved.directory != self.settings.directory {
            tracing::warn!(
                tenant = %self.identity.alias,
                "the saved state belongs to another directory; the tenant is fetched again"
            );
            return Vec::new();
        }
        self.learn_id(saved.entra_tenant_id.as_ref());
        let of_tenant = |id: Option<&Arc<str>>| {
            let known = saved.entra_tenant_id.as_ref();
            let id = id.filter(|id| !id.is_empty());
            known.zip(id).is_none_or(|(a, b)| a.eq_ignore_ascii_case(b))
        };
        let is_valid = |day: Timestamp| !is_future_day(day, now);
        self.score_history = saved.score_history;
        Arc::make_mut(&mut self.score_history).retain_days(is_valid);
        self.seen = saved.seen;
        Arc::make_mut(&mut self.seen).intern(interner);
        self.future_dates = saved.future_dates;
        self.older_since = saved.older_since;
        let max_staleness = self.settings.refresh.max_staleness;
        let catalogue = saved.catalogue;
        let catalogue = catalogue.filter(|it| of_tenant(it.value.entra_tenant_id.as_ref()));
        let catalogue = catalogue.map(|mut it| {
            interner.intern_catalogue(Arc::make_mut(&mut it.value));
            it
        });
        self.catalogue = KeptList::restore(catalogue, now, max_staleness);
        let report = saved.report;
        let report = report.filter(|it| of_tenant(Some(&it.value.entra_tenant_id)));
        let report = report.filter(|it| it.value.as_of.is_none_or(is_valid));
        let report = report.map(|mut it| {
            interner.intern_report(Arc::make_mut(&mut it.value));
            it
        });
        self.report = KeptList::restore(report, now, max_staleness);
        let list = saved.recommendations;
        let list = list.filter(|it| of_tenant(it.value.entra_tenant_id.as_ref()));
        self.recommendations = KeptList::restore(list, now, max_staleness);
        let score = saved.identity_score;
        let score = score.filter(|it| it.value.as_of.is_none_or(is_valid));
        self.identity_score = KeptList::restore(score, now, max_staleness);
        self.statuses = saved.statuses;
        for (api, refresh) in saved.lists.into_iter().chain(saved.entra_lists) {
            self.restore_refresh(api, refresh, now);
        }
        self.forget_unwanted();
        self.retry_failed(now);
        let catalogue = self.catalogue.last().map(|it| &it.value);
        // The catalogue may be too old to be exported. An empty one is still a
        // failure then, and no sign that every control left.
        self.had_controls = saved.pins.iter().next().is_some();
        self.had_controls |= catalogue.is_some_and(|it| !it.entries.is_empty());
        self.had_report = self.report.last().is_some();
        self.categories_known = true;
        self.pins = saved.pins;
        let pins = Arc::make_mut(&mut self.pins);
        interner.intern_pins(pins);
        let learn = |it: &Arc<_>| pins.learn(it);
        catalogue.map(learn).unwrap_or_default()
    }

    /// Takes over the refreshes of a list, and why the last one failed. A list
    /// without data to export is due at once.
    fn restore_refresh(&mut self, api: Api, saved: SavedRefresh, now: Timestamp) {
        let is_offered = !saved.not_offered;
        let (health, wait) =
            saved_refresh::restore(saved, self.settings.refresh.interval(api), now);
        self.waits.insert(api, wait);
        if !is_offered {
            return;
        }
        let is_restored = match api {
            Api::Profiles => self.catalogue.current().is_some(),
            Api::Scores => self.report.current().is_some(),
            Api::Recommendations => self.recommendations.current().is_some(),
            Api::IdentityScores => self.identity_score.current().is_some(),
        };
        *self.health.of_mut(api) = RefreshHealth {
            has_series: api.is_of_entra(),
            ..health
        };
        if !is_restored && !self.is_waiting(api) {
            self.make_due(api, now);
        }
    }

    pub(super) fn to_saved(&self, now: Timestamp) -> SavedTenant {
        let refresh = |api: Api| {
            let health = self.health.of(api);
            let wait = self.waits.get(&api);
            let not_offered = !self.was_read(api);
            let due = wait.filter(|_| not_offered).map(|it| now.plus(it.rest()));
            let next_refresh = due.or(health.next_refresh)?;
            let refresh = SavedRefresh {
                not_offered,
                ..saved_refresh::save(health, next_refresh, wait, now)
            };
            Some((api, refresh))
        };
        let of = |apis: &[Api]| apis.iter().copied().filter_map(refresh).collect();
        SavedTenant {
            alias: Arc::clone(&self.identity.alias),
            directory: self.settings.directory.clone(),
            entra_tenant_id: self.identity.entra_tenant_id.clone(),
            catalogue: self.catalogue.last().cloned(),
            report: self.report.last().cloned(),
            recommendations: self.recommendations.last().cloned(),
            identity_score: self.identity_score.last().cloned(),
            statuses: Arc::clone(&self.statuses),
            older_since: self.older_since,
            pins: Arc::clone(&self.pins),
            lists: of(&Api::SECURE_SCORE),
            entra_lists: of(&Api::ENTRA),
            score_history: Arc::clone(&self.score_history),
            seen: Arc::clone(&self.seen),
            future_dates: Arc::clone(&self.future_dates),
        }
    }
}
