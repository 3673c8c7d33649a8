//! Prometheus, Alertmanager and the inbox of `demo --full`.

use super::alert_files::{self, EVALUATION, GROUP_WAIT, SCRAPE, SECRETS, ScrapeTarget};
use super::alert_programs::AlertPrograms;
use super::server_process::ServerProcess;
use crate::commands::Failure;
use crate::commands::shipped_files::TEMPLATES;
use alert_inbox::{AlertInbox, DecisionTime, Introduction, Subject};
use anyhow::Context as _;
use graph_simulator::SimulatorHandle;
use std::convert::Infallible;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// The port of the inbox, if it is free.
const INBOX_PORT: u16 = 10368;

/// The interval of looks at the programs.
const WATCH: Duration = Duration::from_secs(1);

/// The running programs; dropping it ends them and removes their directories.
#[derive(Debug)]
pub(super) struct Alerting {
    inbox: AlertInbox,
    /// First Prometheus: without it Alertmanager receives nothing.
    servers: Vec<ServerProcess>,
    prometheus: SocketAddr,
    alertmanager: SocketAddr,
}

impl Alerting {
    /// Starts the programs, and returns when they listen.
    pub(super) async fn start(
        programs: &AlertPrograms,
        target: &ScrapeTarget,
        simulator: SimulatorHandle,
    ) -> Result<Self, Failure> {
        let inbox = AlertInbox::start(INBOX_PORT, decision_time(simulator));
        let inbox = inbox.await.context("the inbox cannot listen")?;
        let (prometheus, alertmanager) = (free_address()?, free_address()?);
        let files = [
            ("alertmanager.yml", alert_files::alertmanager(&inbox)),
            ("templates/secure-score.tmpl", TEMPLATES.to_owned()),
        ];
        let secrets = SECRETS.map(|name| (format!("secrets/{name}"), "demo".to_owned()));
        let files = files.map(|(name, text)| (name.to_owned(), text));
        let directory = directory(files.into_iter().chain(secrets))?;
        let arguments = [
            "--config.file=alertmanager.yml".to_owned(),
            "--storage.path=data".to_owned(),
            "--cluster.listen-address=".to_owned(),
            format!("--web.listen-address={alertmanager}"),
            format!("--web.external-url=http://{alertmanager}"),
        ];
        let program = &programs.alertmanager;
        let alertmanager_server =
            ServerProcess::start("Alertmanager", program, &arguments, directory)?;
        let config = alert_files::prometheus(target, alertmanager);
        let files = [
            ("prometheus.yml", config),
            ("secure-score.rules.yml", alert_files::rules()),
        ];
        let files = files.map(|(name, text)| (name.to_owned(), text));
        let arguments = [
            "--config.file=prometheus.yml".to_owned(),
            "--storage.tsdb.path=data".to_owned(),
            format!("--web.listen-address={prometheus}"),
            format!("--web.external-url=http://{prometheus}"),
        ];
        let program = &programs.prometheus;
        let directory = self::directory(files)?;
        let prometheus_server = ServerProcess::start("Prometheus", program, &arguments, directory)?;
        let mut alerting = Self {
            inbox,
            servers: vec![prometheus_server, alertmanager_server],
            prometheus,
            alertmanager,
        };
        for (server, address) in alerting.servers.iter_mut().zip([prometheus, alertmanager]) {
            server.listening(address).await?;
        }
        Ok(alerting)
    }

    /// Lets the page link to the exporter and the programs. `refresh` is the interval of
    /// the exporter; `story` says what happens by itself.
    pub(super) fn introduce(&self, status_page: &str, refresh: Duration, story: String) {
        let delays = format!(
            "The demo refreshes every {} s, scrapes every {SCRAPE} s, evaluates the rules every {EVALUATION} s and waits {GROUP_WAIT} s for further alerts. By default these are 15 min, 1 min, 1 min and 30 s. Tickets are sent in office hours only.",
            refresh.as_secs(),
        );
        let mut links = vec![("Exporter".to_owned(), status_page.to_owned())];
        let programs = self.addresses().into_iter().skip(1);
        links.extend(programs.map(|(name, url)| (name.to_owned(), url)));
        self.inbox.introduce(Introduction {
            expected: story,
            sentences: vec![delays],
            links,
        });
    }

    /// What to look at: a name and a URL each.
    pub(super) fn addresses(&self) -> [(&'static str, String); 3] {
        [
            ("inbox", self.inbox.url()),
            // Debian's lacks the newer pages: the first one leads to those that it has.
            ("Prometheus", format!("http://{}/", self.prometheus)),
            ("Alertmanager", format!("http://{}/", self.alertmanager)),
        ]
    }

    /// Logs a program that ends by itself.
    pub(super) async fn watch(&mut self) -> Infallible {
        let mut servers: Vec<&mut ServerProcess> = self.servers.iter_mut().collect();
        loop {
            tokio::time::sleep(WATCH).await;
            servers.retain_mut(|server| {
                let has_ended = server.has_ended();
                if has_ended {
                    let (program, output) = (server.name(), server.last_output());
                    tracing::error!(
                        program,
                        output,
                        hint = "start the demo again",
                        "a program has ended; the inbox receives no more pages"
                    );
                }
                !has_ended
            });
        }
    }
}

/// When the simulated administrator decided what an alert is about.
fn decision_time(simulator: SimulatorHandle) -> DecisionTime {
    Box::new(move |subject: &Subject| {
        let Subject {
            tenant,
            control,
            recommendation,
        } = subject;
        let time = match recommendation.as_str() {
            "" => simulator.accepted_at(tenant, control),
            recommendation => simulator.recommendation_changed_at(tenant, recommendation),
        };
        time.ok().flatten()
    })
}

/// An address with a port that is free now. The programs take no listening socket.
fn free_address() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    Ok(address.context("no port is free")?)
}

/// A temporary directory with files.
fn directory(files: impl IntoIterator<Item = (String, String)>) -> Result<TempDir, Failure> {
    let directory = tempfile::Builder::new()
        .prefix("secure-score-demo-")
        .tempdir()
        .context("no temporary directory can be created")?;
    for (name, text) in files {
        let file = directory.path().join(name);
        let folder = file.parent().unwrap_or_else(|| Path::new("."));
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&file, text));
        written.with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(directory)
}
