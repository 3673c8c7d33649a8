//! Translates Graph's responses into the model.
//!
//! This is the only place with Graph's state words, such as `Ignored` for what
//! the portal shows as *Risk accepted*. A new word becomes *unknown* and is
//! counted, so that the tenant's other 350 controls stay readable. So does an
//! update that cannot be read: it may have been an acceptance.

use super::anomaly_counter::{AnomalyCounter, UnknownWord};
use super::date::Date;
use super::inner_list::InnerList;
use super::lenient::{Element, LenientList, LenientNumber, LenientText};
use super::wire;
use crate::text::{clean_line, cut, single_line};
use secure_score_model::{
    ActionType, Basis, Catalogue, CatalogueEntry, Category, CategoryComparison, Comparison,
    ControlScore, ControlState, DailyScore, History, Level, Report, SkippedField, StateUpdate,
    Tier, Timestamp, UnknownField,
};
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Comments and other long texts are truncated to this many bytes.
pub(super) const MAX_TEXT: usize = 2_000;

/// The most updates of one history that are read: one each night for a quarter of
/// a century.
const MAX_UPDATES: usize = 10_000;

/// Collects the pages of a catalogue into entries with distinct ids.
pub(super) struct CatalogueReader {
    /// Later dates are in the future.
    now: Timestamp,
    pub(super) entries: Vec<Arc<CatalogueEntry>>,
    positions: HashMap<Arc<str>, usize>,
    /// Every tenant id in the entries, in lower case: a GUID has no case.
    pub(super) tenants: BTreeSet<String>,
    pub(super) counter: AnomalyCounter,
    /// How many pages were added.
    pub(super) pages: usize,
    /// How many elements were added, and how many of them have no states.
    elements: usize,
    without_states: usize,
}

impl CatalogueReader {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            entries: Vec::new(),
            positions: HashMap::new(),
            tenants: BTreeSet::new(),
            counter: AnomalyCounter::default(),
            pages: 0,
            elements: 0,
            without_states: 0,
        }
    }

    /// Adds the elements of one page.
    pub(super) fn page(&mut self, page: LenientList<wire::Profile<'_>>) {
        self.pages += 1;
        self.counter.skipped(SkippedField::Element, page.unread);
        self.elements += page.elements.len();
        self.entries.reserve(page.elements.len());
        self.positions.reserve(page.elements.len());
        for profile in page.elements {
            let lacks_states = profile.control_state_updates.is_missing();
            self.without_states += usize::from(lacks_states);
            if let Some(tenant) = profile.azure_tenant_id.get()
                && !self
                    .tenants
                    .iter()
                    .any(|it| it.eq_ignore_ascii_case(tenant))
            {
                self.tenants.insert(tenant.to_ascii_lowercase());
            }
            if let Some(entry) = entry(profile, &mut self.counter) {
                self.add(entry);
            }
        }
    }

    /// Whether all elements lack their states. If Graph ever drops the field, no
    /// accepted risk may look as if it was withdrawn.
    pub(super) fn lacks_states(&self) -> bool {
        self.elements > 0 && self.without_states == self.elements
    }

    /// Adds an entry. If a list shifts between two pages, an id occurs twice;
    /// the entry with the newer history counts; of two with the same history, the
    /// greater one, so that the choice does not depend on their order.
    fn add(&mut self, entry: CatalogueEntry) {
        let Some(position) = self.positions.get(&entry.id).copied() else {
            self.positions
                .insert(Arc::clone(&entry.id), self.entries.len());
            self.entries.push(Arc::new(entry));
            return;
        };
        self.counter.anomalies.skipped(SkippedField::Duplicate);
        if let Some(kept) = self.entries.get_mut(position)
            && is_newer(&entry, kept, self.now)
        {
            *kept = Arc::new(entry);
        }
    }

    /// The catalogue of a tenant, and the words in it that this version does
    /// not know.
    pub(super) fn finish(self, tenant: Option<Arc<str>>) -> (Catalogue, BTreeSet<UnknownWord>) {
        let catalogue = Catalogue {
            entra_tenant_id: tenant,
            entries: self.entries,
            anomalies: self.counter.anomalies,
        };
        (catalogue, self.counter.words)
    }
}

fn is_newer(entry: &CatalogueEntry, kept: &CatalogueEntry, now: Timestamp) -> bool {
    let (history, known) = (&entry.history, &kept.history);
    let by_recency = history.recency(now).cmp(&known.recency(now));
    match by_recency.then_with(|| history.updates().cmp(known.updates())) {
        Ordering::Equal => entry > kept,
        newer => newer.is_gt(),
    }
}

fn entry(profile: wire::Profile<'_>, counter: &mut AnomalyCounter) -> Option<CatalogueEntry> {
    let id = counter.id(&profile.id)?;
    let history = history(profile.control_state_updates, counter);
    let title = profile.title.get().unwrap_or(&id);
    let mut amount = |field, text| counter.word(field, text, Level::Unknown, level);
    let user_impact = amount(UnknownField::UserImpact, &profile.user_impact);
    let cost = amount(
        UnknownField::ImplementationCost,
        &profile.implementation_cost,
    );
    Some(CatalogueEntry {
        title: single_line(title).into(),
        category: counter.category(&profile.control_category),
        product: single_line(profile.service.get().unwrap_or_default()).into(),
        tier: counter.word(UnknownField::Tier, &profile.tier, Tier::Unknown, tier),
        user_impact,
        implementation_cost: cost,
        action_type: counter.word(
            UnknownField::ActionType,
            &profile.action_type,
            ActionType::Unknown,
            action_type,
        ),
        max_score: counter.points(SkippedField::MaxScore, profile.max_score),
        deprecated: is_true(&profile.deprecated),
        action_url: text(&profile.action_url),
        history,
        id,
    })
}

fn text(text: &LenientText<'_>) -> Option<Arc<str>> {
    text.get().map(|text| clean_line(text, MAX_TEXT).into())
}

/// The changes of a control's state. Each update that cannot be read has an
/// unknown state, and so has a history that is missing or no list: the control
/// must not look as if it was never changed.
fn history(updates: InnerList<'_, wire::StateUpdate<'_>>, counter: &mut AnomalyCounter) -> History {
    let updates = updates.last_elements(MAX_UPDATES);
    let updates = updates.unwrap_or_else(|| LenientList {
        elements: Vec::new(),
        unread: 1,
    });
    counter.skipped(SkippedField::StateUpdate, updates.unread);
    let unread = updates.unread.min(MAX_UPDATES);
    let unread = std::iter::repeat_n(StateUpdate::new(ControlState::Unknown), unread);
    let read = updates.elements.iter();
    let read = read.map(|update| state_update(update, counter));
    History::as_sent(read.chain(unread).collect())
}

fn state_update(update: &wire::StateUpdate<'_>, counter: &mut AnomalyCounter) -> StateUpdate {
    let date = counter.date(&update.updated_date_time);
    StateUpdate {
        at: date.time(),
        by: text(&update.updated_by),
        comment: text(&update.comment),
        assigned_to: text(&update.assigned_to),
        date_is_unreadable: date == Date::Invalid,
        ..StateUpdate::new(state(&update.state, counter))
    }
}

/// The state of an update. Without a state it cannot be read.
fn state(text: &LenientText<'_>, counter: &mut AnomalyCounter) -> ControlState {
    if text.get().is_none() {
        counter.skipped(SkippedField::StateUpdate, 1);
        return ControlState::Unknown;
    }
    counter.word(
        UnknownField::State,
        text,
        ControlState::Unknown,
        control_state,
    )
}

/// Graph's word for a control's state, or the portal's.
///
/// The portal shows `Ignored` as *Risk accepted*; the documentation of 2018
/// called it `ignore`. `Planned` is not documented, but the portal offers it.
/// The other words are those of Entra, of live tenants and of the portal.
fn control_state(word: &str) -> Option<ControlState> {
    Some(match word {
        "default" | "toaddress" | "active" => ControlState::ToAddress,
        "ignored" | "ignore" | "riskaccepted" => ControlState::RiskAccepted,
        "thirdparty" | "thirdpartymitigation" | "resolvedthroughthirdparty" => {
            ControlState::ThirdParty
        }
        "reviewed" | "alternatemitigation" | "resolvedthroughalternatemitigation" => {
            ControlState::AlternateMitigation
        }
        "planned" | "inprogress" => ControlState::Planned,
        _ => return None,
    })
}

fn tier(word: &str) -> Option<Tier> {
    Some(match word {
        "core" => Tier::Core,
        "advanced" => Tier::Advanced,
        "defenseindepth" => Tier::DefenseInDepth,
        "unknown" => Tier::Unknown,
        _ => return None,
    })
}

fn level(word: &str) -> Option<Level> {
    Some(match word {
        "low" => Level::Low,
        "moderate" | "medium" => Level::Moderate,
        "high" => Level::High,
        "unknown" => Level::Unknown,
        _ => return None,
    })
}

fn action_type(word: &str) -> Option<ActionType> {
    Some(match word {
        "config" => ActionType::Config,
        "review" => ActionType::Review,
        "behavior" => ActionType::Behavior,
        "unknown" => ActionType::Unknown,
        _ => return None,
    })
}

/// Translates one day's score. Returns it with the words in it that this
/// version does not know.
pub(super) fn report(
    score: wire::Score<'_>,
    mut counter: AnomalyCounter,
) -> (Report, BTreeSet<UnknownWord>) {
    let controls = elements(score.control_scores, &mut counter);
    let averages = elements(score.average_comparative_scores, &mut counter);
    let report = Report {
        entra_tenant_id: score.azure_tenant_id.get().unwrap_or_default().into(),
        as_of: counter.time(&score.created_date_time),
        current_score: counter.points(SkippedField::Score, score.current_score),
        max_score: counter.points(SkippedField::MaxScore, score.max_score),
        active_users: counter.number(SkippedField::Users, score.active_user_count, users),
        licensed_users: counter.number(SkippedField::Users, score.licensed_user_count, users),
        comparisons: comparisons(&averages, &mut counter),
        scores: controls
            .iter()
            .filter_map(|score| control_score(score, &mut counter).map(Arc::new))
            .collect(),
        anomalies: counter.anomalies,
    };
    (report, counter.words)
}

/// The score of a day, if it has a day and a maximum.
pub(super) fn daily_score(score: wire::Score<'_>) -> Option<DailyScore> {
    let mut counter = AnomalyCounter::default();
    DailyScore::of(&Report {
        as_of: counter.time(&score.created_date_time),
        current_score: counter.points(SkippedField::Score, score.current_score),
        max_score: counter.points(SkippedField::MaxScore, score.max_score),
        ..Report::default()
    })
}

/// The elements of a list inside a report. A missing list is empty; an invalid
/// one is empty and counted.
fn elements<'a, T: Element<'a>>(list: InnerList<'a, T>, counter: &mut AnomalyCounter) -> Vec<T> {
    let unread = usize::from(!list.is_missing());
    let list = list.elements().unwrap_or_else(|| LenientList {
        elements: Vec::new(),
        unread,
    });
    counter.skipped(SkippedField::Element, list.unread);
    list.elements
}

/// A plausible number of users: an integer below a billion.
fn users(count: f64) -> Option<u64> {
    ((0.0..1e9).contains(&count) && count.fract() == 0.0).then_some(count as u64)
}

/// A percentage from 0 to 100.
fn percentage(number: f64) -> Option<f64> {
    (0.0..=100.0).contains(&number).then_some(number)
}

/// A boolean, or its text in any case.
fn is_true(text: &LenientText<'_>) -> bool {
    text.get().is_some_and(|it| it.eq_ignore_ascii_case("true"))
}

/// The score of a scored control. Graph also lists controls that do not count,
/// with 0 points; they are not scored.
///
/// A score without points is skipped. The difference to the tenant's total
/// shows it.
fn control_score(
    score: &wire::ControlScore<'_>,
    counter: &mut AnomalyCounter,
) -> Option<ControlScore> {
    if is_true(&score.not_scored) || is_true(&score.not_scored_capital) {
        return None;
    }
    let id = counter.id(&score.control_name)?;
    if score.score == LenientNumber::Missing {
        counter.anomalies.skipped(SkippedField::Score);
        return None;
    }
    Some(ControlScore {
        category: counter.category(&score.control_category),
        score: counter.points(SkippedField::Score, score.score)?,
        percentage: counter.number(SkippedField::Score, score.score_in_percentage, percentage),
        last_synced: counter.time(&score.last_synced),
        implementation_status: text(&score.implementation_status),
        // Cleaned where it is shown.
        description: score.description.get().map(|it| cut(it, MAX_TEXT).into()),
        id,
    })
}

fn comparisons(averages: &[wire::Comparison<'_>], counter: &mut AnomalyCounter) -> Vec<Comparison> {
    let mut kept: Vec<Comparison> = Vec::new();
    for average in averages {
        let Some(basis) = counter.word(UnknownField::Basis, &average.basis, None, basis) else {
            continue;
        };
        if kept.iter().any(|comparison| comparison.basis == basis) {
            counter.anomalies.skipped(SkippedField::Duplicate);
            continue;
        }
        kept.push(Comparison {
            basis,
            ratio: counter.number(SkippedField::Comparison, average.average_score, ratio),
            categories: category_comparisons(average, counter),
        });
    }
    kept
}

/// A percentage as a ratio, without rounding errors.
fn ratio(number: f64) -> Option<f64> {
    percentage(number).map(|percent| (percent * 1e6).round() / 1e8)
}

/// The inner `None` is the default for a missing word.
fn basis(word: &str) -> Option<Option<Basis>> {
    Basis::ALL
        .into_iter()
        .find(|basis| basis.as_str().eq_ignore_ascii_case(word))
        .map(Some)
}

fn category_comparisons(
    average: &wire::Comparison<'_>,
    counter: &mut AnomalyCounter,
) -> Vec<CategoryComparison> {
    [
        (
            Category::Identity,
            average.identity_score,
            average.identity_score_max,
        ),
        (Category::Data, average.data_score, average.data_score_max),
        (
            Category::Device,
            average.device_score,
            average.device_score_max,
        ),
        (Category::Apps, average.apps_score, average.apps_score_max),
        (
            Category::Infrastructure,
            average.infrastructure_score,
            average.infrastructure_score_max,
        ),
    ]
    .into_iter()
    .map(|(category, score, max_score)| CategoryComparison {
        category,
        score: counter.points(SkippedField::Comparison, score),
        max_score: counter.points(SkippedField::Comparison, max_score),
    })
    .filter(|average| average.score.is_some() || average.max_score.is_some())
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::plain_list::MAX_ELEMENTS;
    use crate::graph::{decode, read_catalogue, read_report};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// A valid page, to be modified.
    fn page() -> Value {
        let update = json!({"state": "Ignored", "updatedBy": "a@contoso.example",
            "updatedDateTime": "2026-11-20T08:15:30.1234567Z", "comment": "why", "assignedTo": ""});
        json!({"@odata.nextLink": null, "value": [
            {"id": "A", "azureTenantId": "t", "title": "T", "controlCategory": "Identity",
             "maxScore": 7.0, "tier": "Core", "userImpact": "low", "service": "AzureAD",
             "deprecated": false, "controlStateUpdates": [update]},
            {"id": "B", "controlStateUpdates": null},
            {"createdDateTime": "2026-11-22T00:00:00Z", "currentScore": 5, "maxScore": 7,
             "averageComparativeScores": [{"basis": "AllTenants", "averageScore": 50}],
             "controlScores": [{"controlName": "A", "score": 5, "scoreInPercentage": 71.4}]}
        ]})
    }

    /// The entries of a page with these profiles, and how many ids were skipped.
    fn entries(profiles: Value) -> (Vec<Arc<CatalogueEntry>>, u64) {
        let body = json!({"value": profiles}).to_string();
        let read = read_catalogue(body.as_bytes()).unwrap();
        let skipped = read.anomalies.count_skipped(SkippedField::Id);
        (read.entries, skipped)
    }

    #[test]
    fn an_id_with_control_characters_is_skipped_and_counted() {
        let profile = |id: &str| json!({"id": id, "controlStateUpdates": []});
        let (entries, skipped) = entries(json!([
            profile("A"),
            profile("B\u{1b}[31m"),
            profile("C\u{202e}D"),
            profile("E\nF"),
            profile("G"),
            profile("H")
        ]));
        let ids: Vec<_> = entries.iter().map(|entry| &*entry.id).collect();
        assert_eq!(ids, ["A", "G", "H"]);
        assert_eq!(skipped, 3);
    }

    #[test]
    fn control_characters_of_a_link_are_removed() {
        let (entries, _) = entries(json!([
            {"id": "A", "actionUrl": "https://a.example/\u{1b}[2J\u{202e}x", "controlStateUpdates": []}
        ]));
        let url = entries[0].action_url.as_deref();
        assert_eq!(url, Some("https://a.example/ [2Jx"));
    }

    #[test]
    fn the_limit_of_a_list_applies_to_all_pages_together() {
        let page = |start: usize, count: usize| {
            let ids = start..start + count;
            let profiles = ids.map(|id| json!({"id": format!("c{id}"), "controlStateUpdates": []}));
            json!({"value": profiles.collect::<Vec<_>>()}).to_string()
        };
        let mut reader = CatalogueReader::new(Timestamp::from_nanos(i64::MAX));
        let mut take = |start, count| decode::page(&mut reader, &page(start, count));
        take(0, MAX_ELEMENTS).unwrap();
        let error = take(MAX_ELEMENTS, 1).unwrap_err().to_string();
        assert!(error.contains("more than 5000 elements"), "{error}");
        assert!(take(0, MAX_ELEMENTS + 1).is_err());
    }

    #[test]
    fn a_list_is_the_same_in_one_pass_and_element_by_element() {
        for element in [
            r#"{"id":"B","title":" don\u0027t ","maxScore":"5","deprecated":true,"tier":null}"#,
            r#"{"id":7,"title":{"x":[1,{"y":2}]},"maxScore":{},"controlCategory":"Data"}"#,
            r#"{"more":[[[{}]]],"id":"B","controlStateUpdates":[{"state":"Ignored"},{"x":1}]}"#,
            r#"{"id":"B","controlStateUpdates":null}"#,
            r#"{"id":"B","title":"one","title":"two"}"#,
            r#"{"id":"B","title":"\ud83d","maxScore":1e999}"#,
            r#"{"id":"B","controlStateUpdates":[{"state":"Ignored"},["Ignored"],7]}"#,
            r#"["B"]"#,
            "7",
        ] {
            let entries = |more: &str| {
                let known = r#"{"id":"A","controlStateUpdates":[]},{"id":"C"}"#;
                let body = format!(r#"{{"value":[{known},{element}{more}]}}"#);
                read_catalogue(body.as_bytes()).unwrap().entries
            };
            // No list with a number in it is parsed in one pass.
            assert_eq!(entries(""), entries(",7"), "{element}");
        }
    }

    /// A catalogue of controls with these updates: `A0`, `A1` and so on.
    fn with_updates(updates: &[&str]) -> Catalogue {
        let profiles = updates.iter().enumerate().map(|(number, updates)| {
            format!(r#"{{"id":"A{number}","controlStateUpdates":{updates}}}"#)
        });
        let profiles = profiles.collect::<Vec<_>>().join(",");
        read_catalogue(format!(r#"{{"value":[{profiles}]}}"#).as_bytes()).unwrap()
    }

    fn states(catalogue: &Catalogue) -> Vec<ControlState> {
        let entries = catalogue.entries.iter();
        entries.map(|entry| entry.history.state()).collect()
    }

    #[test]
    fn the_words_of_graph_entra_and_the_portal_are_read_in_any_spelling() {
        use ControlState::{AlternateMitigation, Planned, RiskAccepted, ThirdParty, ToAddress};
        for (state, words) in [
            (
                ToAddress,
                &["Default", "ToAddress", "To address", "active"][..],
            ),
            (
                RiskAccepted,
                &[
                    "Ignored",
                    "ignore",
                    "RiskAccepted",
                    "riskAccepted",
                    "Risk\u{a0}accepted",
                    "RISK_ACCEPTED",
                ],
            ),
            (
                ThirdParty,
                &[
                    "thirdParty",
                    "Third-party mitigation",
                    "Resolved through third party",
                ],
            ),
            (
                AlternateMitigation,
                &[
                    "Reviewed",
                    "AlternateMitigation",
                    "Resolved through alternate mitigation",
                ],
            ),
            (Planned, &["Planned", "In progress", "inProgress"]),
        ] {
            let update = |word| format!(r#"[{{"state":"{word}","updatedBy":"a@b.example"}}]"#);
            for word in words {
                let read = with_updates(&[&update(word)]);
                assert_eq!(states(&read), [state], "{word}");
                assert!(read.anomalies.is_empty(), "{word}");
            }
        }
        let read = with_updates(&[r#"[{"state":"Postponed"}]"#]);
        assert_eq!(read.anomalies.count_unknown(UnknownField::State), 1);
    }

    #[test]
    fn an_acceptance_with_a_broken_text_or_a_repeated_key_is_read() {
        for field in [
            r#""comment":"\ud800""#,
            r#""updatedBy":"\udc00@contoso.example""#,
            r#""state":"Ignored""#,
            r#""\ud800":1"#,
            r#""assignedTo":1e999"#,
        ] {
            let date = r#""updatedDateTime":"2026-11-20T08:15:30Z""#;
            let updates = format!(r#"[{{{field},"state":"Ignored",{date}}}]"#);
            let read = with_updates(&[&updates]);
            assert_eq!(states(&read), [ControlState::RiskAccepted], "{field}");
            assert!(read.anomalies.is_empty(), "{field}");
        }
    }

    #[test]
    fn an_update_that_cannot_be_read_is_an_unknown_state() {
        let accepted = r#"{"state":"Ignored","updatedDateTime":"2026-11-20T08:15:30Z"}"#;
        let unread = [
            "[null,null,null,null]",
            r#"["Ignored"]"#,
            r#"[{"updatedBy":"a@b.example"}]"#,
            r#"[{"state":{"x":1}}]"#,
            r#""Ignored""#,
            "7",
        ];
        let read = with_updates(&unread);
        assert_eq!(states(&read), [ControlState::Unknown; 6]);
        let skipped = read.anomalies.all_skipped().collect::<Vec<_>>();
        assert_eq!(skipped, [(SkippedField::StateUpdate, 9)]);
        let after = format!(r#"[{accepted},"x"]"#);
        let before = format!(r#"["x",{accepted}]"#);
        let read = with_updates(&[&after, &before, "[]", "null"]);
        let accepted = ControlState::RiskAccepted;
        let untouched = ControlState::ToAddress;
        assert_eq!(states(&read), [accepted, accepted, untouched, untouched]);
    }

    #[test]
    fn a_control_without_a_list_of_updates_has_no_known_state() {
        let body = r#"{"value":[{"id":"A","controlStateUpdates":[]},{"id":"B"}]}"#;
        let read = read_catalogue(body.as_bytes()).unwrap();
        let expected = [ControlState::ToAddress, ControlState::Unknown];
        assert_eq!(states(&read), expected);
        assert_eq!(read.entries[1].history.risk_accepted(), None);
    }

    #[test]
    fn an_invalid_field_costs_only_itself() {
        let body = br#"{"value":[{"id":"A","title":"\ud800 T","maxScore":1e400,"service":"A\xffD",
            "controlStateUpdates":[{"state":"Ignored"}],"tier":"defense-in-depth"}]}"#;
        let mut body = body.to_vec();
        let escape = body.windows(4).position(|it| it == br"\xff").unwrap();
        body.splice(escape..escape + 4, [0xff]);
        let read = read_catalogue(&body).unwrap();
        let entry = &read.entries[0];
        assert_eq!(&*entry.title, "\u{fffd} T");
        assert_eq!(&*entry.product, "A\u{fffd}D");
        assert_eq!(entry.tier, Tier::DefenseInDepth);
        assert_eq!(entry.max_score, None);
        assert_eq!(entry.history.state(), ControlState::RiskAccepted);
        let skipped: Vec<_> = read.anomalies.all_skipped().collect();
        assert_eq!(skipped, [(SkippedField::MaxScore, 1)]);
    }

    #[test]
    fn an_unreadable_date_does_not_make_its_update_the_oldest() {
        let update = |state: &str, date: &str| {
            format!(r#"{{"state":"{state}","updatedDateTime":"{date}","updatedBy":"a@b.example"}}"#)
        };
        let reset = update("Default", "2026-11-20T08:15:30Z");
        let accepted = update("Ignored", "yesterday");
        let read = with_updates(&[
            &format!("[{reset},{accepted}]"),
            &format!("[{accepted},{reset}]"),
        ]);
        let expected = [ControlState::RiskAccepted, ControlState::ToAddress];
        assert_eq!(states(&read), expected);
        assert_eq!(read.anomalies.count_skipped(SkippedField::Date), 2);
    }

    #[test]
    fn of_two_copies_the_one_with_the_newest_change_counts() {
        let update = |state: &str, day: u8| {
            json!({"state": state, "updatedDateTime": format!("2026-11-{day:02}T08:00:00Z"),
                "updatedBy": "a@b.example"})
        };
        let long = json!({"id": "A", "controlStateUpdates":
            [update("Planned", 1), update("Default", 2), update("Ignored", 3)]});
        let new = json!({"id": "A", "controlStateUpdates": [update("Default", 4)]});
        for copies in [[&long, &new], [&new, &long]] {
            let body = json!({"value": copies}).to_string();
            let read = read_catalogue(body.as_bytes()).unwrap();
            assert_eq!(states(&read), [ControlState::ToAddress]);
            assert_eq!(read.anomalies.count_skipped(SkippedField::Duplicate), 1);
        }
    }

    #[test]
    fn of_two_copies_that_are_equally_new_the_one_with_an_acceptance_counts() {
        let copy = |first: &str, by: &str| {
            let update = |state: &str, day: u8| {
                json!({"state": state, "updatedDateTime": format!("2026-11-{day:02}T08:00:00Z"),
                    "updatedBy": by})
            };
            json!({"id": "A", "controlStateUpdates": [update(first, 1), update("Default", 2)]})
        };
        for (counts, other) in [
            (copy("Ignored", "a"), copy("Planned", "b")),
            (copy("Ignored", "b"), copy("Ignored", "a")),
        ] {
            let alone = json!({"value": [counts]}).to_string();
            let expected = read_catalogue(alone.as_bytes()).unwrap().entries;
            for copies in [[&counts, &other], [&other, &counts]] {
                let body = json!({"value": copies}).to_string();
                let read = read_catalogue(body.as_bytes()).unwrap();
                assert_eq!(read.entries, expected);
            }
        }
    }

    /// An update of a history as JSON, which may be odd.
    fn any_update() -> impl Strategy<Value = Value> {
        let states = vec!["Default", "Ignored", "Planned", "Postponed"];
        let state = prop_oneof![
            8 => prop::sample::select(states).prop_map(Value::from),
            1 => Just(Value::Null),
        ];
        let date = prop_oneof![
            6 => (1..4_u8).prop_map(|day| json!(format!("2026-11-{day:02}T00:00:00Z"))),
            1 => Just(Value::Null),
            1 => Just(json!("yesterday")),
        ];
        let update = (state, date, any::<bool>()).prop_map(|(state, date, is_named)| {
            let by = is_named.then_some("a@b.example");
            json!({"state": state, "updatedDateTime": date, "updatedBy": by})
        });
        prop_oneof![9 => update, 1 => Just(json!("x"))]
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
            Just(Value::from("Ignored")),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-zA-Z@.]{1,12}", inner), 0..4)
                    .prop_map(|pairs| pairs.into_iter().collect::<Value>()),
            ]
        })
    }

    /// The paths to every value of a document.
    fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
        found.push(at.to_owned());
        match value {
            Value::Array(list) => {
                for (place, inner) in list.iter().enumerate() {
                    paths(inner, &format!("{at}/{place}"), found);
                }
            }
            Value::Object(fields) => {
                for (name, inner) in fields {
                    paths(inner, &format!("{at}/{name}"), found);
                }
            }
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn the_order_of_copies_does_not_matter(
            histories in prop::collection::vec(prop::collection::vec(any_update(), 0..4), 2..4),
        ) {
            let copies = histories.iter().enumerate();
            let copies = copies.map(|(number, updates)| {
                json!({"id": "A", "title": number % 2, "controlStateUpdates": updates})
            });
            let mut copies: Vec<Value> = copies.collect();
            let read = |copies: &[Value]| {
                let body = json!({"value": copies}).to_string();
                read_catalogue(body.as_bytes()).unwrap().entries
            };
            let forward = read(&copies);
            prop_assert_eq!(forward.len(), 1);
            copies.reverse();
            prop_assert_eq!(&read(&copies), &forward);
            copies.rotate_left(1);
            prop_assert_eq!(&read(&copies), &forward);
        }

        #[test]
        fn what_cannot_be_read_of_an_acceptance_never_gives_a_zero(
            mut updates in prop::collection::vec(any_update(), 1..6),
            place in any::<prop::sample::Index>(),
            broken in prop::sample::select(vec![
                json!(null), json!("Ignored"), json!({}), json!({"state": ["Ignored"]}),
            ]),
        ) {
            let place = place.index(updates.len());
            if !updates[place].is_object() {
                updates[place] = json!({"updatedBy": "a@b.example"});
            }
            updates[place]["state"] = json!("Ignored");
            let read = |updates: &[Value]| {
                with_updates(&[&json!(updates).to_string()]).entries.remove(0)
            };
            let whole = read(&updates);
            updates[place] = broken;
            let history = &read(&updates).history;
            prop_assert_ne!(history.acceptances(), Some(0));
            if whole.history.risk_accepted() == Some(true) {
                prop_assert_ne!(history.risk_accepted(), Some(false));
            }
            if whole.history.accepted_within(3) == Some(true) {
                prop_assert_ne!(history.accepted_within(3), Some(false));
            }
        }

        #[test]
        fn any_value_in_any_place_is_decoded_without_a_panic(
            place in any::<prop::sample::Index>(),
            value in any_json(),
        ) {
            let mut page = page();
            let mut all = Vec::new();
            paths(&page, "", &mut all);
            *page.pointer_mut(place.get(&all[..]).as_str()).unwrap() = value;
            let body = page.to_string();
            let _ = read_catalogue(body.as_bytes());
            let _ = read_report(body.as_bytes());
        }
    }
}
