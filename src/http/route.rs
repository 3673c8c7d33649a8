//! The paths of the site, and what each stands for.

use super::{discovery, evidence, lifecycle, probe};
use crate::api;
use crate::views::{self, PAGES, Page};

/// What a path stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Route {
    Page(&'static Page),
    Evidence,
    Stylesheet,
    Metrics,
    Probe,
    Discovery,
    Healthy,
    Ready,
    Reload,
    Api,
}

/// The routes that have a path of their own, below the prefix.
const FIXED: [(&str, Route); 9] = [
    (lifecycle::RELOAD_PATH, Route::Reload),
    (probe::PATH, Route::Probe),
    (discovery::PATH, Route::Discovery),
    (views::STYLE_PATH, Route::Stylesheet),
    ("/-/healthy", Route::Healthy),
    ("/livez", Route::Healthy),
    ("/healthz", Route::Healthy),
    ("/-/ready", Route::Ready),
    ("/readyz", Route::Ready),
];

impl Route {
    /// The route of a path below the prefix, where the metrics have this path.
    pub(super) fn find(path: &str, telemetry_path: &str) -> Option<Self> {
        match path {
            lifecycle::RELOAD_PATH => Some(Self::Reload),
            metrics if metrics == telemetry_path => Some(Self::Metrics),
            api if api.starts_with(api::ROOT) => Some(Self::Api),
            path if evidence::alias(path).is_some() => Some(Self::Evidence),
            path => FIXED
                .iter()
                .find(|(fixed, _)| *fixed == path)
                .map(|(_, route)| *route)
                .or_else(|| Page::find(path).map(Self::Page)),
        }
    }

    /// Every path below the prefix, where the metrics have this path; `{alias}`
    /// stands for any tenant, `{control}` for any control, `{alert}` for any alert.
    pub(super) fn paths(telemetry_path: &str) -> impl Iterator<Item = &str> {
        let fixed = FIXED.iter().map(|(path, _)| *path);
        let pages = PAGES.iter().map(|page| page.path);
        let rest = fixed.chain(pages).chain([evidence::PATH]).chain(api::PATHS);
        std::iter::once(telemetry_path).chain(rest)
    }

    /// Whether it answers other methods than GET and HEAD itself.
    pub(super) const fn checks_method(self) -> bool {
        matches!(self, Self::Api | Self::Reload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_a_route() {
        for path in Route::paths("/metrics") {
            assert!(Route::find(path, "/metrics").is_some(), "{path}");
        }
        for path in [
            "",
            "/nothing",
            "/probe/",
            "/tenants",
            "/-/reload/",
            "/runbook",
        ] {
            assert!(Route::find(path, "/metrics").is_none(), "{path}");
        }
    }
}
