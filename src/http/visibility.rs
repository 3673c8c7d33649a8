//! What of the store each client sees, and what happens to those that see nothing.

use super::client::Client;
use super::health;
use super::refusal;
use super::route::Route;
use crate::access::{AccessRules, TenantScope};
use crate::api;
use crate::http_types::{Response, response};
use crate::store::{Store, VisibleStore};
use crate::telemetry::Telemetry;
use arc_swap::ArcSwap;
use exporter_web_config::{AccessControl, AuthenticatedUser, VerifiedCertificates};
use hyper::StatusCode;
use hyper::http::request::Parts;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most clients whose refusal is logged as a warning.
const MAX_LOGGED: usize = 100;

const NO_TENANT: &str = "access denied: no tenant is granted to this client";

const ASK: &str = "ask the operator for an entry under access in the exporter's configuration";

/// The store, which requests reach as far as the rules grant it.
#[derive(Debug)]
pub(super) struct Visibility {
    store: Arc<Store>,
    /// A client sees what each of these grants; without rules every tenant. There are
    /// two while a reload is applied.
    rules: ArcSwap<Vec<AccessRules>>,
    telemetry: Arc<Telemetry>,
    /// The clients whose refusal was logged since the rules changed.
    logged: Mutex<BTreeSet<String>>,
    /// The discovered tenants of which the log says that no pattern grants them.
    ungranted: Mutex<BTreeSet<String>>,
}

impl Visibility {
    pub(super) fn new(store: Arc<Store>, telemetry: Arc<Telemetry>) -> Self {
        Self {
            store,
            rules: ArcSwap::default(),
            telemetry,
            logged: Mutex::default(),
            ungranted: Mutex::default(),
        }
    }

    /// Replaces the rules.
    pub(super) fn set_rules(&self, rules: Option<AccessRules>) {
        if rules.is_some() {
            self.telemetry.export_access_denied();
        }
        let rules = Arc::new(Vec::from_iter(rules));
        let before = self.rules.swap(Arc::clone(&rules));
        if before.first() != rules.first() {
            self.logged.lock().clear();
        }
    }

    /// Adds rules to those in effect, until they are replaced.
    pub(super) fn add_rules(&self, rules: Option<AccessRules>) {
        let before = self.rules.load();
        let all = before.iter().cloned().chain(rules);
        self.rules.store(Arc::new(all.collect()));
    }

    /// Logs once each of these tenants that a pattern would grant if it were configured.
    pub(super) fn log_ungranted<'a>(&self, aliases: impl Iterator<Item = &'a str>) {
        let rules = self.rules.load();
        let mut logged = self.ungranted.lock();
        for alias in aliases {
            let mut matching = rules
                .iter()
                .filter_map(|it| it.pattern_without_effect(alias));
            let Some((pattern, path)) = matching.next() else {
                continue;
            };
            if logged.insert(alias.to_owned()) {
                tracing::info!(
                    tenant = alias,
                    pattern = &**pattern.text(),
                    hint = "if it belongs to the same customer, write its alias under access, or add it to tenants",
                    "{path}: the pattern does not grant this tenant, which a partner discovered"
                );
            }
        }
    }

    /// What the client of a request sees; `None` where rules name tenants for
    /// others only.
    ///
    /// Where the web configuration has users, every client is a user. A
    /// certificate is then that of a proxy or a machine, and grants nothing.
    pub(super) fn of(&self, parts: &Parts, access: &AccessControl) -> Option<VisibleStore> {
        let rules = self.rules.load();
        let mut scopes = rules.iter().map(|rules| scope(rules, parts, access));
        let scope = scopes.try_fold(TenantScope::All, |all, one| Some(all.and(one?)))?;
        Some(VisibleStore::new(Arc::clone(&self.store), scope))
    }

    /// The readiness of the whole exporter, without a tenant's name.
    pub(super) fn readiness(&self) -> Response {
        health::ready_without_names(&self.store.current())
    }

    /// Answers a client that rules grant nothing. The text names no tenant: it
    /// would confirm that there is one.
    pub(super) fn refuse(&self, route: Option<Route>, parts: &Parts) -> Response {
        self.count(parts, "no tenant is granted to the client");
        match route {
            Some(Route::Api) => api::forbidden(NO_TENANT, ASK),
            _ => {
                let line = format!("{NO_TENANT}; {ASK}\n");
                let is_page = refusal::prefers_page(&parts.headers);
                refusal::respond(StatusCode::FORBIDDEN, &line, is_page)
            }
        }
    }

    /// Answers a client that may not do what concerns all tenants.
    pub(super) fn refuse_reload(&self, parts: &Parts) -> Response {
        self.count(parts, "only a client with all tenants may reload");
        response::text(
            StatusCode::FORBIDDEN,
            "access denied: a reload takes access to all tenants (tenants: ['*'])\n",
        )
    }

    /// Counts a refusal, and logs it: as a warning the first time for each client.
    fn count(&self, parts: &Parts, reason: &str) {
        self.telemetry.access_denied();
        let client = describe(parts);
        let mut logged = self.logged.lock();
        if logged.len() < MAX_LOGGED && logged.insert(client.clone()) {
            tracing::warn!(
                client,
                hint = "grant tenants under access in the configuration, or end the requests",
                "request refused: {reason}"
            );
        } else {
            tracing::debug!(client, "request refused: {reason}");
        }
    }
}

fn scope(rules: &AccessRules, parts: &Parts, access: &AccessControl) -> Option<TenantScope> {
    if let Some(user) = parts.extensions.get::<AuthenticatedUser>() {
        return rules.of_user(user.name());
    }
    let config = access.config()?;
    let verifies = config.verified_certificates != VerifiedCertificates::None;
    if config.users.is_some() || !verifies {
        return None;
    }
    let client = parts.extensions.get::<Client>()?;
    let names = client.verified_certificate.as_ref()?;
    rules.of_certificate(names.iter())
}

/// The client of a request, for the log.
fn describe(parts: &Parts) -> String {
    let user = parts.extensions.get::<AuthenticatedUser>();
    let client = parts.extensions.get::<Client>();
    let certificate = client.and_then(|client| client.verified_certificate.as_ref());
    match (user, certificate) {
        (Some(user), _) => format!("user {:?}", user.name()),
        (None, Some(names)) => {
            let names: Vec<&str> = names.iter().collect();
            format!("certificate {names:?}")
        }
        (None, None) => "not authenticated".to_owned(),
    }
}
