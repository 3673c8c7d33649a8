//! `init`: what it writes is accepted by the exporter, by promtool and by
//! amtool, and nothing is overwritten.

use crate::process::program;
use crate::simulated::{Simulated, run, text};
use graph_simulator::{Api, Consent, Fault, FaultKind, Options, PartnerOptions, Simulator};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const CLIENT: &str = "0a1b2c3d-1111-2222-3333-444444444444";
const PARTNER_CLIENT: &str = "0a1b2c3d-1111-2222-3333-555555555555";

/// What a run printed on standard output.
fn init(directory: &Path, flags: &[&str]) -> String {
    let directory = directory.display().to_string();
    let arguments: Vec<&str> = ["init", &directory].iter().chain(flags).copied().collect();
    let output = run(&arguments);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    assert_eq!(err, "", "a success prints no warning");
    out.to_owned()
}

fn one_tenant(directory: &Path) -> String {
    let client = format!("--client-id={CLIENT}");
    init(directory, &["--tenant=contoso.onmicrosoft.com", &client])
}

fn partner(directory: &Path) -> String {
    let client = format!("--client-id={CLIENT}");
    let own = format!("--partner-client-id={PARTNER_CLIENT}");
    init(
        directory,
        &["--partner=MSP.example", &client, &own, "--cloud=gcc-high"],
    )
}

/// The content and the mode of each file.
fn files(directory: &Path) -> BTreeMap<String, (String, u32)> {
    [directory.to_owned(), directory.join("templates")]
        .iter()
        .flat_map(|it| fs::read_dir(it).unwrap().map(Result::unwrap))
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| {
            let path = entry.path();
            let name = path.strip_prefix(directory).unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            let content = fs::read_to_string(&path).unwrap();
            (name.display().to_string(), (content, mode))
        })
        .collect()
}

fn accepted(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{out}{err}");
    for complaint in ["warning", "WARNING", "FAILED"] {
        assert!(!format!("{out}{err}").contains(complaint), "{out}{err}");
    }
    out.to_owned()
}

fn promtool_and_amtool_accept(directory: &Path) {
    let promtool = program("promtool", "prometheus");
    let at = |name: &str| directory.join(name);
    let lint = ["--lint=all", "--lint-fatal"];
    accepted(
        Command::new(&promtool)
            .args(["check", "config"])
            .args(lint)
            .arg(at("prometheus.yml")),
    );
    let rules = at("secure-score.rules.yml");
    accepted(
        Command::new(&promtool)
            .args(["check", "rules"])
            .args(lint)
            .arg(rules),
    );
    let amtool = program("amtool", "prometheus-alertmanager");
    let found = accepted(
        Command::new(amtool)
            .arg("check-config")
            .arg(at("alertmanager.yml")),
    );
    assert!(found.contains(" - 1 templates\n"), "{found}");
}

/// Whether `--config.check` succeeds, and what it prints.
fn config_check(directory: &Path) -> (bool, String) {
    let config = directory.join("secure-score.yml").display().to_string();
    let output = run(&["--config.check", "--config.file", &config]);
    let all = format!("{}{}", text(&output.stdout), text(&output.stderr));
    (output.status.success(), all)
}

fn fill(secret: PathBuf) {
    assert_eq!(fs::read_to_string(&secret).unwrap(), "");
    fs::write(secret, "a-secret\n").unwrap();
}

#[test]
fn the_files_of_one_tenant_are_accepted_once_the_secret_is_filled_in() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("new/folder");
    let printed = one_tenant(&directory);
    let url = format!(
        "https://login.microsoftonline.com/contoso.onmicrosoft.com/adminconsent?client_id={CLIENT}\n"
    );
    assert!(printed.contains(&url), "{printed}");
    let config = directory.join("secure-score.yml");
    let next = format!(
        "secure-score-exporter check --config.file={}\n",
        config.display()
    );
    assert!(printed.contains(&next), "{printed}");
    let written = fs::read_to_string(&config).unwrap();
    let packaging = include_str!("../../packaging/deb");
    for reference in [
        "http://127.0.0.1:10365/runbooks/configuration,",
        "/usr/share/doc/secure-score-exporter/configuration.md.",
    ] {
        assert!(written.contains(reference), "{written}");
    }
    assert!(packaging.contains("usr/share/doc/$NAME/configuration.md"));
    let modes: Vec<_> = files(&directory)
        .into_iter()
        .map(|(name, (_, mode))| (name, mode))
        .collect();
    let expected = [
        ("alertmanager.yml", 0o644),
        ("decisions.yml", 0o644),
        ("prometheus.yml", 0o644),
        ("secure-score.rules.yml", 0o644),
        ("secure-score.yml", 0o644),
        ("templates/secure-score.tmpl", 0o644),
        ("watcher.secret", 0o600),
    ];
    assert_eq!(modes, expected.map(|(name, mode)| (name.to_owned(), mode)));
    promtool_and_amtool_accept(&directory);

    let (is_good, complaint) = config_check(&directory);
    assert!(!is_good);
    let secret = directory.join("watcher.secret");
    let named = format!("the file {} is empty", secret.display());
    assert_eq!(complaint.matches("error: ").count(), 1, "{complaint}");
    assert!(complaint.contains(&named), "{complaint}");
    fill(secret);
    assert_eq!(
        config_check(&directory),
        (true, "configuration is good: 1 tenant\n".to_owned())
    );
    assert!(printed.contains("SecurityEvents.Read.All"), "{printed}");
    assert!(printed.contains("/runbooks/permissions"), "{printed}");
}

#[test]
fn approve_writes_into_the_file_of_decisions_that_init_makes() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path();
    one_tenant(directory);
    fill(directory.join("watcher.secret"));
    let state = directory.join("state");
    fs::create_dir(&state).unwrap();
    let config = directory.join("secure-score.yml").display().to_string();
    let output = run(&[
        "approve",
        "contoso",
        "UserRiskPolicy",
        "--reference=SEC-1",
        "--expires=2099-03-31",
        "--state.dir",
        &state.display().to_string(),
        "--config.file",
        &config,
        "--yes",
    ]);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("written; a running exporter uses it within seconds\n"),
        "{said}"
    );
    let decisions = fs::read_to_string(directory.join("decisions.yml")).unwrap();
    assert!(
        decisions.contains("\n- control: UserRiskPolicy\n"),
        "{decisions}"
    );
    assert!(config_check(directory).0);
}

#[test]
fn the_files_of_a_partner_are_accepted_once_the_secrets_are_filled_in() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path();
    let printed = partner(directory);
    let host = "https://login.microsoftonline.us";
    for url in [
        format!("{host}/msp.example/adminconsent?client_id={PARTNER_CLIENT}\n"),
        format!("{host}/CUSTOMER/adminconsent?client_id={CLIENT}\n"),
    ] {
        assert!(printed.contains(&url), "{printed}");
    }
    assert!(printed.contains("discover"), "{printed}");
    promtool_and_amtool_accept(directory);
    let (_, complaint) = config_check(directory);
    assert_eq!(complaint.matches("error: ").count(), 2, "{complaint}");
    for name in ["customers.secret", "partner.secret"] {
        let secret = directory.join(name);
        let named = format!("the file {} is empty", secret.display());
        assert!(complaint.contains(&named), "{complaint}");
        fill(secret);
    }
    let good = "configuration is good: 0 tenants and 1 partner\n".to_owned();
    assert_eq!(config_check(directory), (true, good));
}

#[test]
fn the_printed_commands_fit_any_directory() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("i 2");
    let printed = partner(&directory);
    let at = |name: &str| directory.join(name).display().to_string();
    for command in [
        format!("check --config.file='{}'\n", at("secure-score.yml")),
        format!("--write '{}'\n", at("customers.yml")),
    ] {
        assert!(printed.contains(&command), "{command}\n{printed}");
    }
}

#[test]
fn the_receiver_and_the_exporter_are_those_of_the_flags() {
    let folder = tempfile::tempdir().unwrap();
    let flags = [
        "--tenant=22222222-2222-2222-2222-222222222222",
        "--name=null",
        &format!("--client-id={CLIENT}"),
        "--exporter-address=[2001:db8::1]:9999",
        "--receiver=007",
        "--alert-email=soc@example.org",
        "--smarthost=smtp.example.org:587",
    ];
    init(folder.path(), &flags);
    promtool_and_amtool_accept(folder.path());
    let written = files(folder.path());
    let alertmanager = &written["alertmanager.yml"].0;
    for part in [
        "receiver: \"007\"\n",
        "- name: \"007\"\n",
        "to: \"soc@example.org\"",
        "smtp_smarthost: \"smtp.example.org:587\"\n",
        "equal: [cluster, tenant, control]\n",
    ] {
        assert!(alertmanager.contains(part), "{alertmanager}");
    }
    let prometheus = &written["prometheus.yml"].0;
    assert!(
        prometheus.contains("targets: [\"[2001:db8::1]:9999\"]"),
        "{prometheus}"
    );
    fill(folder.path().join("watcher.secret"));
    assert!(config_check(folder.path()).0);
}

/// The mail has the texts of the shipped configuration, and an acceptance that
/// pages has a message of its own.
#[test]
fn the_messages_are_those_of_the_shipped_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let mail = ["--alert-email=soc@example.org", "--smarthost=localhost:25"];
    let client = format!("--client-id={CLIENT}");
    let flags = [["--tenant=contoso.com", client.as_str()], mail].concat();
    init(folder.path(), &flags);
    let alerts = Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts");
    let shipped = |name: &str| fs::read_to_string(alerts.join(name)).unwrap();
    let written = files(folder.path());
    let template = "templates/secure-score.tmpl";
    assert_eq!(written[template].0, shipped(template));
    let parsed = |text: &str| serde_saphyr::from_str::<serde_json::Value>(text).unwrap();
    let shipped = parsed(&shipped("alertmanager.yml"));
    let text = &written["alertmanager.yml"].0;
    assert!(text.contains("`smtp_require_tls: false`"), "{text}");
    let own = parsed(text);
    let of_mail = |config: &serde_json::Value, receiver: usize, key: &str| {
        config["receivers"][receiver]["email_configs"][0][key].clone()
    };
    for key in ["headers", "html", "text", "send_resolved"] {
        assert_eq!(of_mail(&own, 0, key), of_mail(&shipped, 1, key), "{text}");
        assert_ne!(of_mail(&own, 0, key), serde_json::Value::Null);
    }
    let groups = |routes: &serde_json::Value, name: &str| {
        let routes = routes.as_array().unwrap();
        let is_of_name = |route: &&serde_json::Value| {
            let matchers = route["matchers"].as_array().unwrap();
            let wanted = format!("alertname = \"{name}\"");
            matchers.iter().any(|it| it.as_str() == Some(&wanted))
        };
        routes.iter().find(is_of_name).unwrap()["group_by"].clone()
    };
    for name in [
        "SecureScoreRiskAccepted",
        "SecureScoreRecommendationSetAside",
    ] {
        let pages = &shipped["route"]["routes"][0]["routes"];
        let own = groups(&own["route"]["routes"], name);
        assert_eq!(own, groups(pages, name), "{text}");
    }
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    partner(folder.path());
    fill(folder.path().join("partner.secret"));
    let before = files(folder.path());
    let directory = folder.path().display().to_string();
    let client = format!("--client-id={CLIENT}");
    let again = run(&["init", &directory, "--tenant=contoso.com", &client]);
    assert_eq!(again.status.code(), Some(1));
    let complaint = text(&again.stderr);
    assert!(
        complaint.contains("secure-score.yml, customers.secret, partner.secret"),
        "{complaint}"
    );
    assert!(
        complaint.contains("hint: init overwrites no file"),
        "{complaint}"
    );
    assert_eq!(files(folder.path()), before);
}

#[test]
fn a_directory_that_cannot_be_written_is_an_error() {
    let output = run(&[
        "init",
        "/proc/nowhere",
        "--tenant=contoso.com",
        &format!("--client-id={CLIENT}"),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = text(&output.stderr);
    assert!(
        complaint.contains("/proc/nowhere cannot be created"),
        "{complaint}"
    );
}

#[test]
fn without_a_terminal_every_missing_flag_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("new").display().to_string();
    for (flags, missing) in [
        (&[][..], "--tenant or --partner, --name, --client-id\n"),
        (&["--tenant=contoso.com"], "--client-id\n"),
        (
            &["--partner=11111111-1111-1111-1111-111111111111"],
            "--name, --client-id, --partner-client-id\n",
        ),
        (
            &["--tenant=contoso.com", "--alert-email=a@example.org"],
            "--client-id, --smarthost\n",
        ),
    ] {
        let arguments: Vec<&str> = ["init", &directory].iter().chain(flags).copied().collect();
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2));
        let complaint = text(&output.stderr);
        assert!(
            complaint.contains(&format!("error: missing: {missing}")),
            "{complaint}"
        );
        assert!(complaint.contains("on a terminal"), "{complaint}");
        assert!(!Path::new(&directory).exists());
    }
}

#[test]
fn one_application_for_the_list_and_the_customers_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("new").display().to_string();
    let output = run(&[
        "init",
        &directory,
        "--partner=msp.com",
        &format!("--client-id={CLIENT}"),
        &format!("--partner-client-id={}", CLIENT.to_uppercase()),
    ]);
    assert_eq!(output.status.code(), Some(2));
    let complaint = text(&output.stderr);
    for part in [
        "--client-id and --partner-client-id are the same application",
        "hint: register two: each customer",
    ] {
        assert!(complaint.contains(part), "{complaint}");
    }
    assert!(!Path::new(&directory).exists());
}

/// `script` runs the program on a terminal of its own.
#[test]
fn on_a_terminal_the_program_asks() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = env!("CARGO_BIN_EXE_secure-score-exporter");
    let mut terminal = Command::new(program("script", "bsdutils"))
        .args([
            "--quiet",
            "--return",
            "--command",
            &format!("{exporter} init"),
        ])
        .arg("/dev/null")
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let typed =
        format!("tenant\ncontoso.com\n\n{CLIENT}\n\nsoc@example.org\nsmtp.example.org:25\n");
    std::io::Write::write_all(&mut terminal.stdin.take().unwrap(), typed.as_bytes()).unwrap();
    let output = terminal.wait_with_output().unwrap();
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("Its name in labels [contoso]: "), "{shown}");
    assert!(
        shown.contains("  secure-score-exporter check\r\n"),
        "{shown}"
    );
    let config = &files(folder.path())["secure-score.yml"].0;
    assert!(
        config.contains("- name: \"contoso\"\n    tenant_id: contoso.com\n"),
        "{config}"
    );
    promtool_and_amtool_accept(folder.path());
}

/// The written configuration, with the simulator in place of Microsoft.
#[test]
fn check_accepts_the_configuration_with_the_right_secret() {
    let simulated = Simulated::start();
    let given = fs::read_to_string(simulated.config()).unwrap();
    let (top, contoso) = given.split_once("- name: contoso\n").unwrap();
    let after = |part: &str, marker: &str| {
        let rest = part.split_once(marker).unwrap().1;
        rest.split([',', '\n']).next().unwrap().to_owned()
    };
    let folder = tempfile::tempdir().unwrap();
    let tenant = format!("--tenant={}", after(contoso, "tenant_id: "));
    let client = format!("--client-id={}", after(contoso, "client_id: "));
    init(folder.path(), &[&tenant, "--name=contoso", &client]);
    let config = folder.path().join("secure-score.yml");
    let written = fs::read_to_string(&config).unwrap();
    let ca = simulated.folder().join("simulator-ca.pem");
    let written = written.replace("defaults:\n", "defaults:\n  cloud: simulator\n");
    let simulator = format!(
        "simulator: {{url: {}, ca_file: {}}}\n",
        after(top, "url: "),
        ca.display()
    );
    fs::write(&config, written + &simulator).unwrap();
    let config = config.display().to_string();
    let empty = run(&["check", "--config.file", &config]);
    assert_eq!(empty.status.code(), Some(1));
    assert_eq!(text(&empty.stderr).matches("error: ").count(), 1);
    fs::copy(
        simulated.folder().join("secrets/contoso"),
        folder.path().join("watcher.secret"),
    )
    .unwrap();
    let checked = run(&["check", "--config.file", &config]);
    let printed = text(&checked.stdout);
    assert!(
        checked.status.success(),
        "{printed}{}",
        text(&checked.stderr)
    );
    assert!(
        printed.contains("\n1 of 1 tenant can be watched\n"),
        "{printed}"
    );
}

/// Runs the command that a line of the printed text consists of.
fn run_printed(printed: &str, command: &str) -> Output {
    let start = format!("secure-score-exporter {command} ");
    let mut lines = printed.lines().map(str::trim);
    let line = lines.find(|line| line.starts_with(&start));
    let line = line.unwrap_or_else(|| panic!("{start} is not in\n{printed}"));
    let words: Vec<&str> = line.split(' ').skip(1).collect();
    run(&words)
}

/// Every command in the words of the one before, with the simulator in place of
/// Microsoft.
#[tokio::test(flavor = "multi_thread")]
async fn the_printed_commands_write_the_customers_of_a_partner() {
    let options = Options {
        partners: vec![PartnerOptions::default()],
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let handle = simulator.handle();
    let partner = handle.partner("partner").unwrap();
    let access = partner.access();
    // The application in the partner's own tenant has no other permission.
    let roles = FaultKind::Roles(vec!["DelegatedAdminRelationship.Read.All".to_owned()]);
    handle
        .inject(Some("partner"), Fault::new(Api::Token, roles))
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path();
    let flags = [
        format!("--partner={}", access.entra_id),
        "--name=msp".to_owned(),
        format!("--client-id={}", partner.customers_application()),
        format!("--partner-client-id={}", access.client_id),
    ];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let printed = init(directory, &flags);
    for name in ["customers.secret", "partner.secret"] {
        fs::write(directory.join(name), &access.client_secret).unwrap();
    }
    fs::write(directory.join("ca.pem"), simulator.ca_pem()).unwrap();
    let config = directory.join("secure-score.yml");
    let written = fs::read_to_string(&config).unwrap();
    let written = written.replace("defaults:\n", "defaults:\n  cloud: simulator\n");
    let endpoint = format!("simulator: {{url: {}, ca_file: ca.pem}}\n", simulator.url());
    fs::write(&config, written + &endpoint).unwrap();

    let check = run_printed(&printed, "check");
    let (out, err) = (text(&check.stdout), text(&check.stderr));
    assert!(check.status.success(), "{out}{err}");
    assert!(out.contains("1 of 1 partner can be read"), "{out}");

    let customers = directory.join("customers.yml");
    let comment = fs::read_to_string(&customers).unwrap();
    assert!(comment.starts_with("# ") && comment.lines().count() == 1);
    // The first of the two commands only shows what the second writes.
    let (_, then) = printed.split_once(" --check\n").unwrap();
    let discover = run_printed(then, "discover");
    let (out, err) = (text(&discover.stdout), text(&discover.stderr));
    assert!(discover.status.success(), "{out}{err}");
    assert!(out.contains("12 tenants added"), "{out}");
    assert_eq!(err, "", "no warning: the file is one of the configuration");
    let written = fs::read_to_string(&customers).unwrap();
    let added = written.strip_prefix(&comment).unwrap();
    assert_eq!(added.lines().count(), 12, "{added}");
    let after_discover = "\nThen start the exporter, or reload it (SIGHUP) if it runs:\n";
    assert!(then.contains(after_discover), "{printed}");
    assert!(then.contains("/runbooks/partners"), "{printed}");
    assert!(
        added.contains("- {name: contoso-ltd, tenant_id: "),
        "{added}"
    );

    let (good, checked) = config_check(directory);
    assert!(good, "{checked}");
    assert!(checked.contains("12 tenants and 1 partner"), "{checked}");
    let check = run_printed(&printed, "check");
    let (out, err) = (text(&check.stdout), text(&check.stderr));
    assert_eq!(check.status.code(), Some(1), "{out}{err}");
    let missing = "without consent: tailspin-toys, woodgrove-bank\n";
    assert!(out.contains(missing), "{out}");
    assert!(out.contains("\n10 of 12 tenants can be watched\n"), "{out}");
    for name in ["woodgrove", "tailspin"] {
        handle.set_consent(name, Consent::Granted).unwrap();
    }
    let check = run_printed(&printed, "check");
    let (out, err) = (text(&check.stdout), text(&check.stderr));
    assert!(check.status.success(), "{out}{err}");
    assert!(!format!("{out}{err}").contains("lacks the permission"));
    simulator.stop().await;
}
