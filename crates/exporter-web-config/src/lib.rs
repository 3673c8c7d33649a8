//! # gate: who may come in, and over which connection
//!
//! The web configuration file of the Prometheus family, `--web.config.file`:
//! TLS, client certificates, users, headers and a rate limit, under the same
//! keys and with the same meaning. `docs/security.md` says where this differs
//! from the Go original.
//!
//! ```text
//! file ─► load (faults, or Rules) ─► Gate ◄─ watch (looks every second)
//!                                     ▲
//!                                     └─ web asks it, for each connection and request
//! ```
//!
//! Whatever is wrong with the file while we run, nobody gets in who would not
//! have got in before: for a short while the last good rules hold, then
//! nothing is answered at all.

mod algorithm;
mod certificate;
mod client;
mod file;
mod flood;
mod header;
mod interval;
mod load;
mod tls;
mod users;
mod watch;

pub use flood::Flood;
pub use load::{Loaded, load};
pub use users::{Users, Verdict};
pub use watch::{Outcome, Watch};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use std::sync::Arc;

/// What the file says, ready to be used.
#[derive(Debug, Default)]
pub struct Rules {
    /// How connections are secured; plain HTTP where absent.
    pub tls: Option<Arc<ServerConfig>>,
    /// Headers of every answer, in the order of the file.
    pub headers: Vec<(&'static str, String)>,
    /// Who may ask; everybody where absent.
    pub users: Option<Users>,
    /// How much may be asked.
    pub flood: Option<Flood>,
    /// Whether only holders of a certificate that was verified get in.
    pub client_certificates: bool,
    /// Whether HTTP/2 is not spoken, whoever begins with it.
    pub http1_only: bool,
}

impl Rules {
    /// Whether nobody unknown gets in from now on.
    pub const fn know_everybody(&self) -> bool {
        self.knows(true)
    }

    /// Whether who sends a request is known: by password, or by the
    /// certificate that was verified when the connection began.
    pub const fn knows(&self, certified: bool) -> bool {
        self.users.is_some() || (self.client_certificates && certified)
    }
}

/// The rules in force.
#[derive(Debug)]
pub struct Gate {
    state: ArcSwap<State>,
}

#[derive(Debug)]
enum State {
    Rules(Arc<Rules>),
    /// The file is broken for too long: nobody gets in.
    Shut {
        was_secured: bool,
    },
}

/// What becomes of a connection.
#[derive(Debug, Clone)]
pub enum Security {
    /// It is talked over as it is.
    Plain,
    /// It is secured first. True where nobody gets in without a certificate
    /// that is verified.
    Tls(Arc<ServerConfig>, bool),
    /// It ends: its client expects TLS, and there is none to be had.
    Refused,
}

impl Default for Gate {
    /// Open to everybody, as without a file.
    fn default() -> Self {
        Self::new(Rules::default())
    }
}

impl Gate {
    /// A gate with these rules.
    pub fn new(rules: Rules) -> Self {
        Self {
            state: ArcSwap::from_pointee(State::Rules(Arc::new(rules))),
        }
    }

    /// The rules of this moment; none while the gate is shut.
    pub fn rules(&self) -> Option<Arc<Rules>> {
        match self.state.load().as_ref() {
            State::Rules(rules) => Some(Arc::clone(rules)),
            State::Shut { .. } => None,
        }
    }

    fn set(&self, rules: Rules) {
        self.state.store(Arc::new(State::Rules(Arc::new(rules))));
    }

    fn shut(&self) {
        let was_secured = matches!(self.security(), Security::Tls(..));
        self.state.store(Arc::new(State::Shut { was_secured }));
    }

    /// How the next connection is to be secured.
    pub fn security(&self) -> Security {
        match self.state.load().as_ref() {
            State::Rules(rules) => match &rules.tls {
                Some(config) => Security::Tls(Arc::clone(config), rules.client_certificates),
                None => Security::Plain,
            },
            State::Shut { was_secured: true } => Security::Refused,
            State::Shut { was_secured: false } => Security::Plain,
        }
    }
}
