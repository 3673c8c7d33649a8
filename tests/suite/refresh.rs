//! A tenant's data when Graph, Entra or the network fail.

use crate::faults::clockwork::leap;
use crate::world::World;
use graph_simulator::{
    Api as Struck, Fault, FaultKind, Options, RecommendationsAccess, RepeatedElement, RetryAfter,
};
use secure_score_exporter::config::Enabled;
use secure_score_exporter::store::{TenantState, Tenants};
use secure_score_model::{Api, ControlState, Reason, Timestamp};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

const MIB: usize = 1024 * 1024;

/// A fault, and the reason it must be counted under.
struct Row(Struck, FaultKind, Reason);

/// Every fault that fails a refresh. Each is injected into its own tenant.
fn rows() -> Vec<Row> {
    use Struck::{Profiles, Scores, Token};
    let foreign = || FaultKind::NextLinkForeign("evil.example".to_owned());
    vec![
        Row(
            Profiles,
            FaultKind::Throttle {
                retry_after: RetryAfter::None,
            },
            Reason::Throttled,
        ),
        Row(
            Scores,
            FaultKind::Throttle {
                retry_after: RetryAfter::Seconds(120),
            },
            Reason::Throttled,
        ),
        Row(
            Profiles,
            FaultKind::Throttle {
                retry_after: RetryAfter::HttpDate(120),
            },
            Reason::Throttled,
        ),
        Row(Profiles, FaultKind::Status(400), Reason::Rejected),
        Row(Scores, FaultKind::Status(401), Reason::Unauthorized),
        Row(Profiles, FaultKind::Forbidden, Reason::Permission),
        Row(Scores, FaultKind::Status(404), Reason::Rejected),
        Row(Scores, FaultKind::Status(500), Reason::Server),
        Row(Profiles, FaultKind::Status(503), Reason::Server),
        Row(
            Profiles,
            FaultKind::Redirect("https://evil.example/".to_owned()),
            Reason::Rejected,
        ),
        Row(Profiles, FaultKind::Partial206, Reason::Partial),
        Row(
            Scores,
            FaultKind::slow(Duration::from_secs(30)),
            Reason::Timeout,
        ),
        Row(Profiles, FaultKind::Stall, Reason::Timeout),
        Row(Scores, FaultKind::Truncated, Reason::Connection),
        Row(Profiles, FaultKind::Reset, Reason::Connection),
        Row(Profiles, FaultKind::Malformed, Reason::Malformed),
        Row(Scores, FaultKind::WrongContentType, Reason::Malformed),
        Row(Profiles, FaultKind::EmptyBody, Reason::Malformed),
        Row(Profiles, FaultKind::EmptyValue, Reason::Emptied),
        Row(Scores, FaultKind::EmptyValue, Reason::Emptied),
        Row(Profiles, FaultKind::HugeBody(17 * MIB), Reason::TooLarge),
        Row(Scores, FaultKind::GzipBomb(17 * MIB), Reason::TooLarge),
        Row(Profiles, FaultKind::NextLinkLoop, Reason::Paging),
        Row(Profiles, foreign(), Reason::Paging),
        Row(Profiles, FaultKind::NextLinkHttp, Reason::Paging),
        Row(Profiles, FaultKind::EndlessPages, Reason::Paging),
        Row(Profiles, FaultKind::WrongTenant, Reason::WrongTenant),
        Row(Scores, FaultKind::WrongTenant, Reason::WrongTenant),
        Row(Token, FaultKind::Aadsts(7_000_215), Reason::Credential),
        Row(Token, FaultKind::Aadsts(7_000_222), Reason::Credential),
        Row(Token, FaultKind::Aadsts(700_016), Reason::Consent),
        Row(Token, FaultKind::Aadsts(53_003), Reason::Policy),
        Row(Token, FaultKind::Aadsts(90_002), Reason::UnknownTenant),
        Row(
            Token,
            FaultKind::Throttle {
                retry_after: RetryAfter::Seconds(120),
            },
            Reason::Throttled,
        ),
        Row(Token, FaultKind::Status(503), Reason::Server),
        Row(Token, FaultKind::Malformed, Reason::Token),
        Row(Token, FaultKind::Stall, Reason::Timeout),
        Row(Token, FaultKind::WrongTenant, Reason::WrongTenant),
    ]
}

/// Failures by a reason of the list a fault applies to; of both for the token. A partner's
/// lists are none of a tenant.
fn failures(state: &TenantState, struck: Struck, reason: Reason) -> u64 {
    let count = |api| {
        state
            .health
            .of(api)
            .failures
            .get(&reason)
            .copied()
            .unwrap_or(0)
    };
    match struck {
        Struck::Profiles => count(Api::Profiles),
        Struck::Scores => count(Api::Scores),
        Struck::Recommendations => count(Api::Recommendations),
        Struck::IdentityScores => count(Api::IdentityScores),
        Struck::Customers | Struck::Relationships | Struck::Organization => 0,
        Struck::Token | Struck::Proxy => count(Api::Profiles) + count(Api::Scores),
    }
}

fn state<'a>(tenants: &'a Tenants, alias: &str) -> &'a TenantState {
    tenants
        .find(alias)
        .unwrap_or_else(|| panic!("no tenant {alias}"))
}

fn scored(state: &TenantState) -> usize {
    state.snapshot.scored().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_has_its_reason_and_loses_no_data() {
    let rows = rows();
    let world = World::with(Options {
        tenants: rows.len() + 1,
        ..Options::default()
    })
    .await
    .watch();
    world.attempted().await;
    let before = world.store.current();
    let (healthy, struck) = before.states.split_last().expect("there are tenants");
    for state in &before.states {
        assert!(
            state.health.profiles.up && state.health.scores.up,
            "{:?}",
            state.health
        );
    }

    for (row, tenant) in rows.iter().zip(struck) {
        let alias = &*tenant.identity.alias;
        world.inject(Some(alias), Fault::new(row.0, row.1.clone()));
        if row.0 == Struck::Token {
            world
                .handle()
                .revoke_tokens(alias)
                .expect("the tenant is there");
        }
    }
    for (row, tenant) in rows.iter().zip(struck) {
        let alias = &*tenant.identity.alias;
        let what = format!("{alias}: {:?} of {:?} counted as {:?}", row.1, row.0, row.2);
        world
            .until(&what, |now| failures(state(now, alias), row.0, row.2) > 0)
            .await;
    }

    let after = world.store.current();
    for (row, was) in rows.iter().zip(struck) {
        let is = state(&after, &was.identity.alias);
        assert_eq!(
            is.snapshot.controls.len(),
            was.snapshot.controls.len(),
            "{:?}",
            row.1
        );
        assert_eq!(scored(is), scored(was), "{:?}", row.1);
        for trouble in [&is.health.profiles.trouble, &is.health.scores.trouble]
            .into_iter()
            .flatten()
        {
            assert!(
                !trouble.message.contains("Bearer"),
                "{:?}: {trouble:?}",
                row.1
            );
        }
    }
    let alias = &*healthy.identity.alias;
    let refreshes = state(&after, alias).health.profiles.refreshes;
    assert!(
        refreshes > healthy.health.profiles.refreshes,
        "the healthy tenant is still refreshed"
    );
    world
        .until("the healthy tenant stays healthy", |now| {
            let health = &state(now, alias).health;
            health.profiles.refreshes > refreshes && health.profiles.failures.is_empty()
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_second_page_does_not_shrink_the_catalogue() {
    let world = World::watched().await;
    let before = world.tenant("contoso").snapshot.controls.len();
    assert!(before > 200, "the catalogue has two pages");
    world.inject(
        Some("contoso"),
        Fault::new(Struck::Profiles, FaultKind::Status(500)).on_page(2),
    );
    world
        .until("page 2 failed", |now| {
            failures(state(now, "contoso"), Struck::Profiles, Reason::Server) > 0
        })
        .await;
    assert_eq!(world.tenant("contoso").snapshot.controls.len(), before);
    assert_eq!(
        world.value(r#"secure_score_up{tenant="contoso",api="profiles"}"#),
        Some(0.0)
    );
    assert_eq!(
        world.value(r#"secure_score_up{tenant="contoso",api="scores"}"#),
        Some(1.0)
    );

    world.handle().clear_faults();
    world
        .until("it recovers", |now| {
            state(now, "contoso").health.profiles.up
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_malformed_element_is_skipped() {
    let world = World::watched().await;
    let ids = |now: &Tenants| -> Vec<String> {
        let controls = &state(now, "contoso").snapshot.controls;
        let listed = controls.iter().filter(|control| control.entry.is_some());
        listed.map(|control| control.id.to_string()).collect()
    };
    let before = ids(&world.store.current());
    let id = "SigninRiskPolicy";
    for malformed in [json!(7), json!(["SigninRiskPolicy"])] {
        world
            .handle()
            .set_profile_json("contoso", id, malformed.clone())
            .unwrap();
        let expected: Vec<&String> = before.iter().filter(|it| *it != id).collect();
        let what = format!("{malformed} removes {id} and nothing else");
        world
            .until(&what, |now| ids(now).iter().eq(expected.iter().copied()))
            .await;
        let skipped =
            r#"secure_score_skipped_elements{tenant="contoso",api="profiles",field="element"}"#;
        assert_eq!(world.value(skipped), Some(1.0), "{malformed}");
        assert!(
            world.tenant("contoso").health.profiles.up,
            "a malformed element is no failure"
        );
        world
            .handle()
            .set_profile_json(
                "contoso",
                id,
                json!({"id": id, "controlStateUpdates": null}),
            )
            .unwrap();
        world.until("it is back", |now| ids(now) == before).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_history_leaves_an_unknown_state_and_no_zero() {
    let world = World::watched().await;
    let id = "SigninRiskPolicy";
    let control = r#"tenant="contoso",control="SigninRiskPolicy",category="Identity""#;
    let flag = format!("secure_score_control_risk_accepted{{{control}}}");
    let unknown = format!(r#"secure_score_control_state{{{control},state="unknown"}}"#);
    for updates in [
        json!("none"),
        json!([null, null]),
        json!([{"state": "New"}]),
    ] {
        let profile =
            json!({"id": id, "controlCategory": "Identity", "controlStateUpdates": updates});
        let graph = world.handle();
        graph.set_profile_json("contoso", id, profile).unwrap();
        world
            .until("the state is unknown", |now| {
                crate::world::value(&crate::world::render(now), &unknown) == Some(1.0)
            })
            .await;
        assert_eq!(world.value(&flag), None, "{updates}");
        assert!(world.tenant("contoso").health.profiles.up);
        let untouched = json!({"id": id, "controlCategory": "Identity", "controlStateUpdates": []});
        graph.set_profile_json("contoso", id, untouched).unwrap();
        world
            .until("it is known again", |now| {
                crate::world::value(&crate::world::render(now), &flag) == Some(0.0)
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_history_entry_does_not_hide_an_acceptance() {
    let world = World::watched().await;
    let accepted = json!({"state": "Ignored", "updatedBy": "a@contoso.example", "updatedDateTime": "2026-11-20T08:00:00Z"});
    let profile = json!({"id": "UserRiskPolicy", "controlCategory": "Identity",
        "controlStateUpdates": [null, 7, ["Default"], accepted]});
    world
        .handle()
        .set_profile_json("contoso", "UserRiskPolicy", profile)
        .unwrap();
    let flag = r#"secure_score_control_risk_accepted{tenant="contoso",control="UserRiskPolicy",category="Identity"}"#;
    world
        .until("the acceptance is shown", |now| {
            crate::world::value(&crate::world::render(now), flag) == Some(1.0)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_with_partial_responses_only_still_shows_changes() {
    let world = World::new().await;
    world.inject(
        Some("contoso"),
        Fault::new(Struck::Profiles, FaultKind::Partial206),
    );
    let world = world.watch();
    world.attempted().await;
    world
        .handle()
        .accept("contoso", "UserRiskPolicy", "a@contoso.example", "why")
        .unwrap();
    let flag = r#"secure_score_control_risk_accepted{tenant="contoso",control="UserRiskPolicy",category="Identity"}"#;
    world
        .until("the acceptance is shown", |now| {
            crate::world::value(&crate::world::render(now), flag) == Some(1.0)
        })
        .await;
    assert_eq!(
        world.value(r#"secure_score_up{tenant="contoso",api="profiles"}"#),
        Some(0.0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_in_a_partial_response_shows_at_once() {
    let world = World::watched().await;
    let before = world.tenant("contoso").snapshot.controls.len();
    let partial = Fault::new(Struck::Profiles, FaultKind::Partial206);
    world.inject(Some("contoso"), partial);
    world
        .handle()
        .accept("contoso", "UserRiskPolicy", "a@contoso.example", "why")
        .unwrap();
    let flag = r#"secure_score_control_risk_accepted{tenant="contoso",control="UserRiskPolicy",category="Identity"}"#;
    world
        .until("the acceptance is shown", |now| {
            crate::world::value(&crate::world::render(now), flag) == Some(1.0)
        })
        .await;
    let up = world.value(r#"secure_score_up{tenant="contoso",api="profiles"}"#);
    assert_eq!(up, Some(0.0));
    assert_eq!(world.tenant("contoso").snapshot.controls.len(), before);
    world
        .until("the event is emitted", |_| {
            let events = world.queue.undelivered();
            let mut events = events.iter();
            events.any(|event| &*event.control == "UserRiskPolicy")
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_dated_in_the_future_ends_with_its_withdrawal() {
    let world = World::watched().await;
    let set = |state, at: &str| {
        let at = Some(at.parse().unwrap());
        let by = Some("a@contoso.example");
        let handle = world.handle();
        let why = Some("why");
        handle
            .set_state("contoso", "UserRiskPolicy", state, by, why, at)
            .unwrap();
    };
    let flag = r#"secure_score_control_risk_accepted{tenant="contoso",control="UserRiskPolicy",category="Identity"}"#;
    let shows = |value| {
        move |now: &Tenants| crate::world::value(&crate::world::render(now), flag) == Some(value)
    };
    set("Ignored", "2099-01-01T00:00:00Z");
    world.until("the risk is accepted", shows(1.0)).await;
    let now = humantime::format_rfc3339(SystemTime::now()).to_string();
    set("Default", &now);
    world.until("the withdrawal counts", shows(0.0)).await;
    let acceptances = r#"secure_score_control_risk_acceptances{tenant="contoso",control="UserRiskPolicy",category="Identity"}"#;
    assert_eq!(world.value(acceptances), Some(1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_report_is_counted_and_not_used() {
    let world = World::watched().await;
    let score = r#"secure_score_tenant_score{tenant="contoso"}"#;
    let before = world.value(score);
    let id = world.tenant("contoso").identity.entra_tenant_id.clone();
    let older = json!({"value": [{"azureTenantId": id, "createdDateTime": "2020-01-01T00:00:00Z",
        "currentScore": 1, "maxScore": 2, "controlScores": []}]});
    let fault = Fault::new(Struck::Scores, FaultKind::Body(older.to_string()));
    world.inject(Some("contoso"), fault);
    let counter = r#"secure_score_older_reports_total{tenant="contoso"}"#;
    world
        .until("it is counted", |now| {
            crate::world::value(&crate::world::render(now), counter) > Some(0.0)
        })
        .await;
    assert_eq!(world.value(score), before);
    let up = world.value(r#"secure_score_up{tenant="contoso",api="scores"}"#);
    assert_eq!(up, Some(1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_2050_is_no_report() {
    let world = World::watched().await;
    let before = world.tenant("contoso");
    let id = before.identity.entra_tenant_id.clone();
    let future = json!({"value": [{"azureTenantId": id, "createdDateTime": "2050-01-01T00:00:00Z",
        "currentScore": 1, "maxScore": 2, "controlScores": []}]});
    let fault = Fault::new(Struck::Scores, FaultKind::Body(future.to_string()));
    world.inject(Some("contoso"), fault);
    world
        .until("it is refused", |now| {
            failures(state(now, "contoso"), Struck::Scores, Reason::Malformed) > 0
        })
        .await;
    let after = world.tenant("contoso");
    assert_eq!(after.snapshot, before.snapshot);
    let message = after
        .health
        .scores
        .trouble
        .as_ref()
        .unwrap()
        .message
        .clone();
    assert!(message.contains("2050-01-01"), "{message}");
    world.handle().clear_faults();
    let is_up = |now: &Tenants| state(now, "contoso").health.scores.up;
    world.until("the next report counts", is_up).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_support_for_select_all_properties_are_requested() {
    for status in [400, 501] {
        let world = World::new().await;
        world.inject(
            None,
            Fault::new(Struck::Profiles, FaultKind::SelectUnsupported(status)),
        );
        let world = world.watch();
        world.attempted().await;
        let state = world.tenant("contoso");
        assert!(
            state.health.profiles.up,
            "{status}: {:?}",
            state.health.profiles.trouble
        );
        assert!(state.snapshot.controls.len() > 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_replaced_within_the_same_refresh() {
    let world = World::watched().await;
    let tokens = world.tenant("contoso").health.traffic.tokens;
    world.handle().revoke_tokens("contoso").unwrap();
    world
        .until("a second token was fetched", |now| {
            state(now, "contoso").health.traffic.tokens > tokens
        })
        .await;
    let health = world.tenant("contoso").health.clone();
    assert!(
        health.profiles.failures.is_empty() && health.scores.failures.is_empty(),
        "{health:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_page_is_requested_again_after_retry_after() {
    let world = World::new().await;
    let throttle = FaultKind::Throttle {
        retry_after: RetryAfter::Seconds(1),
    };
    world.inject(
        Some("contoso"),
        Fault::new(Struck::Profiles, throttle).on_page(2).times(1),
    );
    let world = world.watch();
    world.attempted().await;
    let state = world.tenant("contoso");
    assert!(
        state.health.profiles.up,
        "{:?}",
        state.health.profiles.trouble
    );
    assert_eq!(state.health.traffic.throttled, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_report_takes_one_request_and_no_next_link() {
    let world = World::watched().await;
    let followed = world.handle().requests().into_iter().filter(|request| {
        request.api == Some(Struck::Scores) && request.path_and_query.contains("skiptoken")
    });
    assert_eq!(followed.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn accepting_and_reverting_between_two_refreshes_is_counted() {
    let world = World::watched().await;
    let count = |now: &Tenants| {
        let snapshot = &state(now, "contoso").snapshot;
        let control = snapshot
            .controls
            .iter()
            .find(|c| &*c.id == "UserRiskPolicy")
            .expect("it is listed");
        control
            .entry
            .as_ref()
            .and_then(|entry| entry.history.acceptances())
    };
    assert_eq!(count(&world.store.current()), Some(0));
    world
        .handle()
        .accept(
            "contoso",
            "UserRiskPolicy",
            "dana@contoso.example",
            "a test",
        )
        .unwrap();
    world
        .handle()
        .revert("contoso", "UserRiskPolicy", "dana@contoso.example")
        .unwrap();
    world
        .until("the acceptance is counted", |now| count(now) == Some(1))
        .await;
    let snapshot = world.tenant("contoso").snapshot.clone();
    let control = snapshot
        .controls
        .iter()
        .find(|c| &*c.id == "UserRiskPolicy")
        .unwrap();
    assert_eq!(control.state(), Some(ControlState::ToAddress));
    let labels = r#"{tenant="contoso",control="UserRiskPolicy",category="Identity"}"#;
    assert_eq!(
        world.value(&format!("secure_score_control_risk_accepted{labels}")),
        Some(0.0)
    );
    assert_eq!(
        world.value(&format!(
            "secure_score_control_risk_accepted_in_lookback{labels}"
        )),
        Some(1.0)
    );
}

/// Contoso by its domain, not yet refreshed, and its id.
async fn contoso_by_domain() -> (World, String) {
    let world = World::new().await;
    let mut tenants = world.simulator.tenants().into_iter();
    let contoso = tenants.find(|it| it.name == "contoso").unwrap();
    let world = world.configure(|config| {
        let tenants = config.tenants.iter_mut();
        for tenant in tenants.filter(|it| it.alias == "contoso") {
            tenant.tenant_id.clone_from(&contoso.domain);
        }
    });
    (world, contoso.entra_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_configured_by_domain_learns_its_id() {
    let (world, id) = contoso_by_domain().await;
    let world = world.watch();
    world.attempted().await;
    let state = world.tenant("contoso");
    assert!(
        state.health.profiles.up,
        "{:?}",
        state.health.profiles.trouble
    );
    assert_eq!(state.identity.entra_tenant_id.as_deref(), Some(&*id));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_id_is_learnt_from_a_list_about_two_tenants() {
    let (world, id) = contoso_by_domain().await;
    let other = "ffffffff-0000-4000-8000-00000000beef";
    let element = |name, tenant: &str| {
        json!({"id": name, "azureTenantId": tenant, "controlStateUpdates": [],
            "currentScore": 1, "maxScore": 2, "createdDateTime": "2026-11-01T00:00:00Z",
            "controlScores": [{"controlName": "A", "score": 1}]})
    };
    let mixed = json!({"value": [element("a", &id), element("b", other)]});
    for list in [Struck::Profiles, Struck::Scores] {
        let fault = Fault::new(list, FaultKind::Body(mixed.to_string()));
        world.inject(Some("contoso"), fault);
    }
    let world = world.watch();
    world.attempted().await;
    let state = world.tenant("contoso");
    for api in Api::SECURE_SCORE {
        let failures = &state.health.of(api).failures;
        let trouble = &state.health.of(api).trouble;
        assert_eq!(
            failures.get(&Reason::WrongTenant),
            Some(&1),
            "{api:?}: {trouble:?}"
        );
    }
    assert_eq!(state.identity.entra_tenant_id, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_that_moves_while_the_exporter_runs_is_the_wrong_tenant() {
    let world = World::new().await;
    let domains = world.simulator.tenants();
    let world = world
        .configure(|config| {
            for (tenant, access) in config.tenants.iter_mut().zip(domains) {
                tenant.tenant_id = access.domain;
            }
        })
        .watch();
    world.complete().await;
    for (alias, struck) in [
        ("contoso", &[Struck::Profiles, Struck::Scores][..]),
        ("fabrikam", &[Struck::Token]),
    ] {
        let before = world.tenant(alias);
        for list in struck {
            let fault = Fault::new(*list, FaultKind::WrongTenant);
            world.inject(Some(alias), fault);
        }
        world.handle().revoke_tokens(alias).unwrap();
        let what = format!("both lists of {alias} are refused");
        world
            .until(&what, |now| {
                let lists = [Struck::Profiles, Struck::Scores];
                let count = |list| failures(state(now, alias), list, Reason::WrongTenant);
                lists.into_iter().all(|list| count(list) > 0)
            })
            .await;
        let after = world.tenant(alias);
        assert_eq!(after.snapshot, before.snapshot, "{alias}");
        assert_eq!(after.identity, before.identity, "{alias}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_id_in_another_case_is_the_same_tenant() {
    let world = World::with(Options {
        recommendations: RecommendationsAccess::Granted,
        ..Options::default()
    });
    let world = world
        .await
        .configure(|config| config.refresh.recommendations = config.refresh.profiles)
        .watch();
    world.attempted().await;
    let has_recommendations = |now: &Tenants| state(now, "contoso").health.recommendations.up;
    world.until("each list was read", has_recommendations).await;
    let before = world.tenant("contoso");
    for api in [
        Struck::Token,
        Struck::Profiles,
        Struck::Scores,
        Struck::Recommendations,
    ] {
        let fault = Fault::new(api, FaultKind::UpperCaseTenant);
        world.inject(Some("contoso"), fault);
    }
    world.handle().revoke_tokens("contoso").unwrap();
    let tokens = before.health.traffic.tokens;
    world
        .until("all lists are read with a new token", |now| {
            let health = &state(now, "contoso").health;
            let read = |api: Api| health.of(api).refreshes > before.health.of(api).refreshes + 1;
            let lists = [Api::Profiles, Api::Scores, Api::Recommendations];
            health.traffic.tokens > tokens && lists.into_iter().all(read)
        })
        .await;
    let after = world.tenant("contoso");
    for (api, health) in after.health.lists() {
        assert!(health.failures.is_empty(), "{api:?}: {:?}", health.trouble);
    }
    assert_eq!(after.identity, before.identity);
}

/// The older copy lacks the newest change of its history.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_copies_of_a_control_on_two_pages_the_newer_counts() {
    let world = World::watched().await;
    let before = world.tenant("contoso").snapshot.controls.clone();
    let duplicates =
        r#"secure_score_skipped_elements{tenant="contoso",api="profiles",field="duplicate"}"#;
    let shows = |count| {
        move |now: &Tenants| {
            crate::world::value(&crate::world::render(now), duplicates) == Some(count)
        }
    };
    for order in [RepeatedElement::OlderFirst, RepeatedElement::OlderSecond] {
        let fault = FaultKind::RepeatedElement(order);
        world.inject(Some("contoso"), Fault::new(Struck::Profiles, fault));
        world.until("one has two copies", shows(1.0)).await;
        let now = world.tenant("contoso").snapshot.controls.clone();
        assert_eq!(now, before, "{order:?}");
        world.handle().clear_faults();
        world.until("it has one", shows(0.0)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_tenant_without_a_score_is_no_failure() {
    let world = World::new().await;
    for list in [Struck::Profiles, Struck::Scores] {
        world.inject(Some("contoso"), Fault::new(list, FaultKind::EmptyValue));
    }
    let world = world.watch();
    world.attempted().await;
    for list in ["profiles", "scores"] {
        let up = format!(r#"secure_score_up{{tenant="contoso",api="{list}"}}"#);
        assert_eq!(world.value(&up), Some(1.0));
    }
    assert_eq!(
        world.value(r#"secure_score_tenant_score{tenant="contoso"}"#),
        None
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_sent_once_for_both_lists() {
    let world = World::new().await;
    world.inject(
        Some("contoso"),
        Fault::new(Struck::Token, FaultKind::Aadsts(7_000_215)),
    );
    let world = world.watch();
    world.attempted().await;
    let asked = world.handle().requests().into_iter().filter(|request| {
        request.api == Some(Struck::Token) && request.tenant.as_deref() == Some("contoso")
    });
    assert_eq!(asked.count(), 1);
    let state = world.tenant("contoso");
    for api in Api::SECURE_SCORE {
        let failures = &state.health.of(api).failures;
        assert_eq!(
            failures.get(&Reason::Credential),
            Some(&1),
            "{}",
            api.as_str()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_any_states_is_rejected() {
    let world = World::new().await;
    let world = world.configure(|config| config.tenants.truncate(1)).watch();
    world.attempted().await;
    let alias = &*world.store.current().states[0].identity.alias.clone();
    let before = world.tenant(alias).snapshot.controls.len();
    for control in &world.tenant(alias).snapshot.controls {
        if control.entry.is_some() {
            let id = &*control.id;
            world
                .handle()
                .set_profile_json(alias, id, json!({"id": id}))
                .unwrap();
        }
    }
    world
        .until("it is rejected", |now| {
            failures(state(now, alias), Struck::Profiles, Reason::Malformed) > 0
        })
        .await;
    assert_eq!(world.tenant(alias).snapshot.controls.len(), before);
}

/// A bug in the exporter, played by a wall clock that panics. It is read three
/// times in a refresh of the catalogue: when the list is applied, when the
/// outcome is recorded and when events are detected.
#[tokio::test]
async fn a_panic_is_contained_counted_and_retried_with_backoff() {
    const QUARTER: Duration = Duration::from_secs(15 * 60);
    let panics_in = Arc::<AtomicU32>::default();
    let calls = Arc::clone(&panics_in);
    let clock = move || {
        let left = calls.load(Ordering::Relaxed);
        calls.store(left.saturating_sub(1), Ordering::Relaxed);
        assert_ne!(left, 1, "a bug in the exporter");
        Timestamp::from(SystemTime::now())
    };
    let world = World::new().await.configure(|config| {
        config.tenants.truncate(1);
        // Their loops would read the clock too.
        config.tenants[0].recommendations.enabled = Enabled::Off;
        config.refresh.profiles = QUARTER;
        config.refresh.scores = 96 * QUARTER;
    });
    let world = world.clocked(Arc::new(clock)).watch();
    world.attempted().await;
    let good = world.tenant("contoso");
    assert!(good.health.profiles.up && good.data.len() > 10_000);

    let (by, why) = ("dana@contoso.example", "a test");
    let handle = world.handle();
    handle.accept("contoso", "UserRiskPolicy", by, why).unwrap();
    let attempted = |refreshes| {
        move |now: &Tenants| state(now, "contoso").health.profiles.refreshes == refreshes
    };
    let mut delay = 2 * QUARTER;
    for failure in 1..=3 {
        panics_in.store(failure, Ordering::Relaxed);
        leap(delay + Duration::from_secs(1)).await;
        let refreshes = 1 + u64::from(failure);
        world.until("it has panicked", attempted(refreshes)).await;
        let now = world.tenant("contoso");
        let health = &now.health.profiles;
        let failures = health.failures.get(&Reason::Internal);
        assert_eq!(failures, Some(&u64::from(failure)));
        assert!(!health.up);
        assert_eq!(now.snapshot, good.snapshot, "the data stays");
        assert_eq!(now.data.len(), good.data.len());
        let due = health.next_refresh.unwrap();
        let next = due.since(Timestamp::from(SystemTime::now()));
        assert!(failure == 1 || next > delay, "{failure}: {next:?}");
        assert!(next < QUARTER, "{failure}: {next:?}");
        delay = next;
    }
    leap(delay + Duration::from_secs(1)).await;
    world.until("it has recovered", attempted(5)).await;
    let recovered = world.tenant("contoso");
    assert!(recovered.health.profiles.up, "{:?}", recovered.health);
    assert_ne!(recovered.snapshot, good.snapshot, "the change is shown");
}
