//! Entra's recommendations: whether the exporter reads them, and which get series.

use secure_score_model::{Api, RecommendationCategory};
use std::collections::HashMap;
use std::sync::Arc;
use strict_yaml::{Diagnostics, Span, suggest};

use super::choices::{Choice as _, Enabled, Switch};
use super::file::FileRecommendations;
use super::list::members;
use super::selection::Selection;
use crate::config_values::pattern::Pattern;

/// How the exporter reads a tenant's recommendations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recommendations {
    /// Whether the lists of Entra are read.
    pub enabled: Enabled,
    /// Whether the resources that each recommendation concerns are counted.
    pub impacted_resources: bool,
}

impl Recommendations {
    /// Whether the configuration switches a list off.
    pub fn excludes(&self, api: Api) -> bool {
        api.is_of_entra() && self.enabled == Enabled::Off
    }
}

/// The recommendations of all tenants that get series.
///
/// Events, the API and the pages have every recommendation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecommendationSelections {
    common: Arc<Selection<RecommendationCategory>>,
    /// Those of tenants with a section of their own, by alias.
    own: HashMap<String, Arc<Selection<RecommendationCategory>>>,
}

impl RecommendationSelections {
    /// The selection of one tenant.
    pub fn of_tenant(&self, alias: &str) -> &Arc<Selection<RecommendationCategory>> {
        self.own.get(alias).unwrap_or(&self.common)
    }

    /// The selection of all tenants without one of their own.
    pub(super) fn new(section: &RecommendationSection) -> Self {
        Self {
            common: Arc::new(section.selection()),
            own: HashMap::new(),
        }
    }

    /// Sets the selection of one tenant.
    pub(super) fn set(&mut self, alias: &str, selection: Arc<Selection<RecommendationCategory>>) {
        self.own.insert(alias.to_owned(), selection);
    }
}

/// The valid keys of a section.
#[derive(Debug, Clone, Default)]
pub(super) struct RecommendationSection {
    enabled: Option<Enabled>,
    impacted_resources: Option<bool>,
    categories: Option<Vec<RecommendationCategory>>,
    include: Option<Vec<Pattern>>,
    exclude: Option<Vec<Pattern>>,
}

impl RecommendationSection {
    /// The section with the keys of another one where it has none.
    pub(super) fn or(self, other: &Self) -> Self {
        Self {
            enabled: self.enabled.or(other.enabled),
            impacted_resources: self.impacted_resources.or(other.impacted_resources),
            categories: self.categories.or_else(|| other.categories.clone()),
            include: self.include.or_else(|| other.include.clone()),
            exclude: self.exclude.or_else(|| other.exclude.clone()),
        }
    }

    /// How the recommendations are read.
    pub(super) fn recommendations(&self) -> Recommendations {
        Recommendations {
            enabled: self.enabled.unwrap_or_default(),
            impacted_resources: self.impacted_resources.unwrap_or_default(),
        }
    }

    /// Which of them get series.
    pub(super) fn selection(&self) -> Selection<RecommendationCategory> {
        Selection {
            categories: self.categories.clone().unwrap_or_default(),
            include: self.include.clone().unwrap_or_default(),
            exclude: self.exclude.clone().unwrap_or_default(),
        }
    }
}

/// `path` is where the section is.
pub(super) fn resolve(
    path: &str,
    file: FileRecommendations,
    diagnostics: &mut Diagnostics,
) -> RecommendationSection {
    file.report_unknown_keys(path, diagnostics);
    let at = |key: &str| format!("{path}.{key}");
    let enabled = diagnostics.check(at("enabled"), &file.enabled, Enabled::parse);
    let counted = &file.impacted_resources;
    let counted = diagnostics.check(at("impacted_resources"), counted, Switch::parse);
    if file.categories.as_ref().is_some_and(Vec::is_empty) {
        let message =
            "the list is empty, which selects no recommendation; omit the key for all categories";
        diagnostics.error(Span::Nowhere, at("categories"), message);
    }
    let categories = file.categories;
    let categories =
        categories.map(|it| members(&at("categories"), Some(it), category, diagnostics));
    let mut patterns = |key, texts: Option<_>| {
        texts.map(|it| members(&at(key), Some(it), Pattern::new, diagnostics))
    };
    RecommendationSection {
        enabled,
        impacted_resources: counted.map(|it| it == Switch::On),
        include: patterns("include", file.include),
        exclude: patterns("exclude", file.exclude),
        categories,
    }
}

fn category(name: &str) -> Result<RecommendationCategory, String> {
    let mut all = RecommendationCategory::ALL.into_iter();
    let is_named = |it: &RecommendationCategory| it.as_str().eq_ignore_ascii_case(name);
    all.find(is_named).ok_or_else(|| {
        let known = RecommendationCategory::ALL.map(RecommendationCategory::as_str);
        suggest::unknown("category", name, &known)
    })
}
