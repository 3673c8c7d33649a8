//! The status page, the matrix of watched controls and the page of a control.

use crate::browser::Browser;
use crate::entra_tenant;
use crate::large_fleet;
use crate::test_server::{
    TestServer, between, change, control, has, options, options_with, report, section, start,
    start_with, tenant, troubled, with_controls,
};
use secure_score_exporter::store::TenantState;
use secure_score_model::{
    Category, Control, ControlScore, ControlState, Decision, DecisionState, Level, Persons, Points,
    Reason, RecommendationStatus, Report, TenantSnapshot, Timestamp, Trouble,
};
use serde_json::json;
use std::sync::Arc;
use std::time::SystemTime;

const NEW: i64 = 1_763_626_530;

/// A watched control in this state since a time, with its points of 8.
fn watched(id: &str, state: ControlState, by: &str, at: i64, score: f64) -> Control {
    let update = change(state, at, by, "because of the migration");
    let updates = match state {
        ControlState::ToAddress => Vec::new(),
        _ => vec![update],
    };
    let control = control(id, Category::Identity, updates);
    let score = ControlScore::new(id, Category::Identity, Points::new(score).unwrap());
    Control {
        watched: true,
        score: Some(Arc::new(score)),
        ..control
    }
}

fn accepted(id: &str, by: &str, at: i64) -> Control {
    watched(id, ControlState::RiskAccepted, by, at, 0.0)
}

fn open(id: &str) -> Control {
    watched(id, ControlState::ToAddress, "", 0, 0.0)
}

fn met(id: &str) -> Control {
    watched(id, ControlState::ToAddress, "", 0, 8.0)
}

fn claimed(id: &str) -> Control {
    watched(id, ControlState::ThirdParty, "sam@x.example", NEW, 8.0)
}

fn reverted(id: &str) -> Control {
    let updates = vec![
        change(ControlState::RiskAccepted, NEW - 9, "eve@x.example", "oops"),
        change(ControlState::ToAddress, NEW, "ann@x.example", ""),
    ];
    Control {
        watched: true,
        ..control(id, Category::Identity, updates)
    }
}

fn approved(mut control: Control) -> Control {
    control.decisions = vec![Arc::new(Decision {
        states: vec![DecisionState::RiskAccepted, DecisionState::ThirdParty],
        ..Decision::new(&control.id, "SEC-7", Timestamp::from_seconds(4_102_444_800))
    })];
    control
}

async fn serving(tenants: Vec<(&str, Vec<Control>)>) -> TestServer {
    let server = start(options()).await;
    for (alias, controls) in tenants {
        server.store.publish(with_controls(tenant(alias), controls));
    }
    server
}

/// The aliases of the rows of a table, in their order.
fn aliases(page: &str, table: &str) -> String {
    let table = between(page, &format!("<table class=\"{table}"), "</table>");
    let rows = table.split("<th scope=\"row\">").skip(1);
    let aliases: Vec<_> = rows.map(|row| between(row, "\">", "</a>")).collect();
    aliases.join(" ")
}

#[tokio::test]
async fn one_of_each_is_in_the_singular() {
    let control = watched("MFA", ControlState::RiskAccepted, "eve@x.example", NEW, 7.0);
    let server = serving(vec![("contoso", vec![control])]).await;
    let status = server.get("/").await;
    has(
        status.text(),
        &[
            "1 point lost",
            "<span>accepted risk not approved",
            "<span>risk accepted now",
            "<span>tenant watched",
            "<caption>1 tenant,",
        ],
    );
    let page = server.get("/tenants/contoso").await;
    has(page.text(), &["1 control with 1 point to gain"]);
    let page = server.get("/controls/MFA").await;
    has(page.text(), &["<dd>1 point</dd>", "<dd>1 tenant,"]);
    server.store.publish(tenant("contoso"));
    let status = server.get("/").await;
    let note = "The catalogue of controls of 1 of 1 tenant is not known now";
    has(status.text(), &[note]);
}

#[tokio::test]
async fn one_control_on_many_tenants_is_one_decision_and_the_newest_comes_first() {
    let server = serving(vec![
        ("adatum", vec![accepted("MFA", "eve@x.example", NEW)]),
        (
            "contoso",
            vec![
                accepted("MFA", "ann@x.example", NEW - 50),
                approved(accepted("Approved", "ann@x.example", NEW + 99)),
                claimed("Legacy"),
            ],
        ),
        ("fabrikam", vec![accepted("Risk", "bob@x.example", NEW + 9)]),
        ("litware", vec![accepted("MFA", "eve@x.example", NEW - 9)]),
    ])
    .await;
    let section = section(&server, "/", "undecided").await;
    let cards: Vec<&str> = section.split("<li class=\"undecided\">").skip(1).collect();
    assert_eq!(cards.len(), 3, "{section}");
    has(
        cards[0],
        &[
            "<a href=\"/controls/Risk\">Title of Risk</a>",
            "<a href=\"/tenants/fabrikam\">",
            "bob@x.example",
            "because of the migration",
            "8 points lost",
            "approve fabrikam Risk --states risk_accepted",
            "kind=acceptance&amp;control=Risk&amp;tenant=fabrikam",
        ],
    );
    has(
        cards[1],
        &[
            "Title of MFA",
            "<strong>3 tenants</strong>: ",
            "/tenants/adatum",
            "/tenants/litware",
            "/tenants/contoso",
            "Newest: <time datetime=\"2025-11-20T08:15:30Z\"",
            "eve@x.example, ann@x.example",
            "24 points lost",
            "not approved",
        ],
    );
    has(
        cards[2],
        &[
            "Title of Legacy",
            "claimed: third party",
            "8 points claimed",
        ],
    );
    assert!(!section.contains("Title of Approved"));
}

#[tokio::test]
async fn one_person_behind_many_tenants_is_one_decision_where_persons_are_shown() {
    for (persons, shown) in [(Persons::Plain, true), (Persons::Hidden, false)] {
        let server = start(options_with(persons, true)).await;
        for (alias, id) in [("adatum", "MFA"), ("contoso", "Risk")] {
            let controls = vec![accepted(id, "eve@x.example", NEW)];
            server.store.publish(with_controls(tenant(alias), controls));
        }
        let section = section(&server, "/", "undecided").await;
        let cards = section.matches("<li class=\"undecided\">").count();
        assert_eq!(cards, if shown { 1 } else { 2 }, "{section}");
        assert_eq!(section.contains("One person, 2 controls"), shown);
        assert_eq!(section.contains("eve@x.example"), shown, "{section}");
        has(&section, &["Title of MFA", "Title of Risk"]);
    }
}

#[tokio::test]
async fn claimed_points_of_one_person_are_not_lost_and_each_row_has_its_decision() {
    let claim = watched(
        "Legacy",
        ControlState::ThirdParty,
        "eve@x.example",
        NEW,
        8.0,
    );
    let server = serving(vec![
        ("adatum", vec![accepted("MFA", "eve@x.example", NEW)]),
        ("contoso", vec![claim]),
    ])
    .await;
    let section = section(&server, "/", "undecided").await;
    has(
        &section,
        &[
            "One person, 2 controls",
            "8 points lost, 8 claimed",
            ">risk accepted</span>",
            ">claimed: third party</span>",
            "in_force=true&amp;kind=all",
            "Decisions for them",
            "- control: MFA\n  tenants: [adatum]\n",
            "- control: Legacy\n  tenants: [contoso]\n  states: [third_party]\n",
            "approve adatum MFA --states risk_accepted",
            "approve contoso Legacy --states third_party",
        ],
    );
}

#[tokio::test]
async fn of_many_rows_the_first_decisions_are_offered() {
    let server = start(options()).await;
    for number in 0..7 {
        let state = tenant(&format!("tenant-{number}"));
        let controls = vec![accepted("MFA", "eve@x.example", NEW - number)];
        server.store.publish(with_controls(state, controls));
    }
    let section = section(&server, "/", "undecided").await;
    assert_eq!(section.matches("secure-score-exporter approve").count(), 5);
    has(&section, &["… and 2 more in the register."]);
}

#[tokio::test]
async fn a_tenant_without_consent_is_named_and_its_refresh_is_not_failing() {
    let server = serving(vec![("contoso", vec![open("MFA")])]).await;
    let mut woodgrove = tenant("woodgrove");
    woodgrove.health.profiles.trouble = Some(Trouble::new(Reason::Consent, "AADSTS65001"));
    server.store.publish(woodgrove);
    let page = server.get("/").await;
    has(
        page.text(),
        &[
            "<strong class=\"plain\">0</strong> <span>refresh failing",
            "href=\"/?show=no_consent#tenants\"><strong class=\"bad\">1</strong> <span>without consent",
            "1 of 2 tenants gave no consent to the application, so nothing of them is known: woodgrove.",
            "No consent from <a href=\"/tenants/woodgrove\">",
            ">without consent</span>",
            "2 tenants, no refresh failing, 1 without consent",
            "<strong class=\"plain\">1</strong> <span>tenant watched",
        ],
    );
    for absent in ["is not known now", "Refresh failing on"] {
        assert!(!page.text().contains(absent), "{absent}");
    }
    let page = server.get("/?show=no_consent").await;
    assert_eq!(aliases(page.text(), "fleet"), "woodgrove");
    let page = server.get("/?show=failing").await;
    has(page.text(), &["No tenant fits this filter."]);
}

#[tokio::test]
async fn a_history_of_a_control_names_its_place() {
    let server = start(options()).await;
    let now = Timestamp::from(SystemTime::now());
    let dismissed = [(RecommendationStatus::Dismissed, -1, Some("ann@x.example"))];
    let mut advice = entra_tenant::recommendation("userRiskPolicy", &dismissed, now);
    advice.control = Some("userRiskPolicy".into());
    let mut state = with_controls(
        tenant("contoso"),
        vec![accepted("userRiskPolicy", "eve@x.example", NEW)],
    );
    state.snapshot = Arc::new(TenantSnapshot {
        recommendations: vec![advice],
        ..(*state.snapshot).clone()
    });
    server.store.publish(state);
    let page = server.get("/controls/userRiskPolicy").await;
    has(
        page.text(),
        &["History in Secure Score, 1 change", "History in Entra, "],
    );
}

#[tokio::test]
async fn what_is_not_watched_is_below_what_is_and_entra_counts_too() {
    let server = start(options()).await;
    let now = Timestamp::from(SystemTime::now());
    let dismissed = [(RecommendationStatus::Dismissed, -1, Some("ann@x.example"))];
    let mut advice = entra_tenant::recommendation("userRiskPolicy", &dismissed, now);
    advice.watched = true;
    let unwatched = Control {
        watched: false,
        ..accepted("Other", "bob@x.example", NEW)
    };
    let claim = Control {
        watched: false,
        ..claimed("Legacy")
    };
    let mut state = with_controls(tenant("contoso"), vec![unwatched, claim]);
    state.snapshot = Arc::new(TenantSnapshot {
        recommendations: vec![advice],
        ..(*state.snapshot).clone()
    });
    server.store.publish(state);
    let section = section(&server, "/", "undecided").await;
    let (first, others) = section.split_once("<details class=\"others\">").unwrap();
    has(
        first,
        &["dismissed", "in Entra", "/controls/userRiskPolicy"],
    );
    has(
        others,
        &[
            "1 accepted risk without a decision",
            "controls that are not watched",
            "Title of Other",
            "1 claim without a decision",
        ],
    );
    assert!(!section.contains("Title of Legacy"));
    let page = server.get("/").await;
    has(
        page.text(),
        &[
            "href=\"/acceptances?kind=claim&amp;approved=false&amp;in_force=true\"><strong class=\"bad\">1</strong> <span>claim not approved",
        ],
    );
}

#[tokio::test]
async fn decisions_come_first_then_what_is_broken_with_its_remedy_then_the_tenants() {
    let server = serving(vec![("contoso", vec![accepted("MFA", "eve", NEW)])]).await;
    for alias in ["adatum", "fabrikam"] {
        server.store.publish(troubled(tenant(alias)));
    }
    let page = server.get("/").await;
    let places = ["id=\"undecided\"", "id=\"broken\"", "id=\"tenants\""];
    let places = places.map(|it| page.text().find(it).unwrap());
    assert!(places.is_sorted(), "{places:?}");
    let broken = section(&server, "/", "broken").await;
    assert_eq!(broken.matches("<li>").count(), 1, "one remedy: {broken}");
    has(
        &broken,
        &[
            "Refresh failing on <strong>2 tenants</strong>",
            "/tenants/adatum",
            "/tenants/fabrikam",
            "permission</strong>: Graph refused the catalogue: 403 Forbidden",
            "Hint: grant the application permission SecurityEvents.Read.All",
        ],
    );
    has(
        page.text(),
        &[
            "href=\"/#undecided\"><strong class=\"bad\">1</strong> <span>need a decision now",
            "href=\"/?show=failing#tenants\"><strong class=\"bad\">2</strong> <span>refresh failing",
            "refresh failing</span>",
        ],
    );
    assert!(!page.text().contains("in trouble"));
}

#[tokio::test]
async fn problems_beyond_the_limit_are_counted_refreshes_and_watch_lists_apart() {
    let server = start(options()).await;
    let publish = |number: usize| {
        let mut state = tenant(&format!("tenant{number}"));
        let snapshot = Arc::make_mut(&mut state.snapshot);
        snapshot.unmatched_watches = vec![format!("Misspelt{number}").into()];
        server.store.publish(state);
    };
    (0..13).for_each(publish);
    let broken = section(&server, "/", "broken").await;
    assert_eq!(broken.matches("<li>").count(), 12, "{broken}");
    has(
        &broken,
        &["<p>… and 1 more watch list with lines that match nothing</p>"],
    );
    assert!(!broken.contains("whose refresh fails"), "{broken}");
    publish(13);
    let broken = section(&server, "/", "broken").await;
    has(&broken, &["… and 2 more watch lists with lines"]);
}

/// A tenant with this score of 50 and these controls.
fn scoring(alias: &str, score: f64, target: f64, controls: Vec<Control>) -> TenantState {
    let mut state = with_controls(tenant(alias), controls);
    state.identity.target = Some(target);
    Arc::make_mut(&mut state.snapshot).report = Some(Arc::new(Report {
        current_score: Points::new(score),
        ..report()
    }));
    state
}

async fn fleet() -> TestServer {
    let server = start(options()).await;
    for state in [
        scoring("adatum", 40.0, 0.5, vec![accepted("A", "eve", NEW)]),
        scoring(
            "contoso",
            30.0,
            0.9,
            vec![accepted("A", "eve", NEW), accepted("B", "eve", NEW)],
        ),
        scoring(
            "fabrikam",
            45.0,
            0.95,
            vec![approved(accepted("A", "eve", NEW))],
        ),
        troubled(scoring("litware", 20.0, 0.3, vec![met("A")])),
    ] {
        server.store.publish(state);
    }
    server
}

#[tokio::test]
async fn the_tenants_are_sorted_and_filtered_by_links() {
    let server = fleet().await;
    for (query, expected) in [
        ("", "litware contoso adatum fabrikam"),
        ("?sort=tenant", "adatum contoso fabrikam litware"),
        ("?sort=-score", "fabrikam adatum contoso litware"),
        ("?sort=to_target", "contoso fabrikam litware adatum"),
        ("?sort=-unapproved", "contoso adatum fabrikam litware"),
        ("?sort=-approved", "fabrikam adatum contoso litware"),
        ("?show=failing", "litware"),
        ("?show=below_target", "contoso fabrikam"),
        ("?show=unapproved", "contoso adatum"),
        ("?show=approved&find=FABRI", "fabrikam"),
    ] {
        let page = server.get(&format!("/{query}")).await;
        assert_eq!(aliases(page.text(), "fleet"), expected, "{query}");
    }
    let page = server.get("/?show=waiting").await;
    has(page.text(), &["No tenant fits this filter."]);
    let page = server.get("/?show=unapproved").await;
    has(
        page.text(),
        &[
            "30 <abbr title=\"percentage points\">pp</abbr> below</span> <span class=\"soft\">90 %",
            "href=\"/?show=unapproved&amp;sort=score#tenants\"",
            "tenant=contoso&amp;in_force=true&amp;kind=acceptance&amp;approved=false\">2</a>",
            "<option value=\"unapproved\" selected>",
        ],
    );
}

#[tokio::test]
async fn the_csv_of_the_tenants_has_the_rows_of_the_filter() {
    let server = fleet().await;
    for (query, kept, expected) in [
        ("", "", "adatum contoso fabrikam litware"),
        ("?sort=-score&page=1", "", "adatum contoso fabrikam litware"),
        ("?show=failing", "show=failing&", "litware"),
        (
            "?show=unapproved&sort=-score",
            "show=unapproved&",
            "adatum contoso",
        ),
        ("?find=FABRI", "find=FABRI&", "fabrikam"),
        ("?show=waiting", "show=waiting&", ""),
    ] {
        let page = server.get(&format!("/{query}")).await;
        let link = format!("/?{kept}format=csv");
        let escaped = link.replace('&', "&amp;");
        has(page.text(), &[&format!("href=\"{escaped}\"")]);
        let csv = server.get(&link).await;
        assert!(csv.text().starts_with("tenant,"), "{}", csv.text());
        let rows = csv.text().lines().skip(1);
        let found: Vec<_> = rows.filter_map(|row| row.split(',').next()).collect();
        assert_eq!(found.join(" "), expected, "{query}");
    }
}

#[tokio::test]
async fn of_a_large_fleet_the_first_page_counts_every_tenant() {
    let server = start(options()).await;
    for number in 0..250 {
        server.store.publish(large_fleet::shown(number));
    }
    let page = server.get("/").await;
    has(
        page.text(),
        &[
            "<strong class=\"plain\">250</strong> <span>tenants watched",
            "250 tenants, no refresh failing, 1 to 200 shown",
        ],
    );
    let csv = server.get("/?show=unapproved&format=csv").await;
    let unapproved = csv.text().lines().count() - 1;
    let page = server.get("/?show=unapproved").await;
    has(page.text(), &[&format!("{unapproved} tenants, ")]);
}

async fn matrix() -> TestServer {
    let server = serving(vec![
        ("adatum", vec![met("Legacy"), open("MFA")]),
        (
            "contoso",
            vec![reverted("Legacy"), accepted("MFA", "eve@x.example", NEW)],
        ),
        (
            "fabrikam",
            vec![
                claimed("Legacy"),
                approved(accepted("MFA", "eve@x.example", NEW)),
            ],
        ),
        (
            "litware",
            vec![Control {
                watched: false,
                ..met("Own")
            }],
        ),
    ])
    .await;
    server.store.publish(tenant("northwind"));
    server
}

/// The words of the cells of a tenant.
fn cells(page: &str, alias: &str) -> String {
    let row = between(page, &format!("/tenants/{alias}\">"), "</tr>");
    let marks = row.split("class=\"standing ").skip(1);
    let words = marks.map(|mark| mark.split('"').next().unwrap());
    words.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_matrix_shows_each_tenant_and_each_watched_control_in_words() {
    let server = matrix().await;
    let page = server.get("/controls").await;
    let text = page.text();
    // Where most is accepted comes first, in both directions.
    assert_eq!(
        aliases(text, "matrix"),
        "contoso fabrikam northwind adatum litware"
    );
    for (alias, expected) in [
        ("contoso", "accepted reverted"),
        ("fabrikam", "approved claimed"),
        ("northwind", "unknown unknown"),
        ("adatum", "open met"),
        ("litware", "not_scored not_scored"),
    ] {
        assert_eq!(cells(text, alias), expected, "{alias}");
    }
    has(
        text,
        &[
            "<a href=\"/controls/MFA\">Title of MFA</a>",
            "/controls?control=MFA&amp;state=accepted",
            "</span> accepted</span>",
            "href=\"/acceptances?tenant=contoso&amp;control=MFA\"",
            "<span aria-hidden=\"true\">▲</span> accepted",
        ],
    );
    assert!(!text.contains("Title of Own"), "not watched");
}

#[tokio::test]
async fn the_matrix_is_filtered_by_state_control_and_tenant() {
    let server = matrix().await;
    for (query, expected) in [
        ("control=mfa&state=accepted", "contoso"),
        ("control=MFA", "contoso northwind fabrikam adatum litware"),
        ("state=claimed", "fabrikam"),
        ("state=met", "adatum"),
        ("find=WIND", "northwind"),
        ("sort=tenant", "adatum contoso fabrikam litware northwind"),
        ("sort=to_decide&find=w", "litware northwind"),
    ] {
        let page = server.get(&format!("/controls?{query}")).await;
        assert_eq!(aliases(page.text(), "matrix"), expected, "{query}");
    }
    let page = server.get("/controls?control=MFA").await;
    assert_eq!(cells(page.text(), "contoso"), "accepted", "one column");
    let page = server.get("/controls?control=Own").await;
    has(
        page.text(),
        &["No control of this name is on the watch list."],
    );
    let page = server.get("/controls?control=MFA&state=reverted").await;
    has(page.text(), &["No tenant fits this filter."]);
}

#[tokio::test]
async fn a_matrix_of_a_thousand_tenants_is_paged() {
    let server = start(options()).await;
    for number in 0..1_000 {
        let controls = vec![open("MFA"), claimed("Legacy")];
        let state = with_controls(tenant(&format!("tenant-{number:04}")), controls);
        server.store.publish(state);
    }
    let page = server.get("/controls?page=2").await;
    has(
        page.text(),
        &[
            "1000 tenants",
            "201 to 400 shown",
            "tenant-0200",
            "Page 2 of 5",
        ],
    );
    assert!(page.body.len() < 300_000, "{}", page.body.len());
    let page = server.get("/controls/MFA?page=5").await;
    has(page.text(), &["801 to 1000 shown", "tenant-0999"]);
}

#[tokio::test]
async fn the_page_of_a_control_shows_every_tenant_its_history_and_its_facts() {
    let server = matrix().await;
    let mut entry = crate::test_server::entry("MFA", Category::Identity, Vec::new());
    entry.product = "Entra ID".into();
    entry.user_impact = Level::High;
    entry.action_url = Some("https://entra.microsoft.com/#mfa".into());
    let mut first = Control {
        watched: true,
        ..crate::test_server::scored(entry)
    };
    if let Some(score) = &mut first.score {
        let text = "<p>Accounts without it are <b>99.9%</b> of those lost.</p>Don&rsquo;t wait.";
        Arc::make_mut(score).description = Some(text.into());
    }
    server
        .store
        .publish(with_controls(tenant("adatum"), vec![first]));
    let page = server.get("/controls/MFA").await;
    assert_eq!(page.status, 200);
    has(
        page.text(),
        &[
            "<h1>Title of MFA</h1>",
            "<dt>Product</dt><dd>Entra ID</dd>",
            "<dt>User impact</dt><dd>high</dd>",
            "href=\"https://entra.microsoft.com/#mfa\" rel=\"noreferrer noopener\"",
            "<dt>Points</dt><dd>at most 8</dd>",
            "What Microsoft says</h2><div class=\"note\"><p>Accounts without it are 99.9% of those lost.</p><p>Don’t wait.</p></div>",
            "24 points</dd>",
            "3 tenants, watched in 3",
            "href=\"/controls/MFA?state=accepted#tenants\"",
            "SEC-7",
            "eve@x.example",
            "0 of 8",
            "History in Secure Score, 1 change",
        ],
    );
    assert_eq!(
        aliases(page.text(), "register"),
        "contoso northwind fabrikam adatum"
    );
    let history = section(&server, "/controls/Legacy", "history").await;
    let order = ["ann@x.example", "eve@x.example"].map(|by| history.find(by).unwrap());
    assert!(order.is_sorted(), "the newest first: {history}");
    has(
        &history,
        &[
            "/tenants/fabrikam\">fabrikam</a>: <strong>third party</strong> in Secure Score",
            "sam@x.example",
        ],
    );
    for (query, expected) in [
        ("state=approved", "fabrikam"),
        ("sort=tenant", "adatum contoso fabrikam northwind"),
        ("find=A&sort=-tenant", "fabrikam adatum"),
    ] {
        let page = server.get(&format!("/controls/mfa?{query}")).await;
        assert_eq!(aliases(page.text(), "register"), expected, "{query}");
    }
}

/// As the matrix does: the risk may be accepted there.
#[tokio::test]
async fn the_page_of_a_control_counts_tenants_of_which_the_catalogue_is_not_known() {
    let control = accepted("MFA", "eve@x.example", NEW);
    let server = serving(vec![("contoso", vec![control])]).await;
    server.store.publish(tenant("adatum"));
    let page = server.get("/controls/MFA").await;
    has(
        page.text(),
        &[
            "<h1>Title of MFA</h1>",
            "href=\"/controls/MFA?state=unknown#tenants\">1 ",
            "1 tenant, watched in 1",
            "The catalogue of controls is not known.",
            "<span class=\"soft\">unknown</span>",
        ],
    );
    assert_eq!(aliases(page.text(), "register"), "contoso adatum");
    let page = server.get("/controls/MFA?state=unknown").await;
    assert_eq!(aliases(page.text(), "register"), "adatum");
    let csv = server.get("/controls/MFA?format=csv").await;
    let row = csv.text().lines().find(|it| it.starts_with("adatum,"));
    let empty = ",".repeat(12);
    let expected = format!("adatum,adatum,MFA,,Title of MFA,unknown{empty}");
    assert_eq!(row, Some(&*expected));
    assert_eq!(server.get("/controls/Other").await.status, 404);
}

#[tokio::test]
async fn an_unknown_control_is_not_found_and_similar_names_are_suggested() {
    let server = matrix().await;
    let page = server.get("/controls/Legaci").await;
    assert_eq!(page.status, 404);
    has(
        page.text(),
        &[
            "<h1>Control not found</h1>",
            "<a href=\"/controls/Legacy\">",
        ],
    );
    let page = server.get("/controls/%3Cb%3E%FF%2F..%2F").await;
    assert_eq!(page.status, 404);
    has(page.text(), &["&lt;b&gt;"]);
}

#[tokio::test]
async fn the_pages_of_controls_hide_persons_from_a_client_without_authentication() {
    let server = start(options_with(Persons::Plain, false)).await;
    let controls = vec![accepted("MFA", "eve@x.example", NEW), reverted("Legacy")];
    server
        .store
        .publish(with_controls(tenant("contoso"), controls));
    for path in ["/", "/controls", "/controls/MFA", "/controls/Legacy"] {
        let page = server.get(path).await;
        has(page.text(), &["Title of "]);
        for person in ["x.example", "migration", "oops"] {
            assert!(!page.text().contains(person), "{path}: {person}");
        }
    }
}

#[tokio::test]
async fn register_and_tenant_link_to_the_page_of_each_control() {
    let server = matrix().await;
    for path in ["/acceptances", "/tenants/contoso"] {
        let page = server.get(path).await;
        has(page.text(), &["<a href=\"/controls/MFA\">Title of MFA</a>"]);
    }
}

const ROWS: &str =
    "[...document.querySelectorAll('main table tbody th a')].map(it => it.innerText).join(' ')";

#[tokio::test]
async fn tiles_headings_and_the_form_sort_and_filter_the_tenants_in_a_browser() {
    let server = fleet().await;
    let browser = Browser::open().await;
    browser.visit(&server, "/").await;
    browser.click(".tiles a[href*=below_target]").await;
    browser
        .until("location.search == '?show=below_target' && location.hash == '#tenants'")
        .await;
    assert_eq!(browser.value(ROWS).await, json!("contoso fabrikam"));
    browser.click("thead a[href*='sort=score']").await;
    browser
        .until("document.querySelector('[aria-sort=ascending]') != null")
        .await;
    assert_eq!(browser.value(ROWS).await, json!("contoso fabrikam"));
    browser.click("thead [aria-sort] a").await;
    browser
        .until("document.querySelector('[aria-sort=descending]') != null")
        .await;
    assert_eq!(browser.value(ROWS).await, json!("fabrikam contoso"));
    browser
        .click("select[name=show] option[value=unapproved]")
        .await;
    browser.click("form.filter button").await;
    browser
        .until("location.search.includes('show=unapproved')")
        .await;
    assert_eq!(browser.value(ROWS).await, json!("adatum contoso"));
    let top = "document.querySelector('#tenants').getBoundingClientRect().top < innerHeight";
    assert_eq!(browser.value(top).await, json!(true), "the table is shown");
    assert_eq!(browser.errors().await, Vec::<serde_json::Value>::new());
}

#[tokio::test]
async fn the_matrix_answers_where_a_control_is_accepted_in_a_browser() {
    let server = matrix().await;
    let browser = Browser::open().await;
    browser.visit(&server, "/controls").await;
    browser
        .click("select[name=control] option[value=MFA]")
        .await;
    browser
        .click("select[name=state] option[value=accepted]")
        .await;
    browser.click("form.filter button").await;
    browser
        .until("location.search.includes('state=accepted')")
        .await;
    assert_eq!(browser.value(ROWS).await, json!("contoso"));
    browser.visit(&server, "/controls").await;
    browser.click("th.control a[href$='state=claimed']").await;
    browser
        .until("location.search.includes('state=claimed')")
        .await;
    assert_eq!(browser.value(ROWS).await, json!("fabrikam"));
    browser.click("th.control > a").await;
    browser
        .until("location.pathname == '/controls/Legacy'")
        .await;
    let text = browser.text().await;
    has(&text, &["reverted", "claimed", "met", "third party"]);
    assert_eq!(browser.errors().await, Vec::<serde_json::Value>::new());

    browser.resize(390, 844, true).await;
    for path in ["/", "/controls", "/controls/MFA"] {
        browser.visit(&server, path).await;
        let width = browser.value("document.documentElement.scrollWidth").await;
        assert_eq!(width, json!(390), "{path}");
    }
}

#[tokio::test]
async fn the_matrix_and_a_control_are_csv_by_a_link() {
    let server = matrix().await;
    let page = server.get("/controls?state=accepted").await;
    has(
        page.text(),
        &["href=\"/controls?state=accepted&amp;format=csv\""],
    );
    let sheet = server.get("/controls?state=accepted&format=csv").await;
    assert_eq!(
        sheet.header("content-disposition"),
        Some("attachment; filename=\"watched-controls.csv\"")
    );
    let lines: Vec<&str> = sheet.text().lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    has(
        lines[1],
        &[
            "contoso,contoso,MFA,,Title of MFA,accepted,risk_accepted,,2025-11-20T08:15:30Z,eve@x.example,because of the migration,missing,,,0,8,8,true",
        ],
    );
    let sheet = server.get("/controls/Legacy?format=csv&sort=tenant").await;
    let standings = sheet.text().lines().skip(1).map(|line| {
        let mut cells = line.split(',');
        let tenant = cells.next().unwrap_or_default();
        format!("{tenant} {}", cells.nth(4).unwrap_or_default())
    });
    let standings: Vec<String> = standings.collect();
    assert_eq!(
        standings,
        [
            "adatum met",
            "contoso reverted",
            "fabrikam claimed",
            "northwind unknown",
        ]
    );
    let hidden = start_with(
        Arc::clone(&server.store),
        options_with(Persons::Plain, false),
    )
    .await;
    for path in ["/controls?format=csv", "/controls/MFA?format=csv"] {
        let sheet = hidden.get(path).await;
        assert_eq!(sheet.status, 200, "{path}");
        assert!(!sheet.text().contains("x.example"), "{path}");
        assert!(!sheet.text().contains("migration"), "{path}");
    }
}
