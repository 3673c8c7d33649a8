//! Answers of Graph that the client has seen before.

use crate::world::{World, config};
use graph_simulator::{Api, Fault, FaultKind, Options, RecommendationsAccess, StatusChange};
use secure_score_exporter::graph::{Client, HttpClients, KnownList, ListAnswer, RefreshPermits};
use secure_score_exporter::telemetry::Telemetry;
use secure_score_model::{
    Catalogue, ControlState, Reason, RecommendationList, RecommendationStatus, Report,
};
use std::num::NonZeroUsize;
use std::sync::Arc;

/// A tenant whose catalogue has three pages.
async fn world() -> (World, Client) {
    let options = Options {
        tenants: 1,
        page_size: 100,
        recommendations: RecommendationsAccess::Granted,
        ..Options::default()
    };
    let world = World::with(options).await;
    let config = config(&world.simulator);
    let clients = HttpClients::new(&config).unwrap();
    let telemetry = Arc::new(Telemetry::new().unwrap());
    let client = clients.client_for(&config.tenants[0], &telemetry);
    (world, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_answer_is_recognised_and_a_change_on_its_last_page_is_read() {
    let (world, client) = world().await;
    let mut permit = RefreshPermits::new(NonZeroUsize::MIN).take().await;
    let first = client.catalogue(None, &mut permit).await.unwrap();
    let ListAnswer::Other(first) = first else {
        panic!("nothing is known yet");
    };
    let known: KnownList<Catalogue> = KnownList {
        value: Arc::new(first.value),
        digest: first.digest.unwrap(),
    };
    let again = client.catalogue(Some(&known), &mut permit).await.unwrap();
    assert!(matches!(again, ListAnswer::Same(it) if Arc::ptr_eq(&it.value, &known.value)));

    let last = known.value.entries.last().unwrap();
    let handle = world.handle();
    let tenant = handle.tenants().remove(0).name;
    handle
        .accept(
            &tenant,
            &last.id,
            "alex@contoso.example",
            "the vendor is slow",
        )
        .unwrap();
    let changed = client.catalogue(Some(&known), &mut permit).await.unwrap();
    let ListAnswer::Other(changed) = changed else {
        panic!("the acceptance was missed");
    };
    assert_eq!(changed.value.entries.len(), known.value.entries.len());
    let accepted = changed.value.entries.last().unwrap();
    assert_eq!(accepted.history.state(), ControlState::RiskAccepted);

    // A later page's refusal is none of `$select`, also when the first page is known.
    world.inject(
        None,
        Fault::new(Api::Profiles, FaultKind::Status(400)).on_page(2),
    );
    let refused = client.catalogue(Some(&known), &mut permit).await;
    assert_eq!(refused.unwrap_err().reason(), Reason::Rejected);
    handle.clear_faults();
    world.inject(None, Fault::new(Api::Profiles, FaultKind::Partial206));
    let partial = client.catalogue(Some(&known), &mut permit).await.unwrap();
    let partial = partial.into_fetched();
    assert!(partial.partial && partial.digest.is_none());
    assert_eq!(partial.value.entries.len(), known.value.entries.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_report_is_recognised_and_another_score_is_read() {
    let (world, client) = world().await;
    let mut permit = RefreshPermits::new(NonZeroUsize::MIN).take().await;
    let first = client.report(None, &mut permit).await.unwrap();
    let first = first.into_fetched();
    let scores = &first.value.as_ref().unwrap().scores;
    assert!(scores.iter().all(|it| it.description.is_some()));
    let known: KnownList<Report> = KnownList {
        value: Arc::new(first.value.unwrap()),
        digest: first.digest.unwrap(),
    };
    let again = client.report(Some(&known), &mut permit).await.unwrap();
    assert!(matches!(again, ListAnswer::Same(_)));

    let handle = world.handle();
    let tenant = handle.tenants().remove(0).name;
    let control = handle.scored_controls(&tenant).unwrap().remove(0);
    let before = handle.score(&tenant, &control).unwrap();
    let percentage = if before > 50.0 { 0.0 } else { 100.0 };
    handle.set_score(&tenant, &control, percentage).unwrap();
    let changed = client.report(Some(&known), &mut permit).await.unwrap();
    let ListAnswer::Other(changed) = changed else {
        panic!("the score was missed");
    };
    assert_ne!(changed.value.unwrap().scores, known.value.scores);
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_recommendations_are_recognised_and_another_status_is_read() {
    let (world, client) = world().await;
    let mut permit = RefreshPermits::new(NonZeroUsize::MIN).take().await;
    let first = client.recommendations(false, None, &mut permit).await;
    let first = first.unwrap().into_fetched();
    // The answer is recognised by its digest: the list that comes back is this one.
    let stand_in = RecommendationList {
        entra_tenant_id: first.value.entra_tenant_id.clone(),
        ..RecommendationList::default()
    };
    let known = KnownList {
        value: Arc::new(stand_in),
        digest: first.digest.unwrap(),
    };
    let again = client
        .recommendations(false, Some(&known), &mut permit)
        .await;
    assert!(matches!(again.unwrap(), ListAnswer::Same(it) if Arc::ptr_eq(&it.value, &known.value)));

    let mut entries = first.value.entries.iter();
    let active = entries.rfind(|it| it.status == RecommendationStatus::Active);
    let name = &active.unwrap().name;
    let handle = world.handle();
    let tenant = handle.tenants().remove(0).name;
    handle
        .set_recommendation_status(
            &tenant,
            name,
            StatusChange::new("dismissed").by("alex@contoso.example"),
        )
        .unwrap();
    let list = client
        .recommendations(false, Some(&known), &mut permit)
        .await;
    let ListAnswer::Other(list) = list.unwrap() else {
        panic!("the new status was missed");
    };
    assert_eq!(list.value.entries.len(), first.value.entries.len());
    let mut entries = list.value.entries.iter();
    let found = entries.find(|it| it.name == *name).unwrap();
    assert_eq!(found.status, RecommendationStatus::Dismissed);
}
