//! A reader is led: what needs a decision comes first, nothing is empty without a
//! reason, and long texts are readable.

use super::page::{Page, list, text};
use serde_json::{Value, json};

/// Words by which a panel says that Prometheus has too few samples for it.
const TOO_FEW_SAMPLES: [&str; 4] = ["yet", "first scrape", "first one", "fewer than two samples"];

/// A number has room for a few words only.
const NUMBER_CHARS: usize = 24;

/// Columns with texts of persons and of Microsoft.
const LONG_TEXTS: [&str; 5] = ["Title", "Reason", "By", "Accepted by", "Name"];

/// The width of a date, and of a date with a time, at 14 px.
const DATES: [(&str, u64); 2] = [("time:YYYY-MM-DD", 92), ("time:YYYY-MM-DD HH:mm", 135)];

fn page(name: &str) -> Page {
    let uid = format!("secure-score-{name}");
    let found = Page::all().into_iter().find(|it| it.uid() == uid);
    found.unwrap_or_else(|| panic!("no dashboard {uid}"))
}

fn panel<'a>(page: &'a Page, title: &str) -> &'a Value {
    let found = page.panels().find(|it| text(&it["title"]) == title);
    found.unwrap_or_else(|| panic!("no panel {title}"))
}

fn exprs(panel: &Value) -> Vec<&str> {
    let targets = list(&panel["targets"]).iter();
    targets.map(|it| text(&it["expr"])).collect()
}

#[test]
fn every_panel_says_why_it_is_empty() {
    for page in Page::all() {
        for panel in page.panels() {
            let place = format!("{} / {}", page.uid(), panel["title"]);
            let says = text(&panel["fieldConfig"]["defaults"]["noValue"]);
            assert!(!says.starts_with("No data"), "{place}");
            if panel["type"] == "stat" {
                assert!((5..=NUMBER_CHARS).contains(&says.len()), "{place}: {says}");
                continue;
            }
            assert!(says.split(' ').count() >= 3, "{place}: {says}");
            let needs_past = list(&panel["targets"]).iter().any(|target| {
                target["range"] == true || text(&target["expr"]).contains(" offset ")
            });
            let said = TOO_FEW_SAMPLES.iter().any(|it| says.contains(it));
            assert!(!needs_past || said, "{place}: {says}");
        }
    }
}

/// Backfill leaves out the exporter's own metrics, the health of refreshes, and what
/// Entra recommends.
#[test]
fn a_panel_names_backfill_where_backfill_fills_it() {
    let pages = Page::all();
    let named = pages.iter().flat_map(|page| {
        let says = |it: &&Value| {
            text(&it["fieldConfig"]["defaults"]["noValue"]).contains("backfill writes the past")
        };
        let title = |it: &Value| format!("{} / {}", page.uid(), text(&it["title"]));
        page.panels().filter(says).map(title).collect::<Vec<_>>()
    });
    let expected = [
        "secure-score-control / Share of the points",
        "secure-score-control / Ten lowest tenants",
        "secure-score-control / State over time",
        "secure-score-fleet / Score of the fleet",
        "secure-score-fleet / Biggest movers of 7 days",
        "secure-score-fleet / Accepted risks over time",
        "secure-score-risks / When a risk was accepted",
        "secure-score-risks / Accepted risks",
        "secure-score-tenant / Score and maximum",
        "secure-score-tenant / Changes from day to day",
        "secure-score-tenant / Score against comparable tenants",
    ];
    assert_eq!(named.collect::<Vec<_>>(), expected);
}

/// One sample makes no line.
#[test]
fn a_graph_shows_its_first_sample() {
    for page in Page::all() {
        for panel in page.panels().filter(|it| it["type"] == "timeseries") {
            let points = &panel["fieldConfig"]["defaults"]["custom"]["showPoints"];
            assert_eq!(points, "auto", "{}", panel["title"]);
        }
    }
}

#[test]
fn fleet_begins_with_what_needs_a_decision() {
    let fleet = page("fleet");
    let all = list(&fleet.json["panels"]);
    let title = |it: &Value| text(&it["title"]).to_owned();
    let titles: Vec<String> = all.iter().map(title).collect();
    let until_score = titles.iter().take_while(|it| *it != "Score");
    let before: Vec<&str> = until_score.map(String::as_str).collect();
    let expected = [
        "Watched, unapproved",
        "Unapproved risks",
        "Unapproved claims",
        "Ending soon",
        "Approved",
        "Not watched",
        "Failing",
        "Accepted without a decision",
        "Customers not watched, or gone",
        "Failing tenants",
    ];
    assert_eq!(before, expected);
    let rows = all.iter().filter(|it| it["type"] == "row");
    let rows: Vec<String> = rows.map(title).collect();
    let expected = ["Score", "Watched controls", "Accepted risks", "Coverage"];
    assert_eq!(rows, expected);
    let watched = exprs(panel(&fleet, "Watched, unapproved")).concat();
    assert!(
        watched.contains("secure_score_control_watched"),
        "{watched}"
    );
    assert!(watched.contains(" unless "), "{watched}");
}

#[test]
fn fleet_ranks_its_tenants_once() {
    let fleet = page("fleet");
    let ranked = fleet.panels().filter(|it| it["type"] == "table");
    let ranked = ranked.filter(|it| {
        let mut columns = list(&it["fieldConfig"]["overrides"]).iter();
        columns.any(|column| column["matcher"]["options"] == "Score")
    });
    let titles: Vec<&str> = ranked.map(|it| text(&it["title"])).collect();
    assert_eq!(titles, ["Ranking"]);
}

#[test]
fn fleet_has_the_matrix_of_tenants_and_watched_controls() {
    let fleet = page("fleet");
    let matrix = panel(&fleet, "Tenants and watched controls");
    let turned = &matrix["transformations"][0];
    assert_eq!(turned["id"], "groupingToMatrix");
    let fields = ["rowField", "columnField"].map(|name| text(&turned["options"][name]));
    assert_eq!(fields, ["tenant", "control"]);
    let expr = exprs(matrix).concat();
    assert!(expr.starts_with("sort("), "the most urgent tenants first");
    assert!(expr.contains("secure_score_control_watched"), "{expr}");
}

#[test]
fn tenant_opens_on_one_tenant_and_repeats_itself() {
    let tenant = page("tenant");
    let variables = tenant.variables().iter();
    let choice = variables.filter(|it| it["name"] == "tenant");
    let choice: Vec<_> = choice.collect();
    assert_eq!(choice.len(), 1);
    let flags = ["multi", "includeAll"].map(|name| choice[0][name].clone());
    assert_eq!(flags, [json!(true), json!(false)]);
    assert!(
        choice[0].get("current").is_none(),
        "Grafana takes the first"
    );

    let all = list(&tenant.json["panels"]);
    assert_eq!(all[0]["type"], "row", "every panel is in a row");
    for row in all.iter().filter(|it| it["type"] == "row") {
        assert_eq!(row["repeat"], "tenant", "{row}");
        assert!(text(&row["title"]).starts_with("$tenant"), "{row}");
    }
}

/// A thousand repetitions would be a thousand times the queries.
#[test]
fn no_link_opens_tenant_with_all_tenants() {
    for page in Page::all() {
        let links = list(&page.json["links"]).iter();
        let found = links.filter(|it| text(&it["url"]).starts_with("/d/secure-score-tenant"));
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), 1, "{}", page.uid());
        assert_eq!(found[0]["includeVars"], false, "{}", page.uid());
        assert!(page.links().iter().all(|url| {
            let opens_tenant = url.starts_with("/d/secure-score-tenant");
            !(opens_tenant && url.contains("$__all"))
        }));
    }
}

/// The properties of a column, by its name.
fn columns(panel: &Value) -> Vec<(&str, &[Value])> {
    let overrides = list(&panel["fieldConfig"]["overrides"]).iter();
    overrides
        .map(|it| (text(&it["matcher"]["options"]), list(&it["properties"])))
        .collect()
}

fn property<'a>(properties: &'a [Value], id: &str) -> Option<&'a Value> {
    let found = properties.iter().find(|it| it["id"] == id);
    found.map(|it| &it["value"])
}

#[test]
fn long_texts_continue_in_the_next_line_and_dates_do_not() {
    let mut wrapped = 0;
    for page in Page::all() {
        for panel in page.panels().filter(|it| it["type"] == "table") {
            for (name, properties) in columns(panel) {
                let place = format!("{} / {} / {name}", page.uid(), panel["title"]);
                let wraps = property(properties, "custom.wrapText") == Some(&json!(true));
                let width = property(properties, "custom.width").and_then(Value::as_u64);
                if LONG_TEXTS.contains(&name) && wraps {
                    let cell = property(properties, "custom.cellOptions");
                    let cell = cell.expect("Grafana 11 has the setting there");
                    assert_eq!(cell["wrapText"], true, "{place}");
                    wrapped += 1;
                } else {
                    let roomy = name == "Name" && width.is_none();
                    assert!(!LONG_TEXTS.contains(&name) || roomy, "{place} is cut");
                }
                let unit = property(properties, "unit").map_or("", text);
                for (date, needed) in DATES {
                    let fits = width.is_some_and(|it| it >= needed) && !wraps;
                    assert!(unit != date || fits, "{place}: {width:?}");
                }
            }
        }
    }
    assert!(wrapped > 15, "only {wrapped} columns");
}

#[test]
fn events_are_counted_and_noise_is_no_regression() {
    let exporter = page("exporter");
    for title in ["Events", "Webhook"] {
        let panel = panel(&exporter, title);
        let expr = exprs(panel).concat();
        assert!(expr.starts_with("round("), "{expr}");
        assert!(expr.contains("increase("), "{expr}");
        assert_eq!(panel["interval"], "1h");
        assert_eq!(panel["fieldConfig"]["defaults"]["decimals"], 0);
    }
    let tenant = page("tenant");
    for expr in exprs(panel(&tenant, "Regressions")) {
        assert!(expr.contains(">= 0.5"), "{expr}");
    }
}

#[test]
fn ages_have_an_axis_that_does_not_repeat_its_numbers() {
    let exporter = page("exporter");
    for title in ["Age of data", "Five oldest tenants"] {
        let defaults = &panel(&exporter, title)["fieldConfig"]["defaults"];
        assert_eq!(defaults["unit"], "suffix:h", "{title}");
        assert!(defaults.get("decimals").is_none(), "{title}");
        assert_eq!(defaults["custom"]["axisSoftMax"], 1, "{title}");
    }
}

#[test]
fn risks_has_claims_statuses_four_eyes_and_decisions() {
    let risks = page("risks");
    for (title, family) in [
        ("Claims", "control_claim_approved_until_timestamp_seconds"),
        ("Unapproved claims", "tenant_unapproved_claims"),
        ("Claims", "control_self_approved"),
        ("Self-approved", "control_self_approved"),
        ("Decisions on accepted risks", "control_self_approved"),
        ("Decisions on accepted risks", "control_risk_approval_info"),
        ("Without a reason", "tenant_acceptances_without_reason"),
        ("Declared in Entra by status", "recommendation_status"),
        (
            "Planned, claimed or completed in Entra",
            "recommendation_claim_approved_until_timestamp_seconds",
        ),
    ] {
        let asked = exprs(panel(&risks, title)).concat();
        let family = format!("secure_score_{family}{{");
        assert!(asked.contains(&family), "{title}: {family}");
    }
}
