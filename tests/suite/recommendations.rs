//! Entra's recommendations, from the simulator to the series and events.

use crate::world::World;
use graph_simulator::{
    Api as Requested, Fault, FaultKind, Options, RecommendationsAccess, StatusChange,
};
use secure_score_exporter::config::{Config, Decisions, Enabled};
use secure_score_model::{Api, Decision, Reason, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const TENANT: &str = "contoso";
const PERSON: &str = "Alex Wilber";

/// Short, and far from the limit of requests a minute.
const INTERVAL: Duration = Duration::from_secs(3);

fn often(config: &mut Config) {
    let refresh = &mut config.refresh;
    refresh.profiles = 2 * INTERVAL;
    refresh.scores = 2 * INTERVAL;
    refresh.recommendations = INTERVAL;
    refresh.identity_scores = INTERVAL;
}

/// The tenants grant the permission, or none does.
async fn world(recommendations: RecommendationsAccess) -> World {
    let options = Options {
        recommendations,
        ..Options::default()
    };
    World::with(options).await.configure(often)
}

async fn granted() -> World {
    let world = world(RecommendationsAccess::Granted).await.watch();
    world.attempted().await;
    refreshed(&world, 1).await;
    world
}

/// Waits until both lists of Entra were refreshed this often again.
async fn refreshed(world: &World, more: u64) {
    let before: Vec<u64> = counts(world);
    world
        .until("the lists of Entra were refreshed", |tenants| {
            let state = tenants.find(TENANT).unwrap();
            let now = Api::ENTRA.map(|api| state.health.of(api).refreshes);
            now.iter()
                .zip(&before)
                .all(|(now, before)| *now >= before + more)
        })
        .await;
}

/// Waits until the catalogue was refreshed this often again.
async fn catalogue_refreshed(world: &World, more: u64) {
    let profiles = world.tenant(TENANT).health.profiles.refreshes;
    world
        .until("the catalogue was refreshed", |tenants| {
            tenants.find(TENANT).unwrap().health.profiles.refreshes >= profiles + more
        })
        .await;
}

fn counts(world: &World) -> Vec<u64> {
    let state = world.tenant(TENANT);
    Api::ENTRA.map(|api| state.health.of(api).refreshes).into()
}

fn failures(world: &World, api: Api) -> Vec<Reason> {
    let state = world.tenant(TENANT);
    state.health.of(api).failures.keys().copied().collect()
}

fn set(world: &World, name: &str, change: StatusChange) {
    let handle = world.handle();
    handle
        .set_recommendation_status(TENANT, name, change)
        .unwrap();
}

fn series(name: &str, rest: &str) -> String {
    format!(r#"secure_score_{name}{{tenant="{TENANT}"{rest}}}"#)
}

fn flags(world: &World, name: &str) -> [Option<f64>; 2] {
    let label = format!(r#",recommendation="{name}""#);
    ["recommendation_risk_accepted", "recommendation_set_aside"]
        .map(|family| world.value(&series(family, &label)))
}

async fn until_status(world: &World, name: &str, status: &str) {
    let wanted = series(
        "recommendation_status",
        &format!(r#",recommendation="{name}",status="{status}""#),
    );
    world
        .until(&wanted, |_| world.value(&wanted) == Some(1.0))
        .await;
}

/// What the webhook gets of a recommendation.
fn bodies(world: &World, name: &str) -> Vec<Value> {
    let payloads = world.queue.undelivered();
    let bodies = payloads
        .iter()
        .map(|payload| serde_json::from_str::<Value>(&payload.body).unwrap());
    let of_it = bodies.filter(|it| it["tenant"] == TENANT && it["recommendation"] == name);
    of_it
        .inspect(|it| assert_eq!(it["where"], "entra", "{it}"))
        .collect()
}

/// The events of a recommendation: from, to and person.
fn events(world: &World, name: &str) -> Vec<Value> {
    let bodies = bodies(world, name).into_iter();
    bodies
        .map(|it| json!([it["from"], it["to"], it["by"]]))
        .collect()
}

fn requests(world: &World, api: Requested) -> usize {
    let all = world.handle().requests();
    let of_tenant = all.iter().filter(|it| it.tenant.as_deref() == Some(TENANT));
    of_tenant.filter(|it| it.api == Some(api)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_status_is_reported_once_with_its_person() {
    let world = granted().await;
    set(&world, "oneAdmin", StatusChange::new("active"));
    until_status(&world, "oneAdmin", "active").await;
    let before = events(&world, "oneAdmin").len();
    for status in ["dismissed", "postponed", "active", "risk_accepted"] {
        set(&world, "oneAdmin", StatusChange::new(status).by(PERSON));
        until_status(&world, "oneAdmin", status).await;
    }
    refreshed(&world, 2).await;
    let expected = json!([
        ["active", "dismissed", PERSON],
        ["dismissed", "postponed", PERSON],
        ["postponed", "active", PERSON],
        ["active", "risk_accepted", PERSON],
    ]);
    assert_eq!(
        json!(events(&world, "oneAdmin").split_off(before)),
        expected
    );
    assert_eq!(flags(&world, "oneAdmin"), [Some(1.0), Some(1.0)]);
}

/// Lets Graph answer with these recommendations from now on, beside another one:
/// name and properties.
fn answer_with(world: &World, recommendations: &[(&str, Value)]) {
    let tenants = world.simulator.tenants();
    let tenant = tenants.iter().find(|it| it.name == TENANT).unwrap();
    let other = ("roleOverlap", json!({"status": "active"}));
    let elements = recommendations.iter().chain([&other]);
    let elements = elements.map(|(name, properties)| {
        let mut element = properties.clone();
        element["id"] = json!(format!("{}_{name}", tenant.entra_id));
        element["recommendationType"] = json!(name);
        element["category"] = json!("identitySecureScore");
        element
    });
    let list = json!({"value": elements.collect::<Vec<_>>()});
    world.handle().clear_faults();
    let answer = FaultKind::Body(list.to_string());
    world.inject(Some(TENANT), Fault::new(Requested::Recommendations, answer));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_date_of_an_earlier_acceptance_approves_no_later_one() {
    let world = world(RecommendationsAccess::Granted).await;
    let approved = Decision {
        control: None,
        recommendation: Some("oneAdmin".into()),
        // 2025-06-30
        approved_on: Some(Timestamp::from_seconds(1_751_241_600)),
        ..Decision::new("", "SEC-1", Timestamp::from_seconds(7_229_174_400))
    };
    let world = world.configure(|config| {
        config.decisions = Decisions::of(vec![approved]).unwrap();
    });
    let with = |world: &World, status: &str, by: &str| {
        let properties = json!({"status": status, "lastModifiedBy": by,
            "statusModifiedDateTime": "2025-05-01T00:00:00Z"});
        answer_with(world, &[("oneAdmin", properties)]);
    };
    with(&world, "riskAccepted", "Eve");
    let world = world.watch();
    until_status(&world, "oneAdmin", "risk_accepted").await;
    for (status, by) in [("active", "Eve"), ("dismissed", "Zed")] {
        with(&world, status, by);
        until_status(&world, "oneAdmin", status).await;
    }
    let found = bodies(&world, "oneAdmin");
    let found = found
        .iter()
        .map(|it| json!([it["to"], it["by"], it["approved"], it["at"]]));
    let expected = json!([
        ["active", "Eve", true, null],
        ["dismissed", "Zed", false, null],
    ]);
    assert_eq!(json!(found.collect::<Vec<_>>()), expected);
    let label = r#",recommendation="oneAdmin""#;
    let changed = series("recommendation_status_changed_timestamp_seconds", label);
    assert!(world.value(&changed) > Some(1.76e9), "it changed now");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leaves_and_returns_is_reported_again_if_a_person_set_it_meanwhile() {
    let world = world(RecommendationsAccess::Granted).await;
    let dismissed_by = |world: &World, person: &str, modified: &str| {
        let properties = json!({"status": "dismissed", "lastModifiedBy": person,
            "lastModifiedDateTime": modified});
        answer_with(world, &[("oneAdmin", properties)]);
    };
    let eve = ("Eve", "2025-05-01T00:00:00Z");
    let zed = ("Zed", "2025-09-01T00:00:00Z");
    dismissed_by(&world, eve.0, eve.1);
    let world = world.watch();
    until_status(&world, "oneAdmin", "dismissed").await;
    let status = series(
        "recommendation_status",
        r#",recommendation="oneAdmin",status="dismissed""#,
    );
    for (person, modified) in [eve, zed] {
        answer_with(&world, &[]);
        world
            .until("it left", |_| world.value(&status).is_none())
            .await;
        dismissed_by(&world, person, modified);
        until_status(&world, "oneAdmin", "dismissed").await;
    }
    answer_with(&world, &[]);
    world
        .until("it left", |_| world.value(&status).is_none())
        .await;
    let left = |person: &str| json!(["accepted_control_left", "dismissed", null, person]);
    let bodies = bodies(&world, "oneAdmin");
    let found = bodies
        .iter()
        .map(|it| json!([it["event"], it["from"], it["to"], it["by"]]));
    let set_anew = json!(["state_changed", "dismissed", "dismissed", "Zed"]);
    assert_eq!(
        found.collect::<Vec<_>>(),
        [left("Eve"), set_anew, left("Zed")]
    );
    let ids: BTreeSet<_> = bodies.iter().map(|it| it["id"].as_str()).collect();
    assert_eq!(ids.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_status_has_no_flag_and_is_counted() {
    let world = granted().await;
    set(
        &world,
        "oneAdmin",
        StatusChange::new("dismissed").by(PERSON),
    );
    until_status(&world, "oneAdmin", "dismissed").await;
    assert_eq!(flags(&world, "oneAdmin"), [Some(0.0), Some(1.0)]);
    set(&world, "oneAdmin", StatusChange::new("noted").by(PERSON));
    until_status(&world, "oneAdmin", "unknown").await;
    assert_eq!(flags(&world, "oneAdmin"), [None, None]);
    let unknown = series("unknown_values", r#",api="recommendations",field="status""#);
    assert!(world.value(&unknown) >= Some(1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_risk_that_is_accepted_in_one_place_and_open_in_the_other_disagrees() {
    let world = granted().await;
    let disagrees = series(
        "recommendation_disagrees",
        r#",recommendation="blockLegacyAuthentication",control="BlockLegacyAuthentication""#,
    );
    let handle = world.handle();
    handle
        .revert(TENANT, "BlockLegacyAuthentication", PERSON)
        .unwrap();
    for (status, value) in [("risk_accepted", 1.0), ("active", 0.0)] {
        let change = StatusChange::new(status).by(PERSON);
        set(&world, "blockLegacyAuthentication", change);
        world
            .until(status, |_| world.value(&disagrees) == Some(value))
            .await;
    }
    let control = "BlockLegacyAuthentication";
    handle
        .accept(TENANT, control, PERSON, "legacy printer")
        .unwrap();
    world
        .until("accepted there", |_| world.value(&disagrees) == Some(1.0))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_identity_secure_score_is_that_of_the_admin_center() {
    let world = granted().await;
    world.handle().set_identity_score(TENANT, 17, 61).unwrap();
    let score = series("identity_score", "");
    world
        .until("the score", |_| world.value(&score) == Some(17.0))
        .await;
    assert_eq!(world.value(&series("identity_max_score", "")), Some(61.0));
    let day = world.value(&series("identity_report_timestamp_seconds", ""));
    assert!(day > Some(1.7e9), "{day:?}");
}

fn with_resources(config: &mut Config) {
    for tenant in &mut config.tenants {
        tenant.recommendations.impacted_resources = true;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_resource_that_is_dismissed_is_counted() {
    let world = world(RecommendationsAccess::Granted).await;
    let world = world.configure(with_resources).watch();
    world.attempted().await;
    refreshed(&world, 1).await;
    let handle = world.handle();
    let (name, resources) = [
        "userRiskPolicy",
        "adminMFAV2",
        "mfaRegistrationV2",
        "staleApps",
    ]
    .into_iter()
    .map(|name| (name, handle.impacted_resources(TENANT, name).unwrap()))
    .find(|(_, resources)| !resources.is_empty())
    .expect("a recommendation concerns resources");
    let count = |status: &str| {
        let labels = format!(r#",recommendation="{name}",status="{status}""#);
        world.value(&series("recommendation_impacted_resources", &labels))
    };
    let before = count("dismissed").unwrap();
    let change = StatusChange::new("dismissed").by(PERSON);
    for status in ["active", "dismissed"] {
        let change = StatusChange {
            status: status.to_owned(),
            ..change.clone()
        };
        handle
            .set_resource_status(TENANT, name, &resources[0], change)
            .unwrap();
        refreshed(&world, 2).await;
    }
    let after = count("dismissed").unwrap();
    assert!(after >= 1.0 && after >= before, "{before} {after}");
    let metrics = world.metrics();
    assert!(!metrics.contains(&resources[0]), "no resource is named");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_that_lists_no_resources_lists_the_recommendations() {
    let world = world(RecommendationsAccess::Granted).await;
    let refused = FaultKind::Status(400);
    world.inject(
        None,
        Fault::new(Requested::Recommendations, refused).times(1),
    );
    let world = world
        .configure(with_resources)
        .configure(|config| config.tenants.truncate(1))
        .watch();
    until_status(&world, "oneAdmin", "active").await;
    let state = world.tenant(TENANT);
    assert_eq!(state.health.recommendations.failures, Default::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_permission_nothing_is_requested_and_nothing_fails() {
    let world = world(RecommendationsAccess::Off).await.watch();
    world.attempted().await;
    catalogue_refreshed(&world, 2).await;
    for api in [Requested::Recommendations, Requested::IdentityScores] {
        assert_eq!(requests(&world, api), 0);
    }
    assert_eq!(requests(&world, Requested::Token), 1);
    let metrics = world.metrics();
    for name in [
        "secure_score_recommendation_",
        "secure_score_identity_",
        "identity_scores",
    ] {
        let lines = metrics.lines().filter(|it| !it.starts_with('#'));
        let found: Vec<_> = lines.filter(|it| it.contains(name)).collect();
        assert_eq!(found, Vec::<&str>::new());
    }
    let up = series("up", r#",api="profiles""#);
    assert_eq!(world.value(&up), Some(1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_permission_a_refresh_costs_two_requests() {
    let world = granted().await;
    refreshed(&world, 2).await;
    let lists = [
        (Requested::Recommendations, Api::Recommendations),
        (Requested::IdentityScores, Api::IdentityScores),
    ];
    for (requested, api) in lists {
        let refreshes = world.tenant(TENANT).health.of(api).refreshes;
        let sent = requests(&world, requested) as u64;
        // A refresh may be under way.
        assert!((refreshes..=refreshes + 1).contains(&sent), "{api}: {sent}");
    }
    assert_eq!(requests(&world, Requested::Token), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_was_used_and_is_lost_is_a_failure() {
    let world = granted().await;
    set(
        &world,
        "oneAdmin",
        StatusChange::new("dismissed").by(PERSON),
    );
    until_status(&world, "oneAdmin", "dismissed").await;
    let handle = world.handle();
    handle.revoke_recommendations(TENANT).unwrap();
    handle.revoke_tokens(TENANT).unwrap();
    let up = series("up", r#",api="recommendations""#);
    world
        .until("it fails", |_| world.value(&up) == Some(0.0))
        .await;
    assert_eq!(failures(&world, Api::Recommendations), [Reason::Permission]);
    let state = world.tenant(TENANT);
    let trouble = state.health.recommendations.trouble.clone().unwrap();
    let hint = trouble.hint.unwrap();
    assert!(hint.contains("DirectoryRecommendations.Read.All"), "{hint}");
    assert_eq!(
        flags(&world, "oneAdmin"),
        [Some(0.0), Some(1.0)],
        "they stay"
    );
    let scores = series("up", r#",api="profiles""#);
    assert_eq!(world.value(&scores), Some(1.0));

    handle.grant_recommendations(TENANT).unwrap();
    handle.revoke_tokens(TENANT).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_switched_on_fails_without_the_permission() {
    let world = world(RecommendationsAccess::Off).await.configure(|config| {
        for tenant in &mut config.tenants {
            tenant.recommendations.enabled = Enabled::On;
        }
    });
    let world = world.watch();
    for api in ["recommendations", "identity_scores"] {
        let up = series("up", &format!(r#",api="{api}""#));
        world.until(&up, |_| world.value(&up) == Some(0.0)).await;
    }
    assert_eq!(requests(&world, Requested::Recommendations), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_switched_off_is_not_read_and_is_forgotten() {
    let mut world = granted().await;
    world.reconfigure(|config| {
        for tenant in &mut config.tenants {
            tenant.recommendations.enabled = Enabled::Off;
        }
    });
    let requests_before = requests(&world, Requested::Recommendations);
    catalogue_refreshed(&world, 2).await;
    assert!(requests(&world, Requested::Recommendations) <= requests_before + 1);
    let metrics = world.metrics();
    let mut lines = metrics.lines();
    let left = lines.find(|it| it.starts_with("secure_score_recommendation_"));
    assert_eq!(left, None);
    let up = series("up", r#",api="recommendations""#);
    assert_eq!(world.value(&up), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_without_the_lists_is_no_failure() {
    for status in [404, 400] {
        let world = world(RecommendationsAccess::Granted).await;
        for api in [Requested::Recommendations, Requested::IdentityScores] {
            world.inject(None, Fault::new(api, FaultKind::Status(status)));
        }
        let world = world.watch();
        world.attempted().await;
        world
            .until("they were requested", |_| {
                requests(&world, Requested::Recommendations) > 0
                    && requests(&world, Requested::IdentityScores) > 0
            })
            .await;
        catalogue_refreshed(&world, 1).await;
        for api in ["recommendations", "identity_scores"] {
            let of_list = format!(r#",api="{api}""#);
            for name in ["up", "refreshes_total"] {
                assert_eq!(world.value(&series(name, &of_list)), None, "{status}");
            }
        }
    }
}

/// The reason for which the list fails with a body, and that its data stay.
async fn refused(world: &World, body: Value) -> Vec<Reason> {
    let before = world.metrics();
    let kept = "secure_score_recommendation_";
    let of_list = |text: &str| {
        let lines = text
            .lines()
            .filter(|it| it.starts_with(kept) && it.contains(TENANT));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let fault = Fault::new(
        Requested::Recommendations,
        FaultKind::Body(body.to_string()),
    );
    world.inject(Some(TENANT), fault);
    let up = series("up", r#",api="recommendations""#);
    world
        .until("it fails", |_| world.value(&up) == Some(0.0))
        .await;
    assert!(
        of_list(&world.metrics()) == of_list(&before),
        "the list stays"
    );
    failures(world, Api::Recommendations)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_turns_empty_is_a_failure() {
    let world = granted().await;
    assert_eq!(
        refused(&world, json!({"value": []})).await,
        [Reason::Emptied]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_another_tenant_or_of_none_are_refused() {
    for id in [
        "oneAdmin",
        "_oneAdmin",
        "contoso_oneAdmin",
        "00000000-0000-0000-0000-00000000abcd_oneAdmin",
    ] {
        let world = granted().await;
        let list = json!({"value": [{"id": id, "recommendationType": "oneAdmin",
            "status": "active", "category": "identitySecureScore"}]});
        assert_eq!(refused(&world, list).await, [Reason::WrongTenant], "{id}");
    }
}
