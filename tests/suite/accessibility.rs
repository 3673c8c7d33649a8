//! Whether people with disabilities can use the pages: axe-core checks them in
//! Chromium against WCAG 2.2, levels A and AA.
//!
//! `tests/axe/install` brings axe-core, which `tests/run` does.

use crate::access::{rules, web_config};
use crate::browser::{Browser, full_tenant};
use crate::partner_pages::partners;
use crate::test_server::{start_limited, start_showing};
use crate::web_pages::{PAGES, RUNBOOKS};
use serde_json::{Value, json};
use std::path::Path;

const AXE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/target/axe/node_modules/axe-core/axe.min.js"
);

/// Pages beside [`PAGES`] and [`RUNBOOKS`]: evidence, and those that show errors.
const OTHERS: [&str; 5] = [
    "/tenants/contoso/evidence",
    "/nothing",
    "/tenants/missing",
    "/acceptances?since=yesterday",
    "/tenants/contoso?category=Data",
];

/// The findings of the page that is shown, as lines. The size of targets is a rule
/// that axe-core checks only where it is named.
const FINDINGS: &str = "axe.run(document, {
    runOnly: {type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']},
    rules: {'target-size': {enabled: true}},
    resultTypes: ['violations'],
}).then(found => found.violations.flatMap(rule => rule.nodes.map(node =>
    `${rule.impact} ${rule.id}: ${node.target.join(' ')}: ${node.any.concat(node.all, node.none).map(it => it.message).join('; ')}`)))";

fn axe() -> String {
    assert!(
        Path::new(AXE).exists(),
        "axe-core is missing; run tests/axe/install, which needs npm"
    );
    std::fs::read_to_string(AXE).unwrap()
}

/// What axe-core finds on the page that is shown.
async fn findings(browser: &Browser, axe: &str) -> Value {
    browser.value(&format!("(() => {{ {axe}\n }})()")).await;
    browser.value(FINDINGS).await
}

#[tokio::test]
async fn axe_finds_nothing_on_any_page_in_both_themes_and_at_both_widths() {
    let axe = axe();
    let server = start_showing(full_tenant()).await;
    server.store.publish_partners(partners());
    let browser = Browser::open().await;
    let mut found = Vec::new();
    for (width, is_phone) in [(1_400, false), (390, true)] {
        browser.resize(width, 900, is_phone).await;
        for scheme in ["light", "dark"] {
            browser.prefer(scheme).await;
            for path in PAGES.iter().chain(&RUNBOOKS).chain(&OTHERS) {
                browser.visit(&server, path).await;
                browser
                    .value("document.querySelectorAll('details').forEach(it => it.open = true)")
                    .await;
                let lines = findings(&browser, &axe).await;
                let lines = lines.as_array().unwrap().iter();
                found.extend(lines.map(|line| format!("{path} {width} {scheme}: {line}")));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[tokio::test]
async fn the_page_for_a_refused_client_is_a_page_in_browsers_only() {
    let axe = axe();
    let server = start_showing(full_tenant()).await;
    server.site.set_access(Some(rules(&["*"])));
    let browser = Browser::open().await;
    browser.visit(&server, "/").await;
    let text = browser.text().await;
    assert!(text.contains("no tenant is granted"), "{text}");
    assert_eq!(findings(&browser, &axe).await, json!([]));

    let with_users = start_limited(2, web_config()).await;
    for (server, status, words) in [
        (&server, 403, "no tenant is granted"),
        (&with_users, 401, "authentication required"),
    ] {
        for (accept, kind) in [
            ("text/html,*/*;q=0.8", "text/html; charset=utf-8"),
            ("*/*", "text/plain; charset=utf-8"),
        ] {
            let accept = format!("Accept: {accept}\r\n");
            let response = server.request("GET", "/", &accept).await;
            assert_eq!(response.status, status);
            assert_eq!(response.header("content-type"), Some(kind));
            assert!(response.text().contains(words), "{}", response.text());
        }
    }
}

#[tokio::test]
async fn axe_finds_what_is_wrong() {
    let axe = axe();
    let server = start_showing(full_tenant()).await;
    let browser = Browser::open().await;
    browser.visit(&server, "/").await;
    browser
        .value("document.documentElement.removeAttribute('lang')")
        .await;
    let found = findings(&browser, &axe).await;
    let found = found.as_array().unwrap();
    let is_named = |line: &Value| line.as_str().unwrap().starts_with("serious html-has-lang");
    assert!(found.iter().any(is_named), "{}", json!(found));
}
