//! The Compose project: its files are valid and work with native programs.

use crate::process::{Process, free_port, program};
use secure_score_exporter::cli::{self, Cli};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/compose")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|e| panic!("{e}"))
}

fn mounts() -> Vec<String> {
    let compose = yaml(&read("compose.yaml"));
    let services = compose["services"].as_object().unwrap();
    let volumes = services.values().filter_map(|it| it["volumes"].as_array());
    let lines = volumes
        .flatten()
        .map(|line| line.as_str().unwrap().to_owned());
    lines.filter(|line| line.starts_with('.')).collect()
}

#[test]
fn every_file_that_is_mounted_is_there_and_each_dashboard_is_mounted() {
    let mounts = mounts();
    assert!(mounts.len() > 10, "only {} mounts", mounts.len());
    for mount in &mounts {
        let [from, to, mode] = mount.split(':').collect::<Vec<_>>()[..] else {
            panic!("{mount}: no source, target and mode");
        };
        assert!(folder().join(from).is_file(), "{mount}: no such file");
        assert_eq!(mode, "ro", "{mount}");
        assert!(to.starts_with('/'));
    }
    let dashboards = fs::read_dir(folder().join("../../dashboards")).unwrap();
    let names = dashboards.map(|file| file.unwrap().file_name().into_string().unwrap());
    for name in names.filter(|name| name.ends_with(".json")) {
        assert!(
            mounts.iter().any(|mount| mount.contains(&name)),
            "{name} is not mounted"
        );
    }
}

#[test]
fn it_listens_on_this_machine_only_and_names_versions() {
    let compose = yaml(&read("compose.yaml"));
    for (name, service) in compose["services"].as_object().unwrap() {
        // A service without ports serves nothing.
        for port in service["ports"].as_array().into_iter().flatten() {
            assert!(
                port.as_str().unwrap().starts_with("127.0.0.1:"),
                "{name}: {port}"
            );
        }
        let image = service["image"].as_str().unwrap();
        let (_, tag) = image.rsplit_once(':').unwrap_or((image, "built here"));
        assert_ne!(tag, "latest", "{name}");
    }
}

/// The image's entry point says where to listen; the rest is in the file.
#[test]
fn tenants_yaml_configures_the_exporter_for_real_tenants() {
    let tenants = yaml(&read("tenants.yaml"));
    let exporter = &tenants["services"]["exporter"];
    let volumes = exporter["volumes"].as_array().unwrap();
    let (from, to) = volumes[0].as_str().unwrap().split_once(':').unwrap();
    assert_eq!((from, to), ("./config", "/etc/secure-score:ro"));
    let named = volumes[1].as_str().unwrap().split(':').next().unwrap();
    assert!(tenants["volumes"].as_object().unwrap().contains_key(named));
    assert!(read("../../.gitignore").contains("/deploy/compose/config\n"));

    let config = tempfile::tempdir().unwrap();
    let example = folder().join("../../examples/secure-score.yml");
    fs::copy(example, config.path().join("secure-score.yml")).unwrap();
    let command = exporter["command"].as_array().unwrap();
    let checked = Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"))
        .current_dir(config.path())
        .arg("--web.listen-address=:10365")
        .args(command.iter().map(|it| it.as_str().unwrap()))
        .arg("--config.check")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&checked.stderr);
    // The file is found and read, and the secret it names is not there.
    assert!(printed.contains("secure-score.yml:"), "{printed}");
    assert!(printed.contains("cannot be read"), "{printed}");
}

/// It writes into Prometheus' volume, with the labels of the scrape.
#[test]
fn the_history_has_the_labels_of_the_scrape() {
    let compose = yaml(&read("compose.yaml"));
    let history = &compose["services"]["history"];
    let scrape = yaml(&read("prometheus.yml"))["scrape_configs"][0].clone();
    let job = scrape["job_name"].as_str().unwrap();
    let target = scrape["static_configs"][0]["targets"][0].as_str().unwrap();
    let labels = [("job", job), ("instance", target)];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let tenants = &yaml(&read("tenants.yaml"))["services"]["history"];
    for command in [&history["command"], &tenants["command"]] {
        let program = history["entrypoint"].as_array().unwrap().iter();
        let words = program.chain(command.as_array().unwrap());
        let words = words.map(|it| it.as_str().unwrap());
        let parsed = Cli::try_read_from(words).unwrap().command;
        let Some(cli::Command::Backfill(flags)) = parsed else {
            panic!("{parsed:?}");
        };
        assert_eq!(flags.labels, labels);
        assert!(flags.writes_blocks());
        let output = flags.output.unwrap();
        let volume = format!("prometheus:{}", output.display());
        for service in ["history", "prometheus"] {
            let volumes = compose["services"][service]["volumes"].as_array().unwrap();
            assert!(volumes.contains(&volume.clone().into()), "{service}");
        }
    }
}

#[test]
fn tenants_yaml_has_a_command_that_writes_decisions() {
    let text = read("tenants.yaml");
    let approve = &yaml(&text)["services"]["approve"];
    assert_eq!(approve["volumes"][0], "./config:/etc/secure-score");
    let (_, shown) = text.split_once(" run --rm approve ").unwrap();
    let shown = shown.lines().next().unwrap().split(' ');
    let entrypoint = approve["entrypoint"].as_array().unwrap();
    let entrypoint = entrypoint.iter().map(|it| it.as_str().unwrap());
    let command = Cli::try_read_from(entrypoint.chain(shown)).unwrap().command;
    assert!(
        matches!(command, Some(cli::Command::Approve(_))),
        "{command:?}"
    );
}

#[test]
fn the_inhibit_rules_are_those_of_the_fragment() {
    let fragment = folder().join("../../alerts/alertmanager.fragment.yml");
    let fragment = yaml(&fs::read_to_string(fragment).unwrap());
    let ours = yaml(&read("alertmanager.yml"));
    assert_eq!(ours["inhibit_rules"], fragment["inhibit_rules"]);
}

fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    assert!(output.status.success(), "{command:?}\n{printed}");
}

/// The files beside each other, as in the containers, with other addresses.
fn natively(addresses: &[(&str, String)]) -> tempfile::TempDir {
    let native = tempfile::tempdir().unwrap();
    let rules = folder().join("../../alerts/secure-score.rules.yml");
    fs::copy(rules, native.path().join("secure-score.rules.yml")).unwrap();
    for name in ["prometheus.yml", "links.rules.yml", "alertmanager.yml"] {
        let mut text = read(name);
        for (there, here) in addresses {
            text = text.replace(there, here);
        }
        fs::write(native.path().join(name), text).unwrap();
    }
    native
}

#[test]
fn promtool_and_amtool_accept_the_files() {
    let native = natively(&[]);
    let at = |name: &str| native.path().join(name);
    succeeds(
        Command::new(program("promtool", "prometheus"))
            .args(["check", "config", "--lint=all", "--lint-fatal"])
            .arg(at("prometheus.yml")),
    );
    succeeds(
        Command::new(program("amtool", "prometheus-alertmanager"))
            .arg("check-config")
            .arg(at("alertmanager.yml")),
    );
}

async fn asked(http: &reqwest::Client, url: &str) -> Value {
    let Ok(answer) = http.get(url).send().await else {
        return Value::Null;
    };
    serde_json::from_str(&answer.text().await.unwrap_or_default()).unwrap_or_default()
}

#[tokio::test]
async fn the_demo_is_scraped_and_its_accepted_risks_reach_alertmanager() {
    let demo = Process::exporter(&["demo", "--quiet", "--web.listen-address=127.0.0.1:0"]);
    let exporter = demo.word_after("address=");
    let (am, prom) = (free_port(), free_port());
    let native = natively(&[
        ("exporter:10365", exporter),
        ("alertmanager:9093", format!("127.0.0.1:{am}")),
        ("15s", "2s".to_owned()),
        ("interval: 1m", "interval: 2s".to_owned()),
        ("group_wait: 10s", "group_wait: 1s".to_owned()),
    ]);
    let at = |name: &str| native.path().join(name).display().to_string();
    let rules = fs::read_to_string(at("secure-score.rules.yml")).unwrap();
    fs::write(
        at("secure-score.rules.yml"),
        rules.replace("interval: 1m", "interval: 2s"),
    )
    .unwrap();
    let name = "prometheus-alertmanager";
    let _alertmanager = Process::start(
        Command::new(program(name, name))
            .arg(format!("--config.file={}", at("alertmanager.yml")))
            .arg(format!("--storage.path={}", at("am")))
            .arg(format!("--web.listen-address=127.0.0.1:{am}"))
            .arg("--cluster.listen-address="),
    );
    let prometheus = Process::start(
        Command::new(program("prometheus", "prometheus"))
            .arg(format!("--config.file={}", at("prometheus.yml")))
            .arg(format!("--storage.tsdb.path={}", at("data")))
            .arg("--storage.tsdb.retention.time=200d")
            .arg(format!("--web.listen-address=127.0.0.1:{prom}")),
    );
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://127.0.0.1:{am}/api/v2/alerts");
    for _ in 0..900 {
        let alerts = asked(&http, &url).await;
        let found = alerts.as_array().and_then(|all| {
            all.iter()
                .find(|alert| alert["labels"]["alertname"] == "SecureScoreRiskAccepted")
        });
        if let Some(alert) = found {
            let link = alert["annotations"]["dashboard_url"].as_str().unwrap();
            assert!(
                link.starts_with("http://localhost:3000/d/secure-score-risks"),
                "{link}"
            );
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no alert came:\n{}", prometheus.output());
}
