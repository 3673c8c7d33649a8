//! The sockets the server listens on.

use listenfd::ListenFd;
use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as Socket};
use tokio::net::TcpListener;

/// Linux' *address family not supported*, for which the standard library has
/// no `ErrorKind`.
const EAFNOSUPPORT: i32 = 97;

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// An address cannot be bound.
    #[error("cannot listen on --web.listen-address={address}")]
    Listen {
        /// The address as configured.
        address: String,
        /// The system's error.
        source: io::Error,
    },
    /// A name has no address.
    #[error("cannot listen on --web.listen-address={address}: the name has no address")]
    Name {
        /// The address as configured.
        address: String,
        /// The resolver's error.
        source: io::Error,
    },
    /// systemd passed no socket.
    #[error("--web.systemd-socket is given, but systemd handed over no socket")]
    NoSocket,
    /// A socket from systemd is not a TCP listener.
    #[error("the socket from systemd cannot be listened on")]
    Socket {
        /// The system's error.
        source: io::Error,
    },
}

impl ListenError {
    /// How to fix it.
    pub fn hint(&self) -> Option<&'static str> {
        let source = match self {
            Self::Listen { source, .. } => source,
            Self::Name { .. } => {
                return Some(
                    "write an IP address, such as 127.0.0.1:10365, or :10365 for all addresses; or correct the name, or /etc/hosts",
                );
            }
            Self::NoSocket => {
                return Some(
                    "start secure-score-exporter.socket rather than the service alone, or leave the flag out",
                );
            }
            Self::Socket { .. } => {
                return Some("the socket unit needs ListenStream= with a port or an IP address");
            }
        };
        match source.kind() {
            io::ErrorKind::AddrInUse => Some(
                "another process listens there: stop it, or choose another port with --web.listen-address",
            ),
            io::ErrorKind::PermissionDenied => Some(
                "ports below 1024 need the capability CAP_NET_BIND_SERVICE: choose a higher one with --web.listen-address",
            ),
            io::ErrorKind::AddrNotAvailable => Some(
                "no interface of this host has that address: name one that it has in --web.listen-address, or :PORT for all of them",
            ),
            _ => None,
        }
    }
}

/// The sockets that systemd opened for the exporter, at least one.
///
/// This removes variables from the environment, so it must run before a second
/// thread starts.
pub fn systemd_sockets() -> Result<Vec<Socket>, ListenError> {
    let mut passed = ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..passed.len() {
        let socket = passed.take_tcp_listener(index);
        sockets.extend(socket.map_err(|source| ListenError::Socket { source })?);
    }
    match sockets.is_empty() {
        true => Err(ListenError::NoSocket),
        false => Ok(sockets),
    }
}

/// Listeners from sockets that are already open.
pub fn from_sockets(sockets: Vec<Socket>) -> Result<Vec<TcpListener>, ListenError> {
    let listeners = sockets.into_iter().map(|socket| {
        socket.set_nonblocking(true)?;
        TcpListener::from_std(socket)
    });
    listeners
        .collect::<io::Result<_>>()
        .map_err(|source| ListenError::Socket { source })
}

/// Binds every address, or none: a server that listens on one of two addresses
/// looks healthy to half of its clients.
///
/// `:9100` means all interfaces, as in other exporters.
pub async fn bind<A: AsRef<str>>(addresses: &[A]) -> Result<Vec<TcpListener>, ListenError> {
    let mut listeners = Vec::new();
    for address in addresses {
        listeners.extend(listen(address.as_ref()).await?);
    }
    Ok(listeners)
}

/// The addresses that a text stands for: for `:9100` IPv6's wildcard, which
/// includes IPv4, and IPv4's for machines without IPv6; for a name those that the
/// machine's resolver finds.
pub async fn addresses_of(address: &str) -> io::Result<Vec<SocketAddr>> {
    let Some(port) = address.strip_prefix(':') else {
        // A name can have an address twice in /etc/hosts.
        let found: BTreeSet<_> = tokio::net::lookup_host(address).await?.collect();
        return Ok(found.into_iter().collect());
    };
    let port = port.parse().map_err(io::Error::other)?;
    Ok(vec![
        SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
        SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
    ])
}

/// Listens on all addresses of a name, so that clients that prefer IPv4 and those
/// that prefer IPv6 find the server.
async fn listen(address: &str) -> Result<Vec<TcpListener>, ListenError> {
    let failed = |source| ListenError::Listen {
        address: address.to_owned(),
        source,
    };
    let addresses = addresses_of(address).await;
    let addresses = addresses.map_err(|source| ListenError::Name {
        address: address.to_owned(),
        source,
    })?;
    let mut listeners = Vec::new();
    let mut absent = None;
    for each in addresses {
        match TcpListener::bind(each).await {
            Ok(listener) => listeners.push(listener),
            Err(error) if has_no_ipv6(&error) => absent = Some(error),
            Err(error) => return Err(failed(error)),
        }
        // The system chooses port 0 anew for each address, and the wildcard of
        // IPv6 includes IPv4's.
        if !listeners.is_empty() && (each.port() == 0 || each.ip().is_unspecified()) {
            break;
        }
    }
    match (listeners.is_empty(), absent) {
        (false, _) => Ok(listeners),
        (true, absent) => Err(failed(
            absent.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()),
        )),
    }
}

/// A kernel without IPv6 reports *address family not supported*, one with IPv6
/// disabled *address not available*.
fn has_no_ipv6(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::AddrNotAvailable
    ) || error.raw_os_error() == Some(EAFNOSUPPORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn bind_error(address: String) -> ListenError {
        bind(&[address]).await.unwrap_err()
    }

    #[tokio::test]
    async fn the_error_names_a_taken_address_and_the_fix() {
        let first = bind(&["127.0.0.1:0"]).await.unwrap();
        let taken = first[0].local_addr().unwrap().to_string();
        let error = bind_error(taken.clone()).await;
        let expected = format!("cannot listen on --web.listen-address={taken}");
        assert_eq!(error.to_string(), expected);
        assert!(error.hint().unwrap().contains("--web.listen-address"));
    }

    #[tokio::test]
    async fn the_error_of_a_name_without_an_address_has_flag_and_fix() {
        let error = bind_error("no-such-host.invalid:10365".to_owned()).await;
        let text = error.to_string();
        assert!(text.contains("--web.listen-address=no-such-host.invalid:10365"));
        assert!(error.hint().unwrap().contains(":10365 for all addresses"));
    }

    #[tokio::test]
    async fn a_name_stands_for_all_its_addresses() {
        let port = bind(&["127.0.0.1:0"]).await.unwrap()[0]
            .local_addr()
            .unwrap()
            .port();
        let name = format!("localhost:{port}");
        let listeners = bind(&[name.as_str()]).await.unwrap();
        let mut bound: Vec<_> = listeners
            .iter()
            .map(|it| it.local_addr().unwrap())
            .collect();
        assert!(
            bound
                .iter()
                .all(|it| it.ip().is_loopback() && it.port() == port)
        );
        let mut resolved = addresses_of(&name).await.unwrap();
        resolved.retain(|it| it.is_ipv4() || std::net::TcpListener::bind("[::1]:0").is_ok());
        bound.sort();
        assert_eq!(bound, resolved);
    }

    #[tokio::test]
    async fn a_bare_port_means_all_interfaces() {
        let listeners = bind(&[":0"]).await.unwrap();
        assert!(listeners[0].local_addr().unwrap().ip().is_unspecified());
    }
}
