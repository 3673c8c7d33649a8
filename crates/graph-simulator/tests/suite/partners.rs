//! A partner's customers and relationships.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use graph_simulator::{
    Api, Consent, Customer, HandleError, Options, PartnerPermission, Relationship,
};
use reqwest::StatusCode;
use serde_json::Value;

use crate::client::{
    CUSTOMERS, Form, ORGANIZATION, RELATIONSHIPS, SCORES, TestClient, elements, json, send,
};

/// The form with which a partner's application signs in anywhere.
fn form(client: &TestClient) -> Form {
    client.form(&client.tenant("partner"))
}

/// Status and body of the response to a token request of the partner's application.
async fn sign_in(client: &TestClient, tenant_id: &str) -> (StatusCode, Value) {
    let response = client.request_token(tenant_id, &form(client)).await;
    (response.status(), json(response).await)
}

/// The roles in a token.
fn roles(token: &str) -> Vec<String> {
    let payload = token.split('.').nth(1).unwrap();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    let roles = claims["roles"].as_array().unwrap().iter();
    roles
        .map(|role| role.as_str().unwrap().to_owned())
        .collect()
}

fn texts(elements: &[Value], key: &str) -> Vec<String> {
    let texts = elements
        .iter()
        .map(|it| it[key].as_str().unwrap_or("").to_owned());
    texts.collect()
}

#[tokio::test]
async fn a_partner_lists_the_tenants_and_seven_further_customers() {
    let (client, _) = TestClient::partner().await;
    let list = client.list("partner", CUSTOMERS).await;
    let customers = elements(&list);
    assert_eq!(customers.len(), 12);
    assert_eq!(customers[0]["tenantId"], client.tenant("contoso").entra_id);
    assert!(customers.iter().all(|it| it["id"] == it["tenantId"]));
    let names = texts(customers, "displayName");
    assert!(
        names.contains(&"Contoso Ltd".to_owned()) && names.contains(&"Woodgrove Bank".to_owned())
    );
    // The customers besides the tenants of the options are found by the partner only.
    assert_eq!(client.simulator.tenants().len(), 5);
    let ids: BTreeSet<String> = texts(customers, "id").into_iter().collect();
    assert!(!ids.contains(&client.tenant("partner").entra_id));
}

#[tokio::test]
async fn a_partner_sees_relationships_of_any_status_and_a_filter_narrows_them() {
    let (client, _) = TestClient::partner().await;
    let all = client.all("partner", RELATIONSHIPS).await;
    let statuses: BTreeSet<String> = texts(&all, "status").into_iter().collect();
    assert!(statuses.len() > 2, "{statuses:?}");
    let active = format!("{RELATIONSHIPS}?$filter=status eq 'active'&$top=300");
    let active = client.all("partner", &active).await;
    assert!(active.len() > 12 && active.iter().all(|it| it["status"] == "active"));
    assert!(
        texts(&active, "displayName")
            .iter()
            .any(|name| name.starts_with("MLT_"))
    );
    let ids: BTreeSet<String> = texts(&all, "id").into_iter().collect();
    assert_eq!(
        ids.len(),
        all.len(),
        "every relationship has an id of its own"
    );
    let pending = all.iter().find(|it| it["status"] == "approvalPending");
    assert_eq!(pending.unwrap()["endDateTime"], Value::Null);
}

#[tokio::test]
async fn a_thousand_customers_take_four_pages_of_three_hundred() {
    let (client, partner) = TestClient::partner().await;
    partner.sign_up_many(988).unwrap();
    let first = format!("{CUSTOMERS}?$top=300");
    let customers = client.all("partner", &first).await;
    assert_eq!(customers.len(), 1000);
    let requests = client.handle().requests().into_iter();
    let requests: Vec<_> = requests
        .filter(|it| it.api == Some(Api::Customers))
        .collect();
    let pages: Vec<u32> = requests.iter().map(|it| it.page).collect();
    assert_eq!(pages, [1, 2, 3, 4]);
    assert!(requests[3].path_and_query.contains("$skipToken="));
    assert!(
        requests
            .iter()
            .all(|it| it.tenant.as_deref() == Some("partner"))
    );
    let larger = format!("{CUSTOMERS}?$top=301");
    assert_eq!(
        client.status("partner", &larger).await,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn only_the_partner_holds_the_permission_and_only_with_it_the_lists_answer() {
    let (client, partner) = TestClient::partner().await;
    let role = "DelegatedAdminRelationship.Read.All".to_owned();
    assert!(roles(&client.token("partner").await).contains(&role));
    let contoso = client.tenant("contoso");
    let (status, body) = sign_in(&client, &contoso.entra_id).await;
    assert_eq!(status, StatusCode::OK);
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(roles(token), ["SecurityEvents.Read.All"]);
    for list in [CUSTOMERS, RELATIONSHIPS] {
        let response = send(client.request(token, list)).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(
            json(response).await["error"]["code"],
            "Authorization_RequestDenied"
        );
        assert_eq!(client.status("contoso", list).await, StatusCode::FORBIDDEN);
    }
    partner.revoke(PartnerPermission::DelegatedAdminRelationship);
    assert_eq!(
        client.status("partner", CUSTOMERS).await,
        StatusCode::FORBIDDEN
    );
    partner.grant(PartnerPermission::DelegatedAdminRelationship);
    assert_eq!(client.status("partner", CUSTOMERS).await, StatusCode::OK);
}

#[tokio::test]
async fn the_organization_needs_a_permission_of_its_own_and_has_the_partners_tenant() {
    let (client, partner) = TestClient::partner().await;
    assert_eq!(
        client.status("partner", ORGANIZATION).await,
        StatusCode::FORBIDDEN
    );
    partner.grant(PartnerPermission::MultiTenantOrganization);
    let own = client.tenant("partner").entra_id;
    let tenants = client.all("partner", ORGANIZATION).await;
    assert_eq!(tenants[0]["tenantId"], own);
    assert_eq!(
        texts(&tenants, "role"),
        ["owner", "member", "member", "member"]
    );
    assert_eq!(texts(&tenants, "state")[2..], ["active", "pending"]);
    partner.set_organization(&[("litware", "removed")]).unwrap();
    let tenants = client.all("partner", ORGANIZATION).await;
    assert_eq!(texts(&tenants, "displayName")[1..], ["Litware".to_owned()]);
    assert_eq!(tenants[1]["state"], "removed");
    let top = format!("{ORGANIZATION}?$top=1");
    assert_eq!(
        client.status("partner", &top).await,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn the_partners_application_reads_the_scores_of_customers_that_consented() {
    let (client, partner) = TestClient::partner().await;
    for customer in partner.customers() {
        let id = customer.tenant_id.unwrap();
        let (status, body) = sign_in(&client, &id).await;
        let number = match customer.name.as_str() {
            "woodgrove" => 700_016,
            "tailspin" => 65_001,
            _ => {
                assert_eq!(status, StatusCode::OK, "{}", customer.name);
                let token = body["access_token"].as_str().unwrap();
                let report = json(send(client.request(token, SCORES)).await).await;
                assert_eq!(elements(&report)[0]["azureTenantId"], id);
                continue;
            }
        };
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(body["error_codes"][0], number, "{body}");
    }
}

#[tokio::test]
async fn consent_is_granted_and_revoked() {
    let (client, partner) = TestClient::partner().await;
    let id = |name: &str| {
        let mut customers = partner.customers().into_iter();
        let customer = customers.find(|it| it.name == name).unwrap();
        customer.tenant_id.unwrap()
    };
    let handle = client.handle();
    handle.set_consent("woodgrove", Consent::Granted).unwrap();
    assert_eq!(sign_in(&client, &id("woodgrove")).await.0, StatusCode::OK);
    let revoked = Consent::NoServicePrincipal;
    handle.set_consent("contoso", revoked).unwrap();
    let (_, body) = sign_in(&client, &id("contoso")).await;
    assert_eq!(body["error_codes"][0], 7_000_229);
    let contoso = client.tenant("contoso");
    let own = client
        .request_token(&contoso.entra_id, &client.form(&contoso))
        .await;
    assert_eq!(own.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_customer_signs_up_is_renamed_and_leaves() {
    let (client, partner) = TestClient::partner().await;
    let customer = partner.sign_up("margies", "Margie's Travel").unwrap();
    let id = customer.tenant_id.unwrap();
    assert_eq!(sign_in(&client, &id).await.0, StatusCode::OK);
    client
        .handle()
        .accept("margies", "AdminMFAV2", "ann", "")
        .unwrap();
    partner.rename("margies", "Margie").unwrap();
    let customers = client.all("partner", CUSTOMERS).await;
    assert_eq!(texts(&customers, "displayName")[12], "Margie");
    partner.remove("margies").unwrap();
    let customers = client.all("partner", CUSTOMERS).await;
    assert!(!texts(&customers, "id").contains(&id));
    let relationships = client.all("partner", RELATIONSHIPS).await;
    let mut left = relationships
        .iter()
        .filter(|it| it["customer"]["tenantId"] == *id);
    assert!(left.all(|it| it["status"] == "terminated"));
    // Consent is independent of the relationship.
    assert_eq!(sign_in(&client, &id).await.0, StatusCode::OK);
    let error = partner.remove("margies").unwrap_err();
    assert!(matches!(error, HandleError::UnknownCustomer { .. }));
}

#[tokio::test]
async fn relationships_and_elements_of_any_form_can_be_set() {
    let (client, partner) = TestClient::partner().await;
    let ends = "2030-01-02T03:04:05Z".parse().unwrap();
    let relationships = [
        Relationship::active("Last", ends).extending(),
        Relationship::active("Expired", ends).with_status("expired"),
    ];
    partner
        .set_relationships("contoso", &relationships)
        .unwrap();
    let contoso = client.tenant("contoso").entra_id;
    let all = client.all("partner", RELATIONSHIPS).await;
    let of_contoso = all
        .iter()
        .filter(|it| it["customer"]["tenantId"] == *contoso);
    let of_contoso: Vec<&Value> = of_contoso.collect();
    assert_eq!(of_contoso[0]["endDateTime"], "2030-01-02T03:04:05.0000000Z");
    assert_eq!(of_contoso[0]["autoExtendDuration"], "P180D");
    assert_eq!(of_contoso[1]["status"], "expired");
    for tenant_id in [None, Some("not a GUID".to_owned()), Some(contoso)] {
        partner.add(Customer {
            name: "odd".to_owned(),
            tenant_id,
            display_name: "\u{202e}שלום 🦊".to_owned(),
            relationships: Vec::new(),
        });
    }
    let customers = client.all("partner", CUSTOMERS).await;
    let odd = &customers[12..];
    assert!(odd[0].get("id").is_none() && odd[0].get("tenantId").is_none());
    assert_eq!(odd[1]["id"], "not a GUID");
    assert_eq!(odd[2]["id"], customers[0]["id"]);
    assert_eq!(odd[0]["displayName"], "\u{202e}שלום 🦊");
}

#[tokio::test]
async fn a_simulator_has_no_partner_by_default() {
    let client = TestClient::with(Options::default()).await;
    let error = client.handle().partner("partner").unwrap_err();
    assert!(matches!(error, HandleError::UnknownPartner { .. }));
}
