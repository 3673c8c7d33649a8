//! The check of one tenant.

use super::result::TenantResult;
use crate::config::{Config, Tenant};
use crate::graph::{Client, GraphError, RefreshPermit, Subject};
use secure_score_model::{
    Catalogue, CategoryPins, ControlRules as _, ControlState, Report, TenantSnapshot, Timestamp,
};
use std::sync::Arc;
use std::time::SystemTime;
use strict_yaml::suggest;

pub(super) struct TenantCheck {
    alias: String,
    /// When the credential expires, if that is known.
    expires: Option<Timestamp>,
    /// How to renew it.
    renewal: &'static str,
    client: Client,
    config: Arc<Config>,
}

impl TenantCheck {
    pub(super) fn new(tenant: &Tenant, client: Client, config: &Arc<Config>) -> Self {
        Self {
            alias: tenant.alias.clone(),
            expires: tenant.credential.expires(),
            renewal: tenant.credential.renewal(),
            client,
            config: Arc::clone(config),
        }
    }

    pub(super) async fn run(self, mut permit: RefreshPermit) -> TenantResult {
        let mut result = TenantResult::new(&self.alias);
        if let Some(expires) = self.expires {
            let now = Timestamp::from(SystemTime::now());
            result.add_expiry(expires, self.renewal, now);
        }
        match self.client.token_facts().await {
            Ok(facts) => result.add_token(&facts),
            Err(error) => {
                // Without a token each request would fail the same way.
                result.fail(&error);
                return result;
            }
        }
        let catalogue = self.catalogue(&mut permit, &mut result).await;
        let report = self.report(&mut permit, &mut result).await;
        let is_complete = catalogue.is_some() && report.is_some();
        result.snapshot = self.join(catalogue, report);
        if is_complete {
            result.reconcile();
        }
        result
    }

    fn join(&self, catalogue: Option<Catalogue>, report: Option<Report>) -> TenantSnapshot {
        let mut pins = CategoryPins::default();
        if let Some(catalogue) = &catalogue {
            pins.learn(catalogue);
        }
        let rules = self.config.rules(&self.alias);
        TenantSnapshot::join(catalogue.as_ref(), report.map(Arc::new), &pins, &rules)
    }

    async fn catalogue(
        &self,
        permit: &mut RefreshPermit,
        result: &mut TenantResult,
    ) -> Option<Catalogue> {
        let fetched = match self.client.catalogue(permit).await {
            Ok(fetched) => fetched,
            Err(error) => {
                result.fail(&error);
                return None;
            }
        };
        if fetched.partial {
            result.fail(&GraphError::partial(Subject::Catalogue));
        }
        let catalogue = fetched.value;
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
        self.watch_list(&catalogue, result);
        Some(catalogue)
    }

    /// Warns about ids that match no control, and about watched controls that
    /// Microsoft has deprecated and will remove.
    fn watch_list(&self, catalogue: &Catalogue, result: &mut TenantResult) {
        let rules = self.config.rules(&self.alias);
        for unmatched in catalogue.unmatched_watches(&rules) {
            let ids = catalogue.entries.iter().map(|entry| &*entry.id);
            let hint = match suggest::nearest(&unmatched, ids) {
                Some(id) => format!("did you mean {id}? Correct risk_accepted.watch"),
                None => "it may be renamed, withdrawn, or not offered to this tenant; correct risk_accepted.watch".to_owned(),
            };
            let text = format!("watch list: {unmatched} matches no control of the catalogue");
            result.warn(text, hint);
        }
        let deprecated = catalogue.entries.iter().filter(|entry| entry.deprecated);
        for entry in deprecated.filter(|entry| rules.watches(&entry.id)) {
            result.warn(
                format!("watch list: Microsoft has deprecated {}", entry.id),
                "it may disappear from the catalogue; watch its replacement too",
            );
        }
    }

    async fn report(
        &self,
        permit: &mut RefreshPermit,
        result: &mut TenantResult,
    ) -> Option<Report> {
        let fetched = match self.client.report(permit).await {
            Ok(fetched) => fetched,
            Err(error) => {
                result.fail(&error);
                return None;
            }
        };
        let Some(report) = fetched.value else {
            result.warn(
                "score: Graph has none yet",
                "a new tenant gets its first score after some days",
            );
            return None;
        };
        if fetched.partial {
            result.fail(&GraphError::partial(Subject::Report));
        }
        result.add_anomalies("score", &report.anomalies);
        Some(report)
    }
}
