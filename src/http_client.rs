//! HTTP clients for Microsoft's servers and for the health check, with their limits.

use reqwest::header::{HeaderMap, RETRY_AFTER};
use secure_score_model::Reason;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

/// The `User-Agent` of every request.
pub(crate) const USER_AGENT: &str = concat!("secure-score-exporter/", env!("CARGO_PKG_VERSION"));

/// The maximum size of a decompressed body. Real pages have some 300 kB, and a
/// report with all control scores some 200 kB. A much larger body is an error
/// or an attack, and must not exhaust the memory.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// Texts from servers are truncated to this many bytes in errors.
pub(crate) const MAX_MESSAGE: usize = 300;

/// Connecting takes milliseconds; a firewall that drops packets must not use up
/// the timeout of a refresh.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The endpoint for managed identities is on this machine or on its host.
/// Outside Azure there is none, so the exporter does not wait long.
const IDENTITY_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// All tenants of a cloud share one HTTP/2 connection. Pings detect a dead
/// connection before the requests of each tenant time out.
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// The trusted certificate authorities.
pub(crate) enum TrustedRoots<'a> {
    /// Those of the system and these (PEM).
    SystemAnd(Option<&'a [u8]>),
    /// Only these (PEM), without a proxy: for the simulator.
    Only(&'a [u8]),
}

/// The HTTP client cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A certificate is invalid.
    #[error("the extra certificate authority cannot be read")]
    Certificate(#[source] reqwest::Error),
    /// Another error, such as an unreadable system store.
    #[error("the HTTPS client cannot be set up")]
    Client(#[source] reqwest::Error),
}

impl SetupError {
    /// The fix.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Certificate(_) => {
                "check that graph.ca_file and simulator.ca_file contain complete PEM certificates"
            }
            Self::Client(_) => {
                "install the system's certificate authorities (Debian: ca-certificates), or name some in graph.ca_file"
            }
        }
    }
}

/// The client for Graph and Entra.
///
/// It follows no redirects: Graph sends none, and a token must not be sent to a
/// host that a response names.
pub(crate) fn client(
    roots: TrustedRoots<'_>,
    timeout: Duration,
) -> Result<reqwest::Client, SetupError> {
    let builder = reqwest::Client::builder()
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        .timeout(timeout)
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .user_agent(USER_AGENT);
    let builder = match roots {
        TrustedRoots::SystemAnd(None) => builder,
        TrustedRoots::SystemAnd(Some(pem)) => builder.tls_certs_merge(certificates(pem)?),
        TrustedRoots::Only(pem) => builder.tls_certs_only(certificates(pem)?).no_proxy(),
    };
    builder.build().map_err(SetupError::Client)
}

/// The client for this machine's endpoint for managed identities, which has
/// plain HTTP on a link-local address. A proxy would use another machine's
/// identity.
pub(crate) fn identity_client(timeout: Duration) -> Result<reqwest::Client, SetupError> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([])
        .connect_timeout(IDENTITY_CONNECT_TIMEOUT.min(timeout))
        .timeout(timeout)
        .build()
        .map_err(SetupError::Client)
}

/// The client of `healthcheck`, which finds the exporter at `localhost`. It accepts any certificate: the request holds no
/// secret, and the answer only decides whether a container on this machine is
/// restarted.
pub(crate) fn healthcheck_client(address: SocketAddr) -> Result<reqwest::Client, SetupError> {
    reqwest::Client::builder()
        .resolve("localhost", address)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .http1_only()
        .tls_danger_accept_invalid_certs(true)
        .build()
        .map_err(SetupError::Client)
}

fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, SetupError> {
    reqwest::Certificate::from_pem_bundle(pem).map_err(SetupError::Certificate)
}

/// An exchange without a complete response.
///
/// The library's own messages are not used: they may contain URLs with
/// queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection.
    #[error("could not connect")]
    Connect,
    /// The TLS handshake failed.
    #[error("the TLS handshake failed")]
    Tls,
    /// The response is late or incomplete.
    #[error("no whole answer in time")]
    Timeout,
    /// The response ended early.
    #[error("the answer broke off")]
    Interrupted,
    /// The response does not have the encoding that it declares.
    #[error("the answer is not compressed as it claims")]
    Encoding,
    /// The response is larger than [`MAX_BODY`].
    #[error("the answer is larger than {MAX_BODY} bytes")]
    TooLarge,
    /// The request is invalid.
    #[error("the request could not be made")]
    Request,
}

impl TransportError {
    /// The reason for labels.
    pub const fn reason(self) -> Reason {
        match self {
            Self::Connect | Self::Interrupted => Reason::Connection,
            Self::Tls => Reason::Tls,
            Self::Timeout => Reason::Timeout,
            Self::Encoding => Reason::Malformed,
            Self::TooLarge => Reason::TooLarge,
            Self::Request => Reason::Internal,
        }
    }
}

impl From<reqwest::Error> for TransportError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::Timeout
        } else if causes(&error).any(|cause| cause.is::<rustls::Error>()) {
            Self::Tls
        } else if error.is_connect() {
            Self::Connect
        } else if error.is_builder() {
            Self::Request
        } else if error.is_decode() && !is_interrupted(&error) {
            Self::Encoding
        } else {
            Self::Interrupted
        }
    }
}

/// Whether the connection ended before the response did. The library reports
/// every error of a body as one of decoding; the cause is then a broken stream,
/// or an end that the decompressor did not expect.
fn is_interrupted(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| {
        let broken = cause.downcast_ref().is_some_and(reqwest::Error::is_body);
        let short = cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::UnexpectedEof);
        broken || short
    })
}

/// An error and its causes. An I/O error does not return the error that it
/// wraps as its `source()`.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |cause| {
        let cause = *cause;
        let io = cause.downcast_ref::<std::io::Error>();
        match io.and_then(std::io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => cause.source(),
        }
    })
}

/// Reads a body of at most [`MAX_BODY`] bytes.
pub(crate) async fn read_body(mut response: reqwest::Response) -> Result<Vec<u8>, TransportError> {
    let announced = response.content_length().unwrap_or(0);
    if announced > MAX_BODY as u64 {
        return Err(TransportError::TooLarge);
    }
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
    while let Some(part) = response.chunk().await? {
        if body.len() + part.len() > MAX_BODY {
            return Err(TransportError::TooLarge);
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// The delay that a response asks for.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let header = headers.get(RETRY_AFTER)?.to_str().ok()?;
    crate::backoff::parse_retry_after(header, jiff::Timestamp::now())
}
