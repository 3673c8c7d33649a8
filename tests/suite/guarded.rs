//! The exporter behind a web configuration, asked by the clients people use.

mod customers;
mod guesses;
mod replaced;
mod toolkit;

use crate::process::{Process, free_port, program};
use crate::simulated::Simulated;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    SanType,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use strict_yaml::testing::saved_on_windows;

const PATIENCE: Duration = Duration::from_secs(60);
const PASSWORD: &str = "correct horse battery staple";
const REQUIRE_CERTIFICATE: &str =
    "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n";

/// A folder with an authority, what it signed, and what another one signed.
struct Secured {
    folder: tempfile::TempDir,
    hash: String,
    other_hash: String,
}

impl Secured {
    fn new() -> Self {
        let secured = Self {
            folder: tempfile::tempdir().unwrap(),
            hash: bcrypt::hash(PASSWORD, 5).unwrap(),
            other_hash: bcrypt::hash("another", 5).unwrap(),
        };
        for authority in ["ca", "strangers"] {
            let issuer = secured.authority(authority);
            let names = match authority {
                "ca" => ["server", "client", "other-client"],
                _ => ["server2", "stranger", "nobody"],
            };
            for name in names {
                secured.sign(name, &issuer);
            }
        }
        secured
    }

    fn authority(&self, name: &str) -> Issuer<'static, KeyPair> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).unwrap();
        self.write(&format!("{name}.pem"), &certificate.pem());
        Issuer::new(params, key)
    }

    fn sign(&self, name: &str, issuer: &Issuer<'_, KeyPair>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![format!("{name}.example")]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let loopback = SanType::IpAddress("127.0.0.1".parse().unwrap());
        params.subject_alt_names.push(loopback);
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let certificate = params.signed_by(&key, issuer).unwrap();
        self.write(&format!("{name}.pem"), &certificate.pem());
        self.write(&format!("{name}-key.pem"), &key.serialize_pem());
    }

    /// A client's certificate that is its own authority.
    fn self_signed(&self, name: &str) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![format!("{name}.example")]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.self_signed(&key).unwrap();
        self.write(&format!("{name}.pem"), &certificate.pem());
        self.write(&format!("{name}-key.pem"), &key.serialize_pem());
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, content: &str) -> String {
        self.write_bytes(name, content.as_bytes())
    }

    fn write_bytes(&self, name: &str, content: &[u8]) -> String {
        let path = PathBuf::from(self.path(name));
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    }

    fn tls(&self, more: &str) -> String {
        format!("tls_server_config:\n  cert_file: server.pem\n  key_file: server-key.pem\n{more}")
    }

    /// The demo behind this web configuration.
    fn serve(&self, web_config: &str) -> Server<'_> {
        self.start(&["demo", "--quiet"], web_config)
    }

    /// The health check of an exporter with the web configuration `web.yml`.
    fn healthcheck(&self, address: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"));
        command
            .args(["healthcheck", "--web.config.file", &self.path("web.yml")])
            .arg(format!("--web.listen-address={address}"));
        command
    }

    /// The certificates of a file.
    fn certificates(&self, name: &str) -> Vec<CertificateDer<'static>> {
        exporter_web_config::certificates(&fs::read(self.path(name)).unwrap()).unwrap()
    }

    /// The exporter behind a web configuration, on a system that trusts the
    /// authority.
    fn start(&self, arguments: &[&str], web_config: &str) -> Server<'_> {
        self.start_with(arguments, web_config.as_bytes())
    }

    /// The same with the bytes of a file.
    fn start_with(&self, arguments: &[&str], web_config: &[u8]) -> Server<'_> {
        let file = self.write_bytes("web.yml", web_config);
        let process = Process::start(
            Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"))
                .args(arguments)
                .args(["--web.config.file", &file])
                .arg("--web.listen-address=127.0.0.1:0")
                .env("SSL_CERT_FILE", self.path("ca.pem")),
        );
        let address = process.word_after("address=");
        Server {
            secured: self,
            process,
            address,
        }
    }
}

struct Server<'a> {
    secured: &'a Secured,
    process: Process,
    address: String,
}

impl Server<'_> {
    /// What curl says: the status of the answer, or 000 where the connection
    /// came to nothing.
    fn curl(&self, scheme: &str, path: &str, arguments: &[&str]) -> String {
        let output = Command::new(program("curl", "curl"))
            .args([
                "--silent",
                "--show-error",
                "--max-time",
                "20",
                "--noproxy",
                "*",
            ])
            .args(["--output", &self.secured.path("body")])
            .args(["--dump-header", &self.secured.path("head")])
            .args(["--write-out", "%{http_code}"])
            .args(arguments)
            .arg(format!("{scheme}://{}{path}", self.address))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn https(&self, arguments: &[&str]) -> String {
        let ca = self.secured.path("ca.pem");
        let trusting = [&["--cacert", &ca], arguments].concat();
        self.curl("https", "/metrics", &trusting)
    }

    /// With the certificate and key of this name.
    fn as_client(&self, name: &str) -> String {
        let (cert, key) = (format!("{name}.pem"), format!("{name}-key.pem"));
        let (cert, key) = (self.secured.path(&cert), self.secured.path(&key));
        self.https(&["--cert", &cert, "--key", &key])
    }

    fn head(&self) -> String {
        fs::read_to_string(self.secured.path("head")).unwrap()
    }

    fn body(&self) -> String {
        fs::read_to_string(self.secured.path("body")).unwrap()
    }

    /// Asks until the answer is this one.
    fn until(&self, wanted: &str, ask: impl Fn(&Self) -> String) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = ask(self);
            if answer == wanted {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{answer} for ever, not {wanted}\n{}",
                self.process.output()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn over_tls_a_scrape_is_the_same_and_plain_http_gets_nothing() {
    let secured = Secured::new();
    let server = secured.serve(&secured.tls(""));
    assert_eq!(server.https(&["--http1.1"]), "200");
    assert!(server.body().contains("secure_score_exporter_build_info"));
    assert_eq!(server.https(&["--http2"]), "200");
    assert!(server.head().starts_with("HTTP/2 200"), "{}", server.head());
    assert_eq!(server.curl("http", "/metrics", &[]), "000");
    let ca = secured.path("ca.pem");
    assert_eq!(
        server.curl("https", "/sd/tenants", &["--cacert", &ca]),
        "200"
    );
    assert!(
        server.body().contains(r#""__scheme__":"https""#),
        "{}",
        server.body()
    );
    assert_eq!(server.https(&["--tls-max", "1.2"]), "200");
    assert_eq!(server.https(&["--tls-max", "1.1"]), "000");
    assert_eq!(
        server.curl("https", "/metrics", &[]),
        "000",
        "curl does not trust our authority"
    );
}

#[test]
fn http2_can_be_switched_off_and_tls_below_13_too() {
    let secured = Secured::new();
    let config = secured.tls("  min_version: TLS13\nhttp_server_config: {http2: false}\n");
    let server = secured.serve(&config);
    assert_eq!(server.https(&["--http2"]), "200");
    assert!(
        server.head().starts_with("HTTP/1.1 200"),
        "{}",
        server.head()
    );
    assert_eq!(server.https(&["--tls-max", "1.2"]), "000");
    let plain = secured.serve("http_server_config: {http2: false}\n");
    assert_eq!(plain.curl("http", "/metrics", &[]), "200");
    assert_eq!(
        plain.curl("http", "/metrics", &["--http2-prior-knowledge"]),
        "000"
    );
    let plain = secured.serve("http_server_config: {http2: true}\n");
    assert_eq!(
        plain.curl("http", "/metrics", &["--http2-prior-knowledge"]),
        "000",
        "HTTP/2 needs TLS"
    );
}

#[test]
fn each_kind_of_client_certificate_lets_in_whom_it_says() {
    // kind, none at all, of our authority, of another one
    let ca = "  client_ca_file: ca.pem\n";
    for (kind, with_ca, answers) in [
        ("NoClientCert", "", ["200", "200", "200"]),
        ("RequestClientCert", "", ["200", "200", "200"]),
        ("RequireAnyClientCert", "", ["000", "200", "200"]),
        ("RequireClientCert", "", ["000", "200", "200"]),
        ("VerifyClientCertIfGiven", ca, ["200", "200", "000"]),
        ("RequireAndVerifyClientCert", ca, ["000", "200", "000"]),
        // The authorities of the system.
        ("VerifyClientCertIfGiven", "", ["200", "200", "000"]),
        ("RequireAndVerifyClientCert", "", ["000", "200", "000"]),
    ] {
        let secured = Secured::new();
        let server = secured.serve(&secured.tls(&format!("  client_auth_type: {kind}\n{with_ca}")));
        let seen = [
            server.https(&[]),
            server.as_client("client"),
            server.as_client("stranger"),
        ];
        assert_eq!(seen, answers, "{kind}");
    }
}

#[test]
fn a_web_configuration_and_its_authorities_may_be_saved_on_windows() {
    let secured = Secured::new();
    secured.self_signed("own");
    let pem = |name: &str| fs::read_to_string(secured.path(name)).unwrap();
    let bundle = saved_on_windows(&(pem("ca.pem") + &pem("strangers.pem")));
    let config = secured
        .tls("  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: clients.pem\n");
    for (config, bundle) in saved_on_windows(&config).iter().zip(bundle) {
        secured.write_bytes("clients.pem", &bundle);
        let server = secured.start_with(&["demo", "--quiet"], config);
        let clients = ["client", "stranger", "own"];
        let seen = clients.map(|client| server.as_client(client));
        assert_eq!(seen, ["200", "200", "000"]);
    }
}

#[test]
fn of_the_authoritys_clients_only_those_named_get_in() {
    let secured = Secured::new();
    let names = "  client_allowed_sans: [client.example]\n";
    let server = secured.serve(&secured.tls(&format!("{REQUIRE_CERTIFICATE}{names}")));
    assert_eq!(server.as_client("client"), "200");
    assert_eq!(server.as_client("other-client"), "000");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_shows_persons_only_if_client_ca_file_verifies_it() {
    let simulated = Simulated::start();
    let acceptance = json!({"by": "alex@contoso.example", "comment": "ask Alex"});
    simulated.accept("contoso", "AdminMFAV2", acceptance).await;
    simulated.configure("");
    let ca = "  client_ca_file: ca.pem\n";
    for (kind, with_ca, shown) in [
        ("RequireAndVerifyClientCert", ca, true),
        ("VerifyClientCertIfGiven", ca, true),
        // The authorities of the system.
        ("RequireAndVerifyClientCert", "", false),
        ("VerifyClientCertIfGiven", "", false),
        ("RequireAnyClientCert", "", false),
        ("RequestClientCert", ca, false),
    ] {
        let secured = Secured::new();
        let web_config = secured.tls(&format!("  client_auth_type: {kind}\n{with_ca}"));
        let config = simulated.config();
        let server = secured.start(&["--config.file", &config], &web_config);
        let page = |certificate: &[&str]| {
            let ca = secured.path("ca.pem");
            let arguments = [&["--cacert", &ca], certificate].concat();
            match server.curl("https", "/acceptances?control=AdminMFAV2", &arguments) {
                status if status == "200" => server.body(),
                _ => String::new(),
            }
        };
        let (cert, key) = (secured.path("client.pem"), secured.path("client-key.pem"));
        let client = ["--cert", &cert, "--key", &key];
        server.until("true", |_| {
            page(&client)
                .contains("Require a second factor")
                .to_string()
        });
        assert_eq!(page(&client).contains("alex@"), shown, "{kind} {with_ca}");
        assert!(!page(&[]).contains("alex@"), "{kind} {with_ca}");
    }
}

#[test]
fn a_refused_handshake_is_counted_and_logged_with_its_remedy() {
    let secured = Secured::new();
    let server = secured.serve(
        &secured.tls("  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n"),
    );
    for _ in 0..3 {
        assert_eq!(server.as_client("stranger"), "000");
    }
    assert_eq!(server.curl("https", "/metrics", &[]), "000", "not trusted");
    assert_eq!(server.curl("http", "/metrics", &[]), "000");
    for (reason, refused) in [("client_certificate", 3), ("by_client", 1), ("protocol", 1)] {
        let series = format!(
            "secure_score_exporter_tls_handshakes_refused_total{{reason=\"{reason}\"}} {refused}\n"
        );
        server.until("true", |server| {
            assert_eq!(server.https(&[]), "200");
            server.body().contains(&series).to_string()
        });
    }
    let log = server.process.output();
    let lines = |part: &str| log.lines().filter(|line| line.contains(part)).count();
    assert_eq!(lines("TLS handshake refused"), 3, "{log}");
    let cause = "refused: the certificate is from an authority that is not accepted here";
    assert_eq!(lines(cause), 1, "once a minute:\n{log}");
    assert_eq!(lines("an authority in client_ca_file"), 1, "{log}");
    assert_eq!(lines("client=127.0.0.1"), 3, "{log}");
}

#[test]
fn a_client_with_the_certificate_of_an_authority_is_refused_in_plain_words() {
    let secured = Secured::new();
    secured.self_signed("own");
    let server = secured.serve(&secured.tls(REQUIRE_CERTIFICATE));
    assert_eq!(server.as_client("own"), "000");
    server.process.word_after(
        "refused: the certificate is that of an authority (CA:TRUE), which a client cannot use",
    );
    let log = server.process.output();
    assert!(!log.contains("CaUsedAsEndEntity"), "{log}");
}

/// With TLS 1.3 the client sends its request before it receives the alert.
#[test]
fn a_client_that_still_sends_receives_the_tls_alert() {
    let secured = Secured::new();
    let server = secured.serve(&secured.tls(REQUIRE_CERTIFICATE));
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(secured.certificates("ca.pem"));
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "127.0.0.1".try_into().unwrap();
    let mut session = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = TcpStream::connect(&server.address).unwrap();
    while session.is_handshaking() {
        session.complete_io(&mut stream).unwrap();
    }
    let alert = stream.peek(&mut [0]).unwrap();
    assert_eq!(alert, 1, "the alert is not there");
    for _ in 0..10 {
        session.writer().write_all(b"GET / HTTP/1.1\r\n").unwrap();
        session.write_tls(&mut stream).unwrap();
        std::thread::sleep(Duration::from_millis(10));
    }
    session.read_tls(&mut stream).unwrap();
    let refusal = session.process_new_packets().unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "received fatal alert: CertificateRequired"
    );
}

#[test]
fn users_are_asked_for_their_password_everywhere() {
    let secured = Secured::new();
    let hash = &secured.hash;
    let config = format!(
        "basic_auth_users:\n  prometheus: {hash}\nhttp_server_config:\n  headers:\n    X-Frame-Options: sameorigin\n    Strict-Transport-Security: max-age=60\n"
    );
    let server = secured.serve(&config);
    let good = format!("prometheus:{PASSWORD}");
    for path in ["/metrics", "/", "/api/v1/tenants", "/-/healthy", "/nowhere"] {
        assert_eq!(server.curl("http", path, &[]), "401", "{path}");
        let head = server.head().to_ascii_lowercase();
        assert!(head.contains("www-authenticate: basic realm="), "{head}");
        assert!(
            head.contains("strict-transport-security: max-age=60"),
            "{head}"
        );
        let inside = server.curl("http", path, &["--user", &good]);
        let expected = if path == "/nowhere" { "404" } else { "200" };
        assert_eq!(inside, expected, "{path}");
    }
    assert!(
        server
            .head()
            .to_ascii_lowercase()
            .contains("x-frame-options: sameorigin")
    );
    let long = format!("prometheus:{}", "x".repeat(4000));
    for wrong in ["prometheus:wrong", "nobody:wrong", ":", "prometheus", &long] {
        assert_eq!(
            server.curl("http", "/metrics", &["--user", wrong]),
            "401",
            "{wrong}"
        );
    }
    for header in [
        "Authorization: Basic",
        "Authorization: Basic !!!",
        "Authorization: Bearer x",
        "Authorization: Basic cHJvbWV0aGV1cw==",
    ] {
        assert_eq!(
            server.curl("http", "/metrics", &["-H", header]),
            "401",
            "{header}"
        );
    }
    let output = server.process.output();
    assert!(
        !output.contains(PASSWORD) && !output.contains(hash.as_str()),
        "{output}"
    );
}

#[test]
fn more_than_the_limit_is_turned_away() {
    let secured = Secured::new();
    let server = secured.serve("rate_limit: {interval: 1h, burst: 3}\n");
    let answers: Vec<String> = (0..5)
        .map(|_| server.curl("http", "/metrics", &[]))
        .collect();
    assert_eq!(answers, ["200", "200", "200", "429", "429"]);
}

#[test]
fn users_and_certificates_change_while_it_runs_and_a_broken_file_opens_nothing() {
    let secured = Secured::new();
    let (hash, other) = (&secured.hash, &secured.other_hash);
    let server = secured.serve(&secured.tls(&format!("basic_auth_users: {{a: {hash}}}\n")));
    let good = format!("a:{PASSWORD}");
    assert_eq!(server.https(&["--user", &good]), "200");

    // Another password.
    secured.write(
        "web.yml",
        &secured.tls(&format!("basic_auth_users: {{a: {other}}}\n")),
    );
    server.until("401", |s| s.https(&["--user", &good]));
    assert_eq!(server.https(&["--user", "a:another"]), "200");

    // Another certificate, of another authority, in the same files; for a
    // moment it does not fit the key, and the old pair is used.
    let read = |name: &str| fs::read_to_string(secured.path(name)).unwrap();
    secured.write("server.pem", &read("server2.pem"));
    let strangers = secured.path("strangers.pem");
    server.until("0", |s| metric(s, "a:another", "ca.pem"));
    secured.write("server-key.pem", &read("server2-key.pem"));
    server.until("200", |s| {
        s.curl(
            "https",
            "/metrics",
            &["--cacert", &strangers, "--user", "a:another"],
        )
    });
    assert_eq!(metric(&server, "a:another", "strangers.pem"), "1");

    // A file that became unreadable: the old rules hold, and no new client
    // gets in.
    secured.write("web.yml", "basic_auth_users: {a: ");
    server.until("0", |s| metric(s, "a:another", "strangers.pem"));
    let status = server.curl("https", "/metrics", &["--cacert", &strangers]);
    assert_eq!(status, "401");
    assert!(
        server
            .process
            .output()
            .contains("the web configuration cannot be used")
    );
}

/// Whether the exporter calls its web configuration valid.
fn metric(server: &Server<'_>, user: &str, ca: &str) -> String {
    let ca = server.secured.path(ca);
    server.curl("https", "/metrics", &["--cacert", &ca, "--user", user]);
    let body = server.body();
    let line = body
        .lines()
        .find_map(|l| l.strip_prefix("secure_score_exporter_web_config_valid "));
    line.unwrap_or_default().to_owned()
}

#[test]
fn prometheus_scrapes_with_password_and_certificate() {
    let secured = Secured::new();
    let hash = &secured.hash;
    let server = secured.serve(&secured.tls(&format!(
        "{REQUIRE_CERTIFICATE}basic_auth_users: {{prometheus: {hash}}}\n"
    )));
    secured.write("password", PASSWORD);
    let tls = "tls_config: {ca_file: ca.pem, cert_file: client.pem, key_file: client-key.pem}";
    let plain = "tls_config: {ca_file: ca.pem}";
    let auth = "basic_auth: {username: prometheus, password_file: password}";
    let job = |name: &str, lines: &[&str]| {
        let address = &server.address;
        let lines = lines.join("\n    ");
        format!(
            "  - job_name: {name}\n    scheme: https\n    static_configs: [{{targets: ['{address}']}}]\n    {lines}\n"
        )
    };
    let config = secured.write(
        "prometheus.yml",
        &format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n{}{}{}",
            job("both", &[tls, auth]),
            job("without-password", &[tls]),
            job("without-certificate", &[plain, auth]),
        ),
    );
    let port = free_port();
    let _prometheus = Process::start(
        Command::new(program("prometheus", "prometheus"))
            .arg(format!("--config.file={config}"))
            .arg(format!("--storage.tsdb.path={}", secured.path("data")))
            .arg(format!("--web.listen-address=127.0.0.1:{port}")),
    );
    let up = |job: &str| {
        let output = Command::new(program("curl", "curl"))
            .args(["--silent", "--noproxy", "*", "--get"])
            .args(["--data-urlencode", &format!("query=up{{job=\"{job}\"}}")])
            .arg(format!("http://127.0.0.1:{port}/api/v1/query"))
            .output()
            .unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let value = &answer["data"]["result"][0]["value"][1];
        value.as_str().unwrap_or_default().to_owned()
    };
    server.until("1", |_| up("both"));
    server.until("0", |_| up("without-password"));
    server.until("0", |_| up("without-certificate"));
}

#[test]
fn an_exporter_that_refuses_the_check_is_healthy() {
    let secured = Secured::new();
    let hash = &secured.hash;
    for config in [
        secured.tls(""),
        secured.tls(REQUIRE_CERTIFICATE),
        secured.tls(&format!("{REQUIRE_CERTIFICATE}  max_version: TLS12\n")),
        format!("basic_auth_users: {{a: {hash}}}\n"),
    ] {
        let server = secured.serve(&config);
        let output = secured.healthcheck(&server.address).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{config}\n{stderr}");
    }
}

/// reqwest may report a closed connection instead of the TLS alert.
#[test]
fn where_certificates_are_required_a_connection_that_ends_is_healthy() {
    let secured = Secured::new();
    let key = PrivateKeyDer::from_pem_file(secured.path("server-key.pem")).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(secured.certificates("server.pem"), key);
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for (more, healthy) in [(REQUIRE_CERTIFICATE, true), ("", false)] {
        secured.write("web.yml", &secured.tls(more));
        let check = secured
            .healthcheck(&listener.local_addr().unwrap().to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stream = listener.accept().unwrap().0;
        let mut session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        while session.is_handshaking() {
            session.complete_io(&mut stream).unwrap();
        }
        drop(stream);
        let output = check.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), healthy, "{more}\n{stderr}");
    }
}

#[test]
fn a_broken_web_configuration_is_found_out_before_anything_starts() {
    let secured = Secured::new();
    let file = secured.write("web.yml", "basic_auth_user: {}\n");
    let config = secured.write(
        "secure-score.yml",
        "tenants: [{name: a, tenant_id: a.example, credential: {type: azure_cli}}]\n",
    );
    for check in [&["--config.check"][..], &[]] {
        let output = Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"))
            .args(["--config.file", &config, "--web.config.file", &file])
            .args(["--web.listen-address=127.0.0.1:0"])
            .args(check)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{stderr}");
        assert!(
            stderr.contains("unknown key `basic_auth_user`; did you mean `basic_auth_users`?"),
            "{stderr}"
        );
    }
}
