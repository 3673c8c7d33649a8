//! A partner's customers: one signs up, two have not consented.

use super::pages;
use super::stage::{Setting, Stage};
use crate::simulated::Simulated;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;

/// The customers without consent: alias and display name.
const NOT_CONSENTED: [(&str, &str); 2] = [
    ("woodgrove", "Woodgrove Bank"),
    ("tailspin", "Tailspin Toys"),
];

/// The lists that the token of the partner's own tenant opens.
const LISTS: [&str; 3] = ["customers", "relationships", "organization"];

/// The interface and the tenant of each request.
async fn requests(simulated: &Simulated) -> BTreeSet<(String, String)> {
    let word = |request: &Value, key: &str| request[key].as_str().unwrap_or_default().to_owned();
    let requests = simulated.list("requests").await;
    let pairs = requests
        .iter()
        .map(|it| (word(it, "api"), word(it, "tenant")));
    pairs.collect()
}

async fn customer_id(simulated: &Simulated, name: &str) -> String {
    let customers = simulated.list("partners/partner/customers").await;
    let customer = customers.iter().find(|it| it["name"] == name).unwrap();
    customer["tenant_id"].as_str().unwrap().to_owned()
}

fn edit(simulated: &Simulated, old: &str, new: &str) {
    let config = fs::read_to_string(simulated.config()).unwrap();
    assert!(config.contains(old), "{old}\n{config}");
    fs::write(simulated.config(), config.replace(old, new)).unwrap();
}

/// Summary, description and pages of a ticket about a customer.
async fn ticket(stage: &Stage, alert: &str, id: &str) -> String {
    let is_it = |it: &&Value| {
        let labels = &it["labels"];
        labels["alertname"] == alert && labels["entra_tenant_id"] == id
    };
    let found = |stage: &Stage| {
        let posted = stage.web.posted("/tickets").into_iter();
        let alerts = posted.filter_map(|it| it.body["alerts"].as_array().cloned());
        let alerts: Vec<Value> = alerts.flatten().collect();
        let alert = alerts.iter().find(is_it)?;
        let texts = ["summary", "description", "page_url", "runbook_url"];
        let texts = texts.map(|it| alert["annotations"][it].as_str().unwrap_or_default());
        Some(texts.join("\n"))
    };
    stage.wait(&format!("a ticket {alert}"), found).await
}

/// Two customers without consent. Two further tenants fail from the beginning, so
/// that the alerts about that fire: fabrikam's credential is refused, and adatum,
/// which is no customer, has not consented. Tokens of the partner's own tenant open
/// its lists alone.
async fn prepared() -> Simulated {
    let simulated = Simulated::start();
    for (name, _) in NOT_CONSENTED {
        let id = customer_id(&simulated, name).await;
        let entry = format!("\ntenants:\n  - {{name: {name}, tenant_id: {id}}}\n");
        edit(&simulated, "\ntenants:\n", &entry);
    }
    let roles = [
        "DelegatedAdminRelationship.Read.All",
        "MultiTenantOrganization.Read.All",
    ];
    for (tenant, what) in [
        ("partner", json!({"roles": roles})),
        ("fabrikam", json!({"aadsts": 7_000_215})),
        ("adatum", json!({"aadsts": 65_001})),
    ] {
        let fault = json!({"tenant": tenant, "api": "token", "what": what});
        simulated.inject(fault).await;
    }
    simulated.remove_customer("adatum").await;
    simulated
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_customer_and_two_without_consent_reach_the_ticket_system() {
    let simulated = prepared().await;
    let state = tempfile::tempdir().unwrap();
    let state = state.path().display().to_string();
    let setting = Setting {
        read_tenants: 3,
        at_any_hour: true,
        thresholds: &[
            ("customer_unwatched_seconds", 5.0),
            ("customer_not_consented_seconds", 5.0),
        ],
        flags: &["--state.dir", &state],
        ..Setting::default()
    };
    let stage = Stage::around(simulated, &setting).await;

    let failures = "secure_score_refresh_failures_total{api=\"profiles\"} > 0";
    stage.wait_for(&format!("count({failures}) == 4")).await;
    let state = "secure_score_partner_customer_state{state=\"not_consented\"}";
    stage.wait_for(&format!("count({state}) == 2")).await;
    for (alias, name) in NOT_CONSENTED {
        let id = customer_id(&stage.simulated, alias).await;
        let text = ticket(&stage, "SecureScoreCustomerNotConsented", &id).await;
        for part in [
            format!("Customer {name} has not consented: its Secure Score cannot be read\n"),
            format!(
                "Customer {name} ({id}) of partner partner, tenant {alias}, has been without consent since "
            ),
            format!("/{id}/adminconsent?client_id="),
        ] {
            assert!(text.contains(&part), "{part}\n{text}");
        }
        let links = ["/", "/runbooks/SecureScoreCustomerNotConsented"];
        assert_eq!(stage.followed(&text).await, links, "{text}");
    }
    let before = requests(&stage.simulated).await;
    let organization = ("organization".to_owned(), "partner".to_owned());
    assert!(!before.contains(&organization), "{before:?}");

    // The reload reads the lists, since there is another one, and what failed.
    let customer = json!({"name": "margies-travel", "display_name": "Margie's Travel"});
    let path = "partners/partner/sign-up";
    let customer = stage.simulated.post(path, customer).await;
    let id = customer["tenant_id"].as_str().unwrap();
    let sources = "interval: 5m, source: [delegated_admin_customers, multitenant_organization]";
    edit(&stage.simulated, "interval: 5m", sources);
    stage.exporter.hang_up();
    let text = ticket(&stage, "SecureScoreCustomerUnwatched", id).await;
    for part in [
        "Customer Margie's Travel is not watched\n".to_owned(),
        format!("Customer Margie's Travel ({id}) of partner partner has been unwatched since "),
        format!("/{id}/adminconsent?client_id="),
    ] {
        assert!(text.contains(&part), "{part}\n{text}");
    }
    let links = ["/", "/runbooks/SecureScoreCustomerUnwatched"];
    assert_eq!(stage.followed(&text).await, links, "{text}");

    // The failures of all four have increased, and two of them are alerts.
    let failing = "tenant:secure_score_up:min == 0 and on (tenant) (tenant:secure_score_refresh_failures_credential:increase70m > 0 or tenant:secure_score_refresh_failures_permission:increase70m > 0)";
    stage.wait_for(&format!("count({failing}) == 4")).await;
    for (alert, tenant) in [
        ("SecureScoreCredentialFailing", "fabrikam"),
        ("SecureScorePermissionMissing", "adatum"),
    ] {
        let page = stage.wait("a page", |it| pages(it, alert).into_iter().next());
        let page = page.await.to_string();
        assert!(page.to_lowercase().contains(tenant), "{page}");
    }
    let alerts = "ALERTS{alertname=~\"SecureScore(CredentialFailing|PermissionMissing|RefreshFailing|DataStale)\",tenant=~\"woodgrove|tailspin\"}";
    let quiet = stage.query(&format!("max_over_time({alerts}[10m])")).await;
    assert!(quiet.is_empty(), "{quiet:#?}");

    edit(
        &stage.simulated,
        "interval: 5m",
        "interval: 5m, new_customers: watch",
    );
    stage.exporter.hang_up();
    let info = format!("secure_score_partner_customer_info{{entra_tenant_id=\"{id}\"}}");
    stage
        .wait_for(&format!("secure_score_tenant_score and on (tenant) {info}"))
        .await;

    let all = requests(&stage.simulated).await;
    assert!(all.contains(&organization), "{all:?}");
    assert!(all.contains(&("scores".to_owned(), "margies-travel".to_owned())));
    for (api, tenant) in &all {
        let is_list = LISTS.contains(&api.as_str());
        let is_partner = tenant == "partner";
        assert!(
            is_list == is_partner || api == "token",
            "{api} with a token of {tenant}"
        );
    }
    let log = stage.exporter.output();
    assert!(!log.contains("the token lacks the permission"), "{log}");
}
