//! Days of refreshes with a fault now here, now there.

use super::clockwork::Clockwork;
use super::rows::{Place, rows};
use crate::world::World;
use graph_simulator::{Api as Struck, Fault, Options};
use secure_score_model::Api;
use std::fmt;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(60 * 60);
const QUARTER: Duration = Duration::from_secs(15 * 60);

/// How long the faults stay the same.
const INTERVAL: Duration = Duration::from_secs(30 * 60);

/// The tenant without faults: its schedule shows whether any is missed.
const SPARED: &str = "contoso";

/// What a soak brought to light.
#[derive(Debug, Clone, Copy)]
struct Figures {
    hours: u64,
    refreshes: u64,
    failures: u64,
    /// Refreshes the spared tenant should have had by now and had not.
    missed: u64,
    tasks: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            hours,
            refreshes,
            failures,
            missed,
            tasks,
        } = self;
        write!(
            f,
            "{hours:>6} h  {refreshes:>7} refreshes  {failures:>6} failed  {missed} missed  {tasks:>4} tasks"
        )
    }
}

/// A fleet with changing faults.
struct Soak {
    time: Clockwork,
    world: World,
    random: fastrand::Rng,
    hours: u64,
}

impl Soak {
    async fn begin(tenants: usize) -> Self {
        let time = Clockwork::new();
        let options = Options {
            tenants,
            ..Options::default()
        };
        let world = World::with(options)
            .await
            .configure(|config| {
                config.refresh.profiles = QUARTER;
                config.refresh.scores = HOUR;
                config.refresh.timeout = Duration::from_secs(10);
            })
            .clocked(time.clock())
            .watch();
        time.settle(&world).await;
        Self {
            time,
            world,
            random: fastrand::Rng::with_seed(7),
            hours: 0,
        }
    }

    /// An hour in two intervals.
    async fn hour(&mut self) {
        for _ in 0..2 {
            self.change_faults();
            self.time.pass(&self.world, INTERVAL).await;
        }
        self.hours += 1;
    }

    /// Every tenth tenant has a fault that ends some time.
    fn change_faults(&mut self) {
        self.world.handle().clear_faults();
        for tenant in self.world.simulator.tenants() {
            if tenant.name == SPARED || self.random.u8(..10) > 0 {
                continue;
            }
            let fault = self.fault();
            if fault.api == Struck::Token {
                self.world.handle().revoke_tokens(&tenant.name).unwrap();
            }
            self.world.inject(Some(&tenant.name), fault);
        }
    }

    fn fault(&mut self) -> Fault {
        let faults = rows("127.0.0.1:9")
            .into_iter()
            .filter_map(|row| match row.place {
                Place::Answer(fault) => Some(fault),
                Place::Network(_) => None,
            });
        let faults: Vec<Fault> = faults.collect();
        let fault = faults[self.random.usize(..faults.len())].clone();
        fault.times(self.random.u32(1..20))
    }

    fn figures(&self) -> Figures {
        let tenants = self.world.store.current();
        let lists = || {
            let states = tenants.states.iter();
            states.flat_map(|it| Api::ALL.map(|api| it.health.of(api)))
        };
        let spared = &self.world.tenant(SPARED).health;
        // One at the start, and then one in each interval, in its phase.
        let due = |per_hour: u64| (self.hours * per_hour).saturating_sub(1);
        Figures {
            hours: self.hours,
            refreshes: lists().map(|it| it.refreshes).sum(),
            failures: lists().map(|it| it.failures.values().sum::<u64>()).sum(),
            missed: due(4).saturating_sub(spared.profiles.refreshes)
                + due(1).saturating_sub(spared.scores.refreshes),
            tasks: tokio::runtime::Handle::current()
                .metrics()
                .num_alive_tasks(),
        }
    }

    /// No faults until every tenant has recovered.
    async fn recover(&mut self) {
        self.world.handle().clear_faults();
        let up = |world: &World| {
            let tenants = world.store.current();
            let states = tenants.states.iter();
            states
                .map(|it| &it.health)
                .all(|it| it.profiles.up && it.scores.up)
        };
        for _ in 0..3 {
            self.time.pass(&self.world, HOUR).await;
            self.hours += 1;
        }
        assert!(up(&self.world), "everybody recovers");
    }
}

/// After the faults have ended, nothing is left of them.
fn assert_sound(before: Figures, after: Figures, spared_failures: u64) {
    assert_eq!(after.missed, 0, "a schedule was missed: {after}");
    assert_eq!(spared_failures, 0, "a fault of other tenants affected it");
    assert!(after.failures > 0, "no fault occurred: {after}");
    // Connections come and go; a task for every failure would show.
    assert!(
        after.tasks <= before.tasks + 16,
        "tasks pile up: {before}, {after}"
    );
}

async fn spared_failures(soak: &Soak) -> u64 {
    let health = soak.world.tenant(SPARED).health.clone();
    let counts = Api::ALL.map(|api| health.of(api).failures.values().sum::<u64>());
    counts.iter().sum()
}

#[test]
fn hours_of_changing_faults_leave_nothing_behind() {
    Clockwork::run(async {
        let mut soak = Soak::begin(6).await;
        soak.hour().await;
        let before = soak.figures();
        for _ in 0..5 {
            soak.hour().await;
        }
        soak.recover().await;
        assert_sound(before, soak.figures(), spared_failures(&soak).await);
    });
}

/// Run by `tests/soak`, which says how many refreshes it shall be: a fifth of
/// those of the [long soak](crate::soak), whose clock is the real one.
#[test]
#[ignore = "takes minutes; tests/soak runs it"]
fn days_of_changing_faults_leave_nothing_behind() {
    let wanted = crate::soak::refreshes() / 5;
    Clockwork::run(async {
        let mut soak = Soak::begin(40).await;
        for _ in 0..12 {
            soak.hour().await;
        }
        let before = soak.figures();
        eprintln!("{before}");
        let mut reported = before.refreshes;
        while soak.figures().refreshes < wanted {
            soak.hour().await;
            if soak.figures().refreshes >= reported + wanted / 5 {
                reported = soak.figures().refreshes;
                eprintln!("{}", soak.figures());
            }
        }
        soak.recover().await;
        let after = soak.figures();
        eprintln!("{after}");
        assert_sound(before, after, spared_failures(&soak).await);
    });
}
