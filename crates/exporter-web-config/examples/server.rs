//! A hyper server behind a web configuration file:
//!
//! ```console
//! $ cargo run --example server -- web.yml
//! ```
#![allow(clippy::print_stderr, reason = "an example without a logger")]

use exporter_web_config::{AccessControl, ConfigWatcher, ConnectionPolicy, Refusal, WatchEvent};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::convert::Infallible;
use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("usage: server FILE")?;
    let (watcher, warnings) = ConfigWatcher::load(file)?;
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    let access = watcher.access();
    tokio::spawn(watcher.run(report));
    let listener = TcpListener::bind("127.0.0.1:9100").await?;
    loop {
        let (stream, address) = listener.accept().await?;
        tokio::spawn(accept(stream, address.ip(), Arc::clone(&access)));
    }
}

fn report(event: WatchEvent) {
    match event {
        WatchEvent::Reloaded(_) => eprintln!("web configuration reloaded"),
        WatchEvent::Invalid(errors) => eprintln!("{errors}"),
        WatchEvent::Closed => eprintln!("every request is rejected from now on"),
    }
}

async fn accept(stream: TcpStream, client: IpAddr, access: Arc<AccessControl>) {
    match access.connection_policy() {
        ConnectionPolicy::Plain => serve(stream, client, access).await,
        ConnectionPolicy::Tls { config, .. } => {
            match TlsAcceptor::from(config).accept(stream).await {
                Ok(stream) => serve(stream, client, access).await,
                Err(error) => eprintln!("TLS handshake failed: {error}"),
            }
        }
        ConnectionPolicy::Reject => {}
    }
}

async fn serve<S>(stream: S, client: IpAddr, access: Arc<AccessControl>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let http1_only = access.config().is_some_and(|config| config.http1_only);
    let service = service_fn(move |request| {
        let access = Arc::clone(&access);
        let refuse = |refusal: Refusal| refusal.response("example exporter");
        async move { Ok::<_, Infallible>(access.guard(request, client, refuse, metrics).await) }
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    let builder = match http1_only {
        true => builder.http1_only(),
        false => builder,
    };
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        eprintln!("connection failed: {error}");
    }
}

async fn metrics(_: Request<Incoming>) -> Response<Full<Bytes>> {
    Response::new(Full::from("example_up 1\n"))
}
