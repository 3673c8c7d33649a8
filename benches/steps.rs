//! What each step of a refresh and a scrape costs, for one tenant of real size.
//!
//! ```console
//! $ cargo bench --bench steps
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a measurement stops at the first surprise"
)]

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use flate2::Compression;
use flate2::write::GzEncoder;
use graph_simulator::{Options, Simulator};
use secure_score_exporter::config::TenantRules;
use secure_score_exporter::graph::{read_catalogue, read_report};
use secure_score_exposition::{Chunk, FamilyHeaders, Format, Policy, assemble, render_data};
use secure_score_model::{CategoryPins, TenantIdentity, TenantSnapshot};
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};

fn main() {
    divan::main();
}

/// What Graph sends of one tenant: its first page of controls, and its report.
struct Answers {
    catalogue: Vec<u8>,
    report: Vec<u8>,
}

static ANSWERS: LazyLock<Answers> = LazyLock::new(|| {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(answers())
});

async fn answers() -> Answers {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let tenant = simulator.tenants().into_iter().next().unwrap();
    let authority = reqwest::Certificate::from_pem(simulator.ca_pem().as_bytes()).unwrap();
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([authority])
        .build()
        .unwrap();
    let (url, id) = (simulator.url(), &tenant.entra_id);
    let form = format!(
        "grant_type=client_credentials&scope={url}/.default&client_id={}&client_secret={}",
        tenant.client_id, tenant.client_secret
    );
    let token = http
        .post(format!("{url}/{id}/oauth2/v2.0/token"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();
    let token: serde_json::Value = serde_json::from_slice(&token.bytes().await.unwrap()).unwrap();
    let bearer = token["access_token"].as_str().expect("a token").to_owned();
    let get = async |list: &str| {
        let request = http.get(format!("{url}/v1.0/security/{list}"));
        let answer = request.bearer_auth(&bearer).send().await.unwrap();
        assert!(answer.status().is_success());
        answer.bytes().await.unwrap().to_vec()
    };
    Answers {
        catalogue: get("secureScoreControlProfiles?$top=999").await,
        report: get("secureScores?$top=1").await,
    }
}

fn identity() -> TenantIdentity {
    TenantIdentity {
        alias: "contoso".into(),
        entra_tenant_id: None,
        display_name: "Contoso".into(),
        cloud: "global",
        target: None,
        credential_expires: None,
    }
}

fn snapshot() -> TenantSnapshot {
    let catalogue = read_catalogue(&ANSWERS.catalogue).unwrap();
    let report = read_report(&ANSWERS.report).unwrap().map(Arc::new);
    let mut pins = CategoryPins::default();
    pins.learn(&catalogue);
    TenantSnapshot::join(Some(&catalogue), report, &pins, &TenantRules::default())
}

fn chunk() -> Chunk {
    let policy = Policy {
        lookback: NonZeroUsize::MIN,
        accepted_by: None,
        comment: false,
        ..Policy::default()
    };
    render_data(&identity(), &snapshot(), &policy)
}

#[divan::bench]
fn parse_catalogue(bencher: Bencher<'_, '_>) {
    let body = &ANSWERS.catalogue;
    bencher
        .counter(BytesCount::of_slice(body))
        .bench(|| read_catalogue(black_box(body)).unwrap());
}

#[divan::bench]
fn parse_report(bencher: Bencher<'_, '_>) {
    let body = &ANSWERS.report;
    bencher
        .counter(BytesCount::of_slice(body))
        .bench(|| read_report(black_box(body)).unwrap());
}

#[divan::bench]
fn join_snapshot(bencher: Bencher<'_, '_>) {
    let catalogue = read_catalogue(&ANSWERS.catalogue).unwrap();
    let report = read_report(&ANSWERS.report).unwrap().map(Arc::new);
    let mut pins = CategoryPins::default();
    pins.learn(&catalogue);
    let rules = TenantRules::default();
    bencher.bench(|| TenantSnapshot::join(Some(&catalogue), report.clone(), &pins, &rules));
}

#[divan::bench]
fn render(bencher: Bencher<'_, '_>) {
    let (identity, snapshot) = (identity(), snapshot());
    let policy = Policy {
        lookback: NonZeroUsize::MIN,
        accepted_by: None,
        comment: false,
        ..Policy::default()
    };
    bencher
        .counter(BytesCount::new(chunk().len()))
        .bench(|| render_data(black_box(&identity), black_box(&snapshot), &policy));
}

#[divan::bench]
fn compress(bencher: Bencher<'_, '_>) {
    let (data, health_lines) = (chunk(), Chunk::default());
    let body = assemble(
        &FamilyHeaders::default(),
        Format::Text,
        std::iter::once((&data, &health_lines)),
    )
    .concat();
    bencher.counter(BytesCount::of_slice(&body)).bench(|| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
        encoder.write_all(black_box(&body)).unwrap();
        encoder.finish().unwrap()
    });
}

/// A scrape of a hundred such tenants, without the network.
#[divan::bench]
fn assemble_a_hundred(bencher: Bencher<'_, '_>) {
    let (data, health_lines) = (chunk(), Chunk::default());
    let headers = FamilyHeaders::default();
    bencher
        .counter(BytesCount::new(100 * data.len()))
        .bench(|| {
            assemble(
                &headers,
                Format::Text,
                (0..100).map(|_| (&data, &health_lines)),
            )
        });
}
