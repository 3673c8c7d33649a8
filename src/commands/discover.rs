//! `discover`: the customers of each partner, which of them are watched, and a file of
//! tenants for those that are not.

mod consent;
mod coverage;
mod document;
mod edit;
mod file_tenants;
mod table;

use super::config_source::{EditableConfig, unknown_name};
use super::edited_file::{EditedFile, FileName};
use super::progress::Progress;
use super::stdout;
use super::{Failure, now};
use crate::cli::{ConfigFlags, Discover, DiscoverOutput};
use crate::config::{Config, Environment, Partner, Tenant};
use crate::diagnostics;
use crate::graph::{GraphError, HttpClients, RefreshPermits};
use crate::partners::tenant_file::TenantFile;
use crate::telemetry::Telemetry;
use crate::terminal::Screen;
use anyhow::{Context as _, anyhow};
use consent::Consent;
use coverage::{Known, PartnerList, Row, State};
use edit::Edit;
use file_tenants::{FileTenants, Resolver};
use secure_score_model::{CustomerList, SkippedCustomers, SkippedField, Trouble};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Prints the customers and edits the file.
pub(super) async fn run(
    flags: &ConfigFlags,
    options: &Discover,
    environment: &Environment,
) -> Result<(), Failure> {
    let editable = EditableConfig::load(flags, environment)?;
    let config = &editable.config;
    diagnostics::warnings(&editable.warnings);
    let partners = selected_partners(config, &options.partners)?;
    let file = options.write.as_deref();
    let file = file.map(|path| {
        let path = path.to_owned();
        let name = FileName {
            path,
            flag: "--write",
        };
        EditedFile::<TenantFile>::open(name, !options.check)
    });
    let file = file.transpose()?;
    let mut graph = Graph::new(config, environment)?;
    let lists = graph.lists(&partners).await?;
    let (configured, unresolved) = graph.by_guid(&config.tenants).await;
    let in_file = match &file {
        Some(file) => {
            let resolver = Resolver {
                config: &editable,
                path: file.name(),
                configured: &configured,
            };
            resolver.resolve(file.list(), &mut graph).await
        }
        None => FileTenants::default(),
    };
    let unresolved = unresolved.into_iter().map(|it| it.alias.clone());
    let unresolved: Vec<String> = unresolved.chain(in_file.unresolved).collect();
    let known = Known {
        config,
        configured,
        listed: &in_file.listed,
        all_partners: partners.len() == config.partners.len(),
    };
    let mut rows = known.rows(&lists);
    warn_of_possible_departures(&known.possible_departures(&lists));
    let troubles = graph.add_consents(&mut rows).await;
    let screen = Screen::stdout(environment);
    match options.output {
        DiscoverOutput::Table => stdout::write(table::render(&rows, screen).as_bytes())?,
        DiscoverOutput::Json => stdout::write(&document::render(&rows, now())?)?,
    }
    let edited = file.as_ref().map_or(Ok(()), |file| {
        let edit = Edit {
            file,
            rows: &rows,
            partners: &partners,
            unresolved: &unresolved,
            options,
            config: &editable,
        };
        edit.run()
    });
    for (name, trouble) in &troubles {
        diagnostics::trouble(name, trouble);
    }
    edited?;
    let is_unwatched = |row: &Row| row.state == State::Unwatched;
    let is_incomplete = lists.iter().any(|it| it.list.skipped.lacks_customers());
    match options.check && (is_incomplete || rows.iter().any(is_unwatched)) {
        true => Err(Failure::Partly),
        false => Ok(()),
    }
}

/// The partners that `--partner` selects; without names, all.
fn selected_partners<'a>(
    config: &'a Config,
    names: &[String],
) -> Result<Vec<&'a Partner>, Failure> {
    if config.partners.is_empty() {
        return Err(Failure::with_hint(
            anyhow!("the configuration has no partner whose customers could be listed"),
            "add `partner: {name: msp, tenant_id: …, credential: …}` with the partner's own tenant; `secure-score-exporter init --partner` writes such a configuration",
        ));
    }
    let exists = |name: &&String| config.partners.iter().any(|it| it.name == **name);
    if let Some(unknown) = names.iter().find(|name| !exists(name)) {
        let known = config.partners.iter().map(|it| it.name.as_str());
        return Err(unknown_name(
            "partner",
            &format!("--partner {unknown}"),
            unknown,
            known,
        ));
    }
    let is_selected = |it: &&Partner| names.is_empty() || names.contains(&it.name);
    Ok(config.partners.iter().filter(is_selected).collect())
}

/// What all requests share.
struct Graph<'e> {
    environment: &'e Environment,
    clients: HttpClients,
    permits: RefreshPermits,
    telemetry: Arc<Telemetry>,
    /// What a token request showed, by tenant id as configured.
    consents: BTreeMap<String, Consent>,
}

impl<'e> Graph<'e> {
    fn new(config: &Config, environment: &'e Environment) -> Result<Self, Failure> {
        let telemetry = Telemetry::new().context("the telemetry cannot be set up")?;
        Ok(Self {
            environment,
            clients: HttpClients::new(config)?,
            permits: RefreshPermits::new(config.refresh.concurrency),
            telemetry: Arc::new(telemetry),
            consents: BTreeMap::new(),
        })
    }

    /// The complete lists of these partners. Prints why one cannot be read.
    async fn lists<'a>(&self, partners: &[&'a Partner]) -> Result<Vec<PartnerList<'a>>, Failure> {
        let progress = Progress::start(self.environment, "partner", partners.len(), 1);
        let steps = progress.steps();
        let mut answers = Vec::new();
        for partner in partners {
            steps.begin(&partner.name);
            answers.push((*partner, self.list(partner).await));
            steps.end(&partner.name);
        }
        drop(progress);
        let mut lists = Vec::new();
        for (partner, answer) in answers {
            match answer {
                Ok(list) => {
                    warn_of_skipped(partner, &list.list);
                    lists.push(list);
                }
                Err(trouble) => diagnostics::trouble(&partner.name, &trouble),
            }
        }
        match lists.len() == partners.len() {
            true => Ok(lists),
            false => Err(Failure::Found),
        }
    }

    async fn list<'a>(&self, partner: &'a Partner) -> Result<PartnerList<'a>, Trouble> {
        let client = self.clients.client_for_partner(partner, &self.telemetry);
        let mut permit = self.permits.take().await;
        let fetched = client.customers(&partner.sources, &mut permit).await;
        let fetched = fetched.map_err(|error| Trouble::from(&error))?;
        if let Some(subject) = fetched.partial {
            return Err(Trouble::from(&GraphError::partial(subject)));
        }
        if fetched.list.customers.is_empty() {
            return Err(Trouble::from(&GraphError::no_customers()));
        }
        Ok(PartnerList {
            partner,
            list: fetched.list,
            entra_tenant_id: client.entra_tenant_id().map(str::to_owned),
        })
    }

    /// The configured tenants by GUID, and those that are configured by a domain whose
    /// GUID no response shows.
    async fn by_guid<'a>(
        &mut self,
        tenants: &'a [Tenant],
    ) -> (BTreeMap<String, &'a Tenant>, Vec<&'a Tenant>) {
        let (by_guid, by_domain): (Vec<&Tenant>, Vec<&Tenant>) = tenants
            .iter()
            .partition(|tenant| tenant.entra_tenant_id().is_some());
        let mut known: BTreeMap<String, &Tenant> = by_guid
            .into_iter()
            .map(|tenant| (tenant.tenant_id.clone(), tenant))
            .collect();
        let mut unresolved = Vec::new();
        let requested: Vec<Tenant> = by_domain.iter().map(|it| (*it).clone()).collect();
        for (tenant, answer) in by_domain.into_iter().zip(self.request(&requested).await) {
            self.consents
                .insert(tenant.tenant_id.clone(), answer.consent);
            match answer.entra_tenant_id {
                Some(id) => {
                    known.entry(id).or_insert(tenant);
                }
                None => unresolved.push(tenant),
            }
        }
        (known, unresolved)
    }

    /// Requests a token for each row of a tenant of which none was requested. Returns
    /// each different error that is no missing consent, with the name of a tenant.
    async fn add_consents(&self, rows: &mut [Row]) -> Vec<(String, Trouble)> {
        let tenants = rows.iter().filter_map(|row| row.tenant.clone());
        let is_new = |tenant: &Tenant| !self.consents.contains_key(&tenant.tenant_id);
        let tenants: Vec<Tenant> = tenants.filter(is_new).collect();
        let ids = tenants.iter().map(|tenant| tenant.tenant_id.clone());
        let answers = self.request(&tenants).await;
        let consents = answers.into_iter().map(|answer| answer.consent);
        let mut consents: BTreeMap<String, Consent> = ids.zip(consents).collect();
        consents.extend(self.consents.clone());
        let mut messages = BTreeSet::new();
        let mut troubles = Vec::new();
        for row in rows.iter_mut() {
            let tenant = row.tenant.as_ref();
            let Some(consent) = tenant.and_then(|it| consents.get(&it.tenant_id)) else {
                continue;
            };
            if let Consent::Unknown(trouble) = consent
                && messages.insert(&trouble.message)
            {
                let name = row.alias.as_ref().unwrap_or(&row.partner);
                troubles.push((name.clone(), trouble.clone()));
            }
            row.set_consent(consent.clone());
        }
        rows.sort_by_key(|row| row.state);
        troubles
    }

    async fn request(&self, tenants: &[Tenant]) -> Vec<consent::Answer> {
        let progress = Progress::start(self.environment, "tenant", tenants.len(), 1);
        let steps = progress.steps();
        consent::request(
            tenants,
            &self.clients,
            &self.permits,
            &self.telemetry,
            &steps,
        )
        .await
    }
}

/// Names the configured tenants that may be elements that cannot be read.
fn warn_of_possible_departures(aliases: &[String]) {
    if !aliases.is_empty() {
        let aliases = aliases.join(", ");
        diagnostics::warning(format_args!(
            "it cannot be known whether these tenants are in a list, since elements of the lists cannot be read: {aliases}; they may still be customers, so keep them"
        ));
    }
}

/// Names what a list contains that is no customer.
fn warn_of_skipped(partner: &Partner, list: &CustomerList) {
    let skipped = &list.skipped;
    let name = &partner.name;
    for customer in skipped.described() {
        let remedy = SkippedCustomers::REMEDY;
        diagnostics::warning(format_args!(
            "{name}: a customer has no valid tenant id in the list and is left out: {customer}; {remedy}"
        ));
    }
    for (count, what) in [
        (
            skipped
                .customers
                .saturating_sub(skipped.without_id.len() as u64),
            "further elements of the list of customers that cannot be used",
        ),
        (
            skipped.of(SkippedField::Duplicate),
            "entries for a customer that is listed already",
        ),
        (
            skipped.relationships,
            "relationships that cannot be read, or whose customers cannot",
        ),
    ] {
        if count > 0 {
            diagnostics::warning(format_args!("{name}: {what}: {count}"));
        }
    }
    if skipped.own_tenant {
        diagnostics::warning(format_args!(
            "{name}: the partner's own tenant is in its list and is left out; add it under `tenants` to watch it"
        ));
    }
}
