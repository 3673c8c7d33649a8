//! The whole way with the real programs: the embedded Graph, the exporter,
//! Debian's Prometheus and Alertmanager with the rules and the configuration
//! that are shipped, and sinks for what they send: PagerDuty, a ticket system
//! and a mail server.

mod approval;
mod mail_sink;
mod partner;
mod stage;
mod web_sink;

use crate::process::Process;
use crate::world::value;
use mail_sink::Mail;
use serde_json::{Value, json};
use stage::Stage;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(120);

/// How long silence is watched where silence is the point: several refreshes,
/// and many evaluations.
const SILENCE: Duration = Duration::from_secs(25);

const CONTROL: &str = "UserRiskPolicy";
const ACTOR: &str = "dana.admin@contoso.example";
/// A comment that tries to inject markup into mails.
const COMMENT: &str = "migration week <a href='https://evil.example'>renew</a>";
const ON_CALL: &str = "security-on-call@example.org";

/// Where the messages about the acceptance lead on the exporter's pages.
const LINKS: [&str; 2] = [
    "/acceptances?tenant=contoso&control=UserRiskPolicy",
    "/runbooks/SecureScoreRiskAccepted",
];

/// The actions that PagerDuty received for an alert: `trigger` or `resolve`, in order.
fn pages(stage: &Stage, alert: &str) -> Vec<Value> {
    let posted = stage.web.posted("/pagerduty").into_iter().map(|p| p.body);
    posted
        .filter(|body| {
            body["payload"]["custom_details"]["alerts"]
                .to_string()
                .contains(alert)
        })
        .collect()
}

fn actions(pages: &[Value]) -> Vec<&str> {
    pages
        .iter()
        .map(|page| page["event_action"].as_str().unwrap_or_default())
        .collect()
}

/// What the person on call got of an alert.
fn mails(stage: &Stage, alert: &str) -> Vec<Mail> {
    let all = stage.mail.mails(ON_CALL).into_iter();
    all.filter(|mail| mail.text.contains(alert)).collect()
}

/// Accepts the risk and waits for the page and the mail.
async fn accepted(stage: &Stage) -> (Value, Mail) {
    stage
        .administrator("accept", CONTROL, json!({"by": ACTOR, "comment": COMMENT}))
        .await;
    let page = stage
        .wait("a page", |s| {
            pages(s, "SecureScoreRiskAccepted").into_iter().next()
        })
        .await;
    let mail = stage
        .wait("a mail", |s| {
            mails(s, "SecureScoreRiskAccepted").into_iter().next()
        })
        .await;
    (page, mail)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_reaches_a_person_and_its_withdrawal_too() {
    let stage = Stage::at_any_hour().await;

    let (page, mail) = accepted(&stage).await;
    let payload = &page["payload"];
    assert_eq!(page["event_action"], "trigger");
    assert_eq!(page["routing_key"], "a routing key");
    assert_eq!(payload["severity"], "critical");
    let title = "Contoso Ltd: the risk of \"Challenge users whose account may be compromised\" was accepted";
    assert_eq!(payload["summary"], title);
    assert_eq!(mail.subject, title);
    for text in [
        payload["custom_details"]["alerts"]
            .as_str()
            .unwrap_or_default(),
        &mail.text,
    ] {
        let who_and_when = format!(" UTC by {ACTOR}. No decision approves it.");
        assert!(text.contains(&who_and_when), "who? {text}");
        assert!(
            text.contains(&format!("Reason given: {COMMENT}")),
            "why? {text}"
        );
        for part in [
            "Control UserRiskPolicy of the category Identity, up to ",
            "Approve:   secure-score-exporter approve contoso UserRiskPolicy --reference TICKET --approver PERSON --expires ",
            "Portal:    https://security.microsoft.com/securescore?viewid=actions&tid=",
            "tenant contoso, control UserRiskPolicy, category Identity",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert_eq!(stage.followed(text).await, LINKS, "{text}");
    }
    assert_eq!(stage.followed(&mail.html).await, LINKS, "{}", mail.html);
    let client = page["client_url"].as_str().unwrap_or_default();
    assert_eq!(stage.followed(client).await, LINKS[..1], "{page}");
    assert!(mail.html.contains(ACTOR), "{}", mail.html);
    assert!(
        mail.html.contains("migration week &lt;a href="),
        "{}",
        mail.html
    );
    assert!(
        !mail.html.contains("<a href='https://evil"),
        "{}",
        mail.html
    );

    stage
        .administrator("revert", CONTROL, json!({"by": ACTOR}))
        .await;
    stage
        .wait("a page that ends", |s| {
            (actions(&pages(s, "SecureScoreRiskAccepted")).last() == Some(&"resolve")).then_some(())
        })
        .await;
    let ended = stage
        .wait("a mail that ends", |s| {
            let mails = mails(s, "SecureScoreRiskAccepted");
            mails
                .last()
                .filter(|m| m.subject == format!("No longer firing: {title}"))
                .cloned()
        })
        .await;
    // What held when it fired may hold no longer, so it offers no decision.
    assert!(
        ended.text.contains("NO LONGER FIRING since "),
        "{}",
        ended.text
    );
    assert!(
        ended.html.contains("When it fired: Control "),
        "{}",
        ended.html
    );
    for text in [&ended.text, &ended.html] {
        assert!(!text.contains("secure-score-exporter approve"), "{text}");
    }

    tokio::time::sleep(SILENCE).await;
    let pages = stage.web.posted("/pagerduty");
    let received: Vec<Value> = pages.into_iter().map(|page| page.body).collect();
    assert_eq!(
        actions(&received),
        ["trigger", "resolve"],
        "nothing else: {received:#?}"
    );
    let mails = stage.mail.mails(ON_CALL);
    assert_eq!(mails.len(), 2, "nothing else: {mails:#?}");
    assert_eq!(
        quieter_mails(&stage),
        STANDING,
        "of what stood before, once each"
    );
    let ticket = stage
        .wait("a ticket", |s| tickets(s).first().cloned())
        .await;
    assert_eq!(ticket, "SecureScoreRelationshipEnding");
    assert_eq!(tickets(&stage).len(), 1, "nothing else");
}

/// Time for two refreshes of ten seconds between two evaluations.
const EVALUATION_INTERVAL: &str = "40s";

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_reverted_within_one_evaluation_reaches_the_person_on_call() {
    let stage = Stage::evaluating_acceptances_every(EVALUATION_INTERVAL).await;
    let gauge =
        format!("secure_score_control_risk_accepted{{tenant=\"contoso\",control=\"{CONTROL}\"}}");
    stage.next_evaluation().await;
    stage
        .administrator("accept", CONTROL, json!({"by": ACTOR, "comment": COMMENT}))
        .await;
    stage.wait_for(&format!("{gauge} == 1")).await;
    stage
        .administrator("revert", CONTROL, json!({"by": ACTOR}))
        .await;
    stage.wait_for(&format!("{gauge} == 0")).await;

    let alert = "SecureScoreRiskAcceptedAndReverted";
    let page = stage
        .wait("a page", |s| pages(s, alert).into_iter().next())
        .await;
    let mail = stage
        .wait("a mail", |s| mails(s, alert).into_iter().next())
        .await;
    let title = "Contoso Ltd: the risk of \"Challenge users whose account may be compromised\" was accepted and set back again";
    assert_eq!(page["event_action"], "trigger");
    assert_eq!(page["payload"]["severity"], "critical");
    assert_eq!(page["payload"]["summary"], title);
    assert_eq!(mail.subject, title);
    let text = format!(" UTC by {ACTOR}, and set back before SecureScoreRiskAccepted could fire.");
    assert!(mail.text.contains(&text), "{}", mail.text);
    let links = stage.followed(&mail.text).await;
    assert_eq!(
        links,
        [LINKS[0], "/runbooks/SecureScoreRiskAcceptedAndReverted"]
    );
    let all = stage.web.posted("/pagerduty");
    assert_eq!(all.len(), 1, "no evaluation saw it in effect: {all:#?}");
}

/// What the simulated tenants accepted and claimed long ago, all unwatched: a mail
/// for each unapproved Identity control, and a line for the rest.
const STANDING: [&str; 7] = [
    "Adatum Corporation: \"Stop the print service on domain controllers\" is declared as solved by other means, without approval",
    "Adatum Corporation: the risk of \"Admit only invited people straight into meetings\" was accepted",
    "Contoso Ltd: \"Set a decoy account as bait\" is declared as solved by other means, without approval",
    "Contoso Ltd: the risk of \"Do not let users consent to apps on their own\" was accepted",
    "Fabrikam Manufacturing: the risk of \"Let all users reset their own password\" was accepted",
    "Litware: the risk of \"Let passwords live until there is a reason to change them\" was accepted",
    "Northwind Traders: \"Hand out the smallest administrative role that does the job\" is declared as solved by other means, without approval",
];

fn quieter_mails(stage: &Stage) -> Vec<String> {
    let mut subjects: Vec<String> = ["security@example.org", "workplace@example.org"]
        .iter()
        .flat_map(|to| stage.mail.mails(to))
        .map(|mail| mail.subject)
        .collect();
    subjects.sort();
    subjects
}

/// The alerts in the ticket system.
fn tickets(stage: &Stage) -> Vec<String> {
    let posted = stage.web.posted("/tickets");
    let names = posted
        .iter()
        .map(|it| &it.body["commonLabels"]["alertname"]);
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_exporter_is_paged_once_and_ends_no_acceptance() {
    let mut stage = Stage::set().await;
    accepted(&stage).await;

    stage.exporter.kill();
    stage
        .wait("a page", |s| {
            pages(s, "SecureScoreExporterDown").into_iter().next()
        })
        .await;
    tokio::time::sleep(SILENCE).await;

    let down = pages(&stage, "SecureScoreExporterDown");
    assert_eq!(actions(&down), ["trigger"], "{down:#?}");
    let acceptance = pages(&stage, "SecureScoreRiskAccepted");
    assert_eq!(
        actions(&acceptance),
        ["trigger"],
        "silence is not good news: {acceptance:#?}"
    );
    let all = stage.web.posted("/pagerduty");
    assert_eq!(all.len(), 2, "nothing else: {all:#?}");
    assert_eq!(stage.mail.mails(ON_CALL).len(), 2, "nothing else");
    let firing = stage.query("ALERTS{alertname=\"SecureScoreRiskAccepted\",tenant=\"contoso\",control=\"UserRiskPolicy\",alertstate=\"firing\"}").await;
    assert!(
        !firing.is_empty(),
        "the alert still fires without the exporter"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_takes_every_sample_of_the_body() {
    let stage = Stage::set().await;
    stage.wait_for("up{job=\"secure-score\"} == 1").await;
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let answer = stage.http.get(&stage.metrics).send().await.unwrap();
        let body = answer.text().await.unwrap();
        let samples = body
            .lines()
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
            .count();
        assert!(value(&body, r#"secure_score_up{tenant="contoso",api="profiles"}"#).is_some());
        let query = format!("scrape_samples_scraped{{job=\"secure-score\"}} == {samples}");
        if !stage.query(&query).await.is_empty() {
            return;
        }
        let last = stage.query("scrape_samples_scraped").await;
        assert!(
            Instant::now() < deadline,
            "the body has {samples} samples, Prometheus {last:?}"
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn being_asked_to_stop_ends_with_success() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().display().to_string();
    let mut simulator = Process::exporter(&[
        "simulate",
        "--quiet",
        "--listen-address=127.0.0.1:0",
        "--control.listen-address=127.0.0.1:0",
        "--config-dir",
        &directory,
    ]);
    let file = simulator.word_after("configuration ");
    let mut exporter =
        Process::exporter(&["--config.file", &file, "--web.listen-address=127.0.0.1:0"]);
    let address = exporter.word_after("address=");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let healthy = http
        .get(format!("http://{address}/-/healthy"))
        .send()
        .await
        .unwrap();
    assert!(healthy.status().is_success());
    assert_eq!(exporter.terminate(), Some(0), "{}", exporter.output());
    assert_eq!(simulator.terminate(), Some(0), "{}", simulator.output());
}
