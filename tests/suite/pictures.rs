//! The pictures of `docs/images`, taken of simulated tenants:
//!
//! ```console
//! $ cargo test --test suite pictures -- --ignored
//! ```

use crate::browser::Browser;
use crate::full_demo::FullDemo;
use crate::test_server::{options, start};
use crate::world::World;
use graph_simulator::{Api as Struck, Fault, FaultKind, Options};
use secure_score_exporter::config::Decisions;
use secure_score_exporter::store::TenantState;
use secure_score_model::{
    Api, DailyScore, Decision, DecisionSource, Points, ScoreHistory, Timestamp,
};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const DAY: i64 = 24 * 60 * 60;

/// What was approved, by whom, and for how many days yet.
const APPROVED: [(&str, &str, &str, &str, i64); 3] = [
    (
        "IntegratedApps",
        "contoso",
        "SEC-1234",
        "Risk committee",
        120,
    ),
    ("PWAgePolicyNew", "litware", "INS-77", "Mei Tanaka", 12),
    (
        "SelfServicePasswordReset",
        "fabrikam",
        "SEC-1190",
        "Plant management",
        -9,
    ),
];

/// How far each score lies above the day before, in points.
const ROSE_BY: [f64; 5] = [4.5, -3.25, 0.0, 7.75, 1.5];

fn decisions() -> Decisions {
    let now = Timestamp::from(SystemTime::now()).as_seconds() as i64;
    let midnight = now.div_euclid(DAY) * DAY;
    let written = APPROVED.map(|(control, tenant, reference, approver, days)| Decision {
        place: DecisionSource::Exceptions.at(0),
        tenants: vec![tenant.into()],
        approver: Some(approver.into()),
        ..Decision::new(
            control,
            reference,
            Timestamp::from_seconds(midnight + (days + 1) * DAY),
        )
    });
    Decisions::of(written.into()).unwrap()
}

/// The tenant as if the exporter had run since yesterday.
fn a_day_old(state: &TenantState, rose_by: f64) -> TenantState {
    let mut state = state.clone();
    let mut snapshot = (*state.snapshot).clone();
    let report = snapshot.report.as_deref();
    if let Some(today) = report.and_then(DailyScore::of) {
        let mut history = ScoreHistory::default();
        history.add_newest(DailyScore {
            as_of: Timestamp::from_nanos(today.as_of.nanos() - DAY * 1_000_000_000),
            score: Points::new(today.score.get() - rose_by).unwrap(),
            ..today
        });
        snapshot.score_history = history.into();
    }
    state.snapshot = Arc::new(snapshot);
    state
}

#[tokio::test]
#[ignore = "writes docs/images, to be looked at by a person"]
async fn draw() {
    let world = World::with(Options {
        seed: 1,
        ..Options::default()
    })
    .await
    .configure(|config| config.decisions = decisions());
    let handle = world.handle();
    let by = "megan.bowen@contoso.example";
    let why = "Resets lock out the night shift; back on after the pilot";
    handle.accept("contoso", "UserRiskPolicy", by, why).unwrap();
    let world = world.watch();
    world.attempted().await;
    let expired_secret = Fault::new(Struck::Token, FaultKind::Aadsts(7_000_222));
    world.inject(Some("northwind"), expired_secret);
    world.handle().revoke_tokens("northwind").unwrap();
    world
        .until("the refreshes of northwind fail", |tenants| {
            let state = tenants.find("northwind").unwrap();
            let fails = |api| state.health.of(api).trouble.is_some();
            Api::SECURE_SCORE.into_iter().all(fails)
        })
        .await;
    let server = start(secure_score_exporter::http::SiteOptions {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: SystemTime::now() - Duration::from_secs(26 * 60 * 60),
        ..options()
    })
    .await;
    let tenants = world.store.current();
    for (state, rose_by) in tenants.states.iter().zip(ROSE_BY) {
        server.store.publish(a_day_old(state, rose_by));
    }
    let browser = Browser::open().await;
    browser.prefer("dark").await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images");
    for (path, name, height) in [
        ("/", "status.png", 1_500),
        ("/controls", "controls.png", 700),
        ("/controls/UserRiskPolicy", "control.png", 1_200),
        ("/acceptances", "acceptances.png", 1_300),
        ("/tenants/contoso", "tenant.png", 1_300),
    ] {
        browser.resize(1_400, height, false).await;
        browser.visit(&server, path).await;
        fs::write(folder.join(name), browser.picture().await).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes docs/images, to be looked at by a person"]
async fn draw_the_page_that_arrives() {
    let demo = FullDemo::start();
    let why = "Resets lock out the night shift; back on after the pilot";
    demo.accept(why).await;
    demo.message(&["<b>Page</b>", "contoso", "UserRiskPolicy"])
        .await;
    demo.message(&["<b>Mail</b>", "security-on-call@", "contoso"])
        .await;
    let browser = Browser::open().await;
    browser.prefer("dark").await;
    browser.resize(1_000, 1_050, false).await;
    let still = format!("{}?refresh=off", demo.inbox);
    browser.open_url(&still).await;
    // The page is shown with the beginning of the mail, in whichever order they came.
    let page = "[...document.querySelectorAll('article.page')].find(it => it.textContent.includes('contoso'))";
    let first = format!(
        "document.querySelector('main').insertBefore({page}, document.querySelector('article'))"
    );
    browser.value(&first).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images");
    fs::write(folder.join("page.png"), browser.picture().await).unwrap();
}
