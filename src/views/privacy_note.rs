//! Why persons are hidden, and how to see them.

use super::context::ViewContext;
use maud::{Markup, html};

/// A line where something is hidden, nothing where all is shown.
pub(super) fn privacy_note(context: &ViewContext<'_>) -> Markup {
    let Some(hint) = context.persons.hint() else {
        return html! {};
    };
    html! {
        p.note {
            @for (place, words) in hint.split('`').enumerate() {
                // Backticks come in pairs, so every second part stands between two.
                @if place % 2 == 0 { (words) } @else { code { (words) } }
            }
            "."
        }
    }
}
