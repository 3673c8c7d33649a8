//! Tests of a tenant's lists, from what was fetched to what is published.

mod catalogues;
mod events;
mod failures;
mod identities;
mod publication;
mod recommendations;
mod reports;

use super::*;
use crate::config::{Recommendations, Refresh, TenantRules};
use crate::events::Events;
use crate::store::TenantState;
use crate::telemetry::Telemetry;
use secure_score_model::{
    CatalogueEntry, Category, ControlState, History, Persons, Points, StateUpdate, TenantIdentity,
};
use std::collections::BTreeSet;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: i64 = 24 * 60 * 60;

/// A tenant whose events are queued for a webhook.
fn cell() -> TenantCell {
    let events = Events {
        persons: Persons::Plain,
        telemetry: Arc::new(Telemetry::new().unwrap()),
        exporter: None,
        queue: Some(Arc::default()),
    };
    let settings = Settings {
        identity: TenantIdentity::new("contoso"),
        rules: TenantRules::default(),
        policy: Arc::default(),
        refresh: Refresh::default(),
        recommendations: Recommendations::default(),
        directory: "global/guid".to_owned(),
        events: Some(Arc::new(events)),
    };
    let context = Context {
        store: Arc::default(),
        clock: Arc::new(|| Timestamp::from_seconds(1_000)),
        state_writer: None,
        interner: Arc::default(),
        directories: Arc::default(),
    };
    TenantCell::new(Arc::new(settings), context, None)
}

fn fetched<T>(value: T, partial: bool) -> Fetched<T> {
    Fetched {
        value,
        partial,
        unknown_words: BTreeSet::new(),
        digest: None,
    }
}

fn catalogue_of(entries: Vec<CatalogueEntry>, partial: bool) -> FetchResult {
    let catalogue = Catalogue {
        entra_tenant_id: Some("guid".into()),
        entries: entries.into_iter().map(Arc::new).collect(),
        ..Catalogue::default()
    };
    FetchResult::Catalogue(ListAnswer::Other(fetched(catalogue, partial)))
}

fn catalogue(ids: &[&str], partial: bool) -> FetchResult {
    let entries = ids.iter().map(|id| CatalogueEntry::new(id));
    catalogue_of(entries.collect(), partial)
}

/// Control `A` with its risk accepted, and control `B`.
fn accepted(partial: bool) -> FetchResult {
    let update = StateUpdate {
        at: Some(Timestamp::from_seconds(900)),
        by: Some("alex@contoso.example".into()),
        comment: Some("the vendor is slow".into()),
        ..StateUpdate::new(ControlState::RiskAccepted)
    };
    let accepted = CatalogueEntry {
        category: Category::Identity,
        history: History::from_updates(vec![update]),
        ..CatalogueEntry::new("A")
    };
    catalogue_of(vec![accepted, CatalogueEntry::new("B")], partial)
}

fn report(points: f64) -> Report {
    Report {
        current_score: Points::new(points),
        ..Report::new("guid")
    }
}

fn score(report: Report) -> FetchResult {
    FetchResult::Report(ListAnswer::Other(fetched(Some(report), false)))
}

fn apply(cell: &TenantCell, fetched: FetchResult) -> Result<(), GraphError> {
    let mut update = cell.update();
    let outcome = update.apply(fetched);
    update.publish();
    outcome
}

fn published(cell: &TenantCell) -> Arc<TenantState> {
    cell.update().publish();
    Arc::clone(cell.context.store.current().find("contoso").unwrap())
}

/// Ends a refresh of the catalogue without a new one.
fn record(cell: &TenantCell, outcome: Result<(), GraphError>) -> Arc<TenantState> {
    let mut update = cell.update();
    update.record_outcome(Api::Profiles, &outcome, Traffic::default(), HOUR);
    update.publish();
    published(cell)
}

fn controls(cell: &TenantCell) -> usize {
    published(cell).snapshot.controls.len()
}

/// The kinds of the events emitted so far.
fn emitted(cell: &TenantCell) -> Vec<&'static str> {
    let settings = Arc::clone(&cell.data.lock().settings);
    let events = settings.events.as_ref().unwrap();
    let queued = events.queue.as_ref().unwrap().undelivered();
    queued.iter().map(|event| event.kind.as_str()).collect()
}

/// Ends a refresh, and returns whether the catalogue and the report are published.
fn refreshed(cell: &TenantCell, api: Api, fetched: Result<FetchResult, GraphError>) -> [bool; 2] {
    let before = cell.context.store.current().generation;
    let mut update = cell.update();
    let refreshes = update.next.health.of(api).refreshes;
    let outcome = fetched.and_then(|it| update.apply(it));
    update.record_outcome(api, &outcome, Traffic::default(), HOUR);
    update.publish();
    let tenants = cell.context.store.current();
    assert_eq!(tenants.generation, before + 1);
    let state = tenants.find("contoso").unwrap();
    let count = state.health.of(api).refreshes;
    assert_eq!(count, refreshes + 1, "the health does not wait");
    let snapshot = &state.snapshot;
    [!snapshot.controls.is_empty(), snapshot.report.is_some()]
}

/// Sets the clock to this many hours after day 10.
fn set_clock(cell: &mut TenantCell, hours: i64) {
    let now = Timestamp::from_seconds(10 * DAY + hours * 60 * 60);
    cell.context.clock = Arc::new(move || now);
}

fn of_day(day: i64) -> FetchResult {
    score(Report {
        as_of: Some(Timestamp::from_seconds(day * DAY)),
        ..report(5.0)
    })
}

/// A cell of the same tenant after a restart.
fn restarted(cell: &TenantCell) -> TenantCell {
    let data = cell.data.lock();
    let settings = Arc::clone(&data.settings);
    TenantCell::new(
        settings,
        cell.context.clone(),
        Some(data.to_saved(cell.now())),
    )
}
