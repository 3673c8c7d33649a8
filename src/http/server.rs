//! Connections: accepted, limited and drained.

use super::Site;
use super::client::Client;
use super::concurrency::{CLOSE_TIMEOUT, ConcurrencyLimit, MAX_REQUESTS};
use super::connection_table::{ConnectionSlot, ConnectionTable};
use super::handshakes::RefusedHandshakes;
use super::lingering_close;
use super::refusal;
use super::timeouts::TimeoutStream;
use crate::http_types::{Response, response};
use exporter_web_config::{
    AccessControl, CertificateNames, ConnectionPolicy, Refusal, Replacement,
};
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections open at once. Two Prometheus servers and some people need ten;
/// many services have 1,024 file descriptors, and Graph and the state directory
/// need some. A connection beyond this takes the place of the longest idle one,
/// or of one that does not read.
pub(super) const MAX_CONNECTIONS: usize = 512;

/// The longest known header is an `Accept` of 300 bytes; a gateway's cookies may
/// add some kilobytes. Times the connections this is 8 MiB.
pub(super) const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Requests at once on one HTTP/2 connection, so that one client cannot take
/// every permit ([`MAX_REQUESTS`]).
pub(super) const MAX_STREAMS: u32 = 8;

/// How long responses may take to complete after a shutdown request, or after the
/// configuration that verified the client was replaced. Kubernetes kills after 30
/// seconds, and the state is written after this.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// A pause after `accept` failed, as without file descriptors: trying again at
/// once would occupy a core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// The name that browsers show when they ask for the password.
const REALM: &str = "secure-score-exporter";

/// How the server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrainOutcome {
    /// Every response was sent.
    Complete,
    /// This many connections took too long and were closed.
    Aborted(usize),
}

/// How a site is served.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Who has access.
    pub access: Arc<AccessControl>,
    /// Requests served at once; any number where absent. Further requests get
    /// 503. Health checks do not count.
    pub max_requests: Option<NonZeroUsize>,
}

impl Default for ServerOptions {
    /// Without authentication, [`MAX_REQUESTS`] at once.
    fn default() -> Self {
        Self {
            access: Arc::default(),
            max_requests: Some(MAX_REQUESTS),
        }
    }
}

/// Serves a site until shutdown, then completes the responses in flight.
///
/// From then on new connections are refused. A response that exceeds
/// [`DRAIN_TIMEOUT`] is aborted, so that shutdown always ends.
pub async fn serve(
    options: ServerOptions,
    listeners: Vec<TcpListener>,
    site: Arc<Site>,
    shutdown: impl Future<Output = ()>,
) -> DrainOutcome {
    let limit = ConcurrencyLimit::new(options.max_requests);
    let access = Arc::clone(&options.access);
    let refused = RefusedHandshakes::new(site.telemetry());
    let table = Arc::<ConnectionTable>::default();
    let connections = Arc::clone(&table);
    let handler: Handler = Arc::new(move |request, client| {
        let (site, limit, access) = (Arc::clone(&site), limit.clone(), Arc::clone(&access));
        let connections = Arc::clone(&connections);
        Box::pin(async move {
            let is_page = refusal::prefers_page(request.headers());
            let refuse = |refused| refuse(refused, is_page);
            let respond = |request| respond(site, limit, connections, request);
            access.guard(request, client, refuse, respond).await
        })
    });
    let server = Server::new(handler, options.access, refused, table);
    serve_with(listeners, server, shutdown).await
}

/// The response to a request that the web configuration does not allow.
fn refuse(refused: Refusal, is_page: bool) -> Response {
    let response = refusal::respond(refused.status(), refused.message(), is_page);
    match refused.header(REALM) {
        Some((name, value)) => response::with(response, name, value),
        None => response,
    }
}

/// Answers an authorized request, if a permit is free.
async fn respond(
    site: Arc<Site>,
    limit: ConcurrencyLimit,
    connections: Arc<ConnectionTable>,
    request: Request<Incoming>,
) -> Response {
    if site.is_health_check(request.uri().path()) {
        return site.respond(request, SystemTime::now()).await;
    }
    match limit.acquire(|| connections.close_stalled()).await {
        Ok(permit) => {
            let response = site.respond(request, SystemTime::now()).await;
            response.map(|body| body.hold(permit))
        }
        Err(rejection) => *rejection,
    }
}

/// Answers requests of the client with this address.
type Handler = Arc<dyn Fn(Request<Incoming>, IpAddr) -> ResponseFuture + Send + Sync>;
type ResponseFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

async fn serve_with(
    listeners: Vec<TcpListener>,
    server: Server,
    shutdown: impl Future<Output = ()>,
) -> DrainOutcome {
    let server = Arc::new(server);
    let mut accepting = JoinSet::new();
    for listener in listeners {
        accepting.spawn(Arc::clone(&server).accept(listener));
    }
    shutdown.await;
    accepting.shutdown().await;
    server.drain().await
}

/// All connections of one server.
struct Server {
    handler: Handler,
    access: Arc<AccessControl>,
    refused_handshakes: RefusedHandshakes,
    permits: Arc<Semaphore>,
    table: Arc<ConnectionTable>,
    connections: TaskTracker,
    /// Complete the responses in flight and close.
    closing: CancellationToken,
    /// Close at once.
    abort: CancellationToken,
}

impl Server {
    fn new(
        handler: Handler,
        access: Arc<AccessControl>,
        refused_handshakes: RefusedHandshakes,
        table: Arc<ConnectionTable>,
    ) -> Self {
        Self {
            handler,
            access,
            refused_handshakes,
            permits: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            table,
            connections: TaskTracker::new(),
            closing: CancellationToken::new(),
            abort: CancellationToken::new(),
        }
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, address)) => match self.permit().await {
                    Some(permit) => self.spawn(stream, address.ip(), permit),
                    None => return,
                },
                Err(error) => pause(&error).await,
            }
        }
    }

    /// A permit for one more connection, if need be that of an idle one or of one
    /// that does not read.
    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        let permits = Arc::clone(&self.permits);
        if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
            return Some(permit);
        }
        loop {
            self.table.make_room();
            let freed = Arc::clone(&permits).acquire_owned();
            if let Ok(permit) = tokio::time::timeout(CLOSE_TIMEOUT, freed).await {
                return permit.ok();
            }
        }
    }

    fn spawn(self: &Arc<Self>, stream: TcpStream, address: IpAddr, permit: OwnedSemaphorePermit) {
        let server = Arc::clone(self);
        self.connections.spawn(async move {
            server.handshake(stream, address).await;
            drop(permit);
        });
    }

    /// One connection, with TLS where the web configuration requires it.
    async fn handshake(&self, stream: TcpStream, address: IpAddr) {
        // A response is written in few large calls; Nagle's algorithm would
        // delay the last part by 40 ms.
        let _ = stream.set_nodelay(true);
        let slot = self.table.insert();
        let stream = TimeoutStream::new(stream, Arc::clone(&slot.activity));
        match self.access.connection_policy() {
            ConnectionPolicy::Plain => {
                let client = Client {
                    address,
                    verified_certificate: None,
                };
                // As in other exporters, HTTP/2 needs TLS.
                self.serve(stream, &slot, client, protocol(false), None)
                    .await;
            }
            ConnectionPolicy::Tls {
                config,
                verifies_certificates,
                replaced,
            } => {
                let stream = tokio::select! {
                    stream = self.accept_tls(TlsAcceptor::from(config), stream, address) => stream,
                    () = slot.activity.close.cancelled() => return,
                    () = self.closing.cancelled() => return,
                };
                let Some(stream) = stream else { return };
                let (_, session) = stream.get_ref();
                let presented = session.peer_certificates();
                let verified = presented.filter(|_| verifies_certificates);
                let own = verified.and_then(|chain| chain.first());
                let names = own.map(|own| Arc::new(CertificateNames::of(own)));
                let replaced = names.is_some().then_some(replaced);
                let client = Client {
                    address,
                    verified_certificate: names,
                };
                let protocol = protocol(self.allows_http2());
                self.serve(stream, &slot, client, protocol, replaced).await;
            }
            ConnectionPolicy::Reject => {}
        }
    }

    /// The connection after its TLS handshake; `None` if it failed and is closed.
    async fn accept_tls<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        acceptor: TlsAcceptor,
        stream: TimeoutStream<S>,
        address: IpAddr,
    ) -> Option<TlsStream<TimeoutStream<S>>> {
        match acceptor.accept(stream).into_fallible().await {
            Ok(stream) => Some(stream),
            Err((error, stream)) => {
                self.refused_handshakes.record(&error, address);
                lingering_close::close(stream).await;
                None
            }
        }
    }

    /// One connection from its first to its last request, also where that is because
    /// the configuration that verified the client is replaced.
    async fn serve(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        slot: &ConnectionSlot,
        client: Client,
        protocol: auto::Builder<TokioExecutor>,
        replaced: Option<Replacement>,
    ) {
        let requests = Arc::clone(&slot.activity);
        let service = service_fn(move |mut request: Request<Incoming>| {
            let guard = requests.begin(request.version());
            request.extensions_mut().insert(client.clone());
            let response = (self.handler)(request, client.address);
            async move {
                Ok::<_, Infallible>(response.await.map(|body| body.hold(guard.response_ready())))
            }
        });
        let connection = protocol.serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let mut was_replaced = false;
        tokio::select! {
            outcome = connection.as_mut() => return log_end(outcome),
            () = slot.activity.close.cancelled() => return,
            () = slot.activity.response_overdue() => {
                tracing::debug!("connection closed: a response was not read in time");
                return;
            }
            () = is_replaced(replaced) => was_replaced = true,
            () = self.closing.cancelled() => {}
        }
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            outcome = connection => log_end(outcome),
            () = self.abort.cancelled() => {}
            () = tokio::time::sleep(DRAIN_TIMEOUT), if was_replaced => {}
        }
    }

    /// Whether connections with TLS may use HTTP/2.
    fn allows_http2(&self) -> bool {
        self.access.config().is_none_or(|config| !config.http1_only)
    }

    async fn drain(&self) -> DrainOutcome {
        self.closing.cancel();
        self.connections.close();
        let all = tokio::time::timeout(DRAIN_TIMEOUT, self.connections.wait()).await;
        if all.is_ok() {
            return DrainOutcome::Complete;
        }
        let left = self.connections.len();
        self.abort.cancel();
        self.connections.wait().await;
        DrainOutcome::Aborted(left)
    }
}

/// HTTP/1.1, or also HTTP/2 for clients that begin with it. [`TimeoutStream`]
/// replaces hyper's own timeouts.
fn protocol(allows_http2: bool) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .max_buf_size(MAX_HEADER_BYTES)
        .header_read_timeout(None);
    builder
        .http2()
        .max_header_list_size(MAX_HEADER_BYTES as u32)
        .max_concurrent_streams(MAX_STREAMS);
    match allows_http2 {
        true => builder,
        false => builder.http1_only(),
    }
}

/// Waits for the replacement; for ever without one.
async fn is_replaced(replacement: Option<Replacement>) {
    match replacement {
        Some(mut replacement) => replacement.done().await,
        None => std::future::pending().await,
    }
}

/// Invalid requests and disconnects are the client's fault, so this is debug.
fn log_end<E: std::fmt::Display>(outcome: Result<(), E>) {
    if let Err(error) = outcome {
        tracing::debug!(%error, "connection ended early");
    }
}

/// Waits after a failed `accept`, unless only the client disconnected.
async fn pause(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset};
    if matches!(error.kind(), ConnectionAborted | ConnectionReset) {
        return;
    }
    tracing::warn!(%error, "cannot accept a connection");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http_types::Body;
    use crate::telemetry::Telemetry;
    use bytes::Bytes;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::{Notify, oneshot};

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    /// A server whose handler reports a request and waits to be released.
    struct SlowServer {
        stream: TcpStream,
        requested: Arc<Notify>,
        release: Arc<Notify>,
        stop: oneshot::Sender<()>,
        ended: tokio::task::JoinHandle<DrainOutcome>,
    }

    async fn slow_server() -> SlowServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (requested, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let notifies = (Arc::clone(&requested), Arc::clone(&release));
        let handler: Handler = Arc::new(move |_, _| {
            let (requested, release) = notifies.clone();
            Box::pin(async move {
                requested.notify_one();
                release.notified().await;
                Response::new(Body::from(Bytes::from_static(b"at last")))
            })
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let telemetry = Arc::new(Telemetry::new().unwrap());
        let refused = RefusedHandshakes::new(telemetry);
        let server = Server::new(handler, Arc::default(), refused, Arc::default());
        let ended = tokio::spawn(serve_with(vec![listener], server, async {
            let _ = stopped.await;
        }));
        SlowServer {
            stream: TcpStream::connect(address).await.unwrap(),
            requested,
            release,
            stop,
            ended,
        }
    }

    #[tokio::test]
    async fn shutdown_completes_a_response_in_flight() {
        let mut server = slow_server().await;
        server.stream.write_all(REQUEST).await.unwrap();
        server.requested.notified().await;
        server.stop.send(()).unwrap();
        let early = tokio::time::timeout(Duration::from_millis(50), &mut server.ended).await;
        assert!(early.is_err(), "it ended before the response");
        server.release.notify_one();
        let mut response = String::new();
        server.stream.read_to_string(&mut response).await.unwrap();
        assert!(response.ends_with("at last"), "{response}");
        assert_eq!(server.ended.await.unwrap(), DrainOutcome::Complete);
    }

    #[tokio::test]
    async fn shutdown_aborts_a_response_that_never_comes() {
        let mut server = slow_server().await;
        server.stream.write_all(REQUEST).await.unwrap();
        server.requested.notified().await;
        // From here on the clock advances while all tasks wait.
        tokio::time::pause();
        server.stop.send(()).unwrap();
        assert_eq!(server.ended.await.unwrap(), DrainOutcome::Aborted(1));
    }

    #[tokio::test]
    async fn shutdown_does_not_wait_for_an_incomplete_head() {
        let mut server = slow_server().await;
        server.stream.write_all(b"GET / HT").await.unwrap();
        tokio::time::pause();
        server.stop.send(()).unwrap();
        server.ended.await.unwrap();
    }
}
