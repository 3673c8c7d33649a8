//! The servers that tenants share: each is reached once, before the tenants.

use super::result::CheckResult;
use crate::commands::progress::Progress;
use crate::config::{Cloud, Environment, Partner, Tenant};
use crate::credentials::Credential;
use crate::graph::{HttpClients, MicrosoftServer, ServerRole};
use crate::http_client::{ExchangeStep, TransportError, through};
use jiff::SignedDuration;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::JoinSet;

/// A greater difference of the clocks is a warning.
const MAX_CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_secs(60);

/// A server of a cloud that a tenant needs.
type Need = (Cloud, ServerRole);

/// The servers, and whether they were reached.
pub(super) struct Servers(Vec<Reached>);

struct Reached {
    /// What it is needed for. Simulated tenants have one server for all.
    needs: Vec<Need>,
    name: String,
    proxy: Option<String>,
    /// By how much this machine's clock is ahead.
    answer: Result<Option<SignedDuration>, TransportError>,
}

impl Servers {
    /// Reaches each server that the tenants and partners need.
    pub(super) async fn reach(
        tenants: &[&Tenant],
        partners: &[Partner],
        clients: &HttpClients,
        environment: &Environment,
    ) -> Self {
        let of_tenants = tenants.iter().map(|it| (it.cloud, &it.credential));
        let of_partners = partners.iter().map(|it| (it.cloud, &it.credential));
        let mut servers: Vec<(Vec<Need>, MicrosoftServer)> = Vec::new();
        for need in needs(of_tenants.chain(of_partners)) {
            let Some(server) = clients.server(need.0, need.1) else {
                continue;
            };
            match servers.iter_mut().find(|(_, it)| it.name == server.name) {
                Some((needs, _)) => needs.push(need),
                None => servers.push((vec![need], server)),
            }
        }
        let progress = Progress::start(environment, "server", servers.len(), 1);
        let mut requests = JoinSet::new();
        for (needs, server) in servers {
            let steps = progress.steps();
            requests.spawn(async move {
                steps.begin(&server.name);
                let answer = server.reach().await;
                steps.end(&server.name);
                Reached {
                    needs,
                    name: server.name,
                    proxy: server.proxy,
                    answer,
                }
            });
        }
        let mut reached = requests.join_all().await;
        reached.sort_by(|a, b| a.needs.cmp(&b.needs));
        Self(reached)
    }

    /// The server without which a tenant or partner gets no token, if it cannot be
    /// reached.
    pub(super) fn unreachable_entra(&self, cloud: Cloud, credential: &Credential) -> Option<&str> {
        let is_needed = uses_entra(credential);
        self.unreachable((cloud, ServerRole::Entra))
            .filter(|_| is_needed)
    }

    /// The server of the lists, if it cannot be reached.
    pub(super) fn unreachable_graph(&self, cloud: Cloud) -> Option<&str> {
        self.unreachable((cloud, ServerRole::Graph))
    }

    fn unreachable(&self, need: Need) -> Option<&str> {
        let reached = self.0.iter().find(|it| it.needs.contains(&need))?;
        let error = reached.answer.as_ref().err()?;
        error.is_of_connection().then_some(&*reached.name)
    }

    /// A result for each server, and one for the clock.
    pub(super) fn results(&self) -> Vec<CheckResult> {
        let servers = self.0.iter().map(Reached::result);
        servers.chain(self.clock()).collect()
    }

    /// The greatest difference from a server's clock.
    fn clock(&self) -> Option<CheckResult> {
        let answers = self.0.iter();
        let differences = answers.filter_map(|it| Some((it, it.answer.as_ref().ok()?.as_ref()?)));
        let (server, ahead) = differences.max_by_key(|(_, ahead)| ahead.abs())?;
        let mut result = CheckResult::new("clock");
        let name = &server.name;
        if ahead.abs() <= MAX_CLOCK_DIFFERENCE {
            result.ok(format!("agrees with {name}"));
            return Some(result);
        }
        let difference =
            humantime::format_duration(Duration::from_secs(ahead.abs().unsigned_abs().as_secs()));
        let word = match ahead.is_positive() {
            true => "ahead of",
            false => "behind",
        };
        result.warn(
            format!("this machine is {difference} {word} {name}"),
            "set this machine's clock, for example by NTP (`timedatectl set-ntp true`): Entra refuses what a certificate signs at a wrong time, and ages of data are wrong",
        );
        Some(result)
    }
}

impl Reached {
    fn result(&self) -> CheckResult {
        let mut result = CheckResult::new(&self.name);
        let all = ExchangeStep::all(self.proxy.is_some());
        let through = through(self.proxy.as_deref());
        match &self.answer {
            Ok(_) => result.ok(format!("{} work{through}", words(all))),
            Err(error) => {
                let step = error.step();
                let passed: Vec<_> = all.iter().filter(|it| **it < step).copied().collect();
                let passed = match passed.as_slice() {
                    [] => String::new(),
                    [one] => format!(" ({one} works)"),
                    several => format!(" ({} work)", words(several)),
                };
                let hint = error.hint().unwrap_or(
                    "run the command again; if it fails again, look for a proxy or firewall that holds answers back",
                );
                let text = format!("{step}: {error}{passed}");
                match error.is_of_connection() {
                    true => result.fail_step(text, hint),
                    // Each tenant shows whether it matters.
                    false => result.warn(text, hint),
                }
            }
        }
        result
    }
}

/// `DNS, TCP and TLS`.
fn words(steps: &[ExchangeStep]) -> String {
    let words: Vec<String> = steps.iter().map(ToString::to_string).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// What is needed, each once, in the order of the output.
fn needs<'a>(credentials: impl Iterator<Item = (Cloud, &'a Credential)>) -> BTreeSet<Need> {
    let needs = credentials.flat_map(|(cloud, credential)| {
        let entra = uses_entra(credential).then_some((cloud, ServerRole::Entra));
        entra.into_iter().chain([(cloud, ServerRole::Graph)])
    });
    needs.collect()
}

/// Whether this program requests the tokens from Entra itself.
fn uses_entra(credential: &Credential) -> bool {
    credential.application_id().is_some()
}
