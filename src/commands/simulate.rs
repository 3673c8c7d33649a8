//! `simulate`: the simulator alone, for an exporter or a script.

use super::atomic_file::{PRIVATE, READABLE, replace};
use super::shell_path::quoted;
use super::stdout::line;
use super::{Failure, supervisor};
use crate::cli::{Simulate, SimulationFlags};
use anyhow::Context as _;
use graph_simulator::{Options, PartnerOptions, Simulator, SimulatorError, TenantAccess};
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The files of a written configuration.
const CONFIG_FILE: &str = "secure-score.yml";
const CA_FILE: &str = "simulator-ca.pem";

/// Runs until a signal.
pub(super) async fn run(flags: &Simulate) -> Result<(), Failure> {
    let options = options(
        &flags.simulation,
        flags.listen_address,
        flags.control_listen_address,
    );
    let simulator = start(options).await?;
    let directory = flags.config_dir.as_deref();
    let written = directory.map(|directory| write_config(&simulator, directory));
    let written = written.transpose()?;
    line(format_args!("Graph and Entra  {}", simulator.url()))?;
    line(format_args!(
        "control API      {}",
        simulator.control_url().unwrap_or("off")
    ))?;
    if let Some(file) = written {
        line(format_args!(
            "configuration    {}\n\nRun: secure-score-exporter --config.file {}",
            file.display(),
            quoted(&file)
        ))?;
    }
    let signal = supervisor::stop_requested().await;
    tracing::info!(signal, "stopping");
    simulator.stop().await;
    Ok(())
}

/// The simulator's options.
pub(super) fn options(flags: &SimulationFlags, listen: SocketAddr, control: SocketAddr) -> Options {
    Options {
        listen,
        control_listen: Some(control),
        tenants: usize::from(flags.tenants),
        seed: flags.seed,
        replay: flags.replay.clone(),
        // Captured responses have no customers.
        partners: match flags.replay {
            Some(_) => Vec::new(),
            None => vec![PartnerOptions::default()],
        },
        scenario: flags.runs_scenario(),
        ..Options::default()
    }
}

/// Starts the simulator.
pub(super) async fn start(options: Options) -> Result<Simulator, Failure> {
    Simulator::start(options).await.map_err(|error| match error {
        SimulatorError::Listen { .. } => Failure::with_hint(
            error,
            "choose other ports with --listen-address and --control.listen-address",
        ),
        SimulatorError::Replay(_) => Failure::with_hint(
            error,
            "--replay takes a directory with secureScores.json and secureScoreControlProfiles*.json, as returned by Graph",
        ),
        SimulatorError::NotLoopback { .. } | SimulatorError::Certificate(_) => {
            anyhow::Error::new(error).into()
        }
    })
}

/// The first line of a configuration that this command may overwrite.
const FIRST_LINE: &str =
    "# Watches the tenants of the simulator; written by `simulate --config-dir`.";

/// Writes a configuration of the simulator's tenants, with one file per secret,
/// as for real tenants.
fn write_config(simulator: &Simulator, directory: &Path) -> Result<PathBuf, Failure> {
    let file = directory.join(CONFIG_FILE);
    let existing = fs::read_to_string(&file).unwrap_or_else(|_| FIRST_LINE.to_owned());
    if !existing.starts_with(FIRST_LINE) {
        let error = anyhow::anyhow!("{} was not written by this command", file.display());
        let hint = "choose another directory with --config-dir";
        return Err(Failure::with_hint(error, hint));
    }
    let secrets = directory.join("secrets");
    fs::create_dir_all(&secrets)
        .with_context(|| format!("{} cannot be created", secrets.display()))?;
    write(&directory.join(CA_FILE), simulator.ca_pem(), READABLE)?;
    let partners = simulator.handle().partners();
    for tenant in simulator.tenants().into_iter().chain(partners) {
        let secret = secrets.join(&tenant.name);
        write(&secret, &tenant.client_secret, PRIVATE)?;
    }
    write(&file, &config_text(simulator), READABLE)?;
    Ok(file)
}

fn config_text(simulator: &Simulator) -> String {
    let partners = simulator.handle().partners();
    let partner = partners.first();
    let credential = partner.map_or("", |_| ", credential: customers");
    let mut text = format!(
        "{FIRST_LINE}\n\
         refresh: {{profiles: 10s, scores: 10s}}\n\
         simulator: {{url: \"{}\", ca_file: {CA_FILE}}}\n\
         defaults: {{cloud: simulator, target: 80%{credential}}}\n\
         labels: {{accepted_by: plain, comment: plain}}\n\
         privacy: {{pages: show}} # as the labels\n\
         tenants:\n",
        simulator.url()
    );
    for tenant in simulator.tenants() {
        text += &format!(
            "  - name: {}\n    tenant_id: {}\n    display_name: {:?}\n    \
             credential: {{type: client_secret, client_id: {}, client_secret_file: secrets/{}}}\n",
            tenant.name, tenant.entra_id, tenant.display_name, tenant.client_id, tenant.name
        );
    }
    if let Some(partner) = partner {
        let handle = simulator.handle().partner(&partner.name);
        let application = handle.map(|it| it.customers_application());
        text += &partner_text(partner, &application.unwrap_or_default());
    }
    text
}

/// A partner, its credential, and that of the application to which its customers consent.
/// `discover` and `new_customers: watch` find the customers that are no tenant of the file.
fn partner_text(partner: &TenantAccess, application: &str) -> String {
    let TenantAccess {
        name,
        entra_id,
        client_id,
        ..
    } = partner;
    format!(
        "credentials:\n  \
           {name}: {{type: client_secret, client_id: {client_id}, client_secret_file: secrets/{name}}}\n  \
           customers: {{type: client_secret, client_id: {application}, client_secret_file: secrets/{name}}}\n\
         partner: {{name: {name}, tenant_id: {entra_id}, credential: {name}, display_names: plain, interval: 5m}}\n"
    )
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let written = replace(path, mode, |out| out.write_all(text.as_bytes()));
    Ok(written.with_context(|| format!("{} cannot be written", path.display()))?)
}
