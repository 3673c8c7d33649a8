//! `/sd/tenants`: each tenant as a target, for Prometheus' `http_sd_configs`.

use super::options::Options;
use super::probe;
use super::query;
use super::reply::{self, Reply};
use crate::store::Tenants;
use bytes::Bytes;
use exporter_web_config::ConnectionPolicy;
use hyper::StatusCode;
use hyper::header::{HOST, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Where it is, below the prefix.
pub(super) const PATH: &str = "/sd/tenants";

/// Prometheus takes no other spelling.
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// What each tenant's target is labelled with beside what makes it a target.
pub type Targets = BTreeMap<String, BTreeMap<String, String>>;

/// A target as Prometheus reads it.
#[derive(Debug, Serialize)]
struct Target<'a> {
    targets: [&'a str; 1],
    labels: BTreeMap<&'a str, Cow<'a, str>>,
}

/// Under which address we were asked, and are to be probed.
#[derive(Debug, PartialEq, Eq)]
struct Address {
    authority: String,
    scheme: Option<String>,
    /// What the path of a probe begins with.
    prefix: String,
}

/// Answers with every tenant, and with the labels configured for it.
///
/// A label `tenant` is none of them: the series have one, and Prometheus would
/// rename it. `instance` is, since otherwise all tenants of an exporter would
/// share the one `up`.
pub(super) fn answer(
    parts: &Parts,
    tenants: &Tenants,
    labels: &Targets,
    options: &Options,
) -> Reply {
    if let Err(bad) = query::none(parts.uri.query()) {
        return reply::text(StatusCode::BAD_REQUEST, format!("{bad}\n"));
    }
    let Some(address) = Address::of(parts, options) else {
        let line = "name in Host the address the tenants are to be probed at\n";
        return reply::text(StatusCode::BAD_REQUEST, line.to_owned());
    };
    let aliases = tenants.states.iter().map(|state| &*state.identity.alias);
    let targets: Vec<_> = aliases
        .map(|alias| address.target(alias, labels.get(alias)))
        .collect();
    match serde_json::to_vec(&targets) {
        Ok(json) => reply::data(StatusCode::OK, JSON, Bytes::from(json)),
        Err(error) => reply::text(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("the targets cannot be written: {error}\n"),
        ),
    }
}

impl Address {
    /// Who asked us can probe us in the same way. Only where that is through a
    /// proxy, which is to say by the external URL, its scheme and path hold.
    fn of(parts: &Parts, options: &Options) -> Option<Self> {
        let named = parts.headers.get(HOST).map(|host| host.to_str());
        let named = match (parts.uri.authority(), named) {
            (Some(authority), _) => Some(authority.clone()),
            (None, Some(host)) => Some(host.ok()?.parse::<Authority>().ok()?),
            (None, None) => None,
        };
        let external = options.external_url.as_deref();
        let external = external.and_then(|url| url.split_once("://"));
        let external = external.map(|(scheme, rest)| {
            let authority = rest.split('/').next().unwrap_or_default();
            (scheme, authority)
        });
        match (named, external) {
            (Some(named), _) if named.as_str().contains('@') => None,
            (Some(named), Some((_, authority))) if named != *authority => {
                Some(Self::direct(&named, options))
            }
            (Some(named), None) => Some(Self::direct(&named, options)),
            (_, Some((scheme, authority))) => Some(Self {
                authority: authority.to_owned(),
                scheme: Some(scheme.to_owned()),
                prefix: options.link_prefix().to_owned(),
            }),
            (None, None) => None,
        }
    }

    fn direct(authority: &Authority, options: &Options) -> Self {
        Self {
            authority: authority.as_str().to_owned(),
            scheme: matches!(
                options.access.connection_policy(),
                ConnectionPolicy::Tls { .. }
            )
            .then(|| "https".to_owned()),
            prefix: options.route_prefix.clone(),
        }
    }

    fn target<'a>(
        &'a self,
        alias: &'a str,
        own: Option<&'a BTreeMap<String, String>>,
    ) -> Target<'a> {
        let own = own.into_iter().flatten();
        let own = own.map(|(name, value)| (name.as_str(), Cow::from(value)));
        let scheme = self.scheme.iter();
        let scheme = scheme.map(|scheme| ("__scheme__", Cow::from(scheme)));
        let path = format!("{}{}", self.prefix, probe::PATH);
        let needed = [
            ("__param_tenant", Cow::from(alias)),
            ("__metrics_path__", path.into()),
            ("instance", format!("{}/{alias}", self.authority).into()),
        ];
        Target {
            targets: [&self.authority],
            labels: own.chain(scheme).chain(needed).collect(),
        }
    }
}
