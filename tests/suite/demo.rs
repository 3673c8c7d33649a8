//! The demo: an acceptance reaches metrics, log, page and API.

use crate::process::Process;
use serde_json::{Value, json};
use std::time::Duration;

struct Demo {
    process: Process,
    http: reqwest::Client,
    base: String,
    control: String,
}

impl Demo {
    fn start() -> Self {
        Self::with(&[])
    }

    fn with(flags: &[&str]) -> Self {
        Self::run(&[&["--quiet"], flags].concat())
    }

    fn run(flags: &[&str]) -> Self {
        let arguments = ["demo", "--web.listen-address=127.0.0.1:0"];
        let process = Process::exporter(&[&arguments, flags].concat());
        let base = process.word_after("status page ");
        let control = process.word_after("control API ");
        Self {
            base: base.trim_end_matches('/').to_owned(),
            control,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            process,
        }
    }

    async fn accept(&self, tenant: &str, control: &str, comment: &str) {
        let url = format!(
            "{}/tenants/{tenant}/controls/{control}/accept",
            self.control
        );
        let body = json!({"by": "nina.roth@contoso.example", "comment": comment});
        let request = self.http.post(url).body(body.to_string());
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success());
    }

    async fn get(&self, path: &str) -> String {
        let request = self.http.get(format!("{}{path}", self.base));
        request.send().await.unwrap().text().await.unwrap()
    }

    async fn until_metrics(&self, line: &str) {
        self.until("/metrics", line).await;
    }

    /// Waits until a path contains a text.
    async fn until(&self, path: &str, text: &str) {
        for _ in 0..600 {
            if self.get(path).await.contains(text) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("{text} did not appear\n{}", self.process.output());
    }

    async fn acceptances(&self, query: &str) -> Vec<Value> {
        let answer = self.get(&format!("/api/v1/acceptances?{query}")).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["acceptances"].as_array().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_is_in_metrics_log_page_and_api_with_one_refresh() {
    let demo = Demo::start();
    let watched = "tenant=\"contoso\",control=\"SigninRiskPolicy\",category=\"Identity\"";
    let accepted = |value| format!("secure_score_control_risk_accepted{{{watched}}} {value}");
    demo.until_metrics(&accepted(0)).await;
    demo.accept("contoso", "SigninRiskPolicy", "false alarms <i>again</i>")
        .await;
    demo.until_metrics(&accepted(1)).await;

    // The same refresh logs the event, after it published the state.
    demo.process.word_after("event=state_changed");
    let log = demo.process.output();
    let line = log.lines().find(|line| line.contains("SigninRiskPolicy"));
    let line = line.unwrap_or_else(|| panic!("no line in the log:\n{log}"));
    for part in [
        "event=state_changed",
        "tenant=contoso",
        "to=risk_accepted",
        "by=nina.roth@contoso.example",
    ] {
        assert!(line.contains(part), "{part} is missing in {line}");
    }
    let page = demo.get("/acceptances?control=SigninRiskPolicy").await;
    for part in [
        "nina.roth@contoso.example",
        "not approved",
        "&lt;i&gt;again",
    ] {
        assert!(page.contains(part), "{part} is missing");
    }
    let found = demo
        .acceptances("tenant=contoso&control=SigninRiskPolicy")
        .await;
    assert_eq!(found[0]["accepted_by"], "nina.roth@contoso.example");
    assert_eq!(found[0]["approval"]["status"], "missing");
    assert_eq!(found[0]["watched"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tenant_fails_with_its_remedy_and_keeps_its_data() {
    let demo = Demo::run(&[]);
    demo.until("/", "the client secret has expired: create a new one")
        .await;
    demo.until_metrics("secure_score_up{tenant=\"northwind\",api=\"profiles\"} 0")
        .await;
    let metrics = demo.get("/metrics").await;
    assert!(metrics.contains("secure_score_tenant_score{tenant=\"northwind\"}"));
    let scheduled = "the secret of the application watcher expires at northwind";
    assert!(demo.process.output().contains(scheduled));
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_without_consent_are_named_and_links_lead_to_microsoft() {
    let demo = Demo::start();
    let line = "The customers woodgrove, tailspin gave no consent";
    assert!(demo.process.output().contains(line));
    demo.until("/", "2 of 7 tenants gave no consent to the application")
        .await;
    demo.until(
        "/tenants/contoso",
        "https://security.microsoft.com/securescore",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn approved_acceptances_are_marked() {
    let demo = Demo::start();
    let covered = "secure_score_control_risk_approval_info{tenant=\"contoso\",control=\"IntegratedApps\",reference=\"SEC-1234\"} 1";
    demo.until_metrics(covered).await;
    let ended = "secure_score_control_risk_approval_info{tenant=\"fabrikam\",control=\"SelfServicePasswordReset\",reference=\"SEC-1190\"} 1";
    demo.until_metrics(ended).await;
    let found = demo
        .acceptances("control=IntegratedApps&in_force=true&where=secure_score")
        .await;
    assert_eq!(found[0]["approval"]["status"], "approved");
    let page = demo.get("/acceptances?control=IntegratedApps").await;
    assert!(page.contains("SEC-1234") && page.contains("Risk committee"));
    let expired = demo
        .get("/acceptances?control=SelfServicePasswordReset")
        .await;
    assert!(expired.contains("expired"), "an expired approval");
    let status = demo.get("/").await;
    assert!(status.contains("SEC-1190"), "on the status page");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_users_one_sees_one_tenant() {
    let demo = Demo::with(&["--with-users"]);
    let get = async |user: &str, path: &str| {
        let url = format!("{}{path}", demo.base);
        let request = demo.http.get(url).basic_auth(user, Some("demo"));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, tenants) = get("contoso", "/sd/tenants").await;
    let tenants: Value = serde_json::from_str(&tenants).unwrap();
    assert_eq!((status, tenants.as_array().unwrap().len()), (200, 1));
    let (_, page) = get("contoso", "/").await;
    assert!(
        page.contains("contoso") && !page.contains("fabrikam"),
        "{page}"
    );
    assert!(!page.contains("Customers of"), "{page}");
    let (_, page) = get("provider", "/").await;
    assert!(
        page.contains("fabrikam") && page.contains("Customers of"),
        "{page}"
    );
    assert_eq!(get("nina", "/").await.0, 401);
    let introduction = demo.process.output();
    let users =
        "Users: provider sees every tenant, contoso that tenant only; the password is demo.";
    assert!(introduction.contains(users), "{introduction}");
    let scraped = "      metrics_path: /metrics\n      basic_auth: {username: provider, password: demo}\n      static_configs:";
    assert!(introduction.contains(scraped), "{introduction}");
}
