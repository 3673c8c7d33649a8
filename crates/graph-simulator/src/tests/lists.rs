//! The two lists.

use std::collections::BTreeSet;

use super::*;

const NAMES: [&str; 5] = ["contoso", "fabrikam", "adatum", "litware", "northwind"];

/// The five the demonstration begins with.
const UNTOUCHED: [&str; 5] = [
    "UserRiskPolicy",
    "SigninRiskPolicy",
    "AdminMFAV2",
    "MFARegistrationV2",
    "BlockLegacyAuthentication",
];

fn sum<'a>(numbers: impl Iterator<Item = &'a Value>) -> f64 {
    numbers.map(|number| number.as_f64().unwrap()).sum()
}

#[tokio::test]
async fn every_report_of_every_named_tenant_adds_up() {
    let stage = Stage::new().await;
    for name in NAMES {
        let profiles = stage.profiles(name).await;
        let maximum = |score: &Value| {
            let profile = profiles
                .iter()
                .find(|profile| profile["id"] == score["controlName"]);
            profile.unwrap()["maxScore"].as_f64().unwrap()
        };
        let reports = elements(&stage.list(name, "secureScores").await).clone();
        for (place, report) in reports.iter().enumerate() {
            let scores = report["controlScores"].as_array().unwrap();
            let total = sum(scores.iter().map(|score| &score["score"]));
            assert!(
                (total - report["currentScore"].as_f64().unwrap()).abs() < 1e-6,
                "{name}"
            );
            // Some maxima were one point more before, never on the newest day.
            let most: f64 = scores.iter().map(maximum).sum();
            let more = report["maxScore"].as_f64().unwrap() - most;
            assert!(more.abs() < 1e-6 || (place > 0 && more > 0.0), "{name}");
            for score in scores {
                let share = score["scoreInPercentage"].as_f64().unwrap() / 100.0;
                let fits = |maximum: f64| {
                    (score["score"].as_f64().unwrap() - maximum * share).abs() < 1e-6
                };
                let listed = maximum(score);
                assert!(fits(listed) || (place > 0 && fits(listed + 1.0)), "{score}");
            }
        }
    }
}

#[tokio::test]
async fn ninety_days_have_gaps_a_frozen_week_and_other_maxima() {
    let stage = Stage::new().await;
    let day = |report: &Value| report["createdDateTime"].as_str().unwrap()[..10].to_owned();
    let figures = |report: &Value| {
        (
            report["currentScore"].clone(),
            report["controlScores"].clone(),
        )
    };
    let litware = elements(&stage.list("litware", "secureScores").await).clone();
    let midnight = |report: &Value| {
        let at: jiff::Timestamp = report["createdDateTime"].as_str().unwrap().parse().unwrap();
        at.as_second() / 86_400
    };
    let lacking = litware
        .windows(2)
        .filter(|pair| midnight(&pair[0]) - midnight(&pair[1]) > 1);
    assert_eq!(lacking.count(), 2);
    let contoso = elements(&stage.list("contoso", "secureScores").await).clone();
    let week = &contoso[40..=46];
    assert!(
        week.iter()
            .all(|report| figures(report) == figures(&week[0]))
    );
    assert_ne!(day(&week[0]), day(&week[6]));
    let maxima: BTreeSet<String> = contoso
        .iter()
        .map(|report| report["maxScore"].to_string())
        .collect();
    assert!(maxima.len() > 3, "{maxima:?}");
}

#[tokio::test]
async fn every_named_tenant_has_two_pages_and_a_size_of_its_own() {
    let stage = Stage::new().await;
    let mut sizes = BTreeSet::new();
    for name in NAMES {
        let first = stage.list(name, "secureScoreControlProfiles").await;
        assert_eq!(elements(&first).len(), 200);
        let all = stage.profiles(name).await;
        assert!((232..=260).contains(&all.len()), "{name}: {}", all.len());
        let ids: BTreeSet<_> = all
            .iter()
            .map(|profile| profile["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids.len(), all.len());
        let report = stage.newest_report(name).await;
        let scored = report["controlScores"].as_array().unwrap();
        assert!(
            (60..=130).contains(&scored.len()),
            "{name}: {}",
            scored.len()
        );
        assert!(
            scored
                .iter()
                .all(|score| ids.contains(score["controlName"].as_str().unwrap()))
        );
        sizes.insert(scored.len());
    }
    assert_eq!(sizes.len(), NAMES.len());
}

#[tokio::test]
async fn the_controls_of_the_demonstration_are_untouched_at_the_start() {
    let stage = Stage::new().await;
    for name in NAMES {
        for id in UNTOUCHED {
            let profile = stage.profile(name, id).await;
            let updates = profile["controlStateUpdates"].as_array().unwrap();
            assert_eq!(updates.len(), 1, "{name} {id}");
            assert_eq!(updates[0]["state"], "Default");
            assert!(updates[0]["updatedDateTime"].is_null());
        }
    }
}

#[tokio::test]
async fn a_history_is_out_of_order_and_repeats_itself() {
    let stage = Stage::new().await;
    let profile = stage.profile("contoso", "IntegratedApps").await;
    let updates = profile["controlStateUpdates"].as_array().unwrap();
    let dates: Vec<_> = updates
        .iter()
        .filter_map(|update| update["updatedDateTime"].as_str())
        .collect();
    assert!(!dates.is_sorted());
    assert!(
        dates
            .iter()
            .all(|date| date.split_once('.').unwrap().1.len() == 8),
        "{dates:?}"
    );
    let ignored = updates
        .iter()
        .filter(|update| update["state"] == "Ignored")
        .count();
    assert_eq!(ignored, 2);
}

#[tokio::test]
async fn the_newest_report_alone_links_to_the_older_ones() {
    let stage = Stage::new().await;
    let list = stage.list("contoso", "secureScores?$top=1").await;
    assert_eq!(elements(&list).len(), 1);
    let link = list["@odata.nextLink"].as_str().unwrap();
    assert!(link.starts_with(stage.simulator.url()));
    assert!(link.contains("?$top=1&$skiptoken="));
    let second = stage.list("contoso", link).await;
    let dates = [&list, &second].map(|list| {
        elements(list)[0]["createdDateTime"]
            .as_str()
            .unwrap()
            .to_owned()
    });
    assert!(dates[0] > dates[1]);
}

#[tokio::test]
async fn all_ninety_reports_come_at_once_newest_first() {
    let stage = Stage::new().await;
    let list = stage.list("litware", "secureScores").await;
    assert!(list.get("@odata.nextLink").is_none());
    let days: Vec<_> = elements(&list)
        .iter()
        .map(|report| report["createdDateTime"].as_str().unwrap())
        .collect();
    assert_eq!(days.len(), 90);
    assert!(days.iter().rev().is_sorted());
    let skipped = stage.list("litware", "secureScores?$top=3&$skip=88").await;
    assert_eq!(elements(&skipped).len(), 2);
    assert_eq!(elements(&skipped)[0]["createdDateTime"], days[88]);
}

#[tokio::test]
async fn older_reports_lack_what_microsoft_drops() {
    let stage = Stage::new().await;
    let list = stage.list("contoso", "secureScores?$top=2").await;
    let [newest, older] =
        [0, 1].map(|day| elements(&list)[day]["controlScores"].as_array().unwrap());
    assert!(
        newest
            .iter()
            .all(|score| score["description"].is_string() && score["lastSynced"].is_string())
    );
    assert!(newest.iter().any(|score| score["on"].is_string()));
    assert!(
        newest
            .iter()
            .any(|score| score["count"].is_string() && score["total"].is_string())
    );
    assert!(
        newest
            .iter()
            .any(|score| score["count"].is_string() && score.get("total").is_none())
    );
    for score in older {
        assert!(score["description"].is_null());
        assert!(
            ["lastSynced", "on", "count", "total"]
                .iter()
                .all(|key| score.get(key).is_none())
        );
    }
}

#[tokio::test]
async fn comparisons_have_the_real_shape() {
    let stage = Stage::new().await;
    let bases = |report: &Value| {
        let list = report["averageComparativeScores"]
            .as_array()
            .unwrap()
            .clone();
        list.iter()
            .map(|entry| entry["basis"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let contoso = stage.newest_report("contoso").await;
    assert_eq!(
        bases(&contoso),
        ["AllTenants", "TotalSeats", "IndustryTypes"]
    );
    assert!(contoso["averageComparativeScores"][1]["SeatSizeRangeLowerValue"].is_string());
    let fabrikam = stage.newest_report("fabrikam").await;
    assert_eq!(bases(&fabrikam), ["AllTenants", "TotalSeats"]);
    assert_eq!(fabrikam["licensedUserCount"], 0);
    assert!(fabrikam["maxScore"].is_u64());
    assert!(contoso["maxScore"].is_f64());
}

#[tokio::test]
async fn a_selection_holds_on_the_next_page_too() {
    let stage = Stage::new().await;
    let page = stage
        .list(
            "contoso",
            "secureScoreControlProfiles?$select=id,controlStateUpdates",
        )
        .await;
    let keys: Vec<_> = elements(&page)[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["controlStateUpdates", "id"]);
    let next = stage
        .list("contoso", page["@odata.nextLink"].as_str().unwrap())
        .await;
    assert_eq!(elements(&next)[0].as_object().unwrap().len(), 2);
    assert!(next.get("@odata.nextLink").is_none());
}

#[tokio::test]
async fn what_is_not_served_is_refused_and_never_ignored() {
    let stage = Stage::new().await;
    for query in [
        "$select=nonsense",
        "$filter=id eq 'x'",
        "$top=many",
        "$top=0",
        "$skiptoken=guess",
    ] {
        let path = format!("secureScoreControlProfiles?{query}");
        let response = stage.get("contoso", &path).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(json(response).await["error"]["code"], "BadRequest");
    }
}

#[tokio::test]
async fn the_page_size_can_be_set_and_asked_for() {
    let stage = Stage::with(Options {
        page_size: 50,
        ..Options::default()
    })
    .await;
    let page = stage.list("contoso", "secureScoreControlProfiles").await;
    assert_eq!(elements(&page).len(), 50);
    let page = stage
        .list("contoso", "secureScoreControlProfiles?$top=999")
        .await;
    assert!(elements(&page).len() > 200 && page.get("@odata.nextLink").is_none());
    assert!(stage.profiles("contoso").await.len() == elements(&page).len());
}

#[tokio::test]
async fn a_marker_of_one_tenant_means_nothing_to_another() {
    let stage = Stage::new().await;
    let page = stage.list("contoso", "secureScoreControlProfiles").await;
    let response = stage
        .get("adatum", page["@odata.nextLink"].as_str().unwrap())
        .await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn equal_seeds_make_equal_tenants_and_others_do_not() {
    let options = |seed| Options {
        seed,
        tenants: 7,
        ..Options::default()
    };
    let [one, same, other] = [
        Stage::with(options(1)).await,
        Stage::with(options(1)).await,
        Stage::with(options(2)).await,
    ];
    let secrets = |stage: &Stage| {
        stage
            .simulator
            .tenants()
            .into_iter()
            .map(|t| t.client_secret)
            .collect::<Vec<_>>()
    };
    assert_eq!(secrets(&one), secrets(&same));
    assert_ne!(secrets(&one), secrets(&other));
    assert_eq!(
        one.newest_report("tenant-0007").await,
        same.newest_report("tenant-0007").await
    );
    assert_ne!(
        one.newest_report("contoso").await["currentScore"],
        other.newest_report("contoso").await["currentScore"]
    );
}

#[tokio::test]
async fn ids_are_echoed_and_answers_packed_on_request() {
    let stage = Stage::new().await;
    let token = stage.token("contoso").await;
    let url = format!(
        "{}/v1.0/security/secureScores?$top=1",
        stage.simulator.url()
    );
    let plain = client(&stage.simulator).no_gzip().build().unwrap();
    let request = plain
        .get(&url)
        .bearer_auth(&token)
        .header("client-request-id", "mine");
    let packed = request
        .try_clone()
        .unwrap()
        .header("accept-encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(packed.headers()["client-request-id"], "mine");
    assert!(packed.headers().contains_key("request-id") && packed.headers().contains_key("date"));
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert!(
        !request
            .send()
            .await
            .unwrap()
            .headers()
            .contains_key("content-encoding")
    );
}

#[tokio::test]
async fn both_versions_of_http_are_spoken() {
    let stage = Stage::new().await;
    let token = stage.token("contoso").await;
    let response = stage.try_get(&token, "secureScores?$top=1").await.unwrap();
    assert_eq!(response.version(), reqwest::Version::HTTP_2);
    let old = client(&stage.simulator).http1_only().build().unwrap();
    let url = format!(
        "{}/v1.0/security/secureScores?$top=1",
        stage.simulator.url()
    );
    let response = old.get(url).bearer_auth(token).send().await.unwrap();
    assert_eq!(
        (response.status(), response.version()),
        (StatusCode::OK, reqwest::Version::HTTP_11)
    );
}

#[tokio::test]
async fn nothing_can_be_written_and_other_paths_do_not_exist() {
    let stage = Stage::new().await;
    let token = stage.token("contoso").await;
    let url = format!(
        "{}/v1.0/security/secureScoreControlProfiles",
        stage.simulator.url()
    );
    let patch = stage
        .http
        .patch(&url)
        .bearer_auth(&token)
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(patch.status(), StatusCode::METHOD_NOT_ALLOWED);
    let missing = stage.try_get(&token, "alerts").await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}
