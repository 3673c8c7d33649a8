//! What the configuration says about the site.

use super::lifecycle::Lifecycle;
use exporter_web_config::AccessControl;
use secure_score_model::Persons;
use std::sync::Arc;
use std::time::SystemTime;

/// Whether the pages say who accepted a risk, and with which words.
#[derive(Debug, Clone)]
pub enum PersonDetail {
    /// They do, as far as the configuration says.
    Shown(Persons),
    /// They do not.
    Redacted(Redaction),
}

impl PersonDetail {
    /// What of persons is shown.
    pub fn persons(&self) -> &Persons {
        match self {
            Self::Shown(persons) => persons,
            Self::Redacted(_) => &Persons::Hidden,
        }
    }
}

/// Why persons are not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redaction {
    /// Anybody on the network could read them.
    Unprotected,
    /// The configuration says so.
    Configured,
    /// Others reach us by another address, and so may whoever asks.
    Published,
    /// The request came through a proxy, or under a name not of this machine.
    Forwarded,
}

/// What the configuration says about the site.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the metrics are, below the prefix.
    pub telemetry_path: String,
    /// What every path begins with; `/` or nothing for none.
    pub route_prefix: String,
    /// The address others reach us by, when it is not ours.
    pub external_url: Option<String>,
    /// Whether the pages show persons, to whom may see them.
    pub persons: PersonDetail,
    /// Whether others than this machine can ask us.
    pub exposed: bool,
    /// The web configuration.
    pub access: Arc<AccessControl>,
    /// Who reads the configuration again, where that may be asked for.
    pub lifecycle: Option<Lifecycle>,
    /// What is switched off.
    pub closed: Closed,
    /// Our version.
    pub version: String,
    /// When we started.
    pub started: SystemTime,
}

/// What is switched off: the metrics, the health checks and the targets never
/// are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Closed {
    /// The pages for people.
    pub pages: bool,
    /// The API for programs.
    pub api: bool,
}

impl Options {
    /// What links begin with: the path of the external address, since a proxy
    /// may have taken it away before the request came to us.
    pub(super) fn link_prefix(&self) -> &str {
        self.external_url
            .as_deref()
            .and_then(|url| url.split_once("://"))
            .map(|(_, rest)| {
                rest.find('/')
                    .map_or("", |start| rest.get(start..).unwrap_or(""))
            })
            .map_or(&self.route_prefix, |path| path.trim_end_matches('/'))
    }
}
