//! What is rendered from a snapshot made by hand, and from any at all.

pub(crate) mod arbitrary;
mod parser;
pub(crate) mod small;

use crate::golden;
use parser::{Line, Sample};
use proptest::prelude::*;
use secure_score_exposition::{
    Chunk, FAMILIES, Format, Policy, assemble, render_data, render_health,
};
use secure_score_model::{
    Catalogue, CategoryPins, Report, TenantHealth, TenantIdentity, TenantSnapshot,
};
use std::collections::{BTreeSet, HashSet};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

/// What the reference page promises of label values, bytes.
const LONGEST_VALUE: usize = 128;

fn body(format: Format, tenants: &[(Chunk, Chunk)]) -> String {
    let chunks = tenants.iter().map(|(data, vitals)| (data, vitals));
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
fn two_small_tenants_look_like_this_in_both_formats() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let tenants = small::tenants();
    for (format, file) in [
        (Format::Text, "small.prom"),
        (Format::OpenMetrics, "small.om"),
    ] {
        golden::compare(&folder.join(file), &body(format, &tenants));
    }
}

/// When the last good answer has grown too old, nothing of it may stay.
#[test]
fn a_tenant_without_data_has_no_data_series() {
    let (data, vitals) = render(
        &small::identity("contoso", None),
        &TenantSnapshot::default(),
    );
    assert!(data.is_empty(), "{}", body(Format::Text, &[(data, vitals)]));
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
fn who_and_why_stay_out_unless_the_policy_asks() {
    let asked = |person: bool, comment: bool| {
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
        assert!(!text.contains("admin@"), "the name passes the policy first");
        text.lines()
            .find_map(|line| line.strip_prefix("secure_score_control_acceptance_info"))
            .map(str::to_owned)
    };
    let labels = |more: &str| Some(format!("{{tenant=\"contoso\",control=\"c\"{more}}} 1"));
    assert_eq!(asked(false, false), None);
    assert_eq!(asked(true, false), labels(",accepted_by=\"hash\""));
    assert_eq!(asked(false, true), labels(",comment=\"cannot\""));
    assert_eq!(
        asked(true, true),
        labels(",accepted_by=\"hash\",comment=\"cannot\"")
    );
}

fn check_sample(sample: &Sample) -> Result<(), TestCaseError> {
    prop_assert!(sample.value.is_finite(), "{sample:?}");
    for (label, value) in &sample.labels {
        prop_assert!(value.len() <= LONGEST_VALUE, "{label} in {sample:?}");
        let odd = |c: char| c.is_control() && c != '\n';
        prop_assert!(!value.contains(odd), "{label} in {sample:?}");
    }
    let family = FAMILIES.iter().find(|f| f.name == sample.name);
    let promised = family.map_or(&[][..], |family| family.labels);
    let mut promised = std::iter::once("tenant").chain(promised.iter().copied());
    for (label, _) in &sample.labels {
        prop_assert!(
            promised.any(|name| name == label),
            "{label} is not promised, or not in its place: {sample:?}"
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
