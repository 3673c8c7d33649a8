//! The configuration: each case is a file in `tests/config`.
//!
//! The first lines are comments with the expected output: the errors of a
//! `*.bad.yml`, the warnings of a `*.good.yml`; `DIR` stands for the directory.
//! UPDATE_GOLDEN=1 writes them; run it twice, since the comments move the lines.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use secure_score_exporter::config::{self, Environment, Loaded};
use strict_yaml::testing::{assert_cases, check_case, saved_on_windows};

/// The directory of the cases. Git does not keep the modes of the secrets.
fn directory() -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    for secret in fs::read_dir(directory.join("secrets")).unwrap() {
        fs::set_permissions(secret.unwrap().path(), fs::Permissions::from_mode(0o600)).unwrap();
    }
    directory
}

/// The cases with this suffix, at least one.
fn cases(suffix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory()).unwrap();
    let mut cases: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(suffix))
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "no case ends in {suffix}");
    cases
}

/// The variables that the cases use.
fn environment() -> Environment {
    variables(&[("CASE_SECRET", SECRET), ("CASE_LINES", "one\ntwo")])
}

fn variables(pairs: &[(&str, &str)]) -> Environment {
    let owned = pairs
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    owned.collect()
}

/// A value that no message may contain.
const SECRET: &str = "Zq8Q~tOpSeCrEt.Value_0123456789-abcdefgh";

/// The lines of an output, with paths relative to the cases.
fn relative_lines(lines: impl ToString) -> Vec<String> {
    let prefix = format!("{}/", directory().display());
    let text = lines.to_string().replace(&prefix, "");
    let text = text.replace(&directory().display().to_string(), "DIR");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn each_bad_file_has_the_expected_errors() {
    assert_cases(cases(".bad.yml").iter().map(|path| {
        let errors = match config::load(path, &environment()) {
            Ok(_) => return Err(format!("{} was accepted\n", path.display())),
            Err(errors) => errors,
        };
        check_case(path, &relative_lines(errors))
    }));
}

#[test]
fn each_good_file_has_the_expected_warnings() {
    assert_cases(cases(".good.yml").iter().map(|path| {
        let loaded = config::load(path, &environment())
            .map_err(|errors| format!("{} was refused:\n{errors}\n", path.display()))?;
        let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
        check_case(path, &relative_lines(warnings.join("\n")))
    }));
}

/// Everything that is printed about a configuration with this text.
fn output_of(text: &str) -> String {
    let folder = tempfile::tempdir_in(directory()).unwrap();
    let path = folder.path().join("case.yml");
    fs::write(&path, text.replace("secrets/", "../secrets/")).unwrap();
    match config::load(&path, &environment()) {
        Err(errors) => format!(
            "{errors} {errors:?} {}",
            secure_score_exporter::diagnostics::summary(&errors)
        ),
        Ok(Loaded {
            config, warnings, ..
        }) => format!("{config:?} {warnings:?}"),
    }
}

/// Replaces each value of a good file by the secret.
#[test]
fn a_secret_on_the_wrong_line_is_never_repeated() {
    let text = fs::read_to_string(directory().join("everything.good.yml")).unwrap();
    let lines: Vec<_> = text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        for changed in with_secret(line) {
            let mut lines = lines.clone();
            lines[index] = &changed;
            let output = output_of(&lines.join("\n"));
            // Pages show the first, and the second matches names of any characters.
            if line.contains("display_name:") || line.contains("exclude: [\"Test") {
                continue;
            }
            assert!(!output.contains("tOpSeCrEt"), "{changed}\n{output}");
        }
    }
}

/// Variants of the line with the secret as value, as key, after the value, and unterminated.
fn with_secret(line: &str) -> Vec<String> {
    let (key, value) = line.split_once(':').unwrap_or((line, ""));
    vec![
        format!("{key}: {SECRET}"),
        format!("{key}: \"{SECRET}"),
        format!("{key}: [{SECRET}"),
        format!("{key}: {{{SECRET}: {SECRET}}}"),
        format!("{key}:{value} {SECRET}"),
        format!("{key}{SECRET}:{value}"),
        format!("{key}: *{SECRET}"),
        format!("{key}: !{SECRET} x"),
        format!("{SECRET}"),
    ]
}

#[test]
fn the_lines_near_a_syntax_error_are_not_printed() {
    let text =
        format!("credentials:\n  a: {{type: client_secret, client_secret: {SECRET}}}\n  b: [\n");
    let output = output_of(&text);
    assert!(output.contains("case.yml:"), "{output}");
    assert!(!output.contains("tOpSeCrEt"), "{output}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_causes_a_panic(text in "\\PC{0,200}") {
        output_of(&text);
    }

    #[test]
    fn no_damage_to_a_good_file_causes_a_panic(at in 0..2000_usize, cut in 0..40_usize, put in "[-:{}\\[\\]&*!|>'\"%@`#\n a0]{0,6}") {
        let text = fs::read_to_string(directory().join("everything.good.yml")).unwrap();
        let damaged: String = text.chars().take(at).chain(put.chars()).chain(text.chars().skip(at + cut)).collect();
        output_of(&damaged);
    }
}

#[test]
fn a_file_that_is_not_utf_8_and_a_directory_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.yml");
    fs::write(&path, [0xff, 0xfe, b'a']).unwrap();
    let latin = config::load(&path, &environment()).unwrap_err().to_string();
    assert!(
        latin.ends_with("case.yml: the file is not UTF-8; save it as such"),
        "{latin}"
    );
    let folder = config::load(folder.path(), &environment())
        .unwrap_err()
        .to_string();
    assert!(
        folder.ends_with("cannot be read (it is a directory)"),
        "{folder}"
    );
}

#[test]
fn a_byte_order_mark_is_ignored() {
    let text = fs::read_to_string(directory().join("smallest.good.yml")).unwrap();
    assert!(output_of(&format!("\u{feff}{text}")).starts_with("Config"));
}

#[test]
fn a_tenant_file_saved_by_an_editor_of_windows_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.yml");
    fs::write(&path, "tenant_files: [more.d/*.yml]\n").unwrap();
    fs::create_dir(folder.path().join("more.d")).unwrap();
    let text = "- {name: a, tenant_id: a.com, credential: {type: azure_cli}}\n\
                - {name: b, tenant_id: b.com, credential: {type: azure_cli}}\n";
    for bytes in saved_on_windows(text) {
        fs::write(folder.path().join("more.d/more.yml"), bytes).unwrap();
        let config = config::load(&path, &environment()).unwrap().config;
        let names: Vec<&str> = config.tenants.iter().map(|it| it.alias.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
    }
}

#[test]
fn numbers_are_read_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.yml");
    let text = "tenants: [{name: 007, tenant_id: 0x1.1e3.com, display_name: 1.50, \
                credential: {type: azure_cli}}]";
    fs::write(&path, text).unwrap();
    let config = config::load(&path, &environment()).unwrap().config;
    let tenant = &config.tenants[0];
    let kept = (
        tenant.alias.as_str(),
        tenant.tenant_id.as_str(),
        tenant.display_name.as_str(),
    );
    assert_eq!(kept, ("007", "0x1.1e3.com", "1.50"));
}

#[test]
fn relative_paths_are_relative_to_the_file() {
    let config = config::load(&directory().join("everything.good.yml"), &environment());
    let roots = config.unwrap().config.extra_roots.unwrap();
    assert_eq!(roots.path, directory().join("secrets/ca.pem"));
}

#[test]
fn defaults_apply_to_tenants_without_own_values() {
    let path = directory().join("everything.good.yml");
    let tenants = config::load(&path, &environment()).unwrap().config.tenants;
    assert_eq!(
        (tenants[0].target, tenants[1].target),
        (Some(0.75), Some(0.8))
    );
    assert_eq!(
        (tenants[0].cloud.as_str(), tenants[1].cloud.as_str()),
        ("global", "gcc-high")
    );
    assert_eq!(
        (&*tenants[0].display_name, &*tenants[1].display_name),
        ("Contoso Ltd", "fabrikam.us")
    );
    let config::Credential::ClientSecret(config::ClientSecret {
        client_id, secret, ..
    }) = &tenants[1].credential
    else {
        panic!("not a secret");
    };
    assert_eq!(client_id, "0a1b2c3d-1111-2222-3333-555555555555");
    assert_eq!(secret.expose(), SECRET);
}

#[test]
fn the_error_for_a_missing_file_suggests_the_demo() {
    let errors = config::load(Path::new("nowhere.yml"), &environment()).unwrap_err();
    let report = secure_score_exporter::diagnostics::summary(&errors);
    assert!(
        report.contains("nowhere.yml: the configuration cannot be read (no such file)"),
        "{report}"
    );
    assert!(
        report.contains("hint: name another with --config.file"),
        "{report}"
    );
}

#[test]
fn a_world_readable_secret_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("open");
    fs::write(&secret, SECRET).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let path = folder.path().join("case.yml");
    let text = "tenants: [{name: a, tenant_id: a.com, credential: {type: client_secret, \
                client_id: 0a1b2c3d-1111-2222-3333-444444444444, client_secret_file: open}}]";
    fs::write(&path, text).unwrap();
    let warnings = config::load(&path, &environment()).unwrap().warnings;
    let [warning] = warnings.as_slice() else {
        panic!("{warnings:?}");
    };
    assert!(
        warning
            .to_string()
            .ends_with("every user of this machine can read the secret; chmod 600 the file")
    );
}

mod environment_alone;
mod partners;
mod recommendations;
