//! The effect of each fault.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use graph_simulator::{
    Api, Fault, FaultKind, OddElement, OddField, OddUpdate, Options, RepeatedElement, RetryAfter,
};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json as object};

use crate::client::{PROFILES, SCORES, TestClient, elements, header, json, send};

/// A client with a token, and a fault that was injected afterwards.
async fn with_fault(api: Api, kind: FaultKind) -> (TestClient, String) {
    let client = TestClient::new().await;
    let token = client.token("contoso").await;
    client.inject(api, kind);
    (client, token)
}

async fn profiles_with(kind: FaultKind) -> Response {
    let (client, token) = with_fault(Api::Profiles, kind).await;
    send(client.request(&token, PROFILES)).await
}

async fn list_with(api: Api, kind: FaultKind) -> Value {
    let (client, token) = with_fault(api, kind).await;
    let list = if api == Api::Profiles {
        PROFILES
    } else {
        SCORES
    };
    json(send(client.request(&token, list)).await).await
}

#[tokio::test]
async fn throttling_sends_the_requested_retry_after() {
    let retry_after = async |retry_after| {
        let response = profiles_with(FaultKind::Throttle { retry_after }).await;
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        header(&response, "retry-after").map(str::to_owned)
    };
    assert_eq!(retry_after(RetryAfter::None).await, None);
    let seconds = retry_after(RetryAfter::Seconds(7)).await;
    assert_eq!(seconds.as_deref(), Some("7"));
    let date = retry_after(RetryAfter::HttpDate(7)).await.unwrap();
    assert!(date.ends_with(" GMT"), "{date}");
}

#[tokio::test]
async fn an_error_status_has_an_error_body() {
    let elsewhere = "https://elsewhere.example/".to_owned();
    for (kind, status) in [
        (FaultKind::Status(503), 503),
        (FaultKind::Forbidden, 403),
        (FaultKind::SelectUnsupported(501), 200),
        (FaultKind::Redirect(elsewhere), 302),
        (FaultKind::Partial206, 206),
    ] {
        let response = profiles_with(kind).await;
        assert_eq!(response.status().as_u16(), status);
        if status >= 400 {
            assert!(json(response).await["error"]["code"].is_string());
        }
    }
}

#[tokio::test]
async fn an_unsupported_select_leaves_other_requests_alone() {
    let client = TestClient::new().await;
    client.inject(Api::Profiles, FaultKind::SelectUnsupported(400));
    let select = "secureScoreControlProfiles?$select=id";
    assert_eq!(client.status("contoso", select).await.as_u16(), 400);
    assert_eq!(client.status("contoso", PROFILES).await.as_u16(), 200);
}

#[tokio::test]
async fn the_token_endpoint_fails_in_the_format_of_entra() {
    let client = TestClient::new().await;
    let tenant = client.tenant("contoso");
    let form = client.form(&tenant);
    client.inject(Api::Token, FaultKind::Aadsts(7_000_222));
    let response = client.request_token(&tenant.entra_id, &form).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(json(response).await["error_codes"][0], 7_000_222);
    client.handle().clear_faults();
    client.inject(Api::Token, FaultKind::Status(500));
    let response = client.request_token(&tenant.entra_id, &form).await;
    assert!(json(response).await["error_description"].is_string());
}

#[tokio::test]
async fn a_token_without_the_role_is_forbidden() {
    let (client, _) = with_fault(Api::Token, FaultKind::Roles(vec![])).await;
    assert_eq!(
        client.status("contoso", SCORES).await,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_token_with_another_tenant_id_still_reads_its_own_tenant() {
    let (client, token) = with_fault(Api::Token, FaultKind::WrongTenant).await;
    let foreign = client.token("contoso").await;
    let claims = |token: &str| token.split('.').nth(1).unwrap().to_owned();
    assert_ne!(claims(&foreign), claims(&token));
    let response = send(client.request(&foreign, SCORES)).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_tenants_id_may_be_in_upper_case() {
    for api in [Api::Profiles, Api::Scores] {
        let list = list_with(api, FaultKind::UpperCaseTenant).await;
        let id = elements(&list)[0]["azureTenantId"].as_str().unwrap();
        assert_eq!(id, id.to_ascii_uppercase());
        assert_ne!(id, id.to_ascii_lowercase(), "it has letters");
    }
    let (client, _) = with_fault(Api::Token, FaultKind::UpperCaseTenant).await;
    let token = client.token("contoso").await;
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap());
    let claims: Value = serde_json::from_slice(&claims.unwrap()).unwrap();
    let id = claims["tid"].as_str().unwrap();
    assert_eq!(id, id.to_ascii_uppercase());
}

#[tokio::test]
async fn bodies_are_not_a_list() {
    let body = async |kind| profiles_with(kind).await.text().await.unwrap();
    let malformed = body(FaultKind::Malformed).await;
    assert!(serde_json::from_str::<Value>(&malformed).is_err());
    assert_eq!(body(FaultKind::EmptyBody).await, "");
    let page = profiles_with(FaultKind::WrongContentType).await;
    assert!(
        header(&page, "content-type")
            .unwrap()
            .starts_with("text/html")
    );
    let list = list_with(Api::Scores, FaultKind::EmptyValue).await;
    assert_eq!(list, object!({"value": []}));
}

#[tokio::test]
async fn bodies_are_too_large() {
    let response = profiles_with(FaultKind::HugeBody(1_000_000)).await;
    assert_eq!(response.content_length(), None);
    assert!(response.bytes().await.unwrap().len() >= 1_000_000);
    let (mut client, token) = with_fault(Api::Profiles, FaultKind::GzipBomb(2_000_000)).await;
    let bytes = async |client: &TestClient| {
        let response = send(client.request(&token, PROFILES)).await;
        response.bytes().await.unwrap().len()
    };
    assert_eq!(bytes(&client).await, 2_000_000);
    client.configure(|builder| builder.no_gzip());
    assert!(bytes(&client).await < 100_000);
}

#[tokio::test]
async fn connections_break() {
    for http1 in [false, true] {
        let (mut client, token) = with_fault(Api::Profiles, FaultKind::Reset).await;
        if http1 {
            client.configure(|builder| builder.http1_only());
        }
        assert!(client.request(&token, PROFILES).send().await.is_err());
        assert_eq!(client.handle().requests().last().unwrap().status, 0);
        client.handle().clear_faults();
        client.inject(Api::Profiles, FaultKind::Truncated);
        let response = send(client.request(&token, PROFILES)).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(response.bytes().await.is_err());
    }
}

#[tokio::test]
async fn a_stalled_response_has_headers_and_no_end() {
    let response = profiles_with(FaultKind::Stall).await;
    assert_eq!(response.status(), StatusCode::OK);
    let body = tokio::time::timeout(Duration::from_millis(200), response.bytes()).await;
    assert!(!matches!(body, Ok(Ok(_))));
}

#[tokio::test]
async fn a_slow_response_is_complete() {
    let kind = FaultKind::slow(Duration::from_millis(20));
    let list = list_with(Api::Profiles, kind).await;
    assert_eq!(elements(&list).len(), 200);
}

#[tokio::test]
async fn next_links_lead_elsewhere() {
    let link = async |kind| {
        let (client, token) = with_fault(Api::Profiles, kind).await;
        let list = json(send(client.request(&token, PROFILES)).await).await;
        let link = list["@odata.nextLink"].as_str().unwrap().to_owned();
        (link, client.url(PROFILES))
    };
    let (looped, own) = link(FaultKind::NextLinkLoop).await;
    assert_eq!(looped, own);
    let (foreign, _) = link(FaultKind::NextLinkForeign("evil.example".into())).await;
    assert!(
        foreign.starts_with("https://evil.example/v1.0/"),
        "{foreign}"
    );
    let (plain, _) = link(FaultKind::NextLinkHttp).await;
    assert!(plain.starts_with("http://127.0.0.1"), "{plain}");
}

#[tokio::test]
async fn endless_pages_never_repeat_a_url() {
    let (client, token) = with_fault(Api::Profiles, FaultKind::EndlessPages).await;
    let mut urls = BTreeSet::new();
    let mut next = PROFILES.to_owned();
    for _ in 0..6 {
        assert!(urls.insert(next.clone()));
        let list = json(send(client.request(&token, &next)).await).await;
        assert!(!elements(&list).is_empty());
        next = list["@odata.nextLink"].as_str().unwrap().to_owned();
    }
    let requests = client.handle().requests();
    let pages: Vec<u32> = requests
        .iter()
        .skip(1)
        .map(|request| request.page)
        .collect();
    assert_eq!(pages, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn elements_are_corrupted() {
    let id = TestClient::new().await.tenant("contoso").entra_id;
    for api in [Api::Profiles, Api::Scores] {
        let list = list_with(api, FaultKind::WrongTenant).await;
        assert_ne!(elements(&list)[0]["azureTenantId"], id);
        let list = list_with(api, FaultKind::UnknownValues).await;
        assert!(list.to_string().contains("Quantum"));
        let list = list_with(api, FaultKind::MinusOne).await;
        assert!(list.to_string().contains(":-1"));
    }
    let list = list_with(
        Api::Profiles,
        FaultKind::OddElement(OddElement::NotAnObject),
    )
    .await;
    assert_eq!(elements(&list)[0], 42);
    assert_eq!(elements(&list).len(), 201);
    let list = list_with(Api::Scores, FaultKind::OddElement(OddElement::WrongTypes)).await;
    assert_eq!(elements(&list)[0]["controlScores"][0]["score"], "some");
    let list = list_with(Api::Profiles, FaultKind::DuplicateElement).await;
    assert_eq!(elements(&list).first(), elements(&list).last());
    let list = list_with(Api::Scores, FaultKind::FutureReport).await;
    let day = elements(&list)[0]["createdDateTime"].as_str().unwrap();
    let day: jiff::Timestamp = day.parse().unwrap();
    assert!(day > jiff::Timestamp::now());
}

#[tokio::test]
async fn histories_are_corrupted() {
    let list = list_with(Api::Profiles, FaultKind::BareHistory).await;
    for bare in [Value::Null, object!([])] {
        let mut profiles = elements(&list).iter();
        assert!(profiles.any(|profile| profile["controlStateUpdates"] == bare));
    }
    let list = list_with(Api::Profiles, FaultKind::UnsortedHistory).await;
    let mut profiles = elements(&list).iter();
    let profile = profiles.find(|profile| profile["id"] == "aad_admin_consent_workflow");
    let first = &profile.unwrap()["controlStateUpdates"][0];
    assert_eq!(first["state"], "Default");
    assert!(first["updatedDateTime"].is_string());
}

#[tokio::test]
async fn a_fault_of_the_second_page_leaves_the_first_alone() {
    let client = TestClient::new().await;
    let fault = Fault::new(Api::Profiles, FaultKind::Status(500)).on_page(2);
    let injected = client.handle().inject(Some("contoso"), fault.times(1));
    injected.unwrap();
    let first = client.list("contoso", PROFILES).await;
    let link = first["@odata.nextLink"].as_str().unwrap();
    assert_eq!(client.status("contoso", link).await.as_u16(), 500);
    assert_eq!(client.status("contoso", link).await.as_u16(), 200);
}

#[tokio::test]
async fn a_control_on_two_pages_has_one_copy_without_its_newest_change() {
    for (order, stale) in [
        (RepeatedElement::OlderFirst, 0),
        (RepeatedElement::OlderSecond, 1),
    ] {
        let client = TestClient::new().await;
        client.inject(Api::Profiles, FaultKind::RepeatedElement(order));
        let profiles = client.profiles("contoso").await;
        let repeated = &profiles[200]["id"];
        let copies = profiles.iter().filter(|profile| profile["id"] == *repeated);
        let copies: Vec<usize> = copies
            .map(|copy| copy["controlStateUpdates"].as_array().unwrap().len())
            .collect();
        assert_eq!(copies.len(), 2);
        assert_eq!(copies[stale] + 1, copies[1 - stale], "{order:?}");
    }
}

#[tokio::test]
async fn an_odd_change_replaces_the_newest_one() {
    for (odd, part) in [
        (
            OddUpdate::LoneSurrogate,
            r#""comment":"half \ud83d of a pair""#,
        ),
        (
            OddUpdate::DuplicateKey,
            r#"{"comment":"first","assignedTo":"","comment":"#,
        ),
        (OddUpdate::BareString, r#","Ignored"]"#),
        (OddUpdate::Null, ",null]"),
        (
            OddUpdate::UnreadableDate,
            r#""updatedDateTime":"yesterday""#,
        ),
        (OddUpdate::NewWord, r#""state":"Quantum""#),
    ] {
        let (client, token) = with_fault(Api::Profiles, FaultKind::OddUpdate(odd)).await;
        client
            .handle()
            .accept("contoso", "UserRiskPolicy", "ann", "why")
            .unwrap();
        let list = format!("{PROFILES}/UserRiskPolicy");
        assert_eq!(client.status("contoso", &list).await, StatusCode::OK);
        let text = send(client.request(&token, PROFILES))
            .await
            .text()
            .await
            .unwrap();
        assert!(text.contains(part), "{odd:?}");
    }
    let dates = async |odd| {
        let list = list_with(Api::Profiles, FaultKind::OddUpdate(odd)).await;
        let updates = elements(&list)
            .iter()
            .map(|it| it["controlStateUpdates"].clone());
        let newest = updates.filter(|it| it.as_array().unwrap().len() > 1);
        let newest = newest.map(|it| it.as_array().unwrap().last().unwrap().clone());
        newest
            .map(|it| it["updatedDateTime"].clone())
            .collect::<Vec<_>>()
    };
    assert!(dates(OddUpdate::Undated).await.contains(&Value::Null));
    let next_week = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(7 * 24);
    let future = dates(OddUpdate::FutureDate).await;
    let is_future = |date: &Value| {
        date.as_str()
            .is_some_and(|date| *date > *next_week.to_string())
    };
    assert!(future.iter().any(is_future), "{future:?}");
}

#[tokio::test]
async fn an_odd_field_or_score_leaves_its_element() {
    for (api, odd, part) in [
        (Api::Profiles, OddField::HugeNumber, r#""maxScore":1e400"#),
        (
            Api::Profiles,
            OddField::LoneSurrogate,
            r#""title":"half \ud83d of a pair""#,
        ),
        (Api::Scores, OddField::HugeNumber, r#""score":1e400"#),
        (
            Api::Scores,
            OddField::LoneSurrogate,
            r#""implementationStatus":"half \ud83d"#,
        ),
    ] {
        let (client, token) = with_fault(api, FaultKind::OddField(odd)).await;
        let list = if api == Api::Profiles {
            PROFILES
        } else {
            SCORES
        };
        let text = send(client.request(&token, list))
            .await
            .text()
            .await
            .unwrap();
        assert_eq!(text.matches(part).count(), 1, "{odd:?}");
    }
    let list = list_with(Api::Scores, FaultKind::NotScored).await;
    let scores = list["value"][0]["controlScores"].as_array().unwrap().iter();
    let marks: Vec<_> = scores.map(|score| score["NotScored"].clone()).collect();
    assert_eq!(marks[..3], [object!(true), object!("True"), Value::Null]);
}

#[tokio::test]
async fn the_lifetime_of_a_token_may_be_any_json() {
    for value in [
        object!("3599"),
        object!(3599.5),
        object!(1e300),
        Value::Null,
    ] {
        let client = TestClient::new().await;
        client.inject(Api::Token, FaultKind::ExpiresIn(value.clone()));
        let tenant = client.tenant("contoso");
        let form = client.form(&tenant);
        let body = json(client.request_token(&tenant.entra_id, &form).await).await;
        assert_eq!(body["expires_in"], value);
    }
}

#[tokio::test]
async fn the_port_is_a_connect_proxy_too() {
    let mut client = TestClient::with(Options {
        names: vec!["graph.microsoft.com".to_owned()],
        ..Options::default()
    })
    .await;
    let proxy = client.simulator.url().replacen("https", "http", 1);
    client.configure(|builder| {
        builder
            .proxy(reqwest::Proxy::all(proxy).unwrap())
            .pool_max_idle_per_host(0)
    });
    let request = || {
        let http = client.http.clone();
        async move {
            http.get("https://graph.microsoft.com/v1.0/security/secureScores")
                .send()
                .await
        }
    };
    assert_eq!(request().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    for kind in [
        FaultKind::Status(407),
        FaultKind::Status(403),
        FaultKind::Reset,
    ] {
        let fault = Fault::new(Api::Proxy, kind).times(1);
        client.handle().inject(None, fault).unwrap();
        let error = request().await.unwrap_err();
        assert!(error.is_connect(), "{error:?}");
    }
    assert_eq!(request().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}
