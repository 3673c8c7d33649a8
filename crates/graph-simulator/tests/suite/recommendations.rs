//! Entra's recommendations and the Identity Secure Score.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use graph_simulator::{Api, Options, RecommendationsAccess};
use reqwest::StatusCode;
use serde_json::{Value, json as object};

use crate::client::{
    IDENTITY_SCORES, PROFILES, RECOMMENDATIONS, TestClient, elements, json, number, send,
};

const NAMES: [&str; 5] = ["contoso", "fabrikam", "adatum", "litware", "northwind"];

fn text<'a>(element: &'a Value, key: &str) -> &'a str {
    element[key].as_str().unwrap()
}

/// The roles of a token.
fn roles(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice::<Value>(&payload).unwrap()["roles"].clone()
}

#[tokio::test]
async fn both_lists_need_a_permission_of_their_own() {
    let client = TestClient::with(Options {
        recommendations: RecommendationsAccess::GrantedExcept(vec!["litware".to_owned()]),
        ..Options::default()
    })
    .await;
    assert_eq!(
        roles(&client.token("contoso").await),
        object!([
            "SecurityEvents.Read.All",
            "DirectoryRecommendations.Read.All"
        ])
    );
    assert_eq!(
        roles(&client.token("litware").await),
        object!(["SecurityEvents.Read.All"])
    );
    assert_eq!(client.status("litware", PROFILES).await, StatusCode::OK);
    for list in [RECOMMENDATIONS, IDENTITY_SCORES] {
        assert_eq!(client.status("contoso", list).await, StatusCode::OK);
        let denied = client.get("litware", list).await;
        assert_eq!(denied.status(), StatusCode::FORBIDDEN);
        let error = json(denied).await["error"].take();
        assert_eq!(error["code"], "Authorization_RequestDenied");
        let unknown = send(client.request("nonsense", list)).await;
        assert_eq!(unknown.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn no_tenant_grants_the_permission_by_default() {
    let client = TestClient::new().await;
    for name in NAMES {
        let status = client.status(name, RECOMMENDATIONS).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{name}");
    }
}

#[tokio::test]
async fn a_recommendation_has_the_properties_of_real_ones() {
    let client = TestClient::granted().await;
    let tenant = client.tenant("contoso");
    let list = client.list("contoso", RECOMMENDATIONS).await;
    assert!(text(&list, "@odata.context").ends_with("/beta/$metadata#directory/recommendations"));
    assert!(elements(&list).len() > 12);
    let mut kinds = BTreeSet::new();
    for element in elements(&list) {
        let name = text(element, "id").strip_prefix(&tenant.entra_id).unwrap();
        assert!(name.starts_with('_'), "{name}");
        kinds.insert(text(element, "recommendationType").to_owned());
        let is_scored = element["category"] == "identitySecureScore";
        assert_eq!(is_scored, element["currentScore"].is_number());
        assert_eq!(is_scored, element["maxScore"].is_number());
        assert!(element.get("impactedResources").is_none());
        for key in ["createdDateTime", "lastModifiedDateTime"] {
            text(element, key).parse::<jiff::Timestamp>().unwrap();
        }
    }
    assert!(kinds.contains("userRiskPolicy") && kinds.contains("staleApps"));
}

#[tokio::test]
async fn the_scores_of_the_recommendations_are_the_identity_score() {
    let client = TestClient::granted().await;
    for name in NAMES {
        let recommendations = client.all(name, RECOMMENDATIONS).await;
        let sum = |key| {
            let scores = recommendations.iter().filter_map(|it| it[key].as_f64());
            scores.sum::<f64>()
        };
        let days = client.all(name, IDENTITY_SCORES).await;
        let difference = |key, sum: f64| (number(&days[0][key]) - sum).abs();
        assert!(difference("tenantScore", sum("currentScore")) <= 0.5);
        assert!(difference("tenantMaxScore", sum("maxScore")) < 1e-6);
        assert_eq!(days.len(), 90);
        let is_integer =
            |day: &Value| day["tenantScore"].is_u64() && day["tenantMaxScore"].is_u64();
        assert!(days.iter().all(is_integer));
        let dates: Vec<jiff::Timestamp> = days
            .iter()
            .map(|day| text(day, "createDateTime").parse().unwrap())
            .collect();
        let day = jiff::SignedDuration::from_hours(24);
        assert!(
            dates
                .windows(2)
                .all(|pair| pair[0].duration_since(pair[1]) == day)
        );
    }
}

#[tokio::test]
async fn requests_are_recorded_by_list() {
    let client = TestClient::granted().await;
    let token = client.token("contoso").await;
    send(client.request(&token, RECOMMENDATIONS)).await;
    send(client.request(&token, IDENTITY_SCORES)).await;
    send(client.request(&token, IDENTITY_SCORES)).await;
    let requests = client.handle().requests();
    let count = |api| requests.iter().filter(|it| it.api == Some(api)).count();
    assert_eq!(count(Api::Token), 1);
    assert_eq!(count(Api::Recommendations), 1);
    assert_eq!(count(Api::IdentityScores), 2);
}

#[tokio::test]
async fn a_denied_request_is_recorded_with_its_tenant() {
    let client = TestClient::new().await;
    client.get("contoso", RECOMMENDATIONS).await;
    let requests = client.handle().requests();
    let denied = requests.last().unwrap();
    assert_eq!(
        (denied.api, denied.status),
        (Some(Api::Recommendations), 403)
    );
    assert_eq!(denied.tenant.as_deref(), Some("contoso"));
}

#[tokio::test]
async fn points_and_completion_follow_the_control_of_secure_score() {
    let client = TestClient::granted().await;
    let handle = client.handle();
    let get = async || {
        let filter = "?$filter=recommendationType eq 'adminMFAV2'";
        client
            .all("contoso", &format!("{RECOMMENDATIONS}{filter}"))
            .await[0]
            .clone()
    };
    handle.set_score("contoso", "AdminMFAV2", 52.5).unwrap();
    let partial = get().await;
    assert_eq!(partial["currentScore"], 5.25);
    assert_eq!(partial["status"], "active");
    handle.set_score("contoso", "AdminMFAV2", 100.0).unwrap();
    assert_eq!(get().await["status"], "completedBySystem");
}

/// All pages of the recommendations for a client that knows the newer words.
async fn with_newer_words(client: &TestClient, tenant: &str, query: &str) -> Vec<Value> {
    let token = client.token(tenant).await;
    let request = client.request(&token, &format!("{RECOMMENDATIONS}{query}"));
    let request = request.header("prefer", "include-unknown-enum-members");
    let list = json(send(request).await).await;
    assert!(list.get("@odata.nextLink").is_none());
    elements(&list).clone()
}

fn words(elements: &[Value], key: &str) -> BTreeSet<String> {
    let words = elements.iter().map(|element| text(element, key).to_owned());
    words.collect()
}

#[tokio::test]
async fn newer_words_are_hidden_from_clients_that_do_not_ask_for_them() {
    let client = TestClient::granted().await;
    let plain = client.all("contoso", RECOMMENDATIONS).await;
    let full = with_newer_words(&client, "contoso", "").await;
    assert_eq!(plain.len(), full.len());
    for (key, newer) in [
        ("status", "riskAccepted"),
        ("status", "alternateMitigation"),
        ("category", "mdiSecureScore"),
        ("recommendationType", "turnOffPerUserMFA"),
        ("recommendationType", "insiderRiskPolicy"),
    ] {
        assert!(words(&full, key).contains(newer), "{newer}");
        assert!(!words(&plain, key).contains(newer), "{newer}");
        assert!(words(&plain, key).contains("unknownFutureValue"));
        assert!(!words(&full, key).contains("unknownFutureValue"));
    }
    let hidden = plain
        .iter()
        .find(|it| text(it, "id").ends_with("_Microsoft.Identity.IAM.Insights.TurnOffPerUserMFA"));
    assert_eq!(hidden.unwrap()["recommendationType"], "unknownFutureValue");
}

#[tokio::test]
async fn every_status_of_the_schema_occurs_at_the_start() {
    let client = TestClient::granted().await;
    let mut statuses = BTreeSet::new();
    for name in NAMES {
        statuses.extend(words(&with_newer_words(&client, name, "").await, "status"));
    }
    let expected = [
        "active",
        "alternateMitigation",
        "completedBySystem",
        "completedByUser",
        "dismissed",
        "planned",
        "postponed",
        "riskAccepted",
        "thirdParty",
    ];
    assert!(statuses.iter().eq(&expected), "{statuses:?}");
}

#[tokio::test]
async fn persons_and_times_vary_as_in_real_lists() {
    let client = TestClient::granted().await;
    let contoso = with_newer_words(&client, "contoso", "").await;
    let find = |kind| {
        let mut elements = contoso.iter();
        elements
            .find(|it| it["recommendationType"] == kind)
            .unwrap()
    };
    let accepted = find("integratedApps");
    assert_eq!(accepted["lastModifiedBy"], "Alex Wilber");
    let [changed, modified] = ["statusModifiedDateTime", "lastModifiedDateTime"];
    assert!(text(accepted, changed) < text(accepted, modified));
    let object_id = text(find("passwordHashSync"), "lastModifiedBy");
    assert_eq!(object_id.len(), 36, "{object_id}");
    let postponed = find("turnOffPerUserMFA");
    assert!(postponed.get(changed).is_none());
    let until: jiff::Timestamp = text(postponed, "postponeUntilDateTime").parse().unwrap();
    assert!(until > jiff::Timestamp::now());
    let checked = find("userRiskPolicy");
    assert_eq!(checked["lastModifiedBy"], "System");
    assert!(checked["postponeUntilDateTime"].is_null());
    assert!(
        contoso
            .iter()
            .any(|it| text(it, "displayName").ends_with(' '))
    );
    let has_fraction = |it: &Value| {
        it["currentScore"]
            .as_f64()
            .is_some_and(|it| it.fract() > 0.0)
    };
    assert!(contoso.iter().any(has_fraction));
}

#[tokio::test]
async fn northwind_accepts_a_risk_in_entra_only() {
    let client = TestClient::granted().await;
    let filter = "?$filter=status eq 'riskAccepted'";
    let accepted = with_newer_words(&client, "northwind", filter).await;
    assert_eq!(
        words(&accepted, "recommendationType"),
        ["userRiskPolicy".to_owned()].into()
    );
    let history = client.history("northwind", "UserRiskPolicy").await;
    assert_eq!(history.len(), 1);
    assert_eq!(history[0]["state"], "Default");
}

#[tokio::test]
async fn impacted_resources_are_sent_on_request_and_may_be_omitted_even_then() {
    let client = TestClient::granted().await;
    let query = format!("{RECOMMENDATIONS}?$expand=impactedResources");
    let (mut omitted, mut empty, mut filled) = (0, 0, 0);
    for name in NAMES {
        for element in client.all(name, &query).await {
            match element
                .get("impactedResources")
                .map(|it| it.as_array().unwrap())
            {
                None => omitted += 1,
                Some(resources) if resources.is_empty() => empty += 1,
                Some(resources) => {
                    filled += 1;
                    assert_eq!(resources[0]["rank"], 1);
                    assert!(!text(&resources[0], "displayName").is_empty());
                }
            }
        }
    }
    assert!(
        omitted > 0 && empty > 0 && filled > 0,
        "{omitted} {empty} {filled}"
    );
    let selected = format!("{query}&$select=id,status");
    let list = client.list("contoso", &selected).await;
    let keys: Vec<&String> = elements(&list)[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["id", "impactedResources", "status"]);
}

#[tokio::test]
async fn a_resource_is_dismissed_on_its_own() {
    let client = TestClient::granted().await;
    let elements = with_newer_words(&client, "contoso", "?$expand=impactedResources").await;
    let mut elements = elements.iter();
    let element = elements.find(|it| it["recommendationType"] == "signinRiskPolicy");
    let element = element.unwrap();
    assert_eq!(element["status"], "active");
    let resources = element["impactedResources"].as_array().unwrap();
    assert_eq!(resources[0]["status"], "dismissed");
    assert_eq!(resources[0]["lastModifiedBy"], "Megan Bowen");
    assert_eq!(resources[1]["status"], "active");
}

#[tokio::test]
async fn a_filter_compares_the_hidden_words_too() {
    let client = TestClient::granted().await;
    for (filter, count) in [
        ("status eq 'riskAccepted'", 1),
        ("category eq 'identitySecureScore'", 12),
        ("category eq 'mdiSecureScore'", 1),
        ("priority eq 'high'", 7),
        ("recommendationType eq 'turnOffPerUserMFA'", 1),
        ("featureAreas eq 'applications'", 3),
        ("priority eq 'none'", 0),
    ] {
        let list = format!("{RECOMMENDATIONS}?$filter={filter}");
        let found = client.all("contoso", &list).await;
        assert_eq!(found.len(), count, "{filter}");
    }
}

#[tokio::test]
async fn both_lists_have_pages() {
    let client = TestClient::with(Options {
        recommendations: RecommendationsAccess::Granted,
        page_size: 5,
        ..Options::default()
    })
    .await;
    let first = client.list("contoso", RECOMMENDATIONS).await;
    assert_eq!(elements(&first).len(), 5);
    let link = text(&first, "@odata.nextLink");
    let start = format!("{}{RECOMMENDATIONS}?$skiptoken=", client.simulator.url());
    assert!(link.starts_with(&start), "{link}");
    let ids = words(&client.all("contoso", RECOMMENDATIONS).await, "id");
    assert_eq!(ids.len(), 17);
    let larger = format!("{RECOMMENDATIONS}?$top=9&$count=true");
    let larger = client.list("contoso", &larger).await;
    assert_eq!(elements(&larger).len(), 9);
    assert_eq!(larger["@odata.count"], 17);
    let newest = client
        .list("contoso", &format!("{IDENTITY_SCORES}?$top=1"))
        .await;
    assert_eq!(elements(&newest).len(), 1);
    let next = text(&newest, "@odata.nextLink");
    let next = client.list("contoso", next).await;
    let day = |list: &Value| text(&elements(list)[0], "createDateTime").to_owned();
    assert!(day(&newest) > day(&next));
}

#[tokio::test]
async fn an_unsupported_query_is_rejected() {
    let client = TestClient::granted().await;
    for query in [
        format!("{RECOMMENDATIONS}?$orderby=priority"),
        format!("{RECOMMENDATIONS}?$expand=tags"),
        format!("{RECOMMENDATIONS}?$filter=displayName eq 'x'"),
        format!("{RECOMMENDATIONS}?$filter=status ne 'active'"),
        format!("{RECOMMENDATIONS}?$select=nonsense"),
        format!("{IDENTITY_SCORES}?$filter=tenantScore eq '1'"),
        format!("{IDENTITY_SCORES}?$expand=impactedResources"),
        format!("{PROFILES}?$expand=impactedResources"),
    ] {
        let response = client.get("contoso", &query).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(json(response).await["error"]["code"], "BadRequest");
    }
}

#[tokio::test]
async fn a_recommendation_has_a_path_of_its_own() {
    let client = TestClient::granted().await;
    let all = client.all("contoso", RECOMMENDATIONS).await;
    let id = text(&all[0], "id");
    for path in [format!("/{id}"), format!("('{id}')")] {
        let path = format!("{RECOMMENDATIONS}{path}");
        let mut element = client.list("contoso", &path).await;
        let context = element.as_object_mut().unwrap().remove("@odata.context");
        assert!(
            context
                .unwrap()
                .as_str()
                .unwrap()
                .ends_with("recommendations/$entity")
        );
        assert_eq!(element, all[0]);
    }
    let unknown = format!("{RECOMMENDATIONS}/nonsense");
    assert_eq!(
        client.status("contoso", &unknown).await,
        StatusCode::NOT_FOUND
    );
}
