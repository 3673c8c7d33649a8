//! A tenant as large and as odd as a real one, and the sums done twice.
//!
//! The answers are invented, with the figures of a real capture: 200 profiles
//! on the only page there is, 68 scored controls of which 27 have no profile.
//! `SECURE_SCORE_CAPTURE=DIR cargo test -- --ignored capture` runs the same
//! checks on a directory of captured answers.

use crate::world::{World, value};
use graph_simulator::Options;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

const TENANT: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

/// One scored control: category, points, per cent, and its maximum when the
/// page lists it.
struct Scored(&'static str, f64, f64, Option<f64>);

fn scored() -> Vec<Scored> {
    let mut all = Vec::new();
    let mut add = |times: usize, category, points, percent, max| {
        for _ in 0..times {
            all.push(Scored(category, points, percent, max));
        }
    };
    for max in [10.0, 9.0, 8.0, 8.0, 8.0, 7.0] {
        add(1, "Identity", max, 100.0, Some(max));
    }
    add(1, "Identity", 0.0, 0.0, Some(9.0));
    add(2, "Identity", 0.0, 0.0, None);
    add(1, "Data", 5.0, 100.0, Some(5.0));
    add(1, "Data", 2.0, 100.0, None);
    add(2, "Data", 0.0, 0.0, None);
    add(10, "Apps", 3.0, 100.0, Some(3.0));
    add(1, "Apps", 1.0, 33.33, Some(3.0));
    add(20, "Apps", 0.0, 0.0, Some(4.0));
    add(2, "Apps", 0.0, 0.0, Some(5.0));
    add(10, "Apps", 4.0, 100.0, None);
    add(12, "Apps", 0.0, 0.0, None);
    all
}

fn profile(id: &str, category: &str, max: f64) -> Value {
    json!({
        "id": id, "azureTenantId": TENANT, "actionType": "Config", "actionUrl": "https://example.org",
        "controlCategory": category, "title": format!("What {id} asks for"), "deprecated": false,
        "implementationCost": "Unknown", "lastModifiedDateTime": null, "maxScore": max as u64,
        "rank": 10, "service": "EXO", "tier": "Core", "userImpact": null, "threats": [],
        "controlStateUpdates": [{
            "assignedTo": null, "comment": null, "state": "Default",
            "updatedBy": null, "updatedDateTime": null
        }]
    })
}

fn control_score(id: &str, scored: &Scored) -> Value {
    json!({
        "controlCategory": scored.0, "controlName": id, "score": scored.1,
        "scoreInPercentage": scored.2, "description": "<p>why</p>", "on": "false",
        "lastSynced": "2026-11-21T17:12:14Z", "implementationStatus": "Not in place."
    })
}

/// Writes the invented answers as a capture would be stored.
fn write_capture(folder: &Path) {
    let scored = scored();
    let id = |place: usize| format!("control_{place:03}");
    let scores: Vec<Value> = scored
        .iter()
        .enumerate()
        .map(|(n, s)| control_score(&id(n), s))
        .collect();
    let mut profiles: Vec<Value> = scored
        .iter()
        .enumerate()
        .filter_map(|(n, s)| Some(profile(&id(n), s.0, s.3?)))
        .collect();
    for unscored in profiles.len()..200 {
        profiles.push(profile(&format!("unscored_{unscored:03}"), "Apps", 6.0));
    }
    let catalogue = json!({
        "@odata.nextLink": "https://graph.microsoft.com/v1.0/security/secureScoreControlProfiles?$skiptoken=0",
        "value": profiles
    });
    let report = json!({"value": [{
        "id": format!("{TENANT}_2026-11-22"), "azureTenantId": TENANT, "activeUserCount": 1,
        "createdDateTime": "2026-11-22T00:00:00Z", "currentScore": 128, "maxScore": 274,
        "licensedUserCount": 0, "controlScores": scores, "averageComparativeScores": [
            {"basis": "AllTenants", "averageScore": 54.65, "identityScore": 36.02, "identityScoreMax": 59.42},
            {"basis": "TotalSeats", "averageScore": 48.98, "SeatSizeRangeLowerValue": "1",
             "SeatSizeRangeUpperValue": "100", "infrastructureScore": 0, "infrastructureScoreMax": 0}
        ]
    }]});
    fs::write(
        folder.join("secureScoreControlProfiles.page1.json"),
        catalogue.to_string(),
    )
    .unwrap();
    fs::write(folder.join("secureScores.json"), report.to_string()).unwrap();
}

/// What the answers say, worked out from the JSON without the exporter's code.
#[derive(Debug, Default)]
struct Sums {
    profiles: usize,
    scored: usize,
    unlisted: usize,
    current: f64,
    max: f64,
    score: BTreeMap<String, f64>,
    known_max: BTreeMap<String, f64>,
    unknown_max: BTreeMap<String, usize>,
}

fn sums(folder: &Path) -> Sums {
    let read = |name: &str| -> Value {
        let path = folder.join(name);
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        serde_json::from_str(&text).unwrap()
    };
    let catalogue = read("secureScoreControlProfiles.page1.json");
    let report = read("secureScores.json")["value"][0].clone();
    let listed: HashMap<&str, &Value> = catalogue["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|profile| (profile["id"].as_str().unwrap(), profile))
        .collect();
    let mut sums = Sums {
        profiles: listed.len(),
        current: report["currentScore"].as_f64().unwrap(),
        max: report["maxScore"].as_f64().unwrap(),
        ..Sums::default()
    };
    for control in report["controlScores"].as_array().unwrap() {
        sums.scored += 1;
        let profile = listed.get(control["controlName"].as_str().unwrap());
        sums.unlisted += usize::from(profile.is_none());
        let category = profile.map_or(&control["controlCategory"], |p| &p["controlCategory"]);
        let category = category.as_str().unwrap().to_owned();
        let points = control["score"].as_f64().unwrap();
        let percent = control["scoreInPercentage"].as_f64().unwrap();
        *sums.score.entry(category.clone()).or_default() += points;
        match profile.map(|p| p["maxScore"].as_f64().unwrap()) {
            Some(max) => *sums.known_max.entry(category).or_default() += max,
            None if percent > 0.0 => {
                *sums.known_max.entry(category).or_default() += points * 100.0 / percent;
            }
            None => *sums.unknown_max.entry(category).or_default() += 1,
        }
    }
    sums
}

async fn agrees_with_the_sums(folder: &Path) {
    let sums = sums(folder);
    let world = World::with(Options {
        replay: Some(folder.to_owned()),
        ..Options::default()
    })
    .await
    .watch();
    world.attempted().await;
    let text = world.metrics();
    let of = |series: &str| value(&text, series);
    let near = |series: &str, expected: f64| {
        let got = of(series).unwrap_or_else(|| panic!("no {series}"));
        assert!(
            (got - expected).abs() < 1e-6,
            "{series}: {got}, not {expected}"
        );
    };
    let count = |family: &str| {
        text.lines()
            .filter(|l| l.starts_with(&format!("{family}{{")))
            .count()
    };

    assert_eq!(count("secure_score_control_score"), sums.scored);
    assert_eq!(count("secure_score_control_risk_accepted"), sums.profiles);
    assert!(
        !text
            .lines()
            .any(|l| l.starts_with("secure_score_control_risk_accepted{") && !l.ends_with(" 0"))
    );
    near(
        r#"secure_score_tenant_score{tenant="replay"}"#,
        sums.current,
    );
    near(
        r#"secure_score_tenant_max_score{tenant="replay"}"#,
        sums.max,
    );
    near(
        r#"secure_score_unreconciled_score{tenant="replay"}"#,
        sums.current - sums.score.values().sum::<f64>(),
    );
    near(
        r#"secure_score_unreconciled_max_score{tenant="replay"}"#,
        sums.max - sums.known_max.values().sum::<f64>(),
    );
    near(
        r#"secure_score_catalogue_controls{tenant="replay",scored="true"}"#,
        sums.scored as f64,
    );
    let unscored = sums.profiles + sums.unlisted - sums.scored;
    near(
        r#"secure_score_catalogue_controls{tenant="replay",scored="false"}"#,
        unscored as f64,
    );
    for (category, score) in &sums.score {
        near(
            &format!(r#"secure_score_category_score{{tenant="replay",category="{category}"}}"#),
            *score,
        );
        let max =
            format!(r#"secure_score_category_max_score{{tenant="replay",category="{category}"}}"#);
        match sums.unknown_max.get(category) {
            Some(_) => assert_eq!(of(&max), None, "{max} cannot be known"),
            None => near(&max, sums.known_max[category]),
        }
    }
    for odd in [
        "secure_score_unknown_values{",
        "secure_score_skipped_elements{",
    ] {
        let counted: Vec<&str> = text.lines().filter(|l| l.starts_with(odd)).collect();
        assert!(
            !counted.is_empty() && counted.iter().all(|l| l.ends_with(" 0")),
            "{counted:#?}"
        );
    }
    has_the_figures(&sums);
    world.simulator.stop().await;
}

/// The figures both captures have: they keep the sums above honest.
fn has_the_figures(sums: &Sums) {
    assert_eq!((sums.profiles, sums.scored, sums.unlisted), (200, 68, 27));
    assert_eq!((sums.current, sums.max), (128.0, 274.0));
    let all =
        |map: &BTreeMap<String, f64>| map.values().map(|v| v.round() as u64).collect::<Vec<_>>();
    assert_eq!(all(&sums.score), [71, 7, 50], "Apps, Data, Identity");
    assert_eq!(all(&sums.known_max), [163, 7, 59]);
    assert_eq!(
        sums.unknown_max.values().copied().collect::<Vec<_>>(),
        [12, 2, 2]
    );
}

#[tokio::test]
async fn a_tenant_as_large_as_a_real_one_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    write_capture(folder.path());
    agrees_with_the_sums(folder.path()).await;
}

#[tokio::test]
#[ignore = "needs captured answers: SECURE_SCORE_CAPTURE=DIR"]
async fn a_real_capture_adds_up() {
    let folder =
        std::env::var("SECURE_SCORE_CAPTURE").expect("SECURE_SCORE_CAPTURE names a directory");
    agrees_with_the_sums(Path::new(&folder)).await;
}
