//! Recommendations of Entra on the pages.

use crate::entra_tenant::{health, recommendation, snapshot, statuses, untouched};
use crate::test_server::{
    HOSTILE, TestServer, has, options, options_with, start, start_showing, tenant, with_history,
};
use secure_score_exporter::store::TenantState;
use secure_score_model::{
    Decision, DecisionState, Persons, Recommendation, RecommendationEntry, RecommendationStatus,
    TenantSnapshot, Timestamp,
};
use std::sync::Arc;
use std::time::SystemTime;

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

fn contoso() -> TenantState {
    let mut state = tenant("contoso");
    state.health = health(&state.health);
    state.snapshot = snapshot(now());
    state
}

/// Contoso with these recommendations.
fn with_recommendations(recommendations: Vec<Recommendation>) -> TenantState {
    let mut state = contoso();
    state.snapshot = Arc::new(TenantSnapshot {
        recommendations,
        ..(*state.snapshot).clone()
    });
    state
}

/// The row of a table that contains a text.
async fn row(server: &TestServer, path: &str, text: &str) -> String {
    let page = server.get(path).await;
    let mut rows = page.text().split("<tr");
    let row = rows.find(|row| row.contains(text));
    row.unwrap_or_else(|| panic!("no {text}\n{}", page.text()))
        .to_owned()
}

#[tokio::test]
async fn the_register_shows_both_places_and_where_they_disagree() {
    let server = start_showing(contoso()).await;
    let path = "/acceptances";
    let control = row(&server, path, "Title of AdminMFAV2").await;
    has(
        &control,
        &[
            "<td data-label=\"Where\">Secure Score<p",
            "Entra: active",
            "places disagree",
        ],
    );
    assert!(!control.contains("on or before"), "{control}");
    let accepted = row(&server, path, "Advice on userRiskPolicy").await;
    has(
        &accepted,
        &[
            "<code>userRiskPolicy</code>",
            "<td data-label=\"Where\">Entra<p",
            "Secure Score: to address",
            "places disagree",
            "watched",
            "alex.wilber@contoso.example",
            "in force</span>, risk accepted",
            "not approved",
            "1.75",
        ],
    );
    assert!(!accepted.contains("comment"), "Entra has none: {accepted}");
    let postponed = row(&server, path, "Advice on staleApps").await;
    has(
        &postponed,
        &[
            "on or before",
            "in force</span>, postponed until ",
            "SEC-20",
            "<td data-label=\"Where\">Entra</td>",
        ],
    );
    assert!(!postponed.contains("places disagree"), "{postponed}");
    let withdrawn = row(&server, path, "Advice on turnOffPerUserMFA").await;
    has(
        &withdrawn,
        &["withdrawn</span>, now active", "History, 2 changes"],
    );
}

#[tokio::test]
async fn an_active_recommendation_that_no_person_touched_was_never_changed() {
    let state = with_recommendations(vec![untouched("newAdvice", now())]);
    let server = start_showing(state).await;
    for (path, text) in [
        ("/controls/newAdvice", "/tenants/contoso"),
        ("/tenants/contoso", "newAdvice"),
    ] {
        let row = row(&server, path, text).await;
        has(&row, &["never changed"]);
        for wrong in ["on or before", "unknown person", "History in Entra"] {
            assert!(!row.contains(wrong), "{path}: {row}");
        }
    }
    let page = server.get("/controls/newAdvice").await;
    assert!(!page.text().contains("Last changes"), "{}", page.text());
}

#[tokio::test]
async fn the_register_can_show_one_place() {
    let server = start_showing(contoso()).await;
    let both = server.get("/acceptances").await;
    has(both.text(), &["4 acceptances, 3 in force and 1 withdrawn"]);
    let entra = server.get("/acceptances?where=entra&sort=where").await;
    has(
        entra.text(),
        &[
            "3 acceptances",
            "<option value=\"entra\" selected>Entra</option>",
        ],
    );
    assert!(!entra.text().contains("Title of AdminMFAV2"));
    let control = server.get("/acceptances?control=ADMINmfav2").await;
    has(control.text(), &["1 acceptance,"]);
    let unknown = server.get("/acceptances?where=portal").await;
    assert_eq!(unknown.status, 400);
    has(unknown.text(), &["secure_score or entra"]);
}

#[tokio::test]
async fn the_status_page_counts_both_places() {
    let server = start_showing(contoso()).await;
    let page = server.get("/").await;
    has(
        page.text(),
        &[
            "approved=false\">2</a></strong><p class=\"soft\">1 in Entra</p>",
            "approved=true\">1</a>",
            "<strong class=\"plain\">3</strong> <span>risks accepted now",
            "Advice on userRiskPolicy",
        ],
    );
    let unknown = recommendation("a", &[(RecommendationStatus::Unknown, 0, None)], now());
    server
        .store
        .publish(with_recommendations(vec![Recommendation {
            history: Default::default(),
            ..unknown
        }]));
    let page = server.get("/").await;
    has(
        page.text(),
        &["1</a></strong><p class=\"soft\">1 unknown</p>"],
    );
}

#[tokio::test]
async fn a_tenant_has_its_recommendations_and_the_identity_secure_score() {
    let server = start_showing(contoso()).await;
    let path = "/tenants/contoso";
    let page = server.get(path).await;
    has(
        page.text(),
        &[
            "<h2 id=\"recommendations\">Recommendations of Entra</h2>",
            "4 recommendations, 2 set aside",
            "<a href=\"#recommendations\">2 of 4 set aside</a>",
            "<dt>Identity Secure Score of Entra</dt><dd>11 of 56 <span class=\"soft\">of <time datetime=\"2026-11-22\">",
            "<dt>Identity in Secure Score</dt><dd>0 of 16</dd>",
        ],
    );
    let accepted = row(&server, path, "Advice on userRiskPolicy").await;
    has(
        &accepted,
        &[
            "<span class=\"tag bad\">risk accepted</span>",
            "alex.wilber@contoso.example",
            "5.25 of 7",
            "<code>UserRiskPolicy</code>: to address",
            "places disagree",
            "not approved",
        ],
    );
    let postponed = row(&server, path, "Advice on staleApps").await;
    has(
        &postponed,
        &[
            "postponed</span> until ",
            "on or before",
            "sam@contoso.example",
            "not scored",
            "SEC-20",
        ],
    );
    let places: Vec<_> = ["userRiskPolicy", "adminMFAV2", "turnOffPerUserMFA"]
        .map(|name| page.text().find(&format!("Advice on {name}")).unwrap())
        .into();
    assert!(places.is_sorted(), "set aside, then where places disagree");

    server.store.publish(with_history());
    let page = server.get(path).await;
    for absent in ["Recommendations of Entra", "Identity Secure Score"] {
        assert!(!page.text().contains(absent), "not read: {absent}");
    }
}

#[tokio::test]
async fn the_pages_count_the_same_changes_of_a_recommendation() {
    use RecommendationStatus::{Active, Dismissed};
    let set = [
        (Active, -20, None),
        (Dismissed, -6, Some("sam@contoso.example")),
    ];
    let history = statuses("newAdvice", &set, false, now());
    assert_eq!(history.changes().len(), 2);
    let dismissed = Recommendation {
        history,
        ..recommendation("newAdvice", &set, now())
    };
    let server = start_showing(with_recommendations(vec![dismissed])).await;
    for (path, text) in [
        ("/acceptances", "Advice on newAdvice"),
        ("/controls/newAdvice", "/tenants/contoso"),
    ] {
        let row = row(&server, path, text).await;
        assert!(row.contains("1 change<"), "{path}: {row}");
    }
}

#[tokio::test]
async fn a_control_accepted_in_entra_alone_is_among_the_accepted_ones_of_its_tenant() {
    let server = start_showing(contoso()).await;
    let page = server.get("/tenants/contoso").await;
    let (_, notable) = page.text().split_once("id=\"notable\"").unwrap();
    let (notable, _) = notable.split_once("</section>").unwrap();
    has(notable, &["0 watched, 2 accepted, 0 claimed"]);
    let mut rows = notable.split("<tr");
    let row = rows.find(|row| row.contains("Title of UserRiskPolicy"));
    has(
        row.unwrap(),
        &[
            "to address",
            "risk accepted</span> in Entra",
            "places disagree",
            "not approved",
        ],
    );
}

#[tokio::test]
async fn a_claim_in_entra_is_shown_with_its_approval() {
    use RecommendationStatus::{AlternateMitigation, ThirdParty};
    let person = Some("sam@contoso.example");
    let claim = recommendation("staleApps", &[(ThirdParty, -5, person)], now());
    let mut approved = recommendation("oneAdmin", &[(AlternateMitigation, -5, person)], now());
    approved.decisions = vec![Arc::new(Decision {
        control: None,
        recommendation: Some("oneAdmin".into()),
        states: vec![DecisionState::AlternateMitigation],
        approver: Some("Sam (sam@contoso.example)".into()),
        ..Decision::new("", "SEC-30", Timestamp::from_seconds(7_229_174_400))
    })];
    let server = start_showing(with_recommendations(vec![claim, approved])).await;
    for path in ["/tenants/contoso", "/acceptances?kind=claim"] {
        let unapproved = row(&server, path, "Advice on staleApps").await;
        has(&unapproved, &["third party", "not approved"]);
        let approved = row(&server, path, "Advice on oneAdmin").await;
        has(
            &approved,
            &["alternate mitigation", "SEC-30", "self-approved"],
        );
        assert!(!approved.contains("not approved"), "{approved}");
    }
}

#[tokio::test]
async fn persons_of_entra_are_hidden_from_a_client_without_authentication() {
    let server = start(options_with(Persons::Plain, false)).await;
    server.store.publish(contoso());
    for path in ["/", "/acceptances", "/tenants/contoso"] {
        let page = server.get(path).await;
        assert!(page.text().contains("Advice on userRiskPolicy"), "{path}");
        assert!(!page.text().contains("contoso.example"), "{path}");
    }
}

#[tokio::test]
async fn text_of_a_recommendation_is_escaped() {
    let dismissed = recommendation(
        HOSTILE,
        &[(RecommendationStatus::Dismissed, -1, Some(HOSTILE))],
        now(),
    );
    let hostile = Recommendation {
        control: Some(HOSTILE.into()),
        entry: Arc::new(RecommendationEntry {
            title: HOSTILE.into(),
            ..(*dismissed.entry).clone()
        }),
        ..dismissed
    };
    let server = start(options()).await;
    server.store.publish(with_recommendations(vec![hostile]));
    for path in ["/", "/acceptances", "/tenants/contoso"] {
        let page = server.get(path).await;
        assert!(page.text().contains("&lt;script&gt;"), "{path}");
        for dangerous in ["<script", "<img"] {
            assert!(!page.text().contains(dangerous), "{path}: {dangerous}");
        }
    }
}

#[tokio::test]
async fn an_unmatched_watch_may_name_a_recommendation_that_is_not_read() {
    let mut state = with_history();
    let unmatched = |snapshot: &TenantSnapshot| {
        Arc::new(TenantSnapshot {
            unmatched_watches: vec!["staleAps".into()],
            ..snapshot.clone()
        })
    };
    state.snapshot = unmatched(&state.snapshot);
    let server = start_showing(state).await;
    let page = server.get("/").await;
    has(
        page.text(),
        &[
            "no control fits staleAps",
            "it may name a recommendation of Entra",
        ],
    );
    let mut state = contoso();
    state.snapshot = unmatched(&state.snapshot);
    server.store.publish(state);
    let page = server.get("/").await;
    has(
        page.text(),
        &["no control and no recommendation fits staleAps"],
    );
    assert!(!page.text().contains("it may name"));
}
