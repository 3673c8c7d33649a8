//! The page of one tenant: what needs a decision before the long table.

use crate::browser::{Browser, full_tenant};
use crate::partner_pages::partners;
use crate::test_server::{
    change, control, section, start_showing, tenant, with_controls, with_history,
};
use crate::web_pages::PAGES;
use secure_score_exporter::store::TenantState;
use secure_score_model::{Category, Control, ControlState, Decision, Timestamp};
use serde_json::json;
use std::sync::Arc;

const PATH: &str = "/tenants/contoso";

/// Open, watched and open, claimed, accepted and approved, accepted.
fn contoso() -> TenantState {
    use ControlState::{RiskAccepted, ThirdParty};
    let since = |state| {
        vec![change(
            state,
            1_700_000_000,
            "ann@x.example",
            "a good reason",
        )]
    };
    let approved = Decision::new("approved", "SEC-5", Timestamp::from_seconds(4_102_444_800));
    let controls = vec![
        control("open", Category::Identity, Vec::new()),
        Control {
            watched: true,
            ..control("watched", Category::Device, Vec::new())
        },
        control("claimed", Category::Apps, since(ThirdParty)),
        Control {
            decisions: vec![Arc::new(approved)],
            ..control("approved", Category::Identity, since(RiskAccepted))
        },
        control("accepted", Category::Data, since(RiskAccepted)),
    ];
    with_controls(tenant("contoso"), controls)
}

#[tokio::test]
async fn watched_accepted_and_claimed_controls_come_first_those_without_a_decision_before() {
    let server = start_showing(contoso()).await;
    let notable = section(&server, PATH, "notable").await;
    let places = ["accepted", "claimed", "approved", "watched"]
        .map(|id| notable.find(&format!("Title of {id}")).unwrap());
    assert!(places.is_sorted(), "{places:?}");
    assert!(!notable.contains("Title of open"), "{notable}");
    assert!(notable.contains("1 watched, 2 accepted, 1 claimed"));
    assert!(notable.contains("href=\"/acceptances?tenant=contoso\""));

    let page = server.get(PATH).await;
    let order = ["notable", "categories", "refreshes", "controls"]
        .map(|id| page.text().find(&format!("id=\"{id}\"")).unwrap());
    assert!(order.is_sorted(), "{order:?}");
    for id in ["notable", "categories", "controls"] {
        assert!(page.text().contains(&format!("href=\"#{id}\"")), "{id}");
    }
    let none = with_controls(
        tenant("contoso"),
        vec![control("open", Category::Identity, Vec::new())],
    );
    let server = start_showing(none).await;
    let notable = section(&server, PATH, "notable").await;
    assert!(notable.contains("No known control is watched, accepted or claimed."));
}

#[tokio::test]
async fn the_controls_are_filtered_by_a_form_that_leads_back_to_them() {
    let server = start_showing(contoso()).await;
    for (query, expected) in [
        ("find=TITLE+OF+OP", &["open"][..]),
        ("find=claimed", &["claimed"]),
        ("watched=true", &["watched"]),
        ("state=risk_accepted&category=Data", &["accepted"]),
        ("find=nothing", &[]),
    ] {
        let page = server.get(&format!("{PATH}?{query}")).await;
        let (_, controls) = page.text().split_once("id=\"controls\"").unwrap();
        for id in ["open", "watched", "claimed", "approved", "accepted"] {
            let is_there = controls.contains(&format!("Title of {id}"));
            assert_eq!(is_there, expected.contains(&id), "{query} {id}");
        }
        assert!(controls.contains("action=\"/tenants/contoso#controls\""));
    }
    let page = server.get(&format!("{PATH}?watched=perhaps")).await;
    assert_eq!(page.status, 400);
    assert!(page.text().contains("neither true nor false"));

    let browser = Browser::open().await;
    browser.visit(&server, PATH).await;
    browser
        .click("select[name=watched] option[value=true]")
        .await;
    browser.click("form button").await;
    browser
        .until("location.search.includes('watched=true') && location.hash == '#controls'")
        .await;
    let rows = "document.querySelectorAll('section[aria-labelledby=controls] tbody tr').length";
    assert_eq!(browser.value(rows).await, json!(1));
}

/// Dates in the visible text of a page that are not `2026-11-23` or
/// `2026-11-23 08:15 UTC`, and the number of those that are.
const DATES: &str = r"(() => {
  document.querySelectorAll('details').forEach(it => it.open = true);
  const text = document.body.innerText;
  const good = /\b\d{4}-\d{2}-\d{2}( \d{2}:\d{2} UTC)?(?!\d|T|:\d)/g;
  const rest = text.replace(good, '');
  const odd = rest.match(/\d{4}-\d{2}-\d{2}\S*|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{2}:\d{2}|\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d+/g);
  return [odd || [], (text.match(good) || []).length];
})()";

#[tokio::test]
async fn dates_have_one_format_on_every_page() {
    let server = start_showing(full_tenant()).await;
    server.store.publish_partners(partners());
    let browser = Browser::open().await;
    for path in PAGES
        .into_iter()
        .chain(["/tenants/contoso/evidence?since=2025-01-01"])
    {
        browser.visit(&server, path).await;
        let dates = browser.value(DATES).await;
        assert_eq!(dates[0], json!([]), "{path}");
        let has_dates = dates[1].as_u64().unwrap() > 0;
        assert_eq!(has_dates, path != "/controls", "{path}: {dates}");
    }
}

#[tokio::test]
async fn the_chart_says_in_words_which_acceptances_it_marks() {
    let mut state = with_history();
    let mut snapshot = (*state.snapshot).clone();
    let day = 24 * 60 * 60;
    let score = |at: i64, score: f64| secure_score_model::DailyScore {
        as_of: Timestamp::from_seconds(at / day * day),
        score: secure_score_model::Points::new(score).unwrap(),
        max_score: secure_score_model::Points::new(50.0).unwrap(),
    };
    let mut history = secure_score_model::ScoreHistory::default();
    history.add_newest(score(1_763_626_530 + 10 * day, 30.0));
    history.add_past([score(1_763_626_530 - 10 * day, 35.0)].into_iter(), true);
    snapshot.score_history = history.into();
    state.snapshot = Arc::new(snapshot);
    let server = start_showing(state).await;
    let course = section(&server, PATH, "course").await;
    assert_eq!(
        course.matches("<line class=\"mark\"").count(),
        2,
        "{course}"
    );
    let (_, listed) = course.split_once("<details>").unwrap();
    for title in ["Title of newer", "Title of apps"] {
        assert!(listed.contains(title), "{listed}");
    }
}
