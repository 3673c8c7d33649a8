//! Connections: taken in, limited, and let go in order.

use super::Site;
use super::auth;
use super::body::Body;
use super::guests::{Guests, Seat};
use super::limit::{Limit, MAX_REQUESTS};
use super::pace::{Paced, Pulse};
use super::reply::Reply;
use exporter_web_config::{AccessControl, ConnectionPolicy};
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::convert::Infallible;
use std::io;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections open at once. A pair of Prometheis and some people need ten;
/// many a service has 1,024 file descriptors, and Graph and the state
/// directory need theirs. Who comes when all are taken gets the place of the
/// connection that has been idle for longest.
pub(super) const MAX_CONNECTIONS: usize = 512;

/// Our longest header is an `Accept` of 300 bytes; a gateway's cookies may add
/// some kilobytes. Multiplied by the connections this is 8 MiB.
pub(super) const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Requests at once on one HTTP/2 connection. One client must not take every
/// place there is ([`MAX_REQUESTS`]).
pub(super) const MAX_STREAMS: u32 = 8;

/// Whether a connection began under rules that let nobody in without a
/// certificate that was verified. It stays what it was when they change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Certified(pub(super) bool);

/// How long answers under way may take to end after we were told to stop.
/// Kubernetes kills after 30 seconds, and the state is written after this.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// A pause after the system refused a connection, as it does without file
/// descriptors: asking again at once would take a whole core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How the server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every answer under way was sent.
    Completely,
    /// This many connections took too long and were cut.
    Cut(usize),
}

/// On which terms a site is served.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The web configuration.
    pub access: Arc<AccessControl>,
    /// How many requests are answered at once; any number where absent. One
    /// too many is answered with 503. Probes are not counted.
    pub most: Option<NonZeroUsize>,
}

impl Default for Terms {
    /// Open to everybody, and to forty at once.
    fn default() -> Self {
        Self {
            access: Arc::default(),
            most: Some(MAX_REQUESTS),
        }
    }
}

/// Serves a site until told to stop, then sends the answers under way.
///
/// New connections are refused from that moment on; an answer that takes too
/// long is cut, so that stopping always ends.
pub async fn serve(
    listeners: Vec<TcpListener>,
    site: Arc<Site>,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    serve_on(Terms::default(), listeners, site, shutdown).await
}

/// The same on other terms.
pub async fn serve_on(
    terms: Terms,
    listeners: Vec<TcpListener>,
    site: Arc<Site>,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    let limit = Limit::new(terms.most);
    let access = Arc::clone(&terms.access);
    let answer = move |request: Request<Incoming>| {
        let (site, limit, access) = (Arc::clone(&site), limit.clone(), Arc::clone(&access));
        async move { auth::answer(&access, request, |request| within(site, limit, request)).await }
    };
    serve_with(listeners, answer, terms.access, shutdown).await
}

/// Answers who was let in, if there is a place.
async fn within(site: Arc<Site>, limit: Limit, request: Request<Incoming>) -> Reply {
    if site.is_probe(request.uri().path()) {
        return site.respond(request, SystemTime::now()).await;
    }
    match limit.place() {
        Ok(place) => {
            let reply = site.respond(request, SystemTime::now()).await;
            reply.map(|body| body.seated(place))
        }
        Err(full) => *full,
    }
}

/// What answers a request. Cloned for each connection.
trait Answer: Clone + Send + Sync + 'static {
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Reply> + Send;
}

impl<F, R> Answer for F
where
    F: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Reply> + Send,
{
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Reply> + Send {
        self(request)
    }
}

async fn serve_with(
    listeners: Vec<TcpListener>,
    answer: impl Answer,
    access: Arc<AccessControl>,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    let reception = Arc::new(Reception::new(answer, access));
    let mut doors = JoinSet::new();
    for listener in listeners {
        doors.spawn(Arc::clone(&reception).receive(listener));
    }
    shutdown.await;
    doors.shutdown().await;
    reception.drain().await
}

/// All connections of one server.
struct Reception<A> {
    answer: A,
    access: Arc<AccessControl>,
    places: Arc<Semaphore>,
    guests: Arc<Guests>,
    connections: TaskTracker,
    /// Finish the answer under way and close.
    closing: CancellationToken,
    /// Close.
    cut: CancellationToken,
}

impl<A: Answer> Reception<A> {
    fn new(answer: A, access: Arc<AccessControl>) -> Self {
        Self {
            answer,
            access,
            places: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            guests: Arc::default(),
            connections: TaskTracker::new(),
            closing: CancellationToken::new(),
            cut: CancellationToken::new(),
        }
    }

    async fn receive(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => match self.place().await {
                    Some(place) => self.admit(stream, place),
                    None => return,
                },
                Err(error) => pause(&error).await,
            }
        }
    }

    /// A place for one more connection, if need be that of an idle one.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        let places = Arc::clone(&self.places);
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            return Some(place);
        }
        self.guests.make_room();
        places.acquire_owned().await.ok()
    }

    fn admit(self: &Arc<Self>, stream: TcpStream, place: OwnedSemaphorePermit) {
        let reception = Arc::clone(self);
        self.connections.spawn(async move {
            reception.converse(stream).await;
            drop(place);
        });
    }

    /// One connection, secured first where the rules say so.
    async fn converse(&self, stream: TcpStream) {
        // An answer is written in few large calls; holding back the last part
        // of it for an acknowledgement only adds 40 ms to a scrape.
        let _ = stream.set_nodelay(true);
        let pulse = Pulse::new();
        let seat = self.guests.seat(Arc::clone(&pulse));
        let paced = Paced::new(stream, Arc::clone(&pulse));
        match self.access.connection_policy() {
            ConnectionPolicy::Plain => self.talk(paced, pulse, seat, Certified(false)).await,
            ConnectionPolicy::Tls {
                config,
                verifies_clients,
            } => {
                let secured = tokio::select! {
                    secured = TlsAcceptor::from(config).accept(paced) => secured,
                    () = seat.needed() => return,
                    () = self.closing.cancelled() => return,
                };
                match secured {
                    Ok(secured) => {
                        self.talk(secured, pulse, seat, Certified(verifies_clients))
                            .await
                    }
                    Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
                }
            }
            ConnectionPolicy::Reject => {}
        }
    }

    /// One connection from its first to its last request.
    async fn talk<S>(&self, stream: S, pulse: Arc<Pulse>, seat: Seat, certified: Certified)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let watched = Arc::clone(&pulse);
        let answering = service_fn(move |mut request: Request<Incoming>| {
            let busy = pulse.begin(request.version());
            request.extensions_mut().insert(certified);
            let answer = self.answer.clone();
            async move {
                let reply = answer.answer(request).await;
                Ok::<_, Infallible>(reply.map(|body: Body| body.tracked(busy)))
            }
        });
        let protocol = self.protocol();
        let connection = protocol.serve_connection(TokioIo::new(stream), answering);
        let mut connection = pin!(connection);
        tokio::select! {
            outcome = connection.as_mut() => return ended(outcome),
            () = seat.needed() => return,
            () = watched.stuck() => return gave_up(),
            () = self.closing.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        tokio::select! {
            outcome = connection => ended(outcome),
            () = self.cut.cancelled() => {}
        }
    }

    /// HTTP/1.1, or HTTP/2 for those who begin with it, where the rules say
    /// nothing else.
    ///
    /// hyper's own time-outs are off: [`Paced`] has them.
    fn protocol(&self) -> auto::Builder<TokioExecutor> {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .max_buf_size(MAX_HEADER_BYTES)
            .header_read_timeout(None);
        builder
            .http2()
            .max_header_list_size(MAX_HEADER_BYTES as u32)
            .max_concurrent_streams(MAX_STREAMS);
        match self.access.config().is_some_and(|config| config.http1_only) {
            true => builder.http1_only(),
            false => builder,
        }
    }

    async fn drain(&self) -> Drained {
        self.closing.cancel();
        self.connections.close();
        let all = tokio::time::timeout(DRAIN_TIMEOUT, self.connections.wait()).await;
        if all.is_ok() {
            return Drained::Completely;
        }
        let left = self.connections.len();
        self.cut.cancel();
        self.connections.wait().await;
        Drained::Cut(left)
    }
}

/// Whoever does not take an answer gets no more of them.
fn gave_up() {
    tracing::debug!("connection ended: an answer was not taken in time");
}

/// A client that sends rubbish or goes away is its own affair.
fn ended<E: std::fmt::Display>(outcome: Result<(), E>) {
    if let Err(error) = outcome {
        tracing::debug!(%error, "connection ended early");
    }
}

/// The client gave up before we took it: no harm. Anything else is ours.
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
    use bytes::Bytes;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::{Notify, oneshot};

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    /// A server whose answer waits to be released, and says when it was asked.
    struct Slow {
        stream: TcpStream,
        asked: Arc<Notify>,
        release: Arc<Notify>,
        stop: oneshot::Sender<()>,
        ended: tokio::task::JoinHandle<Drained>,
    }

    async fn slow() -> Slow {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (said, released) = (Arc::clone(&asked), Arc::clone(&release));
        let answer = move |_: Request<Incoming>| {
            let (said, released) = (Arc::clone(&said), Arc::clone(&released));
            async move {
                said.notify_one();
                released.notified().await;
                Reply::new(Body::from(Bytes::from_static(b"at last")))
            }
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(serve_with(vec![listener], answer, Arc::default(), async {
            let _ = stopped.await;
        }));
        let stream = TcpStream::connect(address).await.unwrap();
        Slow {
            stream,
            asked,
            release,
            stop,
            ended,
        }
    }

    #[tokio::test]
    async fn an_answer_under_way_is_finished_before_the_end() {
        let mut server = slow().await;
        server.stream.write_all(REQUEST).await.unwrap();
        server.asked.notified().await;
        server.stop.send(()).unwrap();
        let early = tokio::time::timeout(Duration::from_millis(50), &mut server.ended).await;
        assert!(early.is_err(), "it ended before the answer");
        server.release.notify_one();
        let mut answer = String::new();
        server.stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("at last"), "{answer}");
        assert_eq!(server.ended.await.unwrap(), Drained::Completely);
    }

    #[tokio::test]
    async fn an_answer_that_never_comes_is_cut_in_the_end() {
        let mut server = slow().await;
        server.stream.write_all(REQUEST).await.unwrap();
        server.asked.notified().await;
        // From here on time runs as fast as everybody waits.
        tokio::time::pause();
        server.stop.send(()).unwrap();
        assert_eq!(server.ended.await.unwrap(), Drained::Cut(1));
    }

    #[tokio::test]
    async fn a_head_begun_before_the_end_does_not_hold_it_up() {
        let mut server = slow().await;
        server.stream.write_all(b"GET / HT").await.unwrap();
        tokio::time::pause();
        server.stop.send(()).unwrap();
        server.ended.await.unwrap();
    }
}
