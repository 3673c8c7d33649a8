//! The parsers of external input.
//!
//! Each function passes arbitrary bytes to one of them, which must neither
//! panic nor accept invalid input. The tests use mutated samples, `fuzz` a
//! coverage-guided search.

use secure_score_exporter::config::{self, Environment};
use secure_score_exporter::credentials::{TokenFacts, read_entra_error};
use secure_score_exporter::graph;
use secure_score_exporter::http::{Site, SiteOptions};
use secure_score_exporter::store::state_directory::StateDirectory;
use secure_score_exporter::telemetry::Telemetry;
use secure_score_exposition::{Chunk, Format, Policy};
use secure_score_model::{Catalogue, CategoryPins, Report, TenantIdentity, TenantSnapshot};
use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::SystemTime;

/// The maximum length of an id, in bytes.
const MAX_ID: usize = 128;

/// Pages of `secureScoreControlProfiles`.
pub(crate) fn catalogue(body: &[u8]) {
    let Ok(read) = graph::read_catalogue(body) else {
        return;
    };
    let json = serde_json::from_slice::<serde::de::IgnoredAny>(body);
    assert!(json.is_ok(), "a catalogue was decoded from invalid JSON");
    let ids: HashSet<&str> = read.entries.iter().map(|entry| &*entry.id).collect();
    assert_eq!(ids.len(), read.entries.len(), "an id occurs twice");
    assert!(ids.iter().all(|id| !id.is_empty() && id.len() <= MAX_ID));
    check_exposition(Some(&read), None);
}

/// Responses of `secureScores`.
pub(crate) fn report(body: &[u8]) {
    let Ok(read) = graph::read_report(body) else {
        return;
    };
    let json = serde_json::from_slice::<serde::de::IgnoredAny>(body);
    assert!(json.is_ok(), "a report was decoded from invalid JSON");
    check_exposition(None, read.map(Arc::new));
}

/// Renders a tenant and checks each line.
fn check_exposition(catalogue: Option<&Catalogue>, report: Option<Arc<Report>>) {
    let mut pins = CategoryPins::default();
    if let Some(catalogue) = catalogue {
        pins.learn(catalogue);
    }
    let rules = config::TenantRules::default();
    let snapshot = TenantSnapshot::join(catalogue, report, &pins, &rules);
    let identity = TenantIdentity {
        alias: "contoso".into(),
        entra_tenant_id: None,
        display_name: "Contoso".into(),
        cloud: "global",
        target: None,
        credential_expires: None,
    };
    let policy = Policy {
        lookback: NonZeroUsize::MIN,
        accepted_by: Some(Arc::new(str::to_owned)),
        comment: true,
        ..Policy::default()
    };
    let data = secure_score_exposition::render_data(&identity, &snapshot, &policy);
    let none = Chunk::default();
    let parts = secure_score_exposition::assemble(
        &secure_score_exposition::FamilyHeaders::default(),
        Format::Text,
        std::iter::once((&data, &none)),
    );
    let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
    let text = String::from_utf8(bytes).expect("an exposition is UTF-8");
    let mut series = HashSet::new();
    for line in text
        .split_terminator('\n')
        .filter(|line| !line.starts_with("# "))
    {
        assert!(line.starts_with("secure_score_"), "{line:?}");
        let (name, value) = line.rsplit_once(' ').expect("a sample has a value");
        let value: f64 = value.parse().expect("a value is a number");
        assert!(value.is_finite(), "{line:?}");
        assert!(series.insert(name), "{name} occurs twice");
    }
}

/// Tokens, and errors of Entra.
pub(crate) fn token(bytes: &[u8]) {
    let facts = TokenFacts::parse(&String::from_utf8_lossy(bytes));
    assert!(facts.unneeded(false).iter().all(|it| is_printable(it)));
    let status = 400 + u16::from(bytes.first().copied().unwrap_or(0));
    let message = read_entra_error(status, bytes).to_string();
    assert!(is_printable(&message), "{message:?}");
}

fn is_printable(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// Configurations. Those that name files are skipped: their errors depend on
/// the files.
pub(crate) fn configuration(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    if text.contains("_file") {
        return;
    }
    let folder = tempfile::tempdir().expect("there is room for a file");
    let path = folder.path().join("secure-score.yml");
    std::fs::write(&path, bytes).expect("a file can be written");
    match config::load(&path, &Environment::default()) {
        Ok(loaded) => assert!(!loaded.config.tenants.is_empty()),
        Err(errors) => assert!(!errors.to_string().is_empty()),
    }
}

/// Certificates with their private key, PEM or PKCS#12, with the password
/// `sample`.
pub(crate) fn keystore(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.path().join(name), bytes).expect("a file can be written");
    };
    write("application", bytes);
    write("password", b"sample");
    write("secure-score.yml", KEYSTORE.as_bytes());
    match config::load(
        &folder.path().join("secure-score.yml"),
        &Environment::default(),
    ) {
        Ok(loaded) => {
            let expiries = loaded
                .config
                .tenants
                .iter()
                .map(|it| it.credential.expires());
            assert!(expiries.into_iter().all(|expiry| expiry.is_some()));
        }
        Err(errors) => assert!(errors.to_string().contains("certificate_file")),
    }
}

const KEYSTORE: &str = "tenants: [{name: a, tenant_id: a.com, credential: {type: client_certificate, \
    client_id: 0a1b2c3d-1111-2222-3333-444444444444, certificate_file: application, password_file: password}}]";

/// Web configurations. Those that name files are skipped: they must not read
/// this machine's files.
pub(crate) fn web_configuration(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    if text.contains("_file") {
        return;
    }
    let folder = tempfile::tempdir().expect("there is room for a file");
    let path = folder.path().join("web.yml");
    std::fs::write(&path, bytes).expect("a file can be written");
    match exporter_web_config::load(&path) {
        Ok((config, _)) => {
            let mut headers = config.headers.iter();
            assert!(headers.all(|(_, value)| value.to_str().is_ok()));
        }
        Err(errors) => assert!(!errors.to_string().is_empty()),
    }
}

/// `Accept` and, after a line feed, `Accept-Encoding`.
pub(crate) fn accept(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let mut request = hyper::Request::get("/metrics").header("host", "localhost");
    for (name, value) in ["accept", "accept-encoding"].into_iter().zip(&mut lines) {
        match hyper::header::HeaderValue::from_bytes(value) {
            Ok(value) => request = request.header(name, value),
            Err(_) => return,
        }
    }
    let request = request.body(http_body_util::Empty::<bytes::Bytes>::new());
    let request = request.expect("the request is whole");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be built");
    let reply = runtime.block_on(site().respond(request, SystemTime::now()));
    assert_eq!(reply.status(), 200);
    let kind = reply.headers().get("content-type").expect("it is named");
    let kind = kind.to_str().expect("it is text");
    let known = [
        "text/plain; version=",
        "application/openmetrics-text; version=",
    ];
    assert!(known.iter().any(|it| kind.starts_with(it)), "{kind}");
}

fn site() -> Site {
    let telemetry = Telemetry::new().expect("the telemetry can be set up");
    Site::new(Arc::default(), Arc::new(telemetry), SiteOptions::default())
}

/// State files, as they are and with a header that matches their content.
pub(crate) fn state(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let directory = StateDirectory::open(folder.path()).expect("the directory is ours");
    let sum = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let sum: String = sum
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let head = format!("secure-score-exporter state 1 {sum}\n");
    let headed = [head.as_bytes(), bytes].concat();
    let file = folder.path().join("contoso.state");
    for contents in [bytes, &headed] {
        std::fs::write(&file, contents).expect("a file can be written");
        if let Some(saved) = directory.load("contoso") {
            directory.save(&saved).expect("a loaded state can be saved");
            assert_eq!(directory.load("contoso"), Some(saved));
        } else {
            assert!(!file.exists(), "an invalid file was not removed");
        }
    }
}
