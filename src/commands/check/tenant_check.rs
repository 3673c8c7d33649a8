//! The check of one tenant.

use super::result::TenantResult;
use crate::commands::now;
use crate::config::{Config, Tenant};
use crate::graph::{Client, GraphError, RefreshPermit, Subject};
use secure_score_model::{
    Catalogue, CategoryPins, ControlRules as _, ControlState, FutureDates, Report, TenantSnapshot,
    is_future_day,
};
use std::sync::Arc;
use strict_yaml::suggest;

pub(super) struct TenantCheck {
    pub(super) tenant: Tenant,
    pub(super) client: Client,
    pub(super) config: Arc<Config>,
    pub(super) result: TenantResult,
}

impl TenantCheck {
    pub(super) async fn run(mut self, mut permit: RefreshPermit) -> TenantResult {
        let credential = &self.tenant.credential;
        if let Some(expires) = credential.expires() {
            self.result.add_expiry(expires, credential.renewal(), now());
        }
        let facts = self.client.token_facts().await;
        self.note_id();
        // Without a token each request would fail the same way.
        let Some(facts) = self.result.unless_failed(facts) else {
            return self.result;
        };
        self.result.add_token(&facts);
        let catalogue = self.catalogue(&mut permit).await;
        let report = self.report(&mut permit).await;
        let is_complete = catalogue.is_some() && report.is_some();
        self.note_id();
        self.result.snapshot = self.join(catalogue, report);
        if is_complete {
            self.result.reconcile();
        }
        self.result
    }

    /// Notes the Entra id, which a response shows where the configuration names
    /// a domain.
    fn note_id(&mut self) {
        self.result.entra_tenant_id = self.client.entra_tenant_id().map(str::to_owned);
    }

    fn join(&self, catalogue: Option<Catalogue>, report: Option<Report>) -> TenantSnapshot {
        let mut pins = CategoryPins::default();
        if let Some(catalogue) = &catalogue {
            pins.learn(catalogue);
        }
        let rules = self.config.rules(&self.tenant.alias);
        TenantSnapshot::join(catalogue.as_ref(), report.map(Arc::new), &pins, &rules)
    }

    async fn catalogue(&mut self, permit: &mut RefreshPermit) -> Option<Catalogue> {
        let fetched = self.client.catalogue(permit).await;
        let result = &mut self.result;
        let fetched = result.unless_failed(fetched)?;
        if fetched.partial {
            result.fail(&GraphError::partial(Subject::Catalogue));
        }
        let mut catalogue = fetched.value;
        FutureDates::default().settle(&mut catalogue, now());
        if catalogue.entries.is_empty() {
            result.warn(
                "catalogue: it has no controls",
                "a new tenant gets its controls after some days; otherwise look in the portal whether it has Secure Score",
            );
            return None;
        }
        let states = catalogue.entries.iter().map(|entry| entry.history.state());
        let accepted = states
            .filter(|it| *it == ControlState::RiskAccepted)
            .count();
        result.ok(format!(
            "catalogue: {} controls, {accepted} with the risk accepted",
            catalogue.entries.len()
        ));
        result.add_anomalies("catalogue", &catalogue.anomalies);
        self.watch_list(&catalogue);
        Some(catalogue)
    }

    /// Warns about ids that match no control, and about watched controls that
    /// Microsoft has deprecated and will remove.
    fn watch_list(&mut self, catalogue: &Catalogue) {
        let rules = self.config.rules(&self.tenant.alias);
        for unmatched in catalogue.unmatched_watches(&rules) {
            let ids = catalogue.entries.iter().map(|entry| &*entry.id);
            let hint = match suggest::nearest(&unmatched, ids) {
                Some(id) => format!("did you mean {id}? Correct risk_accepted.watch"),
                None => "it may be renamed, withdrawn, or not offered to this tenant; correct risk_accepted.watch".to_owned(),
            };
            let text = format!("watch list: {unmatched} matches no control of the catalogue");
            self.result.warn(text, hint);
        }
        let deprecated = catalogue.entries.iter().filter(|entry| entry.deprecated);
        for entry in deprecated.filter(|entry| rules.watches(&entry.id)) {
            self.result.warn(
                format!("watch list: Microsoft has deprecated {}", entry.id),
                "it may disappear from the catalogue; watch its replacement too",
            );
        }
    }

    async fn report(&mut self, permit: &mut RefreshPermit) -> Option<Report> {
        let fetched = self.client.report(permit).await;
        let result = &mut self.result;
        let fetched = result.unless_failed(fetched)?;
        let Some(report) = fetched.value else {
            result.warn(
                "score: Graph has none yet",
                "a new tenant gets its first score after some days",
            );
            return None;
        };
        if let Some(day) = report.as_of.filter(|day| is_future_day(*day, now())) {
            result.fail(&GraphError::future_report(day));
            return None;
        }
        if fetched.partial {
            result.fail(&GraphError::partial(Subject::Report));
        }
        result.add_anomalies("score", &report.anomalies);
        Some(report)
    }
}
