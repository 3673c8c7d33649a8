//! Faults of a partner's lists, and its handle over HTTP.

use graph_simulator::{Api, Fault, FaultKind, OddCustomer, OddElement, Options, PartnerOptions};
use reqwest::StatusCode;
use serde_json::{Value, json as object};

use crate::client::{CUSTOMERS, RELATIONSHIPS, TestClient, elements, json, send};

async fn customers(client: &TestClient) -> Vec<Value> {
    elements(&client.list("partner", CUSTOMERS).await).clone()
}

/// The customers while a fault lasts.
async fn odd(client: &TestClient, odd: OddCustomer) -> Vec<Value> {
    client.handle().clear_faults();
    client.inject(Api::Customers, FaultKind::OddCustomer(odd));
    customers(client).await
}

#[tokio::test]
async fn a_list_is_refused_empty_or_fails_on_its_second_page() {
    let (client, partner) = TestClient::partner().await;
    client.inject(Api::Customers, FaultKind::Forbidden);
    assert_eq!(
        client.status("partner", CUSTOMERS).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        client.status("partner", RELATIONSHIPS).await,
        StatusCode::OK
    );
    client.handle().clear_faults();
    client.inject(Api::Customers, FaultKind::EmptyValue);
    assert_eq!(customers(&client).await, Vec::<Value>::new());
    client.handle().clear_faults();
    partner.sign_up_many(300).unwrap();
    let fault = Fault::new(Api::Customers, FaultKind::Status(503)).on_page(2);
    client.handle().inject(Some("partner"), fault).unwrap();
    let first = client
        .list("partner", &format!("{CUSTOMERS}?$top=300"))
        .await;
    assert_eq!(elements(&first).len(), 300);
    let next = first["@odata.nextLink"].as_str().unwrap();
    assert_eq!(
        client.status("partner", next).await,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn a_customer_has_an_odd_id() {
    let (client, _) = TestClient::partner().await;
    let without = odd(&client, OddCustomer::WithoutId).await;
    assert!(without[0].get("id").is_none() && without[0].get("tenantId").is_none());
    assert_eq!(without[0]["displayName"], "Contoso Ltd");
    let invalid = odd(&client, OddCustomer::InvalidId).await;
    assert!(!invalid[0]["tenantId"].as_str().unwrap().is_empty());
    assert!(uuid::Uuid::try_parse(invalid[0]["tenantId"].as_str().unwrap()).is_err());
    let own = odd(&client, OddCustomer::OwnTenant).await;
    assert_eq!(own.len(), 13);
    assert_eq!(own[12]["tenantId"], client.tenant("partner").entra_id);
    client.handle().clear_faults();
    client.inject(Api::Customers, FaultKind::DuplicateElement);
    let twice = customers(&client).await;
    assert_eq!(twice[12], twice[0]);
    client.handle().clear_faults();
    client.inject(
        Api::Customers,
        FaultKind::OddElement(OddElement::NotAnObject),
    );
    assert_eq!(customers(&client).await[0], 42);
}

#[tokio::test]
async fn a_customer_has_an_odd_name() {
    let (client, _) = TestClient::partner().await;
    let same = odd(&client, OddCustomer::SameName).await;
    assert_eq!(same[0]["displayName"], same[1]["displayName"]);
    assert_ne!(same[0]["id"], same[1]["id"]);
    let emoji = odd(&client, OddCustomer::EmojiName).await;
    assert!(!emoji[0]["displayName"].as_str().unwrap().is_ascii());
    let reversed = odd(&client, OddCustomer::RightToLeftName).await;
    assert!(
        reversed[0]["displayName"]
            .as_str()
            .unwrap()
            .starts_with('\u{202e}')
    );
    let without = odd(&client, OddCustomer::WithoutName).await;
    assert!(without[0].get("displayName").is_none());
}

#[tokio::test]
async fn a_second_partner_has_customers_and_an_application_of_its_own() {
    let second = PartnerOptions {
        name: "second".to_owned(),
        lists_tenants: false,
        customers: 3,
    };
    let client = TestClient::with(Options {
        partners: vec![PartnerOptions::default(), second],
        ..Options::default()
    })
    .await;
    let list = client.list("second", CUSTOMERS).await;
    let names = elements(&list)
        .iter()
        .map(|it| it["displayName"].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>()[0], "Customer 1 of second");
    assert_eq!(elements(&list).len(), 3);
    let form = client.form(&client.tenant("second"));
    let contoso = client.tenant("contoso").entra_id;
    let elsewhere = client.tenant("partner").entra_id;
    assert_eq!(
        client.request_token(&contoso, &form).await.status(),
        StatusCode::OK
    );
    let refused = json(client.request_token(&elsewhere, &form).await).await;
    assert_eq!(refused["error_codes"][0], 700_016);
}

#[tokio::test]
async fn the_control_api_changes_customers() {
    let client = TestClient::with(Options {
        control_listen: Some("127.0.0.1:0".parse().unwrap()),
        partners: vec![PartnerOptions::default()],
        ..Options::default()
    })
    .await;
    let control = client.simulator.control_url().unwrap();
    let post = async |path: &str, body: Value| {
        let request = client.http.post(format!("{control}/{path}"));
        send(request.body(body.to_string())).await.status()
    };
    let sign_up = object!({"name": "margies", "display_name": "Margie's Travel"});
    let ends = object!([{"display_name": "Last", "ends": "2030-01-02T03:04:05Z"}]);
    let requests = [
        ("partners/partner/sign-up", sign_up),
        ("partners/partner/sign-up-many", object!({"count": 2})),
        (
            "partners/partner/customers",
            object!({"name": "odd", "tenant_id": "odd"}),
        ),
        (
            "partners/partner/customers/contoso/rename",
            object!({"display_name": "Contoso"}),
        ),
        ("partners/partner/customers/contoso/relationships", ends),
        (
            "partners/partner/organization",
            object!([{"name": "litware"}]),
        ),
        (
            "partners/partner/revoke",
            object!({"permission": "delegated_admin_relationship"}),
        ),
        (
            "partners/partner/grant",
            object!({"permission": "delegated_admin_relationship"}),
        ),
        ("tenants/woodgrove/consent", object!({"consent": "granted"})),
    ];
    for (path, body) in requests {
        assert_eq!(post(path, body).await, StatusCode::OK, "{path}");
    }
    let left = client
        .http
        .delete(format!("{control}/partners/partner/customers/litware"));
    assert_eq!(send(left).await.status(), StatusCode::OK);
    let listed = client
        .http
        .get(format!("{control}/partners/partner/customers"));
    let listed = json(send(listed).await).await;
    let names: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 15);
    assert!(names.contains(&"margies") && !names.contains(&"litware"));
    assert_eq!(
        listed[0]["relationships"][0]["ends"],
        "2030-01-02T03:04:05Z"
    );
    assert_eq!(customers(&client).await.len(), 15);
    for path in [
        "partners/none/sign-up-many",
        "partners/partner/customers/none/rename",
    ] {
        let body = object!({"display_name": "x"});
        assert_eq!(post(path, body).await, StatusCode::NOT_FOUND, "{path}");
    }
    let partners = json(send(client.http.get(format!("{control}/partners"))).await).await;
    assert_eq!(partners[0]["name"], "partner");
}
