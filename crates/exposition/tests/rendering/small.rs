//! Two tenants written by hand: one with a bit of everything, and one whose
//! first refresh failed.

use secure_score_exposition::{Chunk, Policy, SeriesSet, render_data, render_health};
use secure_score_model::*;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Shows who and why.
pub(crate) fn open_policy() -> Policy {
    Policy {
        lookback: NonZeroUsize::new(3).unwrap(),
        accepted_by: Some(Arc::new(str::to_owned)),
        comment: true,
        ..Policy::default()
    }
}

/// Selects everything and moves nothing.
struct Everything;

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

    fn decisions(&self) -> Vec<Arc<Decision>> {
        Vec::new()
    }

    fn decisions_of(&self, id: &str) -> Vec<Arc<Decision>> {
        let approved = id == "AdminMFAV2";
        approved.then(decision).into_iter().collect()
    }
}

pub(crate) fn identity(alias: &str, id: Option<&str>) -> TenantIdentity {
    TenantIdentity {
        entra_tenant_id: id.map(Arc::from),
        display_name: format!("The \"{alias}\" company").into(),
        target: id.map(|_| 0.8),
        credential_expires: id.map(|_| Timestamp::from_seconds(1_806_537_600)),
        ..TenantIdentity::new(alias)
    }
}

fn decision() -> Arc<Decision> {
    let expires = Timestamp::from_seconds(1_806_537_600);
    Arc::new(Decision::new("AdminMFAV2", "SEC-1234", expires))
}

fn day(n: i64) -> Option<Timestamp> {
    Some(Timestamp::from_seconds(1_767_225_600 + n * 86_400))
}

fn update(state: ControlState, n: i64) -> StateUpdate {
    StateUpdate {
        at: day(n),
        by: Some("admin@contoso.example".into()),
        comment: Some("Printers cannot;\nsee \"SEC-1234\"".into()),
        ..StateUpdate::new(state)
    }
}

fn entry(id: &str, category: Category, max: f64, updates: Vec<StateUpdate>) -> Arc<CatalogueEntry> {
    Arc::new(CatalogueEntry {
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
        last_synced: day(40),
        ..ControlScore::new(id, category, Points::new(score).unwrap())
    })
}

fn catalogue() -> Catalogue {
    use Category::{Apps, Device, Identity};
    use ControlState::{RiskAccepted, ThirdParty, ToAddress};
    let withdrawn = vec![update(RiskAccepted, 1), update(ToAddress, 2)];
    let mut catalogue = Catalogue {
        entries: vec![
            entry("AdminMFAV2", Identity, 10.0, vec![update(RiskAccepted, 1)]),
            entry("BlockLegacyAuthentication", Identity, 8.0, withdrawn),
            entry("mdo_safelinks", Apps, 9.0, vec![update(ThirdParty, 3)]),
            entry("scid_2010", Device, 7.5, vec![]),
            entry("unselected", Device, 5.0, vec![]),
        ],
        ..Catalogue::default()
    };
    catalogue.anomalies.unknown(UnknownField::Tier);
    catalogue
}

fn report() -> Report {
    use Category::{Apps, Device, Identity};
    Report {
        as_of: day(40),
        current_score: Points::new(16.83),
        max_score: Points::new(42.0),
        active_users: Some(120),
        licensed_users: Some(0),
        comparisons: vec![Comparison {
            basis: Basis::AllTenants,
            ratio: Some(0.375),
            categories: vec![CategoryComparison {
                category: Identity,
                score: Points::new(20.5),
                max_score: Points::new(31.25),
            }],
        }],
        scores: vec![
            score("AdminMFAV2", Identity, 0.0),
            score("ADMINMFAV2", Identity, 1.0),
            score("mdo_safelinks", Apps, 9.0),
            score("unlisted", Device, 0.0),
            score("unselected", Device, 7.83),
        ],
        ..Report::default()
    }
}

fn health() -> TenantHealth {
    let refreshed = RefreshHealth {
        refreshes: 3,
        failures: [(Reason::Timeout, 1)].into(),
        up: true,
        last_success: day(41),
        next_refresh: day(42),
        ..RefreshHealth::default()
    };
    let graph = [
        ((Api::Profiles, Code::Status(429)), 1),
        ((Api::Profiles, Code::Status(200)), 9),
        ((Api::Scores, Code::NoAnswer), 1),
    ];
    TenantHealth {
        profiles: refreshed.clone(),
        scores: refreshed,
        traffic: Traffic {
            graph: graph.into(),
            throttled: 1,
            tokens: 2,
            token_failures: 0,
        },
        older_reports: 3,
        recommendations: RefreshHealth {
            has_series: true,
            refreshes: 1,
            ..RefreshHealth::default()
        },
        ..TenantHealth::default()
    }
}

fn failed() -> TenantHealth {
    let mut health = TenantHealth::default();
    for api in Api::SECURE_SCORE {
        health.of_mut(api).refreshes = 1;
        health.of_mut(api).failures = [(Reason::Consent, 1)].into();
    }
    health.traffic.token_failures = 2;
    health
}

pub(crate) fn join(catalogue: Option<&Catalogue>, report: Option<Report>) -> TenantSnapshot {
    let pins = CategoryPins::default();
    TenantSnapshot::join(catalogue, report.map(Arc::new), &pins, &Everything)
}

pub(crate) fn with_recommendations(
    snapshot: TenantSnapshot,
    list: Option<&RecommendationList>,
) -> TenantSnapshot {
    let statuses = StatusHistories::default();
    snapshot.with_recommendations(list, &statuses, None, &Everything)
}

/// The snapshot of the first tenant; that of the second is empty.
pub(crate) fn snapshot() -> TenantSnapshot {
    snapshot_of(&Api::ALL)
}

/// The same of some of its lists.
pub(crate) fn snapshot_of(lists: &[Api]) -> TenantSnapshot {
    let has = |api| lists.contains(&api);
    let catalogue = catalogue();
    let joined = join(
        has(Api::Profiles).then_some(&catalogue),
        has(Api::Scores).then(report),
    );
    let identity_score = IdentityScore {
        as_of: day(40),
        score: Points::new(11.0),
        max_score: Points::new(56.0),
        ..IdentityScore::default()
    };
    let list = recommendations();
    let mut statuses = StatusHistories::default();
    statuses.observe(&list, true, day(41).unwrap(), day(41).unwrap());
    let identity_score = has(Api::IdentityScores).then(|| Arc::new(identity_score));
    let list = has(Api::Recommendations).then_some(&list);
    joined.with_recommendations(list, &statuses, identity_score, &Everything)
}

/// One of each kind: joined and postponed, without a control, and unknown.
fn recommendations() -> RecommendationList {
    let joined = RecommendationEntry {
        title: "MFA for \"admins\"".into(),
        category: RecommendationCategory::IdentitySecureScore,
        status: RecommendationStatus::Postponed,
        priority: RecommendationPriority::High,
        impact_type: "users".into(),
        license: "microsoftEntraIdP2".into(),
        score: Points::new(5.25),
        max_score: Points::new(7.0),
        status_modified: day(39),
        postponed_until: day(60),
        impacted_resources: Some([(RecommendationStatus::Active, 3)].into()),
        ..RecommendationEntry::new("adminMFAV2")
    };
    let other = RecommendationEntry {
        status: RecommendationStatus::CompletedBySystem,
        ..RecommendationEntry::new("staleApps")
    };
    let unknown = RecommendationEntry {
        status: RecommendationStatus::Unknown,
        ..RecommendationEntry::new("tenantMFA")
    };
    RecommendationList {
        entries: [joined, other, unknown].map(Arc::new).into(),
        ..RecommendationList::default()
    }
}

/// Both tenants' data and health, ordered by alias.
pub(crate) fn tenants() -> [(Chunk, Chunk); 2] {
    tenants_in(SeriesSet::Full)
}

/// The same in one set of series.
pub(crate) fn tenants_in(series: SeriesSet) -> [(Chunk, Chunk); 2] {
    let policy = Policy {
        series,
        ..open_policy()
    };
    let snapshot = snapshot();
    let contoso = identity("contoso", Some("00000000-0000-0000-0000-000000000001"));
    let fabrikam = identity("fabrikam", None);
    let tenants = [
        (contoso, snapshot, health()),
        (fabrikam, TenantSnapshot::default(), failed()),
    ];
    tenants.map(|(identity, snapshot, health)| {
        let data = render_data(&identity, &snapshot, &policy);
        (data, render_health(&identity, &health, series))
    })
}

/// A catalogue of one control with this history.
pub(crate) fn one_control(updates: Vec<StateUpdate>) -> TenantSnapshot {
    let catalogue = Catalogue {
        entries: vec![entry("c", Category::Identity, 1.0, updates)],
        ..Catalogue::default()
    };
    join(Some(&catalogue), None)
}
