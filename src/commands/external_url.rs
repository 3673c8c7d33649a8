//! The URL of the exporter's pages, to which alerts and dashboards link.

use crate::cli::WebFlags;
use std::fs;
use std::net::SocketAddr;

/// The name of this machine, as the kernel knows it.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// The URL of the flags, or else that of an address it listens on: the first that
/// other machines reach, with the name of this one where it listens on all
/// addresses. A loopback address stays: only this machine reaches it.
pub(super) fn external_url(flags: &WebFlags, addresses: &[SocketAddr], has_tls: bool) -> String {
    if let Some(url) = &flags.external_url {
        return url.as_str().to_owned();
    }
    let name = fs::read_to_string(HOST_NAME).unwrap_or_default();
    let scheme = if has_tls { "https" } else { "http" };
    let authority = authority(addresses, name.trim());
    format!("{scheme}://{authority}{}", flags.route_prefix())
}

fn authority(addresses: &[SocketAddr], host_name: &str) -> String {
    let is_remote = |address: &&SocketAddr| !address.ip().to_canonical().is_loopback();
    let address = addresses.iter().find(is_remote).or(addresses.first());
    let is_name = !host_name.is_empty() && host_name != "(none)";
    match address {
        Some(address) if address.ip().to_canonical().is_unspecified() => {
            let host = if is_name { host_name } else { "localhost" };
            format!("{host}:{}", address.port())
        }
        Some(address) => address.to_string(),
        None => host_name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority_of(addresses: &[&str]) -> String {
        let addresses: Vec<SocketAddr> = addresses.iter().map(|it| it.parse().unwrap()).collect();
        authority(&addresses, "monitoring")
    }

    #[test]
    fn a_listener_on_every_address_has_the_name_of_the_machine() {
        for all in ["0.0.0.0:10365", "[::]:10365", "[::ffff:0.0.0.0]:10365"] {
            assert_eq!(authority_of(&[all]), "monitoring:10365", "{all}");
        }
        let without_name = authority(&["[::]:1".parse().unwrap()], "");
        assert_eq!(without_name, "localhost:1");
    }

    #[test]
    fn tls_makes_the_scheme_https() {
        let addresses = ["127.0.0.1:10365".parse().unwrap()];
        let url = |has_tls| external_url(&WebFlags::default(), &addresses, has_tls);
        assert_eq!(url(false), "http://127.0.0.1:10365");
        assert_eq!(url(true), "https://127.0.0.1:10365");
    }

    #[test]
    fn another_address_stays_as_it_is() {
        for address in [
            "127.0.0.1:10365",
            "[::1]:10365",
            "192.0.2.1:80",
            "[2001:db8::1]:1",
        ] {
            assert_eq!(authority_of(&[address]), address);
        }
    }

    #[test]
    fn an_address_that_other_machines_reach_comes_before_loopback() {
        let found = authority_of(&["127.0.0.1:1", "192.0.2.1:2", "[::]:3"]);
        assert_eq!(found, "192.0.2.1:2");
    }
}
