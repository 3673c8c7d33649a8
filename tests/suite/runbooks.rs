//! The runbooks as pages, and the address to which alerts link.

use crate::process::Process;
use crate::simulated::Simulated;
use crate::test_server::{options, start};
use secure_score_exporter::http::{DisabledRoutes, SiteOptions};
use std::fs;
use std::path::Path;

const RUNBOOK: &str = "/runbooks/SecureScoreRiskAccepted";

fn names() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/runbooks");
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let names = paths.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned());
    names.collect()
}

#[tokio::test]
async fn every_runbook_is_a_page_that_the_list_links() {
    let server = start(options()).await;
    let list = server.get("/runbooks").await;
    let names = names();
    assert!(names.len() > 40);
    for name in names {
        let path = format!("/runbooks/{name}");
        assert!(list.text().contains(&format!("href=\"{path}\"")), "{path}");
        let page = server.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text().contains(&format!("<h1>{name}</h1>")), "{path}");
        for section in ["Meaning", "Mitigation", "Silencing"] {
            let heading = format!("<h2 id=\"{}\">{section}</h2>", section.to_lowercase());
            assert!(page.text().contains(&heading), "{path}: {section}");
        }
    }
}

/// The file that `init` writes leads here.
#[tokio::test]
async fn the_keys_of_the_configuration_are_a_page() {
    let server = start(options()).await;
    let page = server.get("/runbooks/configuration").await;
    for part in ["<h1>Configuration</h1>", "<code>decision_files</code>"] {
        assert!(page.text().contains(part), "{part}: {}", page.text());
    }
}

/// The image has the pages only; the Debian package has the rules too, and no other file
/// of `alerts`.
#[tokio::test]
async fn pages_and_rules_say_where_the_files_are_that_they_name() {
    let server = start(options()).await;
    for (path, words) in [
        (
            "/runbooks/routing",
            "They are in the folder <code>alerts</code> of the source code",
        ),
        (
            "/runbooks/alerts",
            "The Debian package has the rules in <code>/usr/share/secure-score-exporter/alerts</code>",
        ),
    ] {
        let page = server.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text().contains(words), "{path}: {}", page.text());
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts");
    for (file, page) in [
        ("secure-score.rules.yml", "/runbooks/alerts"),
        ("alertmanager.yml", "/runbooks/routing"),
    ] {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let head = text.lines().take_while(|line| line.starts_with('#'));
        let head = head.collect::<String>();
        assert!(head.contains(&format!("page {page} ")), "{head}");
    }
}

#[tokio::test]
async fn a_runbook_follows_the_rules_of_all_pages() {
    let server = start(options()).await;
    let page = server.get(RUNBOOK).await;
    let head = server.request("HEAD", RUNBOOK, "").await;
    assert_eq!((head.status, head.text()), (200, ""));
    for header in [
        "content-length",
        "content-type",
        "content-security-policy",
        "cache-control",
    ] {
        assert_eq!(head.header(header), page.header(header), "{header}");
        assert!(page.header(header).is_some(), "{header}");
    }
    assert_eq!(server.request("POST", RUNBOOK, "").await.status, 405);
    for part in ["<td>a second</td>", "style=", "<script"] {
        assert!(!page.text().contains(part), "{part}");
    }
    let table = "<td><code>critical</code></td>";
    let code = "<pre><code class=\"language-promql\"># everything accepted on this tenant now";
    for part in [table, code] {
        assert!(page.text().contains(part), "{part}\n{}", page.text());
    }
    let missing = server.get("/runbooks/%3Cscript%3E").await;
    assert_eq!(missing.status, 404);
    assert!(
        missing.text().contains("href=\"/runbooks\""),
        "{}",
        missing.text()
    );
    assert!(!missing.text().contains("<script>"));
    let near = server.get(&format!("{RUNBOOK}X")).await;
    assert_eq!(near.status, 404);
    let link = format!("<a href=\"{RUNBOOK}\">");
    assert!(near.text().contains("Did you mean"), "{}", near.text());
    assert!(near.text().contains(&link), "{}", near.text());
    let list = server.get("/runbooks/").await;
    assert_eq!(list.status, 200);
    let entry = format!("{link}SecureScoreBelowTarget</a><p>A tenant's score has been below its target (exporter configuration) for two hours.</p>")
        .replace("SecureScoreRiskAccepted", "SecureScoreBelowTarget");
    assert!(list.text().contains(&entry), "{}", list.text());
}

#[tokio::test]
async fn runbooks_are_disabled_with_the_other_pages() {
    let disabled = DisabledRoutes {
        pages: true,
        api: false,
    };
    let server = start(SiteOptions {
        disabled,
        ..options()
    })
    .await;
    for path in ["/runbooks", RUNBOOK] {
        let page = server.get(path).await;
        assert_eq!(page.status, 404);
        assert!(page.text().contains("--web.disable-pages"), "{path}");
    }
}

#[tokio::test]
async fn links_of_a_runbook_work_below_a_prefix() {
    let server = start(SiteOptions {
        route_prefix: "/score".to_owned(),
        ..options()
    })
    .await;
    let list = server.get("/score/runbooks").await;
    assert!(list.text().contains(&format!("href=\"/score{RUNBOOK}\"")));
    let page = server.get(&format!("/score{RUNBOOK}")).await;
    let links = page.text().split("<article").nth(1).unwrap();
    let links = links.split("</article>").next().unwrap();
    let links: Vec<&str> = links
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split(['"', '#']).next())
        .filter(|link| !link.starts_with("https:"))
        .collect();
    assert!(!links.is_empty());
    for link in links {
        assert!(!link.contains('/'), "{link}");
        let target = server.get(&format!("/score/runbooks/{link}")).await;
        assert_eq!(target.status, 200, "{link}");
    }
}

/// The samples of the address of a process with these flags.
async fn addresses(flags: &[&str]) -> (String, Vec<String>) {
    let simulated = Simulated::start();
    let config = simulated.config();
    let exporter = Process::exporter(&[&["--config.file", &config][..], flags].concat());
    let address = exporter.word_after("address=");
    let port = address.rsplit(':').next().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let prefix = flags
        .iter()
        .find_map(|it| it.strip_prefix("--web.route-prefix="));
    let url = format!(
        "http://127.0.0.1:{port}{}/metrics",
        prefix.unwrap_or_default()
    );
    let body = http.get(url).send().await.unwrap().text().await.unwrap();
    let family = "secure_score_exporter_external_url_info{";
    let samples = body.lines().filter(|line| line.starts_with(family));
    (port.to_owned(), samples.map(str::to_owned).collect())
}

#[tokio::test]
async fn the_address_of_the_pages_is_always_exported() {
    let line = |url: &str| {
        vec![format!(
            "secure_score_exporter_external_url_info{{url=\"{url}\"}} 1"
        )]
    };
    let (port, found) = addresses(&["--web.listen-address=127.0.0.1:0"]).await;
    assert_eq!(found, line(&format!("http://127.0.0.1:{port}")));
    let flags = [
        "--web.listen-address=127.0.0.1:0",
        "--web.route-prefix=/score",
    ];
    let (port, found) = addresses(&flags).await;
    assert_eq!(found, line(&format!("http://127.0.0.1:{port}/score")));
}
