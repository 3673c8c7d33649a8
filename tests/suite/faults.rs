//! What becomes of the data when Graph, Entra or the network misbehave.

mod bodies;
pub(crate) mod clockwork;
mod freshness;
pub(crate) mod pace;
pub(crate) mod proxy;
mod rate;
pub(crate) mod rows;
mod soak;
mod stuck;

use crate::golden;
use crate::stuck_server::StuckServer;
use crate::world::World;
use clockwork::Clockwork;
use exporter_web_config::certificates;
use graph_simulator::{Api as Struck, Options, RecommendationsAccess};
use proxy::{Network, Proxy, WrongServer};
use rows::{NetworkFault, Place, Row, rows};
use secure_score_exporter::store::TenantState;
use secure_score_exposition::{Chunk, Format};
use secure_score_model::{Api, Reason};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// How long a fault lasts: some tries, each later than the one before.
const LASTING: Duration = Duration::from_secs(45 * 60);

/// How long it takes at most until every list was asked for.
const ROUND: Duration = Duration::from_secs(91 * 60);

/// What Graph allows an application a minute in one tenant.
const ALLOWED_A_MINUTE: usize = 150;

/// The tenant with the fault, and the one that must not notice.
const STRUCK: &str = "contoso";
const OTHER: &str = "fabrikam";

/// What users run with.
const PROFILES: Duration = Duration::from_secs(15 * 60);
const SCORES: Duration = HOUR;

/// Two tenants at the rhythm users have, behind a fault that can be closed.
struct Stage {
    time: Clockwork,
    world: World,
    fault: Proxy,
    expired: WrongServer,
    misnamed: WrongServer,
    unknown: WrongServer,
    stuck: StuckServer,
    /// A server with a valid certificate that is not Graph.
    elsewhere: WrongServer,
}

impl Stage {
    async fn open() -> Self {
        let time = Clockwork::new();
        let world = World::with(Options {
            tenants: 2,
            recommendations: RecommendationsAccess::Granted,
            ..Options::default()
        })
        .await;
        let graph = world.simulator.url().trim_start_matches("https://").parse();
        let fault = Proxy::towards(graph.unwrap());
        let expired = WrongServer::start("127.0.0.1", 2021).await;
        let misnamed = WrongServer::start("graph.example", 2100).await;
        let unknown = WrongServer::start("127.0.0.1", 2100).await;
        let elsewhere = WrongServer::start("127.0.0.1", 2100).await;
        let stuck = StuckServer::start().await;
        let trusted = [&expired, &misnamed, &elsewhere].map(|it| it.ca_pem.as_str());
        let trusted = trusted.concat() + &stuck.ca_pem;
        let world = world
            .configure(|config| {
                config.refresh.profiles = PROFILES;
                config.refresh.scores = SCORES;
                config.refresh.timeout = MINUTE / 2;
                let simulator = config.simulator.as_mut().unwrap();
                simulator.url = fault.url();
                let trusted = certificates(trusted.as_bytes()).unwrap();
                simulator.ca.certificates.extend(trusted);
            })
            .clocked(time.clock())
            .watch();
        time.settle(&world).await;
        Self {
            time,
            world,
            fault,
            expired,
            misnamed,
            unknown,
            stuck,
            elsewhere,
        }
    }

    async fn strike(&mut self, place: &Place) {
        match place {
            Place::Answer(fault) => {
                self.world.inject(Some(STRUCK), fault.clone());
                if fault.api == Struck::Token {
                    self.world.handle().revoke_tokens(STRUCK).unwrap();
                }
            }
            // Too long for a host name, so no resolver is asked.
            Place::Network(NetworkFault::NoSuchName) => {
                self.lead_to(format!("https://{}.example", "x".repeat(70)));
            }
            Place::Network(fault) => {
                if *fault == NetworkFault::Stuck {
                    self.until_struck_is_next().await;
                }
                let network = self.network(*fault);
                self.fault.set(network).await;
            }
        }
    }

    /// A fault that ends with the first tenant it meets must meet this one.
    async fn until_struck_is_next(&self) {
        let due = |alias| {
            let health = &self.world.tenant(alias).health;
            health.profiles.next_refresh.min(health.scores.next_refresh)
        };
        while due(STRUCK) >= due(OTHER) {
            self.time.pass(&self.world, MINUTE).await;
        }
    }

    fn network(&self, fault: NetworkFault) -> Network {
        match fault {
            NetworkFault::Refused | NetworkFault::NoSuchName => Network::Refused,
            NetworkFault::ResetAtOnce => Network::ResetAfter(0),
            NetworkFault::ResetMidBody => Network::ResetAfter(6_000),
            NetworkFault::Silent => Network::Silent,
            NetworkFault::Stuck => Network::Stuck(self.stuck.address),
            NetworkFault::Drip => Network::Drip(Duration::from_secs(1)),
            NetworkFault::Garbage => Network::Garbage,
            NetworkFault::Expired => Network::Diverted(self.expired.address),
            NetworkFault::WrongHost => Network::Diverted(self.misnamed.address),
            NetworkFault::UnknownAuthority => Network::Diverted(self.unknown.address),
        }
    }

    async fn mend(&mut self, place: &Place) {
        match place {
            Place::Answer(_) => self.world.handle().clear_faults(),
            Place::Network(NetworkFault::NoSuchName) => self.lead_to(self.fault.url()),
            Place::Network(_) => self.fault.set(Network::Working).await,
        }
    }

    fn lead_to(&mut self, url: String) {
        self.world
            .reconfigure(|config| config.simulator.as_mut().unwrap().url = url);
    }

    /// The lines of a tenant's data.
    fn data(&self, alias: &str) -> String {
        let state = self.world.tenant(alias);
        let none = Chunk::default();
        let chunks = std::iter::once((&state.data, &none));
        let parts = secure_score_exposition::assemble(
            &secure_score_exposition::FamilyHeaders::default(),
            Format::Text,
            chunks,
        );
        let parts = parts.iter().map(|part| String::from_utf8_lossy(part));
        parts.collect()
    }

    /// The number of requests that other servers received.
    fn told_strangers(&self) -> usize {
        let strangers = [
            &self.expired,
            &self.misnamed,
            &self.unknown,
            &self.elsewhere,
        ];
        strangers
            .iter()
            .map(|it| *it.requests.lock().unwrap())
            .sum()
    }
}

fn failures(state: &TenantState) -> u64 {
    let counts = Api::ALL.map(|api| state.health.of(api).failures.values().sum::<u64>());
    counts.iter().sum()
}

/// The lists that failed for a reason, and whether any failed for another.
fn failed(state: &TenantState, reason: Reason) -> (Vec<Api>, bool) {
    let of = |api| state.health.of(api).failures.keys();
    let lists = Api::ALL
        .into_iter()
        .filter(|api| of(*api).any(|it| *it == reason));
    let others = Api::ALL
        .into_iter()
        .any(|api| of(api).any(|it| *it != reason));
    (lists.collect(), others)
}

fn interval(api: Api) -> Duration {
    match api {
        Api::Profiles => PROFILES,
        Api::Scores => SCORES,
        Api::Recommendations => HOUR / 2,
        Api::IdentityScores => HOUR,
    }
}

/// Plays one row from its first stroke to the end of its trouble.
async fn play(number: usize) {
    let mut stage = Stage::open().await;
    let row = rows(&stage.elsewhere.address.to_string()).swap_remove(number);
    let before = [STRUCK, OTHER].map(|alias| stage.data(alias));
    assert!(before[0].len() > 10_000, "there are data");
    stage.strike(&row.place).await;

    match row.reason {
        Some(reason) => {
            first_failure(&stage, &row, reason).await;
            stage.time.pass(&stage.world, LASTING).await;
        }
        None => stage.time.pass(&stage.world, ROUND).await,
    }

    assert!(
        before == [STRUCK, OTHER].map(|alias| stage.data(alias)),
        "data are lost"
    );
    let struck = stage.world.tenant(STRUCK);
    let Some(reason) = row.reason else {
        assert_eq!(failures(&struck), 0, "it heals: {:#?}", struck.health);
        let waiting = stage.world.handle().faults();
        assert!(waiting.iter().all(|it| it.applied > 0), "{waiting:?}");
        return;
    };
    let (_, others) = failed(&struck, reason);
    assert!(!others, "one fault, one reason: {:#?}", struck.health);
    let other = stage.world.tenant(OTHER);
    if matches!(row.place, Place::Answer(_)) {
        assert_eq!(failures(&other), 0, "{:#?}", other.health);
        assert!(other.health.profiles.refreshes >= 3, "its rhythm goes on");
    }
    let requests = stage.world.handle().requests();
    for alias in [STRUCK, OTHER] {
        let fastest = pace::most_a_minute(pace::of_tenant(&requests, alias));
        assert!(
            fastest <= ALLOWED_A_MINUTE,
            "{alias}: {fastest} in a minute"
        );
    }
    assert_eq!(stage.told_strangers(), 0);

    stage.mend(&row.place).await;
    let longest = row.again.wait(SCORES).1.max(SCORES + SCORES / 2);
    stage
        .time
        .until(&stage.world, "it recovers", longest, |tenants| {
            let states = tenants.states.iter();
            states
                .flat_map(|it| it.health.lists())
                .all(|(_, health)| health.up)
        })
        .await;
    assert!(
        before == [STRUCK, OTHER].map(|alias| stage.data(alias)),
        "data differ"
    );
}

/// Sees the fault counted, and when it is tried again.
async fn first_failure(stage: &Stage, row: &Row, reason: Reason) {
    stage
        .time
        .until(&stage.world, "it fails", SCORES * 2, |tenants| {
            failures(tenants.find(STRUCK).unwrap()) > 0
        })
        .await;
    let state = stage.world.tenant(STRUCK);
    let (lists, others) = failed(&state, reason);
    assert!(!others, "{:#?}", state.health);
    let health = state.health.of(lists[0]);
    let wait = health.next_refresh.unwrap().since(stage.time.now());
    let (shortest, longest) = row.again.wait(interval(lists[0]));
    let near = Duration::from_secs(5);
    assert!(
        wait + near >= shortest && wait <= longest,
        "the next try is in {wait:?}, not in {shortest:?} to {longest:?}"
    );
    assert!(!health.up);
    let trouble = health.trouble.as_ref().unwrap();
    assert!(trouble.hint.is_some(), "{trouble:?}");
    assert!(!trouble.message.contains("eyJ"), "a token: {trouble:?}");
}

/// Rows of the document's table: an outcome and the faults that have it.
type Outcomes = Vec<(String, Vec<&'static str>)>;

/// The table of the document: the faults by what comes of them.
fn table() -> String {
    let mut sections: Vec<(&str, Outcomes)> = Vec::new();
    for row in rows("") {
        let title = match &row.place {
            Place::Answer(fault) if fault.api == Struck::Token => "Entra",
            Place::Answer(fault)
                if matches!(fault.api, Struck::Recommendations | Struck::IdentityScores) =>
            {
                "Graph, the lists of Entra"
            }
            Place::Answer(_) => "Graph",
            Place::Network(_) => "The network",
        };
        let reason = row
            .reason
            .map_or_else(|| "none".to_owned(), |it| format!("`{}`", it.as_str()));
        let outcome = format!("| {reason} | {} |", row.again.text());
        if sections.last().is_none_or(|(last, _)| *last != title) {
            sections.push((title, Vec::new()));
        }
        let outcomes = &mut sections.last_mut().unwrap().1;
        match outcomes.iter_mut().find(|(it, _)| *it == outcome) {
            Some((_, names)) => names.push(row.name),
            None => outcomes.push((outcome, vec![row.name])),
        }
    }
    let mut table = String::new();
    for (title, outcomes) in sections {
        let head = "| `reason` | next try | faults |\n|---|---|---|";
        writeln!(table, "\n### {title}\n\n{head}").unwrap();
        for (outcome, names) in outcomes {
            writeln!(table, "{outcome} {} |", names.join("; ")).unwrap();
        }
    }
    table
}

/// How many rows are played at a time; they wait more than they work.
const AT_A_TIME: usize = 12;

#[test]
fn no_fault_costs_anybody_what_they_had() {
    let total = rows("").len();
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(number) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|it| *it < total)
                {
                    let played = std::panic::catch_unwind(|| Clockwork::run(play(number)));
                    if played.is_err() {
                        failed.lock().unwrap().push(number);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    let named = rows("").into_iter().enumerate();
    let named = named.filter(|(number, _)| failed.contains(number));
    let named: Vec<_> = named.map(|(_, row)| (row.name, row.place)).collect();
    assert!(named.is_empty(), "these rows failed, see above: {named:#?}");
    golden::compare_part(&page(), "faults", &table());
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reliability.md")
}
