//! What of a tenant survives a restart.

use super::tenant_data::{Cached, TenantData};
use crate::store::disk::{SavedList, SavedRefresh, SavedTenant};
use secure_score_model::{Api, Interner, Recategorised, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

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
        self.previous_score = saved.previous_score;
        self.seen = saved.seen;
        let max_staleness = self.settings.max_staleness;
        self.catalogue = saved.catalogue.and_then(|mut it| {
            interner.intern_catalogue(Arc::make_mut(&mut it.value));
            Cached::restore(it, now, max_staleness)
        });
        self.report = saved.report.and_then(|mut it| {
            interner.intern_report(Arc::make_mut(&mut it.value));
            Cached::restore(it, now, max_staleness)
        });
        let restored = [
            (Api::Profiles, self.catalogue.is_some()),
            (Api::Scores, self.report.is_some()),
        ];
        for (api, restored) in restored {
            let refresh = saved.lists.get(&api).filter(|_| restored);
            let health = self.health.of_mut(api);
            health.last_success = refresh.and_then(|it| it.last_success);
            health.up = refresh.is_some_and(|it| it.up);
            health.next_refresh = refresh.map(|it| it.next_refresh);
        }
        let catalogue = self.catalogue.as_ref().map(|it| &it.list.value);
        self.had_controls = catalogue.is_some_and(|it| !it.entries.is_empty());
        self.had_report = self.report.is_some();
        self.categories_known = true;
        self.pins = saved.pins;
        let learn = |it: &Arc<_>| Arc::make_mut(&mut self.pins).learn(it);
        catalogue.map(learn).unwrap_or_default()
    }

    pub(super) fn to_saved(&self) -> SavedTenant {
        let refresh = |api: Api| {
            let health = self.health.of(api);
            let refresh = SavedRefresh {
                up: health.up,
                last_success: health.last_success,
                next_refresh: health.next_refresh?,
            };
            Some((api, refresh))
        };
        SavedTenant {
            alias: Arc::clone(&self.identity.alias),
            directory: self.settings.directory.clone(),
            entra_tenant_id: self.identity.entra_tenant_id.clone(),
            catalogue: self.catalogue.as_ref().map(|it| it.list.clone()),
            report: self.report.as_ref().map(|it| it.list.clone()),
            pins: Arc::clone(&self.pins),
            lists: Api::ALL.into_iter().filter_map(refresh).collect(),
            previous_score: self.previous_score,
            seen: Arc::clone(&self.seen),
        }
    }
}

impl<T> Cached<T> {
    fn restore(list: SavedList<Arc<T>>, now: Timestamp, max_staleness: Duration) -> Option<Self> {
        let left = max_staleness.checked_sub(now.since(list.at))?;
        let expires = Instant::now() + left;
        Some(Self { list, expires })
    }
}
