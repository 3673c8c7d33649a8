//! `healthcheck`: asks the exporter on this machine for its health, for
//! containers without a shell or curl.

use super::Failure;
use super::stdout::line;
use crate::cli::{Healthcheck, ListenAddress, WebFlags};
use anyhow::{Context as _, anyhow};
use exporter_web_config::HandshakeSignatures;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Bytes read of the response; the status line is shorter.
const MAX_STATUS_LINE: usize = 64;

/// Requests the health, and prints the status line.
pub(super) async fn run(options: &Healthcheck) -> Result<(), Failure> {
    let time = Duration::from_secs(options.timeout);
    let result = tokio::time::timeout(time, ask(&options.web)).await;
    let status = result
        .map_err(|_| anyhow!("no answer within {} s", options.timeout))
        .and_then(|status| status)
        .map_err(|error| Failure::Other {
            error,
            hint: Some("give healthcheck the --web.* flags the exporter was started with, and see the exporter's log".to_owned()),
        })?;
    line(format_args!("healthy: {status}"))
}

/// The status line of the response at the first listen address.
async fn ask(web: &WebFlags) -> anyhow::Result<String> {
    let wanted = web.listen_addresses();
    let address = wanted.first().context("there is no listen address")?;
    let stream = connect(*address).await?;
    let path = format!("{}/-/healthy", web.route_prefix());
    let uses_tls = match &web.config_file {
        Some(file) => exporter_web_config::load(file)?.0.tls.is_some(),
        None => false,
    };
    let status = match uses_tls {
        false => first_line(stream, &path).await?,
        true => {
            let name = ServerName::try_from("localhost")?;
            let connecting =
                TlsConnector::from(Arc::new(accept_any_certificate()?)).connect(name, stream);
            match first_line(connecting.await?, &path).await {
                // An exporter that rejects a client without certificate is up.
                Err(error) if is_rejection(&error) => "a client certificate is required".to_owned(),
                answer => answer?,
            }
        }
    };
    match is_healthy(&status) {
        true => Ok(status),
        false => Err(anyhow!("the response is {status}")),
    }
}

/// Whether the exporter responds, even if it requires a password or limits
/// requests.
fn is_healthy(line: &str) -> bool {
    let code = line.split(' ').nth(1);
    !line.starts_with("HTTP/") || matches!(code, Some("200" | "401" | "429"))
}

fn is_rejection(error: &anyhow::Error) -> bool {
    let text = format!("{error:#}");
    text.contains("CertificateRequired") || text.contains("HandshakeFailure")
}

/// Connects to the address; to a loopback one where it is unspecified.
async fn connect(address: ListenAddress) -> anyhow::Result<TcpStream> {
    let mut last = None;
    for candidate in address.candidates() {
        let candidate = match candidate.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => loopback(Ipv4Addr::LOCALHOST, candidate),
            IpAddr::V6(ip) if ip.is_unspecified() => loopback(Ipv6Addr::LOCALHOST, candidate),
            _ => candidate,
        };
        match TcpStream::connect(candidate).await {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                last = Some(anyhow!(error).context(format!("cannot connect to {candidate}")))
            }
        }
    }
    Err(last.unwrap_or_else(|| anyhow!("there is no listen address")))
}

fn loopback(ip: impl Into<IpAddr>, port_of: SocketAddr) -> SocketAddr {
    SocketAddr::new(ip.into(), port_of.port())
}

async fn first_line<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    path: &str,
) -> anyhow::Result<String> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut response = Vec::new();
    while response.len() < MAX_STATUS_LINE && !response.contains(&b'\r') {
        if stream.read_buf(&mut response).await? == 0 {
            break;
        }
    }
    let line = String::from_utf8_lossy(&response);
    match line.split('\r').next() {
        Some(line) if line.starts_with("HTTP/") => Ok(line.to_owned()),
        _ => Err(anyhow!(
            "the server closed the connection or does not speak HTTP"
        )),
    }
}

/// Accepts any certificate. The request holds no secret, and the answer only
/// decides whether a container on this machine is restarted.
fn accept_any_certificate() -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = AcceptAnyServer(HandshakeSignatures::new(&provider));
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

#[derive(Debug)]
struct AcceptAnyServer(HandshakeSignatures);

impl ServerCertVerifier for AcceptAnyServer {
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
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.schemes()
    }
}
