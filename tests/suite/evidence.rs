//! Evidence: what was decided about a tenant in a period, as page, JSON and CSV.

use crate::browser::Browser;
use crate::process::Process;
use crate::simulated::{Simulated, run, text};
use crate::test_server::{
    HOSTILE, TestServer, change, control, options_with, start, start_showing, tenant,
    with_controls, with_history,
};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secure_score_exporter::store::TenantState;
use secure_score_model::ControlState::{Planned, RiskAccepted, ThirdParty, ToAddress};
use secure_score_model::{
    Anomalies, Category, DailyScore, Decision, DecisionState, Persons, Points, ScoreHistory,
    StateUpdate, Timestamp,
};
use serde_json::Value;
use std::sync::Arc;

const DAY: i64 = 24 * 60 * 60;
/// 2025-11-01.
const NOVEMBER: i64 = 1_761_955_200;

fn at(day: i64) -> Timestamp {
    Timestamp::from_seconds(NOVEMBER + day * DAY)
}

/// A tenant with decisions in October and November 2025, of which some are approved,
/// and the scores of some days.
pub(crate) fn decided() -> TenantState {
    let second = |day: i64| NOVEMBER + day * DAY;
    let accepted = |day, by: &str, why: &str| change(RiskAccepted, second(day), by, why);
    let mut controls = vec![
        control(
            "before",
            Category::Identity,
            vec![accepted(-20, "bob@x.example", "for now")],
        ),
        control(
            "within",
            Category::Identity,
            vec![
                accepted(3, "amy@x.example", HOSTILE),
                change(ToAddress, second(9), "eve@x.example", ""),
                accepted(12, "amy@x.example", "=1+1 and again"),
            ],
        ),
        control(
            "claim",
            Category::Apps,
            vec![change(ThirdParty, second(5), "dan@x.example", "")],
        ),
        control(
            "planned",
            Category::Apps,
            vec![change(Planned, second(6), "dan@x.example", "soon")],
        ),
        control(
            "later",
            Category::Apps,
            vec![accepted(31, "amy@x.example", "in December")],
        ),
        control("open", Category::Identity, Vec::new()),
        control(
            "ended-later",
            Category::Identity,
            vec![
                accepted(-3, "amy@x.example", "until the audit"),
                change(ToAddress, second(30), "eve@x.example", ""),
            ],
        ),
        control(
            "undated",
            Category::Data,
            vec![StateUpdate::new(RiskAccepted)],
        ),
    ];
    for control in &mut controls {
        control.watched = true;
    }
    let mut approval = Decision::new("before", "SEC-1", at(10));
    approval.approver = Some("bob@x.example".into());
    controls[0].decisions = vec![Arc::new(approval)];
    // Ended with the withdrawal's day; given after the period; to its last day.
    controls[1].decisions = vec![Arc::new(Decision::new("within", "SEC-2", at(10)))];
    let mut given_later = Decision::new("claim", "SEC-3", at(400));
    given_later.states = vec![DecisionState::ThirdParty];
    given_later.approved_on = Some(at(31));
    controls[2].decisions = vec![Arc::new(given_later)];
    let last_day = Decision::new("ended-later", "SEC-4", at(30));
    controls[6].decisions = vec![Arc::new(last_day)];
    let mut state = with_controls(tenant("contoso"), controls);
    let snapshot = Arc::make_mut(&mut state.snapshot);
    snapshot.catalogue_anomalies = Some(Anomalies::default());
    let mut history = ScoreHistory::default();
    let score = |day: i64, points: f64| DailyScore {
        as_of: at(day),
        score: Points::new(points).unwrap(),
        max_score: Points::new(50.0).unwrap(),
    };
    history.add_newest(score(40, 30.0));
    let past = [
        score(-1, 20.0),
        score(0, 21.0),
        score(1, 22.0),
        score(29, 25.0),
    ];
    history.add_past(past, true);
    snapshot.score_history = history.into();
    state
}

/// The evidence of November as JSON.
async fn document(server: &TestServer) -> (String, Value) {
    let path = "/tenants/contoso/evidence?since=2025-11-01&until=2025-11-30&format=json";
    let reply = server.get(path).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let text = reply.text().to_owned();
    let document = serde_json::from_str(&text).unwrap();
    (text, document)
}

fn listed<'a>(document: &'a Value, list: &str) -> Vec<(&'a str, &'a str)> {
    let list = document["data"][list].as_array().unwrap();
    let word = |it: &'a Value, key: &str| it[key].as_str().unwrap();
    let words = list
        .iter()
        .map(|it| (word(it, "control"), word(it, "state")));
    words.collect()
}

#[tokio::test]
async fn decisions_are_in_the_days_in_which_they_were_made() {
    let server = start_showing(decided()).await;
    let (text, document) = document(&server).await;
    assert_eq!(
        listed(&document, "decided"),
        [
            ("within", "risk_accepted"),
            ("planned", "planned"),
            ("claim", "third_party"),
            ("within", "risk_accepted"),
        ]
    );
    assert_eq!(
        listed(&document, "withdrawn"),
        [("within", "risk_accepted")]
    );
    assert_eq!(
        listed(&document, "standing"),
        [
            ("ended-later", "risk_accepted"),
            ("before", "risk_accepted"),
            ("undated", "risk_accepted"),
        ]
    );
    assert_eq!(
        listed(&document, "open"),
        [
            ("ended-later", "to_address"),
            ("open", "to_address"),
            ("planned", "planned")
        ]
    );
    let withdrawn = &document["data"]["withdrawn"][0];
    assert_eq!(withdrawn["ended_at"], "2025-11-10T00:00:00Z");
    assert_eq!(withdrawn["ended_by"], "eve@x.example");
    let status = |list: &str, index: usize| {
        let approval = &document["data"][list][index]["approval"];
        approval["status"].as_str().unwrap_or("none").to_owned()
    };
    assert_eq!(status("standing", 0), "approved", "valid on its last day");
    assert_eq!(status("withdrawn", 0), "approved", "while it was in force");
    assert_eq!(
        status("decided", 0),
        "expired",
        "accepted anew after the approval"
    );
    assert_eq!(
        status("decided", 1),
        "none",
        "what is planned needs no approval"
    );
    assert_eq!(status("decided", 2), "missing", "approved after the period");
    let standing = &document["data"]["standing"][1];
    assert_eq!(
        standing["approval"]["status"], "expired",
        "at the end of the period"
    );
    assert_eq!(standing["self_approved"], true);
    let claim = &document["data"]["decided"][2];
    assert_eq!(claim["approval"]["status"], "missing");
    assert_eq!(claim["reason_given"], false);
    let scores = document["data"]["scores"].as_array().unwrap();
    assert_eq!(scores.len(), 3);
    assert_eq!(scores[0]["day"], "2025-11-01");

    let data = text.strip_prefix("{\"data\":").unwrap();
    let data = data.split(",\"sha256\"").next().unwrap();
    let digest = digest(&SHA256, data.as_bytes());
    let expected: String = digest
        .as_ref()
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    assert_eq!(document["sha256"], expected.as_str());
}

#[tokio::test]
async fn the_digest_is_checked_as_the_document_says() {
    let server = start_showing(decided()).await;
    let (json, document) = document(&server).await;
    let guide = std::fs::read_to_string("docs/evidence.md").unwrap();
    let typed = guide.lines().find_map(|line| line.strip_prefix("$ sed "));
    let command = format!("sed {}", typed.expect("the command is shown"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("contoso.json"), json).unwrap();
    let output = std::process::Command::new("sh")
        .args(["-euc", &command])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let printed = text(&output.stdout);
    let digest = document["sha256"].as_str().unwrap();
    assert!(printed.starts_with(digest), "{command}: {printed}");
}

#[tokio::test]
async fn what_is_not_known_is_named() {
    let server = start_showing(decided()).await;
    let (_, document) = document(&server).await;
    let gaps = document["data"]["gaps"].to_string();
    for part in [
        "No score is known of 2025-11-03 to 2025-11-29.",
        "Entra's recommendations are not read",
        "Microsoft keeps the history",
        "which stand under those of before and may be later: 1.",
    ] {
        assert!(gaps.contains(part), "{part}: {gaps}");
    }
    let server = start_showing(tenant("contoso")).await;
    let gaps = self::document(&server).await.1["data"]["gaps"].to_string();
    assert!(
        gaps.contains("controls and their states are not known"),
        "{gaps}"
    );
    assert!(
        gaps.contains("No score is known of 2025-11-01 to 2025-11-30."),
        "{gaps}"
    );
}

#[tokio::test]
async fn the_page_loads_nothing_and_shows_persons_where_they_may_be_shown() {
    let path = "/tenants/contoso/evidence?since=2025-11-01&until=2025-11-30";
    let server = start_showing(decided()).await;
    let page = server.get(path).await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    let text = page.text();
    assert!(
        text.contains("amy<wbr>@x.example") && text.contains("in force"),
        "{text}"
    );
    for part in ["<script", "<link", "src=\"", "<img", "@import", "url("] {
        assert!(!text.contains(part), "{part}");
    }
    let style = text.split("<style>").nth(1).unwrap();
    let style = style.split("</style>").next().unwrap();
    let digest = STANDARD.encode(digest(&SHA256, style.as_bytes()));
    assert!(policy.contains(&digest), "the style sheet is allowed");

    let server = start(options_with(Persons::Hidden, true)).await;
    server.store.publish(decided());
    for format in ["html", "csv", "json"] {
        let page = server.get(&format!("{path}&format={format}")).await;
        assert_eq!(page.status, 200);
        for person in [
            "amy", "bob", "eve@", "eve<", "dan@", "dan<", "for now", "again",
        ] {
            assert!(!page.text().contains(person), "{format}: {person}");
        }
        assert!(
            page.text().contains("Persons and comments are not shown"),
            "{format}"
        );
    }
}

#[tokio::test]
async fn the_table_has_no_formulas() {
    let server = start_showing(decided()).await;
    let path = "/tenants/contoso/evidence?since=2025-11-01&until=2025-11-30&format=csv";
    let table = server.get(path).await;
    let name = table.header("content-disposition").unwrap();
    assert_eq!(
        name,
        "attachment; filename=\"evidence-contoso-2025-11-01-2025-11-30.csv\""
    );
    let mut rows = csv::Reader::from_reader(&*table.body);
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    let sections: Vec<&str> = rows.iter().map(|row| &row[0]).collect();
    for section in [
        "document",
        "score",
        "decided",
        "withdrawn",
        "standing",
        "open",
        "gap",
        "sha256",
    ] {
        assert!(sections.contains(&section), "{section}: {sections:?}");
    }
    assert!(table.text().contains("'=1+1 and again"), "{}", table.text());
}

#[tokio::test]
async fn a_period_that_is_none_is_refused_with_the_remedy() {
    let server = start_showing(with_history()).await;
    for (query, words) in [
        (
            "since=yesterday",
            "since &quot;yesterday&quot; is not a day",
        ),
        ("since=2025-11-01&until=2025-10-01", "until is before since"),
        ("since=2099-01-01", "since is in the future"),
        ("format=pdf", "the formats are html, csv and json"),
        ("from=2025-11-01", "unknown parameter"),
        ("since=2025-11-01&since=2025-11-02", "since is given twice"),
    ] {
        let page = server
            .get(&format!("/tenants/contoso/evidence?{query}"))
            .await;
        assert_eq!(page.status, 400, "{query}");
        assert!(page.text().contains(words), "{query}: {}", page.text());
    }
    let later = "/tenants/contoso/evidence?since=2025-11-01&until=2199-12-31";
    for format in ["", "&format=csv", "&format=json"] {
        let document = server.get(&format!("{later}{format}")).await;
        let cut = "It was asked for until 2199-12-31, and ends on ";
        assert!(document.text().contains(cut), "{}", document.text());
    }
    let page = server.get("/tenants/contosso/evidence").await;
    assert_eq!(page.status, 404);
    assert!(page.text().contains("Did you mean"), "{}", page.text());
    let page = server.get("/tenants/contoso").await;
    assert!(page.text().contains("href=\"/tenants/contoso/evidence\""));
}

#[tokio::test]
async fn it_is_printed_on_a4_and_nothing_is_cut() {
    let mut state = decided();
    let snapshot = Arc::make_mut(&mut state.snapshot);
    for number in 0..60 {
        let by = "a.person.with.a.long.name@department.of.a.customer.example";
        let why = "a reason of some length, without a place to break: ".repeat(3);
        let updates = vec![change(RiskAccepted, NOVEMBER + number * 3_600, by, &why)];
        let id = format!("A_control_with_a_rather_long_id_{number}");
        snapshot
            .controls
            .push(control(&id, Category::Data, updates));
    }
    let server = start_showing(state).await;
    let browser = Browser::open().await;
    let path = "/tenants/contoso/evidence?since=2025-11-01&until=2025-11-30";
    browser.visit(&server, path).await;
    let pdf = browser.print().await;
    let boxes: Vec<&[u8]> = pdf
        .windows(40)
        .filter(|part| part.starts_with(b"/MediaBox"))
        .collect();
    assert!(boxes.len() > 3, "{} pages", boxes.len());
    for page in boxes {
        let page = String::from_utf8_lossy(page);
        assert!(
            page.starts_with("/MediaBox [0 0 594.9") && page.contains(" 841.9"),
            "{page}"
        );
    }
    // A4 less the margins, in pixels of 1/96 inch.
    browser.resize(688, 1_000, false).await;
    browser.print_styles().await;
    let width = "document.documentElement.scrollWidth <= window.innerWidth";
    assert_eq!(browser.value(width).await, true);
    let rows = "[...document.querySelectorAll('tr')].every(row => getComputedStyle(row).breakInside == 'avoid' && row.offsetHeight < 900)";
    assert_eq!(browser.value(rows).await, true);
    let dark = "getComputedStyle(document.body).backgroundColor";
    browser.prefer("dark").await;
    assert_eq!(browser.value(dark).await, "rgb(255, 255, 255)");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_reads_the_state_of_a_running_exporter() {
    let simulated = Simulated::start();
    let state = simulated.folder().join("state").display().to_string();
    let config = simulated.config();
    let evidence = |tenant: &str, more: &[&str]| {
        let flags = [
            "evidence",
            "--config.file",
            &config,
            "--state.dir",
            &state,
            "--tenant",
            tenant,
            "--since",
            "2020-01-01",
        ];
        run(&[&flags, more].concat())
    };
    let missing = evidence("contoso", &[]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(
        text(&missing.stderr).contains("is no state directory"),
        "{}",
        text(&missing.stderr)
    );

    let exporter = Process::exporter(&[
        "--web.listen-address=127.0.0.1:0",
        "--config.file",
        &config,
        "--state.dir",
        &state,
    ]);
    exporter.word_after("address=");
    let mut scores = 0;
    for _ in 0..600 {
        let output = evidence("contoso", &["--format", "json"]);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        scores = document["data"]["scores"].as_array().map_or(0, Vec::len);
        if scores > 1
            && document["data"]["decided"]
                .as_array()
                .is_some_and(|it| !it.is_empty())
        {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(scores, 90);

    let file = simulated.folder().join("contoso.html");
    let written = evidence("contoso", &["--output", &file.display().to_string()]);
    assert!(written.status.success(), "{}", text(&written.stderr));
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(page.contains("Evidence of Contoso Ltd"), "{page}");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    let unknown = evidence("contosso", &[]);
    assert!(
        text(&unknown.stderr).contains("did you mean contoso?"),
        "{}",
        text(&unknown.stderr)
    );
    let reversed = evidence("contoso", &["--until", "2019-12-31"]);
    assert_eq!(reversed.status.code(), Some(2));
    let error = text(&reversed.stderr);
    assert!(
        error.contains("--until is before since") && error.contains("hint: "),
        "{error}"
    );

    let known = evidence("contoso", &["--format", "json"]);
    let known: Value = serde_json::from_slice(&known.stdout).unwrap();
    let decided = known["data"]["decided"].as_array().unwrap();
    let texts = decided.iter().flat_map(|it| {
        let approver = &it["approval"]["approver"];
        [&it["by"], &it["ended_by"], &it["comment"], approver]
    });
    let texts: Vec<&str> = texts.filter_map(Value::as_str).collect();
    assert!(texts.len() > 4, "{texts:?}");
    simulated.configure("privacy: {events: off}\n");
    for format in ["html", "csv", "json"] {
        let output = evidence("contoso", &["--format", format]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let document = text(&output.stdout).replace("<wbr>", "");
        assert!(document.contains("Persons and comments are not shown"));
        for it in &texts {
            assert!(!document.contains(it), "{format}: {it}");
        }
    }
}
