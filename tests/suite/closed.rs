//! Pages and API, switched off.

use crate::process::Process;
use crate::served::{options, start, tenant, with_history};
use crate::simulated::Simulated;
use secure_score_exporter::http::{Closed, Options};

const PAGES: [&str; 4] = ["/", "/acceptances", "/tenants/contoso", "/style.css"];
const API: [&str; 2] = ["/api/v1/acceptances", "/api/v1/tenants"];
const ALWAYS: [&str; 5] = [
    "/metrics",
    "/probe?tenant=contoso",
    "/sd/tenants",
    "/-/healthy",
    "/-/ready",
];

#[tokio::test]
async fn what_is_switched_off_says_by_what_and_the_rest_stays() {
    for closed in [(false, false), (true, false), (false, true), (true, true)] {
        let (pages, api) = closed;
        let server = start(Options {
            closed: Closed { pages, api },
            ..options()
        })
        .await;
        server.store.publish(with_history());
        let groups = [
            (&PAGES[..3], pages, "--web.disable-pages"),
            (&API, api, "--web.disable-api"),
        ];
        for (paths, is_off, flag) in groups {
            for path in paths {
                for method in ["GET", "HEAD", "POST"] {
                    let answer = server.ask(method, path, "").await;
                    assert_eq!(answer.status == 404, is_off, "{method} {path}: {closed:?}");
                }
                let answer = server.get(path).await;
                assert_eq!(answer.text().contains(flag), is_off, "{path}: {closed:?}");
            }
        }
        for path in ALWAYS {
            assert_eq!(server.get(path).await.status, 200, "{path}: {closed:?}");
        }
    }
}

#[tokio::test]
async fn nothing_leads_to_what_is_switched_off() {
    let server = start(Options {
        closed: Closed {
            pages: false,
            api: true,
        },
        ..options()
    })
    .await;
    server.store.publish(with_history());
    for path in ["/", "/acceptances", "/tenants/contoso", "/nothing-here"] {
        let page = server.get(path).await;
        assert!(!page.text().contains("/api/v1"), "{path}: {}", page.text());
    }
    let server = start(Options {
        closed: Closed {
            pages: true,
            api: false,
        },
        ..options()
    })
    .await;
    server.store.publish(tenant("contoso"));
    let missing = server.get("/nothing-here").await;
    assert_eq!((missing.status, missing.text().contains('<')), (404, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flags_switch_off() {
    let simulated = Simulated::start();
    let exporter = Process::exporter(&[
        "--web.listen-address=127.0.0.1:0",
        "--web.disable-pages",
        "--web.disable-api",
        "--config.file",
        &simulated.config(),
    ]);
    let address = exporter.word_after("address=");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for (path, status) in [("/", 404), ("/api/v1/tenants", 404), ("/metrics", 200)] {
        let answer = http.get(format!("http://{address}{path}")).send().await;
        assert_eq!(answer.unwrap().status().as_u16(), status, "{path}");
    }
}
