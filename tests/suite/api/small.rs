//! Three tenants written by hand: one with an acceptance of every kind, one
//! whose catalogue was never read, and one without a report.

use secure_score_exporter::store::{Store, TenantState};
use secure_score_model::*;
use std::sync::Arc;

/// 2026-11-23T08:15:00Z.
pub(super) const NOW: Timestamp = Timestamp::from_seconds(1_795_421_700);

pub(super) const ALEX: &str = "alex.wilber@contoso.example";

/// A formula for a spreadsheet, a script for a browser, and cells for whoever
/// takes a semicolon for their end.
pub(super) const HOSTILE: &str =
    "=HYPERLINK(\"http://evil.example\",\"ok\");+1 <script>alert(1)</script>\r\n@next, Łódź";

const DAY: i64 = 24 * 60 * 60;

pub(super) fn fill(store: &Store) {
    for state in [contoso(), fabrikam(), litware()] {
        store.publish(state);
    }
}

fn contoso() -> TenantState {
    let mut admins = control(entry(
        "AdminMFAV2",
        Category::Identity,
        vec![
            change(
                ControlState::Planned,
                Some(-5 * DAY),
                "sam@contoso.example",
                "soon",
            ),
            StateUpdate {
                assigned_to: Some("sam@contoso.example".into()),
                at: Some(Timestamp::from_nanos(
                    NOW.nanos() - 3 * DAY * 1_000_000_000 + 123_456_700,
                )),
                ..change(ControlState::RiskAccepted, None, ALEX, HOSTILE)
            },
        ],
    ));
    admins.watched = true;
    admins.exceptions = vec![approval("AdminMFAV2", "SEC-1234", 7_229_174_400)];

    let mut apps = control(CatalogueEntry {
        action_url: Some("javascript:alert(1)".into()),
        ..entry(
            "IntegratedApps",
            Category::Apps,
            vec![
                change(
                    ControlState::RiskAccepted,
                    Some(-13 * DAY),
                    "sam@contoso.example",
                    "a trial",
                ),
                change(
                    ControlState::ToAddress,
                    Some(-11 * DAY),
                    ALEX,
                    "the trial is over",
                ),
            ],
        )
    });
    apps.exceptions = vec![approval("Integrated*", "SEC-7", 1_609_459_200)];

    let mut legacy = control(CatalogueEntry {
        deprecated: true,
        ..entry(
            "BlockLegacyAuthentication",
            Category::Identity,
            vec![StateUpdate {
                state: ControlState::RiskAccepted,
                at: None,
                by: None,
                comment: None,
                assigned_to: None,
            }],
        )
    });
    legacy.score = None;

    let untouched = control(entry("scid_91", Category::Device, Vec::new()));
    let mut state = tenant("contoso", "Contoso, Ltd");
    state.identity.entra_tenant_id = Some("11111111-2222-3333-4444-555555555555".into());
    state.snapshot = Arc::new(TenantSnapshot {
        report: Some(Arc::new(report())),
        ..snapshot(vec![admins, legacy, apps, untouched])
    });
    state
}

/// Graph refused its catalogue from the first refresh on.
fn fabrikam() -> TenantState {
    let mut state = tenant("fabrikam", "Fabrikam");
    state.health.profiles = RefreshHealth {
        refreshes: 3,
        up: false,
        last_success: None,
        trouble: Some(Trouble {
            reason: Reason::Permission,
            message: "Graph refused the catalogue: 403 Forbidden".to_owned(),
            hint: Some("grant the application permission SecurityEvents.Read.All".to_owned()),
        }),
        ..state.health.profiles
    };
    state
}

fn litware() -> TenantState {
    let mut state = tenant("litware", "Litware");
    let mut labels = control(entry(
        "mip_labels",
        Category::Data,
        vec![change(ControlState::RiskAccepted, Some(-2 * DAY), ALEX, "")],
    ));
    labels.score = None;
    state.snapshot = Arc::new(snapshot(vec![labels]));
    state
}

pub(super) fn tenant(alias: &str, display_name: &str) -> TenantState {
    let refreshed = RefreshHealth {
        refreshes: 1,
        up: true,
        last_success: Some(NOW),
        next_refresh: Some(NOW.plus(std::time::Duration::from_secs(900))),
        ..RefreshHealth::default()
    };
    TenantState {
        identity: TenantIdentity {
            alias: alias.into(),
            entra_tenant_id: None,
            display_name: display_name.into(),
            cloud: "global",
            target: Some(0.8),
            credential_expires: None,
        },
        snapshot: Arc::default(),
        health: TenantHealth {
            profiles: refreshed.clone(),
            scores: refreshed,
            ..TenantHealth::default()
        },
        data: Default::default(),
        policy: Arc::default(),
        vitals: Default::default(),
    }
}

pub(super) fn snapshot(controls: Vec<Control>) -> TenantSnapshot {
    TenantSnapshot {
        controls,
        catalogue_anomalies: Some(Anomalies::default()),
        ..TenantSnapshot::default()
    }
}

fn report() -> Report {
    Report {
        entra_tenant_id: "11111111-2222-3333-4444-555555555555".into(),
        as_of: Some(Timestamp::from_seconds(1_795_305_600)),
        current_score: Points::new(40.5),
        max_score: Points::new(54.0),
        active_users: None,
        licensed_users: None,
        comparisons: Vec::new(),
        scores: Vec::new(),
        anomalies: Anomalies::default(),
    }
}

/// A change so many seconds from now.
pub(super) fn change(state: ControlState, at: Option<i64>, by: &str, why: &str) -> StateUpdate {
    let comment = (!why.is_empty()).then(|| Arc::from(why));
    StateUpdate {
        state,
        at: at.map(|ago| Timestamp::from_nanos(NOW.nanos() + ago * 1_000_000_000)),
        by: Some(by.into()),
        comment,
        assigned_to: None,
    }
}

pub(super) fn entry(id: &str, category: Category, updates: Vec<StateUpdate>) -> CatalogueEntry {
    CatalogueEntry {
        id: id.into(),
        title: format!("Title of {id}").into(),
        category,
        product: "Entra".into(),
        tier: Tier::Core,
        user_impact: Level::Low,
        implementation_cost: Level::Low,
        action_type: ActionType::Config,
        max_score: Points::new(7.5),
        action_url: Some("https://security.microsoft.example/securescore?x=1".into()),
        history: History::from_updates(updates),
        ..CatalogueEntry::new(id)
    }
}

pub(super) fn control(entry: CatalogueEntry) -> Control {
    let score = ControlScore {
        id: Arc::clone(&entry.id),
        category: entry.category,
        score: Points::ZERO,
        percentage: Some(0.0),
        last_synced: None,
        implementation_status: Some("1 of 3 administrators".into()),
    };
    Control {
        id: Arc::clone(&entry.id),
        category: entry.category,
        entry: Some(Arc::new(entry)),
        score: Some(Arc::new(score)),
        selected: true,
        watched: false,
        exceptions: Vec::new(),
    }
}

fn approval(control: &str, reference: &str, expires: i64) -> Arc<Exception> {
    Arc::new(Exception {
        place: "risk_accepted.exceptions[0]".into(),
        control: control.into(),
        tenants: Vec::new(),
        reference: reference.into(),
        approver: Some("Robin Risk".into()),
        reason: Some("Robin says it is fine".into()),
        approved_on: Some(Timestamp::from_seconds(1_793_491_200))
            .filter(|_| expires > NOW.nanos() / 1_000_000_000),
        accepted_by: None,
        expires: Timestamp::from_seconds(expires),
    })
}
