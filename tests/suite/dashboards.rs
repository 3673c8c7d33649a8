//! Dashboards are a part of the interface: they name only what exists, say
//! what they show, and answer.
//!
//! The rules are those of Grafana's dashboard-linter as far as they suit (the
//! others are excluded, with reasons, in `dashboards/.lint`), and what no
//! linter knows: the table of families.

mod choice;
mod expression;
mod leading;
mod live;
mod onward;
mod page;
mod shards;

use crate::golden;
use crate::series_sets::{DECLARED, needs};
use choice::Choice;
use expression::{Around, Expression};
use page::{Page, folder, list, text};
use secure_score_exporter::telemetry::Telemetry;
use secure_score_exposition::{FAMILIES, Kind, PARTNER_FAMILIES, SeriesSet};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

const UIDS: [&str; 5] = [
    "secure-score-control",
    "secure-score-exporter",
    "secure-score-fleet",
    "secure-score-risks",
    "secure-score-tenant",
];

/// Panels every Grafana has.
const CORE: [&str; 4] = ["stat", "timeseries", "table", "state-timeline"];

/// Labels each scrape adds.
const TARGET: [&str; 2] = ["job", "instance"];

/// What Prometheus itself makes, with its labels.
const OF_PROMETHEUS: [(&str, &[&str]); 4] = [
    ("up", &[]),
    ("scrape_samples_scraped", &[]),
    ("scrape_duration_seconds", &[]),
    (
        "ALERTS",
        &[
            "alertname",
            "alertstate",
            "severity",
            "tenant",
            "control",
            "recommendation",
        ],
    ),
];

/// A family as dashboards may use it.
struct Known {
    labels: BTreeSet<String>,
    counter: bool,
    of_tenant: bool,
}

fn known() -> BTreeMap<String, Known> {
    let mut known = BTreeMap::new();
    let target = || TARGET.iter().map(|it| (*it).to_owned());
    for family in FAMILIES {
        let labels = family.labels.iter().chain(&["tenant"]);
        let entry = Known {
            labels: labels.map(|it| (*it).to_owned()).chain(target()).collect(),
            counter: family.kind == Kind::Counter,
            of_tenant: true,
        };
        known.insert(family.name.to_owned(), entry);
    }
    for family in PARTNER_FAMILIES {
        let labels = family.labels.iter().chain(&["partner"]);
        let entry = Known {
            labels: labels.map(|it| (*it).to_owned()).chain(target()).collect(),
            counter: family.kind == Kind::Counter,
            of_tenant: false,
        };
        known.insert(family.name.to_owned(), entry);
    }
    let telemetry = Telemetry::new().unwrap();
    telemetry.external_url("https://example.org").unwrap();
    for (name, kind, labels, _) in telemetry.describe() {
        let labels = labels.split(", ").map(|it| it.trim_matches('`').to_owned());
        let labels: BTreeSet<String> = labels.chain(target()).collect();
        let entry = |more: &[&str], counter| Known {
            labels: labels
                .iter()
                .cloned()
                .chain(more.iter().map(|it| (*it).to_owned()))
                .collect(),
            counter,
            of_tenant: false,
        };
        if kind == "histogram" {
            known.insert(format!("{name}_bucket"), entry(&["le"], true));
        } else {
            known.insert(name, entry(&[], kind == "counter"));
        }
    }
    for (name, labels) in OF_PROMETHEUS {
        let entry = Known {
            labels: labels
                .iter()
                .map(|it| (*it).to_owned())
                .chain(target())
                .collect(),
            counter: false,
            of_tenant: false,
        };
        known.insert(name.to_owned(), entry);
    }
    known
}

/// Every expression of every dashboard, read.
fn expressions() -> Vec<(String, String, Expression)> {
    let pages = Page::all();
    let queries = pages.iter().flat_map(|page| [page.queries(), page.marks()]);
    let read = queries.flatten().map(|query| {
        let filled = Choice::ALL.fill(&query.expr);
        let expression = Expression::parse(&filled)
            .unwrap_or_else(|error| panic!("{}: {error}: {filled}", query.place));
        (query.place, query.expr, expression)
    });
    let read: Vec<_> = read.collect();
    assert!(read.len() > 120, "only {} expressions found", read.len());
    read
}

#[test]
fn the_dashboards_are_what_their_source_gives() {
    let mut generate = Command::new("python3");
    generate.arg(folder().join("generate"));
    if std::env::var_os("UPDATE_GOLDEN").is_none() {
        generate.arg("--check");
    }
    let output = generate.output().expect("python3 is installed");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
}

#[test]
fn the_end_of_a_range_is_found_where_nothing_was_scraped_just_then() {
    let expressions = expressions();
    let ends = expressions.iter().flat_map(|(place, text, _)| {
        let parts = text.match_indices(" @ end()");
        parts.map(move |(at, _)| (place, &text[..at]))
    });
    let ends: Vec<_> = ends.collect();
    assert!(ends.len() > 10, "{}", ends.len());
    for (place, before) in ends {
        assert!(before.ends_with(']'), "{place}: {before}");
    }
}

#[test]
fn every_dashboard_can_be_imported_and_found_again() {
    let pages = Page::all();
    let uids: Vec<&str> = pages.iter().map(Page::uid).collect();
    assert_eq!(uids, UIDS);
    for page in &pages {
        let Page { file, json } = page;
        assert_eq!(file.file_stem().unwrap().to_string_lossy(), page.uid());
        assert_eq!(json["id"], Value::Null, "an id belongs to one Grafana");
        assert_eq!(json["tags"], json!(["secure-score"]));
        assert_eq!(json["editable"], false);
        assert_eq!(json["schemaVersion"], 39, "that of Grafana 11");
        assert_eq!(json["timezone"], "utc", "days are those of the pages");
        assert!(text(&json["title"]).starts_with("Secure Score / "));
        assert!(text(&json["description"]).ends_with('.'));
        for other in UIDS {
            let mut links = list(&json["links"]).iter();
            let leads = |it: &&Value| text(&it["url"]).starts_with(&format!("/d/{other}"));
            let link = links.find(leads).unwrap_or_else(|| panic!("no {other}"));
            let inherits = other != "secure-score-tenant";
            let given = (&link["keepTime"], &link["includeVars"]);
            assert_eq!(given, (&json!(true), &json!(inherits)), "{other}");
        }
    }
}

#[test]
fn variables_are_the_same_everywhere() {
    for page in Page::all() {
        let [source, others @ ..] = page.variables() else {
            panic!("{} has no variables", page.uid());
        };
        assert_eq!(
            (text(&source["name"]), text(&source["label"])),
            ("datasource", "Data source")
        );
        let queries = others.iter().filter(|it| it["type"] == "query");
        for variable in queries {
            assert_eq!(variable["refresh"], 2, "{variable}");
            assert_eq!(variable["datasource"]["uid"], "$datasource", "{variable}");
            let several = variable["multi"] == true;
            let is_a_list = variable["name"] == "declared" || variable["name"] == "watched";
            let has_all = variable["includeAll"] == true;
            assert!(
                !several || !has_all || is_a_list || variable["allValue"] == ".+",
                "{variable}"
            );
        }
        let tenant = others.iter().find(|it| it["name"] == "tenant").unwrap();
        let has_all = page.uid() != "secure-score-tenant";
        assert_eq!(
            (&tenant["multi"], &tenant["includeAll"]),
            (&json!(true), &json!(has_all))
        );
    }
}

#[test]
fn every_panel_says_what_it_shows() {
    for page in Page::all() {
        let mut titles = BTreeSet::new();
        for panel in page.panels() {
            let place = format!("{} / {}", page.uid(), panel["title"]);
            assert!(titles.insert(text(&panel["title"])), "{place} twice");
            assert!(CORE.contains(&text(&panel["type"])), "{place}");
            let description = text(&panel["description"]);
            assert!(
                description.len() > 10 && description.ends_with('.'),
                "{place}"
            );
            assert_eq!(panel["datasource"]["uid"], "$datasource", "{place}");
            let defaults = &panel["fieldConfig"]["defaults"];
            assert!(!text(&defaults["unit"]).is_empty(), "{place} has no unit");
            assert!(
                !text(&defaults["noValue"]).is_empty(),
                "{place} is mute without data"
            );
            let steps = list(&defaults["thresholds"]["steps"]);
            assert_eq!(steps[0]["value"], Value::Null, "{place}");
            let bounds: Vec<f64> = steps
                .iter()
                .skip(1)
                .map(|it| it["value"].as_f64().unwrap())
                .collect();
            assert!(bounds.windows(2).all(|pair| pair[0] < pair[1]), "{place}");
            let targets = list(&panel["targets"]);
            assert!(!targets.is_empty(), "{place} asks nothing");
            let ref_ids: BTreeSet<&str> = targets.iter().map(|it| text(&it["refId"])).collect();
            assert_eq!(ref_ids.len(), targets.len(), "{place}");
            assert!(
                targets
                    .iter()
                    .all(|it| it["datasource"]["uid"] == "$datasource"),
                "{place}"
            );
        }
    }
}

#[test]
fn panels_have_one_place_and_one_id_each() {
    for page in Page::all() {
        let mut ids = BTreeSet::new();
        let mut taken = BTreeSet::new();
        for panel in list(&page.json["panels"]) {
            let place = format!("{} / {}", page.uid(), panel["title"]);
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{place}");
            let at = |name: &str| panel["gridPos"][name].as_u64().unwrap();
            assert!(at("x") + at("w") <= 24, "{place} is too wide");
            for x in at("x")..at("x") + at("w") {
                for y in at("y")..at("y") + at("h") {
                    assert!(taken.insert((x, y)), "{place} covers another");
                }
            }
        }
    }
}

#[test]
fn expressions_name_only_families_and_labels_that_exist() {
    let known = known();
    for (place, _, expression) in expressions() {
        for reading in &expression.readings {
            let family = known.get(&reading.family);
            let family = family.unwrap_or_else(|| panic!("{place}: no family {}", reading.family));
            for label in &reading.matched {
                assert!(
                    family.labels.contains(label),
                    "{place}: {} has no {label}",
                    reading.family
                );
            }
        }
        for (labels, families) in &expression.wanted {
            for label in labels {
                let there = families.iter().any(|it| known[it].labels.contains(label));
                assert!(there, "{place}: no {label} in {families:?}");
            }
        }
    }
}

/// Which panels a smaller set of series leaves empty or incomplete.
#[test]
fn the_readme_says_which_set_of_series_each_panel_needs() {
    let needed = |query: &page::Query| {
        let expr = query.expr.replace("$declared", DECLARED);
        let expr = promql_parser::parser::parse(&Choice::ALL.fill(&expr)).unwrap();
        needs(&expr, &BTreeMap::new())
    };
    let mut table =
        "| dashboard | `acceptances` | needs `controls` | needs `full` |\n|---|---|---|---|"
            .to_owned();
    for page in Page::all() {
        let marks = page.marks();
        assert!(marks.iter().all(|it| needed(it) == SeriesSet::Acceptances));
        let mut panels: BTreeMap<String, SeriesSet> = BTreeMap::new();
        for query in page.queries() {
            let panel = query.place.split(" / ").nth(1).unwrap_or_default();
            let set = panels
                .entry(panel.to_owned())
                .or_insert(SeriesSet::Acceptances);
            *set = needed(&query).max(*set);
        }
        let with = |wanted: SeriesSet| {
            let panels = panels.iter().filter(|(_, set)| **set == wanted);
            panels.map(|(panel, _)| panel.as_str()).collect::<Vec<_>>()
        };
        let (all, small) = (panels.len(), with(SeriesSet::Acceptances).len());
        let small = match small == all {
            true => "every panel".to_owned(),
            false => format!("{small} of {all} panels"),
        };
        let larger = [SeriesSet::Controls, SeriesSet::Full].map(|set| match with(set) {
            panels if panels.is_empty() => "–".to_owned(),
            panels => format!("*{}*", panels.join("*, *")),
        });
        let [controls, full] = larger;
        table += &format!("\n| `{}` | {small} | {controls} | {full} |", page.uid());
        if page.uid() == "secure-score-risks" {
            assert_eq!(small, "every panel", "the register needs the smallest set");
        }
        assert_eq!(full, "–", "the dashboards need nothing but `controls`");
    }
    golden::compare_part(&folder().join("README.md"), "series", &table);
}

#[test]
fn legends_name_labels_the_result_has() {
    for page in Page::all() {
        for panel in page.panels() {
            for target in list(&panel["targets"]) {
                let expr = text(&target["expr"]);
                for word in text(&target["legendFormat"]).split("{{").skip(1) {
                    let label = word.split("}}").next().unwrap();
                    let kept =
                        expr.contains(&format!("{label})")) || expr.contains(&format!("{label},"));
                    let raw = TARGET.contains(&label) && !expr.contains(" by (");
                    assert!(kept || raw, "{}: {label} in {expr}", panel["title"]);
                }
            }
        }
    }
}

#[test]
fn counters_are_rated_over_an_interval_that_suits() {
    let known = known();
    for (place, text, expression) in expressions() {
        for reading in expression.readings {
            let innermost = reading.around.last().cloned();
            let rated = ["rate", "increase"].map(|it| Some(Around::Function(it.to_owned())));
            let is_rated = rated.contains(&innermost);
            assert_eq!(known[&reading.family].counter, is_rated, "{place}: {text}");
        }
        // The choice of series at the end of the range looks back a day, whatever is shown.
        let text = text.replace("[1d] @ end()", "");
        for range in text
            .split('[')
            .skip(1)
            .filter_map(|it| it.split(']').next())
        {
            let fixed = text.contains("increase(") && ["6h", "1d"].contains(&range);
            // The steps of a graph, one after the other, so that each event counts once.
            let steps = range == "$__interval" && text.contains("increase(");
            let suits = ["$__rate_interval", "$__range"].contains(&range) || fixed || steps;
            assert!(suits, "{place}: [{range}] does not follow the time shown");
        }
    }
}

/// Two exporters may watch the same tenants, and a Prometheus pair may stand
/// behind one querier.
#[test]
fn no_tenant_is_shown_once_for_each_replica() {
    let known = known();
    for (place, _, expression) in expressions() {
        for reading in &expression.readings {
            let family = &known[&reading.family];
            let aggregations: Vec<_> = reading
                .around
                .iter()
                .filter_map(|it| match it {
                    Around::Aggregation(name, kept) => Some((name.as_str(), kept)),
                    Around::Function(_) => None,
                })
                .collect();
            let Some((name, kept)) = aggregations.last() else {
                assert!(
                    !family.of_tenant,
                    "{place}: {} is not aggregated",
                    reading.family
                );
                continue;
            };
            if family.of_tenant {
                assert!(
                    !kept.iter().any(|it| TARGET.contains(&it.as_str())),
                    "{place}"
                );
                let expected = if family.counter { "sum" } else { "max" };
                let counts = *name == "count" && kept.iter().any(|it| it == "tenant");
                assert!(
                    *name == expected || counts,
                    "{place}: {name} of {}",
                    reading.family
                );
                assert!(
                    family.counter
                        || kept
                            .iter()
                            .any(|it| ["tenant", "control"].contains(&it.as_str())),
                    "{place}"
                );
            }
        }
    }
}

#[test]
fn links_lead_somewhere() {
    for page in Page::all() {
        for url in page.links() {
            if let Some(rest) = url.strip_prefix("/d/") {
                if UIDS.contains(&rest) {
                    // A link of the page, whose variables Grafana adds.
                    continue;
                }
                let (uid, parameters) =
                    rest.split_once('?').expect("time and data source go along");
                assert!(UIDS.contains(&uid), "{url}");
                let of_page = parameters == "${datasource:queryparam}";
                if of_page && uid == "secure-score-tenant" {
                    continue;
                }
                assert!(
                    parameters.contains("${datasource:queryparam}&${__url_time_range}"),
                    "{url}"
                );
            } else if let Some(runbook) = url.strip_prefix("${exporter}/runbooks/") {
                let file = folder().join(format!("../docs/runbooks/{runbook}.md"));
                assert!(file.is_file(), "{url}: {} is missing", file.display());
            } else {
                let portal = url.starts_with("https://security.microsoft.com/securescore")
                    || url == "https://entra.microsoft.com";
                let page = ["${exporter}/acceptances", "${exporter}/"].contains(&url.as_str());
                assert!(portal || page, "{url}");
            }
        }
    }
}

#[test]
fn what_is_provisioned_exists() {
    let kustomization = fs::read_to_string(folder().join("kustomization.yaml")).unwrap();
    let guide = fs::read_to_string(folder().join("README.md")).unwrap();
    for uid in UIDS {
        assert!(
            kustomization.contains(&format!("files: [{uid}.json]")),
            "{uid}"
        );
        assert!(guide.contains(&format!("`{uid}`")), "{uid}");
        let picture = format!(
            "docs/images/{}.png",
            uid.replace("secure-score", "dashboard")
        );
        assert!(guide.contains(&format!("](../{picture})")), "{picture}");
    }
    for (file, word) in [
        (
            "provisioning/datasources/secure-score.yml",
            "type: prometheus",
        ),
        ("provisioning/dashboards/secure-score.yml", "type: file"),
    ] {
        assert!(
            fs::read_to_string(folder().join(file))
                .unwrap()
                .contains(word),
            "{file}"
        );
    }
}
