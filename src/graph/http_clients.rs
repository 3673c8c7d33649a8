//! The HTTP clients that all tenants share.

use super::client::Client;
use super::endpoint::Endpoint;
use super::requests::Requests;
use crate::config::{Cloud, Config, Tenant};
use crate::credentials::{SignIn, TokenSource};
use crate::http_client::{self, HttpClient, SetupError, TrustedRoots};
use crate::telemetry::Telemetry;
use std::sync::Arc;

/// A client for Microsoft, and one for the simulator, which trusts only the
/// simulator's certificate.
#[derive(Debug)]
pub struct HttpClients<'a> {
    config: &'a Config,
    microsoft: HttpClient,
    simulator: Option<HttpClient>,
    /// For this machine's endpoint for managed identities.
    identity: HttpClient,
}

impl<'a> HttpClients<'a> {
    /// Reads the certificates, but does not connect yet.
    pub fn new(config: &'a Config) -> Result<Self, SetupError> {
        let timeout = config.refresh.timeout;
        let client = |roots| http_client::client(roots, timeout);
        let simulator = config.simulator.as_ref();
        let simulator = simulator.map(|it| client(TrustedRoots::Only(it.ca.certificates.clone())));
        let simulator = simulator.transpose()?;
        let mut clouds = config.tenants.iter().map(|tenant| tenant.cloud);
        let microsoft = match &simulator {
            // A machine for tests may have no certificate authorities.
            Some(simulator) if clouds.all(|cloud| cloud == Cloud::Simulator) => simulator.clone(),
            _ => {
                let extra = config.extra_roots.as_ref();
                let extra = extra.map_or_else(Vec::new, |it| it.certificates.clone());
                client(TrustedRoots::SystemAnd(extra))?
            }
        };
        Ok(Self {
            config,
            microsoft,
            simulator,
            identity: http_client::identity_client(timeout)?,
        })
    }

    /// A client for one tenant.
    pub fn client_for(&self, tenant: &Tenant, telemetry: &Arc<Telemetry>) -> Client {
        let (http, identity_http) = match (&self.simulator, tenant.cloud) {
            (Some(simulator), Cloud::Simulator) => (simulator, simulator),
            _ => (&self.microsoft, &self.identity),
        };
        let endpoint = Endpoint::of(tenant.cloud, self.config.simulator.as_ref());
        let sign_in = SignIn {
            tenant_id: tenant.tenant_id.clone(),
            scope: endpoint.scope(),
            login: endpoint.login,
            federation_audience: endpoint.federation_audience,
            simulated_identity: endpoint.simulated_identity,
            http: http.clone(),
            identity_http: identity_http.clone(),
        };
        let tokens = TokenSource::new(tenant.credential.clone(), sign_in);
        let requests = Requests::new(http.clone(), Arc::clone(telemetry));
        Client::new(tenant.tenant_id.clone(), endpoint.root, tokens, requests)
    }
}
