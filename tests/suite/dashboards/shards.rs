//! A partner's customers of two shards, of which one exports the partner, with promtool.

use super::page::{Page, Query};
use crate::process::program;
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

/// The shard that exports the partner, and the other.
const SHARDS: [&str; 2] = ["a:10365", "b:10365"];

/// The shard that refreshes a customer, and whether that misses its consent.
type Refreshed = Option<(usize, u8)>;

/// The customers, and the state that the first shard shows.
const CUSTOMERS: [(&str, &str, Refreshed); 7] = [
    ("own", "watched", Some((0, 0))),
    ("other", "watched", Some((1, 0))),
    ("own-missing", "not_consented", Some((0, 1))),
    ("other-missing", "watched", Some((1, 1))),
    ("left", "left", Some((1, 1))),
    ("new", "unwatched", None),
    ("test", "excluded", None),
];

fn series() -> Vec<Value> {
    let sample = |family: &str, shard: usize, labels: &str, value: usize| {
        let instance = SHARDS[shard];
        let labels = format!("job=\"secure-score\",instance=\"{instance}\",partner=\"p\"{labels}");
        let series = format!("secure_score_partner_{family}{{{labels}}}");
        json!({"series": series, "values": format!("{value}x5")})
    };
    let mut all = Vec::new();
    for state in ["watched", "unwatched", "not_consented", "left", "excluded"] {
        let count = CUSTOMERS.iter().filter(|it| it.1 == state).count();
        all.push(sample(
            "customers",
            0,
            &format!(",state=\"{state}\""),
            count,
        ));
    }
    for (id, state, refreshed) in CUSTOMERS {
        let id = format!(",entra_tenant_id=\"{id}\"");
        let labels = format!("{id},state=\"{state}\"");
        all.push(sample("customer_state", 0, &labels, 1));
        if let Some((shard, missing)) = refreshed {
            let labels = format!("{id},tenant=\"t\"");
            let missing = usize::from(missing);
            all.push(sample("customer_consent_missing", shard, &labels, missing));
        }
    }
    all
}

fn query<'a>(queries: &'a [Query], place: &str) -> &'a str {
    let place = format!("secure-score-fleet / {place}");
    let found = queries.iter().find(|it| it.place == place);
    &found.unwrap_or_else(|| panic!("no query {place}")).expr
}

#[test]
fn the_coverage_has_the_consents_that_other_shards_miss() {
    let queries: Vec<Query> = Page::all().iter().flat_map(Page::queries).collect();
    let test = |place: &str, samples: Value| {
        let expr = query(&queries, place);
        json!({"expr": expr, "eval_time": "3m", "exp_samples": samples})
    };
    let number = |place: &str, value: f64| test(place, json!([{"labels": "{}", "value": value}]));
    let row = |id: &str, state: &str, value: u8| {
        let labels = format!("{{partner=\"p\",entra_tenant_id=\"{id}\",state=\"{state}\"}}");
        json!({"labels": labels, "value": value})
    };
    let rows = json!([
        row("own-missing", "not_consented", 2),
        row("other-missing", "not_consented", 2),
        row("left", "left", 2),
        row("new", "unwatched", 2),
        row("test", "excluded", 1),
    ]);
    let tests = json!([
        number("Customers watched / A", 0.4),
        number("Customers by state / A", 2.0),
        number("Customers by state / B", 1.0),
        number("Customers by state / C", 2.0),
        number("Customers by state / D", 1.0),
        number("Customers by state / E", 1.0),
        test("Customers not watched, or gone / A", rows),
    ]);
    let file = json!({
        "rule_files": [],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series(), "promql_expr_test": tests}],
    });
    let folder = tempfile::tempdir().unwrap();
    // JSON is YAML.
    let path = folder.path().join("shards.test.yml");
    fs::write(&path, file.to_string()).unwrap();
    let output = Command::new(program("promtool", "prometheus"))
        .args(["test", "rules"])
        .arg(&path)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "{text}");
}
