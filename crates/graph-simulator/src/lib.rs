//! # simulator: Microsoft Graph and Entra in one process
//!
//! Serves what the exporter asks of Microsoft, over TLS on one loopback port,
//! with made-up tenants in the shape real ones have: strings for numbers,
//! nulls, placeholders, pages with opaque markers, older reports that lost
//! half their fields. `demo`, `simulate` and the tests run against it.
//!
//! It depends on nothing else of the crate. Were it to share the wire types of
//! the exporter, both would misread Microsoft in the same way and every test
//! would pass.
//!
//! Faults are injected through [`Control`] or its HTTP sibling. They strike
//! where and as often as they are told, never by chance.

mod body;
mod calendar;
mod catalogue;
mod character;
mod confidences;
mod control;
mod control_api;
mod day;
mod dice;
mod distort;
mod entra;
mod fault;
mod fault_board;
mod graph;
mod history;
mod identity;
mod made;
mod measure;
mod mishap;
mod options;
mod past;
mod profile;
mod query;
mod replay;
mod reply;
mod report;
mod request_log;
mod server;
mod skiptoken;
mod story;
mod tenant;
mod tls;
mod token;
mod trust;
mod world;

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use control::{Control, ControlError};
pub use fault::{Fault, FaultError, FaultId, Injection, Oddity, RetryAfter, What};
pub use options::Options;
pub use replay::ReplayError;
pub use request_log::{Api, RecordedRequest};
pub use story::story;
pub use tenant::TenantAccess;
pub use tls::IdentityError;
pub use trust::{FederatedClaims, TrustError};

use world::World;

/// A running simulator. Dropping it ends it, too.
#[derive(Debug)]
pub struct Simulator {
    url: String,
    control_url: Option<String>,
    ca_pem: String,
    control: Control,
    tasks: JoinSet<()>,
}

/// Why the simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// An address could not be listened on.
    #[error("could not listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The control API was to listen where others can reach it.
    #[error("the control API has no password and listens on loopback only; {address} is not")]
    NotLoopback {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The server has no certificate.
    #[error("there is no certificate to serve with")]
    Identity(#[from] IdentityError),
    /// The captured answers cannot be served.
    #[error("the captured answers cannot be served")]
    Replay(#[from] ReplayError),
}

impl Simulator {
    /// Binds the ports and starts to serve.
    pub async fn start(options: Options) -> Result<Self, SimulatorError> {
        if let Some(address) = options
            .control_listen
            .filter(|address| !address.ip().is_loopback())
        {
            return Err(SimulatorError::NotLoopback { address });
        }
        let world = World::new(&options, Timestamp::now())?;
        let control = Control::new(world.clone());
        let mut tasks = JoinSet::new();
        let (listener, address) = listen(options.listen).await?;
        let identity = tls::Identity::new(address, &options.names)?;
        tasks.spawn(server::serve_graph(listener, identity.server, world));
        let control_url = start_control(&options, &control, &mut tasks).await?;
        if options.living {
            tasks.spawn(story::live(control.clone(), options));
        }
        let url = format!("https://{address}");
        Ok(Self {
            url,
            control_url,
            ca_pem: identity.ca_pem,
            control,
            tasks,
        })
    }

    /// The root of both Graph and Entra.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The certificate to trust.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The root of the control API, if it was asked for.
    pub fn control_url(&self) -> Option<&str> {
        self.control_url.as_deref()
    }

    /// What a client needs to sign in to each tenant.
    pub fn tenants(&self) -> Vec<TenantAccess> {
        self.control.tenants()
    }

    /// The handle to change what is served.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Ends it: ports are free and connections closed when this returns.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn start_control(
    options: &Options,
    control: &Control,
    tasks: &mut JoinSet<()>,
) -> Result<Option<String>, SimulatorError> {
    let Some(address) = options.control_listen else {
        return Ok(None);
    };
    let (listener, address) = listen(address).await?;
    tasks.spawn(server::serve_control(listener, control.clone()));
    Ok(Some(format!("http://{address}")))
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), SimulatorError> {
    let failed = |source| SimulatorError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
