//! How a standing looks: a symbol and a word, so that colour alone says nothing.

use crate::acceptances::Standing;
use crate::http_types::QueryError;
use maud::{Markup, html};

/// The word for people.
pub(super) const fn standing_name(standing: Standing) -> &'static str {
    match standing {
        Standing::NotScored => "not scored",
        other => other.as_str(),
    }
}

const fn symbol(standing: Standing) -> &'static str {
    match standing {
        Standing::Accepted => "▲",
        Standing::Claimed => "◆",
        Standing::Reverted => "↺",
        Standing::Unknown => "?",
        Standing::Approved => "■",
        Standing::Open => "○",
        Standing::Met => "✓",
        Standing::NotScored => "–",
    }
}

/// What it means.
const fn meaning(standing: Standing) -> &'static str {
    match standing {
        Standing::Accepted => "the risk is accepted, without a valid decision",
        Standing::Claimed => "said to be solved by other means, without a valid decision",
        Standing::Reverted => "was accepted, and is open again",
        Standing::Unknown => "the state, the catalogue or the report is not known",
        Standing::Approved => "accepted or claimed, and a valid decision approves it",
        Standing::Open => "points to gain",
        Standing::Met => "all points reached",
        Standing::NotScored => "the tenant does not have it, or is not scored on it",
    }
}

/// The symbol and the word.
pub(super) fn standing_mark(standing: Standing) -> Markup {
    html! {
        span.standing.(standing.as_str()) {
            span aria-hidden="true" { (symbol(standing)) } " " (standing_name(standing))
        }
    }
}

/// A number of tenants with a standing, in the space of a word.
pub(super) fn standing_count(standing: Standing, number: usize) -> Markup {
    let words = format!("{number} {}", standing_name(standing));
    html! {
        span.standing.(standing.as_str()) title=(words) {
            span aria-hidden="true" { (symbol(standing)) } " " (number)
            span.unseen { " " (standing_name(standing)) }
        }
    }
}

/// What the symbols mean, in a closed disclosure.
pub(super) fn legend() -> Markup {
    html! {
        details.legend {
            summary { "What the words mean" }
            dl {
                @for standing in Standing::ALL {
                    div { dt { (standing_mark(standing)) } dd { (meaning(standing)) } }
                }
            }
            p.soft { "Where Secure Score and Entra differ, the word that stands first in this list counts." }
        }
    }
}

/// A standing by its word in an address.
pub(super) fn parse_standing(word: &str) -> Result<Standing, QueryError> {
    let mut all = Standing::ALL.into_iter();
    all.find(|it| it.as_str() == word).ok_or_else(|| {
        let known = Standing::ALL.map(Standing::as_str).join(", ");
        let remedy = format!("use one of {known}");
        QueryError::new(format!("unknown state {word:?}"), remedy)
    })
}

/// The choices of a selection.
pub(super) fn standing_choices() -> [(&'static str, &'static str); 8] {
    Standing::ALL.map(|it| (it.as_str(), standing_name(it)))
}
