//! `collect` as scripts and timers run it.

use crate::process::{Process, program};
use crate::simulated::{Simulated, run, text};
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn collect(simulated: &Simulated, flags: &[&str]) -> Output {
    let config = simulated.config();
    let mut arguments = vec!["collect", "--config.file", &config];
    arguments.extend(flags);
    run(&arguments)
}

fn printed(simulated: &Simulated, flags: &[&str]) -> String {
    let output = collect(simulated, flags);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

async fn break_tenants(simulated: &Simulated, tenants: &[&str]) {
    for tenant in tenants {
        let fault = json!({"tenant": tenant, "api": "token", "what": {"aadsts": 7_000_222}});
        simulated.inject(fault).await;
    }
}

/// Samples of the data, which do not depend on the time of the refresh.
fn data_samples(metrics: &str) -> Vec<&str> {
    let names = [
        "secure_score_control_",
        "secure_score_tenant_",
        "secure_score_category_",
    ];
    let lines = metrics.lines();
    lines
        .filter(|line| names.iter().any(|name| line.starts_with(name)))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_are_those_of_a_scrape() {
    let simulated = Simulated::start();
    let collected = printed(&simulated, &[]);
    let exporter = Process::exporter(&[
        "--web.listen-address=127.0.0.1:0",
        "--config.file",
        &simulated.config(),
    ]);
    let address = exporter.word_after("address=");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..600 {
        let ready = http.get(format!("http://{address}/-/ready")).send().await;
        if ready.unwrap().status().is_success() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let scraped = http.get(format!("http://{address}/metrics")).send().await;
    let scraped = scraped.unwrap().text().await.unwrap();
    let (collected, scraped) = (data_samples(&collected), data_samples(&scraped));
    assert!(collected.len() > 1_000);
    assert!(
        collected == scraped,
        "{} against {}",
        collected.len(),
        scraped.len()
    );
}

#[test]
fn promtool_accepts_the_metrics() {
    let simulated = Simulated::start();
    let metrics = printed(&simulated, &[]);
    assert!(
        !metrics.contains("process_cpu"),
        "the exporter's own metrics"
    );
    let mut child = Command::new(program("promtool", "prometheus"))
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(metrics.as_bytes())
        .unwrap();
    let checked = child.wait_with_output().unwrap();
    assert!(checked.status.success(), "{}", text(&checked.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_status_distinguishes_all_some_and_none() {
    let simulated = Simulated::start();
    assert_eq!(collect(&simulated, &[]).status.code(), Some(0));
    break_tenants(&simulated, &["contoso"]).await;
    let partly = collect(&simulated, &[]);
    assert_eq!(partly.status.code(), Some(3));
    let stderr = text(&partly.stderr);
    assert!(
        stderr.contains("error: contoso: credential: ") && stderr.contains("hint: "),
        "{stderr}"
    );
    let metrics = text(&partly.stdout);
    assert!(metrics.contains("secure_score_up{tenant=\"contoso\",api=\"profiles\"} 0"));
    assert!(metrics.contains("secure_score_up{tenant=\"fabrikam\",api=\"profiles\"} 1"));
    let none = collect(&simulated, &["--tenant=contoso"]);
    assert_eq!(none.status.code(), Some(1));
    let unknown = collect(&simulated, &["--tenant=contosso"]);
    assert!(text(&unknown.stderr).contains("did you mean contoso?"));
    assert_eq!(
        collect(&simulated, &["--format=yaml"]).status.code(),
        Some(2)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_replaced_whole_and_readable_by_a_collector() {
    let simulated = Simulated::start();
    let file = simulated.folder().join("secure_score.prom");
    let path = file.display().to_string();
    fs::write(&file, "old\n").unwrap();
    assert_eq!(printed(&simulated, &["--output", &path]), "");
    let written = fs::read_to_string(&file).unwrap();
    assert!(written.starts_with("# HELP secure_score_") && written.ends_with('\n'));
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o644
    );

    break_tenants(&simulated, &["contoso"]).await;
    assert_eq!(
        collect(&simulated, &["--output", &path]).status.code(),
        Some(3)
    );
    let written = fs::read_to_string(&file).unwrap();
    assert!(written.contains("secure_score_up{tenant=\"contoso\",api=\"scores\"} 0"));

    let beside = fs::read_dir(simulated.folder()).unwrap();
    let names = beside.map(|it| it.unwrap().file_name().into_string().unwrap());
    let left: Vec<_> = names.filter(|name| name.starts_with(".tmp")).collect();
    assert!(left.is_empty(), "{left:?}");
    let folder = simulated.folder();
    let asked = simulated.requests().await;
    for place in [folder.join("no/such/folder/file"), folder.to_owned()] {
        let place = place.display().to_string();
        let failed = collect(&simulated, &["--tenant=fabrikam", "--output", &place]);
        assert_eq!(failed.status.code(), Some(1));
        let error = text(&failed.stderr);
        assert!(
            error.contains(&format!("{place} cannot be written")),
            "{error}"
        );
        assert!(error.contains("--output"), "{error}");
    }
    assert_eq!(simulated.requests().await, asked, "nothing is read for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_has_no_control_characters_from_graph() {
    let simulated = Simulated::start();
    let hostile = "\u{1b}[2J\u{1b}]0;owned\u{7}first\nsecond\ttab";
    let acceptance = json!({"by": "eve\u{1b}[31m@contoso.example", "comment": hostile});
    simulated.accept("contoso", "AdminMFAV2", acceptance).await;
    let table = printed(&simulated, &["--accepted", "--format=table"]);
    assert!(
        table.chars().all(|c| c == '\n' || !c.is_control()),
        "{table:?}"
    );
    let row = table
        .lines()
        .find(|line| line.contains("AdminMFAV2"))
        .unwrap();
    for words in ["contoso", "Identity", "risk accepted", "eve", "first"] {
        assert!(row.contains(words), "{row}");
    }
    let first = table.lines().nth(2).unwrap();
    assert!(first.contains(" no "), "the unapproved come first: {first}");
    let wide = printed(&simulated, &["--accepted", "--wide"]);
    assert!(
        wide.contains("FIX IT AT") && wide.contains("https://"),
        "{wide}"
    );
    let coloured = printed(&simulated, &["--accepted", "--color=always"]);
    assert!(coloured.contains("\u{1b}["));
    assert!(!printed(&simulated, &["--accepted", "--color=never"]).contains('\u{1b}'));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_has_the_tenants_then_the_accepted_risks() {
    let simulated = Simulated::start();
    break_tenants(&simulated, &["adatum"]).await;
    let ended = collect(&simulated, &["--format=table"]);
    let overview = text(&ended.stdout);
    assert!(
        overview.starts_with("5 tenants, 4 read, 1 failed\n TENANT "),
        "{overview}"
    );
    let place = |part: &str| overview.find(part).unwrap_or_else(|| panic!("{overview}"));
    assert!(
        place("\n northwind ") < place("\n adatum "),
        "failures last"
    );
    let adatum = overview.lines().find(|line| line.starts_with(" adatum"));
    let adatum = adatum.unwrap();
    assert!(
        adatum.contains("unknown") && adatum.ends_with("credential"),
        "{adatum}"
    );
    assert!(place("\n adatum ") < place(" with the risk accepted now, "));
    let accepted = &overview[place(" with the risk accepted now, ")..];
    assert!(accepted.contains("IntegratedApps"), "{accepted}");
    let mut rows = accepted.lines().skip(2).filter(|line| !line.is_empty());
    assert!(rows.clone().count() < 20, "{accepted}");
    assert!(rows.all(|row| row.contains("risk accepted")), "{accepted}");
    let stderr = text(&ended.stderr);
    let (_, failures) = stderr
        .split_once("1 of 5 tenants could not be read: adatum\n")
        .unwrap();
    assert!(
        failures.starts_with("error: adatum: credential: "),
        "{stderr}"
    );

    simulated.clear_faults().await;
    let all = printed(&simulated, &["--controls"]);
    assert!(!all.contains(" SHARE "), "{all}");
    assert!(all.lines().count() > 100, "{all}");
}

#[test]
fn json_has_status_and_link_of_each_control() {
    let simulated = Simulated::start();
    let flags = [
        "--format=json",
        "--tenant=contoso",
        "--category=identity",
        "--accepted",
    ];
    let document: Value = serde_json::from_str(&printed(&simulated, &flags)).unwrap();
    let contoso = &document["tenants"][0];
    assert_eq!(contoso["tenant"], "contoso");
    assert!(contoso["score"].is_number());
    let control = &contoso["control_records"][0];
    assert_eq!(control["control"], "IntegratedApps");
    assert_eq!(control["risk_accepted"], true);
    assert!(control["implementation_status"].is_string());
    assert!(
        control["action_url"]
            .as_str()
            .unwrap()
            .starts_with("https://")
    );
    assert_eq!(control["accepted_by"], "alex.wilber@contoso.example");
    assert!(control["history"].as_array().unwrap().len() > 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn recommendations_of_entra_follow_the_controls() {
    let simulated = Simulated::start();
    simulated.grant_recommendations("contoso").await;
    let dismissal = json!({"status": "dismissed", "by": "Eve Adams"});
    simulated
        .set_status("contoso", "staleApps", dismissal)
        .await;
    let table = printed(&simulated, &["--accepted", "--format=table"]);
    let row = table.lines().find(|line| line.contains("staleApps"));
    let row = row.unwrap_or_else(|| panic!("{table}"));
    for words in ["contoso", "dismissed", " no ", "≤ 20", "Eve Adams"] {
        assert!(row.contains(words), "{row}");
    }
    let risk = table.lines().find(|line| line.contains("integratedApps"));
    let risk = risk.unwrap_or_else(|| panic!("{table}"));
    assert!(risk.contains("IntegratedApps  risk accepted"), "{risk}");
    for line in [
        "\n3 recommendations, 3 set aside now, 3 of them unapproved; unknown for 0\n",
        "\ncontoso: Identity Secure Score ",
    ] {
        assert!(table.contains(line), "{table}");
    }
    let document: Value =
        serde_json::from_str(&printed(&simulated, &["--format=json", "--accepted"])).unwrap();
    let tenants = document["tenants"].as_array().unwrap();
    let of = |alias: &str| tenants.iter().find(|it| it["tenant"] == alias).unwrap();
    let contoso = of("contoso");
    assert_eq!(contoso["recommendations_set_aside"], 3);
    assert!(contoso["identity_score"].is_number());
    let records = contoso["recommendation_records"].as_array().unwrap();
    let names: Vec<_> = records.iter().map(|it| &it["recommendation"]).collect();
    assert_eq!(names, ["integratedApps", "staleApps", "turnOffPerUserMFA"]);
    assert_eq!(records[1]["set_by"], "Eve Adams");
    assert_eq!(records[1]["status_since_exact"], false);
    assert_eq!(records[0]["control"], "IntegratedApps");
    assert!(records[2]["postponed_until"].is_string());
    assert_eq!(of("fabrikam")["recommendation_records"], Value::Null);
    let apps = ["--format=json", "--accepted", "--category=Data"];
    let document: Value = serde_json::from_str(&printed(&simulated, &apps)).unwrap();
    let none = &document["tenants"][0]["recommendation_records"];
    assert_ne!(*none, json!(names), "of another category");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_whose_lists_of_entra_fail_counts_as_failed() {
    let simulated = Simulated::start();
    let table = printed(&simulated, &["--accepted"]);
    assert!(!table.contains("RECOMMENDATION"), "{table}");
    simulated.configure("recommendations: {enabled: on}\n");
    simulated.grant_recommendations("contoso").await;
    let partly = collect(&simulated, &["--format=json"]);
    assert_eq!(partly.status.code(), Some(3));
    let stderr = text(&partly.stderr);
    assert!(
        stderr.contains("error: fabrikam: permission: the list of recommendations"),
        "{stderr}"
    );
    assert!(!stderr.contains("contoso"), "{stderr}");
    let document: Value = serde_json::from_slice(&partly.stdout).unwrap();
    let fabrikam = document["tenants"].as_array().unwrap().iter();
    let fabrikam = fabrikam.into_iter().find(|it| it["tenant"] == "fabrikam");
    let list = &fabrikam.unwrap()["lists"]["recommendations"];
    assert_eq!(
        (&list["up"], &list["reason"]),
        (&json!(false), &json!("permission"))
    );
}

#[test]
fn a_selection_without_effect_is_an_error() {
    for flags in [
        &["collect", "--format=prometheus", "--accepted"][..],
        &["collect", "--format=prometheus", "--category=Identity"],
        &["collect", "--format=json", "--wide"],
        &["collect", "--format=json", "--controls"],
        &["collect", "--accepted", "--controls"],
        &["collect", "--last=3"],
        &["collect", "--accepted", "--last=0"],
        &["collect", "--web.listen-address=:1"],
    ] {
        let ended = run(flags);
        assert_eq!(
            ended.status.code(),
            Some(2),
            "{flags:?}: {}",
            text(&ended.stderr)
        );
    }
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let simulated = Simulated::start();
    let mut child = Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"))
        .args(["collect", "--config.file", &simulated.config()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(
        !text(&ended.stderr).contains("panicked"),
        "{}",
        text(&ended.stderr)
    );
}

/// The administrator's script: the identity controls where `Ignored` is among
/// the last updates in Graph's order.
fn by_script(profiles: &Value, last: usize) -> Vec<String> {
    let mut found = Vec::new();
    for profile in profiles["value"].as_array().unwrap() {
        let updates = profile["controlStateUpdates"].as_array();
        let listed = updates.map_or(&[][..], |it| it);
        let ignored = |it: &&Value| it["state"].as_str() == Some("Ignored");
        if profile["controlCategory"] == "Identity"
            && listed.iter().rev().take(last).any(|it| ignored(&it))
        {
            found.push(profile["id"].as_str().unwrap().to_owned());
        }
    }
    found.sort();
    found
}

fn update(state: &str, at: &str) -> Value {
    json!({"state": state, "updatedDateTime": at, "updatedBy": "alex@contoso.example", "comment": null, "assignedTo": null})
}

fn profile(id: &str, category: &str, updates: Value) -> Value {
    json!({
        "id": id, "azureTenantId": "11111111-2222-4333-8444-555555555555", "title": id,
        "controlCategory": category, "service": "AzureAD", "maxScore": 5,
        "controlStateUpdates": updates,
    })
}

/// Writes these answers, and returns the file of the controls.
fn write_answers(folder: &Path, profiles: &Value) -> PathBuf {
    let answers = folder.join("graph");
    fs::create_dir_all(&answers).unwrap();
    fs::write(answers.join("secureScores.json"), "{\"value\": []}").unwrap();
    let catalogue = answers.join("secureScoreControlProfiles.json");
    fs::write(&catalogue, profiles.to_string()).unwrap();
    catalogue
}

/// What `collect` prints of these answers with some flags.
fn of_answers(folder: &Path, flags: &[&str]) -> Output {
    let answers = folder.join("graph").display().to_string();
    let config = folder.join("config").display().to_string();
    let simulator = Process::exporter(&[
        "simulate",
        "--replay",
        &answers,
        "--listen-address=127.0.0.1:0",
        "--control.listen-address=127.0.0.1:0",
        "--config-dir",
        &config,
    ]);
    simulator.word_after("configuration ");
    let file = folder.join("config/secure-score.yml").display().to_string();
    run(&[
        &["collect", "--config.file", &file, "--category=Identity"],
        flags,
    ]
    .concat())
}

/// The identity controls that `collect` lists for these answers.
fn by_collect(folder: &Path, last: &str) -> Vec<String> {
    let ended = of_answers(folder, &["--accepted", "--last", last, "--format=json"]);
    let document: Value = serde_json::from_slice(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&ended.stderr)));
    let controls = document["tenants"][0]["control_records"]
        .as_array()
        .unwrap();
    let mut ids: Vec<_> = controls
        .iter()
        .map(|it| it["control"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

#[test]
fn it_lists_the_controls_of_the_script_except_for_documented_differences() {
    let (one, two, three) = (
        "2026-11-01T00:00:00Z",
        "2026-11-02T00:00:00Z",
        "2026-11-03T00:00:00Z",
    );
    let four = "2026-11-04T00:00:00Z";
    let alike = vec![
        profile(
            "Accepted",
            "Identity",
            json!([update("Default", one), update("Ignored", two)]),
        ),
        profile(
            "Withdrawn",
            "Identity",
            json!([update("Ignored", one), update("Default", two)]),
        ),
        profile(
            "LongAgo",
            "Identity",
            json!([
                update("Ignored", one),
                update("Default", two),
                update("ThirdParty", three),
                update("Planned", four)
            ]),
        ),
        profile("Never", "Identity", json!([update("Reviewed", one)])),
        profile("Untouched", "Identity", json!([])),
        profile("Elsewhere", "Apps", json!([update("Ignored", one)])),
    ];
    let folder = tempfile::tempdir().unwrap();
    let profiles = json!({"value": alike});
    let catalogue = write_answers(folder.path(), &profiles);
    for last in ["1", "2", "3"] {
        let script = by_script(&profiles, last.parse().unwrap());
        assert_eq!(by_collect(folder.path(), last), script, "--last {last}");
        fs::remove_dir_all(folder.path().join("config")).unwrap();
    }

    // The two differences: order is by date, and repeats are one change.
    let newest_first = json!([
        update("Ignored", four),
        update("Default", three),
        update("Planned", two)
    ]);
    let repeated = json!([
        update("Ignored", one),
        update("Default", two),
        update("Default", three),
        update("Default", four)
    ]);
    let different = json!({"value": [
        profile("NewestFirst", "Identity", newest_first),
        profile("Repeated", "Identity", repeated),
    ]});
    fs::write(&catalogue, different.to_string()).unwrap();
    assert_eq!(by_script(&different, 1), Vec::<String>::new());
    assert_eq!(by_collect(folder.path(), "1"), ["NewestFirst"]);
    fs::remove_dir_all(folder.path().join("config")).unwrap();
    assert_eq!(by_script(&different, 3), ["NewestFirst"]);
    assert_eq!(by_collect(folder.path(), "3"), ["NewestFirst", "Repeated"]);
}

#[test]
fn a_withdrawal_with_a_mistyped_year_hides_no_later_acceptance() {
    let [first, last, mistyped] = ["2025-11-01", "2025-11-28", "2099-11-03"];
    let at = |state, day| update(state, &format!("{day}T00:00:00Z"));
    let accepted = |day| at("Ignored", day);
    let withdrawn = |day| at("Default", day);
    let between = [accepted(first), withdrawn(mistyped), accepted(last)];
    let newest_first: Vec<_> = between.iter().rev().cloned().collect();
    let ended = [at("Planned", first), accepted(mistyped), withdrawn(last)];
    let profiles = json!({"value": [
        profile("Between", "Identity", json!(between)),
        profile("NewestFirst", "Identity", json!(newest_first)),
        profile("Before", "Identity", json!([withdrawn(mistyped), accepted(last)])),
        profile("Behind", "Identity", json!([accepted(last), withdrawn(mistyped)])),
        profile("Ended", "Identity", json!(ended)),
        profile("Copies", "Identity", json!([withdrawn(mistyped)])),
        profile("Copies", "Identity", json!([accepted(last)])),
    ]});
    let folder = tempfile::tempdir().unwrap();
    write_answers(folder.path(), &profiles);
    let json = of_answers(folder.path(), &["--format=json"]);
    let document: Value = serde_json::from_slice(&json.stdout).unwrap();
    let controls = document["tenants"][0]["control_records"].as_array();
    for (control, accepted, acceptances) in [
        ("Between", true, 2),
        ("NewestFirst", true, 2),
        ("Before", true, 1),
        ("Behind", true, 1),
        ("Ended", false, 1),
        ("Copies", true, 1),
    ] {
        let record = controls.unwrap().iter().find(|it| it["control"] == control);
        let record = record.unwrap();
        assert_eq!(record["risk_accepted"], accepted, "{record:#}");
        assert_eq!(record["acceptances"], acceptances, "{record:#}");
    }
    fs::remove_dir_all(folder.path().join("config")).unwrap();
    let table = of_answers(folder.path(), &["--accepted", "--format=table"]);
    let table = text(&table.stdout);
    let summary = "5 controls, 5 with the risk accepted now";
    assert!(table.contains(summary), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_catalogue_no_control_counts_as_not_accepted() {
    let simulated = Simulated::start();
    let fault = json!({"tenant": "contoso", "api": "profiles", "what": "truncated"});
    simulated.inject(fault).await;
    let ended = collect(&simulated, &["--tenant=contoso", "--accepted", "--last=3"]);
    let table = text(&ended.stdout);
    let summary = table.lines().next().unwrap_or_default();
    let unknown = summary.rsplit_once("unknown for ").map(|(_, count)| count);
    let unknown: Option<usize> = unknown.and_then(|count| count.parse().ok());
    assert!(unknown.is_some_and(|count| count > 20), "{table}");
}

#[test]
fn controls_in_an_unknown_state_are_counted() {
    let [one, two] = ["2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"];
    let withdrawn = json!([update("Ignored", one), update("Default", two), "x"]);
    let profiles = json!({"value": [
        profile("Withdrawn", "Identity", withdrawn),
        profile("Never", "Identity", json!(["x"])),
        profile("Untouched", "Identity", json!([])),
        profile("Elsewhere", "Apps", json!(["x"])),
    ]});
    let folder = tempfile::tempdir().unwrap();
    write_answers(folder.path(), &profiles);
    let table = of_answers(folder.path(), &["--accepted", "--format=table"]);
    let table = text(&table.stdout);
    let summary = "0 controls, 0 with the risk accepted now, 0 of them unapproved; unknown for 2\n";
    assert!(table.starts_with(summary), "{table}");
    fs::remove_dir_all(folder.path().join("config")).unwrap();
    let json = of_answers(folder.path(), &["--accepted", "--format=json"]);
    let document: Value = serde_json::from_slice(&json.stdout).unwrap();
    let tenant = &document["tenants"][0];
    assert_eq!(tenant["accepted"], 0);
    assert_eq!(tenant["states_unknown"], 3, "of every category");
}
