//! The sockets the server listens on.

use listenfd::ListenFd;
use std::io;
use std::net::TcpListener as Socket;
use tokio::net::TcpListener;

/// Linux' *address family not supported*, for which the standard library has
/// no `ErrorKind`.
const EAFNOSUPPORT: i32 = 97;

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// An address cannot be bound.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address as configured.
        address: String,
        /// The system's error.
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
                "no interface of this host has that address: name one that it has, or :PORT for all of them",
            ),
            io::ErrorKind::InvalidInput => {
                Some("write HOST:PORT, [IPV6]:PORT, or :PORT for all interfaces")
            }
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
        let address = address.as_ref();
        let listener = listen(address).await;
        listeners.push(listener.map_err(|source| ListenError::Listen {
            address: address.to_owned(),
            source,
        })?);
    }
    Ok(listeners)
}

async fn listen(address: &str) -> io::Result<TcpListener> {
    match address.strip_prefix(':') {
        None => TcpListener::bind(address).await,
        Some(port) => match TcpListener::bind(format!("[::]:{port}")).await {
            Err(error) if has_no_ipv6(&error) => TcpListener::bind(format!("0.0.0.0:{port}")).await,
            outcome => outcome,
        },
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
        assert_eq!(error.to_string(), format!("cannot listen on {taken}"));
        assert!(error.hint().unwrap().contains("--web.listen-address"));
    }

    #[tokio::test]
    async fn the_error_of_an_invalid_address_shows_a_valid_one() {
        let error = bind_error("nonsense".to_owned()).await;
        assert!(error.hint().unwrap().contains("HOST:PORT"));
    }

    #[tokio::test]
    async fn a_bare_port_means_all_interfaces() {
        let listeners = bind(&[":0"]).await.unwrap();
        assert!(listeners[0].local_addr().unwrap().ip().is_unspecified());
    }
}
