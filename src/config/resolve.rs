//! From what was written to what it means.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::Config;
use super::controls;
use super::credential::Credentials;
use super::environment::Environment;
use super::events;
use super::exceptions;
use super::fault::Ledger;
use super::file::{File, FileGraph, FileRiskAccepted};
use super::fingerprint::Fingerprint;
use super::keys::unknown_keys;
use super::number;
use super::pem::{self, PemFile};
use super::privacy;
use super::refresh;
use super::simulator;
use super::tenant;
use super::tenant_files::{self, Batch};
use super::watch;
use super::written::Text;

/// Three states back: an acceptance, its withdrawal, and one change more.
pub(super) const LOOKBACK: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

/// Resolves every section, whether or not the one before was at fault.
pub(super) fn resolve(
    file: File,
    text: &str,
    environment: &Environment,
    ledger: &mut Ledger,
) -> Config {
    unknown_keys("", &file.unknown, File::KEYS, ledger);
    let defaults = file.defaults.unwrap_or_default();
    let patterns = file.tenant_files.as_deref();
    let may_be_empty = patterns.is_some();
    let own = Batch {
        file: None,
        tenants: file.tenants.unwrap_or_default(),
    };
    let mut batches = vec![own];
    batches.extend(tenant_files::read(patterns.unwrap_or_default(), ledger));
    let hash = Fingerprint::of(&everything(text, &batches));
    let tenants = || batches.iter().flat_map(|batch| &batch.tenants);
    let is_simulated = |tenant| tenant::is_simulated(tenant, &defaults);
    let simulated = tenants().any(is_simulated);
    let names = tenant::names(tenants());
    let real = tenants().next().is_none() || !tenants().all(is_simulated);
    let refresh = refresh::resolve(file.refresh.unwrap_or_default(), real, ledger);
    let entries = file.credentials.unwrap_or_default();
    let mut credentials = Credentials::resolve(entries, environment, ledger);
    let tenants = tenant::resolve(batches, may_be_empty, defaults, &mut credentials, ledger);
    credentials.warn_of_unused(ledger);
    let privacy = privacy::resolve(
        file.labels.unwrap_or_default(),
        file.privacy.unwrap_or_default(),
        ledger,
    );
    let risk_accepted = file.risk_accepted.unwrap_or_default();
    unknown_keys(
        "risk_accepted",
        &risk_accepted.unknown,
        FileRiskAccepted::KEYS,
        ledger,
    );
    let watch = watch::resolve(risk_accepted.watch, ledger);
    let exceptions = risk_accepted.exceptions.unwrap_or_default();
    let controls = controls::resolve(file.controls.unwrap_or_default(), watch, ledger);
    Config {
        refresh,
        simulator: simulator::resolve(file.simulator, simulated, ledger),
        tenants,
        controls: Arc::new(controls),
        exceptions: exceptions::resolve(exceptions, &names, ledger),
        lookback: lookback(risk_accepted.lookback, ledger),
        labels: privacy.labels,
        privacy: privacy.events,
        salt: privacy.salt,
        webhook: events::resolve(file.events.unwrap_or_default(), ledger),
        extra_roots: extra_roots(file.graph.unwrap_or_default(), ledger),
        hash,
    }
}

/// The text of the configuration and of all its files.
fn everything(text: &str, batches: &[Batch]) -> String {
    let files = batches.iter().filter_map(|batch| batch.file.as_ref());
    files.fold(text.to_owned(), |all, file| all + "\n" + &file.text)
}

fn lookback(written: Option<Text>, ledger: &mut Ledger) -> NonZeroUsize {
    written
        .and_then(|text| number::between("risk_accepted.lookback", text, 1..=100, ledger))
        .unwrap_or(LOOKBACK)
}

fn extra_roots(file: FileGraph, ledger: &mut Ledger) -> Option<PemFile> {
    unknown_keys("graph", &file.unknown, FileGraph::KEYS, ledger);
    pem::resolve("graph.ca_file", &file.ca_file?, ledger)
}
