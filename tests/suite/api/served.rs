//! The API as a client meets it, and as it is without a network.

use super::small::{self, NOW};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::Request;
use secure_score_exporter::http::{Closed, Options, PersonDetail, Reply, Site, bind, serve};
use secure_score_exporter::store::Store;
use secure_score_exporter::telemetry::Telemetry;
use secure_score_model::Persons;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(super) fn options(persons: PersonDetail) -> Options {
    Options {
        telemetry_path: "/metrics".to_owned(),
        route_prefix: "/".to_owned(),
        external_url: None,
        exposed: false,
        access: Arc::default(),
        closed: Closed::default(),
        lifecycle: None,
        persons,
        version: "1.2.3".to_owned(),
        started: SystemTime::now(),
    }
}

pub(super) fn plain() -> PersonDetail {
    PersonDetail::Shown(Persons::Plain)
}

fn site(store: &Arc<Store>, options: Options) -> Site {
    let telemetry = Arc::new(Telemetry::new().unwrap());
    Site::new(Arc::clone(store), telemetry, options)
}

/// The small world on a port of its own.
pub(super) struct Served {
    address: SocketAddr,
    pub(super) store: Arc<Store>,
    http: reqwest::Client,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
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

impl Served {
    pub(super) async fn start(options: Options) -> Self {
        let store = Arc::default();
        small::fill(&store);
        let site = Arc::new(site(&store, options));
        let listeners = bind(&["127.0.0.1:0"]).await.unwrap();
        let address = listeners[0].local_addr().unwrap();
        tokio::spawn(serve(listeners, site, std::future::pending()));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            address,
            store,
            http,
        }
    }

    pub(super) async fn plain() -> Self {
        Self::start(options(plain())).await
    }

    pub(super) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let url = format!("http://{}{path}", self.address);
        let method = method.parse().unwrap();
        let mut request = self.http.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: answer.bytes().await.unwrap(),
        }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[]).await
    }

    /// The acceptances a query lets through, as tenant and control.
    pub(super) async fn found(&self, query: &str) -> Vec<String> {
        let answer = self.get(&format!("/api/v1/acceptances?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        let list = answer.json();
        let list = list["acceptances"].as_array().unwrap().iter();
        let name = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
        list.map(|it| format!("{}/{}", name(it, "tenant"), name(it, "control")))
            .collect()
    }
}

/// A site without a network, at a moment of our choice.
pub(super) struct Unserved {
    site: Site,
    pub(super) store: Arc<Store>,
}

impl Unserved {
    pub(super) fn new() -> Self {
        let store = Arc::default();
        small::fill(&store);
        Self {
            site: site(&store, options(plain())),
            store,
        }
    }

    pub(super) async fn ask(&self, path: &str, accept: &str) -> Reply {
        let request = Request::get(path)
            .header("host", "localhost")
            .header("accept", accept)
            .body(String::new())
            .unwrap();
        let now = UNIX_EPOCH + Duration::from_secs((NOW.nanos() / 1_000_000_000).unsigned_abs());
        self.site.respond(request, now).await
    }

    pub(super) async fn text(&self, path: &str, accept: &str) -> String {
        text(self.ask(path, accept).await).await
    }
}

pub(super) async fn text(reply: Reply) -> String {
    let body = reply.into_body().collect().await.unwrap();
    String::from_utf8(body.to_bytes().to_vec()).unwrap()
}
