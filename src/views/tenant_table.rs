//! The table of tenants, those whose refresh fails first.

use super::context::ViewContext;
use super::form::{Find, filter_form, select_field, text_field};
use super::layout::{shortened, wide};
use super::numbers::{movement, percent, percentage_points, score, share, trend, trend_note};
use super::page_query::PageQuery;
use super::paging::PageNumber;
use super::score_chart::sparkline;
use super::sort::{Column, Sort, SortKey, heading, integer, number, text};
use super::time::age;
use super::trouble::{has_trouble, is_failing, lacks_consent};
use crate::acceptances::Acceptance;
use crate::http_types::QueryError;
use crate::store::TenantState;
use crate::text::count;
use maud::{Markup, html};
use secure_score_model::{Api, Place, RefreshHealth, Timestamp};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

type Key = fn(&TenantRow<'_>) -> Option<SortKey>;

const COLUMNS: &[Column<Key>] = &[
    Column::new("tenant", "Tenant", "", false, |it| {
        text(&it.state.identity.alias)
    }),
    Column::new("score", "Score", "", false, |it| {
        number(share(&it.state.snapshot))
    }),
    Column::new("trend", "Trend", "", false, |it| {
        number(movement(&it.state.snapshot).map(|(change, _)| change))
    }),
    Column::new("to_target", "To target", "", false, |it| number(it.ahead())),
    Column::new("unapproved", "Not approved", "number", true, |it| {
        integer(it.counted(it.counts.unapproved))
    }),
    Column::new("approved", "Approved", "number", true, |it| {
        integer(it.counted(it.counts.approved))
    }),
    Column::new("report", "Report of", "", false, |it| {
        let report = it.state.snapshot.report.as_deref();
        integer(report.and_then(|report| report.as_of).map(Timestamp::nanos))
    }),
    Column::new("read", "Controls read", "", false, |it| {
        let read = it.state.health.of(Api::Profiles).last_success;
        integer(read.map(Timestamp::nanos))
    }),
];

/// Which tenants are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    Failing,
    NoConsent,
    Waiting,
    BelowTarget,
    Unapproved,
    Approved,
}

impl Show {
    const ALL: [Self; 6] = [
        Self::Failing,
        Self::NoConsent,
        Self::Waiting,
        Self::BelowTarget,
        Self::Unapproved,
        Self::Approved,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::NoConsent => "no_consent",
            Self::Waiting => "waiting",
            Self::BelowTarget => "below_target",
            Self::Unapproved => "unapproved",
            Self::Approved => "approved",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Failing => "refresh failing",
            Self::NoConsent => "without consent",
            Self::Waiting => "not refreshed yet",
            Self::BelowTarget => "below target",
            Self::Unapproved => "risks not approved",
            Self::Approved => "risks approved",
        }
    }

    fn parse(word: &str) -> Result<Self, QueryError> {
        let mut all = Self::ALL.into_iter();
        all.find(|it| it.as_str() == word).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            let remedy = format!("use one of {known}");
            QueryError::new(format!("show {word:?} is not known"), remedy)
        })
    }

    fn selects(self, row: &TenantRow<'_>) -> bool {
        match self {
            Self::Failing => is_failing(row.state),
            Self::NoConsent => lacks_consent(row.state),
            Self::Waiting => !row.state.health.attempted(),
            Self::BelowTarget => row.is_below_target(),
            Self::Unapproved => row.counts.unapproved > 0,
            Self::Approved => row.counts.approved > 0,
        }
    }
}

/// The query of the status page.
pub(super) struct TenantQuery {
    /// By a tenant's names.
    find: Find,
    show: Option<Show>,
    sort: Option<Sort<Key>>,
    page: PageNumber,
}

impl TenantQuery {
    pub(super) fn parse(context: &ViewContext<'_>) -> Result<Self, QueryError> {
        let query = &context.query;
        query.allow_only(&["find", "show", "sort", "page"])?;
        let parse_sort = |word| Sort::parse(word, COLUMNS);
        Ok(Self {
            find: Find::of(query),
            show: query.get("show").map(Show::parse).transpose()?,
            sort: query.get("sort").map(parse_sort).transpose()?,
            page: PageNumber::parse(query.get("page"))?,
        })
    }

    pub(super) fn selects(&self, row: &TenantRow<'_>) -> bool {
        self.find.finds_tenant(&row.state.identity)
            && self.show.is_none_or(|show| show.selects(row))
    }
}

/// An acceptance or a claim in force, and whether a decision approves it.
pub(super) type Judged<'a> = (Acceptance<'a>, bool);

/// Acceptances of a tenant in force, in both places.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    unapproved: usize,
    approved: usize,
    /// How many of the unapproved ones are in Entra.
    unapproved_in_entra: usize,
}

/// A tenant in the table.
pub(super) struct TenantRow<'a> {
    pub(super) state: &'a Arc<TenantState>,
    counts: Counts,
}

impl<'a> TenantRow<'a> {
    /// Every tenant, with its acceptances in force, each with whether a decision
    /// approves it.
    pub(super) fn all<'j>(
        context: &ViewContext<'a>,
        accepted: impl Iterator<Item = &'j Judged<'a>>,
    ) -> Vec<Self>
    where
        'a: 'j,
    {
        let mut counts: HashMap<&str, Counts> = HashMap::new();
        for (it, is_approved) in accepted {
            let of_tenant = counts.entry(&it.tenant.identity.alias).or_default();
            of_tenant.unapproved += usize::from(!is_approved);
            of_tenant.approved += usize::from(*is_approved);
            of_tenant.unapproved_in_entra +=
                usize::from(!is_approved && it.place() == Place::Entra);
        }
        let states = context.tenants.states.iter();
        let rows = states.map(|state| Self {
            state,
            counts: counts
                .get(&*state.identity.alias)
                .copied()
                .unwrap_or_default(),
        });
        rows.collect()
    }

    /// The share above the target, negative below it.
    fn ahead(&self) -> Option<f64> {
        let goal = share(&self.state.snapshot).zip(self.state.identity.target);
        goal.map(|(share, target)| share - target)
    }

    pub(super) fn is_below_target(&self) -> bool {
        self.ahead().is_some_and(|ahead| ahead < 0.0)
    }

    /// A number of acceptances; none without a catalogue.
    fn counted(&self, number: usize) -> Option<i64> {
        self.state.snapshot.catalogue_anomalies.as_ref()?;
        i64::try_from(number).ok()
    }
}

pub(super) fn tenant_table(
    mut rows: Vec<TenantRow<'_>>,
    query: &TenantQuery,
    context: &ViewContext<'_>,
) -> Markup {
    if rows.is_empty() {
        return html! { p.empty { "No tenant is configured here." } };
    }
    rows.retain(|row| query.selects(row));
    match &query.sort {
        Some(sort) => sort.sort(&mut rows, |key, row| key(row)),
        // Failing, then waiting for the first refresh, then the most to decide.
        None => rows.sort_by_key(|row| {
            let is_waiting = !row.state.health.attempted();
            (
                !has_trouble(row.state),
                !is_waiting,
                Reverse(row.counts.unapproved),
            )
        }),
    }
    let here = context.query.at("#tenants");
    let page = query.page.of(&rows);
    let caption = format!("{}{}", summary(&rows), page.range());
    html! {
        (form(query, &here))
        @if rows.is_empty() { p.empty { "No tenant fits this filter." } }
        @else {
            (wide("Tenants", table(page.rows, &caption, query, &here, context)))
            (page.links("tenants", &here))
            (trend_note(page.rows.iter().map(|row| &**row.state)))
        }
    }
}

fn form(query: &TenantQuery, here: &PageQuery) -> Markup {
    let choices = Show::ALL.map(|it| (it.as_str(), it.words()));
    let fields = html! {
        (text_field("Tenant's name", "find", "search", here, None))
        (select_field("Show", "show", "all", choices, query.show.map(Show::as_str)))
    };
    let filtered = query.find.is_set() || query.show.is_some();
    filter_form(here, "Filter tenants", "Filter", filtered, fields)
}

fn table(
    rows: &[TenantRow<'_>],
    caption: &str,
    query: &TenantQuery,
    here: &PageQuery,
    context: &ViewContext<'_>,
) -> Markup {
    html! {
        table.fleet.cards {
            caption { (caption) }
            thead {
                tr { @for column in COLUMNS { (heading(here, query.sort.as_ref(), column)) } }
            }
            tbody { @for row in rows { (tenant_row(row, context)) } }
        }
    }
}

fn summary(rows: &[TenantRow<'_>]) -> String {
    let number = |is: fn(&TenantState) -> bool| rows.iter().filter(|row| is(row.state)).count();
    let failing = match number(is_failing) {
        0 => "no refresh failing".to_owned(),
        some => format!("{some} with a failing refresh"),
    };
    let all = count(rows.len(), "tenant");
    match number(lacks_consent) {
        0 => format!("{all}, {failing}"),
        some => format!("{all}, {failing}, {some} without consent"),
    }
}

fn tenant_row(row: &TenantRow<'_>, context: &ViewContext<'_>) -> Markup {
    let state = row.state;
    let report = state.snapshot.report.as_deref();
    let as_of = report.and_then(|report| report.as_of);
    html! {
        tr {
            th scope="row" {
                (context.tenant(&state.identity.alias))
                @if is_failing(state) { " " span.tag.bad { "refresh failing" } }
                @if lacks_consent(state) { " " span.tag.bad { "without consent" } }
                @if state.identity.display_name != state.identity.alias {
                    p.soft { (shortened(&state.identity.display_name)) }
                }
            }
            td.score data-label="Score" { (score(state)) }
            td data-label="Trend" .trend { (trend(&state.snapshot)) (sparkline(&state.snapshot)) }
            td data-label="To target" { (to_target(row)) }
            td.number data-label="Not approved" { (unapproved(row, context)) }
            td.number data-label="Approved" { (approved(row, context)) }
            td data-label="Report of" { @if let Some(at) = as_of { (age(context.now, at)) } @else { "none" } }
            td data-label="Controls read" { (last_refresh(state.health.of(Api::Profiles), context)) }
        }
    }
}

/// How far the score is from the target.
fn to_target(row: &TenantRow<'_>) -> Markup {
    let Some(target) = row.state.identity.target else {
        return html! { span.soft { "no target" } };
    };
    let target = percent(target);
    html! {
        @match row.ahead() {
            None => { "unknown " span.soft { "of " (target) } },
            Some(ahead) if ahead < 0.0 => {
                span.bad { (percentage_points(-ahead)) " below" } " " span.soft { (target) }
            },
            Some(_) => { span.good { "met" } " " span.soft { (target) } },
        }
    }
}

/// The number of acceptances that no valid decision approves, as a link to them,
/// with how many are in Entra, and of how many controls and recommendations it is
/// not known.
fn unapproved(row: &TenantRow<'_>, context: &ViewContext<'_>) -> Markup {
    let snapshot = &row.state.snapshot;
    if snapshot.catalogue_anomalies.is_none() {
        return html! { "unknown" };
    }
    let unknown = snapshot.unknown_states() + snapshot.unknown_statuses();
    let Counts {
        unapproved,
        unapproved_in_entra: in_entra,
        ..
    } = row.counts;
    html! {
        @if unapproved > 0 { strong.bad { (register_link(row, unapproved, false, context)) } } @else { "0" }
        @if in_entra > 0 { p.soft { (in_entra) " in Entra" } }
        @if unknown > 0 { p.soft { (unknown) " unknown" } }
    }
}

fn approved(row: &TenantRow<'_>, context: &ViewContext<'_>) -> Markup {
    match (row.counted(row.counts.approved), row.counts.approved) {
        (None, _) => html! { "unknown" },
        (_, 0) => html! { "0" },
        (_, some) => register_link(row, some, true, context),
    }
}

fn register_link(
    row: &TenantRow<'_>,
    number: usize,
    is: bool,
    context: &ViewContext<'_>,
) -> Markup {
    let alias = &row.state.identity.alias;
    let path = format!("/acceptances?tenant={alias}&in_force=true&kind=acceptance&approved={is}");
    html! { a href=(context.page(&path)) { (number) } }
}

/// When the last refresh of a list succeeded.
pub(super) fn last_refresh(health: &RefreshHealth, context: &ViewContext<'_>) -> Markup {
    match (health.last_success, health.attempted()) {
        (Some(at), _) => age(context.now, at),
        (None, true) => html! { span.bad { "never" } },
        (None, false) => html! { "not yet" },
    }
}
