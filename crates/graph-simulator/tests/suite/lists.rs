//! Graph's two lists.

use std::collections::BTreeSet;

use graph_simulator::Options;
use reqwest::{StatusCode, Version};
use serde_json::{Value, json as object};

use crate::client::{PROFILES, SCORES, TestClient, elements, header, json, number, scores, send};

const NAMES: [&str; 5] = ["contoso", "fabrikam", "adatum", "litware", "northwind"];

/// The controls of the scenario.
const UNCHANGED: [&str; 5] = [
    "UserRiskPolicy",
    "SigninRiskPolicy",
    "AdminMFAV2",
    "MFARegistrationV2",
    "BlockLegacyAuthentication",
];

fn text<'a>(element: &'a Value, key: &str) -> &'a str {
    element[key].as_str().unwrap()
}

#[tokio::test]
async fn every_report_of_every_named_tenant_adds_up() {
    let client = TestClient::new().await;
    let is_zero = |difference: f64| difference.abs() < 1e-6;
    for name in NAMES {
        let profiles = client.profiles(name).await;
        let maximum = |score: &Value| {
            let mut profiles = profiles.iter();
            let profile = profiles.find(|profile| profile["id"] == score["controlName"]);
            number(&profile.unwrap()["maxScore"])
        };
        for (index, report) in client.reports(name).await.iter().enumerate() {
            let scores = scores(report);
            let total: f64 = scores.iter().map(|score| number(&score["score"])).sum();
            assert!(is_zero(total - number(&report["currentScore"])), "{name}");
            // Some maxima were one point higher in the past.
            let maxima: f64 = scores.iter().map(maximum).sum();
            let excess = number(&report["maxScore"]) - maxima;
            assert!(is_zero(excess) || (index > 0 && excess > 0.0), "{name}");
            for score in scores {
                let share = number(&score["scoreInPercentage"]) / 100.0;
                let fits = |maximum: f64| is_zero(number(&score["score"]) - maximum * share);
                let listed = maximum(score);
                assert!(fits(listed) || (index > 0 && fits(listed + 1.0)), "{score}");
            }
        }
    }
}

#[tokio::test]
async fn ninety_reports_have_missing_days_a_frozen_week_and_changed_maxima() {
    let client = TestClient::new().await;
    let day = |report: &Value| {
        let at: jiff::Timestamp = text(report, "createdDateTime").parse().unwrap();
        at.as_second() / 86_400
    };
    let litware = client.reports("litware").await;
    let mut days = litware.windows(2).map(|pair| day(&pair[0]) - day(&pair[1]));
    assert_eq!(days.by_ref().filter(|days| *days > 1).count(), 2);
    let contoso = client.reports("contoso").await;
    let week = &contoso[40..=46];
    for report in week {
        assert_eq!(report["currentScore"], week[0]["currentScore"]);
        assert_eq!(report["controlScores"], week[0]["controlScores"]);
    }
    assert_ne!(day(&week[0]), day(&week[6]));
    let maxima = contoso.iter().map(|report| report["maxScore"].to_string());
    let maxima: BTreeSet<String> = maxima.collect();
    assert!(maxima.len() > 3, "{maxima:?}");
}

#[tokio::test]
async fn every_named_tenant_has_two_pages_and_its_own_number_of_scores() {
    let client = TestClient::new().await;
    let mut sizes = BTreeSet::new();
    for name in NAMES {
        let first = client.list(name, PROFILES).await;
        assert_eq!(elements(&first).len(), 200);
        let profiles = client.profiles(name).await;
        let count = profiles.len();
        assert!((232..=260).contains(&count), "{name}: {count}");
        let ids: BTreeSet<_> = profiles.iter().map(|profile| text(profile, "id")).collect();
        assert_eq!(ids.len(), count);
        let report = client.newest_report(name).await;
        let mut scored = scores(&report)
            .iter()
            .map(|score| text(score, "controlName"));
        assert!(
            (60..=130).contains(&scored.len()),
            "{name}: {}",
            scored.len()
        );
        sizes.insert(scored.len());
        assert!(scored.all(|id| ids.contains(id)));
    }
    assert_eq!(sizes.len(), NAMES.len());
}

#[tokio::test]
async fn the_controls_of_the_scenario_are_unchanged_at_the_start() {
    let client = TestClient::new().await;
    for name in NAMES {
        for profile in client.profiles(name).await {
            if UNCHANGED.contains(&text(&profile, "id")) {
                let updates = profile["controlStateUpdates"].as_array().unwrap();
                assert_eq!(updates.len(), 1, "{name} {}", profile["id"]);
                assert_eq!(updates[0]["state"], "Default");
                assert!(updates[0]["updatedDateTime"].is_null());
            }
        }
    }
}

#[tokio::test]
async fn a_history_is_out_of_order_and_repeats_a_state() {
    let client = TestClient::new().await;
    let updates = client.history("contoso", "IntegratedApps").await;
    let dates = updates
        .iter()
        .filter_map(|update| update["updatedDateTime"].as_str());
    let dates: Vec<&str> = dates.collect();
    assert!(!dates.is_sorted());
    let mut fractions = dates.iter().map(|date| date.split_once('.').unwrap().1);
    assert!(fractions.all(|fraction| fraction.len() == 8), "{dates:?}");
    let ignored = updates.iter().filter(|update| update["state"] == "Ignored");
    assert_eq!(ignored.count(), 2);
}

#[tokio::test]
async fn the_newest_report_links_to_the_older_ones() {
    let client = TestClient::new().await;
    let list = client.list("contoso", SCORES).await;
    assert_eq!(elements(&list).len(), 1);
    let link = text(&list, "@odata.nextLink");
    assert!(link.starts_with(client.simulator.url()));
    assert!(link.contains("?$top=1&$skiptoken="));
    let second = client.list("contoso", link).await;
    let date = |list| text(&elements(list)[0], "createdDateTime").to_owned();
    assert!(date(&list) > date(&second));
}

#[tokio::test]
async fn ninety_reports_are_one_page_newest_first() {
    let client = TestClient::new().await;
    let list = client.list("litware", "secureScores").await;
    assert!(list.get("@odata.nextLink").is_none());
    let days = elements(&list)
        .iter()
        .map(|report| text(report, "createdDateTime"));
    let days: Vec<_> = days.collect();
    assert_eq!(days.len(), 90);
    assert!(days.iter().rev().is_sorted());
    let skipped = client.list("litware", "secureScores?$top=3&$skip=88").await;
    assert_eq!(elements(&skipped).len(), 2);
    assert_eq!(elements(&skipped)[0]["createdDateTime"], days[88]);
}

#[tokio::test]
async fn older_reports_lack_the_fields_that_microsoft_drops() {
    let client = TestClient::new().await;
    let list = client.list("contoso", "secureScores?$top=2").await;
    let [newest, older] = [0, 1].map(|index| scores(&elements(&list)[index]));
    let has = |score: &Value, key| score[key].is_string();
    assert!(
        newest
            .iter()
            .all(|score| has(score, "description") && has(score, "lastSynced"))
    );
    assert!(newest.iter().any(|score| has(score, "on")));
    assert!(
        newest
            .iter()
            .any(|score| has(score, "count") && has(score, "total"))
    );
    assert!(
        newest
            .iter()
            .any(|score| has(score, "count") && score.get("total").is_none())
    );
    for score in older {
        assert!(score["description"].is_null());
        for key in ["lastSynced", "on", "count", "total"] {
            assert!(score.get(key).is_none(), "{key}");
        }
    }
}

#[tokio::test]
async fn comparisons_have_the_format_of_real_ones() {
    let client = TestClient::new().await;
    let bases = |report: &Value| {
        let comparisons = report["averageComparativeScores"].as_array().unwrap();
        let bases = comparisons
            .iter()
            .map(|entry| text(entry, "basis").to_owned());
        bases.collect::<Vec<_>>()
    };
    let contoso = client.newest_report("contoso").await;
    assert_eq!(
        bases(&contoso),
        ["AllTenants", "TotalSeats", "IndustryTypes"]
    );
    let seats = &contoso["averageComparativeScores"][1];
    assert!(seats["SeatSizeRangeLowerValue"].is_string());
    let fabrikam = client.newest_report("fabrikam").await;
    assert_eq!(bases(&fabrikam), ["AllTenants", "TotalSeats"]);
    assert_eq!(fabrikam["licensedUserCount"], 0);
    assert!(fabrikam["maxScore"].is_u64());
    assert!(contoso["maxScore"].is_f64());
}

#[tokio::test]
async fn a_selection_applies_to_the_next_page_too() {
    let client = TestClient::new().await;
    let list = "secureScoreControlProfiles?$select=id,controlStateUpdates";
    let page = client.list("contoso", list).await;
    let keys: Vec<_> = elements(&page)[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["controlStateUpdates", "id"]);
    let next = client.list("contoso", text(&page, "@odata.nextLink")).await;
    assert_eq!(elements(&next)[0].as_object().unwrap().len(), 2);
    assert!(next.get("@odata.nextLink").is_none());
}

#[tokio::test]
async fn an_unsupported_query_is_rejected() {
    let client = TestClient::new().await;
    for query in [
        "$select=nonsense",
        "$filter=nonsense eq 'x'",
        "$filter=rank gt 3",
        "$orderby=rank",
        "$expand=controlStateUpdates",
        "$top=many",
        "$top=0",
        "$skiptoken=guess",
    ] {
        let list = format!("secureScoreControlProfiles?{query}");
        let response = client.get("contoso", &list).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(json(response).await["error"]["code"], "BadRequest");
    }
}

#[tokio::test]
async fn a_filter_applies_to_all_pages_and_the_count() {
    let client = TestClient::new().await;
    let all = client.profiles("contoso").await;
    let is_identity = |profile: &&Value| profile["controlCategory"] == "Identity";
    let expected: Vec<&Value> = all.iter().filter(is_identity).collect();
    let mut found = Vec::new();
    let query = "$filter=controlCategory%20eq%20'Identity'&$count=true&$top=20";
    let mut next = Some(format!("{PROFILES}?{query}"));
    while let Some(list) = next {
        let page = client.list("contoso", &list).await;
        assert_eq!(page["@odata.count"], expected.len());
        found.extend(elements(&page).clone());
        next = page["@odata.nextLink"].as_str().map(str::to_owned);
    }
    assert!(found.len() > 20 && found.iter().eq(expected));
    let list = format!("{PROFILES}?$filter=id eq 'UserRiskPolicy'");
    assert_eq!(elements(&client.list("contoso", &list).await).len(), 1);
    let counted = client
        .list("contoso", &format!("{PROFILES}?$count=true"))
        .await;
    assert_eq!(counted["@odata.count"], all.len());
}

#[tokio::test]
async fn an_element_has_paths_of_its_own() {
    let client = TestClient::new().await;
    let profile = client.profile("contoso", "UserRiskPolicy").await;
    for path in [
        "secureScoreControlProfiles/UserRiskPolicy",
        "secureScoreControlProfiles('UserRiskPolicy')",
        "secureScoreControlProfiles(%27UserRiskPolicy%27)",
        "/secureScoreControlProfiles/UserRiskPolicy",
    ] {
        let mut element = client.list("contoso", path).await;
        let context = element.as_object_mut().unwrap().remove("@odata.context");
        assert!(
            text(&object!({"it": context}), "it").ends_with("secureScoreControlProfiles/$entity")
        );
        assert_eq!(element, profile, "{path}");
    }
    let report = client.newest_report("contoso").await;
    let path = format!(
        "secureScores/{}?$select=id,currentScore",
        text(&report, "id")
    );
    let element = client.list("contoso", &path).await;
    assert_eq!(element["currentScore"], report["currentScore"]);
    assert!(element.get("maxScore").is_none());
    for (path, status) in [
        ("secureScoreControlProfiles/Nonsense", 404),
        ("secureScoreControlProfiles/UserRiskPolicy?$top=1", 400),
        ("secureScoreControlProfiles(UserRiskPolicy)", 404),
        ("secureScores/UserRiskPolicy/more", 404),
    ] {
        let response = client.get("contoso", path).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        assert!(json(response).await["error"]["innerError"].is_object());
    }
}

#[tokio::test]
async fn the_options_and_the_request_can_set_the_page_size() {
    let client = TestClient::with(Options {
        page_size: 50,
        ..Options::default()
    })
    .await;
    let page = client.list("contoso", PROFILES).await;
    assert_eq!(elements(&page).len(), 50);
    let page = client
        .list("contoso", "secureScoreControlProfiles?$top=999")
        .await;
    assert!(elements(&page).len() > 200 && page.get("@odata.nextLink").is_none());
    assert_eq!(
        client.profiles("contoso").await.len(),
        elements(&page).len()
    );
}

#[tokio::test]
async fn a_skip_token_is_valid_for_its_tenant_only() {
    let client = TestClient::new().await;
    let page = client.list("contoso", PROFILES).await;
    let status = client
        .status("adatum", text(&page, "@odata.nextLink"))
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn equal_seeds_generate_equal_tenants() {
    let client = async |seed| {
        TestClient::with(Options {
            seed,
            tenants: 7,
            ..Options::default()
        })
        .await
    };
    let [one, same, other] = [client(1).await, client(1).await, client(2).await];
    let secrets = |client: &TestClient| {
        let tenants = client.simulator.tenants().into_iter();
        tenants
            .map(|tenant| tenant.client_secret)
            .collect::<Vec<_>>()
    };
    assert_eq!(secrets(&one), secrets(&same));
    assert_ne!(secrets(&one), secrets(&other));
    let name = "tenant-0007";
    assert_eq!(
        one.newest_report(name).await,
        same.newest_report(name).await
    );
    let score =
        async |client: &TestClient| client.newest_report("contoso").await["currentScore"].clone();
    assert_ne!(score(&one).await, score(&other).await);
}

#[tokio::test]
async fn responses_repeat_the_client_request_id_and_are_compressed_on_request() {
    let mut client = TestClient::new().await;
    let token = client.token("contoso").await;
    client.configure(|builder| builder.no_gzip());
    let request = || {
        client
            .request(&token, SCORES)
            .header("client-request-id", "mine")
    };
    let packed = send(request().header("accept-encoding", "gzip")).await;
    assert_eq!(header(&packed, "client-request-id"), Some("mine"));
    assert_eq!(header(&packed, "content-encoding"), Some("gzip"));
    assert!(header(&packed, "request-id").is_some() && header(&packed, "date").is_some());
    let plain = send(request()).await;
    assert_eq!(header(&plain, "content-encoding"), None);
}

#[tokio::test]
async fn http_1_1_and_http_2_are_supported() {
    let mut client = TestClient::new().await;
    let response = client.get("contoso", SCORES).await;
    assert_eq!(response.version(), Version::HTTP_2);
    client.configure(|builder| builder.http1_only());
    let response = client.get("contoso", SCORES).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.version(), Version::HTTP_11);
}

#[tokio::test]
async fn other_methods_and_paths_are_rejected() {
    let client = TestClient::new().await;
    let token = client.token("contoso").await;
    let patch = client.http.patch(client.url(PROFILES)).body("{}");
    let patch = send(patch.bearer_auth(&token)).await;
    assert_eq!(patch.status(), StatusCode::METHOD_NOT_ALLOWED);
    let missing = send(client.request(&token, "alerts")).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}
