//! What the web server shows, from flags and configuration.

use super::privacy;
use crate::cli::WebFlags;
use crate::config::Config;
use crate::http::{DisabledRoutes, SiteOptions, TargetLabels};
use std::sync::Arc;
use std::time::SystemTime;

/// The options of a server on loopback without users and lifecycle.
pub(super) fn options(config: &Config, flags: &WebFlags) -> SiteOptions {
    SiteOptions {
        telemetry_path: flags.telemetry_path().to_owned(),
        route_prefix: flags.route_prefix().to_owned(),
        external_url: external_url(flags),
        persons: privacy::on_pages(config),
        exposed: false,
        access: Arc::default(),
        lifecycle: None,
        disabled: DisabledRoutes {
            pages: flags.disable_pages,
            api: flags.disable_api,
        },
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: SystemTime::now(),
    }
}

/// The URL under which users reach the exporter.
pub(super) fn external_url(flags: &WebFlags) -> Option<String> {
    let url = flags.external_url.as_ref();
    url.map(|url| url.as_str().to_owned())
}

/// The labels of each tenant as a scrape target.
pub(super) fn target_labels(config: &Config) -> TargetLabels {
    let tenants = config.tenants.iter();
    tenants
        .map(|tenant| (tenant.alias.clone(), tenant.labels.clone()))
        .collect()
}
