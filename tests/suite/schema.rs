//! The JSON Schema for editors: it accepts what the exporter accepts, and
//! rejects misspelt and malformed values.

use crate::golden;
use secure_score_exporter::config::{self, Environment};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Bad configurations that a schema can reject. The others have the right form,
/// or are not YAML.
const REJECTED: &[&str] = &[
    "categories",
    "clouds",
    "credential-expiry",
    "intervals",
    "list-for-value",
    "lookback",
    "partner-scalar",
    "partners",
    "privacy-words",
    "recommendations",
    "recommendations-scalar",
    "secret-sources",
    "staleness-given",
    "target-labels",
    "targets",
    "unknown-keys",
    "value-for-section",
    "webhook",
    "wrong-shape",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).unwrap();
    serde_saphyr::from_str(&text).ok()
}

fn cases(suffix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("tests/config")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = paths
        .filter(|path| path.to_string_lossy().ends_with(suffix))
        .collect();
    cases.sort();
    cases
}

#[test]
fn the_document_is_the_generated_schema() {
    let schema = serde_json::to_string_pretty(&config::schema()).unwrap() + "\n";
    golden::compare(&root().join("docs/reference/config.schema.json"), &schema);
}

#[test]
fn good_files_are_valid() {
    let schema = jsonschema::validator_for(&config::schema()).unwrap();
    let good = cases(".good.yml");
    assert!(good.len() > 5);
    for path in good {
        let file = read(&path).unwrap();
        let errors: Vec<_> = schema
            .iter_errors(&file)
            .map(|it| format!("{}: {it}", it.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
}

#[test]
fn misspelt_and_malformed_values_are_rejected() {
    let schema = jsonschema::validator_for(&config::schema()).unwrap();
    let rejected: Vec<_> = cases(".bad.yml")
        .into_iter()
        .filter(|path| read(path).is_some_and(|file| !schema.is_valid(&file)))
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .map(|name| name.trim_end_matches(".bad.yml").to_owned())
        .collect();
    for name in REJECTED {
        assert!(
            rejected.iter().any(|it| it == name),
            "the schema accepts {name} and rejects only {rejected:?}"
        );
    }
}

#[test]
fn the_example_is_valid_and_names_the_schema() {
    let example = root().join("examples/secure-score.yml");
    let text = fs::read_to_string(&example).unwrap();
    let named = text.lines().next().unwrap().rsplit('=').next().unwrap();
    let named = fs::read_to_string(root().join("examples").join(named)).unwrap();
    let schema: Value = serde_json::from_str(&named).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    assert!(schema.is_valid(&read(&example).unwrap()));
    // Also with every commented setting.
    let whole = uncommented(&text);
    assert!(
        schema.is_valid(&serde_saphyr::from_str(&whole).unwrap()),
        "{whole}"
    );

    let folder = tempfile::tempdir().unwrap();
    for (name, secret) in [
        ("watcher.secret", "a secret"),
        ("partner.secret", "a secret"),
        ("webhook.url", "https://example.org/"),
    ] {
        fs::write(folder.path().join(name), secret).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(folder.path().join(name), private).unwrap();
    }
    fs::create_dir(folder.path().join("tenants.d")).unwrap();
    let more = "- {name: adatum, tenant_id: adatum.com}\n";
    fs::write(folder.path().join("tenants.d/more.yml"), more).unwrap();
    for text in [text, whole] {
        let path = folder.path().join("secure-score.yml");
        fs::write(&path, text).unwrap();
        let loaded = config::load(&path, &Environment::default()).unwrap();
        assert_eq!(loaded.warnings, [], "the example has no warnings");
    }
}

/// The example with its commented settings.
fn uncommented(text: &str) -> String {
    let is_yaml = |line: &str| {
        let line = line.trim_start().trim_start_matches("- ");
        line.starts_with(['{', '}']) || line.split(' ').next().is_some_and(|it| it.ends_with(':'))
    };
    let lines = text
        .lines()
        .map(|line| match line.trim_start().strip_prefix("# ") {
            Some(setting) if is_yaml(setting) && !setting.starts_with("yaml-") => {
                line.replacen("# ", "", 1)
            }
            Some(_) => String::new(),
            None => line.to_owned(),
        });
    lines.map(|line| line + "\n").collect()
}
