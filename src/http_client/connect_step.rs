//! The step of an exchange that failed.

use super::transport_error::{ConnectCause, FailedConnection, TransportError};
use std::fmt;

/// A step of an exchange with a server, in the order in which they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExchangeStep {
    /// The address of the server's name.
    Dns,
    /// The connection to the server.
    Tcp,
    /// The connection through a proxy, whose name and address are part of it.
    Proxy,
    /// The server's certificate, and encryption.
    Tls,
    /// The response.
    Response,
}

impl ExchangeStep {
    /// The steps of an exchange, through a proxy or without one.
    pub const fn all(uses_proxy: bool) -> &'static [Self] {
        match uses_proxy {
            true => &[Self::Proxy, Self::Tls, Self::Response],
            false => &[Self::Dns, Self::Tcp, Self::Tls, Self::Response],
        }
    }
}

impl fmt::Display for ExchangeStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "DNS",
            Self::Tcp => "TCP",
            Self::Proxy => "proxy",
            Self::Tls => "TLS",
            Self::Response => "HTTP",
        })
    }
}

impl TransportError {
    /// The step that failed. The steps before it succeeded.
    pub fn step(&self) -> ExchangeStep {
        match self {
            Self::Connect(failed) => failed.step(),
            _ => ExchangeStep::Response,
        }
    }

    /// Whether there was no connection, so that every request fails the same way.
    pub const fn is_of_connection(&self) -> bool {
        matches!(self, Self::Connect(_))
    }
}

impl FailedConnection {
    fn step(&self) -> ExchangeStep {
        use ConnectCause as Cause;
        match &self.cause {
            Cause::Socks | Cause::UnreadableProxy(_) | Cause::Proxy(_) => ExchangeStep::Proxy,
            Cause::Dns(_) | Cause::Refused | Cause::Late | Cause::Network(_)
                if self.proxy.is_some() =>
            {
                ExchangeStep::Proxy
            }
            Cause::Dns(_) => ExchangeStep::Dns,
            Cause::Refused | Cause::Late | Cause::Network(_) => ExchangeStep::Tcp,
            Cause::BehindProxy(_)
            | Cause::UnknownAuthority
            | Cause::AuthorityAsServer
            | Cause::Expired(_)
            | Cause::NotYetValid(_)
            | Cause::WrongName(_)
            | Cause::NotTls
            | Cause::Tls(_) => ExchangeStep::Tls,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(proxy: Option<&str>, cause: ConnectCause) -> ExchangeStep {
        let failed = FailedConnection {
            target: "a.example:443".to_owned(),
            proxy: proxy.map(str::to_owned),
            is_plain: false,
            cause,
        };
        TransportError::Connect(Box::new(failed)).step()
    }

    #[test]
    fn the_step_is_that_of_the_cause() {
        let proxy = Some("http://proxy.example");
        let dns = || ConnectCause::Dns(String::new());
        assert_eq!(step(None, dns()), ExchangeStep::Dns);
        assert_eq!(step(proxy, dns()), ExchangeStep::Proxy);
        assert_eq!(step(None, ConnectCause::Refused), ExchangeStep::Tcp);
        assert_eq!(step(proxy, ConnectCause::NotTls), ExchangeStep::Tls);
        assert_eq!(TransportError::Timeout.step(), ExchangeStep::Response);
    }
}
