//! A proxy in front of Graph, with network faults.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How many bytes of a response pass at a time.
const PIECE: usize = 16 * 1024;

/// What happens to connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// They work.
    Working,
    /// They are refused.
    Refused,
    /// They are reset after so many bytes of the response.
    ResetAfter(usize),
    /// They get no response.
    Silent,
    /// The response arrives byte by byte, with this delay between two.
    Drip(Duration),
    /// The response is not TLS.
    Garbage,
    /// They lead to another server.
    Diverted(SocketAddr),
    /// The first one leads to another server, the later ones work.
    Stuck(SocketAddr),
}

/// A proxy in front of Graph. A change cuts every connection.
pub(crate) struct Proxy {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    network: watch::Sender<Network>,
    settled: watch::Receiver<Network>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// A proxy for an address.
    pub(crate) fn towards(graph: SocketAddr) -> Self {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)));
        let address = listener.local_addr().unwrap();
        let (network, changes) = watch::channel(Network::Working);
        let (done, settled) = watch::channel(Network::Working);
        let mut tasks = JoinSet::new();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tasks.spawn(keep_open(listener, graph, changes, done, count));
        Self {
            address,
            connections,
            network,
            settled,
            _tasks: tasks,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The connections that were made so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Changes the network and waits until it applies.
    pub(crate) async fn set(&mut self, network: Network) {
        self.network.send(network).unwrap();
        self.settled
            .wait_for(|now| *now == network)
            .await
            .expect("the proxy listens");
    }
}

fn socket(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

fn listen(address: SocketAddr) -> TcpListener {
    socket(address).listen(64).unwrap()
}

async fn keep_open(
    first: TcpListener,
    graph: SocketAddr,
    mut changes: watch::Receiver<Network>,
    done: watch::Sender<Network>,
    count: Arc<AtomicUsize>,
) {
    let address = first.local_addr().unwrap();
    let mut listener = Some(first);
    loop {
        let network = *changes.borrow_and_update();
        let mut connections = JoinSet::new();
        let mut next = network;
        // A port that is bound without a listener refuses connections.
        let _closed;
        if network == Network::Refused {
            listener = None;
            _closed = socket(address);
        } else if listener.is_none() {
            listener = Some(listen(address));
        }
        done.send_replace(network);
        loop {
            tokio::select! {
                changed = changes.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
                accepted = accept(listener.as_ref()) => {
                    count.fetch_add(1, Ordering::Relaxed);
                    connections.spawn(connect(accepted, graph, next));
                    if let Network::Stuck(_) = next {
                        next = Network::Working;
                    }
                }
            }
        }
        connections.shutdown().await;
    }
}

async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    match listener {
        Some(listener) => listener.accept().await.expect("loopback accepts").0,
        None => std::future::pending().await,
    }
}

async fn connect(mut client: TcpStream, graph: SocketAddr, network: Network) {
    match network {
        Network::Silent | Network::Refused => std::future::pending().await,
        Network::Garbage => {
            let _gone = client
                .write_all(b"HTTP/1.1 400 This is no TLS\r\n\r\n")
                .await;
        }
        Network::Working | Network::ResetAfter(_) | Network::Drip(_) => {
            pass_on(client, graph, network).await;
        }
        Network::Diverted(elsewhere) | Network::Stuck(elsewhere) => {
            pass_on(client, elsewhere, network).await;
        }
    }
}

/// Passes bytes on in both directions. The fault applies to responses.
async fn pass_on(client: TcpStream, server: SocketAddr, network: Network) {
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    let (mut asked, mut answers) = client.into_split();
    let (mut answered, mut asks) = server.into_split();
    let forth = async {
        let _ended = tokio::io::copy(&mut asked, &mut asks).await;
    };
    let back = async {
        let mut piece = [0; PIECE];
        let mut passed = 0;
        while let Ok(length @ 1..) = answered.read(&mut piece).await {
            let bytes = &piece[..length];
            match network {
                Network::Drip(pause) => {
                    for byte in bytes {
                        tokio::time::sleep(pause).await;
                        if answers.write_all(&[*byte]).await.is_err() {
                            return;
                        }
                    }
                }
                Network::ResetAfter(most) if passed + length >= most => {
                    let _gone = answers.write_all(&bytes[..most - passed]).await;
                    let _reset = answers.as_ref().set_zero_linger();
                    return;
                }
                _ if answers.write_all(bytes).await.is_err() => return,
                _ => passed += length,
            }
        }
    };
    tokio::select! {
        () = forth => {}
        () = back => {}
    }
}

/// Another server than Graph: TLS with a certificate of its own.
pub(crate) struct WrongServer {
    pub(crate) address: SocketAddr,
    /// The authority that issued its certificate.
    pub(crate) ca_pem: String,
    /// How many clients completed the handshake and sent something.
    pub(crate) requests: Arc<Mutex<usize>>,
    _task: JoinSet<()>,
}

impl WrongServer {
    /// A server with a certificate for `name`, valid until a year.
    pub(crate) async fn start(name: &str, until: i32) -> Self {
        let (config, ca_pem) = identity(name, until);
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)));
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(0));
        let heard = Arc::clone(&requests);
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                let stream = accept(Some(&listener)).await;
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let mut first = [0; 1];
                if let Ok(1..) = stream.read(&mut first).await {
                    *heard.lock().unwrap() += 1;
                }
            }
        });
        Self {
            address,
            ca_pem,
            requests,
            _task: task,
        }
    }
}

/// A certificate for `name`, valid until a year, and its authority.
pub(crate) fn identity(name: &str, until: i32) -> (rustls::ServerConfig, String) {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    leaf.not_before = rcgen::date_time_ymd(2020, 1, 1);
    leaf.not_after = rcgen::date_time_ymd(until, 1, 1);
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let config = rustls::ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    (config, authority.pem())
}
