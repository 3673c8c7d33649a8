//! The recommendations of Entra for a terminal.

use super::View;
use super::table::RowApproval;
use crate::commands::listing::{Field, Listing, MAX_TEXT, day};
use crate::commands::privacy;
use crate::serde_time::Day;
use crate::store::TenantState;
use crate::text;
use secure_score_model::{Persons, Points, Recommendation};

const HEADINGS: [&str; 11] = [
    "TENANT",
    "RECOMMENDATION",
    "TITLE",
    "STATUS",
    "APPROVED",
    "SINCE",
    "UNTIL",
    "BY",
    "POINTS",
    "CONTROL",
    "STATE THERE",
];

/// A recommendation of a tenant.
struct Row<'a> {
    tenant: &'a TenantState,
    recommendation: &'a Recommendation,
    approval: RowApproval,
}

/// The table and the Identity Secure Scores; nothing where no tenant has them.
pub(super) fn render(view: &View<'_>) -> String {
    let states = view.tenants.states.iter();
    let is_read = states
        .clone()
        .any(|it| it.snapshot.recommendation_anomalies.is_some());
    let table = is_read.then(|| recommendations(view));
    let scores: Vec<String> = states.filter_map(|it| identity_score(it)).collect();
    let scores = (!scores.is_empty()).then(|| format!("\n{}\n", scores.join("\n")));
    table.into_iter().chain(scores).collect()
}

fn recommendations(view: &View<'_>) -> String {
    let persons = privacy::in_events(view.config);
    let rows = rows(view);
    let mut listing = Listing::new(HEADINGS, 2);
    for row in &rows {
        listing.push(row.fields(&persons));
    }
    let summary = view.screen.wrap(&summary(&rows, view), 0);
    format!("\n{summary}\n{}", listing.render(view.screen))
}

fn rows<'a>(view: &'a View<'_>) -> Vec<Row<'a>> {
    let tenants = view.tenants.states.iter();
    let rows = tenants.flat_map(|tenant| {
        let recommendations = view.recommendations(tenant);
        recommendations.map(|recommendation| Row {
            tenant,
            recommendation,
            approval: RowApproval::of(
                recommendation.is_set_aside(),
                recommendation.approval(view.now),
            ),
        })
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|row| (row.approval, &row.tenant.identity.alias));
    rows
}

fn summary(rows: &[Row<'_>], view: &View<'_>) -> String {
    let (set_aside, unapproved) = RowApproval::count(rows.iter().map(|row| row.approval));
    format!(
        "{}, {set_aside} set aside now, {unapproved} of them unapproved; unknown for {}",
        text::count(rows.len(), "recommendation"),
        view.unknown_recommendations()
    )
}

/// The Identity Secure Score of a tenant as a line.
fn identity_score(tenant: &TenantState) -> Option<String> {
    let score = tenant.snapshot.identity_score.as_deref()?;
    let shown = |points: Option<Points>| {
        points.map_or_else(|| "unknown".to_owned(), |it| it.get().to_string())
    };
    let day = score.as_of.map(Day::beginning);
    let day = day.map_or_else(String::new, |day| format!(", of {day}"));
    Some(format!(
        "{}: Identity Secure Score {} of {}{day}",
        tenant.identity.alias,
        shown(score.score),
        text::count(shown(score.max_score), "point")
    ))
}

impl Row<'_> {
    fn fields(&self, persons: &Persons) -> Vec<Field> {
        let it = self.recommendation;
        let (entry, changed) = (&it.entry, it.changed());
        let by = persons.name(changed.and_then(|it| it.by.as_deref()));
        let words = |word: &str| word.replace('_', " ");
        let since = day(changed.map(|it| it.at));
        let is_exact = changed.is_none_or(|it| it.is_exact);
        let points = entry.score.zip(entry.max_score);
        let points = points.map(|(score, max)| format!("{} of {}", score.get(), max.get()));
        let state = it.control_state.map(|it| words(it.as_str()));
        vec![
            Field::new(&*self.tenant.identity.alias),
            Field::new(text::truncate(&entry.name, MAX_TEXT)),
            Field::new(text::truncate(&entry.title, MAX_TEXT)),
            self.approval.marked(words(entry.status.as_str())),
            self.approval.marked(self.approval.word()),
            Field::new(if is_exact {
                since
            } else {
                format!("≤ {since}")
            }),
            Field::new(day(entry.postponed_until)),
            Field::new(text::truncate(by.as_deref().unwrap_or_default(), MAX_TEXT)),
            Field::new(points.unwrap_or_default()),
            Field::new(it.control.as_deref().unwrap_or_default()),
            Field::new(state.unwrap_or_default()),
        ]
    }
}
