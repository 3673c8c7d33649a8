//! Renders a small snapshot and arbitrary ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first error"
)]

#[path = "rendering/arbitrary.rs"]
pub(crate) mod arbitrary;
#[allow(dead_code, reason = "the suite of the product uses all of it")]
#[path = "../../../tests/suite/golden.rs"]
pub(crate) mod golden;
#[path = "rendering/parser.rs"]
mod parser;
#[path = "rendering/small.rs"]
pub(crate) mod small;

use parser::{Line, Sample};
use proptest::prelude::*;
use secure_score_exposition::{
    Chunk, FAMILIES, Family, FamilyHeaders, Format, Policy, SampleSink, SeriesSet, assemble,
    render_categories, render_data, render_health, send_samples, write_number, write_series,
};
use secure_score_model::{
    Api, Catalogue, CatalogueEntry, Category, ControlScore, ControlState, History, Points, Report,
    StateUpdate, TenantHealth, TenantIdentity, TenantSnapshot, Timestamp,
};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

/// The longest label value that the reference page documents, bytes.
const LONGEST_VALUE: usize = 128;

fn body(format: Format, tenants: &[(Chunk, Chunk)]) -> String {
    let chunks = tenants.iter().map(|(data, health)| (data, health));
    let mut bytes = assemble(&FamilyHeaders::default(), format, chunks).concat();
    bytes.extend_from_slice(format.trailer());
    String::from_utf8(bytes).unwrap()
}

fn samples<'a>(lines: &'a [Line]) -> Vec<&'a Sample> {
    let sample = |line: &'a Line| match line {
        Line::Sample(sample) => Some(sample),
        _ => None,
    };
    lines.iter().filter_map(sample).collect()
}

fn contoso() -> TenantIdentity {
    small::identity("contoso", None)
}

fn render(identity: &TenantIdentity, snapshot: &TenantSnapshot) -> (Chunk, Chunk) {
    (
        render_data(identity, snapshot, &small::open_policy()),
        render_health(identity, &TenantHealth::default(), SeriesSet::Full),
    )
}

/// The data of a tenant as text.
fn data(snapshot: &TenantSnapshot, policy: &Policy) -> String {
    let data = render_data(&contoso(), snapshot, policy);
    body(Format::Text, &[(data, Chunk::default())])
}

/// The sample lines of a text.
fn sample_lines(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

#[test]
fn two_small_tenants_equal_their_golden_files_in_both_formats() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let tenants = small::tenants();
    for (format, file) in Format::ALL.into_iter().zip(["small.prom", "small.om"]) {
        golden::compare(&folder.join(file), &body(format, &tenants));
    }
}

#[test]
fn a_smaller_set_of_series_is_a_part_of_each_larger_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let [acceptances, controls, full] = SeriesSet::ALL.map(|series| {
        let body = body(Format::Text, &small::tenants_in(series));
        if series != SeriesSet::Full {
            let file = format!("small.{}.prom", series.as_str());
            golden::compare(&folder.join(file), &body);
        }
        sample_lines(&body)
    });
    assert!(acceptances.is_subset(&controls) && controls.is_subset(&full));
    assert!(acceptances.len() < controls.len() && controls.len() < full.len());
}

/// A tenant with many controls, of which one in thirteen is accepted.
#[test]
fn acceptances_has_two_series_of_each_control_and_a_bounded_number_of_others() {
    const CONTROLS: usize = 1_300;
    let entry = |number: usize| {
        let update = StateUpdate {
            at: Some(Timestamp::from_seconds(1)),
            ..StateUpdate::new(ControlState::RiskAccepted)
        };
        let updates = number.is_multiple_of(13).then_some(update);
        Arc::new(CatalogueEntry {
            max_score: Points::new(8.0),
            history: History::from_updates(updates.into_iter().collect()),
            ..CatalogueEntry::new(&format!("control{number}"))
        })
    };
    let score = |number: usize| {
        let id = format!("control{number}");
        Arc::new(ControlScore::new(&id, Category::Apps, Points::ZERO))
    };
    let catalogue = Catalogue {
        entries: (0..CONTROLS).map(entry).collect(),
        ..Catalogue::default()
    };
    let report = Report {
        scores: (0..CONTROLS).map(score).collect(),
        ..Report::default()
    };
    let snapshot = small::join(Some(&catalogue), Some(report));
    let [acceptances, controls, full] = SeriesSet::ALL.map(|series| {
        let policy = Policy {
            series,
            ..Policy::default()
        };
        let data = render_data(&contoso(), &snapshot, &policy);
        let health = render_health(&contoso(), &TenantHealth::default(), series);
        sample_lines(&body(Format::Text, &[(data, health)])).len()
    });
    let bound = 120 + 2 * CONTROLS;
    assert!(acceptances <= bound, "{acceptances} of {bound} series");
    assert!(bound < controls && controls < full, "{controls}, {full}");
}

#[test]
fn a_content_type_names_the_format_and_its_version() {
    let [text, open] = Format::ALL.map(Format::content_type);
    assert!(text.starts_with("text/plain; version=0.0.4;"));
    assert!(open.starts_with("application/openmetrics-text; version=1.0.0;"));
}

#[test]
fn the_default_policy_shows_no_person_and_no_comment() {
    let policy = "Policy { series: Full, lookback: 3, accepted_by: false, comment: false }";
    assert_eq!(format!("{:?}", Policy::default()), policy);
}

/// Data beyond the maximum staleness leave no series.
#[test]
fn a_tenant_without_data_has_no_data_series() {
    let (data, _) = render(&contoso(), &TenantSnapshot::default());
    assert!(data.is_empty());
}

#[test]
fn a_catalogue_alone_does_not_claim_that_nothing_is_scored() {
    let snapshot = small::join(Some(&Catalogue::default()), None);
    let body = data(&snapshot, &small::open_policy());
    assert!(body.contains("secure_score_catalogue_recategorised_controls"));
    assert!(!body.contains("secure_score_catalogue_controls"), "{body}");
}

#[test]
fn persons_and_comments_are_left_out_unless_the_policy_includes_them() {
    let info = |person: bool, comment: bool| {
        let update = StateUpdate {
            by: Some("admin@contoso.example".into()),
            comment: Some("cannot".into()),
            ..StateUpdate::new(ControlState::RiskAccepted)
        };
        let policy = Policy {
            lookback: NonZeroUsize::MIN,
            accepted_by: person.then(|| Arc::new(|_: &str| "hash".to_owned()) as _),
            comment,
            ..Policy::default()
        };
        let text = data(&small::one_control(vec![update]), &policy);
        assert!(!text.contains("admin@"), "the policy renames the person");
        text.lines()
            .find_map(|line| line.strip_prefix("secure_score_control_acceptance_info"))
            .map(str::to_owned)
    };
    let labels = |more: &str| Some(format!("{{tenant=\"contoso\",control=\"c\"{more}}} 1"));
    assert_eq!(info(false, false), None);
    assert_eq!(info(true, false), labels(",accepted_by=\"hash\""));
    assert_eq!(info(false, true), labels(",comment=\"cannot\""));
    let both = labels(",accepted_by=\"hash\",comment=\"cannot\"");
    assert_eq!(info(true, true), both);
}

/// The samples that a filter by category keeps: those of the category, and those
/// that are neither of a control nor of a category.
#[test]
fn a_filter_by_category_keeps_its_controls_and_the_tenants_own_samples() {
    let snapshot = small::snapshot();
    let policy = small::open_policy();
    let of = |categories: &[Category]| {
        let categories = categories.iter().copied().collect();
        let data = render_categories(&contoso(), &snapshot, &policy, &categories);
        sample_lines(&body(Format::Text, &[(data, Chunk::default())]))
    };
    let all = sample_lines(&data(&snapshot, &policy));
    assert_eq!(of(&Category::ALL), all);
    let none = of(&[]);
    let is_of_control = |line: &String| line.starts_with("secure_score_control_");
    assert!(!none.is_empty() && !none.iter().any(is_of_control));
    assert!(none.iter().all(|line| !line.contains(",category=\"")));
    let parts = Category::ALL.map(|category| &of(&[category]) - &none);
    let joined: BTreeSet<String> = parts.iter().flatten().cloned().collect();
    assert_eq!(joined, &all - &none);
    let count: usize = parts.iter().map(BTreeSet::len).sum();
    assert_eq!(count, joined.len(), "no sample has two categories");
    let mut identity = parts[0].iter();
    assert!(identity.any(|line| line.contains("_acceptance_info")));
}

/// Collects samples as the lines of a scrape.
struct Lines(BTreeSet<String>);

impl SampleSink for Lines {
    fn sample(&mut self, family: &'static Family, labels: &[&str], value: f64) {
        let mut line = Vec::new();
        write_series(family, "contoso", labels, &mut line);
        line.extend_from_slice(b"} ");
        write_number(value, &mut line);
        self.0.insert(String::from_utf8(line).unwrap());
    }
}

#[test]
fn a_sink_receives_the_samples_of_a_scrape() {
    let snapshot = small::snapshot();
    let policy = small::open_policy();
    let mut lines = Lines(BTreeSet::new());
    send_samples(FAMILIES, &snapshot, &policy, &mut lines);
    let chunk = render_data(&contoso(), &snapshot, &policy);
    assert!(!chunk.is_empty() && chunk.len() > 1_000);
    assert_eq!(lines.0, sample_lines(&data(&snapshot, &policy)));
}

/// The samples of each family, and whether it has any, of a part of the lists.
fn samples_of_families(lists: &[Api]) -> BTreeMap<&'static str, BTreeSet<String>> {
    let chunk = render_data(
        &contoso(),
        &small::snapshot_of(lists),
        &small::open_policy(),
    );
    let text = body(Format::Text, &[(chunk, Chunk::default())]);
    let lines = sample_lines(&text);
    let of = |family: &'static Family| {
        let start = format!("{}{{", family.name);
        let lines = lines.iter().filter(|it| it.starts_with(&start));
        (family.name, lines.cloned().collect())
    };
    FAMILIES.iter().map(of).collect()
}

/// The lists from which a family is cached give all its samples, and without one of
/// them some are missing or differ.
#[test]
fn a_family_is_cached_from_the_lists_that_its_values_need() {
    // In this snapshot every scored control with a maximum is declared.
    let undecided = ("secure_score_control_max_score", Api::Scores);
    let all = samples_of_families(&Api::ALL);
    for family in FAMILIES {
        let (name, lists) = (family.name, family.cached_from);
        let whole = &all[name];
        assert_eq!(&samples_of_families(lists)[name], whole, "{lists:?}");
        for list in lists.iter().filter(|_| !whole.is_empty()) {
            let others: Vec<_> = lists.iter().copied().filter(|it| it != list).collect();
            let is_needed = &samples_of_families(&others)[name] != whole;
            let is_expected = (name, *list) != undecided;
            assert_eq!(is_needed, is_expected, "{name}, {list:?}");
        }
    }
}

#[test]
fn help_says_how_old_a_cached_value_may_be() {
    let help = |name: &str| {
        let family = FAMILIES.iter().find(|family| family.name == name).unwrap();
        let text = Format::Text.header(family);
        let history = Format::Text.history_header(family);
        assert!(history.contains(&format!(" {}\n", family.help)));
        let help = text.lines().next().unwrap();
        help.rsplit_once(&format!(" {}", family.help))
            .unwrap()
            .1
            .to_owned()
    };
    let cached = |lists: &str| {
        format!(
            " Cached from the last refresh of {lists}, for refresh.max_staleness at most: see secure_score_last_refresh_success_timestamp_seconds."
        )
    };
    assert_eq!(help("secure_score_up"), "");
    assert_eq!(help("secure_score_tenant_score"), cached("scores"));
    let both = cached("profiles and scores");
    assert_eq!(help("secure_score_control_max_score"), both);
    assert_eq!(help("secure_score_unknown_values"), cached("the list"));
}

#[test]
fn a_maximum_is_exported_for_scored_and_for_declared_controls_only() {
    let entry = |id: &str, state: Option<ControlState>| {
        let update = state.map(|state| StateUpdate {
            at: Some(Timestamp::from_seconds(1)),
            ..StateUpdate::new(state)
        });
        Arc::new(CatalogueEntry {
            max_score: Points::new(8.0),
            history: History::from_updates(update.into_iter().collect()),
            ..CatalogueEntry::new(id)
        })
    };
    let catalogue = Catalogue {
        entries: vec![
            entry("neither", None),
            entry("declared", Some(ControlState::Planned)),
            entry("reset", Some(ControlState::ToAddress)),
            entry("scored", None),
        ],
        ..Catalogue::default()
    };
    let score = ControlScore::new("scored", Category::Apps, Points::ZERO);
    let report = Report {
        scores: vec![Arc::new(score)],
        ..Report::default()
    };
    let snapshot = small::join(Some(&catalogue), Some(report));
    let text = data(&snapshot, &small::open_policy());
    let maximum = |id: &str| {
        let start = format!("secure_score_control_max_score{{tenant=\"contoso\",control=\"{id}\"");
        text.lines().any(|line| line.starts_with(&start))
    };
    let exported = ["neither", "declared", "reset", "scored"].map(maximum);
    assert_eq!(exported, [false, true, false, true]);
}

fn check_sample(sample: &Sample) -> Result<(), TestCaseError> {
    prop_assert!(sample.value.is_finite(), "{sample:?}");
    for (label, value) in &sample.labels {
        prop_assert!(value.len() <= LONGEST_VALUE, "{label} in {sample:?}");
        let odd = |c: char| c.is_control() && c != '\n';
        prop_assert!(!value.contains(odd), "{label} in {sample:?}");
    }
    let family = FAMILIES.iter().find(|f| f.name == sample.name);
    let documented = family.map_or(&[][..], |family| family.labels);
    let mut documented = std::iter::once("tenant").chain(documented.iter().copied());
    for (label, _) in &sample.labels {
        prop_assert!(
            documented.any(|name| name == label),
            "{label} is not documented, or not in its place: {sample:?}"
        );
    }
    Ok(())
}

/// Each family has one header, right before all of its samples.
fn check_families(lines: &[Line]) -> Result<(), TestCaseError> {
    let mut seen = HashSet::new();
    let mut current = "";
    for (place, line) in lines.iter().enumerate() {
        match line {
            Line::Help(name) => {
                prop_assert!(seen.insert(name), "{name} comes twice");
                current = name;
            }
            Line::Type(name, _) => {
                prop_assert_eq!(name, current);
                let next = lines.get(place + 1);
                prop_assert!(matches!(next, Some(Line::Sample(_))), "{name} is empty");
            }
            Line::Sample(sample) => {
                prop_assert!(sample.name.starts_with(current), "{}", sample.name);
                let suffix = &sample.name[current.len()..];
                prop_assert!(["", "_total", "_info"].contains(&suffix), "{}", sample.name);
            }
            Line::Eof => prop_assert_eq!(place + 1, lines.len()),
        }
    }
    Ok(())
}

fn read(body: &str) -> Result<Vec<Line>, TestCaseError> {
    parser::parse(body).map_err(TestCaseError::fail)
}

proptest! {
    #[test]
    fn any_snapshot_becomes_an_exposition(
        identity in arbitrary::identity(),
        catalogue in prop::option::of(arbitrary::catalogue()),
        report in prop::option::of(arbitrary::report()),
        recommendations in prop::option::of(arbitrary::recommendations()),
    ) {
        let snapshot = small::with_recommendations(
            small::join(catalogue.as_ref(), report),
            recommendations.as_ref(),
        );
        let other = TenantIdentity { alias: "fabrikam \"\\".into(), ..identity.clone() };
        let tenants = [render(&identity, &snapshot), render(&other, &snapshot)];
        let text = read(&body(Format::Text, &tenants))?;
        let open = read(&body(Format::OpenMetrics, &tenants))?;
        prop_assert_eq!(samples(&text), samples(&open));
        prop_assert_eq!(open.last(), Some(&Line::Eof));
        check_families(&text)?;
        check_families(&open)?;

        let mut series = BTreeSet::new();
        for sample in samples(&text) {
            check_sample(sample)?;
            prop_assert!(series.insert(sample.series()), "twice: {sample:?}");
            let tenant = sample.label("tenant").unwrap_or_default();
            prop_assert!([&*identity.alias, &*other.alias].contains(&tenant));
        }
    }
}
