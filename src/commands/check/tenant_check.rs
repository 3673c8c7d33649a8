//! The check of one tenant.

use super::entra_check::{EntraCheck, EntraLists};
use super::result::CheckResult;
use super::servers::Servers;
use crate::commands::now;
use crate::commands::progress::Steps;
use crate::config::{Config, Enabled, Tenant};
use crate::graph::{Client, GraphError, ListAnswer, RefreshPermit, Subject};
use crate::text::count;
use secure_score_model::{
    Catalogue, CategoryPins, ControlState, FutureDates, Report, TenantSnapshot, is_future_day,
};
use std::mem;
use std::sync::Arc;
use strict_yaml::suggest;

pub(super) struct TenantCheck {
    pub(super) tenant: Tenant,
    pub(super) client: Client,
    pub(super) config: Arc<Config>,
    pub(super) servers: Arc<Servers>,
    pub(super) steps: Steps,
    pub(super) result: CheckResult,
}

/// The steps whose progress is shown: the token, and the lists.
pub(super) const STEPS: usize = 4;

impl TenantCheck {
    pub(super) async fn run(self, permit: RefreshPermit) -> CheckResult {
        let (steps, alias) = (self.steps.clone(), self.tenant.alias.clone());
        steps.begin(&alias);
        let result = self.check(permit).await;
        steps.end(&alias);
        result
    }

    async fn check(mut self, mut permit: RefreshPermit) -> CheckResult {
        let credential = &self.tenant.credential;
        if let Some(expires) = credential.expires() {
            self.result.add_expiry(expires, credential.renewal(), now());
        }
        let Tenant { cloud, .. } = self.tenant;
        let entra = self.servers.unreachable_entra(cloud, credential);
        if self.result.is_blocked(entra) {
            return self.result;
        }
        let facts = self.client.token_facts().await;
        self.note_id();
        let facts = match facts {
            Ok(facts) => facts,
            // Without a token each request would fail the same way.
            Err(error) => {
                self.fail_without_token(&error);
                return self.result;
            }
        };
        let recommendations = self.tenant.recommendations.enabled != Enabled::Off;
        self.result.add_token(&facts, recommendations);
        if self
            .result
            .is_blocked(self.servers.unreachable_graph(cloud))
        {
            return self.result;
        }
        self.steps.advance(&self.tenant.alias);
        let catalogue = self.catalogue(&mut permit).await;
        self.steps.advance(&self.tenant.alias);
        let report = self.report(&mut permit).await;
        self.steps.advance(&self.tenant.alias);
        let is_complete = catalogue.is_some() && report.is_some();
        self.result.snapshot = self.join(catalogue, report);
        if is_complete {
            self.result.reconcile();
        }
        let check = EntraCheck {
            tenant: &self.tenant,
            client: &self.client,
            result: &mut self.result,
        };
        let lists = check.run(&mut permit).await;
        self.note_id();
        self.add_entra_lists(lists);
        self.watch_list();
        self.result
    }

    /// Names the page of the consent, where that is missing.
    fn fail_without_token(&mut self, error: &GraphError) {
        self.result.not_consented = error.is_not_consented();
        let Tenant {
            cloud,
            tenant_id,
            credential,
            ..
        } = &self.tenant;
        let url = self.config.consent_url(*cloud, tenant_id, credential);
        match url.filter(|_| error.is_not_consented()) {
            Some(url) => self
                .result
                .fail_with_hint(error, &format!("the page for the consent is {url}")),
            None => self.result.fail(error),
        }
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

    fn add_entra_lists(&mut self, lists: EntraLists) {
        let rules = self.config.rules(&self.tenant.alias);
        let snapshot = mem::take(&mut self.result.snapshot);
        self.result.snapshot = snapshot.with_recommendations(
            lists.recommendations.as_ref(),
            &lists.statuses,
            lists.identity_score.map(Arc::new),
            &rules,
        );
    }

    async fn catalogue(&mut self, permit: &mut RefreshPermit) -> Option<Catalogue> {
        let fetched = self.client.catalogue(None, permit).await;
        let fetched = fetched.map(ListAnswer::into_fetched);
        let result = &mut self.result;
        let fetched = result.unless_failed(fetched)?;
        if fetched.partial {
            result.fail(&GraphError::partial(Subject::Catalogue));
        }
        let mut catalogue = fetched.value;
        FutureDates::default().settle(&mut catalogue, None, now());
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
            "catalogue: {}, {accepted} with the risk accepted",
            count(catalogue.entries.len(), "control")
        ));
        result.add_anomalies("catalogue", &catalogue.anomalies);
        Some(catalogue)
    }

    /// Warns about names that match no control and no recommendation, and about
    /// watched controls that Microsoft has deprecated and will remove.
    fn watch_list(&mut self) {
        let result = &mut self.result;
        let snapshot = &result.snapshot;
        let is_read = snapshot.recommendation_anomalies.is_some();
        let (what, note) = match is_read {
            true => ("control of the catalogue and no recommendation", ""),
            false => (
                "control of the catalogue",
                "; it may name a recommendation of Entra, which are not read here",
            ),
        };
        let ids = snapshot.controls.iter().map(|control| &*control.id);
        let names = snapshot.recommendations.iter().map(|it| &*it.entry.name);
        let known: Vec<&str> = ids.chain(names).collect();
        let mut warnings = Vec::new();
        for unmatched in &snapshot.unmatched_watches {
            let hint = match suggest::nearest(unmatched, known.iter().copied()) {
                Some(name) => format!("did you mean {name}? Correct risk_accepted.watch{note}"),
                None => format!(
                    "it may be renamed, withdrawn, or not offered to this tenant; correct risk_accepted.watch{note}"
                ),
            };
            warnings.push((format!("watch list: {unmatched} matches no {what}"), hint));
        }
        let entries = snapshot.controls.iter().filter(|control| control.watched);
        let entries = entries.filter_map(|control| control.entry.as_ref());
        for entry in entries.filter(|entry| entry.deprecated) {
            warnings.push((
                format!("watch list: Microsoft has deprecated {}", entry.id),
                "it may disappear from the catalogue; watch its replacement too".to_owned(),
            ));
        }
        for (text, hint) in warnings {
            result.warn(text, hint);
        }
    }

    async fn report(&mut self, permit: &mut RefreshPermit) -> Option<Report> {
        let fetched = self.client.report(None, permit).await;
        let fetched = fetched.map(ListAnswer::into_fetched);
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
            result.fail(&GraphError::future_report(Subject::Report, day));
            return None;
        }
        if fetched.partial {
            result.fail(&GraphError::partial(Subject::Report));
        }
        result.add_anomalies("score", &report.anomalies);
        Some(report)
    }
}
