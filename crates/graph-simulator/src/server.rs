//! Listening, and which path leads where.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT_ENCODING, HOST, HeaderName, HeaderValue};
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

use super::body::Body;
use super::control::Control;
use super::control_api;
use super::entra::{self, TokenRequest};
use super::graph::{self, Answer, ListRequest};
use super::identity::{self, Flavour, IdentityRequest};
use super::query::{self, Query};
use super::reply::{Ids, Outcome, Reply};
use super::request_log::{Api, RecordedRequest};
use super::world::World;

/// The most bytes of a request body that are read.
const LARGEST_FORM: usize = 64 * 1024;

/// Serves Graph and Entra until it is dropped; its connections end with it.
pub(super) async fn serve_graph(listener: TcpListener, tls: Arc<ServerConfig>, world: Arc<World>) {
    let acceptor = TlsAcceptor::from(tls);
    accept(listener, move |stream| {
        let (acceptor, world) = (acceptor.clone(), Arc::clone(&world));
        async move {
            match acceptor.accept(stream).await {
                Ok(stream) => serve_connection(stream, world).await,
                Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
            }
        }
    })
    .await;
}

/// Serves the control API until it is dropped.
pub(super) async fn serve_control(listener: TcpListener, control: Control) {
    accept(listener, move |stream| {
        let control = control.clone();
        async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let control = control.clone();
                async move {
                    let (head, body) = request.into_parts();
                    let body = read(body).await;
                    Ok::<_, Infallible>(control_api::answer(
                        &control,
                        &head.method,
                        head.uri.path(),
                        &body,
                    ))
                }
            });
            let connection = auto::Builder::new(TokioExecutor::new());
            if let Err(error) = connection
                .serve_connection(TokioIo::new(stream), service)
                .await
            {
                tracing::debug!(error, "a control connection ended badly");
            }
        }
    })
    .await;
}

/// Hands each connection to a task; the tasks end when this future does.
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
                // Out of descriptors, most likely: trying at once would spin.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve_connection<S>(stream: S, world: Arc<World>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| answer(Arc::clone(&world), request));
    let connection = auto::Builder::new(TokioExecutor::new());
    if let Err(error) = connection
        .serve_connection(TokioIo::new(stream), service)
        .await
    {
        tracing::debug!(error, "a connection ended badly");
    }
}

/// Where a path leads.
enum Route {
    Token(String),
    Identity(Flavour),
    List(Api),
    Nowhere,
}

impl Route {
    fn of(path: &str) -> Self {
        let lists = [Api::Scores, Api::Profiles];
        if let Some(api) = lists.into_iter().find(|api| graph::path(*api) == path) {
            return Self::List(api);
        }
        if let Some(flavour) = Flavour::at(path) {
            return Self::Identity(flavour);
        }
        let tenant = path
            .strip_prefix('/')
            .and_then(|path| path.strip_suffix("/oauth2/v2.0/token"));
        match tenant.filter(|tenant| !tenant.contains('/')) {
            Some(tenant) => Self::Token(query::decode(tenant)),
            None => Self::Nowhere,
        }
    }

    fn api(&self) -> Option<Api> {
        match self {
            Self::Token(_) | Self::Identity(_) => Some(Api::Token),
            Self::List(api) => Some(*api),
            Self::Nowhere => None,
        }
    }
}

/// Answers one request and writes it down.
///
/// An error here is the fault that drops the connection: hyper closes it
/// (HTTP/1.1) or resets the stream (HTTP/2) without an answer.
async fn answer(world: Arc<World>, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let began = Instant::now();
    let (head, body) = request.into_parts();
    let ids = Ids::new(&head.headers);
    let route = Route::of(head.uri.path());
    let api = route.api();
    let gzip = takes_gzip(&head);
    let answer = lead(&world, route, (&head, body), &ids).await;
    let path_and_query = head
        .uri
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    let status = match &answer.outcome {
        Outcome::Answered(reply) => reply.status.as_u16(),
        Outcome::Dropped => 0,
    };
    let (tenant, page) = (answer.tenant, answer.page);
    world.log().record(RecordedRequest {
        at: Timestamp::now(),
        under_way: (began, Instant::now()),
        tenant,
        api,
        path_and_query,
        page,
        status,
    });
    match answer.outcome {
        Outcome::Answered(reply) => reply.into_response(&ids, gzip),
        Outcome::Dropped => Err(io::ErrorKind::ConnectionReset.into()),
    }
}

type Head = hyper::http::request::Parts;

async fn lead(world: &World, route: Route, (head, body): (&Head, Incoming), ids: &Ids) -> Answer {
    let base = base(head);
    let asked = headers_of(head);
    match route {
        Route::Token(tenant) => {
            let body = read(body).await;
            let body = String::from_utf8_lossy(&body);
            let form = Query::parse(&body);
            let asked = format!("{body}; {asked}");
            entra::answer(
                world,
                &TokenRequest {
                    method: &head.method,
                    tenant,
                    base,
                    form,
                    asked: &asked,
                    ids,
                },
            )
            .await
        }
        Route::Identity(flavour) => {
            let query = Query::parse(head.uri.query().unwrap_or_default());
            let (method, headers) = (&head.method, &head.headers);
            identity::answer(
                world,
                &IdentityRequest {
                    flavour,
                    method,
                    headers,
                    base,
                    query,
                    asked: &asked,
                    ids,
                },
            )
            .await
        }
        Route::List(api) => {
            let query = head.uri.query().unwrap_or_default();
            let (method, headers) = (&head.method, &head.headers);
            graph::answer(
                world,
                &ListRequest {
                    api,
                    method,
                    headers,
                    base,
                    query,
                    asked: &asked,
                    ids,
                },
            )
            .await
        }
        Route::Nowhere => {
            let error = ("ResourceNotFound", "There is nothing at this path.");
            let reply = Reply::error(Api::Scores, StatusCode::NOT_FOUND, ids, error);
            Answer {
                outcome: Outcome::Answered(reply),
                tenant: None,
                page: 1,
            }
        }
    }
}

/// The headers as they came, on one line, since of more we tell the first.
fn headers_of(head: &Head) -> String {
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        format!("{name}: {}; ", String::from_utf8_lossy(value.as_bytes()))
    };
    head.headers.iter().map(line).collect()
}

/// The root as the client wrote it: links must stay on the host it knows.
fn base(head: &Head) -> String {
    let authority = head.uri.authority().map(|authority| authority.as_str());
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    format!("https://{}", authority.or(host).unwrap_or("localhost"))
}

fn takes_gzip(head: &Head) -> bool {
    let accepted = head.headers.get_all(ACCEPT_ENCODING).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("gzip"))
}

async fn read(body: Incoming) -> Vec<u8> {
    let read = Limited::new(body, LARGEST_FORM).collect().await;
    read.map(|body| body.to_bytes().to_vec())
        .unwrap_or_default()
}
