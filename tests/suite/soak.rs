//! The exporter as a process of its own, over very many refreshes with faults,
//! changes, scrapes and reloads: what it holds at the end it held at the start.

use crate::faults::rows::{Again, Place, rows};
use crate::process::Process;
use crate::receiver::Receiver;
use crate::simulated::Simulated;
use graph_simulator::{Api, Fault};
use serde_json::json;
use std::fmt;
use std::fs;
use std::time::{Duration, Instant};

/// The greatest age of a connection, and some more: after that long without a
/// fault nothing may be left of any.
const RECOVERY: Duration = Duration::from_secs(11 * 60);

/// Longer than a thread of tokio waits for work.
const IDLE: Duration = Duration::from_secs(12);

/// What memory may grow by after the first tenth.
const MOST_GROWTH: f64 = 1.1;

/// The rhythm of the simulator's configuration, that of the soak, and that of
/// a process at rest.
const WRITTEN: &str = "refresh: {profiles: 10s, scores: 10s}";
const OFTEN: &str = "refresh: {profiles: 10s, scores: 10s, timeout: 2s}";
const SELDOM: &str = "refresh: {profiles: 2h, scores: 2h, timeout: 2s}";

const CONTROL: &str = "AdminMFAV2";

/// How long a soak is.
struct Length {
    tenants: usize,
    refreshes: u64,
    reloads: u64,
    /// How often the process is looked at after the start, at equal distances.
    looks: u64,
}

/// What the process holds.
#[derive(Clone, Copy)]
struct Usage {
    resident_kib: u64,
    threads: usize,
    descriptors: usize,
}

impl Usage {
    fn of(process: &Process) -> Self {
        let folder = format!("/proc/{}", process.id());
        let status = fs::read_to_string(format!("{folder}/status")).unwrap();
        let resident = status.split_once("VmRSS:").unwrap().1;
        let resident = resident.split_whitespace().next().unwrap();
        let entries = |of: &str| fs::read_dir(format!("{folder}/{of}")).unwrap().count();
        Self {
            resident_kib: resident.parse().unwrap(),
            threads: entries("task"),
            descriptors: entries("fd"),
        }
    }

    /// Whether no thread and no descriptor was added.
    fn is_within(self, before: Self) -> bool {
        self.threads <= before.threads && self.descriptors <= before.descriptors
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            resident_kib,
            threads,
            descriptors,
        } = self;
        let resident = *resident_kib as f64 / 1_024.0;
        write!(
            f,
            "{resident:>6.1} MiB  {threads:>3} threads  {descriptors:>3} descriptors"
        )
    }
}

/// What a reload brings; the next one takes it back.
#[derive(Debug, Clone, Copy)]
enum Change {
    None,
    RemovedTenant,
    RotatedSecret,
    Labels,
    Receiver,
    Invalid,
}

impl Change {
    const ALL: [Self; 6] = [
        Self::None,
        Self::RemovedTenant,
        Self::RotatedSecret,
        Self::Labels,
        Self::Receiver,
        Self::Invalid,
    ];
}

/// A simulator, a receiver of events and the exporter.
struct Soak {
    simulated: Simulated,
    receiver: Receiver,
    exporter: Process,
    http: reqwest::Client,
    tenants: Vec<String>,
    /// The configuration without a change.
    config: String,
    random: fastrand::Rng,
    reloads: u64,
    failures: u64,
}

impl Soak {
    async fn start(tenants: usize) -> Self {
        let simulated = Simulated::tenants(tenants);
        let receiver = Receiver::start(&[]).await;
        let written = fs::read_to_string(simulated.config()).unwrap();
        assert!(written.contains(WRITTEN));
        let config = written.replace(WRITTEN, OFTEN)
            + &format!("events: {{webhook: {{url: \"{}\"}}}}\n", receiver.url());
        fs::write(simulated.config(), &config).unwrap();
        let names = config
            .lines()
            .filter_map(|it| it.strip_prefix("  - name: "));
        let tenants = names.map(str::to_owned).collect();
        let state = simulated.folder().join("state").display().to_string();
        let exporter = Process::exporter(&[
            "--web.listen-address=127.0.0.1:0",
            "--web.enable-lifecycle",
            "--config.file",
            &simulated.config(),
            "--state.dir",
            &state,
        ]);
        // A connection that is kept would be one of the descriptors.
        let http = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0);
        Self {
            simulated,
            receiver,
            exporter,
            http: http.build().unwrap(),
            tenants,
            config,
            random: fastrand::Rng::with_seed(11),
            reloads: 0,
            failures: 0,
        }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> String {
        let address = self.exporter.word_after("address=");
        let mut request = self.http.get(format!("http://{address}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        let body = answer.bytes().await.unwrap();
        String::from_utf8_lossy(&body).into_owned()
    }

    /// The values of a family of the tenants, which any category shows.
    async fn values(&self, family: &str) -> Vec<f64> {
        let metrics = self.get("/metrics?category[]=Unknown", &[]).await;
        let start = format!("{family}{{");
        let lines = metrics.lines().filter(|line| line.starts_with(&start));
        let values = lines.map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap());
        values.collect()
    }

    async fn refreshes(&self) -> u64 {
        let values = self.values("secure_score_refreshes_total").await;
        values.iter().sum::<f64>() as u64
    }

    fn any_tenant(&mut self) -> String {
        self.tenants[self.random.usize(..self.tenants.len())].clone()
    }

    /// Gives every fifth tenant another fault.
    async fn change_faults(&mut self) {
        self.simulated.clear_faults().await;
        for _ in 0..self.tenants.len().div_ceil(5) {
            let tenant = self.any_tenant();
            let fault = self.any_fault();
            if fault.api == Api::Token {
                self.simulated.revoke_tokens(&tenant).await;
            }
            let mut fault = json!(fault);
            fault["tenant"] = json!(tenant);
            self.simulated.inject(fault).await;
        }
    }

    /// One of the fault matrix, without those after which Graph wants minutes.
    fn any_fault(&mut self) -> Fault {
        let faults = rows("127.0.0.1:9").into_iter().filter_map(|row| match row {
            row if matches!(row.again, Again::AsAsked(_)) => None,
            row => match row.place {
                Place::Answer(fault) => Some(fault),
                Place::Network(_) => None,
            },
        });
        let mut faults: Vec<Fault> = faults.collect();
        faults.swap_remove(self.random.usize(..faults.len()))
    }

    /// Accepts a risk and withdraws the acceptance: an event and two entries
    /// more in the history of each.
    async fn change_a_control(&mut self) {
        let tenant = self.any_tenant();
        let acceptance = json!({"by": "alex@contoso.example", "comment": "why"});
        self.simulated.accept(&tenant, CONTROL, acceptance).await;
        self.simulated.revert(&tenant, CONTROL, "kim").await;
    }

    /// Reloads with the next change.
    async fn reload_with_change(&mut self) {
        let change = Change::ALL[self.reloads as usize % Change::ALL.len()];
        let tenant = self.any_tenant();
        fs::write(self.simulated.config(), self.changed(change)).unwrap();
        match change {
            Change::RemovedTenant => self.simulated.remove_tenant(&tenant),
            Change::RotatedSecret => self.simulated.rotate_secret(&tenant).await,
            _ => {}
        }
        self.reload(matches!(change, Change::Invalid)).await;
        self.reloads += 1;
    }

    /// The text of the configuration after a change.
    fn changed(&self, change: Change) -> String {
        match change {
            Change::None | Change::RemovedTenant | Change::RotatedSecret => self.config.clone(),
            Change::Labels => self.config.replace("comment: plain", "comment: off"),
            Change::Receiver => {
                let url = self.receiver.url();
                self.config.replace(&url, &format!("{url}another"))
            }
            Change::Invalid => format!("{}refesh: {{}}\n", self.config),
        }
    }

    async fn reload(&self, invalid: bool) {
        let address = self.exporter.word_after("address=");
        let request = self.http.post(format!("http://{address}/-/reload"));
        let status = request.send().await.unwrap().status().as_u16();
        assert_eq!(status, if invalid { 500 } else { 200 });
    }

    async fn scrape(&self) {
        let openmetrics = ("accept", "application/openmetrics-text");
        let gzip = ("accept-encoding", "gzip");
        self.get("/metrics", &[]).await;
        self.get("/metrics", &[gzip]).await;
        self.get("/metrics", &[openmetrics, gzip]).await;
        self.get("/acceptances", &[]).await;
        self.get("/api/v1/acceptances", &[]).await;
    }

    /// Faults, a change, a reload and scrapes, until there were so many
    /// refreshes.
    async fn round(&mut self, refreshes: u64) {
        self.change_faults().await;
        self.change_a_control().await;
        self.reload_with_change().await;
        self.scrape().await;
        let mut last = (self.refreshes().await, Instant::now());
        while last.0 < refreshes {
            assert!(last.1.elapsed() < RECOVERY, "no refresh after {}", last.0);
            tokio::time::sleep(Duration::from_millis(500)).await;
            let now = self.refreshes().await;
            if now > last.0 {
                last = (now, Instant::now());
            }
        }
    }

    /// What the process holds after every tenant has recovered, while lists
    /// are refreshed.
    async fn look(&mut self) -> Usage {
        self.recover(&self.config).await;
        tokio::time::sleep(IDLE).await;
        let usage = Usage::of(&self.exporter);
        self.report(usage).await;
        usage
    }

    /// What the process holds when nothing is refreshed: no more threads and
    /// descriptors than `before`.
    async fn rest(&mut self, before: Usage) {
        self.recover(&self.config.replace(OFTEN, SELDOM)).await;
        let deadline = Instant::now() + RECOVERY;
        loop {
            let refreshes = self.refreshes().await;
            tokio::time::sleep(IDLE).await;
            let usage = Usage::of(&self.exporter);
            if usage.is_within(before) && self.refreshes().await == refreshes {
                return self.report(usage).await;
            }
            assert!(
                Instant::now() < deadline,
                "more than at the start: {before}; {usage}"
            );
        }
    }

    /// Ends the faults and the changes, and waits until no list fails.
    async fn recover(&self, config: &str) {
        self.simulated.clear_faults().await;
        fs::write(self.simulated.config(), config).unwrap();
        self.reload(false).await;
        let deadline = Instant::now() + RECOVERY;
        loop {
            let up = self.values("secure_score_up").await;
            let down = up.iter().filter(|up| **up == 0.0).count();
            if down == 0 && up.len() == 2 * self.tenants.len() {
                return;
            }
            assert!(Instant::now() < deadline, "{down} lists fail");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn report(&mut self, usage: Usage) {
        let failures = self.values("secure_score_refresh_failures_total").await;
        self.failures = failures.iter().sum::<f64>() as u64;
        eprintln!(
            "{:>7} refreshes  {:>6} failed  {:>4} reloads  {usage}",
            self.refreshes().await,
            self.failures,
            self.reloads
        );
    }
}

/// Runs a soak, and returns what the process held at each look. At the end the
/// threads and the descriptors are those of the first look.
async fn run(length: &Length) -> Vec<Usage> {
    let mut soak = Soak::start(length.tenants).await;
    let first = 1 + soak.refreshes().await;
    soak.round(first).await;
    let mut usages = vec![soak.look().await];
    for look in 1..=length.looks {
        while soak.reloads < length.reloads * look / length.looks {
            let share = length.refreshes * (soak.reloads + 1) / length.reloads;
            soak.round(share).await;
        }
        usages.push(soak.look().await);
    }
    soak.rest(usages[0]).await;
    assert!(soak.failures > 0, "no fault occurred");
    let output = soak.exporter.output();
    let panic = output.lines().find(|line| line.contains("panicked"));
    assert_eq!(panic, None);
    assert!(!soak.receiver.requests().is_empty(), "no event occurred");
    usages
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_and_reloads_leave_no_thread_and_no_descriptor() {
    let length = Length {
        tenants: 30,
        refreshes: 250,
        reloads: 12,
        looks: 2,
    };
    run(&length).await;
}

/// How many refreshes a long soak has; `tests/soak` sets it.
pub(crate) fn refreshes() -> u64 {
    let refreshes = std::env::var("SOAK_REFRESHES").ok();
    refreshes.map_or(100_000, |refreshes| refreshes.parse().unwrap())
}

/// Run by `tests/soak`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes an hour; tests/soak runs it"]
async fn memory_does_not_grow() {
    let length = Length {
        tenants: 150,
        refreshes: refreshes(),
        reloads: refreshes().div_ceil(200),
        looks: 10,
    };
    let usages = run(&length).await;
    let (tenth, end) = (usages[1], usages[10]);
    let growth = end.resident_kib as f64 / tenth.resident_kib as f64;
    eprintln!("memory at the end is {growth:.3} times that after the first tenth");
    assert!(growth <= MOST_GROWTH, "memory grows: {tenth}; {end}");
}
