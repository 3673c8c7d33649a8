//! From what was written to what it means.

use std::num::NonZeroUsize;
use std::sync::Arc;
use strict_yaml::{Diagnostics, Text, unknown_keys};

use super::Config;
use super::controls;
use super::credential::Credentials;
use super::environment::Environment;
use super::events;
use super::exceptions;
use super::file::{File, FileGraph, FileRiskAccepted};
use super::fingerprint::Fingerprint;
use super::number;
use super::pem::{self, PemFile};
use super::privacy;
use super::refresh;
use super::simulator;
use super::tenant;
use super::tenant_files::{self, Batch};
use super::watch;

/// Three states back: an acceptance, its withdrawal, and one change more.
pub(super) const LOOKBACK: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

/// Resolves every section, whether or not the one before was at fault.
pub(super) fn resolve(
    file: File,
    text: &str,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> Config {
    unknown_keys("", &file.unknown, File::KEYS, diagnostics);
    let defaults = file.defaults.unwrap_or_default();
    let patterns = file.tenant_files.as_deref();
    let may_be_empty = patterns.is_some();
    let own = Batch {
        file: None,
        tenants: file.tenants.unwrap_or_default(),
    };
    let mut batches = vec![own];
    batches.extend(tenant_files::read(
        patterns.unwrap_or_default(),
        diagnostics,
    ));
    let hash = Fingerprint::of(&everything(text, &batches));
    let tenants = || batches.iter().flat_map(|batch| &batch.tenants);
    let is_simulated = |tenant| tenant::is_simulated(tenant, &defaults);
    let simulated = tenants().any(is_simulated);
    let names = tenant::names(tenants());
    let real = tenants().next().is_none() || !tenants().all(is_simulated);
    let refresh = refresh::resolve(file.refresh.unwrap_or_default(), real, diagnostics);
    let entries = file.credentials.unwrap_or_default();
    let mut credentials = Credentials::resolve(entries, environment, diagnostics);
    let tenants = tenant::resolve(
        batches,
        may_be_empty,
        defaults,
        &mut credentials,
        diagnostics,
    );
    credentials.warn_of_unused(diagnostics);
    let privacy = privacy::resolve(
        file.labels.unwrap_or_default(),
        file.privacy.unwrap_or_default(),
        diagnostics,
    );
    let risk_accepted = file.risk_accepted.unwrap_or_default();
    unknown_keys(
        "risk_accepted",
        &risk_accepted.unknown,
        FileRiskAccepted::KEYS,
        diagnostics,
    );
    let watch = watch::resolve(risk_accepted.watch, diagnostics);
    let exceptions = risk_accepted.exceptions.unwrap_or_default();
    let controls = controls::resolve(file.controls.unwrap_or_default(), watch, diagnostics);
    Config {
        refresh,
        simulator: simulator::resolve(file.simulator, simulated, diagnostics),
        tenants,
        controls: Arc::new(controls),
        exceptions: exceptions::resolve(exceptions, &names, diagnostics),
        lookback: lookback(risk_accepted.lookback, diagnostics),
        labels: privacy.labels,
        privacy: privacy.events,
        salt: privacy.salt,
        webhook: events::resolve(file.events.unwrap_or_default(), diagnostics),
        extra_roots: extra_roots(file.graph.unwrap_or_default(), diagnostics),
        hash,
    }
}

/// The text of the configuration and of all its files.
fn everything(text: &str, batches: &[Batch]) -> String {
    let files = batches.iter().filter_map(|batch| batch.file.as_ref());
    files.fold(text.to_owned(), |all, file| all + "\n" + &file.text)
}

fn lookback(written: Option<Text>, diagnostics: &mut Diagnostics) -> NonZeroUsize {
    written
        .and_then(|text| number::between("risk_accepted.lookback", text, 1..=100, diagnostics))
        .unwrap_or(LOOKBACK)
}

fn extra_roots(file: FileGraph, diagnostics: &mut Diagnostics) -> Option<PemFile> {
    unknown_keys("graph", &file.unknown, FileGraph::KEYS, diagnostics);
    pem::resolve("graph.ca_file", &file.ca_file?, diagnostics)
}
