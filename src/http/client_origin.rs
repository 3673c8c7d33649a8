//! Where a request came from, as far as the request itself shows.

use crate::http_types::{PersonDetail, Redaction};
use hyper::Version;
use hyper::header::{HOST, HeaderName};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use std::net::IpAddr;

/// Whether a connection began under rules that require a verified client
/// certificate. A request carries it as an extension, and it stays as it was
/// when the rules change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClientCertVerified(pub(super) bool);

/// Headers that proxies add. A request through a proxy on this machine may come
/// from any client.
const PROXY_HEADERS: [&str; 4] = ["forwarded", "via", "x-real-ip", "x-cluster-client-ip"];
const PROXY_PREFIXES: [&str; 5] = ["x-forwarded", "x-original-", "x-envoy-", "cf-", "x-proxy"];
const PROXY_SUFFIX: &str = "client-ip";

fn is_proxy_header(name: &HeaderName) -> bool {
    let name = name.as_str();
    PROXY_HEADERS.contains(&name)
        || PROXY_PREFIXES.iter().any(|start| name.starts_with(start))
        || name.ends_with(PROXY_SUFFIX)
}

/// What a request may see of persons: they are shown to this machine only.
///
/// A request through a proxy did not begin here. A foreign host name means that
/// a web page elsewhere resolved its own name to this machine (DNS rebinding).
/// nginx speaks HTTP/1.0 by default, and no browser does.
pub(super) fn visible_persons(allowed: &PersonDetail, parts: &Parts) -> PersonDetail {
    let proxied = parts.headers.keys().any(is_proxy_header) || parts.version <= Version::HTTP_10;
    match allowed {
        PersonDetail::Shown(_) if proxied || !names_this_machine(parts) => {
            PersonDetail::Redacted(Redaction::Forwarded)
        }
        other => other.clone(),
    }
}

/// HTTP/2 names the host in the URI, HTTP/1.1 in a header; where both are
/// present, both must name this machine.
fn names_this_machine(parts: &Parts) -> bool {
    let in_header = parts.headers.get(HOST).map(|host| host.to_str().ok());
    let in_uri = parts.uri.authority().map(|it| Some(it.as_str()));
    let mut named = [in_header, in_uri].into_iter().flatten().peekable();
    named.peek().is_some() && named.all(|name| name.is_some_and(is_this_machine))
}

fn is_this_machine(name: &str) -> bool {
    let Ok(authority) = name.parse::<Authority>() else {
        return false;
    };
    // Nothing but a port may follow the host, and no user may precede it.
    let host = authority.host();
    let port = name.strip_prefix(host);
    if !port.is_some_and(is_port) {
        return false;
    }
    let address: Result<IpAddr, _> = host.trim_matches(['[', ']']).parse();
    host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|ip| ip.to_canonical().is_loopback())
}

fn is_port(text: &str) -> bool {
    let digits = text.strip_prefix(':');
    text.is_empty() || digits.is_some_and(|digits| digits.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;
    use hyper::http::request::Builder;
    use secure_score_model::Persons;

    fn seen(request: Builder) -> PersonDetail {
        let parts = request.body(()).unwrap().into_parts().0;
        visible_persons(&PersonDetail::Shown(Persons::Plain), &parts)
    }

    fn is_shown(request: Builder) -> bool {
        matches!(seen(request), PersonDetail::Shown(_))
    }

    #[test]
    fn persons_are_shown_for_the_names_of_this_machine() {
        for host in [
            "127.0.0.1:10365",
            "localhost",
            "LOCALHOST:80",
            "[::1]:10365",
        ] {
            assert!(is_shown(Request::get("/").header("host", host)), "{host}");
        }
    }

    #[test]
    fn two_host_names_must_both_be_this_machine() {
        for (uri, host, version, expected) in [
            ("http://127.0.0.1/", "localhost", Version::HTTP_11, true),
            ("http://127.0.0.1/", "evil.example", Version::HTTP_11, false),
            ("http://evil.example/", "127.0.0.1", Version::HTTP_11, false),
            ("/", "localhost", Version::HTTP_10, false),
        ] {
            let request = Request::get(uri).header("host", host).version(version);
            assert_eq!(is_shown(request), expected, "{uri} {host}");
        }
    }

    #[test]
    fn persons_are_hidden_for_a_foreign_name_or_a_proxy() {
        for (header, value) in [
            ("host", "evil.example"),
            ("host", "127.0.0.1.evil.example"),
            ("host", ""),
            ("host", "127.0.0.1:x@evil.example"),
            ("host", "127.0.0.1:evil.example"),
            ("host", "[::1]evil"),
            ("host", "localhost:"),
            ("x-real-ip", "192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-server", "a"),
            ("x-original-url", "/"),
            ("true-client-ip", "192.0.2.1"),
            ("cf-connecting-ip", "192.0.2.1"),
            ("x-envoy-external-address", "192.0.2.1"),
            ("x-forwarded-for", "192.0.2.1"),
            ("forwarded", "for=192.0.2.1"),
        ] {
            let seen = seen(Request::get("/").header(header, value));
            let expected = PersonDetail::Redacted(Redaction::Forwarded);
            assert_eq!(
                format!("{seen:?}"),
                format!("{expected:?}"),
                "{header}: {value}"
            );
        }
    }
}
