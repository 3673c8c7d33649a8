//! The facts about a control: its points, and what it takes.

use super::cells::state_name;
use super::control_table::fix_link;
use super::layout::shortened;
use super::numbers::points;
use crate::acceptances::Subject;
use crate::text::count;
use maud::{Markup, html};
use secure_score_model::{CatalogueEntry, Points, Recommendation};

/// The facts about what one tenant lists, with the points of all.
pub(super) fn facts(shown: &Subject<'_>, found: &[Subject<'_>]) -> Markup {
    let control = shown.control;
    let entry = control.and_then(|it| it.entry.as_deref());
    let advice = found.iter().find_map(|it| it.recommendation);
    let known = found.iter().filter(|it| it.is_known()).count();
    let watching = found.iter().filter(|it| it.is_watched()).count();
    html! {
        dl.facts {
            @if let Some(control) = control {
                div { dt { "Category" } dd { (control.category.as_str()) } }
                div { dt { "Points" } dd { (of_most(control.max_score())) } }
            }
            (to_gain(found))
            @if let Some(entry) = entry { (catalogue_facts(entry)) }
            @if let Some(advice) = advice { (advice_facts(advice)) }
            div { dt { "Known in" } dd { (count(known, "tenant")) ", watched in " (watching) } }
        }
    }
}

fn of_most(max: Option<Points>) -> String {
    max.map_or_else(
        || "unknown".to_owned(),
        |max| format!("at most {}", points(max)),
    )
}

fn to_gain(found: &[Subject<'_>]) -> Markup {
    let gains = found.iter().filter_map(|it| it.control?.points_to_gain());
    let total: Points = gains.sum();
    html! { div { dt { "To gain in all tenants" } dd { (count(points(total), "point")) } } }
}

fn catalogue_facts(entry: &CatalogueEntry) -> Markup {
    html! {
        @if !entry.product.is_empty() { div { dt { "Product" } dd { (shortened(&entry.product)) } } }
        div { dt { "Tier" } dd { (state_name(entry.tier.as_str())) } }
        div { dt { "Action" } dd { (entry.action_type.as_str()) } }
        div { dt { "User impact" } dd { (entry.user_impact.as_str()) } }
        div { dt { "Implementation cost" } dd { (entry.implementation_cost.as_str()) } }
        div { dt { "Where to fix it" } dd { (fix_link(entry.action_url.as_deref())) } }
    }
}

fn advice_facts(advice: &Recommendation) -> Markup {
    let entry = &advice.entry;
    html! {
        div {
            dt { "Recommendation of Entra" }
            dd { code { (shortened(&entry.name)) } p.soft { "priority " (entry.priority.as_str()) } }
        }
        @if !entry.license.is_empty() { div { dt { "Licence" } dd { (shortened(&entry.license)) } } }
    }
}
