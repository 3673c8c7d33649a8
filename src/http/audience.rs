//! Who can have sent a request, as far as it tells itself.

use super::{PersonDetail, Redaction};
use hyper::Version;
use hyper::header::{HOST, HeaderName};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use std::net::IpAddr;

/// What proxies add. Behind one, a request from this machine may be anybody's.
const BY_PROXY: [&str; 4] = ["forwarded", "via", "x-real-ip", "x-cluster-client-ip"];
const BEGIN_BY_PROXY: [&str; 5] = ["x-forwarded", "x-original-", "x-envoy-", "cf-", "x-proxy"];
const END_BY_PROXY: &str = "client-ip";

fn is_by_proxy(name: &HeaderName) -> bool {
    let name = name.as_str();
    BY_PROXY.contains(&name)
        || BEGIN_BY_PROXY.iter().any(|start| name.starts_with(start))
        || name.ends_with(END_BY_PROXY)
}

/// What a request may see of persons.
///
/// The pages show them on this machine only. A request that came through a
/// proxy did not begin here, and one that calls us by a foreign name was sent
/// by a web page somewhere whose name was made to lead here. HTTP/1.0 is what
/// nginx speaks unless told otherwise, and no browser.
pub(super) fn persons(allowed: &PersonDetail, parts: &Parts) -> PersonDetail {
    let forwarded = parts.headers.keys().any(is_by_proxy) || parts.version <= Version::HTTP_10;
    match allowed {
        PersonDetail::Shown(_) if forwarded || !names_this_machine(parts) => {
            PersonDetail::Redacted(Redaction::Forwarded)
        }
        other => other.clone(),
    }
}

/// HTTP/2 names the host in the address, HTTP/1.1 in a header, and where both
/// do, both must mean this machine.
fn names_this_machine(parts: &Parts) -> bool {
    let in_header = parts.headers.get(HOST).map(|host| host.to_str().ok());
    let in_address = parts.uri.authority().map(|it| Some(it.as_str()));
    let mut named = [in_header, in_address].into_iter().flatten().peekable();
    named.peek().is_some() && named.all(|name| name.is_some_and(is_this_machine))
}

fn is_this_machine(name: &str) -> bool {
    // No name of a user before it, and nothing but a port behind it.
    let Ok(authority) = name.parse::<Authority>() else {
        return false;
    };
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
    use secure_score_model::Persons;

    fn are_shown(header: &str, value: &str) -> bool {
        let request = Request::get("/").header(header, value).body(()).unwrap();
        let allowed = PersonDetail::Shown(Persons::Plain);
        let seen = persons(&allowed, &request.into_parts().0);
        assert!(matches!(
            seen,
            PersonDetail::Shown(_) | PersonDetail::Redacted(Redaction::Forwarded)
        ));
        !seen.persons().are_hidden()
    }

    #[test]
    fn this_machine_sees_persons_by_its_own_names() {
        for host in [
            "127.0.0.1:10365",
            "localhost",
            "LOCALHOST:80",
            "[::1]:10365",
        ] {
            assert!(are_shown("host", host), "{host}");
        }
    }

    #[test]
    fn where_two_names_are_given_both_must_be_of_this_machine() {
        let seen = |uri: &str, host: &str, version| {
            let request = Request::get(uri).header("host", host).version(version);
            let parts = request.body(()).unwrap().into_parts().0;
            let allowed = PersonDetail::Shown(Persons::Plain);
            !persons(&allowed, &parts).persons().are_hidden()
        };
        let (one, old) = (Version::HTTP_11, Version::HTTP_10);
        assert!(seen("http://127.0.0.1/", "localhost", one));
        assert!(!seen("http://127.0.0.1/", "evil.example", one));
        assert!(!seen("http://evil.example/", "127.0.0.1", one));
        assert!(!seen("/", "localhost", old));
    }

    #[test]
    fn a_foreign_name_or_a_proxy_sees_none() {
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
            assert!(!are_shown(header, value), "{header}: {value}");
        }
    }
}
