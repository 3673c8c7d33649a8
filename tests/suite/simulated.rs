//! The simulator and the exporter as separate programs.

use crate::process::Process;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A running simulator and a configuration of its tenants.
pub(crate) struct Simulated {
    folder: tempfile::TempDir,
    control: String,
    process: Process,
}

impl Simulated {
    /// The generated tenants.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// So many generated tenants.
    pub(crate) fn tenants(count: usize) -> Self {
        Self::with(&["--tenants", &count.to_string()])
    }

    /// One tenant, with the answers in a directory.
    pub(crate) fn replay(answers: &str) -> Self {
        Self::with(&["--replay", answers])
    }

    fn with(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().display().to_string();
        let mut arguments = vec![
            "simulate",
            "--quiet",
            "--listen-address=127.0.0.1:0",
            "--control.listen-address=127.0.0.1:0",
            "--config-dir",
            &config,
        ];
        arguments.extend(flags);
        let process = Process::exporter(&arguments);
        let control = process.word_after("control API ");
        process.word_after("configuration ");
        Self {
            folder,
            control,
            process,
        }
    }

    /// Where the configuration and its secrets are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration's path.
    pub(crate) fn config(&self) -> String {
        let file = self.folder.path().join("secure-score.yml");
        file.display().to_string()
    }

    /// Removes a tenant from the configuration.
    pub(crate) fn remove_tenant(&self, name: &str) {
        let written = fs::read_to_string(self.config()).unwrap();
        let start = written.find(&format!("  - name: {name}\n")).unwrap();
        let rest = &written[start + 1..];
        let next = rest
            .find("  - name: ")
            .or_else(|| rest.find("credentials:"));
        let end = next.map_or(written.len(), |next| start + 1 + next);
        let rest = format!("{}{}", &written[..start], &written[end..]);
        fs::write(self.config(), rest).unwrap();
    }

    /// Replaces the settings for personal data, which the simulator's
    /// configuration shows, by these sections.
    pub(crate) fn configure(&self, sections: &str) {
        let written = fs::read_to_string(self.config()).unwrap();
        let personal = |line: &&str| line.starts_with("labels:") || line.starts_with("privacy:");
        let kept = written.lines().filter(|line| !personal(line));
        let kept: String = kept.flat_map(|line| [line, "\n"]).collect();
        fs::write(self.config(), format!("{kept}{sections}")).unwrap();
    }

    /// Adds a second entry for contoso, named by its domain: `again`.
    pub(crate) fn name_contoso_twice(&self) {
        let written = fs::read_to_string(self.config()).unwrap();
        let start = written.find("  - name: contoso").unwrap();
        let end = start + written[start + 1..].find("  - name:").unwrap() + 1;
        let contoso = &written[start..end];
        let id = contoso.split("tenant_id: ").nth(1).unwrap();
        let id = id.split_whitespace().next().unwrap();
        let again = contoso.replace("contoso\n", "again\n");
        let again = again.replace(id, "contoso.example");
        let both = written.replace(contoso, &format!("{contoso}{again}"));
        fs::write(self.config(), both).unwrap();
    }

    /// Injects a fault.
    pub(crate) async fn inject(&self, fault: Value) {
        self.post("faults", fault).await;
    }

    /// Removes all faults.
    pub(crate) async fn clear_faults(&self) {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/faults", self.control);
        let answer = http.delete(url).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    /// Accepts the risk of a control.
    pub(crate) async fn accept(&self, tenant: &str, control: &str, acceptance: Value) {
        let path = format!("tenants/{tenant}/controls/{control}/accept");
        self.post(&path, acceptance).await;
    }

    /// Withdraws the acceptance of a control.
    pub(crate) async fn revert(&self, tenant: &str, control: &str, by: &str) {
        let path = format!("tenants/{tenant}/controls/{control}/revert");
        self.post(&path, json!({ "by": by })).await;
    }

    /// Grants a tenant's permission to read Entra's recommendations.
    pub(crate) async fn grant_recommendations(&self, tenant: &str) {
        let path = format!("tenants/{tenant}/grant-recommendations");
        self.post(&path, json!({})).await;
    }

    /// Sets the status of a recommendation of Entra.
    pub(crate) async fn set_status(&self, tenant: &str, recommendation: &str, status: Value) {
        let path = format!("tenants/{tenant}/recommendations/{recommendation}/status");
        self.post(&path, status).await;
    }

    /// The number of requests that the simulator has answered.
    pub(crate) async fn requests(&self) -> usize {
        self.paths_asked().await.len()
    }

    /// The paths and queries of the requests.
    pub(crate) async fn paths_asked(&self) -> Vec<String> {
        let requests = self.list("requests").await.into_iter();
        let paths = requests.map(|it| it["path_and_query"].as_str().unwrap().to_owned());
        paths.collect()
    }

    /// A list of the control API.
    pub(crate) async fn list(&self, path: &str) -> Vec<Value> {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/{path}", self.control);
        let answer = http.get(url).send().await.unwrap().text().await.unwrap();
        let list: Value = serde_json::from_str(&answer).unwrap();
        list.as_array().unwrap().clone()
    }

    /// What the simulator printed.
    pub(crate) fn output(&self) -> String {
        self.process.output()
    }

    /// Removes a customer from the partner's list.
    pub(crate) async fn remove_customer(&self, name: &str) {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/partners/partner/customers/{name}", self.control);
        let answer = http.delete(url).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    /// Makes a tenant's tokens invalid.
    pub(crate) async fn revoke_tokens(&self, tenant: &str) {
        let path = format!("tenants/{tenant}/revoke-tokens");
        self.post(&path, json!({})).await;
    }

    /// Replaces a tenant's secret, also in its file.
    pub(crate) async fn rotate_secret(&self, tenant: &str) {
        let path = format!("tenants/{tenant}/rotate-secret");
        let answer = self.post(&path, json!({})).await;
        let secret = answer["client_secret"].as_str().unwrap();
        let file = self.folder.path().join("secrets").join(tenant);
        fs::write(file, secret).unwrap();
    }

    /// Sends a request of the control API.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/{path}", self.control);
        let answer = http.post(url).body(body.to_string()).send().await.unwrap();
        let succeeded = answer.status().is_success();
        let text = answer.text().await.unwrap();
        assert!(succeeded, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }
}

/// Runs the program until it ends.
pub(crate) fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"))
        .args(arguments)
        .output()
        .unwrap()
}

/// The output of a program.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
