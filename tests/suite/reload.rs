//! A configuration that is reloaded while the exporter runs.

use crate::faults::pace;
use crate::faults::proxy::Proxy;
use crate::process::Process;
use crate::simulated::Simulated;
use crate::world::World;
use graph_simulator::{Api as Struck, Fault, FaultKind, Options, RetryAfter};
use secure_score_exporter::config::{ClientSecret, Credential, Secret};
use secure_score_exporter::refresh::Changes;
use secure_score_exporter::store::{TenantState, Tenants};
use std::fs;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Five tenants, refreshed once an hour, after the first refresh.
async fn hourly() -> World {
    let world = hourly_with(&[]).await;
    world.complete().await;
    world
}

/// The same, with faults injected into some of them.
async fn hourly_with(faults: &[(&str, Fault)]) -> World {
    let world = World::new().await.configure(|config| {
        config.refresh.profiles = HOUR;
        config.refresh.scores = HOUR;
    });
    for (tenant, fault) in faults {
        world.inject(Some(tenant), fault.clone());
    }
    let world = world.watch();
    world.attempted().await;
    world
}

fn refreshes(state: &TenantState) -> u64 {
    state.health.profiles.refreshes + state.health.scores.refreshes
}

#[tokio::test]
async fn adding_and_removing_tenants_leaves_the_others_alone() {
    let mut world = hourly().await;
    let before = world.tenant("fabrikam");
    let mut removed = None;
    let changes = world.reconfigure(|config| removed = Some(config.tenants.remove(0)));
    let expected = Changes {
        removed: 1,
        ..Changes::default()
    };
    assert_eq!(changes, expected);
    assert!(world.store.current().find("contoso").is_none());
    assert!(!world.metrics().contains("contoso"));

    let changes = world.reconfigure(|config| config.tenants.extend(removed));
    let expected = Changes {
        added: 1,
        ..Changes::default()
    };
    assert_eq!(changes, expected);
    world.attempted().await;
    assert!(
        world
            .value("secure_score_tenant_score{tenant=\"contoso\"}")
            .is_some()
    );

    let after = world.tenant("fabrikam");
    assert_eq!(
        refreshes(&after),
        refreshes(&before),
        "it was not refreshed again"
    );
    assert_eq!(
        after.health.scores.next_refresh,
        before.health.scores.next_refresh
    );
}

#[tokio::test]
async fn another_rendering_fetches_nothing() {
    let mut world = hourly().await;
    let before = world.tenant("contoso");
    let changes = world.reconfigure(|config| {
        config.lookback = NonZeroUsize::MIN;
        config.tenants[0].display_name = "Contoso renamed".to_owned();
    });
    assert_eq!(changes, Changes::default());
    let after = world.tenant("contoso");
    assert_eq!(&*after.identity.display_name, "Contoso renamed");
    assert_eq!(refreshes(&after), refreshes(&before));
    assert!(Arc::ptr_eq(
        before.snapshot.report.as_ref().unwrap(),
        after.snapshot.report.as_ref().unwrap()
    ));
}

#[tokio::test]
async fn a_new_secret_keeps_the_data() {
    let mut world = hourly().await;
    let before = world.tenant("contoso");
    let changes = world.reconfigure(|config| {
        if let Credential::ClientSecret(ClientSecret { secret, .. }) =
            &mut config.tenants[0].credential
        {
            *secret = Secret::new("another secret".to_owned());
        }
    });
    let expected = Changes {
        restarted: 1,
        ..Changes::default()
    };
    assert_eq!(changes, expected);
    let after = world.tenant("contoso");
    assert_eq!(after.snapshot, before.snapshot);
    assert_eq!(refreshes(&after), refreshes(&before), "it is not due yet");
}

#[tokio::test]
async fn a_failing_tenant_uses_a_new_secret_at_once() {
    let world = World::new().await.configure(|config| {
        config.refresh.profiles = HOUR;
        config.refresh.scores = HOUR;
    });
    let mut good = None;
    let world = world.configure(|config| {
        if let Credential::ClientSecret(ClientSecret { secret, .. }) =
            &mut config.tenants[0].credential
        {
            good = Some(std::mem::replace(secret, Secret::new("wrong".to_owned())));
        }
    });
    let mut world = world.watch();
    world.attempted().await;
    assert!(!world.tenant("contoso").health.profiles.up);
    world.reconfigure(|config| {
        if let Credential::ClientSecret(ClientSecret { secret, .. }) =
            &mut config.tenants[0].credential
        {
            *secret = good.unwrap();
        }
    });
    world
        .until("the new secret is accepted", |tenants| {
            let health = &tenants.find("contoso").unwrap().health;
            health.profiles.up && health.scores.up
        })
        .await;
}

/// Consent given in Entra changes nothing in the configuration, nor does a
/// proxy that lets requests pass again.
#[tokio::test]
async fn a_reload_retries_tenants_that_failed() {
    let token = |kind| Fault::new(Struck::Token, kind);
    let faults = [
        ("contoso", token(FaultKind::Aadsts(65001))),
        ("adatum", token(FaultKind::Aadsts(1_234_567))),
        ("litware", token(FaultKind::Malformed)),
        ("northwind", Fault::new(Struck::Scores, FaultKind::Reset)),
    ];
    let mut world = hourly_with(&faults).await;
    let others = refreshes(&world.tenant("fabrikam"));
    let is_up = |tenants: &Tenants, alias: &str| {
        let health = &tenants.find(alias).unwrap().health;
        health.profiles.up && health.scores.up
    };
    for (alias, _) in &faults {
        assert!(!is_up(&world.store.current(), alias), "{alias}");
    }
    world.handle().clear_faults();
    assert_eq!(world.reconfigure(|_| ()).restarted, faults.len());
    world
        .until("the causes are fixed", |tenants| {
            faults.iter().all(|(alias, _)| is_up(tenants, alias))
        })
        .await;
    assert_eq!(refreshes(&world.tenant("fabrikam")), others);
    assert_eq!(world.reconfigure(|_| ()), Changes::default());
}

#[tokio::test]
async fn a_reload_does_not_shorten_a_retry_after() {
    let wait = FaultKind::Throttle {
        retry_after: RetryAfter::Seconds(600),
    };
    let unavailable = FaultKind::Unavailable {
        retry_after: RetryAfter::Seconds(600),
    };
    let mut world = hourly_with(&[
        ("contoso", Fault::new(Struck::Profiles, wait)),
        ("adatum", Fault::new(Struck::Profiles, unavailable)),
        ("fabrikam", Fault::new(Struck::Profiles, FaultKind::Reset)),
    ])
    .await;
    let waiting = ["contoso", "adatum"];
    let before = waiting.map(|alias| world.tenant(alias));
    assert!(before.iter().all(|it| !it.health.profiles.up));
    world.handle().clear_faults();
    world.reconfigure(|config| config.refresh.timeout *= 2);
    world
        .until("the tenant without a delay is refreshed", |tenants| {
            tenants.find("fabrikam").unwrap().health.profiles.up
        })
        .await;
    for (alias, before) in waiting.iter().zip(before) {
        assert_eq!(world.tenant(alias).health, before.health, "{alias}");
    }
}

#[tokio::test]
async fn an_alias_of_another_tenant_starts_without_data() {
    let mut world = hourly().await;
    let changes = world.reconfigure(|config| {
        let (first, rest) = config.tenants.split_first_mut().unwrap();
        std::mem::swap(&mut first.tenant_id, &mut rest[0].tenant_id);
        std::mem::swap(&mut first.credential, &mut rest[0].credential);
    });
    assert_eq!(changes.added, 2);
    assert!(world.tenant("contoso").snapshot.controls.is_empty());
    world.attempted().await;
    assert!(!world.tenant("contoso").snapshot.controls.is_empty());
}

#[tokio::test]
async fn tenants_added_one_by_one_share_limit_and_connections() {
    const TENANTS: usize = 8;
    const CONCURRENCY: usize = 2;
    let world = World::with(Options {
        tenants: TENANTS,
        ..Options::default()
    })
    .await;
    let graph = world.simulator.url().trim_start_matches("https://").parse();
    let proxy = Proxy::towards(graph.unwrap());
    for api in [Struck::Token, Struck::Profiles, Struck::Scores] {
        let slow = FaultKind::slow(Duration::from_millis(100));
        world.inject(None, Fault::new(api, slow));
    }
    let mut tenants = Vec::new();
    let mut world = world
        .configure(|config| {
            config.refresh.profiles = HOUR;
            config.refresh.scores = HOUR;
            config.refresh.timeout = Duration::from_secs(20);
            config.refresh.concurrency = NonZeroUsize::new(CONCURRENCY).unwrap();
            config.simulator.as_mut().unwrap().url = proxy.url();
            tenants = config.tenants.split_off(1);
        })
        .watch();
    for tenant in tenants {
        world.reconfigure(|config| config.tenants.push(tenant));
    }
    world.attempted().await;
    let requests = world.handle().requests();
    let at_once = pace::most_at_once(requests.iter());
    assert_eq!(at_once, CONCURRENCY, "requests at once over all tenants");
    let connections = proxy.connections();
    assert!(connections <= CONCURRENCY, "{connections} connections");
}

#[tokio::test]
async fn another_concurrency_restarts_nothing() {
    let mut world = hourly().await;
    let more = NonZeroUsize::new(20).unwrap();
    let changes = world.reconfigure(|config| config.refresh.concurrency = more);
    assert_eq!(changes, Changes::default());
}

#[tokio::test]
async fn counters_do_not_fall_at_a_reload() {
    let mut world = World::watched().await;
    let refreshed = |before: [u64; 2]| {
        move |tenants: &Tenants| {
            let health = &tenants.find("contoso").unwrap().health;
            let lists = [&health.profiles, &health.scores];
            lists.iter().zip(before).all(|(it, n)| it.refreshes > n)
        }
    };
    world.until("some refreshes", refreshed([2, 2])).await;
    let before = world.tenant("contoso");
    let changes = world.reconfigure(|config| config.refresh.timeout *= 2);
    assert_eq!(changes.restarted, 5);
    let lists = [&before.health.profiles, &before.health.scores];
    let refreshes = lists.map(|it| it.refreshes);
    world.until("another refresh", refreshed(refreshes)).await;
    let after = world.tenant("contoso");
    let (before, after) = (&before.health.traffic, &after.health.traffic);
    for (request, count) in &before.graph {
        let now = after.graph.get(request).copied().unwrap_or_default();
        assert!(now > *count, "{request:?}: {count}, then {now}");
    }
    assert_eq!((before.tokens, after.tokens), (1, 2));
}

#[tokio::test]
async fn a_tenant_that_returns_under_another_name_keeps_a_retry_after() {
    let wait = FaultKind::Throttle {
        retry_after: RetryAfter::Seconds(600),
    };
    let mut world = hourly_with(&[("contoso", Fault::new(Struck::Profiles, wait))]).await;
    world.handle().clear_faults();
    let requests = |world: &World| {
        let requests = world.handle().requests();
        pace::of_tenant(&requests, "contoso").count()
    };
    let before = requests(&world);
    let mut tenant = None;
    world.reconfigure(|config| tenant = Some(config.tenants.remove(0)));
    world.reconfigure(|config| {
        let mut tenant = tenant.unwrap();
        tenant.alias = "contoso-again".to_owned();
        config.tenants.push(tenant);
    });
    world
        .until("it waits", |tenants| {
            let health = &tenants.find("contoso-again").unwrap().health;
            health.profiles.next_refresh.is_some() && health.scores.next_refresh.is_some()
        })
        .await;
    assert_eq!(requests(&world), before, "Graph asked to wait");
}

/// Reload by signal, as by `kill -HUP`.
#[tokio::test(flavor = "multi_thread")]
async fn sighup_reloads_the_file_and_an_invalid_one_changes_nothing() {
    let simulated = Simulated::start();
    let written = fs::read_to_string(simulated.config()).unwrap();
    let exporter = Process::exporter(&[
        "--web.listen-address=127.0.0.1:0",
        "--config.file",
        &simulated.config(),
    ]);
    let address = exporter.word_after("address=");
    let metrics = || async {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{address}/metrics");
        http.get(url).send().await.unwrap().text().await.unwrap()
    };
    let successful = "\nsecure_score_exporter_config_last_reload_successful ";

    fs::write(simulated.config(), format!("{written}refesh: {{}}\n")).unwrap();
    exporter.hang_up();
    exporter.word_after("the configuration cannot be used");
    let text = metrics().await;
    assert!(text.contains(&format!("{successful}0")));
    assert!(
        text.contains("tenant=\"contoso\""),
        "the old configuration stays"
    );
    let log = exporter.output();
    assert!(
        log.contains("secure-score.yml:") && log.contains("refresh"),
        "{log}"
    );

    let without = written.find("  - name: contoso").unwrap();
    let next = without + written[without..].find("  - name: fabrikam").unwrap();
    assert!(text.contains("\nsecure_score_exporter_series_info{series=\"full\"} 1\n"));
    let fewer = format!(
        "{}{}series: acceptances\n",
        &written[..without],
        &written[next..]
    );
    fs::write(simulated.config(), fewer).unwrap();
    exporter.hang_up();
    exporter.word_after("configuration reloaded");
    let text = metrics().await;
    assert!(text.contains(&format!("{successful}1")));
    assert!(!text.contains("tenant=\"contoso\"") && text.contains("tenant=\"fabrikam\""));
    assert!(text.contains("\nsecure_score_exporter_series_info{series=\"acceptances\"} 1\n"));
    assert!(!text.contains("series=\"full\""));
}

/// A warning is printed while the exporter starts, and many tenants make that long.
#[test]
fn a_sighup_during_the_start_is_a_reload_afterwards() {
    let simulated = Simulated::tenants(300);
    let written = fs::read_to_string(simulated.config()).unwrap();
    let with_warning = format!("tenant_files: ['none/*.yml']\n{written}");
    fs::write(simulated.config(), with_warning).unwrap();
    let mut exporter = Process::exporter(&[
        "--web.listen-address=127.0.0.1:0",
        "--config.file",
        &simulated.config(),
    ]);
    exporter.word_after("no file matches");
    exporter.hang_up();
    exporter.word_after("address=");
    exporter.word_after("configuration reloaded");
    assert_eq!(exporter.terminate(), Some(0));
}

/// The configuration without one of its tenants, and that tenant's lines.
fn split(written: &str) -> (String, String) {
    let start = written.find("  - name: contoso").unwrap();
    let end = start + written[start..].find("  - name: fabrikam").unwrap();
    let rest = format!("{}{}", &written[..start], &written[end..]);
    (rest, written[start..end].to_owned())
}

fn unindented(lines: &str) -> String {
    lines
        .lines()
        .map(|line| format!("{}\n", &line[2..]))
        .collect()
}

#[test]
fn a_tenant_file_is_loaded_when_it_appears() {
    let simulated = Simulated::start();
    let written = fs::read_to_string(simulated.config()).unwrap();
    let (rest, contoso) = split(&written);
    let with_files = format!("tenant_files: ['more/*.yml']\n{rest}");
    fs::write(simulated.config(), with_files).unwrap();
    let exporter = Process::exporter(&[
        "--web.listen-address=127.0.0.1:0",
        "--config.file",
        &simulated.config(),
    ]);
    exporter.word_after("address=");
    let more = simulated.folder().join("more");
    fs::create_dir(&more).unwrap();
    let contoso = unindented(&contoso).replace("secrets/", "../secrets/");
    fs::write(more.join("contoso.yml"), contoso).unwrap();
    assert_eq!(exporter.word_after("configuration reloaded\" added="), "1");
    fs::remove_file(more.join("contoso.yml")).unwrap();
    assert_eq!(exporter.word_after("added=0 removed="), "1");
}

#[test]
fn the_configuration_file_is_watched_only_with_auto_reload() {
    let simulated = Simulated::start();
    let written = fs::read_to_string(simulated.config()).unwrap();
    let config = simulated.config();
    let arguments = ["--web.listen-address=127.0.0.1:0", "--config.file", &config];
    let waits = Process::exporter(&arguments);
    let follows = Process::exporter(&[&arguments[..], &["--config.enable-auto-reload"]].concat());
    waits.word_after("address=");
    follows.word_after("address=");
    fs::write(simulated.config(), split(&written).0).unwrap();
    assert_eq!(follows.word_after("added=0 removed="), "1");
    waits.word_after("the configuration file was edited; its changes are not");
    assert!(!waits.output().contains("added="));
    waits.hang_up();
    assert_eq!(waits.word_after("added=0 removed="), "1");
}

#[test]
fn a_secret_rotated_on_disk_is_loaded() {
    let simulated = Simulated::start();
    let exporter = Process::exporter(&[
        "--web.listen-address=127.0.0.1:0",
        "--config.file",
        &simulated.config(),
    ]);
    exporter.word_after("address=");
    let secret = simulated.folder().join("secrets/contoso");
    assert!(secret.exists());
    fs::write(&secret, "a new secret from the vault").unwrap();
    assert_eq!(exporter.word_after("removed=0 restarted="), "1");
    assert!(!exporter.output().contains("from the vault"));
}

#[test]
fn a_rotated_secret_is_used_while_the_configuration_file_is_edited() {
    let simulated = Simulated::start();
    let exporter = Process::exporter(&[
        "--web.listen-address=127.0.0.1:0",
        "--config.file",
        &simulated.config(),
    ]);
    exporter.word_after("address=");
    simulated.remove_tenant("contoso");
    exporter.word_after("the configuration file was edited");
    let secret = simulated.folder().join("secrets/fabrikam");
    fs::write(secret, "a new secret from the vault").unwrap();
    let changes = exporter.word_after("configuration reloaded\" added=0 removed=0 restarted=");
    assert_eq!(changes, "1", "the edit is not in effect");
    exporter.hang_up();
    assert_eq!(exporter.word_after("added=0 removed=1 restarted="), "0");
}

#[test]
fn a_federated_token_that_changes_on_disk_is_another_credential() {
    let simulated = Simulated::start();
    let written = fs::read_to_string(simulated.config()).unwrap();
    let by_secret = "type: client_secret,";
    let by_token = written
        .replacen(by_secret, "type: workload_identity,", 1)
        .replacen("client_secret_file:", "token_file:", 1);
    fs::write(simulated.config(), by_token).unwrap();
    let exporter = Process::exporter(&[
        "--web.listen-address=127.0.0.1:0",
        "--config.file",
        &simulated.config(),
    ]);
    exporter.word_after("address=");
    // contoso's, which is the first: not a token that the simulator issued
    exporter.word_after("tenant=contoso");
    fs::write(simulated.folder().join("secrets/contoso"), "another token").unwrap();
    assert_eq!(exporter.word_after("removed=0 restarted="), "1");
    assert!(!exporter.output().contains("another token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_request_returns_the_outcome() {
    let simulated = Simulated::start();
    let written = fs::read_to_string(simulated.config()).unwrap();
    let config = simulated.config();
    let arguments = ["--web.listen-address=127.0.0.1:0", "--config.file", &config];
    let closed = Process::exporter(&arguments);
    let open = Process::exporter(&[&arguments[..], &["--web.enable-lifecycle"]].concat());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = |exporter: &Process, path: &str| {
        let address = exporter.word_after("address=");
        format!("http://{address}{path}")
    };
    let refused = http.post(url(&closed, "/-/reload")).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 403);
    assert!(
        refused
            .text()
            .await
            .unwrap()
            .contains("--web.enable-lifecycle")
    );
    let get = http.get(url(&open, "/-/reload")).send().await.unwrap();
    assert_eq!(get.status().as_u16(), 405);
    assert_eq!(get.headers()["allow"], "POST, PUT");

    let page = |exporter: &Process| http.get(url(exporter, "/acceptances")).send();
    let before = page(&open).await.unwrap().text().await.unwrap();
    let hidden = "hidden by the configuration";
    assert!(!before.contains(hidden), "names are shown");
    fs::write(
        simulated.config(),
        written.replace("privacy: {pages: show}", "privacy: {events: off}"),
    )
    .unwrap();
    let cross_origin = http
        .post(url(&open, "/-/reload"))
        .header("origin", "https://evil.example");
    assert_eq!(cross_origin.send().await.unwrap().status().as_u16(), 403);
    let reloaded = http.post(url(&open, "/-/reload")).send().await.unwrap();
    assert_eq!(reloaded.status().as_u16(), 200);
    let after = page(&open).await.unwrap().text().await.unwrap();
    assert!(after.contains(hidden), "names are hidden");

    fs::write(simulated.config(), format!("{written}refesh: {{}}\n")).unwrap();
    let failed = http.put(url(&open, "/-/reload")).send().await.unwrap();
    assert_eq!(failed.status().as_u16(), 500);
    assert!(
        failed
            .text()
            .await
            .unwrap()
            .contains("did you mean `refresh`?")
    );
}
