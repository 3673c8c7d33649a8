//! The controls for a terminal.

use super::View;
use crate::acceptances::record::{action_url, implementation_status};
use crate::commands::listing::{Field, Listing, MAX_TEXT, day};
use crate::commands::privacy;
use crate::store::TenantState;
use crate::terminal::Colour;
use crate::text;
use secure_score_model::{Approval, Control, ControlState, Persons, Points};

/// A control of a tenant.
struct Row<'a> {
    tenant: &'a TenantState,
    control: &'a Control,
    approval: RowApproval,
}

/// Whether an accepted risk is approved; the order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RowApproval {
    Missing,
    Expired,
    Approved,
    NotAccepted,
}

/// The number of controls, and each of them.
pub(super) fn render(view: &View<'_>) -> String {
    let persons = privacy::in_events(view.config);
    let rows = rows(view);
    let mut listing = Listing::new(headings(view.collect.wide), 2);
    for row in &rows {
        listing.push(row.fields(&persons, view.collect.wide));
    }
    let summary = view.screen.wrap(&summary(&rows, view.unknown()), 0);
    format!("{summary}\n{}", listing.render(view.screen))
}

fn rows<'a>(view: &'a View<'_>) -> Vec<Row<'a>> {
    let mut rows: Vec<_> = view
        .tenants
        .states
        .iter()
        .flat_map(|tenant| {
            view.controls(tenant).map(|control| Row {
                tenant,
                control,
                approval: RowApproval::of(
                    control.state() == Some(ControlState::RiskAccepted),
                    control.approval(view.now),
                ),
            })
        })
        .collect();
    rows.sort_by_key(|row| (row.approval, &row.tenant.identity.alias, &row.control.id));
    rows
}

fn summary(rows: &[Row<'_>], unknown: usize) -> String {
    let (accepted, unapproved) = RowApproval::count(rows.iter().map(|row| row.approval));
    format!(
        "{}, {accepted} with the risk accepted now, {unapproved} of them unapproved; unknown for {unknown}",
        text::count(rows.len(), "control")
    )
}

impl RowApproval {
    pub(super) fn of(is_accepted: bool, approval: Approval<'_>) -> Self {
        match approval {
            _ if !is_accepted => Self::NotAccepted,
            Approval::Approved(_) => Self::Approved,
            Approval::Expired(_) => Self::Expired,
            Approval::Missing => Self::Missing,
        }
    }

    /// How many risks are accepted, and how many of them unapproved.
    pub(super) fn count(all: impl Iterator<Item = Self>) -> (usize, usize) {
        let accepted: Vec<_> = all.filter(|it| *it != Self::NotAccepted).collect();
        let unapproved = accepted.iter().filter(|it| **it != Self::Approved);
        (accepted.len(), unapproved.count())
    }

    /// The word in the table.
    pub(super) const fn word(self) -> &'static str {
        self.shown().0
    }

    /// A field in its colour.
    pub(super) fn marked(self, words: impl Into<String>) -> Field {
        Field::new(words).colour(self.shown().1)
    }

    /// The word in the table and its colour; colour alone is not accessible.
    const fn shown(self) -> (&'static str, Option<Colour>) {
        match self {
            Self::Missing => ("no", Some(Colour::Red)),
            Self::Expired => ("expired", Some(Colour::Red)),
            Self::Approved => ("yes", Some(Colour::Yellow)),
            Self::NotAccepted => ("", None),
        }
    }
}

fn headings(wide: bool) -> Vec<&'static str> {
    let mut headings = vec![
        "TENANT",
        "CONTROL",
        "TITLE",
        "CATEGORY",
        "STATE",
        "APPROVED",
        "SINCE",
        "LAST ACCEPTED",
        "BY",
        "COMMENT",
    ];
    if wide {
        headings.extend([
            "POINTS",
            "MAX",
            "TO GAIN",
            "IMPACT",
            "COST",
            "STATUS",
            "FIX IT AT",
        ]);
    }
    headings
}

impl Row<'_> {
    fn fields(&self, persons: &Persons, wide: bool) -> Vec<Field> {
        let entry = self.control.entry.as_deref();
        let history = entry.map(|it| &it.history);
        let accepted = history.and_then(|it| it.last_acceptance());
        let by = persons.name(accepted.and_then(|it| it.by.as_deref()));
        let comment = persons.comment(accepted.and_then(|it| it.comment.as_deref()));
        let state = self.control.state().map_or("unknown", |it| it.as_str());
        let mut fields = vec![
            Field::new(&*self.tenant.identity.alias),
            Field::new(&*self.control.id),
            Field::new(text::truncate(entry.map_or("", |it| &it.title), MAX_TEXT)),
            Field::new(self.control.category.as_str()),
            self.approval.marked(state.replace('_', " ")),
            self.approval.marked(self.approval.word()),
            Field::new(day(history.and_then(|it| it.state_since()))),
            Field::new(day(accepted.and_then(|it| it.at))),
            Field::new(text::truncate(by.as_deref().unwrap_or_default(), MAX_TEXT)),
            Field::new(text::truncate(comment.unwrap_or_default(), MAX_TEXT)),
        ];
        if wide {
            fields.extend(self.wide_fields());
        }
        fields
    }

    fn wide_fields(&self) -> [Field; 7] {
        let control = self.control;
        let entry = control.entry.as_deref();
        let score = control.score.as_ref().map(|it| it.score);
        [
            number(score),
            number(control.max_score()),
            number(control.points_to_gain()),
            Field::new(entry.map_or("", |it| it.user_impact.as_str())),
            Field::new(entry.map_or("", |it| it.implementation_cost.as_str())),
            Field::new(text::truncate(
                implementation_status(control).unwrap_or_default(),
                MAX_TEXT,
            )),
            Field::new(action_url(control).unwrap_or_default()),
        ]
    }
}

fn number(points: Option<Points>) -> Field {
    Field::number(points.map_or_else(String::new, |it| it.get().to_string()))
}
