//! The program as a person or a script runs it.

use crate::process::Process;
use crate::simulated::{Simulated, run, text};
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

#[test]
fn check_finds_nothing_wrong_with_healthy_tenants() {
    let simulated = Simulated::start();
    let checked = run(&["check", "--config.file", &simulated.config()]);
    let said = text(&checked.stdout);
    assert!(checked.status.success(), "{said}{}", text(&checked.stderr));
    for tenant in ["contoso", "fabrikam", "adatum", "litware", "northwind"] {
        for finding in [
            "token: carries SecurityEvents.Read.All",
            "catalogue: ",
            "score: ",
        ] {
            let line = format!("ok    {tenant}: {finding}");
            assert!(said.contains(&line), "{line} is missing in\n{said}");
        }
    }
    assert!(said.contains("which add up to it"), "{said}");
    assert!(said.ends_with("5 of 5 tenants can be watched\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tells_each_trouble_with_its_remedy_and_fails() {
    let simulated = Simulated::start();
    let troubles = [
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
    ];
    for (tenant, fault, _) in &troubles {
        let mut fault = fault.clone();
        fault["tenant"] = json!(tenant);
        simulated.inject(fault).await;
    }
    let checked = run(&["check", "--config.file", &simulated.config()]);
    let said = text(&checked.stdout);
    assert_eq!(checked.status.code(), Some(1), "{said}");
    for (tenant, _, remedy) in &troubles {
        let after = said.split_once(&format!("FAIL  {tenant}: "));
        let (_, rest) = after.unwrap_or_else(|| panic!("{tenant} does not fail:\n{said}"));
        let hint = rest.lines().nth(1).unwrap_or_default();
        assert!(
            hint.starts_with("      hint: ") && hint.contains(remedy),
            "{tenant}: {hint}"
        );
    }
    assert!(said.contains("2 of 5 tenants can be watched"), "{said}");

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
        "nobody",
    ]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(
        text(&unknown.stderr).contains("nobody"),
        "{}",
        text(&unknown.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_permits_too_much_is_told_with_the_way_to_less() {
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
    let said = text(&checked.stdout);
    assert!(checked.status.success(), "a warning is no failure: {said}");
    let remedy = |tenant: &str, needless: &str| -> String {
        let line = format!("warn  {tenant}: token: carries more than it needs: {needless}\n");
        let (_, rest) = said
            .split_once(&line)
            .unwrap_or_else(|| panic!("{line} is missing in\n{said}"));
        rest.lines().next().unwrap_or_default().to_owned()
    };
    let contoso = remedy("contoso", "Directory.ReadWrite.All");
    assert!(
        contoso.starts_with("      hint: remove the others under API permissions"),
        "{contoso}"
    );
    assert!(contoso.contains("docs/permissions.md"), "{contoso}");
    let fabrikam = remedy("fabrikam", "SecurityEvents.ReadWrite.All");
    assert!(
        fabrikam.starts_with("      hint: grant SecurityEvents.Read.All first; then remove"),
        "who can only write would lose all: {fabrikam}"
    );
    assert!(!said.contains("warn  adatum: token"), "{said}");
}

#[test]
fn a_watched_control_that_no_catalogue_has_is_told() {
    let simulated = Simulated::start();
    simulated.configure("risk_accepted: {watch: [UserRiskPolicy, AdminMFAV3]}\n");
    let checked = run(&[
        "check",
        "--config.file",
        &simulated.config(),
        "--tenant",
        "contoso",
    ]);
    let said = text(&checked.stdout);
    assert!(checked.status.success(), "a warning is no failure: {said}");
    assert!(
        said.contains("watch list: AdminMFAV3 fits no control"),
        "{said}"
    );
    assert!(said.contains("did you mean AdminMFAV2?"), "{said}");
    assert!(!said.contains("watch list: UserRiskPolicy"), "{said}");
}

#[test]
fn a_bad_configuration_starts_nothing_and_says_where_it_is_bad() {
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
        let ended = run(&all);
        let said = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(
            said.contains("bad.yml:3:1") && said.contains("refresh"),
            "{said}"
        );
        assert!(said.contains("nothing was started"), "{said}");
    }
}

#[test]
fn a_good_configuration_is_called_good() {
    let simulated = Simulated::start();
    let checked = run(&["--config.check", "--config.file", &simulated.config()]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    assert_eq!(text(&checked.stdout), "configuration is good: 5 tenants\n");
}

#[test]
fn the_simulator_does_not_write_over_a_configuration_of_somebodys() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secure-score.yml");
    fs::write(&file, "tenants: []\n").unwrap();
    let directory = folder.path().display().to_string();
    let ended = run(&[
        "simulate",
        "--listen-address=127.0.0.1:0",
        "--control.listen-address=127.0.0.1:0",
        "--config-dir",
        &directory,
    ]);
    let said = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(
        said.contains("is a configuration of somebody's") && said.contains("--config-dir"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "tenants: []\n");
    assert!(!folder.path().join("secrets").exists());
}

#[test]
fn a_full_output_is_an_error_and_no_panic() {
    let simulated = Simulated::start();
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let ended = Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"))
        .args(["--config.check", "--config.file", &simulated.config()])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1), "{}", text(&ended.stderr));
    assert!(text(&ended.stderr).contains("standard output cannot be written"));
}

#[test]
fn a_taken_port_is_named_before_graph_is_asked() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = run(&["demo", &format!("--web.listen-address={address}")]);
    let said = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&format!("error: cannot listen on {address}")),
        "{said}"
    );
    assert!(
        said.contains("hint: ") && said.contains("--web.listen-address"),
        "{said}"
    );
}

#[test]
fn the_demo_tells_where_to_look_and_what_will_happen() {
    let demo = Process::exporter(&["demo", "--web.listen-address=127.0.0.1:0"]);
    let metrics = demo.word_after("metrics ");
    assert!(
        metrics.starts_with("http://127.0.0.1:") && metrics.ends_with("/metrics"),
        "{metrics}"
    );
    demo.word_after("Stop it with");
    let said = demo.output();
    for part in [
        "status page",
        "scrape_configs:",
        "Scheduled events:",
        "UserRiskPolicy",
    ] {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
}

/// A stand-in for the Azure CLI that hands out a token Graph does not know.
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
fn the_azure_cli_is_asked_for_a_token_of_the_tenant() {
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
    let said = text(&checked.stdout);
    assert!(
        said.contains("token: obtained; what it permits cannot be read"),
        "{said}"
    );
    assert!(
        said.contains("status 401"),
        "Graph does not know this token: {said}"
    );
    assert!(!said.contains("opaque"), "{said}");
    let calls = fs::read_to_string(simulated.folder().join("calls")).unwrap();
    assert!(
        calls.contains("account get-access-token") && calls.contains("--tenant"),
        "{calls}"
    );
}

#[test]
fn check_counts_the_days_of_a_credential() {
    let simulated = Simulated::start();
    let written = fs::read_to_string(simulated.config()).unwrap();
    for (day, said) in [
        ("2099-12-31", "ok    contoso: credential: "),
        (
            "2020-01-01",
            "warn  contoso: credential: its day of expiry is past",
        ),
    ] {
        let dated = written.replacen(
            "type: client_secret",
            &format!("type: client_secret, expires: {day}"),
            1,
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
        assert!(output.contains(said), "{output}{}", text(&checked.stderr));
    }
}
