//! `approve`: writes a decision into a file of decisions.

mod alerts;
mod edit;
mod subject;

use super::config_source::{EditableConfig, unknown_name};
use super::tenant_source::TenantSource;
use super::{Failure, now};
use crate::cli::{Approve, ConfigFlags};
use crate::config::{Config, Environment, Pattern, is_alias};
use crate::decision_file::NewDecision;
use crate::diagnostics;
use crate::store::TenantState;
use anyhow::anyhow;
use edit::Edit;
use std::path::PathBuf;
use std::sync::Arc;

/// Prints the difference and the alerts that end, and writes the file after a
/// question.
pub(super) async fn run(
    flags: &ConfigFlags,
    options: &Approve,
    environment: &Environment,
) -> Result<(), Failure> {
    let editable = EditableConfig::load(flags, environment)?;
    let mut config = editable.config.clone();
    let source = TenantSource::of(options.state_dir.as_deref());
    source.check()?;
    let unlisted = source.add_customers(&mut config);
    check_tenant(&options.tenant, &config, &unlisted)?;
    let decision = decision(options)?;
    let edit = Edit {
        decision: &decision,
        name: file(options, &config)?,
        options,
        config: &editable,
    };
    let Some(edit) = edit.prepare()? else {
        return Ok(());
    };
    let state = state(source, &options.tenant, config, environment).await;
    edit.print(state.as_deref(), now())?;
    edit.finish()
}

/// The decision that the flags describe.
fn decision(options: &Approve) -> Result<NewDecision, Failure> {
    if let Err(error) = Pattern::new(&options.control) {
        return Err(Failure::of_flags(
            anyhow!("{}: {error}", options.control),
            "name the control by its id as in /metrics, or with --recommendation the recommendation of Entra",
        ));
    }
    let states = options.states();
    let of_entra = states.iter().find(|it| !it.is_of_controls());
    if let Some(state) = of_entra.filter(|_| !options.recommendation) {
        return Err(Failure::of_flags(
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

/// `unlisted` are the partners whose customers may have an alias that is not known
/// here.
fn check_tenant(name: &str, config: &Config, unlisted: &[String]) -> Result<(), Failure> {
    if config.tenants.iter().any(|it| it.alias == name) {
        return Ok(());
    }
    if !unlisted.is_empty() && is_alias(name) {
        diagnostics::warning(format_args!(
            "{name} has no entry in the configuration; if it is a customer of {}, the exporter that watches it knows its name and what is declared there: name its --state.dir",
            unlisted.join(" or ")
        ));
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
    match config.decision_files.as_slice() {
        [file] => Ok(file.clone()),
        [] => Err(no_file(&config.decision_patterns)),
        several => Err(Failure::with_hint(
            anyhow!("the configuration has several files of decisions"),
            format!("name one with --file: {}", list(several)),
        )),
    }
}

/// The failure where there is no file yet, with these patterns for one.
fn no_file(patterns: &[PathBuf]) -> Failure {
    let Some(pattern) = patterns.first() else {
        return Failure::with_hint(
            anyhow!("the configuration has no key `decision_files`, so there is no file to write"),
            "add `decision_files: [decisions.yml]` to the configuration and repeat the command, or name a file with --file; a running exporter takes the new key after a reload (SIGHUP)",
        );
    };
    let example = pattern
        .display()
        .to_string()
        .replace(['*', '?'], "decisions");
    Failure::with_hint(
        anyhow!("no file matches `decision_files` yet: {}", list(patterns)),
        format!(
            "name a new file that matches, in a directory that exists, such as --file={example}"
        ),
    )
}

fn list(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|it| it.display().to_string()).collect();
    names.join(", ")
}

/// What is known of the tenant now; `None` where it cannot be read.
async fn state(
    source: TenantSource<'_>,
    tenant: &str,
    mut config: Config,
    environment: &Environment,
) -> Option<Arc<TenantState>> {
    config.tenants.retain(|it| it.alias == tenant);
    match source.tenants(&Arc::new(config), environment).await {
        Ok(tenants) => tenants.find(tenant).map(Arc::clone),
        Err(failure) => {
            failure.print();
            None
        }
    }
}
