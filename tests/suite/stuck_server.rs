//! A server of HTTP/2 whose first connection answers pings and no request. Its
//! later connections answer every request with 204.

use crate::faults::proxy::identity;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, body::Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

pub(crate) struct StuckServer {
    pub(crate) address: SocketAddr,
    /// The authority that issued its certificate.
    pub(crate) ca_pem: String,
    unanswered: Arc<AtomicUsize>,
    _task: JoinSet<()>,
}

impl StuckServer {
    pub(crate) async fn start() -> Self {
        let (mut config, ca_pem) = identity("127.0.0.1", 2100);
        config.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let unanswered = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&unanswered);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let stuck = connections.is_empty().then(|| Arc::clone(&count));
                connections.spawn(serve(acceptor.clone(), stream, stuck));
            }
        });
        Self {
            address,
            ca_pem,
            unanswered,
            _task: task,
        }
    }

    /// The requests that arrived and got no answer.
    pub(crate) fn unanswered(&self) -> usize {
        self.unanswered.load(Ordering::Relaxed)
    }
}

async fn serve(acceptor: TlsAcceptor, stream: TcpStream, stuck: Option<Arc<AtomicUsize>>) {
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let answer = service_fn(move |_: Request<Incoming>| {
        let stuck = stuck.clone();
        async move {
            if let Some(unanswered) = stuck {
                unanswered.fetch_add(1, Ordering::Relaxed);
                std::future::pending::<()>().await;
            }
            let mut response = Response::new(Empty::<Bytes>::new());
            *response.status_mut() = StatusCode::NO_CONTENT;
            Ok::<_, Infallible>(response)
        }
    });
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let _closed = server.serve_connection(TokioIo::new(stream), answer).await;
}
