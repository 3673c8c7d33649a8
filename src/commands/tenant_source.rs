//! Where a command gets the tenants' data from.

use super::progress::Progress;
use super::{Failure, now, privacy};
use crate::config::{Config, Environment, NewCustomers, Partner, Tenant};
use crate::diagnostics;
use crate::partners::saved_customers;
use crate::refresh::{self, FleetOptions, RefreshStep};
use crate::store::state_directory::StateDirectory;
use crate::store::{Store, Tenants};
use crate::telemetry::Telemetry;
use anyhow::{Context as _, anyhow};
use secure_score_model::Api;
use std::path::Path;
use std::sync::Arc;

/// Where the data come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum TenantSource<'a> {
    /// One refresh of each tenant.
    Graph,
    /// What an exporter saved, without a request. The exporter may run.
    StateDirectory(&'a Path),
}

impl<'a> TenantSource<'a> {
    /// The state directory, if one is given.
    pub(super) fn of(state_dir: Option<&'a Path>) -> Self {
        state_dir.map_or(Self::Graph, Self::StateDirectory)
    }

    /// Adds the customers of partners that the exporter watches without an entry in the
    /// configuration, as far as its state directory knows them. Returns the partners
    /// whose customers are not known.
    pub(super) fn add_customers(self, config: &mut Config) -> Vec<String> {
        let is_watching = |it: &&Partner| it.new_customers == NewCustomers::Watch;
        let partners: Vec<Partner> = config
            .partners
            .iter()
            .filter(is_watching)
            .cloned()
            .collect();
        let mut unknown = Vec::new();
        for partner in partners {
            let saved = match self {
                Self::Graph => None,
                Self::StateDirectory(path) => saved_customers(path, &partner),
            };
            let Some(customers) = saved else {
                unknown.push(partner.name);
                continue;
            };
            for customer in customers {
                let is_same =
                    |it: &Tenant| it.alias == customer.alias || it.tenant_id == customer.tenant_id;
                if !config.tenants.iter().any(is_same) {
                    config.add_customer(&partner, customer);
                }
            }
        }
        unknown
    }

    /// Refuses a state directory that is not there.
    pub(super) fn check(self) -> Result<(), Failure> {
        match self {
            Self::StateDirectory(path) if !path.is_dir() => Err(Failure::with_hint(
                anyhow!("{} is no state directory", path.display()),
                "name the --state.dir of the exporter, or leave it out to read from Graph",
            )),
            _ => Ok(()),
        }
    }

    /// The tenants of the configuration.
    pub(super) async fn tenants(
        self,
        config: &Arc<Config>,
        environment: &Environment,
    ) -> Result<Arc<Tenants>, Failure> {
        self.check()?;
        let store = Arc::new(Store::default());
        let telemetry = Telemetry::new().context("the telemetry cannot be set up")?;
        let options = FleetOptions {
            config: Arc::clone(config),
            policy: Arc::new(privacy::label_policy(config)),
            store: Arc::clone(&store),
            telemetry: Arc::new(telemetry),
            clock: Arc::new(now),
            state_writer: None,
            events: None,
        };
        match self {
            Self::Graph => {
                let tenants = config.tenants.len();
                let progress = Progress::start(environment, "tenant", tenants, Api::ALL.len());
                let steps = progress.steps();
                let note = move |alias: &str, step| match step {
                    RefreshStep::Begun => steps.begin(alias),
                    RefreshStep::ListRead => steps.advance(alias),
                    RefreshStep::Ended => steps.end(alias),
                };
                refresh::refresh_all_once(&options, note).await?;
            }
            Self::StateDirectory(path) => {
                refresh::publish_saved(&options, |alias| StateDirectory::peek(path, alias));
            }
        }
        Ok(store.current())
    }
}

/// Says where the customers of these partners are known, if a name that `--tenant` gave
/// may be one of theirs.
pub(super) fn warn_of_customers(config: &Config, names: &[String], partners: &[String]) {
    let is_configured = |name: &&String| config.tenants.iter().any(|it| it.alias == **name);
    let unknown = names.iter().find(|name| !is_configured(name));
    if let Some(name) = unknown.filter(|_| !partners.is_empty()) {
        diagnostics::warning(format_args!(
            "if {name} is a customer of {}, the exporter that watches it knows its name: name its --state.dir, or its --url",
            partners.join(" or ")
        ));
    }
}
