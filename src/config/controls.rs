//! The controls that get series, and their categories.

use std::collections::BTreeMap;
use std::sync::Arc;
use strict_yaml::{Diagnostics, Entries, Span, Text, suggest};

use super::file::FileControls;
use super::pattern::Pattern;
use super::watch::WatchList;
use secure_score_model::Category;

/// The controls that get series, by default all, and the watch list.
///
/// Sums cover every control: a tenant's score must not depend on the selection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ControlSelection {
    /// Empty means all.
    categories: Vec<Category>,
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    /// By lower-case control id.
    overrides: BTreeMap<String, Category>,
    watch: WatchList,
}

impl ControlSelection {
    /// Whether the control gets series; `category` is the exported one, after
    /// any override.
    pub fn selects(&self, id: &str, category: Category) -> bool {
        (self.categories.is_empty() || self.categories.contains(&category))
            && (self.include.is_empty() || any_matches(&self.include, id))
            && !any_matches(&self.exclude, id)
    }

    /// Whether the control is on the watch list.
    pub fn watches(&self, id: &str) -> bool {
        self.watch.watches(id)
    }

    /// Entries of the watch list that match none of these ids.
    pub fn unmatched_watches(&self, ids: &[&str]) -> Vec<Arc<str>> {
        self.watch.unmatched(ids)
    }

    /// The configured category of this control, if any.
    pub fn category_override(&self, id: &str) -> Option<Category> {
        if self.overrides.is_empty() {
            return None;
        }
        self.overrides.get(&id.to_ascii_lowercase()).copied()
    }
}

fn any_matches(patterns: &[Pattern], id: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(id))
}

pub(super) fn resolve(
    file: FileControls,
    watch: WatchList,
    diagnostics: &mut Diagnostics,
) -> ControlSelection {
    file.report_unknown_keys("controls", diagnostics);
    ControlSelection {
        categories: categories(file.categories, diagnostics),
        include: patterns("include", file.include, diagnostics),
        exclude: patterns("exclude", file.exclude, diagnostics),
        overrides: overrides(file.category_overrides.unwrap_or_default(), diagnostics),
        watch,
    }
}

fn category(path: &str, text: &Text, diagnostics: &mut Diagnostics) -> Option<Category> {
    let name = text.value.trim();
    let category = name.parse().ok();
    if category.is_none() {
        let known = Category::ALL.map(Category::as_str);
        let message = suggest::unknown("category", name, &known);
        diagnostics.error(text.span, path, message);
    }
    category
}

fn categories(names: Option<Vec<Text>>, diagnostics: &mut Diagnostics) -> Vec<Category> {
    let Some(names) = names else {
        return Vec::new();
    };
    if names.is_empty() {
        diagnostics.error(
            Span::Nowhere,
            "controls.categories",
            "the list is empty, which selects no control; omit the key for all categories",
        );
    }
    let categories = names.iter().enumerate().filter_map(|(index, name)| {
        category(&format!("controls.categories[{index}]"), name, diagnostics)
    });
    categories.collect()
}

fn patterns(key: &str, texts: Option<Vec<Text>>, diagnostics: &mut Diagnostics) -> Vec<Pattern> {
    let texts = texts.unwrap_or_default();
    let patterns = texts.iter().enumerate().filter_map(|(index, text)| {
        Pattern::new(text.value.trim())
            .map_err(|error| {
                let path = format_args!("controls.{key}[{index}]");
                diagnostics.error(text.span, path, error.to_string());
            })
            .ok()
    });
    patterns.collect()
}

fn overrides(entries: Entries<Text>, diagnostics: &mut Diagnostics) -> BTreeMap<String, Category> {
    let mut overrides = BTreeMap::new();
    for (id, name) in entries.0 {
        let path = format!("controls.category_overrides[{}]", overrides.len());
        let Some(category) = category(&path, &name, diagnostics) else {
            continue;
        };
        if category == Category::Unknown {
            diagnostics.error(
                name.span,
                &path,
                "Unknown cannot override a category; name another one, or omit the control",
            );
        }
        if id.value.is_empty() {
            diagnostics.error(id.span, &path, "the control's id is empty; name a control");
        }
        let previous = overrides.insert(id.value.to_ascii_lowercase(), category);
        if previous.is_some() {
            diagnostics.error(
                id.span,
                &path,
                "this control occurs twice (case does not matter); keep one",
            );
        }
    }
    overrides
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(include: &[&str], exclude: &[&str]) -> ControlSelection {
        let patterns = |texts: &[&str]| texts.iter().map(|t| Pattern::new(t).unwrap()).collect();
        ControlSelection {
            include: patterns(include),
            exclude: patterns(exclude),
            ..ControlSelection::default()
        }
    }

    #[test]
    fn every_control_is_selected_by_default() {
        let selection = ControlSelection::default();
        assert!(selection.selects("scid_1", Category::Unknown));
    }

    #[test]
    fn an_exclusion_wins_over_an_inclusion() {
        let selection = selection(&["scid_*"], &["SCID_2*"]);
        assert!(selection.selects("scid_1", Category::Device));
        assert!(!selection.selects("scid_21", Category::Device));
        assert!(!selection.selects("AdminMFAV2", Category::Identity));
    }

    #[test]
    fn an_override_ignores_the_case_of_the_id() {
        let overrides = [("adminmfav2".to_owned(), Category::Identity)];
        let selection = ControlSelection {
            overrides: overrides.into(),
            ..ControlSelection::default()
        };
        assert_eq!(
            selection.category_override("AdminMFAV2"),
            Some(Category::Identity)
        );
        assert_eq!(selection.category_override("OneAdmin"), None);
    }
}
