//! Keys and certificates created by openssl.

use std::path::Path;
use std::process::{Command, Stdio};

/// Runs openssl in a folder.
pub(crate) fn openssl(folder: &Path, arguments: &str) {
    let ran = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("openssl is missing; apt-get install --no-install-recommends openssl");
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "openssl {arguments}: {errors}");
}

/// Makes `NAME-key.pem` and `NAME.pem`, its certificate, valid for some days.
pub(crate) fn certificate(folder: &Path, name: &str, days: i32) {
    openssl(
        folder,
        &format!(
            "req -x509 -newkey rsa:2048 -nodes -keyout {name}-key.pem -out {name}.pem -subj /CN={name} -days {days}"
        ),
    );
}

/// Makes `NAME.pem`, a certificate that expired long ago. Debian's openssl
/// cannot create one.
pub(crate) fn expired(folder: &Path, name: &str, key: &str) {
    let key = std::fs::read_to_string(folder.join(key)).unwrap();
    let key = rcgen::KeyPair::from_pem(&key).unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let pem = params.self_signed(&key).unwrap().pem();
    std::fs::write(folder.join(format!("{name}.pem")), pem).unwrap();
}

/// Makes `both`: one file after the other.
pub(crate) fn together(folder: &Path, files: &[&str], both: &str) {
    let bytes = files.iter().map(|file| std::fs::read(folder.join(file)));
    let bytes: Vec<u8> = bytes.flat_map(Result::unwrap).collect();
    std::fs::write(folder.join(both), bytes).unwrap();
}
