//! The host and port of a URL.

use std::net::Ipv6Addr;

/// The host of a URL's authority, if it and its optional port are valid; IPv6
/// addresses keep their brackets. A user is not allowed.
pub fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_host = ipv6(host).is_some() || is_name(host);
    (is_host && port.is_none_or(is_port)).then_some(host)
}

/// The address of a host in brackets.
pub(super) fn ipv6(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// Labels separated by dots, which includes IPv4 addresses.
fn is_name(host: &str) -> bool {
    let mut labels = host.strip_suffix('.').unwrap_or(host).split('.');
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    labels.all(|label| !label.is_empty() && label.bytes().all(is_allowed))
}

/// Digits only; `parse` also accepts a plus sign.
fn is_port(port: &str) -> bool {
    port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}
