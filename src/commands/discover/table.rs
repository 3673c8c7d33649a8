//! The customers as a table.

use super::consent::Consent;
use super::coverage::{Row, State};
use crate::commands::text_table::{MAX_TEXT, day, empty_table, lines};
use crate::text::clean_line;
use comfy_table::Cell;
use std::collections::BTreeSet;

/// The table and a summary.
pub(super) fn render(rows: &[Row]) -> String {
    let partners: BTreeSet<&str> = rows.iter().map(|row| row.partner.as_str()).collect();
    let partners = partners.iter().filter(|name| !name.is_empty()).count();
    let mut table = empty_table(false);
    let first = (partners > 1).then_some("PARTNER");
    let headings = [
        "CUSTOMER",
        "STATE",
        "TENANT",
        "CONSENT",
        "RELATIONSHIP ENDS",
        "ENTRA TENANT ID",
        "CONSENT URL",
    ];
    table.set_header(first.into_iter().chain(headings));
    for row in rows {
        let first = first.map(|_| Cell::new(&row.partner));
        table.add_row(first.into_iter().chain(row.cells()));
    }
    format!("{}\n{}\n", lines(&table), summary(rows))
}

impl Row {
    fn cells(&self) -> [Cell; 7] {
        let end = self.relationship.map_or_else(String::new, |it| {
            let end = day(Some(it.ends));
            match it.extends {
                true => format!("{end}, extends"),
                false => end,
            }
        });
        [
            Cell::new(clean_line(&self.display_name, MAX_TEXT)),
            Cell::new(self.state.word().replace('_', " ")),
            Cell::new(self.alias.as_deref().unwrap_or_default()),
            Cell::new(self.consent.word()),
            Cell::new(end),
            Cell::new(clean_line(&self.entra_tenant_id, MAX_TEXT)),
            Cell::new(self.consent_url.as_deref().unwrap_or_default()),
        ]
    }
}

/// How many customers are in each state, in one line, counted as the exporter does.
fn summary(rows: &[Row]) -> String {
    let count = |state: State| rows.iter().filter(|row| row.state == state).count();
    let without_consent = rows.iter().filter(|row| row.consent == Consent::Missing);
    let mut summary = format!(
        "{} of {} customers watched, {} unwatched, {} excluded; {} without consent",
        count(State::Watched),
        rows.len() - count(State::NotInList) - count(State::Excluded),
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
