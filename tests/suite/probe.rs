//! One tenant as a target, all tenants as targets, and a part of a scrape.

use crate::served::{Answer, Running, options, start, tenant};
use crate::small;
use secure_score_exporter::http::Options;
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
async fn two() -> Running {
    let server = start(options()).await;
    let snapshots = [small::snapshot(), TenantSnapshot::default()];
    let rendered = small::tenants().into_iter().zip(snapshots);
    for (alias, ((data, vitals), snapshot)) in ["contoso", "fabrikam"].into_iter().zip(rendered) {
        server.store.publish(TenantState {
            data,
            vitals,
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

fn unpacked(answer: &Answer) -> String {
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert_eq!(answer.length(), answer.body.len());
    let mut text = String::new();
    let mut decoder = flate2::read::GzDecoder::new(&answer.body[..]);
    decoder.read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn a_probe_shows_one_tenant_and_nothing_of_the_process() {
    let server = two().await;
    let whole = samples(server.get("/metrics").await.text());
    let mut together = BTreeSet::new();
    for alias in ["contoso", "fabrikam"] {
        let answer = server.get(&format!("/probe?tenant={alias}")).await;
        assert_eq!(answer.status, 200);
        let named = format!("tenant=\"{alias}\"");
        let of_others = answer
            .text()
            .lines()
            .filter(|line| !line.starts_with('#') && !line.contains(&named));
        assert_eq!(of_others.collect::<Vec<_>>(), Vec::<&str>::new());
        together.extend(samples(answer.text()));
    }
    assert!(together.len() > 50, "{} samples", together.len());
    assert_eq!(together, whole);
}

#[tokio::test]
async fn a_probe_comes_in_every_form_a_scrape_does() {
    let server = two().await;
    for (accept, begins, ends) in [
        ("", "text/plain; version=0.0.4", "\n"),
        (
            OPENMETRICS,
            "application/openmetrics-text; version=1.0.0",
            "# EOF\n",
        ),
    ] {
        let path = "/probe?tenant=contoso";
        let plain = server.ask("GET", path, accept).await;
        let content_type = plain.header("content-type").unwrap();
        assert!(content_type.starts_with(begins), "{content_type}");
        assert_eq!(plain.header("vary"), Some("Accept, Accept-Encoding"));
        assert_eq!(plain.header("content-encoding"), None);
        assert_eq!(plain.length(), plain.body.len());
        assert!(plain.text().ends_with(ends));
        let asked = format!("{accept}{GZIP}");
        for _ in 0..2 {
            let packed = server.ask("GET", path, &asked).await;
            assert_eq!(packed.header("content-type"), Some(content_type));
            assert!(packed.body.len() < plain.body.len() / 3, "not compressed");
            assert_eq!(unpacked(&packed), plain.text());
        }
        let head = server.ask("HEAD", path, accept).await;
        assert_eq!((head.length(), head.body.len()), (plain.body.len(), 0));
    }
}

/// Alerts look for the page at the job and instance of the tenant.
#[tokio::test]
async fn a_probe_tells_where_the_page_is() {
    let server = two().await;
    let told = "secure_score_exporter_external_url_info{url=\"https://score.example/\"} 1\n";
    let path = "/probe?tenant=contoso";
    assert!(!server.get(path).await.text().contains("external_url"));
    let url = "https://score.example/";
    server.telemetry.external_url(url).unwrap();
    assert!(server.get(path).await.text().ends_with(told));
    let packed = server.ask("GET", path, GZIP).await;
    assert!(unpacked(&packed).ends_with(told));
    let open = server.ask("GET", path, OPENMETRICS).await;
    assert!(open.text().ends_with(&format!("{told}# EOF\n")));
}

#[tokio::test]
async fn what_was_compressed_is_not_shown_once_it_is_old() {
    let server = two().await;
    let ask = || server.ask("GET", "/probe?tenant=contoso", GZIP);
    let before = unpacked(&ask().await);
    let [_, (data, vitals)] = small::tenants();
    server.store.publish(TenantState {
        data,
        vitals,
        ..tenant("contoso")
    });
    let after = unpacked(&ask().await);
    assert_ne!(before, after);
    assert_eq!(after, server.get("/probe?tenant=contoso").await.text());
    server.store.remove("contoso");
    assert_eq!(ask().await.status, 404);
}

#[tokio::test]
async fn only_configured_tenants_can_be_probed() {
    let server = two().await;
    for (query, status, said) in [
        (
            "?tenant=contosso",
            404,
            "no tenant here is called \"contosso\"; did you mean \"contoso\"?",
        ),
        (
            "?tenant=%3Cscript%3E%0A",
            404,
            "called \"<script>\\n\"; /sd/tenants lists",
        ),
        ("?tenant=CONTOSO", 404, "did you mean \"contoso\"?"),
        ("", 400, "no tenant is named"),
        ("?tenant=", 400, "no tenant is named"),
        ("?tenant=contoso&tenant=fabrikam", 400, "given twice"),
        ("?target=contoso", 400, "unknown parameter \"target\""),
        ("?tenant=%zz", 400, "a % that begins no escape"),
    ] {
        let answer = server.get(&format!("/probe{query}")).await;
        assert_eq!(answer.status, status, "{query}");
        let content_type = answer.header("content-type").unwrap();
        assert_eq!(content_type, "text/plain; charset=utf-8");
        assert!(answer.text().contains(said), "{query}: {}", answer.text());
    }
    assert_eq!(server.ask("POST", "/probe", "").await.status, 405);
}

fn targets(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let content_type = answer.header("content-type").unwrap();
    assert_eq!(content_type, "application/json; charset=utf-8");
    serde_json::from_slice(&answer.body).unwrap()
}

#[tokio::test]
async fn each_tenant_is_a_target_under_the_address_asked_by() {
    let server = two().await;
    let team = [("team".to_owned(), "emea".to_owned())].into();
    server
        .site
        .set_targets([("contoso".to_owned(), team)].into());
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

    server.site.set_targets([].into());
    server.store.remove("fabrikam");
    let found = targets(&server.get("/sd/tenants").await);
    assert_eq!(found, json!([target("contoso", json!({}))]));
    server.store.remove("contoso");
    assert_eq!(targets(&server.get("/sd/tenants").await), json!([]));
}

#[tokio::test]
async fn behind_a_proxy_the_targets_are_the_proxys_for_who_came_through_it() {
    let server = start(Options {
        route_prefix: "/inner".to_owned(),
        external_url: Some("https://mon.example/score".to_owned()),
        ..options()
    })
    .await;
    server.store.publish(tenant("contoso"));
    let asked = |host: &'static str| {
        let request = format!("GET /inner/sd/tenants HTTP/1.0\r\n{host}\r\n");
        let server = &server;
        async move { crate::served::parsed(server.raw(request.as_bytes()).await) }
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
        let answer = asked(host).await;
        assert_eq!(answer.status, 400, "{host:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_filter_leaves_out_the_other_tenants() {
    let server = two().await;
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
        let plain = server.ask("GET", one, accept).await;
        let packed = server.ask("GET", one, &format!("{accept}{GZIP}")).await;
        assert_eq!(packed.header("content-type"), plain.header("content-type"));
        assert_eq!(samples(&unpacked(&packed)), samples(plain.text()));
    }
}

/// Whether a line may be left out by its category: what is of a tenant as a
/// whole may not.
fn is_of_a_category(line: &str) -> bool {
    let name = line.split('{').next().unwrap();
    let family = FAMILIES.iter().find(|family| family.name == name).unwrap();
    let labels = family.labels;
    labels.contains(&"control") || labels.contains(&"category")
}

#[tokio::test]
async fn a_category_leaves_out_controls_and_sums_of_the_others_only() {
    let server = two().await;
    let whole = samples(server.get("/metrics").await.text());
    let one = samples(server.get("/metrics?category[]=identity").await.text());
    let lasting = |lines: &BTreeSet<String>| {
        let of_tenants = lines.iter().filter(|line| !is_of_a_category(line));
        of_tenants.cloned().collect::<Vec<_>>()
    };
    assert_eq!(lasting(&one), lasting(&whole));
    for line in one.iter().filter(|line| is_of_a_category(line)) {
        let named = line.contains("category=\"Identity\"");
        assert!(named || line.contains("control=\"AdminMFAV2\""), "{line}");
        assert!(whole.contains(line), "{line}");
    }
    for kept in [
        "secure_score_control_acceptance_info{tenant=\"contoso\",control=\"AdminMFAV2\"",
        "secure_score_category_score{tenant=\"contoso\",category=\"Identity\"}",
        "secure_score_comparison_category_score{tenant=\"contoso\",basis=\"AllTenants\",category=\"Identity\"}",
    ] {
        assert!(one.iter().any(|line| line.starts_with(kept)), "{kept}");
    }
    let apps = samples(server.get("/metrics?category[]=Apps").await.text());
    let acceptances = apps.iter().find(|line| line.contains("acceptance_info"));
    assert_eq!(acceptances, None);

    let all = "Identity,Data,Device,Apps,Infrastructure,Unknown".replace(',', "&category[]=");
    let all = server.get(&format!("/metrics?category[]={all}")).await;
    assert_eq!(samples(all.text()), whole);
}

#[tokio::test]
async fn a_filter_that_is_not_understood_shows_nothing() {
    let server = two().await;
    for (query, said) in [
        (
            "tenant[]=contoso&tenant[]=x&tenant[]=fabrikan",
            "called \"fabrikan\", \"x\"",
        ),
        ("category[]=Identities", "category \"Identities\" is none"),
        ("category[]=", "is none"),
        (
            "tenant=contoso",
            "unknown parameter \"tenant\"; the parameters are tenant[], category[]",
        ),
        ("x=%ff", "not UTF-8"),
    ] {
        let answer = server.get(&format!("/metrics?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.text().contains(said), "{query}: {}", answer.text());
    }
}
