//! Tenants that users and client certificates are granted, asked by curl.

use super::{PASSWORD, Secured, Server};
use crate::simulated::{Simulated, run, text};
use serde_json::{Value, json};
use std::fs;

const OTHER_TENANTS: [&str; 4] = ["fabrikam", "adatum", "litware", "northwind"];

/// Paths that show tenants, one of each kind.
const PATHS: [&str; 9] = [
    "/",
    "/acceptances",
    "/tenants/contoso",
    "/metrics",
    "/probe?tenant=contoso",
    "/sd/tenants",
    "/api/v1/tenants",
    "/api/v1/acceptances",
    "/api/v1/decisions",
];

const ACCESS: &str =
    "access:\n  - {user: alice, tenants: [contoso]}\n  - {user: ops, tenants: ['*']}\n";

impl Secured {
    /// Users with the password of the tests.
    fn users(&self, names: &[&str]) -> String {
        let users = names
            .iter()
            .map(|name| format!("  {name}: '{}'\n", self.hash));
        format!("basic_auth_users:\n{}", users.collect::<String>())
    }
}

impl Server<'_> {
    /// Asks as a user; the body is what is returned beside the status.
    fn as_user(&self, user: &str, path: &str, arguments: &[&str]) -> (String, String) {
        let pair = format!("{user}:{PASSWORD}");
        let arguments = [&["--user", &pair], arguments].concat();
        let status = self.curl("http", path, &arguments);
        (status, self.body())
    }

    /// Waits until a user is answered with this status at a path.
    fn until_user(&self, user: &str, path: &str, status: &str) {
        self.until(status, |it| it.as_user(user, path, &[]).0);
    }
}

#[track_caller]
fn names_no_other_tenant(path: &str, body: &str) {
    for tenant in OTHER_TENANTS {
        assert!(!body.contains(tenant), "{path} names {tenant}\n{body}");
    }
}

fn serve<'a>(secured: &'a Secured, simulated: &Simulated, more: &[&str]) -> Server<'a> {
    let config = simulated.config();
    let arguments = [&["--config.file", config.as_str()], more].concat();
    secured.start(&arguments, &secured.users(&["alice", "bob", "ops"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_sees_the_granted_tenants_and_others_see_none() {
    let simulated = Simulated::start();
    for tenant in ["contoso", "fabrikam"] {
        let acceptance = json!({"by": format!("alex@{tenant}.example"), "comment": "later"});
        simulated.accept(tenant, "AdminMFAV2", acceptance).await;
    }
    simulated.configure(&format!(
        "{ACCESS}decisions: [{{control: AdminMFAV2, tenants: [contoso, fabrikam], reference: R-1, expires: 2099-01-31}}]\n"
    ));
    let secured = Secured::new();
    let server = serve(&secured, &simulated, &["--web.enable-lifecycle"]);
    server.until_user("ops", "/-/ready", "200");

    for path in PATHS {
        let (status, body) = server.as_user("alice", path, &["--compressed"]);
        assert_eq!(status, "200", "{path}\n{body}");
        assert!(body.contains("contoso"), "{path}\n{body}");
        names_no_other_tenant(path, &body);
        let (status, body) = server.as_user("ops", path, &["--compressed"]);
        assert_eq!(status, "200", "{path}");
        let shows_others = body.contains("fabrikam");
        assert_eq!(shows_others, !path.contains("contoso"), "{path}\n{body}");
        let (status, body) = server.as_user("bob", path, &[]);
        assert_eq!(status, "403", "{path}");
        let problem = "access denied: no tenant is granted to this client";
        match path.starts_with("/api/") {
            true => {
                let refusal: Value = serde_json::from_str(&body).unwrap();
                assert_eq!(refusal["error"], problem);
            }
            false => assert!(body.starts_with(problem), "{body}"),
        }
        assert!(!body.contains("contoso"), "{body}");
        names_no_other_tenant(path, &body);
    }
    for path in [
        "/tenants/fabrikan",
        "/tenants/contos",
        "/probe?tenant=fabrikan",
        "/metrics?tenant[]=adatun",
        "/api/v1/acceptances?tenant=litwar",
        "/nothing",
    ] {
        let (_, body) = server.as_user("alice", path, &["--globoff"]);
        names_no_other_tenant(path, &body);
        let (status, _) = server.as_user("bob", path, &["--globoff"]);
        assert_eq!(status, "403", "{path}");
    }
    let hidden = ["/tenants/fabrikam", "/probe?tenant=fabrikam"];
    for path in hidden {
        assert_eq!(server.as_user("alice", path, &[]).0, "404", "{path}");
    }

    for (user, reload) in [("alice", "403"), ("bob", "403"), ("ops", "200")] {
        let answer = server.as_user(user, "/-/reload", &["--request", "POST"]);
        assert_eq!(answer.0, reload, "{user} {}", answer.1);
        for path in ["/-/healthy", "/-/ready"] {
            assert_eq!(server.as_user(user, path, &[]).0, "200", "{user} {path}");
        }
    }
    let (_, metrics) = server.as_user("ops", "/metrics", &[]);
    let denied = "\nsecure_score_exporter_access_denied_total ";
    let (_, denied) = metrics.split_once(denied).expect("a counter");
    let denied = denied.lines().next().unwrap();
    let expected = PATHS.len() + 6 + 2;
    assert_eq!(denied, expected.to_string(), "{metrics}");
    let log = server.process.output();
    let warned = "request refused: no tenant is granted to the client";
    assert_eq!(log.matches(warned).count(), 1, "{log}");
    assert!(log.contains(r#"user \"bob\""#), "{log}");
    assert!(!log.contains(PASSWORD), "{log}");
}

#[test]
fn a_verified_certificate_is_granted_tenants_by_its_names() {
    let simulated = Simulated::start();
    simulated.configure(
        "access:\n  - {certificate: client.example, tenants: [contoso]}\n  - {certificate: ops, tenants: ['*']}\n",
    );
    let secured = Secured::new();
    let web_config =
        secured.tls("  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n");
    let server = secured.start(&["--config.file", &simulated.config()], &web_config);
    assert_eq!(server.as_client("client"), "200");
    let body = server.body();
    assert!(body.contains("tenant=\"contoso\""), "{body}");
    names_no_other_tenant("/metrics", &body);
    assert_eq!(server.as_client("other-client"), "403");
    assert_eq!(server.https(&[]), "403", "without a certificate");
    assert_eq!(server.as_client("stranger"), "000", "not verified");
}

/// The errors of the check and of the start.
#[track_caller]
fn assert_refused(simulated: &Simulated, web_config: Option<&str>, words: &[&str]) {
    let config = simulated.config();
    let mut arguments = vec!["--config.file", &config, "--web.listen-address=127.0.0.1:0"];
    if let Some(file) = web_config {
        arguments.extend(["--web.config.file", file]);
    }
    let check = [&["--config.check"], &arguments[..]].concat();
    for arguments in [check, arguments] {
        let output = run(&arguments);
        assert!(!output.status.success(), "{arguments:?}");
        let errors = text(&output.stderr);
        for word in words {
            assert!(errors.contains(word), "no {word:?}\n{errors}");
        }
    }
}

#[test]
fn access_for_those_who_cannot_authenticate_is_an_error() {
    let simulated = Simulated::start();
    let secured = Secured::new();
    simulated.configure(ACCESS);
    assert_refused(
        &simulated,
        None,
        &["access: no client is authenticated", "--web.config.file"],
    );
    let users = secured.write("users.yml", &secured.users(&["alice"]));
    assert_refused(
        &simulated,
        Some(&users),
        &[
            "secure-score.yml:",
            ": access[1].user: the web configuration has no such user; add the user to basic_auth_users",
        ],
    );
    let written = fs::read_to_string(simulated.config()).unwrap();
    let certificate = "access:\n  - {certificate: client, tenants: [contoso]}\n";
    fs::write(simulated.config(), written.replace(ACCESS, certificate)).unwrap();
    assert_refused(
        &simulated,
        Some(&users),
        &["access[0].certificate: the web configuration has basic_auth_users"],
    );
    let unverified = secured.tls("  client_auth_type: RequireAnyClientCert\n");
    let unverified = secured.write("unverified.yml", &unverified);
    assert_refused(
        &simulated,
        Some(&unverified),
        &[
            "access[0].certificate: the web configuration verifies no client certificate; set client_ca_file",
        ],
    );
}

#[test]
fn a_reload_changes_what_a_user_sees() {
    let simulated = Simulated::start();
    simulated.configure(ACCESS);
    let secured = Secured::new();
    let server = serve(&secured, &simulated, &["--web.enable-lifecycle"]);
    server.until_user("alice", "/probe?tenant=contoso", "200");
    assert_eq!(
        server.as_user("alice", "/probe?tenant=fabrikam", &[]).0,
        "404"
    );

    let written = fs::read_to_string(simulated.config()).unwrap();
    let other = written.replace(
        "user: alice, tenants: [contoso]",
        "user: alice, tenants: ['fab*']",
    );
    fs::write(simulated.config(), &other).unwrap();
    let reload = || server.as_user("ops", "/-/reload", &["--request", "POST"]);
    assert_eq!(reload().0, "200");
    server.until_user("alice", "/probe?tenant=fabrikam", "200");
    assert_eq!(
        server.as_user("alice", "/probe?tenant=contoso", &[]).0,
        "404"
    );

    // The rules in effect stay where those of the file cannot be used.
    let unknown = other.replace("user: alice", "user: mallory");
    fs::write(simulated.config(), &unknown).unwrap();
    let (status, message) = reload();
    assert_eq!(status, "500");
    assert!(
        message.contains("access[0].user: the web configuration has no such user"),
        "{message}"
    );
    assert_eq!(
        server.as_user("alice", "/probe?tenant=fabrikam", &[]).0,
        "200"
    );

    // Both files are edited, and reloaded at once.
    secured.write("web.yml", &secured.users(&["ops", "mallory"]));
    let until = || reload().0;
    server.until("200", |_| until());
    server.until_user("alice", "/", "401");
    server.until_user("mallory", "/probe?tenant=fabrikam", "200");

    // A user that only the web configuration loses is reported, and gets nothing.
    secured.write("web.yml", &secured.users(&["ops"]));
    server.until_user("mallory", "/", "401");
    server.until("0", |it| {
        let (_, metrics) = it.as_user("ops", "/metrics", &[]);
        let gauge = "\nsecure_score_exporter_config_last_reload_successful ";
        let (_, value) = metrics.split_once(gauge).unwrap();
        value.lines().next().unwrap().to_owned()
    });
}

#[test]
fn a_reload_does_not_end_the_rules() {
    let simulated = Simulated::start();
    simulated.configure(ACCESS);
    let written = fs::read_to_string(simulated.config()).unwrap();
    let without = written.replace(ACCESS, "");
    let secured = Secured::new();
    let more = ["--web.enable-lifecycle"];
    let server = serve(&secured, &simulated, &more);
    server.until_user("ops", "/-/ready", "200");
    fs::write(simulated.config(), &without).unwrap();
    let (status, message) = server.as_user("ops", "/-/reload", &["--request", "POST"]);
    assert_eq!(status, "500");
    let refusal = "secure-score.yml: access: the key is missing, so every client would see every tenant; write it again, or restart the exporter";
    assert!(message.contains(refusal), "{message}");
    assert_eq!(server.as_user("bob", "/metrics", &[]).0, "403");
    assert_eq!(
        server.as_user("alice", "/probe?tenant=fabrikam", &[]).0,
        "404"
    );
    fs::write(simulated.config(), &written).unwrap();
    let again = server.as_user("ops", "/-/reload", &["--request", "POST"]);
    assert_eq!(again.0, "200", "{}", again.1);
    drop(server);

    let server = serve(&secured, &simulated, &["--config.enable-auto-reload"]);
    server.until_user("ops", "/-/ready", "200");
    fs::write(simulated.config(), &without).unwrap();
    server
        .process
        .word_after("the key is missing, so every client would see every");
    assert_eq!(server.as_user("bob", "/metrics", &[]).0, "403");
}

#[test]
fn a_discovered_tenant_is_granted_by_its_alias_and_by_no_pattern() {
    let simulated = Simulated::start();
    let by_pattern = "{user: alice, tenants: [contoso, 'fourth-*']}";
    let access = ACCESS.replace("{user: alice, tenants: [contoso]}", by_pattern);
    simulated.configure(&access);
    let written = fs::read_to_string(simulated.config()).unwrap();
    let interval = "interval: 5m";
    assert!(written.contains(interval), "{written}");
    let written = written.replace(interval, "interval: 5m, new_customers: watch");
    fs::write(simulated.config(), &written).unwrap();
    let secured = Secured::new();
    let state = secured.path("state");
    fs::create_dir(&state).unwrap();
    let server = serve(
        &secured,
        &simulated,
        &["--web.enable-lifecycle", "--state.dir", &state],
    );
    let discovered = "/probe?tenant=fourth-coffee";
    server.until_user("ops", discovered, "200");
    assert_eq!(server.as_user("alice", discovered, &[]).0, "404");
    let reload = || server.as_user("ops", "/-/reload", &["--request", "POST"]).0;
    assert_eq!(reload(), "200");
    let log = server.process.output();
    let logged = "access[0].user: the pattern does not grant this tenant";
    assert_eq!(log.matches(logged).count(), 1, "{log}");

    let by_alias = "{user: alice, tenants: [contoso, fourth-coffee]}";
    fs::write(simulated.config(), written.replace(by_pattern, by_alias)).unwrap();
    assert_eq!(reload(), "200");
    assert_eq!(server.as_user("alice", discovered, &[]).0, "200");
}

#[test]
fn without_access_the_counter_is_not_exported() {
    let simulated = Simulated::start();
    let secured = Secured::new();
    let server = serve(&secured, &simulated, &[]);
    server.until_user("bob", "/-/ready", "200");
    let (status, body) = server.as_user("bob", "/metrics", &[]);
    assert_eq!(status, "200");
    assert!(!body.contains("access_denied"), "{body}");
    assert!(body.contains("tenant=\"fabrikam\""), "{body}");
}

/// The YAML blocks of the document.
fn shown() -> Vec<String> {
    let page = include_str!("../../../docs/access.md");
    let blocks = page.split("```yaml").skip(1);
    let indent = |line: &str| line.strip_prefix("   ").unwrap_or(line).to_owned() + "\n";
    blocks
        .map(|block| {
            block
                .split("```")
                .next()
                .unwrap()
                .lines()
                .map(indent)
                .collect()
        })
        .collect()
}

#[test]
fn the_files_that_the_document_shows_are_good() {
    let secured = Secured::new();
    let [users, access, certificates, route] = <[String; 4]>::try_from(shown()).unwrap();
    let verified =
        secured.tls("  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n");
    let tenants = "tenants:\n  - {name: contoso, tenant_id: contoso.example, credential: {type: azure_cli}}\n  - {name: fabrikam-emea, tenant_id: fabrikam.example, credential: {type: azure_cli}}\n";
    for (web_config, access) in [(users, access), (verified, certificates)] {
        let web_config = secured.write("web.yml", &web_config);
        let config = secured.write("secure-score.yml", &format!("{access}{tenants}"));
        let files = ["--config.file", &config, "--web.config.file", &web_config];
        let output = run(&[&["--config.check"], &files[..]].concat());
        let errors = text(&output.stderr);
        assert!(output.status.success(), "{errors}");
        assert!(!errors.contains("warning:"), "{errors}");
    }
    // amtool tests the routes of the complete configuration.
    let complete = include_str!("../../../alerts/alertmanager.msp.yml");
    let lines: Vec<&str> = route.lines().map(str::trim).collect();
    for word in [
        "group_by: [alertname, tenant]",
        "- receiver: customer-contoso",
        "continue: true",
    ] {
        assert!(lines.contains(&word) && complete.contains(word), "{word}");
    }
    let matcher = "'tenant =~ \"contoso|contoso-.+\"'";
    assert!(route.contains(matcher) && complete.contains(matcher));
}
