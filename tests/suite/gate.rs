//! The web configuration file: what is accepted, what is refused, and in which
//! words.

use crate::cases::{compare, verdict};
use exporter_web_config::Loaded;
use rcgen::{CertificateParams, KeyPair};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/web-config")
}

/// A folder with the certificates and keys that the cases name.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
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
        ("no-pem.txt", "nothing of the kind\n"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    folder
}

/// The cases whose names end so, and what is said of each.
fn each(ending: &str, say: impl Fn(&Path) -> Result<String, String>) {
    let folder = folder();
    let mut paths: Vec<PathBuf> = fs::read_dir(cases())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    paths.sort();
    assert!(paths.len() > 15, "only {} cases", paths.len());
    verdict(paths.iter().map(|path| {
        let copy = folder.path().join(path.file_name().unwrap());
        fs::copy(path, &copy).unwrap();
        let prefix = format!("{}/", folder.path().display());
        let said = say(&copy)?.replace(&prefix, "");
        let said = said.replace(&folder.path().display().to_string(), "DIR");
        let lines: Vec<String> = said.lines().map(str::to_owned).collect();
        compare(path, &lines)
    }));
}

#[test]
fn each_bad_file_is_refused_in_these_words() {
    each(".bad.yml", |path| match exporter_web_config::load(path) {
        Ok(_) => Err(format!("{} was accepted\n", path.display())),
        Err(faults) => Ok(faults.to_string()),
    });
}

#[test]
fn each_good_file_is_accepted_with_its_warnings() {
    each(".good.yml", |path| {
        let Loaded { warnings, .. } = exporter_web_config::load(path)
            .map_err(|faults| format!("{} was refused:\n{faults}\n", path.display()))?;
        let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        Ok(warnings.join("\n"))
    });
}
