//! Pages that refresh themselves, by a header and with a switch.

use crate::test_server::{start_showing, with_history};
use crate::web_pages::{PAGES, RUNBOOKS};

#[tokio::test]
async fn every_page_refreshes_itself_until_it_is_switched_off() {
    let server = start_showing(with_history()).await;
    for path in PAGES {
        let page = server.get(path).await;
        assert_eq!(page.header("refresh"), Some("120"), "{path}");
        let off = format!("href=\"{path}?refresh=off\"");
        assert!(page.text().contains(&off), "{path}");

        let page = server.get(&format!("{path}?refresh=off")).await;
        assert_eq!(page.header("refresh"), None, "{path}");
        let text = page.text();
        assert!(text.contains(&format!("href=\"{path}?refresh=on\"")));
        for other in ["/", "/acceptances"] {
            let kept = format!("href=\"{other}?refresh=off\"");
            assert!(text.contains(&kept), "{path} {other}");
        }
        assert!(!text.contains("<meta http-equiv"), "{path}");
    }
    let page = server.get("/acceptances?refresh=off").await;
    for kept in [
        "href=\"/acceptances?sort=control&amp;refresh=off\"",
        "href=\"/tenants/contoso?refresh=off\"",
        "<input type=\"hidden\" name=\"refresh\" value=\"off\">",
    ] {
        assert!(page.text().contains(kept), "{kept}");
    }
    for (path, kept) in [
        ("/?refresh=off", "href=\"/?refresh=off#undecided\""),
        (
            "/?refresh=off",
            "href=\"/?show=failing&amp;refresh=off#tenants\"",
        ),
        (
            "/?refresh=off",
            "&amp;kind=acceptance&amp;approved=false&amp;refresh=off\"",
        ),
        (
            "/runbooks?refresh=off",
            "href=\"/runbooks/SecureScoreRiskAccepted?refresh=off\"",
        ),
        (
            "/controls/newer?refresh=off",
            "href=\"/acceptances?control=newer&amp;refresh=off\"",
        ),
        (
            "/controls/newer?refresh=off",
            "&amp;refresh=off#tenants\">1 ",
        ),
    ] {
        let page = server.get(path).await;
        assert!(page.text().contains(kept), "{path} {kept}");
    }
}

#[tokio::test]
async fn a_filtered_page_refreshes_itself_only_when_it_is_switched_on() {
    let server = start_showing(with_history()).await;
    for (path, refreshes) in [
        ("/acceptances?sort=points", true),
        ("/acceptances?control=newer", false),
        ("/acceptances?control=newer&refresh=on", true),
        ("/acceptances?control=&category=", true),
        ("/tenants/contoso?category=Apps", false),
    ] {
        let page = server.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.header("refresh").is_some(), refreshes, "{path}");
    }
}

#[tokio::test]
async fn neither_a_text_nor_an_error_refreshes_itself() {
    let server = start_showing(with_history()).await;
    let others = [
        "/tenants/contoso/evidence",
        "/tenants/missing",
        "/nothing",
        "/?refresh=60",
        "/acceptances?format=pdf",
        "/acceptances?format=csv",
        "/metrics",
    ];
    for path in RUNBOOKS.into_iter().chain(others) {
        let page = server.get(path).await;
        assert_eq!(page.header("refresh"), None, "{path}");
        assert!(!page.text().contains("refresh=on"), "{path}");
    }
    let page = server.get("/runbooks?refresh=on").await;
    assert_eq!(page.header("refresh"), None);
    let page = server.get("/?refresh=60").await;
    assert_eq!(page.status, 400);
    assert!(page.text().contains("neither on nor off"));
}
