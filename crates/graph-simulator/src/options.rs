//! What a simulator is told before it starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// How many profiles Graph puts on one page.
const GRAPH_PAGE_SIZE: usize = 200;

/// How long Entra's application tokens live.
const TOKEN_LIFETIME: Duration = Duration::from_secs(3599);

/// How to start a [`Simulator`](super::Simulator).
#[derive(Debug, Clone)]
pub struct Options {
    /// Where Graph and Entra listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the control API listens, loopback only; `None` leaves it out.
    pub control_listen: Option<SocketAddr>,
    /// How many tenants there are. The first five have names of their own.
    pub tenants: usize,
    /// Equal seeds give equal tenants, secrets and stories.
    pub seed: u64,
    /// A directory of captured answers to serve instead of invented tenants.
    pub replay: Option<PathBuf>,
    /// Profiles per page, where the client does not say `$top`.
    pub page_size: usize,
    /// Whether scores drift and people accept risks while it runs.
    pub living: bool,
    /// How long before the start the newest of the ready-made changes was made.
    pub state_age: Duration,
    /// How long a token is good for.
    pub token_lifetime: Duration,
    /// Host names the certificate holds beside `localhost` and the address.
    pub names: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            control_listen: None,
            tenants: 5,
            seed: 20_251_105,
            replay: None,
            page_size: GRAPH_PAGE_SIZE,
            living: false,
            state_age: Duration::from_secs(3 * 24 * 60 * 60),
            token_lifetime: TOKEN_LIFETIME,
            names: Vec::new(),
        }
    }
}
