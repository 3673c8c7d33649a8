//! The HTML of the pages; `browser` opens them in a browser.

use crate::test_server::{
    HOSTILE, HttpResponse, change, control, options, options_with, report, start, start_showing,
    tenant, troubled, with_controls, with_history,
};
use secure_score_exporter::http::SiteOptions;
use secure_score_exporter::store::TenantState;
use secure_score_exporter::views;
use secure_score_model::{
    CatalogueEntry, Category, Control, ControlScore, ControlState, DailyScore, Decision, Persons,
    Points, Report, ScoreHistory, TenantSnapshot, Timestamp,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// The path of each page of a tenant `contoso`,
/// that has a control `newer`.
pub(crate) const PAGES: [&str; 5] = [
    "/",
    "/controls",
    "/controls/newer",
    "/acceptances",
    "/tenants/contoso",
];

/// The list of the runbooks, and one of them.
pub(crate) const RUNBOOKS: [&str; 2] = ["/runbooks", "/runbooks/SecureScoreRiskAccepted"];

/// The position of each text on a page; all of them must be there.
fn places<const N: usize>(page: &HttpResponse, words: [&str; N]) -> [usize; N] {
    words.map(|word| {
        page.text()
            .find(word)
            .unwrap_or_else(|| panic!("no {word}"))
    })
}

#[test]
fn every_page_is_tested() {
    let paths = views::PAGES.iter().map(|page| page.path);
    let paths: Vec<_> = paths
        .map(|it| it.replace("{alias}", "contoso"))
        .map(|it| it.replace("{control}", "newer"))
        .map(|it| it.replace("{alert}", "SecureScoreRiskAccepted"))
        .collect();
    assert_eq!(paths, [&PAGES[..], &RUNBOOKS].concat());
}

/// A name as a part of a path.
pub(crate) fn encoded(name: &str) -> String {
    let bytes = name.bytes();
    bytes.map(|byte| format!("%{byte:02X}")).collect()
}

/// The control with another entry.
fn with_entry(mut control: Control, change: impl FnOnce(&mut CatalogueEntry)) -> Control {
    if let Some(entry) = &mut control.entry {
        change(Arc::make_mut(entry));
    }
    control
}

/// The control with another score.
fn with_score(mut control: Control, change: impl FnOnce(&mut ControlScore)) -> Control {
    if let Some(score) = &mut control.score {
        change(Arc::make_mut(score));
    }
    control
}

#[tokio::test]
async fn an_unknown_path_lists_the_known_ones_and_is_escaped() {
    let server = start(options()).await;
    let response = server.get("/a\"onload=\"b&c").await;
    assert_eq!(response.status, 404);
    for known in ["/metrics", "/-/healthy", "/-/ready"] {
        assert!(response.text().contains(&format!("href=\"{known}\"")));
    }
    assert!(response.text().contains("/a&quot;onload=&quot;b&amp;c"));
}

#[tokio::test]
async fn text_from_graph_is_escaped() {
    let server = start(options()).await;
    let mut hostile = control(
        HOSTILE,
        Category::Identity,
        vec![change(
            ControlState::RiskAccepted,
            1_763_626_530,
            HOSTILE,
            HOSTILE,
        )],
    );
    hostile.id = Arc::from(HOSTILE);
    hostile.watched = true;
    hostile = with_entry(hostile, |entry| {
        entry.action_url = Some(Arc::from("javascript:alert(1)"));
    });
    hostile = with_score(hostile, |score| {
        score.implementation_status = Some(Arc::from(HOSTILE));
        score.description = Some(Arc::from(
            "&lt;script&gt;alert(1)&lt;/script&gt;<img src=x>",
        ));
    });
    let mut state = troubled(with_controls(tenant("contoso"), vec![hostile]));
    state.identity.display_name = Arc::from(HOSTILE);
    if let Some(trouble) = &mut state.health.profiles.trouble {
        trouble.message = HOSTILE.to_owned();
        trouble.hint = Some(HOSTILE.to_owned());
    }
    server.store.publish(state);
    for path in PAGES {
        let page = server.get(&path.replace("newer", &encoded(HOSTILE))).await;
        assert_eq!(page.status, 200, "{path}");
        let text = page.text();
        assert!(
            text.contains("&lt;script&gt;alert('x')&lt;/script&gt;"),
            "{path}"
        );
        for dangerous in ["<script", "</script", "<img", "javascript:"] {
            assert!(!text.contains(dangerous), "{path}: {dangerous}");
        }
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn text_from_the_query_is_escaped() {
    let server = start_showing(with_history()).await;
    let typed = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for path in [
        format!("/acceptances?control={typed}"),
        format!("/acceptances?tenant={typed}"),
        format!("/acceptances?sort={typed}"),
        format!("/acceptances?{typed}={typed}"),
        format!("/?find={typed}"),
        format!("/?show={typed}"),
        format!("/controls?control={typed}"),
        format!("/controls?state={typed}"),
        format!("/controls/{typed}"),
        format!("/controls/newer?find={typed}"),
        format!("/tenants/contoso?state={typed}"),
        format!("/tenants/{typed}"),
    ] {
        let page = server.get(&path).await;
        assert!(page.text().contains("<h1>"), "{path}");
        assert!(!page.text().contains("<script"), "{path}");
    }
}

#[tokio::test]
async fn accepted_risks_are_sorted_identity_first_and_newest_first() {
    let server = start_showing(with_history()).await;
    let titles = ["Title of newer", "Title of older", "Title of apps"];
    let page = server.get("/").await;
    let shown = places(&page, [titles[2], titles[0], titles[1]]);
    assert!(shown.is_sorted(), "the newest first: {shown:?}");
    for absent in ["Title of untouched", "Title of reverted"] {
        assert!(!page.text().contains(absent), "{absent}");
    }
    let page = server.get("/acceptances").await;
    let [newer, older, apps, reverted] = places(
        &page,
        [titles[0], titles[1], titles[2], "Title of reverted"],
    );
    assert!([newer, older, apps, reverted].is_sorted());
    assert!(!page.text().contains("Title of untouched"));
    places(
        &page,
        [
            "2025-11-20 08:15 UTC",
            "cleo@x.example",
            "budget",
            "eve@x.example",
            "to address",
            "4 acceptances, 3 in force and 1 withdrawn",
        ],
    );
}

#[tokio::test]
async fn the_register_shows_claims_self_approval_missing_reasons_and_the_entry_to_write() {
    use ControlState::{RiskAccepted, ThirdParty};
    let by = "ann@x.example";
    let own = Decision {
        approver: Some("Ann (ANN@x.example)".into()),
        evidence: Some("https://tickets.example/SEC-5".into()),
        ..Decision::new("own", "SEC-5", Timestamp::from_seconds(4_102_444_800))
    };
    let accepted = change(RiskAccepted, 1_700_000_000, by, "Risk accepted");
    let claimed = change(ThirdParty, 1_700_000_000, by, "another product does it");
    let controls = vec![
        Control {
            decisions: vec![Arc::new(own)],
            ..control("own", Category::Identity, vec![accepted.clone()])
        },
        control("open", Category::Identity, vec![accepted]),
        control("claim", Category::Device, vec![claimed]),
    ];
    let server = start_showing(with_controls(tenant("contoso"), controls)).await;
    let page = server.get("/acceptances").await;
    places(
        &page,
        [
            "2 acceptances, 2 in force and 0 withdrawn, and 1 claim",
            "self-approved",
            "href=\"https://tickets.example/SEC-5\"",
            "no reason given",
            "claimed</span>, third party",
            "- control: claim\n  tenants: [contoso]\n  states: [third_party]\n  reference: TICKET\n",
            "approve contoso open --states risk_accepted --reference TICKET",
            "/api/v1/acceptances?kind=all",
        ],
    );
    let offers = page.text().matches("Decision for it").count();
    assert_eq!(offers, 2, "not for the approved one");
    let claims = server.get("/acceptances?kind=claim").await;
    assert!(claims.text().contains("Title of claim"));
    assert!(!claims.text().contains("Title of own"));
    let accepted = server.get("/acceptances?kind=acceptance").await;
    assert!(!accepted.text().contains("Title of claim"));
    let status = server.get("/").await;
    assert!(
        !status.text().contains("Title of claim"),
        "no accepted risk"
    );
    let tenant = server.get("/tenants/contoso").await;
    places(&tenant, ["not approved", "self-approved"]);
}

#[tokio::test]
async fn unapproved_risks_come_first_and_approvals_are_shown() {
    let mut state = with_history();
    let mut snapshot = (*state.snapshot).clone();
    let decision = |reference: &str, expires: i64| Decision {
        approver: Some(Arc::from("The board")),
        ..Decision::new("newer", reference, Timestamp::from_seconds(expires))
    };
    for control in &mut snapshot.controls {
        match &*control.id {
            "newer" => control.decisions = vec![Arc::new(decision("SEC-9", 4_102_444_800))],
            "apps" => control.decisions = vec![Arc::new(decision("SEC-1", 1_764_633_600))],
            _ => {}
        }
    }
    state.snapshot = Arc::new(snapshot);
    let server = start_showing(state).await;
    let page = server.get("/acceptances").await;
    let order = places(&page, ["Title of older", "Title of newer", "Title of apps"]);
    assert!(order.is_sorted(), "{order:?}");
    places(
        &page,
        [
            "not approved",
            "SEC-9",
            "by The board",
            "2099-12-31",
            "SEC-1",
        ],
    );
    let [expired] = places(&page, ["expired on <time datetime=\"2025-12-01\""]);
    assert!(expired > order[2]);
    let page = server.get("/").await;
    places(
        &page,
        [
            "Title of older",
            "not approved",
            "Title of apps",
            "expired</span> SEC-1<",
        ],
    );
    assert!(!page.text().contains("Title of newer"), "it is approved");
    let approved = server.get("/acceptances?approved=true").await;
    assert!(approved.text().contains("Title of newer"));
    assert!(!approved.text().contains("Title of older"));
    let page = server.get("/acceptances?sort=expires").await;
    let order = places(&page, ["Title of apps", "Title of newer", "Title of older"]);
    assert!(order.is_sorted(), "{order:?}");
}

#[tokio::test]
async fn points_lost_are_the_maximum_less_the_score_of_the_report_that_is_named() {
    let accepted = |id: &str| {
        let acceptance = change(ControlState::RiskAccepted, 1, "alex", "why");
        control(id, Category::Identity, vec![acceptance])
    };
    let partly = with_score(accepted("partly"), |score| {
        score.score = Points::new(6.5).unwrap();
    });
    let mut unscored = accepted("unscored");
    unscored.score = None;
    let unknown = with_entry(accepted("unknown"), |entry| entry.max_score = None);
    let mut state = with_controls(tenant("contoso"), vec![partly, unscored, unknown]);
    state.snapshot = Arc::new(TenantSnapshot {
        report: Some(Arc::new(Report {
            as_of: Some(Timestamp::from_seconds(1_795_305_600)),
            ..report()
        })),
        ..(*state.snapshot).clone()
    });
    let server = start_showing(state).await;
    for (control, shown, field) in [
        (
            "partly",
            "1.5<p class=\"soft\">report of <time datetime=\"2026-11-22\">",
            json!(1.5),
        ),
        ("unscored", "not scored</span></td>", Value::Null),
        ("unknown", "unknown</span></td>", Value::Null),
    ] {
        let query = format!("acceptances?control={control}");
        let page = server.get(&format!("/{query}")).await;
        assert!(page.text().contains(shown), "{}", page.text());
        let data = server.get(&format!("/api/v1/{query}")).await;
        let data: Value = serde_json::from_str(data.text()).unwrap();
        let record = &data["acceptances"][0];
        assert_eq!(record["points_lost"], field, "{control}");
        assert_eq!(record["report_as_of"], "2026-11-22T00:00:00Z");
    }
}

#[tokio::test]
async fn headings_sort_the_acceptances_and_keep_the_filter() {
    let server = start_showing(with_history()).await;
    for (sort, order) in [
        (
            "control",
            ["Title of apps", "Title of newer", "Title of older"],
        ),
        (
            "-control",
            ["Title of older", "Title of newer", "Title of apps"],
        ),
        (
            "accepted",
            ["Title of older", "Title of newer", "Title of apps"],
        ),
        (
            "-category",
            ["Title of apps", "Title of newer", "Title of older"],
        ),
    ] {
        let path = format!("/acceptances?in_force=true&sort={sort}");
        let page = server.get(&path).await;
        let order = places(&page, order);
        assert!(order.is_sorted(), "{sort}: {order:?}");
        let direction = match sort.starts_with('-') {
            true => "descending",
            false => "ascending",
        };
        assert!(page.text().contains(&format!("aria-sort=\"{direction}\"")));
        assert!(
            page.text()
                .contains("href=\"/acceptances?in_force=true&amp;sort=-points\"")
        );
        assert!(!page.text().contains("Title of reverted"), "{sort}");
    }
}

#[tokio::test]
async fn an_empty_result_says_so_and_suggests_similar_names() {
    let server = start_showing(with_history()).await;
    let page = server.get("/acceptances?tenant=contosa").await;
    assert_eq!(page.status, 200);
    places(
        &page,
        [
            "No accepted risk fits this filter",
            "Similar names: contoso",
        ],
    );
    let page = server.get("/acceptances?category=Data").await;
    places(&page, ["No accepted risk fits this filter"]);
}

#[tokio::test]
async fn an_invalid_query_is_rejected_with_a_remedy() {
    let server = start_showing(with_history()).await;
    for (path, remedy) in [
        ("/?page=none", "1 or more"),
        ("/?sort=colour", "to_target"),
        ("/?sort=colour", "unknown sort column &quot;colour&quot;"),
        ("/?x=1", "find, show, sort, page, format, refresh"),
        ("/?show=all", "below_target"),
        ("/controls?state=ignored", "reverted"),
        ("/controls?tenant=contoso", "find"),
        ("/controls/newer?sort=colour", "since"),
        ("/acceptances?category=Identities", "Identity"),
        ("/acceptances?approved=perhaps", "true"),
        ("/acceptances?since=soon", "2026"),
        ("/acceptances?sort=colour", "points"),
        ("/acceptances?accepted_by=amy", "in_force"),
        ("/tenants/contoso?state=ignored", "risk_accepted"),
    ] {
        let page = server.get(path).await;
        assert_eq!(page.status, 400, "{path}");
        places(&page, [remedy, "without a filter"]);
    }
}

#[tokio::test]
async fn an_unknown_tenant_is_not_found_and_similar_names_are_suggested() {
    let server = start_showing(tenant("contoso")).await;
    server.store.publish(tenant("fabrikam"));
    let page = server.get("/tenants/Contosso").await;
    assert_eq!(page.status, 404);
    places(&page, ["href=\"/tenants/contoso\""]);
    assert!(!page.text().contains("fabrikam"));
    let endless = "a".repeat(4_000);
    let page = server.get(&format!("/tenants/{endless}")).await;
    assert_eq!(page.status, 404);
    assert!(page.body.len() < 10_000);
}

#[tokio::test]
async fn a_tenants_controls_are_sorted_by_points_to_gain() {
    let little = with_score(control("little", Category::Apps, Vec::new()), |score| {
        score.score = Points::new(7.5).unwrap();
        score.implementation_status = Some(Arc::from("1 of 3 administrators"));
    });
    let much = with_entry(control("much", Category::Identity, Vec::new()), |entry| {
        entry.action_url = Some(Arc::from("https://entra.example/#roles"));
        entry.deprecated = true;
    });
    let mut unscored = control("unscored", Category::Data, Vec::new());
    unscored.score = None;
    unscored.watched = true;
    let server = start_showing(with_controls(
        tenant("contoso"),
        vec![little, unscored, much],
    ))
    .await;
    let page = server.get("/tenants/contoso").await;
    let all = |page: &HttpResponse| {
        page.text()
            .split_once("id=\"controls\"")
            .unwrap()
            .1
            .to_owned()
    };
    let order = |page: &HttpResponse, titles: [&str; 3]| {
        let controls = all(page);
        let places = titles.map(|it| controls.find(it).unwrap_or_else(|| panic!("no {it}")));
        assert!(places.is_sorted(), "{titles:?} {places:?}");
    };
    order(
        &page,
        ["Title of much", "Title of little", "Title of unscored"],
    );
    places(
        &page,
        [
            "1 of 3 administrators",
            "7.5 of 8",
            "not scored",
            "watched",
            "deprecated",
            "href=\"https://entra.example/#roles\" rel=\"noreferrer noopener\"",
            "entra.example",
            "8.5 points to gain",
        ],
    );
    let page = server.get("/tenants/contoso?category=Apps").await;
    assert!(page.text().contains("Title of little"));
    assert!(!page.text().contains("Title of much"));
    let page = server.get("/tenants/contoso?sort=gain").await;
    order(
        &page,
        ["Title of little", "Title of much", "Title of unscored"],
    );
}

/// Contoso with 41.5 of 50 points, a planned and an accepted control of Identity.
fn with_decisions(change_accepted: impl FnOnce(&mut CatalogueEntry)) -> TenantState {
    let decided = |id: &str, state: ControlState, points: f64| {
        let update = change(state, 1, "alex", "why");
        with_score(control(id, Category::Identity, vec![update]), |score| {
            score.score = Points::new(points).unwrap();
        })
    };
    let accepted = decided("accepted", ControlState::RiskAccepted, 6.0);
    let controls = vec![
        decided("planned", ControlState::Planned, 5.0),
        with_entry(accepted, change_accepted),
    ];
    let scores = controls.iter().filter_map(|it| it.score.clone()).collect();
    let mut state = with_controls(tenant("contoso"), controls);
    state.snapshot = Arc::new(TenantSnapshot {
        report: Some(Arc::new(Report { scores, ..report() })),
        ..(*state.snapshot).clone()
    });
    state
}

#[tokio::test]
async fn planned_and_achievable_score_are_shown_or_why_they_are_unknown() {
    let without = |change: fn(&mut TenantSnapshot)| {
        let mut state = with_decisions(|_| {});
        let mut snapshot = (*state.snapshot).clone();
        change(&mut snapshot);
        state.snapshot = Arc::new(snapshot);
        state
    };
    let cell = |label: &str, value: &str| {
        format!("<td class=\"number\" data-label=\"{label}\">{value}</td>")
    };
    let identity = [
        ("Points", "11 of 16"),
        ("Share", "68 %"),
        ("Planned", "87 %"),
        ("Achievable", "87 %"),
    ];
    let identity: String = identity.map(|(label, value)| cell(label, value)).concat();
    for (state, words) in [
        (
            with_decisions(|_| {}),
            ["83 % now, 89 % planned, 96 % achievable</dd>", &identity],
        ),
        (
            with_decisions(|accepted| accepted.max_score = None),
            [
                "83 % now, 89 % planned, achievable unknown",
                "states or points of controls are unknown",
            ],
        ),
        (
            without(|it| it.catalogue_anomalies = None),
            [
                "83 % now, planned unknown, achievable unknown",
                "the catalogue is not known",
            ],
        ),
        (
            without(|it| it.controls.clear()),
            [
                "83 % now, planned unknown, achievable unknown",
                "there is no report with scores",
            ],
        ),
    ] {
        let server = start_showing(state).await;
        places(&server.get("/tenants/contoso").await, words);
    }
}

#[tokio::test]
async fn a_trend_needs_an_earlier_day_and_its_absence_is_explained() {
    let mut state = with_history();
    let server = start_showing(state.clone()).await;
    for path in ["/", "/tenants/contoso"] {
        places(
            &server.get(path).await,
            ["not known yet", "keeps those of ninety days"],
        );
    }
    for (score, words) in [
        (40.0, "up 3 percentage points"),
        (42.6, "down 2.2 percentage points"),
        (41.5, "unchanged"),
    ] {
        let mut snapshot = (*state.snapshot).clone();
        let mut history = ScoreHistory::default();
        history.add_newest(DailyScore {
            as_of: Timestamp::from_seconds(1_763_626_530),
            score: Points::new(score).unwrap(),
            max_score: Points::new(50.0).unwrap(),
        });
        snapshot.score_history = history.into();
        state.snapshot = Arc::new(snapshot);
        server.store.publish(state.clone());
        for path in ["/", "/tenants/contoso"] {
            let page = server.get(path).await;
            places(&page, [words, "since <time datetime=\"2025-11-20\""]);
            assert!(!page.text().contains("keeps those of"), "{path}");
        }
    }
}

#[tokio::test]
async fn persons_are_hidden_from_a_client_without_authentication() {
    for (options, remedy) in [
        (
            options_with(Persons::Plain, false),
            "<code>privacy.pages: show</code>",
        ),
        (
            options_with(Persons::Hidden, true),
            "<code>privacy.events: full</code>",
        ),
    ] {
        let server = start(options).await;
        server.store.publish(with_history());
        // No control is watched, so that page has none.
        for path in PAGES.into_iter().filter(|path| *path != "/controls") {
            let page = server.get(path).await;
            assert_eq!(page.status, 200);
            assert!(page.text().contains("Title of newer"));
            assert!(page.text().contains(remedy), "{path}");
            for person in ["x.example", "budget", "oops", "for now"] {
                assert!(!page.text().contains(person), "{path}: {person}");
            }
        }
    }
}

#[tokio::test]
async fn the_switch_shows_persons_to_every_client() {
    let server = start(SiteOptions {
        external_url: Some("https://secure.example".to_owned()),
        ..options()
    })
    .await;
    server.store.publish(with_history());
    let headers = "X-Forwarded-For: 192.0.2.1\r\n";
    let page = server.request("GET", "/", headers).await;
    assert!(page.text().contains("cleo@x.example"));
    assert!(!page.text().contains("are hidden"));
}

#[tokio::test]
async fn no_accepted_risk_differs_from_an_unknown_catalogue() {
    let server = start(options()).await;
    assert!(
        server
            .get("/")
            .await
            .text()
            .contains("No tenant is configured here")
    );
    server.store.publish(tenant("contoso"));
    assert!(
        server
            .get("/")
            .await
            .text()
            .contains("The catalogue of controls of 1 of 1 tenant is not known")
    );
    server
        .store
        .publish(with_controls(tenant("contoso"), Vec::new()));
    let page = server.get("/").await;
    assert!(!page.text().contains("is not known now"));
    assert!(
        page.text()
            .contains("No acceptance and no claim on a watched control waits")
    );
}

#[tokio::test]
async fn of_a_thousand_tenants_those_in_trouble_come_first() {
    let server = start(options()).await;
    let long = "\"&<".repeat(2_000);
    for number in 0..1_000 {
        let accepted = (0..5).map(|n| {
            let update = change(ControlState::RiskAccepted, 1_763_626_530 + n, &long, &long);
            control(&format!("control-{n}"), Category::Identity, vec![update])
        });
        let state = with_controls(tenant(&format!("tenant-{number:04}")), accepted.collect());
        server.store.publish(match number {
            900.. => troubled(state),
            _ => state,
        });
    }
    let page = server.get("/").await;
    let [table] = places(&page, ["<table class=\"fleet"]);
    let table = &page.text()[table..];
    let order = ["tenant-0900", "tenant-0000"].map(|alias| table.find(alias).unwrap());
    assert!(order.is_sorted(), "{order:?}");
    places(
        &page,
        [
            "1000 tenants, 100 with a failing refresh, 1 to 200 shown",
            "Page 1 of 5",
            "<strong class=\"bad\">5000</strong> <span>accepted risks not approved",
            "Refresh failing on <strong>100 tenants",
            "Title of control-4</a></h3>",
        ],
    );
    assert_eq!(page.text().matches("<li class=\"undecided\"").count(), 5);
    assert!(page.body.len() < 1_000_000, "{}", page.body.len());
    let page = server.get("/?page=5").await;
    places(&page, ["801 to 1000 shown", "tenant-0899"]);
    let page = server.get("/?find=NT-012").await;
    places(&page, ["10 tenants", "tenant-0120", "tenant-0129"]);
    assert!(!page.text().contains("/tenants/tenant-0130\">"));

    let page = server.get("/acceptances?category=Identity").await;
    places(
        &page,
        [
            "5000 acceptances",
            "Page 1 of 25",
            "href=\"/acceptances?category=Identity&amp;page=2\"",
        ],
    );
    assert!(page.body.len() < 2_500_000, "{}", page.body.len());
}

#[tokio::test]
async fn every_page_of_the_acceptances_has_other_rows() {
    let controls = (0..450).map(|number| {
        let update = change(
            ControlState::RiskAccepted,
            1_763_626_530,
            "amy@x.example",
            "",
        );
        control(
            &format!("control-{number:03}"),
            Category::Identity,
            vec![update],
        )
    });
    let server = start_showing(with_controls(tenant("contoso"), controls.collect())).await;
    let mut seen = 0;
    for (number, rows) in [(1, 200), (2, 200), (3, 50)] {
        let path = format!("/acceptances?sort=control&page={number}");
        let page = server.get(&path).await;
        assert_eq!(page.text().matches("<th class=\"words\"").count(), rows);
        places(&page, [&format!("Title of control-{seen:03}")]);
        seen += rows;
    }
}
