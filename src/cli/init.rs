//! The flags of `init`.

use crate::config::{Cloud, authority, is_alias, parse_tenant_id};
use crate::config_values::guid;
use clap::Args;
use std::path::PathBuf;

/// Flags of `init`.
#[derive(Debug, Clone, Args)]
#[command(
    after_long_help = "On a terminal, init asks for what is missing. It overwrites no file.\n\nExamples:\n  secure-score-exporter init\n  secure-score-exporter init --tenant=contoso.onmicrosoft.com \\\n      --client-id=0a1b2c3d-1111-2222-3333-444444444444\n  secure-score-exporter init /etc/secure-score --partner=msp.onmicrosoft.com \\\n      --client-id=0a1b2c3d-1111-2222-3333-444444444444 \\\n      --partner-client-id=0a1b2c3d-5555-6666-7777-888888888888"
)]
pub struct Init {
    /// The directory to write into; it is created if it does not exist
    #[arg(value_name = "DIR", default_value = ".")]
    pub directory: PathBuf,

    /// Watch this tenant: its GUID or a domain of it
    #[arg(long, value_name = "ID", conflicts_with = "partner",
          value_parser = |text: &str| InitValue::Tenant.parse(text))]
    pub tenant: Option<String>,

    /// Watch the customers of this partner: the GUID or a domain of the provider's own tenant
    #[arg(long, value_name = "ID", value_parser = |text: &str| InitValue::Partner.parse(text))]
    pub partner: Option<String>,

    /// The name in labels [default: the first label of the domain]
    #[arg(long, value_name = "NAME", value_parser = |text: &str| InitValue::Name.parse(text))]
    pub name: Option<String>,

    /// The client id of the application that reads the tenant, or with --partner each customer
    #[arg(long, value_name = "GUID", value_parser = |text: &str| InitValue::ClientId.parse(text))]
    pub client_id: Option<String>,

    /// The client id of the application that reads the partner's list of customers
    #[arg(long, value_name = "GUID", conflicts_with = "tenant",
          value_parser = |text: &str| InitValue::PartnerClientId.parse(text))]
    pub partner_client_id: Option<String>,

    /// The national cloud: global, gcc-high or dod
    #[arg(long, value_name = "CLOUD", default_value = "global", value_parser = cloud)]
    pub cloud: Cloud,

    /// Where Prometheus reaches the exporter [default: 127.0.0.1:10365]
    #[arg(long, value_name = "HOST:PORT",
          value_parser = |text: &str| InitValue::ExporterAddress.parse(text))]
    pub exporter_address: Option<String>,

    /// The name of Alertmanager's receiver
    #[arg(long, value_name = "NAME", default_value = "security",
          value_parser = |text: &str| InitValue::Name.parse(text))]
    pub receiver: String,

    /// The e-mail address of that receiver; without one it sends nothing
    #[arg(long, value_name = "ADDRESS",
          value_parser = |text: &str| InitValue::AlertEmail.parse(text))]
    pub alert_email: Option<String>,

    /// The mail server for --alert-email
    #[arg(long, value_name = "HOST:PORT", requires = "alert_email",
          value_parser = |text: &str| InitValue::Smarthost.parse(text))]
    pub smarthost: Option<String>,
}

/// A value that `init` takes from a flag or an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitValue {
    /// The one tenant.
    Tenant,
    /// The provider's own tenant.
    Partner,
    /// The tenant's or the partner's name in labels.
    Name,
    /// The application for the tenant or the customers.
    ClientId,
    /// The application for the list of customers.
    PartnerClientId,
    /// The exporter as Prometheus reaches it.
    ExporterAddress,
    /// The receiver's address.
    AlertEmail,
    /// The mail server.
    Smarthost,
}

impl InitValue {
    /// Its flag; for a tenant, the choice of flags.
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Tenant => "--tenant or --partner",
            Self::Partner => "--partner",
            Self::Name => "--name",
            Self::ClientId => "--client-id",
            Self::PartnerClientId => "--partner-client-id",
            Self::ExporterAddress => "--exporter-address",
            Self::AlertEmail => "--alert-email",
            Self::Smarthost => "--smarthost",
        }
    }

    /// The value as it is written into a file. The error says what to write.
    pub fn parse(self, text: &str) -> Result<String, String> {
        match self {
            Self::Tenant | Self::Partner if is_cut(text) => Err(format!(
                "no domain ends like this; did you mean {text}.com?"
            )),
            Self::Tenant | Self::Partner => parse_tenant_id(text, None)
                .map_err(|error| format!("{error}, or write its domain, such as contoso.com")),
            Self::Name if is_alias(text) => Ok(text.to_owned()),
            Self::Name => Err(
                "use a letter or digit, then letters, digits, `.`, `_` or `-`, at most 64, such as contoso"
                    .to_owned(),
            ),
            Self::ClientId | Self::PartnerClientId if guid::is_guid(text) => {
                Ok(text.to_lowercase())
            }
            Self::ClientId | Self::PartnerClientId => Err(
                "not a GUID; copy \"Application (client) ID\" of the app registration, such as 0a1b2c3d-1111-2222-3333-444444444444".to_owned(),
            ),
            Self::ExporterAddress | Self::Smarthost if has_port(text) => Ok(text.to_owned()),
            Self::ExporterAddress => {
                Err("write a host and a port, such as 127.0.0.1:10365".to_owned())
            }
            Self::Smarthost => {
                Err("write a host and a port, such as smtp.example.org:587".to_owned())
            }
            Self::AlertEmail if is_email(text) => Ok(text.to_owned()),
            Self::AlertEmail => {
                Err("not an e-mail address; write one such as security@example.org".to_owned())
            }
        }
    }
}

/// Whether the text is a tenant's first domain without its end.
fn is_cut(text: &str) -> bool {
    let top = text.rsplit_once('.').map(|(_, top)| top);
    top.is_some_and(|top| top.eq_ignore_ascii_case("onmicrosoft"))
}

fn cloud(text: &str) -> Result<Cloud, String> {
    match text.parse()? {
        Cloud::Simulator => {
            Err("`simulate --config-dir` writes the configuration of simulated tenants".to_owned())
        }
        cloud => Ok(cloud),
    }
}

fn has_port(text: &str) -> bool {
    authority::host(text).is_some_and(|host| host.len() + 1 < text.len())
}

/// One plain address; mail servers check the rest.
fn is_email(text: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b".-_+@".contains(&b);
    let parts = text.split_once('@');
    let is_valid = |(local, domain): (&str, &str)| !local.is_empty() && guid::is_domain(domain);
    text.bytes().all(is_allowed) && parts.is_some_and(is_valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_its_form() {
        let guid = "0A1B2C3D-1111-2222-3333-444444444444";
        for (value, good, bad) in [
            (InitValue::Tenant, "contoso.com", "contoso"),
            (InitValue::Partner, guid, "common"),
            (
                InitValue::Tenant,
                "contoso.onmicrosoft.us",
                "contoso.onmicrosoft",
            ),
            (InitValue::Name, "contoso", "-contoso"),
            (InitValue::ClientId, guid, "contoso"),
            (InitValue::PartnerClientId, guid, ""),
            (InitValue::ExporterAddress, "[::1]:10365", "127.0.0.1"),
            (InitValue::Smarthost, "smtp.example.org:587", "smtp:0"),
            (
                InitValue::AlertEmail,
                "a.b+c@example.org",
                "a b@example.org",
            ),
        ] {
            assert!(value.parse(good).is_ok(), "{value:?} {good}");
            assert!(value.parse(bad).is_err(), "{value:?} {bad}");
        }
        assert_eq!(InitValue::ClientId.parse(guid), Ok(guid.to_lowercase()));
    }

    #[test]
    fn the_simulators_cloud_is_refused() {
        assert_eq!(cloud("gcc-high"), Ok(Cloud::GccHigh));
        assert!(cloud("simulator").is_err());
        let unknown = cloud("x").unwrap_err();
        assert_eq!(unknown, "unknown cloud; use global, gcc-high or dod");
    }
}
