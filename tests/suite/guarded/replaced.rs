//! Open connections when the web configuration is replaced.

use super::{PATIENCE, Secured, Server};
use crate::simulated::Simulated;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

impl Server<'_> {
    /// A connection with the certificate and key of this name.
    async fn connect_as(&self, name: &str) -> TlsStream<TcpStream> {
        let certificate = |name: &str| {
            let file = self.secured.path(&format!("{name}.pem"));
            CertificateDer::from_pem_file(file).unwrap()
        };
        let key = self.secured.path(&format!("{name}-key.pem"));
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate("ca")).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate(name)], key)
            .unwrap();
        let stream = TcpStream::connect(&self.address).await.unwrap();
        let server = ServerName::try_from("server.example").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(server, stream).await.unwrap()
    }
}

/// The status of a small page, after which the connection stays open.
async fn status(stream: &mut TlsStream<TcpStream>) -> String {
    let request = b"GET /-/healthy HTTP/1.1\r\nHost: server.example\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut response = Vec::new();
    while !response.windows(4).any(|it| it == b"\r\n\r\n") {
        let read = stream.read_buf(&mut response).await.unwrap();
        assert_ne!(read, 0, "closed");
    }
    let response = String::from_utf8(response).unwrap();
    response.lines().next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verified_connection_ends_when_its_authority_is_replaced() {
    let simulated = Simulated::start();
    simulated.configure("access:\n  - {certificate: client.example, tenants: [contoso]}\n");
    let secured = Secured::new();
    let web_config = |ca: &str| {
        let auth = "  client_auth_type: VerifyClientCertIfGiven\n";
        secured.tls(&format!("{auth}  client_ca_file: {ca}.pem\n"))
    };
    let server = secured.start(&["--config.file", &simulated.config()], &web_config("ca"));
    let mut stream = server.connect_as("client").await;
    assert_eq!(status(&mut stream).await, "HTTP/1.1 200 OK");
    secured.write("web.yml", &web_config("strangers"));
    let mut rest = Vec::new();
    let end = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
    end.expect("the connection stays open").unwrap();
    assert_eq!(server.as_client("client"), "000", "not verified");
}
