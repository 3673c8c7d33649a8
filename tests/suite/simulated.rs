//! The simulator and the exporter as separate programs.

use crate::process::Process;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A running simulator and a configuration of its tenants.
pub(crate) struct Simulated {
    folder: tempfile::TempDir,
    control: String,
    _process: Process,
}

impl Simulated {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = Process::exporter(&[
            "simulate",
            "--quiet",
            "--listen-address=127.0.0.1:0",
            "--control.listen-address=127.0.0.1:0",
            "--config-dir",
            &folder.path().display().to_string(),
        ]);
        let control = process.word_after("control API ");
        process.word_after("configuration ");
        Self {
            folder,
            control,
            _process: process,
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
        let next = written[start + 1..].find("  - name: ");
        let end = next.map_or(written.len(), |next| start + 1 + next);
        let rest = format!("{}{}", &written[..start], &written[end..]);
        fs::write(self.config(), rest).unwrap();
    }

    /// Replaces the setting for personal data, which the simulator's
    /// configuration exports, by these sections.
    pub(crate) fn configure(&self, sections: &str) {
        let written = fs::read_to_string(self.config()).unwrap();
        let kept = written.lines().filter(|line| !line.starts_with("labels:"));
        let kept: String = kept.flat_map(|line| [line, "\n"]).collect();
        fs::write(self.config(), format!("{kept}{sections}")).unwrap();
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

    /// The number of requests that the simulator has answered.
    pub(crate) async fn requests(&self) -> usize {
        self.paths_asked().await.len()
    }

    /// The paths and queries of the requests.
    pub(crate) async fn paths_asked(&self) -> Vec<String> {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/requests", self.control);
        let answer = http.get(url).send().await.unwrap().text().await.unwrap();
        let log: Value = serde_json::from_str(&answer).unwrap();
        let requests = log.as_array().unwrap().iter();
        let paths = requests.map(|it| it["path_and_query"].as_str().unwrap().to_owned());
        paths.collect()
    }

    async fn post(&self, path: &str, body: Value) {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/{path}", self.control);
        let answer = http.post(url).body(body.to_string()).send().await.unwrap();
        let succeeded = answer.status().is_success();
        assert!(succeeded, "{path}: {}", answer.text().await.unwrap());
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
