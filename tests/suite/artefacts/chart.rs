//! The chart and the plain manifests, as far as they can be judged without
//! Helm: `tests/interop` renders them.

use super::rules::yaml;
use super::{compare_copies, files, read, root};
use secure_score_exporter::cli::Cli;
use secure_score_exporter::config;
use serde_json::{Value, json};
use std::path::Path;

const CHART: &str = "deploy/helm/secure-score-exporter";

/// Everything that is rendered, each file a list of resources.
fn rendered() -> Vec<(String, Vec<Value>)> {
    let golden = files(&format!("{CHART}/golden"), ".yaml");
    let plain = files("deploy/kubernetes", ".yaml");
    let all = golden.into_iter().chain(plain);
    all.filter(|path| !path.ends_with("values.yaml"))
        .map(|path| {
            let documents = read(&path);
            let documents = documents.split("\n---\n");
            let resources = documents.map(yaml::<Value>).filter(|it| !it.is_null());
            (path.display().to_string(), resources.collect())
        })
        .collect()
}

/// The resources of a kind in all files.
fn of(kind: &str) -> Vec<(String, Value)> {
    let all = rendered().into_iter().flat_map(|(file, resources)| {
        let tagged = resources.into_iter().map(move |it| (file.clone(), it));
        tagged.collect::<Vec<_>>()
    });
    let found: Vec<_> = all.filter(|(_, it)| it["kind"] == kind).collect();
    assert!(!found.is_empty(), "no {kind} is rendered");
    found
}

#[test]
fn the_chart_contains_the_shipped_rules_and_dashboards() {
    compare_copies(&format!("{CHART}/files"));
}

#[test]
fn the_chart_is_of_this_version() {
    let chart: Value = yaml(&read(&root().join(CHART).join("Chart.yaml")));
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
}

/// A container is started with arguments the program understands, after those
/// the image has.
#[test]
fn every_container_is_started_as_the_command_line_has_it() {
    let workloads = [of("StatefulSet"), of("Deployment")].concat();
    for (file, workload) in workloads {
        let container = &workload["spec"]["template"]["spec"]["containers"][0];
        let mut started = vec![words(&container["args"], &file)];
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            let command = &container[probe]["exec"]["command"];
            if command.is_array() {
                started.push(words(command, &file)[1..].to_vec());
            }
        }
        for arguments in started {
            let mut line = vec!["secure-score-exporter".to_owned()];
            // Of the image.
            if arguments[0] != "healthcheck" {
                line.push("--web.listen-address=:10365".to_owned());
            }
            line.extend(arguments);
            Cli::try_read_from(&line).unwrap_or_else(|error| panic!("{file}: {error}"));
        }
    }
}

fn words(list: &Value, file: &str) -> Vec<String> {
    let list = list.as_array().unwrap_or_else(|| panic!("{file}: no list"));
    list.iter()
        .map(|it| it.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_configuration_in_it_fits_the_schema() {
    let schema = jsonschema::validator_for(&config::schema()).unwrap();
    let mut seen = 0;
    for (file, map) in of("ConfigMap") {
        if let Some(text) = map["data"]["secure-score.yml"].as_str() {
            seen += 1;
            assert!(schema.is_valid(&yaml::<Value>(text)), "{file}: {text}");
        }
    }
    assert!(seen >= 3, "only {seen}");
}

/// The file for decisions is there, empty or not, and its entries are valid.
#[test]
fn every_configuration_that_names_decisions_has_their_file() {
    let schema = jsonschema::validator_for(&config::schema()).unwrap();
    let mut entries = Vec::new();
    for (file, map) in of("ConfigMap") {
        let text = map["data"]["secure-score.yml"].as_str().unwrap_or("{}");
        let mut config: Value = yaml(text);
        if config["decision_files"].is_null() {
            continue;
        }
        assert_eq!(config["decision_files"], json!(["decisions.yml"]), "{file}");
        let decisions = map["data"]["decisions.yml"].as_str();
        let decisions = decisions.unwrap_or_else(|| panic!("{file} has no decisions.yml"));
        let list: Vec<Value> = match decisions {
            "" => Vec::new(),
            text => yaml(text),
        };
        entries.push(list.len());
        config["decisions"] = list.into();
        assert!(schema.is_valid(&config), "{file}: {config}");
    }
    entries.sort_unstable();
    assert_eq!(entries, [0, 1]);
}

#[test]
fn every_pod_is_locked_down() {
    for (file, workload) in [of("StatefulSet"), of("Deployment")].concat() {
        let pod = &workload["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{file}");
        assert_eq!(
            pod["securityContext"]["seccompProfile"]["type"],
            "RuntimeDefault"
        );
        assert_eq!(pod["automountServiceAccountToken"], false, "{file}");
        let container = &pod["containers"][0]["securityContext"];
        assert_eq!(container["readOnlyRootFilesystem"], true, "{file}");
        assert_eq!(container["allowPrivilegeEscalation"], false, "{file}");
        assert_eq!(container["capabilities"]["drop"][0], "ALL", "{file}");
    }
}

/// The job is called what the rules expect, however it is scraped.
#[test]
fn every_scrape_has_the_name_that_the_rules_expect() {
    for (file, monitor) in of("ServiceMonitor") {
        let relabelings = &monitor["spec"]["endpoints"][0]["relabelings"];
        assert_eq!(job(relabelings), "secure-score", "{file}");
    }
    for (file, scrape) in of("ScrapeConfig") {
        assert_eq!(
            job(&scrape["spec"]["relabelings"]),
            "secure-score",
            "{file}"
        );
    }
}

fn job(relabelings: &Value) -> &Value {
    let mut rules = relabelings.as_array().unwrap().iter();
    let rule = rules.find(|rule| rule["targetLabel"] == "job");
    &rule.unwrap()["replacement"]
}

#[test]
fn the_values_are_described_key_by_key() {
    let chart = root().join(CHART);
    let values: Value = yaml(&read(&chart.join("values.yaml")));
    let schema: Value = serde_json::from_str(&read(&chart.join("values.schema.json"))).unwrap();
    compare(&values, &schema, Path::new(""));
}

/// What is closed in the schema has the keys of the values, and no others.
fn compare(values: &Value, schema: &Value, at: &Path) {
    if schema["additionalProperties"] != false {
        return;
    }
    let (values, properties) = (
        values.as_object().unwrap(),
        schema["properties"].as_object().unwrap(),
    );
    let names: Vec<_> = values.keys().collect();
    let described: Vec<_> = properties.keys().collect();
    let sorted = |mut names: Vec<_>| {
        names.sort();
        names
    };
    assert_eq!(sorted(names), sorted(described), "{}", at.display());
    for (name, value) in values {
        compare(value, &properties[name], &at.join(name));
    }
}

/// What another test holds to one value in all that is rendered.
const NEVER_TURNED: &[&str] = &[
    "automountServiceAccountToken",
    "podSecurityContext",
    "securityContext",
];

#[test]
fn every_value_is_rendered_with_its_default_and_without() {
    let chart = root().join(CHART);
    let values: Value = yaml(&read(&chart.join("values.yaml")));
    let schema: Value = serde_json::from_str(&read(&chart.join("values.schema.json"))).unwrap();
    let mut keys = Vec::new();
    leaves(&values, &schema, "", &mut keys);
    assert!(keys.len() > 80, "only {keys:?}");
    let cases: Vec<Value> = files(&format!("{CHART}/ci"), "-values.yaml")
        .iter()
        .map(|path| yaml(&read(path)))
        .collect();
    for key in keys {
        let default = values.pointer(&key);
        let set = cases.iter().map(|case| case.pointer(&key));
        let turned = set.filter(|it| it.is_some() && *it != default).count();
        let name = key.trim_start_matches('/').replace('/', ".");
        let never = NEVER_TURNED.contains(&name.as_str());
        assert_eq!(turned == 0, never, "{name}: no case of ci/ sets it");
        assert!(turned < cases.len(), "{name}: every case of ci/ sets it");
    }
}

/// The keys that are set as a whole, as JSON pointers.
fn leaves(values: &Value, schema: &Value, at: &str, found: &mut Vec<String>) {
    if schema["additionalProperties"] != false {
        found.push(at.to_owned());
        return;
    }
    for (name, value) in values.as_object().unwrap() {
        let at = format!("{at}/{name}");
        leaves(value, &schema["properties"][name], &at, found);
    }
}
