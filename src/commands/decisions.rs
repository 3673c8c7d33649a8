//! `decisions`: every decision, with what it covers now.

use super::config_source::{self, selected_tenants};
use super::listing::{Field, Listing, MAX_TEXT};
use super::tenant_source::{TenantSource, warn_of_customers};
use super::{Failure, header_file, now, privacy, stdout};
use crate::acceptances::{DecisionList, DecisionRecord, ListedPersons};
use crate::cli::{ConfigFlags, Decisions, DecisionsOutput};
use crate::config::{Config, Environment, Tenant};
use crate::diagnostics;
use crate::store::Tenants;
use crate::terminal::{Colour, Screen};
use crate::text::{count, named, single_line, truncate};
use anyhow::Context as _;
use secure_score_model::{Api, Decision, Trouble};
use std::collections::BTreeSet;
use std::sync::Arc;
use url::Url;

/// The path of the API that has the same list.
const PATH: &str = "/api/v1/decisions";

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

/// The columns in the first line of a decision where the table does not fit.
const TITLES: usize = 3;

/// The most declarations named in a row of the table; JSON has all.
const MAX_COVERED: usize = 3;

/// Prints the decisions, those that expire first at the top.
pub(super) async fn run(
    flags: &ConfigFlags,
    options: &Decisions,
    environment: &Environment,
) -> Result<(), Failure> {
    let screen = Screen::stdout(environment);
    match &options.url {
        Some(url) => of_exporter(url, options, screen).await,
        None => of_configuration(flags, options, environment, screen).await,
    }
}

/// The list of a running exporter, which also knows the customers of partners.
async fn of_exporter(url: &Url, options: &Decisions, screen: Screen) -> Result<(), Failure> {
    let client = header_file::exporter(url, options.header_file.as_deref())?;
    let tenant = options.tenants.iter().map(|name| ("tenant", name.as_str()));
    let parameters: Vec<(&str, &str)> = tenant.collect();
    let list: DecisionList = client.get(PATH, &parameters).await?;
    print(&list, options, screen)?;
    for tenant in &list.catalogues_unknown {
        warn_of_unknown(tenant, "it is not known what is declared there", None);
    }
    for tenant in &list.recommendations_unknown {
        warn_of_unknown(tenant, NO_RECOMMENDATIONS, None);
    }
    let is_unknown =
        !list.catalogues_unknown.is_empty() || !list.recommendations_unknown.is_empty();
    ended(&list, is_unknown)
}

const NO_RECOMMENDATIONS: &str =
    "Entra's recommendations cannot be read, so it is not known what decisions cover there";

/// The decisions of the configuration.
async fn of_configuration(
    flags: &ConfigFlags,
    options: &Decisions,
    environment: &Environment,
    screen: Screen,
) -> Result<(), Failure> {
    let mut config = config_source::load(flags, environment)?;
    let source = TenantSource::of(options.state_dir.as_deref());
    let unlisted = source.add_customers(&mut config);
    warn_of_customers(&config, &options.tenants, &unlisted);
    let selected = selected_tenants(&config, &options.tenants)?;
    let selected: Vec<Tenant> = selected.into_iter().cloned().collect();
    let unlisted = match options.tenants.is_empty() && may_concern_others(&config) {
        true => unlisted,
        false => Vec::new(),
    };
    config.tenants = selected;
    let config = Arc::new(config);
    let tenants = source.tenants(&config, environment).await?;
    let is_about = |it: &&Arc<Decision>| {
        let mut names = options.tenants.iter();
        options.tenants.is_empty() || names.any(|name| it.concerns(name))
    };
    let persons = privacy::in_events(&config);
    let persons = ListedPersons {
        persons: &persons,
        hint: None,
    };
    let decisions = config.decisions.iter().filter(is_about);
    let list = DecisionList::new(decisions, &tenants.states, persons, now());
    print(&list, options, screen)?;
    for partner in &unlisted {
        diagnostics::warning(format_args!(
            "{partner}: the customers that it watches without an entry are known to its exporter only, and not listed; name the --state.dir of the exporter, or its --url"
        ));
    }
    let unknown = warn_of_all_unknown(&list, &config, &tenants);
    match unknown > 0 && unknown == config.tenants.len() {
        true => Err(Failure::Found),
        false => ended(&list, unknown > 0 || !unlisted.is_empty()),
    }
}

/// Whether a decision may concern a tenant that the configuration does not name.
fn may_concern_others(config: &Config) -> bool {
    let is_configured = |alias: &str| config.tenants.iter().any(|it| it.alias == *alias);
    let may_concern = |it: &Arc<Decision>| {
        it.tenants.is_empty() || it.tenants.iter().any(|alias| !is_configured(alias))
    };
    config.decisions.iter().any(may_concern)
}

fn ended(list: &DecisionList, is_unknown: bool) -> Result<(), Failure> {
    match is_unknown || list.decisions.iter().any(|it| it.lapsed) {
        true => Err(Failure::Partly),
        false => Ok(()),
    }
}

fn print(list: &DecisionList, options: &Decisions, screen: Screen) -> Result<(), Failure> {
    match options.output {
        DecisionsOutput::Table => stdout::write(table(list, screen).as_bytes()),
        DecisionsOutput::Json => {
            let json = serde_json::to_vec_pretty(list);
            let mut json = json.context("the JSON cannot be serialised")?;
            json.push(b'\n');
            stdout::write(&json)
        }
    }
}

fn table(list: &DecisionList, screen: Screen) -> String {
    let mut listing = Listing::new(HEADINGS, TITLES);
    for it in &list.decisions {
        let states: Vec<&str> = it.states.iter().map(|it| it.as_str()).collect();
        let tenants = match it.tenants.as_slice() {
            [] => "all".to_owned(),
            named => named.join(", "),
        };
        let colour = it.lapsed.then_some(Colour::Red);
        listing.push([
            Field::new(single_line(&it.expires)),
            Field::new(status(it)).colour(colour),
            short(&it.reference),
            short(&it.subject()),
            short(&tenants),
            Field::new(states.join(", ")),
            short(it.approver.as_deref().unwrap_or_default()),
            Field::new(single_line(&covered(it))),
            Field::new(single_line(&it.place)),
        ]);
    }
    let expired = list.decisions.iter().filter(|it| it.expired).count();
    let lapsed = list.decisions.iter().filter(|it| it.lapsed).count();
    let all = count(list.decisions.len(), "decision");
    format!(
        "{}\n{all}, {expired} expired, {lapsed} of them while what they approved stands\n",
        listing.render(screen)
    )
}

fn short(text: &str) -> Field {
    Field::new(truncate(&single_line(text), MAX_TEXT))
}

const fn status(it: &DecisionRecord) -> &'static str {
    match (it.expired, it.lapsed) {
        (true, true) => "expired, in use",
        (true, false) => "expired",
        (false, _) => "valid",
    }
}

fn covered(it: &DecisionRecord) -> String {
    let covers = it.covers.iter();
    let covers = covers.map(|it| format!("{} {} ({})", it.tenant, it.name, it.state));
    match covers.len() {
        0 => "nothing".to_owned(),
        _ => named(covers, MAX_COVERED),
    }
}

/// Names each tenant of which it is not known what is declared. Returns how many.
fn warn_of_all_unknown(list: &DecisionList, config: &Config, tenants: &Tenants) -> usize {
    let without_catalogue = list.catalogues_unknown.iter().map(String::as_str);
    let mut unknown: BTreeSet<&str> = without_catalogue.collect();
    // The store lacks those that the state directory does not know.
    let aliases = config.tenants.iter().map(|it| it.alias.as_str());
    unknown.extend(aliases.filter(|it| tenants.find(it).is_none()));
    for tenant in &unknown {
        let state = tenants.find(tenant);
        let trouble = state.and_then(|it| it.health.lists().find_map(|(_, it)| it.trouble.clone()));
        match trouble {
            Some(trouble) => diagnostics::trouble(tenant, &trouble),
            None => warn_of_unknown(tenant, "it is not known what is declared there", None),
        }
    }
    for tenant in &list.recommendations_unknown {
        if unknown.insert(tenant) {
            let state = tenants.find(tenant);
            let list = state.map(|it| it.health.of(Api::Recommendations));
            let trouble = list.and_then(|it| it.trouble.as_ref());
            warn_of_unknown(tenant, NO_RECOMMENDATIONS, trouble);
        }
    }
    unknown.len()
}

fn warn_of_unknown(tenant: &str, what: &str, trouble: Option<&Trouble>) {
    diagnostics::warning_of_unknown(format_args!("{}: {what}", single_line(tenant)), trouble);
}
