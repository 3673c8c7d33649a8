//! Where Microsoft answers, per national cloud.

use crate::config::{Cloud, SimulatorEndpoint};
use reqwest::Url;

/// The hosts of one cloud. A token of one cloud is worth nothing in another.
///
/// Source: "National cloud deployments" in the documentation of Graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Root of Entra's token endpoint, without a slash at the end.
    pub login: String,
    /// Root of Graph, without a slash at the end.
    pub graph: String,
    /// What a federated token must be meant for.
    pub exchange: &'static str,
    /// Who plays Azure's endpoint for managed identities; nobody for tenants
    /// that are no simulation.
    pub machine: Option<String>,
}

/// Source: "Workload identity federation", audiences.
const EXCHANGE: &str = "api://AzureADTokenExchange";
const EXCHANGE_US_GOVERNMENT: &str = "api://AzureADTokenExchangeUSGov";

impl Endpoint {
    /// The hosts of a cloud; the simulator's where a tenant lives there.
    ///
    /// A simulated tenant without a simulator gets hosts that do not exist
    /// rather than Microsoft's: the configuration refuses it long before.
    pub fn of(cloud: Cloud, simulator: Option<&SimulatorEndpoint>) -> Self {
        let (login, graph) = match cloud {
            Cloud::Global => (
                "https://login.microsoftonline.com",
                "https://graph.microsoft.com",
            ),
            Cloud::GccHigh => (
                "https://login.microsoftonline.us",
                "https://graph.microsoft.us",
            ),
            Cloud::Dod => (
                "https://login.microsoftonline.us",
                "https://dod-graph.microsoft.us",
            ),
            Cloud::Simulator => {
                let root = simulator.map_or("https://localhost:0", |it| it.url.as_str());
                (root, root)
            }
        };
        Self {
            login: login.trim_end_matches('/').to_owned(),
            graph: graph.trim_end_matches('/').to_owned(),
            exchange: match cloud {
                Cloud::Global | Cloud::Simulator => EXCHANGE,
                Cloud::GccHigh | Cloud::Dod => EXCHANGE_US_GOVERNMENT,
            },
            machine: (cloud == Cloud::Simulator).then(|| graph.to_owned()),
        }
    }

    /// Where a tenant's tokens are asked for, which is also what an assertion
    /// must be meant for.
    pub(super) fn token_url(&self, tenant_id: &str) -> String {
        format!("{}/{tenant_id}/oauth2/v2.0/token", self.login)
    }

    /// The scope an application asks a token for.
    pub(super) fn scope(&self) -> String {
        format!("{}/.default", self.graph)
    }

    /// Whether a link from an answer stays on this Graph: same scheme, host
    /// and port. Anything else must never be sent the token.
    pub(super) fn owns(&self, link: &Url) -> bool {
        let Ok(root) = Url::parse(&self.graph) else {
            return false;
        };
        link.origin() == root.origin() && link.username().is_empty() && link.password().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owns(link: &str) -> bool {
        Endpoint::of(Cloud::Global, None).owns(&Url::parse(link).unwrap())
    }

    #[test]
    fn only_links_to_the_same_origin_are_followed() {
        assert!(owns(
            "https://graph.microsoft.com/v1.0/security/x?$skiptoken=1"
        ));
        assert!(owns("https://GRAPH.microsoft.com:443/v1.0/x"));
        for foreign in [
            "http://graph.microsoft.com/v1.0/x",
            "https://graph.microsoft.com:8443/v1.0/x",
            "https://graph.microsoft.com.evil.example/v1.0/x",
            "https://graph.microsoft.com@evil.example/v1.0/x",
            "https://me:pw@graph.microsoft.com/v1.0/x",
            "https://graph.microsoft.us/v1.0/x",
        ] {
            assert!(!owns(foreign), "{foreign}");
        }
    }

    #[test]
    fn each_cloud_has_its_own_hosts() {
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
