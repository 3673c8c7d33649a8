//! Which controls get series of their own, and under which category.

use std::collections::BTreeMap;
use std::sync::Arc;
use strict_yaml::{Diagnostics, Entries, Span, Text, suggest, unknown_keys};

use super::file::FileControls;
use super::pattern::Pattern;
use super::watch::WatchList;
use secure_score_model::Category;

/// The choice of controls, by default every one, and those that are watched.
///
/// It decides about series per control and never about sums: a tenant's score
/// must not depend on what a dashboard wants to see.
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
    /// Whether the control gets series. `category` is the one it is exported
    /// under, after any override. An exclusion wins over an inclusion.
    pub fn selects(&self, id: &str, category: Category) -> bool {
        (self.categories.is_empty() || self.categories.contains(&category))
            && (self.include.is_empty() || any_matches(&self.include, id))
            && !any_matches(&self.exclude, id)
    }

    /// Whether the control is on the watch list.
    pub fn watches(&self, id: &str) -> bool {
        self.watch.watches(id)
    }

    /// Lines of the watch list that fit none of these ids.
    pub fn unmatched_watches(&self, ids: &[&str]) -> Vec<Arc<str>> {
        self.watch.unmatched(ids)
    }

    /// The category this control is pinned to, whatever Microsoft says.
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
    unknown_keys("controls", &file.unknown, FileControls::KEYS, diagnostics);
    ControlSelection {
        categories: categories(file.categories, diagnostics),
        include: patterns("include", file.include, diagnostics),
        exclude: patterns("exclude", file.exclude, diagnostics),
        overrides: overrides(file.category_overrides.unwrap_or_default(), diagnostics),
        watch,
    }
}

fn category(path: String, word: &Text, diagnostics: &mut Diagnostics) -> Option<Category> {
    let category = word.value.trim().parse().ok();
    if category.is_none() {
        let known = Category::ALL.map(Category::as_str);
        diagnostics.error(
            word.span,
            path,
            suggest::unknown("category", word.value.trim(), &known),
        );
    }
    category
}

fn categories(words: Option<Vec<Text>>, diagnostics: &mut Diagnostics) -> Vec<Category> {
    let Some(words) = words else {
        return Vec::new();
    };
    if words.is_empty() {
        diagnostics.error(
            Span::Nowhere,
            "controls.categories",
            "the list is empty, so no control would be shown; leave the key out for all categories",
        );
    }
    let named = words.iter().enumerate();
    named
        .filter_map(|(index, word)| {
            category(format!("controls.categories[{index}]"), word, diagnostics)
        })
        .collect()
}

fn patterns(key: &str, texts: Option<Vec<Text>>, diagnostics: &mut Diagnostics) -> Vec<Pattern> {
    let texts = texts.unwrap_or_default();
    let read = texts.iter().enumerate().filter_map(|(index, text)| {
        Pattern::new(text.value.trim())
            .map_err(|bad| {
                let path = format_args!("controls.{key}[{index}]");
                diagnostics.error(text.span, path, bad.to_string());
            })
            .ok()
    });
    read.collect()
}

fn overrides(entries: Entries<Text>, diagnostics: &mut Diagnostics) -> BTreeMap<String, Category> {
    let mut overrides = BTreeMap::new();
    for (id, word) in entries.0 {
        let path = format!("controls.category_overrides[{}]", overrides.len());
        let Some(category) = category(path.clone(), &word, diagnostics) else {
            continue;
        };
        if category == Category::Unknown {
            diagnostics.error(
                word.span,
                &path,
                "a control cannot be pinned to Unknown; name its category or leave it out",
            );
        }
        if id.value.is_empty() {
            diagnostics.error(id.span, &path, "the control's id is empty; write one");
        }
        let previous = overrides.insert(id.value.to_ascii_lowercase(), category);
        if previous.is_some() {
            diagnostics.error(
                id.span,
                &path,
                "this control is pinned twice (case does not matter); keep one",
            );
        }
    }
    overrides
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(include: &[&str], exclude: &[&str]) -> ControlSelection {
        let patterns = |texts: &[&str]| texts.iter().map(|t| Pattern::new(t).unwrap()).collect();
        ControlSelection {
            include: patterns(include),
            exclude: patterns(exclude),
            ..ControlSelection::default()
        }
    }

    #[test]
    fn without_a_choice_every_control_is_selected() {
        let selection = ControlSelection::default();
        assert!(selection.selects("scid_1", Category::Unknown));
    }

    #[test]
    fn an_exclusion_wins_over_an_inclusion() {
        let selection = only(&["scid_*"], &["SCID_2*"]);
        assert!(selection.selects("scid_1", Category::Device));
        assert!(!selection.selects("scid_21", Category::Device));
        assert!(!selection.selects("AdminMFAV2", Category::Identity));
    }

    #[test]
    fn a_pinned_control_is_found_whatever_the_case() {
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
