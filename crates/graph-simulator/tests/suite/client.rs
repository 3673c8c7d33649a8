//! A simulator and a client of it.

use graph_simulator::{
    Api, Fault, FaultKind, Options, PartnerHandle, PartnerOptions, RecommendationsAccess,
    Simulator, SimulatorHandle, TenantAccess,
};
use reqwest::{Certificate, ClientBuilder, RequestBuilder, Response, StatusCode};
use serde_json::Value;

pub(crate) const PROFILES: &str = "secureScoreControlProfiles";
pub(crate) const SCORES: &str = "secureScores?$top=1";
pub(crate) const RECOMMENDATIONS: &str = "/beta/directory/recommendations";
pub(crate) const CUSTOMERS: &str = "/v1.0/tenantRelationships/delegatedAdminCustomers";
pub(crate) const RELATIONSHIPS: &str = "/v1.0/tenantRelationships/delegatedAdminRelationships";
pub(crate) const ORGANIZATION: &str = "/v1.0/tenantRelationships/multiTenantOrganization/tenants";
pub(crate) const IDENTITY_SCORES: &str = "/beta/directory/recommendations/tenantSecureScores";

/// A form of `application/x-www-form-urlencoded`.
pub(crate) type Form = Vec<(&'static str, String)>;

/// A running simulator and a client of it.
pub(crate) struct TestClient {
    pub(crate) simulator: Simulator,
    pub(crate) http: reqwest::Client,
}

impl TestClient {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let simulator = Simulator::start(options).await.unwrap();
        let http = builder(&simulator).build().unwrap();
        Self { simulator, http }
    }

    /// Every tenant grants the permission for recommendations.
    pub(crate) async fn granted() -> Self {
        Self::with(Options {
            recommendations: RecommendationsAccess::Granted,
            ..Options::default()
        })
        .await
    }

    /// Replaces the HTTP client.
    pub(crate) fn configure(&mut self, change: impl FnOnce(ClientBuilder) -> ClientBuilder) {
        self.http = change(builder(&self.simulator)).build().unwrap();
    }

    pub(crate) fn handle(&self) -> SimulatorHandle {
        self.simulator.handle()
    }

    /// Injects a fault of all tenants.
    pub(crate) fn inject(&self, api: Api, kind: FaultKind) {
        self.handle().inject(None, Fault::new(api, kind)).unwrap();
    }

    /// A partner with the tenants and seven further customers.
    pub(crate) async fn partner() -> (Self, PartnerHandle) {
        let client = Self::with(Options {
            partners: vec![PartnerOptions::default()],
            ..Options::default()
        })
        .await;
        let partner = client.handle().partner("partner").unwrap();
        (client, partner)
    }

    /// A tenant of the options, or a partner's.
    pub(crate) fn tenant(&self, name: &str) -> TenantAccess {
        let tenants = self.simulator.tenants().into_iter();
        let mut tenants = tenants.chain(self.handle().partners());
        tenants.find(|tenant| tenant.name == name).unwrap()
    }

    /// The form of a valid token request.
    pub(crate) fn form(&self, tenant: &TenantAccess) -> Form {
        vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", tenant.client_id.clone()),
            ("client_secret", tenant.client_secret.clone()),
            ("scope", format!("{}/.default", self.simulator.url())),
        ]
    }

    /// Requests a token. `tenant_id` is a GUID or domain.
    pub(crate) async fn request_token(&self, tenant_id: &str, form: &Form) -> Response {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let url = format!("{}/{tenant_id}/oauth2/v2.0/token", self.simulator.url());
        let request = self.http.post(url).body(body);
        let content_type = "application/x-www-form-urlencoded";
        send(request.header("content-type", content_type)).await
    }

    pub(crate) async fn token(&self, tenant: &str) -> String {
        let tenant = self.tenant(tenant);
        let form = self.form(&tenant);
        let body = json(self.request_token(&tenant.entra_id, &form).await).await;
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// The URL of a list of Secure Score by its name, of another by its path, or a next
    /// link as it is.
    pub(crate) fn url(&self, list: &str) -> String {
        let url = self.simulator.url();
        match list {
            link if link.starts_with("https://") => link.to_owned(),
            path if path.starts_with("/beta/") || path.starts_with("/v1.0/") => {
                format!("{url}{path}")
            }
            name => format!("{url}/v1.0/security/{name}"),
        }
    }

    /// A request for a list with a token.
    pub(crate) fn request(&self, token: &str, list: &str) -> RequestBuilder {
        self.http.get(self.url(list)).bearer_auth(token)
    }

    /// The response to a request with a new token.
    pub(crate) async fn get(&self, tenant: &str, list: &str) -> Response {
        let token = self.token(tenant).await;
        send(self.request(&token, list)).await
    }

    pub(crate) async fn status(&self, tenant: &str, list: &str) -> StatusCode {
        self.get(tenant, list).await.status()
    }

    /// A page of a list.
    pub(crate) async fn list(&self, tenant: &str, list: &str) -> Value {
        let response = self.get(tenant, list).await;
        assert_eq!(response.status(), StatusCode::OK);
        json(response).await
    }

    pub(crate) async fn newest_report(&self, tenant: &str) -> Value {
        self.list(tenant, SCORES).await["value"][0].clone()
    }

    /// All reports, newest first.
    pub(crate) async fn reports(&self, tenant: &str) -> Vec<Value> {
        elements(&self.list(tenant, "secureScores").await).clone()
    }

    /// All pages of the catalogue.
    pub(crate) async fn profiles(&self, tenant: &str) -> Vec<Value> {
        self.all(tenant, PROFILES).await
    }

    /// The elements of all pages of a list.
    pub(crate) async fn all(&self, tenant: &str, list: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut next = Some(list.to_owned());
        while let Some(list) = next {
            let page = self.list(tenant, &list).await;
            found.extend(elements(&page).clone());
            next = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        found
    }

    pub(crate) async fn profile(&self, tenant: &str, id: &str) -> Value {
        let mut profiles = self.profiles(tenant).await.into_iter();
        profiles.find(|profile| profile["id"] == id).unwrap()
    }

    /// A control's `controlStateUpdates`.
    pub(crate) async fn history(&self, tenant: &str, id: &str) -> Vec<Value> {
        let profile = self.profile(tenant, id).await;
        profile["controlStateUpdates"].as_array().unwrap().clone()
    }
}

fn builder(simulator: &Simulator) -> ClientBuilder {
    let authority = Certificate::from_pem(simulator.ca_pem().as_bytes()).unwrap();
    reqwest::Client::builder()
        .tls_certs_only([authority])
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
}

pub(crate) async fn send(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

pub(crate) async fn json(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

pub(crate) fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    Some(response.headers().get(name)?.to_str().unwrap())
}

/// The elements of a list.
pub(crate) fn elements(list: &Value) -> &Vec<Value> {
    list["value"].as_array().unwrap()
}

/// The control scores of a report.
pub(crate) fn scores(report: &Value) -> &Vec<Value> {
    report["controlScores"].as_array().unwrap()
}

/// A number that must be there.
pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}
