//! The exporter never exceeds Graph's limits, whatever Graph responds.

use super::clockwork::Clockwork;
use super::pace;
use crate::world::World;
use graph_simulator::{Api, Fault, FaultKind, Options, RecordedRequest, RetryAfter};
use std::num::NonZeroUsize;
use std::time::Duration;
use tokio::time::Instant;

/// Graph's limit for an application in one tenant.
const A_MINUTE: usize = 150;
const AT_ONCE: usize = 2;

/// Concurrent refreshes, over all tenants.
const CONCURRENCY: usize = 3;

/// The shortest interval of a configuration.
const RHYTHM: Duration = Duration::from_secs(10);

/// Responses that cause retries, each for a tenant of its own.
fn worst() -> Vec<Vec<(Api, FaultKind)>> {
    use Api::{IdentityScores, Profiles, Recommendations, Scores, Token};
    let throttle = |retry_after| FaultKind::Throttle { retry_after };
    let now = RetryAfter::Seconds(0);
    vec![
        vec![
            (Profiles, FaultKind::EndlessPages),
            (Scores, FaultKind::Status(503)),
        ],
        vec![(Profiles, throttle(now)), (Scores, throttle(now))],
        vec![
            (Profiles, throttle(RetryAfter::HttpDateAgo(60))),
            (Scores, FaultKind::Reset),
        ],
        vec![
            (Profiles, FaultKind::Status(401)),
            (Scores, FaultKind::Status(401)),
        ],
        vec![
            (Profiles, FaultKind::SelectUnsupported(400)),
            (Scores, FaultKind::Truncated),
        ],
        vec![
            (Profiles, FaultKind::Status(500)),
            (Token, FaultKind::ShortLived(5)),
        ],
        vec![
            (Profiles, FaultKind::slow(RHYTHM / 5)),
            (Scores, FaultKind::slow(RHYTHM / 5)),
        ],
        vec![
            (Profiles, FaultKind::slow(RHYTHM / 5)),
            (Scores, FaultKind::slow(RHYTHM / 5)),
            (Recommendations, FaultKind::slow(RHYTHM / 5)),
            (IdentityScores, FaultKind::slow(RHYTHM / 5)),
        ],
    ]
}

/// All requests, though the simulator keeps only the last ones.
#[derive(Default)]
struct Book {
    requests: Vec<RecordedRequest>,
    until: Option<Instant>,
}

impl Book {
    fn read_on(&mut self, world: &World) {
        let new = world.handle().requests();
        let until = self.until;
        let known = |request: &RecordedRequest| until.is_some_and(|it| request.finished <= it);
        self.requests
            .extend(new.into_iter().filter(|it| !known(it)));
        self.until = self.requests.iter().map(|it| it.finished).max();
    }
}

#[test]
fn the_exporter_never_exceeds_graphs_limits() {
    Clockwork::run(async {
        let worst = worst();
        let time = Clockwork::new();
        let world = World::with(Options {
            tenants: worst.len(),
            ..Options::default()
        })
        .await
        .configure(|config| {
            config.refresh.profiles = RHYTHM;
            config.refresh.scores = RHYTHM;
            config.refresh.recommendations = RHYTHM;
            config.refresh.identity_scores = RHYTHM;
            config.refresh.timeout = RHYTHM;
            config.refresh.concurrency = NonZeroUsize::new(CONCURRENCY).unwrap();
        })
        .clocked(time.clock());
        let tenants = world.simulator.tenants().into_iter();
        let aliases: Vec<String> = tenants.map(|it| it.name).collect();
        for alias in &aliases {
            world.handle().grant_recommendations(alias).unwrap();
        }
        let world = world.watch();
        time.settle(&world).await;
        for (alias, faults) in aliases.iter().zip(worst) {
            for (api, what) in faults {
                world.inject(Some(alias), Fault::new(api, what));
            }
        }
        let mut book = Book::default();
        for _ in 0..8 {
            time.pass(&world, Duration::from_secs(60)).await;
            book.read_on(&world);
        }
        let mut busiest = (0, 0);
        for alias in &aliases {
            let fastest = pace::most_a_minute(pace::of_tenant(&book.requests, alias));
            let at_once = pace::most_at_once(pace::of_tenant(&book.requests, alias));
            assert!(fastest <= A_MINUTE, "{alias}: {fastest} in a minute");
            assert!(at_once <= AT_ONCE, "{alias}: {at_once} at once");
            busiest = (busiest.0.max(fastest), busiest.1.max(at_once));
        }
        assert!(
            busiest.0 > 60 && busiest.1 == AT_ONCE,
            "the load was too low: {busiest:?}"
        );
        let at_once = pace::most_at_once(book.requests.iter());
        assert_eq!(at_once, CONCURRENCY, "requests at once over all tenants");
    });
}
