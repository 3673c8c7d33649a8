//! `packaging/release` sets a version wherever one stands.

use crate::simulated::text;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// What has the version in it.
const PARTS: &[&str] = &[
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "Dockerfile",
    "deploy/helm/secure-score-exporter",
    "deploy/kubernetes",
];

fn checkout() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let copied = Command::new("cp")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["-r", "--parents"])
        .args(PARTS)
        .arg(folder.path())
        .status();
    assert!(copied.unwrap().success());
    folder
}

fn release(checkout: &Path, version: &str) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/release");
    let run = Command::new(script)
        .arg(version)
        .env("RELEASE_ROOT", checkout)
        .output();
    run.unwrap()
}

#[test]
fn a_version_is_set_everywhere_and_the_changelog_is_dated() {
    let checkout = checkout();
    let old = format!("\"{}\"", env!("CARGO_PKG_VERSION"));
    let released = release(checkout.path(), "97.98.99");
    assert!(released.status.success(), "{}", text(&released.stderr));
    let read = |name: &str| fs::read_to_string(checkout.path().join(name)).unwrap();
    let changelog = read("CHANGELOG.md");
    let [_, rest] = changelog
        .split("## [Unreleased]\n\n## [97.98.99] - ")
        .collect::<Vec<_>>()[..]
    else {
        panic!("{changelog}");
    };
    assert!(
        rest.lines()
            .next()
            .unwrap()
            .parse::<jiff::civil::Date>()
            .is_ok()
    );
    let chart = "deploy/helm/secure-score-exporter";
    for (file, line) in [
        ("Cargo.toml", "version = \"97.98.99\"".to_owned()),
        ("Dockerfile", "ARG VERSION=97.98.99".to_owned()),
        (
            &format!("{chart}/Chart.yaml"),
            "appVersion: \"97.98.99\"".to_owned(),
        ),
    ] {
        assert!(
            read(file).lines().any(|it| it == line),
            "{file} lacks {line}"
        );
    }
    let (manifest, lock) = (read("Cargo.toml"), read("Cargo.lock"));
    assert!(lock.contains("name = \"secure-score-exporter\"\nversion = \"97.98.99\"\n"));
    for of_ours in [
        "secure-score-exposition",
        "secure-score-model",
        "graph-simulator",
        "alert-inbox",
    ] {
        let required = format!("{of_ours} = {{ version = \"97.98.99\", path");
        assert!(manifest.contains(&required), "{required}");
        let locked = format!("name = \"{of_ours}\"\nversion = \"97.98.99\"\n");
        assert!(lock.contains(&locked), "{locked}");
    }
    for file in [
        "deploy/kubernetes/secure-score-exporter.yaml",
        &format!("{chart}/golden/demo.yaml"),
    ] {
        let manifest = read(file);
        assert!(
            manifest.contains("secure-score-exporter:97.98.99\n"),
            "{file}"
        );
        assert!(!manifest.contains(&old), "{file} has the old one somewhere");
    }
}

#[test]
fn what_is_no_version_or_was_released_changes_nothing() {
    let checkout = checkout();
    let before = fs::read(checkout.path().join("CHANGELOG.md")).unwrap();
    for (version, complaint) in [
        ("1.2", "usage"),
        ("v1.2.3", "usage"),
        (env!("CARGO_PKG_VERSION"), "already"),
    ] {
        let refused = release(checkout.path(), version);
        assert!(!refused.status.success(), "{version}");
        assert!(text(&refused.stderr).contains(complaint), "{version}");
    }
    assert_eq!(
        fs::read(checkout.path().join("CHANGELOG.md")).unwrap(),
        before
    );
}
