//! Addresses to listen on.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// An address to listen on, written as for other Prometheus exporters.
///
/// Host names are refused: a name can resolve to another address after a
/// restart, which would expose the metrics to another network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenAddress {
    /// `:10365`: every address of the machine.
    All(u16),
    /// `127.0.0.1:10365` or `[::1]:10365`.
    One(SocketAddr),
}

impl ListenAddress {
    /// The addresses to try to bind to; the first that works suffices.
    ///
    /// For all addresses these are IPv6's wildcard, which includes IPv4, and
    /// IPv4's for machines without IPv6.
    pub fn candidates(self) -> Vec<SocketAddr> {
        match self {
            Self::All(port) => vec![
                SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
                SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
            ],
            Self::One(address) => vec![address],
        }
    }

    /// The address; IPv6's wildcard for all addresses.
    pub fn address(self) -> SocketAddr {
        match self {
            Self::All(port) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
            Self::One(address) => address,
        }
    }

    /// Whether only this machine can reach it.
    pub fn is_loopback(self) -> bool {
        match self {
            Self::All(_) => false,
            Self::One(address) => address.ip().to_canonical().is_loopback(),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(port) => write!(f, ":{port}"),
            Self::One(address) => address.fmt(f),
        }
    }
}

/// Why a text is not an address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not an IP address with a port.
    #[error(
        "not an IP address with a port; write 127.0.0.1:10365, [::1]:10365, or :10365 for all addresses"
    )]
    Malformed,
    /// Reachable from other machines.
    #[error("not a loopback address; write 127.0.0.1:PORT, since the simulator has no password")]
    NotLoopback,
}

impl FromStr for ListenAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text.strip_prefix(':') {
            Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => {
                port.parse().map(Self::All).ok()
            }
            Some(_) => None,
            None => text.parse().map(Self::One).ok(),
        }
        .ok_or(AddressError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_stands_for_every_address() {
        let all: ListenAddress = ":9100".parse().unwrap();
        assert_eq!(all, ListenAddress::All(9100));
        assert_eq!(all.candidates().len(), 2);
        assert!(!all.is_loopback());
    }

    #[test]
    fn loopback_addresses_are_recognised_in_ipv4_and_ipv6() {
        for text in [
            "127.0.0.1:1",
            "[::1]:1",
            "127.3.0.1:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(
                text.parse::<ListenAddress>().unwrap().is_loopback(),
                "{text}"
            );
        }
        assert!(!"[::]:1".parse::<ListenAddress>().unwrap().is_loopback());
    }

    #[test]
    fn names_and_incomplete_addresses_are_refused() {
        for text in [
            "localhost:1",
            "127.0.0.1",
            ":",
            ":+1",
            ":70000",
            "::1:80",
            "[::1]",
            "",
        ] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text}");
        }
    }
}
