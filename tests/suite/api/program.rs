//! The API of the real exporter, over HTTP.

use super::schema::Schema;
use crate::process::Process;
use crate::simulated::Simulated;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

struct Exporter {
    process: Process,
}

impl Exporter {
    /// The demo, once it is ready.
    async fn demo() -> Self {
        let process = Process::exporter(&["demo", "--quiet", "--web.listen-address=127.0.0.1:0"]);
        Self { process }.ready().await
    }

    async fn watching(simulated: &Simulated, flags: &[&str]) -> Self {
        let config = simulated.config();
        let mut arguments = vec!["--config.file", &config];
        arguments.extend(flags);
        let process = Process::exporter(&arguments);
        Self { process }.ready().await
    }

    async fn ready(self) -> Self {
        for _ in 0..600 {
            if self.get("/-/ready").await.status().is_success() {
                return self;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never ready:\n{}", self.process.output());
    }

    async fn request(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let address = self.process.word_after("address=");
        let port = address.rsplit(':').next().unwrap().to_owned();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = http.get(format!("http://127.0.0.1:{port}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.request(path, &[]).await
    }

    async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers()["cache-control"], "no-store");
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    async fn acceptances(&self, query: &str) -> Vec<Value> {
        let response = self.json(&format!("/api/v1/acceptances?{query}")).await;
        response["acceptances"].as_array().unwrap().clone()
    }
}

fn strings(records: &[Value], field: &str) -> Vec<String> {
    let values = records
        .iter()
        .map(|it| it[field].as_str().unwrap().to_owned());
    values.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_selects() {
    let exporter = Exporter::demo().await;
    let all = exporter.acceptances("").await;
    assert!(all.len() >= 5, "{all:#?}");
    assert_eq!(all[0]["category"], "Identity", "identity first");

    let of_contoso = exporter.acceptances("tenant=contoso").await;
    assert!(!of_contoso.is_empty() && of_contoso.len() < all.len());
    assert!(of_contoso.iter().all(|it| it["tenant"] == "contoso"));

    let one = exporter
        .acceptances("control=integratedapps&in_force=true&where=secure_score")
        .await;
    assert_eq!(strings(&one, "control"), ["IntegratedApps"]);
    let approval = &one[0]["approval"];
    assert_eq!(approval["status"], "approved");
    assert_eq!(approval["reference"], "SEC-1234");
    assert_eq!(one[0]["approved"], true);
    assert_eq!(one[0]["accepted_by"], "alex.wilber@contoso.example");

    let expired = exporter
        .acceptances("tenant=fabrikam&in_force=true&where=secure_score")
        .await;
    assert_eq!(expired[0]["approval"]["status"], "expired");
    assert_eq!(expired[0]["approved"], false);

    let unapproved = exporter.acceptances("approved=false&in_force=true").await;
    let approved = exporter.acceptances("approved=true&in_force=true").await;
    let in_force = exporter.acceptances("in_force=true").await;
    assert_eq!(unapproved.len() + approved.len(), in_force.len());
    let withdrawn = exporter.acceptances("in_force=false").await;
    assert_eq!(withdrawn.len() + in_force.len(), all.len());
    assert!(
        withdrawn
            .iter()
            .all(|it| it["withdrawn_at"].is_string() && it["points_lost"] == 0.0)
    );

    let apps = exporter.acceptances("category=apps").await;
    assert!(!apps.is_empty() && apps.iter().all(|it| it["category"] == "Apps"));
    let recent = exporter.acceptances("since=7d").await;
    assert!(!recent.is_empty() && recent.len() < all.len());
    assert!(exporter.acceptances("since=2099-01-01").await.is_empty());
    assert!(
        exporter
            .acceptances("control=NoSuchControl")
            .await
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_requests_are_rejected_with_a_remedy() {
    let exporter = Exporter::demo().await;
    for (path, status, message) in [
        (
            "/api/v1/acceptances?category=Identities",
            400,
            "Identity, Data",
        ),
        ("/api/v1/acceptances?since=yesterday", 400, "2026-11-23"),
        ("/api/v1/acceptances?approved=maybe", 400, "true nor false"),
        ("/api/v1/acceptances?tenant=a&tenant=b", 400, "twice"),
        (
            "/api/v1/acceptances?sort=tenant",
            400,
            "the parameters are tenant",
        ),
        ("/api/v1/acceptances?tenant=%ff", 400, "UTF-8"),
        (
            "/api/v1/acceptances?tenant=contosso",
            404,
            r#"did you mean \"contoso\"?"#,
        ),
        (
            "/api/v1/tenants?tenant=contoso",
            400,
            "the parameters are format",
        ),
        ("/api/v1/nothing", 404, "/api/v1/acceptances"),
        ("/api/v2/tenants", 404, "/api/v1/tenants"),
    ] {
        let response = exporter.get(path).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        let text = response.text().await.unwrap();
        let error: Value = serde_json::from_str(&text).unwrap();
        assert!(
            error["error"].is_string() && error["hint"].is_string(),
            "{text}"
        );
        assert!(text.contains(message), "{path}: {text}");
    }
    let wants_xml = exporter
        .request("/api/v1/tenants", &[("accept", "application/xml")])
        .await;
    assert_eq!(wants_xml.status(), StatusCode::NOT_ACCEPTABLE);
    assert!(wants_xml.text().await.unwrap().contains("application/json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preferred_format_is_sent() {
    let exporter = Exporter::demo().await;
    for (accept, content_type) in [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv; charset=utf-8; header=present"),
        (
            "text/*;q=0.5, application/json;q=0.4",
            "text/csv; charset=utf-8; header=present",
        ),
        ("text/csv;q=0.1, application/json", "application/json"),
        ("text/csv;q=0, */*", "application/json"),
    ] {
        let response = exporter
            .request("/api/v1/acceptances", &[("accept", accept)])
            .await;
        assert_eq!(response.headers()["content-type"], content_type, "{accept}");
        assert_eq!(response.headers()["vary"], "Accept");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert!(
            response
                .headers()
                .get("access-control-allow-origin")
                .is_none()
        );
    }
}

/// Rows read by Python, which shares no code with the exporter.
fn read_by_python(csv: &str) -> Vec<BTreeMap<String, String>> {
    let script = "import csv,json,sys,io\n\
                  text=io.TextIOWrapper(sys.stdin.buffer,encoding='utf-8',newline='')\n\
                  print(json.dumps(list(csv.DictReader(text,strict=True))))";
    let mut child = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is missing; install it with: apt-get install -y python3");
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, csv.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_is_data_in_json_and_in_csv() {
    let simulated = Simulated::start();
    let hostile = "=HYPERLINK(\"http://evil.example\",\"x\"), <script>alert(1)</script>;\"";
    let acceptance = json!({"by": "+eve@contoso.example", "comment": hostile});
    simulated.accept("contoso", "AdminMFAV2", acceptance).await;
    let exporter = Exporter::watching(&simulated, &["--web.listen-address=127.0.0.1:0"]).await;
    let found = exporter
        .acceptances("tenant=contoso&control=AdminMFAV2")
        .await;
    assert_eq!(found[0]["comment"], hostile);

    let path = "/api/v1/acceptances?tenant=contoso&control=AdminMFAV2";
    let csv = exporter.request(path, &[("accept", "text/csv")]).await;
    assert!(
        csv.headers()["content-disposition"]
            .to_str()
            .unwrap()
            .contains("acceptances.csv")
    );
    let rows = read_by_python(&csv.text().await.unwrap());
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["comment"], format!("'{hostile}"));
    assert_eq!(rows[0]["accepted_by"], "'+eve@contoso.example");
    assert_eq!(rows[0]["tenant"], "contoso");
}

#[tokio::test(flavor = "multi_thread")]
async fn persons_are_shown_as_the_configuration_says() {
    let simulated = Simulated::start();
    let acceptance = json!({"by": "alex@contoso.example", "comment": "ask Alex"});
    simulated.accept("contoso", "AdminMFAV2", acceptance).await;
    simulated.configure("");
    let unauthenticated = Exporter::watching(&simulated, &["--web.listen-address=127.0.0.1:0"]);
    let response = unauthenticated.await.get("/api/v1/acceptances").await;
    let response = response.text().await.unwrap();
    assert!(!response.to_lowercase().contains("alex"), "{response}");
    assert!(response.contains("did not authenticate"), "{response}");

    fs::write(simulated.folder().join("salt"), "0123456789abcdef0123").unwrap();
    simulated.configure("privacy: {events: hash, pages: show}\nlabels: {salt_file: salt}\n");
    let hashed = Exporter::watching(&simulated, &["--web.listen-address=127.0.0.1:0"]).await;
    let found = hashed.json("/api/v1/acceptances?control=AdminMFAV2").await;
    assert_eq!(found["persons"], "hash");
    let record = &found["acceptances"][0];
    assert_eq!(record["accepted_by"].as_str().unwrap().len(), 16);
    assert!(record["comment"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_without_a_catalogue_is_named() {
    let simulated = Simulated::start();
    let fault = json!({"tenant": "contoso", "api": "token", "what": {"aadsts": 7_000_222}});
    simulated.inject(fault).await;
    let exporter = Exporter::watching(&simulated, &["--web.listen-address=127.0.0.1:0"]).await;
    let register = exporter.json("/api/v1/acceptances").await;
    assert_eq!(register["catalogues_unknown"], json!(["contoso"]));
    let tenants = exporter.json("/api/v1/tenants").await;
    let tenants = tenants["tenants"].as_array().unwrap();
    let contoso = tenants.iter().find(|it| it["tenant"] == "contoso").unwrap();
    assert_eq!(contoso["lists"]["profiles"]["up"], false);
    assert_eq!(contoso["lists"]["profiles"]["reason"], "credential");
    assert!(contoso["lists"]["profiles"]["hint"].is_string());
    assert!(contoso["accepted"].is_null() && contoso["score"].is_null());
    let fabrikam = tenants
        .iter()
        .find(|it| it["tenant"] == "fabrikam")
        .unwrap();
    assert!(fabrikam["score"].is_number() && fabrikam["accepted"].is_number());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_of_the_demo_match_the_schema() {
    let exporter = Exporter::demo().await;
    let schema = Schema::read();
    schema.check("acceptances", &exporter.json("/api/v1/acceptances").await);
    schema.check("decisions", &exporter.json("/api/v1/decisions").await);
    schema.check("tenants", &exporter.json("/api/v1/tenants").await);
}
