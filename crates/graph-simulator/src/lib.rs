#![doc = include_str!("../README.md")]
//!
//! # Structure
//!
//! `server` routes requests to `graph`, `entra` and `managed_identity`, which
//! read the tenants in `state`. `fault_response` and `corrupt` apply faults.
//! A tenant's data is generated (`generated_tenant`) or captured (`replay`).
//!
//! The crate shares no type with the exporter. Common wire types would make
//! both misread Microsoft in the same way, and every test would pass.
#![forbid(unsafe_code)]

mod active_faults;
mod admin_consent;
mod api_request;
mod body;
mod bounded_log;
mod capture_files;
mod catalogue;
mod completion;
mod connect_proxy;
mod consent;
mod control_api;
mod control_profile;
mod corrupt;
mod corrupt_customers;
mod corrupt_recommendations;
mod corrupt_secure_score;
mod customer;
mod daily_report;
mod entra;
mod entra_error;
mod evolvable_enums;
mod fault;
mod fault_response;
mod filter;
mod generated_data;
mod generated_tenant;
mod graph;
mod handle;
mod history;
mod identity_score;
mod incoming;
mod initial_changes;
mod initial_customers;
mod initial_relationships;
mod initial_statuses;
mod list;
mod list_query;
mod list_reply;
mod managed_identity;
mod odd_values;
mod openid;
mod options;
mod organization_member;
mod pagination;
mod partner;
mod partner_api;
mod partner_handle;
mod partner_options;
mod query;
mod raw_json;
mod recommendation;
mod recommendation_catalogue;
mod recommendation_handle;
mod recommendations_access;
mod recorded_request;
mod relationship;
mod replay;
mod reply;
mod report_calendar;
mod rng;
mod scenario;
mod server;
mod state;
mod status_change;
mod tenant;
mod tenant_factory;
mod tenant_profile;
mod tenant_table;
mod tls;
mod token;
mod trusted_credentials;

use std::io;
use std::net::SocketAddr;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use capture_files::ReplayError;
pub use consent::Consent;
pub use customer::Customer;
pub use fault::{
    Fault, FaultError, FaultId, FaultKind, InjectedFault, OddCustomer, OddElement, OddField,
    OddUpdate, RepeatedElement, RetryAfter,
};
pub use handle::{HandleError, SimulatorHandle};
pub use options::Options;
pub use partner_handle::PartnerHandle;
pub use partner_options::{PartnerOptions, PartnerPermission};
pub use recommendations_access::RecommendationsAccess;
pub use recorded_request::{Api, RecordedRequest};
pub use relationship::Relationship;
pub use scenario::scenario;
pub use status_change::StatusChange;
pub use tenant::TenantAccess;
pub use tls::CertificateError;
pub use trusted_credentials::{CredentialError, FederatedClaims};

use state::SimulatorState;
use tls::ServerCertificate;

/// A running simulator. Dropping it stops it.
#[derive(Debug)]
pub struct Simulator {
    url: String,
    control_url: Option<String>,
    ca_pem: String,
    handle: SimulatorHandle,
    tasks: JoinSet<()>,
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The address is not available.
    #[error("could not listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The reason.
        source: io::Error,
    },
    /// The address of the control API is reachable from other machines.
    #[error(
        "the control API has no password, so it listens on loopback only; {address} is another address"
    )]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// The TLS certificate failed.
    #[error("the simulator has no TLS certificate")]
    Certificate(#[from] CertificateError),
    /// The captured responses failed.
    #[error("the captured responses cannot be served")]
    Replay(#[from] ReplayError),
}

impl Simulator {
    /// Binds the ports and starts serving.
    pub async fn start(options: Options) -> Result<Self, SimulatorError> {
        let control_listen = options.control_listen;
        if let Some(address) = control_listen.filter(|address| !address.ip().is_loopback()) {
            return Err(SimulatorError::NotLoopback { address });
        }
        let state = SimulatorState::new(&options, Timestamp::now())?;
        let handle = SimulatorHandle::new(state.clone());
        let mut tasks = JoinSet::new();
        let (listener, address) = listen(options.listen).await?;
        let certificate = ServerCertificate::new(address, &options.names)?;
        tasks.spawn(server::serve_graph(listener, certificate.server, state));
        let mut control_url = None;
        if let Some(address) = control_listen {
            let (listener, address) = listen(address).await?;
            tasks.spawn(server::serve_control(listener, handle.clone()));
            control_url = Some(format!("http://{address}"));
        }
        if options.scenario {
            tasks.spawn(scenario::run(handle.clone(), options));
        }
        Ok(Self {
            url: format!("https://{address}"),
            control_url,
            ca_pem: certificate.ca_pem,
            handle,
            tasks,
        })
    }

    /// The root URL of both Graph and Entra.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The certificate authority that clients must trust, as PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The root URL of the control API, if the options enable it.
    pub fn control_url(&self) -> Option<&str> {
        self.control_url.as_deref()
    }

    /// What a client needs to sign in to each tenant.
    pub fn tenants(&self) -> Vec<TenantAccess> {
        self.handle.tenants()
    }

    /// The handle that changes what the simulator serves.
    pub fn handle(&self) -> SimulatorHandle {
        self.handle.clone()
    }

    /// Stops it. Ports are free and connections closed when this returns.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), SimulatorError> {
    let failed = |source| SimulatorError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
