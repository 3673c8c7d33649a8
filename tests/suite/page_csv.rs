//! The table of each page as CSV, by a link.

use crate::test_server::{
    HOSTILE, TestServer, change, control, options, start, start_showing, tenant, with_controls,
    with_history,
};
use crate::web_pages::PAGES;
use secure_score_exporter::http::{DisabledRoutes, SiteOptions};
use secure_score_model::{Category, ControlState};

/// The address of the CSV that a page links.
async fn linked(server: &TestServer, path: &str) -> String {
    let page = server.get(path).await;
    let links = page.text().split("href=\"");
    let mut found = links.filter_map(|rest| {
        let (address, _) = rest.split_once('"')?;
        address.ends_with("format=csv").then(|| address.to_owned())
    });
    let link = found.next();
    link.unwrap_or_else(|| panic!("{path} links no CSV"))
        .replace("&amp;", "&")
}

#[tokio::test]
async fn every_page_links_its_table_as_csv() {
    let server = start_showing(with_history()).await;
    for (path, name, first, rows) in [
        ("/", "tenants.csv", "tenant,display_name,", 1),
        (
            "/acceptances",
            "acceptances.csv",
            "tenant,tenant_display_name,",
            4,
        ),
        (
            "/acceptances?category=Apps&sort=points",
            "acceptances.csv",
            "tenant,tenant_display_name,",
            1,
        ),
        (
            "/tenants/contoso",
            "controls-contoso.csv",
            "control,title,",
            5,
        ),
        (
            "/tenants/contoso?state=to_address",
            "controls-contoso.csv",
            "control,title,",
            2,
        ),
    ] {
        let csv = server.get(&linked(&server, path).await).await;
        assert_eq!(csv.status, 200, "{path}");
        let kind = "text/csv; charset=utf-8; header=present";
        assert_eq!(csv.header("content-type"), Some(kind), "{path}");
        let attachment = format!("attachment; filename=\"{name}\"");
        assert_eq!(csv.header("content-disposition"), Some(&*attachment));
        assert!(csv.text().starts_with(first), "{path}: {}", csv.text());
        assert_eq!(
            csv.text().lines().count(),
            1 + rows,
            "{path}: {}",
            csv.text()
        );
    }
    for path in PAGES {
        linked(&server, path).await;
    }
}

#[tokio::test]
async fn the_csv_of_a_page_has_neither_formulas_nor_hidden_persons() {
    let update = change(
        ControlState::RiskAccepted,
        1_763_626_530,
        "amy@x.example",
        "=1+1",
    );
    let named = control(&format!("={HOSTILE}"), Category::Identity, vec![update]);
    let state = with_controls(tenant("contoso"), vec![named]);
    let server = start_showing(state.clone()).await;
    for path in ["/acceptances?format=csv", "/tenants/contoso?format=csv"] {
        let csv = server.get(path).await;
        assert!(csv.text().contains("amy@x.example"), "{path}");
        assert!(csv.text().contains("'=1+1"), "{path}");
        assert!(csv.text().contains("\"'=<script>"), "{path}");
    }
    let server = start(SiteOptions::default()).await;
    server.store.publish(state);
    for path in ["/acceptances?format=csv", "/tenants/contoso?format=csv"] {
        let csv = server.get(path).await;
        assert!(csv.text().contains("risk_accepted"), "{path}");
        assert!(!csv.text().contains("amy@x.example"), "{path}");
        assert!(!csv.text().contains("=1+1"), "{path}");
    }
}

#[tokio::test]
async fn csv_of_something_unknown_is_an_error() {
    let server = start_showing(with_history()).await;
    for (path, status, words) in [
        (
            "/tenants/contosso?format=csv",
            404,
            "similar names: contoso",
        ),
        (
            "/tenants/contoso?format=csv&state=odd",
            400,
            "risk_accepted",
        ),
        ("/acceptances?format=csv&tennant=x", 400, "tenant, control"),
        ("/?format=csv&show=odd", 400, "below_target"),
        ("/controls/Nothing?format=csv", 404, "Nothing"),
        ("/tenants/contoso/evidence?format=csv&since=odd", 400, "odd"),
        (
            "/tenants/contoso/evidence?format=json&tennant=x",
            400,
            "since, until",
        ),
        ("/tenants/contosso/evidence?format=csv", 404, "contosso"),
    ] {
        let error = server.get(path).await;
        assert_eq!(error.status, status, "{path}");
        let kind = error.header("content-type");
        assert_eq!(kind, Some("text/plain; charset=utf-8"), "{path}");
        assert_eq!(error.text().lines().count(), 1, "{path}");
        assert!(error.text().contains(words), "{path}: {}", error.text());
    }
    for (path, status, words) in [
        ("/?format=pdf", 400, "html and csv"),
        ("/tenants/contoso/evidence?since=odd", 400, "<title>"),
        ("/tenants/contosso?state=odd", 404, "<title>"),
    ] {
        let page = server.get(path).await;
        assert_eq!(page.status, status, "{path}");
        assert!(page.text().contains(words), "{path}: {}", page.text());
    }
}

#[tokio::test]
async fn the_csv_of_pages_does_not_need_the_api_and_the_api_has_csv_by_link_too() {
    let csv = ["/acceptances?format=csv", "/?format=csv"];
    let api = [
        "/api/v1/acceptances?kind=all&format=csv",
        "/api/v1/tenants?format=csv",
    ];
    let server = start_showing(with_history()).await;
    for (page, api) in csv.into_iter().zip(api) {
        let (page, api) = (server.get(page).await, server.get(api).await);
        assert_eq!(page.body, api.body);
        assert_eq!(page.header("content-type"), api.header("content-type"));
    }
    let headers = "Accept: text/csv\r\n";
    let json = server
        .request("GET", "/api/v1/tenants?format=json", headers)
        .await;
    assert_eq!(json.header("content-type"), Some("application/json"));
    let negotiated = server.request("GET", "/api/v1/tenants", headers).await;
    assert!(
        negotiated.text().starts_with("tenant,"),
        "{}",
        negotiated.text()
    );

    let without_api = SiteOptions {
        disabled: DisabledRoutes {
            api: true,
            ..DisabledRoutes::default()
        },
        ..options()
    };
    let server = start(without_api).await;
    server.store.publish(with_history());
    for path in csv {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
}
