//! How long data without a successful refresh are shown.

use super::clockwork::{Clockwork, leap};
use crate::world::{World, render};
use graph_simulator::{Api as Struck, Fault, FaultKind, Options};
use secure_score_exporter::store::Tenants;
use secure_score_model::Api;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const MAX_STALENESS: Duration = Duration::from_secs(24 * 60 * 60);

async fn two_tenants() -> World {
    let options = Options {
        tenants: 2,
        ..Options::default()
    };
    World::with(options).await.configure(|config| {
        config.refresh.profiles = 15 * MINUTE;
        config.refresh.scores = HOUR;
        config.refresh.timeout = MINUTE / 2;
        config.refresh.max_staleness = MAX_STALENESS;
    })
}

/// The families of which a tenant has series.
fn families(tenants: &Tenants, alias: &str) -> Vec<String> {
    let text = render(tenants);
    let label = format!("tenant=\"{alias}\"");
    let lines = text.lines().filter(|line| line.contains(&label));
    let mut names: Vec<String> = lines
        .filter_map(|line| Some(line.split_once('{')?.0.to_owned()))
        .collect();
    names.dedup();
    names
}

/// What is said of the refreshes and not of the score.
fn is_of_the_exporter(family: &str) -> bool {
    [
        "secure_score_up",
        "secure_score_tenant_info",
        "secure_score_last_refresh_",
        "secure_score_next_refresh_",
        "secure_score_refresh",
        "secure_score_older_reports_",
        "secure_score_graph_",
        "secure_score_token_",
        "secure_score_target_ratio",
        "secure_score_credential_",
    ]
    .iter()
    .any(|known| family.starts_with(known))
}

#[test]
fn what_nobody_confirms_is_believed_for_a_day_and_then_gone() {
    Clockwork::run(async {
        let time = Clockwork::new();
        let world = two_tenants().await.clocked(time.clock()).watch();
        time.settle(&world).await;
        let before = families(&world.store.current(), "contoso");
        for list in [Struck::Profiles, Struck::Scores] {
            world.inject(Some("contoso"), Fault::new(list, FaultKind::Forbidden));
        }
        let ends = |api| {
            let state = world.tenant("contoso");
            state
                .health
                .of(api)
                .last_success
                .unwrap()
                .plus(MAX_STALENESS)
        };
        let (first, last) = (
            ends(Api::Profiles).min(ends(Api::Scores)),
            ends(Api::Profiles).max(ends(Api::Scores)),
        );
        time.pass(&world, first.since(time.now()) - MINUTE).await;
        assert_eq!(families(&world.store.current(), "contoso"), before);
        let up = |api: &str| {
            world.value(&format!(
                "secure_score_up{{tenant=\"contoso\",api=\"{api}\"}}"
            ))
        };
        assert_eq!((up("profiles"), up("scores")), (Some(0.0), Some(0.0)));

        time.pass(&world, last.since(time.now()) + MINUTE).await;
        let of_data = |now: &Tenants| {
            let left = families(now, "contoso").into_iter();
            left.filter(|it| !is_of_the_exporter(it)).count()
        };
        world
            .until("the data are gone", |now| of_data(now) == 0)
            .await;
        let left = families(&world.store.current(), "contoso");
        assert_eq!((up("profiles"), up("scores")), (Some(0.0), Some(0.0)));
        for family in [
            "secure_score_tenant_info",
            "secure_score_last_refresh_success_timestamp_seconds",
            "secure_score_next_refresh_timestamp_seconds",
            "secure_score_refresh_failures_total",
        ] {
            assert!(left.iter().any(|it| it == family), "{family} stays");
        }
        assert_eq!(families(&world.store.current(), "fabrikam"), before);

        world.handle().clear_faults();
        time.until(&world, "it is back", 2 * HOUR, |tenants| {
            families(tenants, "contoso") == before
        })
        .await;
    });
}

#[test]
fn a_clock_that_is_set_changes_nothing() {
    for offset in [-2 * 86_400, 2 * 86_400] {
        Clockwork::run(async {
            let time = Clockwork::new();
            let (honest, set) = (time.clock(), Arc::new(AtomicI64::new(0)));
            let seconds = Arc::clone(&set);
            let clock = Arc::new(move || {
                let moved = seconds.load(Ordering::Relaxed) * 1_000_000_000;
                secure_score_model::Timestamp::from_nanos(honest().nanos() + moved)
            });
            let world = two_tenants().await.clocked(clock).watch();
            time.settle(&world).await;
            let before = families(&world.store.current(), "contoso");
            let refreshes = |tenants: &Tenants| {
                let states = tenants.states.iter();
                states.map(|it| it.health.profiles.refreshes).min().unwrap()
            };
            let so_far = refreshes(&world.store.current());
            set.store(offset, Ordering::Relaxed);
            // No list waits longer than one and a half of its interval.
            leap(15 * MINUTE + 8 * MINUTE).await;
            world
                .until("the rhythm goes on", |now| refreshes(now) > so_far)
                .await;
            assert_eq!(families(&world.store.current(), "contoso"), before);
            let state = world.tenant("contoso");
            assert!(state.health.profiles.up && state.health.profiles.failures.is_empty());
        });
    }
}
