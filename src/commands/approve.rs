//! `approve`: writes a decision into a file of decisions.

mod alerts;
mod edit;

use super::config_source::{self, unknown_name};
use super::tenant_source::TenantSource;
use super::{Failure, now};
use crate::cli::{Approve, ConfigFlags};
use crate::config::{Config, ConfigText, Environment, Pattern, is_alias};
use crate::decision_file::NewDecision;
use crate::store::TenantState;
use anyhow::anyhow;
use edit::Edit;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Prints the difference and the alerts that end, and writes the file after a
/// question.
pub(super) async fn run(
    flags: &ConfigFlags,
    options: &Approve,
    environment: &Environment,
) -> Result<(), Failure> {
    let config = config_source::load(flags, environment)?;
    let decision = decision(options, &config)?;
    let edit = Edit {
        decision: &decision,
        name: file(options, &config)?,
        options,
        source: &ConfigText::read(flags.file.as_deref()),
        environment,
    };
    let Some(edit) = edit.prepare()? else {
        return Ok(());
    };
    let state = state(options, &config, environment).await;
    edit.print_alerts(state.as_deref(), now())?;
    edit.finish()
}

/// The decision that the flags describe.
fn decision(options: &Approve, config: &Config) -> Result<NewDecision, Failure> {
    check_tenant(&options.tenant, config)?;
    if let Err(error) = Pattern::new(&options.control) {
        return Err(Failure::with_hint(
            anyhow!("{}: {error}", options.control),
            "name the control by its id as in /metrics, or with --recommendation the recommendation of Entra",
        ));
    }
    let states = options.states();
    let of_entra = states.iter().find(|it| !it.is_of_controls());
    if let Some(state) = of_entra.filter(|_| !options.recommendation) {
        return Err(Failure::with_hint(
            anyhow!("a control is never {state}"),
            "name the recommendation of Entra that is, with --recommendation",
        ));
    }
    let keys = [
        ("approver", &options.approver),
        ("reason", &options.reason),
        ("approved_on", &options.approved_on),
        ("accepted_by", &options.accepted_by),
        ("evidence", &options.evidence),
    ];
    let keys = keys
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.clone()?)));
    Ok(NewDecision {
        tenant: options.tenant.clone(),
        subject: options.control.clone(),
        is_recommendation: options.recommendation,
        states,
        reference: options.reference.clone(),
        keys: keys.collect(),
        expires: options.expires.clone(),
    })
}

/// Customers of partners may have an alias that the configuration does not list.
fn check_tenant(name: &str, config: &Config) -> Result<(), Failure> {
    let is_configured = config.tenants.iter().any(|it| it.alias == name);
    if is_configured || !config.partners.is_empty() && is_alias(name) {
        return Ok(());
    }
    let known = config.tenants.iter().map(|tenant| tenant.alias.as_str());
    Err(unknown_name("tenant", name, name, known))
}

/// The file to write: the named one, or the only one.
fn file(options: &Approve, config: &Config) -> Result<PathBuf, Failure> {
    if let Some(file) = &options.file {
        return Ok(file.clone());
    }
    let files: &[PathBuf] = &config.decision_files;
    match files {
        [file] => Ok(file.clone()),
        [] => Err(Failure::with_hint(
            anyhow!("the configuration has no file of decisions"),
            "add `decision_files: [decisions.yml]` to the configuration, or name a file with --file",
        )),
        several => {
            let names = several.iter().map(|it| it.display().to_string());
            let names: Vec<String> = names.collect();
            Err(Failure::with_hint(
                anyhow!("the configuration has several files of decisions"),
                format!("name one with --file: {}", names.join(", ")),
            ))
        }
    }
}

/// What is known of the tenant now; `None` where it cannot be read.
async fn state(
    options: &Approve,
    config: &Config,
    environment: &Environment,
) -> Option<Arc<TenantState>> {
    let mut config = config.clone();
    config.tenants.retain(|it| it.alias == options.tenant);
    let state_dir: Option<&Path> = options.state_dir.as_deref();
    let source = TenantSource::of(state_dir);
    let tenants = source.tenants(&Arc::new(config), environment).await;
    let tenants = match tenants {
        Ok(tenants) => tenants,
        Err(failure) => {
            failure.print();
            return None;
        }
    };
    tenants.find(&options.tenant).map(Arc::clone)
}
