//! The shipped rules and configuration, changed for a demo on this machine.

use crate::commands::shipped_files::{ALERTMANAGER, RULES};
use alert_inbox::{AlertInbox, PAGES_PATH, TICKETS_PATH};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// The demo's intervals in seconds, far shorter than those shipped.
pub(super) const SCRAPE: u32 = 2;
pub(super) const EVALUATION: u32 = 5;
pub(super) const GROUP_WAIT: u32 = 2;
const GROUP_INTERVAL: u32 = 10;

/// The interval of groups of rules as shipped.
const SHIPPED_EVALUATION: &str = "\n    interval: 1m\n";

/// The files below `/etc/alertmanager/secrets` of the shipped configuration. The inbox
/// accepts any login.
pub(super) const SECRETS: [&str; 3] = ["smtp-password", "pagerduty-routing-key", "tickets-token"];

/// What Prometheus scrapes.
pub(super) struct ScrapeTarget {
    pub(super) address: SocketAddr,
    pub(super) path: String,
    /// Name and password.
    pub(super) user: Option<(&'static str, &'static str)>,
}

/// The rules, evaluated more often.
pub(super) fn rules() -> String {
    let interval = format!("\n    interval: {EVALUATION}s\n");
    RULES.replace(SHIPPED_EVALUATION, &interval)
}

/// The configuration of Prometheus, as JSON, which is YAML too.
pub(super) fn prometheus(target: &ScrapeTarget, alertmanager: SocketAddr) -> String {
    let mut job = json!({
        // The job's name that the rules expect.
        "job_name": "secure-score",
        "metrics_path": target.path,
        "static_configs": [{"targets": [target.address.to_string()]}],
    });
    if let (Some((name, password)), Some(job)) = (target.user, job.as_object_mut()) {
        let user = json!({"username": name, "password": password});
        job.insert("basic_auth".to_owned(), user);
    }
    let config: Value = json!({
        "global": {
            "scrape_interval": format!("{SCRAPE}s"),
            "scrape_timeout": format!("{SCRAPE}s"),
            "evaluation_interval": format!("{EVALUATION}s"),
        },
        "rule_files": ["secure-score.rules.yml"],
        "alerting": {"alertmanagers": [
            {"static_configs": [{"targets": [alertmanager.to_string()]}]},
        ]},
        "scrape_configs": [job],
    });
    config.to_string()
}

/// What the shipped configuration of Alertmanager says, and what the demo says instead: the
/// inbox in place of the servers, shorter waits, and the labels that the delay is found by.
fn replacements(inbox: &AlertInbox) -> [(&'static str, String); 8] {
    let web = inbox.web_address();
    let labels = ["tenant", "control", "recommendation"];
    let details = labels.map(|it| format!("          {it}: '{{{{ .CommonLabels.{it} }}}}'\n"));
    [
        ("smtp.example:587", inbox.mail_address().to_string()),
        (
            "smtp_require_tls: true",
            "smtp_require_tls: false".to_owned(),
        ),
        (
            "https://events.pagerduty.com/v2/enqueue",
            format!("http://{web}{PAGES_PATH}"),
        ),
        (
            "https://tickets.example/hooks/alertmanager",
            format!("http://{web}{TICKETS_PATH}"),
        ),
        ("/etc/alertmanager/secrets/", "secrets/".to_owned()),
        ("group_wait: 30s", format!("group_wait: {GROUP_WAIT}s")),
        (
            "group_interval: 5m",
            format!("group_interval: {GROUP_INTERVAL}s"),
        ),
        (
            "        details:\n",
            format!("        details:\n{}", details.concat()),
        ),
    ]
}

/// The configuration of Alertmanager.
pub(super) fn alertmanager(inbox: &AlertInbox) -> String {
    let replacements = replacements(inbox).into_iter();
    replacements.fold(ALERTMANAGER.to_owned(), |config, (shipped, here)| {
        config.replace(shipped, &here)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_replacement_finds_what_it_replaces() {
        let inbox = AlertInbox::start(0, Box::new(|_| None)).await.unwrap();
        for (shipped, _) in replacements(&inbox) {
            assert!(ALERTMANAGER.contains(shipped), "{shipped}");
        }
        let config = alertmanager(&inbox);
        for secret in SECRETS {
            assert!(config.contains(&format!("secrets/{secret}\n")), "{secret}");
        }
        let secrets = config.matches(": secrets/").count();
        assert_eq!(secrets, SECRETS.len(), "a secret has no file");
        assert!(!config.contains("https://"), "{config}");
        assert!(RULES.contains(SHIPPED_EVALUATION));
    }

    #[test]
    fn a_scrape_signs_in_only_where_users_are_required() {
        let config = |user| {
            let address = SocketAddr::from(([127, 0, 0, 1], 1));
            let path = "/x/metrics".to_owned();
            let target = ScrapeTarget {
                address,
                path,
                user,
            };
            serde_json::from_str::<Value>(&prometheus(&target, address)).unwrap()
        };
        let job = &config(Some(("name", "password")))["scrape_configs"][0];
        assert_eq!(job["basic_auth"]["username"], "name");
        assert_eq!(job["metrics_path"], "/x/metrics");
        assert_eq!(config(None)["scrape_configs"][0]["basic_auth"], Value::Null);
    }
}
