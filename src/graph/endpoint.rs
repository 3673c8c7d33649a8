//! Microsoft's servers in each national cloud.

use crate::config::{Cloud, SimulatorEndpoint};
use reqwest::Url;

/// The servers of one cloud. A token of one cloud is not valid in another.
///
/// Source: "National cloud deployments" in the documentation of Graph.
pub(super) struct Endpoint {
    /// Root of Entra's token endpoint, without a slash at the end.
    pub(super) login: String,
    pub(super) root: GraphRoot,
    /// The audience of a federated token.
    pub(super) federation_audience: &'static str,
    /// For simulated tenants, the root of the server that simulates Azure's
    /// endpoint for managed identities.
    pub(super) simulated_identity: Option<String>,
}

/// Root of Graph, without a slash at the end.
pub(super) struct GraphRoot(pub(super) String);

/// Source: "Workload identity federation", audiences.
const AUDIENCE: &str = "api://AzureADTokenExchange";
const AUDIENCE_US_GOVERNMENT: &str = "api://AzureADTokenExchangeUSGov";

impl Endpoint {
    /// The servers of a cloud.
    ///
    /// The configuration refuses a simulated tenant without a simulator. Here
    /// it gets a server that does not exist, rather than Microsoft's.
    pub(super) fn of(cloud: Cloud, simulator: Option<&SimulatorEndpoint>) -> Self {
        let simulator = simulator.map_or("https://localhost:0", |it| it.url.as_str());
        let simulator = simulator.trim_end_matches('/');
        let (graph, federation_audience) = match cloud {
            Cloud::Global => ("https://graph.microsoft.com", AUDIENCE),
            Cloud::GccHigh => ("https://graph.microsoft.us", AUDIENCE_US_GOVERNMENT),
            Cloud::Dod => ("https://dod-graph.microsoft.us", AUDIENCE_US_GOVERNMENT),
            Cloud::Simulator => (simulator, AUDIENCE),
        };
        Self {
            login: cloud.login().unwrap_or(simulator).to_owned(),
            root: GraphRoot(graph.to_owned()),
            federation_audience,
            simulated_identity: (cloud == Cloud::Simulator).then(|| simulator.to_owned()),
        }
    }

    /// The scope of tokens for Graph.
    pub(super) fn scope(&self) -> String {
        format!("{}/.default", self.root.0)
    }
}

impl GraphRoot {
    /// Whether a link has the same scheme, host and port. The token must not be
    /// sent anywhere else.
    pub(super) fn contains(&self, link: &Url) -> bool {
        let Ok(root) = Url::parse(&self.0) else {
            return false;
        };
        link.origin() == root.origin() && link.username().is_empty() && link.password().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_the_same_origin_are_followed() {
        let root = Endpoint::of(Cloud::Global, None).root;
        let contains = |link: &str| root.contains(&Url::parse(link).unwrap());
        assert!(contains(
            "https://graph.microsoft.com/v1.0/security/x?$skiptoken=1"
        ));
        assert!(contains("https://GRAPH.microsoft.com:443/v1.0/x"));
        for foreign in [
            "http://graph.microsoft.com/v1.0/x",
            "https://graph.microsoft.com:8443/v1.0/x",
            "https://graph.microsoft.com.evil.example/v1.0/x",
            "https://graph.microsoft.com@evil.example/v1.0/x",
            "https://me:pw@graph.microsoft.com/v1.0/x",
            "https://graph.microsoft.us/v1.0/x",
        ] {
            assert!(!contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn each_cloud_has_its_own_servers() {
        assert_eq!(
            Endpoint::of(Cloud::Dod, None).scope(),
            "https://dod-graph.microsoft.us/.default"
        );
        assert_eq!(
            Endpoint::of(Cloud::GccHigh, None).login,
            "https://login.microsoftonline.us"
        );
    }
}
