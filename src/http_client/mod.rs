//! HTTP clients for Microsoft's servers and for the health check with their
//! limits, and what every client shares: why a request got no answer.

mod proxy;
mod transport_error;

use proxy::Proxies;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{ClientBuilder, Method, RequestBuilder, Response, Url};
use rustls::pki_types::CertificateDer;
use std::net::SocketAddr;
use std::time::Duration;
use transport_error::{ConnectCause, FailedConnection, connect_cause};

pub use transport_error::TransportError;

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

/// The share of a request's timeout after which connecting fails, so that the
/// error is about the connection.
const CONNECT_SHARE: f64 = 0.8;

/// The trusted certificate authorities.
pub(crate) enum TrustedRoots<'a> {
    /// Those of the system and these.
    SystemAnd(&'a [CertificateDer<'static>]),
    /// Only these, without a proxy: for the simulator.
    Only(&'a [CertificateDer<'static>]),
}

/// The HTTP client cannot be set up, for example because the system's store of
/// authorities cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the HTTPS client cannot be set up")]
pub struct SetupError(#[from] reqwest::Error);

impl SetupError {
    /// The fix.
    pub fn hint(&self) -> &'static str {
        "install the system's certificate authorities (Debian: ca-certificates), or name some in graph.ca_file"
    }
}

/// An HTTP client whose errors name host, proxy and cause.
#[derive(Debug, Clone)]
pub struct HttpClient {
    http: reqwest::Client,
    /// `None` if it uses no proxy.
    proxies: Option<Proxies>,
}

impl HttpClient {
    /// A client that uses the environment's proxies, or none.
    pub(crate) fn build(builder: ClientBuilder, uses_proxies: bool) -> reqwest::Result<Self> {
        let (builder, proxies) = match uses_proxies {
            true => (builder, Some(Proxies::from_env())),
            false => (builder.no_proxy(), None),
        };
        Ok(Self {
            http: builder.build()?,
            proxies,
        })
    }

    /// Begins a request.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    /// The proxy that passes a plain HTTP request on, or answers it itself. Any
    /// other proxy only makes the connection: each answer is the server's.
    pub(crate) fn forwarding_proxy(&self, url: &Url) -> Option<String> {
        let proxy = self.proxies.as_ref().filter(|_| is_plain(url))?.find(url)?;
        Some(proxy.to_string())
    }

    /// Sends a request that this client began.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, TransportError> {
        let request = request.build()?;
        let url = request.url();
        let is_plain = is_plain(url);
        let port = url.port_or_known_default().unwrap_or_default();
        let target = format!("{}:{port}", url.host_str().unwrap_or_default());
        let proxy = self.proxies.as_ref().and_then(|all| all.find(url));
        let failed = |cause| {
            TransportError::Connect(Box::new(FailedConnection {
                target: target.clone(),
                proxy: proxy.as_ref().map(ToString::to_string),
                is_plain,
                cause,
            }))
        };
        if proxy.as_ref().is_some_and(proxy::Proxy::is_socks) {
            return Err(failed(ConnectCause::Socks));
        }
        let error = match self.http.execute(request).await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        let is_tunnelled = proxy.is_some() && !is_plain;
        Err(match (connect_cause(&error, is_tunnelled), &proxy) {
            (Some(ConnectCause::Proxy(None)), Some(proxy)) => {
                failed(ConnectCause::Proxy(proxy.refusal(&target).await))
            }
            (Some(cause), _) => failed(cause),
            (None, _) => error.into(),
        })
    }
}

fn is_plain(url: &Url) -> bool {
    url.scheme() == "http"
}

/// The client for Graph and Entra.
///
/// It follows no redirects: Graph sends none, and a token must not be sent to a
/// host that a response names.
pub(crate) fn client(roots: TrustedRoots<'_>, timeout: Duration) -> Result<HttpClient, SetupError> {
    let builder = reqwest::Client::builder()
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(connect_timeout(CONNECT_TIMEOUT, timeout))
        .timeout(timeout)
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .user_agent(USER_AGENT);
    Ok(match roots {
        TrustedRoots::SystemAnd(more) => HttpClient::build(trust(builder, more)?, true)?,
        TrustedRoots::Only(these) => {
            HttpClient::build(builder.tls_certs_only(reqwest_certificates(these)?), false)?
        }
    })
}

/// The client for this machine's endpoint for managed identities, which has
/// plain HTTP on a link-local address. A proxy would use another machine's
/// identity.
pub(crate) fn identity_client(timeout: Duration) -> Result<HttpClient, SetupError> {
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only([])
        .connect_timeout(connect_timeout(IDENTITY_CONNECT_TIMEOUT, timeout))
        .timeout(timeout);
    Ok(HttpClient::build(builder, false)?)
}

/// The timeout for connecting, within that of the whole request.
pub(crate) fn connect_timeout(limit: Duration, request: Duration) -> Duration {
    limit.min(request.mul_f64(CONNECT_SHARE))
}

/// Trusts these authorities beside the system's.
pub(crate) fn trust(
    builder: ClientBuilder,
    roots: &[CertificateDer<'static>],
) -> reqwest::Result<ClientBuilder> {
    Ok(match roots.is_empty() {
        true => builder,
        false => builder.tls_certs_merge(reqwest_certificates(roots)?),
    })
}

fn reqwest_certificates(
    roots: &[CertificateDer<'static>],
) -> reqwest::Result<Vec<reqwest::Certificate>> {
    let roots = roots.iter();
    roots
        .map(|der| reqwest::Certificate::from_der(der))
        .collect()
}

/// The client of `healthcheck`, which finds the exporter at `localhost`. It
/// accepts any certificate: the request holds no secret, and the answer only
/// decides whether a container on this machine is restarted.
pub(crate) fn healthcheck_client(address: SocketAddr) -> Result<reqwest::Client, SetupError> {
    reqwest::Client::builder()
        .resolve("localhost", address)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .http1_only()
        .tls_danger_accept_invalid_certs(true)
        .build()
        .map_err(SetupError)
}

/// Reads a body of at most [`MAX_BODY`] bytes.
pub(crate) async fn read_body(mut response: Response) -> Result<Vec<u8>, TransportError> {
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
