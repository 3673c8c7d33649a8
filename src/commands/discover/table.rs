//! The customers for a terminal.

use super::consent::Consent;
use super::coverage::{Row, State};
use crate::commands::listing::{Field, Listing, MAX_TEXT, day};
use crate::terminal::{Colour, Screen};
use crate::text::{self, clean_line};
use std::collections::BTreeSet;

const HEADINGS: [&str; 6] = [
    "CUSTOMER",
    "STATE",
    "TENANT",
    "CONSENT",
    "RELATIONSHIP ENDS",
    "ENTRA TENANT ID",
];

/// A summary and the rows. No terminal is wide enough for the addresses of the consent,
/// so that they follow there.
pub(super) fn render(rows: &[Row], screen: Screen) -> String {
    let partners: BTreeSet<&str> = rows.iter().map(|row| row.partner.as_str()).collect();
    let partners = partners.iter().filter(|name| !name.is_empty()).count();
    let first = (partners > 1).then_some("PARTNER");
    let is_plain = screen.width.is_none();
    let last = is_plain.then_some("CONSENT URL");
    let headings = first.into_iter().chain(HEADINGS).chain(last);
    let mut listing = Listing::new(headings.collect::<Vec<_>>(), 1 + first.iter().count());
    for row in rows {
        let first = first.map(|_| Field::new(&*row.partner));
        let url = row.consent_url.as_deref().unwrap_or_default();
        let last = last.map(|_| Field::new(url));
        let fields = first.into_iter().chain(row.fields()).chain(last);
        listing.push(fields.collect::<Vec<_>>());
    }
    let addresses = match is_plain {
        true => String::new(),
        false => consent_addresses(rows, screen),
    };
    format!(
        "{}\n{}{addresses}",
        screen.wrap(&summary(rows), 0),
        listing.render(screen)
    )
}

/// Where the consent is given, for each customer that lacks it.
fn consent_addresses(rows: &[Row], screen: Screen) -> String {
    let is_lacking = |it: &&Row| matches!(it.consent, Consent::Missing | Consent::Incomplete);
    let lacking = rows.iter().filter(is_lacking);
    let rows = lacking.filter_map(|it| Some((it, it.consent_url.as_deref()?)));
    let addresses: String = rows
        .map(|(row, url)| {
            let name = clean_line(&row.display_name, MAX_TEXT);
            screen.wrap(&format!("  {name}: {url}"), 4) + "\n"
        })
        .collect();
    match addresses.is_empty() {
        true => addresses,
        false => format!("\nAddresses of the consent:\n{addresses}"),
    }
}

impl Row {
    fn fields(&self) -> [Field; 6] {
        let end = self.relationship.map_or_else(String::new, |it| {
            let end = day(Some(it.ends));
            match it.extends {
                true => format!("{end}, extends"),
                false => end,
            }
        });
        let state = match self.state {
            State::NotConsented => "without consent".to_owned(),
            state => state.word().replace('_', " "),
        };
        let colour = match self.state {
            State::Unwatched | State::NotConsented => Some(Colour::Yellow),
            _ => None,
        };
        [
            Field::new(clean_line(&self.display_name, MAX_TEXT)),
            Field::new(state).colour(colour),
            Field::new(self.alias.as_deref().unwrap_or_default()),
            Field::new(self.consent.word()),
            Field::new(end),
            Field::new(clean_line(&self.entra_tenant_id, MAX_TEXT)),
        ]
    }
}

/// How many customers are in each state, in one line, counted as the exporter does.
fn summary(rows: &[Row]) -> String {
    let count = |state: State| rows.iter().filter(|row| row.state == state).count();
    let all = rows.len() - count(State::NotInList) - count(State::Excluded);
    let without_consent = rows.iter().filter(|row| row.consent == Consent::Missing);
    let mut summary = format!(
        "{} of {} watched, {} unwatched, {} excluded; {} without consent",
        count(State::Watched),
        text::count(all, "customer"),
        count(State::Unwatched),
        count(State::Excluded),
        without_consent.count(),
    );
    match count(State::NotInList) {
        0 => {}
        1 => summary.push_str("; 1 configured tenant is in no list"),
        count => summary.push_str(&format!("; {count} configured tenants are in no list")),
    }
    summary
}
