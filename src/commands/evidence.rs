//! `evidence`: what was decided about a tenant in a period, for a customer or an
//! auditor.

use super::atomic_file::PRIVATE;
use super::config_source::{self, selected_tenants};
use super::tenant_source::TenantSource;
use super::{Failure, now, privacy, stdout};
use crate::cli::{ConfigFlags, Evidence as Options, EvidenceFormat};
use crate::config::Environment;
use crate::diagnostics;
use crate::evidence::{Evidence, Period, csv};
use crate::views;
use anyhow::{Context as _, anyhow};
use std::slice;
use std::sync::Arc;
use std::time::Duration;

/// The age of data that are still used.
const KEPT: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Writes the evidence from the state directory.
pub(super) async fn run(
    flags: &ConfigFlags,
    options: &Options,
    environment: &Environment,
) -> Result<(), Failure> {
    let mut config = config_source::load(flags, environment)?;
    let selected = selected_tenants(&config, slice::from_ref(&options.tenant))?;
    config.tenants = selected.into_iter().cloned().collect();
    // Old data are evidence too; the gaps name their age.
    config.refresh.max_staleness = KEPT;
    let now = now();
    let period = Period::parse(Some(&options.since), options.until.as_deref(), now);
    let period = period.map_err(|error| {
        Failure::with_hint(anyhow!("--{}", error.problem()), error.remedy().to_owned())
    })?;
    if let Some(cut) = period.cut() {
        diagnostics::warning(format_args!("--until: {cut}"));
    }
    let config = Arc::new(config);
    let source = TenantSource::of(Some(&options.state_dir));
    let tenants = source.tenants(&config, environment).await?;
    let state = tenants.find(&options.tenant);
    let Some(state) = state.filter(|state| state.health.attempted()) else {
        return Err(Failure::with_hint(
            anyhow!("the state directory has nothing of {}", options.tenant),
            "name the --state.dir of the exporter that watches this tenant, and wait for its first refresh",
        ));
    };
    let persons = privacy::in_events(&config);
    let version = env!("CARGO_PKG_VERSION");
    let evidence = Evidence::new(state, period, &persons, version, now);
    let evidence = evidence
        .with_digest()
        .context("the evidence cannot be written as JSON")?;
    let bytes = match options.format {
        EvidenceFormat::Html => views::evidence::page(&evidence).into_string().into_bytes(),
        EvidenceFormat::Json => evidence.json().into_bytes(),
        EvidenceFormat::Csv => csv(&evidence).context("the evidence cannot be written as CSV")?,
    };
    stdout::write_to(options.output.as_deref(), PRIVATE, &bytes)
}
