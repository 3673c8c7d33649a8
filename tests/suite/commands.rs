//! The program as a process.

use crate::process::Process;
use crate::simulated::{Simulated, run, text};
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

#[test]
fn check_succeeds_for_healthy_tenants() {
    let simulated = Simulated::start();
    let checked = run(&["check", "--config.file", &simulated.config()]);
    let output = text(&checked.stdout);
    assert!(
        checked.status.success(),
        "{output}{}",
        text(&checked.stderr)
    );
    for tenant in ["contoso", "fabrikam", "adatum", "litware", "northwind"] {
        for finding in [
            "token: carries SecurityEvents.Read.All",
            "catalogue: ",
            "score: ",
        ] {
            let line = format!("ok    {tenant}: {finding}");
            assert!(output.contains(&line), "{line} is missing in\n{output}");
        }
    }
    assert!(output.contains(", the sum of "), "{output}");
    let note =
        "info  adatum, contoso, fabrikam, litware, northwind: recommendations: not read, since";
    assert!(output.contains(note), "{output}");
    assert_eq!(output.matches("not read, since").count(), 1, "{output}");
    assert!(
        output.contains(" to check\n1 of 1 partner can be read\n5 of 5 tenants can be watched\n"),
        "{output}"
    );
}

/// Nothing tries again after the command, as the exporter does.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_says_when_to_run_it_again() {
    let simulated = Simulated::start();
    let throttle = json!({"throttle": {"retry_after": {"seconds": 90}}});
    let throttle = json!({"api": "profiles", "what": throttle, "tenant": "contoso"});
    simulated.inject(throttle).await;
    let config = simulated.config();
    for command in ["check", "collect"] {
        let arguments = [command, "--config.file", &config, "--tenant", "contoso"];
        let output = run(&arguments);
        let printed = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(!output.status.success(), "{printed}");
        let hint = "hint: run the command again in 1m 30s: Microsoft limits the requests\n";
        assert!(printed.contains(hint), "{command}: {printed}");
        assert!(!printed.contains("nothing to do"), "{command}: {printed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_reports_each_failure_with_a_fix_and_fails() {
    let simulated = Simulated::start();
    let failures = [
        (
            "contoso",
            json!({"api": "token", "what": {"aadsts": 7_000_222}}),
            "create a new one",
        ),
        (
            "fabrikam",
            json!({"api": "profiles", "what": "forbidden"}),
            "SecurityEvents.Read.All",
        ),
        (
            "adatum",
            json!({"api": "token", "what": {"aadsts": 700_016}}),
            "consent",
        ),
        // A number that no table has.
        (
            "northwind",
            json!({"api": "token", "what": {"aadsts": 1_234_567}}),
            "explains each number",
        ),
    ];
    for (tenant, fault, _) in &failures {
        let mut fault = fault.clone();
        fault["tenant"] = json!(tenant);
        simulated.inject(fault).await;
    }
    let checked = run(&["check", "--config.file", &simulated.config()]);
    let output = text(&checked.stdout);
    assert_eq!(checked.status.code(), Some(1), "{output}");
    for (tenant, _, fix) in &failures {
        let after = output.split_once(&format!("FAIL  {tenant}: "));
        let (_, rest) = after.unwrap_or_else(|| panic!("{tenant} does not fail:\n{output}"));
        let hint = rest.lines().nth(1).unwrap_or_default();
        assert!(
            hint.starts_with("      hint: ") && hint.contains(fix),
            "{tenant}: {hint}"
        );
    }
    assert!(output.contains("1 of 5 tenants can be watched"), "{output}");
    assert!(output.contains("AADSTS1234567"), "{output}");

    let one = run(&[
        "check",
        "--config.file",
        &simulated.config(),
        "--tenant",
        "litware",
    ]);
    assert!(one.status.success(), "{}", text(&one.stdout));
    let unknown = run(&[
        "check",
        "--config.file",
        &simulated.config(),
        "--tenant",
        "nowhere",
    ]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(
        text(&unknown.stderr).contains("nowhere"),
        "{}",
        text(&unknown.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_the_permission_is_a_warning_that_names_its_roles() {
    let simulated = Simulated::start();
    for (tenant, roles) in [("contoso", &[][..]), ("fabrikam", &["User.Read.All"])] {
        let fault = json!({"api": "token", "tenant": tenant, "what": {"roles": roles}});
        simulated.inject(fault).await;
    }
    let checked = run(&["check", "--config.file", &simulated.config()]);
    let output = text(&checked.stdout);
    for line in [
        "contoso: token: carries no roles, so not SecurityEvents.Read.All",
        "fabrikam: token: carries User.Read.All but not SecurityEvents.Read.All",
    ] {
        assert!(output.contains(line), "{output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_needless_permissions_is_a_warning_with_a_fix() {
    let simulated = Simulated::start();
    for (tenant, roles) in [
        (
            "contoso",
            ["SecurityEvents.Read.All", "Directory.ReadWrite.All"].as_slice(),
        ),
        ("fabrikam", &["SecurityEvents.ReadWrite.All"]),
    ] {
        let fault = json!({"api": "token", "tenant": tenant, "what": {"roles": roles}});
        simulated.inject(fault).await;
    }
    let checked = run(&["check", "--config.file", &simulated.config()]);
    let output = text(&checked.stdout);
    assert!(
        checked.status.success(),
        "a warning is no failure: {output}"
    );
    let fix = |tenant: &str, needless: &str| -> String {
        let line = format!("warn  {tenant}: token: carries more than it needs: {needless}\n");
        let (_, rest) = output
            .split_once(&line)
            .unwrap_or_else(|| panic!("{line} is missing in\n{output}"));
        rest.lines().next().unwrap_or_default().to_owned()
    };
    let contoso = fix("contoso", "Directory.ReadWrite.All");
    assert!(
        contoso.starts_with("      hint: remove the others under API permissions"),
        "{contoso}"
    );
    assert!(!contoso.contains("docs/"), "{contoso}");
    let fabrikam = fix("fabrikam", "SecurityEvents.ReadWrite.All");
    assert!(
        fabrikam.starts_with("      hint: grant SecurityEvents.Read.All first; then remove"),
        "without the order, the exporter would lose access: {fabrikam}"
    );
    assert!(!output.contains("warn  adatum: token"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_reads_the_lists_of_entra_where_the_permission_is_granted() {
    let simulated = Simulated::start();
    simulated.grant_recommendations("contoso").await;
    let checked = run(&["check", "--config.file", &simulated.config()]);
    let output = text(&checked.stdout);
    assert!(checked.status.success(), "{output}");
    let line = |start: &str| {
        let mut lines = output.lines().filter(|line| line.starts_with(start));
        let line = lines
            .next()
            .unwrap_or_else(|| panic!("no {start}\n{output}"));
        assert_eq!(lines.next(), None, "{output}");
        line.to_owned()
    };
    let recommendations = line("ok    contoso: recommendations: ");
    assert!(
        recommendations.ends_with(", 2 set aside"),
        "{recommendations}"
    );
    let score = line("ok    contoso: Identity Secure Score: ");
    assert!(score.contains(" points, of 20"), "{score}");
    assert!(!output.contains("contoso: token: carries more"), "{output}");
    let without = line("info  adatum, fabrikam, litware, northwind: recommendations: ");
    for part in [
        "does not grant DirectoryRecommendations.Read.All",
        "the Identity Secure Score",
    ] {
        assert!(without.contains(part), "{without}");
    }
    assert!(
        !output.contains("fabrikam: Identity Secure Score"),
        "{output}"
    );
    let asked = simulated.paths_asked().await;
    let of_entra = asked.iter().filter(|it| it.contains("/recommendations"));
    assert_eq!(of_entra.count(), 2, "nothing is requested without it");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_fails_where_the_configuration_demands_the_lists_of_entra() {
    let simulated = Simulated::start();
    simulated.configure("recommendations: {enabled: on}\n");
    simulated.grant_recommendations("contoso").await;
    let checked = run(&["check", "--config.file", &simulated.config()]);
    let output = text(&checked.stdout);
    assert_eq!(checked.status.code(), Some(1), "{output}");
    let failure = "FAIL  fabrikam: permission: the list of recommendations was not requested: \
                   the token lacks DirectoryRecommendations.Read.All\n      \
                   hint: grant the application permission DirectoryRecommendations.Read.All";
    assert!(output.contains(failure), "{output}");
    assert_eq!(output.matches("FAIL  fabrikam").count(), 1, "{output}");
    assert!(output.contains("1 of 5 tenants can be watched"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_without_the_lists_of_entra_is_no_failure_and_a_refusal_is_one() {
    let simulated = Simulated::start();
    for tenant in ["contoso", "fabrikam"] {
        simulated.grant_recommendations(tenant).await;
    }
    let fault =
        json!({"api": "recommendations", "tenant": "contoso", "what": {"not_available": 404}});
    simulated.inject(fault).await;
    let refused = json!({"api": "recommendations", "tenant": "fabrikam", "what": "forbidden"});
    simulated.inject(refused).await;
    let checked = run(&["check", "--config.file", &simulated.config()]);
    let output = text(&checked.stdout);
    assert_eq!(checked.status.code(), Some(1), "{output}");
    let absent = "info  contoso: Entra's lists: not available here: Graph refused the list of recommendations with status 404";
    assert!(output.contains(absent), "{output}");
    assert!(
        output.contains("ok    contoso: Identity Secure Score: "),
        "{output}"
    );
    let refused =
        "FAIL  fabrikam: permission: Graph refused the list of recommendations with status 403";
    assert!(output.contains(refused), "the token carries it: {output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_lists_the_permission_of_entra_is_needless() {
    let simulated = Simulated::start();
    simulated.configure("recommendations: {enabled: off}\n");
    simulated.grant_recommendations("contoso").await;
    let checked = run(&["check", "--config.file", &simulated.config()]);
    let output = text(&checked.stdout);
    assert!(checked.status.success(), "{output}");
    let needless = "warn  contoso: token: carries more than it needs: DirectoryRecommendations.Read.All\n      hint: remove the others";
    assert!(output.contains(needless), "{output}");
    assert!(!output.contains("recommendations: "), "{output}");
    let asked = simulated.paths_asked().await;
    assert!(!asked.iter().any(|it| it.contains("/recommendations")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_to_change_recommendations_is_replaced_in_order() {
    let simulated = Simulated::start();
    let roles = [
        "SecurityEvents.Read.All",
        "DirectoryRecommendations.ReadWrite.All",
    ];
    let fault = json!({"api": "token", "tenant": "contoso", "what": {"roles": roles}});
    simulated.inject(fault).await;
    let checked = run(&["check", "--config.file", &simulated.config()]);
    let output = text(&checked.stdout);
    let hint = "hint: grant DirectoryRecommendations.Read.All first; then remove the others";
    assert!(output.contains(hint), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watch_list_is_judged_over_controls_and_recommendations() {
    let simulated = Simulated::start();
    simulated.configure("risk_accepted: {watch: [turnOffPerUserMFA, staleAps]}\n");
    simulated.grant_recommendations("contoso").await;
    let checked = run(&["check", "--config.file", &simulated.config()]);
    let output = text(&checked.stdout);
    assert!(!output.contains("contoso: watch list: turnOff"), "{output}");
    let misspelt = "contoso: watch list: staleAps matches no control of the catalogue and no recommendation\n      hint: did you mean staleApps?";
    assert!(output.contains(misspelt), "{output}");
    let unread = output.split_once(
        "fabrikam: watch list: turnOffPerUserMFA matches no control of the catalogue\n",
    );
    let (_, hint) = unread.unwrap_or_else(|| panic!("{output}"));
    let hint = hint.lines().next().unwrap_or_default();
    let reason = "it may name a recommendation of Entra, which are not read here";
    assert!(hint.ends_with(reason), "{hint}");
}

#[test]
fn check_finds_one_entra_tenant_under_two_aliases() {
    let simulated = Simulated::start();
    simulated.name_contoso_twice();
    let checked = run(&["check", "--config.file", &simulated.config()]);
    let output = text(&checked.stdout);
    assert_eq!(checked.status.code(), Some(1), "{output}");
    assert!(
        output.contains("FAIL  again: ") && output.contains("contoso is the same Entra tenant"),
        "{output}{}",
        text(&checked.stderr)
    );
    assert!(
        output.contains("hint: keep one of the two entries"),
        "{output}"
    );
    assert!(!output.contains("FAIL  contoso"), "{output}");
}

#[test]
fn check_compares_the_maximum_with_the_controls_too() {
    let answers = "tests/scenarios/not-scored/graph";
    let simulated = Simulated::replay(answers);
    let checked = run(&["check", "--config.file", &simulated.config()]);
    let output = text(&checked.stdout);
    assert!(
        output.contains("and the sum of the controls' maxima differs by 8"),
        "{output}{}",
        text(&checked.stderr)
    );
}

#[test]
fn a_watched_control_without_a_match_is_a_warning() {
    let simulated = Simulated::start();
    simulated.configure("risk_accepted: {watch: [UserRiskPolicy, AdminMFAV3]}\n");
    let checked = run(&[
        "check",
        "--config.file",
        &simulated.config(),
        "--tenant",
        "contoso",
    ]);
    let output = text(&checked.stdout);
    assert!(
        checked.status.success(),
        "a warning is no failure: {output}"
    );
    assert!(
        output.contains("watch list: AdminMFAV3 matches no control"),
        "{output}"
    );
    assert!(output.contains("did you mean AdminMFAV2?"), "{output}");
    assert!(!output.contains("watch list: UserRiskPolicy"), "{output}");
}

#[test]
fn a_bad_configuration_is_reported_with_its_place_and_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.yml");
    fs::write(
        &file,
        "tenants:\n  - {name: a, tenant_id: nonsense}\nrefesh: {}\n",
    )
    .unwrap();
    for arguments in [&["--config.check"][..], &[], &["check"]] {
        let mut all = arguments.to_vec();
        let path = file.display().to_string();
        all.extend(["--config.file", &path]);
        let result = run(&all);
        let output = text(&result.stderr);
        assert_eq!(result.status.code(), Some(1), "{output}");
        assert!(
            output.contains("bad.yml:3:1") && output.contains("refresh"),
            "{output}"
        );
        assert!(output.contains("nothing was started"), "{output}");
    }
}

#[test]
fn config_check_succeeds_for_a_good_configuration() {
    let simulated = Simulated::start();
    let checked = run(&["--config.check", "--config.file", &simulated.config()]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    let good = "configuration is good: 5 tenants and 1 partner\n";
    assert_eq!(text(&checked.stdout), good);
}

#[test]
fn simulate_does_not_overwrite_a_users_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secure-score.yml");
    fs::write(&file, "tenants: []\n").unwrap();
    let directory = folder.path().display().to_string();
    let result = run(&[
        "simulate",
        "--listen-address=127.0.0.1:0",
        "--control.listen-address=127.0.0.1:0",
        "--config-dir",
        &directory,
    ]);
    let output = text(&result.stderr);
    assert_eq!(result.status.code(), Some(1), "{output}");
    assert!(
        output.contains("was not written by this command") && output.contains("--config-dir"),
        "{output}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "tenants: []\n");
    assert!(!folder.path().join("secrets").exists());
}

#[test]
fn a_full_standard_output_is_an_error_and_not_a_panic() {
    let simulated = Simulated::start();
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let result = Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"))
        .args(["--config.check", "--config.file", &simulated.config()])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(result.status.code(), Some(1), "{}", text(&result.stderr));
    assert!(text(&result.stderr).contains("standard output cannot be written"));
}

#[test]
fn a_port_in_use_is_reported_before_graph_is_queried() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let result = run(&["demo", &format!("--web.listen-address={address}")]);
    let output = text(&result.stderr);
    assert_eq!(result.status.code(), Some(1), "{output}");
    assert!(
        output.contains(&format!(
            "error: cannot listen on --web.listen-address={address}"
        )),
        "{output}"
    );
    assert!(
        output.contains("hint: ") && output.contains("--web.listen-address"),
        "{output}"
    );
}

#[test]
fn the_demo_prints_its_addresses_and_coming_events() {
    let demo = Process::exporter(&["demo", "--web.listen-address=127.0.0.1:0"]);
    let metrics = demo.word_after("metrics ");
    assert!(
        metrics.starts_with("http://127.0.0.1:") && metrics.ends_with("/metrics"),
        "{metrics}"
    );
    demo.word_after("Stop it with");
    let output = demo.output();
    for part in [
        "status page",
        "scrape_configs:",
        "Scheduled events:",
        "UserRiskPolicy",
        "a partner with 12 customers",
        "Margie's Travel (margies-travel) becomes a customer of partner",
        "northwind is no longer a customer of partner",
    ] {
        assert!(output.contains(part), "{part} is missing in\n{output}");
    }
}

/// Writes an `az` that returns a token which Graph rejects.
fn write_az(folder: &Path) {
    let az = folder.join("az");
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> '{}'\n\
         echo '{{\"accessToken\": \"opaque\", \"tokenType\": \"Bearer\", \"expires_on\": 4102444800}}'\n",
        folder.join("calls").display()
    );
    fs::write(&az, script).unwrap();
    fs::set_permissions(&az, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn azure_cli_requests_a_token_for_the_tenant() {
    let simulated = Simulated::start();
    let written = fs::read_to_string(simulated.config()).unwrap();
    let start = written.find("    credential: ").unwrap();
    let end = start + written[start..].find('\n').unwrap();
    let line = &written[start..end];
    let by_cli = written.replacen(line, "    credential: {type: azure_cli}", 1);
    fs::write(simulated.config(), by_cli).unwrap();
    write_az(simulated.folder());
    let path = std::env::var("PATH").unwrap();

    let checked = Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"))
        .args([
            "check",
            "--tenant",
            "contoso",
            "--config.file",
            &simulated.config(),
        ])
        .env("PATH", format!("{}:{path}", simulated.folder().display()))
        .output()
        .unwrap();
    let output = text(&checked.stdout);
    assert!(
        output.contains("token: obtained; its permissions cannot be read"),
        "{output}"
    );
    assert!(
        output.contains("status 401"),
        "Graph rejects this token: {output}"
    );
    assert!(!output.contains("opaque"), "{output}");
    let calls = fs::read_to_string(simulated.folder().join("calls")).unwrap();
    assert!(
        calls.contains("account get-access-token") && calls.contains("--tenant"),
        "{calls}"
    );
}

#[test]
fn check_reports_the_expiry_of_a_credential() {
    let simulated = Simulated::start();
    let written = fs::read_to_string(simulated.config()).unwrap();
    for (day, expected) in [
        ("2099-12-31", "ok    contoso: credential: "),
        ("2020-01-01", "warn  contoso: credential: expired"),
    ] {
        let dated = written.replace(
            "type: client_secret",
            &format!("type: client_secret, expires: {day}"),
        );
        assert_ne!(dated, written);
        fs::write(simulated.config(), dated).unwrap();
        let checked = run(&[
            "check",
            "--tenant=contoso",
            "--config.file",
            &simulated.config(),
        ]);
        let output = text(&checked.stdout);
        assert!(
            output.contains(expected),
            "{output}{}",
            text(&checked.stderr)
        );
    }
}
