//! Translates Entra's recommendations and the Identity Secure Score into the
//! model.
//!
//! This is the only place with Entra's words for statuses. Like a state of
//! Secure Score, a new one becomes *unknown* and is counted.

use super::anomaly_counter::{AnomalyCounter, UnknownWord};
use super::lenient::{LenientList, LenientText};
use super::translate::MAX_TEXT;
use super::wire;
use crate::text::{clean_line, single_line};
use secure_score_model::{
    IdentityScore, RecommendationCategory, RecommendationEntry, RecommendationList,
    RecommendationPriority, RecommendationStatus, SkippedField, UnknownField,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Graph's word for a member of an enum that is newer than the client.
const FUTURE_WORD: &str = "unknownFutureValue";

/// The last change of a recommendation that no person made.
const SYSTEM: &str = "System";

/// Collects the pages of the recommendations.
#[derive(Default)]
pub(super) struct RecommendationReader {
    entries: Vec<RecommendationEntry>,
    /// The beginnings of the ids, which are to be the tenant's GUID.
    pub(super) tenants: BTreeSet<String>,
    pub(super) counter: AnomalyCounter,
    /// How many elements cannot be read or have no id.
    pub(super) unread: u64,
}

impl RecommendationReader {
    /// How many recommendations were read.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds the elements of one page.
    pub(super) fn page(&mut self, page: LenientList<wire::Recommendation<'_>>) {
        self.unread += page.unread as u64;
        self.counter.skipped(SkippedField::Element, page.unread);
        for element in page.elements {
            let Some(id) = self.counter.id(&element.id) else {
                self.unread += 1;
                continue;
            };
            let (tenant, tail) = id.split_once('_').unwrap_or(("", &id));
            self.tenants.insert(tenant.to_ascii_lowercase());
            match entry(tail, element, &mut self.counter) {
                Some(entry) => self.add(entry),
                None => self.unread += 1,
            }
        }
    }

    /// Adds an element. If a list shifts between two pages, an id occurs twice;
    /// the newer copy counts. One without a date that may be set aside is the
    /// newest, and of two equally new ones that counts which may be set aside.
    fn add(&mut self, entry: RecommendationEntry) {
        let Some(known) = self.entries.iter_mut().find(|it| it.id == entry.id) else {
            self.entries.push(entry);
            return;
        };
        self.counter.anomalies.skipped(SkippedField::Duplicate);
        let order = |it: &RecommendationEntry| {
            let aside = it.status.sets_aside();
            let may_be_aside = aside != Some(false);
            let is_undated = it.last_modified.is_none();
            (
                is_undated && may_be_aside,
                it.last_modified,
                may_be_aside,
                aside,
            )
        };
        if (order(&entry), &entry) > (order(known), known) {
            *known = entry;
        }
    }

    /// The recommendations of a tenant, and the words in them that this version
    /// does not know.
    pub(super) fn finish(
        self,
        tenant: Option<Arc<str>>,
    ) -> (RecommendationList, BTreeSet<UnknownWord>) {
        let counter = self.counter;
        let mut list = RecommendationList {
            entra_tenant_id: tenant,
            entries: self.entries.into_iter().map(Arc::new).collect(),
            anomalies: counter.anomalies,
        };
        list.assign_names();
        (list, counter.words)
    }
}

/// A recommendation whose name in the tenant is not yet decided. `tail` is its id
/// without the tenant.
fn entry(
    tail: &str,
    element: wire::Recommendation<'_>,
    counter: &mut AnomalyCounter,
) -> Option<RecommendationEntry> {
    if tail.is_empty() {
        counter.skipped(SkippedField::Id, 1);
        return None;
    }
    let kind = kind(&element.recommendation_type, counter);
    let category = counter.word(
        UnknownField::Category,
        &element.category,
        RecommendationCategory::Unknown,
        category,
    );
    let counts = category == RecommendationCategory::IdentitySecureScore;
    let status = status(&element.status, counter);
    let name = kind.as_deref().unwrap_or(tail);
    let title = single_line(element.display_name.get().unwrap_or(name));
    let postponed_until = counter.time(&element.postpone_until_date_time);
    let by = element.last_modified_by.get().map(str::trim);
    let by = by.filter(|it| !it.is_empty() && !it.eq_ignore_ascii_case(SYSTEM));
    let mut points = |field, number| counter.points(field, number).filter(|_| counts);
    let score = points(SkippedField::Score, element.current_score);
    let max_score = points(SkippedField::MaxScore, element.max_score);
    Some(RecommendationEntry {
        title: title.trim().into(),
        category,
        status,
        priority: counter.word(
            UnknownField::Priority,
            &element.priority,
            RecommendationPriority::Unknown,
            priority,
        ),
        impact_type: short(&element.impact_type),
        license: short(&element.required_licenses),
        score,
        max_score,
        status_modified: counter.time(&element.status_modified_date_time),
        last_modified: counter.time(&element.last_modified_date_time),
        last_modified_by: by.map(|it| clean_line(it, MAX_TEXT).into()),
        postponed_until: postponed_until.filter(|_| status == RecommendationStatus::Postponed),
        impacted_resources: impacted_resources(element, counter),
        kind,
        ..RecommendationEntry::new(tail)
    })
}

/// A type that is a word and known to Graph. Another one is counted, and the
/// recommendation is named by its id.
fn kind(text: &LenientText<'_>, counter: &mut AnomalyCounter) -> Option<Arc<str>> {
    let is_name = |char: char| char.is_ascii_alphanumeric() || ['.', '_', '-'].contains(&char);
    let word = text.get().filter(|it| {
        !it.eq_ignore_ascii_case(FUTURE_WORD) && it.len() <= 128 && it.chars().all(is_name)
    });
    if word.is_none() {
        counter.unknown(UnknownField::Type, text.get().unwrap_or("(missing)"));
    }
    word.map(Arc::from)
}

fn short(text: &LenientText<'_>) -> Arc<str> {
    single_line(text.get().unwrap_or_default()).trim().into()
}

/// The status. Without one it cannot be read, and may be an acceptance.
fn status(text: &LenientText<'_>, counter: &mut AnomalyCounter) -> RecommendationStatus {
    if *text == LenientText::Missing {
        counter.unknown(UnknownField::Status, "(missing)");
    }
    counter.word(
        UnknownField::Status,
        text,
        RecommendationStatus::Unknown,
        status_word,
    )
}

fn status_word(word: &str) -> Option<RecommendationStatus> {
    Some(match word {
        "active" => RecommendationStatus::Active,
        "needsmoreaction" => RecommendationStatus::NeedsMoreAction,
        "completedbysystem" => RecommendationStatus::CompletedBySystem,
        "completedbyuser" => RecommendationStatus::CompletedByUser,
        "dismissed" => RecommendationStatus::Dismissed,
        "postponed" => RecommendationStatus::Postponed,
        "riskaccepted" => RecommendationStatus::RiskAccepted,
        "thirdparty" => RecommendationStatus::ThirdParty,
        "planned" => RecommendationStatus::Planned,
        "alternatemitigation" => RecommendationStatus::AlternateMitigation,
        _ => return None,
    })
}

fn priority(word: &str) -> Option<RecommendationPriority> {
    Some(match word {
        "low" => RecommendationPriority::Low,
        "medium" => RecommendationPriority::Medium,
        "high" => RecommendationPriority::High,
        "critical" => RecommendationPriority::Critical,
        _ => return None,
    })
}

fn category(word: &str) -> Option<RecommendationCategory> {
    Some(match word {
        "identitysecurescore" => RecommendationCategory::IdentitySecureScore,
        "identitybestpractice" => RecommendationCategory::IdentityBestPractice,
        "mdisecurescore" => RecommendationCategory::MdiSecureScore,
        _ => return None,
    })
}

/// The resources by status. Graph omits the list unless it is asked for it, and
/// sometimes then: that is not an empty one. Their number is unknown also where
/// Graph sends the first page of them only.
fn impacted_resources(
    element: wire::Recommendation<'_>,
    counter: &mut AnomalyCounter,
) -> Option<BTreeMap<RecommendationStatus, u64>> {
    let list = element.impacted_resources;
    if element.more_resources.get().is_some() || list.is_missing() || list.is_null() {
        return None;
    }
    let Some(list) = list.elements() else {
        counter.skipped(SkippedField::Resource, 1);
        return None;
    };
    counter.skipped(SkippedField::Resource, list.unread);
    let mut resources = BTreeMap::new();
    for resource in &list.elements {
        *resources
            .entry(status(&resource.status, counter))
            .or_default() += 1;
    }
    Some(resources)
}

/// Translates the Identity Secure Score of one day.
pub(super) fn identity_score(
    score: &wire::IdentityScore<'_>,
    mut counter: AnomalyCounter,
) -> IdentityScore {
    IdentityScore {
        as_of: counter.time(&score.create_date_time),
        score: counter.points(SkippedField::Score, score.tenant_score),
        max_score: counter.points(SkippedField::MaxScore, score.tenant_max_score),
        anomalies: counter.anomalies,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{read_identity_score, read_recommendations};
    use RecommendationStatus::{Active, Dismissed, RiskAccepted, Unknown};
    use serde_json::{Value, json};

    fn read(elements: Value) -> RecommendationList {
        read_recommendations(json!({"value": elements}).to_string().as_bytes()).unwrap()
    }

    fn element(kind: &str, status: &str) -> Value {
        json!({"id": format!("t_{kind}"), "recommendationType": kind, "status": status,
            "category": "identitySecureScore", "priority": "high"})
    }

    fn names(list: &RecommendationList) -> Vec<&str> {
        list.entries.iter().map(|it| &*it.name).collect()
    }

    #[test]
    fn a_recommendation_is_read() {
        let list = read(json!([{
            "id": "t_userRiskPolicy", "recommendationType": "userRiskPolicy",
            "displayName": "Protect all users ", "category": "identitySecureScore",
            "status": "riskAccepted", "priority": "medium", "currentScore": 5.25, "maxScore": 7.0,
            "lastModifiedBy": "ann@contoso.example", "lastModifiedDateTime": "2026-11-17T08:12:01Z",
            "statusModifiedDateTime": "2026-11-16T08:00:00Z", "postponeUntilDateTime": null,
            "impactType": "users", "requiredLicenses": "microsoftEntraIdP2",
            "impactedResources": [{"status": "active"}, {"status": "dismissed"}, {"status": "active"}]
        }]));
        let entry = &list.entries[0];
        assert_eq!(entry.name.as_ref(), "userRiskPolicy");
        assert_eq!(entry.title.as_ref(), "Protect all users");
        assert_eq!(entry.status, RiskAccepted);
        assert_eq!(entry.priority, RecommendationPriority::Medium);
        assert_eq!(entry.score.map(|it| it.get()), Some(5.25));
        assert_eq!(
            entry.last_modified_by.as_deref(),
            Some("ann@contoso.example")
        );
        let resources = entry.impacted_resources.clone().unwrap();
        assert_eq!(resources, BTreeMap::from([(Active, 2), (Dismissed, 1)]));
        assert!(entry.status_modified < entry.last_modified);
        assert!(list.anomalies.is_empty(), "{}", list.anomalies);
    }

    #[test]
    fn a_word_that_is_not_known_is_unknown_and_counted() {
        for word in [
            json!("noted"),
            json!("unknownFutureValue"),
            json!(null),
            json!({}),
        ] {
            let mut element = element("A", "active");
            element["status"] = word.clone();
            element["category"] = json!("other");
            element["priority"] = json!("urgent");
            let list = read(json!([element]));
            let entry = &list.entries[0];
            assert_eq!(entry.status, Unknown, "{word}");
            assert_eq!(entry.category, RecommendationCategory::Unknown);
            for field in [
                UnknownField::Status,
                UnknownField::Category,
                UnknownField::Priority,
            ] {
                assert_eq!(list.anomalies.count_unknown(field), 1, "{field} {word}");
            }
        }
    }

    #[test]
    fn an_unknown_type_leaves_the_end_of_the_id_as_the_name() {
        let long = "Microsoft.Identity.IAM.Insights.TurnOffPerUserMFA";
        for kind in [json!("unknownFutureValue"), json!(null), json!("a b")] {
            let mut element = element("A", "active");
            element["id"] = json!(format!("t_{long}"));
            element["recommendationType"] = kind;
            let list = read(json!([element]));
            assert_eq!(names(&list), [long]);
            assert_eq!(list.anomalies.count_unknown(UnknownField::Type), 1);
        }
    }

    #[test]
    fn two_of_one_type_are_named_by_their_ids() {
        let mut first = element("same", "active");
        first["id"] = json!("t_first");
        let mut second = element("SAME", "dismissed");
        second["id"] = json!("t_second");
        let list = read(json!([first, second, element("other", "active")]));
        assert_eq!(names(&list), ["first", "second", "other"]);
    }

    #[test]
    fn of_two_copies_the_newer_counts_and_else_that_which_is_set_aside() {
        let copy = |status: &str, day: u32| {
            let mut copy = element("A", status);
            copy["lastModifiedDateTime"] = json!(format!("2026-11-{day:02}T00:00:00Z"));
            copy
        };
        let status = |a: &Value, b: &Value| {
            let both = [read(json!([a, b])), read(json!([b, a]))];
            assert_eq!(both[0].entries, both[1].entries);
            assert_eq!(both[0].anomalies.count_skipped(SkippedField::Duplicate), 1);
            both[0].entries[0].status
        };
        assert_eq!(status(&copy("dismissed", 2), &copy("active", 3)), Active);
        assert_eq!(status(&copy("dismissed", 3), &copy("active", 3)), Dismissed);
    }

    #[test]
    fn points_that_are_none_are_left_out() {
        for number in [json!(-1), json!("many"), json!([])] {
            let mut element = element("A", "active");
            element["currentScore"] = number;
            let list = read(json!([element]));
            assert_eq!(list.entries[0].score, None);
            assert_eq!(list.anomalies.count_skipped(SkippedField::Score), 1);
        }
        let mut practice = element("A", "active");
        practice["category"] = json!("identityBestPractice");
        practice["currentScore"] = json!(0);
        let list = read(json!([practice, element("B", "active")]));
        assert_eq!(list.entries[0].score, None, "it does not count");
        assert_eq!(list.entries[1].score, None, "it has none");
        assert!(list.anomalies.is_empty());
    }

    #[test]
    fn resources_that_graph_omits_are_not_an_empty_list() {
        let resources = |json: Option<Value>| {
            let mut element = element("A", "active");
            if let Some(json) = json {
                element["impactedResources"] = json;
            }
            read(json!([element])).entries[0].impacted_resources.clone()
        };
        assert_eq!(resources(None), None);
        assert_eq!(resources(Some(json!(null))), None);
        assert_eq!(resources(Some(json!("x"))), None);
        assert_eq!(resources(Some(json!([]))), Some(BTreeMap::new()));
    }

    #[test]
    fn a_first_page_of_resources_is_no_count() {
        let mut element = element("A", "active");
        element["impactedResources"] = json!([{"status": "active"}]);
        element["impactedResources@odata.nextLink"] = json!("https://graph.example/next");
        assert_eq!(read(json!([element])).entries[0].impacted_resources, None);
    }

    #[test]
    fn a_resource_that_cannot_be_read_is_no_missing_recommendation() {
        let mut element = element("A", "active");
        element["impactedResources"] = json!([7, {"status": "active"}]);
        let list = read(json!([element]));
        assert_eq!(list.anomalies.count_skipped(SkippedField::Element), 0);
        assert_eq!(list.anomalies.count_skipped(SkippedField::Resource), 1);
    }

    #[test]
    fn two_different_statuses_in_one_element_are_unknown() {
        let body = r#"{"value":[{"id":"t_A","recommendationType":"A","category":"identitySecureScore",
            "status":"dismissed","status":"active"}]}"#;
        let list = read_recommendations(body.as_bytes()).unwrap();
        assert_eq!(list.entries[0].status, Unknown);
        assert_eq!(list.anomalies.count_unknown(UnknownField::Status), 1);
    }

    #[test]
    fn ids_without_an_end_are_skipped() {
        let list = read(json!([{"id": "t_"}, {"id": 7}, element("A", "active")]));
        assert_eq!(
            list.entries.len(),
            1 + 1,
            "an id of one word is its own end"
        );
        assert_eq!(list.anomalies.count_skipped(SkippedField::Id), 1);
    }

    #[test]
    fn the_newest_identity_score_counts() {
        let body = json!({"value": [
            {"tenantScore": 10, "tenantMaxScore": 56, "createDateTime": "2026-11-01T00:00:00Z"},
            {"tenantScore": 11, "tenantMaxScore": -1, "createDateTime": "2026-11-02T00:00:00Z"},
        ]});
        let score = read_identity_score(body.to_string().as_bytes())
            .unwrap()
            .unwrap();
        assert_eq!(score.score.map(|it| it.get()), Some(11.0));
        assert_eq!(score.max_score, None);
        assert_eq!(score.anomalies.count_skipped(SkippedField::MaxScore), 1);
        assert_eq!(read_identity_score(br#"{"value":[]}"#).unwrap(), None);
        assert!(read_identity_score(br#"{"value":[7]}"#).is_err());
    }
}
