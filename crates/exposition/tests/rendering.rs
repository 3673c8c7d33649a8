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
    Chunk, FAMILIES, Family, Format, Policy, SampleSink, assemble, render_categories, render_data,
    render_health, send_samples, write_number, write_series,
};
use secure_score_model::{
    Catalogue, CatalogueEntry, Category, CategoryPins, ControlScore, ControlState, History, Points,
    Report, StateUpdate, TenantHealth, TenantIdentity, TenantSnapshot, Timestamp,
};
use std::collections::{BTreeSet, HashSet};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

/// The longest label value that the reference page documents, bytes.
const LONGEST_VALUE: usize = 128;

fn body(format: Format, tenants: &[(Chunk, Chunk)]) -> String {
    let chunks = tenants
        .iter()
        .map(|(data, health_lines)| (data, health_lines));
    let mut bytes = assemble(format, chunks).concat();
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

fn join(catalogue: Option<&Catalogue>, report: Option<Report>) -> TenantSnapshot {
    let pins = CategoryPins::default();
    TenantSnapshot::join(catalogue, report.map(Arc::new), &pins, &small::Everything)
}

fn render(identity: &TenantIdentity, snapshot: &TenantSnapshot) -> (Chunk, Chunk) {
    (
        render_data(identity, snapshot, &small::open_policy()),
        render_health(identity, &TenantHealth::default()),
    )
}

#[test]
fn two_small_tenants_equal_their_golden_files_in_both_formats() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let tenants = small::tenants();
    for (format, file) in [
        (Format::Text, "small.prom"),
        (Format::OpenMetrics, "small.om"),
    ] {
        golden::compare(&folder.join(file), &body(format, &tenants));
    }
}

/// Data beyond the maximum staleness leave no series.
#[test]
fn a_tenant_without_data_has_no_data_series() {
    let (data, health_lines) = render(
        &small::identity("contoso", None),
        &TenantSnapshot::default(),
    );
    assert!(
        data.is_empty(),
        "{}",
        body(Format::Text, &[(data, health_lines)])
    );
}

#[test]
fn a_catalogue_alone_does_not_claim_that_nothing_is_scored() {
    let snapshot = join(Some(&Catalogue::default()), None);
    let chunks = render(&small::identity("contoso", None), &snapshot);
    let body = body(Format::Text, &[chunks]);
    assert!(body.contains("secure_score_catalogue_recategorised_controls"));
    assert!(!body.contains("secure_score_catalogue_controls"), "{body}");
}

#[test]
fn persons_and_comments_are_left_out_unless_the_policy_includes_them() {
    let info = |person: bool, comment: bool| {
        let update = secure_score_model::StateUpdate {
            state: secure_score_model::ControlState::RiskAccepted,
            at: None,
            by: Some("admin@contoso.example".into()),
            comment: Some("cannot".into()),
            assigned_to: None,
        };
        let policy = Policy {
            lookback: NonZeroUsize::MIN,
            accepted_by: person.then(|| Arc::new(|_: &str| "hash".to_owned()) as _),
            comment,
        };
        let snapshot = small::one_control(vec![update]);
        let data = render_data(&small::identity("contoso", None), &snapshot, &policy);
        let text = body(Format::Text, &[(data, Chunk::default())]);
        assert!(!text.contains("admin@"), "the policy renames the person");
        text.lines()
            .find_map(|line| line.strip_prefix("secure_score_control_acceptance_info"))
            .map(str::to_owned)
    };
    let labels = |more: &str| Some(format!("{{tenant=\"contoso\",control=\"c\"{more}}} 1"));
    assert_eq!(info(false, false), None);
    assert_eq!(info(true, false), labels(",accepted_by=\"hash\""));
    assert_eq!(info(false, true), labels(",comment=\"cannot\""));
    assert_eq!(
        info(true, true),
        labels(",accepted_by=\"hash\",comment=\"cannot\"")
    );
}

/// The label values that a filter by category keeps: those of the category,
/// and samples that have neither a control nor a category.
#[test]
fn a_filter_by_category_keeps_its_controls_and_the_tenants_own_samples() {
    let identity = small::identity("contoso", None);
    let snapshot = small::snapshot();
    let policy = small::open_policy();
    let whole = render_data(&identity, &snapshot, &policy);
    let text = |data: Chunk| body(Format::Text, &[(data, Chunk::default())]);
    let lines = |text: &str| -> BTreeSet<String> { text.lines().map(str::to_owned).collect() };
    let all = lines(&text(whole));
    let of = |categories: &[Category]| {
        let categories = categories.iter().copied().collect();
        lines(&text(render_categories(
            &identity,
            &snapshot,
            &policy,
            &categories,
        )))
    };
    assert_eq!(of(&Category::ALL), all);
    let none = of(&[]);
    assert!(!none.is_empty() && none.iter().all(|line| !line.contains(",control=\"")));
    assert!(none.iter().all(|line| !line.contains(",category=\"")));
    let sample = |line: &&String| !line.starts_with('#');
    let parts: Vec<_> = Category::ALL
        .iter()
        .map(|category| of(&[*category]))
        .collect();
    let own = |part: &BTreeSet<String>| -> BTreeSet<String> {
        part.iter()
            .filter(sample)
            .filter(|line| !none.contains(*line))
            .cloned()
            .collect()
    };
    let joined: BTreeSet<String> = parts.iter().flat_map(&own).collect();
    let expected: BTreeSet<String> = own(&all);
    assert_eq!(joined, expected);
    let count: usize = parts.iter().map(|part| own(part).len()).sum();
    assert_eq!(count, expected.len(), "no sample has two categories");
    assert!(
        own(&parts[0])
            .iter()
            .any(|line| line.contains("_acceptance_info"))
    );
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
    let data = render_data(&small::identity("contoso", None), &snapshot, &policy);
    assert!(!data.is_empty() && data.len() > 1_000);
    let text = body(Format::Text, &[(data, Chunk::default())]);
    let scrape = text.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines.0, scrape.map(str::to_owned).collect());
}

#[test]
fn a_maximum_is_exported_for_scored_and_for_declared_controls_only() {
    let entry = |id: &str, state: Option<ControlState>| {
        let update = state.map(|state| StateUpdate {
            state,
            at: Some(Timestamp::from_seconds(1)),
            by: None,
            comment: None,
            assigned_to: None,
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
    let report = Report {
        scores: vec![Arc::new(ControlScore::new(
            "scored",
            Category::Apps,
            Points::ZERO,
        ))],
        ..Report::new("00000000-0000-0000-0000-000000000001")
    };
    let text = body(
        Format::Text,
        &[render(
            &small::identity("contoso", None),
            &join(Some(&catalogue), Some(report)),
        )],
    );
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
    ) {
        let snapshot = join(catalogue.as_ref(), report);
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
