//! Addresses to listen on.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// An address to listen on, written as for other Prometheus exporters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// `:10365`: every address of the machine.
    All(u16),
    /// `127.0.0.1:10365` or `[::1]:10365`.
    One(SocketAddr),
    /// `localhost:10365`: every address of the name.
    Name(String, u16),
}

impl ListenAddress {
    /// The port.
    pub fn port(&self) -> u16 {
        match self {
            Self::All(port) | Self::Name(_, port) => *port,
            Self::One(address) => address.port(),
        }
    }

    /// Whether only this machine can reach it. A name other than `localhost` may
    /// stand for any address.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::All(_) => false,
            Self::One(address) => address.ip().to_canonical().is_loopback(),
            Self::Name(name, _) => name.eq_ignore_ascii_case(LOCALHOST),
        }
    }

    /// The loopback address that it stands for; IPv4's for `localhost`.
    pub fn loopback(&self) -> Option<SocketAddr> {
        match self {
            Self::One(address) => Some(*address).filter(|_| self.is_loopback()),
            Self::Name(_, port) if self.is_loopback() => {
                Some(SocketAddr::from((Ipv4Addr::LOCALHOST, *port)))
            }
            Self::All(_) | Self::Name(..) => None,
        }
    }
}

/// The name of this machine's loopback addresses.
const LOCALHOST: &str = "localhost";

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(port) => write!(f, ":{port}"),
            Self::One(address) => address.fmt(f),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

/// Why a text is not an address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a host with a port.
    #[error(
        "not a host with a port, such as 127.0.0.1:10365, [::1]:10365, localhost:10365, or :10365 for all addresses"
    )]
    Malformed,
    /// A port alone.
    #[error("a port needs a colon before it, such as :10365 for all addresses")]
    PortOnly,
    /// A URL.
    #[error("an address has no scheme and no path; write HOST:PORT, such as localhost:10365")]
    Url,
    /// Reachable from other machines.
    #[error(
        "not a loopback address, such as 127.0.0.1:10366 or localhost:10366: the simulator has no password"
    )]
    NotLoopback,
}

impl FromStr for ListenAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Ok(address) = text.parse() {
            return Ok(Self::One(address));
        }
        if text.contains('/') {
            return Err(AddressError::Url);
        }
        if port(text).is_some() {
            return Err(AddressError::PortOnly);
        }
        let (host, port_text) = text.rsplit_once(':').ok_or(AddressError::Malformed)?;
        let port = port(port_text).ok_or(AddressError::Malformed)?;
        match host {
            "" => Ok(Self::All(port)),
            name if is_name(name) => Ok(Self::Name(name.to_owned(), port)),
            _ => Err(AddressError::Malformed),
        }
    }
}

fn port(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// Whether it can be the name of a host. A mistyped IPv4 address is none.
fn is_name(text: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let last = text.trim_end_matches('.').rsplit('.').next();
    let has_letters = last.is_some_and(|it| it.bytes().any(|b| b.is_ascii_alphabetic()));
    text.bytes().all(is_allowed) && has_letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_stands_for_every_address() {
        let all: ListenAddress = ":9100".parse().unwrap();
        assert_eq!(all, ListenAddress::All(9100));
        assert_eq!(all.to_string(), ":9100");
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
    fn a_name_is_an_address() {
        let local: ListenAddress = "localhost:10365".parse().unwrap();
        assert_eq!(local, ListenAddress::Name("localhost".to_owned(), 10365));
        assert!(local.is_loopback());
        assert_eq!(local.loopback().unwrap().to_string(), "127.0.0.1:10365");
        let other: ListenAddress = "node-1.example:80".parse().unwrap();
        assert_eq!(other.to_string(), "node-1.example:80");
        assert!(!other.is_loopback() && other.loopback().is_none());
    }

    #[test]
    fn incomplete_addresses_are_refused() {
        for text in [
            "127.0.0.1",
            "localhost",
            "localhost:",
            "localhost:http",
            "127.0.0.256:80",
            "a b:80",
            ":",
            ":+1",
            ":70000",
            "::1:80",
            "[::1]",
            "",
        ] {
            let error = text.parse::<ListenAddress>().unwrap_err();
            assert_eq!(error, AddressError::Malformed, "{text}");
        }
        let refused = |text: &str| text.parse::<ListenAddress>().unwrap_err();
        assert_eq!(refused("10365"), AddressError::PortOnly);
        assert_eq!(refused("http://localhost:10365"), AddressError::Url);
    }
}
