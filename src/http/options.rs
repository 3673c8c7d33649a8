//! The options of a site.

use super::lifecycle::Lifecycle;
use crate::http_types::PersonPolicy;
use exporter_web_config::AccessControl;
use secure_score_model::Persons;
use std::sync::Arc;
use std::time::SystemTime;

/// The options of a site.
#[derive(Debug, Clone)]
pub struct SiteOptions {
    /// The path of the metrics, below the prefix.
    pub telemetry_path: String,
    /// What every path begins with; `/` or empty for none.
    pub route_prefix: String,
    /// The URL that clients use, where it is not the listen address.
    pub external_url: Option<String>,
    /// Which clients see persons.
    pub persons: PersonPolicy,
    /// Who has access.
    pub access: Arc<AccessControl>,
    /// Reloads the configuration, where that is enabled over HTTP.
    pub lifecycle: Option<Lifecycle>,
    /// What is switched off.
    pub disabled: DisabledRoutes,
    /// Whether other exporters have the other tenants of the configuration.
    pub is_shard: bool,
    /// The exporter's version.
    pub version: String,
    /// When the exporter started.
    pub started: SystemTime,
}

impl Default for SiteOptions {
    /// Without persons.
    fn default() -> Self {
        Self {
            telemetry_path: "/metrics".to_owned(),
            route_prefix: "/".to_owned(),
            external_url: None,
            persons: PersonPolicy {
                persons: Persons::Hidden,
                without_authentication: false,
            },
            access: Arc::default(),
            lifecycle: None,
            disabled: DisabledRoutes::default(),
            is_shard: false,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: SystemTime::now(),
        }
    }
}

/// What is switched off. Metrics, health checks and discovery never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DisabledRoutes {
    /// The HTML pages.
    pub pages: bool,
    /// The JSON API.
    pub api: bool,
}

impl SiteOptions {
    /// What links begin with: the path of the external URL, since a proxy may
    /// have removed it from the request.
    pub(super) fn link_prefix(&self) -> &str {
        self.external_url
            .as_deref()
            .and_then(|url| url.split_once("://"))
            .map(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or(""))
            .map_or(&self.route_prefix, |path| path.trim_end_matches('/'))
    }
}
