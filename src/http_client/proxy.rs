//! The proxy of a request, for errors.

use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::Url;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

/// The timeout of the request for a proxy's status.
const STATUS_TIMEOUT: Duration = Duration::from_secs(5);

/// A longer status line is none.
const MAX_STATUS_LINE: usize = 1024;

/// The proxies of the environment (`HTTPS_PROXY` and the like), by the rules of
/// the HTTP library.
#[derive(Debug, Clone)]
pub(super) struct Proxies(Arc<Matcher>);

impl Proxies {
    pub(super) fn from_env() -> Self {
        Self(Arc::new(Matcher::from_system()))
    }

    /// The proxy for a URL.
    pub(super) fn find(&self, url: &Url) -> Option<Proxy> {
        let found = self.0.intercept(&url.as_str().parse().ok()?);
        found.map(Proxy)
    }
}

/// A proxy. It prints without user and password.
pub(super) struct Proxy(Intercept);

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = self.0.uri();
        let scheme = uri.scheme_str().unwrap_or("http");
        write!(f, "{scheme}://{}", uri.host().unwrap_or_default())?;
        match uri.port_u16() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl Proxy {
    fn has_scheme(&self, start: &str) -> bool {
        let scheme = self.0.uri().scheme_str();
        scheme.is_some_and(|scheme| scheme.starts_with(start))
    }

    pub(super) fn is_socks(&self) -> bool {
        self.has_scheme("socks")
    }

    /// The status with which the proxy refuses a connection to `target`. The
    /// HTTP library drops it, so it is requested again.
    pub(super) async fn refusal(&self, target: &str) -> Option<u16> {
        if self.has_scheme("https") {
            return None;
        }
        let status = tokio::time::timeout(STATUS_TIMEOUT, self.connect_status(target)).await;
        status.ok()?.filter(|status| !(200..300).contains(status))
    }

    async fn connect_status(&self, target: &str) -> Option<u16> {
        let uri = self.0.uri();
        let host = uri.host()?.trim_matches(['[', ']']);
        let address = (host, uri.port_u16().unwrap_or(80));
        let mut stream = TcpStream::connect(address).await.ok()?;
        let user = self.0.basic_auth().and_then(|value| value.to_str().ok());
        let user = user.map_or_else(String::new, |user| {
            format!("Proxy-Authorization: {user}\r\n")
        });
        let user = Zeroizing::new(user);
        let request = format!(
            "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{}\r\n",
            *user
        );
        let request = Zeroizing::new(request);
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut line = Vec::new();
        while !line.contains(&b'\n') && line.len() < MAX_STATUS_LINE {
            if stream.read_buf(&mut line).await.ok()? == 0 {
                return None;
            }
        }
        let line = String::from_utf8_lossy(&line);
        let mut words = line.split_whitespace();
        words.next()?.strip_prefix("HTTP/1.")?;
        words.next()?.parse().ok()
    }
}
