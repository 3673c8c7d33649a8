//! What Prometheus reads, held against its own rules and tools.

use crate::golden;
use crate::process::program;
use crate::world::World;
use secure_score_exporter::telemetry::Telemetry;
use secure_score_exposition::{FAMILIES, Format, Kind, Presence};
use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

fn body(world: &World, format: Format) -> String {
    let tenants = world.store.current();
    let chunks = tenants
        .states
        .iter()
        .map(|state| (&state.data, &state.health_lines));
    let parts = secure_score_exposition::assemble(
        &secure_score_exposition::FamilyHeaders::default(),
        format,
        chunks,
    );
    String::from_utf8(parts.concat()).expect("the exposition is UTF-8")
}

fn samples(body: &str) -> Vec<&str> {
    body.lines().filter(|line| !line.starts_with('#')).collect()
}

/// A sample's family, as the table names it.
fn family(sample: &str) -> &str {
    sample.split(['{', ' ']).next().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_family_marked_always_is_there_for_every_tenant() {
    let world = World::watched().await;
    let body = body(&world, Format::Text);
    for family in FAMILIES.iter().filter(|f| f.presence == Presence::Always) {
        for tenant in world.simulator.tenants() {
            let start = format!("{}{{tenant=\"{}\"", family.name, tenant.name);
            assert!(
                body.lines().any(|line| line.starts_with(&start)),
                "{} has no series for {}",
                family.name,
                tenant.name
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promtool_has_nothing_to_say() {
    let world = World::watched().await;
    let mut text = body(&world, Format::Text).into_bytes();
    text.extend(Telemetry::new().unwrap().encode(Format::Text));
    let mut promtool = Command::new(program("promtool", "prometheus"))
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(&text).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success() && said.is_empty(),
        "{}",
        String::from_utf8_lossy(&said)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn both_formats_have_the_same_samples_and_no_series_twice() {
    let world = World::watched().await;
    // Between two renderings a refresh may end; the same generation is taken.
    let tenants = world.store.current();
    let chunks = tenants
        .states
        .iter()
        .map(|state| (&state.data, &state.health_lines));
    let render = |format| {
        String::from_utf8(
            secure_score_exposition::assemble(
                &secure_score_exposition::FamilyHeaders::default(),
                format,
                chunks.clone(),
            )
            .concat(),
        )
        .unwrap()
    };
    let (text, open) = (render(Format::Text), render(Format::OpenMetrics));
    assert_eq!(samples(&text), samples(&open));

    let mut series = HashSet::new();
    let mut finished = HashSet::new();
    let mut current = "";
    for sample in samples(&text) {
        let (name, value) = sample.rsplit_once(' ').unwrap();
        assert!(series.insert(name), "twice: {name}");
        assert!(value.parse::<f64>().unwrap().is_finite(), "{sample}");
        if family(sample) != current {
            assert!(
                finished.insert(family(sample)),
                "{} is interrupted",
                family(sample)
            );
            current = family(sample);
        }
    }
    assert!(series.len() > 2_000, "only {} series", series.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_series_has_the_labels_the_table_promises() {
    let world = World::watched().await;
    let promised: HashMap<&str, HashSet<&str>> = FAMILIES
        .iter()
        .map(|family| (family.name, family.labels.iter().copied().collect()))
        .collect();
    let body = body(&world, Format::Text);
    for sample in samples(&body) {
        let labels = &promised[family(sample)];
        let written = sample.split_once('{').unwrap().1;
        let names = written
            .split("=\"")
            .filter_map(|part| part.rsplit([',', '{']).next());
        for name in names.filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')) {
            assert!(
                name == "tenant" || name.is_empty() || labels.contains(name),
                "{name} in {sample}"
            );
        }
    }
}

#[test]
fn openmetrics_headers_drop_the_suffix_of_the_type() {
    for family in FAMILIES {
        let suffix = match family.kind {
            Kind::Gauge => "",
            Kind::Counter => "_total",
            Kind::Info => "_info",
        };
        assert!(family.name.ends_with(suffix), "{}", family.name);
        if family.kind == Kind::Gauge {
            assert!(!family.name.ends_with("_total") && !family.name.ends_with("_info"));
        }
        assert!(family.name.starts_with("secure_score_"));
        assert!(
            family.help.ends_with('.') && !family.help.contains(['\\', '"', '\n']),
            "{}",
            family.name
        );
        for label in family.labels {
            assert!(
                !["service", "type", "customer", "tenant_id", "tenant"].contains(label),
                "{label}"
            );
        }
    }
}

#[test]
fn the_reference_page_is_what_the_table_says() {
    let own = Telemetry::new().unwrap();
    own.external_url("https://example.org").unwrap();
    own.export_access_denied();
    let page = secure_score_exposition::reference(&own.describe());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/metrics.md");
    golden::compare(&file, &page);
}
