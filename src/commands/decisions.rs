//! `decisions`: every decision, with what it covers now.

use super::config_source::{self, selected_tenants};
use super::tenant_source::TenantSource;
use super::text_table::{MAX_TEXT, empty_table, lines};
use super::{Failure, now, privacy, stdout};
use crate::acceptances::{Covered, covered_now};
use crate::cli::{ConfigFlags, Decisions, DecisionsOutput};
use crate::config::{Config, Environment, NewCustomers};
use crate::diagnostics;
use crate::serde_time::{Day, Rfc3339};
use crate::store::Tenants;
use crate::text::truncate;
use anyhow::Context as _;
use comfy_table::Cell;
use secure_score_model::{Decision, DecisionState, Persons, Timestamp};
use serde::Serialize;
use std::borrow::Cow;
use std::sync::Arc;

const HEADINGS: [&str; 9] = [
    "LAST DAY",
    "STATUS",
    "REFERENCE",
    "SUBJECT",
    "TENANTS",
    "STATES",
    "APPROVER",
    "COVERS NOW",
    "PLACE",
];

/// The most declarations named in a row of the table; JSON has all.
const MAX_COVERED: usize = 3;

/// Prints the decisions, those that expire first at the top.
pub(super) async fn run(
    flags: &ConfigFlags,
    options: &Decisions,
    environment: &Environment,
) -> Result<(), Failure> {
    let mut config = config_source::load(flags, environment)?;
    let selected = selected_tenants(&config, &options.tenants)?;
    config.tenants = selected.into_iter().cloned().collect();
    let config = Arc::new(config);
    let source = TenantSource::of(options.state_dir.as_deref());
    let tenants = source.tenants(&config, environment).await?;
    let now = now();
    let mut rows: Vec<Row<'_>> = config
        .decisions
        .iter()
        .map(|decision| Row::new(decision, &tenants, now))
        .collect();
    rows.sort_by_key(|row| row.decision.expires);
    let persons = privacy::in_events(&config);
    match options.output {
        DecisionsOutput::Table => stdout::write(table(&rows, &persons).as_bytes())?,
        DecisionsOutput::Json => stdout::write(&document(&rows, &persons, now)?)?,
    }
    let unlisted = match options.tenants.is_empty() {
        true => unlisted_customers(&config),
        false => 0,
    };
    let unknown = warn_of_unknown(&config, &tenants);
    match rows.iter().any(|row| row.has_lapsed) || unknown + unlisted > 0 {
        _ if unknown > 0 && unknown == config.tenants.len() => Err(Failure::Found),
        true => Err(Failure::Partly),
        false => Ok(()),
    }
}

/// A decision with its use.
struct Row<'a> {
    decision: &'a Decision,
    covers: Vec<Covered<'a>>,
    is_expired: bool,
    /// Whether it has expired while what it approved stands, and nothing else approves
    /// that.
    has_lapsed: bool,
}

impl<'a> Row<'a> {
    fn new(decision: &'a Arc<Decision>, tenants: &'a Tenants, now: Timestamp) -> Self {
        let covers = covered_now(decision, tenants, now);
        let is_expired = decision.is_expired(now);
        Self {
            has_lapsed: is_expired && covers.iter().any(|it| !it.is_approved),
            decision,
            covers,
            is_expired,
        }
    }

    const fn status(&self) -> &'static str {
        match (self.is_expired, self.has_lapsed) {
            (true, true) => "expired, in use",
            (true, false) => "expired",
            (false, _) => "valid",
        }
    }

    fn tenants(&self) -> String {
        match self.decision.tenants.as_slice() {
            [] => "all".to_owned(),
            named => named.join(", "),
        }
    }

    fn states(&self) -> String {
        let states = self.decision.states.iter().map(|it| it.as_str());
        states.collect::<Vec<_>>().join(", ")
    }

    fn covered(&self) -> String {
        let named = self.covers.iter().take(MAX_COVERED);
        let named = named.map(|it| format!("{} {} ({})", it.tenant, it.name, it.state));
        let named: Vec<String> = named.collect();
        match self.covers.len().saturating_sub(MAX_COVERED) {
            0 if named.is_empty() => "nothing".to_owned(),
            0 => named.join(", "),
            more => format!("{} and {more} more", named.join(", ")),
        }
    }
}

fn table(rows: &[Row<'_>], persons: &Persons) -> String {
    let mut table = empty_table(false);
    table.set_header(HEADINGS);
    for row in rows {
        let it = row.decision;
        let approver = persons.name(it.approver.as_deref()).unwrap_or_default();
        table.add_row([
            Cell::new(Day::ending(it.expires)),
            Cell::new(row.status()),
            Cell::new(truncate(&it.reference, MAX_TEXT)),
            Cell::new(truncate(&it.subject(), MAX_TEXT)),
            Cell::new(truncate(&row.tenants(), MAX_TEXT)),
            Cell::new(row.states()),
            Cell::new(truncate(&approver, MAX_TEXT)),
            Cell::new(row.covered()),
            Cell::new(&it.place),
        ]);
    }
    let expired = rows.iter().filter(|row| row.is_expired).count();
    let lapsed = rows.iter().filter(|row| row.has_lapsed).count();
    format!(
        "{}\n{} decisions, {expired} expired, {lapsed} of them while what they approved stands\n",
        lines(&table),
        rows.len()
    )
}

#[derive(Serialize)]
struct Document<'a> {
    generated_at: Rfc3339,
    decisions: Vec<DecisionRecord<'a>>,
}

#[derive(Serialize)]
struct DecisionRecord<'a> {
    place: &'a str,
    control: Option<&'a str>,
    recommendation: Option<&'a str>,
    /// Empty for all.
    tenants: Vec<&'a str>,
    states: &'a [DecisionState],
    reference: &'a str,
    approver: Option<Cow<'a, str>>,
    reason: Option<&'a str>,
    approved_on: Option<Day>,
    accepted_by: Option<Cow<'a, str>>,
    evidence: Option<&'a str>,
    expires: Day,
    expired: bool,
    /// Whether it has expired while what it approved stands.
    lapsed: bool,
    covers: Vec<CoveredRecord<'a>>,
}

#[derive(Serialize)]
struct CoveredRecord<'a> {
    tenant: &'a str,
    name: &'a str,
    #[serde(rename = "where")]
    place: &'static str,
    state: DecisionState,
}

fn document(rows: &[Row<'_>], persons: &Persons, now: Timestamp) -> Result<Vec<u8>, Failure> {
    let document = Document {
        generated_at: Rfc3339(now),
        decisions: rows.iter().map(|row| record(row, persons)).collect(),
    };
    let mut bytes =
        serde_json::to_vec_pretty(&document).context("the JSON cannot be serialised")?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn record<'a>(row: &'a Row<'_>, persons: &Persons) -> DecisionRecord<'a> {
    let it = row.decision;
    let covers = row.covers.iter().map(|covered| CoveredRecord {
        tenant: covered.tenant,
        name: covered.name,
        place: covered.place.as_str(),
        state: covered.state,
    });
    DecisionRecord {
        place: &it.place,
        control: it.control.as_deref(),
        recommendation: it.recommendation.as_deref(),
        tenants: it.tenants.iter().map(AsRef::as_ref).collect(),
        states: &it.states,
        reference: &it.reference,
        approver: persons.name(it.approver.as_deref()),
        reason: persons.comment(it.reason.as_deref()),
        approved_on: it.approved_on.map(Day::beginning),
        accepted_by: persons.name(it.accepted_by.as_deref()),
        evidence: it.evidence.as_deref(),
        expires: Day::ending(it.expires),
        expired: row.is_expired,
        lapsed: row.has_lapsed,
        covers: covers.collect(),
    }
}

/// Names each tenant of which it is not known what is declared. Returns how many.
fn warn_of_unknown(config: &Config, tenants: &Tenants) -> usize {
    let mut unknown = 0;
    for tenant in &config.tenants {
        let state = tenants.find(&tenant.alias);
        let has_controls = state.is_some_and(|it| it.snapshot.catalogue_anomalies.is_some());
        let is_of_entra = |it: &Decision| it.control.is_none() && it.concerns(&tenant.alias);
        let needs_entra = config.decisions.iter().any(|it| is_of_entra(it));
        let has_entra = state.is_some_and(|it| it.snapshot.recommendation_anomalies.is_some());
        if has_controls && needs_entra && !has_entra {
            unknown += 1;
            diagnostics::warning(format_args!(
                "{}: Entra's recommendations cannot be read, so it is not known what decisions cover there",
                tenant.alias
            ));
        }
        if has_controls {
            continue;
        }
        unknown += 1;
        let trouble = state.and_then(|it| it.health.lists().find_map(|(_, it)| it.trouble.clone()));
        match trouble {
            Some(trouble) => diagnostics::trouble(&tenant.alias, &trouble),
            None => diagnostics::warning(format_args!(
                "{}: it is not known what is declared there",
                tenant.alias
            )),
        }
    }
    unknown
}

/// Warns of partners whose customers are watched without an entry, and concern a
/// decision: they are known to a running exporter only. Returns their number.
fn unlisted_customers(config: &Config) -> usize {
    let is_configured = |alias: &str| config.tenants.iter().any(|it| it.alias == *alias);
    let may_concern = |it: &Decision| {
        it.tenants.is_empty() || it.tenants.iter().any(|alias| !is_configured(alias))
    };
    if !config.decisions.iter().any(|it| may_concern(it)) {
        return 0;
    }
    let partners = config.partners.iter();
    let watching = partners.filter(|it| it.new_customers == NewCustomers::Watch);
    let mut unknown = 0;
    for partner in watching {
        unknown += 1;
        diagnostics::warning(format_args!(
            "{}: its customers that are watched without an entry are not listed; see /acceptances of the running exporter",
            partner.name
        ));
    }
    unknown
}
