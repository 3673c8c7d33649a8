//! `/api/v1` as programs and auditors use it.

mod client;
mod csv;
mod program;
mod schema;
mod small;

use crate::test_server::options_with;
use crate::{golden, test_server};
use client::{ApiServer, ApiSite, text};
use proptest::prelude::*;
use schema::Schema;
use secure_score_exporter::http::SiteOptions;
use secure_score_model::{
    Anomalies, Category, ControlState, Persons, RecommendationStatus, TenantSnapshot,
};
use serde_json::{Value, json};

use crate::entra_tenant::recommendation;
use small::{ALEX, HOSTILE, NOW};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

const ACCEPTANCES: &str = "/api/v1/acceptances";
const DECISIONS: &str = "/api/v1/decisions";
const TENANTS: &str = "/api/v1/tenants";

fn golden_file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    folder.join(name)
}

/// The output of Python for some input.
fn python(arguments: &[&str], input: &[u8]) -> String {
    let mut child = Command::new("python3")
        .args(arguments)
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is here; tests/run installs it");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "python3 {arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn the_documents_equal_the_golden_files() {
    let api = ApiSite::new();
    api.store.publish(small::tailspin());
    for (path, file) in [
        (ACCEPTANCES, "acceptances.json"),
        (DECISIONS, "decisions.json"),
        (TENANTS, "tenants.json"),
    ] {
        let document = api.text(path, "application/json").await;
        assert!(document.ends_with("]}\n"), "one line of JSON");
        let indented = python(
            &["-m", "json.tool", "--no-ensure-ascii"],
            document.as_bytes(),
        );
        golden::compare(&golden_file(file), &indented);
    }
    let csv_text = api.text(ACCEPTANCES, "text/csv").await;
    golden::compare(&golden_file("acceptances.csv"), &csv_text);
}

#[tokio::test]
async fn every_document_matches_the_schema() {
    let schema = Schema::read();
    let persons = [
        options_with(Persons::Plain, true),
        options_with(
            Persons::Pseudonyms(Arc::new(|_| "0123456789abcdef".to_owned())),
            true,
        ),
        options_with(Persons::Plain, false),
        options_with(Persons::Hidden, true),
    ];
    for persons in persons {
        let server = ApiServer::start(persons).await;
        server.server.store.publish(small::tailspin());
        let acceptances = server.get(ACCEPTANCES).await.json();
        assert_eq!(acceptances["acceptances"].as_array().unwrap().len(), 8);
        schema.check("acceptances", &acceptances);
        schema.check(
            "acceptances",
            &server.get("/api/v1/acceptances?control=x").await.json(),
        );
        let decisions = server.get(DECISIONS).await.json();
        assert_eq!(decisions["decisions"].as_array().unwrap().len(), 2);
        schema.check("decisions", &decisions);
        let of_one = server.get("/api/v1/decisions?tenant=fabrikam").await.json();
        assert_eq!(of_one["decisions"], json!([]));
        assert_eq!(of_one["catalogues_unknown"], json!(["fabrikam"]));
        let approver = &decisions["decisions"][1]["approver"];
        assert_eq!(
            approver.is_null(),
            decisions["persons"] == "hidden",
            "{decisions:#}"
        );
        let tenants = server.get(TENANTS).await.json();
        schema.check("tenants", &tenants);
        let refusal = server.get("/api/").await.json();
        schema.check("refusal", &refusal);
        for document in [acceptances, decisions, tenants, refusal] {
            assert!(schema.accepts(&document));
        }
    }
}

#[test]
fn every_field_is_described() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/api.md");
    let page = std::fs::read_to_string(page).unwrap();
    let fields = Schema::read().fields();
    assert!(fields.len() > 50, "{fields:?}");
    let described = |name: &str| {
        page.lines()
            .any(|it| it.starts_with(&format!("| `{name}` |")))
    };
    let missing: Vec<_> = fields.iter().filter(|name| !described(name)).collect();
    assert!(
        missing.is_empty(),
        "not in docs/reference/api.md: {missing:?}"
    );
}

#[test]
fn the_schema_has_every_state_of_both_places() {
    let schema = Schema::read();
    let controls = ControlState::ALL.map(ControlState::as_str);
    let statuses = RecommendationStatus::ALL.map(RecommendationStatus::as_str);
    let all: BTreeSet<_> = controls.into_iter().chain(statuses).collect();
    assert_eq!(schema.words("state"), all);
}

#[tokio::test]
async fn responses_have_type_vary_and_no_store_headers() {
    let server = ApiServer::plain().await;
    for path in [
        ACCEPTANCES,
        DECISIONS,
        TENANTS,
        "/api/v1/decisions?control=x",
        "/api/v1/nothing",
        "/api/v1/tenants?x=1",
    ] {
        let response = server.get(path).await;
        assert_eq!(
            response.header("content-type"),
            Some("application/json"),
            "{path}"
        );
        assert_eq!(response.header("vary"), Some("Accept"), "{path}");
        assert_eq!(response.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(
            response.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        let cross_origin = |name: &&str| name.starts_with("access-control-");
        let names = response.headers.keys().map(|name| name.as_str());
        assert_eq!(names.filter(cross_origin).count(), 0, "{path}");
    }
}

const ADMINS: &str = "contoso/AdminMFAV2";
const LEGACY: &str = "contoso/BlockLegacyAuthentication";
const APPS: &str = "contoso/IntegratedApps";
const LABELS: &str = "litware/mip_labels";

#[tokio::test]
async fn every_filter_selects_alone_and_combined() {
    let server = ApiServer::plain().await;
    let since_day = "since=2026-11-21";
    for (query, expected) in [
        ("", &[ADMINS, LEGACY, LABELS, APPS][..]),
        ("tenant=contoso", &[ADMINS, LEGACY, APPS]),
        ("control=adminmfav2", &[ADMINS]),
        ("category=identity", &[ADMINS, LEGACY]),
        // An acceptance without a date may be of any time.
        (since_day, &[LEGACY, LABELS]),
        (
            "since=2026-11-20T08:15:00.1234567Z",
            &[ADMINS, LEGACY, LABELS],
        ),
        ("since=2026-11-20T08:15:00.1234568Z", &[LEGACY, LABELS]),
        ("approved=true", &[ADMINS]),
        ("approved=false", &[LEGACY, LABELS, APPS]),
        ("in_force=true", &[ADMINS, LEGACY, LABELS]),
        ("in_force=false", &[APPS]),
        ("in_force=true&approved=false&category=Data", &[LABELS]),
        (
            "tenant=contoso&control=AdminMFAV2&category=Identity&since=2026-11-01&approved=true&in_force=true",
            &[ADMINS],
        ),
        ("tenant=contoso&category=Data", &[]),
        (
            "tenant=&control=&category=&since=&approved=&in_force=",
            &[ADMINS, LEGACY, LABELS, APPS],
        ),
    ] {
        assert_eq!(server.found(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn since_may_be_a_duration_before_now() {
    let api = ApiSite::new();
    for (back, expected) in [("49h", 2), ("47h", 1), ("4d", 3), ("14d", 4)] {
        let path = format!("{ACCEPTANCES}?since={back}");
        let document: Value = serde_json::from_str(&api.text(&path, "*/*").await).unwrap();
        assert_eq!(
            document["acceptances"].as_array().unwrap().len(),
            expected,
            "{back}"
        );
    }
}

#[tokio::test]
async fn a_tenant_without_a_catalogue_is_named() {
    let server = ApiServer::plain().await;
    let all = server.get(ACCEPTANCES).await.json();
    assert_eq!(all["catalogues_unknown"], json!(["fabrikam"]));
    let other = server
        .get("/api/v1/acceptances?tenant=contoso")
        .await
        .json();
    assert_eq!(other["catalogues_unknown"], json!([]));
    let tenants = server.get(TENANTS).await.json();
    let fabrikam = &tenants["tenants"][1];
    assert_eq!(fabrikam["accepted"], Value::Null);
    assert_eq!(fabrikam["lists"]["profiles"]["reason"], "permission");
    let hint = fabrikam["lists"]["profiles"]["hint"].as_str().unwrap();
    assert!(hint.contains("SecurityEvents.Read.All"));
}

#[tokio::test]
async fn a_misspelt_tenant_is_an_error_and_a_misspelt_control_a_hint() {
    let server = ApiServer::plain().await;
    let tenant = server.get("/api/v1/acceptances?tenant=contsoo").await;
    assert_eq!(tenant.status, 404);
    assert_eq!(tenant.json()["error"], r#"unknown tenant "contsoo""#);
    assert!(
        tenant.json()["hint"]
            .as_str()
            .unwrap()
            .contains(r#"did you mean "contoso"?"#)
    );

    let control = server.get("/api/v1/acceptances?control=AdminMFAV").await;
    assert_eq!(control.status, 200);
    let hint = control.json()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains(r#"did you mean "AdminMFAV2"?"#), "{hint}");
    for known in ["SCID_91", "IntegratedApps"] {
        let known = server
            .get(&format!("/api/v1/acceptances?control={known}"))
            .await;
        assert_eq!(
            known.json()["hint"],
            Value::Null,
            "the catalogue has it, accepted or not"
        );
    }
}

#[tokio::test]
async fn invalid_requests_are_rejected_with_a_remedy() {
    // Request, Accept, status, and part of the error and of the hint.
    const REQUESTS: &str = r#"
        GET v1/acceptances?tennant=contoso   | */*       | 400 | "tennant"          | tenant, control, category, since, approved, in_force, where
        GET v1/acceptances?category=Idenity  | */*       | 400 | category "Idenity" | Identity, Data
        GET v1/acceptances?where=portal      | */*       | 400 | place "portal"     | secure_score or entra
        GET v1/acceptances?approved=maybe    | */*       | 400 | approved "maybe"   | two
        GET v1/acceptances?since=yesterday   | */*       | 400 | since "yesterday"  | 7d
        GET v1/acceptances?tenant=a&tenant=b | */*       | 400 | twice              | once
        GET v1/acceptances?tenant=%zz        | */*       | 400 | %                  | %25
        GET v1/acceptances?tenant=%C3        | */*       | 400 | UTF-8              | escape
        GET v1/tenants?category=Data         | */*       | 400 | "category"         | the parameters are format
        GET v1/tenants?format=xml            | */*       | 400 | format "xml"       | json and csv
        GET v1/acceptances?format=csv&format=| */*       | 400 | twice              | once
        GET v1/nothing                       | */*       | 404 | /api/v1/nothing    | /api/v1/acceptances
        GET v2/tenants                       | */*       | 404 | /api/v2/tenants    | /api/v1/tenants
        POST v1/acceptances                  | */*       | 405 | POST               | GET or HEAD
        OPTIONS v1/tenants                   | */*       | 405 | OPTIONS            | GET or HEAD
        GET v1/acceptances                   | text/html | 406 | format             | application/json or text/csv
        GET v1/tenants                       | text/html | 406 | format             | accept application/json
        GET v1/acceptances                   | */*;q=0   | 406 | format             | application/json
    "#;
    let server = ApiServer::plain().await;
    for line in REQUESTS.trim().lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (method, path) = cells[0].split_once(' ').unwrap();
        let path = format!("/api/{path}");
        let headers = [("accept", cells[1])];
        let response = server.request(method, &path, &headers).await;
        assert_eq!(response.status.to_string(), cells[2], "{line}");
        let document = response.json();
        Schema::read().check("refusal", &document);
        let field = |name: &str| document[name].as_str().unwrap();
        assert!(field("error").contains(cells[3]), "{document}");
        assert!(field("hint").contains(cells[4]), "{document}");
        if response.status == 405 {
            assert_eq!(response.header("allow"), Some("GET, HEAD"));
        }
    }
}

#[tokio::test]
async fn a_head_response_has_the_length_of_the_body() {
    let server = ApiServer::plain().await;
    for path in [TENANTS, "/api/v1/nothing"] {
        let (get, head) = (
            server.get(path).await,
            server.request("HEAD", path, &[]).await,
        );
        assert_eq!(head.status, get.status);
        assert!(head.body.is_empty());
        assert_eq!(head.header("content-type"), get.header("content-type"));
        let length: usize = head.header("content-length").unwrap().parse().unwrap();
        // The time has a fraction of varying length.
        assert!(length.abs_diff(get.body.len()) < 12, "{length}");
    }
}

#[tokio::test]
async fn hostile_text_is_unchanged_data() {
    let server = ApiServer::plain().await;
    let response = server.get("/api/v1/acceptances?control=AdminMFAV2").await;
    assert_eq!(response.json()["acceptances"][0]["comment"], HOSTILE);
    let list = server
        .get("/api/v1/acceptances?control=IntegratedApps")
        .await
        .json();
    assert_eq!(
        list["acceptances"][0]["action_url"],
        Value::Null,
        "it is not a web address"
    );
}

#[tokio::test]
async fn a_prefix_applies_to_the_api() {
    let with_prefix = SiteOptions {
        route_prefix: "/score".to_owned(),
        ..test_server::options()
    };
    let server = ApiServer::start(with_prefix).await;
    assert_eq!(server.get("/score/api/v1/tenants").await.status, 200);
    assert_eq!(server.get("/api/v1/tenants").await.status, 404);
}

#[tokio::test]
async fn what_an_unknown_state_hides_is_null() {
    let update = |state, day: i64| small::change(state, Some(day * 86_400), ALEX, "");
    let withdrawn = vec![
        update(ControlState::RiskAccepted, -9),
        update(ControlState::ToAddress, -8),
        update(ControlState::Unknown, -7),
    ];
    let unknown = |id, updates| small::control(small::entry(id, Category::Identity, updates));
    let never = vec![update(ControlState::Unknown, -7)];
    let mut state = small::tenant("northwind", "Northwind");
    let controls = vec![unknown("withdrawn", withdrawn), unknown("never", never)];
    state.snapshot = Arc::new(test_server::snapshot(controls));
    let server = ApiServer::plain().await;
    server.server.store.publish(state);

    let path = "/api/v1/acceptances?tenant=northwind";
    let list = server.get(path).await.json();
    Schema::read().check("acceptances", &list);
    let [acceptance] = &list["acceptances"].as_array().unwrap()[..] else {
        panic!("{list}");
    };
    assert_eq!(acceptance["state"], "unknown");
    assert_eq!(acceptance["accepted"], Value::Null);
    assert_eq!(acceptance["points_lost"], Value::Null);
    let sheet = server.request("GET", path, &[("accept", "text/csv")]).await;
    let rows = csv::rows(&sheet.body, ',');
    assert_eq!(rows[0][6..8], ["unknown", ""]);
    assert_eq!(rows[0][14], "", "points_lost");

    let tenants = server.get(TENANTS).await.json();
    let mut tenants = tenants["tenants"].as_array().unwrap().iter();
    let northwind = tenants.find(|it| it["tenant"] == "northwind").unwrap();
    assert_eq!(northwind["accepted"], 0);
    assert_eq!(northwind["states_unknown"], 2);
    let page = server.get("/").await;
    assert!(page.text().contains("0<p class=\"soft\">2 unknown</p>"));
    let page = server.get("/acceptances?tenant=northwind").await;
    assert!(
        page.text()
            .contains("<span class=\"soft\">unknown</span></td>")
    );
}

#[tokio::test]
async fn acceptances_of_both_places_are_one_list() {
    let server = ApiServer::plain().await;
    server.server.store.publish(small::tailspin());
    for (query, expected) in [
        (
            "",
            &[
                "AdminMFAV2",
                "staleApps",
                "UserRiskPolicy",
                "turnOffPerUserMFA",
            ][..],
        ),
        ("where=secure_score", &["AdminMFAV2"]),
        (
            "where=entra",
            &["staleApps", "UserRiskPolicy", "turnOffPerUserMFA"],
        ),
        (
            "where=entra&in_force=true",
            &["staleApps", "UserRiskPolicy"],
        ),
        ("where=entra&in_force=false", &["turnOffPerUserMFA"]),
        ("where=entra&approved=true", &["staleApps"]),
        ("control=userriskpolicy", &["UserRiskPolicy"]),
        ("control=STALEAPPS", &["staleApps"]),
        ("since=2026-11-18&where=entra", &["staleApps"]),
    ] {
        let query = format!("tenant=tailspin&{query}");
        let expected: Vec<_> = expected.iter().map(|it| format!("tailspin/{it}")).collect();
        assert_eq!(server.found(&query).await, expected, "{query}");
    }
    let path = "/api/v1/acceptances?tenant=tailspin";
    let list = server.get(path).await.json();
    let fields = |row: usize, names: &[&str]| {
        let record = &list["acceptances"][row];
        names
            .iter()
            .map(|name| record[*name].clone())
            .collect::<Value>()
    };
    let of_other = ["where", "recommendation", "other_place_state", "disagrees"];
    assert_eq!(
        fields(0, &of_other),
        json!(["secure_score", "adminMFAV2", "active", true])
    );
    assert_eq!(
        fields(1, &of_other),
        json!(["entra", "staleApps", null, null])
    );
    assert_eq!(
        fields(2, &of_other),
        json!(["entra", "userRiskPolicy", "to_address", true])
    );
    let when = [
        "state",
        "accepted_at",
        "accepted_at_exact",
        "postponed_until",
    ];
    assert_eq!(
        fields(1, &when),
        json!([
            "postponed",
            "2026-11-18T08:15:00Z",
            false,
            "2026-12-21T08:15:00Z"
        ])
    );
    assert_eq!(
        fields(2, &when),
        json!(["risk_accepted", "2026-11-17T08:15:00Z", true, null])
    );
    let worth = ["points_lost", "scored", "watched", "approved"];
    assert_eq!(fields(1, &worth), json!([null, false, false, true]));
    assert_eq!(fields(2, &worth), json!([1.75, true, true, false]));
    let ended = ["state", "accepted", "withdrawn_by", "points_lost"];
    assert_eq!(fields(3, &ended), json!(["active", false, ALEX, 0.0]));
}

#[tokio::test]
async fn a_tenant_counts_what_is_set_aside_in_entra_apart() {
    let server = ApiServer::plain().await;
    server.server.store.publish(small::tailspin());
    let tenants = server.get(TENANTS).await.json();
    let fields = |tenant: usize| {
        let names = [
            "accepted",
            "recommendations",
            "recommendations_set_aside",
            "recommendations_set_aside_unapproved",
            "statuses_unknown",
            "identity_score",
            "identity_max_score",
        ];
        let tenant = &tenants["tenants"][tenant];
        names
            .map(|name| tenant[name].clone())
            .into_iter()
            .collect::<Value>()
    };
    assert_eq!(
        fields(0),
        json!([2, null, null, null, null, null, null]),
        "not read"
    );
    assert_eq!(fields(3), json!([1, 4, 2, 1, 0, 11.0, 56.0]));
    let lists = |tenant: usize| tenants["tenants"][tenant]["lists"]["recommendations"].clone();
    assert_eq!(lists(0), Value::Null);
    assert_eq!(lists(3)["up"], true);
}

#[tokio::test]
async fn a_tenant_whose_recommendations_are_lost_is_named() {
    let server = ApiServer::plain().await;
    let mut state = small::tailspin();
    state.snapshot = Arc::new(test_server::snapshot(Vec::new()));
    server.server.store.publish(state);
    let list = server.get(ACCEPTANCES).await.json();
    assert_eq!(
        list["recommendations_unknown"],
        json!(["tailspin"]),
        "the others do not read them"
    );
    let sheet = server.request("GET", ACCEPTANCES, &[("accept", "text/csv")]);
    let sheet = sheet.await;
    assert_eq!(
        sheet.header("secure-score-recommendations-unknown"),
        Some("1")
    );
    let page = server.get("/acceptances").await;
    let note = "The recommendations of Entra of 1 of 4 tenants are not known now";
    assert!(page.text().contains(note), "{}", page.text());
}

#[tokio::test]
async fn a_status_that_becomes_unknown_ends_no_acceptance() {
    use RecommendationStatus::{Dismissed, Unknown};
    let server = ApiServer::plain().await;
    let mut state = small::tailspin();
    let statuses = [(Dismissed, -9, Some(ALEX)), (Unknown, -1, None)];
    state.snapshot = Arc::new(TenantSnapshot {
        recommendations: vec![recommendation("staleApps", &statuses, NOW)],
        recommendation_anomalies: Some(Anomalies::default()),
        ..test_server::snapshot(Vec::new())
    });
    server.server.store.publish(state);
    let list = server
        .get("/api/v1/acceptances?tenant=tailspin")
        .await
        .json();
    Schema::read().check("acceptances", &list);
    let row = &list["acceptances"][0];
    assert_eq!(
        (&row["state"], &row["accepted"]),
        (&json!("unknown"), &Value::Null)
    );
    assert_eq!(
        (&row["accepted_by"], &row["withdrawn_at"]),
        (&json!(ALEX), &Value::Null)
    );
    let tenants = server.get(TENANTS).await.json();
    let tailspin = &tenants["tenants"][3];
    assert_eq!(tailspin["statuses_unknown"], 1);
    assert_eq!(tailspin["recommendations_set_aside"], 1);
}

/// Names and words of persons in the small tenants.
const PERSONAL: [&str; 6] = ["alex", "sam@", "Robin", "evil.example", "a trial", "soon"];

fn has_no_persons(body: &str) -> bool {
    !PERSONAL.iter().any(|word| body.contains(word))
}

#[tokio::test]
async fn a_client_without_authentication_sees_no_persons() {
    let server = ApiServer::plain().await;
    assert!(!has_no_persons(server.get(ACCEPTANCES).await.text()));
    let server = ApiServer::start(options_with(Persons::Plain, false)).await;
    for header in [("host", "localhost"), ("host", "secure.example")] {
        for accept in ["application/json", "text/csv"] {
            let headers = [header, ("accept", accept)];
            let response = server.request("GET", ACCEPTANCES, &headers).await;
            assert_eq!(response.status, 200);
            assert!(has_no_persons(response.text()), "{header:?} {accept}");
            if accept == "application/json" {
                assert_eq!(response.json()["persons"], "hidden");
                let hint = response.json()["persons_hint"].to_string();
                assert!(hint.contains("set privacy.pages: show"), "{hint}");
            } else {
                assert_eq!(response.header("secure-score-persons"), Some("hidden"));
            }
        }
    }
}

#[tokio::test]
async fn the_configuration_decides_how_persons_appear() {
    for (persons, word, hint) in [
        (Persons::Hidden, "hidden", "privacy.events"),
        (
            Persons::Pseudonyms(Arc::new(|who| format!("p{}", who.len()))),
            "hash",
            "privacy.events: full",
        ),
    ] {
        let server = ApiServer::start(options_with(persons, true)).await;
        let response = server.get(ACCEPTANCES).await;
        assert!(has_no_persons(response.text()), "{word}");
        let list = response.json();
        assert_eq!(list["persons"], word);
        assert!(list["persons_hint"].as_str().unwrap().contains(hint));
        let who = match word {
            "hash" => json!(format!("p{}", ALEX.len())),
            _ => Value::Null,
        };
        let admins = &list["acceptances"][0];
        assert_eq!(admins["accepted_by"], who);
        assert_eq!(admins["comment"], Value::Null);
        assert_eq!(admins["history"][1]["by"], who);
        assert_eq!(
            admins["approval"]["reference"], "SEC-1234",
            "a reference is not personal"
        );
    }
    let plain = ApiServer::plain().await.get(ACCEPTANCES).await.json();
    assert_eq!(
        (&plain["persons"], &plain["persons_hint"]),
        (&json!("full"), &Value::Null)
    );
    assert_eq!(plain["acceptances"][0]["accepted_by"], ALEX);
}

/// A tenant with this many accepted risks.
fn tenant_with(alias: &str, acceptances: usize) -> secure_score_exporter::store::TenantState {
    let controls = (0..acceptances).map(|n| {
        let accepted = small::change(ControlState::RiskAccepted, Some(-60), ALEX, HOSTILE);
        small::control(small::entry(
            &format!("scid_{n}"),
            Category::Device,
            vec![accepted],
        ))
    });
    let mut state = small::tenant(alias, alias);
    state.snapshot = Arc::new(test_server::snapshot(controls.collect()));
    state
}

#[tokio::test]
async fn a_large_fleet_is_listed_completely() {
    let server = ApiServer::plain().await;
    for n in 0..100 {
        server
            .server
            .store
            .publish(tenant_with(&format!("tenant{n:04}"), 50));
    }
    let json = server
        .get("/api/v1/acceptances?category=Device")
        .await
        .json();
    assert_eq!(json["acceptances"].as_array().unwrap().len(), 5_000);
    let headers = [("accept", "text/csv")];
    let csv_text = server.request("GET", ACCEPTANCES, &headers).await;
    assert_eq!(csv::rows(&csv_text.body, ',').len(), 5_000 + 4);
}

#[tokio::test(start_paused = true)]
async fn large_responses_are_limited_and_small_ones_are_not() {
    let api = ApiSite::new();
    api.store.publish(tenant_with("large", 1_000));
    for _ in 0..20 {
        assert_eq!(api.request(TENANTS, "*/*").await.status(), 200);
    }
    let mut responses = Vec::new();
    for _ in 0..4 {
        responses.push(api.request(ACCEPTANCES, "*/*").await);
    }
    let refused = api.request(ACCEPTANCES, "*/*").await;
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "5");
    let document: Value = serde_json::from_str(&text(refused).await).unwrap();
    Schema::read().check("refusal", &document);

    let sent = responses.pop().unwrap();
    assert_eq!(sent.status(), 200);
    assert!(text(sent).await.contains("scid_999"));
    assert_eq!(api.request(ACCEPTANCES, "*/*").await.status(), 200);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_request_to_the_api_is_a_server_error(
        path in "(/api/v1/acceptances|/api/v1/tenants|/api/[!-\"$->@-~]{0,12})",
        query in "((tenant|control|category|since|approved|in_force|where|[a-z]{1,5})=?([!-\"$-~]{0,9}|true|Data|7d|%[0-9a-f]{2}|2026-1[0-9]-[0-9]{2}(T[0-9:+.Z-]{1,12})?)&?){0,4}",
        accept in "[ -~]{0,20}|text/csv(;q=[01.]{1,4})?|\\*/\\*",
    ) {
        let address = format!("{path}?{query}");
        prop_assume!(address.parse::<hyper::Uri>().is_ok());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (status, body) = runtime.block_on(async {
            let response = ApiSite::new().request(&address, &accept).await;
            (response.status(), text(response).await)
        });
        prop_assert!(status.as_u16() < 500, "{} {}", address, status);
        if status.is_client_error() {
            let document: Value = serde_json::from_str(&body).unwrap();
            prop_assert!(document["error"].is_string() && document["hint"].is_string());
        }
    }
}
