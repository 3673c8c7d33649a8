//! Certificates: each file format, each error in one, and renewal.

use super::openssl::{certificate, expired, openssl, together};
use super::stage::{Stage, until};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

const APPLICATION: &str = "type: client_certificate, client_id: {client_id}, ";

/// A stage with `app.pem` and `app-key.pem`, registered with Entra.
async fn stage() -> Stage {
    let stage = Stage::new().await;
    certificate(stage.folder(), "app", 365);
    stage.register("app.pem");
    stage.write("password", "correct horse\n");
    stage.write("other-password", "battery staple\n");
    stage
}

/// Makes the folder's files readable by their owner only.
fn close(stage: &Stage) {
    for file in fs::read_dir(stage.folder()).unwrap() {
        fs::set_permissions(file.unwrap().path(), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_file_format_signs_in() {
    let stage = stage().await;
    let folder = stage.folder();
    together(folder, &["app-key.pem", "app.pem"], "both.pem");
    openssl(
        folder,
        "rsa -in app-key.pem -traditional -out pkcs1-key.pem",
    );
    openssl(
        folder,
        "pkcs8 -topk8 -in app-key.pem -passout file:password -out locked-key.pem",
    );
    let export = "pkcs12 -export -inkey app-key.pem -in app.pem";
    openssl(
        folder,
        &format!("{export} -passout file:password -out modern.p12"),
    );
    openssl(
        folder,
        &format!("{export} -passout file:password -legacy -out legacy.p12"),
    );
    openssl(
        folder,
        &format!(
            "{export} -passout file:password -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1 -out windows.pfx"
        ),
    );
    openssl(folder, &format!("{export} -passout pass: -out open.p12"));
    certificate(folder, "stranger", 365);
    together(folder, &["stranger.pem", "app.pem"], "chain.pem");
    // Key Vault: PKCS#1 under the label of PKCS#8, and PKCS#12 in base64.
    let pkcs1 = fs::read_to_string(folder.join("pkcs1-key.pem")).unwrap();
    let vault = pkcs1.replace("RSA PRIVATE KEY", "PRIVATE KEY");
    fs::write(folder.join("vault-key.pem"), vault).unwrap();
    let pfx = BASE64_STANDARD.encode(fs::read(folder.join("open.p12")).unwrap());
    fs::write(folder.join("vault.pfx"), format!("{pfx}\r\n")).unwrap();
    // As editors of Windows save them.
    let both = fs::read_to_string(folder.join("both.pem")).unwrap();
    fs::write(folder.join("marked.pem"), format!("\u{feff}{both}")).unwrap();
    let wide = both.encode_utf16().flat_map(u16::to_be_bytes);
    fs::write(folder.join("wide.pem"), wide.collect::<Vec<u8>>()).unwrap();
    let pem = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let (app, key, locked) = (pem("app.pem"), pem("app-key.pem"), pem("locked-key.pem"));
    let joined = format!("\u{feff}{app}\u{feff}{key}").replace('\n', "\r\n");
    fs::write(folder.join("joined.pem"), joined).unwrap();
    let indented = |text: &str| format!("  {}", text.replace('\n', " \n  "));
    fs::write(folder.join("indented.pem"), indented(&key)).unwrap();
    fs::write(folder.join("locked-indented.pem"), indented(&locked)).unwrap();
    fs::write(folder.join("marked-password"), "\u{feff}correct horse \r\n").unwrap();
    close(&stage);
    for files in [
        "certificate_file: both.pem",
        "certificate_file: marked.pem",
        "certificate_file: wide.pem",
        "certificate_file: joined.pem",
        "certificate_file: app.pem, key_file: indented.pem",
        "certificate_file: app.pem, key_file: locked-indented.pem, password_file: password",
        "certificate_file: app.pem, key_file: vault-key.pem",
        "certificate_file: vault.pfx",
        "certificate_file: modern.p12, password_file: marked-password",
        "certificate_file: app.pem, key_file: app-key.pem",
        "certificate_file: app.pem, key_file: pkcs1-key.pem",
        "certificate_file: app.pem, key_file: locked-key.pem, password_file: password",
        "certificate_file: chain.pem, key_file: app-key.pem",
        "certificate_file: modern.p12, password_file: password",
        "certificate_file: legacy.p12, password_file: password",
        "certificate_file: windows.pfx, password_file: password",
        "certificate_file: open.p12",
    ] {
        let checked = stage.check(&format!("{APPLICATION}{files}")).await;
        checked.expect(true, &["ok    contoso: token", "contoso: credential: "]);
        assert!(
            !checked.output.contains("warn"),
            "{files}: {}",
            checked.output
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_error_in_a_file_is_reported_with_a_fix() {
    let stage = stage().await;
    let folder = stage.folder();
    certificate(folder, "stranger", 365);
    openssl(folder, "x509 -in app.pem -outform der -out app.der");
    openssl(
        folder,
        "req -x509 -newkey rsa:1024 -nodes -keyout short-key.pem -out short.pem -subj /CN=short",
    );
    openssl(
        folder,
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout curve-key.pem -out curve.pem -subj /CN=curve",
    );
    openssl(folder, "ec -in curve-key.pem -out sec1-key.pem");
    openssl(
        folder,
        "pkcs8 -topk8 -in app-key.pem -passout file:password -out locked-key.pem",
    );
    openssl(
        folder,
        "rsa -in app-key.pem -traditional -aes128 -passout file:password -out old-key.pem",
    );
    openssl(
        folder,
        "pkcs12 -export -inkey app-key.pem -in app.pem -passout file:password -out app.p12",
    );
    openssl(
        folder,
        "pkcs12 -export -inkey app-key.pem -in app.pem -keypbe NONE -certpbe NONE -nomac -passout pass: -out plain.p12",
    );
    together(folder, &["app.pem", "old-key.pem"], "old-both.pem");
    let pem = fs::read_to_string(folder.join("app.pem")).unwrap();
    fs::write(folder.join("cut.pem"), pem.replace("END CERT", "END CER")).unwrap();
    let key = fs::read_to_string(folder.join("app-key.pem")).unwrap();
    let damaged = key.replacen("\nMII", "\nMIJ", 1);
    assert_ne!(damaged, key);
    fs::write(folder.join("damaged-key.pem"), damaged).unwrap();
    openssl(
        folder,
        "rsa -in short-key.pem -traditional -out short-vault-key.pem",
    );
    let short = fs::read_to_string(folder.join("short-vault-key.pem")).unwrap();
    let short = short.replace("RSA PRIVATE KEY", "PRIVATE KEY");
    fs::write(folder.join("short-vault-key.pem"), short).unwrap();
    close(&stage);
    for (files, place, message) in [
        (
            "certificate_file: app.der",
            "certificate_file",
            "neither PEM nor PKCS#12",
        ),
        (
            "certificate_file: app.pem",
            "certificate_file",
            "no private key; add it",
        ),
        (
            "certificate_file: app-key.pem",
            "certificate_file",
            "no certificate; add",
        ),
        (
            "certificate_file: cut.pem, key_file: app-key.pem",
            "certificate_file",
            "damaged or truncated",
        ),
        (
            "certificate_file: old-both.pem, password_file: password",
            "certificate_file",
            "openssl pkcs8 -topk8",
        ),
        (
            "certificate_file: plain.p12",
            "certificate_file",
            "openssl pkcs12 -in OLD -nodes",
        ),
        (
            "certificate_file: app.pem, key_file: damaged-key.pem",
            "key_file",
            "private key that is damaged",
        ),
        (
            "certificate_file: app.pem, key_file: stranger-key.pem",
            "certificate_file",
            "no certificate of this private key",
        ),
        (
            "certificate_file: short.pem, key_file: short-key.pem",
            "key_file",
            "less than 2048 bits",
        ),
        (
            "certificate_file: short.pem, key_file: short-vault-key.pem",
            "key_file",
            "less than 2048 bits",
        ),
        (
            "certificate_file: curve.pem, key_file: curve-key.pem",
            "key_file",
            "not RSA",
        ),
        (
            "certificate_file: curve.pem, key_file: sec1-key.pem",
            "key_file",
            "not RSA",
        ),
        (
            "certificate_file: app.pem, key_file: locked-key.pem",
            "key_file",
            "needs a password",
        ),
        (
            "certificate_file: app.pem, key_file: locked-key.pem, password_file: other-password",
            "key_file",
            "cannot be decrypted with this password",
        ),
        (
            "certificate_file: app.pem, key_file: old-key.pem, password_file: password",
            "key_file",
            "openssl pkcs8 -topk8",
        ),
        (
            "certificate_file: app.p12",
            "certificate_file",
            "needs a password",
        ),
        (
            "certificate_file: app.p12, password_file: other-password",
            "certificate_file",
            "cannot be decrypted with this password",
        ),
        (
            "certificate_file: app.p12, password_file: password, key_file: app-key.pem",
            "key_file",
            "remove key_file",
        ),
        (
            "certificate_file: app.p12, password_file: absent",
            "password_file",
            "no such file",
        ),
    ] {
        let checked = stage.check_config(&format!("{APPLICATION}{files}")).await;
        checked.expect(false, &[&format!("credential.{place}: "), message]);
        for secret in ["correct horse", "battery staple", "PRIVATE KEY"] {
            assert!(!checked.output.contains(secret), "{}", checked.output);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probable_mistake_with_a_certificate_is_a_warning() {
    let stage = stage().await;
    let folder = stage.folder();
    expired(folder, "past", "app-key.pem");
    together(folder, &["app-key.pem", "app.pem"], "both.pem");
    close(&stage);
    let past = "certificate_file: past.pem, key_file: app-key.pem";
    let checked = stage.check_config(&format!("{APPLICATION}{past}")).await;
    checked.expect(true, &["the certificate has expired; upload a new one"]);
    stage.register("past.pem");
    let checked = stage.check(&format!("{APPLICATION}{past}")).await;
    checked.expect(
        false,
        &["AADSTS1000502", "hint: the certificate is expired"],
    );

    certificate(folder, "brief", 20);
    let brief = "certificate_file: brief.pem, key_file: brief-key.pem";
    let checked = stage.check_config(&format!("{APPLICATION}{brief}")).await;
    checked.expect(true, &["the certificate expires in 19 days"]);
    stage.register("brief.pem");
    let checked = stage.check(&format!("{APPLICATION}{brief}")).await;
    checked.expect(
        true,
        &[
            "warn  contoso: credential: expires in 19 days",
            "hint: make a new certificate",
        ],
    );

    let both = format!("{APPLICATION}certificate_file: both.pem");
    let with_password = format!("{both}, password_file: password");
    let checked = stage.check_config(&with_password).await;
    checked.expect(true, &["the private key is not encrypted"]);
    fs::set_permissions(folder.join("both.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    let checked = stage.check_config(&both).await;
    checked.expect(
        true,
        &["every user of this machine can read the private key; chmod 600"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_was_not_uploaded_is_refused_with_a_fix() {
    let stage = Stage::new().await;
    certificate(stage.folder(), "app", 365);
    close(&stage);
    let files = "certificate_file: app.pem, key_file: app-key.pem";
    let checked = stage.check(&format!("{APPLICATION}{files}")).await;
    checked.expect(
        false,
        &[
            "AADSTS700027",
            "hint: the certificate is not accepted: upload it",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_used_and_its_expiry_is_exported() {
    let stage = stage().await;
    certificate(stage.folder(), "next", 800);
    close(&stage);
    let files = "certificate_file: app.pem, key_file: app-key.pem";
    stage.configure("contoso", &format!("{APPLICATION}{files}"));
    let exporter = stage.serve();
    let address = exporter.word_after("address=");
    let expiry = |days: f64| {
        let line = "secure_score_credential_expiry_timestamp_seconds{tenant=\"contoso\"} ";
        let address = address.clone();
        async move {
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            let url = format!("http://{address}/metrics");
            let metrics = http.get(url).send().await.unwrap().text().await.unwrap();
            let value = metrics.lines().find_map(|it| it.strip_prefix(line));
            let value = value.and_then(|value| value.parse::<f64>().ok());
            let now = jiff::Timestamp::now().as_second() as f64;
            value.is_some_and(|value| (value - now - days * 86_400.0).abs() < 86_400.0)
        }
    };
    until(|| expiry(365.0)).await;
    let tokens = |stage: &Stage| {
        let requests = stage.handle().requests();
        let tokens = requests
            .iter()
            .filter(|it| it.path_and_query.ends_with("/token"));
        tokens.filter(|it| it.status == 200).count()
    };
    until(|| {
        let signed_in = tokens(&stage) == 1;
        async move { signed_in }
    })
    .await;
    stage.register("next.pem");
    for (new, old) in [("next-key.pem", "app-key.pem"), ("next.pem", "app.pem")] {
        fs::rename(stage.folder().join(new), stage.folder().join(old)).unwrap();
    }
    until(|| expiry(800.0)).await;
    until(|| {
        let signed_in = tokens(&stage) == 2;
        async move { signed_in }
    })
    .await;
}
