//! Connections and routing.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::ACCEPT_ENCODING;
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use jiff::Timestamp;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::admin_consent;
use crate::body::ResponseBody;
use crate::connect_proxy;
use crate::control_api;
use crate::entra;
use crate::graph;
use crate::handle::SimulatorHandle;
use crate::incoming::IncomingRequest;
use crate::list::Resource;
use crate::managed_identity::{self, IdentityEndpoint};
use crate::openid;
use crate::query::{Query, decode_segment};
use crate::recorded_request::{Api, RecordedRequest};
use crate::reply::{LoggedOutcome, Outcome, Reply};
use crate::state::SimulatorState;

/// The maximum size of a request body; a larger one reads as empty.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The pause after a failed accept, usually for want of file descriptors.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// Serves Graph and Entra until the future is dropped, with its connections.
pub(crate) async fn serve_graph(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    state: Arc<SimulatorState>,
) {
    let acceptor = TlsAcceptor::from(tls);
    accept(listener, move |stream| {
        let (acceptor, state) = (acceptor.clone(), Arc::clone(&state));
        async move {
            let stream = match connect_proxy::open_tunnel(stream, &state.faults).await {
                Ok(Some(stream)) => stream,
                Ok(None) => return,
                Err(error) => return tracing::debug!(%error, "the connection sent no request"),
            };
            let answer = move |request| answer(Arc::clone(&state), request);
            match acceptor.accept(stream).await {
                Ok(stream) => serve_connection(stream, answer).await,
                Err(error) => tracing::debug!(%error, "TLS handshake failed"),
            }
        }
    })
    .await;
}

/// Serves the control API until the future is dropped, with its connections.
pub(crate) async fn serve_control(listener: TcpListener, handle: SimulatorHandle) {
    accept(listener, move |stream| {
        let handle = handle.clone();
        let answer = move |request: Request<Incoming>| {
            let handle = handle.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = read(body).await;
                let path = head.uri.path();
                Ok::<_, Infallible>(control_api::answer(&handle, &head.method, path, &body))
            }
        };
        serve_connection(stream, answer)
    })
    .await;
}

/// Spawns a task per connection; dropping the future aborts the tasks.
async fn accept<F, T>(listener: TcpListener, serve: F)
where
    F: Fn(TcpStream) -> T,
    T: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve(stream));
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
}

async fn serve_connection<S, F, T, E>(stream: S, answer: F)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<Incoming>) -> T,
    T: Future<Output = Result<Response<ResponseBody>, E>> + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let builder = auto::Builder::new(TokioExecutor::new());
    let connection = builder.serve_connection(TokioIo::new(stream), service_fn(answer));
    if let Err(error) = connection.await {
        tracing::debug!(error, "connection failed");
    }
}

/// The endpoint of a path.
enum Route {
    /// Entra, with the tenant's GUID or domain.
    Token(String),
    /// The page for a tenant's consent, with its GUID or domain.
    AdminConsent(String),
    /// The discovery of Entra's endpoints, with the tenant's GUID or domain.
    OpenId(String),
    ManagedIdentity(IdentityEndpoint),
    Graph(Resource),
    Unknown,
}

impl Route {
    fn parse(path: &str) -> Self {
        if let Some(resource) = Resource::at(path) {
            return Self::Graph(resource);
        }
        if let Some(endpoint) = IdentityEndpoint::at(path) {
            return Self::ManagedIdentity(endpoint);
        }
        match path.strip_prefix('/').and_then(|path| path.split_once('/')) {
            Some((tenant, "oauth2/v2.0/token")) => Self::Token(decode_segment(tenant)),
            Some((tenant, "adminconsent")) => Self::AdminConsent(decode_segment(tenant)),
            Some((tenant, "v2.0/.well-known/openid-configuration")) => {
                Self::OpenId(decode_segment(tenant))
            }
            _ => Self::Unknown,
        }
    }

    fn api(&self) -> Option<Api> {
        match self {
            Self::Token(_) | Self::ManagedIdentity(_) => Some(Api::Token),
            Self::Graph(resource) => Some(resource.list.api()),
            Self::AdminConsent(_) | Self::OpenId(_) | Self::Unknown => None,
        }
    }
}

/// Answers and records one request.
///
/// An error makes hyper close the connection (HTTP/1.1) or reset the stream
/// (HTTP/2) without a response.
async fn answer(
    state: Arc<SimulatorState>,
    request: Request<Incoming>,
) -> io::Result<Response<ResponseBody>> {
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let mut request = IncomingRequest::new(head);
    let route = Route::parse(request.head.uri.path());
    let api = route.api();
    let logged = dispatch(&state, route, &mut request, body).await;
    let path_and_query = request.head.uri.path_and_query();
    state.requests.record(RecordedRequest {
        at: Timestamp::now(),
        started,
        finished: Instant::now(),
        tenant: logged.tenant,
        api,
        path_and_query: path_and_query.map_or("/", |path| path.as_str()).to_owned(),
        page: logged.page,
        status: match &logged.outcome {
            Outcome::Replied(reply) => reply.status.as_u16(),
            Outcome::ConnectionDropped => 0,
        },
    });
    match logged.outcome {
        Outcome::Replied(reply) => reply.into_response(&request.ids, accepts_gzip(&request.head)),
        Outcome::ConnectionDropped => Err(io::ErrorKind::ConnectionReset.into()),
    }
}

async fn dispatch(
    state: &SimulatorState,
    route: Route,
    request: &mut IncomingRequest,
    body: Incoming,
) -> LoggedOutcome {
    match route {
        Route::Token(tenant) => {
            let body = read(body).await;
            let body = String::from_utf8_lossy(&body);
            request.echo = format!("{body}; {}", request.echo);
            entra::answer(state, &tenant, request, &Query::parse(&body)).await
        }
        Route::ManagedIdentity(endpoint) => {
            managed_identity::answer(state, endpoint, request).await
        }
        Route::AdminConsent(tenant) => admin_consent::answer(state, &tenant, request),
        Route::OpenId(tenant) => openid::answer(state, &tenant, request),
        Route::Graph(resource) => graph::answer(state, &resource, request).await,
        Route::Unknown => {
            let text = "The path does not exist.";
            let status = StatusCode::NOT_FOUND;
            let reply = Reply::graph_error(status, &request.ids, "ResourceNotFound", text);
            LoggedOutcome::new(Outcome::Replied(reply), None)
        }
    }
}

fn accepts_gzip(head: &Parts) -> bool {
    let mut accepted = head.headers.get_all(ACCEPT_ENCODING).iter();
    accepted.any(|value| value.to_str().is_ok_and(|value| value.contains("gzip")))
}

async fn read(body: Incoming) -> Vec<u8> {
    let body = Limited::new(body, MAX_BODY_BYTES).collect().await;
    body.map(|body| body.to_bytes().to_vec())
        .unwrap_or_default()
}
