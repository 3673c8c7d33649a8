//! `evidence`: what was decided about a tenant in a period, for a customer or an
//! auditor.

use super::atomic_file::PRIVATE;
use super::config_source::{self, selected_tenants};
use super::tenant_source::{TenantSource, warn_of_customers};
use super::{Failure, header_file, now, privacy, stdout};
use crate::cli::{ConfigFlags, Evidence as Options, EvidenceFormat};
use crate::config::Environment;
use crate::diagnostics;
use crate::evidence::{Evidence, Period, csv};
use crate::http_client::{ExporterClient, ExporterError};
use crate::views;
use anyhow::{Context as _, anyhow};
use serde::de::IgnoredAny;
use std::slice;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The age of data that are still used.
const KEPT: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The path of the API that says why a path of a tenant is not found.
const OF_TENANT: &str = "/api/v1/acceptances";

/// Writes the evidence from the state directory or of a running exporter.
pub(super) async fn run(
    flags: &ConfigFlags,
    options: &Options,
    environment: &Environment,
) -> Result<(), Failure> {
    let period = Period::parse(Some(&options.since), options.until.as_deref(), now());
    let period = period
        .map_err(|error| Failure::of_flags(anyhow!("--{}", error.problem()), error.remedy()))?;
    if let Some(cut) = period.cut() {
        diagnostics::warning(format_args!("--until: {cut}"));
    }
    stdout::check_output(options.output.as_deref())?;
    let bytes = match &options.url {
        Some(url) => of_exporter(url, options).await?,
        None => of_state_directory(flags, options, period, environment).await?,
    };
    stdout::write_to(options.output.as_deref(), PRIVATE, &bytes)
}

/// The evidence that a running exporter gives.
async fn of_exporter(url: &Url, options: &Options) -> Result<Vec<u8>, Failure> {
    let client = header_file::exporter(url, options.header_file.as_deref())?;
    let segments = ["tenants", &options.tenant, "evidence"];
    let mut parameters = vec![("since", options.since.as_str())];
    parameters.extend(options.until.as_deref().map(|until| ("until", until)));
    parameters.push(("format", options.format.as_str()));
    match client.bytes(&segments, &parameters).await {
        Ok(bytes) if is_evidence(&bytes, options.format) => Ok(bytes),
        Ok(_) => Err(client.unreadable().into()),
        Err(error) if error.is_unexplained_not_found() => {
            Err(not_found(error, &client, &options.tenant).await.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Why the exporter has no evidence of a tenant: the page says it for people, the API
/// for programs.
async fn not_found(error: ExporterError, client: &ExporterClient, tenant: &str) -> ExporterError {
    let parameters = [("tenant", tenant), ("format", "json")];
    match client.get::<IgnoredAny>(OF_TENANT, &parameters).await {
        Ok(_) => client.too_old("evidence"),
        Err(explained) if explained.is_of_api() => explained,
        Err(_) => error,
    }
}

/// Whether it is what an exporter gives in this format, and not what another server does.
fn is_evidence(bytes: &[u8], format: EvidenceFormat) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    match format {
        EvidenceFormat::Html => text.contains("SHA-256 of the data: <code>"),
        EvidenceFormat::Csv => text.starts_with("section,tenant,"),
        EvidenceFormat::Json => text.starts_with("{\"data\":") && text.contains("\"sha256\":\""),
    }
}

/// The evidence from the state directory.
async fn of_state_directory(
    flags: &ConfigFlags,
    options: &Options,
    period: Period,
    environment: &Environment,
) -> Result<Vec<u8>, Failure> {
    let mut config = config_source::load(flags, environment)?;
    let source = TenantSource::of(options.state_dir.as_deref());
    let names = slice::from_ref(&options.tenant);
    let unlisted = source.add_customers(&mut config);
    warn_of_customers(&config, names, &unlisted);
    let selected = selected_tenants(&config, names)?;
    config.tenants = selected.into_iter().cloned().collect();
    // Old data are evidence too; the gaps name their age.
    config.refresh.max_staleness = KEPT;
    let config = Arc::new(config);
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
    let evidence = Evidence::new(state, period, &persons, version, now());
    let evidence = evidence
        .with_digest()
        .context("the evidence cannot be written as JSON")?;
    Ok(match options.format {
        EvidenceFormat::Html => views::evidence::page(&evidence).into_string().into_bytes(),
        EvidenceFormat::Json => evidence.json().into_bytes(),
        EvidenceFormat::Csv => csv(&evidence).context("the evidence cannot be written as CSV")?,
    })
}
