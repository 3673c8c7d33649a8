//! Small tenants: one with an acceptance of every kind, one without a catalogue,
//! one without a report, and one with recommendations of Entra.

use crate::entra_tenant;
use crate::test_server::{self, snapshot};
use secure_score_exporter::store::{Store, TenantState};
use secure_score_model::*;
use std::sync::Arc;

/// 2026-11-23T08:15:00Z.
pub(super) const NOW: Timestamp = Timestamp::from_seconds(1_795_421_700);

pub(super) const ALEX: &str = "alex.wilber@contoso.example";

const SAM: &str = "sam@contoso.example";

/// A formula for a spreadsheet, a script for a browser, and further cells for
/// readers that split at semicolons.
pub(super) const HOSTILE: &str =
    "=HYPERLINK(\"http://evil.example\",\"ok\");+1 <script>alert(1)</script>\r\n@next, Łódź";

const DAY: i64 = 24 * 60 * 60;

pub(super) fn store() -> Arc<Store> {
    let store = Store::default();
    for state in [contoso(), fabrikam(), litware()] {
        store.publish(state);
    }
    Arc::new(store)
}

fn contoso() -> TenantState {
    let mut admins = control(entry(
        "AdminMFAV2",
        Category::Identity,
        vec![
            change(ControlState::Planned, Some(-5 * DAY), SAM, "soon"),
            StateUpdate {
                assigned_to: Some(SAM.into()),
                at: Some(Timestamp::from_nanos(
                    NOW.nanos() - 3 * DAY * 1_000_000_000 + 123_456_700,
                )),
                ..change(ControlState::RiskAccepted, None, ALEX, HOSTILE)
            },
        ],
    ));
    admins.watched = true;
    admins.score = admins.score.map(|score| {
        Arc::new(ControlScore {
            score: Points::new(1.5).unwrap(),
            ..(*score).clone()
        })
    });
    admins.decisions = vec![approval("AdminMFAV2", "SEC-1234", 7_229_174_400)];

    let mut apps = control(CatalogueEntry {
        action_url: Some("javascript:alert(1)".into()),
        ..entry(
            "IntegratedApps",
            Category::Apps,
            vec![
                change(ControlState::RiskAccepted, Some(-13 * DAY), SAM, "a trial"),
                change(
                    ControlState::ToAddress,
                    Some(-11 * DAY),
                    ALEX,
                    "the trial is over",
                ),
            ],
        )
    });
    apps.decisions = vec![approval("Integrated*", "SEC-7", 1_609_459_200)];

    let mut legacy = control(CatalogueEntry {
        deprecated: true,
        ..entry(
            "BlockLegacyAuthentication",
            Category::Identity,
            vec![StateUpdate::new(ControlState::RiskAccepted)],
        )
    });
    legacy.score = None;

    let untouched = control(entry("scid_91", Category::Device, Vec::new()));
    let decisions = [&admins, &apps].map(|it| it.decisions.clone()).concat();
    let mut state = tenant("contoso", "Contoso, Ltd");
    state.identity.entra_tenant_id = Some("11111111-2222-3333-4444-555555555555".into());
    state.snapshot = Arc::new(TenantSnapshot {
        report: Some(Arc::new(report())),
        decisions,
        ..snapshot(vec![admins, legacy, apps, untouched])
    });
    state
}

/// Graph has refused its catalogue since the first refresh.
fn fabrikam() -> TenantState {
    let mut state = test_server::troubled(tenant("fabrikam", "Fabrikam"));
    state.health.profiles.refreshes = 3;
    state.health.profiles.up = false;
    state.health.profiles.last_success = None;
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

/// A tenant whose recommendations are read. It is not part of [`store`].
pub(super) fn tailspin() -> TenantState {
    TenantState {
        snapshot: entra_tenant::snapshot(NOW),
        health: entra_tenant::health(&tenant("", "").health),
        ..tenant("tailspin", "Tailspin")
    }
}

pub(super) fn tenant(alias: &str, display_name: &str) -> TenantState {
    let mut state = test_server::tenant(alias);
    state.identity.display_name = display_name.into();
    for list in [&mut state.health.profiles, &mut state.health.scores] {
        list.last_success = Some(NOW);
        list.next_refresh = Some(NOW.plus(std::time::Duration::from_secs(900)));
    }
    state
}

fn report() -> Report {
    Report {
        entra_tenant_id: "11111111-2222-3333-4444-555555555555".into(),
        as_of: Some(Timestamp::from_seconds(1_795_305_600)),
        current_score: Points::new(40.5),
        max_score: Points::new(54.0),
        ..test_server::report()
    }
}

/// A change this many seconds from now.
pub(super) fn change(state: ControlState, at: Option<i64>, by: &str, why: &str) -> StateUpdate {
    let comment = (!why.is_empty()).then(|| Arc::from(why));
    StateUpdate {
        at: at.map(|ago| Timestamp::from_nanos(NOW.nanos() + ago * 1_000_000_000)),
        by: Some(by.into()),
        comment,
        ..StateUpdate::new(state)
    }
}

pub(super) fn entry(id: &str, category: Category, updates: Vec<StateUpdate>) -> CatalogueEntry {
    CatalogueEntry {
        max_score: Points::new(7.5),
        action_url: Some("https://security.microsoft.example/securescore?x=1".into()),
        ..test_server::entry(id, category, updates)
    }
}

pub(super) fn control(entry: CatalogueEntry) -> Control {
    let score = ControlScore {
        implementation_status: Some("1 of 3 administrators".into()),
        ..ControlScore::new(&entry.id, entry.category, Points::ZERO)
    };
    Control {
        score: Some(Arc::new(score)),
        ..test_server::scored(entry)
    }
}

fn approval(control: &str, reference: &str, expires: i64) -> Arc<Decision> {
    Arc::new(Decision {
        approver: Some("Robin Risk".into()),
        reason: Some("Robin says it is fine".into()),
        approved_on: Some(Timestamp::from_seconds(1_793_491_200))
            .filter(|_| expires > NOW.nanos() / 1_000_000_000),
        ..Decision::new(control, reference, Timestamp::from_seconds(expires))
    })
}
