//! A simulator, a folder of keys, and the program that signs in.

use crate::process::Process;
use crate::simulated::text;
use graph_simulator::{Options, Simulator, SimulatorHandle, TenantAccess};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The result of a run of the program.
pub(crate) struct Outcome {
    pub(crate) success: bool,
    pub(crate) output: String,
}

impl Outcome {
    /// Asserts the exit status and that the output contains all `parts`.
    #[track_caller]
    pub(crate) fn expect(&self, success: bool, parts: &[&str]) {
        assert_eq!(self.success, success, "{}", self.output);
        for part in parts {
            assert!(self.output.contains(part), "{part:?} in:\n{}", self.output);
        }
    }
}

pub(crate) struct Stage {
    pub(crate) simulator: Simulator,
    folder: tempfile::TempDir,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let simulator = Simulator::start(options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), simulator.ca_pem()).unwrap();
        Self { simulator, folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn handle(&self) -> SimulatorHandle {
        self.simulator.handle()
    }

    pub(crate) fn tenant(&self, name: &str) -> TenantAccess {
        let mut tenants = self.simulator.tenants().into_iter();
        tenants.find(|tenant| tenant.name == name).unwrap()
    }

    /// Writes a file that only its owner can read.
    pub(crate) fn write(&self, name: &str, text: &str) {
        self.write_bytes(name, text.as_bytes());
    }

    pub(crate) fn write_bytes(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Registers a certificate of the folder with every application.
    pub(crate) fn register(&self, file: &str) {
        let pem = fs::read_to_string(self.folder.path().join(file)).unwrap();
        self.handle().trust_certificate(&pem).unwrap();
    }

    /// Writes a configuration for a tenant. `{client_id}` in the credential
    /// becomes the id of its application.
    pub(crate) fn configure(&self, tenant: &str, credential: &str) -> PathBuf {
        self.configure_each(&[(tenant, credential)])
    }

    pub(crate) fn configure_each(&self, credentials: &[(&str, &str)]) -> PathBuf {
        let mut config = format!(
            "simulator: {{url: \"{}\", ca_file: ca.pem}}\nrefresh: {{profiles: 10s, scores: 10s}}\ntenants:\n",
            self.simulator.url()
        );
        for (name, credential) in credentials {
            let tenant = self.tenant(name);
            config += &format!(
                "  - {{name: {name}, tenant_id: {}, cloud: simulator, credential: {{{}}}}}\n",
                tenant.entra_id,
                credential.replace("{client_id}", &tenant.client_id)
            );
        }
        let path = self.folder.path().join("secure-score.yml");
        fs::write(&path, config).unwrap();
        path
    }

    /// Runs `check` with a credential for contoso.
    pub(crate) async fn check(&self, credential: &str) -> Outcome {
        self.configure("contoso", credential);
        self.run(&["check"], &[]).await
    }

    /// Checks the configuration without network.
    pub(crate) async fn check_config(&self, credential: &str) -> Outcome {
        self.configure("contoso", credential);
        self.run(&["--config.check"], &[]).await
    }

    /// Runs the program to its end, with the configuration of the folder.
    pub(crate) async fn run(&self, words: &[&str], variables: &[(&str, &str)]) -> Outcome {
        let mut command = self.command(words, variables);
        let run = tokio::task::spawn_blocking(move || command.output());
        let output = run.await.unwrap().unwrap();
        Outcome {
            success: output.status.success(),
            output: text(&output.stdout) + &text(&output.stderr),
        }
    }

    /// Starts the exporter with the configuration of the folder.
    pub(crate) fn serve(&self) -> Process {
        self.serve_with(&[])
    }

    /// The same with more flags.
    pub(crate) fn serve_with(&self, flags: &[&str]) -> Process {
        let words = [&["--web.listen-address=127.0.0.1:0"], flags].concat();
        Process::start(&mut self.command(&words, &[]))
    }

    fn command(&self, words: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"));
        command
            .args(words)
            .arg("--config.file")
            .arg(self.folder.path().join("secure-score.yml"))
            .envs(variables.iter().copied());
        command
    }
}

/// Waits until a condition holds, which takes seconds.
pub(crate) async fn until<F: Future<Output = bool>>(mut happened: impl FnMut() -> F) {
    for _ in 0..600 {
        if happened().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it did not happen within a minute");
}
