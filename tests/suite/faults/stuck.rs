//! An HTTP/2 connection that answers pings and no request, while new
//! connections work.

use super::clockwork::Clockwork;
use super::failures;
use super::proxy::{Network, Proxy};
use crate::stuck_server::StuckServer;
use crate::world::World;
use exporter_web_config::certificates;
use graph_simulator::Options;
use std::num::NonZeroUsize;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// All are due before the connection would be too old.
const INTERVAL: Duration = Duration::from_secs(2 * 60);

const TENANTS: usize = 12;
const CONCURRENCY: usize = 3;

/// Each permit is held for two time-outs at most.
const MAX_UNANSWERED: usize = 2 * CONCURRENCY;

struct Stage {
    time: Clockwork,
    world: World,
    proxy: Proxy,
    stuck: StuckServer,
}

impl Stage {
    /// The exporter is not started yet.
    async fn open() -> Self {
        let time = Clockwork::new();
        let world = World::with(Options {
            tenants: TENANTS,
            ..Options::default()
        })
        .await;
        let graph = world.simulator.url().trim_start_matches("https://").parse();
        let proxy = Proxy::towards(graph.unwrap());
        let stuck = StuckServer::start().await;
        let world = world
            .configure(|config| {
                config.refresh.profiles = INTERVAL;
                config.refresh.scores = INTERVAL;
                config.refresh.timeout = MINUTE / 2;
                config.refresh.concurrency = NonZeroUsize::new(CONCURRENCY).unwrap();
                let simulator = config.simulator.as_mut().unwrap();
                simulator.url = proxy.url();
                let trusted = certificates(stuck.ca_pem.as_bytes()).unwrap();
                simulator.ca.certificates.extend(trusted);
            })
            .clocked(time.clock());
        Self {
            time,
            world,
            proxy,
            stuck,
        }
    }

    /// Cuts every connection. The next one is stuck.
    async fn strike(&mut self) {
        self.proxy.set(Network::Stuck(self.stuck.address)).await;
    }

    /// Lists that failed, over all tenants.
    fn failures(&self) -> u64 {
        let tenants = self.world.store.current();
        tenants.states.iter().map(|state| failures(state)).sum()
    }

    /// Asserts that few refreshes met the connection, and that all recover.
    async fn expect_few_failures_and_recovery(&self) {
        let unanswered = self.stuck.unanswered();
        assert!(
            (2..=MAX_UNANSWERED).contains(&unanswered),
            "{unanswered} requests without an answer"
        );
        let failures = self.failures();
        assert!(failures <= 2 * MAX_UNANSWERED as u64, "{failures} failures");
        self.time
            .until(&self.world, "all recover", 2 * MINUTE, |tenants| {
                let mut health = tenants.states.iter().map(|state| &state.health);
                health.all(|it| it.profiles.up && it.scores.up)
            })
            .await;
        assert_eq!(self.stuck.unanswered(), unanswered, "it is not used again");
    }
}

#[test]
fn a_stuck_connection_to_graph_is_given_up() {
    Clockwork::run(async {
        let mut stage = Stage::open().await;
        stage.world = stage.world.watch();
        stage.time.settle(&stage.world).await;
        assert_eq!(stage.failures(), 0);
        stage.strike().await;
        stage.time.pass(&stage.world, 2 * INTERVAL).await;
        stage.expect_few_failures_and_recovery().await;
    });
}

/// The first requests of all are those for tokens.
#[test]
fn a_stuck_connection_to_the_token_endpoint_is_given_up() {
    Clockwork::run(async {
        let mut stage = Stage::open().await;
        stage.strike().await;
        stage.world = stage.world.watch();
        stage.time.settle(&stage.world).await;
        stage.expect_few_failures_and_recovery().await;
    });
}
