//! The connections all tenants share.

use super::Endpoint;
use super::client::{Client, ClientOptions};
use super::http::{self, SetupError, Trust, http_client};
use crate::config::{Cloud, Config, Tenant};
use crate::telemetry::Telemetry;
use std::sync::Arc;

/// The connection pools: one towards Microsoft, one towards the simulator,
/// which trusts no certificate but the simulator's own.
#[derive(Debug)]
pub struct HttpClients<'a> {
    config: &'a Config,
    microsoft: reqwest::Client,
    simulator: Option<reqwest::Client>,
    /// Towards this machine's endpoint for managed identities.
    machine: reqwest::Client,
}

impl<'a> HttpClients<'a> {
    /// Opens nothing yet, but reads every certificate.
    pub fn new(config: &'a Config) -> Result<Self, SetupError> {
        let timeout = config.refresh.timeout;
        let extra = config.extra_roots.as_ref();
        let system = Trust::SystemAnd(extra.map(|roots| roots.pem.clone()));
        let everyone_simulated = config
            .tenants
            .iter()
            .all(|tenant| tenant.cloud == Cloud::Simulator);
        let simulator = config
            .simulator
            .as_ref()
            .map(|simulator| http_client(&Trust::Only(simulator.ca.pem.clone()), timeout))
            .transpose()?;
        let microsoft = match &simulator {
            // A machine for trying things out may have no authorities at all.
            Some(simulator) if everyone_simulated => simulator.clone(),
            _ => http_client(&system, timeout)?,
        };
        Ok(Self {
            config,
            microsoft,
            simulator,
            machine: http::machine_client(timeout)?,
        })
    }

    /// A tenant's line to its cloud.
    pub fn line(&self, tenant: &Tenant, telemetry: &Arc<Telemetry>) -> Client {
        let (http, machine) = match (&self.simulator, tenant.cloud) {
            (Some(simulator), Cloud::Simulator) => (simulator, simulator),
            _ => (&self.microsoft, &self.machine),
        };
        Client::new(ClientOptions {
            tenant_id: tenant.tenant_id.clone(),
            endpoint: Endpoint::of(tenant.cloud, self.config.simulator.as_ref()),
            credential: tenant.credential.clone(),
            http: http.clone(),
            machine: machine.clone(),
            telemetry: Arc::clone(telemetry),
        })
    }
}
