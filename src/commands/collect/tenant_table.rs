//! The tenants for a terminal.

use super::{View, troubles};
use crate::acceptances::record::TenantRecord;
use crate::commands::listing::{Field, Listing, MAX_TEXT};
use crate::commands::stdout::tenants;
use crate::serde_time::Day;
use crate::store::TenantState;
use crate::terminal::Colour;
use crate::text;
use crate::views::percent;

const HEADINGS: [&str; 7] = [
    "TENANT",
    "SCORE",
    "SHARE",
    "ACCEPTED",
    "UNAPPROVED",
    "REPORT OF",
    "STATUS",
];

/// With `--wide`.
const WIDE_HEADINGS: [&str; 4] = ["TARGET", "CONTROLS", "ENTRA SET ASIDE", "NAME"];

/// The number of tenants, and each of them: those that could not be read last.
pub(super) fn render(view: &View<'_>) -> String {
    let wide = view.collect.wide;
    let more = WIDE_HEADINGS.iter().filter(|_| wide).copied();
    let headings: Vec<_> = HEADINGS.into_iter().chain(more).collect();
    let mut listing = Listing::new(headings, 1);
    let states = view.tenants.states.iter().map(AsRef::as_ref);
    let (read, failed): (Vec<&TenantState>, Vec<_>) =
        states.partition(|state| troubles(state).is_empty());
    for state in read.iter().chain(&failed) {
        let record = TenantRecord::new(state, view.now);
        let fields = fields(state, &record).into_iter();
        let more = wide.then(|| wide_fields(&record));
        listing.push(fields.chain(more.into_iter().flatten()).collect::<Vec<_>>());
    }
    format!(
        "{}, {} read, {} failed\n{}\n",
        tenants(read.len() + failed.len()),
        read.len(),
        failed.len(),
        listing.render(view.screen)
    )
}

fn fields(state: &TenantState, record: &TenantRecord<'_>) -> [Field; 7] {
    let score = record.score.zip(record.max_score);
    let score = score.map(|(score, max)| format!("{score} of {max}"));
    let target = record.target.zip(record.ratio);
    let misses_target = target.is_some_and(|(target, ratio)| ratio < target);
    let unapproved = record.accepted_unapproved;
    let is_unapproved = unapproved.is_some_and(|count| count > 0);
    let day = state.snapshot.report.as_ref().and_then(|it| it.as_of);
    let reasons = troubles(state).into_iter().map(|it| it.reason.as_str());
    let reasons: Vec<&str> = reasons.collect();
    let status = match reasons.as_slice() {
        [] => Field::new("read"),
        reasons => Field::new(reasons.join(", ")).colour(Some(Colour::Red)),
    };
    [
        Field::new(record.tenant),
        Field::number(known(score)),
        Field::number(known(record.ratio.map(percent)))
            .colour(misses_target.then_some(Colour::Yellow)),
        Field::number(known(record.accepted)),
        Field::number(known(unapproved)).colour(is_unapproved.then_some(Colour::Red)),
        Field::new(known(day.map(Day::beginning))),
        status,
    ]
}

fn wide_fields(record: &TenantRecord<'_>) -> [Field; 4] {
    [
        Field::number(record.target.map(percent).unwrap_or_default()),
        Field::number(known(record.controls)),
        Field::number(
            record
                .recommendations_set_aside
                .map_or_else(String::new, |count| count.to_string()),
        ),
        Field::new(text::truncate(record.display_name, MAX_TEXT)),
    ]
}

/// A value; what is not known is not 0.
fn known(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |it| it.to_string())
}
