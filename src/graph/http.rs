//! One HTTP exchange with Microsoft, within limits.

use secure_score_model::Reason;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// The largest body taken, decompressed. Real pages have some 300 kB, a
/// report with all control scores some 200 kB; what is larger by far is a
/// fault or an attack, and must not take the memory of all tenants.
pub(super) const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// Connecting takes milliseconds; a firewall that drops packets would
/// otherwise use up the whole time-out of a refresh.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The endpoint is on this machine or on the host beneath it; elsewhere than
/// on Azure nobody answers, and nobody should wait for that.
const MACHINE_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// All tenants of a cloud share one HTTP/2 connection. When it dies without a
/// word, this is how long until that is noticed, and not each tenant's whole
/// time-out, one after the other.
const PING_AFTER: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// Which certificates are trusted.
#[derive(Debug, Clone)]
pub(super) enum Trust {
    /// The system's, and these beside them (PEM).
    SystemAnd(Option<Vec<u8>>),
    /// Only these (PEM), and no proxy on the way: the embedded Graph.
    Only(Vec<u8>),
}

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A certificate file holds something that is no certificate.
    #[error("the extra certificate authority cannot be read")]
    Certificate(#[source] reqwest::Error),
    /// Anything else, such as an unreadable system store.
    #[error("the HTTPS client cannot be set up")]
    Client(#[source] reqwest::Error),
}

impl SetupError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Certificate(_) => {
                "see whether graph.ca_file and simulator.ca_file hold whole PEM certificates"
            }
            Self::Client(_) => {
                "install the system's certificate authorities (Debian: ca-certificates), or name some in graph.ca_file"
            }
        }
    }
}

/// Builds the client that all tenants of one kind share.
///
/// Redirects are never followed: Graph sends none, and a token must not
/// travel to a host that an answer names.
pub(super) fn http_client(trust: &Trust, timeout: Duration) -> Result<reqwest::Client, SetupError> {
    let builder = reqwest::Client::builder()
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        .timeout(timeout)
        .http2_keep_alive_interval(PING_AFTER)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .user_agent(concat!("secure-score-exporter/", env!("CARGO_PKG_VERSION")));
    let builder = match trust {
        Trust::SystemAnd(None) => builder,
        Trust::SystemAnd(Some(pem)) => builder.tls_certs_merge(certificates(pem)?),
        Trust::Only(pem) => builder.tls_certs_only(certificates(pem)?).no_proxy(),
    };
    builder.build().map_err(SetupError::Client)
}

/// Builds the client for this machine's endpoint for managed identities.
///
/// It speaks plain HTTP on an address that leads nowhere else, and must not be
/// asked through a proxy: that would be another machine's identity.
pub(super) fn machine_client(timeout: Duration) -> Result<reqwest::Client, SetupError> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([])
        .connect_timeout(MACHINE_CONNECT_TIMEOUT.min(timeout))
        .timeout(timeout)
        .build()
        .map_err(SetupError::Client)
}

fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, SetupError> {
    reqwest::Certificate::from_pem_bundle(pem).map_err(SetupError::Certificate)
}

/// An exchange that brought no whole answer.
///
/// The library's own text is not repeated: it may name URLs with queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// No connection.
    Connect,
    /// The server's certificate, or the handshake.
    Tls,
    /// Nothing, or not enough, in time.
    Timeout,
    /// The answer broke off.
    Interrupted,
    /// The answer is not of the encoding it claims.
    Encoding,
    /// More than any real answer has.
    TooLarge,
    /// The request could not be made.
    Request,
}

impl Broken {
    pub(super) const fn reason(self) -> Reason {
        match self {
            Self::Connect | Self::Interrupted => Reason::Connection,
            Self::Tls => Reason::Tls,
            Self::Timeout => Reason::Timeout,
            Self::Encoding => Reason::Malformed,
            Self::TooLarge => Reason::TooLarge,
            Self::Request => Reason::Internal,
        }
    }

    pub(super) fn of(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::Timeout
        } else if is_tls(error) {
            Self::Tls
        } else if error.is_connect() {
            Self::Connect
        } else if error.is_builder() {
            Self::Request
        } else if error.is_decode() && !ends_early(error) {
            Self::Encoding
        } else {
            Self::Interrupted
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("could not connect"),
            Self::Tls => f.write_str("the TLS handshake failed"),
            Self::Timeout => f.write_str("no whole answer in time"),
            Self::Interrupted => f.write_str("the answer broke off"),
            Self::Encoding => f.write_str("the answer is not compressed as it claims"),
            Self::TooLarge => write!(f, "the answer is larger than {LARGEST_BODY} bytes"),
            Self::Request => f.write_str("the request could not be made"),
        }
    }
}

/// Whether TLS is somewhere at the root of an error.
fn is_tls(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.is::<rustls::Error>())
}

/// Whether the bytes ended before the answer did. The client library calls
/// every trouble with a body a fault of decoding; beneath it lies a broken
/// stream, or an end that the decompressor did not expect.
fn ends_early(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| {
        let broken = cause.downcast_ref().is_some_and(reqwest::Error::is_body);
        let short = cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::UnexpectedEof);
        broken || short
    })
}

/// An error and all that caused it.
///
/// An I/O error that wraps another hides it from `source()`, so it is opened.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |cause| inner(*cause))
}

fn inner<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = cause
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    match wrapped {
        Some(wrapped) => Some(wrapped),
        None => cause.source(),
    }
}

/// Reads a body to its end, within [`LARGEST_BODY`].
pub(super) async fn body(mut response: reqwest::Response) -> Result<Vec<u8>, Broken> {
    let announced = response.content_length().unwrap_or(0);
    if announced > LARGEST_BODY as u64 {
        return Err(Broken::TooLarge);
    }
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
    while let Some(part) = response.chunk().await.map_err(|e| Broken::of(&e))? {
        if body.len() + part.len() > LARGEST_BODY {
            return Err(Broken::TooLarge);
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}
