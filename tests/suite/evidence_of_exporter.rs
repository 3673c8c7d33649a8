//! `evidence --url`: the evidence of a running exporter, and why it gives none.

use crate::access::{authorization, rules, web_config};
use crate::evidence::decided;
use crate::simulated::{run, text};
use crate::stub_server::StubServer;
use crate::test_server::{TestServer, options, start, start_serving};
use secure_score_exporter::access::AccessRules;
use secure_score_exporter::http::{DisabledRoutes, ServerOptions, SiteOptions};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;
use std::sync::Arc;

fn evidence(url: &str, more: &[&str]) -> Output {
    let url = format!("--url={url}");
    let period = ["--since=2025-11-01", "--until=2025-11-30"];
    run(&[&["evidence", &url][..], &period, more].concat())
}

/// A server of contoso, whose clients are those of the web configuration.
async fn guarded() -> TestServer {
    let access = Arc::new(web_config());
    let site = SiteOptions {
        access: Arc::clone(&access),
        ..options()
    };
    let serving = ServerOptions {
        access,
        ..ServerOptions::default()
    };
    let server = start_serving(Arc::default(), site, serving).await;
    server.store.publish(decided());
    server
}

/// What the evidence says, without the time at which it was made and the digest.
fn said(format: &str, document: &str) -> String {
    match format {
        "json" => serde_json::from_str::<Value>(document).unwrap()["data"]["decided"].to_string(),
        "csv" => {
            let is_of_data = |it: &&str| !it.starts_with("document,") && !it.starts_with("sha256,");
            let rows: Vec<&str> = document.lines().filter(is_of_data).collect();
            rows.join("\n")
        }
        _ => document.split("<footer>").next().unwrap().to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_exporter_gives_its_evidence_in_each_format() {
    let server = start(SiteOptions {
        route_prefix: "/score".to_owned(),
        ..options()
    })
    .await;
    server.store.publish(decided());
    let url = format!("http://{}/score/", server.address);
    for format in ["html", "csv", "json"] {
        let asked = evidence(&url, &["--tenant=contoso", "--format", format]);
        assert!(asked.status.success(), "{}", text(&asked.stderr));
        let path = format!(
            "/score/tenants/contoso/evidence?since=2025-11-01&until=2025-11-30&format={format}"
        );
        let served = server.get(&path).await;
        let given = said(format, &text(&asked.stdout));
        assert!(given.contains("amy"), "{given}");
        assert_eq!(given, said(format, served.text()), "{format}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("contoso.html");
    let output = format!("--output={}", file.display());
    let written = evidence(&url, &["--tenant=contoso", &output]);
    assert!(written.status.success(), "{}", text(&written.stderr));
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[track_caller]
fn assert_refused(output: &Output, parts: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    for part in parts {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_needs_a_user_with_the_tenant() {
    let server = guarded().await;
    let url = format!("http://{}", server.address);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("headers");
    fs::write(&file, format!("Authorization: {}\n", authorization())).unwrap();
    let header = format!("--header-file={}", file.display());
    let as_alice = |tenant: &str| evidence(&url, &[&header, &format!("--tenant={tenant}")]);

    let without_header = evidence(&url, &["--tenant=contoso"]);
    assert_refused(
        &without_header,
        &["answered 401: ", "header in --header-file"],
    );
    assert!(as_alice("contoso").status.success());
    let misspelt = as_alice("contosso");
    assert_refused(&misspelt, &["unknown tenant", "did you mean \"contoso\"?"]);

    server.site.set_access(Some(rules(&["fabrikam"])));
    let hidden = as_alice("contoso");
    assert_refused(&hidden, &["unknown tenant \"contoso\""]);
    assert!(!text(&hidden.stderr).contains("did you mean"));
    let nothing = AccessRules::new(Vec::new(), ["contoso".to_owned()].into_iter());
    server.site.set_access(Some(nothing));
    let denied = as_alice("contoso");
    assert_refused(&denied, &["answered 403: access denied", "hint: "]);
    for output in [without_header, misspelt, hidden, denied] {
        assert!(!text(&output.stderr).contains(&authorization()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_evidence_is_named_with_the_remedy() {
    let disabled = start(SiteOptions {
        disabled: DisabledRoutes {
            pages: true,
            api: false,
        },
        ..options()
    })
    .await;
    disabled.store.publish(decided());
    let response = |status: &str, content_type: &str, body: &str| {
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let page = response("200 OK", "text/html", "<h1>Welcome</h1>");
    let other = StubServer::responding(page);
    let missing = response("404 Not Found", "text/html", "<h1>Not found</h1>");
    let nothing = StubServer::responding(missing.clone());
    let list = response("200 OK", "application/json", "{\"acceptances\": []}");
    let old = StubServer::answering(move |line| match line.contains("/api/v1/") {
        true => list.clone(),
        false => missing.clone(),
    });
    let prefix = "with its route prefix";
    for (address, parts) in [
        (
            disabled.address.to_string(),
            &["404: disabled by --web.disable-pages", "without this flag"][..],
        ),
        (
            other.address.to_string(),
            &["gave an answer that cannot be read", prefix],
        ),
        (
            nothing.address.to_string(),
            &["answered 404: Not Found", prefix],
        ),
        (
            old.address.to_string(),
            &["is too old: it has no evidence", "update the exporter"],
        ),
        ("127.0.0.1:1".to_owned(), &["cannot be reached", "hint: "]),
    ] {
        for format in ["html", "csv", "json"] {
            let url = format!("http://{address}");
            let refused = evidence(&url, &["--tenant=contoso", "--format", format]);
            assert_refused(&refused, parts);
        }
    }
    let lines = nothing.first_lines();
    let asked = "GET /tenants/contoso/evidence?since=2025-11-01&until=2025-11-30&format=csv";
    assert!(lines.iter().any(|it| it.starts_with(asked)), "{lines:?}");
}

#[test]
fn evidence_has_one_source() {
    let url = "http://127.0.0.1:1";
    for (more, part) in [
        (&["--state.dir=x"][..], "cannot be used with"),
        (&["--config.file=x"], "--config.file has no effect"),
    ] {
        let refused = evidence(url, &[&["--tenant=contoso"][..], more].concat());
        assert_eq!(refused.status.code(), Some(2));
        let said = text(&refused.stderr);
        assert!(said.contains(part), "{said}");
    }
    for (more, part) in [
        (&[][..], "--url <URL>"),
        (&["--state.dir=x", "--header-file=x"], "cannot be used with"),
    ] {
        let flags = ["evidence", "--tenant=contoso", "--since=2025-11-01"];
        let refused = run(&[&flags[..], more].concat());
        assert_eq!(refused.status.code(), Some(2));
        let said = text(&refused.stderr);
        assert!(said.contains(part), "{said}");
    }
    let password = evidence("http://a:hidden-word@127.0.0.1:1", &["--tenant=contoso"]);
    assert_eq!(password.status.code(), Some(2));
    assert!(!text(&password.stderr).contains("hidden-word"));
    let period = ["--since=2025-11-01", "--until=2025-10-01"];
    let url = format!("--url={url}");
    let reversed = run(&[&["evidence", &url, "--tenant=contoso"][..], &period].concat());
    assert_eq!(reversed.status.code(), Some(2));
    let said = text(&reversed.stderr);
    assert!(said.contains("--until is before since"), "{said}");
    assert!(said.contains("hint: exchange"), "{said}");
}
