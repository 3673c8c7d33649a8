//! The settings of a simulator.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::partner_options::PartnerOptions;
use crate::recommendations_access::RecommendationsAccess;

/// Graph's number of profiles per page.
const GRAPH_PAGE_SIZE: usize = 200;

/// The lifetime of Entra's application tokens.
const TOKEN_LIFETIME: Duration = Duration::from_secs(3599);

/// How to start a [`Simulator`](crate::Simulator).
#[derive(Debug, Clone)]
pub struct Options {
    /// The address of Graph and Entra; port 0 picks a free port.
    pub listen: SocketAddr,
    /// The loopback address of the control API; `None` disables it.
    pub control_listen: Option<SocketAddr>,
    /// The number of generated tenants. The first five have fixed names.
    pub tenants: usize,
    /// Equal seeds give equal tenants, secrets and scenarios.
    pub seed: u64,
    /// A directory of captured responses to serve instead of generated tenants.
    pub replay: Option<PathBuf>,
    /// The generated tenants whose application may read Entra's
    /// recommendations; a replayed tenant does if the captures contain them.
    pub recommendations: RecommendationsAccess,
    /// The partners, whose tenants list customers; none by default.
    pub partners: Vec<PartnerOptions>,
    /// Profiles, recommendations or customers per page, unless the request has `$top`.
    pub page_size: usize,
    /// Whether scores drift and administrators accept risks while it runs.
    pub scenario: bool,
    /// The least age at the start of the newest change in the tenants' histories; all
    /// are dated from the beginning of a day.
    pub state_age: Duration,
    /// The lifetime of access tokens.
    pub token_lifetime: Duration,
    /// Host names in the certificate besides `localhost` and the address.
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
            recommendations: RecommendationsAccess::default(),
            partners: Vec::new(),
            page_size: GRAPH_PAGE_SIZE,
            scenario: false,
            state_age: Duration::from_secs(3 * 24 * 60 * 60),
            token_lifetime: TOKEN_LIFETIME,
            names: Vec::new(),
        }
    }
}
