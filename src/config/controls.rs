//! The controls that get series, and the rules of each tenant for them.

use std::collections::BTreeMap;
use std::sync::Arc;
use strict_yaml::{Diagnostics, Entries, Span, Text, suggest};

use super::decisions::ApprovedDecision;
use super::file::FileControls;
use super::list::members;
use super::selection::Selection;
use crate::config_values::pattern::{Pattern, any_matches};
use secure_score_model::{
    Category, ControlRules, Decision, MinimumReason, RecommendationCategory, Timestamp,
};

/// The default watch list: multifactor authentication, the risk policies and
/// legacy authentication. Tenants are breached where these are missing.
const WATCH: [&str; 5] = [
    "UserRiskPolicy",
    "SigninRiskPolicy",
    "AdminMFAV2",
    "MFARegistrationV2",
    "BlockLegacyAuthentication",
];

/// The controls that get series, by default all, and the watch list.
///
/// Sums cover every control: a tenant's score must not depend on the selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlSelection {
    selection: Selection<Category>,
    /// By lower-case control id.
    overrides: BTreeMap<String, Category>,
    /// Controls and recommendations whose accepted risk raises an alert of its own.
    watch: Vec<Pattern>,
}

impl Default for ControlSelection {
    fn default() -> Self {
        Self {
            selection: Selection::default(),
            overrides: BTreeMap::new(),
            watch: WATCH.iter().flat_map(|id| Pattern::new(id)).collect(),
        }
    }
}

impl ControlSelection {
    /// Whether the control gets series; `category` is the exported one, after
    /// any override.
    pub fn selects(&self, id: &str, category: Category) -> bool {
        self.selection.selects(&[id], &category)
    }

    /// The configured category of this control, if any.
    pub fn category_override(&self, id: &str) -> Option<Category> {
        if self.overrides.is_empty() {
            return None;
        }
        self.overrides.get(&id.to_ascii_lowercase()).copied()
    }
}

/// The selection of controls, which all tenants share, and a tenant's selection of
/// recommendations and decisions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TenantRules {
    pub(super) controls: Arc<ControlSelection>,
    pub(super) recommendations: Arc<Selection<RecommendationCategory>>,
    pub(super) decisions: Vec<ApprovedDecision>,
    pub(super) minimum_reason: MinimumReason,
}

impl TenantRules {
    /// When each decision for the tenant ends.
    pub fn decision_ends(&self) -> impl Iterator<Item = Timestamp> {
        self.decisions.iter().map(|it| it.decision.expires)
    }
}

impl ControlRules for TenantRules {
    fn category_override(&self, id: &str) -> Option<Category> {
        self.controls.category_override(id)
    }

    fn selects(&self, id: &str, category: Category) -> bool {
        self.controls.selects(id, category)
    }

    fn selects_recommendation(&self, names: &[&str], category: RecommendationCategory) -> bool {
        self.recommendations.selects(names, &category)
    }

    fn watches(&self, id: &str) -> bool {
        any_matches(&self.controls.watch, id)
    }

    fn unmatched_watches(&self, ids: &[&str]) -> Vec<Arc<str>> {
        let is_unmatched = |watch: &&Pattern| !ids.iter().any(|id| watch.matches(id));
        let unmatched = self.controls.watch.iter().filter(is_unmatched);
        unmatched.map(|watch| Arc::clone(watch.text())).collect()
    }

    fn minimum_reason(&self) -> MinimumReason {
        self.minimum_reason
    }

    fn decisions(&self) -> Vec<Arc<Decision>> {
        let decisions = self.decisions.iter();
        decisions.map(|it| Arc::clone(&it.decision)).collect()
    }

    fn decisions_of(&self, id: &str) -> Vec<Arc<Decision>> {
        let named = self.decisions.iter().filter(|it| it.names_control(id));
        named.map(|it| Arc::clone(&it.decision)).collect()
    }

    fn decisions_of_recommendation(&self, name: &str) -> Vec<Arc<Decision>> {
        let decisions = self.decisions.iter();
        let named = decisions.filter(|it| it.names_recommendation(name));
        named.map(|it| Arc::clone(&it.decision)).collect()
    }
}

/// `watch` is the list under `risk_accepted.watch`.
pub(super) fn resolve(
    file: FileControls,
    watch: Option<Vec<Text>>,
    diagnostics: &mut Diagnostics,
) -> ControlSelection {
    file.report_unknown_keys("controls", diagnostics);
    if file.categories.as_ref().is_some_and(Vec::is_empty) {
        let message =
            "the list is empty, which selects no control; omit the key for all categories";
        diagnostics.error(Span::Nowhere, "controls.categories", message);
    }
    let mut patterns = |path, texts| members(path, texts, Pattern::new, diagnostics);
    let include = patterns("controls.include", file.include);
    let exclude = patterns("controls.exclude", file.exclude);
    let watch = watch.map(|watch| patterns("risk_accepted.watch", Some(watch)));
    ControlSelection {
        selection: Selection {
            categories: members(
                "controls.categories",
                file.categories,
                category,
                diagnostics,
            ),
            include,
            exclude,
        },
        overrides: overrides(file.category_overrides.unwrap_or_default(), diagnostics),
        watch: watch.unwrap_or_else(|| ControlSelection::default().watch),
    }
}

fn category(name: &str) -> Result<Category, String> {
    let known = Category::ALL.map(Category::as_str);
    name.parse()
        .map_err(|_| suggest::unknown("category", name, &known))
}

fn overrides(entries: Entries<Text>, diagnostics: &mut Diagnostics) -> BTreeMap<String, Category> {
    let mut overrides = BTreeMap::new();
    for (id, name) in entries.0 {
        let path = format!("controls.category_overrides[{}]", overrides.len());
        let Some(category) = diagnostics.check(&path, &name, category) else {
            continue;
        };
        if category == Category::Unknown {
            let message =
                "Unknown cannot override a category; name another one, or omit the control";
            diagnostics.error(name.span, &path, message);
        }
        if id.value.is_empty() {
            diagnostics.error(id.span, &path, "the control's id is empty; name a control");
        }
        let previous = overrides.insert(id.value.to_ascii_lowercase(), category);
        if previous.is_some() {
            let message = "this control occurs twice (case does not matter); keep one";
            diagnostics.error(id.span, &path, message);
        }
    }
    overrides
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::FileRiskAccepted;

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        texts.iter().map(|it| Pattern::new(it).unwrap()).collect()
    }

    #[test]
    fn every_control_is_selected_by_default() {
        let selection = ControlSelection::default();
        assert!(selection.selects("scid_1", Category::Unknown));
    }

    #[test]
    fn an_exclusion_wins_over_an_inclusion() {
        let selection = ControlSelection {
            selection: Selection {
                include: patterns(&["scid_*"]),
                exclude: patterns(&["SCID_2*"]),
                ..Selection::default()
            },
            ..ControlSelection::default()
        };
        assert!(selection.selects("scid_1", Category::Device));
        assert!(!selection.selects("scid_21", Category::Device));
        assert!(!selection.selects("AdminMFAV2", Category::Identity));
    }

    #[test]
    fn an_override_ignores_the_case_of_the_id() {
        let selection = ControlSelection {
            overrides: [("adminmfav2".to_owned(), Category::Identity)].into(),
            ..ControlSelection::default()
        };
        let found = selection.category_override("AdminMFAV2");
        assert_eq!(found, Some(Category::Identity));
        assert_eq!(selection.category_override("OneAdmin"), None);
    }

    #[test]
    fn five_controls_are_watched_by_default() {
        let default = TenantRules::default();
        assert_eq!(default.controls.watch.len(), WATCH.len());
        assert!(default.watches("adminmfav2"));
        assert!(!default.watches("scid_2000"));
        let mut keys = FileRiskAccepted::SECTION.keys.iter();
        let key = keys.find(|key| key.name == "watch").unwrap();
        let documented = WATCH.map(|id| format!("`{id}`")).join(", ");
        assert_eq!(key.default, documented);
    }

    #[test]
    fn a_watch_without_a_control_is_returned_as_written() {
        let selection = ControlSelection {
            watch: patterns(&["AdminMFA*", "UserRisk"]),
            ..ControlSelection::default()
        };
        let rules = TenantRules {
            controls: selection.into(),
            ..TenantRules::default()
        };
        let unmatched = rules.unmatched_watches(&["AdminMFAV2", "UserRiskPolicy"]);
        assert_eq!(unmatched, [Arc::from("UserRisk")]);
    }
}
