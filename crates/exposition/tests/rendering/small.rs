//! Two tenants written by hand: one with a bit of everything, and one whose
//! first refresh failed.

use secure_score_exposition::{Chunk, Policy, render_data, render_health};
use secure_score_model::*;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Shows who and why.
pub(crate) fn open_policy() -> Policy {
    Policy {
        lookback: NonZeroUsize::new(3).unwrap(),
        accepted_by: Some(Arc::new(str::to_owned)),
        comment: true,
    }
}

/// Selects everything and moves nothing.
pub(crate) struct Everything;

impl ControlRules for Everything {
    fn category_override(&self, _id: &str) -> Option<Category> {
        None
    }

    fn watches(&self, id: &str) -> bool {
        id == "AdminMFAV2"
    }

    fn unmatched_watches(&self, _: &[&str]) -> Vec<Arc<str>> {
        Vec::new()
    }

    fn selects(&self, id: &str, _category: Category) -> bool {
        id != "unselected"
    }

    fn exceptions(&self) -> Vec<Arc<Exception>> {
        Vec::new()
    }

    fn exceptions_of(&self, id: &str) -> Vec<Arc<Exception>> {
        let approved = id == "AdminMFAV2";
        approved.then(exception).into_iter().collect()
    }
}

pub(crate) fn identity(alias: &str, id: Option<&str>) -> TenantIdentity {
    TenantIdentity {
        alias: alias.into(),
        entra_tenant_id: id.map(Arc::from),
        display_name: format!("The \"{alias}\" company").into(),
        cloud: "global",
        target: id.map(|_| 0.8),
        credential_expires: id.map(|_| Timestamp::from_seconds(1_806_537_600)),
    }
}

fn exception() -> Arc<Exception> {
    Arc::new(Exception {
        place: "risk_accepted.exceptions[0]".into(),
        control: "AdminMFAV2".into(),
        tenants: Vec::new(),
        reference: "SEC-1234".into(),
        approver: None,
        reason: None,
        approved_on: None,
        accepted_by: None,
        expires: Timestamp::from_seconds(1_806_537_600),
    })
}

fn day(n: i64) -> Option<Timestamp> {
    Some(Timestamp::from_seconds(1_767_225_600 + n * 86_400))
}

fn update(state: ControlState, n: i64) -> StateUpdate {
    StateUpdate {
        state,
        at: day(n),
        by: Some("admin@contoso.example".into()),
        comment: Some("Printers cannot;\nsee \"SEC-1234\"".into()),
        assigned_to: None,
    }
}

fn entry(id: &str, category: Category, max: f64, updates: Vec<StateUpdate>) -> Arc<CatalogueEntry> {
    Arc::new(CatalogueEntry {
        id: id.into(),
        title: format!("Title of {id}").into(),
        category,
        product: "AzureAD".into(),
        tier: Tier::Core,
        user_impact: Level::Moderate,
        implementation_cost: Level::Low,
        action_type: ActionType::Config,
        max_score: Points::new(max),
        history: History::from_updates(updates),
        ..CatalogueEntry::new(id)
    })
}

fn score(id: &str, category: Category, score: f64) -> Arc<ControlScore> {
    Arc::new(ControlScore {
        id: id.into(),
        category,
        score: Points::new(score).unwrap(),
        percentage: None,
        last_synced: day(40),
        implementation_status: None,
    })
}

fn catalogue() -> Catalogue {
    use Category::{Apps, Device, Identity};
    use ControlState::{RiskAccepted, ThirdParty, ToAddress};
    let mut anomalies = Anomalies::default();
    anomalies.unknown(UnknownField::Tier);
    Catalogue {
        entra_tenant_id: None,
        entries: vec![
            entry("AdminMFAV2", Identity, 10.0, vec![update(RiskAccepted, 1)]),
            entry(
                "BlockLegacyAuthentication",
                Identity,
                8.0,
                vec![update(RiskAccepted, 1), update(ToAddress, 2)],
            ),
            entry("mdo_safelinks", Apps, 9.0, vec![update(ThirdParty, 3)]),
            entry("scid_2010", Device, 7.5, vec![]),
            entry("unselected", Device, 5.0, vec![]),
        ],
        anomalies,
    }
}

fn report() -> Report {
    use Category::{Apps, Device, Identity};
    Report {
        entra_tenant_id: "".into(),
        as_of: day(40),
        current_score: Points::new(16.83),
        max_score: Points::new(42.0),
        active_users: Some(120),
        licensed_users: None,
        comparisons: vec![Comparison {
            basis: Basis::AllTenants,
            ratio: Some(0.375),
            categories: vec![CategoryComparison {
                category: Identity,
                score: Points::new(20.5),
                max_score: None,
            }],
        }],
        scores: vec![
            score("AdminMFAV2", Identity, 0.0),
            score("mdo_safelinks", Apps, 9.0),
            score("unlisted", Device, 0.0),
            score("unselected", Device, 7.83),
        ],
        anomalies: Anomalies::default(),
    }
}

fn well() -> RefreshHealth {
    RefreshHealth {
        refreshes: 3,
        failures: [(Reason::Timeout, 1)].into(),
        up: true,
        last_success: day(41),
        next_refresh: day(42),
        trouble: None,
    }
}

fn health() -> TenantHealth {
    TenantHealth {
        profiles: well(),
        scores: well(),
        traffic: Traffic {
            graph: [
                ((Api::Profiles, Code::Status(429)), 1),
                ((Api::Profiles, Code::Status(200)), 9),
                ((Api::Scores, Code::NoAnswer), 1),
            ]
            .into(),
            throttled: 1,
            tokens: 2,
            token_failures: 0,
        },
    }
}

fn failed() -> TenantHealth {
    let mut health = TenantHealth::default();
    for api in Api::ALL {
        health.of_mut(api).refreshes = 1;
        health.of_mut(api).failures = [(Reason::Consent, 1)].into();
    }
    health.traffic.token_failures = 2;
    health
}

/// The snapshot of the first tenant; that of the second is empty.
pub(crate) fn snapshot() -> TenantSnapshot {
    let report = Some(Arc::new(report()));
    let pins = CategoryPins::default();
    TenantSnapshot::join(Some(&catalogue()), report, &pins, &Everything)
}

/// Both tenants' data and health, ordered by alias.
pub(crate) fn tenants() -> [(Chunk, Chunk); 2] {
    let snapshot = snapshot();
    let contoso = identity("contoso", Some("00000000-0000-0000-0000-000000000001"));
    let fabrikam = identity("fabrikam", None);
    let policy = open_policy();
    [
        (
            render_data(&contoso, &snapshot, &policy),
            render_health(&contoso, &health()),
        ),
        (
            render_data(&fabrikam, &TenantSnapshot::default(), &policy),
            render_health(&fabrikam, &failed()),
        ),
    ]
}

/// A catalogue of one control with this history.
pub(crate) fn one_control(updates: Vec<StateUpdate>) -> TenantSnapshot {
    let catalogue = Catalogue {
        entries: vec![entry("c", Category::Identity, 1.0, updates)],
        ..Catalogue::default()
    };
    TenantSnapshot::join(
        Some(&catalogue),
        None,
        &CategoryPins::default(),
        &Everything,
    )
}
