//! The files that are shipped with the program match the program.

mod alertmanager;
mod alerts;
mod annotations;
mod chart;
mod days;
mod grafana;
mod grafana_routing;
mod grafana_states;
mod lint;
mod operator;
mod promql;
mod routing;
mod rules;
mod text;

use crate::golden;
use promql::Known;
use secure_score_exporter::config;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|e| panic!("{folder}: {e}"));
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let found: Vec<PathBuf> = paths
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    assert!(!found.is_empty(), "no {ending} in {folder}");
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Compares the copies of the rules and dashboards in a folder with the originals.
fn compare_copies(folder: &str) {
    let carried = root().join(folder);
    let rules = "secure-score.rules.yml";
    golden::compare(
        &carried.join(rules),
        &read(&root().join("alerts").join(rules)),
    );
    let dashboards = files("dashboards", ".json");
    for dashboard in &dashboards {
        let copy = carried
            .join("dashboards")
            .join(dashboard.file_name().unwrap());
        golden::compare(&copy, &read(dashboard));
    }
    let copies = files(&format!("{folder}/dashboards"), ".json");
    assert_eq!(copies.len(), dashboards.len(), "one that is no more");
}

/// Words of the form `secure_score_…` in a text, without those that a
/// recording rule puts between colons.
fn families_named(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .filter(|word| word.starts_with("secure_score_") && !word.contains(':'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn rules_and_documents_name_only_families_that_exist() {
    let known = Known::families();
    let mut texts = files("alerts", ".rules.yml");
    texts.extend(files("alerts", ".md"));
    texts.extend(files("dashboards", ".md"));
    texts.extend(files("docs/runbooks", ".md"));
    texts.push(root().join("README.md"));
    let mut named = 0;
    for path in texts {
        for family in families_named(&read(&path)) {
            named += 1;
            assert!(
                known.has(&family),
                "{} names {family}, which is no family",
                path.display()
            );
        }
    }
    assert!(named > 10, "only {named} names found");
}

#[test]
fn links_of_the_documents_lead_to_files() {
    let mut documents = files("", ".md");
    documents.extend(files("alerts", ".md"));
    documents.extend(files("dashboards", ".md"));
    documents.extend(files("docs", ".md"));
    documents.extend(files("docs/runbooks", ".md"));
    documents.extend(files("docs/reference", ".md"));
    documents.extend(files("deploy/helm/secure-score-exporter", ".md"));
    documents.extend(files("deploy/kubernetes", ".md"));
    documents.extend(files("deploy/loki", ".md"));
    documents.extend(files("deploy/mixin", ".md"));
    for document in documents {
        let text = read(&document);
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            let target = document.parent().expect("a file is in a folder").join(file);
            assert!(target.exists(), "{} links to {link}", document.display());
        }
    }
}

#[test]
fn every_direct_dependency_has_its_reason() {
    let crates = fs::read_dir(root().join("crates")).unwrap();
    let crates = crates.map(|entry| entry.unwrap().path().join("Cargo.toml"));
    let manifests: String = std::iter::once(root().join("Cargo.toml"))
        .chain(crates)
        .map(|manifest| read(&manifest))
        .collect();
    let reasons = read(&root().join("docs/dependencies.md"));
    let rows = reasons.lines().filter_map(|line| line.strip_prefix("- "));
    let explained: BTreeSet<&str> = rows
        .filter_map(|row| row.split_once(": "))
        .flat_map(|(names, _)| names.split(", "))
        .collect();
    let mut inside = false;
    let mut checked = 0;
    for line in manifests.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if let (true, Some((name, _))) = (inside, line.split_once(" = ")) {
            checked += 1;
            let name = name.trim_end_matches(".workspace");
            assert!(
                explained.contains(format!("`{name}`").as_str()),
                "docs/dependencies.md does not say why {name} is here"
            );
        }
    }
    assert!(checked > 30, "only {checked} dependencies found");
}

#[test]
fn the_readme_names_only_variables_that_are_read() {
    let known: BTreeSet<&str> = config::variables().collect();
    let text = read(&root().join("README.md"));
    let words = text.split(|c: char| !(c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit()));
    for word in words.filter(|word| word.starts_with("SECURE_SCORE_") || word.starts_with("AZURE_"))
    {
        assert!(known.contains(word), "{word}");
    }
}
