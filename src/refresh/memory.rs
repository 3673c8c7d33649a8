//! What a tenant's desk takes over from an earlier process, and leaves to a
//! later one.

use super::desk::Desk;
use super::papers::{Kept, Papers};
use crate::store::disk::{Confirmed, ListStanding, Saved};
use secure_score_model::{Api, ControlRules, Reason, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

impl<R: ControlRules> Desk<R> {
    /// Takes over what an earlier process knew, as far as it is young enough.
    pub(super) fn restore(&self, saved: Saved) {
        let now = self.now();
        let mut papers = self.papers();
        if saved.directory != self.directory() {
            tracing::warn!(
                tenant = %papers.identity.alias,
                "saved state is of another directory; the tenant is fetched anew"
            );
            return;
        }
        papers.learn_id(saved.entra_tenant_id.as_ref());
        papers.pins = saved.pins;
        papers.earlier = saved.previous_score;
        papers.seen = saved.seen;
        let commons = &self.surroundings().commons;
        papers.catalogue = saved.catalogue.and_then(|mut it| {
            commons.intern_catalogue(Arc::make_mut(&mut it.value));
            self.still_true(it, now)
        });
        papers.report = saved.report.and_then(|mut it| {
            commons.intern_report(Arc::make_mut(&mut it.value));
            self.still_true(it, now)
        });
        let known = [
            (Api::Profiles, papers.catalogue.is_some()),
            (Api::Scores, papers.report.is_some()),
        ];
        for (api, known) in known {
            let standing = saved.lists.get(&api).filter(|_| known);
            let health = papers.health.of_mut(api);
            health.last_success = standing.and_then(|it| it.last_success);
            health.up = standing.is_some_and(|it| it.up);
            health.next_refresh = standing.map(|it| it.next_refresh);
        }
        papers.had_controls = papers
            .catalogue
            .as_ref()
            .is_some_and(|it| !it.value.entries.is_empty());
        papers.had_report = papers.report.is_some();
        papers.joined = false;
        self.join(&mut papers);
    }

    fn still_true<T>(&self, confirmed: Confirmed<Arc<T>>, now: Timestamp) -> Option<Kept<Arc<T>>> {
        let left = self.max_staleness().checked_sub(now.since(confirmed.at))?;
        Some(Kept {
            value: confirmed.value,
            confirmed: confirmed.at,
            expires: Instant::now() + left,
            whole: confirmed.whole,
        })
    }

    /// Lists that fail are due at once, since somebody has done something about
    /// it; but for those that Microsoft asked to wait for.
    pub(super) fn retry_failed(&self) {
        let mut papers = self.papers();
        for api in Api::ALL {
            let health = papers.health.of_mut(api);
            let reason = health.trouble.as_ref().map(|trouble| trouble.reason);
            if !health.up && reason != Some(Reason::Throttled) {
                health.next_refresh = None;
            }
        }
    }

    /// Whether a list fails until somebody changes something.
    pub(super) fn needs_a_person(&self) -> bool {
        let papers = self.papers();
        let mut troubles = Api::ALL
            .iter()
            .filter_map(|api| papers.health.of(*api).trouble.as_ref());
        troubles.any(|trouble| trouble.reason.needs_administrator())
    }

    /// How long a list need not be asked for, as an earlier process decided;
    /// never longer than `most`, since clocks are set back.
    pub(super) fn not_due_for(&self, api: Api, most: Duration) -> Option<Duration> {
        let papers = self.papers();
        let due = papers.health.of(api).next_refresh?;
        let wait = due.since(self.now());
        (!wait.is_zero()).then_some(wait.min(most))
    }
}

impl Papers {
    /// All of it that a later process needs.
    pub(super) fn saved(&self, directory: String) -> Saved {
        let standing = |api: Api| {
            let health = self.health.of(api);
            let standing = ListStanding {
                up: health.up,
                last_success: health.last_success,
                next_refresh: health.next_refresh?,
            };
            Some((api, standing))
        };
        Saved {
            alias: Arc::clone(&self.identity.alias),
            directory,
            entra_tenant_id: self.identity.entra_tenant_id.clone(),
            catalogue: self.catalogue.as_ref().map(Kept::for_later),
            report: self.report.as_ref().map(Kept::for_later),
            pins: self.pins.clone(),
            lists: Api::ALL.into_iter().filter_map(standing).collect(),
            previous_score: self.earlier,
            seen: self.seen.clone(),
        }
    }
}

impl<T> Kept<Arc<T>> {
    fn for_later(&self) -> Confirmed<Arc<T>> {
        Confirmed {
            value: Arc::clone(&self.value),
            at: self.confirmed,
            whole: self.whole,
        }
    }
}
