//! Paths we serve and the URL others reach us by.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// Paths that are something else already.
const TAKEN: [&str; 6] = ["/", "/probe", "/livez", "/readyz", "/healthz", "/style.css"];

/// Everything below these is something else already.
const TAKEN_TREES: [&str; 3] = ["/-", "/api", "/sd"];

/// A path that begins with a slash and has none at the end, except `/` itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutePath(String);

impl RoutePath {
    /// The path; `/` for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path to put before others; empty for the root.
    pub(super) fn as_prefix(&self) -> &str {
        if self.0 == "/" { "" } else { &self.0 }
    }
}

impl fmt::Display for RoutePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text was no path or URL we can serve under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRoute {
    /// Relative, or with characters that would need escaping.
    #[error("not a path; begin with / and use letters, digits and - . _ ~ /, such as /metrics")]
    Malformed,
    /// Served already.
    #[error("this path is something else already; choose another, such as /metrics")]
    Taken,
    /// Not a URL to link to.
    #[error("not a URL to link to; write http:// or https://, a host and at most a path")]
    NotAUrl,
}

impl FromStr for RoutePath {
    type Err = BadRoute;

    fn from_str(text: &str) -> Result<Self, BadRoute> {
        let trimmed = text.trim_end_matches('/');
        let segments_are_good = trimmed.split('/').skip(1).all(|segment| {
            !matches!(segment, "" | "." | "..") && segment.bytes().all(is_unreserved)
        });
        if !text.starts_with('/') || !segments_are_good {
            return Err(BadRoute::Malformed);
        }
        let path = if trimmed.is_empty() { "/" } else { trimmed };
        Ok(Self(path.to_owned()))
    }
}

/// Characters that mean themselves in every path (RFC 3986, section 2.3).
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// A path for the metrics, where nothing else is.
pub(super) fn telemetry_path(text: &str) -> Result<RoutePath, BadRoute> {
    let path: RoutePath = text.parse()?;
    let below = |tree: &str| {
        path.0
            .strip_prefix(tree)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if TAKEN.contains(&path.as_str()) || TAKEN_TREES.iter().any(|tree| below(tree)) {
        return Err(BadRoute::Taken);
    }
    Ok(path)
}

/// The URL under which others reach the exporter, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalUrl {
    url: String,
    /// Where the path begins in it.
    path: usize,
}

impl ExternalUrl {
    /// The whole URL.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Its path: empty, or `/x`.
    pub fn path(&self) -> &str {
        self.url.get(self.path..).unwrap_or_default()
    }
}

impl fmt::Display for ExternalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl FromStr for ExternalUrl {
    type Err = BadRoute;

    fn from_str(text: &str) -> Result<Self, BadRoute> {
        let url = text.trim_end_matches('/');
        let (scheme, rest) = url.split_once("://").ok_or(BadRoute::NotAUrl)?;
        let scheme = scheme.to_ascii_lowercase();
        let host = rest.split('/').next().unwrap_or_default();
        if !matches!(scheme.as_str(), "http" | "https") || !is_authority(host) {
            return Err(BadRoute::NotAUrl);
        }
        let path = scheme.len() + "://".len() + host.len();
        if path < url.len() {
            let written = url.get(path..).unwrap_or_default();
            written
                .parse::<RoutePath>()
                .map_err(|_| BadRoute::NotAUrl)?;
        }
        Ok(Self {
            url: format!("{scheme}://{rest}"),
            path,
        })
    }
}

/// A host with an optional port and no user: a link is no place for a password.
fn is_authority(authority: &str) -> bool {
    let (host_is_good, rest) = match authority.strip_prefix('[') {
        Some(bracketed) => match bracketed.split_once(']') {
            Some((host, rest)) => (host.parse::<Ipv6Addr>().is_ok(), rest),
            None => return false,
        },
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            let (host, rest) = authority.split_at(end);
            (is_name(host), rest)
        }
    };
    host_is_good && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

/// Labels with dots between them, an IPv4 address among others.
fn is_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.split('.').all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    })
}

/// Digits only: `parse` alone would take a plus sign.
fn is_port(port: &str) -> bool {
    port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metrics_may_not_hide_another_path() {
        for text in [
            "/",
            "/probe",
            "/probe/",
            "/style.css",
            "/-/healthy",
            "/api/v1/tenants",
            "/sd",
        ] {
            assert_eq!(telemetry_path(text), Err(BadRoute::Taken), "{text}");
        }
        assert_eq!(telemetry_path("/apis").unwrap().as_str(), "/apis");
        assert_eq!(telemetry_path("/m/").unwrap().as_str(), "/m");
    }

    #[test]
    fn a_path_is_absolute_and_plain() {
        for text in ["metrics", "", "/a b", "/a?b", "/a/../b", "/a//b", "/ä"] {
            assert_eq!(
                text.parse::<RoutePath>(),
                Err(BadRoute::Malformed),
                "{text}"
            );
        }
    }

    #[test]
    fn an_external_url_is_a_link_and_carries_no_password() {
        let url: ExternalUrl = "https://a.example:8443/x/y/".parse().unwrap();
        assert_eq!(
            (url.as_str(), url.path()),
            ("https://a.example:8443/x/y", "/x/y")
        );
        assert_eq!("http://[::1]:1".parse::<ExternalUrl>().unwrap().path(), "");
        let shouted: ExternalUrl = "HTTPS://a.example./x".parse().unwrap();
        assert_eq!(
            (shouted.as_str(), shouted.path()),
            ("https://a.example./x", "/x")
        );
        for text in [
            "ftp://a",
            "a.example",
            "http://",
            "http://u:p@a",
            "http://a?b",
            "http://a#b",
            "http://[:::]]:99999999",
            "http://[::1",
            "http://[::1]x",
            "http://...",
            "http://a..b",
            "http://a:",
            "http://a:+1",
            "http://a:65536",
            "http://a:1:2",
        ] {
            assert_eq!(
                text.parse::<ExternalUrl>(),
                Err(BadRoute::NotAUrl),
                "{text}"
            );
        }
    }
}
