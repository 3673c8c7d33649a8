//! URL paths, and the external URL.

use std::str::FromStr;

use crate::config::authority;

/// Paths in use.
const TAKEN: [&str; 6] = ["/", "/probe", "/livez", "/readyz", "/healthz", "/style.css"];

/// Paths in use with everything below them.
const TAKEN_TREES: [&str; 7] = [
    "/-",
    "/acceptances",
    "/api",
    "/controls",
    "/runbooks",
    "/sd",
    "/tenants",
];

/// Why a text is not a path or an external URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// Relative, or with characters that need escaping.
    #[error("not a path; start with / and use letters, digits and - . _ ~ /, such as /metrics")]
    Malformed,
    /// In use.
    #[error("this path is already in use; choose another, such as /metrics")]
    Taken,
    /// Not a URL for links.
    #[error(
        "not a URL for links; write http:// or https://, a host and optionally a path, such as https://score.example.org"
    )]
    NotAUrl,
}

/// A path that starts with a slash and has none at the end, except `/` itself.
pub(super) fn path(text: &str) -> Result<String, RouteError> {
    let trimmed = text.trim_end_matches('/');
    let are_valid = trimmed
        .split('/')
        .skip(1)
        .all(|segment| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_unreserved));
    if !text.starts_with('/') || !are_valid {
        return Err(RouteError::Malformed);
    }
    let path = if trimmed.is_empty() { "/" } else { trimmed };
    Ok(path.to_owned())
}

/// Unreserved characters (RFC 3986, section 2.3).
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// A path for the metrics that is not in use.
pub(super) fn telemetry_path(text: &str) -> Result<String, RouteError> {
    let path = path(text)?;
    let below = |tree: &str| {
        let rest = path.strip_prefix(tree);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if TAKEN.contains(&path.as_str()) || TAKEN_TREES.iter().any(|tree| below(tree)) {
        return Err(RouteError::Taken);
    }
    Ok(path)
}

/// The URL of the exporter for links, without a user, which could include a
/// password, and without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalUrl {
    url: String,
    /// Where the path starts.
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

impl FromStr for ExternalUrl {
    type Err = RouteError;

    fn from_str(text: &str) -> Result<Self, RouteError> {
        let url = text.trim_end_matches('/');
        let (scheme, rest) = url.split_once("://").ok_or(RouteError::NotAUrl)?;
        let scheme = scheme.to_ascii_lowercase();
        let host = rest.split('/').next().unwrap_or_default();
        if !matches!(scheme.as_str(), "http" | "https") || authority::host(host).is_none() {
            return Err(RouteError::NotAUrl);
        }
        let start = scheme.len() + "://".len() + host.len();
        let written = url.get(start..).unwrap_or_default();
        if !written.is_empty() {
            path(written).map_err(|_| RouteError::NotAUrl)?;
        }
        Ok(Self {
            url: format!("{scheme}://{rest}"),
            path: start,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metrics_cannot_use_another_path() {
        let texts = "/ /probe /probe/ /style.css /-/healthy /api/v1/tenants /sd \
            /acceptances /controls /controls/A /runbooks /tenants/contoso";
        for text in texts.split(' ') {
            assert_eq!(telemetry_path(text), Err(RouteError::Taken), "{text}");
        }
        assert_eq!(telemetry_path("/apis").unwrap(), "/apis");
        assert_eq!(telemetry_path("/m/").unwrap(), "/m");
    }

    #[test]
    fn a_path_is_absolute_and_without_escapes() {
        for text in ["metrics", "", "/a b", "/a?b", "/a/../b", "/a//b", "/ä"] {
            assert_eq!(path(text), Err(RouteError::Malformed), "{text}");
        }
    }

    #[test]
    fn an_external_url_has_a_host_and_no_password() {
        for (text, written, path) in [
            (
                "https://a.example:8443/x/y/",
                "https://a.example:8443/x/y",
                "/x/y",
            ),
            ("http://[::1]:1", "http://[::1]:1", ""),
            ("HTTPS://a.example./x", "https://a.example./x", "/x"),
        ] {
            let url: ExternalUrl = text.parse().unwrap();
            assert_eq!((url.as_str(), url.path()), (written, path));
        }
        let texts = "ftp://a a.example http:// http://u:p@a http://a?b http://a#b \
            http://[:::]]:99999999 http://[::1 http://[::1]x http://... http://a..b \
            http://a: http://a:+1 http://a:65536 http://a:1:2";
        for text in texts.split(' ') {
            let parsed: Result<ExternalUrl, _> = text.parse();
            assert_eq!(parsed, Err(RouteError::NotAUrl), "{text}");
        }
    }
}
