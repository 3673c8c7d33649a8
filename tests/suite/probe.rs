//! Probes, discovery and filtered scrapes.

use crate::small;
use crate::test_server::{HttpResponse, TestServer, options, start, tenant};
use secure_score_exporter::http::SiteOptions;
use secure_score_exporter::store::TenantState;
use secure_score_exposition::FAMILIES;
use secure_score_model::TenantSnapshot;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

const OPENMETRICS: &str = "Accept: application/openmetrics-text;version=1.0.0\r\n";
const GZIP: &str = "Accept-Encoding: gzip\r\n";

/// Contoso with some controls, and Fabrikam, whose refreshes fail.
async fn start_two() -> TestServer {
    let server = start(options()).await;
    let snapshots = [small::snapshot(), TenantSnapshot::default()];
    let rendered = small::tenants().into_iter().zip(snapshots);
    for (alias, ((data, health_lines), snapshot)) in
        ["contoso", "fabrikam"].into_iter().zip(rendered)
    {
        server.store.publish(TenantState {
            data,
            health_lines,
            snapshot: Arc::new(snapshot),
            policy: Arc::new(small::open_policy()),
            ..tenant(alias)
        });
    }
    server
}

/// The samples of the tenants, sorted.
fn samples(text: &str) -> BTreeSet<String> {
    let own = |line: &&str| {
        let begins = |name| line.starts_with(name);
        begins("#") || begins("process_") || begins("secure_score_exporter_")
    };
    let lines = text.lines().filter(|line| !own(line));
    lines.map(str::to_owned).collect()
}

fn gunzipped(response: &HttpResponse) -> String {
    assert_eq!(response.header("content-encoding"), Some("gzip"));
    assert_eq!(response.length(), response.body.len());
    let mut text = String::new();
    let mut decoder = flate2::read::GzDecoder::new(&response.body[..]);
    decoder.read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn a_probe_shows_one_tenant_and_nothing_of_the_process() {
    let server = start_two().await;
    let whole = samples(server.get("/metrics").await.text());
    let mut together = BTreeSet::new();
    for alias in ["contoso", "fabrikam"] {
        let response = server.get(&format!("/probe?tenant={alias}")).await;
        assert_eq!(response.status, 200);
        let named = format!("tenant=\"{alias}\"");
        let of_others = response
            .text()
            .lines()
            .filter(|line| !line.starts_with('#') && !line.contains(&named));
        assert_eq!(of_others.collect::<Vec<_>>(), Vec::<&str>::new());
        together.extend(samples(response.text()));
    }
    assert!(together.len() > 50, "{} samples", together.len());
    assert_eq!(together, whole);
}

#[tokio::test]
async fn a_probe_has_every_representation_of_a_scrape() {
    let server = start_two().await;
    for (accept, begins, ends) in [
        ("", "text/plain; version=0.0.4", "\n"),
        (
            OPENMETRICS,
            "application/openmetrics-text; version=1.0.0",
            "# EOF\n",
        ),
    ] {
        let path = "/probe?tenant=contoso";
        let plain = server.request("GET", path, accept).await;
        let content_type = plain.header("content-type").unwrap();
        assert!(content_type.starts_with(begins), "{content_type}");
        assert_eq!(plain.header("vary"), Some("Accept, Accept-Encoding"));
        assert_eq!(plain.header("content-encoding"), None);
        assert_eq!(plain.length(), plain.body.len());
        assert!(plain.text().ends_with(ends));
        let asked = format!("{accept}{GZIP}");
        for _ in 0..2 {
            let packed = server.request("GET", path, &asked).await;
            assert_eq!(packed.header("content-type"), Some(content_type));
            assert!(packed.body.len() < plain.body.len() / 3, "not compressed");
            assert_eq!(gunzipped(&packed), plain.text());
        }
        let head = server.request("HEAD", path, accept).await;
        assert_eq!((head.length(), head.body.len()), (plain.body.len(), 0));
    }
}

/// Alerts join the URL on the job and instance of the tenant.
#[tokio::test]
async fn a_probe_has_the_external_url() {
    let server = start_two().await;
    let line = "secure_score_exporter_external_url_info{url=\"https://score.example/\"} 1\n";
    let path = "/probe?tenant=contoso";
    assert!(!server.get(path).await.text().contains("external_url"));
    let url = "https://score.example/";
    server.telemetry.external_url(url).unwrap();
    assert!(server.get(path).await.text().ends_with(line));
    let packed = server.request("GET", path, GZIP).await;
    assert!(gunzipped(&packed).ends_with(line));
    let open = server.request("GET", path, OPENMETRICS).await;
    assert!(open.text().ends_with(&format!("{line}# EOF\n")));
}

#[tokio::test]
async fn a_probe_is_compressed_anew_after_a_change() {
    let server = start_two().await;
    let ask = || server.request("GET", "/probe?tenant=contoso", GZIP);
    let before = gunzipped(&ask().await);
    let [_, (data, health_lines)] = small::tenants();
    server.store.publish(TenantState {
        data,
        health_lines,
        ..tenant("contoso")
    });
    let after = gunzipped(&ask().await);
    assert_ne!(before, after);
    assert_eq!(after, server.get("/probe?tenant=contoso").await.text());
    server.store.remove("contoso");
    assert_eq!(ask().await.status, 404);
}

#[tokio::test]
async fn only_configured_tenants_can_be_probed() {
    let server = start_two().await;
    for (query, status, message) in [
        (
            "?tenant=contosso",
            404,
            "unknown tenant \"contosso\"; did you mean \"contoso\"?",
        ),
        (
            "?tenant=%3Cscript%3E%0A",
            404,
            "unknown tenant \"<script>\\n\"; /sd/tenants lists",
        ),
        ("?tenant=CONTOSO", 404, "did you mean \"contoso\"?"),
        ("", 400, "no tenant is named"),
        ("?tenant=", 400, "no tenant is named"),
        ("?tenant=contoso&tenant=fabrikam", 400, "given twice"),
        ("?target=contoso", 400, "unknown parameter \"target\""),
        ("?tenant=%zz", 400, "a % without two hexadecimal digits"),
    ] {
        let response = server.get(&format!("/probe{query}")).await;
        assert_eq!(response.status, status, "{query}");
        let content_type = response.header("content-type").unwrap();
        assert_eq!(content_type, "text/plain; charset=utf-8");
        assert!(
            response.text().contains(message),
            "{query}: {}",
            response.text()
        );
    }
    assert_eq!(server.request("POST", "/probe", "").await.status, 405);
}

fn targets(response: &HttpResponse) -> Value {
    assert_eq!(response.status, 200, "{}", response.text());
    let content_type = response.header("content-type").unwrap();
    assert_eq!(content_type, "application/json; charset=utf-8");
    serde_json::from_slice(&response.body).unwrap()
}

#[tokio::test]
async fn each_tenant_is_a_target_at_the_requested_address() {
    let server = start_two().await;
    let team = [("team".to_owned(), "emea".to_owned())].into();
    server
        .site
        .set_target_labels([("contoso".to_owned(), team)].into());
    let target = |alias: &str, labels: Value| {
        let mut all = json!({
            "__param_tenant": alias,
            "__metrics_path__": "/probe",
            "instance": format!("localhost/{alias}"),
        });
        let all_labels = all.as_object_mut().unwrap();
        all_labels.extend(labels.as_object().unwrap().clone());
        json!({"targets": ["localhost"], "labels": all})
    };
    let found = targets(&server.get("/sd/tenants").await);
    let contoso = target("contoso", json!({"team": "emea"}));
    assert_eq!(found, json!([contoso, target("fabrikam", json!({}))]));

    server.site.set_target_labels([].into());
    server.store.remove("fabrikam");
    let found = targets(&server.get("/sd/tenants").await);
    assert_eq!(found, json!([target("contoso", json!({}))]));
    server.store.remove("contoso");
    assert_eq!(targets(&server.get("/sd/tenants").await), json!([]));
}

#[tokio::test]
async fn requests_through_a_proxy_get_targets_at_the_proxy() {
    let server = start(SiteOptions {
        route_prefix: "/inner".to_owned(),
        external_url: Some("https://mon.example/score".to_owned()),
        ..options()
    })
    .await;
    server.store.publish(tenant("contoso"));
    let asked = |host: &'static str| {
        let request = format!("GET /inner/sd/tenants HTTP/1.0\r\n{host}\r\n");
        let server = &server;
        async move { server.send(request.as_bytes()).await }
    };
    for (host, address, path, scheme) in [
        (
            "Host: 10.0.0.7:10365\r\n",
            "10.0.0.7:10365",
            "/inner/probe",
            Value::Null,
        ),
        (
            "Host: MON.example\r\n",
            "mon.example",
            "/score/probe",
            json!("https"),
        ),
        ("", "mon.example", "/score/probe", json!("https")),
    ] {
        let found = targets(&asked(host).await);
        assert_eq!(found[0]["targets"], json!([address]), "{host}");
        assert_eq!(found[0]["labels"]["__metrics_path__"], path);
        assert_eq!(found[0]["labels"]["__scheme__"], scheme);
    }
    for host in [
        "Host: a b\r\n",
        "Host: me@evil.example\r\n",
        "Host: \u{e4}\r\n",
    ] {
        let response = asked(host).await;
        assert_eq!(response.status, 400, "{host:?}: {}", response.text());
    }
}

#[tokio::test]
async fn a_tenant_filter_excludes_the_other_tenants() {
    let server = start_two().await;
    let (whole, one) = (server.get("/metrics").await, "/metrics?tenant[]=contoso");
    let probe = server.get("/probe?tenant=contoso").await;
    let some = server.get(one).await;
    assert_eq!(samples(some.text()), samples(probe.text()));
    assert!(some.text().contains("secure_score_exporter_tenants"));
    let both = server.get(&format!("{one}&tenant%5B%5D=fabrikam")).await;
    assert_eq!(samples(both.text()), samples(whole.text()));
    let none = server.get("/metrics?tenant[]=").await;
    assert_eq!(samples(none.text()), BTreeSet::new());
    assert!(none.text().contains("secure_score_exporter_tenants"));
    for accept in ["", OPENMETRICS] {
        let plain = server.request("GET", one, accept).await;
        let packed = server.request("GET", one, &format!("{accept}{GZIP}")).await;
        assert_eq!(packed.header("content-type"), plain.header("content-type"));
        assert_eq!(samples(&gunzipped(&packed)), samples(plain.text()));
    }
}

/// Whether a category filter may exclude a line: lines of a tenant as a whole, and
/// of recommendations, stay.
fn has_a_category(line: &str) -> bool {
    let name = line.split('{').next().unwrap();
    if name.starts_with("secure_score_recommendation_") {
        return false;
    }
    let family = FAMILIES.iter().find(|family| family.name == name).unwrap();
    let labels = family.labels;
    labels.contains(&"control") || labels.contains(&"category")
}

#[tokio::test]
async fn a_category_filter_excludes_controls_and_sums_of_the_others_only() {
    let server = start_two().await;
    let whole = samples(server.get("/metrics").await.text());
    let one = samples(server.get("/metrics?category[]=identity").await.text());
    let unfiltered = |lines: &BTreeSet<String>| {
        let of_tenants = lines.iter().filter(|line| !has_a_category(line));
        of_tenants.cloned().collect::<Vec<_>>()
    };
    assert_eq!(unfiltered(&one), unfiltered(&whole));
    for line in one.iter().filter(|line| has_a_category(line)) {
        let named = line.contains("category=\"Identity\"");
        assert!(named || line.contains("control=\"AdminMFAV2\""), "{line}");
        assert!(whole.contains(line), "{line}");
    }
    for prefix in [
        "secure_score_control_acceptance_info{tenant=\"contoso\",control=\"AdminMFAV2\"",
        "secure_score_category_score{tenant=\"contoso\",category=\"Identity\"}",
        "secure_score_comparison_category_score{tenant=\"contoso\",basis=\"AllTenants\",category=\"Identity\"}",
    ] {
        assert!(one.iter().any(|line| line.starts_with(prefix)), "{prefix}");
    }
    let apps = samples(server.get("/metrics?category[]=Apps").await.text());
    let acceptances = apps
        .iter()
        .find(|line| line.contains("control_acceptance_info"));
    assert_eq!(acceptances, None);

    let all = "Identity,Data,Device,Apps,Infrastructure,Unknown".replace(',', "&category[]=");
    let all = server.get(&format!("/metrics?category[]={all}")).await;
    assert_eq!(samples(all.text()), whole);
}

#[tokio::test]
async fn an_invalid_filter_is_rejected() {
    let server = start_two().await;
    for (query, message) in [
        (
            "tenant[]=contoso&tenant[]=x&tenant[]=fabrikan",
            "unknown tenant \"fabrikan\", \"x\"",
        ),
        ("category[]=Identities", "unknown category \"Identities\""),
        ("category[]=", "unknown category \"\""),
        (
            "tenant=contoso",
            "unknown parameter \"tenant\"; the parameters are tenant[], category[]",
        ),
        ("x=%ff", "not UTF-8"),
    ] {
        let response = server.get(&format!("/metrics?{query}")).await;
        assert_eq!(response.status, 400, "{query}");
        assert!(
            response.text().contains(message),
            "{query}: {}",
            response.text()
        );
    }
}
