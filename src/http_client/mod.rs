//! HTTP clients for Microsoft's servers, for the server that a command names and for
//! the health check, with their limits, and what every client shares: why a request
//! got no answer.

mod connect_step;
mod connections;
mod exporter_client;
mod headers;
mod proxy;
mod transport_error;

use connections::Connections;
use parking_lot::Mutex;
use proxy::{Proxies, UnreadableProxy};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{ClientBuilder, Method, RequestBuilder, Response, StatusCode, Url};
use rustls::pki_types::CertificateDer;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use transport_error::{ConnectCause, FailedConnection, connect_cause};

pub use connect_step::ExchangeStep;
pub use exporter_client::{ExporterClient, ExporterError};
pub use headers::{HeaderError, Headers};
pub(crate) use proxy::through;
pub use transport_error::TransportError;

/// The `User-Agent` of every request.
pub(crate) const USER_AGENT: &str = concat!("secure-score-exporter/", env!("CARGO_PKG_VERSION"));

/// The maximum size of a decompressed body. Real pages have some 300 kB, and a
/// report with all control scores some 200 kB. A much larger body is an error
/// or an attack, and must not exhaust the memory.
pub(crate) const MAX_BODY: usize = 16 * 1024 * 1024;

/// Texts from servers are truncated to this many bytes in errors.
pub(crate) const MAX_MESSAGE: usize = 300;

/// Connecting takes milliseconds; a firewall that drops packets must not use up
/// the timeout of a request.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The endpoint for managed identities is on this machine or on its host.
/// Outside Azure there is none, so the exporter does not wait long.
const IDENTITY_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// All tenants of a cloud share one HTTP/2 connection. Pings detect a dead
/// connection before the requests of each tenant time out. One that answers
/// pings only is given up after two time-outs, see [`Connections`].
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// The share of a request's timeout after which connecting fails, so that the
/// error is about the connection.
const CONNECT_SHARE: f64 = 0.8;

/// The trusted certificate authorities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TrustedRoots {
    /// Those of the system and these.
    SystemAnd(Vec<CertificateDer<'static>>),
    /// Only these, without a proxy: for the simulator.
    Only(Vec<CertificateDer<'static>>),
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

/// An HTTP client whose errors name host, proxy and cause. It replaces
/// connections that are old, or that answer nothing. Clones share them.
#[derive(Debug, Clone)]
pub struct HttpClient(Arc<Shared>);

struct Shared {
    build: Box<dyn Fn() -> reqwest::Result<reqwest::Client> + Send + Sync>,
    connections: Mutex<Arc<Connections>>,
    /// `None` if it uses no proxy.
    proxies: Option<Proxies>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}

/// A response with its body, or why that is incomplete.
pub(crate) struct HttpResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Result<Vec<u8>, TransportError>,
}

impl HttpClient {
    /// A client that uses the environment's proxies, or none. `builder` is
    /// called again for each replacement of the connections.
    pub(crate) fn new(
        uses_proxies: bool,
        builder: impl Fn() -> reqwest::Result<ClientBuilder> + Send + Sync + 'static,
    ) -> reqwest::Result<Self> {
        let build = move || match uses_proxies {
            true => builder()?.build(),
            false => builder()?.no_proxy().build(),
        };
        Ok(Self(Arc::new(Shared {
            connections: Mutex::new(Arc::new(Connections::new(build()?))),
            build: Box::new(build),
            proxies: uses_proxies.then(Proxies::from_env),
        })))
    }

    /// A client of the server that a command names. It trusts the system's authorities
    /// and `roots`, uses no proxy on this machine, and follows no redirects.
    pub(crate) fn of_server(
        url: &Url,
        timeout: Duration,
        roots: &[CertificateDer<'static>],
    ) -> reqwest::Result<Self> {
        // Plain HTTP also works on a machine without authorities.
        let is_plain = is_plain(url);
        let roots = roots.to_vec();
        Self::new(!is_on_this_machine(url), move || {
            let builder = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(timeout)
                .referer(false)
                .user_agent(USER_AGENT);
            match is_plain {
                true => Ok(builder.tls_certs_only([])),
                false => trust(builder, &roots),
            }
        })
    }

    /// Begins a request.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.connections().http.request(method, url)
    }

    /// The proxy that passes a plain HTTP request on, or answers it itself. Any
    /// other proxy only makes the connection: each answer is the server's.
    pub(crate) fn forwarding_proxy(&self, url: &Url) -> Option<String> {
        self.proxy(url).filter(|_| is_plain(url))
    }

    /// The proxy of a request, without user and password, if it can be read.
    pub(crate) fn proxy(&self, url: &Url) -> Option<String> {
        let proxy = self.0.proxies.as_ref()?.find(url).ok()?;
        proxy.map(|it| it.to_string())
    }

    /// Sends a request. Its response counts as complete with the head; the body
    /// is of no interest.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, TransportError> {
        let (exchange, response) = self.begin(request).await?;
        exchange.note(None);
        Ok(response)
    }

    /// Sends a request, and reads a body of at most `max_body` bytes.
    pub(crate) async fn exchange(
        &self,
        request: RequestBuilder,
        max_body: usize,
    ) -> Result<HttpResponse, TransportError> {
        let (exchange, mut response) = self.begin(request).await?;
        let headers = std::mem::take(response.headers_mut());
        let status = response.status();
        let body = read_body(response, max_body).await;
        exchange.note(body.as_ref().err());
        Ok(HttpResponse {
            status,
            headers,
            body,
        })
    }

    /// Sends a request, and waits for the head of its response.
    async fn begin(&self, request: RequestBuilder) -> Result<(Exchange, Response), TransportError> {
        let request = request.build()?;
        let url = request.url();
        let is_plain = is_plain(url);
        let port = url.port_or_known_default().unwrap_or_default();
        let exchange = Exchange {
            server: format!("{}:{port}", url.host_str().unwrap_or_default()),
            connections: self.connections(),
        };
        let proxies = self.0.proxies.as_ref();
        let found = proxies.map_or(Ok(None), |proxies| proxies.find(url));
        let proxy = found.as_ref().ok().and_then(Option::as_ref);
        let failed = |cause| {
            TransportError::Connect(Box::new(FailedConnection {
                target: exchange.server.clone(),
                proxy: proxy.map(ToString::to_string),
                is_plain,
                cause,
            }))
        };
        if let Err(UnreadableProxy(variable)) = found {
            return Err(failed(ConnectCause::UnreadableProxy(variable)));
        }
        if proxy.is_some_and(proxy::Proxy::is_socks) {
            return Err(failed(ConnectCause::Socks));
        }
        let error = match exchange.connections.http.execute(request).await {
            Ok(response) => return Ok((exchange, response)),
            Err(error) => error,
        };
        let is_tunnelled = proxy.is_some() && !is_plain;
        Err(match (connect_cause(&error, is_tunnelled), proxy) {
            (Some(ConnectCause::Proxy(None)), Some(proxy)) => {
                failed(ConnectCause::Proxy(proxy.refusal(&exchange.server).await))
            }
            (Some(cause), _) => failed(cause),
            (None, _) => {
                let error = error.into();
                exchange.note(Some(&error));
                error
            }
        })
    }

    /// The connections for the next request.
    fn connections(&self) -> Arc<Connections> {
        let mut connections = self.0.connections.lock();
        if connections.are_given_up() {
            match (self.0.build)() {
                Ok(http) => *connections = Arc::new(Connections::new(http)),
                Err(error) => {
                    connections.renewal_failed();
                    let error = SetupError(error);
                    tracing::warn!(hint = error.hint(), "{error}; old connections stay in use");
                }
            }
        }
        Arc::clone(&connections)
    }
}

/// One request and the connections it uses.
struct Exchange {
    server: String,
    connections: Arc<Connections>,
}

impl Exchange {
    /// Notes how it ended. An error other than a time-out says nothing: its
    /// connection is closed.
    fn note(&self, error: Option<&TransportError>) {
        match error {
            None => self.connections.answered(&self.server),
            Some(TransportError::Timeout) => self.connections.timed_out(&self.server),
            Some(_) => {}
        }
    }
}

/// Whether a server is reached without a network, so that no proxy is used.
fn is_on_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_plain(url: &Url) -> bool {
    url.scheme() == "http"
}

/// The client for Graph and Entra.
///
/// It follows no redirects: Graph sends none, and a token must not be sent to a
/// host that a response names.
pub(crate) fn client(roots: TrustedRoots, timeout: Duration) -> Result<HttpClient, SetupError> {
    let uses_proxies = matches!(roots, TrustedRoots::SystemAnd(_));
    let client = HttpClient::new(uses_proxies, move || {
        let builder = reqwest::Client::builder()
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(connect_timeout(CONNECT_TIMEOUT, timeout))
            .timeout(timeout)
            .http2_keep_alive_interval(PING_INTERVAL)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            .user_agent(USER_AGENT);
        match &roots {
            TrustedRoots::SystemAnd(more) => trust(builder, more),
            TrustedRoots::Only(these) => Ok(builder.tls_certs_only(reqwest_certificates(these)?)),
        }
    });
    Ok(client?)
}

/// The client for this machine's endpoint for managed identities, which has
/// plain HTTP on a link-local address. A proxy would use another machine's
/// identity.
pub(crate) fn identity_client(timeout: Duration) -> Result<HttpClient, SetupError> {
    let client = HttpClient::new(false, move || {
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .tls_certs_only([])
            .connect_timeout(connect_timeout(IDENTITY_CONNECT_TIMEOUT, timeout))
            .timeout(timeout);
        Ok(builder)
    });
    Ok(client?)
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

async fn read_body(mut response: Response, max: usize) -> Result<Vec<u8>, TransportError> {
    let announced = response.content_length().unwrap_or(0);
    let announced = usize::try_from(announced).unwrap_or(usize::MAX);
    if announced > max {
        return Err(TransportError::TooLarge);
    }
    let mut body = Vec::with_capacity(announced.min(MAX_BODY));
    while let Some(part) = response.chunk().await? {
        if body.len() + part.len() > max {
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
