//! Invalid bodies, one after the other, through the real refresh loops.

use super::clockwork::Clockwork;
use crate::world::{World, render};
use graph_simulator::{Api, Fault, FaultKind, Options};
use secure_score_exporter::store::Tenants;
use secure_score_model::Reason;
use serde_json::Value;
use std::time::Duration;

const CATALOGUE: &str = include_str!("../../scenarios/texts/graph/secureScoreControlProfiles.json");

/// JSON values in place of a list.
const SHAPES: [&str; 12] = [
    "",
    " ",
    "null",
    "[]",
    "{}",
    "7",
    "\"value\"",
    r#"{"value":null}"#,
    r#"{"value":{}}"#,
    r#"{"value":"[]"}"#,
    r#"{"Value":[]}"#,
    r#"{"value":[],"value":[]"#,
];

/// A body that is not a list: another JSON value, or truncated or modified
/// JSON.
fn broken(random: &mut fastrand::Rng) -> String {
    loop {
        let mut bytes = CATALOGUE.as_bytes().to_vec();
        match random.u8(..4) {
            0 => return SHAPES[random.usize(..SHAPES.len())].to_owned(),
            1 => bytes.truncate(random.usize(..bytes.len())),
            2 => {
                let place = random.usize(..bytes.len());
                bytes[place] = random.u8(..);
            }
            _ => {
                let (from, length) = (random.usize(..bytes.len()), random.usize(1..200));
                bytes.splice(from..(from + length).min(CATALOGUE.len()), []);
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if serde_json::from_str::<Value>(&text).is_err() {
            return text;
        }
    }
}

/// The data lines of the tenant.
fn data(tenants: &Tenants) -> Vec<String> {
    let text = render(tenants);
    let lines = text.lines().filter(|line| {
        line.starts_with("secure_score_control_") || line.starts_with("secure_score_tenant_")
    });
    lines.map(str::to_owned).collect()
}

async fn play(bodies: u64) {
    let time = Clockwork::new();
    let options = Options {
        tenants: 1,
        ..Options::default()
    };
    let world = World::with(options)
        .await
        .configure(|config| {
            config.refresh.profiles = Duration::from_secs(60);
            config.refresh.scores = Duration::from_secs(7 * 86_400);
            config.refresh.timeout = Duration::from_secs(30);
            config.refresh.max_staleness = Duration::from_secs(365 * 86_400);
        })
        .clocked(time.clock())
        .watch();
    time.settle(&world).await;
    let before = data(&world.store.current());
    assert!(before.len() > 100, "{before:#?}");
    let mut random = fastrand::Rng::with_seed(11);
    for number in 1..=bodies {
        let body = broken(&mut random);
        world.handle().clear_faults();
        world.inject(
            None,
            Fault::new(Api::Profiles, FaultKind::Body(body.clone())),
        );
        time.until(&world, &body, Duration::from_secs(300), |tenants| {
            let health = &tenants.states[0].health.profiles;
            health.failures.get(&Reason::Malformed) == Some(&number)
        })
        .await;
        if number % 50 == 0 || number == bodies {
            assert!(data(&world.store.current()) == before, "{body:?}");
        }
    }
    let failures = world.store.current().states[0]
        .health
        .profiles
        .failures
        .clone();
    assert_eq!(failures.len(), 1, "one reason for all: {failures:?}");
    world.handle().clear_faults();
    time.until(&world, "it recovers", Duration::from_secs(300), |tenants| {
        tenants.states[0].health.profiles.up
    })
    .await;
    assert!(data(&world.store.current()) == before);
}

#[test]
fn invalid_bodies_leave_the_data_unchanged() {
    Clockwork::run(play(200));
}

#[test]
#[ignore = "takes minutes; tests/soak runs it"]
fn ten_thousand_invalid_bodies_leave_the_data_unchanged() {
    Clockwork::run(play(10_000));
}
