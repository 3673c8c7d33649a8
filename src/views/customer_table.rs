//! A section per partner: how many of its customers are watched, and the others.

use super::context::ViewContext;
use super::layout::{shortened, wide};
use super::tenant_table::last_refresh;
use super::time::{age, day, until};
use super::trouble::trouble_words;
use crate::serde_time::Day;
use crate::store::PartnerState;
use crate::text::{count, single_line};
use maud::{Markup, html};
use secure_score_model::{
    CustomerState, CustomerStatus, PartnerSnapshot, Persons, Relationship, SkippedCustomers,
    Timestamp,
};
use std::sync::Arc;
use std::time::Duration;

/// Customers listed of one partner; `discover` lists all.
const MAX_SHOWN: usize = 100;

/// Names listed of customers without an id; the log has all.
const MAX_NAMES: usize = 5;

/// A relationship that ends this soon needs a new one, as in the alert.
const ENDING: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The states of the customers in the table, in its order: those that are tenants
/// of the exporter come first.
const LISTED: [CustomerState; 3] = [
    CustomerState::Left,
    CustomerState::NotConsented,
    CustomerState::Unwatched,
];

/// What a client may see of customers.
#[derive(Clone, Copy)]
struct Shown {
    /// A customer's name is treated like a person's: pseudonyms hide it too.
    names: bool,
    links: bool,
}

/// A section for each partner; nothing without one.
pub(super) fn customer_sections(context: &ViewContext<'_>) -> Markup {
    let persons = context.persons();
    let shown = Shown {
        names: matches!(persons, Persons::Plain),
        links: !persons.are_hidden(),
    };
    html! {
        @for state in &context.partners.states {
            @let id = format!("customers-{}", state.snapshot.name);
            section aria-labelledby=(id) {
                h2 id=(id) { "Customers of " (state.snapshot.name) }
                (customers(state, shown, context))
            }
        }
    }
}

fn customers(state: &PartnerState, shown: Shown, context: &ViewContext<'_>) -> Markup {
    let partner = &state.snapshot;
    html! {
        (summary(partner, context))
        @if let Some(trouble) = &partner.health.trouble {
            p.note {
                (trouble_words(trouble))
                @if partner.customers.is_some() {
                    br; "The last list stays: customers that signed since then are missing here."
                }
            }
        }
        (without_id(&partner.skipped.without_id, shown))
        @if context.is_shard {
            p.soft { "Other shards know which of their tenants have not consented; here those count as watched." }
        }
        (rest(partner, shown, context))
    }
}

/// How many customers are watched, how many are not and why, and the age of the
/// list.
fn summary(partner: &PartnerSnapshot, context: &ViewContext<'_>) -> Markup {
    let read = last_refresh(&partner.health, context);
    if partner.customers.is_none() {
        return html! { p { "The list of customers is not known. Last read: " (read) "." } };
    }
    let (watched, all) = partner.coverage();
    let others = [
        (CustomerState::Unwatched, "not watched"),
        (CustomerState::NotConsented, "without consent"),
        (CustomerState::Left, "left the list"),
        (CustomerState::Excluded, "excluded"),
    ];
    let others = others.map(|(state, words)| (partner.count(state), words));
    html! {
        p {
            strong { (watched) " of " (count(all, "customer")) " watched" }
            @for (number, words) in others.iter().filter(|(number, _)| *number > 0) {
                ", " (number) " " (words)
            }
            ". " span.soft { "List last read: " (read) "." }
        }
    }
}

/// The customers that cannot be listed because they have no id.
fn without_id(names: &[Arc<str>], shown: Shown) -> Markup {
    if names.is_empty() {
        return html! {};
    }
    html! {
        p.note {
            "Left out, since the list has no GUID for them: " (count(names.len(), "customer"))
            @if shown.names {
                @for (place, name) in names.iter().take(MAX_NAMES).enumerate() {
                    (if place == 0 { " (" } else { ", " }) (name_words(name))
                }
                (if names.len() > MAX_NAMES { ", …)" } else { ")" })
            }
            "." br; "Hint: " (SkippedCustomers::REMEDY) "."
        }
    }
}

/// The customers that are not watched, with what to do.
fn rest(partner: &PartnerSnapshot, shown: Shown, context: &ViewContext<'_>) -> Markup {
    let rest = listed(partner, shown);
    if rest.is_empty() {
        return html! {};
    }
    let rows = rest.get(..MAX_SHOWN).unwrap_or(&rest);
    let links = shown.links && rows.iter().any(|it| consent_url(it).is_some());
    let table = html! {
        table.cards {
            caption {
                (count(rest.len(), "customer"))
                " to act on: those that left first, then those without consent, then not watched"
            }
            thead {
                tr {
                    th scope="col" { "Customer" }
                    th scope="col" { "State" }
                    th scope="col" { "Relationship ends" }
                    @if links { th scope="col" { "Consent link" } }
                }
            }
            tbody {
                @for it in rows {
                    tr {
                        (customer_cell(it, shown))
                        td.words data-label="State" { (state_words(it, shown, context)) }
                        td data-label="Relationship ends" { (relationship(it.customer.relationship, context.now)) }
                        @if links { td.address data-label="Consent link" { (consent_link(it)) } }
                    }
                }
            }
        }
    };
    html! {
        (hidden_note(shown))
        (wide(&format!("Customers of {}", partner.name), table))
        @if let Some(more) = rest.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
            p { "… and " (more) " more; " code { "secure-score-exporter discover" } " lists all." }
        }
    }
}

/// The customers in the table, in its order. Hidden names do not order it, since
/// the order would say something about them.
fn listed(partner: &PartnerSnapshot, shown: Shown) -> Vec<&CustomerStatus> {
    let place = |it: &CustomerStatus| LISTED.iter().position(|state| *state == it.state);
    let customers = partner.customers().iter();
    let mut listed: Vec<_> = customers.filter(|it| place(it).is_some()).collect();
    listed.sort_by_cached_key(|it| {
        let name = shown.names.then(|| it.customer.display_name.to_lowercase());
        (place(it), name)
    });
    listed
}

/// Why the table lacks names, or links too.
fn hidden_note(shown: Shown) -> Markup {
    let hidden = match (shown.names, shown.links) {
        (true, _) => return html! {},
        (false, true) => "Names of customers are",
        (false, false) => "Names of customers and consent links are",
    };
    html! {
        p.note { (hidden) " hidden, as persons are: see the note on " a href="#accepted" { "accepted risks" } "." }
    }
}

fn customer_cell(it: &CustomerStatus, shown: Shown) -> Markup {
    let id = html! { code { (it.customer.tenant_id) } };
    html! {
        th.words scope="row" {
            @if shown.names {
                (name_words(&it.customer.display_name))
                p.soft.who { (id) }
            } @else {
                (id)
            }
        }
    }
}

/// A name from the list, apart from the direction in which its neighbours are
/// written.
fn name_words(name: &str) -> Markup {
    let name = single_line(name);
    html! {
        @if name.is_empty() { span.soft { "no name" } } @else { bdi { (shortened(&name)) } }
    }
}

/// The state, and the tenant where there is one. Its alias is often made from the
/// customer's name.
fn state_words(it: &CustomerStatus, shown: Shown, context: &ViewContext<'_>) -> Markup {
    let words = match it.state {
        CustomerState::Left => "left the list",
        CustomerState::NotConsented => "without consent",
        _ => "not watched",
    };
    html! {
        span.tag.bad { (words) }
        @if let Some(at) = it.left_at { p.soft { "noticed " (age(context.now, at)) } }
        @if let Some(alias) = it.tenant.as_deref().filter(|_| shown.names) {
            p.soft { "tenant " (context.tenant(alias)) }
        }
    }
}

/// When the relationship ends, and what happens then.
fn relationship(relationship: Option<Relationship>, now: Timestamp) -> Markup {
    let Some(Relationship { ends, extends }) = relationship else {
        return html! { span.soft { "unknown" } };
    };
    let soon = !extends && ends < now.plus(ENDING);
    html! {
        (day(Day::beginning(ends)))
        p class=(if soon { "bad" } else { "soft" }) {
            @if ends <= now { "ended" } @else { (until(now, ends)) }
            (if extends { ", extends itself" } else { ", does not extend" })
        }
    }
}

/// The consent link of a customer that is to consent.
fn consent_url(it: &CustomerStatus) -> Option<&str> {
    let url = it.consent_url.as_deref();
    url.filter(|_| it.state != CustomerState::Left)
}

/// The whole address, since it is sent to the customer.
fn consent_link(it: &CustomerStatus) -> Markup {
    match consent_url(it) {
        Some(url) => html! { a href=(url) { code { (url) } } },
        None => html! { span.soft { "none" } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relationship_that_needs_a_new_one_is_marked() {
        let now = Timestamp::from_seconds(1_795_421_700);
        let day = 24 * 60 * 60;
        for (days, extends, class, words) in [
            (-1, false, "bad", "ended, does not extend"),
            (29, false, "bad", "does not extend"),
            (31, false, "soft", "does not extend"),
            (29, true, "soft", "extends itself"),
        ] {
            let ends = Timestamp::from_seconds(1_795_421_700 + days * day);
            let cell = relationship(Some(Relationship { ends, extends }), now).into_string();
            assert!(cell.contains(&format!("class=\"{class}\"")), "{cell}");
            assert!(cell.contains(words), "{cell}");
        }
        assert!(relationship(None, now).into_string().contains("unknown"));
    }

    #[test]
    fn a_customer_without_a_name_says_so() {
        assert!(name_words(" ").into_string().contains("no name"));
        assert_eq!(name_words("a\n\u{202e}b").into_string(), "<bdi>a b</bdi>");
    }
}
