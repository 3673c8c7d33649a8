use crate::password_checker::PasswordChecker;
use crate::{RateLimiter, Users};
use arc_swap::ArcSwap;
use http::{HeaderName, HeaderValue};
use rustls::ServerConfig;
use std::sync::Arc;
use tokio::sync::watch;

/// A valid web configuration file. The default, an empty file, is plain HTTP
/// without authentication.
#[derive(Debug, Default)]
pub struct WebConfig {
    /// TLS of the connections; `None` for plain HTTP.
    pub tls: Option<Arc<ServerConfig>>,
    /// Whether a handshake without a client certificate is refused
    /// (`RequireAnyClientCert`, `RequireAndVerifyClientCert`).
    pub requires_certificates: bool,
    /// Headers of every response, in the order of the file.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The users; `None` if no password is required.
    pub users: Option<Users>,
    /// The limit on requests.
    pub rate_limit: Option<RateLimiter>,
    /// The client certificates that authenticate.
    pub verified_certificates: VerifiedCertificates,
    /// Whether HTTP/2 is disabled, also for clients with prior knowledge.
    pub http1_only: bool,
}

/// The client certificates that are verified against the authorities of the
/// file (`client_ca_file`).
///
/// No other certificate authenticates its owner: without verification everyone
/// can make one, and of the system's authorities everyone can get one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VerifiedCertificates {
    /// None.
    #[default]
    None,
    /// Those of clients that present one (`VerifyClientCertIfGiven`).
    IfPresented,
    /// Those of all clients (`RequireAndVerifyClientCert`).
    Required,
}

impl WebConfig {
    /// Whether every client is authenticated, on connections accepted from now
    /// on.
    pub fn authenticates_every_client(&self) -> bool {
        self.users.is_some() || self.verified_certificates == VerifiedCertificates::Required
    }

    /// Whether the sender of a request that passed
    /// [`guard`](AccessControl::guard) is authenticated: by password, or by the
    /// certificate that was verified when the connection was accepted.
    pub fn is_authenticated(&self, certificate_verified: bool) -> bool {
        let counts = self.verified_certificates != VerifiedCertificates::None;
        self.users.is_some() || (counts && certificate_verified)
    }
}

/// Applies the web configuration in effect to connections
/// ([`connection_policy`](Self::connection_policy)) and requests
/// ([`guard`](Self::guard)).
#[derive(Debug)]
pub struct AccessControl {
    state: ArcSwap<State>,
    pub(crate) passwords: PasswordChecker,
}

#[derive(Debug)]
enum State {
    Open {
        config: Arc<WebConfig>,
        /// Dropped when the configuration is replaced.
        in_effect: watch::Sender<()>,
    },
    /// The file was invalid for too long: every request is rejected.
    Closed { used_tls: bool },
}

/// What the server does with a new connection.
#[derive(Debug, Clone)]
pub enum ConnectionPolicy {
    /// Serve plain HTTP.
    Plain,
    /// Complete a TLS handshake first.
    Tls {
        /// The configuration of the handshake.
        config: Arc<ServerConfig>,
        /// Whether a certificate that the client presents authenticates it once
        /// the handshake is complete.
        verifies_certificates: bool,
        /// When the configuration is replaced. What it verified may then be valid no
        /// more, so connections of verified clients have to end.
        replaced: Replacement,
    },
    /// Close it: the client expects TLS, and there is no valid configuration.
    Reject,
}

/// The moment at which a configuration is replaced.
#[derive(Debug, Clone)]
pub struct Replacement(watch::Receiver<()>);

impl Replacement {
    /// Waits until the configuration is replaced.
    pub async fn done(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

impl State {
    fn open(config: WebConfig) -> Self {
        Self::Open {
            config: Arc::new(config),
            in_effect: watch::Sender::new(()),
        }
    }
}

impl Default for AccessControl {
    fn default() -> Self {
        Self::new(WebConfig::default())
    }
}

impl AccessControl {
    /// Applies this configuration until [`ConfigWatcher`](crate::ConfigWatcher)
    /// replaces it.
    pub fn new(config: WebConfig) -> Self {
        Self {
            state: ArcSwap::from_pointee(State::open(config)),
            passwords: PasswordChecker::default(),
        }
    }

    /// The configuration in effect; `None` while every request is rejected.
    pub fn config(&self) -> Option<Arc<WebConfig>> {
        match self.state.load().as_ref() {
            State::Open { config, .. } => Some(Arc::clone(config)),
            State::Closed { .. } => None,
        }
    }

    pub(crate) fn replace(&self, config: WebConfig) {
        self.state.store(Arc::new(State::open(config)));
    }

    pub(crate) fn close(&self) {
        let used_tls = matches!(self.connection_policy(), ConnectionPolicy::Tls { .. });
        self.state.store(Arc::new(State::Closed { used_tls }));
    }

    /// The policy for a connection that is accepted now.
    pub fn connection_policy(&self) -> ConnectionPolicy {
        match self.state.load().as_ref() {
            State::Open { config, in_effect } => match &config.tls {
                Some(tls) => ConnectionPolicy::Tls {
                    config: Arc::clone(tls),
                    verifies_certificates: config.verified_certificates
                        != VerifiedCertificates::None,
                    replaced: Replacement(in_effect.subscribe()),
                },
                None => ConnectionPolicy::Plain,
            },
            State::Closed { used_tls: true } => ConnectionPolicy::Reject,
            State::Closed { used_tls: false } => ConnectionPolicy::Plain,
        }
    }
}
