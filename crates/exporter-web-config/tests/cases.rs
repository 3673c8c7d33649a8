//! Each file of `tests/cases` is a web configuration: `*.bad.yml` begins with
//! the expected errors, `*.good.yml` with the expected warnings. `DIR` stands
//! for the directory of the file.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use exporter_web_config::VerifiedCertificates;
use rcgen::{CertificateParams, KeyPair};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use strict_yaml::testing::{assert_cases, check_case};

/// A directory with the certificates and keys that the cases name.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let certificate = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        (pem, key.serialize_pem())
    };
    let (cert, key) = certificate("localhost");
    let (ca, other_key) = certificate("authority");
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (name, content) in [
        ("cert.pem", cert.as_str()),
        ("key.pem", &key),
        ("ca.pem", &ca),
        ("other-key.pem", &other_key),
        ("encrypted-key.pem", encrypted),
        ("no-pem.txt", "no PEM at all\n"),
    ] {
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    directory
}

/// Checks the cases whose names have this ending against the lines that `report`
/// returns for them.
fn check(ending: &str, report: impl Fn(&Path) -> Result<String, String>) {
    let directory = directory();
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut paths: Vec<PathBuf> = fs::read_dir(cases)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    paths.sort();
    assert!(paths.len() > 15, "only {} cases", paths.len());
    assert_cases(paths.iter().map(|path| {
        let copy = directory.path().join(path.file_name().unwrap());
        fs::copy(path, &copy).unwrap();
        let prefix = format!("{}/", directory.path().display());
        let reported = report(&copy)?.replace(&prefix, "");
        let reported = reported.replace(&directory.path().display().to_string(), "DIR");
        let lines: Vec<String> = reported.lines().map(str::to_owned).collect();
        check_case(path, &lines)
    }));
}

#[test]
fn each_bad_file_is_refused_with_its_errors() {
    check(".bad.yml", |path| match exporter_web_config::load(path) {
        Ok(_) => Err(format!("{} was accepted\n", path.display())),
        Err(errors) => Ok(errors.to_string()),
    });
}

#[test]
fn each_good_file_is_accepted_with_its_warnings() {
    check(".good.yml", |path| {
        let (_, warnings) = exporter_web_config::load(path)
            .map_err(|errors| format!("{} was refused:\n{errors}\n", path.display()))?;
        let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        Ok(warnings.join("\n"))
    });
}

#[test]
fn only_a_certificate_of_client_ca_file_authenticates() {
    let directory = directory();
    for (case, expected) in [
        ("tls.good.yml", VerifiedCertificates::None),
        ("client-require-any.good.yml", VerifiedCertificates::None),
        ("client-require-system.good.yml", VerifiedCertificates::None),
        (
            "client-if-given-system.good.yml",
            VerifiedCertificates::None,
        ),
        (
            "client-verify-if-given.good.yml",
            VerifiedCertificates::IfPresented,
        ),
        ("tls-everything.good.yml", VerifiedCertificates::Required),
    ] {
        let copy = directory.path().join(case);
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
        fs::copy(cases.join(case), &copy).unwrap();
        let (config, _) = exporter_web_config::load(&copy).unwrap();
        assert_eq!(config.verified_certificates, expected, "{case}");
    }
}
