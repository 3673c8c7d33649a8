//! The families that also have a past, and their samples on a day gone by.

use super::catalogue::FAMILIES;
use super::family::{Family, Render};
use super::format::Format;
use super::lines::Lines;
use super::view::{DataView, Policy};
use secure_score_model::TenantSnapshot;

/// What a family's past is learnt from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The reports Graph keeps, one a day.
    Reports,
    /// The histories of states in the catalogue.
    States,
}

/// The families whose past can be known, and from what.
///
/// Left out is what Graph keeps of the newest day only (when a control was
/// last synchronised), what is a fact about the exporter (health, oddities of
/// an answer), and what the configuration says today (targets, watch list,
/// exceptions): it said something else, or nothing, then.
const PAST: &[(&str, Source)] = &[
    ("secure_score_report_timestamp_seconds", Source::Reports),
    ("secure_score_tenant_score", Source::Reports),
    ("secure_score_tenant_max_score", Source::Reports),
    ("secure_score_category_score", Source::Reports),
    ("secure_score_category_max_score", Source::Reports),
    ("secure_score_comparison_ratio", Source::Reports),
    ("secure_score_comparison_category_score", Source::Reports),
    (
        "secure_score_comparison_category_max_score",
        Source::Reports,
    ),
    ("secure_score_active_users", Source::Reports),
    ("secure_score_licensed_users", Source::Reports),
    ("secure_score_control_score", Source::Reports),
    ("secure_score_control_max_score", Source::Reports),
    ("secure_score_control_risk_accepted", Source::States),
    (
        "secure_score_control_risk_accepted_in_lookback",
        Source::States,
    ),
    ("secure_score_control_risk_acceptances", Source::States),
    (
        "secure_score_control_risk_last_accepted_timestamp_seconds",
        Source::States,
    ),
    ("secure_score_control_state", Source::States),
    (
        "secure_score_control_state_updated_timestamp_seconds",
        Source::States,
    ),
];

/// A family that has a past.
#[derive(Clone, Copy)]
pub struct PastFamily {
    family: &'static Family,
    /// Its place among those that have one.
    pub place: usize,
    /// What its past is learnt from.
    pub source: Source,
}

impl PastFamily {
    /// The name, as samples carry it.
    pub fn name(&self) -> &'static str {
        self.family.name
    }

    /// Its header lines in OpenMetrics.
    pub fn header(&self) -> String {
        Format::OpenMetrics.header(self.family)
    }

    /// Whether its series are of controls, of which there are hundreds.
    pub fn is_of_controls(&self) -> bool {
        self.family.labels.contains(&"control")
    }
}

/// All of them, in the order of the exposition.
pub fn past_families() -> impl Iterator<Item = PastFamily> {
    let with_past = FAMILIES.iter().filter_map(|family| {
        let (_, source) = PAST.iter().find(|(name, _)| *name == family.name)?;
        Some((family, *source))
    });
    with_past
        .enumerate()
        .map(|(place, (family, source))| PastFamily {
            family,
            place,
            source,
        })
}

/// Labels that series of the past have, to refuse others of the same name.
pub fn past_labels() -> impl Iterator<Item = &'static str> {
    past_families().flat_map(|it| ["tenant"].iter().chain(it.family.labels).copied())
}

/// Hands every sample of these families to `take`: the name with its labels in
/// braces, and the value. Both are written by the functions that write the
/// scrape, which is how the labels of the two are equal.
pub fn past_samples(
    families: &[PastFamily],
    alias: &str,
    snapshot: &TenantSnapshot,
    policy: &Policy,
    mut take: impl FnMut(PastFamily, &str, f64),
) {
    let view = DataView::new(snapshot, policy);
    let mut buffer = Vec::new();
    for past in families {
        let Render::Data(write) = past.family.render else {
            continue;
        };
        buffer.clear();
        let family = past.family;
        let mut lines = Lines::new(&mut buffer, family.name, family.labels, alias);
        write(&view, &mut lines);
        let text = std::str::from_utf8(&buffer).unwrap_or_default();
        // A label's blanks stand before its closing brace.
        let samples = text.lines().filter_map(|line| line.rsplit_once(' '));
        for (series, value) in samples {
            if let Ok(value) = value.parse() {
                take(*past, series, value);
            }
        }
    }
}

/// The labels of a series as it is written here, the name as `__name__`.
pub fn series_labels(series: &str) -> Vec<(String, String)> {
    let (name, mut rest) = series.split_once('{').unwrap_or((series, ""));
    let mut labels = vec![("__name__".to_owned(), name.to_owned())];
    while let Some((label, quoted)) = rest.split_once("=\"") {
        let mut value = String::new();
        let mut characters = quoted.chars();
        while let Some(character) = characters.next() {
            match character {
                '"' => break,
                '\\' => match characters.next() {
                    Some('n') => value.push('\n'),
                    Some(plain) => value.push(plain),
                    None => {}
                },
                plain => value.push(plain),
            }
        }
        labels.push((label.trim_start_matches(',').to_owned(), value));
        rest = characters.as_str();
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::super::lines::shown;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_family_with_a_past_is_of_the_catalogue() {
        assert_eq!(past_families().count(), PAST.len());
        assert!(past_families().all(|it| matches!(it.family.render, Render::Data(_))));
    }

    proptest! {
        #[test]
        fn labels_are_read_as_they_were_written(id in "\\PC{1,40}|[\\\\\"\n={},]{1,9}") {
            let mut buffer = Vec::new();
            Lines::new(&mut buffer, "x", &["control", "category"], "contoso").sample(&[&id, "Data"], 1.0);
            let line = String::from_utf8(buffer).unwrap();
            let labels = series_labels(line.rsplit_once(' ').unwrap().0);
            let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            prop_assert_eq!(labels, vec![
                pair("__name__", "x"), pair("tenant", "contoso"),
                pair("control", &shown(&id)), pair("category", "Data"),
            ]);
        }
    }
}
