//! Who can have sent a request, as far as it tells itself.

use super::{PersonDetail, Redaction};
use hyper::header::{HOST, HeaderName};
use hyper::http::request::Parts;
use std::net::IpAddr;

/// What a proxy adds. Behind one, a request from this machine may be anybody's.
const BY_PROXY: [HeaderName; 4] = [
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("via"),
];

/// What a request may see of persons.
///
/// The pages show them on this machine only. A request that came through a
/// proxy did not begin here, and one that calls us by a foreign name was sent
/// by a web page somewhere whose name was made to lead here.
pub(super) fn persons(allowed: &PersonDetail, parts: &Parts) -> PersonDetail {
    let forwarded = BY_PROXY.iter().any(|name| parts.headers.contains_key(name));
    match allowed {
        PersonDetail::Shown(_) if forwarded || !names_this_machine(parts) => {
            PersonDetail::Redacted(Redaction::Forwarded)
        }
        other => other.clone(),
    }
}

/// HTTP/2 names the host in the address, HTTP/1.1 in a header, HTTP/1.0 may
/// not name it at all, which no browser does.
fn names_this_machine(parts: &Parts) -> bool {
    let header = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let Some(authority) = parts.uri.authority().map(|it| it.as_str()).or(header) else {
        return !parts.headers.contains_key(HOST);
    };
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    }
    .unwrap_or_default();
    let address: Result<IpAddr, _> = host.parse();
    host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Persons;
    use hyper::Request;

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
    fn a_foreign_name_or_a_proxy_sees_none() {
        for (header, value) in [
            ("host", "evil.example"),
            ("host", "127.0.0.1.evil.example"),
            ("host", ""),
            ("x-forwarded-for", "192.0.2.1"),
            ("forwarded", "for=192.0.2.1"),
        ] {
            assert!(!are_shown(header, value), "{header}: {value}");
        }
    }
}
