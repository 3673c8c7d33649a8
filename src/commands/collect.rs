//! `collect`: one refresh, printed for a textfile collector, a script or a
//! terminal.

mod recommendation_table;
mod table;
mod tenant_table;

use super::atomic_file::READABLE;
use super::config_source::{self, selected_tenants};
use super::stdout;
use super::tenant_source::TenantSource;
use super::{Failure, now, privacy};
use crate::acceptances::control_record::ControlRecord;
use crate::acceptances::recommendation_record::RecommendationRecord;
use crate::acceptances::record::TenantRecord;
use crate::cli::{Cli, Collect, CollectFormat, ColorChoice};
use crate::config::{Config, Environment};
use crate::diagnostics;
use crate::serde_time::Rfc3339;
use crate::store::{TenantState, Tenants};
use crate::terminal::Screen;
use anyhow::Context as _;
use secure_score_exposition::Format;
use secure_score_model::{Category, Control, Recommendation, Timestamp, Trouble};
use serde::Serialize;
use std::io::IsTerminal as _;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Refreshes every selected tenant once and prints the result. The exit status
/// distinguishes all, some and no tenants refreshed.
pub(super) async fn run(
    cli: &Cli,
    collect: &Collect,
    environment: &Environment,
) -> Result<(), Failure> {
    let mut config = config_source::load(&cli.config, environment)?;
    config.tenants = selected_tenants(&config, &collect.tenants)?
        .into_iter()
        .cloned()
        .collect();
    stdout::check_output(collect.output.as_deref())?;
    let config = Arc::new(config);
    let tenants = TenantSource::Graph.tenants(&config, environment).await?;
    let view = View {
        config: &config,
        collect,
        tenants: &tenants,
        screen: screen(collect, environment),
        now: now(),
    };
    view.mention_tables();
    // node_exporter reads the file as another user.
    stdout::write_to(collect.output.as_deref(), READABLE, &view.render()?)?;
    exit_status(&tenants)
}

/// The refreshed tenants, and the flags that select what is printed.
struct View<'a> {
    config: &'a Config,
    collect: &'a Collect,
    tenants: &'a Tenants,
    screen: Screen,
    now: Timestamp,
}

/// What the table is printed on.
fn screen(collect: &Collect, environment: &Environment) -> Screen {
    let screen = match collect.output {
        Some(_) => Screen::PLAIN,
        None => Screen::stdout(environment),
    };
    let colours = match collect.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => screen.colours,
    };
    Screen { colours, ..screen }
}

impl View<'_> {
    fn prints_to_terminal(&self) -> bool {
        self.collect.output.is_none() && std::io::stdout().is_terminal()
    }

    /// Whether the tenants are listed, and of controls and recommendations only those
    /// whose risk is accepted.
    fn is_overview(&self) -> bool {
        self.format() == CollectFormat::Table && !self.collect.selects_controls()
    }

    /// Whether only what is accepted is listed.
    fn lists_accepted(&self) -> bool {
        self.collect.accepted || self.is_overview()
    }

    fn format(&self) -> CollectFormat {
        let default =
            match self.prints_to_terminal() || self.collect.selects_controls() || self.collect.wide
            {
                true => CollectFormat::Table,
                false => CollectFormat::Prometheus,
            };
        self.collect.format.unwrap_or(default)
    }

    /// Says how a person gets the tables, who may have piped the metrics into a pager.
    fn mention_tables(&self) {
        let is_chosen = self.collect.format.is_some() || self.collect.output.is_some();
        let is_person = std::io::stderr().is_terminal();
        if !is_chosen && is_person && self.format() == CollectFormat::Prometheus {
            diagnostics::note(
                "these are the metrics of /metrics; --format table prints the tenants and the accepted risks",
            );
        }
    }

    fn render(&self) -> Result<Vec<u8>, Failure> {
        match self.format() {
            CollectFormat::Prometheus => Ok(self.exposition()),
            CollectFormat::Json => document(self),
            CollectFormat::Table => {
                let tenants = self.is_overview().then(|| tenant_table::render(self));
                let controls = table::render(self);
                let recommendations = recommendation_table::render(self);
                let tenants = tenants.unwrap_or_default();
                Ok([tenants, controls, recommendations].concat().into_bytes())
            }
        }
    }

    /// The families of the tenants, as in a scrape.
    fn exposition(&self) -> Vec<u8> {
        let states = self.tenants.states.iter();
        let chunks = states.map(|state| (&state.data, &state.health_lines));
        secure_score_exposition::assemble(
            &secure_score_exposition::FamilyHeaders::default(),
            Format::Text,
            chunks,
        )
        .concat()
    }

    /// How many of the newest states of a control count.
    fn lookback(&self) -> NonZeroUsize {
        self.collect.last.unwrap_or(self.config.lookback)
    }

    /// The selected controls of a tenant.
    fn controls<'s>(&'s self, tenant: &'s TenantState) -> impl Iterator<Item = &'s Control> {
        let controls = tenant.snapshot.controls.iter();
        controls.filter(|control| {
            let is_accepted = || self.is_accepted(tenant, control) == Some(true);
            self.selects(control.category) && (!self.lists_accepted() || is_accepted())
        })
    }

    /// The selected recommendations of a tenant.
    fn recommendations<'s>(
        &'s self,
        tenant: &'s TenantState,
    ) -> impl Iterator<Item = &'s Recommendation> {
        let recommendations = tenant.snapshot.recommendations.iter();
        recommendations.filter(|it| {
            let is_set_aside = || self.is_set_aside(it) == Some(true);
            let category = tenant.snapshot.category_of(it);
            self.selects(category) && (!self.lists_accepted() || is_set_aside())
        })
    }

    fn selects(&self, category: Category) -> bool {
        let categories = &self.collect.categories;
        categories.is_empty() || categories.contains(&category)
    }

    /// How many of the newest states `--accepted` covers.
    fn states(&self) -> usize {
        self.collect.last.map_or(1, NonZeroUsize::get)
    }

    /// Whether a recommendation is set aside now, or with `--last` was in one of
    /// that many newest statuses; none if that is unknown.
    fn is_set_aside(&self, it: &Recommendation) -> Option<bool> {
        let now = it.entry.status.sets_aside()?;
        let history = it.history.as_history();
        Some(now || history.accepted_within(self.states()) == Some(true))
    }

    /// Whether the risk of a listed control is accepted now, or with `--last` in
    /// one of that many newest states; none if that is unknown. A control that a
    /// catalogue lacks cannot be accepted.
    fn is_accepted(&self, tenant: &TenantState, control: &Control) -> Option<bool> {
        match control.history() {
            Some(history) => history.accepted_within(self.states()),
            None => tenant.snapshot.catalogue_anomalies.as_ref().map(|_| false),
        }
    }

    /// The number of controls of the selected categories whose risk may be
    /// accepted or not.
    fn unknown(&self) -> usize {
        let unknown = |tenant: &Arc<TenantState>| {
            let controls = tenant.snapshot.controls.iter();
            let controls = controls.filter(|it| self.selects(it.category));
            controls
                .filter(|it| self.is_accepted(tenant, it).is_none())
                .count()
        };
        self.tenants.states.iter().map(unknown).sum()
    }

    /// The number of recommendations of the selected categories that may be set
    /// aside or not.
    fn unknown_recommendations(&self) -> usize {
        let unknown = |tenant: &Arc<TenantState>| {
            let recommendations = tenant.snapshot.recommendations.iter();
            let selected =
                recommendations.filter(|it| self.selects(tenant.snapshot.category_of(it)));
            selected
                .filter(|it| self.is_set_aside(it).is_none())
                .count()
        };
        self.tenants.states.iter().map(unknown).sum()
    }
}

#[derive(Serialize)]
struct Document<'a> {
    generated_at: Rfc3339,
    tenants: Vec<Tenant<'a>>,
}

/// A tenant as in the API, with its controls and recommendations.
#[derive(Serialize)]
struct Tenant<'a> {
    #[serde(flatten)]
    tenant: TenantRecord<'a>,
    control_records: Vec<ControlRecord<'a>>,
    /// Null where they are not read.
    recommendation_records: Option<Vec<RecommendationRecord<'a>>>,
}

/// The JSON document.
fn document(view: &View<'_>) -> Result<Vec<u8>, Failure> {
    let persons = privacy::in_events(view.config);
    let tenants = view.tenants.states.iter().map(|state| Tenant {
        tenant: TenantRecord::new(state, view.now),
        control_records: view
            .controls(state)
            .map(|it| ControlRecord::new(it, view.lookback(), &persons, view.now))
            .collect(),
        recommendation_records: state.snapshot.recommendation_anomalies.as_ref().map(|_| {
            view.recommendations(state)
                .map(|it| RecommendationRecord::new(it, &persons, view.now))
                .collect()
        }),
    });
    let document = Document {
        generated_at: Rfc3339(view.now),
        tenants: tenants.collect(),
    };
    let mut bytes =
        serde_json::to_vec_pretty(&document).context("the JSON cannot be serialised")?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Why a tenant's lists could not be read. A reason that repeats the one before is left
/// out.
fn troubles(state: &TenantState) -> Vec<&Trouble> {
    let lists = state.health.lists();
    let mut troubles: Vec<_> = lists.filter_map(|(_, it)| it.trouble.as_ref()).collect();
    troubles.dedup_by_key(|trouble| trouble.reason);
    troubles
}

/// Prints each failure, after their number. Exit status 0 means all tenants, 3 some, 1
/// none.
fn exit_status(tenants: &Tenants) -> Result<(), Failure> {
    let all = tenants.states.len();
    let states = tenants.states.iter();
    let failed: Vec<_> = states.filter(|it| !troubles(it).is_empty()).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = failed.iter().map(|it| &*it.identity.alias).collect();
    diagnostics::note(&stdout::not_read(&names, all));
    for state in &failed {
        for trouble in troubles(state) {
            diagnostics::trouble(&state.identity.alias, trouble);
        }
    }
    match failed.len() {
        failed if failed == all => Err(Failure::Found),
        _ => Err(Failure::Partly),
    }
}
