//! A tenant whose days are written down here: in no order, some twice, some
//! not at all, and others as odd as Graph has sent them.

use super::samples::Samples;
use super::{DAY, backfill, now, number, stdout_of};
use crate::process::Process;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

pub(super) struct Captured {
    folder: tempfile::TempDir,
    /// The elements as served.
    reports: Vec<Value>,
    _process: Process,
}

const TENANT: &str = "00000000-0000-4000-8000-000000000001";

impl Captured {
    /// This many days until today, in random order.
    pub(super) fn of_days(days: i64) -> Self {
        let mut reports: Vec<Value> = (0..days)
            .filter(|ago| *ago != 4 && ago % 50 != 7)
            .map(report)
            .collect();
        // Newest first, but for pairs that changed places and days that came
        // twice; some of these corrected later.
        for pair in reports.chunks_mut(2).step_by(5) {
            pair.reverse();
        }
        reports.insert(9, reports[3].clone());
        reports.push(reports[12].clone());
        let mut corrected = reports[20].clone();
        let day = corrected["createdDateTime"].as_str().unwrap()[..10].to_owned();
        corrected["createdDateTime"] = json!(format!("{day}T04:00:00Z"));
        corrected["currentScore"] = json!(1.5);
        reports.insert(2, corrected);
        let mut odd = reports[5].clone();
        odd["createdDateTime"] = Value::Null;
        reports.insert(6, odd);
        let mut to_come = reports[5].clone();
        to_come["createdDateTime"] = json!(instant(now() + 3 * DAY));
        reports.insert(0, to_come);
        Self::serve(reports)
    }

    pub(super) fn serve(reports: Vec<Value>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let graph = folder.path().join("graph");
        fs::create_dir_all(&graph).unwrap();
        let scores = json!({"value": reports});
        fs::write(graph.join("secureScores.json"), scores.to_string()).unwrap();
        let profiles = json!({"value": [
            profile("A", 8.0), profile("B", 5.0), profile("C", 3.0), accepted_at_an_unknown_time(),
        ]});
        let file = graph.join("secureScoreControlProfiles.json");
        fs::write(file, profiles.to_string()).unwrap();
        let process = Process::exporter(&[
            "simulate",
            "--listen-address=127.0.0.1:0",
            "--control.listen-address=127.0.0.1:0",
            "--replay",
            &graph.display().to_string(),
            "--config-dir",
            &folder.path().join("config").display().to_string(),
        ]);
        process.word_after("configuration ");
        Self {
            folder,
            reports,
            _process: process,
        }
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn config(&self) -> String {
        let file = self.folder.path().join("config/secure-score.yml");
        file.display().to_string()
    }

    /// The element of a day that is to be believed: the one dated latest.
    fn of_day(&self, midnight: i64) -> Option<&Value> {
        let of_day = self.reports.iter().filter(|report| {
            let at = at(report);
            at.is_some_and(|at| at - at.rem_euclid(DAY) == midnight)
        });
        // Of equal ones the first.
        of_day.rev().max_by_key(|report| at(report))
    }
}

fn at(report: &Value) -> Option<i64> {
    let text = report["createdDateTime"].as_str()?;
    let at: jiff::Timestamp = text.parse().unwrap();
    Some(at.as_second())
}

fn instant(second: i64) -> String {
    jiff::Timestamp::from_second(second).unwrap().to_string()
}

fn profile(id: &str, max: f64) -> Value {
    json!({"id": id, "azureTenantId": TENANT, "title": id, "controlCategory": "Identity",
        "maxScore": max, "service": "AzureAD", "tier": "Core", "userImpact": "Low",
        "implementationCost": "Low", "actionType": "Config", "deprecated": false,
        "controlStateUpdates": [{"state": "Default", "updatedDateTime": null,
            "updatedBy": null, "comment": null, "assignedTo": null}]})
}

/// A control that was planned, then accepted without a date.
fn accepted_at_an_unknown_time() -> Value {
    let mut control = profile("Undated", 2.0);
    let planned = instant(now() - 40 * DAY);
    control["controlStateUpdates"] = json!([
        {"state": "Planned", "updatedDateTime": planned, "updatedBy": "a@b.example"},
        {"state": "Ignored", "updatedDateTime": null, "updatedBy": "a@b.example"},
    ]);
    control
}

/// A day as Graph keeps it: the older ones are poorer.
fn report(ago: i64) -> Value {
    let today = now() - now().rem_euclid(DAY);
    let day = today - ago * DAY;
    let score = |id: &str, category: &str, max: f64, hundredths: i64| {
        let share = hundredths as f64 / 100.0;
        let score = (max * share).round() / 100.0;
        json!({"controlName": id, "controlCategory": category, "score": score,
            "scoreInPercentage": share, "description": null,
            "implementationStatus": "You have  users."})
    };
    // C came to be scored 30 days ago, and B gave more until day 60.
    let max_b = if ago < 60 { 5.0 } else { 6.0 };
    let mut scores = vec![
        score("A", "Identity", 8.0, 9_787 - 20 * ago),
        score("B", "Identity", max_b, if ago % 3 == 0 { 0 } else { 5_000 }),
        score("Retired", "Apps", 4.0, 10_000),
    ];
    if ago < 30 {
        scores.push(score("C", "Identity", 3.0, 0));
    }
    let total: f64 = scores.iter().map(|score| number(&score["score"])).sum();
    let max = 8.0 + max_b + 4.0 + if ago < 30 { 3.0 } else { 0.0 };
    json!({
        "id": format!("{TENANT}_{}", &instant(day)[..10]),
        "azureTenantId": TENANT,
        "createdDateTime": instant(day),
        "currentScore": total, "maxScore": max,
        "activeUserCount": 20 + ago, "licensedUserCount": 0,
        "averageComparativeScores": [
            {"basis": "AllTenants", "averageScore": if ago == 3 { -1.0 } else { 50.0 + (ago % 7) as f64 },
             "identityScore": 4.0, "identityScoreMax": 9.0},
        ],
        "controlScores": scores,
    })
}

fn past(captured: &Captured, flags: &[&str]) -> Samples {
    let output = captured.folder().join("past.om");
    stdout_of(&backfill(&captured.config(), &output, flags));
    Samples::of_openmetrics(&fs::read_to_string(output).unwrap())
}

#[test]
fn every_day_has_its_own_figures_whatever_the_order_they_came_in() {
    let captured = Captured::of_days(100);
    let samples = past(&captured, &["--step=1h", "--days=95"]);
    let scores = samples.of("secure_score_tenant_score{tenant=\"replay\"}");
    let maxima = samples.of("secure_score_tenant_max_score{tenant=\"replay\"}");
    let newest = now() - now().rem_euclid(DAY);
    let mut hours = 0;
    for hour in 0..95 * 24 {
        let second = newest - 95 * DAY + hour * 3_600;
        let midnight = second - second.rem_euclid(DAY);
        let of_day = captured.of_day(midnight);
        // The newest report also holds for the day after it.
        let of_day = of_day.or_else(|| {
            let is_newest = (midnight..=newest)
                .step_by(86_400)
                .all(|day| captured.of_day(day).is_none());
            captured.of_day(midnight - DAY).filter(|_| is_newest)
        });
        let printed = scores
            .iter()
            .find(|(at, _)| *at == second)
            .map(|(_, value)| *value);
        if second > now() - 3 * 3_600 - 60 {
            continue;
        }
        assert_eq!(
            printed,
            of_day.map(|it| number(&it["currentScore"])),
            "{}",
            instant(second)
        );
        let most = maxima
            .iter()
            .find(|(at, _)| *at == second)
            .map(|(_, value)| *value);
        assert_eq!(most, of_day.map(|it| number(&it["maxScore"])));
        hours += usize::from(printed.is_some());
    }
    assert!(hours > 90 * 23, "{hours}");
}

#[test]
fn a_maximum_is_written_only_where_the_day_implies_it() {
    let captured = Captured::of_days(90);
    let samples = past(&captured, &["--step=1d"]);
    let today = now() - now().rem_euclid(DAY);
    let maxima = |control: &str, category: &str| {
        let series = format!(
            "secure_score_control_max_score{{category=\"{category}\",control=\"{control}\",tenant=\"replay\"}}"
        );
        let ago = |at: &i64| (today - at) / DAY;
        let values = samples.of(&series).iter();
        values.map(|(at, max)| (ago(at), *max)).collect::<Vec<_>>()
    };
    assert!(maxima("A", "Identity").iter().all(|(_, max)| *max == 8.0));
    let b = maxima("B", "Identity");
    for (ago, max) in &b {
        assert_eq!(*max, if *ago < 60 { 5.0 } else { 6.0 }, "{ago}");
    }
    // At nought per cent nothing implies it, but while the day's total adds up
    // with today's, today's it is.
    assert!(b.iter().any(|(ago, _)| *ago < 60 && ago % 3 == 0));
    assert!(b.iter().all(|(ago, _)| *ago < 60 || ago % 3 != 0));
    let c = maxima("C", "Identity");
    assert!(c.len() > 20 && c.iter().all(|(ago, max)| *ago < 30 && *max == 3.0));
    let categories =
        samples.of("secure_score_category_max_score{category=\"Identity\",tenant=\"replay\"}");
    let gone = categories.iter().filter(|(at, _)| (today - at) / DAY >= 60);
    assert!(gone.clone().count() > 0);
    assert!(gone.clone().all(|(_, max)| *max == 14.0));
    // A word of no value is none.
    let ratios =
        samples.of("secure_score_comparison_ratio{basis=\"AllTenants\",tenant=\"replay\"}");
    assert!(ratios.iter().all(|(_, ratio)| (0.5..=0.57).contains(ratio)));
    assert!(!ratios.iter().any(|(at, _)| today - at == 3 * DAY));
}

#[test]
fn a_state_that_ended_at_an_unknown_time_is_not_written() {
    let captured = Captured::of_days(40);
    let samples = past(&captured, &["--step=1h"]);
    let has_states = |control: &str| {
        let labels = format!(r#"category="Identity",control="{control}",tenant="replay""#);
        let series = format!("secure_score_control_risk_accepted{{{labels}}}");
        samples.iter().any(|(name, _)| *name == series)
    };
    assert!(has_states("A") && !has_states("Undated"));
}

#[test]
fn nothing_but_one_odd_report_is_no_trouble() {
    for reports in [
        vec![],
        vec![json!({"azureTenantId": TENANT, "createdDateTime": null})],
    ] {
        let captured = Captured::serve(reports);
        let output = captured.folder().join("past");
        let printed = stdout_of(&backfill(&captured.config(), &output, &[]));
        assert!(
            printed.contains("1 tenant read: 0 daily reports"),
            "{printed}"
        );
        assert!(
            !printed.contains("mv ") && !printed.contains("Prometheus"),
            "nothing to move: {printed}"
        );
    }
}
