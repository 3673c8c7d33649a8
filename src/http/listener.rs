//! The addresses we listen on.

use listenfd::ListenFd;
use std::io;
use std::net::TcpListener as Socket;
use tokio::net::TcpListener;

/// Linux' number for *address family not supported*, which the standard
/// library has no word for.
const EAFNOSUPPORT: i32 = 97;

/// What keeps the server from starting.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// An address could not be taken.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address as it was configured.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// Nobody handed us a socket.
    #[error("--web.systemd-socket is given, but systemd handed over no socket")]
    NoSocket,
    /// What we were handed is nothing to listen on.
    #[error("the socket from systemd cannot be listened on")]
    Socket {
        /// What is wrong with it.
        source: io::Error,
    },
}

impl WebError {
    /// What to do about it.
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

/// Takes over the sockets systemd opened for us, at least one.
///
/// They come by the environment, and what says so is removed from there:
/// call it before there is a second thread.
pub fn handed_over() -> Result<Vec<Socket>, WebError> {
    let mut handed = ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..handed.len() {
        let taken = handed.take_tcp_listener(index);
        sockets.extend(taken.map_err(|source| WebError::Socket { source })?);
    }
    match sockets.is_empty() {
        true => Err(WebError::NoSocket),
        false => Ok(sockets),
    }
}

/// Serves on sockets that are open already.
pub fn adopt(sockets: Vec<Socket>) -> Result<Vec<TcpListener>, WebError> {
    let adopted = sockets.into_iter().map(|socket| {
        socket.set_nonblocking(true)?;
        TcpListener::from_std(socket)
    });
    adopted
        .collect::<io::Result<_>>()
        .map_err(|source| WebError::Socket { source })
}

/// Takes every address, or none: a server that listens on one of two addresses
/// looks healthy to half of its clients.
///
/// `:9100` means all interfaces, as in the rest of the family.
pub async fn bind<A: AsRef<str>>(addresses: &[A]) -> Result<Vec<TcpListener>, WebError> {
    let mut listeners = Vec::new();
    for address in addresses {
        let address = address.as_ref();
        let listener = listen(address).await;
        listeners.push(listener.map_err(|source| WebError::Listen {
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

/// A kernel without IPv6 says *address family not supported*, one with it
/// switched off *address not available*.
fn has_no_ipv6(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::AddrNotAvailable
    ) || error.raw_os_error() == Some(EAFNOSUPPORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refusal(address: String) -> WebError {
        bind(&[address]).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_taken_address_is_named_and_the_remedy_too() {
        let first = bind(&["127.0.0.1:0"]).await.unwrap();
        let taken = first[0].local_addr().unwrap().to_string();
        let error = refusal(taken.clone()).await;
        assert_eq!(error.to_string(), format!("cannot listen on {taken}"));
        assert!(error.hint().unwrap().contains("--web.listen-address"));
    }

    #[tokio::test]
    async fn an_address_that_is_none_says_how_to_write_one() {
        let error = refusal("nonsense".to_owned()).await;
        assert!(error.hint().unwrap().contains("HOST:PORT"));
    }

    #[tokio::test]
    async fn a_bare_port_means_all_interfaces() {
        let listeners = bind(&[":0"]).await.unwrap();
        assert!(listeners[0].local_addr().unwrap().ip().is_unspecified());
    }
}
