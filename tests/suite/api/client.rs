//! The API over a real connection, and without a network at a given time.

use super::small::{self, NOW};
use crate::test_server::{self, TestServer, start_with};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::Request;
use secure_score_exporter::http::{Site, SiteOptions};
use secure_score_exporter::http_types::Response;
use secure_score_exporter::store::Store;
use secure_score_exporter::telemetry::Telemetry;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// The small tenants on a port of their own.
pub(super) struct ApiServer {
    pub(super) server: TestServer,
    http: reqwest::Client,
}

pub(super) struct ApiResponse {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) body: Bytes,
}

impl ApiResponse {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    pub(super) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl ApiServer {
    pub(super) async fn start(options: SiteOptions) -> Self {
        Self {
            server: start_with(small::store(), options).await,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// Shows persons.
    pub(super) async fn plain() -> Self {
        Self::start(test_server::options()).await
    }

    pub(super) async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> ApiResponse {
        let url = format!("http://{}{path}", self.server.address);
        let method = method.parse().unwrap();
        let mut request = self.http.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        ApiResponse {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap(),
        }
    }

    pub(super) async fn get(&self, path: &str) -> ApiResponse {
        self.request("GET", path, &[]).await
    }

    /// The acceptances that a query selects, as tenant and control.
    pub(super) async fn found(&self, query: &str) -> Vec<String> {
        let response = self.get(&format!("/api/v1/acceptances?{query}")).await;
        assert_eq!(response.status, 200, "{query}: {}", response.text());
        let list = response.json();
        let list = list["acceptances"].as_array().unwrap().iter();
        let name = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
        list.map(|it| format!("{}/{}", name(it, "tenant"), name(it, "control")))
            .collect()
    }
}

/// A site without a network, at [`NOW`].
pub(super) struct ApiSite {
    site: Site,
    pub(super) store: Arc<Store>,
}

impl ApiSite {
    pub(super) fn new() -> Self {
        let store = small::store();
        let telemetry = Arc::new(Telemetry::new().unwrap());
        Self {
            site: test_server::site(&store, &telemetry, test_server::options()),
            store,
        }
    }

    pub(super) async fn request(&self, path: &str, accept: &str) -> Response {
        let request = Request::get(path)
            .header("host", "localhost")
            .header("accept", accept)
            .body(String::new())
            .unwrap();
        let now = UNIX_EPOCH + Duration::from_secs((NOW.nanos() / 1_000_000_000).unsigned_abs());
        self.site.respond(request, now).await
    }

    pub(super) async fn text(&self, path: &str, accept: &str) -> String {
        text(self.request(path, accept).await).await
    }
}

pub(super) async fn text(response: Response) -> String {
    let body = response.into_body().collect().await.unwrap();
    String::from_utf8(body.to_bytes().to_vec()).unwrap()
}
