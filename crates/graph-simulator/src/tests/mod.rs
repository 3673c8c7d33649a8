//! Behaviour over the wire, with a client that trusts nothing but the simulator.

mod control;
mod faults;
mod lists;
mod replay;
mod tokens;

use reqwest::{Certificate, Response, StatusCode};
use serde_json::Value;

use super::{Options, Simulator, TenantAccess};

/// A running simulator and a client for it.
struct Stage {
    simulator: Simulator,
    http: reqwest::Client,
}

impl Stage {
    async fn new() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let simulator = Simulator::start(options).await.unwrap();
        let http = client(&simulator).build().unwrap();
        Self { simulator, http }
    }

    fn tenant(&self, name: &str) -> TenantAccess {
        self.simulator
            .tenants()
            .into_iter()
            .find(|tenant| tenant.name == name)
            .unwrap()
    }

    /// The form of a good token request.
    fn form(&self, tenant: &TenantAccess) -> Vec<(&'static str, String)> {
        vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", tenant.client_id.clone()),
            ("client_secret", tenant.client_secret.clone()),
            ("scope", format!("{}/.default", self.simulator.url())),
        ]
    }

    async fn ask_token(&self, path_tenant: &str, form: &[(&str, String)]) -> Response {
        let pairs: Vec<String> = form
            .iter()
            .map(|(key, value)| format!("{key}={}", encode(value)))
            .collect();
        let url = format!("{}/{path_tenant}/oauth2/v2.0/token", self.simulator.url());
        let request = self
            .http
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded");
        request.body(pairs.join("&")).send().await.unwrap()
    }

    async fn token(&self, name: &str) -> String {
        let tenant = self.tenant(name);
        let answer = json(self.ask_token(&tenant.entra_id, &self.form(&tenant)).await).await;
        answer["access_token"].as_str().unwrap().to_owned()
    }

    async fn try_get(&self, token: &str, path: &str) -> reqwest::Result<Response> {
        let url = match path.starts_with("https://") {
            true => path.to_owned(),
            false => format!("{}/v1.0/security/{path}", self.simulator.url()),
        };
        self.http.get(url).bearer_auth(token).send().await
    }

    async fn get(&self, name: &str, path: &str) -> Response {
        let token = self.token(name).await;
        self.try_get(&token, path).await.unwrap()
    }

    async fn list(&self, name: &str, path: &str) -> Value {
        let response = self.get(name, path).await;
        assert_eq!(response.status(), StatusCode::OK);
        json(response).await
    }

    async fn newest_report(&self, name: &str) -> Value {
        self.list(name, "secureScores?$top=1").await["value"][0].clone()
    }

    /// Every profile of a tenant, by following the links.
    async fn profiles(&self, name: &str) -> Vec<Value> {
        let mut elements = Vec::new();
        let mut next = Some("secureScoreControlProfiles".to_owned());
        while let Some(path) = next {
            let page = self.list(name, &path).await;
            elements.extend(page["value"].as_array().unwrap().clone());
            next = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        elements
    }

    async fn profile(&self, name: &str, id: &str) -> Value {
        self.profiles(name)
            .await
            .into_iter()
            .find(|profile| profile["id"] == id)
            .unwrap()
    }
}

fn client(simulator: &Simulator) -> reqwest::ClientBuilder {
    let ca = Certificate::from_pem(simulator.ca_pem().as_bytes()).unwrap();
    reqwest::Client::builder()
        .tls_certs_only([ca])
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
}

async fn json(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

/// Percent-encodes all but letters and digits.
fn encode(text: &str) -> String {
    let coded = text.bytes().map(|byte| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    coded.collect()
}

fn elements(list: &Value) -> &Vec<Value> {
    list["value"].as_array().unwrap()
}
