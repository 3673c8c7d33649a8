//! Each file of `tests/cases` is a web configuration: `*.bad.yml` begins with
//! the expected errors, `*.good.yml` with the expected warnings. `DIR` stands
//! for the directory of the file.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use exporter_web_config::VerifiedCertificates;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use strict_yaml::testing::{assert_cases, check_case};

/// A directory with the certificates and keys that the cases name.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let certificate = |name: &str, key: &KeyPair| {
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.self_signed(key).unwrap().pem()
    };
    let (key, other_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let rsa = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let cert = certificate("localhost", &key);
    let ca = certificate("authority", &other_key);
    let vault_cert = certificate("localhost", &rsa);
    let vault_key = pkcs1_as_pkcs8(&rsa);
    let (key, other_key) = (key.serialize_pem(), other_key.serialize_pem());
    // As `type` joins two files of an editor of Windows.
    let both = format!("\u{feff}{cert}\u{feff}{key}").replace('\n', " \r\n ");
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (name, content) in [
        ("cert.pem", cert.as_str()),
        ("key.pem", &key),
        ("both.pem", &both),
        ("vault-cert.pem", &vault_cert),
        ("vault-key.pem", &vault_key),
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

/// The PKCS#1 of an RSA key under the label of PKCS#8, as Key Vault writes it.
fn pkcs1_as_pkcs8(key: &KeyPair) -> String {
    // PKCS#8 has a header of this length before PKCS#1 of 2048 bits.
    const HEADER: usize = 26;
    let pkcs8 = key.serialize_der();
    let pkcs1 = BASE64_STANDARD.encode(pkcs8.get(HEADER..).unwrap());
    format!("-----BEGIN PRIVATE KEY-----\n{pkcs1}\n-----END PRIVATE KEY-----\n")
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
    for (case, expected, required) in [
        ("tls", VerifiedCertificates::None, false),
        ("client-require-any", VerifiedCertificates::None, true),
        ("client-require-system", VerifiedCertificates::None, true),
        ("client-if-given-system", VerifiedCertificates::None, false),
        (
            "client-verify-if-given",
            VerifiedCertificates::IfPresented,
            false,
        ),
        ("tls-everything", VerifiedCertificates::Required, true),
    ] {
        let case = &format!("{case}.good.yml");
        let copy = directory.path().join(case);
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
        fs::copy(cases.join(case), &copy).unwrap();
        let (config, _) = exporter_web_config::load(&copy).unwrap();
        assert_eq!(config.verified_certificates, expected, "{case}");
        assert_eq!(config.requires_certificates, required, "{case}");
    }
}
