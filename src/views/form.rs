//! The form above a table: plain HTML, sent as the query of an address.

use super::page_query::PageQuery;
use maud::{Markup, html};
use secure_score_model::TenantIdentity;

/// The search for a part of a name, whatever its case.
pub(super) struct Find {
    /// In lower case; `None` finds every name.
    part: Option<String>,
}

impl Find {
    /// What a page's address searches for.
    pub(super) fn of(query: &PageQuery) -> Self {
        Self {
            part: query.get("find").map(str::to_lowercase),
        }
    }

    /// Whether it is used.
    pub(super) const fn is_set(&self) -> bool {
        self.part.is_some()
    }

    /// Whether one of these names has the part.
    pub(super) fn finds(&self, names: &[&str]) -> bool {
        let part = self.part.as_deref();
        part.is_none_or(|part| names.iter().any(|name| name.to_lowercase().contains(part)))
    }

    /// Whether one of the tenant's names has the part.
    pub(super) fn finds_tenant(&self, identity: &TenantIdentity) -> bool {
        self.finds(&[&identity.alias, &identity.display_name])
    }
}

/// A form whose fields filter the table of this page, with what it is for and
/// the words on its button.
pub(super) fn filter_form(
    query: &PageQuery,
    label: &str,
    button: &str,
    filtered: bool,
    fields: Markup,
) -> Markup {
    html! {
        form.filter method="get" action=(query.action()) role="search" aria-label=(label) {
            (fields)
            @if let Some(sort) = query.get("sort") { input type="hidden" name="sort" value=(sort); }
            @if let Some(word) = query.refresh() { input type="hidden" name="refresh" value=(word); }
            div.buttons {
                button type="submit" { (button) }
                @if filtered { " " a href=(query.unfiltered()) { "Show all" } }
            }
        }
    }
}

/// A text field with the current value.
pub(super) fn text_field(
    label: &str,
    name: &str,
    kind: &str,
    query: &PageQuery,
    list: Option<&str>,
) -> Markup {
    let value = query.get(name);
    html! {
        label {
            span { (label) }
            input type=(kind) name=(name) value=[value] list=[list] autocomplete="off" spellcheck="false";
        }
    }
}

/// A selection, whose first choice selects everything.
pub(super) fn select_field<W: AsRef<str>>(
    label: &str,
    name: &str,
    all: &str,
    choices: impl IntoIterator<Item = (&'static str, W)>,
    selected: Option<&str>,
) -> Markup {
    html! {
        label {
            span { (label) }
            select name=(name) {
                option value="" { (all) }
                @for (value, words) in choices {
                    option value=(value) selected[selected == Some(value)] { (words.as_ref()) }
                }
            }
        }
    }
}

/// The value of a yes-or-no selection.
pub(super) fn bool_value(value: Option<bool>) -> Option<&'static str> {
    value.map(|is| if is { "true" } else { "false" })
}
