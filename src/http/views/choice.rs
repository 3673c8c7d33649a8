//! The fields of a filter: plain HTML, sent as the query of an address.

use super::address::Address;
use maud::{Markup, html};

/// A field to write into, with what was asked last.
pub(super) fn typed(
    label: &str,
    name: &str,
    kind: &str,
    address: &Address,
    list: Option<&str>,
) -> Markup {
    // A date field shows days only; of a moment the day is kept.
    let asked = address.asked(name).map(|value| match kind {
        "date" => value.get(..10).unwrap_or(value),
        _ => value,
    });
    html! {
        label {
            span { (label) }
            input type=(kind) name=(name) value=[asked] list=[list] autocomplete="off" spellcheck="false";
        }
    }
}

/// A field to choose from, first of all everything.
pub(super) fn choice<'a>(
    label: &str,
    name: &str,
    all: &str,
    options: impl IntoIterator<Item = (&'a str, &'a str)>,
    chosen: Option<&str>,
) -> Markup {
    html! {
        label {
            span { (label) }
            select name=(name) {
                option value="" { (all) }
                @for (value, words) in options {
                    option value=(value) selected[chosen == Some(value)] { (words) }
                }
            }
        }
    }
}

/// A yes or no, as a field says it.
pub(super) fn flag(asked: Option<bool>) -> Option<&'static str> {
    asked.map(|is| if is { "true" } else { "false" })
}
