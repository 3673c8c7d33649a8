//! Microsoft's words and shapes, read into ours.
//!
//! The only place that knows that Graph says `Ignored` for what the portal
//! shows as *Risk accepted*. A word we have never seen becomes *unknown* and
//! is counted: one new word from Microsoft must not cost a tenant its other
//! 350 controls.

use super::elements::{Elements, MOST, inner_elements};
use super::loose::{Number, Raw, Text};
use super::observed::Observed;
use super::text::printable;
use super::wire;
use secure_score_model::{
    ActionType, Anomalies, Basis, CatalogueEntry, Category, CategoryComparison, Comparison,
    ControlScore, ControlState, History, Level, Report, SkippedField, StateUpdate, Tier, Timestamp,
    UnknownField,
};
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// What administrators and Microsoft write at length is kept up to here.
const LONGEST_TEXT: usize = 2_000;

/// Gathers the pages of a catalogue into entries with distinct ids.
#[derive(Default)]
pub(super) struct CatalogueReader {
    entries: Vec<Arc<CatalogueEntry>>,
    places: HashMap<Arc<str>, usize>,
    tenants: BTreeSet<String>,
    observed: Observed,
    pages: usize,
}

/// A catalogue read to its end.
pub(super) struct ReadCatalogue {
    pub(super) entries: Vec<Arc<CatalogueEntry>>,
    /// Every tenant id the entries name.
    pub(super) tenants: BTreeSet<String>,
    pub(super) observed: Observed,
}

impl CatalogueReader {
    /// Takes in one page's elements.
    pub(super) fn page(&mut self, page: &Elements<wire::Profile<'_>>) {
        self.pages += 1;
        self.observed.skipped(SkippedField::Element, page.unread);
        for profile in &page.read {
            if let Some(tenant) = profile.azure_tenant_id.get()
                && !self.tenants.contains(tenant)
            {
                self.tenants.insert(tenant.to_owned());
            }
            if let Some(entry) = entry(profile, &mut self.observed) {
                self.keep(entry);
            }
        }
    }

    /// Keeps one entry per id. A list that shifts between two pages shows an
    /// element twice; the one with the longer history knows more.
    fn keep(&mut self, entry: CatalogueEntry) {
        let Some(place) = self.places.get(&entry.id).copied() else {
            self.places
                .insert(Arc::clone(&entry.id), self.entries.len());
            self.entries.push(Arc::new(entry));
            return;
        };
        self.observed.anomalies.skipped(SkippedField::Duplicate);
        if let Some(kept) = self.entries.get_mut(place)
            && entry.history.changes().len() > kept.history.changes().len()
        {
            *kept = Arc::new(entry);
        }
    }

    /// Whether the pages together list more than any Graph does.
    pub(super) fn is_too_long(&self) -> bool {
        self.entries.len() > MOST
    }

    /// Whether it has read no page yet.
    pub(super) fn is_unused(&self) -> bool {
        self.pages == 0
    }

    pub(super) fn finish(self) -> ReadCatalogue {
        ReadCatalogue {
            entries: self.entries,
            tenants: self.tenants,
            observed: self.observed,
        }
    }
}

fn entry(profile: &wire::Profile<'_>, odd: &mut Observed) -> Option<CatalogueEntry> {
    let id = odd.id(&profile.id)?;
    let history = history(&profile.control_state_updates, odd)?;
    let title = profile.title.get().unwrap_or(&id);
    Some(CatalogueEntry {
        title: super::text::tidy(title).into(),
        category: odd.category(&profile.control_category),
        product: super::text::tidy(profile.service.get().unwrap_or_default()).into(),
        tier: odd.word(UnknownField::Tier, &profile.tier, Tier::Unknown, tier),
        user_impact: odd.word(
            UnknownField::UserImpact,
            &profile.user_impact,
            Level::Unknown,
            level,
        ),
        implementation_cost: odd.word(
            UnknownField::ImplementationCost,
            &profile.implementation_cost,
            Level::Unknown,
            level,
        ),
        action_type: odd.word(
            UnknownField::ActionType,
            &profile.action_type,
            ActionType::Unknown,
            action_type,
        ),
        max_score: odd.points(SkippedField::MaxScore, profile.max_score),
        deprecated: profile.deprecated.get() == Some("true"),
        action_url: profile
            .action_url
            .get()
            .map(|url| printable(url, LONGEST_TEXT).into()),
        history,
        id,
    })
}

/// What was declared about a control. Without a list nothing can be told, and
/// a control of which nothing is known must not look untouched: it is left out
/// and counted.
fn history(updates: &Raw<'_>, odd: &mut Observed) -> Option<History> {
    // Without a bound: whoever changes a state often enough must not make his
    // acceptances vanish.
    let Some(updates) = inner_elements::<wire::StateUpdate<'_>>(updates, usize::MAX) else {
        odd.anomalies.skipped(SkippedField::Element);
        return None;
    };
    odd.skipped(SkippedField::Element, updates.unread);
    let read = updates.read.iter().map(|update| state_update(update, odd));
    Some(History::from_updates(read.collect()))
}

fn state_update(update: &wire::StateUpdate<'_>, odd: &mut Observed) -> StateUpdate {
    let text = |text: &Text<'_>| text.get().map(|text| printable(text, LONGEST_TEXT).into());
    StateUpdate {
        state: state(&update.state, odd),
        at: odd.date(&update.updated_date_time),
        by: text(&update.updated_by),
        comment: text(&update.comment),
        assigned_to: text(&update.assigned_to),
    }
}

/// An update that does not say its state tells us only that something changed.
fn state(text: &Text<'_>, odd: &mut Observed) -> ControlState {
    if text.get().is_none() {
        odd.unknown(UnknownField::State, "(none)");
        return ControlState::Unknown;
    }
    odd.word(
        UnknownField::State,
        text,
        ControlState::Unknown,
        control_state,
    )
}

/// Graph's word for a control's state.
///
/// `Ignored` is what the portal shows as *Risk accepted*; the documentation of
/// 2018 said `ignore`. `Planned` is in no list of Graph's, but the portal
/// offers it.
fn control_state(word: &str) -> Option<ControlState> {
    Some(match word.to_ascii_lowercase().as_str() {
        "default" => ControlState::ToAddress,
        "ignored" | "ignore" => ControlState::RiskAccepted,
        "thirdparty" => ControlState::ThirdParty,
        "reviewed" => ControlState::AlternateMitigation,
        "planned" => ControlState::Planned,
        _ => return None,
    })
}

fn tier(word: &str) -> Option<Tier> {
    Some(match word.to_ascii_lowercase().as_str() {
        "core" => Tier::Core,
        "advanced" => Tier::Advanced,
        "defense in depth" => Tier::DefenseInDepth,
        "unknown" => Tier::Unknown,
        _ => return None,
    })
}

fn level(word: &str) -> Option<Level> {
    Some(match word.to_ascii_lowercase().as_str() {
        "low" => Level::Low,
        "moderate" | "medium" => Level::Moderate,
        "high" => Level::High,
        "unknown" => Level::Unknown,
        _ => return None,
    })
}

fn action_type(word: &str) -> Option<ActionType> {
    Some(match word.to_ascii_lowercase().as_str() {
        "config" => ActionType::Config,
        "review" => ActionType::Review,
        "behavior" => ActionType::Behavior,
        "unknown" => ActionType::Unknown,
        _ => return None,
    })
}

/// Reads one day's score.
pub(super) fn report(score: &wire::Score<'_>, observed: &mut Observed) -> Report {
    let controls: Vec<wire::ControlScore<'_>> = inner_list(&score.control_scores, observed);
    let averages: Vec<wire::Comparison<'_>> =
        inner_list(&score.average_comparative_scores, observed);
    let entra_tenant_id = score.azure_tenant_id.get().unwrap_or_default().into();
    Report {
        entra_tenant_id,
        as_of: observed.date(&score.created_date_time),
        current_score: observed.points(SkippedField::Score, score.current_score),
        max_score: observed.points(SkippedField::MaxScore, score.max_score),
        active_users: observed.number(SkippedField::Users, score.active_user_count, users),
        licensed_users: observed.number(SkippedField::Users, score.licensed_user_count, users),
        comparisons: comparisons(&averages, observed),
        scores: control_scores(&controls, observed),
        anomalies: Anomalies::default(),
    }
}

/// A list inside a report: a missing one is empty, an odd one is counted.
fn inner_list<'a, T: Deserialize<'a>>(list: &Raw<'a>, odd: &mut Observed) -> Vec<T> {
    let missing = matches!(list, Raw::Missing);
    match inner_elements(list, MOST) {
        Some(elements) => {
            odd.skipped(SkippedField::Element, elements.unread);
            elements.read
        }
        None => {
            odd.skipped(SkippedField::Element, usize::from(!missing));
            Vec::new()
        }
    }
}

/// When a day's score was computed, to find the newest.
pub(super) fn as_of(score: &wire::Score<'_>) -> Option<Timestamp> {
    match super::text::date(score.created_date_time.get()?) {
        super::text::Date::At(time) => Some(time),
        super::text::Date::Never | super::text::Date::Unreadable => None,
    }
}

/// A tenant has at most some hundreds of millions of users.
fn users(count: f64) -> Option<u64> {
    ((0.0..1e9).contains(&count) && count.fract() == 0.0).then_some(count as u64)
}

fn control_scores(scores: &[wire::ControlScore<'_>], odd: &mut Observed) -> Vec<Arc<ControlScore>> {
    scores
        .iter()
        .filter_map(|score| control_score(score, odd).map(Arc::new))
        .collect()
}

/// A score without points is not a score: it is left out, and the difference
/// to the tenant's total shows it.
fn control_score(score: &wire::ControlScore<'_>, odd: &mut Observed) -> Option<ControlScore> {
    let id = odd.id(&score.control_name)?;
    if score.score == Number::Nothing {
        odd.anomalies.skipped(SkippedField::Score);
        return None;
    }
    Some(ControlScore {
        category: odd.category(&score.control_category),
        score: odd.points(SkippedField::Score, score.score)?,
        percentage: odd.number(SkippedField::Score, score.score_in_percentage, |share| {
            (0.0..=100.0).contains(&share).then_some(share)
        }),
        last_synced: odd.date(&score.last_synced),
        implementation_status: score
            .implementation_status
            .get()
            .map(|text| printable(text, LONGEST_TEXT).into()),
        id,
    })
}

fn comparisons(averages: &[wire::Comparison<'_>], odd: &mut Observed) -> Vec<Comparison> {
    let mut kept: Vec<Comparison> = Vec::new();
    for average in averages {
        let Some(basis) = odd.word(UnknownField::Basis, &average.basis, None, basis) else {
            continue;
        };
        if kept.iter().any(|comparison| comparison.basis == basis) {
            odd.anomalies.skipped(SkippedField::Duplicate);
            continue;
        }
        kept.push(Comparison {
            basis,
            ratio: odd.number(SkippedField::Comparison, average.average_score, |percent| {
                (0.0..=100.0).contains(&percent).then_some(ratio(percent))
            }),
            categories: category_comparisons(average, odd),
        });
    }
    kept
}

/// Per cent as a share, without the noise of a division.
fn ratio(percent: f64) -> f64 {
    (percent * 1e6).round() / 1e8
}

/// `None` inside says that the word is known and means no basis at all.
fn basis(word: &str) -> Option<Option<Basis>> {
    let bases = [Basis::AllTenants, Basis::TotalSeats, Basis::IndustryTypes];
    bases
        .into_iter()
        .find(|basis| basis.as_str().eq_ignore_ascii_case(word))
        .map(Some)
}

fn category_comparisons(
    average: &wire::Comparison<'_>,
    odd: &mut Observed,
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
        score: odd.points(SkippedField::Comparison, score),
        max_score: odd.points(SkippedField::Comparison, max_score),
    })
    .filter(|average| average.score.is_some() || average.max_score.is_some())
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::error::Subject;
    use crate::graph::pages;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// A page like a real one, to be spoilt.
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

    /// The entries of a page with these profiles, and how many ids were odd.
    fn entries(profiles: Value) -> (Vec<Arc<CatalogueEntry>>, u64) {
        let body = json!({"value": profiles}).to_string();
        let read = crate::graph::read_catalogue(body.as_bytes()).unwrap();
        let odd = read.anomalies.count_skipped(SkippedField::Id);
        (read.entries, odd)
    }

    #[test]
    fn an_id_that_would_command_a_terminal_is_left_out_and_counted() {
        let profile = |id: &str| json!({"id": id, "controlStateUpdates": []});
        let (entries, odd) = entries(json!([
            profile("A"),
            profile("B\u{1b}[31m"),
            profile("C\u{202e}D"),
            profile("E\nF"),
            profile("G"),
            profile("H")
        ]));
        let ids: Vec<_> = entries.iter().map(|entry| &*entry.id).collect();
        assert_eq!(ids, ["A", "G", "H"]);
        assert_eq!(odd, 3);
    }

    #[test]
    fn a_link_is_made_fit_to_print() {
        let (entries, _) = entries(json!([
            {"id": "A", "actionUrl": "https://a.example/\u{1b}[2J\u{202e}x", "controlStateUpdates": []}
        ]));
        let url = entries[0].action_url.as_deref();
        assert_eq!(url, Some("https://a.example/ [2Jx"));
    }

    #[test]
    fn more_controls_than_any_catalogue_has_are_refused_over_all_pages() {
        let page = |start: usize, count: usize| {
            let ids = start..start + count;
            let profiles = ids.map(|id| json!({"id": format!("c{id}"), "controlStateUpdates": []}));
            json!({"value": profiles.collect::<Vec<_>>()}).to_string()
        };
        let mut reader = CatalogueReader::default();
        let mut take =
            |start, count| crate::graph::reading::page(&mut reader, page(start, count).as_bytes());
        take(0, MOST).unwrap();
        let error = take(MOST, 1).unwrap_err().to_string();
        assert!(error.contains("more than 5000 elements"), "{error}");
        assert!(take(0, MOST + 1).is_err());
    }

    /// Whatever comes, both readers get to the end of it.
    fn read_both_ways(body: &[u8]) {
        let Ok(page) = pages::parse(Subject::Catalogue, body) else {
            return;
        };
        if let Ok(profiles) = pages::elements::<wire::Profile<'_>>(Subject::Catalogue, &page) {
            let mut reader = CatalogueReader::default();
            reader.page(&profiles);
            reader.finish();
        }
        if let Ok(scores) = pages::elements::<wire::Score<'_>>(Subject::Report, &page) {
            let mut observed = Observed::default();
            for score in &scores.read {
                report(score, &mut observed);
            }
        }
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
        fn any_value_in_any_place_is_read_without_a_panic(
            place in any::<prop::sample::Index>(),
            odd in any_json(),
        ) {
            let mut page = page();
            let mut all = Vec::new();
            paths(&page, "", &mut all);
            *page.pointer_mut(place.get(&all[..]).as_str()).unwrap() = odd;
            read_both_ways(page.to_string().as_bytes());
        }

        #[test]
        fn spoilt_bytes_are_read_without_a_panic(
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut body = page().to_string().into_bytes();
            for (place, byte) in edits {
                let place = place.index(body.len());
                body[place] = byte;
            }
            let end = cut.index(body.len()) + 1;
            read_both_ways(&body);
            read_both_ways(&body[..end]);
        }
    }
}
