//! What the clients of all tenants share.

use super::client::Client;
use super::endpoint::Endpoint;
use super::request_history::RequestHistory;
use super::requests::Requests;
use crate::config::{Cloud, Config, Partner, SimulatorEndpoint, Tenant};
use crate::credentials::{Credential, SECURE_SCORE_PERMISSIONS, SignIn, TokenSource};
use crate::http_client::{self, HttpClient, SetupError, TrustedRoots};
use crate::telemetry::Telemetry;
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// The HTTP clients that all tenants share, for the life of the process: one for
/// Microsoft, and one for the simulator, which trusts only the simulator's
/// certificate.
pub struct HttpClients {
    endpoint: Option<SimulatorEndpoint>,
    microsoft: SharedClient,
    simulator: Option<SharedClient>,
    /// For this machine's endpoint for managed identities.
    identity: HttpClient,
    /// By cloud and directory, as Graph counts requests. The alias of a tenant
    /// may change.
    histories: Mutex<HashMap<Directory, Arc<RequestHistory>>>,
}

type Directory = (Cloud, String);

/// A client and what it was built with.
#[derive(Clone)]
struct SharedClient {
    roots: TrustedRoots,
    timeout: Duration,
    http: HttpClient,
}

impl SharedClient {
    /// The client with these settings, which may be the one of `before`.
    fn with(
        roots: TrustedRoots,
        timeout: Duration,
        before: Option<&Self>,
    ) -> Result<Self, SetupError> {
        if let Some(same) = before.filter(|it| it.roots == roots && it.timeout == timeout) {
            return Ok(same.clone());
        }
        let http = http_client::client(roots.clone(), timeout)?;
        Ok(Self {
            roots,
            timeout,
            http,
        })
    }
}

impl HttpClients {
    /// Reads the certificates, but does not connect yet.
    pub fn new(config: &Config) -> Result<Self, SetupError> {
        Self::after(None, config)
    }

    /// Applies another configuration. A client whose settings stay keeps its
    /// connections. On an error everything stays as it was.
    pub fn reconfigure(&mut self, config: &Config) -> Result<(), SetupError> {
        *self = Self::after(Some(self), config)?;
        Ok(())
    }

    fn after(before: Option<&Self>, config: &Config) -> Result<Self, SetupError> {
        let timeout = config.refresh.timeout;
        let simulator = config.simulator.as_ref().map(|it| {
            let roots = TrustedRoots::Only(it.ca.certificates.clone());
            let before = before.and_then(|it| it.simulator.as_ref());
            SharedClient::with(roots, timeout, before)
        });
        let simulator = simulator.transpose()?;
        let microsoft = match &simulator {
            // A machine for tests may have no certificate authorities.
            Some(simulator) if directories(config).all(is_simulated) => simulator.clone(),
            _ => {
                let extra = config.extra_roots.as_ref();
                let extra = extra.map_or_else(Vec::new, |it| it.certificates.clone());
                let roots = TrustedRoots::SystemAnd(extra);
                SharedClient::with(roots, timeout, before.map(|it| &it.microsoft))?
            }
        };
        let identity = match before.filter(|it| it.microsoft.timeout == timeout) {
            Some(before) => before.identity.clone(),
            None => http_client::identity_client(timeout)?,
        };
        let mut histories = before.map_or_else(HashMap::new, |it| it.histories.lock().clone());
        let configured: HashSet<_> = directories(config).collect();
        histories.retain(|directory, it| configured.contains(directory) || !it.is_over());
        Ok(Self {
            endpoint: config.simulator.clone(),
            microsoft,
            simulator,
            identity,
            histories: Mutex::new(histories),
        })
    }

    /// A client for one tenant, which goes on with the counts and waits of the
    /// client before it.
    pub fn client_for(&self, tenant: &Tenant, telemetry: &Arc<Telemetry>) -> Client {
        let permissions = vec![SECURE_SCORE_PERMISSIONS];
        let directory = directory(tenant);
        self.client(directory, &tenant.credential, permissions, telemetry)
    }

    /// A client for a partner's own tenant, likewise. Where that tenant is watched
    /// too, they share the limits and waits, as Graph counts their requests
    /// together.
    pub fn client_for_partner(&self, partner: &Partner, telemetry: &Arc<Telemetry>) -> Client {
        let sources = partner.sources.iter();
        let permissions = sources.map(|source| source.permissions()).collect();
        let directory = partner_directory(partner);
        self.client(directory, &partner.credential, permissions, telemetry)
    }

    /// The HTTP client for the servers of a cloud.
    pub(super) fn http_of(&self, cloud: Cloud) -> &HttpClient {
        match (&self.simulator, cloud) {
            (Some(simulator), Cloud::Simulator) => &simulator.http,
            _ => &self.microsoft.http,
        }
    }

    /// The servers of a cloud.
    pub(super) fn endpoint_of(&self, cloud: Cloud) -> Endpoint {
        Endpoint::of(cloud, self.endpoint.as_ref())
    }

    fn client(
        &self,
        directory: Directory,
        credential: &Credential,
        permissions: Vec<[&'static str; 2]>,
        telemetry: &Arc<Telemetry>,
    ) -> Client {
        let (cloud, tenant_id) = directory.clone();
        let http = self.http_of(cloud);
        let identity_http = match (&self.simulator, cloud) {
            (Some(simulator), Cloud::Simulator) => &simulator.http,
            _ => &self.identity,
        };
        let endpoint = self.endpoint_of(cloud);
        let sign_in = SignIn {
            tenant_id: tenant_id.clone(),
            scope: endpoint.scope(),
            permissions,
            login: endpoint.login,
            federation_audience: endpoint.federation_audience,
            simulated_identity: endpoint.simulated_identity,
            http: http.clone(),
            identity_http: identity_http.clone(),
        };
        let history = Arc::clone(self.histories.lock().entry(directory).or_default());
        let tokens = TokenSource::new(credential.clone(), sign_in, Arc::clone(&history.tokens));
        let requests = Requests::new(http.clone(), Arc::clone(telemetry), history);
        Client::new(tenant_id, endpoint.root, tokens, requests)
    }
}

fn directory(tenant: &Tenant) -> Directory {
    (tenant.cloud, tenant.tenant_id.clone())
}

fn partner_directory(partner: &Partner) -> Directory {
    (partner.cloud, partner.tenant_id.clone())
}

fn is_simulated((cloud, _): Directory) -> bool {
    cloud == Cloud::Simulator
}

/// The directories to which a configuration sends requests.
fn directories(config: &Config) -> impl Iterator<Item = Directory> {
    let tenants = config.tenants.iter().map(directory);
    let partners = config.partners.iter().map(partner_directory);
    tenants.chain(partners)
}
