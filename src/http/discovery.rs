//! `/sd/tenants`: each tenant as a target, for Prometheus' `http_sd_configs`.

use super::options::SiteOptions;
use super::probe;
use crate::http_types::{Response, query, response};
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

/// Its path, below the prefix.
pub(super) const PATH: &str = "/sd/tenants";

/// Prometheus accepts no other spelling.
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// The configured labels of each tenant's target, by alias.
pub type TargetLabels = BTreeMap<String, BTreeMap<String, String>>;

/// A target as Prometheus reads it.
#[derive(Debug, Serialize)]
struct Target<'a> {
    targets: [&'a str; 1],
    labels: BTreeMap<&'a str, Cow<'a, str>>,
}

/// The address that Prometheus uses for this exporter.
#[derive(Debug, PartialEq, Eq)]
struct ProbeAddress {
    authority: String,
    scheme: Option<String>,
    /// What the path of a probe begins with.
    prefix: String,
}

/// Answers with every tenant and its configured labels.
///
/// There is no label `tenant`: the series have one, and Prometheus would rename
/// it. `instance` is set, since otherwise all tenants of an exporter would share
/// one `up` series.
pub(super) fn respond(
    parts: &Parts,
    tenants: &Tenants,
    labels: &TargetLabels,
    options: &SiteOptions,
) -> Response {
    if let Err(error) =
        query::parse_pairs(parts.uri.query()).and_then(|pairs| query::allow_only(&pairs, &[]))
    {
        return response::text(StatusCode::BAD_REQUEST, format!("{error}\n"));
    }
    let Some(address) = ProbeAddress::of(parts, options) else {
        let line =
            "the Host header must name the address at which Prometheus can probe the tenants\n";
        return response::text(StatusCode::BAD_REQUEST, line);
    };
    let aliases = tenants.states.iter().map(|state| &*state.identity.alias);
    let targets: Vec<_> = aliases
        .map(|alias| address.target(alias, labels.get(alias)))
        .collect();
    match serde_json::to_vec(&targets) {
        Ok(json) => response::data(StatusCode::OK, JSON, Bytes::from(json)),
        Err(error) => response::text(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("the targets cannot be serialized: {error}\n"),
        ),
    }
}

impl ProbeAddress {
    /// The host that the request names. The external URL's scheme and path apply
    /// only where the request came through the proxy, that is, names its host.
    fn of(parts: &Parts, options: &SiteOptions) -> Option<Self> {
        let named = match (parts.uri.authority(), parts.headers.get(HOST)) {
            (Some(authority), _) => Some(authority.clone()),
            (None, Some(host)) => Some(Authority::try_from(host.as_bytes()).ok()?),
            (None, None) => None,
        };
        let named = named.as_ref().map(Authority::as_str);
        let external = options.external_url.as_deref();
        let external = external.and_then(|url| url.split_once("://"));
        let external = external.map(|(scheme, rest)| {
            let authority = rest.split('/').next().unwrap_or_default();
            (scheme, authority)
        });
        let is_tls = matches!(
            options.access.connection_policy(),
            ConnectionPolicy::Tls { .. }
        );
        let (authority, scheme, prefix) = match (named, external) {
            (Some(named), _) if named.contains('@') => return None,
            (named, Some((scheme, authority)))
                if named.is_none_or(|it| it.eq_ignore_ascii_case(authority)) =>
            {
                (authority, Some(scheme), options.link_prefix())
            }
            (Some(named), _) => (named, is_tls.then_some("https"), &*options.route_prefix),
            (None, _) => return None,
        };
        Some(Self {
            authority: authority.to_owned(),
            scheme: scheme.map(str::to_owned),
            prefix: prefix.to_owned(),
        })
    }

    fn target<'a>(
        &'a self,
        alias: &'a str,
        labels: Option<&'a BTreeMap<String, String>>,
    ) -> Target<'a> {
        let labels = labels.into_iter().flatten();
        let labels = labels.map(|(name, value)| (name.as_str(), Cow::from(value)));
        let scheme = self.scheme.iter();
        let scheme = scheme.map(|scheme| ("__scheme__", Cow::from(scheme)));
        let path = format!("{}{}", self.prefix, probe::PATH);
        let required = [
            ("__param_tenant", Cow::from(alias)),
            ("__metrics_path__", path.into()),
            ("instance", format!("{}/{alias}", self.authority).into()),
        ];
        Target {
            targets: [&self.authority],
            labels: labels.chain(scheme).chain(required).collect(),
        }
    }
}
