//! `approve` and `decisions`: what an edit of a file of decisions changes, and what it
//! is refused for.

use crate::decisions::approve;
use crate::delivery::until;
use crate::process::Process;
use crate::simulated::{Simulated, run, text};
use secure_score_exporter::config::{Environment, load};
use secure_score_exporter::serde_time::Day;
use secure_score_model::Timestamp;
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, SystemTime};

const FAR: &str = "--expires=2099-03-31";

/// A day from now, as a value of `--expires`.
fn expires_in(days: u64) -> String {
    let at = SystemTime::now() + Duration::from_secs(days * 24 * 60 * 60);
    format!("--expires={}", Day::beginning(Timestamp::from(at)))
}

/// The program for contoso, which alex accepted a risk of.
async fn simulated(decisions: &str, sections: &str) -> Simulated {
    let simulated = Simulated::start();
    let file = simulated.folder().join("decisions.yml");
    fs::write(file, decisions).unwrap();
    simulated.configure(&format!("decision_files: [decisions.yml]\n{sections}"));
    let by = json!({"by": "alex@contoso.example", "comment": "why"});
    simulated.accept("contoso", "AdminMFAV2", by).await;
    simulated
}

fn written(simulated: &Simulated) -> String {
    fs::read_to_string(simulated.folder().join("decisions.yml")).unwrap()
}

#[track_caller]
fn assert_says(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_effect_is_that_of_the_changed_entry_and_not_of_the_old_one() {
    let file = "\
- control: AdminMFAV2
  tenants: [contoso]
  reference: R-1
  approver: Bob
  expires: 2099-03-31
";
    let simulated = simulated(file, "risk_accepted: {require_separate_approver: true}\n").await;
    let with = |more: &[&str]| {
        let flags = ["AdminMFAV2", "--reference=R-1", "--dry-run"];
        let (status, said) = approve(&simulated, &[&flags[..], more].concat());
        assert_eq!(status, Some(0), "{said}");
        said
    };
    let subject = "AdminMFAV2 is risk_accepted on contoso";
    let over = with(&["--expires=2020-03-31"]);
    assert_says(
        &over,
        &[
            "warning: --expires 2020-03-31: that day is over, so the decision approves nothing",
            &format!(
                "{subject}, which this approves no longer, since it has expired: SecureScoreRiskAccepted begins"
            ),
        ],
    );
    let own = with(&[FAR, "--approver=alex@contoso.example"]);
    let refused = "which this does not approve, since its approver is the person who declared it: SecureScoreRiskAccepted begins";
    assert_says(&own, &[&format!("{subject}, {refused}")]);
    let soon = with(&[&expires_in(3)]);
    assert_says(
        &soon,
        &[&format!("{subject}: SecureScoreApprovalExpiring begins")],
    );
    let later = with(&["--expires=2099-04-30"]);
    assert_says(&later, &[&format!("{subject}: no alert of it fires")]);

    fs::write(
        simulated.folder().join("decisions.yml"),
        file.replace("Bob", "alex@contoso.example"),
    )
    .unwrap();
    let other = with(&[FAR, "--approver=Eve"]);
    assert_says(
        &other,
        &[&format!("{subject}: ends SecureScoreRiskAccepted")],
    );
    let soon = with(&[&expires_in(3), "--approver=Eve"]);
    let replaced = "ends SecureScoreRiskAccepted, and SecureScoreApprovalExpiring begins";
    assert_says(&soon, &[&format!("{subject}: {replaced}")]);
    let own = with(&["--expires=2099-04-30"]);
    assert_says(&own, &["SecureScoreRiskAccepted goes on"]);
    assert_eq!(
        written(&simulated),
        file.replace("Bob", "alex@contoso.example")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_that_the_tenant_does_not_have_is_written_on_purpose_only() {
    let simulated = simulated("", "").await;
    let flags = ["AdminMFAV3", "--reference=R-1", FAR, "--yes"];
    let (status, said) = approve(&simulated, &flags);
    assert_eq!(status, Some(1), "{said}");
    assert_says(
        &said,
        &[
            "contoso has no control AdminMFAV3",
            "did you mean AdminMFAV2?",
            "--allow-unknown",
        ],
    );
    assert_eq!(written(&simulated), "");
    let (status, said) = approve(&simulated, &[&flags[..], &["--allow-unknown"]].concat());
    assert_eq!(status, Some(0), "{said}");
    assert_says(&said, &["warning: contoso has no control AdminMFAV3 now"]);
    assert!(written(&simulated).contains("AdminMFAV3"));
    let pattern = ["adminmfa*", "--reference=R-2", FAR, "--yes"];
    let (status, said) = approve(&simulated, &pattern);
    assert_eq!(status, Some(0), "{said}");
    assert_says(&said, &["AdminMFAV2 is risk_accepted on contoso: ends"]);

    // An exporter has saved nothing there.
    let state = tempfile::tempdir().unwrap();
    let state = format!("--state.dir={}", state.path().display());
    let flags = ["Unknowable", "--reference=R-3", FAR, "--yes", &state];
    let (status, said) = approve(&simulated, &flags);
    assert_eq!(status, Some(0), "{said}");
    assert_says(
        &said,
        &[
            "the controls of contoso are not known here, so it is not checked whether Unknowable is one",
            "it is not known what is declared on contoso, and which alerts this ends",
        ],
    );

    let flags = [
        "Unknowable",
        "--reference=R-4",
        FAR,
        "--yes",
        "--state.dir=nosuch",
    ];
    let (status, said) = approve(&simulated, &flags);
    assert_eq!(status, Some(1), "{said}");
    assert_says(&said, &["error: nosuch is no state directory"]);
    assert!(!written(&simulated).contains("R-4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_and_warnings_of_the_entry_name_the_option() {
    let simulated = simulated("", "risk_accepted: {require_separate_approver: true}\n").await;
    let flags = ["AdminMFAV2", "--reference=R-1", FAR, "--dry-run"];
    let late = [&flags[..], &["--approved-on=2099-04-01"]].concat();
    let (status, said) = approve(&simulated, &late);
    assert_eq!(status, Some(2), "{said}");
    assert_says(&said, &["error: --expires: before approved_on"]);
    assert!(!said.contains("decisions.yml"), "{said}");
    let (_, said) = approve(&simulated, &flags);
    assert_says(
        &said,
        &["warning: --approver: approves nothing without an approver"],
    );
    assert!(!said.contains("decisions.yml:1"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_one_reference_are_told_apart_or_refused_with_their_lines() {
    let entry = |by: &str| {
        format!(
            "- control: AdminMFAV2\n  tenants: [contoso]\n  reference: R-1\n  accepted_by: {by}\n  expires: 2099-01-31\n"
        )
    };
    let file = format!(
        "# Two persons.\n{}{}",
        entry("eve@contoso.example"),
        entry("alex@contoso.example")
    );
    let simulated = simulated(&file, "").await;
    let flags = ["AdminMFAV2", "--reference=R-1", FAR, "--yes"];
    let (status, said) = approve(&simulated, &flags);
    assert_eq!(status, Some(1), "{said}");
    assert_says(
        &said,
        &["the entry at line 2 is this decision but for `accepted_by`"],
    );
    assert_eq!(written(&simulated), file);
    let alex = [&flags[..], &["--accepted-by=alex@contoso.example"]].concat();
    let (status, said) = approve(&simulated, &alex);
    assert_eq!(status, Some(0), "{said}");
    let (start, end) = file.rsplit_once("2099-01-31").unwrap();
    let renewed = format!("{start}2099-03-31{end}");
    assert_eq!(written(&simulated), renewed);
    let (status, said) = approve(&simulated, &alex);
    assert_eq!((status, written(&simulated)), (Some(0), renewed), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_the_configuration_does_not_read_is_named_whatever_it_holds() {
    let decision = "{control: AdminMFAV2, tenants: contoso, reference: R-1, expires: 2099-01-31}";
    let simulated = simulated("", &format!("decisions: [{decision}]\n")).await;
    let other = simulated.folder().join("other.yml");
    let other = format!("--file={}", other.display());
    let flags = ["AdminMFAV2", "--reference=R-1", FAR, "--dry-run"];
    let (status, said) = approve(&simulated, &[&flags[..], &[other.as_str()]].concat());
    assert_eq!(status, Some(0), "{said}");
    let hint = "does not read this file; add `decision_files: [other.yml]`";
    assert_says(&said, &[hint]);
    // The same file under another name is read.
    let read = simulated.folder().join("secrets/../decisions.yml");
    let read = format!("--file={}", read.display());
    let (_, said) = approve(&simulated, &[&flags[..], &[read.as_str()]].concat());
    assert!(!said.contains("does not read"), "{said}");
    // A file that a pattern will find is read once it is there.
    let pattern = simulated.folder().join("board.d");
    fs::create_dir(&pattern).unwrap();
    let config = fs::read_to_string(simulated.config()).unwrap();
    let config = config.replace("[decisions.yml]", "[decisions.yml, 'board.d/*.yml']");
    fs::write(simulated.config(), config).unwrap();
    let new = format!("--file={}", pattern.join("new.yml").display());
    let (_, said) = approve(&simulated, &[&flags[..], &[new.as_str()]].concat());
    assert!(!said.contains("does not read"), "{said}");
    assert_says(&said, &["AdminMFAV2 is risk_accepted on contoso"]);
}

#[test]
fn a_file_that_two_patterns_name_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secure-score.yml");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "tenants.yml",
        "- {name: contoso, tenant_id: contoso.example, credential: {type: azure_cli}}\n",
    );
    write(
        "decisions.yml",
        "- {control: A, reference: R-1, expires: 2099-01-31}\n",
    );
    write(
        "secure-score.yml",
        "tenant_files: [tenants.yml, './t*.yml']\ndecision_files: ['d*.yml', ./decisions.yml]\n",
    );
    let loaded = load(&file, &Environment::default()).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(loaded.config.tenants.len(), 1);
    assert_eq!(loaded.config.decisions.iter().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_checked_is_written_with_the_reason() {
    let simulated = simulated("", "").await;
    let fault = json!({"api": "profiles", "what": {"status": 403}});
    simulated.inject(fault).await;
    let flags = ["AdminMFAV2", "--reference=R-1", FAR, "--yes"];
    let (status, said) = approve(&simulated, &flags);
    assert_eq!(status, Some(0), "{said}");
    let unknown = "the controls of contoso are not known here, so it is not checked whether AdminMFAV2 is one: permission: ";
    assert_says(&said, &[unknown, "403", "\nhint: "]);
}

/// The document that an exporter has at a path, or `null`.
async fn json_of(address: &str, path: &str) -> Value {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(format!("http://{address}{path}")).send().await;
    let text = answer.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_that_are_watched_without_an_entry_are_known_to_the_exporter_and_its_state() {
    let simulated = Simulated::start();
    let states = "[risk_accepted, third_party, alternate_mitigation, planned]";
    simulated.configure(&format!(
        "decision_files: [decisions.yml]\ndecisions: [{{control: '*', states: {states}, reference: ALL-1, expires: 2099-01-31}}]\n"
    ));
    let config = simulated.config();
    let text_of_config = fs::read_to_string(&config).unwrap();
    let watching = text_of_config.replace("interval: 5m", "interval: 5m, new_customers: watch");
    fs::write(&config, watching).unwrap();
    let state = format!("--state.dir={}", simulated.folder().join("state").display());
    let listen = "--web.listen-address=127.0.0.1:0";
    let exporter = Process::exporter(&[listen, "--config.file", &config, &state]);
    let address = exporter.word_after("address=");
    let configured = ["contoso", "fabrikam", "adatum", "litware", "northwind"];
    let is_customer = |it: &&Value| !configured.contains(&it["tenant"].as_str().unwrap());
    let customer = until("a customer with a covered state", &exporter, async || {
        let list = json_of(&address, "/api/v1/decisions").await;
        let covers = list["decisions"][0]["covers"].as_array()?;
        let found = covers.iter().find(is_customer)?["tenant"].as_str()?;
        Some(found.to_owned())
    })
    .await;

    let url = format!("--url=http://{address}/");
    let tenant = format!("--tenant={customer}");
    let asked = run(&["decisions", &url, &tenant, "--output=json"]);
    assert!(asked.status.success(), "{}", text(&asked.stderr));
    let asked: Value = serde_json::from_slice(&asked.stdout).unwrap();
    let covers = asked["decisions"][0]["covers"].as_array().unwrap();
    assert!(!covers.is_empty() && covers.iter().all(|it| it["tenant"] == customer));
    let table = text(&run(&["decisions", &url, &tenant]).stdout);
    assert_says(
        &table,
        &["ALL-1", &format!("{customer} "), "1 decision, 0 expired"],
    );

    let of_state = || {
        let arguments = [
            "decisions",
            "--config.file",
            &config,
            &state,
            &tenant,
            "--output=json",
        ];
        run(&arguments)
    };
    let saved = until("the saved state of the customer", &exporter, async || {
        let listed = of_state();
        listed.status.success().then_some(listed)
    })
    .await;
    let saved: Value = serde_json::from_slice(&saved.stdout).unwrap();
    assert_eq!(
        saved["decisions"][0]["covers"],
        asked["decisions"][0]["covers"]
    );
    let evidence = [
        "evidence",
        "--config.file",
        &config,
        &tenant,
        "--since=2020-01-01",
        "--format=json",
    ];
    let made = run(&[&evidence[..], &[state.as_str()]].concat());
    assert!(made.status.success(), "{}", text(&made.stderr));
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(made["data"]["tenant"], *customer);
    let other = format!("--state.dir={}", simulated.folder().display());
    let unlisted = run(&[&evidence[..], &[other.as_str()]].concat());
    assert_eq!(unlisted.status.code(), Some(1));
    assert_says(
        &text(&unlisted.stderr),
        &["name its --state.dir, or its --url"],
    );
    let all = run(&["decisions", "--config.file", &config, &state]);
    let said = text(&all.stderr);
    assert!(!said.contains("watches without an entry"), "{said}");

    let flags = ["approve", "--config.file", &config, &customer, "AdminMFAV2"];
    let details = ["--reference=R-1", FAR, "--dry-run"];
    let approved = run(&[&flags[..], &details, &[state.as_str()]].concat());
    assert!(approved.status.success(), "{}", text(&approved.stderr));
    let said = text(&approved.stdout) + &text(&approved.stderr);
    assert!(!said.contains("not known"), "{said}");
    let approved = run(&[&flags[..], &details].concat());
    assert!(approved.status.success(), "{}", text(&approved.stderr));
    assert_says(
        &text(&approved.stderr),
        &["has no entry in the configuration", "--state.dir"],
    );

    let unlisted = run(&["decisions", "--config.file", &config, &tenant]);
    assert_eq!(unlisted.status.code(), Some(1));
    assert_says(
        &text(&unlisted.stderr),
        &["name its --state.dir, or its --url"],
    );

    let unknown = run(&["decisions", &url, "--tenant=contos"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert_says(
        &text(&unknown.stderr),
        &["unknown tenant", "did you mean \"contoso\"?"],
    );
    let nothing = run(&["decisions", "--url=http://127.0.0.1:1"]);
    assert_eq!(nothing.status.code(), Some(1));
    assert_says(
        &text(&nothing.stderr),
        &["the exporter at http://127.0.0.1:1 cannot be reached"],
    );
    let password = run(&["decisions", "--url=http://a:hidden-word@127.0.0.1:1"]);
    assert_eq!(password.status.code(), Some(2));
    assert!(!text(&password.stderr).contains("hidden-word"));
}

#[test]
fn a_file_of_headers_is_refused_without_an_exporter() {
    let refused = run(&["decisions", "--state.dir=x", "--header-file=x"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = text(&refused.stderr);
    assert!(said.contains("cannot be used with"), "{said}");
}
