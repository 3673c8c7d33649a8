//! Pages and API, disabled.

use crate::process::Process;
use crate::simulated::Simulated;
use crate::test_server::{TestServer, options, start, tenant, with_history};
use crate::web_pages::PAGES;
use secure_score_exporter::http::{DisabledRoutes, SiteOptions};

const API: [&str; 3] = [
    "/api/v1/acceptances",
    "/api/v1/decisions",
    "/api/v1/tenants",
];
const ALWAYS: [&str; 5] = [
    "/metrics",
    "/probe?tenant=contoso",
    "/sd/tenants",
    "/-/healthy",
    "/-/ready",
];

async fn start_with_disabled(pages: bool, api: bool) -> TestServer {
    start(SiteOptions {
        disabled: DisabledRoutes { pages, api },
        ..options()
    })
    .await
}

#[tokio::test]
async fn a_disabled_route_names_its_flag_and_the_others_stay() {
    for disabled in [(false, false), (true, false), (false, true), (true, true)] {
        let (pages, api) = disabled;
        let server = start_with_disabled(pages, api).await;
        server.store.publish(with_history());
        let groups = [
            (&PAGES[..], pages, "--web.disable-pages"),
            (&API, api, "--web.disable-api"),
        ];
        for (paths, is_off, flag) in groups {
            for path in paths {
                for method in ["GET", "HEAD", "POST"] {
                    let response = server.request(method, path, "").await;
                    assert_eq!(
                        response.status == 404,
                        is_off,
                        "{method} {path}: {disabled:?}"
                    );
                }
                let response = server.get(path).await;
                assert_eq!(
                    response.text().contains(flag),
                    is_off,
                    "{path}: {disabled:?}"
                );
            }
        }
        for path in ALWAYS {
            assert_eq!(server.get(path).await.status, 200, "{path}: {disabled:?}");
        }
    }
}

#[tokio::test]
async fn no_page_links_to_a_disabled_route() {
    let server = start_with_disabled(false, true).await;
    server.store.publish(with_history());
    for path in PAGES.into_iter().chain(["/nothing-here"]) {
        let page = server.get(path).await;
        assert!(!page.text().contains("/api/v1"), "{path}: {}", page.text());
    }
    let server = start_with_disabled(true, false).await;
    server.store.publish(tenant("contoso"));
    let missing = server.get("/nothing-here").await;
    assert_eq!((missing.status, missing.text().contains('<')), (404, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flags_disable_routes() {
    let simulated = Simulated::start();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = "--web.external-url=https://pages.example";
    // Alerts link to no page that is not there.
    for (more, links) in [(None, 0), (Some(url), 1)] {
        let config = simulated.config();
        let flags = [
            "--web.listen-address=127.0.0.1:0",
            "--web.disable-pages",
            "--web.disable-api",
            "--config.file",
            &config,
        ];
        let exporter = Process::exporter(&[&flags, more.as_slice()].concat());
        let address = exporter.word_after("address=");
        for (path, status) in [("/", 404), ("/api/v1/tenants", 404), ("/metrics", 200)] {
            let response = http.get(format!("http://{address}{path}")).send().await;
            let response = response.unwrap();
            assert_eq!(response.status().as_u16(), status, "{path}");
            let text = response.text().await.unwrap();
            let info = "secure_score_exporter_external_url_info{";
            let expected = if path == "/metrics" { links } else { 0 };
            assert_eq!(text.matches(info).count(), expected, "{path} {more:?}");
        }
    }
}
