//! Any number of tenants with a whole catalogue each, without Graph, to measure
//! compression, memory and speed. The benchmarks use them too.

use secure_score_exporter::store::TenantState;
use secure_score_exposition::{Policy, SeriesSet, render_data, render_health};
use secure_score_model::{
    ActionType, Anomalies, Api, Basis, CatalogueEntry, Category, CategoryComparison, Code,
    Comparison, Control, ControlScore, ControlState, History, Level, Points, Report, StateUpdate,
    TenantHealth, TenantIdentity, TenantSnapshot, Tier, Timestamp,
};
use std::collections::HashMap;
use std::sync::Arc;

/// The simulator's table of controls.
const TABLE: &str = include_str!("../../crates/graph-simulator/src/catalogue.tsv");

const NAMES: [&str; 5] = ["adatum", "contoso", "fabrikam", "litware", "northwind"];

/// Midnight UTC of a day in 2026.
const DAY: i64 = 1_793_750_400;

/// A tenant after some refreshes. Equal arguments give equal bytes; another
/// `report` gives other scores, another `refreshes` only other health lines.
pub(crate) fn tenant(number: u64, report: u64, refreshes: u64) -> TenantState {
    let identity = identity(number);
    let policy = Policy::default();
    let snapshot = snapshot(number, report);
    let health = health(number, refreshes);
    TenantState {
        data: render_data(&identity, &snapshot, &policy),
        health_lines: render_health(&identity, &health, SeriesSet::Full),
        identity,
        // What only pages show, see `shown`.
        snapshot: Arc::default(),
        policy: Arc::new(policy),
        health,
    }
}

/// A tenant with all that pages show.
pub(crate) fn shown(number: u64) -> TenantState {
    TenantState {
        snapshot: Arc::new(snapshot(number, 0)),
        ..tenant(number, 0, 0)
    }
}

/// The same tenant after another refresh without new data.
pub(crate) fn refreshed(state: &TenantState, number: u64, refreshes: u64) -> TenantState {
    let health = health(number, refreshes);
    TenantState {
        health_lines: render_health(&state.identity, &health, SeriesSet::Full),
        health,
        ..state.clone()
    }
}

/// The alias of a tenant.
pub(crate) fn alias(number: u64) -> String {
    let name = NAMES[usize::try_from(number).unwrap() % NAMES.len()];
    format!("{name}-{number:04}")
}

/// The names of a tenant.
pub(crate) fn identity(number: u64) -> TenantIdentity {
    let mut rng = fastrand::Rng::with_seed(number);
    let alias = alias(number);
    TenantIdentity {
        display_name: Arc::from(format!("{alias} Ltd")),
        entra_tenant_id: Some(Arc::from(format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            rng.u32(..),
            rng.u16(..),
            rng.u16(..4096),
            rng.u16(..4096),
            rng.u64(..1 << 48),
        ))),
        target: Some(0.8),
        ..TenantIdentity::new(&alias)
    }
}

fn health(number: u64, refreshes: u64) -> TenantHealth {
    let mut rng = fastrand::Rng::with_seed(number ^ refreshes << 32);
    let mut health = TenantHealth::default();
    for (api, interval) in [(Api::Profiles, 900), (Api::Scores, 3600)] {
        let times = refreshes * 900 / interval + 1;
        let last = DAY + i64::try_from(times * interval).unwrap() + rng.i64(0..interval as i64);
        let lists = health.of_mut(api);
        lists.refreshes = times;
        lists.up = true;
        lists.last_success = Some(Timestamp::from_seconds(last));
        lists.next_refresh = Some(Timestamp::from_seconds(last + interval as i64));
        health
            .traffic
            .graph
            .insert((api, Code::Status(200)), times * 2);
    }
    health.traffic.tokens = refreshes / 4 + 1;
    health
}

fn snapshot(number: u64, day: u64) -> TenantSnapshot {
    let mut rng = fastrand::Rng::with_seed(number);
    let mut scores = fastrand::Rng::with_seed(number ^ (day + 1) << 32);
    let mut synced = HashMap::new();
    let today = DAY + i64::try_from(day).unwrap() * 86_400;
    let controls: Vec<Control> = TABLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| control(line, today, &mut rng, &mut scores, &mut synced))
        .collect();
    let sum = |of: fn(&Control) -> f64| points(controls.iter().map(of).sum());
    let report = Report {
        as_of: Some(Timestamp::from_seconds(today)),
        current_score: sum(|c| c.score.as_ref().map_or(0.0, |score| score.score.get())),
        max_score: sum(|c| c.max_score().map_or(0.0, Points::get)),
        active_users: Some(rng.u64(10..5000)),
        licensed_users: Some(rng.u64(10..5000)),
        comparisons: comparisons(&mut rng),
        ..Report::new("00000000-0000-0000-0000-000000000001")
    };
    TenantSnapshot {
        controls,
        report: Some(Arc::new(report)),
        catalogue_anomalies: Some(Anomalies::default()),
        ..TenantSnapshot::default()
    }
}

fn points(value: f64) -> Option<Points> {
    Points::new((value * 100.0).round() / 100.0)
}

fn comparisons(rng: &mut fastrand::Rng) -> Vec<Comparison> {
    let mut of = |basis| Comparison {
        basis,
        ratio: Some((rng.f64() * 10_000.0).round() / 10_000.0),
        categories: Category::ALL
            .into_iter()
            .take(5)
            .map(|category| CategoryComparison {
                category,
                score: points(rng.f64() * 50.0),
                max_score: points(50.0 + rng.f64() * 50.0),
            })
            .collect(),
    };
    vec![of(Basis::AllTenants), of(Basis::TotalSeats)]
}

/// About six of ten controls are scored, and one of ten has a history.
fn control(
    line: &'static str,
    today: i64,
    rng: &mut fastrand::Rng,
    scores: &mut fastrand::Rng,
    synced: &mut HashMap<&'static str, Timestamp>,
) -> Control {
    let cells: Vec<&'static str> = line.split('\t').collect();
    let (id, product) = (cells[0], cells[2]);
    let category = Category::ALL
        .into_iter()
        .find(|category| category.as_str() == cells[1])
        .unwrap_or(Category::Unknown);
    let max: f64 = cells[3].parse().unwrap();
    let entry = CatalogueEntry {
        title: Arc::from(*cells.last().unwrap()),
        category,
        product: Arc::from(product),
        tier: Tier::Core,
        user_impact: Level::Low,
        implementation_cost: Level::Moderate,
        action_type: ActionType::Config,
        max_score: Points::new(max),
        history: history(rng),
        ..CatalogueEntry::new(id)
    };
    let last_synced = *synced
        .entry(product)
        .or_insert_with(|| Timestamp::from_seconds(today - rng.i64(0..86_400)));
    let share = match scores.u8(..4) {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => scores.f64(),
    };
    let score = points(max * share).unwrap_or(Points::ZERO);
    let score = ControlScore {
        percentage: Some(share * 100.0),
        last_synced: Some(last_synced),
        ..ControlScore::new(id, category, score)
    };
    Control {
        score: (rng.u8(..10) < 6).then(|| Arc::new(score)),
        ..Control::listed(entry)
    }
}

fn history(rng: &mut fastrand::Rng) -> History {
    use ControlState::{Planned, RiskAccepted, ThirdParty};
    let updates = match rng.u8(..10) {
        0 => (0..rng.i64(1..4))
            .map(|step| {
                let states = [RiskAccepted, Planned, ThirdParty];
                let state = rng.choice(states).unwrap();
                let at = DAY - (4 - step) * 2_000_000 + rng.i64(0..1_000_000);
                StateUpdate {
                    at: Some(Timestamp::from_seconds(at)),
                    by: Some(Arc::from("dana.admin@contoso.example")),
                    ..StateUpdate::new(state)
                }
            })
            .collect(),
        _ => Vec::new(),
    };
    History::from_updates(updates)
}
