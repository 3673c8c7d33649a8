//! What the Go exporters' own tests serve, served by this exporter: which client
//! gets in with which file. The files that they refuse are cases of
//! `crates/exporter-web-config/tests`.

use super::{PASSWORD, Secured, Server};
use crate::process::program;
use std::fs;
use std::process::{Command, Stdio};

const VERIFY_IF_GIVEN: &str = "  client_auth_type: VerifyClientCertIfGiven\n";
const REQUIRE: &str = "  client_auth_type: RequireAndVerifyClientCert\n";

/// The cipher suite that a client of TLS 1.2 with these suites gets, or
/// `(NONE)`.
fn suite(server: &Server<'_>, suites: &str) -> String {
    let output = Command::new(program("openssl", "openssl"))
        .args(["s_client", "-connect", &server.address, "-tls1_2"])
        .args(["-cipher", suites])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, suite) = text.split_once("Cipher is ").expect("a cipher");
    suite.lines().next().unwrap().to_owned()
}

#[test]
fn without_a_file_only_plain_http_is_served() {
    let secured = Secured::new();
    let server = secured.serve("");
    assert_eq!(server.curl("http", "/metrics", &[]), "200");
    assert_eq!(server.https(&[]), "000");
}

#[test]
fn with_a_certificate_only_tls_is_served() {
    let secured = Secured::new();
    let indented = |name: &str| {
        let pem = fs::read_to_string(secured.path(name)).unwrap();
        pem.replace('\n', "\n    ")
    };
    let inline = format!(
        "tls_server_config:\n  cert: |\n    {}\n  key: |\n    {}\n{VERIFY_IF_GIVEN}",
        indented("server.pem"),
        indented("server-key.pem")
    );
    for file in [secured.tls(VERIFY_IF_GIVEN), inline] {
        let server = secured.serve(&file);
        assert_eq!(server.curl("http", "/metrics", &[]), "000");
        assert_eq!(server.https(&[]), "200");
        assert_eq!(server.https(&["--tls-max", "1.1"]), "000");
    }
}

#[test]
fn client_and_server_agree_on_a_cipher_suite() {
    const AES_128: &str = "ECDHE-ECDSA-AES128-GCM-SHA256";
    const AES_256: &str = "ECDHE-ECDSA-AES256-GCM-SHA384";
    const CBC: &str = "ECDHE-ECDSA-AES256-SHA";
    let secured = Secured::new();
    let both = "[TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]";
    let reversed =
        "[TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]";
    let tls12 = "  min_version: TLS12\n  max_version: TLS12\n";
    let listed = |suites: &str, more: &str| {
        secured.tls(&format!(
            "{VERIFY_IF_GIVEN}  cipher_suites: {suites}\n{tls12}{more}"
        ))
    };
    let server = secured.serve(&listed(both, ""));
    assert_eq!(suite(&server, AES_128), AES_128);
    assert_eq!(suite(&server, CBC), "(NONE)");
    assert_eq!(suite(&server, &format!("{AES_256}:{AES_128}")), AES_128);
    let clients_order = "  prefer_server_cipher_suites: false\n";
    let server = secured.serve(&listed(reversed, clients_order));
    assert_eq!(suite(&server, &format!("{AES_128}:{AES_256}")), AES_128);
    // Every suite of Go, of which some are not supported here.
    let all = "[TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, TLS_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]";
    let server = secured.serve(&secured.tls(&format!("{VERIFY_IF_GIVEN}  cipher_suites: {all}\n")));
    assert_eq!(server.https(&[]), "200");
    // Without a suite that HTTP/2 requires.
    let one = "[TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]";
    let http1 = "http_server_config: {http2: false}\n";
    let server = secured.serve(&listed(one, http1));
    assert_eq!(server.https(&[]), "200");
}

#[test]
fn client_and_server_agree_on_a_curve() {
    let secured = Secured::new();
    let curves = |list: &str| {
        secured.tls(&format!(
            "{VERIFY_IF_GIVEN}  min_version: TLS13\n  curve_preferences: {list}\n"
        ))
    };
    let all = secured.serve(&curves("[CurveP256, CurveP384, CurveP521, X25519]"));
    assert_eq!(all.https(&[]), "200");
    let one = secured.serve(&curves("[CurveP521, CurveP384]"));
    assert_eq!(one.https(&["--curves", "P-384"]), "200");
    assert_eq!(one.https(&["--curves", "P-256"]), "000");
}

#[test]
fn a_listed_self_signed_certificate_gets_in() {
    let secured = Secured::new();
    secured.self_signed("own");
    secured.self_signed("unlisted");
    let listed = format!("{REQUIRE}  client_ca_file: own.pem\n");
    let named = |name: &str| format!("{listed}  client_allowed_sans: [one, {name}, two]\n");
    let any = "  client_auth_type: RequireAnyClientCert\n".to_owned();
    for (file, own, unlisted) in [
        (any, "200", "200"),
        (named("own.example"), "200", "000"),
        (named("other.example"), "000", "000"),
        (listed, "200", "000"),
    ] {
        let server = secured.serve(&secured.tls(&file));
        let answers = [server.as_client("own"), server.as_client("unlisted")];
        assert_eq!(answers, [own, unlisted], "{file}");
        assert_eq!(server.https(&[]), "000", "{file}");
    }
}

#[test]
fn a_rate_limit_without_an_interval_blocks_nothing() {
    let secured = Secured::new();
    let server = secured.serve("rate_limit: {interval: 0, burst: 0}\n");
    for _ in 0..11 {
        assert_eq!(server.curl("http", "/metrics", &[]), "200");
    }
    let server = secured.serve("rate_limit: {interval: 1s, burst: 0}\n");
    assert_eq!(server.curl("http", "/metrics", &[]), "429");
}

#[test]
fn each_user_gets_in_with_the_own_password() {
    let secured = Secured::new();
    let (hash, other) = (&secured.hash, bcrypt::hash("another", 6).unwrap());
    let users = format!("basic_auth_users:\n  alice: {hash}\n  bob: {other}\n");
    let alice = format!("alice:{PASSWORD}");
    for (file, scheme) in [(users.clone(), "http"), (secured.tls("") + &users, "https")] {
        let server = secured.serve(&file);
        let ca = secured.path("ca.pem");
        let as_user = |user: &str| {
            let arguments = ["--cacert", &ca, "--user", user];
            server.curl(scheme, "/metrics", &arguments)
        };
        assert_eq!(server.curl(scheme, "/metrics", &["--cacert", &ca]), "401");
        for (user, status) in [
            (alice.as_str(), "200"),
            ("bob:another", "200"),
            ("bob:bad", "401"),
            ("carol:carol", "401"),
        ] {
            assert_eq!(as_user(user), status, "{scheme} {user}");
        }
    }
}
