//! Whether the exporter on this machine answers, for containers without a
//! shell or curl.

use super::Failure;
use super::print::line;
use crate::cli::{Healthcheck, ListenAddress, WebFlags};
use anyhow::{Context as _, anyhow};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// What is read of the answer: its first line is enough.
const ENOUGH: usize = 64;

/// Asks whether the exporter answers, and says so.
pub(super) async fn run(asked: &Healthcheck) -> Result<(), Failure> {
    let time = Duration::from_secs(asked.timeout);
    let answered = tokio::time::timeout(time, ask(&asked.web)).await;
    let status = answered
        .map_err(|_| anyhow!("no answer within {} s", asked.timeout))
        .and_then(|status| status)
        .map_err(|error| Failure::Other {
            error,
            hint: Some("give healthcheck the --web.* flags the exporter was started with, and see the exporter's log".to_owned()),
        })?;
    line(format_args!("healthy: {status}"))
}

/// The first line of the answer, of the first address that is listened on.
async fn ask(web: &WebFlags) -> anyhow::Result<String> {
    let wanted = web.listen_addresses();
    let address = wanted.first().context("there is no address to ask")?;
    let stream = connected(*address).await?;
    let path = format!("{}/-/healthy", web.route_prefix());
    let is_secured = match &web.config_file {
        Some(file) => exporter_web_config::load(file)?.rules.tls.is_some(),
        None => false,
    };
    let status = match is_secured {
        false => first_line(stream, &path).await?,
        true => {
            let name = ServerName::try_from("localhost")?;
            let secured = TlsConnector::from(Arc::new(trusting()?)).connect(name, stream);
            match first_line(secured.await?, &path).await {
                // Who turns away a client without certificate is there.
                Err(error) if is_refusal(&error) => "a client certificate is asked for".to_owned(),
                answer => answer?,
            }
        }
    };
    match is_good(&status) {
        true => Ok(status),
        false => Err(anyhow!("the answer is {status}")),
    }
}

/// The exporter answers, or asks who we are: it is there either way.
fn is_good(line: &str) -> bool {
    let code = line.split(' ').nth(1);
    !line.starts_with("HTTP/") || matches!(code, Some("200" | "401" | "429"))
}

fn is_refusal(error: &anyhow::Error) -> bool {
    let text = format!("{error:#}");
    text.contains("CertificateRequired") || text.contains("HandshakeFailure")
}

/// On all addresses means on this machine's own, too.
async fn connected(address: ListenAddress) -> anyhow::Result<TcpStream> {
    let mut last = None;
    for candidate in address.candidates() {
        let candidate = match candidate.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => here(Ipv4Addr::LOCALHOST, candidate),
            IpAddr::V6(ip) if ip.is_unspecified() => here(Ipv6Addr::LOCALHOST, candidate),
            _ => candidate,
        };
        match TcpStream::connect(candidate).await {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                last = Some(anyhow!(error).context(format!("nobody listens on {candidate}")))
            }
        }
    }
    Err(last.unwrap_or_else(|| anyhow!("there is no address to ask")))
}

fn here(ip: impl Into<IpAddr>, port_of: SocketAddr) -> SocketAddr {
    SocketAddr::new(ip.into(), port_of.port())
}

async fn first_line<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    path: &str,
) -> anyhow::Result<String> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    while answer.len() < ENOUGH && !answer.contains(&b'\r') {
        if stream.read_buf(&mut answer).await? == 0 {
            break;
        }
    }
    let line = String::from_utf8_lossy(&answer);
    match line.split('\r').next() {
        Some(line) if line.starts_with("HTTP/") => Ok(line.to_owned()),
        _ => Err(anyhow!(
            "what answers there does not speak HTTP, or closed the connection"
        )),
    }
}

/// Trusts whoever is there. Nothing secret is said, and the answer decides
/// nothing but whether a process of this machine is started anew.
fn trusting() -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    Ok(builder
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth())
}

#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
