//! A minimal client: it gets a token and every page, and parses each field that
//! the exporter parses. It validates, joins, caches and renders nothing.

use reqwest::{Certificate, Client};
use secure_score_exporter::config::{ClientSecret, Config, Credential, Tenant};
use serde::Deserialize;
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// The fields that the exporter requests.
const FIELDS: &str = "id,azureTenantId,title,controlCategory,service,tier,userImpact,implementationCost,actionType,actionUrl,maxScore,deprecated,controlStateUpdates";

#[derive(Clone, Deserialize)]
struct Token {
    access_token: String,
}

#[derive(Deserialize)]
struct Page<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

/// A text, borrowed where possible. (Serde would copy that of an `Option<Cow<str>>`.)
#[allow(dead_code, reason = "parsing it is measured")]
#[derive(Deserialize)]
struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

type Text<'a> = Option<Borrowed<'a>>;

#[allow(dead_code, reason = "parsing them is measured")]
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    azure_tenant_id: Text<'a>,
    title: Text<'a>,
    control_category: Text<'a>,
    service: Text<'a>,
    tier: Text<'a>,
    user_impact: Text<'a>,
    implementation_cost: Text<'a>,
    action_type: Text<'a>,
    action_url: Text<'a>,
    max_score: Option<f64>,
    deprecated: Option<bool>,
    control_state_updates: Vec<StateUpdate<'a>>,
}

#[allow(dead_code, reason = "parsing them is measured")]
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StateUpdate<'a> {
    #[serde(borrow)]
    state: Text<'a>,
    assigned_to: Text<'a>,
    comment: Text<'a>,
    updated_by: Text<'a>,
    updated_date_time: Text<'a>,
}

#[allow(dead_code, reason = "parsing them is measured")]
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Score<'a> {
    #[serde(borrow)]
    azure_tenant_id: Text<'a>,
    created_date_time: Text<'a>,
    current_score: Option<f64>,
    max_score: Option<f64>,
    active_user_count: Option<f64>,
    licensed_user_count: Option<f64>,
    average_comparative_scores: Vec<Comparison<'a>>,
    control_scores: Vec<ControlScore<'a>>,
}

#[allow(dead_code, reason = "parsing them is measured")]
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comparison<'a> {
    #[serde(borrow)]
    basis: Text<'a>,
    average_score: Option<f64>,
    identity_score: Option<f64>,
    identity_score_max: Option<f64>,
    data_score: Option<f64>,
    data_score_max: Option<f64>,
    device_score: Option<f64>,
    device_score_max: Option<f64>,
    apps_score: Option<f64>,
    apps_score_max: Option<f64>,
    infrastructure_score: Option<f64>,
    infrastructure_score_max: Option<f64>,
}

#[allow(dead_code, reason = "parsing them is measured")]
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ControlScore<'a> {
    #[serde(borrow)]
    control_name: Text<'a>,
    control_category: Text<'a>,
    description: Text<'a>,
    score: Option<f64>,
    score_in_percentage: Option<f64>,
    last_synced: Text<'a>,
    implementation_status: Text<'a>,
    #[serde(rename = "NotScored")]
    not_scored: Text<'a>,
}

/// A client with a token for every tenant.
pub(crate) struct Downloader {
    http: Client,
    root: String,
    permits: Arc<Semaphore>,
    tokens: Vec<Token>,
}

impl Downloader {
    /// Requests every tenant's token.
    pub(crate) async fn sign_in(config: &Config, folder: &Path) -> Self {
        let simulator = config.simulator.as_ref().unwrap();
        let roots = simulator.ca.certificates.iter();
        let http = Client::builder()
            .tls_certs_only(roots.map(|der| Certificate::from_der(der).unwrap()))
            .no_proxy()
            .build()
            .unwrap();
        let permits = Arc::new(Semaphore::new(config.refresh.concurrency.get()));
        let mut tokens = JoinSet::new();
        for tenant in &config.tenants {
            let file = folder.join("secrets").join(&tenant.alias);
            let secret = std::fs::read_to_string(file).unwrap();
            let token = token(http.clone(), simulator.url.clone(), tenant.clone(), secret);
            tokens.spawn(limited(Arc::clone(&permits), token));
        }
        Self {
            root: simulator.url.clone(),
            http,
            permits,
            tokens: tokens.join_all().await,
        }
    }

    /// Downloads every tenant's lists. Returns their uncompressed size in bytes.
    pub(crate) async fn download(&self) -> usize {
        let mut tenants = JoinSet::new();
        for token in &self.tokens {
            let download = download(self.http.clone(), self.root.clone(), token.clone());
            tenants.spawn(limited(Arc::clone(&self.permits), download));
        }
        tenants.join_all().await.into_iter().sum()
    }
}

async fn limited<T>(permits: Arc<Semaphore>, work: impl Future<Output = T>) -> T {
    let _permit = permits.acquire().await.unwrap();
    work.await
}

async fn token(http: Client, root: String, tenant: Tenant, secret: String) -> Token {
    let Credential::ClientSecret(ClientSecret { client_id, .. }) = &tenant.credential else {
        panic!("simulated tenants have secrets");
    };
    let form = format!(
        "grant_type=client_credentials&client_id={client_id}&client_secret={secret}&scope={root}/.default"
    );
    let response = http
        .post(format!("{root}/{}/oauth2/v2.0/token", tenant.tenant_id))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

async fn download(http: Client, root: String, token: Token) -> usize {
    let mut bytes = 0;
    let mut controls = 0;
    let list = format!("{root}/v1.0/security/secureScoreControlProfiles?$select={FIELDS}");
    let mut next = Some(list);
    while let Some(url) = next {
        let body = get(&http, &url, &token).await;
        let page: Page<Profile<'_>> = serde_json::from_slice(&body).unwrap();
        bytes += body.len();
        controls += page.value.len();
        next = page.next;
    }
    let url = format!("{root}/v1.0/security/secureScores?$top=1");
    let body = get(&http, &url, &token).await;
    let page: Page<Score<'_>> = serde_json::from_slice(&body).unwrap();
    assert!(controls > 200 && page.value[0].control_scores.len() > 50);
    bytes + body.len()
}

async fn get(http: &Client, url: &str, token: &Token) -> bytes::Bytes {
    let bearer = format!("Bearer {}", token.access_token);
    let sent = http.get(url).header("authorization", bearer).send().await;
    let response = sent.unwrap().error_for_status().unwrap();
    response.bytes().await.unwrap()
}
